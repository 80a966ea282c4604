"""The scored cohort: features, verdicts and scorecard brought together as of one date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build
from earlywarn.features.catalogue import FEATURES
from earlywarn.models.scorecard import (
    Applied,
    Bools,
    Floats,
    Scorecard,
    apply,
    hit_matrix,
    sigmoid,
    unknown_matrix,
)
from earlywarn.rules.evaluate import verdicts_of
from earlywarn.rules.pack import RuleBook
from earlywarn.scoring.rank import floor_levels, rank_and_list, tier_levels
from earlywarn.tables.batches import one_row_a_day
from earlywarn.words import Tier
from earlywarn.workspace import Config, Workspace

DECIMALS = 12  # of the stored score and log_odds
SLICE = 1 << 18  # students whose contributions are held at a time


@dataclass(frozen=True)
class Prepared:
    """A cohort with facts and verdicts: what a scorecard is applied to.

    `facts` (features and the registry fields that conditions may name) and `verdicts` have the
    same students in the same order (student_id).
    """

    con: duckdb.DuckDBPyConnection
    facts: pa.Table
    verdicts: pa.Table
    rulebook: RuleBook

    @classmethod
    def judge(
        cls, con: duckdb.DuckDBPyConnection, facts: pa.Table, rulebook: RuleBook, as_of: date
    ) -> Prepared:
        """Judge the rules in force as of `as_of` over `facts`."""
        return cls(con, facts, verdicts_of(facts, rulebook.in_force(as_of)), rulebook)

    @property
    def features(self) -> pa.Table:
        """The facts without the registry fields: student_id, school_id, then the catalogue's."""
        return self.facts.select(["student_id", "school_id", *FEATURES])


def prepare(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, rulebook: RuleBook, as_of: date
) -> Prepared:
    """Build the features and judge the rules in force as of `as_of`.

    Raises
    ------
    EarlywarnError
        If nobody is in the cohort on that day.
    """
    facts = build(
        con,
        workspace.config,
        rulebook.groups,
        as_of,
        one_row_a_day=one_row_a_day(workspace),
    )
    if facts.num_rows == 0:
        raise nobody(con, as_of)
    return Prepared.judge(con, facts, rulebook, as_of)


def nobody(con: duckdb.DuckDBPyConnection, as_of: date) -> EarlywarnError:
    """Return the error of an empty cohort."""
    ((first,),) = con.execute("SELECT min(snapshot_date) FROM students").fetchall()
    if first is None:
        return EarlywarnError(
            zh="工作区里还没有学生。请先运行 earlywarn ingest students。",
            en="There are no students in the workspace yet. Run `earlywarn ingest students` first.",
        )
    return EarlywarnError(
        zh=f"{as_of} 没有在校学生；最早的学籍快照是 {first}。请换一个截止日期（--as-of）。",
        en=f"Nobody is enrolled on {as_of}; the first registry snapshot is of {first}. "
        "Choose another --as-of.",
    )


def score_frame(
    workspace: Workspace, prepared: Prepared, scorecard: Scorecard, as_of: date
) -> pa.Table:
    """Return the table of scores.parquet, one row per student, sorted by student_id."""
    return pa.concat_tables(score_slices(workspace.config, prepared, scorecard, as_of))


def score_slices(
    config: Config, prepared: Prepared, scorecard: Scorecard, as_of: date
) -> Iterator[pa.Table]:
    """Yield the table of scores.parquet, `SLICE` students at a time.

    A rank needs the scores of all; the contributions of more than a slice are worked out twice
    rather than kept, since those of a province fill more memory than all else.
    """
    rules = prepared.rulebook.in_force(as_of)
    slices = [
        _Slice(prepared.facts.slice(begin, SLICE), prepared.verdicts.slice(begin, SLICE))
        for begin in range(0, prepared.facts.num_rows, SLICE)
    ]

    def applied_to(part: _Slice) -> Applied:
        return apply(scorecard, part.facts, part.verdicts, prepared.rulebook, as_of)

    only = applied_to(slices[0]) if len(slices) == 1 else None
    scores = np.concatenate([_stored_score(only or applied_to(part)) for part in slices])
    levels = tier_levels(
        scores, floor_levels(prepared.verdicts, rules), scorecard.base_rate, config
    )
    ranked = rank_and_list(
        prepared.con,
        pa.table(
            {
                "student_id": prepared.facts["student_id"],
                "school_id": prepared.facts["school_id"],
                "level": pa.array(levels),
                "score": pa.array(scores),
            }
        ),
        config,
    )
    ids = [rule.id for rule in rules]
    tiers = pa.array([Tier.of_level(level).value for level in range(4)])
    for number, part in enumerate(slices):
        applied = only or applied_to(part)
        rows = ranked.slice(number * SLICE, SLICE).combine_chunks()
        count = rows.num_rows
        yield pa.table(
            {
                "student_id": rows["student_id"],
                "school_id": rows["school_id"],
                "as_of": pa.array([as_of] * count, pa.date32()),
                "score": rows["score"],
                "log_odds": pa.array(np.round(applied.log_odds, DECIMALS)),
                "tier": tiers.take(rows["level"].combine_chunks()),
                "rank": rows["rank"],
                "listed": rows["listed"],
                "rules_hit": _lists(hit_matrix(part.verdicts, ids), ids),
                "rules_unknown": _lists(unknown_matrix(part.verdicts, ids), ids),
                "contributions": contribution_lists(
                    applied.terms, pa.array(np.ascontiguousarray(applied.values).ravel())
                ),
                "model": pa.array([scorecard.label] * count),
                "rules_hash": pa.array([prepared.rulebook.hash] * count),
            }
        )


class _Slice(NamedTuple):
    facts: pa.Table
    verdicts: pa.Table


def _stored_score(applied: Applied) -> Floats:
    score: Floats = np.round(sigmoid(applied.log_odds), DECIMALS)
    return score


def _lists(chosen: Bools, ids: list[str]) -> pa.ListArray:
    """Return for each row of `chosen` (rows, ids) the ids of its true columns."""
    rows, width = chosen.shape
    places = np.flatnonzero(np.ascontiguousarray(chosen))
    offsets = np.searchsorted(places, np.arange(rows + 1) * width).astype(np.int32)
    names = pa.array(ids, pa.string()).take(pa.array(places % max(width, 1)))
    return pa.ListArray.from_arrays(pa.array(offsets), names)


def contribution_lists(terms: list[str], values: pa.Array) -> pa.ListArray:
    """Return each student's list of {term, value}; `values` has all of them, student by student."""
    rows = len(values) // len(terms)
    places = pa.array(np.tile(np.arange(len(terms), dtype=np.int16), rows))
    names = pa.DictionaryArray.from_arrays(places, pa.array(terms, pa.string()))
    pairs = pa.StructArray.from_arrays([names, values], names=["term", "value"])
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * len(terms))
    return pa.ListArray.from_arrays(offsets, pairs)
