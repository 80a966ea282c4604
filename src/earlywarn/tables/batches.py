"""The accepted tables as they lie on disk: each load adds a batch of Parquet files.

`batchlist` says which batches are in force, `views` which of their rows count. Batches are never
rewritten but by `forget`, so one can be taken out again (`undo`) as if it had never been.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.files import sha256, whole_file
from earlywarn.tables.batchlist import (
    BATCHES_FILE,
    Batch,
    BatchList,
    LoadedFile,
    Mends,
    Part,
    Scope,
    SourceFile,
    now,
    read_batches,
)
from earlywarn.tables.contract import TABLES, Table
from earlywarn.tables.forgotten import without_forgotten
from earlywarn.tables.order import in_order, row_group_size, stored_order
from earlywarn.tables.views import attach, scan, whole_data
from earlywarn.workspace import Workspace

__all__ = [
    "BATCHES_FILE",
    "Batch",
    "BatchList",
    "Part",
    "SourceFile",
    "add_batch",
    "attach",
    "data_fingerprint",
    "one_row_a_day",
    "read_batches",
    "table_files",
]


def add_batch(
    workspace: Workspace,
    rows: dict[str, pa.Table],
    *,
    origin: str,
    content: str,
    who: str = "",
    file: SourceFile | None = None,
    files: Iterable[LoadedFile] = (),
    options: dict[str, str] | None = None,
    rows_read: int = 0,
    merged: int = 0,
    quarantined: int = 0,
    withdrawn: int = 0,
    replaces: dict[str, Scope] | None = None,
    complete: Iterable[tuple[str, str]] = (),
    instead_of: Iterable[int] = (),
    mends: Mends | None = None,
    ordered: Collection[str] = (),
) -> Batch:
    """Put accepted `rows` into the workspace as one batch: all of them, or none.

    The caller holds the workspace's lock.

    Parameters
    ----------
    rows
        For each table its rows, with exactly the contract's columns and types, unique by key.
    origin
        The file's name, or what made the rows.
    content
        Hash over content, table and options, by which a second load of the same is known.
    who, file, files, options, rows_read, merged, quarantined, withdrawn
        What the list of batches says of the load.
    replaces
        By table, what this batch takes out of earlier ones.
    complete
        Pairs (school_id, ISO date): that school's whole registry is in this file from that day.
    instead_of
        Batches that this one takes the place of: they are out of force from the same moment.
    mends
        Which rows of an earlier batch's quarantine these are.
    ordered
        Tables of `rows` that are known to stand in the order in which they are stored.
    """
    known = read_batches(workspace)
    gone = set(instead_of)
    known.batches = [batch for batch in known.batches if batch.id not in gone]
    batch_id = known.next_id
    parts: list[Part] = []
    replaced = 0
    with whole_data(workspace, known), duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false").fetchall()
        for name, table in rows.items():
            kept, _ = without_forgotten(workspace, table)
            part, count = _write_part(
                con, workspace, known, batch_id, TABLES[name], kept, ordered=name in ordered
            )
            part.replaces = (replaces or {}).get(name)
            parts.append(part)
            replaced += count
    batch = Batch(
        id=batch_id,
        loaded_at=now(),
        who=who,
        origin=origin,
        content=content,
        file=file,
        files=list(files),
        parts=parts,
        options=options or {},
        rows_read=rows_read,
        merged=merged,
        quarantined=quarantined,
        replaced=replaced,
        withdrawn=withdrawn,
        complete=sorted(complete),
        mends=mends,
    )
    known.batches.append(batch)
    known.next_id = batch_id + 1
    known.write(workspace)
    return batch


def _write_part(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    known: BatchList,
    batch_id: int,
    table: Table,
    rows: pa.Table,
    *,
    ordered: bool,
) -> tuple[Part, int]:
    """Write one table's rows of a batch; return the part and how many earlier rows it replaces."""
    rows = rows.select([c.name for c in table.columns]).cast(table.schema)
    file = f"{table.name}/batch-{batch_id:06d}.parquet"
    path = workspace.data / file
    order = stored_order(table, rows.column_names)
    con.register("incoming", rows)
    by = (
        ""
        if ordered or in_order(rows, order)[0]
        else "ORDER BY " + ", ".join(f'"{c}"' for c in order)
    )
    with whole_file(path) as beside:
        con.sql(f"SELECT * FROM incoming {by}").write_parquet(
            str(beside), compression="zstd", row_group_size=row_group_size(table.name)
        )
    match = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in table.key)

    def shared_with(files: list[str]) -> int:
        """Count this file's rows whose key stands in `files`: each once, however often it does."""
        ((count,),) = con.execute(
            f"SELECT count(*) FROM incoming AS n SEMI JOIN {scan(workspace, files)} AS o ON {match}"
        ).fetchall()
        return int(count)

    overrides: list[int] = []
    replaced = 0
    older: list[str] = []
    for batch in known.batches:
        for part in batch.parts:
            if part.table != table.name or not _may_share(con, workspace, table, part, rows):
                continue
            shared = shared_with([part.file])
            if shared:
                overrides.append(batch.id)
                older.append(part.file)
                replaced = shared
    if len(older) > 1:
        replaced = shared_with(older)
    one_row = table.name == "attendance" and _one_row_a_day(con, workspace, known, rows)
    con.unregister("incoming")
    return (
        Part(
            table=table.name,
            file=file,
            rows=rows.num_rows,
            sha256=sha256(path),
            overrides=overrides,
            one_row_a_day=one_row,
        ),
        replaced,
    )


def _may_share(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, table: Table, part: Part, rows: pa.Table
) -> bool:
    """Whether a part can hold a key of `rows`: its dates and theirs overlap (read off statistics).

    Loading year after year would otherwise compare every new row with all that came before.
    """
    if not part.rows or not rows.num_rows:
        return False
    days = [c for c in table.key if table.column(c).type == "date"]
    if not days or rows[days[0]].null_count:
        return True
    ((low, high),) = con.execute(
        f'SELECT min("{days[0]}"), max("{days[0]}") FROM {scan(workspace, [part.file])}'
    ).fetchall()
    bounds = pc.min_max(rows[days[0]]).as_py()
    return not (bounds["max"] < low or high < bounds["min"])


def _one_row_a_day(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, known: BatchList, rows: pa.Table
) -> bool:
    """Whether no student of `incoming` has two rows for one day, there or in an earlier batch."""
    # Unique by key: where no row names a session, student and date alone are unique.
    if rows["session"].null_count < rows.num_rows:
        twice = con.execute(
            "SELECT 1 FROM incoming GROUP BY student_id, date HAVING count(*) > 1 LIMIT 1"
        ).fetchall()
        if twice:
            return False
    earlier = [
        part.file
        for batch in known.batches
        for part in batch.parts
        if part.table == "attendance"
        and _may_share(con, workspace, TABLES["attendance"], part, rows)
    ]
    if not earlier:
        return True
    shared = con.execute(
        f"SELECT 1 FROM incoming SEMI JOIN {scan(workspace, earlier)} AS o "
        "USING (student_id, date) LIMIT 1"
    ).fetchall()
    return not shared


def table_files(workspace: Workspace, name: str) -> list[Path]:
    """Return the Parquet files in force of one table, oldest batch first."""
    parts = [p for b in read_batches(workspace).batches for p in b.parts if p.table == name]
    return [workspace.data / part.file for part in parts]


def one_row_a_day(workspace: Workspace) -> bool:
    """Whether attendance has one row for a student and day (then no sessions must be folded)."""
    parts = [p for b in read_batches(workspace).batches for p in b.parts if p.table == "attendance"]
    return all(p.one_row_a_day for p in parts)


def data_fingerprint(workspace: Workspace) -> dict[str, Any]:
    """Return what identifies the data in force: for each table its parts' hashes, in order.

    Behind the hash of a replacing part stands what it replaces, the earlier parts by their hashes.
    """
    found: dict[str, Any] = {name: [] for name in TABLES}
    known = read_batches(workspace)
    hashes = {(batch.id, p.table): p.sha256 for batch in known.batches for p in batch.parts}
    for batch in known.batches:
        for part in batch.parts:
            found[part.table].append(part.sha256)
            if part.replaces is not None:
                older = [(old, part.table) for old in part.replaces.batches]
                scope = part.replaces.model_dump(mode="json", exclude={"batches"})
                scope["parts"] = [hashes[key] for key in older if key in hashes]
                found[part.table].append(scope)
        for school, day in batch.complete:
            found.setdefault("complete", []).append([school, day])
    return found
