"""reference.json: what the training panel looked like, to tell later whether children have changed.

Shares of rows, never rows: nobody can be found in it. A value falls into the first bin whose edge
it does not pass: bin i holds edges[i-1] < x <= edges[i], the last bin what is above all edges.
Shares are of all rows, weighted; those of a feature and its `missing` add up to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from earlywarn.features.catalogue import Feature
from earlywarn.models.fitting.additive import inner_quantiles
from earlywarn.models.measures.psi import psi
from earlywarn.models.scorecard import MAX_TERMS, Bools, Floats
from earlywarn.models.store.folder import REFERENCE_FILE, damaged, read_json, why

if TYPE_CHECKING:
    from earlywarn.models.panel import Rows

BINS = 10
MAX_OWN_BINS = 20  # so many distinct values have a bin each
MAX_DATES = 20_000
_HALF_STEP = 5e-10  # features are rounded to 9 decimals
_TOLERANCE = 1e-6

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]


Dates = Sequence[NDArray[np.intp]]  # the places of each date's rows


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Spread(_Strict):
    """How the values of one feature, or the scores, were spread over bins.

    `usual` is the largest PSI of one date against all of them: what seasons do.
    """

    edges: list[float] = Field(max_length=MAX_OWN_BINS + 1)
    shares: list[Share] = Field(min_length=1, max_length=MAX_OWN_BINS + 2)
    missing: Share = 0.0
    usual: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _shape(self) -> Spread:
        if len(self.shares) != len(self.edges) + 1:
            raise ValueError("there must be one share more than edges")
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges must ascend")
        if abs(sum(self.shares) + self.missing - 1) > _TOLERANCE * len(self.shares):
            raise ValueError("shares must add up to 1")
        return self


class Reference(_Strict):
    """reference.json; `rules` are hit shares before ladders, `dates` the panel's as-of dates.

    `rules_usual` is of the rules' hits what `Spread.usual` is of a feature.
    """

    format: Literal[1] = 1
    features: dict[Name, Spread] = Field(max_length=MAX_TERMS)
    rules: dict[Name, Share] = Field(max_length=MAX_TERMS)
    rules_usual: dict[Name, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, max_length=MAX_TERMS
    )
    score: Spread
    rows: int = Field(ge=1)
    dates: list[Day] = Field(min_length=1, max_length=MAX_DATES)
    mean_score: float = Field(ge=0, le=1)
    base_rate: float = Field(ge=0, le=1)

    @property
    def children(self) -> float:
        """How many rows a date has on average: weekly rows repeat the same children."""
        return max(1.0, self.rows / len(self.dates))


def make_reference(
    rows: Rows, features: Sequence[Feature], rules: Sequence[str], scores: Floats
) -> dict[str, Any]:
    """Return reference.json of training rows.

    Parameters
    ----------
    rows
        The rows that the model was fitted on, at least one.
    features, rules
        What the columns of `rows.x` and `rows.hits` are.
    scores
        The rows' scores by the model, in [0, 1].
    """
    weight = rows.weight
    total = float(np.sum(weight))
    order = np.argsort(rows.as_of, kind="stable")
    days, begins = np.unique(rows.as_of[order], return_index=True)
    # One date alone tells nothing of what is usual.
    dates = np.split(order, begins[1:]) if len(days) > 1 else []
    found = Reference(
        features={
            feature.name: _seasonal(rows.x[:, place], weight, dates)
            for place, feature in enumerate(features)
        },
        rules={
            rule: _plain(float(np.sum(weight[rows.hits[:, place]])) / total)
            for place, rule in enumerate(rules)
        },
        rules_usual={
            rule: _usual_hits(rows.hits[:, place], weight, dates)
            for place, rule in enumerate(rules)
        },
        score=_seasonal(scores, weight, dates, own_bins=0),
        rows=max(1, round(total)),
        dates=[_iso(day) for day in days.tolist()],
        mean_score=_plain(float(np.sum(weight * scores)) / total),
        base_rate=_plain(float(np.sum(weight[rows.y])) / total),
    )
    return found.model_dump()


def read_reference(folder: Path) -> Reference | None:
    """Read the reference of the model in `folder`; None if it has none (an older model).

    Raises
    ------
    EarlywarnError
        If the file is not what the manifest has the hash of, or not of this shape.
    """
    found = read_json(folder, REFERENCE_FILE)
    if found is None:
        return None
    try:
        return Reference.model_validate(found)
    except ValidationError as error:
        raise damaged(folder / REFERENCE_FILE, *why(error)) from None


def spread(column: Floats, weight: Floats, *, own_bins: int = MAX_OWN_BINS) -> Spread:
    """Return the bins of a column (NaN = missing) and the share of the rows' weight in each.

    Up to `own_bins` distinct values have a bin each, and there is an empty bin below and above
    them; more are parted at their weighted deciles.
    """
    known: Bools = ~np.isnan(column)
    values, place = np.unique(column[known], return_inverse=True)
    edges: list[float] = []
    if 0 < len(values) <= own_bins:
        below = min(float(values[0]) - _HALF_STEP, float(np.nextafter(values[0], -np.inf)))
        edges = [below, *values.tolist()]
    elif len(values):
        edges = inner_quantiles(values, np.bincount(place, weights=weight[known]), BINS).tolist()
    shares, missing = shares_in(column, weight, edges)
    return Spread(edges=edges, shares=[_plain(s) for s in shares.tolist()], missing=_plain(missing))


def _seasonal(
    column: Floats, weight: Floats, dates: Dates, *, own_bins: int = MAX_OWN_BINS
) -> Spread:
    found = spread(column, weight, own_bins=own_bins)

    def shares(rows: NDArray[np.intp]) -> list[float]:
        known, missing = shares_in(column[rows], weight[rows], found.edges)
        return [*known.tolist(), missing]

    usual = _usual([*found.shares, found.missing], weight, dates, shares)
    return found.model_copy(update={"usual": usual})


def _usual_hits(hits: Bools, weight: Floats, dates: Dates) -> float:
    share = float(np.sum(weight[hits]) / np.sum(weight))

    def shares(rows: NDArray[np.intp]) -> list[float]:
        now = float(np.sum(weight[rows][hits[rows]])) / float(np.sum(weight[rows]))
        return [now, 1 - now]

    return _usual([share, 1 - share], weight, dates, shares)


def _usual(
    then: Sequence[float],
    weight: Floats,
    dates: Dates,
    shares: Callable[[NDArray[np.intp]], list[float]],
) -> float:
    """Return the largest PSI of one date's shares against `then`, those of all dates."""
    children = float(np.sum(weight)) / max(1, len(dates))
    return round(
        max(
            (psi(then, shares(rows), children, float(np.sum(weight[rows]))) for rows in dates),
            default=0.0,
        ),
        6,
    )


def shares_in(column: Floats, weight: Floats, edges: Sequence[float]) -> tuple[Floats, float]:
    """Return the shares of weight in the bins that `edges` make, and the share that is missing."""
    bins = np.searchsorted(np.asarray(edges, dtype=np.float64), column, side="left")
    bins[np.isnan(column)] = len(edges) + 1
    mass = np.bincount(bins, weights=weight, minlength=len(edges) + 2)
    shares: Floats = mass / max(float(mass.sum()), 1e-300)
    return shares[:-1], float(shares[-1])


def _plain(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 9)


def _iso(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
