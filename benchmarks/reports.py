"""The source report's own table from the command, and every number of a report counted once more.

    python benchmarks/reports.py

A generated city must show the source report's table in `report --period year`; of a second, smaller
one every number of all twelve months and of the year equals a recount by pandas from its CSV files
alone, and the months, with a correction made in the fifth for the third, add up to the year. Part
of `make proof`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from figure import Figure, alone, figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from earlywarn.report.period.figures import MEASURES, OFS, SUMS, Figures
from earlywarn.report.period.periods import months, parse_period
from earlywarn.workspace import Workspace
from report_recount import Source, recount

YEAR = "2025"
STUDENTS, SEED = 5000, 7
# Enrolled and dropped out, from the source report.
TABLE = {"total": (66_259, 22), "primary": (42_342, 0), "junior": (23_917, 22)}
RATES = {"total": "0.03%", "primary": "0%", "junior": "0.09%"}


def earlywarn(*words: str) -> Any:
    """Run a command as a process of its own; return what it printed with --json."""
    done = subprocess.run(
        [sys.executable, "-m", "earlywarn.cli.main", *words, "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(done.stdout)


def figures(folder: Path) -> list[Figure]:
    """Return the figures of this part."""
    return [*_own_table(folder), *_recounted(folder)]


def _own_table(folder: Path) -> list[Figure]:
    city = folder / "city"
    if not city.is_dir():
        earlywarn("simulate", str(city), "--students", "66259")
    begun = time.perf_counter()
    said = earlywarn("report", "--period", "year", "--of", YEAR, "-w", str(city))
    seconds = round(time.perf_counter() - begun, 1)
    shown = Figures.model_validate(said["figures"])
    counts = {"total": shown.total, **shown.stage}
    found = {name: (c.enrolled, c.dropped_out) for name, c in counts.items()}
    page = (Path(said["folder"]) / "report.html").read_text("utf-8")
    rates = all(f"<td>{rate}</td>" in page for rate in RATES.values())
    return [
        figure("reports: the source report's table", found, TABLE, found == TABLE and rates),
        figure("reports: a city's year, seconds", seconds, "", True),
    ]


def _recounted(folder: Path) -> list[Figure]:
    root = folder / "town"
    students, seed = str(STUDENTS), str(SEED)
    earlywarn("simulate", str(root), "--students", students, "--seed", seed, "--csv")
    workspace, source = Workspace.open(root), Source(root / "source")
    year = parse_period("year", YEAR, workspace.config)
    parts = months(year, workspace.config)
    told: Counter[tuple[str, str, str]] = Counter()
    numbers = wrong = 0
    for number, month in enumerate(parts, start=1):
        if number == 5:
            _correct(root, source)
        said = earlywarn("report", "--period", "month", "--of", month.of, "-w", str(root))
        if number < 5:  # the source files do not hold what is corrected
            seen, differing = _compared(said, source, month.start, month.end)
            numbers, wrong = numbers + seen, wrong + differing
        told.update(_sums(said["figures"]))
        for change in (c for one in said["corrections"] for c in one["changes"]):
            if change["measure"] in SUMS:
                told[change["of"], change["name"], change["measure"]] += (
                    change["now"] - change["before"]
                )
    said = earlywarn("report", "--period", "year", "--of", YEAR, "-w", str(root))
    adds_up = {key: n for key, n in told.items() if n} == _sums(said["figures"])
    undone = earlywarn("ingest", "--list", "-w", str(root))
    earlywarn("ingest", "--undo", str(undone[-1]["id"]), "-w", str(root))
    for period in (*parts[4:], year):
        said = earlywarn("report", "--period", period.kind, "--of", period.of, "-w", str(root))
        seen, differing = _compared(said, source, period.start, period.end)
        numbers, wrong = numbers + seen, wrong + differing
    return [
        figure(
            f"reports: numbers of a year and its months that differ from a recount, of {numbers}",
            wrong,
            0,
            wrong == 0 and numbers > 1000,
        ),
        figure(
            "reports: twelve months with a correction add up to the year", adds_up, True, adds_up
        ),
    ]


def _correct(root: Path, source: Source) -> None:
    """Enter a dropout and a suspicion of the third month, of children of whom nothing is known."""
    known = set(source.outcomes.student_id)
    one, other = [s for s in source.cohort(date(2025, 11, 1)).index if s not in known][:2]
    path = root / "late.csv"
    path.write_text(
        "student_id,date,event,cause\n"
        f"{one},2025-11-12,dropped_out,work\n{other},2025-11-13,suspected,\n",
        encoding="utf-8",
    )
    earlywarn("ingest", "outcomes", str(path), "-w", str(root))


def _sums(told: Any) -> Counter[tuple[str, str, str]]:
    shown = Figures.model_validate(told)
    return Counter(
        {
            (of, name, m): getattr(c, m)
            for of in OFS
            for name, c in shown.of(of).items()
            for m in SUMS
            if getattr(c, m)
        }
    )


def _compared(said: Any, source: Source, start: date, end: date) -> tuple[int, int]:
    """Return how many numbers were compared, and how many of them differ."""
    expected = recount(source, start, end, date.today())
    shown = Figures.model_validate(said["figures"])
    pairs = [
        (getattr(c, m), expected.figures.get((of, name), Counter())[m])
        for of in OFS
        for name, c in shown.of(of).items()
        for m in MEASURES
    ]
    missing = {place for place, c in expected.figures.items() if any(c.values())} - {
        (of, name) for of in OFS for name in shown.of(of)
    }
    for kind in ("suspected", "dropped_out"):
        causes = shown.causes[kind]
        pairs += [
            (causes.get(c, 0), expected.causes[kind][c]) for c in {*causes, *expected.causes[kind]}
        ]
    pairs += [
        (said["still_suspected"], expected.still["suspected"]),
        (said["still_out"], expected.still["dropped_out"]),
    ]
    for school, line in said["schools"].items():
        days = expected.days.get(school, (0, 0, 0))
        pairs += zip((line["days"], line["missing"], line["incomplete"]), days, strict=True)
        pairs += [(line[n], expected.needs[n, school]) for n in ("aid_gap", "file", "untaught")]
        pairs.append(("movers" in line["keys"], school in expected.movers))
    return len(pairs), sum(a != b for a, b in pairs) + len(missing)


if __name__ == "__main__":
    sys.exit(alone(figures))
