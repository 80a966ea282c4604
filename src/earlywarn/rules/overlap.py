"""Two rules beside each other: do they mean the same, does one change nothing beside the other?"""

from __future__ import annotations

from collections.abc import Iterator

from earlywarn.errors import Text
from earlywarn.features.groups import Groups
from earlywarn.rules.book import Rule
from earlywarn.rules.meaning import contained, same
from earlywarn.rules.normal import normal_text
from earlywarn.rules.problems import Fault, Problem
from earlywarn.words import Tier


def compare_rules(a: Rule, b: Rule, groups: Groups, *, differ: bool) -> Iterator[Problem]:
    """Yield what is wrong with one of two rules because of the other; at most one problem.

    `differ`: it is known already that they do not mean the same.
    """
    if a.ends < b.starts or b.ends < a.starts:
        return
    alike = not differ and _same(a, b, groups)
    if alike:
        yield _say(
            b,
            Fault.SAME,
            Text(
                f"条件与规则 {a.id} 意思相同，请合并成一条。",
                f"the condition means the same as that of rule {a.id}: make them one.",
            ),
        )
        return
    for inner, outer in ((a, b), (b, a)):
        if not _changes_nothing(inner, outer):
            continue
        inside = contained(inner.condition.root, outer.condition.root, groups)
        if inside:
            yield _say(
                inner,
                Fault.CONTAINED,
                Text(
                    f"凡命中它的孩子，规则 {outer.id} 也都命中；它不多加分，也不提高等级，"
                    "不起任何作用。请提高 points 或 floor，或删去。",
                    f"whoever it hits is hit by rule {outer.id} too, and it adds no more points "
                    "and sets no higher floor, so it changes nothing: raise points or floor, or "
                    "remove it.",
                ),
            )
            return
        if inside is None:
            yield _undecided(
                inner,
                Text(
                    f"未能判定规则 {outer.id} 是否包含它。",
                    f"not decided whether it is contained in rule {outer.id}.",
                ),
            )
    if alike is None:
        yield _undecided(
            b,
            Text(
                f"未能判定它与规则 {a.id} 意思是否相同。",
                f"not decided whether it means the same as rule {a.id}.",
            ),
        )


def _same(a: Rule, b: Rule, groups: Groups) -> bool | None:
    if normal_text(a.condition.root) == normal_text(b.condition.root):
        return True
    return same(a.condition.root, b.condition.root, groups)


def _changes_nothing(inner: Rule, outer: Rule) -> bool:
    """Whether `inner` would change nothing if `outer` hit whenever it does."""
    on_its_ladder = inner.ladder is not None and inner.ladder == outer.ladder
    silenced = on_its_ladder and (inner.points, outer.id) < (outer.points, inner.id)
    equal = on_its_ladder and inner.points == outer.points
    # Who is not silenced but sets a floor, or comes first of equals, may give the next step.
    speaks = not silenced and (equal or inner.floor is not None)
    own_step = speaks and inner.action not in (None, outer.action)
    # A hidden rule silences nobody's reasons on a school's list, so there `inner` still counts.
    shown = outer.hidden_from_schools and not inner.hidden_from_schools
    always_there = outer.starts <= inner.starts and inner.ends <= outer.ends
    adds_nothing = not inner.points or silenced or equal
    no_higher = _level(inner) <= _level(outer)
    return adds_nothing and no_higher and always_there and not own_step and not shown


def _level(rule: Rule) -> int:
    return Tier(rule.floor).level if rule.floor else 0


def _say(rule: Rule, fault: Fault, message: Text) -> Problem:
    return Problem(rule.file, rule.line, rule.id, message, fault)


def _undecided(rule: Rule, message: Text) -> Problem:
    return _say(rule, Fault.UNDECIDED, message)
