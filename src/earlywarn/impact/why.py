"""Why a child stands elsewhere under other rules: its causes, in order of effect."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from earlywarn.errors import Text
from earlywarn.impact.rows import BASE, CAPACITY, Cause, CauseKind
from earlywarn.impact.sides import RULE, Floats, Ints, Side, with_base
from earlywarn.rules.pack import Rule
from earlywarn.rules.reasons import placeholders
from earlywarn.words import Tier
from earlywarn.workspace import Config

# A difference in log-odds that is not above this is none: what floating point leaves of a zero.
NOTHING = 1e-9


@dataclass(frozen=True)
class Why:
    """The causes of one child, and the main ones of its move onto or off the list and of tier."""

    causes: tuple[Cause, ...]
    list_cause: str
    tier_cause: str


def explain(
    before: Side,
    after: Side,
    rows: Sequence[int],
    schools: Ints,
    capacities: Ints,
    config: Config,
) -> dict[int, Why]:
    """Return why each child in `rows` (that moves) does.

    Parameters
    ----------
    schools
        Each student's school, as a number.
    capacities
        Each school's capacity, by that number.
    """
    ids = before.features["student_id"].to_pylist()
    shifted = with_base(before, after, config)
    overtaken = _overtaken(before, shifted, after, rows, schools, capacities)
    involved = sorted({*rows, *(row for others in overtaken.values() for row in others)})
    own = own_causes(before, after, involved)
    found = {}
    for row in rows:
        causes = list(own[row])
        if others := overtaken.get(row):
            way = 1 if before.listed[row] else -1  # that of the others
            mains = [_main_rule(own[other], before, after, other, way) for other in others]
            through = Counter(rule_id for rule_id in mains if rule_id)
            causes.append(
                Cause(
                    "capacity",
                    CAPACITY,
                    children=tuple(ids[other] for other in others),
                    through=tuple(sorted(through.items(), key=lambda kv: (-kv[1], kv[0]))),
                )
            )
        tier_way = int(np.sign(after.level[row] - before.level[row]))
        list_way = int(after.listed[row]) - int(before.listed[row])
        ordered = tuple(sorted(causes, key=_Key(before, after, row, tier_way or list_way)))
        found[row] = Why(
            ordered,
            _main(causes, before, after, row, list_way) if list_way else "",
            _main([c for c in causes if c.kind != "capacity"], before, after, row, tier_way)
            if tier_way
            else "",
        )
    return found


def own_causes(before: Side, after: Side, rows: Iterable[int]) -> dict[int, list[Cause]]:
    """Return for each row what differs for that child itself, the largest effects first.

    The effects add up to the difference in log-odds. Where only what floating point leaves of a
    zero differs, that counts: no change is without a cause.
    """
    chosen = np.asarray(sorted(rows), dtype=np.int64)
    found: dict[int, list[Cause]] = {int(row): [] for row in chosen}
    dust: dict[int, list[Cause]] = defaultdict(list)
    reasons = _Reasons(after, chosen)
    for term in sorted({*before.terms, *after.terms}):
        old, new = (_column(side.terms.get(term), chosen) for side in (before, after))
        effect = new - old
        rule_id = term.removeprefix(RULE) if term.startswith(RULE) else ""
        if rule_id:
            floors = (before.floor(rule_id)[chosen], after.floor(rule_id)[chosen])
            hits = tuple(_hits(side, rule_id, chosen) for side in (before, after))
            differs = (effect != 0) | (floors[0] != floors[1])
        else:
            differs = effect != 0
        for place in np.flatnonzero(differs):
            row, size = int(chosen[place]), float(effect[place])
            if not rule_id:
                kind: CauseKind = "base" if term == BASE else "feature"
                cause = Cause(kind, term, size)
            else:
                hit = (bool(hits[0][place]), bool(hits[1][place]))
                kind = _kind(hit, float(old[place]), float(new[place]))
                cause = Cause(
                    kind,
                    rule_id,
                    size,
                    _tier(int(floors[0][place])),
                    _tier(int(floors[1][place])),
                    reasons.of(after.rules[rule_id], int(place)) if kind == "hit" else None,
                )
            small = abs(size) <= NOTHING and cause.floor_before is cause.floor_after
            (dust if small else found)[row].append(cause)
    for row, causes in found.items():
        if not causes:
            causes.extend(dust[row])
        causes.sort(key=lambda c: (-abs(c.effect), c.term))
    return found


def _column(values: Floats | None, rows: Ints) -> Floats:
    return np.zeros(len(rows)) if values is None else values[rows]


def _hits(side: Side, rule_id: str, rows: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    hits = side.hits.get(rule_id)
    return np.zeros(len(rows), dtype=np.bool_) if hits is None else hits[rows]


def _kind(hit: tuple[bool, bool], old: float, new: float) -> CauseKind:
    if hit == (False, True):
        return "hit"
    if hit == (True, False):
        return "lost"
    if old == new:
        return "floor"
    if new == 0:
        return "silenced"
    return "heard" if old == 0 else "weight"


def _tier(level: int) -> Tier | None:
    return Tier.of_level(level) if level else None


class _Reasons:
    """Fills rules' reasons with the numbers of some students, which are fetched once."""

    def __init__(self, side: Side, rows: Ints) -> None:
        self.features = side.features
        self.rows = rows
        self.columns: dict[str, list[object]] = {}

    def of(self, rule: Rule, place: int) -> Text:
        """Return the reason for the student at `place` of the rows."""
        values = {}
        for name in {*placeholders(rule.reason.zh), *placeholders(rule.reason.en)}:
            if name not in self.columns:
                self.columns[name] = self.features[name].take(self.rows).to_pylist()
            values[name] = self.columns[name][place]
        return Text(rule.reason_text(values, "zh"), rule.reason_text(values, "en"))


def _overtaken(
    before: Side,
    shifted: Side,
    after: Side,
    rows: Sequence[int],
    schools: Ints,
    capacities: Ints,
) -> dict[int, list[int]]:
    """Return for each child whose own change would not have moved it on or off the list who did.

    Its own new tier and score among the others' old ones (`shifted`: with the new base level, which
    is everybody's): if it is listed there as before, it took
    others to move it. These are then the ones that were behind that standing and are now ahead of
    it (it leaves), or were ahead and are now behind (it enters), by their new rank.
    """
    members = defaultdict(list)
    for row, school in enumerate(schools.tolist()):
        members[school].append(row)
    found: dict[int, list[int]] = {}
    for row in rows:
        if before.listed[row] == after.listed[row]:
            continue
        mates = np.asarray(members[int(schools[row])], dtype=np.int64)
        mates = mates[mates != row]
        level, score = after.level[row], after.score[row]
        ahead_before = _ahead(shifted, mates, level, score, row)
        rank = 1 + int(ahead_before.sum())
        alone = level == 3 or (level > 0 and rank <= capacities[schools[row]])
        if alone != before.listed[row]:
            continue
        ahead_after = _ahead(after, mates, level, score, row)
        moved = ahead_before & ~ahead_after if after.listed[row] else ahead_after & ~ahead_before
        others = mates[moved]
        found[row] = [int(other) for other in others[np.argsort(after.rank[others])]]
    return found


def _ahead(
    side: Side, mates: Ints, level: int, score: float, row: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which of `mates` rank before a child of that level and score (ties: student_id)."""
    levels, scores = side.level[mates], side.score[mates]
    same = levels == level
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = (levels > level) | (
        same & ((scores > score) | ((scores == score) & (mates < row)))
    )
    return result


def _pull(cause: Cause) -> int:
    """Return which way a cause pulls: 1 up, -1 down, 0 neither."""
    floors = _level(cause.floor_after) - _level(cause.floor_before)
    return int(np.sign(floors)) or int(np.sign(cause.effect))


def _level(tier: Tier | None) -> int:
    return tier.level if tier else 0


class _Key:
    """The order of a child's causes: floors that decide, then what pulls the way it moves."""

    def __init__(self, before: Side, after: Side, row: int, way: int) -> None:
        self.way = way
        self.same_tier = before.level[row] == after.level[row]
        side = after if way > 0 else before
        self.by_floor = side.score_level[row] < side.level[row]
        self.level = int(side.level[row])

    def __call__(self, cause: Cause) -> tuple[int, float, str]:
        floors = _level(cause.floor_after) - _level(cause.floor_before)
        reached = cause.floor_after if self.way > 0 else cause.floor_before
        if floors * self.way > 0 and self.by_floor and _level(reached) == self.level:
            place = 0
        elif cause.kind == "base" and self.same_tier:
            place = 3  # it is everybody's, so it puts nobody before another
        elif _pull(cause) == self.way or cause.effect * self.way > 0:
            place = 1
        else:
            place = 2 if cause.kind == "capacity" else 3
        return place, -abs(cause.effect), cause.term


def _main(causes: list[Cause], before: Side, after: Side, row: int, way: int) -> str:
    if not causes:
        return ""
    return min(causes, key=_Key(before, after, row, way)).term


def _main_rule(causes: list[Cause], before: Side, after: Side, row: int, way: int) -> str:
    pulling = [cause for cause in causes if cause.of_rule and _pull(cause) == way]
    return _main(pulling, before, after, row, way)
