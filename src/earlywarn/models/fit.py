"""Fitting one scorecard to panel rows: classifier, combination, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.catalogue import Feature
from earlywarn.models.boost import Additive, BoostSettings, fit_additive
from earlywarn.models.combine import (
    MIN_EVENTS_FOR_CALIBRATION,
    MIN_EVENTS_FOR_G,
    Calibration,
    calibrate,
    fit_combination,
    solve_b0,
)
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats, in_force, sigmoid

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

FOLDS = 5
# Calibration gets the last dates of training that hold so many students with the event ...
CALIBRATION_SHARE = 0.1
CALIBRATION_ENOUGH = 200
# ... unless what is left to fit on would lose more than this of them.
FIT_SHARE = 0.6


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

    `fitted` and `calibrated` count students with the event in the rows used for each.
    """

    b0: float
    b1: float
    weights: Floats
    additive: Additive | None
    base_rate: float
    fitted: int
    calibrated: int = 0
    calibration: Calibration | None = None
    notes: tuple[Text, ...] = field(default=())

    def log_odds(self, rows: Rows, setup: Setup) -> Floats:
        """Return the log-odds of panel rows."""
        hits = in_force(rows.hits, self.weights, setup.rules, setup.ladders)
        result: Floats = self.b0 + hits @ self.weights
        return result if self.additive is None else result + self.b1 * self.additive.g(rows.x)


def folds_of(
    codes: NDArray[np.int32], y: NDArray[np.bool_], folds: int, seed: int
) -> NDArray[np.int64]:
    """Return a fold (0 .. folds-1) for each row, the same for all rows of a code.

    Codes with an event and those without are dealt out separately, so that every fold has its part.
    """
    unique, place = np.unique(codes, return_inverse=True)
    event = np.bincount(place, weights=y, minlength=len(unique)) > 0
    order = np.random.default_rng(seed).permutation(len(unique))
    fold: NDArray[np.int64] = np.empty(len(unique), dtype=np.int64)
    for group in (order[event[order]], order[~event[order]]):
        fold[group] = np.arange(len(group)) % folds
    result: NDArray[np.int64] = fold[place]
    return result


def fit(rows: Rows, setup: Setup) -> Fit:
    """Fit a scorecard to training rows.

    Where there are outcomes enough, the last dates are held back to calibrate on (and the dates
    whose windows reach into them left out); else everything is fitted on.

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
    early, late = calibration_split(rows, setup.horizon_days)
    fitted = _fit_combined(rows if late is None else early, setup)
    fitted = replace(fitted, base_rate=rows.rate)
    if late is None:
        return fitted
    weight = late.weight * setup.row_weight
    found = calibrate(fitted.log_odds(late, setup), late.y, weight)
    return replace(
        fitted,
        b0=found.intercept + found.slope * fitted.b0,
        b1=found.slope * fitted.b1,
        weights=found.slope * fitted.weights,
        calibration=found,
        calibrated=late.events,
    )


def calibration_split(rows: Rows, horizon_days: int) -> tuple[Rows, Rows | None]:
    """Part rows into those to fit on and the later ones to calibrate on (None: too few events)."""
    events = rows.events
    wanted = max(MIN_EVENTS_FOR_CALIBRATION, min(CALIBRATION_ENOUGH, CALIBRATION_SHARE * events))
    for first in np.unique(rows.as_of)[::-1]:
        late = rows.as_of >= first
        if len(np.unique(rows.student[late & rows.y])) < wanted:
            continue
        early = rows.as_of + horizon_days < first
        if len(np.unique(rows.student[early & rows.y])) < max(FIT_SHARE * events, MIN_EVENTS_FOR_G):
            break
        return rows.take(early), rows.take(late)
    return rows, None


def _fit_combined(rows: Rows, setup: Setup) -> Fit:
    weight = rows.weight * setup.row_weight
    events = rows.events
    hits = in_force(rows.hits, setup.points, setup.rules, setup.ladders)
    notes: list[Text] = []
    additive: Additive | None = None
    g: Floats | None = None
    if events < MIN_EVENTS_FOR_G:
        notes.append(
            Text(
                f"只有 {events} 名学生有结果（少于 {MIN_EVENTS_FOR_G} 名）："
                "未使用分类器，只调整规则的权重。",
                f"Only {events} students have the outcome (fewer than {MIN_EVENTS_FOR_G}): the "
                "classifier is left out, only the rules' weights are fitted.",
            )
        )
    else:
        empty = [f.name for j, f in enumerate(setup.features) if np.isnan(rows.x[:, j]).all()]
        if empty:
            notes.append(
                Text(
                    f"没有任何数据、未进入分类器的特征：{'、'.join(empty)}。",
                    f"Features without any data, left out of the classifier: {', '.join(empty)}.",
                )
            )
        every = range(len(setup.features))
        g = out_of_fold_g(rows, setup, every)
        additive = fit_g(rows, setup, every)
    found = fit_combination(
        g, hits, rows.y, weight, setup.points, setup.ladders, prior_sd=setup.prior_sd
    )
    return Fit(
        b0=found.b0,
        b1=found.b1,
        weights=found.weights,
        additive=additive,
        base_rate=rows.rate,
        fitted=events,
        notes=tuple(notes),
    )


def fit_g(rows: Rows, setup: Setup, columns: Sequence[int]) -> Additive:
    """Train the classifier on some columns of the rows."""
    additive, _ = fit_additive(
        rows.x[:, list(columns)],
        rows.y,
        rows.weight * setup.row_weight,
        [setup.features[j].name for j in columns],
        [setup.features[j].direction for j in columns],
        seed=setup.seed,
        settings=BoostSettings.for_events(rows.events),
    )
    return additive


def out_of_fold_g(rows: Rows, setup: Setup, columns: Sequence[int]) -> Floats:
    """Return each row's g from a classifier that never saw its student, centred per fold."""
    fold = folds_of(rows.student, rows.y, FOLDS, setup.seed)

    def one(number: int) -> tuple[NDArray[np.bool_], Floats]:
        held = fold == number
        additive = fit_g(rows.take(~held), setup, columns)
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
