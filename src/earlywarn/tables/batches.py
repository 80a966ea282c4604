"""The accepted tables as they lie on disk: batches, and the views that put them together.

A load is a batch. `data/batches.json` lists the batches in force, oldest first; a Parquet file
that it does not name does not exist for the program, so a killed load leaves the state as it was.
Where two batches hold the same key, the one loaded later wins; batches are never rewritten, so a
batch can be taken out again as if it had never been.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn.errors import EarlywarnError
from earlywarn.files import sha256, whole_file, write_whole
from earlywarn.tables.contract import TABLES, Table
from earlywarn.workspace import Workspace

BATCHES_FILE = "batches.json"


class Part(BaseModel):
    """The rows that one batch put into one table."""

    model_config = ConfigDict(extra="forbid")

    table: str
    file: str  # below data/, with forward slashes
    rows: int
    sha256: str
    # Earlier batches that hold a key of this one: their rows of that key count no more.
    overrides: list[int] = Field(default_factory=list)
    # attendance only: True if every student and date stands once here and in no other batch.
    one_row_a_day: bool = False


class Batch(BaseModel):
    """One load."""

    model_config = ConfigDict(extra="forbid")

    id: int
    loaded_at: str
    origin: str  # the file's name, or what made the rows
    content: str  # hash over content, table and options: equal = the same load
    parts: list[Part]
    options: dict[str, str] = Field(default_factory=dict)
    quarantined: int = 0
    replaced: int = 0  # rows of earlier batches whose key this one has too
    # students only: schools whose whole registry this file is, from its snapshot date on
    complete: list[tuple[str, str]] = Field(default_factory=list)


class BatchList(BaseModel):
    """`data/batches.json`."""

    model_config = ConfigDict(extra="forbid")

    format: int = 1
    next_id: int = 1
    batches: list[Batch] = Field(default_factory=list)


def read_batches(workspace: Workspace) -> BatchList:
    """Return the batches in force, oldest first (an empty list in a new workspace)."""
    path = workspace.data / BATCHES_FILE
    if not path.exists():
        return BatchList()
    try:
        return BatchList.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise EarlywarnError(
            zh=f"{path} 已损坏，无法读取。请从备份恢复。",
            en=f"{path} is damaged and cannot be read. Restore it from a backup.",
        ) from None


def add_batch(
    workspace: Workspace,
    rows: dict[str, pa.Table],
    *,
    origin: str,
    content: str,
    options: dict[str, str] | None = None,
    quarantined: int = 0,
    complete: Iterable[tuple[str, str]] = (),
    instead_of: Iterable[int] = (),
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
    complete
        Pairs (school_id, ISO date): that school's whole registry is in this file from that day.
    instead_of
        Batches that this one takes the place of: they are out of force from the same moment.
    """
    known = read_batches(workspace)
    gone = set(instead_of)
    known.batches = [batch for batch in known.batches if batch.id not in gone]
    batch_id = known.next_id
    parts: list[Part] = []
    replaced = 0
    with _whole_data(workspace, known), duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false").fetchall()
        for name, table in rows.items():
            part, count = _write_part(con, workspace, known, batch_id, TABLES[name], table)
            parts.append(part)
            replaced += count
    batch = Batch(
        id=batch_id,
        loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        origin=origin,
        content=content,
        parts=parts,
        options=options or {},
        quarantined=quarantined,
        replaced=replaced,
        complete=sorted(complete),
    )
    known.batches.append(batch)
    known.next_id = batch_id + 1
    write_whole(workspace.data / BATCHES_FILE, known.model_dump_json(indent=1))
    return batch


def _write_part(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    known: BatchList,
    batch_id: int,
    table: Table,
    rows: pa.Table,
) -> tuple[Part, int]:
    """Write one table's rows of a batch; return the part and how many earlier rows it replaces."""
    rows = rows.select([c.name for c in table.columns]).cast(table.schema)
    file = f"{table.name}/batch-{batch_id:06d}.parquet"
    path = workspace.data / file
    # Sorted by date where there is one: a reader of recent weeks skips the older row groups.
    order = [c for c in ("date", *table.key) if c in rows.column_names]
    order = list(dict.fromkeys(order))
    con.register("incoming", rows)
    by = "" if _in_order(rows, order) else "ORDER BY " + ", ".join(f'"{c}"' for c in order)
    with whole_file(path) as beside:
        con.sql(f"SELECT * FROM incoming {by}").write_parquet(
            str(beside), compression="zstd", row_group_size=122_880
        )
    match = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in table.key)

    def shared_with(files: list[str]) -> int:
        """Count this file's rows whose key stands in `files`: each once, however often it does."""
        ((count,),) = con.execute(
            f"SELECT count(*) FROM incoming AS n SEMI JOIN {_scan(workspace, files)} AS o "
            f"ON {match}"
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


def _in_order(rows: pa.Table, order: list[str]) -> bool:
    """Whether `rows` stand in this order already (False also where a column has some NULLs)."""
    tied = np.ones(max(rows.num_rows - 1, 0), dtype=bool)
    for name in order:
        column = rows[name].combine_chunks()
        if column.null_count == len(column):
            continue
        if column.null_count:
            return False
        before, after = column[:-1], column[1:]
        if (tied & np.asarray(pc.greater(before, after))).any():
            return False
        tied &= np.asarray(pc.equal(before, after))
        if not tied.any():
            return True
    return True


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
        f'SELECT min("{days[0]}"), max("{days[0]}") FROM {_scan(workspace, [part.file])}'
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
        f"SELECT 1 FROM incoming SEMI JOIN {_scan(workspace, earlier)} AS o "
        "USING (student_id, date) LIMIT 1"
    ).fetchall()
    return not shared


def _quoted(path: Path) -> str:
    return "'" + path.as_posix().replace("'", "''") + "'"


def _scan(workspace: Workspace, files: list[str]) -> str:
    listed = ", ".join(_quoted(workspace.data / file) for file in files)
    return f"read_parquet([{listed}])"


def table_files(workspace: Workspace, name: str) -> list[Path]:
    """Return the Parquet files in force of one table, oldest batch first."""
    parts = [p for b in read_batches(workspace).batches for p in b.parts if p.table == name]
    return [workspace.data / part.file for part in parts]


def _view_sql(workspace: Workspace, known: BatchList, table: Table) -> str:
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    parts = [(b.id, p) for b in known.batches for p in b.parts if p.table == table.name and p.rows]
    if not parts:
        nulls = ", ".join(f'CAST(NULL AS {c.sql_type}) AS "{c.name}"' for c in table.columns)
        return f"SELECT {nulls} WHERE FALSE"
    overridden: dict[int, list[str]] = {}
    for _, part in parts:
        for old in part.overrides:
            overridden.setdefault(old, []).append(part.file)
    whole = [part.file for batch_id, part in parts if batch_id not in overridden]
    branches = [f"SELECT {columns} FROM {_scan(workspace, whole)}"] if whole else []
    for batch_id, part in parts:
        if batch_id in overridden:
            match = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in table.key)
            selected = ", ".join(f'o."{c.name}"' for c in table.columns)
            branches.append(
                f"SELECT {selected} FROM {_scan(workspace, [part.file])} AS o "
                f"ANTI JOIN {_scan(workspace, overridden[batch_id])} AS n ON {match}"
            )
    return " UNION ALL ".join(branches)


@contextmanager
def _whole_data(workspace: Workspace, known: BatchList) -> Iterator[None]:
    """Where DuckDB fails because a table's file is missing or cut off, name the file."""
    try:
        yield
    except duckdb.Error:
        for part in (part for batch in known.batches for part in batch.parts):
            path = workspace.data / part.file
            if not path.is_file() or sha256(path) != part.sha256:
                raise EarlywarnError(
                    zh=f"{path} 缺失或已损坏。请从备份恢复这个文件。",
                    en=f"{path} is missing or damaged. Restore it from a backup.",
                ) from None
        raise


def attach(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Make one view for each table of the contract, and `complete_registries`, in `con`.

    A row whose key a later batch has too is not in the view. `complete_registries` (school_id,
    snapshot_date) lists the registry files that name all of a school's students.
    """
    known = read_batches(workspace)
    with _whole_data(workspace, known):
        for table in TABLES.values():
            sql = _view_sql(workspace, known, table)
            con.execute(f"CREATE OR REPLACE TEMP VIEW {table.name} AS {sql}")
    complete = pa.table(
        {
            "school_id": pa.array([s for b in known.batches for s, _ in b.complete], pa.string()),
            "snapshot_date": pa.array(
                [d for b in known.batches for _, d in b.complete], pa.string()
            ).cast(pa.date32()),
        }
    )
    con.register("complete_registries_rows", complete)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE complete_registries AS SELECT * FROM complete_registries_rows"
    )
    con.unregister("complete_registries_rows")


def one_row_a_day(workspace: Workspace) -> bool:
    """Whether attendance has one row for a student and day (then no sessions must be folded)."""
    parts = [p for b in read_batches(workspace).batches for p in b.parts if p.table == "attendance"]
    return all(p.one_row_a_day for p in parts)


def data_fingerprint(workspace: Workspace) -> dict[str, Any]:
    """Return what identifies the data in force: for each table its parts' hashes, in order."""
    found: dict[str, Any] = {name: [] for name in TABLES}
    for batch in read_batches(workspace).batches:
        for part in batch.parts:
            found[part.table].append(part.sha256)
        for school, day in batch.complete:
            found.setdefault("complete", []).append([school, day])
    return found
