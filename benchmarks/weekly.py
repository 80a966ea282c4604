"""Features, rules and score of a city with every contribution, beside a bare scan and predict.

    python benchmarks/weekly.py

The job: from a new connection to the table of scores.parquet. The bare scan: bit_xor(hash(column))
over every column that the job reads, from the same files, by the same engine and settings.
The bare predict: predict_proba of an unrestricted forest of 200 trees with 15 leaves over 40
features for the cohort. All three are timed in turn.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from figure import Figure, alone, figure
from generated_city import generated_city
from scanning import scan
from sklearn.ensemble import HistGradientBoostingClassifier

from earlywarn.engine.duckdb import connect
from earlywarn.models.store import registry
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.frame import prepare, score_frame
from earlywarn.workspace import Workspace

REPEATS = 9
AT_MOST = 3.0
TREES, LEAVES, FEATURES = 200, 15, 40


def seconds(call: Callable[[], Any]) -> float:
    """Time one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def job(workspace: Workspace, as_of: date) -> int:
    """Compute the table of scores.parquet, from a new connection on; return its rows."""
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    try:
        prepared = prepare(con, workspace, rulebook, as_of)
        card = registry.choose(workspace, None)
        if card is None:
            card = registry.experts(workspace, rulebook, prepared.verdicts)
        return int(score_frame(workspace, prepared, card, as_of).num_rows)
    finally:
        con.close()


def forest(rows: int) -> tuple[HistGradientBoostingClassifier, np.ndarray[Any, Any]]:
    """Return a fitted forest and a cohort of random features for it."""
    rng = np.random.default_rng(0)
    cohort = rng.random((rows, FEATURES))
    label = rng.random(rows) < cohort[:, :8].mean(axis=1) ** 4
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, early_stopping=False, random_state=0
    )
    return model.fit(cohort[:20_000], label[:20_000]), cohort


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    workspace, as_of = generated_city(folder, trained=True)
    children, rows = job(workspace, as_of), scan(workspace)  # also the warm-up
    model, cohort = forest(children)
    laps: dict[str, list[float]] = {"job": [], "scan": [], "predict": []}
    for _ in range(REPEATS):
        laps["scan"].append(seconds(lambda: scan(workspace)))
        laps["predict"].append(seconds(lambda: model.predict_proba(cohort)))
        laps["job"].append(seconds(lambda: job(workspace, as_of)))
    middle = {name: statistics.median(times) for name, times in laps.items()}
    ratio = middle["job"] / (middle["scan"] + middle["predict"])
    return [
        figure("weekly: children scored, rows read", [children, rows], "", True),
        figure("weekly: seconds", {n: round(s, 3) for n, s in middle.items()}, "", True),
        figure(
            "weekly: features, rules and score with contributions, times (scan + predict)",
            round(ratio, 2),
            f"at most {AT_MOST:g}",
            ratio <= AT_MOST,
        ),
    ]


if __name__ == "__main__":
    sys.exit(alone(figures))
