"""The same features on both engines, value by value; also for benchmarks/spark_equality.py."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import connect
from earlywarn.engine.spark import SparkConnection, attach
from earlywarn.features.build import build
from earlywarn.features.groups import load_groups
from earlywarn.models.scorecard import Scorecard
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.frame import Prepared, score_slices
from earlywarn.scoring.spark import build_on, scores_on
from earlywarn.tables.batches import one_row_a_day
from earlywarn.workspace import Config, Workspace, shipped
from oracle.worlds import World, _Maker, together

TOLERANCE = 1e-9
# What features leave behind, with what its rows are told apart by.
TABLES = {
    "facts": ("student_id",),
    "basis": ("student_id",),
    "roster": ("student_id",),
    "day_masks": ("student_id",),
    "school_days": ("cal", "date"),
}


def compare_engines(
    spark: SparkConnection, workspace: Workspace, as_of: date, *, stumbling: bool = False
) -> list[str]:
    """Build a workspace's features on both engines; return one line for each value that differs.

    `stumbling`: Spark reads each student_id through its function `stumble`.
    """
    groups, once = load_groups(workspace.rules), one_row_a_day(workspace)
    con = connect(workspace)
    attach(spark, workspace)
    if stumbling:
        spark.execute("CREATE OR REPLACE TEMP TABLE sound AS SELECT * FROM students")
        spark.execute(
            "CREATE OR REPLACE TEMP VIEW students AS "
            "SELECT * REPLACE (stumble(student_id) AS student_id) FROM sound"
        )
    facts = build(con, workspace.config, groups, as_of, one_row_a_day=once)
    build_on(spark, workspace.config, groups, as_of, one_row_a_day=once)
    return differences(con, spark) + score_differences(con, facts, spark, workspace.config, as_of)


def compare_tables(
    spark: SparkConnection, tables: dict[str, pa.Table], config: Config, as_of: date
) -> list[str]:
    """The same for tables that lie in no workspace."""
    con = duckdb.connect()
    groups = load_groups(shipped("rules"))
    for engine in (con, spark):
        for name, rows in tables.items():
            engine.register(name, rows)
    facts = build(con, config, groups, as_of)
    build_on(spark, config, groups, as_of)
    return differences(con, spark) + score_differences(con, facts, spark, config, as_of)


def differences(con: duckdb.DuckDBPyConnection, spark: SparkConnection) -> list[str]:
    """Return one line for each column or value of the tables left behind that differs."""
    lines = []
    for name, key in TABLES.items():
        wanted, found = (_sorted(engine, name, key) for engine in (con, spark))
        if wanted.schema.names != found.schema.names or len(wanted) != len(found):
            lines.append(f"{name}: {wanted.shape} {wanted.schema.names}, on Spark {found.shape}")
            continue
        if name in ("facts", "basis") and wanted.schema != found.schema.remove_metadata():
            lines.append(f"{name}: types {wanted.schema}, on Spark {found.schema}")
        for column in wanted.schema.names:
            pairs = zip(wanted[column].to_pylist(), found[column].to_pylist(), strict=True)
            lines += [
                f"{name} {column} in row {row}: {one!r}, on Spark {other!r}"
                for row, (one, other) in enumerate(pairs)
                if not same(one, other)
            ]
    return lines


def score_differences(
    con: duckdb.DuckDBPyConnection,
    facts: pa.Table,
    spark: SparkConnection,
    config: Config,
    as_of: date,
) -> list[str]:
    """Score with the shipped rules and model; one line for each value that differs."""
    rulebook = load_rulebook(shipped("rules"))
    model = shipped("models") / "demonstration" / "1" / "model.json"
    card = Scorecard.model_validate_json(model.read_text("utf-8"))
    if not facts.num_rows:
        return []
    judged = Prepared.judge(con, facts, rulebook, as_of)
    schools = con.sql("SELECT school_id, capacity FROM schools").to_arrow_table()
    wanted = pa.concat_tables(score_slices(config, judged, card, as_of)).to_pylist()
    found = pa.concat_tables(scores_on(spark, config, rulebook, card, as_of, schools)).to_pylist()
    if len(wanted) != len(found):
        return [f"scores: {len(wanted)} rows, on Spark {len(found)}"]
    return [
        f"scores {name} of {one['student_id']}: {value!r}, on Spark {other[name]!r}"
        for one, other in zip(wanted, found, strict=True)
        for name, value in one.items()
        if not _same_score(value, other[name])
    ]


def _same_score(one: Any, other: Any) -> bool:
    """As `same`; of contributions the terms exactly and each value within 1e-9."""
    if isinstance(one, list) and one and isinstance(one[0], dict):
        return len(one) == len(other) and all(
            a["term"] == b["term"] and same(a["value"], b["value"])
            for a, b in zip(one, other, strict=True)
        )
    return same(one, other)


def _sorted(engine: Any, name: str, key: tuple[str, ...]) -> pa.Table:
    rows = engine.sql(f"SELECT * FROM {name}").to_arrow_table()
    return rows.sort_by([(column, "ascending") for column in key])


def same(one: Any, other: Any) -> bool:
    """Whether two values agree: numbers with a fraction within 1e-9, all else exactly."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= TOLERANCE
    return bool(one == other)


class _Settled(_Maker):
    """A world with the settings of a family that is not its own."""

    def __init__(self, seed: int, family: int) -> None:
        self._family = family
        super().__init__(seed)

    def _settings(self, rng: Random) -> None:
        super()._settings(Random(f"family {self._family}"))


def worlds(seeds: Iterable[int], family: int) -> World:
    """Return one county of many little worlds, which share nothing but a family's settings."""
    return together([_Settled(seed, family).make() for seed in seeds])


def config_of(world: World) -> Config:
    """Return the config under which a world's features are built."""
    return Config(attendance=world.mode, **world.config)
