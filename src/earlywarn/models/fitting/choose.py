"""Choosing among classifiers inside the training period, by what comes later in it.

Rolling origins: the training dates are cut where shares of the label's rows are reached; each part
is predicted by what was fitted on the dates whose windows ended before it. Where that cannot be
(one date, too few outcomes), schools are held out instead, or students of an only school.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from earlywarn.features.catalogue import Feature
from earlywarn.models.fitting.candidates import Candidate, blend, fit_candidate
from earlywarn.models.measures.metrics import DRAWS, by_capacity, plain, recall_at_capacity
from earlywarn.models.panel import EPOCH, Rows
from earlywarn.models.scorecard import Bools, Floats

# Where the training period is cut: when so much of the label's rows have been seen.
ORIGINS = (0.4, 0.6, 0.8)
MIN_EVENTS = 10  # students with the event, in what an origin is predicted from
GROUPED_FOLDS = 3


@dataclass(frozen=True)
class Fold:
    """Rows to fit on and rows, later or of other schools, to predict (masks over all rows)."""

    train: Bools
    test: Bools
    origin: str  # the first predicted as-of date; empty where schools are held out


@dataclass(frozen=True)
class Choice:
    """The chosen candidate, and what metrics.json says of the choice."""

    candidate: Candidate
    record: dict[str, Any]


def inner_folds(rows: Rows, horizon_days: int, seed: int, *, by_school: bool) -> list[Fold]:
    """Return the folds that choices inside the training period are made on."""
    folds = [] if by_school else _rolling(rows, horizon_days)
    return folds or _grouped(rows, seed)


def _rolling(rows: Rows, horizon_days: int) -> list[Fold]:
    days, place = np.unique(rows.as_of, return_inverse=True)
    reached = np.cumsum(np.bincount(place, weights=rows.weight * rows.y))
    if len(days) < 2 or reached[-1] <= 0:
        return []
    starts = np.unique(np.searchsorted(reached / reached[-1], ORIGINS, side="right"))
    starts = starts[(starts > 0) & (starts < len(days))]
    folds = []
    for number, start in enumerate(starts):
        last = starts[number + 1] if number + 1 < len(starts) else len(days)
        train = rows.as_of + horizon_days < days[start]
        test = (place >= start) & (place < last)
        seen = len(np.unique(rows.student[train & rows.y]))
        if seen >= MIN_EVENTS and rows.y[test].any() and not rows.y[test].all():
            day = EPOCH + timedelta(days=int(days[start]))
            folds.append(Fold(train, test, day.isoformat()))
    return folds


def _grouped(rows: Rows, seed: int) -> list[Fold]:
    codes = rows.school
    with_events = len(np.unique(codes[rows.y]))
    if with_events < 2:
        codes = rows.student
    fold = folds_of(codes, rows.y, min(GROUPED_FOLDS, len(np.unique(codes[rows.y]))), seed)
    found = []
    for number in np.unique(fold):
        test = fold == number
        if rows.y[~test].any() and not rows.y[~test].all() and rows.y[test].any():
            found.append(Fold(~test, test, ""))
    return found


def folds_of(codes: Any, y: Bools, folds: int, seed: int) -> Any:
    """Return a fold (0 .. folds-1) for each row, the same for all rows of a code.

    Codes with an event and those without are dealt out separately, so that every fold has its part.
    """
    unique, place = np.unique(codes, return_inverse=True)
    event = np.bincount(place, weights=y, minlength=len(unique)) > 0
    order = np.random.default_rng(seed).permutation(len(unique))
    fold = np.empty(len(unique), dtype=np.int64)
    for group in (order[event[order]], order[~event[order]]):
        fold[group] = np.arange(len(group)) % max(folds, 1)
    return fold[place]


def thinned(rows: Rows, limit: int, seed: int) -> Rows:
    """Return at most about `limit` rows: all of students with the event, others at random.

    Those kept of the others weigh more. Choices need no more rows; outcomes are what is rare.
    """
    if len(rows) <= limit:
        return rows
    event = np.isin(rows.student, rows.student[rows.y])
    others = np.unique(rows.student[~event])
    share = max(limit - int(event.sum()), limit // 2) / max(int((~event).sum()), 1)
    if share >= 1:
        return rows
    drawn = np.random.default_rng(seed).permutation(others)[: max(1, round(share * len(others)))]
    chosen = event | np.isin(rows.student, drawn)
    kept = rows.take(chosen)
    kept.weight[~event[chosen]] *= len(others) / len(drawn)
    return kept


def choose(
    rows: Rows,
    folds: Sequence[Fold],
    candidates: Sequence[Candidate],
    inputs: Sequence[Feature],
    *,
    row_weight: float,
    seed: int,
    jobs: int,
) -> Choice:
    """Choose the candidate that serves best on the folds' held rows.

    By recall at capacity, then average precision: of the candidates whose recall is within one
    standard error (bootstrap over students) of the best one's, the one with the highest average
    precision. Outcomes are so few that the very highest recall is often chance.
    """
    tasks = [(candidate, fold) for candidate in candidates for fold in folds]

    def one(candidate: Candidate, fold: Fold) -> Floats:
        train, test = rows.take(fold.train), rows.take(fold.test)
        weight = train.weight * row_weight
        found = fit_candidate(candidate, train.x, train.y, weight, inputs, seed)
        return found.decision(test.x)

    parts = Parallel(n_jobs=jobs, prefer="threads")(delayed(one)(*task) for task in tasks)
    held = np.zeros(len(rows), dtype=np.bool_)
    for fold in folds:
        held |= fold.test
    places = np.flatnonzero(held)
    found: dict[Candidate, Floats] = {}
    for (candidate, fold), values in zip(tasks, parts, strict=True):
        column = found.setdefault(candidate, np.zeros(len(rows)))
        column[fold.test] = values
    judged = rows.take(places)
    scores = {candidate: values[places] for candidate, values in found.items()}
    figures = {c: _figures(judged, odds, seed) for c, odds in scores.items()}
    families = {c.family for c in candidates}
    if families >= {"spline", "boost"}:
        best = {
            family: max((c for c in candidates if c.family == family), key=lambda c: figures[c][:2])
            for family in ("spline", "boost")
        }
        both = blend(best["spline"], best["boost"])
        mean = (scores[best["spline"]] + scores[best["boost"]]) / 2
        figures[both] = _figures(judged, mean, seed)
    chosen = _within_one_error(figures)
    return Choice(
        chosen,
        {
            "name": chosen.name,
            "origins": [fold.origin for fold in folds if fold.origin],
            "held_out": "later dates" if folds and folds[0].origin else "schools",
            "candidates": [
                candidate.as_json()
                | {"recall_at_capacity": plain(figure[0]), "ap": plain(figure[1])}
                for candidate, figure in figures.items()
            ],
        },
    )


def _figures(rows: Rows, odds: Floats, seed: int) -> tuple[float, float, Floats]:
    """Return a candidate's recall at capacity, average precision, and draws of the recall."""
    score = np.round(odds, 12)
    recall, precision = recall_at_capacity(rows, score)
    return recall, precision, _recall_draws(rows, score, seed)


def _recall_draws(rows: Rows, score: Floats, seed: int) -> Floats:
    """Return bootstrap draws, over students, of the recall at capacity."""
    listed = by_capacity(rows, score)[rows.y]
    codes, student = np.unique(rows.student[rows.y], return_inverse=True)
    weight = rows.weight[rows.y]
    found = np.bincount(student, weights=weight)
    reached = np.bincount(student, weights=weight * listed)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(codes), (DRAWS, len(codes)))
    return np.asarray(reached[drawn].sum(axis=1) / found[drawn].sum(axis=1))


def _within_one_error(figures: dict[Candidate, tuple[float, float, Floats]]) -> Candidate:
    best = max(figures, key=lambda c: figures[c][:2])
    close = []
    for candidate, (recall, _, draws) in figures.items():
        gap = figures[best][2] - draws
        error = float(np.nanstd(gap)) if np.isfinite(gap).any() else 0.0
        if figures[best][0] - recall <= error:
            close.append(candidate)
    return max(close, key=lambda c: figures[c][1])
