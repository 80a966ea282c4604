"""`ingest --undo`: as if a load had never been, whatever came after it, whenever it is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from earlywarn.cli import ingest as ingest_command
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.followup.labels import ORIGIN
from earlywarn.tables.batches import add_batch, attach, data_fingerprint, read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.tables.ingest import FileResult, IngestOptions, ingest
from earlywarn.tables.undo import batch_number, undo
from earlywarn.workspace import Workspace

# Ends as `kill -9` does, after the batch's own files and before the list of batches is in place.
KILLED_LOAD = """
import os, sys
from pathlib import Path
from earlywarn.tables import batchlist
from earlywarn.tables.ingest import ingest
from earlywarn.workspace import Workspace
batchlist.write_whole = lambda path, content: os._exit(9)
ingest(Workspace.open(Path(sys.argv[1])), "attendance", [Path(sys.argv[2])])
"""
# Ends after the new list is in place and before the batch's files are removed.
KILLED_UNDO = """
import os, sys
from pathlib import Path
from earlywarn.tables import batchlist
from earlywarn.tables.undo import undo
from earlywarn.workspace import Workspace
whole = batchlist.write_whole
def written_and_killed(path, content):
    whole(path, content)
    os._exit(9)
batchlist.write_whole = written_and_killed
undo(Workspace.open(Path(sys.argv[1])), int(sys.argv[2]), "t")
"""


def load(
    workspace: Workspace, text: str, options: IngestOptions | None = None, table: str = "attendance"
) -> FileResult:
    path = workspace.root.parent / f"{table}.csv"
    path.write_text(text, "utf-8")
    (result,) = ingest(workspace, table, [path], options).files
    assert result.error is None
    return result


def days(*rows: str) -> str:
    return "\n".join(["student_id,date,status", *rows]) + "\n"


def seen(workspace: Workspace, table: str = "attendance") -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        attach(con, workspace)
        return con.sql(f"FROM {table} ORDER BY ALL").fetchall()


def files(workspace: Workspace) -> list[str]:
    return sorted(p.relative_to(workspace.data).as_posix() for p in workspace.data.rglob("b*-0*.*"))


def cli(*arguments: str | Path) -> tuple[int, str]:
    app = typer.Typer()
    ingest_command.register(app)
    app.command("other")(lambda: None)  # so that `ingest` is named as in the program
    result = CliRunner().invoke(app, ["ingest", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_batch_in_the_middle_comes_out(workspace: Workspace) -> None:
    load(workspace, days("S1,2026-11-02,late", "S2,2026-11-02,sick"))
    load(workspace, days("S3,2026-11-02,leave"))
    without = seen(workspace), data_fingerprint(workspace)
    load(workspace, days("S1,2026-11-02,leave", "S2,2026-11-02,late", "S3,2026-11-02,late"))
    undone = undo(workspace, 3, "张三")
    assert undone.batch.id == 3
    assert (seen(workspace), data_fingerprint(workspace)) == without
    assert load(workspace, days("S1,2026-11-02,leave", "S2,2026-11-02,sick")).batch == 4
    load(workspace, days("S1,2026-11-02,unexcused"))
    undo(workspace, 4)
    assert [(row[0], row[2]) for row in seen(workspace)] == [
        ("S1", "unexcused"),
        ("S2", "sick"),
        ("S3", "leave"),
    ]
    undo(workspace, 5)
    assert (seen(workspace), data_fingerprint(workspace)) == without
    assert files(workspace) == [f"attendance/batch-00000{n}.parquet" for n in (1, 2)]
    known = read_batches(workspace)
    assert [(one.id, one.who) for one in known.undone] == [(3, "张三"), (4, ""), (5, "")]
    assert known.next_id == 6


def test_all_of_a_batch_goes(workspace: Workspace) -> None:
    """Its quarantine, its reported days, its word that a registry is complete."""
    registry = "student_id,school_id,grade\nS1,A,7\nS2,A,7\n"
    complete = IngestOptions(snapshot=date(2026, 9, 1), complete=True)
    load(workspace, registry, complete, "students")
    covers = IngestOptions(covers=(date(2026, 11, 2), date(2026, 11, 3)))
    wrong = load(workspace, days("S1,2026-11-02,late", "S2,2026-11-40,late"), covers)
    assert wrong.quarantine is not None
    assert len(seen(workspace, "reported_days")) == 2
    undo(workspace, 2)
    assert not wrong.quarantine.exists()
    assert seen(workspace, "reported_days") == []
    assert seen(workspace, "complete_registries") == [("A", date(2026, 9, 1))]
    undo(workspace, 1)
    assert seen(workspace, "complete_registries") == []
    assert files(workspace) == []


def test_a_file_may_be_loaded_again_after_its_undo(workspace: Workspace) -> None:
    text = days("S1,2026-11-02,late")
    load(workspace, text)
    undo(workspace, 1)
    again = load(workspace, text)
    assert (again.batch, again.loaded_before) == (2, False)


def test_numbers_that_cannot_be_undone(workspace: Workspace) -> None:
    with pytest.raises(EarlywarnError, match=r"There is no batch 1\. Nothing is loaded"):
        undo(workspace, 1)
    load(workspace, days("S1,2026-11-02,late"))
    load(workspace, days("S2,2026-11-02,late"))
    undo(workspace, 1, "王")
    with pytest.raises(EarlywarnError, match=r"Batch 1 was undone on .* by 王"):
        undo(workspace, 1)
    with pytest.raises(EarlywarnError, match=r"There is no batch 3\. The last ones are 2"):
        undo(workspace, 3)
    for wrong in ("", "0", "-1", "two", "1.0", "²"):
        with pytest.raises(UsageError, match="no batch's number"):
            batch_number(wrong)
    assert batch_number(" ３ ") == 3


def test_the_ledgers_outcomes_cannot_be_undone(workspace: Workspace) -> None:
    outcome = {"student_id": "S1", "date": date(2026, 11, 2), "event": "dropped_out"}
    rows = pa.Table.from_pylist([outcome], TABLES["outcomes"].schema)
    with workspace.lock("test"):
        add_batch(workspace, {"outcomes": rows}, origin=ORIGIN, content="1")
    with pytest.raises(EarlywarnError, match="would bring it back"):
        undo(workspace, 1)
    with workspace.lock("test"):
        add_batch(workspace, {"outcomes": rows}, origin=ORIGIN, content="2", instead_of=[1])
    with pytest.raises(EarlywarnError, match="newer outcomes of the ledger"):
        undo(workspace, 1)
    assert len(seen(workspace, "outcomes")) == 1


def test_a_load_killed_before_the_list_is_written(workspace: Workspace, tmp_path: Path) -> None:
    load(workspace, days("S1,2026-11-02,late"))
    before = seen(workspace), data_fingerprint(workspace)
    path = tmp_path / "next.csv"
    path.write_text(days("S1,2026-11-02,leave"), "utf-8")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_LOAD, str(workspace.root), str(path)], check=False
    )
    assert killed.returncode == 9
    assert "attendance/batch-000002.parquet" in files(workspace)
    assert (seen(workspace), data_fingerprint(workspace)) == before
    (result,) = ingest(workspace, "attendance", [path]).files
    assert (result.batch, result.replaced) == (2, 1)
    assert [row[2] for row in seen(workspace)] == ["leave"]


def test_an_undo_killed_before_the_files_are_removed(workspace: Workspace) -> None:
    load(workspace, days("S1,2026-11-02,late"))
    without = seen(workspace), data_fingerprint(workspace)
    load(workspace, days("S1,2026-11-02,leave"))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_UNDO, str(workspace.root), "2"], check=False
    )
    assert killed.returncode == 9
    assert "attendance/batch-000002.parquet" in files(workspace)
    assert (seen(workspace), data_fingerprint(workspace)) == without
    assert load(workspace, days("S1,2026-11-02,leave")).batch == 3
    assert [row[2] for row in seen(workspace)] == ["leave"]


def test_a_list_from_before_has_no_who_and_is_read(workspace: Workspace) -> None:
    """As format 1 was first written: without who, file, counts, scopes and undone batches."""
    load(workspace, days("S1,2026-11-02,late"))
    path = workspace.data / "batches.json"
    known = json.loads(path.read_bytes())
    (batch,) = known["batches"]
    old = ("id", "loaded_at", "origin", "content", "parts", "options", "quarantined", "replaced")
    known["batches"] = [{key: batch[key] for key in (*old, "complete")}]
    for part in batch["parts"]:
        del part["replaces"]
    del known["undone"]
    path.write_text(json.dumps(known), "utf-8")
    (read,) = read_batches(workspace).batches
    assert (read.who, read.file, read.rows_read) == ("", None, 0)
    code, said = cli("--list", "-w", workspace.root, "--lang", "en")
    assert (code, "attendance.csv" in said) == (0, True)
    undo(workspace, 1)
    assert seen(workspace) == []


def test_a_list_of_a_newer_program_is_refused(workspace: Workspace) -> None:
    (workspace.data / "batches.json").write_text('{"format": 2, "loads": []}', "utf-8")
    with pytest.raises(EarlywarnError, match="newer program"):
        read_batches(workspace)


def test_who_loaded_what(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "十一月.csv"
    text = days("S1,2026-11-02,late", "S1,2026-11-02,sick", "S2,2026-11-40,late")
    path.write_text(text, "utf-8")
    code, _ = cli("attendance", path, "-w", workspace.root, "--user", "张三")
    assert code == 3
    (batch,) = read_batches(workspace).batches
    assert batch.file is not None
    assert (batch.who, batch.file.name, batch.file.size) == ("张三", "十一月.csv", len(text))
    assert (batch.rows_read, batch.merged, batch.quarantined) == (3, 1, 1)
    assert batch.parts[0].rows == 1
    code, said = cli("--list", "-w", workspace.root)
    heads, row = said.strip().splitlines()[0], said.strip().splitlines()[2]
    assert heads.split() == ["批次", "时间", "操作人", "表、行数", "文件", "隔离", "选项"]
    for cell in ("1", "张三", "attendance 1", "十一月.csv", "mapping=canonical"):
        assert cell in row


def test_the_command(workspace: Workspace) -> None:
    load(workspace, days("S1,2026-11-02,late"))
    load(workspace, days("S1,2026-11-02,leave"))
    root = workspace.root
    code, said = cli("--undo", "2", "-w", root, "--lang", "en", "--user", "u")
    assert (code, "Batch 2 (attendance.csv) is undone: attendance 1 row." in said) == (0, True)
    code, said = cli("--undo", "2", "-w", root)
    assert (code, "批次 2 已于" in said) == (1, True)
    code, said = cli("--undo", "x", "-w", root)
    assert (code, "不是批次号" in said) == (2, True)
    code, said = cli("attendance", "--undo", "1", "-w", root)
    assert (code, "--undo 须单独使用" in said) == (2, True)
    code, said = cli("--undo", "1", "-w", root, "--json")
    assert code == 0
    assert json.loads(said) == {
        "undone": 1,
        "origin": "attendance.csv",
        "rows": {"attendance": 1},
        "left": [],
    }
