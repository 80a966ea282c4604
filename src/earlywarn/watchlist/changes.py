"""Why a child's place is another than on the list before: the one cause that weighs most.

Both lists are weighed with the same scorecard, so that what is told is a change of the child, not
of the weights. For a school it is worked out from what it may see, as if the hidden rules did not
exist: a change that only they explain has no cause there, like one that comes from the others'
places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from earlywarn.errors import Text
from earlywarn.features.catalogue import FEATURES
from earlywarn.watchlist.previous import Was
from earlywarn.watchlist.reasons import (
    NOTHING,
    RANKS,
    Evidence,
    feature_reason,
    hidden_feature,
    rule_reason,
)
from earlywarn.watchlist.rows import Cause, Change
from earlywarn.watchlist.wording import typeset
from earlywarn.words import Tier

if TYPE_CHECKING:
    from earlywarn.rules.pack import Rule

# In log-odds; what moves less is no cause that anybody would notice.
LEAST = 0.1
_LAST_EXAM = Text("最近一次考试成绩", "the last exam")


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one ladder, rule or feature adds to the score, and the floor that it sets."""

    what: Rule | str
    size: float
    floor: int


class Comparison:
    """Tells the cause of a change.

    Parameters
    ----------
    rules
        Those in force on both days.
    weights
        Rule id to its weight in force; for others the author's points are taken.
    for_school
        Leave out what a school may not see.
    """

    def __init__(
        self, rules: Iterable[Rule], weights: Mapping[str, float], *, for_school: bool
    ) -> None:
        self._for_school = for_school
        self._weights = weights
        self._rules = {
            rule.id: rule for rule in rules if not (for_school and rule.hidden_from_schools)
        }

    def cause(self, change: Change, now: Evidence, then: Evidence) -> Cause | None:
        """Return why a child is `new`, `up` or `down`; None where nothing stands out.

        `then` holds the contributions and hits of the list before; its facts are not needed.
        """
        if change not in ("new", "up", "down"):
            return None
        today, before = self._signs(now), self._signs(then)
        sense = -1 if change == "down" else 1
        moved: list[tuple[int, float, str]] = []
        for mark in today.keys() | before.keys():
            one, other = today.get(mark), before.get(mark)
            floor = sense * ((one.floor if one else 0) - (other.floor if other else 0))
            size = sense * ((one.size if one else 0.0) - (other.size if other else 0.0))
            if floor > 0 or size >= LEAST:
                moved.append((-max(floor, 0), -size, mark))
        if not moved:
            return None
        mark = min(moved)[2]
        if sense > 0:
            return self._told(today[mark], now, known=mark in before)
        return _over(before[mark])

    def _signs(self, evidence: Evidence) -> dict[str, _Sign]:
        """Return the signs by ladder, rule or feature; of a ladder the one that weighs most."""
        found: dict[str, _Sign] = {}
        hits = [self._rules[rule] for rule in evidence.hits if rule in self._rules]
        for rule in sorted(hits, key=lambda rule: (-self._weight(rule), rule.id)):
            floor = Tier(rule.floor).level if rule.floor else 0
            mark = f"ladder {rule.ladder}" if rule.ladder else f"rule {rule.id}"
            found.setdefault(mark, _Sign(rule, self._weight(rule), floor))
        for name, size in evidence.signs():
            if size > NOTHING and not (self._for_school and hidden_feature(name)):
                found[f"sign {name}"] = _Sign(name, size, 0)
        return found

    def _weight(self, rule: Rule) -> float:
        return self._weights.get(rule.id, rule.points)

    def _told(self, sign: _Sign, now: Evidence, *, known: bool) -> Cause:
        if isinstance(sign.what, str):
            reason = feature_reason(now, sign.what, sign.size, for_school=self._for_school)
        else:
            reason = rule_reason(now, sign.what, sign.size, for_school=self._for_school)
        return Cause("worse" if known else "new", reason.term, reason.text)


class Comparisons:
    """The causes of a change as a school may see them, and in full.

    Parameters
    ----------
    rules
        Those in force today.
    before
        The day of the other list: a rule that has come into force since is no cause.
    """

    def __init__(self, rules: Iterable[Rule], weights: Mapping[str, float], before: date) -> None:
        both = [rule for rule in rules if rule.in_force(before)]
        self._school = Comparison(both, weights, for_school=True)
        self._full = Comparison(both, weights, for_school=False)

    def causes(
        self, change: Change, now: Evidence, was: Was | None
    ) -> tuple[Cause | None, Cause | None]:
        """Return both causes of `change`; None of a child that was not scored before."""
        if was is None:
            return None, None
        then = replace(now, contributions=was.contributions, hits=was.hits, facts={}, basis={})
        return self._school.cause(change, now, then), self._full.cause(change, now, then)


def _over(sign: _Sign) -> Cause:
    if isinstance(sign.what, str):
        text = _LAST_EXAM if sign.what in RANKS else FEATURES[sign.what].label
        return Cause("better", sign.what, Text(typeset(text.zh), text.en))
    rule = sign.what
    if not RANKS.isdisjoint(rule.condition.names):
        return Cause("better", f"rule:{rule.id}", _LAST_EXAM)
    return Cause("gone", f"rule:{rule.id}", Text(typeset(rule.title.zh), rule.title.en))
