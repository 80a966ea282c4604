"""`earlywarn rules`: exit codes, both languages, JSON."""

import json
import shutil

import pytest
import typer
from typer.testing import CliRunner

from earlywarn.cli.rules import register
from earlywarn.workspace import shipped

app = typer.Typer(pretty_exceptions_enable=False)
register(app)
runner = CliRunner()


@pytest.fixture
def folder(tmp_path):
    target = tmp_path / "规则 夹"
    shutil.copytree(shipped("rules"), target)
    return target


def run(*words):
    return runner.invoke(app, ["rules", *map(str, words)])


def test_check_a_good_workspace(workspace):
    result = run("check", "-w", workspace.root, "--lang", "en")
    assert result.exit_code == 0, result.output
    assert ", 0 problems." in result.output


def test_check_says_every_problem(folder):
    text = (folder / "marks.yaml").read_text("utf-8").replace("failed_core >= 2", "faild_core >= 2")
    (folder / "marks.yaml").write_text(text.replace("points: 1.3", "points: -1.3"), "utf-8")
    result = run("check", folder, "--lang", "en")
    assert result.exit_code == 1
    assert "marks.yaml, line 7, rule failed-core-2: character 1:" in result.output
    assert "did you mean failed_core?" in result.output
    assert "rule mean-under-25: points is -1.3" in result.output
    data = json.loads(run("check", folder, "--json").output)
    assert {p["rule"] for p in data["problems"]} >= {"failed-core-2", "mean-under-25"}


def test_test_reports_failures_and_coverage(folder):
    result = run("test", folder, "--lang", "en")
    assert result.exit_code == 0
    assert " tests, 0 failed; " in result.output
    text = (folder / "marks.yaml").read_text("utf-8")
    text = text.replace(
        "{given: {failed_core: 2}, expect: hit}", "{given: {failed_core: 1}, expect: hit}", 1
    )
    text = text.replace("      - {given: {exam_mean_pct: 0.24}, expect: hit}\n", "")
    (folder / "marks.yaml").write_text(text, "utf-8")
    result = run("test", folder, "--lang", "en")
    assert result.exit_code == 1
    assert "marks.yaml failed-core-2 #1: expected hit, got miss." in result.output
    assert "rule mean-under-25 has no test for: hit." in result.output
    data = json.loads(run("test", folder, "--json").output)
    assert data["failures"] == [
        {"rule": "failed-core-2", "test": 1, "expect": "hit", "got": "miss"}
    ]


def test_test_refuses_a_broken_pack(folder):
    (folder / "more.yaml").write_text("pack: [", "utf-8")
    result = run("test", folder, "--lang", "en")
    assert result.exit_code == 1


def test_list_in_both_languages(folder):
    assert "连续旷课满三天" in run("list", folder, "--lang", "zh").output
    table = run("list", folder, "--lang", "en").output
    assert "unexcused_run >= 3" in table
    assert "urgent" in table
    rules = json.loads(run("list", folder, "--json").output)
    first = next(rule for rule in rules if rule["id"] == "unexcused-3d")
    assert (first["points"], first["floor"], first["ladder"]) == (2.0, "urgent", "unexcused")


@pytest.mark.parametrize("name", ["check", "test", "list"])
def test_no_workspace_is_one_plain_line(tmp_path, name):
    result = run(name, "-w", tmp_path, "--lang", "en")
    assert result.exit_code == 1
    assert "is not a workspace" in result.output


@pytest.mark.parametrize("name", ["check", "test", "list"])
def test_help_ends_with_an_example(name):
    assert "Example: earlywarn rules" in run(name, "--help").output
