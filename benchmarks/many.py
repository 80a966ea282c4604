"""A generated city many times over: as many counties as one likes, without anybody in common.

    python benchmarks/many.py CITY TARGET TIMES [full|exceptions]

Each copy's students and schools get a letter of their own before their ids, so that copies differ
in nothing else; each is a batch of its own, as counties' files are. Calendar rows for all schools
stand once.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb

from earlywarn.files import sha256
from earlywarn.tables.batches import table_files
from earlywarn.tables.batchlist import Batch, BatchList, Part, read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.tables.order import row_group_size
from earlywarn.workspace import CONFIG_FILE, Config, Workspace, config_text

KEPT = ("rules", "mappings", "models", "escalation.yaml")


def multiply(
    city: Workspace, root: Path, times: int, attendance: str | None = None, memory: str = ""
) -> Workspace:
    """Make a workspace at `root` that holds `city` `times` times over.

    The city's batches must replace nothing of one another. `attendance` and `memory` (the memory
    limit) go before the city's config.
    """
    root.mkdir(parents=True)
    for name in KEPT:
        source = city.root / name
        if source.is_dir():
            shutil.copytree(source, root / name)
        elif source.is_file():
            shutil.copy(source, root / name)
    settings = city.config.model_dump() | {"memory_limit": memory}
    if attendance is not None:
        settings["attendance"] = attendance
    (root / CONFIG_FILE).write_text(config_text(Config.model_validate(settings)), "utf-8")
    workspace = Workspace.open(root)
    known = read_batches(city)
    if any(p.overrides or p.replaces for b in known.batches for p in b.parts):
        raise ValueError("the city's batches replace one another")
    copies = BatchList(next_id=1)
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        for copy in range(times):
            for batch in known.batches:
                copies.batches.append(_copied(con, city, workspace, batch, copies.next_id, copy))
                copies.next_id += 1
    copies.write(workspace)
    return workspace


def _copied(
    con: duckdb.DuckDBPyConnection,
    city: Workspace,
    workspace: Workspace,
    batch: Batch,
    number: int,
    copy: int,
) -> Batch:
    prefix = f"{copy:03d}-"
    parts: list[Part] = []
    for part in batch.parts:
        names = [column.name for column in TABLES[part.table].columns]
        columns = ", ".join(
            f"'{prefix}' || {name} AS {name}"
            if name in ("student_id", "school_id")
            else f'"{name}"'
            for name in names
        )
        once = "WHERE school_id IS NOT NULL" if copy and part.table == "calendar" else ""
        file = f"{part.table}/batch-{number:06d}.parquet"
        path = workspace.data / file
        path.parent.mkdir(parents=True, exist_ok=True)
        con.execute(
            f"COPY (SELECT {columns} FROM read_parquet(?) {once}) TO '{path.as_posix()}' "
            f"(COMPRESSION zstd, ROW_GROUP_SIZE {row_group_size(part.table)})",
            [str(city.data / part.file)],
        )
        ((rows,),) = con.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchall()
        parts.append(part.model_copy(update={"file": file, "rows": rows, "sha256": sha256(path)}))
    complete = [(prefix + school, day) for school, day in batch.complete]
    return batch.model_copy(update={"id": number, "parts": parts, "complete": complete})


def rows_of(workspace: Workspace, table: str) -> int:
    """Return how many rows of a table are in force, of a workspace that replaces nothing."""
    with duckdb.connect() as con:
        files = [str(path) for path in table_files(workspace, table)]
        ((rows,),) = con.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchall()
    return int(rows)


if __name__ == "__main__":
    source, target, count, *mode = sys.argv[1:]
    made = multiply(Workspace.open(Path(source)), Path(target), int(count), *mode)
    print(made.root, {name: rows_of(made, name) for name in ("students", "attendance", "exams")})
