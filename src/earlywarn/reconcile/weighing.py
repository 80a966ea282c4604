"""The weights of pairs: splink on an embedded DuckDB, told nothing and fetching nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.reconcile.fields import FIELDS, Field, agreement_sql, side_by_side

# Of the lines and children that are left, this share of the fewer is taken to belong together.
EXPECTED_SHARE = 0.8
# `same` is counted from this many pairs with equal identity numbers, `other` from this many pairs
# at random; below, the values written in `fields` hold.
LEAST_KNOWN, LEAST_RANDOM = 500, 200_000
RANDOM_PAIRS = 500_000
# However rarely a level was seen, its share is not taken to be less than this.
LEAST_SAME, LEAST_OTHER = 2e-3, 2e-6
# A name, guardian or telephone that more children share is no reason to look at a pair.
COMMONEST = 60


@contextmanager
def quiet() -> Iterator[None]:
    """Keep splink from logging; what it has to say is for the developer of a model."""
    log = logging.getLogger("splink")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that neither installs nor loads extensions."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    con = duckdb.connect(config=settings)
    con.execute("SET enable_progress_bar = false").fetchall()
    return con


def weigh(
    con: duckdb.DuckDBPyConnection, *, free_lines: int, free_children: int, least: float, seed: int
) -> pa.Table:
    """Return the pairs that weigh at least `least`, in order of line and child.

    Parameters
    ----------
    con
        Holds the tables `lines` and `children` (see `fields.comparable`, with `known`: what line
        and child with one identity number share) and `open_lines`, those of the lines to link.
    free_lines, free_children
        How many there are of each whose other half is not found.
    least
        Match weight (log2 of the odds, prior included).
    seed
        For the pairs drawn at random.

    Returns
    -------
    pa.Table
        line (int64), student_id, weight, probability, agreement.
    """
    from splink import DuckDBAPI, Linker

    count = _count(con, "lines"), _count(con, "children"), _count(con, "open_lines")
    expected = EXPECTED_SHARE * min(free_lines, free_children)
    prior = min(0.5, max(expected, 0.5) / (count[2] * count[1]))
    with quiet():
        api = DuckDBAPI(connection=con)
        children = api.register("children", dataset_display_name="registry")
        con.execute("SET threads = 1").fetchall()  # sums in one order: the same model every time
        everyone = api.register("lines", dataset_display_name="listed")
        teacher = Linker([everyone, children], _settings(prior), log_level=None)
        if count[0] * count[1] >= LEAST_RANDOM:
            teacher.training.estimate_u_using_random_sampling(
                max_pairs=RANDOM_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
            )
        known = con.execute("SELECT count(known) FROM lines").fetchall()[0][0]
        if known >= LEAST_KNOWN:
            teacher.training.estimate_m_from_label_column("known")
        con.execute("RESET threads").fetchall()
        model = _settled(teacher.misc.save_model_to_json(), prior)
        api = DuckDBAPI(connection=con)
        left = api.register("open_lines", dataset_display_name="listed")
        children = api.register("children", dataset_display_name="registry")
        linker = Linker([left, children], model, log_level=None)
        found = linker.inference.predict(threshold_match_weight=least, warning_mode="never")
        return con.sql(
            f"""
            WITH pairs AS (
                SELECT {side_by_side()}, match_weight, match_probability
                FROM {found.physical_name} p
                JOIN open_lines l ON p.unique_id_l = l.unique_id
                JOIN children r ON p.unique_id_r = r.unique_id)
            SELECT CAST(unique_id_l AS BIGINT) AS line, unique_id_r AS student_id,
                   round(match_weight, 6) AS weight, round(match_probability, 9) AS probability,
                   {agreement_sql()} AS agreement
            FROM pairs ORDER BY line, student_id
            """
        ).to_arrow_table()


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _settings(prior: float) -> Any:
    from splink import SettingsCreator, block_on
    from splink.comparison_library import CustomComparison

    return SettingsCreator(
        link_type="link_only",
        probability_two_random_records_match=prior,
        comparisons=[
            CustomComparison(output_column_name=field.name, comparison_levels=_levels(field))
            for field in FIELDS
        ],
        blocking_rules_to_generate_predictions=[
            block_on("body"),
            block_on("full_birth"),
            block_on("common_pinyin"),
            block_on("common_phone"),
            block_on("common_sound"),
            block_on("year", "surname", "township"),
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def _levels(field: Field) -> list[Any]:
    levels: list[Any] = [
        {"sql_condition": field.missing, "label_for_charts": "missing", "is_null_level": True}
    ]
    for place, level in enumerate(field.levels):
        entry: dict[str, Any] = {
            "sql_condition": level.condition or "ELSE",
            "label_for_charts": f"{field.name} {place}",
            "m_probability": level.same,
            "u_probability": level.other,
            "fix_m_probability": not field.counted,
            "fix_u_probability": not field.counted,
        }
        if level.rarity:
            entry["tf_adjustment_column"] = level.rarity
            entry["tf_adjustment_weight"] = 1.0
        levels.append(entry)
    return levels


def _settled(model: dict[str, Any], prior: float) -> dict[str, Any]:
    """Return the counted model with no share below the least, and the prior of what is left."""
    for field, comparison in zip(FIELDS, model["comparisons"], strict=True):
        levels = [lv for lv in comparison["comparison_levels"] if not lv.get("is_null_level")]
        for written, level in zip(field.levels, levels, strict=True):
            same = level.get("m_probability", written.same)
            other = level.get("u_probability", written.other)
            if field.counted:
                same, other = max(same, LEAST_SAME), max(other, LEAST_OTHER)
            level["m_probability"], level["u_probability"] = round(same, 9), round(other, 9)
    return model | {"probability_two_random_records_match": prior}
