"""The weekly job of ten cities, and of a province: time and memory beside one city's.

    python benchmarks/scale.py                      the figures
    python benchmarks/scale.py WORKSPACE AS_OF      one job in this process: its seconds and memory

Each job (features, rules, score with every contribution, written as scores.parquet) is a process of
its own, so that its peak memory is its own. The ten cities are measured in both kinds of attendance
table; the province is 38 cities: 2.5 million students, more than 500 million attendance rows. Where
the disk has no room for the province, that is said and nothing is measured.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from figure import Figure, alone, figure, gigabytes
from generated_city import generated_city
from many import multiply, rows_of

from earlywarn.scoring.run import score
from earlywarn.workspace import Workspace

REPEATS = 5
TEN, PROVINCE = 10, 38
AT_MOST_TIMES = 11
TEN_GB, PROVINCE_GB = 6, 10
LIMITS = {TEN: "3GB", PROVINCE: "6GB"}
# What a city's tables, a run of it and what DuckDB puts aside take on disk, in GB.
ROOM_PER_CITY_GB = 0.25


@dataclass(frozen=True)
class Job:
    """What one job took."""

    seconds: float
    peak_gb: float
    students: int


def job(workspace: Path, as_of: date) -> Job:
    """Run one job in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(workspace), as_of.isoformat()],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return Job(**json.loads(done.stdout.splitlines()[-1]))


def jobs(workspace: Workspace, as_of: date, repeats: int) -> Job:
    """Return the middle one of several jobs by time, with the largest peak."""
    found = [job(workspace.root, as_of) for _ in range(repeats)]
    return Job(
        statistics.median(one.seconds for one in found),
        max(one.peak_gb for one in found),
        found[0].students,
    )


def this_process(root: Path, as_of: date) -> Job:
    """Score in this process; the run is removed again."""
    workspace = Workspace.open(root)
    begun = time.perf_counter()
    run = score(workspace, as_of)
    seconds = time.perf_counter() - begun
    students = run.info["counts"]["students"]
    shutil.rmtree(run.folder.path)
    peak = gigabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return Job(round(seconds, 3), round(peak, 3), students)


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    city, as_of = generated_city(folder, trained=True)
    found: list[Figure] = []
    for mode in ("exceptions", "full"):
        one = _measured(city, folder / f"one-{mode}", 1, mode, as_of, REPEATS)
        ten = _measured(city, folder / f"ten-{mode}", TEN, mode, as_of, REPEATS)
        times = ten.seconds / one.seconds
        found += [
            figure(
                f"scale: ten cities beside one, attendance {mode}: times the time",
                round(times, 2),
                f"at most {AT_MOST_TIMES}",
                times <= AT_MOST_TIMES,
            ),
            figure(
                f"scale: ten cities, attendance {mode}: peak memory, GB",
                ten.peak_gb,
                f"under {TEN_GB}",
                ten.peak_gb < TEN_GB,
            ),
            figure(
                f"scale: attendance {mode}: seconds",
                {"one city": one.seconds, "ten cities": ten.seconds},
                "",
                True,
            ),
        ]
        if mode == "exceptions":
            beside = one
    return found + _province(city, folder, as_of, beside)


def _measured(city: Workspace, root: Path, times: int, mode: str, as_of: date, repeats: int) -> Job:
    workspace = multiply(city, root, times, mode, LIMITS.get(times, ""))
    try:
        return jobs(workspace, as_of, repeats)
    finally:
        shutil.rmtree(root)


def _province(city: Workspace, folder: Path, as_of: date, one: Job) -> list[Figure]:
    needed, free = PROVINCE * ROOM_PER_CITY_GB, shutil.disk_usage(folder).free / 1e9
    print(f"     a province needs {needed:.1f} GB of disk; free: {free:.1f} GB", flush=True)
    if free < needed:
        return [
            figure("scale: province", f"not measured: {needed:.1f} GB of disk needed", "", True)
        ]
    root = folder / "province"
    workspace = multiply(city, root, PROVINCE, "exceptions", LIMITS[PROVINCE])
    try:
        rows = rows_of(workspace, "attendance")
        all_of_it = jobs(workspace, as_of, 1)
    finally:
        shutil.rmtree(root)
    # Half an hour has passed, and a machine that others share may be another by now.
    again = _measured(city, folder / "one-again", 1, "exceptions", as_of, REPEATS)
    city_seconds = (one.seconds + again.seconds) / 2
    each = all_of_it.seconds / all_of_it.students / (city_seconds / one.students)
    return [
        figure(
            "scale: province: students, attendance rows",
            [all_of_it.students, rows],
            "",
            True,
        ),
        figure(
            "scale: province: seconds (one run)",
            {
                "one city": one.seconds,
                "one city, after it": again.seconds,
                "province": all_of_it.seconds,
            },
            "",
            True,
        ),
        figure(
            "scale: province: time a student, times the city's",
            round(each, 2),
            "at most 1",
            each <= 1,
        ),
        figure(
            "scale: province: peak memory, GB",
            all_of_it.peak_gb,
            f"under {PROVINCE_GB}",
            all_of_it.peak_gb < PROVINCE_GB,
        ),
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(this_process(Path(sys.argv[1]), date.fromisoformat(sys.argv[2])).__dict__))
    else:
        sys.exit(alone(figures))
