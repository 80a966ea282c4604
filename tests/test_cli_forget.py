"""`earlywarn forget` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from earlywarn.cli import forget as command
from earlywarn.followup.ledger import Ledger
from earlywarn.workspace import Workspace
from scoring_city import TRUANT, load, village_tables


def run(*words: object) -> Result:
    """Call the command; an exception that would be a traceback fails the test."""
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    result = CliRunner().invoke(app, ["forget", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def county(workspace: Workspace) -> Workspace:
    for table, content in village_tables().items():
        load(workspace, table, content)
    return workspace


def held(workspace: Workspace) -> list[Path]:
    return [p for p in workspace.data.rglob("*.parquet") if TRUANT.encode() in p.read_bytes()]


def test_it_asks_before_it_deletes(county: Workspace) -> None:
    result = run(TRUANT, "-w", county.root, "--lang", "en")
    assert result.exit_code == 2
    assert "add --yes" in result.output
    assert held(county)


def test_a_dry_run_says_what_would_go(county: Workspace) -> None:
    result = run(TRUANT, "-w", county.root, "--dry-run", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["done"], told["rows"]) == (False, {"students": 1, "attendance": 30})
    assert told["shares_a_name_or_phone"]
    assert "将删去：表格 31 行" in run(TRUANT, "-w", county.root, "--dry-run").stdout
    assert held(county)


def test_it_is_done_and_noted(county: Workspace) -> None:
    result = run(TRUANT, "-w", county.root, "--yes", "--user", "张三", "--lang", "en")
    assert result.exit_code == 0
    assert "Taken out: 31 rows of tables (students, attendance)" in result.stdout
    assert "A name is another's too" in result.stdout
    assert held(county) == []
    with Ledger.open(county) as ledger:
        assert [(line.action, line.who) for line in ledger.audited()] == [("forget", "张三")]


def test_files_of_one_s_own_are_named(county: Workspace) -> None:
    (county.root / "a.doc").write_bytes(b"\0" + TRUANT.encode() + b"\0")
    result = run(TRUANT, "-w", county.root, "--yes", "--lang", "en")
    assert result.exit_code == 3
    assert "1 files of your own hold the child" in result.stdout
    assert "  a.doc" in result.stdout


def test_files_that_cannot_be_looked_into_are_named(county: Workspace) -> None:
    for number in range(12):
        (county.root / f"{number:02}.pdf").write_bytes(b"%PDF-1.7 ...")
    result = run(TRUANT, "-w", county.root, "--yes", "--lang", "en")
    assert result.exit_code == 0
    assert "12 files cannot be looked into" in result.stdout
    assert "  00.pdf" in result.stdout
    assert "and 2 more" in result.stdout


def test_an_unknown_child(county: Workspace) -> None:
    result = run("NOBODY", "-w", county.root, "--yes", "--lang", "zh")
    assert result.exit_code == 1
    assert "工作区里没有学生 NOBODY，未作改动" in result.output
