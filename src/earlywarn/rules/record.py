"""What a run remembers of a rule, and what differs between two such records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from earlywarn.errors import Text
from earlywarn.rules.book import Action, Rule

Record = Mapping[str, Any]

# What is compared, in this order, and what it is called. A condition has changed when its meaning
# has (when_hash), not when it is only written another way.
COMPARED: dict[str, Text] = {
    "when": Text("条件", "condition"),
    "points": Text("分值", "points"),
    "weight": Text("生效权重", "weight in force"),
    "floor": Text("最低等级", "floor"),
    "ladder": Text("档梯", "ladder"),
    "action": Text("措施", "action"),
    "reason": Text("理由", "reason"),
    "title": Text("名称", "title"),
    "effective": Text("有效期", "effective dates"),
}
# A weight is the model's, so a rules folder by itself has none.
OF_THE_FOLDER = tuple(what for what in COMPARED if what != "weight")


@dataclass(frozen=True)
class Difference:
    """One thing that changed: `what` is a key of COMPARED; the values are as in the records."""

    what: str
    before: Any
    after: Any

    def as_dict(self) -> dict[str, Any]:
        """Return the difference for `--json`."""
        return {"what": self.what, "from": self.before, "to": self.after}


def record(rule: Rule, weight: float | None) -> dict[str, Any]:
    """Return what rules.json keeps of a rule; `weight` is its weight in force, if there is one."""
    return {
        "id": rule.id,
        "pack": rule.pack,
        "file": rule.file,
        "title": rule.title._asdict(),
        "when": rule.when,
        "when_hash": rule.when_hash,
        "points": rule.points,
        "weight": weight,
        "ladder": rule.ladder,
        "floor": rule.floor.value if rule.floor else None,
        "action": rule.action,
        "reason": rule.reason._asdict(),
        "effective": [rule.starts.isoformat(), rule.ends.isoformat()] if rule.effective else None,
        "family": rule.family,
    }


def action_record(action: Action) -> dict[str, Any]:
    """Return an action as JSON has it."""
    return {
        "id": action.id,
        "title": action.title._asdict(),
        "who": action.who._asdict(),
        "within_school_days": action.within_school_days,
        "what": action.what._asdict(),
        "form": action.form._asdict() if action.form else None,
        "cause": action.cause.value,
    }


def differences(
    before: Record, after: Record, what: Sequence[str] = tuple(COMPARED)
) -> tuple[Difference, ...]:
    """Return what differs between two records of one rule, in the order of COMPARED."""
    found = []
    for key in what:
        compared = "when_hash" if key == "when" else key
        if before.get(compared) != after.get(compared):
            found.append(Difference(key, before.get(key), after.get(key)))
    return tuple(found)
