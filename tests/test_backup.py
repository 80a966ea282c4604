"""A workspace in one file, and back: whole or not at all."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from earlywarn.backup import MANIFEST, backup, restore
from earlywarn.cli import backup as command
from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Ledger, NewCase
from earlywarn.roles import pseudonym
from earlywarn.tables.batches import data_fingerprint
from earlywarn.workspace import Workspace
from scoring_city import load, village_tables

KILLED = """
import os, sys
from pathlib import Path
from earlywarn.backup import backup, restore
from earlywarn.workspace import Workspace

def stage(name):
    if name == "earlywarn.yaml":
        os._exit(9)

what, one, other = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
if what == "backup":
    backup(Workspace.open(one), other, stage=stage)
else:
    restore(one, other, stage=stage)
"""


@pytest.fixture
def full(workspace: Workspace) -> Workspace:
    """A workspace with tables, a ledger, a key and a folder of somebody's own."""
    for table, content in village_tables().items():
        load(workspace, table, content)
    with Ledger.open(workspace) as ledger:
        ledger.open_cases(
            NewCase("absence", "VA", date(2026, 4, 8), "daily", student_id="LA01"), who="t"
        )
    pseudonym(workspace, "x")
    (workspace.root / "来件").mkdir()
    (workspace.root / "来件" / "名册 1.csv").write_text("a", encoding="utf-8")
    return workspace


@pytest.fixture
def file(full: Workspace, tmp_path: Path) -> Path:
    path = tmp_path / "备份 1.zip"
    backup(full, path)
    return path


def contents(root: Path) -> dict[str, bytes]:
    locks = {".lock", ".lock-holder.json", "ledger.db"}
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in locks
    }


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write the zip again with other members."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    made = file.with_name("changed.zip")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made


def test_there_and_back(full: Workspace, file: Path, tmp_path: Path) -> None:
    made = restore(file, tmp_path / "新县 2")
    assert made.has_key
    assert made.ledger == "sqlite"
    assert contents(made.path) == contents(full.root)
    again = Workspace.open(made.path)
    assert data_fingerprint(again) == data_fingerprint(full)
    assert pseudonym(again, "LA01") == pseudonym(full, "LA01")
    with Ledger.open(again) as ledger:
        assert [case.student_id for case in ledger.cases()] == ["LA01"]
        assert ledger.check() == ()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_ledger_is_whole_while_somebody_writes(full: Workspace, tmp_path: Path) -> None:
    with sqlite3.connect(full.root / "ledger.db", isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE cases SET origin = 'half'")
        backup(full, tmp_path / "b.zip")
        writer.execute("ROLLBACK")
    restore(tmp_path / "b.zip", tmp_path / "r")
    with Ledger.open(Workspace.open(tmp_path / "r")) as ledger:
        assert [case.origin for case in ledger.cases()] == ["daily"]
        assert ledger.check() == ()


def test_what_stands_in_the_way_of_a_backup(full: Workspace, file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    for target, said in (
        (file, "is there already"),
        (full.root / "b.zip", "lies in the workspace"),
        (tmp_path / "nowhere" / "b.zip", "There is no folder"),
    ):
        with pytest.raises(EarlywarnError, match=said):
            backup(full, target)
    assert file.read_bytes() == before
    with full.lock("score"), pytest.raises(EarlywarnError, match="in use"):
        backup(full, tmp_path / "b.zip")
    (full.root / "forgetting.json").write_text(
        '{"token": "a", "at": "", "student_id": "S1"}', encoding="utf-8"
    )
    with pytest.raises(EarlywarnError, match="was not finished"):
        backup(full, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_a_ledger_on_a_server_is_not_in_it(full: Workspace, tmp_path: Path) -> None:
    there = full.set_config(ledger_url="postgresql://u:p@h/d")
    assert backup(there, tmp_path / "b.zip").ledger == "postgresql"
    elsewhere = full.set_config(ledger_url=f"sqlite:///{tmp_path / 'other.db'}")
    sqlite3.connect(tmp_path / "other.db").close()
    assert backup(elsewhere, tmp_path / "c.zip").ledger == "elsewhere"


def test_only_into_a_new_or_empty_folder(file: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "a").write_text("a", encoding="utf-8")
    with pytest.raises(EarlywarnError, match="is not empty"):
        restore(file, taken)
    with pytest.raises(EarlywarnError, match="is not empty"):
        restore(file, taken / "a")
    assert [p.name for p in taken.iterdir()] == ["a"]
    empty = tmp_path / "empty"
    empty.mkdir()
    restore(file, empty)
    Workspace.open(empty)


def _manifest(**changes: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        told = json.loads(members[MANIFEST]) | changes
        members[MANIFEST] = json.dumps(told).encode()

    return change


def _renamed(path: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        told = json.loads(members[MANIFEST])
        one = next(f for f in told["files"] if f["path"] == "escalation.yaml")
        one["path"] = path
        members["workspace/" + path] = members.pop("workspace/escalation.yaml")
        members[MANIFEST] = json.dumps(told).encode()

    return change


def _bomb(members: dict[str, bytes]) -> None:
    members["workspace/escalation.yaml"] = b"0" * 5_000_000


def _lying_bomb(members: dict[str, bytes]) -> None:
    told = json.loads(members[MANIFEST])
    for one in told["files"]:
        one["size"] = 10**15 if one["path"] == "escalation.yaml" else one["size"]
    members[MANIFEST] = json.dumps(told).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.pop(MANIFEST), "no backup of earlywarn"),
        (lambda m: m.update({MANIFEST: b"{"}), "damaged"),
        (lambda m: m.update({MANIFEST: b"[]"}), "damaged"),
        (_manifest(format=2), "newer program"),
        (_manifest(files=[]), "damaged"),
        (lambda m: m.pop("workspace/earlywarn.yaml"), "damaged"),
        (lambda m: m.update({"workspace/more": b""}), "damaged"),
        (lambda m: m.update({"workspace/secret.key": b"0" * 65}), "damaged"),
        (_bomb, "damaged"),
        (_lying_bomb, "damaged"),
        (_renamed("../out.yaml"), "leads out"),
        (_renamed("/out.yaml"), "leads out"),
        (_renamed("a/../../out.yaml"), "leads out"),
        (_renamed("C:/out.yaml"), "leads out"),
        (_renamed("a\\..\\out.yaml"), "leads out"),
        (_renamed("a//b"), "leads out"),
    ],
)
def test_a_file_that_is_not_as_it_was_written(
    file: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], said: str
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(EarlywarnError, match=said):
        restore(rewritten(file, change), tmp_path / "new")
    assert {path.name for path in tmp_path.iterdir()} == before | {"changed.zip"}


def test_a_link_is_refused(file: Path, tmp_path: Path) -> None:
    made = tmp_path / "link.zip"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("escalation.yaml"):
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            new.writestr(info, data)
    with pytest.raises(EarlywarnError, match="damaged"):
        restore(made, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_half_a_file_or_a_changed_byte(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        first = archive.start_dir  # here stand the offsets: one may lead before the file
    places = {*range(0, len(whole), len(whole) // 23), *range(first + 38, first + 46)}
    for place in sorted(places | set(range(len(whole) - 22, len(whole)))):
        file.write_bytes(whole[:place])
        with pytest.raises(EarlywarnError):
            restore(file, tmp_path / "new")
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            made = restore(file, tmp_path / f"new {place}")
        except EarlywarnError:
            assert not (tmp_path / f"new {place}").exists()
        else:  # a byte that says nothing of the content, such as a time
            Workspace.open(made.path)
    with pytest.raises(EarlywarnError, match="There is no file"):
        restore(tmp_path / "none.zip", tmp_path / "new")


def test_killed_it_leaves_nothing_in_its_place(full: Workspace, file: Path, tmp_path: Path) -> None:
    for what, one, other in (("backup", full.root, "b.zip"), ("restore", file, "new")):
        target = tmp_path / other
        words = [sys.executable, "-c", KILLED, what, str(one), str(target)]
        assert subprocess.run(words, check=False).returncode == 9
        assert not target.exists()
    backup(full, tmp_path / "b.zip")
    restore(file, tmp_path / "new")


def run(*words: object) -> tuple[int, str]:
    app = typer.Typer()
    command.register(app)
    result = CliRunner().invoke(app, [*map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_the_commands(full: Workspace, tmp_path: Path) -> None:
    code, said = run("backup", tmp_path / "b.zip", "-w", full.root)
    assert code == 0
    assert "密钥 secret.key" in said
    code, said = run("restore", tmp_path / "b.zip", "-w", tmp_path / "r", "--json")
    assert code == 0
    assert json.loads(said)["holds_secret_key"] is True
    code, said = run("restore", tmp_path / "b.zip", "-w", tmp_path / "r", "--lang", "en")
    assert (code, "is not empty" in said) == (1, True)
    full.set_config(ledger_url="postgresql://u:p@h/d")
    code, said = run("backup", tmp_path / "c.zip", "-w", full.root, "--lang", "en")
    assert (code, "pg_dump" in said) == (3, True)
