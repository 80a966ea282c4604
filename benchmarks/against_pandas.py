"""The weekly job beside the same job in pandas, with equal results, in one run.

    python benchmarks/against_pandas.py

Ours: `job` of weekly.py, to the table of scores.parquet; the other: `job` of pandas_peer.py, to
wide frames. First both are asserted to say the same of every child: features, verdicts (unknown
included), tiers, ranks and lists exactly, features that are no whole numbers, contributions,
log-odds and scores within 1e-9. Then they are timed in turn, from the files on. The peak memory of
each is that of a process of its own.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pandas_peer
import pyarrow as pa
import weekly
from figure import Figure, alone, figure
from generated_city import generated_city

from earlywarn.engine.duckdb import connect
from earlywarn.features.catalogue import CATALOGUE
from earlywarn.models.store import registry
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.frame import Prepared, prepare, score_frame
from earlywarn.workspace import Workspace

REPEATS = 5
AT_LEAST = 10.0
WITHIN = 1e-9
# Between this process and the one that is measured stands a small one: by Linux' account a process
# begins with the peak of the one that starts it.
PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
JOBS = {"ours": weekly.job, "pandas": pandas_peer.job}


def ours(workspace: Workspace, as_of: date) -> tuple[Prepared, pa.Table]:
    """Return facts and verdicts, and the table of scores.parquet."""
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    try:
        prepared = prepare(con, workspace, rulebook, as_of)
        scorecard = registry.promoted(workspace)
        if scorecard is None:
            raise AssertionError("the workspace has no promoted model")
        return prepared, score_frame(workspace, prepared, scorecard, as_of)
    finally:
        con.close()


def assert_equal(prepared: Prepared, table: pa.Table, theirs: pandas_peer.Scored) -> float:
    """Refuse results that differ; return the largest difference of a number."""
    facts = prepared.facts
    if table["student_id"].to_pylist() != list(theirs.scores.index):
        raise AssertionError("other children than ours")
    whole = {feature.name for feature in CATALOGUE if feature.sql_type == "BIGINT"}
    names = [name for name in facts.column_names if name not in ("student_id", "school_id")]
    if names != list(theirs.facts.columns):
        raise AssertionError("other features than ours")
    differences = [
        _difference(name, facts[name], theirs.facts[name], 0.0 if name in whole else WITHIN)
        for name in names
    ]
    verdicts = prepared.verdicts.drop_columns("student_id")
    if verdicts.column_names != list(theirs.verdicts.columns):
        raise AssertionError("other rules than ours")
    for name in verdicts.column_names:
        _difference(name, verdicts[name], theirs.verdicts[name], 0.0)
    terms = table["contributions"].combine_chunks().flatten()
    count = len(theirs.contributions.columns)
    if terms.field("term")[:count].to_pylist() != list(theirs.contributions.columns):
        raise AssertionError("other contributions than ours")
    values = terms.field("value").to_numpy().reshape(-1, count)
    apart = float(np.abs(values - theirs.contributions.to_numpy()).max())
    if apart > WITHIN:
        raise AssertionError(f"contributions differ by {apart}")
    for name, limit in {"score": WITHIN, "log_odds": WITHIN, "rank": 0.0}.items():
        differences.append(_difference(name, table[name], theirs.scores[name], limit))
    for name in ("school_id", "tier", "listed"):
        _difference(name, table[name], theirs.scores[name], 0.0)
    return max(apart, *differences)


def _difference(name: str, ours: pa.ChunkedArray, theirs: pd.Series, limit: float) -> float:
    """Return by how much two columns differ; text, booleans and NULLs must be the same."""
    missing = theirs.isna().to_numpy()
    if not np.array_equal(ours.is_null().to_numpy(), missing):
        raise AssertionError(f"{name}: NULL for other children than ours")
    if pa.types.is_string(ours.type) or pa.types.is_boolean(ours.type):
        if ours.drop_null().to_pylist() != theirs[~missing].tolist():
            raise AssertionError(f"{name}: other values than ours")
        return 0.0
    apart = np.abs(ours.drop_null().to_numpy() - theirs[~missing].to_numpy(float))
    if apart.max(initial=0.0) > limit:
        raise AssertionError(f"{name}: differs by {apart.max()} ({(apart > limit).sum()} children)")
    return float(apart.max(initial=0.0))


def peak_mb(name: str, workspace: Workspace, as_of: date) -> int:
    """Return the peak memory of one job in a process of its own, in MB."""
    alone = [sys.executable, __file__, name, str(workspace.root), as_of.isoformat()]
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *alone], capture_output=True, text=True, check=True
    )
    return int(done.stdout) >> (20 if sys.platform == "darwin" else 10)


@dataclass(frozen=True)
class Measured:
    """What both took, in seconds and MB, and what they agree in."""

    seconds: dict[str, float]
    peaks: dict[str, int]
    counts: dict[str, int]
    apart: float

    @property
    def ratio(self) -> float:
        """How many times as long as ours pandas takes."""
        return self.seconds["pandas"] / self.seconds["ours"]


def measure(workspace: Workspace, as_of: date) -> Measured:
    """Assert equal results, which is the warm-up too, and time both in turn."""
    peaks = {name: peak_mb(name, workspace, as_of) for name in JOBS}
    theirs = pandas_peer.job(workspace, as_of)
    apart = assert_equal(*ours(workspace, as_of), theirs)
    counts = {
        "children": len(theirs.scores),
        "facts": len(theirs.facts.columns),
        "rules": len(theirs.verdicts.columns),
        "contributions": theirs.contributions.size,
    }
    del theirs
    laps: dict[str, list[float]] = {name: [] for name in JOBS}
    for _ in range(REPEATS):
        for name, job in JOBS.items():
            laps[name].append(weekly.seconds(partial(job, workspace, as_of)))
    middle = {name: round(statistics.median(times), 3) for name, times in laps.items()}
    return Measured(middle, peaks, counts, apart)


def full_city(workspace: Workspace, root: Path) -> Workspace:
    """Return a copy of the city whose attendance counts as listed in full."""
    shutil.copytree(workspace.root, root, ignore=shutil.ignore_patterns("runs"))
    return Workspace.open(root).set_config(attendance="full")


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down.

    The bar is for the city as it is. Beside it the same city with attendance listed in full, where
    nobody can leave out the rows of those who were there.
    """
    workspace, as_of = generated_city(folder, trained=True)
    city = measure(workspace, as_of)
    full = measure(full_city(workspace, folder / "city-in-full"), as_of)
    apart = max(city.apart, full.apart)
    what = f"weekly and pandas, medians of {REPEATS}"
    return [
        figure("weekly and pandas: what is equal", city.counts, "", True),
        figure(
            "weekly and pandas: largest difference of a number", apart, f"within {WITHIN:g}", True
        ),
        figure(f"{what}: seconds", city.seconds, "", True),
        figure(f"{what}: seconds, attendance in full", full.seconds, "", True),
        figure("weekly and pandas: peak memory of a process, MB", city.peaks, "", True),
        figure(
            "weekly and pandas: peak memory of a process, MB, attendance in full",
            full.peaks,
            "",
            True,
        ),
        figure(
            "weekly: times faster than pandas with equal results, attendance in full",
            round(full.ratio, 2),
            "",
            True,
        ),
        figure(
            "weekly: times faster than pandas with equal results",
            round(city.ratio, 2),
            f"at least {AT_LEAST:g}",
            city.ratio >= AT_LEAST,
        ),
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, root, day = sys.argv[1:]
        JOBS[name](Workspace.open(Path(root)), date.fromisoformat(day))
    else:
        sys.exit(alone(figures))
