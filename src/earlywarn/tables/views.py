"""The tables as views: the rows of the batches in force that count.

Where two batches hold the same key, the later one's row counts; what a later batch replaces
(scopes) does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from earlywarn.errors import EarlywarnError
from earlywarn.files import sha256
from earlywarn.tables.batchlist import BatchList, read_batches
from earlywarn.tables.contract import TABLES, Table
from earlywarn.tables.scopes import (
    REACH,
    make_scopes,
    make_stays,
    takes_off_registry,
    without_replaced,
)
from earlywarn.workspace import Workspace


def parquet_of(files: Iterable[Path]) -> str:
    """Return the SQL that reads Parquet files as one table."""
    quoted = ("'" + file.as_posix().replace("'", "''") + "'" for file in files)
    return f"read_parquet([{', '.join(quoted)}])"


def scan(workspace: Workspace, files: list[str]) -> str:
    """Return the SQL that reads `files` (below data/) as one table."""
    return parquet_of(workspace.data / file for file in files)


def view_sql(workspace: Workspace, known: BatchList, table: Table) -> str:
    """Return the rows of `table` that count, as SQL for a connection with `replaced_scopes`.

    Where something is replaced by its students' schools, it needs `school_stays` too.
    """
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    all_parts = [(b.id, p) for b in known.batches for p in b.parts if p.table == table.name]
    parts = [(batch_id, part) for batch_id, part in all_parts if part.rows]
    if not parts:
        nulls = ", ".join(f'CAST(NULL AS {c.sql_type}) AS "{c.name}"' for c in table.columns)
        return f"SELECT {nulls} WHERE FALSE"
    overridden: dict[int, list[str]] = {}
    replaced: dict[int, list[int]] = {}
    for batch_id, part in all_parts:
        for old in part.overrides:
            overridden.setdefault(old, []).append(part.file)
        for old in part.replaces.batches if part.replaces else []:
            replaced.setdefault(old, []).append(batch_id)
    touched = overridden.keys() | replaced.keys()
    whole = [part.file for batch_id, part in parts if batch_id not in touched]
    branches = [f"SELECT {columns} FROM {scan(workspace, whole)}"] if whole else []
    selected = ", ".join(f'o."{c.name}"' for c in table.columns)
    match = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in table.key)
    for batch_id, part in parts:
        if batch_id not in touched:
            continue
        branch = f"SELECT {selected} FROM {scan(workspace, [part.file])} AS o"
        if batch_id in overridden:
            branch += f" ANTI JOIN {scan(workspace, overridden[batch_id])} AS n ON {match}"
        if batch_id in replaced:
            branch += f" {without_replaced(table.name, replaced[batch_id])}"
        branches.append(branch)
    return " UNION ALL ".join(branches)


@contextmanager
def whole_data(workspace: Workspace, known: BatchList) -> Iterator[None]:
    """Where DuckDB fails because a table's file is missing or cut off, name the file."""
    try:
        yield
    except duckdb.Error:
        found = find_damage(workspace, known)
        if found is not None:
            raise found from None
        raise


def find_damage(workspace: Workspace, known: BatchList) -> EarlywarnError | None:
    """Return the error of the first table's file that is missing or not what was accepted."""
    for part in (part for batch in known.batches for part in batch.parts):
        path = workspace.data / part.file
        if not path.is_file() or sha256(path) != part.sha256:
            return damaged(path)
    return None


def damaged(path: Path) -> EarlywarnError:
    """Return the error of a table's file that is not what was accepted."""
    return EarlywarnError(
        zh=f"{path} 缺失或已损坏。请从备份恢复这个文件。",
        en=f"{path} is missing or damaged. Restore it from a backup.",
    )


def attach(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Make one view for each table of the contract, and `complete_registries`, in `con`.

    A row whose key a later batch has too is not in the view. `complete_registries` (school_id,
    snapshot_date) lists the registry files that name all of a school's students.
    """
    known = read_batches(workspace)
    replacing = {
        part.table for batch in known.batches for part in batch.parts if part.replaces is not None
    }
    with whole_data(workspace, known):
        if replacing:
            make_scopes(con, known)
        for table in TABLES.values():
            sql = view_sql(workspace, known, table)
            con.execute(f"CREATE OR REPLACE TEMP VIEW {table.name} AS {sql}")
            if table.name == "students" and any(REACH[name].by_student for name in replacing):
                make_stays(con)
    claims = _complete_registries(known)
    complete = pa.table(
        {
            "school_id": pa.array([school for school, _ in claims], pa.string()),
            "snapshot_date": pa.array([day for _, day in claims], pa.string()).cast(pa.date32()),
        }
    )
    con.register("complete_registries_rows", complete)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE complete_registries AS SELECT * FROM complete_registries_rows"
    )
    con.unregister("complete_registries_rows")


def _complete_registries(known: BatchList) -> list[tuple[str, str]]:
    """Return the (school, ISO date) whose whole registry is known, as far as not replaced since."""
    scopes = [
        part.replaces
        for batch in known.batches
        for part in batch.parts
        if part.table == "students" and part.replaces is not None
    ]
    return [
        (school, day)
        for batch in known.batches
        for school, day in batch.complete
        if not any(
            batch.id in scope.batches and takes_off_registry(scope, school, day) for scope in scopes
        )
    ]
