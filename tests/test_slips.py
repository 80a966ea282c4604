"""Slips of the pen and damaged files: one plain line, and nothing is changed."""

from __future__ import annotations

import getpass
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from daily_village import day, load, village, workspace_of
from earlywarn.backup import backup
from earlywarn.cli.common import user_of
from earlywarn.cli.main import make_app
from earlywarn.errors import EarlywarnError
from earlywarn.features import newest
from earlywarn.features.newest import refuse_ahead
from earlywarn.followup.daily import daily
from earlywarn.followup.ledger import Ledger
from earlywarn.report.period.make import is_over
from earlywarn.scoring.run import run_folders, score
from earlywarn.workspace import Workspace

LINES = {"A": "...xx", "B": "....."}
FAR = "2150-06-30"


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    return workspace_of(tmp_path / "村 1", village(LINES))


def run(workspace: Workspace, *words: object) -> Result:
    """Call the program; an exception that would be a traceback fails the test."""
    told = [*map(str, words), "-w", str(workspace.root), "--lang", "en"]
    result = CliRunner().invoke(make_app(), told)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def one_line(result: Result, code: int, *parts: str) -> None:
    assert result.exit_code == code, result.output
    assert len(result.stderr.splitlines()) == 1
    assert all(part in result.stderr for part in parts), result.stderr


@pytest.mark.parametrize("slip", ["0206-11-20", "9999-12-31", "1899-12-31", "2200-01-01"])
@pytest.mark.parametrize(
    "words",
    [
        ("score",),
        ("daily",),
        ("check",),
        ("features", "--out", "x.csv"),
        ("explain", "A"),
        ("rules", "impact", "rules"),
        ("report", "registers"),
        ("followup", "due"),
    ],
)
def test_a_year_that_cannot_be(here: Workspace, words: tuple[str, ...], slip: str) -> None:
    one_line(run(here, *words, "--as-of", slip), 2, "--as-of", slip, "1900", "2199")


@pytest.mark.parametrize(
    "words",
    [
        ("score", "--as-of", FAR),
        ("daily", "--as-of", FAR),
        ("followup", "done", "A", "returned", "--on", FAR),
        ("followup", "open", "--school", "S1", "--student", "B", "--on", FAR),
    ],
)
def test_a_day_that_has_not_come(here: Workspace, words: tuple[str, ...]) -> None:
    daily(here, day(4), who="u")
    with Ledger.open(here) as ledger:
        before = ledger.cases()
    one_line(run(here, *words), 1, FAR, "lies ahead", words[-2])
    with Ledger.open(here) as ledger:
        assert ledger.cases() == before
    assert not run_folders(here, date.fromisoformat(FAR))


def test_tomorrow_is_let_pass_and_a_generated_city_has_days_of_its_own(here: Workspace) -> None:
    today = date.today()
    refuse_ahead(here, today + timedelta(days=1))
    with pytest.raises(EarlywarnError, match="--on"):
        refuse_ahead(here, today + timedelta(days=2), "--on")
    refuse_ahead(here.set_config(generated=True), date.fromisoformat(FAR))


def test_a_day_shortly_after_the_data_is_let_pass_whatever_the_clock_says(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(date):
        @classmethod
        def today(cls) -> Slow:
            return cls(2009, 1, 1)

    monkeypatch.setattr(newest, "date", Slow)
    refuse_ahead(here, day(4) + timedelta(days=21))
    with pytest.raises(EarlywarnError, match="2009-01-01"):
        refuse_ahead(here, day(4) + timedelta(days=22))


def test_a_round_that_has_not_come_stops_none_that_has(here: Workspace) -> None:
    """As an older version let it be made."""
    made = daily(here, day(3), who="u")
    shutil.copytree(made.folder, made.folder.with_name(FAR))
    load(here, village({"A": "...x.", "B": "....."}))
    daily(here, day(4), who="u")
    with Ledger.open(here) as ledger:
        states = {case.student_id: str(case.state) for case in ledger.cases(kinds=("absence",))}
    assert states == {"A": "returned"}


def damage(workspace: Workspace, table: str) -> Path:
    """Turn bytes inside a table's file, its ends left whole."""
    (path, *_) = sorted((workspace.data / table).glob("*.parquet"))
    content = bytearray(path.read_bytes())
    middle = slice(4, len(content) // 3)
    content[middle] = bytes(255 - byte for byte in content[middle])
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("score",),
        ("daily",),
        ("check",),
        ("features", "--as-of", "2026-03-06", "--out", "x.csv"),
        ("followup", "due"),
    ],
)
def test_a_damaged_table_is_named(here: Workspace, words: tuple[str, ...]) -> None:
    daily(here, day(4), who="u")
    path = damage(here, "attendance")
    one_line(run(here, *words), 1, str(path), "damaged", "backup")


@pytest.mark.parametrize("gone", [False, True])
def test_no_good_backup_is_followed_by_a_bad_one(
    here: Workspace, tmp_path: Path, gone: bool
) -> None:
    path = damage(here, "students")
    if gone:
        path.unlink()
    with pytest.raises(EarlywarnError, match="damaged"):
        backup(here, tmp_path / "b.zip")
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize(
    "words", [("followup", "case", "A"), ("report", "child", "A"), ("report", "school", "S1")]
)
def test_a_damaged_run_is_named(here: Workspace, words: tuple[str, ...]) -> None:
    daily(here, day(4), who="u")
    made = score(here, day(4))
    path = made.folder.path / "scores.parquet"
    path.write_bytes(b"")
    one_line(run(here, *words), 1, str(path), "damaged")


def test_a_user_without_a_name(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1001")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert user_of("") in ("?", *(f"uid-{number}" for number in range(1 << 17)))
    assert user_of(" 王明 ") == "王明"
    assert run(here, "daily").exit_code == 0


def test_features_go_out_only_where_that_can_be_noted(here: Workspace, tmp_path: Path) -> None:
    here.set_config(ledger_url="postgresql://nobody@127.0.0.1:9/none")
    out = tmp_path / "features.csv"
    result = run(here, "features", "--as-of", day(4), "--out", out)
    assert result.exit_code == 1
    assert not out.exists()


def test_explain_says_that_data_came_after_the_scoring(here: Workspace) -> None:
    score(here, day(4))
    words: tuple[Any, ...] = ("explain", "A", "--as-of", day(4))
    assert "loaded or corrected" not in run(here, *words).stdout
    load(here, village({"A": ".....", "B": "....."}))
    assert "loaded or corrected" in run(here, *words).stdout


@pytest.mark.parametrize(
    ("number", "children", "limit", "over"),
    [
        (27, 1500, 0.018, False),  # in floating point 0.018 * 1500 is a little under 27
        (28, 1500, 0.018, True),
        (0, 0, 0.018, False),
        (1, 0, 0.018, True),
    ],
)
def test_a_school_at_the_limit_is_not_over_it(
    number: int, children: int, limit: float, over: bool
) -> None:
    assert is_over(number, children, limit) is over
