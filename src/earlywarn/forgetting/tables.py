"""The accepted tables without a child: new files beside the old, changed over at one stroke."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from earlywarn.files import sha256, whole_file
from earlywarn.tables.batches import read_batches
from earlywarn.tables.order import row_group_size
from earlywarn.tables.views import scan, whole_data
from earlywarn.workspace import Workspace


def take_out(workspace: Workspace, student_id: str, rows: Mapping[str, int]) -> None:
    """Write the files that hold rows of the child (see `known.rows_of`) anew and list them.

    The caller holds the workspace's lock. Until the list is written the old files are in force;
    afterwards nothing names them, and they go.
    """
    if not rows:
        return
    known = read_batches(workspace)
    old = []
    with whole_data(workspace, known), duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false").fetchall()
        for batch in known.batches:
            for place, part in enumerate(batch.parts):
                count = rows.get(part.file, 0)
                if not count:
                    continue
                path = workspace.data / _next_name(workspace, part.file)
                with whole_file(path) as beside:
                    con.sql(
                        f"SELECT * FROM {scan(workspace, [part.file])} "
                        "WHERE student_id IS DISTINCT FROM $student",
                        params={"student": student_id},
                    ).write_parquet(
                        str(beside),
                        compression="zstd",
                        row_group_size=row_group_size(part.table),
                    )
                old.append(workspace.data / part.file)
                part.file = path.relative_to(workspace.data).as_posix()
                part.sha256 = sha256(path)
                part.rows -= count
                if place == 0:
                    batch.rows_read = max(0, batch.rows_read - count)
    known.write(workspace)
    for path in old:
        path.unlink(missing_ok=True)


def set_quarantined(workspace: Workspace, counts: Mapping[int, int]) -> None:
    """Let the list say how many rows of each batch are still in quarantine."""
    known = read_batches(workspace)
    before = known.model_copy(deep=True)
    for batch in known.batches:
        if batch.id in counts:
            less = batch.quarantined - counts[batch.id]
            batch.rows_read = max(0, batch.rows_read - less)
            batch.quarantined = counts[batch.id]
    if known != before:
        known.write(workspace)


def _next_name(workspace: Workspace, file: str) -> str:
    """Return a name that no file has yet: batch-000001.parquet, then batch-000001.2.parquet ..."""
    folder, _, name = file.rpartition("/")
    stem = name.split(".")[0]
    number = 2
    while (workspace.data / folder / f"{stem}.{number}.parquet").exists():
        number += 1
    return f"{folder}/{stem}.{number}.parquet"
