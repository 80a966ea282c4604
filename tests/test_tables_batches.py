"""Batches: the later one wins, and a file that is not named does not exist."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.tables.batches import (
    add_batch,
    attach,
    data_fingerprint,
    one_row_a_day,
    read_batches,
    table_files,
)
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Workspace

DAY = date(2026, 11, 20)


def attendance(*rows: tuple[str, str, str | None]) -> pa.Table:
    lines = [
        {"student_id": student, "date": DAY, "status": status, "session": session}
        for student, status, session in rows
    ]
    return pa.Table.from_pylist(lines, TABLES["attendance"].schema)


def add(workspace: Workspace, rows: pa.Table) -> int:
    with workspace.lock("test"):
        return add_batch(workspace, {"attendance": rows}, origin="t", content="c").replaced


def seen(workspace: Workspace) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        attach(con, workspace)
        return con.sql("SELECT student_id, status, session FROM attendance ORDER BY ALL").fetchall()


def test_an_empty_workspace_has_empty_views(workspace: Workspace) -> None:
    with duckdb.connect() as con:
        attach(con, workspace)
        for name, table in TABLES.items():
            assert con.sql(f"FROM {name}").to_arrow_table().schema.names == table.schema.names
        assert con.sql("FROM complete_registries").fetchall() == []


def test_the_later_batch_wins_by_key_nulls_included(workspace: Workspace) -> None:
    assert add(workspace, attendance(("S1", "late", None), ("S2", "sick", "am"))) == 0
    assert add(workspace, attendance(("S1", "present", None), ("S2", "late", "pm"))) == 1
    assert seen(workspace) == [
        ("S1", "present", None),
        ("S2", "late", "pm"),
        ("S2", "sick", "am"),
    ]
    add(workspace, attendance(("S1", "sick", None)))
    assert seen(workspace)[0] == ("S1", "sick", None)
    assert [batch.id for batch in read_batches(workspace).batches] == [1, 2, 3]


def test_one_row_a_day(workspace: Workspace) -> None:
    add(workspace, attendance(("S1", "late", None), ("S2", "sick", None)))
    assert one_row_a_day(workspace)
    add(workspace, attendance(("S1", "late", "am")))
    assert not one_row_a_day(workspace)


def test_a_file_that_no_batch_names_does_not_exist(workspace: Workspace) -> None:
    add(workspace, attendance(("S1", "late", None)))
    before = data_fingerprint(workspace)
    (first,) = table_files(workspace, "attendance")
    (first.parent / "batch-000002.parquet").write_bytes(first.read_bytes())
    assert seen(workspace) == [("S1", "late", None)]
    assert data_fingerprint(workspace) == before


def test_a_damaged_list_is_refused(workspace: Workspace) -> None:
    (workspace.data / "batches.json").write_text("{", "utf-8")
    with pytest.raises(EarlywarnError, match="damaged"):
        read_batches(workspace)


def test_rows_stand_on_disk_as_they_are_read(workspace: Workspace) -> None:
    """Attendance by day; all else by its key; the registry in groups for several processors."""
    students = pa.Table.from_pylist(
        [
            {"student_id": f"S{n:05}", "snapshot_date": DAY, "school_id": "A", "grade": 7}
            for n in range(30_000, 0, -1)
        ],
        TABLES["students"].schema,
    )
    marks = pa.Table.from_pylist(
        [
            {"student_id": student, "date": day, "exam": "e", "subject": "maths", "score": 60}
            for day in (DAY, date(2026, 9, 1))
            for student in ("S2", "S1")
        ],
        TABLES["exams"].schema,
    )
    rows = {"students": students, "exams": marks, "attendance": attendance(("S1", "late", None))}
    twice = [rows["attendance"], rows["attendance"].set_column(1, "date", [[date(2026, 9, 1)]])]
    rows["attendance"] = pa.concat_tables([t.cast(TABLES["attendance"].schema) for t in twice])
    with workspace.lock("test"):
        add_batch(workspace, rows, origin="t", content="c")
    stored = {name: pq.ParquetFile(table_files(workspace, name)[0]) for name in rows}
    assert stored["students"].num_row_groups == 2
    for name, order in {
        "students": ["student_id"],
        "exams": ["student_id", "date"],
        "attendance": ["date", "student_id"],
    }.items():
        found = stored[name].read(order)
        assert found.num_rows == rows[name].num_rows
        assert found.equals(found.sort_by([(column, "ascending") for column in order])), name
