"""A child is forgotten: nothing of it is left in any file, and nothing else is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.files import sha256
from earlywarn.followup.importing import import_files
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.returned import read_returned
from earlywarn.followup.returned.signing import workbook_key
from earlywarn.forgetting import forget, pending
from earlywarn.scoring.run import run_folders
from earlywarn.tables.batches import read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.tables.ingest import IngestOptions, ingest
from earlywarn.watchlist.explain import explain_student
from earlywarn.watchlist.weekly import score_and_list
from earlywarn.workspace import Workspace
from forgetting_world import (
    CHILD,
    NAME,
    NEEDLES,
    PHONE,
    TWIN,
    TWIN_NAME,
    WEEKS,
    holding,
    make,
)

KILLED = """
import os, sys
from pathlib import Path
from earlywarn.forgetting import forget
from earlywarn.workspace import Workspace

left = int(sys.argv[3])

def stage(name):
    global left
    left -= 1
    if not left:
        os._exit(9)

forget(Workspace.open(Path(sys.argv[1])), sys.argv[2], who="t", stage=stage)
"""


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The village with everything that names the child; to be read only."""
    return make(tmp_path_factory.mktemp("forgetting") / "某县 2026")


@pytest.fixture(scope="module")
def forgotten(county: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The village after the child was forgotten; to be read only."""
    workspace = copy_of(county, tmp_path_factory.mktemp("forgotten") / "某县 2026")
    forget(workspace, CHILD, who="张三")
    return workspace


@pytest.fixture
def workspace(county: Workspace, tmp_path: Path) -> Workspace:
    return copy_of(county, tmp_path / "某县 2026")


def copy_of(workspace: Workspace, root: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(workspace.root, root)))


def table_rows(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    con = connect(workspace)
    try:
        return {
            name: sorted(con.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in TABLES
        }
    finally:
        con.close()


def test_the_search_finds_what_there_is_to_find(county: Workspace) -> None:
    found = holding(county.root)
    kinds = {Path(name).suffix for name in found}
    assert kinds >= {".csv", ".parquet", ".html", ".json", ".xlsx", ".db", ".log"}
    for name in (
        "data/_quarantine/batch-000005.parquet",
        "data/_quarantine/batch-000005.xlsx",
        "impact/2026-04-10/impact.json",
        "ledger.db",
        "runs/2026-04-03/1/watchlists/schools/VA 甲中学.xlsx",
        "runs/daily/2026-04-10/daily.html",
        "source/名册.csv",
    ):
        assert name in found


def test_no_file_holds_the_child(forgotten: Workspace) -> None:
    assert holding(forgotten.root) == {}
    assert pending(forgotten) is None
    assert not list(forgotten.root.glob("ledger.db-*"))


def test_everybody_else_is_as_before(county: Workspace, forgotten: Workspace) -> None:
    before, after = table_rows(county), table_rows(forgotten)
    for name, rows in before.items():
        assert after[name] == [row for row in rows if row[0] != CHILD]
    for run in (path for day in WEEKS for path in run_folders(county, day)):
        was, now = run.scores(), run_folders(forgotten, run.as_of)[-1].scores()
        kept = [row for row in was.to_pylist() if row["student_id"] != CHILD]
        assert now.to_pylist() == kept  # ranks keep their numbers
        assert now.schema == was.schema
    names = Path("runs/2026-04-10/1/watchlists/bureau/watchlist.json")
    was, now = (json.loads((w.root / names).read_text("utf-8")) for w in (county, forgotten))
    for school in was["schools"]:
        school["children"] = [c for c in school["children"] if c["student_id"] != CHILD]
    assert now == was
    with Ledger.open(county) as one, Ledger.open(forgotten) as other:
        kept_cases = [(c.id, c.student_id, c.person) for c in one.cases() if c.student_id != CHILD]
        assert [(c.id, c.student_id, c.person) for c in other.cases()] == kept_cases
        assert other.check() == ()


def test_the_list_of_batches_follows(county: Workspace, forgotten: Workspace) -> None:
    before = {batch.id: batch for batch in read_batches(county).batches}
    for batch in read_batches(forgotten).batches:
        for part in batch.parts:
            path = forgotten.data / part.file
            assert sha256(path) == part.sha256
            assert pq.read_metadata(path).num_rows == part.rows
    loaded = read_batches(forgotten).batches[-1]
    assert (before[loaded.id].quarantined, loaded.quarantined) == (3, 2)
    files = {p.relative_to(forgotten.data).as_posix() for p in forgotten.data.rglob("*.parquet")}
    files.remove("_quarantine/batch-000005.parquet")
    assert files == {p.file for b in read_batches(forgotten).batches for p in b.parts}


def test_old_runs_say_that_they_were_rewritten(forgotten: Workspace) -> None:
    for folder, told in (
        ("runs/2026-04-03/1", "run.json"),
        ("runs/2026-04-10/1", "run.json"),
        ("runs/daily/2026-04-10", "round.json"),
        ("impact/2026-04-10", "impact.json"),
    ):
        info = json.loads((forgotten.root / folder / told).read_text("utf-8"))
        (noted,) = info["rewritten"]
        assert noted["why"] == "a child was forgotten"
        assert noted["files"]
        if told == "run.json":
            assert info["scores_sha256"] == sha256(forgotten.root / folder / "scores.parquet")
        if not folder.startswith("impact"):  # which takes no other file
            assert "已改写" in (forgotten.root / folder / "REWRITTEN.txt").read_text("utf-8")
    page = forgotten.root / "runs/2026-04-10/1/watchlists/schools/VA 甲中学.html"
    assert page.read_text("utf-8").count("本文件已改写") == 1


def test_the_lists_still_hold_the_others(forgotten: Workspace) -> None:
    schools = forgotten.root / "runs/2026-04-10/1/watchlists/schools"
    page = (schools / "VA 甲中学.html").read_text("utf-8")
    assert TWIN_NAME in page
    assert page.count("<tbody") == page.count("</tbody>") > 0
    book = openpyxl.load_workbook(schools / "VA 甲中学.xlsx")
    cells = [str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row]
    assert any(cell.startswith(TWIN_NAME) for cell in cells)
    # The list's signature was made anew: it comes back as any other.
    read = read_returned(schools / "VA 甲中学.xlsx", workbook_key(forgotten.config))
    assert read.school_id == "VA"


def test_what_reads_old_runs_still_does(forgotten: Workspace, tmp_path: Path) -> None:
    workspace = copy_of(forgotten, tmp_path / "w")
    assert explain_student(workspace, TWIN, WEEKS[1]).name == TWIN_NAME
    with pytest.raises(EarlywarnError, match="has no student"):
        explain_student(workspace, CHILD, WEEKS[1])
    run = score_and_list(workspace, WEEKS[1], who="t")
    assert run.is_new  # of other data than the list before
    assert run.info["compared_with"] == "runs/2026-04-03/1"
    assert CHILD not in run.folder.scores()["student_id"].to_pylist()
    assert holding(workspace.root) == {}


def test_the_audit_log_keeps_that_it_was_done(forgotten: Workspace) -> None:
    with Ledger.open(forgotten) as ledger:
        last = ledger.audited()[-1]
        assert (last.action, last.who, last.student_id) == ("forget", "张三", None)
        assert last.object.startswith("a child was forgotten: 32 rows of tables, 24 files")
        assert all(line.student_id != CHILD for line in ledger.audited())


def test_a_dry_run_changes_nothing(workspace: Workspace) -> None:
    before = {p: p.read_bytes() for p in workspace.root.rglob("*") if p.is_file()}
    said = forget(workspace, CHILD, who="t", dry_run=True)
    assert not said.is_done
    assert said.rows == {"students": 2, "attendance": 30}
    assert {p: p.read_bytes() for p in workspace.root.rglob("*") if p.is_file()} == before
    assert {*said.rewritten} >= {*holding(workspace.root)} - {"ledger.db"} - {
        name for name in holding(workspace.root) if name.startswith("data/") and "_q" not in name
    }


def test_a_name_of_two_stays_with_the_other(workspace: Workspace) -> None:
    done = forget(workspace, TWIN, who="t")
    assert done.shares
    assert holding(workspace.root, (TWIN,)) == {}
    assert "LB03" in str(table_rows(workspace)["students"])
    assert TWIN_NAME in str(table_rows(workspace)["students"])
    page = (workspace.runs / "2026-04-10/1/watchlists/schools/VA 甲中学.html").read_text("utf-8")
    assert NAME in page
    assert TWIN_NAME not in page


def test_a_child_of_the_ledger_alone(workspace: Workspace) -> None:
    person = "买买提·艾力"
    assert "ledger.db" in holding(workspace.root, (person,))
    assert forget(workspace, person, who="t").cases == 1
    assert holding(workspace.root, (person,)) == {}


def test_a_child_that_only_a_look_names(workspace: Workspace) -> None:
    with Ledger.open(workspace) as ledger:
        ledger.audit("explain", "screen", who="t", role="county", student_id="GONE0001", rows=1)
    forget(workspace, "GONE0001", who="t")
    assert holding(workspace.root, ("GONE0001",)) == {}


def test_an_unknown_child_is_refused(workspace: Workspace, forgotten: Workspace) -> None:
    with pytest.raises(EarlywarnError, match="Nothing in the workspace is about G999"):
        forget(workspace, "G999", who="t")
    assert not (workspace.data / "forgotten.json").exists()
    with pytest.raises(EarlywarnError, match="forgotten already"):
        forget(forgotten, CHILD, who="t")


def test_what_cannot_be_rewritten_goes_or_is_named(workspace: Workspace) -> None:
    shutil.copy(workspace.data / "students" / "batch-000001.parquet", workspace.data / "students"
                / "batch-000099.parquet")  # fmt: skip
    (workspace.runs / "2026-04-10" / ".part-9-ab").mkdir()
    (workspace.runs / "2026-04-10" / ".part-9-ab" / "x.csv").write_text(CHILD, encoding="utf-8")
    (workspace.root / "letter.doc").write_bytes(b"\0\1" + NAME.encode("utf-16-le"))
    (workspace.root / "runs" / "scan.bin").write_bytes(b"\0\1" + NAME.encode())
    (workspace.root / "名单.csv").write_bytes(
        f"学籍号,姓名\r\n{CHILD},{NAME}\r\n9,王五\r\n".encode("gbk")
    )
    done = forget(workspace, CHILD, who="t")
    assert done.left == ("letter.doc",)
    assert done.removed == (
        "data/students/batch-000099.parquet",
        "runs/2026-04-10/.part-9-ab/x.csv",
        "runs/scan.bin",
    )
    assert [*holding(workspace.root)] == ["letter.doc"]
    assert (workspace.root / "名单.csv").read_bytes().decode("gbk") == "学籍号,姓名\r\n9,王五\r\n"


def ends(workspace: Workspace) -> dict[str, object]:
    """Return what must be the same however often a forgetting was stopped."""
    files = {}
    for path in sorted(p for p in workspace.root.rglob("*") if p.is_file()):
        name = path.relative_to(workspace.root).as_posix()
        if path.suffix in (".csv", ".html", ".xlsx", ".log"):
            files[name] = sha256(path)
        elif "/batch-" not in name:
            files[name] = ""
    scores = [r.scores().to_pylist() for day in WEEKS for r in run_folders(workspace, day)]
    counts = [(b.id, b.quarantined, b.rows_read) for b in read_batches(workspace).batches]
    with Ledger.open(workspace) as ledger:
        log = [line.action for line in ledger.audited()]
    return {
        "files": files,
        "tables": table_rows(workspace),
        "scores": scores,
        "counts": counts,
        "audit": log,
    }


class Stopped(BaseException):
    """What a test stops a forgetting with."""


def stop_at(workspace: Workspace, moment: int) -> None:
    """Stop a forgetting at its stage `moment` (from 1) with an exception that nothing catches."""
    seen: list[str] = []

    def stage(name: str) -> None:
        seen.append(name)
        if len(seen) == moment:
            raise Stopped

    with pytest.raises(Stopped):
        forget(workspace, CHILD, who="t", stage=stage)


def kill_at(workspace: Workspace, moment: int) -> None:
    """Kill the process of a forgetting at its stage `moment`."""
    command = [sys.executable, "-c", KILLED, str(workspace.root), CHILD, str(moment)]
    assert subprocess.run(command, check=False).returncode == 9


@pytest.mark.slow
def test_stopped_anywhere_and_run_again_it_comes_to_the_same_end(
    county: Workspace, forgotten: Workspace, tmp_path: Path
) -> None:
    seen: list[str] = []
    forget(copy_of(county, tmp_path / "whole"), CHILD, who="t", stage=seen.append)
    ledger, notes, last = seen.index("ledger") + 1, seen.index("notes") + 1, len(seen)
    stops = [(kill_at, moment) for moment in (ledger, (ledger + notes) // 2)]
    stops += [(stop_at, moment) for moment in (notes, last)]
    wanted = ends(forgotten)
    wanted_rows = table_rows(county), wanted["tables"]
    for stop, moment in stops:
        workspace = copy_of(county, tmp_path / f"stopped {moment}")
        stop(workspace, moment)
        assert table_rows(workspace) in wanted_rows  # before or after, never between
        with Ledger.open(workspace) as opened:
            assert opened.check() == ()
        forget(workspace, CHILD, who="t")
        assert ends(workspace) == wanted, seen[moment - 1]
        assert holding(workspace.root) == {}


def test_another_forgetting_finishes_the_one_that_was_stopped(workspace: Workspace) -> None:
    def stop(name: str) -> None:
        if name == "ledger":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forget(workspace, CHILD, who="t", stage=stop)
    assert pending(workspace) is not None
    forget(workspace, TWIN, who="t")
    assert holding(workspace.root, (*NEEDLES, TWIN)) == {}
    assert pending(workspace) is None


def test_an_old_workbook_brings_back_nobody_else_s_answers_are_kept(
    forgotten: Workspace, county: Workspace, tmp_path: Path
) -> None:
    workspace = copy_of(forgotten, tmp_path / "w")
    filled = next((county.root.parent / "returned").glob("*.xlsx"))
    with Ledger.open(workspace) as ledger:
        before = {case.student_id for case in ledger.cases()}
    import_files(workspace, [filled], who="t")
    with Ledger.open(workspace) as ledger:
        assert {case.student_id for case in ledger.cases()} == before
    assert holding(workspace.root, (CHILD,)) == {}


def test_own_phone_is_a_needle(county: Workspace) -> None:
    assert any(PHONE in hit for hit in holding(county.root)["source/名册.csv"])


def test_the_old_file_loaded_again_brings_it_back_nowhere(
    forgotten: Workspace, county: Workspace, tmp_path: Path
) -> None:
    workspace = copy_of(forgotten, tmp_path / "w")
    registry = Path(shutil.copy(county.root / "source" / "名册.csv", tmp_path / "名册.csv"))
    before = table_rows(workspace)
    for again in (True, False):
        found = ingest(
            workspace, "students", [registry], IngestOptions(snapshot=WEEKS[0], again=again)
        ).files[0]
        assert found.error is None
    first = ingest(
        workspace, "students", [registry], IngestOptions(snapshot=WEEKS[0], again=True)
    ).files[0]
    assert "2 rows of a forgotten child left out" in [note.en for note in first.notes]
    assert first.rows_read == first.accepted + first.merged + first.quarantined == 3
    assert table_rows(workspace) == before
    # Of its rows one has a slip in the number: nothing tells that it is the same child's.
    assert holding(workspace.root, (CHILD,)) == {}
