"""The daily round of the generated city beside a bare scan of attendance, in one run.

    python benchmarks/daily.py

The round: from a new connection to who is away, who came back, who has not reported and which rules
the children hit (`absences`, `hits`). The bare scan: bit_xor(hash(column)) over the columns of
attendance that the round reads (student_id, date, status), from the same files, by the same engine
with the same settings; also of the last 60 school days alone. Both are timed in turn. The whole
command, with its start, the ledger and the files, stands beside them in seconds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from figure import Figure, alone, figure
from generated_city import generated_city

from earlywarn.engine.duckdb import connect
from earlywarn.followup.daily import Absences, absences
from earlywarn.followup.daily.hits import hits
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.workspace import Workspace

REPEATS = 7
AT_MOST = 4.0
SCAN = """
SELECT bit_xor(hash(student_id)), bit_xor(hash(date)), bit_xor(hash(status)), count(*)
FROM attendance
"""


def seconds(call: Callable[[], Any]) -> float:
    """Time one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def make_round(workspace: Workspace, rulebook: RuleBook, as_of: date) -> Absences:
    """Look at the attendance and judge the rules, from a new connection on."""
    con = connect(workspace)
    try:
        found = absences(con, workspace.config, as_of)
        hits(found.facts, rulebook, as_of)
    finally:
        con.close()
    return found


def scan(workspace: Workspace, where: str = "") -> int:
    """Read the columns from a new connection on; return the number of rows."""
    con = connect(workspace)
    try:
        ((*_, rows),) = con.execute(SCAN + where).fetchall()
    finally:
        con.close()
    return int(rows)


def first_day(workspace: Workspace, as_of: date) -> date:
    """Return the first of the last 60 school days: where the round begins to read."""
    con = connect(workspace)
    try:
        absences(con, workspace.config, as_of)
        ((day,),) = con.execute("SELECT first_day FROM reach").fetchall()
    finally:
        con.close()
    found: date = day
    return found


def command(workspace: Workspace, as_of: date) -> float:
    """Time the whole command as its own process."""
    words = ["daily", "-w", str(workspace.root), "--as-of", as_of.isoformat(), "--json"]
    return seconds(
        lambda: subprocess.run(
            [sys.executable, "-m", "earlywarn.cli.main", *words], check=True, capture_output=True
        )
    )


def measure(folder: Path) -> tuple[dict[str, list[float]], dict[str, int], float]:
    """Return the laps by what was timed, what was counted, and the command's seconds."""
    workspace, as_of = generated_city(folder, trained=False)
    rulebook = load_rulebook(workspace.rules)
    begins = first_day(workspace, as_of)
    days = f"WHERE date BETWEEN DATE '{begins}' AND DATE '{as_of}'"
    found = make_round(workspace, rulebook, as_of)  # warm-up, as are the scans
    counts = {
        "children": sum(found.children.values()),
        "rows": scan(workspace),
        "rows of the last 60 school days": scan(workspace, days),
        "away": len(found.runs),
    }
    laps: dict[str, list[float]] = {"round": [], "scan": [], "scan of 60 days": []}
    for _ in range(REPEATS):
        laps["scan"].append(seconds(lambda: scan(workspace)))
        laps["round"].append(seconds(lambda: make_round(workspace, rulebook, as_of)))
        laps["scan of 60 days"].append(seconds(lambda: scan(workspace, days)))
    return laps, counts, command(workspace, as_of)


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    laps, counts, whole = measure(folder)
    middle = {name: statistics.median(times) for name, times in laps.items()}
    ratio = middle["round"] / middle["scan"]
    return [
        figure("daily: what was read and found", counts, "", True),
        figure("daily: seconds", {n: round(s, 3) for n, s in middle.items()}, "", True),
        figure(
            "daily: times the bare scan of the attendance columns that it reads",
            round(ratio, 2),
            f"under {AT_MOST:g}",
            ratio < AT_MOST,
        ),
        figure(
            "daily: times the bare scan of the last 60 school days alone",
            round(middle["round"] / middle["scan of 60 days"], 2),
            "",
            True,
        ),
        figure("daily: the whole command, seconds", round(whole, 1), "", True),
    ]


if __name__ == "__main__":
    sys.exit(alone(figures))
