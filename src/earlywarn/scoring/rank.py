"""From scores to tiers, ranks and lists: who is on a school's list, and who was cut.

The tier is the highest of the tier by score (times the model's base rate; by score alone nobody is
urgent) and the floors of the hits. Within a school: tier, then stored score, then student_id.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from earlywarn.rules.pack import Rule
from earlywarn.words import Tier
from earlywarn.workspace import Config


def floor_levels(verdicts: pa.Table, rules: Sequence[Rule]) -> NDArray[np.int8]:
    """Return for each row of `verdicts` the highest floor (0-3) of the rules that hit."""
    levels = np.zeros(verdicts.num_rows, dtype=np.int8)
    for rule in rules:
        if rule.floor is None or rule.id not in verdicts.column_names:
            continue
        hit = verdicts[rule.id].combine_chunks().fill_null(False).to_numpy(zero_copy_only=False)
        np.maximum(levels, np.where(hit, rule.floor.level, 0).astype(np.int8), out=levels)
    return levels


def tier_levels(
    scores: NDArray[np.float64], floors: NDArray[np.int8], base_rate: float, config: Config
) -> NDArray[np.int8]:
    """Return the tier's level (0-3) for each stored score and floor."""
    by_score = np.zeros(len(scores), dtype=np.int8)
    by_score[scores >= config.tiers.watch * base_rate] = Tier.WATCH.level
    by_score[scores >= config.tiers.high * base_rate] = Tier.HIGH.level
    return np.maximum(by_score, floors)


def rank_and_list(con: duckdb.DuckDBPyConnection, scored: pa.Table, config: Config) -> pa.Table:
    """Add rank and listed to `scored` (student_id, school_id, level, score); sorted by student_id.

    Every urgent child is listed, even beyond capacity; then by rank, routine never, until the
    school's capacity (the school's own, else the config's).
    """
    sizes = con.execute(
        "SELECT c.school_id, count(*), max(s.capacity) FROM cohort AS c "
        "LEFT JOIN schools AS s ON s.school_id = c.school_id GROUP BY c.school_id"
    ).fetchall()
    con.register("scored_rows", scored)
    con.register(
        "capacities",
        pa.table(
            {
                "school_id": pa.array([school for school, _, _ in sizes], pa.string()),
                "capacity": pa.array(
                    [config.capacity.of(size, own) for _, size, own in sizes], pa.int32()
                ),
            }
        ),
    )
    ranked = con.sql(
        """
        WITH ranked AS (
            SELECT *, CAST(row_number() OVER (
                PARTITION BY school_id ORDER BY level DESC, score DESC, student_id
            ) AS INTEGER) AS rank
            FROM scored_rows
        )
        SELECT r.*, r.level = 3 OR (r.level > 0 AND r.rank <= c.capacity) AS listed
        FROM ranked AS r
        JOIN capacities AS c ON c.school_id = r.school_id
        ORDER BY r.student_id
        """
    ).to_arrow_table()
    con.unregister("scored_rows")
    con.unregister("capacities")
    return ranked
