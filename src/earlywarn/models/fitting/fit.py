"""Fitting one scorecard to panel rows: classifier, combination, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.catalogue import Feature
from earlywarn.models.fitting.additive import Additive
from earlywarn.models.fitting.calibration import Seen, from_origins
from earlywarn.models.fitting.candidates import Candidate, candidates_for, fit_candidate
from earlywarn.models.fitting.choose import Choice, Fold, choose, folds_of, inner_folds, thinned
from earlywarn.models.fitting.combine import (
    MIN_EVENTS_FOR_CALIBRATION,
    MIN_EVENTS_FOR_G,
    Calibration,
    fit_combination,
    solve_b0,
)
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats, in_force, sigmoid

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

FOLDS = 5
# Choosing and calibrating need no more rows than that: what is rare is the event.
MAX_ROWS_TO_CHOOSE_ON = 100_000


@dataclass(frozen=True)
class Setup:
    """What a fit needs to know beside the rows."""

    features: tuple[Feature, ...]
    rules: tuple[str, ...]  # ids, ascending
    points: Floats
    ladders: tuple[str | None, ...]
    prior_sd: float
    row_weight: float
    horizon_days: int
    seed: int
    jobs: int = 2

    @classmethod
    def of(
        cls,
        features: Sequence[Feature],
        rulebook: RuleBook,
        *,
        prior_sd: float,
        row_weight: float,
        horizon_days: int,
        seed: int,
    ) -> Setup:
        """Make a setup from a rule book."""
        rules = sorted(rulebook.in_force(None), key=lambda rule: rule.id)
        return cls(
            features=tuple(features),
            rules=tuple(rule.id for rule in rules),
            points=np.asarray([float(rule.points) for rule in rules]),
            ladders=tuple(rule.ladder for rule in rules),
            prior_sd=prior_sd,
            row_weight=row_weight,
            horizon_days=horizon_days,
            seed=seed,
        )


@dataclass(frozen=True)
class Fit:
    """A fitted scorecard as numbers; `log_odds` applies it to panel rows.

    `fitted` and `calibrated` count students with the event in the rows used for each; `chosen` is
    what metrics.json says of the choice of the classifier.
    """

    b0: float
    b1: float
    weights: Floats
    additive: Additive | None
    base_rate: float
    fitted: int
    calibrated: int = 0
    calibration: Calibration | None = None
    candidate: Candidate | None = None
    chosen: dict[str, Any] | None = None
    notes: tuple[Text, ...] = field(default=())

    def log_odds(self, rows: Rows, setup: Setup) -> Floats:
        """Return the log-odds of panel rows."""
        hits = in_force(rows.hits, self.weights, setup.rules, setup.ladders)
        result: Floats = self.b0 + hits @ self.weights
        return result if self.additive is None else result + self.b1 * self.additive.g(rows.x)


def fit(rows: Rows, setup: Setup, *, by_school: bool = False) -> Fit:
    """Fit a scorecard to training rows; everything is chosen inside them.

    The classifier is chosen on rolling origins (see `choose`); the same origins serve to calibrate:
    what is fitted before each origin predicts what comes after, and the affine map that makes those
    predictions right is applied to the scorecard fitted on all rows.

    Raises
    ------
    EarlywarnError
        If there are no rows, or none or all have the label.
    """
    if not len(rows) or not rows.y.any() or rows.y.all():
        raise EarlywarnError(
            zh=f"训练样本 {len(rows)} 行，其中有结果的 {int(rows.y.sum())} 行，无法训练。"
            "请导入更多结果；没有模型时使用专家评分卡。",
            en=f"Of {len(rows)} training rows {int(rows.y.sum())} have the outcome: there is "
            "nothing to learn from. Load more outcomes; without a model the experts' scorecard is "
            "used.",
        )
    few = thinned(rows, MAX_ROWS_TO_CHOOSE_ON, setup.seed)
    folds = inner_folds(few, setup.horizon_days, setup.seed, by_school=by_school)
    choice = _choose(few, folds, setup)
    fitted = fit_combined(rows, setup, choice.candidate if choice else None)
    fitted = replace(
        fitted,
        candidate=choice.candidate if choice else None,
        chosen=choice.record if choice else None,
        notes=_notes(rows, setup),
    )
    return _calibrated(fitted, rows, few, folds, setup)


def _choose(rows: Rows, folds: Sequence[Fold], setup: Setup) -> Choice | None:
    """Choose the classifier; None where too few students have the event for any."""
    if rows.events < MIN_EVENTS_FOR_G:
        return None
    candidates = candidates_for(rows.events)
    if not folds:
        return Choice(candidates[0], {"name": candidates[0].name, "origins": [], "candidates": []})
    return choose(
        rows,
        folds,
        candidates,
        setup.features,
        row_weight=setup.row_weight,
        seed=setup.seed,
        jobs=setup.jobs,
    )


def _calibrated(fitted: Fit, rows: Rows, few: Rows, folds: Sequence[Fold], setup: Setup) -> Fit:
    """Apply the affine map that makes right what earlier fits predict of later rows."""
    seen = []
    for fold in folds:
        train, later = few.take(fold.train), few.take(fold.test)
        candidate = fitted.candidate if train.events >= MIN_EVENTS_FOR_G else None
        earlier = fit_combined(train, setup, candidate)
        seen.append(
            Seen(train, later, earlier.log_odds(train, setup), earlier.log_odds(later, setup))
        )
    events = len({int(code) for one in seen for code in one.later.student[one.later.y]})
    if events < MIN_EVENTS_FOR_CALIBRATION:
        return fitted
    found = from_origins(
        seen,
        rows,
        fitted.log_odds(rows, setup),
        row_weight=setup.row_weight,
        same_time=not folds[0].origin,
    )
    return replace(
        fitted,
        b0=found.intercept + found.slope * fitted.b0,
        b1=found.slope * fitted.b1,
        weights=found.slope * fitted.weights,
        calibration=found,
        calibrated=events,
    )


def fit_combined(rows: Rows, setup: Setup, candidate: Candidate | None) -> Fit:
    """Fit classifier (unless None) and combination to all of the rows, without calibration."""
    hits = in_force(rows.hits, setup.points, setup.rules, setup.ladders)
    additive: Additive | None = None
    g: Floats | None = None
    if candidate is not None:
        every = range(len(setup.features))
        g = out_of_fold_g(rows, setup, candidate, every)
        additive = fit_g(rows, setup, candidate, every)
    found = fit_combination(
        g,
        hits,
        rows.y,
        rows.weight * setup.row_weight,
        setup.points,
        setup.ladders,
        prior_sd=setup.prior_sd,
    )
    return Fit(
        b0=found.b0,
        b1=found.b1,
        weights=found.weights,
        additive=additive,
        base_rate=rows.rate,
        fitted=rows.events,
    )


def _notes(rows: Rows, setup: Setup) -> tuple[Text, ...]:
    events = rows.events
    if events < MIN_EVENTS_FOR_G:
        return (
            Text(
                f"只有 {events} 名学生有结果（少于 {MIN_EVENTS_FOR_G} 名）："
                "未使用分类器，只调整规则的权重。",
                f"Only {events} students have the outcome (fewer than {MIN_EVENTS_FOR_G}): the "
                "classifier is left out, only the rules' weights are fitted.",
            ),
        )
    empty = [f.name for j, f in enumerate(setup.features) if np.isnan(rows.x[:, j]).all()]
    if not empty:
        return ()
    return (
        Text(
            f"没有任何数据、未进入分类器的特征：{'、'.join(empty)}。",
            f"Features without any data, left out of the classifier: {', '.join(empty)}.",
        ),
    )


def fit_g(rows: Rows, setup: Setup, candidate: Candidate, columns: Sequence[int]) -> Additive:
    """Train a classifier on some columns of the rows."""
    return fit_candidate(
        candidate,
        rows.x[:, list(columns)],
        rows.y,
        rows.weight * setup.row_weight,
        [setup.features[j] for j in columns],
        setup.seed,
    )


def out_of_fold_g(rows: Rows, setup: Setup, candidate: Candidate, columns: Sequence[int]) -> Floats:
    """Return each row's g from a classifier that never saw its student, centred per fold."""
    fold = folds_of(rows.student, rows.y, FOLDS, setup.seed)

    def one(number: int) -> tuple[NDArray[np.bool_], Floats]:
        held = fold == number
        additive = fit_g(rows.take(~held), setup, candidate, columns)
        return held, additive.g(rows.x[held][:, list(columns)])

    result: Floats = np.empty(len(rows))
    parts = Parallel(n_jobs=setup.jobs, prefer="threads")(delayed(one)(k) for k in range(FOLDS))
    for held, values in parts:
        result[held] = values
    return result


def rules_only(train: Rows, test: Rows, setup: Setup) -> Floats:
    """Return test rows' probabilities by the authors' points, with b0 from the training rows."""

    def offsets(rows: Rows) -> Floats:
        counted = in_force(rows.hits, setup.points, setup.rules, setup.ladders)
        return np.asarray(counted @ setup.points)

    return sigmoid(offsets(test) + solve_b0(offsets(train), train.rate, train.weight))
