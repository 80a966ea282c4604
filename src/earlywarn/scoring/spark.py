"""Scoring on Spark: the features' own SQL there, then the scorecard school by school.

The facts are parted by school, and each part is judged, scored and ranked by the very code that
DuckDB's path uses (`frame.score_slices`), in Python beside the executors: a school lies whole in
one part, so ranks and lists need nothing of another. As SQL the same took three times as long
(docs/decisions/0023-spark-stages-its-tables.md).

What the watchlists read of the features is handed over to DuckDB as the Parquet files that Spark
left in its staging folder, which every machine must see under the same path.
"""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from earlywarn.engine.room import passing_folder, spill_parent
from earlywarn.engine.spark import SparkConnection, attach, attach_folder
from earlywarn.engine.sparkfailures import one_line
from earlywarn.engine.sparkjava import hadoop_path, session
from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build_families
from earlywarn.features.facts import show_features, side_by_side_in_sql
from earlywarn.features.groups import Groups
from earlywarn.models.scorecard import Scorecard, terms_of
from earlywarn.rules.pack import RuleBook
from earlywarn.scoring.frame import Prepared, contribution_lists, nobody, score_slices
from earlywarn.tables.batches import one_row_a_day
from earlywarn.tables.views import parquet_of
from earlywarn.workspace import Config, Workspace

# Tables of the features that watchlists read.
HANDED_OVER = (
    *("known_students", "facts", "basis", "roster", "day_masks", "school_days", "calendars"),
)
# Tables of the contract that they read too: small ones, handed over where they lie elsewhere.
HANDED_OVER_INPUT = ("schools", "calendar", "outcomes")
# So many children at most are compared with those at training; of more, a part chosen by hash.
COMPARED = 1_000_000
_SCHEMA = (
    "student_id string, school_id string, as_of date, score double, log_odds double, tier string, "
    "rank int, listed boolean, rules_hit array<string>, rules_unknown array<string>, "
    "contributions array<double>, model string, rules_hash string"
)


class OnSpark:
    """The large engine (see `scoring.engines.Engine`). Started when first needed; close it.

    Parameters
    ----------
    master, memory
        See `engine.sparkjava.session`.
    tables
        Where the tables lie, as Hadoop writes it (see `engine.spark.attach_folder`); the
        workspace's own if empty.
    """

    def __init__(self, master: str, memory: str | None = None, tables: str = "") -> None:
        self._master = master
        self._memory = memory
        self._tables = tables
        self._staging: Path | None = None
        self._con: SparkConnection | None = None

    def close(self) -> None:
        """Remove what was staged, whatever has become of Spark."""
        if self._con is not None:
            self._con.close()
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)

    def inputs(self, workspace: Workspace) -> dict[str, Any]:
        """See `Engine`: which files the tables are, if they are not the workspace's."""
        if not self._tables:
            return {}
        return {"tables": self._tables, "files": self.connect(workspace).fingerprint(self._tables)}

    def connect(self, workspace: Workspace) -> SparkConnection:
        """Return the connection with the workspace's tables."""
        if self._con is None:
            spills = passing_folder(spill_parent(workspace), "spill")
            atexit.register(shutil.rmtree, spills, ignore_errors=True)
            spark = session(self._master, self._memory, spills)
            self._staging = passing_folder(workspace.root, "spark")
            self._con = SparkConnection(spark, hadoop_path(self._staging))
            if self._tables:
                attach_folder(self._con, self._tables)
            else:
                attach(self._con, workspace)
        return self._con

    def prepare(
        self, con: duckdb.DuckDBPyConnection, workspace: Workspace, rulebook: RuleBook, as_of: date
    ) -> _Judged:
        """See `Engine`."""
        spark = self.connect(workspace)
        once = not self._tables and one_row_a_day(workspace)
        build_on(spark, workspace.config, rulebook.groups, as_of, one_row_a_day=once)
        if self._tables:
            for name in HANDED_OVER_INPUT:
                spark.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}")
                _view(con, name, spark.files(name))
        for name in HANDED_OVER:
            _view(con, name, spark.files(name))
        con.execute(
            "CREATE OR REPLACE TEMP VIEW cohort AS "
            "SELECT * EXCLUDE (in_cohort) FROM known_students WHERE in_cohort"
        ).fetchall()
        show_features(con)
        students, apart = con.execute(
            "SELECT count(*), count(DISTINCT student_id) FROM facts"
        ).fetchall()[0]
        if students == 0:
            raise nobody(_as_duckdb(spark), as_of)
        if apart < students:
            raise EarlywarnError(
                zh=f"{self._tables}/students 有重复的行：同一学生、同一快照日期只能有一行"
                f"（涉及 {students - apart} 行）。",
                en=f"{self._tables}/students has rows twice: one student and snapshot date can "
                f"have one row only ({students - apart} too many).",
            )
        return _Judged(con, spark, rulebook, as_of, students)

    def slices(
        self, workspace: Workspace, judged: _Judged, scorecard: Scorecard, as_of: date
    ) -> Iterator[pa.Table]:
        """See `Engine`."""
        schools = judged.con.sql("SELECT school_id, capacity FROM schools").to_arrow_table()
        return scores_on(judged.spark, workspace.config, judged.rulebook, scorecard, as_of, schools)

    def spread(self, work: Callable[..., None], pieces: Sequence[tuple[Any, ...]]) -> None:
        """See `Spread`: each piece is a task of its own. The folders must be seen everywhere."""
        if self._con is None:
            raise AssertionError("nothing was prepared")
        context = self._con.spark.sparkContext
        with one_line("the watchlists"):
            context.parallelize(list(pieces), max(len(pieces), 1)).foreach(lambda p: work(*p))


class _Judged:
    """See `engines.Judged`: fetched from Spark where somebody asks."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        spark: SparkConnection,
        rulebook: RuleBook,
        as_of: date,
        students: int,
    ) -> None:
        self.con = con
        self.spark = spark
        self.rulebook = rulebook
        self.as_of = as_of
        self._students = students

    @property
    def features(self) -> pa.Table:
        """Features, of a cohort above `COMPARED` those of a part that a hash has chosen."""
        every = -(-self._students // COMPARED)
        return self.con.sql(
            "SELECT * FROM features WHERE hash(student_id) % $every = 0 ORDER BY student_id",
            params={"every": every},
        ).to_arrow_table()

    @property
    def verdicts(self) -> pa.Table:
        """Judged here: only the experts' scorecard, which no model needs, asks for them."""
        facts = self.con.sql("SELECT * FROM facts ORDER BY student_id").to_arrow_table()
        return Prepared.judge(self.con, facts, self.rulebook, self.as_of).verdicts


def _view(con: duckdb.DuckDBPyConnection, name: str, files: list[Path]) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {parquet_of(files)}"
    ).fetchall()


def build_on(
    spark: SparkConnection,
    config: Config,
    groups: Groups,
    as_of: date,
    *,
    one_row_a_day: bool = False,
) -> None:
    """Compute every feature on Spark: what `features.build.build` leaves in DuckDB, in `spark`."""
    con = _as_duckdb(spark)
    build_families(con, config, groups, as_of, one_row_a_day=one_row_a_day)
    side_by_side_in_sql(con)


def _as_duckdb(spark: SparkConnection) -> duckdb.DuckDBPyConnection:
    return cast(duckdb.DuckDBPyConnection, spark)


def scores_on(
    spark: SparkConnection,
    config: Config,
    rulebook: RuleBook,
    scorecard: Scorecard,
    as_of: date,
    schools: pa.Table,
) -> Iterator[pa.Table]:
    """Yield the table of scores.parquet in slices, from the `facts` that `build` left in `spark`.

    Parameters
    ----------
    schools
        school_id and capacity.
    """
    score = _scorer(config, rulebook, scorecard, as_of, schools)
    by_school = spark.spark.table("facts").repartition("school_id")
    spark.stage("scores_by_school", by_school.mapInArrow(score, _SCHEMA))
    spark.stage("ordered_scores", spark.spark.table("scores_by_school").orderBy("student_id"))
    terms = terms_of(scorecard, [rule.id for rule in rulebook.in_force(as_of)])
    for file in spark.files("ordered_scores"):
        part = pq.read_table(file)
        if part.num_rows:
            yield _with_terms(part.replace_schema_metadata(None), terms)


def _scorer(
    config: Config, rulebook: RuleBook, scorecard: Scorecard, as_of: date, schools: pa.Table
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what scores a part of the facts that holds schools whole."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        some = list(batches)
        if not some:
            return
        facts = pa.Table.from_batches(some).sort_by("student_id")
        with duckdb.connect() as con:
            con.register("schools", schools)
            prepared = Prepared.judge(con, facts, rulebook, as_of)
            for part in score_slices(config, prepared, scorecard, as_of):
                yield from _plain(part).to_batches()

    return score


def _plain(scores: pa.Table) -> pa.Table:
    """Return `scores` with the contributions' values alone: their terms are the same for all."""
    pairs = scores["contributions"].combine_chunks()
    values = pa.ListArray.from_arrays(pairs.offsets, pairs.values.field("value"))
    return _with(scores, values)


def _with_terms(scores: pa.Table, terms: list[str]) -> pa.Table:
    """Return `scores` with the terms beside the contributions' values again."""
    values = scores["contributions"].combine_chunks().flatten()
    return _with(scores, contribution_lists(terms, values))


def _with(scores: pa.Table, contributions: pa.ListArray) -> pa.Table:
    place = scores.schema.get_field_index("contributions")
    return scores.set_column(place, "contributions", contributions)
