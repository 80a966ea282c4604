"""What `score` puts beside scores.parquet: the watchlists of every school and of the bureau."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.followup.returned.signing import workbook_key
from earlywarn.models.scorecard import calm_terms, weights_for
from earlywarn.scoring.run import SCORES_FILE, RunFolder, Scored, unreadable
from earlywarn.watchlist.followed import look_up
from earlywarn.watchlist.listing import build_listing
from earlywarn.watchlist.write import write_watchlists

FOLDER = "watchlists"
_A_WEEK = timedelta(days=7)


def _on_a_list(con: duckdb.DuckDBPyConnection, previous: RunFolder) -> pa.Table:
    """Return the scores before of whom a list names, then or now: all the others are not read."""
    path = previous.path / SCORES_FILE
    try:
        return con.sql(
            "SELECT * FROM read_parquet($path) AS p "
            "WHERE p.listed OR p.student_id IN (SELECT student_id FROM scores WHERE listed)",
            params={"path": path.as_posix()},
        ).to_arrow_table()
    except (duckdb.IOException, duckdb.InvalidInputException):
        raise unreadable(path) from None


def make_outputs(folder: Path, scored: Scored) -> dict[str, Any]:
    """Write the watchlists of a run below `folder`; return what run.json says of them."""
    weights = weights_for(scored.scorecard, scored.rulebook, scored.as_of)
    before = scored.previous.as_of if scored.previous else scored.as_of - _A_WEEK
    listing = build_listing(
        scored.con,
        scored.workspace,
        scored.rulebook,
        scored.as_of,
        model_name=scored.scorecard.label,
        previous=_on_a_list(scored.con, scored.previous) if scored.previous else None,
        previous_as_of=scored.previous.as_of if scored.previous else None,
        weights=dict(zip(weights.ids, weights.values.tolist(), strict=True)),
        calm=calm_terms(scored.scorecard),
        run=str(scored.number),
        follow_up=look_up(scored.con, scored.workspace, scored.as_of, before),
        key=workbook_key(scored.workspace.config),
    )
    files = write_watchlists(folder / FOLDER, listing, scored.lang, spread=scored.spread)
    return {
        "index": files.index.relative_to(folder).as_posix(),
        "csv": files.csv.relative_to(folder).as_posix(),
        "json": files.json.relative_to(folder).as_posix(),
        "schools": len(files.schools),
        "lang": scored.lang,
    }
