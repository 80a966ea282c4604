"""From one student's contributions to the reasons shown, in words, numbers and dates.

Two views: `full_reasons` for an authorised role, `SchoolView` for a school's list. The second
must not let anybody conclude, from words, from their order or from their absence, to which
monitored group a child belongs: it is computed as if the hidden rules did not exist.

A learned table is a reason as far as its value is worse than that of the average child and worse
than calm (docs/decisions/0013); context and groups are none: nobody can act on "grade 9".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from earlywarn.errors import Text
from earlywarn.features.catalogue import CATALOGUE, FEATURES, describe
from earlywarn.rules.reasons import placeholders
from earlywarn.watchlist import wording
from earlywarn.watchlist.rows import Reason
from earlywarn.words import Tier, day_in_words

if TYPE_CHECKING:
    from earlywarn.rules.pack import Rule

PLACES = 3
# A contribution that is not above this is none: what floating point leaves of a zero.
NOTHING = 1e-9

SCHOOL_SHARES = frozenset({"school_poor_share", "school_left_behind_share", "school_migrant_share"})
# No list that a school gets ranks its children by their marks.
RANKS = frozenset({"exam_rank_pct"})
# For a child that comes to school no day of home teaching is as it should be: only a rule can tell.
ONLY_BY_RULE = frozenset({"home_teaching_days_60d"})
# Nor says how a school stands beside others.
SCHOOL_RANKS = frozenset({"school_exam_z"})

_POSITION = {feature.name: place for place, feature in enumerate(CATALOGUE)}
# Which date of `basis` a feature's table rests on.
_BASIS = {
    "attendance": "attendance_date",
    "exams": "exam_date",
    "students": "snapshot_date",
    "outcomes": "event_date",
}


@dataclass(frozen=True)
class Evidence:
    """What is known of one student, as rows of the DuckDB tables hold it.

    Attributes
    ----------
    contributions
        (term, value) of `scores`; those that are not positive may be left out.
    hits
        Ids of the rules hit.
    facts
        The row of `facts`: values by feature and registry field.
    basis
        The row of `basis`: the dates that reasons rest on.
    calm
        What each sign adds where nothing is wrong (`scorecard.calm_terms`).
    """

    as_of: date
    contributions: Sequence[tuple[str, float]]
    hits: Sequence[str]
    facts: Mapping[str, Any]
    basis: Mapping[str, date | None]
    calm: Mapping[str, float]

    def signs(self) -> list[tuple[str, float]]:
        """Return the features that are reasons, with their size: above the average and above calm.

        Contributions are measured from the average child already.
        """
        found = [
            (term, min(value, value - self.calm[term]))
            for term, value in self.contributions
            if term in self.calm and term not in ONLY_BY_RULE
        ]
        return [(term, size) for term, size in found if size > NOTHING]


def hidden_feature(name: str) -> bool:
    """Whether a school's list may not give feature `name` as a reason."""
    feature = FEATURES[name]
    return (
        feature.sensitive
        or feature.kind == "group"
        or feature.family == "home"
        or name in SCHOOL_SHARES
        or name in SCHOOL_RANKS
    )


def full_reasons(evidence: Evidence, rules: Mapping[str, Rule]) -> tuple[Reason, ...]:
    """Return the reasons that an authorised role sees, the strongest first, at most three."""
    sizes = dict(evidence.contributions)
    in_force = _loudest_on_ladders(
        [rules[rule] for rule in evidence.hits if rule in rules],
        lambda rule: sizes.get(f"rule:{rule.id}", 0.0),
    )
    found = [(rule, sizes.get(f"rule:{rule.id}", 0.0)) for rule in in_force]
    return _choose(evidence, found, evidence.signs(), for_school=False)


class SchoolView:
    """What a school may see: computed as if the hidden rules did not exist.

    A rule that a hidden one silences on its ladder is shown with the weight that it has by itself,
    so that a hidden hit takes nothing away either.

    Parameters
    ----------
    rules
        Every rule of the rulebook; the hidden ones are left out here.
    weights
        Rule id to the weight in force (the model's; for others the author's points are taken).
    """

    def __init__(self, rules: Iterable[Rule], weights: Mapping[str, float]) -> None:
        self._rules = {rule.id: rule for rule in rules if not rule.hidden_from_schools}
        self._weights = weights

    def reasons(self, evidence: Evidence) -> tuple[Reason, ...]:
        """Return the reasons that a school sees, the strongest first, at most three."""
        visible = [self._rules[rule] for rule in evidence.hits if rule in self._rules]
        loudest = _loudest_on_ladders(visible, self._weight)
        features = [(term, size) for term, size in evidence.signs() if not hidden_feature(term)]
        found = [(rule, self._weight(rule)) for rule in loudest]
        return _choose(evidence, found, features, for_school=True)

    def _weight(self, rule: Rule) -> float:
        return self._weights.get(rule.id, rule.points)


def _loudest_on_ladders(hits: Iterable[Rule], weight: Callable[[Rule], float]) -> list[Rule]:
    """Keep of several hits on one ladder the one with the most weight (ties: the first id)."""
    kept: dict[str, Rule] = {}
    for rule in sorted(hits, key=lambda rule: (-weight(rule), rule.id)):
        kept.setdefault(f"ladder {rule.ladder}" if rule.ladder else f"rule {rule.id}", rule)
    return list(kept.values())


def _choose(
    evidence: Evidence,
    hits: Sequence[tuple[Rule, float]],
    features: Sequence[tuple[str, float]],
    *,
    for_school: bool,
) -> tuple[Reason, ...]:
    """Order the candidates and take the first of each family.

    Hits with a floor come first, then size decides. Only what adds to the score is shown, but a
    floor's hit also if the data left it no weight: the tier rests on it.
    """
    candidates: list[tuple[tuple[Any, ...], str, Rule | str, float]] = []
    for rule, size in hits:
        floor = Tier(rule.floor).level if rule.floor else 0
        if size > NOTHING or floor:
            order = (0 if floor else 1, -size, -floor, 0, 0, rule.id)
            candidates.append((order, rule.family, rule, size))
    for name, size in features:
        order = (1, -size, 0, 1, _POSITION[name], name)
        candidates.append((order, FEATURES[name].family, name, size))
    candidates.sort(key=lambda candidate: candidate[0])
    shown: dict[str, Reason] = {}
    for _, family, what, size in candidates:
        reason = shown.get(family)
        if reason is None and len(shown) < PLACES:
            if isinstance(what, str):
                shown[family] = feature_reason(evidence, what, size, for_school=for_school)
            else:
                shown[family] = rule_reason(evidence, what, size, for_school=for_school)
        elif reason is not None and reason.action is None and not isinstance(what, str):
            # The place went to a learned table: what its family's rule asks for is done.
            shown[family] = replace(reason, action=what.action)
    return tuple(shown.values())


def feature_reason(
    evidence: Evidence, name: str, size: float, *, for_school: bool = False
) -> Reason:
    """Return the reason that a learned table gives: the feature's label, value and date."""
    value = evidence.facts.get(name)
    feature = FEATURES[name]
    if for_school and name in RANKS:
        text = wording.BELOW_MOST
    elif value is None:
        text = Text(f"缺少数据：{feature.label.zh}", f"No data: {feature.label.en}")
    elif feature.type == "boolean" and value:
        text = Text(feature.label.zh, _capital(feature.label.en))
    else:
        text = Text(
            wording.typeset(describe(name, value, "zh")), _capital(describe(name, value, "en"))
        )
    on, basis = _basis(evidence, None if value is None else _BASIS.get(feature.table))
    return Reason(name, feature.family, size, text, basis, on, None, None)


def rule_reason(evidence: Evidence, rule: Rule, size: float, *, for_school: bool = False) -> Reason:
    """Return the reason that a hit gives: its author's sentence with the student's numbers."""
    printed = placeholders(rule.reason.zh + rule.reason.en)
    if for_school and not RANKS.isdisjoint(printed):
        text = wording.BELOW_MOST
    else:
        values = dict(evidence.facts)
        text = Text(wording.typeset(rule.reason_text(values, "zh")), rule.reason_text(values, "en"))
    named = [FEATURES[n] for n in (*printed, *rule.condition.names) if n in FEATURES]
    # It rests on its first sign: "grade 8, away without leave" is of the day of absence.
    named.sort(key=lambda feature: feature.kind != "sign")
    on, basis = _basis(evidence, _BASIS.get(named[0].table) if named else None)
    floor = str(Tier(rule.floor)) if rule.floor else None
    return Reason(f"rule:{rule.id}", rule.family, size, text, basis, on, floor, rule.action)


def _basis(evidence: Evidence, column: str | None) -> tuple[date | None, Text]:
    """Return the date in `column` of `basis` and how it is said."""
    on = evidence.basis.get(column) if column else None
    if on is None:
        return None, Text("", "")
    zh, en = day_in_words(on, "zh", evidence.as_of), day_in_words(on, "en", evidence.as_of)
    said = {
        "attendance_date": Text(f"截至{zh}", f"up to {en}"),
        "exam_date": Text(f"{zh}考试", f"exam of {en}"),
        "snapshot_date": Text(f"{zh}学籍", f"registry of {en}"),
        "event_date": Text(f"{zh}登记", f"recorded {en}"),
    }
    return on, said[column or ""]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
