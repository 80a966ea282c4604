"""The scorecard: one table per feature and one weight per rule, and how it is applied.

    log-odds = b0 + sum over features of b1 * f_j(x_j) + sum over hit rules of w_r

A scorecard is data (model.json), validated here, never code. The terms of a student's log-odds are
the contributions: they are what is stored, shown and added up.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from earlywarn.features.catalogue import FEATURES

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

MAX_THRESHOLDS = 4096
MAX_TERMS = 2000
# Rows whose terms are worked out at a time: a few MB, which stay near the processor. No power of
# two: turning columns that far apart into rows would use one corner of its cache only.
SLICE = 4000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class FeatureTable(_Strict):
    """f_j, a step function of one feature.

    `values[0]` holds for x <= thresholds[0], `values[i]` for thresholds[i-1] < x <= thresholds[i],
    the last one above the last threshold, `missing` where the feature is NULL.
    """

    name: Name
    thresholds: list[float] = Field(max_length=MAX_THRESHOLDS)
    values: list[float] = Field(min_length=1, max_length=MAX_THRESHOLDS + 1)
    missing: float

    @model_validator(mode="after")
    def _shape(self) -> FeatureTable:
        if len(self.values) != len(self.thresholds) + 1:
            raise ValueError(f"{self.name}: there must be one value more than thresholds")
        pairs = zip(self.thresholds, self.thresholds[1:], strict=False)
        if any(low >= high for low, high in pairs):
            raise ValueError(f"{self.name}: thresholds must ascend")
        return self


class RuleWeight(_Strict):
    """What a hit of one rule adds, as fitted; it belongs to the rule's id and its condition."""

    id: Name
    when_hash: Name
    weight: float = Field(ge=0)
    points: float
    ladder: Name | None = None


class Scorecard(_Strict):
    """model.json.

    Attributes
    ----------
    base_rate
        What tiers are multiples of: the weighted share of the training panel's rows with the
        label, or for the experts' scorecard the config's base rate over the horizon.
    g_constant
        What centring took out of the tables: sum of f_j plus this is the booster's own decision
        function. It is no part of the score (b0 holds what belongs there).
    g_is_used
        False where too few outcomes are known: then there are no tables and b1 is 0.
    rules_hash
        The rule book that the weights were fitted with.
    """

    format: Literal[1] = 1
    kind: Literal["scorecard"] = "scorecard"
    name: Name
    version: int = Field(ge=1)
    catalogue_version: Name
    rules_hash: Name
    generated: bool = False
    horizon_days: int = Field(ge=1)
    label_events: list[Name] = Field(min_length=1)
    base_rate: float = Field(gt=0, lt=1)
    b0: float
    b1: float = Field(ge=0)
    g_constant: float = 0.0
    g_is_used: bool
    features: list[FeatureTable] = Field(max_length=MAX_TERMS)
    rules: list[RuleWeight] = Field(max_length=MAX_TERMS)

    @model_validator(mode="after")
    def _once(self) -> Scorecard:
        for what, names in (
            ("feature", [table.name for table in self.features]),
            ("rule", [rule.id for rule in self.rules]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"a {what} stands twice")
        return self

    @property
    def label(self) -> str:
        """`name/version`, as scores.parquet has it."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True)
class Weights:
    """The weight in force of every rule of a rule book, in rule id order.

    `from_author` names the rules that count with their author's points, since the model has no
    weight for that rule and condition.
    """

    ids: tuple[str, ...]
    values: Floats
    ladders: tuple[str | None, ...]
    from_author: tuple[str, ...]


@dataclass(frozen=True)
class Applied:
    """The contributions of n students: `values` is (n, 1 + features + rules), named by `terms`.

    `log_odds` is the row sum of `values`, added from left to right.
    """

    terms: list[str]
    values: Floats
    log_odds: Floats

    @property
    def score(self) -> Floats:
        """The scores, 1 / (1 + exp(-log_odds)), not rounded."""
        return sigmoid(self.log_odds)


def sigmoid(log_odds: Floats) -> Floats:
    """Return 1 / (1 + exp(-log_odds)) without overflow."""
    small = np.exp(-np.abs(log_odds))
    result: Floats = np.where(log_odds >= 0, 1.0, small) / (1.0 + small)
    return result


def feature_matrix(features: pa.Table, names: Sequence[str]) -> Floats:
    """Return the columns `names` as float64, shape (rows, names): NaN for NULL, booleans 0 and 1.

    Stored column by column (Fortran order), since tables are looked up a column at a time.
    """
    matrix: Floats = np.empty((features.num_rows, len(names)), dtype=np.float64, order="F")
    for place, name in enumerate(names):
        matrix[:, place] = _doubles(features.column(name))
    return matrix


def _doubles(column: pa.ChunkedArray) -> Floats:
    numbers: Floats = pc.cast(column, pa.float64()).to_numpy()
    return numbers


def lookup(table: FeatureTable, x: Floats) -> Floats:
    """Return f_j of every entry of `x` (NaN = missing)."""
    return _looked_up(*_steps(table), x)


def _steps(table: FeatureTable, times: float = 1.0) -> tuple[Floats, Floats]:
    """Return thresholds and `times` the values, with the step to `missing` at the end of both.

    Infinity is the last threshold, and NaN sorts behind it.
    """
    thresholds = np.asarray([*table.thresholds, np.inf], dtype=np.float64)
    values = np.asarray([*table.values, table.missing], dtype=np.float64)
    return thresholds, times * values


def _looked_up(thresholds: Floats, values: Floats, x: Floats) -> Floats:
    # "clip" saves checking what cannot be out of bounds.
    found: Floats = values.take(np.searchsorted(thresholds, x, side="left"), mode="clip")
    return found


def g_terms(scorecard: Scorecard, x: Floats) -> Floats:
    """Return f_j(x_j), shape (rows, features); the columns of `x` are the scorecard's features."""
    terms: Floats = np.empty((x.shape[0], len(scorecard.features)), dtype=np.float64, order="F")
    for place, table in enumerate(scorecard.features):
        terms[:, place] = lookup(table, x[:, place])
    return terms


def calm_terms(scorecard: Scorecard) -> dict[str, float]:
    """Return what each sign adds where nothing is wrong: b1 * f_j(calm).

    A sign without a calm value (days since a return) is calm where it is missing. Context and
    groups have no calm: what they add is the frame that a child lives in.
    """
    found = {}
    for table in scorecard.features:
        feature = FEATURES.get(table.name)
        if feature is not None and feature.kind == "sign":
            calm = np.nan if feature.calm is None else feature.calm
            found[table.name] = scorecard.b1 * float(lookup(table, np.asarray([calm]))[0])
    return found


def hit_matrix(verdicts: pa.Table, ids: Sequence[str]) -> Bools:
    """Return which rules hit, shape (rows, ids): TRUE is a hit, FALSE and unknown are not."""
    hits: Bools = np.empty((verdicts.num_rows, len(ids)), dtype=np.bool_, order="F")
    for place, rule_id in enumerate(ids):
        value, known = _bits(verdicts.column(rule_id))
        np.logical_and(value, known, out=hits[:, place])
    return hits


def unknown_matrix(verdicts: pa.Table, ids: Sequence[str]) -> Bools:
    """Return which rules are not decidable, shape (rows, ids)."""
    unknown: Bools = np.empty((verdicts.num_rows, len(ids)), dtype=np.bool_, order="F")
    for place, rule_id in enumerate(ids):
        np.logical_not(_bits(verdicts.column(rule_id))[1], out=unknown[:, place])
    return unknown


def _bits(column: pa.ChunkedArray) -> tuple[Bools, Bools]:
    """Return a boolean column's values, whatever lies under its NULLs, and which are known.

    Unpacked by numpy, which takes a tenth of Arrow's time.
    """
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    known, values = (
        np.ones(len(array), dtype=np.bool_)
        if buffer is None
        else np.unpackbits(
            np.frombuffer(buffer, np.uint8), count=array.offset + len(array), bitorder="little"
        )[array.offset :].view(np.bool_)
        for buffer in array.buffers()
    )
    return values, known


def in_force(
    hits: Bools, weights: Floats, ids: Sequence[str], ladders: Sequence[str | None]
) -> Bools:
    """Return the hits that count: on each ladder only the one with the highest weight.

    Ties go to the lower rule id. Rules without a ladder always count.
    """
    counted = hits.copy(order="K")
    for ladder in sorted({name for name in ladders if name is not None}):
        members = [place for place, name in enumerate(ladders) if name == ladder]
        members.sort(key=lambda place: (-weights[place], ids[place]))
        taken = np.zeros(hits.shape[0], dtype=np.bool_)
        for place in members:
            counted[:, place] &= ~taken
            taken |= hits[:, place]
    return counted


def weights_for(scorecard: Scorecard, rulebook: RuleBook, as_of: date | None = None) -> Weights:
    """Return the weight in force of every rule of `rulebook` in force on `as_of`.

    A weight belongs to (rule id, hash of its condition): a rule that is new or was changed counts
    with its author's points. Without `as_of` effective dates don't matter (of several versions of
    a rule the one that begins last).
    """
    fitted = {(rule.id, rule.when_hash): rule.weight for rule in scorecard.rules}
    rules = sorted(rulebook.in_force(as_of), key=lambda rule: rule.id)
    values = [fitted.get((rule.id, rule.when_hash), float(rule.points)) for rule in rules]
    return Weights(
        ids=tuple(rule.id for rule in rules),
        values=np.asarray(values, dtype=np.float64),
        ladders=tuple(rule.ladder for rule in rules),
        from_author=tuple(r.id for r in rules if (r.id, r.when_hash) not in fitted),
    )


def terms_of(scorecard: Scorecard, rule_ids: Sequence[str]) -> list[str]:
    """Return the names of the contributions, in their order; `rule_ids` are in theirs."""
    features = [table.name for table in scorecard.features]
    return ["b0", *features, *(f"rule:{rule_id}" for rule_id in rule_ids)]


def apply(
    scorecard: Scorecard,
    features: pa.Table,
    verdicts: pa.Table,
    rulebook: RuleBook,
    as_of: date | None = None,
) -> Applied:
    """Return every student's contributions and log-odds.

    Parameters
    ----------
    features, verdicts
        One row per student, the same students in the same order; `features` has the scorecard's
        features as columns, `verdicts` a nullable boolean column per rule in force.
    as_of
        The date that the verdicts are of: it chooses among versions of one rule.

    Terms: `b0`; each feature's name, b1 * f_j, in catalogue order, zeros too; `rule:ID` of each
    rule with a verdict in rule id order, 0 for a miss, an unknown, or a hit silenced on its ladder.
    """
    if features.num_rows != verdicts.num_rows:
        raise ValueError("features and verdicts must be about the same students")
    weights = weights_for(scorecard, rulebook, as_of)
    known = set(verdicts.column_names)
    kept = [place for place, rule_id in enumerate(weights.ids) if rule_id in known]
    ids = [weights.ids[place] for place in kept]
    values = weights.values[kept]
    names = [table.name for table in scorecard.features]
    counted = in_force(
        hit_matrix(verdicts, ids), values, ids, [weights.ladders[place] for place in kept]
    )
    terms = terms_of(scorecard, ids)
    steps = [_steps(table, scorecard.b1) for table in scorecard.features]
    rows = features.num_rows
    result: Floats = np.empty((rows, len(terms)), dtype=np.float64)
    log_odds: Floats = np.full(rows, scorecard.b0)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        columns = list(pool.map(_doubles, map(features.column, names)))

        def work_out(begin: int) -> None:
            """Fill the rows of a slice: column by column, then turned into rows."""
            part = slice(begin, min(begin + SLICE, rows))
            made: Floats = np.empty((len(terms), part.stop - begin), dtype=np.float64)
            made[0] = scorecard.b0
            for place, (column, step) in enumerate(zip(columns, steps, strict=True), start=1):
                made[place] = _looked_up(*step, column[part])
            np.multiply(counted[part].T, values[:, np.newaxis], out=made[1 + len(names) :])
            for term in made[1:]:
                log_odds[part] += term
            result[part] = made.T

        for _ in pool.map(work_out, range(0, rows, SLICE)):
            pass
    return Applied(terms=terms, values=result, log_odds=log_odds)
