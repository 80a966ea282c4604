"""Which rules a child that is away hits, in words.

Only rules whose condition names nothing but `ROUND_FEATURES` are judged: the round works these out
exactly as `score` does, and knows nothing of marks, homes and schools. So a rule says here what it
says there, and the others wait for the week's list. A rule that names a group or a field behind one
can't be among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from earlywarn.errors import Text
from earlywarn.followup.daily.absences import ROUND_FEATURES
from earlywarn.rules.evaluate import verdicts_of
from earlywarn.rules.pack import Rule, RuleBook
from earlywarn.words import Tier


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule with a floor that hits: the tier that it asks for at least, and its reason."""

    rule: str
    floor: Tier
    reason: Text


def round_rules(rulebook: RuleBook, as_of: date) -> tuple[Rule, ...]:
    """Return the rules in force that the round can judge and that set a floor, by id."""
    known = frozenset(ROUND_FEATURES)
    return tuple(
        rule
        for rule in rulebook.in_force(as_of)
        if rule.floor is not None
        and known.issuperset(rule.condition.names)
        and not rule.hidden_from_schools
    )


def hits(facts: pa.Table, rulebook: RuleBook, as_of: date) -> dict[str, tuple[Hit, ...]]:
    """Return for each student of `facts` its hits, the highest floor first; of a ladder one.

    `facts` has student_id and `ROUND_FEATURES` (see `absences`).
    """
    rules = round_rules(rulebook, as_of)
    if not rules or not facts.num_rows:
        return {}
    verdicts = verdicts_of(facts, rules)
    found: dict[str, tuple[Hit, ...]] = {}
    for values, verdict in zip(facts.to_pylist(), verdicts.to_pylist(), strict=True):
        highest: dict[str, Rule] = {}
        for rule in rules:
            place = rule.ladder or f"rule {rule.id}"
            if verdict[rule.id] and (place not in highest or _rank(rule) > _rank(highest[place])):
                highest[place] = rule
        ordered = sorted(highest.values(), key=_rank, reverse=True)
        if ordered:
            found[values["student_id"]] = tuple(_hit(rule, values) for rule in ordered)
    return found


def _rank(rule: Rule) -> tuple[int, float, str]:
    return (rule.floor.level if rule.floor else 0, rule.points, rule.id)


def _hit(rule: Rule, values: dict[str, object]) -> Hit:
    if rule.floor is None:
        raise AssertionError(rule.id)
    reason = Text(rule.reason_text(values, "zh"), rule.reason_text(values, "en"))
    return Hit(rule.id, rule.floor, reason)
