"""From scores to tiers, ranks and lists: who is on a school's list, and who was cut.

The tier is the highest of the tier by score (times the model's base rate; by score alone nobody is
urgent) and the floors of the hits. Within a school: tier, then stored score, then student_id.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from earlywarn.models.scorecard import hit_matrix
from earlywarn.rules.pack import Rule
from earlywarn.words import Tier
from earlywarn.workspace import Config


def floor_levels(verdicts: pa.Table, rules: Sequence[Rule]) -> NDArray[np.int8]:
    """Return for each row of `verdicts` the highest floor (0-3) of the rules that hit."""
    levels = np.zeros(verdicts.num_rows, dtype=np.int8)
    known = set(verdicts.column_names)
    floors = {rule.id: rule.floor for rule in rules if rule.floor and rule.id in known}
    hits = hit_matrix(verdicts, list(floors))
    for place, floor in enumerate(floors.values()):
        np.maximum(levels, hits[:, place] * np.int8(floor.level), out=levels)
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

    `scored` is the whole cohort. Every urgent child is listed, even beyond capacity; then by rank,
    routine never, until the school's capacity (the school's own, else the config's).
    """
    if not _ascends(scored["student_id"].combine_chunks()):
        scored = scored.sort_by("student_id")
    schools = scored["school_id"].combine_chunks().dictionary_encode()
    school = schools.indices.to_numpy()
    level, score = scored["level"].to_numpy(), scored["score"].to_numpy()
    sizes = np.bincount(school, minlength=len(schools.dictionary))
    # The last key is the first to sort by; what is equal stays in the order of student_id.
    order = np.lexsort((-score, 4 * school.astype(np.int64) - level))
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    own = dict(
        con.execute("SELECT school_id, max(capacity) FROM schools GROUP BY school_id").fetchall()
    )
    rooms = np.asarray(
        [
            config.capacity.of(size, own.get(name))
            for name, size in zip(schools.dictionary.to_pylist(), sizes.tolist(), strict=True)
        ],
        dtype=np.int64,
    )
    listed = (level == Tier.URGENT.level) | ((level > Tier.ROUTINE.level) & (rank <= rooms[school]))
    return scored.append_column("rank", pa.array(rank)).append_column("listed", pa.array(listed))


def _ascends(ids: pa.Array) -> bool:
    """Return whether each id is above the one before it."""
    return bool(pc.all(pc.less(ids[:-1], ids[1:])).as_py()) if len(ids) > 1 else True
