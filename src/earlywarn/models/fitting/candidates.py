"""Which classifiers are tried, and how one is fitted to panel rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from earlywarn.models.fitting.additive import Additive, mean_of
from earlywarn.models.scorecard import Bools, Floats

if TYPE_CHECKING:
    from earlywarn.features.catalogue import Feature
    from earlywarn.models.fitting.estimator import AdditiveClassifier

Family = Literal["spline", "boost", "blend"]


@dataclass(frozen=True)
class Spline:
    """Settings of SplineLogisticClassifier."""

    penalty: float


@dataclass(frozen=True)
class Boost:
    """Settings of AdditiveBoostClassifier."""

    learning_rate: float
    max_iter: int
    max_leaf_nodes: int
    min_samples_leaf: int
    l2_regularization: float


@dataclass(frozen=True)
class Candidate:
    """One way to make g: a spline model, a booster, or the mean of one of each.

    `parts` are what a blend is the mean of.
    """

    name: str
    family: Family
    settings: Spline | Boost | None = None
    parts: tuple[Candidate, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return what metrics.json says of it."""
        settings = asdict(self.settings) if self.settings else [part.name for part in self.parts]
        return {"name": self.name, "family": self.family, "settings": settings}


def spline(penalty: float) -> Candidate:
    """Return a spline candidate."""
    return Candidate(f"spline-{penalty:g}", "spline", Spline(penalty))


def boost(rate: float, trees: int, leaves: int, samples: int, l2: float) -> Candidate:
    """Return a booster candidate."""
    return Candidate(f"boost-{trees}x{leaves}", "boost", Boost(rate, trees, leaves, samples, l2))


def blend(one: Candidate, other: Candidate) -> Candidate:
    """Return the mean of two candidates."""
    return Candidate(f"mean of {one.name} and {other.name}", "blend", parts=(one, other))


def candidates_for(events: int) -> tuple[Candidate, ...]:
    """Return what to try with `events` students with the outcome: the fewer, the stiffer."""
    if events < 50:
        return spline(30.0), spline(10.0), boost(0.05, 60, 3, 40, 20.0)
    if events < 500:
        return spline(30.0), spline(10.0), spline(3.0), boost(0.05, 120, 3, 40, 20.0)
    return (
        spline(30.0),
        spline(10.0),
        spline(3.0),
        boost(0.05, 300, 3, 100, 20.0),
        boost(0.02, 600, 4, 200, 20.0),
    )


def fit_candidate(
    candidate: Candidate,
    x: Floats,
    y: Bools,
    weight: Floats,
    inputs: Sequence[Feature],
    seed: int,
) -> Additive:
    """Fit a candidate to (n, inputs) values, n labels and n weights."""
    if candidate.parts:
        return mean_of(
            [fit_candidate(part, x, y, weight, inputs, seed) for part in candidate.parts]
        )
    estimator = _estimator(candidate, [feature.direction for feature in inputs], seed)
    names = [feature.name for feature in inputs]
    return estimator.learn(x, y, weight, names).additive_


def _estimator(candidate: Candidate, directions: list[int], seed: int) -> AdditiveClassifier:
    # Imported here: scikit-learn takes a second that scoring does not need.
    from earlywarn.models.fitting.boost import AdditiveBoostClassifier
    from earlywarn.models.fitting.spline import SplineLogisticClassifier

    if isinstance(candidate.settings, Spline):
        return SplineLogisticClassifier(**asdict(candidate.settings), monotonic_cst=directions)
    if isinstance(candidate.settings, Boost):
        return AdditiveBoostClassifier(
            **asdict(candidate.settings), monotonic_cst=directions, random_state=seed
        )
    raise ValueError(f"{candidate.name} has no settings")
