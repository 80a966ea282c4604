"""Validation: the combined score beside what it has to beat, on rows that it never saw.

Everything is chosen and fitted on the training rows; the test rows are scored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.special import expit

from earlywarn.errors import EarlywarnError, Text
from earlywarn.models.fitting.challenger import challenge
from earlywarn.models.fitting.choose import folds_of
from earlywarn.models.fitting.combine import calibrate
from earlywarn.models.fitting.evidence import evidence
from earlywarn.models.fitting.fit import Fit, Setup, fit, fit_g, rules_only
from earlywarn.models.measures.audit import Names, audit, without_followed
from earlywarn.models.measures.curves import curves
from earlywarn.models.measures.metrics import (
    DRAWS,
    MEASURES,
    Measured,
    difference,
    measure,
    plain,
    recall_at_capacity,
)
from earlywarn.models.panel import EPOCH, Panel, Rows
from earlywarn.models.scorecard import Bools, Floats, sigmoid

COMBINED = "combined"
BASELINES = ("rules_only", "classifier_only", "best_rule", "school_only", "prevalence")
CHALLENGER = "challenger"
SCHOOL_FOLDS = 10  # the fit that is kept is of all schools: hold few out at a time
DRAWS_BY_DATE = 200  # there are many dates, and nothing is decided by one
# What the verdict is about: whom do we reach with the visits we can make.
DECIDES = "recall_at_capacity"

MODEL_LABELS: dict[str, Text] = {
    COMBINED: Text("本模型（规则+分类器）", "this model (rules and classifier)"),
    "rules_only": Text("只用规则（专家分值）", "rules only (experts' points)"),
    "classifier_only": Text("只用分类器", "classifier only"),
    "best_rule": Text("最好的单条规则", "best single rule"),
    "school_only": Text("只用学校环境", "school environment only"),
    "prevalence": Text("平均发生率", "prevalence"),
    CHALLENGER: Text("对照模型（永不启用）", "challenger (never promoted)"),
}
MEASURE_LABELS: dict[str, Text] = {
    "auc": Text("ROC-AUC", "ROC-AUC"),
    "ap": Text("平均精确率", "average precision"),
    "recall_at_capacity": Text("名额内召回率", "recall at capacity"),
    "precision_at_capacity": Text("名额内精确率", "precision at capacity"),
    "recall_top_tenth": Text("前10%召回率", "recall in the top tenth"),
    "precision_top_tenth": Text("前10%精确率", "precision in the top tenth"),
    "brier": Text("Brier 分数", "Brier score"),
    "observed_expected": Text("实际/预期", "observed / expected"),
}


@dataclass(frozen=True)
class Validation:
    """The fit to keep, and metrics.json."""

    fit: Fit
    metrics: dict[str, Any]


def validate(
    panel: Panel,
    setup: Setup,
    *,
    by_school: bool,
    progress: Callable[[str], None] = lambda stage: None,
) -> Validation:
    """Fit on the panel's training rows and measure on its test rows.

    With `by_school` the panel's training rows are both: each school's rows are scored by a model
    fitted without that school, and the fit that is kept is of all rows. Everything is chosen anew
    without the schools that are held out.
    """
    progress("fit")
    kept = fit(panel.train, setup, by_school=by_school)
    if by_school:
        test = panel.train
        progress("schools held out")
        scores, best = scored_by_school(panel.train, setup)
    else:
        test = panel.test
        best = best_rule(panel.train)
        scores = predictions(kept, panel.train, panel.test, setup, best)
    progress("measure")
    measured = _measure_all(test, scores, setup)
    names = Names(panel.stages, panel.kinds, panel.groups)
    metrics: dict[str, Any] = {
        "format": 1,
        "validation": "by_school" if by_school else "temporal",
        "train": _period(panel.train, setup),
        "test": _period(test, setup),
        "test_hash": _hash(panel, test),
        "left_out_lost_from_sight": panel.left_out,
        "events_fitted_on": kept.fitted,
        "events_calibrated_on": kept.calibrated,
        "chosen": kept.chosen,
        "calibration": _calibration(kept),
        "best_rule": setup.rules[best] if best is not None else None,
        "models": {name: found.as_json() for name, found in measured.items()},
        "differences": _differences(measured),
        "calibration_slope": calibration_slope(test, scores[COMBINED]),
        "verdict": _verdict(measured),
        "by_date": _by_date(test, scores, setup),
        "curves": curves(test, scores, seed=setup.seed),
        "audit": audit(test, names, scores[COMBINED], seed=setup.seed),
        "followed": without_followed(test, scores, seed=setup.seed),
        "rules": evidence(panel.train, kept, setup),
        "notes": [note._asdict() for note in kept.notes],
    }
    return Validation(kept, metrics)


def predictions(
    kept: Fit, train: Rows, test: Rows, setup: Setup, best: int | None
) -> dict[str, Floats]:
    """Return the test rows' probabilities by the combined score, each baseline, the challenger."""
    scores = {
        COMBINED: sigmoid(kept.log_odds(test, setup)),
        "rules_only": rules_only(train, test, setup),
    }
    if kept.additive is not None:
        scores["classifier_only"] = sigmoid(kept.additive.decision(test.x))
    if best is not None:
        scores["best_rule"] = _single_rule(train, test, best)
    school = [j for j, f in enumerate(setup.features) if f.family == "school"]
    if school and kept.candidate is not None:
        additive = fit_g(train, setup, kept.candidate, school)
        scores["school_only"] = sigmoid(additive.decision(test.x[:, school]))
    scores["prevalence"] = np.full(len(test), train.rate)
    if kept.candidate is not None:
        scores[CHALLENGER] = challenge(train, test, row_weight=setup.row_weight, seed=setup.seed)
    return scores


def _hash(panel: Panel, test: Rows) -> str:
    """Return what tells one set of test rows from another: whom, when and what happened."""
    order = np.lexsort((test.as_of, test.student))
    digest = hashlib.sha256()
    for place in order:
        name = panel.students[test.student[place]]
        digest.update(f"{name}|{test.as_of[place]}|{int(test.y[place])}\n".encode())
    return digest.hexdigest()


def _calibration(kept: Fit) -> dict[str, float | None] | None:
    found = kept.calibration
    if found is None:
        return None
    return {"intercept": plain(found.intercept), "slope": plain(found.slope)}


def best_rule(train: Rows) -> int | None:
    """Return the place of the rule that alone serves best on the training rows.

    By recall at capacity (ties by expectation), then average precision, then rule id.
    """
    count = train.hits.shape[1]
    if not count:
        return None
    ranked = [recall_at_capacity(train, train.hits[:, r].astype(np.float64)) for r in range(count)]
    return max(range(count), key=lambda r: (*ranked[r], -r))


def _single_rule(train: Rows, test: Rows, place: int) -> Floats:
    rates = []
    for hit in (False, True):
        chosen = train.hits[:, place] == hit
        rates.append(train.take(chosen).rate if chosen.any() else train.rate)
    result: Floats = np.where(test.hits[:, place], rates[1], rates[0])
    return result


def scored_by_school(rows: Rows, setup: Setup) -> tuple[dict[str, Floats], int | None]:
    """Return each row's probabilities by fits that saw nothing of its school; and the best rule.

    Folds of schools; where fewer than two schools have the event, of students.
    """
    with_events = len(np.unique(rows.school[rows.y]))
    codes = rows.school if with_events > 1 else rows.student
    fold = folds_of(codes, rows.y, min(SCHOOL_FOLDS, len(np.unique(codes))), setup.seed)
    scores: dict[str, Floats] = {}
    for number in np.unique(fold):
        held: Bools = fold == number
        train, test = rows.take(~held), rows.take(held)
        fitted = fit(train, setup, by_school=True)
        found = predictions(fitted, train, test, setup, best_rule(train))
        for name, values in found.items():
            scores.setdefault(name, np.full(len(rows), rows.rate))[held] = values
    return scores, best_rule(rows)


def _period(rows: Rows, setup: Setup) -> dict[str, Any]:
    if not len(rows):
        return {"rows": 0, "students": 0, "events": 0, "dates": 0}
    first, last = int(rows.as_of.min()), int(rows.as_of.max())
    return {
        "rows": len(rows),
        "rows_stood_for": round(float(rows.weight.sum())),
        "students": len(np.unique(rows.student)),
        "schools": len(np.unique(rows.school)),
        "events": rows.events,
        "rate": plain(rows.rate),
        "dates": len(np.unique(rows.as_of)),
        "first_as_of": (EPOCH + timedelta(days=first)).isoformat(),
        "last_as_of": (EPOCH + timedelta(days=last)).isoformat(),
        "last_window_end": (EPOCH + timedelta(days=last + setup.horizon_days)).isoformat(),
    }


def _differences(measured: dict[str, Measured]) -> dict[str, dict[str, list[float | None]]]:
    one = measured[COMBINED]
    return {
        name: {m: [plain(v) for v in difference(one, other, m)] for m in MEASURES}
        for name, other in measured.items()
        if name != COMBINED
    }


def _verdict(measured: dict[str, Measured]) -> dict[str, Any]:
    """Say whether the model is shown to be better than the rules alone."""
    found = difference(measured[COMBINED], measured["rules_only"], DECIDES)
    low = found[1]
    auc = difference(measured[COMBINED], measured["rules_only"], "auc")
    return {
        "measure": DECIDES,
        "difference": [plain(v) for v in found],
        "auc_difference": [plain(v) for v in auc],
        "better": bool(np.isfinite(low) and low > 0),
    }


def _measure_all(
    rows: Rows, scores: dict[str, Floats], setup: Setup, draws: int = DRAWS
) -> dict[str, Measured]:
    found = Parallel(n_jobs=setup.jobs, prefer="threads")(
        delayed(measure)(rows, p, seed=setup.seed, draws=draws) for p in scores.values()
    )
    return dict(zip(scores, found, strict=True))


def _by_date(test: Rows, scores: dict[str, Floats], setup: Setup) -> list[dict[str, Any]]:
    found = []
    for day in np.unique(test.as_of):
        chosen = test.as_of == day
        rows = test.take(chosen)
        measured = _measure_all(
            rows, {n: p[chosen] for n, p in scores.items()}, setup, DRAWS_BY_DATE
        )
        found.append(
            {
                "as_of": (EPOCH + timedelta(days=int(day))).isoformat(),
                "rows": round(float(rows.weight.sum())),
                "events": round(float(rows.weight[rows.y].sum())),
                "models": {name: m.as_json() for name, m in measured.items()},
            }
        )
    return found


def calibration_slope(rows: Rows, probability: Floats) -> list[float | None]:
    """Return the slope of the label on the log-odds (1 = calibrated) with its 95 % interval.

    Logistic regression; its standard error is robust to students' repeated rows.
    """
    p = np.clip(probability, 1e-12, 1 - 1e-12)
    x = np.log(p / (1 - p))
    if not rows.y.any() or rows.y.all() or float(np.ptp(x)) == 0:
        return [None, None, None]
    found = calibrate(x, rows.y, rows.weight, prior_sd=1e3, least=None)
    z = np.asarray([found.intercept, found.slope])
    design = np.column_stack([np.ones(len(x)), x])
    share = expit(design @ z)
    bread = design.T @ (design * (rows.weight * share * (1 - share))[:, None])
    residual = (rows.weight * (rows.y - share))[:, None] * design
    _, student = np.unique(rows.student, return_inverse=True)
    summed = np.column_stack([np.bincount(student, weights=residual[:, j]) for j in (0, 1)])
    inverse = np.linalg.pinv(bread)
    error = float(np.sqrt((inverse @ (summed.T @ summed) @ inverse)[1, 1]))
    return [plain(v) for v in (z[1], z[1] - 1.96 * error, z[1] + 1.96 * error)]


def check_rows(panel: Panel, *, by_school: bool) -> None:
    """Refuse a panel without training rows, or without the test rows it needs, saying why.

    Raises
    ------
    EarlywarnError
        If there is nothing to train on, or (unless schools are held out) nothing to test on.
    """
    if len(panel.train) and (by_school or len(panel.test)):
        return
    if len(panel.train):
        raise EarlywarnError(
            zh="没有测试样本：测试期的截止日期没有在校学生。请检查 as_of_dates 和学籍快照，"
            "或导入更新的学籍。",
            en="There are no test rows: nobody is enrolled on the as-of dates of the test. Check "
            "as_of_dates and the registry's snapshots, or load newer ones.",
        )
    raise EarlywarnError(
        zh="没有训练样本：没有一行的结果窗口在测试期之前结束。请导入更早的数据，"
        "或减小 horizon_days，或修改 test_where。",
        en="There are no training rows: no row's window ends before the test begins. Load earlier "
        "data, lower horizon_days or change test_where.",
    )
