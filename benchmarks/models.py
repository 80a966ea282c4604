"""The models on real data: OULAD over time, Project STAR by school. Part of `make proof`.

OULAD: everything is chosen and fitted on presentations 2013B and 2013J; 2014B is scored on days 28,
56, 84 and 140, withdrawal within 30 days. STAR: as of the end of grade 8, schools held out.
Differences are paired over the same bootstrap draws of students.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from figure import Figure, figure

from earlywarn.models.fitting.choose import folds_of
from earlywarn.models.fitting.fit import Setup, fit, fit_g
from earlywarn.models.measures.audit import Names, audit
from earlywarn.models.measures.metrics import difference, measure, plain
from earlywarn.models.panel import EPOCH, Panel, Rows
from earlywarn.models.scorecard import Floats, sigmoid
from earlywarn.models.training import training_panel
from earlywarn.models.validate import (
    COMBINED,
    SCHOOL_FOLDS,
    best_rule,
    calibration_slope,
    predictions,
    scored_by_school,
)
from earlywarn.rules.pack import load_rulebook
from earlywarn.tables.oulad import import_oulad
from earlywarn.tables.star import import_star
from earlywarn.workspace import Config, Workspace

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EARLYWARN_SHARED", ROOT.parent / "shared")) / "data"
OULAD_BEGINS = date(2014, 2, 1)
OULAD_DAYS = (28, 56, 84, 140)
SHOWN = ("auc", "ap", "recall_top_tenth", "observed_expected")
OTHERS = ("rules_only", "classifier_only", "best_rule")
# The catalogue's families of features that attendance and marks are.
ATTENDANCE, MARKS = ("absence", "lateness"), ("marks",)


def figures(folder: Path) -> list[Figure]:
    """Measure both data sets, as far as they are there."""
    found = []
    for name, measured in (("oulad", oulad), ("star", star)):
        if (DATA / name).is_dir():
            found += measured(folder / f"models-{name}")
        else:
            found.append(figure(f"models: {name}", "not measured: no data set", "", True))
    return found


def _panel(root: Path) -> tuple[Panel, Setup]:
    workspace = Workspace.open(root)
    drawn = training_panel(workspace, load_rulebook(workspace.rules))
    return drawn.panel, drawn.setup


def oulad(root: Path) -> list[Figure]:
    """OULAD: trained on 2013, measured on 2014B."""
    workspace = Workspace.init(root, Config())
    import_oulad(workspace, DATA / "oulad")
    panel, setup = _panel(root)
    days = [(OULAD_BEGINS + timedelta(days=day) - EPOCH).days for day in OULAD_DAYS]
    test = panel.test.take(np.isin(panel.test.as_of, days))
    kept = fit(panel.train, setup)
    scores = predictions(kept, panel.train, test, setup, best_rule(panel.train))
    measured = {name: measure(test, p, seed=setup.seed) for name, p in scores.items()}
    found = [_levels("oulad 2014B, days 28, 56, 84, 140", measured)]
    for name in ("auc", "recall_top_tenth"):
        others = [other for other in OTHERS if other in measured]
        best = max(others, key=lambda other: measured[other].value[name])
        low = difference(measured[COMBINED], measured[best], name)
        found.append(
            figure(
                f"oulad: {name} of combined minus the best of the others ({best})",
                [plain(v) for v in low],
                "lower end at least -0.01",
                low[1] >= -0.01,
            )
        )
        rules = difference(measured[COMBINED], measured["rules_only"], name)
        found.append(
            figure(
                f"oulad: {name} of combined minus rules only",
                [plain(v) for v in rules],
                "lower end above 0",
                rules[1] > 0,
            )
        )
    slope = calibration_slope(test, scores[COMBINED])
    expected = measured[COMBINED].value["observed_expected"]
    holds = slope[1] is not None and slope[2] is not None and slope[1] <= 1 <= slope[2]
    return [
        *found,
        figure("oulad: calibration slope", slope, "interval contains 1", holds),
        figure("oulad: observed / expected", plain(expected), "0.7 to 1.4", 0.7 <= expected <= 1.4),
    ]


def star(root: Path) -> list[Figure]:
    """STAR: schools held out, all with a known outcome and complete cases."""
    workspace = Workspace.init(root, Config())
    import_star(workspace, DATA / "star")
    panel, setup = _panel(root)
    rows = panel.train
    scores, _ = scored_by_school(rows, setup)
    measured = {name: measure(rows, p, seed=setup.seed) for name, p in scores.items()}
    auc, recall = (measured[COMBINED].value[name] for name in ("auc", "recall_top_tenth"))
    complete = _complete(panel)
    some = rows.take(complete)
    beside = {name: measure(some, p[complete], seed=setup.seed) for name, p in scores.items()}
    names = Names(panel.stages, panel.kinds, panel.groups)
    parts = audit(rows, names, scores[COMBINED], seed=setup.seed)
    return [
        _levels("star: all known outcomes, by school", measured),
        _levels(f"star: complete cases ({len(some)}, {some.events} dropouts)", beside),
        figure("star: AUC", plain(auc), "at least 0.81", auc >= 0.81),
        figure("star: recall in the top tenth", plain(recall), "at least 0.30", recall >= 0.30),
        figure(
            "star: by poverty and special education",
            [part for part in parts if part["name"] in ("poor_family", "disabled")],
            "",
            True,
        ),
        figure(
            "star: attendance and marks, each without and with the other",
            _parts(rows, setup),
            "",
            True,
        ),
    ]


def _complete(panel: Panel) -> Any:
    """Return which rows have marks of the last years and of the last exam, and counted absences."""
    names = [feature.name for feature in panel.features]
    wanted = ("exam_z", "exam_z_prev", "exam_pct_mean_3y", "totals_absence_change")
    return ~np.isnan(panel.train.x[:, [names.index(name) for name in wanted]]).any(axis=1)


def _parts(rows: Rows, setup: Setup) -> dict[str, list[float | None]]:
    """Return the AUC of classifiers that read attendance, marks or both, schools held out."""
    kept = fit(rows, setup, by_school=True)
    fold = folds_of(rows.school, rows.y, SCHOOL_FOLDS, setup.seed)
    found = {}
    for name, families in (
        ("attendance only", ATTENDANCE),
        ("marks only", MARKS),
        ("attendance and marks", ATTENDANCE + MARKS),
    ):
        columns = [j for j, f in enumerate(setup.features) if f.family in families]
        p: Floats = np.zeros(len(rows))
        for number in np.unique(fold):
            held = fold == number
            if kept.candidate is None:
                continue
            g = fit_g(rows.take(~held), setup, kept.candidate, columns)
            p[held] = sigmoid(g.decision(rows.x[held][:, columns]))
        found[name] = measure(rows, p, seed=setup.seed).as_json()["auc"]
    return found


def _levels(what: str, measured: dict[str, Any]) -> Figure:
    levels = {name: {m: found.as_json()[m] for m in SHOWN} for name, found in measured.items()}
    return figure(f"levels: {what}", levels, "", True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        results = figures(Path(scratch))
    print(json.dumps(results, indent=1, ensure_ascii=False))
    sys.exit(0 if all(one["holds"] for one in results) else 1)
