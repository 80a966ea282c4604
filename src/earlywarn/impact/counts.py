"""Counting who moves: by school, by monitored group, by rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from earlywarn.errors import Text
from earlywarn.features.groups import GROUP_NAMES
from earlywarn.impact.differences import rule_differences
from earlywarn.impact.rows import (
    CAPACITY,
    EVERYBODY,
    NO_GROUP,
    ChildChange,
    GroupImpact,
    ListCounts,
    Moves,
    OtherEffect,
    RuleImpact,
    SchoolImpact,
)
from earlywarn.impact.sides import Bools, Ints, Side
from earlywarn.rules.pack import Rule, RuleBook
from earlywarn.rules.wording import in_words
from earlywarn.words import MONITORED_GROUPS, Tier
from earlywarn.workspace import Config, Workspace


@dataclass(frozen=True)
class Cohort:
    """Who is compared: a row per student in student_id order, and the schools by number."""

    config: Config
    ids: list[str]
    names: list[str]
    classes: list[str]
    grades: list[int | None]
    school: Ints  # each student's school, as a place in `schools`
    schools: list[dict[str, Any]]

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, workspace: Workspace) -> Cohort:
        """Read the cohort that `prepare` left in `con`."""
        columns = ["student_id", "name", "class_id", "grade", "school_id"]
        table = con.sql(
            f"SELECT {', '.join(columns)} FROM cohort ORDER BY student_id"
        ).to_arrow_table()
        found = con.execute(
            """
            SELECT c.school_id, count(*), max(s.capacity), any_value(s.name),
                   any_value(s.county), any_value(s.township)
            FROM cohort AS c LEFT JOIN schools AS s ON s.school_id = c.school_id
            GROUP BY c.school_id ORDER BY c.school_id
            """
        ).fetchall()
        schools = [
            {
                "school_id": school_id,
                "name": name or school_id,
                "county": county or "",
                "township": township or "",
                "cohort": cohort,
                "capacity": workspace.config.capacity.of(cohort, own),
            }
            for school_id, cohort, own, name, county, township in found
        ]
        number = {entry["school_id"]: place for place, entry in enumerate(schools)}
        return cls(
            workspace.config,
            table["student_id"].to_pylist(),
            [name or "" for name in table["name"].to_pylist()],
            [name or "" for name in table["class_id"].to_pylist()],
            table["grade"].to_pylist(),
            np.asarray([number[s] for s in table["school_id"].to_pylist()], dtype=np.int64),
            schools,
        )


@dataclass(frozen=True)
class Moved:
    """Who moves: a truth per student."""

    enter: Bools
    leave: Bools
    up: Bools
    down: Bools

    @classmethod
    def between(cls, before: Side, after: Side) -> Moved:
        """Compare two sides of one cohort."""
        return cls(
            after.listed & ~before.listed,
            before.listed & ~after.listed,
            after.level > before.level,
            after.level < before.level,
        )

    @property
    def any(self) -> Bools:
        """Who moves at all."""
        return self.enter | self.leave | self.up | self.down

    def count(self, coming: Bools, going: Bools | None = None) -> Moves:
        """Count the moves up among `coming`, the moves down among `going` (default: the same)."""
        going = coming if going is None else going
        return Moves(
            int((self.enter & coming).sum()),
            int((self.leave & going).sum()),
            int((self.up & coming).sum()),
            int((self.down & going).sum()),
        )


def school_rows(
    cohort: Cohort,
    before: Side,
    after: Side,
    moved: Moved,
    changes: Mapping[int, ChildChange],
) -> Iterable[SchoolImpact]:
    """Yield every school in order of its id; `changes` are the moving children by row."""
    size = len(cohort.schools)

    def per_school(chosen: Bools) -> list[int]:
        return [int(n) for n in np.bincount(cohort.school[chosen], minlength=size)]

    counts = [_list_counts(cohort, side, per_school) for side in (before, after)]
    moves = [per_school(m) for m in (moved.enter, moved.leave, moved.up, moved.down)]
    same_place = before.listed & after.listed & (before.level == after.level)
    reordered = per_school(same_place & (before.rank != after.rank))
    children: dict[int, list[ChildChange]] = defaultdict(list)
    for row, change in changes.items():
        children[int(cohort.school[row])].append(change)
    for place, school in enumerate(cohort.schools):
        yield SchoolImpact(
            **school,
            before=counts[0][place],
            after=counts[1][place],
            moves=Moves(*(numbers[place] for numbers in moves)),
            reordered=reordered[place],
            children=tuple(sorted(children[place], key=lambda c: (c.after.rank, c.student_id))),
        )


def _list_counts(
    cohort: Cohort, side: Side, per_school: Callable[[Bools], list[int]]
) -> list[ListCounts]:
    tiers = [
        per_school(side.listed & (side.level == tier.level))
        for tier in (Tier.URGENT, Tier.HIGH, Tier.WATCH)
    ]
    cut = per_school(~side.listed & (side.level > 0))
    return [
        ListCounts(
            urgent=tiers[0][place],
            high=tiers[1][place],
            watch=tiers[2][place],
            cut=cut[place],
            over=max(0, sum(tier[place] for tier in tiers) - school["capacity"]),
        )
        for place, school in enumerate(cohort.schools)
    ]


def add_counts(counts: Iterable[ListCounts]) -> ListCounts:
    """Return the sums of several lists' numbers."""
    parts = list(counts)
    return ListCounts(
        *(sum(getattr(c, n) for c in parts) for n in ("urgent", "high", "watch", "cut", "over"))
    )


def group_rows(before: Side, after: Side, moved: Moved) -> Iterable[GroupImpact]:
    """Yield everybody, each group in catalogue order, and who is in no monitored group."""

    def one(name: str, label: Text, old: Bools, new: Bools) -> GroupImpact:
        return GroupImpact(
            name,
            label,
            int(old.sum()),
            int(new.sum()),
            int((before.listed & old).sum()),
            int((after.listed & new).sum()),
            moved.count(new, old),
        )

    everybody = np.ones(len(before.level), dtype=np.bool_)
    yield one(EVERYBODY, Text("全体在校生", "everybody enrolled"), everybody, everybody)
    for name in GROUP_NAMES:
        old, new = before.groups[name] == 1, after.groups[name] == 1
        yield one(name, after.rulebook.groups[name].label, old, new)
    none = []
    for side in (before, after):
        members = [side.groups[name] == 1 for name in MONITORED_GROUPS]
        none.append(~np.logical_or.reduce(members))
    label = Text("不属于五类监测群体（或未登记）", "in none of the five groups (or not on record)")
    yield one(NO_GROUP, label, none[0], none[1])


def rule_rows(
    before: Side,
    after: Side,
    old_book: RuleBook,
    new_book: RuleBook,
    changes: Iterable[ChildChange],
) -> Iterable[RuleImpact]:
    """Yield the rules that differ or do something else, those that move most children first."""
    differs = rule_differences(old_book, new_book)
    changes = list(changes)
    moves = _by_cause(changes)
    touches, pushes = _touched(changes), _pushed(changes)
    acting = {c.term for change in changes for c in change.causes if c.of_rule}
    # Of an id with several versions the one in force speaks, else the last.
    olds = {rule.id: rule for rule in old_book.rules} | before.rules
    news = {rule.id: rule for rule in new_book.rules} | after.rules
    known = olds | news
    found = []
    for rule_id in sorted({*differs, *acting, *pushes}):
        state, keys = differs.get(rule_id, ("same", {}))
        old, new = before.rules.get(rule_id), after.rules.get(rule_id)
        found.append(
            RuleImpact(
                id=rule_id,
                pack=known[rule_id].pack,
                title=known[rule_id].title,
                state=state,
                keys=keys,
                in_force_before=old is not None,
                in_force_after=new is not None,
                words_before=_words(olds.get(rule_id), old_book),
                words_after=_words(news.get(rule_id), new_book),
                weight_before=before.weights.get(rule_id, 0.0),
                weight_after=after.weights.get(rule_id, 0.0),
                from_author=rule_id in after.from_author,
                hits_before=int(before.hits[rule_id].sum()) if old else 0,
                hits_after=int(after.hits[rule_id].sum()) if new else 0,
                moves=moves.get(rule_id, Moves()),
                touches=touches[rule_id],
                pushes=pushes[rule_id],
            )
        )
    yield from sorted(
        found,
        key=lambda r: (
            -(r.moves.enter + r.moves.leave),
            -(r.moves.up + r.moves.down),
            -r.touches,
            -r.pushes,
            r.state == "same",
            r.id,
        ),
    )


def _words(rule: Rule | None, rulebook: RuleBook) -> Text | None:
    return in_words(rule.condition.root, rulebook.groups).both if rule else None


def other_rows(changes: Iterable[ChildChange]) -> Iterable[OtherEffect]:
    """Yield what moves children without being a rule: others of the school first."""
    changes = list(changes)
    moves, touches = _by_cause(changes), _touched(changes)
    terms = {c.term for change in changes for c in change.causes if not c.of_rule}
    for term in sorted(terms, key=lambda term: (term != CAPACITY, term)):
        yield OtherEffect(term, moves.get(term, Moves()), touches[term])


def _by_cause(changes: Iterable[ChildChange]) -> dict[str, Moves]:
    """Count moves by their main cause: each move once, so that the counts add up."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for change in changes:
        if change.list_move:
            counts[change.list_cause][change.list_move] += 1
        if change.tier_move:
            counts[change.tier_cause][change.tier_move] += 1
    return {term: Moves(**number) for term, number in counts.items()}


def _touched(changes: Iterable[ChildChange]) -> Counter[str]:
    return Counter(term for change in changes for term in {c.term for c in change.causes})


def _pushed(changes: Iterable[ChildChange]) -> Counter[str]:
    """Count, by rule, the children that others displace or make room for because of it."""
    return Counter(
        rule_id
        for change in changes
        for cause in change.causes
        for rule_id, _ in cause.through
        if cause.kind == "capacity"
    )
