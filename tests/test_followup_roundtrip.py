"""The round trip in small: lists through LibreOffice, filled in, imported, killed, imported again.

`benchmarks/workbooks.py` and `benchmarks/kills.py` do the same at full size.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from conftest import need
from earlywarn.followup.importing import import_files
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry
from earlywarn.followup.returned import read_returned
from earlywarn.followup.returned.signing import workbook_key
from earlywarn.tables.batches import data_fingerprint
from earlywarn.watchlist.weekly import score_and_list
from earlywarn.watchlist.write import write_watchlists
from earlywarn.workspace import Workspace
from followup_filling import WAYS, Book, fill_folder, invented, kept, lost
from followup_state import changed, state
from scoring_city import TRUANT, VILLAGE_DAY, village
from watchlist_county import LAST_WEEK, PRIMARY, county

IMPORT = """
import sys
from pathlib import Path
from earlywarn.followup.importing import import_files
from earlywarn.workspace import Workspace

root, folder = map(Path, sys.argv[1:])
say = lambda name: print(name, flush=True)
import_files(Workspace.open(root), [folder], who="test", stage=say)
"""
SCORE = """
import sys
from pathlib import Path
from earlywarn.watchlist.weekly import score_and_list
from earlywarn.workspace import Workspace

score_and_list(Workspace.open(Path(sys.argv[1])), who="test")
"""


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The county with its lists in runs/lists, and cases that stood before; to be read only."""
    made = county(tmp_path_factory.mktemp("county") / "某县 一")
    with Ledger.open(made.workspace) as ledger:
        (absent,) = ledger.open_cases(
            NewCase("absence", PRIMARY, LAST_WEEK, "daily", student_id="C015"), who="test"
        )
        ledger.record(NewEntry(absent.case_id, "state", LAST_WEEK, value="reported"), who="test")
    listing = made.listing(run="1", key=workbook_key(made.workspace.config))
    write_watchlists(made.workspace.runs / "lists", listing, "zh")
    made.con.close()
    return made.workspace


@pytest.fixture
def workspace(listed: Workspace, tmp_path: Path) -> Workspace:
    return copy_of(listed, tmp_path / "某县 二")


def copy_of(workspace: Workspace, root: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(workspace.root, root)))


def copies(lists: Path, into: Path, times: int) -> Path:
    """Copy every school's workbook several times, under different names."""
    into.mkdir()
    for source in lists.glob("*.xlsx"):
        for number in range(times):
            shutil.copy(source, into / f"{source.stem} {number:02}.xlsx")
    return into


def check_whole(workspace: Workspace) -> None:
    with Ledger.open(workspace) as ledger:
        assert ledger.check() == ()


def check_held(workspace: Workspace, books: list[Book]) -> None:
    """All that was typed is read, all that is read is in the ledger, and nothing else."""
    key = workbook_key(workspace.config)
    with Ledger.open(workspace) as ledger:
        for book in books:
            returned = read_returned(book.path, key)
            assert lost(book.typed, returned) == []
            assert invented(book.typed, returned) == []
            assert ledger.account(returned).missing == ()


def test_every_workbook_is_filled_in_the_next_way(listed: Workspace, tmp_path: Path) -> None:
    blank = copies(listed.runs / "lists" / "schools", tmp_path / "blank", 3)
    books = fill_folder(blank, tmp_path / "filled", 5)
    assert len({book.way for book in books}) == len(books) == 6
    assert [book.path.name for book in books] == sorted(path.name for path in blank.iterdir())
    assert fill_folder(blank, tmp_path / "again", 5)[3].typed == books[3].typed


def test_the_ledger_tells_what_it_has_of_a_file(workspace: Workspace, tmp_path: Path) -> None:
    books = fill_folder(workspace.runs / "lists" / "schools", tmp_path / "filled", 5)
    import_files(workspace, [tmp_path / "filled"], who="test")
    with Ledger.open(workspace) as ledger:
        held = kept(ledger)
    for book in books:
        assert book.typed
        assert lost(book.typed, held[book.path.name]) == []
        assert invented(book.typed, held[book.path.name]) == []
    one, other = books
    assert lost(one.typed, held[other.path.name]) == one.typed


@pytest.mark.slow
def test_saved_by_libreoffice_filled_in_and_imported(workspace: Workspace, tmp_path: Path) -> None:
    need("soffice", "libreoffice-calc")
    lists, saved = workspace.runs / "lists" / "schools", tmp_path / "saved"
    profile = f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(saved)]
    originals = sorted(map(str, lists.glob("*.xlsx")))
    subprocess.run([*command, *originals], capture_output=True, timeout=180, check=True)
    blank = copies(saved, tmp_path / "blank", len(WAYS) // 2)
    books = fill_folder(blank, tmp_path / "filled", 7)
    assert {book.way for book in books} == set(WAYS)
    found = import_files(workspace, [tmp_path / "filled"], who="test")
    assert [one.error for one in found] == [None] * len(books)
    check_held(workspace, books)
    check_whole(workspace)
    once = state(workspace.root)
    for one in import_files(workspace, [tmp_path / "filled"], who="another"):
        assert one.merged is not None
        assert (one.merged.new, one.merged.unsettled, one.merged.opened) == (0, 0, 0)
        assert one.merged.again
    assert state(workspace.root) == once


@pytest.mark.slow
def test_a_killed_import_is_simply_run_again(listed: Workspace, tmp_path: Path) -> None:
    """Killed at the first, a middle and the last workbook."""
    blank = copies(listed.runs / "lists" / "schools", tmp_path / "blank", 4)
    books = fill_folder(blank, tmp_path / "filled", 11)
    undisturbed = copy_of(listed, tmp_path / "undisturbed")
    import_files(undisturbed, [tmp_path / "filled"], who="test")
    wanted = state(undisturbed.root)
    assert wanted != state(listed.root)
    for number in (1, len(books) // 2, len(books)):
        killed = copy_of(listed, tmp_path / f"killed {number}")
        words = [sys.executable, "-c", IMPORT, str(killed.root), str(tmp_path / "filled")]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(number):
                assert process.stdout.readline()
            process.kill()
        check_whole(killed)
        assert changed(listed.root, killed.root) == []
        assert data_fingerprint(killed) in (data_fingerprint(listed), data_fingerprint(undisturbed))
        import_files(killed, [tmp_path / "filled"], who="test")
        check_held(killed, books)
        check_whole(killed)
        assert state(killed.root) == wanted


@pytest.mark.slow
def test_a_scoring_killed_before_its_cases_are_open_is_run_again(tmp_path: Path) -> None:
    """Killed with its run in place: the rerun finds that run, and opens and closes its cases."""
    made = village(tmp_path / "某县 一")
    with Ledger.open(made) as ledger:
        week_before = VILLAGE_DAY - timedelta(days=7)
        (over,) = ledger.open_cases(
            NewCase("watchlist", "VA", week_before, "list", student_id="LA05"), who="test"
        )
        ledger.record(NewEntry(over.case_id, "state", week_before, value="contacted"), who="test")
    undisturbed = copy_of(made, tmp_path / "undisturbed")
    score_and_list(undisturbed, who="test")
    wanted = state(undisturbed.root)
    killed = copy_of(made, tmp_path / "killed")
    in_place = killed.runs / VILLAGE_DAY.isoformat() / "1"
    # Whoever else writes to the ledger is waited for: here until the kill.
    writer = sqlite3.connect(killed.root / "ledger.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with subprocess.Popen([sys.executable, "-c", SCORE, str(killed.root)]) as process:
        while process.poll() is None and not in_place.is_dir():
            time.sleep(0.01)
        assert process.poll() is None
        process.kill()
    writer.rollback()
    writer.close()
    check_whole(killed)
    assert changed(made.root, killed.root) == []
    with Ledger.open(killed) as ledger:
        assert ledger.cases(student_id=TRUANT) == ()
    assert not score_and_list(killed, who="test").is_new
    assert state(killed.root) == wanted
    with Ledger.open(killed) as ledger:
        assert len(ledger.cases(student_id=TRUANT)) == 1
        assert ledger.case(over.case_id).because == "resolved"
    assert not score_and_list(killed, who="test").is_new
    assert state(killed.root) == wanted
