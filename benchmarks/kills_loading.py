"""`kill -9` at random moments of a load and its undoing: the tables are those of before or after.

    python benchmarks/kills_loading.py

A quarter of attendance, some rows of it wrong, is loaded into a workspace that holds the rest, and
taken out again. After each kill every table is that of before or of after, row for row, never
between; running the command again then ends in the state of after. Part of `make proof`.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections import Counter
from pathlib import Path

from figure import Figure, alone, figure
from kills import Killed, earlywarn

from earlywarn.engine.duckdb import connect
from earlywarn.tables.batches import read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Workspace

KILLS = 30
IN_WRITING = 12  # of them
STUDENTS = 3000
SEED = 20260902
SINCE = "2026-04-01"

Tables = dict[str, tuple[int, int]]


def tables(root: Path) -> Tables:
    """Return each table's number of rows and a hash over all of them, in any order."""
    con = connect(Workspace.open(root))
    try:
        found: Tables = {}
        for name in TABLES:
            ((count, digest),) = con.execute(
                f"SELECT count(*), coalesce(bit_xor(hash(t)), 0) FROM {name} AS t"
            ).fetchall()
            found[name] = (count, digest)
        return found
    finally:
        con.close()


def data_touched(root: Path) -> object:
    """Return what changes as soon as a command writes below data/."""
    return sorted((str(path), path.stat().st_mtime_ns) for path in (root / "data").rglob("*"))


def kill_often(what: Killed, folder: Path) -> list[Figure]:
    """Kill it `KILLS` times, each time on a copy of its workspace; return the figures."""
    rng = random.Random(SEED)
    after_root = Path(shutil.copytree(what.base, folder / "undisturbed"))
    times = what.run(after_root)
    before, after = tables(what.base), tables(after_root)
    if before == after:
        raise AssertionError(f"{what.name} changes nothing")
    moments = [(n, KILLS - IN_WRITING, False) for n in range(KILLS - IN_WRITING)]
    moments += [(n, IN_WRITING, True) for n in range(IN_WRITING)]
    came: Counter[str] = Counter()
    right = 0
    for number, strata, in_writing in moments:
        root, hit = folder / "killed", False
        while not hit:  # one that had ended was not killed
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(what.base, root)
            moment = times[in_writing] * (number + rng.random()) / strata
            hit = what.kill(root, moment, in_writing=in_writing)
        now = tables(root)
        came["before" if now == before else "after" if now == after else "between"] += 1
        is_right = now in (before, after)
        if now != after:
            what.run(root)
        right += is_right and tables(root) == after
        shutil.rmtree(root)
    return [
        figure(
            f"kills: {what.name}, {KILLS} in its {times[0]:.1f} seconds: the tables of",
            dict(sorted(came.items())),
            "",
            True,
        ),
        figure(
            f"kills: {what.name}: the tables are those of before or after, and a rerun ends",
            right,
            f"{KILLS} of {KILLS}",
            right == KILLS,
        ),
    ]


def figures(folder: Path) -> list[Figure]:
    """Kill a load, and the undoing of a load."""
    scratch = folder / "kills of loading"
    whole, base, loaded = scratch / "whole", scratch / "base", scratch / "loaded"
    earlywarn("simulate", str(whole), "--students", str(STUDENTS), "--years", "2")
    file = scratch / "attendance.csv"
    con = connect(Workspace.open(whole))
    try:
        con.execute(
            "COPY (SELECT student_id, date, CASE "
            "WHEN row_number() OVER (ORDER BY student_id, date) % 1000 = 0 THEN '?' "
            "WHEN status = 'present' THEN 'late' ELSE status END AS status "
            f"FROM attendance WHERE date >= DATE '{SINCE}') TO '{file}' (HEADER)"
        ).fetchall()
    finally:
        con.close()
    shutil.copytree(whole, base)
    shutil.copytree(base, loaded)
    load = ["ingest", "attendance", str(file)]
    earlywarn(*load, "-w", str(loaded), codes=(3,))
    number = str(read_batches(Workspace.open(loaded)).batches[-1].id)
    found = []
    for what in (
        Killed("ingest", base, load, (3,), data_touched),
        Killed("ingest --undo", loaded, ["ingest", "--undo", number], (0,), data_touched),
    ):
        place = scratch / what.name
        place.mkdir()
        found += kill_often(what, place)
    return found


if __name__ == "__main__":
    sys.exit(alone(figures))
