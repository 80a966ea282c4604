"""`earlywarn check` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from checking_county import CHILDREN, TODAY, county, line
from earlywarn.cli import check as command
from earlywarn.workspace import Workspace

runner = CliRunner()


def run(*words: object) -> Result:
    """Call the command; an exception that would be a traceback fails the test."""
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    result = runner.invoke(app, ["check", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def squeezed(text: str) -> str:
    """Return a table's text without the breaks that its columns make."""
    return "".join(text.split())


@pytest.fixture
def troubled(tmp_path: Path) -> Workspace:
    children = {"A2": {"class_id": "八（2）班", "name": "[b]甲"}}
    lines = {child: line(days=30) for child in CHILDREN if child[0] == "B"}
    return county(
        tmp_path / "某县 2026", lines=lines, children=children, reported={"S1": 40, "S2": 30}
    )


def test_what_it_prints(troubled: Workspace) -> None:
    result = run("-w", troubled.root, "--lang", "zh")
    assert result.exit_code == 0
    text = result.stdout
    assert "2026年4月27日" in text
    assert "在校 12 人，2 所学校；先补再评 1 项，应当处理 1 项，知悉 0 项，涉及 2 所学校。" in text
    assert text.index("先补再评   学校S2") < text.index("应当处理   学校S1")
    assert "[b]甲" not in text
    folder = troubled.runs / "check" / TODAY.isoformat()
    assert squeezed(str(folder / "check.html")) in squeezed(text)


def test_english(troubled: Workspace) -> None:
    text = run("-w", troubled.root, "--lang", "en").stdout
    assert (
        "12 children in 2 schools; 1 to mend first, 1 to look into, 0 notes, in 2 schools." in text
    )
    assert "What to do" in text


def test_json_alone_on_stdout(troubled: Workspace) -> None:
    told = json.loads(run("-w", troubled.root, "--json").stdout)
    assert [one["severity"] for one in told["findings"]] == ["stop", "warn"]
    assert told["findings"][1]["examples"] == ["A2"]
    assert Path(told["folder"]).is_dir()


def test_an_earlier_day(troubled: Workspace) -> None:
    told = json.loads(run("-w", troubled.root, "--as-of", "2026-04-10", "--json").stdout)
    assert [one["id"] for one in told["findings"]] == ["class_against_grade"]


def test_nothing_found(tmp_path: Path) -> None:
    result = run("-w", county(tmp_path).root, "--lang", "en")
    assert result.exit_code == 0
    assert "Nothing was found." in result.stdout


def test_many_findings_are_cut_unless_asked_for(tmp_path: Path) -> None:
    classes = {f"A{i}": {"class_id": f"8.{i}"} for i in range(10, 45)}
    workspace = county(tmp_path, lines={child: line() for child in classes}, children=classes)
    short = run("-w", workspace.root, "--lang", "en").stdout
    assert "5 more." in short
    assert "class 8.44" not in short
    assert "class 8.44" in run("-w", workspace.root, "--lang", "en", "--all").stdout


def test_an_empty_workspace_gets_a_kind_word(workspace: Workspace) -> None:
    result = run("-w", workspace.root, "--lang", "zh")
    assert result.exit_code == 0
    assert "还没有学籍数据。" in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["--as-of", "soon"], 2, "soon"), (["-w", "nowhere"], 1, "is not a workspace")],
)
def test_plain_errors(workspace: Workspace, words: list[str], code: int, said: str) -> None:
    result = run("-w", workspace.root, "--lang", "en", *words)
    assert result.exit_code == code
    assert said in result.output


def test_data_that_cannot_be_read(troubled: Workspace) -> None:
    (file,) = troubled.data.glob("attendance/*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    result = run("-w", troubled.root, "--lang", "en")
    assert result.exit_code == 1
    assert "is missing or damaged" in result.output


def test_help_has_an_example() -> None:
    text = run("--help").stdout
    assert "Example: earlywarn check" in text
    assert "数据检查" in text
