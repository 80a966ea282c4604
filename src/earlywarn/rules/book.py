"""What the packs hold once they are read: rules, actions and the rule book."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from earlywarn.conditions import Condition
from earlywarn.errors import Lang, Text
from earlywarn.features.groups import Groups
from earlywarn.rules.reasons import fill
from earlywarn.rules.schema import ActionCause, Effective, RuleTest
from earlywarn.words import Tier


@dataclass(frozen=True)
class Action:
    """What to do about a hit: who, within how many school days, what, on which form."""

    id: str
    title: Text
    who: Text
    within_school_days: int
    what: Text
    form: Text | None
    cause: ActionCause


@dataclass(frozen=True)
class Rule:
    """One rule, checked and compiled. `points` are log-odds; `when_hash` is the condition's."""

    id: str
    pack: str
    title: Text
    condition: Condition
    points: float
    ladder: str | None
    floor: Tier | None
    action: str | None
    reason: Text
    source: Text
    effective: Effective | None
    family: str
    names_group: bool
    tests: tuple[RuleTest, ...] = ()
    allow_group_alone: bool = False
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def when(self) -> str:
        """The condition as it was written."""
        return self.condition.text

    @property
    def when_hash(self) -> str:
        """SHA-256 of the normalised condition: a weight belongs to (id, when_hash)."""
        return self.condition.hash

    @property
    def hidden_from_schools(self) -> bool:
        """Whether no list of a school shows the rule or takes its action.

        So it is for family `home` and for rules that name a group, a field behind one or the
        school's group shares.
        """
        return self.family == "home" or self.names_group

    @property
    def starts(self) -> date:
        """The first day in force."""
        return self.effective.first if self.effective else date.min

    @property
    def ends(self) -> date:
        """The last day in force."""
        return self.effective.last if self.effective else date.max

    def in_force(self, as_of: date | None) -> bool:
        """Whether the rule is in force on `as_of` (None: effective dates don't matter)."""
        return as_of is None or self.starts <= as_of <= self.ends

    def reason_text(self, values: dict[str, Any], lang: Lang) -> str:
        """Return the reason with the student's numbers (`values` by feature name) filled in."""
        return fill(self.reason(lang), values, lang)


@dataclass(frozen=True)
class RuleBook:
    """Every rule sorted by id, the actions that they name, and the groups."""

    rules: tuple[Rule, ...]
    actions: dict[str, Action]
    groups: Groups
    packs: dict[str, Text]

    def in_force(self, as_of: date | None) -> tuple[Rule, ...]:
        """Return the rules in force on `as_of`, sorted by id, each id once.

        None (training) leaves effective dates aside: of several rules with one id the one that
        begins last.
        """
        chosen = {rule.id: rule for rule in self.rules if rule.in_force(as_of)}
        return tuple(chosen.values())

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what the rules mean: not of comments, order, white space or tests."""
        meaning = {
            "rules": [
                [
                    rule.id,
                    rule.pack,
                    list(rule.title),
                    rule.when_hash,
                    rule.points,
                    rule.ladder,
                    rule.floor,
                    rule.action,
                    list(rule.reason),
                    rule.starts.isoformat(),
                    rule.ends.isoformat(),
                    rule.family,
                ]
                for rule in self.rules
            ],
            "actions": [
                [
                    action.id,
                    list(action.title),
                    list(action.who),
                    action.within_school_days,
                    list(action.what),
                    list(action.form) if action.form else None,
                    action.cause,
                ]
                for _, action in sorted(self.actions.items())
            ],
            "groups": self.groups.hash,
        }
        text = json.dumps(meaning, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
