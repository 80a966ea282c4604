"""`earlywarn daily` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from daily_village import day, village, workspace_of
from earlywarn.cli import daily as command
from earlywarn.followup.ledger import Ledger
from earlywarn.workspace import Workspace

runner = CliRunner()


def run(*words: object) -> Result:
    """Call the command; an exception that would be a traceback fails the test."""
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    result = runner.invoke(app, ["daily", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    lines = {"A": "..xx", "B": "..x.", "C": "....", "D": "..--"}
    children = {"A": {"name": "[b]甲"}, "D": {"school_id": "S2"}}
    tables = village(lines, children=children, reported={"S2": 2})
    return workspace_of(tmp_path / "某县 2026", tables)


def test_what_it_prints(workspace: Workspace) -> None:
    result = run("-w", workspace.root, "--user", "张三", "--lang", "zh")
    assert result.exit_code == 0
    text = result.stdout
    assert "无故缺课 1 人（第1天 0，第2天 1，第3天及以上 0），已返校 1 人；未上报 1 所" in text
    assert "新立案 2 件，记录返校 1 件" in text
    assert "[b]甲" in text
    assert "上门家访" in text
    assert "全校：最近上报 3月3日，缺 2 个上课日" in text
    assert text.index("第2天") < text.index("学校S1") < text.index("学校S2")
    with Ledger.open(workspace) as ledger:
        assert {case.opened_by for case in ledger.cases()} == {"张三"}


def test_english(workspace: Workspace) -> None:
    text = run("-w", workspace.root, "--lang", "en").stdout
    assert "1 away without leave (day 1: 0, day 2: 1, day 3 or more: 0), 1 came back" in text
    assert "Home visit" in text
    assert "last reported 3 Mar, 2 school days missing" in text


def test_json_alone_on_stdout(workspace: Workspace) -> None:
    result = run("-w", workspace.root, "--as-of", day(3), "--json")
    told = json.loads(result.stdout)
    assert told["as_of"] == day(3).isoformat()
    assert told["ledger"] == {"opened": 2, "returns_recorded": 1}
    (child,) = told["schools"][0]["away"]
    assert (child["student_id"], child["day"], child["step"]["id"]) == ("A", 2, "visit")
    again = json.loads(run("-w", workspace.root, "--as-of", day(3), "--json").stdout)
    assert again == told | {"ledger": {"opened": 0, "returns_recorded": 0}}


def test_a_quiet_day(workspace: Workspace) -> None:
    text = run("-w", workspace.root, "--as-of", day(1), "--lang", "en").stdout
    assert "No child is away without leave." in text
    assert "Not reported yet" not in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--as-of", "soon"], 2, "soon"),
        (["--as-of", "2025-01-01"], 1, "Nobody is enrolled on 2025-01-01"),
    ],
)
def test_plain_errors(workspace: Workspace, words: list[str], code: int, said: str) -> None:
    result = run("-w", workspace.root, "--lang", "en", *words)
    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_faulty_escalation_is_told_before_anything_is_written(workspace: Workspace) -> None:
    (workspace.root / "escalation.yaml").write_text("format: 1\nabsence: {steps: []}\n", "utf-8")
    result = run("-w", workspace.root, "--lang", "en")
    assert result.exit_code == 1
    assert "escalation.yaml" in result.output
    assert not (workspace.runs / "daily").exists()


def test_help_has_an_example() -> None:
    text = run("--help").stdout
    assert "Example: earlywarn daily" in text
    assert "每日巡查" in text
