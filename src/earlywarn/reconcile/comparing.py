"""The four checks and the three comparisons (DOMAIN): lists with reasons, and counts per county."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from earlywarn.reconcile.registry import Registry, Row, age_on, school_ages
from earlywarn.workspace import Config

# The lists in the order in which they are shown.
LISTS = ("no_roll", "no_household", "not_in_class", "poor_out", "poor_unmarked", "age_unknown")
# Out, and nobody needs to look for the child.
_SETTLED = ("finished", "deceased")
_AWAY = ("not_in_class", "no_home_teaching", "on_leave")
Counts = dict[str, Counter[str]]  # by county


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a list: a line, a child, or both, and why it stands there.

    `kind` by list. no_roll and poor_out: not_found, or the child's standing. no_household:
    elsewhere or ghost. not_in_class: not_in_class, no_home_teaching, on_leave. poor_unmarked:
    unmarked, no_aid, both. age_unknown: of which list, households or poverty. `age` is that on the
    school year's first day.
    """

    kind: str
    line: Row | None = None
    child: Row | None = None
    age: int | None = None


@dataclass(frozen=True)
class Joined:
    """One list's lines with what is known of whom they are.

    `rows` in the list's order; `whose`: line -> student_id; `open`: the pairs (PAIRS as rows) that
    wait for a person; `repeated`: lines that say again what an earlier one said.
    """

    rows: list[Row]
    whose: Mapping[int, str]
    open: list[Row]
    repeated: frozenset[int]

    @property
    def undecided(self) -> set[int]:
        """The lines that may be a child's."""
        return {pair["line"] for pair in self.open}


NOTHING = Joined([], {}, [], frozenset())


@dataclass
class Comparison:
    """What came out: the lists, the counts per county of each comparison, and in all."""

    lists: dict[str, list[Found]] = field(default_factory=lambda: {name: [] for name in LISTS})
    household: Counts = field(default_factory=lambda: defaultdict(Counter))
    classes: Counts = field(default_factory=lambda: defaultdict(Counter))
    poverty: Counts = field(default_factory=lambda: defaultdict(Counter))

    def total(self, which: str) -> Counter[str]:
        """Return the counts of a comparison (household, classes, poverty) over all counties."""
        counts: Counts = getattr(self, which)
        return sum(counts.values(), Counter())


def compare(
    config: Config,
    as_of: date,
    registry: Registry,
    households: Joined,
    poverty: Joined | None,
) -> Comparison:
    """Hold the household list, the registry, the class and the poverty list against each other.

    Of the lines only those of school age (see `school_ages`) can be on no roll; others are counted
    and left aside, those without a birth date listed.
    """
    found = Comparison()
    ages = _Ages(config, as_of)
    _households(found, registry, households, ages)
    _registry(found, registry, households)
    _classes(found, registry)
    _poverty(found, registry, poverty, ages)
    for rows in found.lists.values():
        rows.sort(key=_order)
    return found


@dataclass(frozen=True)
class _Ages:
    config: Config
    as_of: date

    def of(self, born: date | None) -> int | None:
        return None if born is None else age_on(born, self.config.school_year_begins(self.as_of))

    def at_school(self, age: int) -> bool:
        low, high = school_ages(self.config)
        return low <= age <= high


def _households(found: Comparison, registry: Registry, lines: Joined, ages: _Ages) -> None:
    for line, child, what, age in _placed(registry, lines, ages):
        counts = found.household[_county(line, child)]
        counts[what] += 1
        if what in ("out", "no_roll"):
            found.lists["no_roll"].append(Found(_why(child), line, child, age))
        elif what == "age_unknown":
            found.lists["age_unknown"].append(Found("households", line))


def _placed(
    registry: Registry, joined: Joined, ages: _Ages
) -> Iterable[tuple[Row, Row | None, str, int | None]]:
    """Yield each line with its child and what it is.

    repeated, on_roll, out (of a child that is out), no_roll, undecided, settled (finished or
    deceased), outside (not of school age), age_unknown.
    """
    undecided = joined.undecided
    for line in joined.rows:
        child = registry.children.get(joined.whose.get(line["line"], ""))
        born = line["birth_date"] or (child["birth_date"] if child else None)
        age = ages.of(born)
        if line["line"] in joined.repeated:
            what = "repeated"
        elif child is not None and child["in_cohort"]:
            what = "on_roll"
        elif child is not None and child["standing"] in _SETTLED:
            what = "settled"
        elif age is not None and not ages.at_school(age):
            what = "outside"
        elif line["line"] in undecided:
            what = "undecided"
        elif age is None:
            what = "age_unknown"
        else:
            what = "no_roll" if child is None else "out"
        yield line, child, what, age


def _registry(found: Comparison, registry: Registry, lines: Joined) -> None:
    listed = set(lines.whose.values())
    undecided = {pair["student_id"] for pair in lines.open} - listed
    for child in registry.children.values():
        if not child["in_cohort"]:
            continue
        counts = found.household[_county(None, child)]
        counts["cohort"] += 1
        if child["student_id"] in listed:
            counts["on_list"] += 1
        elif child["student_id"] in undecided:
            counts["maybe_on_list"] += 1
        else:
            counts["no_household"] += 1
            is_there = child["in_class"] != "not_in_class"
            kind = "elsewhere" if is_there else "ghost"
            counts["ghost"] += kind == "ghost"
            found.lists["no_household"].append(Found(kind, child=child))


def _classes(found: Comparison, registry: Registry) -> None:
    for child in registry.children.values():
        if child["in_cohort"]:
            counts = found.classes[_county(None, child)]
            counts["cohort"] += 1
            counts[child["in_class"]] += 1
            if child["in_class"] in _AWAY:
                found.lists["not_in_class"].append(Found(child["in_class"], child=child))


def _poverty(found: Comparison, registry: Registry, lines: Joined | None, ages: _Ages) -> None:
    poor = set(lines.whose.values()) if lines else set()
    for one in registry.children.values():
        if one["standing"] == "dropped_out":
            counts = found.poverty[_county(None, one)]
            counts["dropouts"] += 1
            counts["dropouts_listed"] += one["student_id"] in poor
            counts["dropouts_marked"] += one["poverty"] not in (None, "none")
    for line, child, what, age in _placed(registry, lines or NOTHING, ages):
        counts = found.poverty[_county(line, child)]
        counts[what] += 1
        if what == "age_unknown":
            found.lists["age_unknown"].append(Found("poverty", line))
        # Who has dropped out has, however old by now.
        has_left = child is not None and child["standing"] == "dropped_out" and what != "repeated"
        if what in ("out", "no_roll") or has_left:
            counts["poor_out"] += 1
            found.lists["poor_out"].append(Found(_why(child), line, child, age))
        if what == "on_roll" and child is not None:
            missing = _missing(child)
            if missing:
                counts["poor_unmarked"] += 1
                found.lists["poor_unmarked"].append(Found(missing, line, child, age))


def _missing(child: Row) -> str:
    """Return what the registry does not say of a poor child: unmarked, no_aid, both, nothing."""
    is_marked, is_aided = child["poverty"] not in (None, "none"), bool(child["receives_aid"])
    if is_marked:
        return "" if is_aided else "no_aid"
    return "unmarked" if is_aided else "both"


def _why(child: Row | None) -> str:
    return "not_found" if child is None else str(child["standing"])


def _county(line: Row | None, child: Row | None) -> str:
    """Return the county that a row counts in: the line's, else that of the child's school."""
    said = line["county"] if line else None
    return str(said or (child["county"] if child else None) or "")


def _order(one: Found) -> tuple[Any, ...]:
    """Order by place and person, so that the order of the input shows nowhere."""
    line: Row = one.line or {}
    child: Row = one.child or {}
    place = [(line.get(key) or child.get(key) or "") for key in ("county", "township", "school_id")]
    who = [line.get("name") or child.get("name") or "", child.get("student_id") or ""]
    born = line.get("birth_date") or child.get("birth_date") or date.min
    more = [line.get(key) or "" for key in ("id_number", "guardian", "guardian_phone", "address")]
    return (*place, *who, born, *more, line.get("file") or "", line.get("row") or 0)
