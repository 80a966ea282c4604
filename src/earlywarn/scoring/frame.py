"""The scored cohort: features, verdicts and scorecard brought together as of one date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build, facts_table
from earlywarn.features.catalogue import FEATURES
from earlywarn.models.scorecard import Applied, Scorecard, apply, sigmoid
from earlywarn.rules.evaluate import verdicts_of
from earlywarn.rules.pack import RuleBook
from earlywarn.scoring.rank import floor_levels, rank_and_list, tier_levels
from earlywarn.tables.batches import one_row_a_day
from earlywarn.words import Tier
from earlywarn.workspace import Workspace

DECIMALS = 12  # of the stored score and log_odds


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
    build(
        con,
        workspace.config,
        rulebook.groups,
        as_of,
        one_row_a_day=one_row_a_day(workspace),
    )
    facts = facts_table(con)
    if facts.num_rows == 0:
        raise _nobody(con, as_of)
    return Prepared.judge(con, facts, rulebook, as_of)


def _nobody(con: duckdb.DuckDBPyConnection, as_of: date) -> EarlywarnError:
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
    applied = apply(scorecard, prepared.features, prepared.verdicts, prepared.rulebook, as_of)
    log_odds = np.round(applied.log_odds, DECIMALS)
    scores = np.round(sigmoid(applied.log_odds), DECIMALS)
    rules = prepared.rulebook.in_force(as_of)
    levels = tier_levels(
        scores, floor_levels(prepared.verdicts, rules), scorecard.base_rate, workspace.config
    )
    ranked = rank_and_list(
        prepared.con,
        pa.table(
            {
                "student_id": prepared.features["student_id"],
                "school_id": prepared.features["school_id"],
                "level": pa.array(levels),
                "score": pa.array(scores),
            }
        ),
        workspace.config,
    )
    hits, unknown = _rule_lists(prepared.verdicts, [rule.id for rule in rules])
    count = ranked.num_rows
    tiers = pa.array([Tier.of_level(level).value for level in range(4)])
    return pa.table(
        {
            "student_id": ranked["student_id"],
            "school_id": ranked["school_id"],
            "as_of": pa.array([as_of] * count, pa.date32()),
            "score": pa.array(scores),
            "log_odds": pa.array(log_odds),
            "tier": tiers.take(ranked["level"].combine_chunks()),
            "rank": ranked["rank"],
            "listed": ranked["listed"],
            "rules_hit": hits,
            "rules_unknown": unknown,
            "contributions": _contributions(applied),
            "model": pa.array([scorecard.label] * count),
            "rules_hash": pa.array([prepared.rulebook.hash] * count),
        }
    )


def _rule_lists(verdicts: pa.Table, ids: list[str]) -> tuple[pa.ListArray, pa.ListArray]:
    """Return for each student the ids of the rules that hit, and of those not decidable."""
    rows = verdicts.num_rows
    hit = np.zeros((rows, len(ids)), dtype=bool)
    unknown = np.zeros((rows, len(ids)), dtype=bool)
    for place, rule_id in enumerate(ids):
        column = verdicts[rule_id].combine_chunks()
        unknown[:, place] = column.is_null().to_numpy(zero_copy_only=False)
        hit[:, place] = column.fill_null(False).to_numpy(zero_copy_only=False)
    names = pa.array(ids, pa.string())
    return _lists(hit, names), _lists(unknown, names)


def _lists(
    chosen: np.ndarray[tuple[int, int], np.dtype[np.bool_]], names: pa.Array
) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(np.nonzero(chosen)[1])))


def _contributions(applied: Applied) -> pa.ListArray:
    rows, terms = applied.values.shape
    places = pa.array(np.tile(np.arange(terms, dtype=np.int32), rows))
    names = pa.DictionaryArray.from_arrays(places, pa.array(applied.terms, pa.string()))
    values = pa.array(np.ascontiguousarray(applied.values).ravel())
    pairs = pa.StructArray.from_arrays([names, values], names=["term", "value"])
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * terms)
    return pa.ListArray.from_arrays(offsets, pairs)
