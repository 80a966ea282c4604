"""Household and poverty lists with known truth held against the registry: who is found, and right.

    python benchmarks/reconciling.py

The lists of three generated cities of full size, none of which was used to choose a threshold, are
linked: precision and recall of the sure pairs against the truth. In a city of 20,000 the command's
workbook is read back, and each of the four lists compared with the truth: a child on a list that
should not be there, or is missing though nobody is asked about it, is wrong. Part of `make proof`.
"""

from __future__ import annotations

import csv
import sys
import time
from datetime import date
from pathlib import Path

from figure import Figure, alone, figure
from openpyxl import load_workbook
from reports import earlywarn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from earlywarn.engine.duckdb import connect
from earlywarn.reconcile.linking import link
from earlywarn.reconcile.listmapping import Kind, list_mapping
from earlywarn.reconcile.lists import read_list
from earlywarn.reconcile.registry import registry_of
from earlywarn.workspace import Workspace
from linking_lists import measure
from report_recount import Source

AS_OF = date(2025, 10, 31)
STUDENTS, SEEDS = 66_259, (21, 22, 23)
TOWN, TOWN_SEED = 20_000, 24
PRECISION, RECALL = 0.99, 0.95
THERE = {"present", "late", "left_early", "home_teaching"}
OUTSIDE = {"too_young", "too_old"}


def figures(folder: Path) -> list[Figure]:
    """Return the figures of this part."""
    found = [one for seed in SEEDS for one in _linked(folder / f"listed {seed}", seed)]
    return [*found, *_lists(folder / "listed town")]


def _city(root: Path, students: int, seed: int, *more: str) -> Workspace:
    words = ("--students", str(students), "--years", "2", "--seed", str(seed), "--households")
    earlywarn("simulate", str(root), *words, *more)
    return Workspace.open(root)


def _truth(root: Path, kind: str) -> dict[int, tuple[str | None, set[str]]]:
    """Return for each line of a list, from 0, its child and what is wrong in it."""
    with (root / "source" / f"{kind}_truth.csv").open(encoding="utf-8") as file:
        return {
            int(row["line"]): (row["student_id"] or None, set(row["noise"].split("+")))
            for row in csv.DictReader(file)
        }


def _linked(root: Path, seed: int) -> list[Figure]:
    workspace = _city(root, STUDENTS, seed)
    con = connect(workspace)
    registry = registry_of(con, workspace, AS_OF)
    con.close()
    found = []
    kinds: tuple[Kind, ...] = ("households", "poverty")
    for kind in kinds:
        path = root / "source" / f"{kind}.csv"
        lines = read_list(workspace, [path], list_mapping(workspace, "cn-households", kind)).lines
        begun = time.perf_counter()
        linked = link(lines, registry.enrolled)
        seconds = round(time.perf_counter() - begun, 1)
        told = _truth(root, kind)
        rows = zip(lines["line"].to_pylist(), lines["row"].to_pylist(), strict=True)
        truth = {line: told[row - 2][0] for line, row in rows}
        got = measure(linked, truth)
        children = linked.sure["student_id"].to_pylist()
        found += [
            figure(
                f"reconcile: {kind}, city of seed {seed}: precision and recall",
                [round(got.precision, 4), round(got.recall, 4)],
                [PRECISION, RECALL],
                got.precision >= PRECISION and got.recall >= RECALL,
            ),
            figure(
                f"reconcile: {kind}, city of seed {seed}: children in two pairs",
                len(children) - len(set(children)),
                0,
                len(children) == len(set(children)),
            ),
            figure(f"reconcile: {kind}, city of seed {seed}: seconds to link", seconds, "", True),
        ]
    return found


def _lists(root: Path) -> list[Figure]:
    _city(root, TOWN, TOWN_SEED, "--csv")
    source = root / "source"
    said = earlywarn(
        *("reconcile", "-w", str(root), "--as-of", AS_OF.isoformat(), "--lang", "en"),
        *("--households", str(source / "households.csv")),
        *("--poverty", str(source / "poverty.csv")),
    )
    folder = Path(said["folder"])
    asked: dict[str, set[int]] = {kind: _asked(folder, kind) for kind in ("households", "poverty")}
    book = load_workbook(folder / "reconcile.xlsx", read_only=True)
    shown = {
        "no_roll": _column(book["On no roll"], "File and row"),
        "no_household": _column(book["On no household list"], "Registry number"),
        "not_in_class": _column(book["Not in class"], "Registry number"),
        "poor_out": _column(book["Poor and out of school"], "File and row"),
    }
    expected, unsure = _expected(Source(source), root, asked)
    found = []
    for name, rows in shown.items():
        wrong = (rows - expected[name]) | (expected[name] - rows - unsure[name])
        share = len(wrong) / max(1, len(expected[name]))
        value = {"right": len(rows & expected[name]), "wrong": len(wrong)}
        value["asked"] = len((expected[name] - rows) & unsure[name])
        found.append(figure(f"reconcile: the list {name}", value, "wrong: 5 %", share <= 0.05))
    return found


def _column(sheet: object, heading: str) -> set[str]:
    """Return the cells below a heading: registry numbers, or row numbers of the list's file."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]  # type: ignore[attr-defined]
    top = next(n for n, row in enumerate(rows) if heading in row)
    at = rows[top].index(heading)
    return {str(row[at]).split()[-1] for row in rows[top + 1 :] if row[at]}


def _asked(folder: Path, kind: str) -> set[int]:
    """Return the rows of a list's file that wait for a person."""
    path = folder / "review.xlsx"
    if not path.exists():
        return set()
    cells = (
        str(cell)
        for sheet in load_workbook(path, read_only=True)
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    )
    return {int(cell.split()[-1]) for cell in cells if f"\n{kind}.csv " in cell}


def _expected(
    source: Source, root: Path, asked: dict[str, set[int]]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return what should stand on each list, and of that what may be missing: a person is asked."""
    cohort = source.cohort(AS_OF)
    enrolled, events = set(cohort.index), source.outcomes[source.outcomes.date <= str(AS_OF)]
    last = events.sort_values("date", kind="stable").groupby("student_id").event.last()
    out = {child for child, event in last.items() if event == "dropped_out"}
    households, poverty = _truth(root, "households"), _truth(root, "poverty")
    listed = {child for child, _ in households.values() if child}

    def without(lines: dict[int, tuple[str | None, set[str]]], *, out_too: bool) -> set[str]:
        return {
            str(line + 2)
            for line, (child, noise) in lines.items()
            if not noise & {*OUTSIDE, "listed_again"}
            and (child is None or (out_too and child in out))
        }

    expected = {
        "no_roll": without(households, out_too=True),
        "no_household": enrolled - listed,
        "not_in_class": _not_in_class(source, cohort),
        "poor_out": without(poverty, out_too=True),
    }
    people = {child for row in asked["households"] if (child := households[row - 2][0])}
    unsure = {
        "no_roll": {str(row) for row in asked["households"]},
        "no_household": people,
        "not_in_class": set[str](),
        "poor_out": {str(row) for row in asked["poverty"]},
    }
    return expected, unsure


def _not_in_class(source: Source, cohort: object) -> set[str]:
    """Return who is on leave, or was not there on any of the last 20 reported school days."""
    until = str(AS_OF)
    calendar = source.calendar[(source.calendar.school_id == "")]
    days = sorted(calendar[(calendar.is_school_day == "true") & (calendar.date <= until)].date)
    closed = source.calendar[source.calendar.school_id != ""]
    special = {(r.school_id, r.date): r.is_school_day == "true" for r in closed.itertuples()}
    handed_in = {(r.school_id, r.class_id, r.date) for r in source.reported.itertuples()}
    own_classes = {(r.school_id, r.class_id) for r in source.reported.itertuples() if r.class_id}
    status: dict[tuple[str, str], str] = {
        (r.student_id, r.date): r.status for r in source.attendance.itertuples()
    }
    extra: dict[str, set[str]] = {}
    for (school, day), is_day in special.items():
        if is_day and day <= until:
            extra.setdefault(school, set()).add(day)
    found = set()
    for child in cohort.itertuples():  # type: ignore[attr-defined]
        school = child.school_id
        mine = sorted({*days, *extra.get(school, ())})
        mine = [d for d in mine if special.get((school, d), True)]
        mine = [d for d in mine if not child.enrolled_on or d >= child.enrolled_on][-60:]
        own = child.class_id if (school, child.class_id) in own_classes else ""
        reported = [
            d
            for d in mine
            if (school, "", d) in handed_in or (own and (school, own, d) in handed_in)
        ][-20:]
        there = any(status.get((child.Index, d), "present") in THERE for d in reported)
        if child.on_leave or (reported and not there):
            found.add(child.Index)
    return found


if __name__ == "__main__":
    sys.exit(alone(figures))
