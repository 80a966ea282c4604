"""`earlywarn rules impact`: exit codes, both languages, JSON, and where the page goes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.workspace import Workspace
from scoring_city import VILLAGE_DAY, tree, village

runner = CliRunner()
DAY = VILLAGE_DAY.isoformat()
NEW_RULE = """
pack: county
title: {zh: 本县, en: County}
rules:
  - id: county-late
    title: {zh: 常迟到, en: Late often}
    when: late_rate_20d >= 0.1
    points: 1.2
    floor: high
    reason: {zh: "迟到率 {late_rate_20d}", en: "late on {late_rate_20d} of the days"}
    source: {zh: 本县, en: the county}
"""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return village(tmp_path_factory.mktemp("village") / "w")


@pytest.fixture
def ws(pristine: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(pristine.root, tmp_path / "某村 1")
    return Workspace.open(tmp_path / "某村 1")


@pytest.fixture
def folder(ws: Workspace, tmp_path: Path) -> Path:
    """Other rules: children who are late are of tier high."""
    target = tmp_path / "新规则 1"
    shutil.copytree(ws.rules, target)
    (target / "county.yaml").write_text(NEW_RULE, "utf-8")
    return target


def run(ws: Workspace, *words: object) -> Result:
    return runner.invoke(make_app(), ["rules", "impact", *map(str, words), "-w", str(ws.root)])


def test_it_says_numbers_rules_and_the_path_and_switches_nothing_on(
    ws: Workspace, folder: Path
) -> None:
    before = tree(ws.root)
    result = run(ws, folder, "--lang", "en")
    assert result.exit_code == 0, result.output
    assert f"As of {DAY}, the experts' points, 18 students." in result.output
    assert "A trial: nothing is switched on." in result.output
    assert "Late often [county-late]: enter 2, leave 0, up 3, down 0" in result.output
    target = ws.root / "impact" / DAY
    assert result.output.splitlines()[-1] == str(target / "impact.html")
    after = tree(ws.root)
    assert set(after) - set(before) == {f"impact/{DAY}/impact.html", f"impact/{DAY}/impact.json"}
    assert {name: after[name] for name in before} == before


def test_chinese_and_twice_the_same(ws: Workspace, folder: Path) -> None:
    first = run(ws, folder, "--as-of", DAY, "--lang", "zh")
    data = ws.root / "impact" / DAY / "impact.json"
    content = data.read_bytes()
    assert "试算，尚未启用。" in first.output
    assert "常迟到 [county-late]：进入 2，离开 0，上升 3" in first.output
    second = run(ws, folder, "--as-of", DAY, "--lang", "zh")
    assert (first.exit_code, second.output) == (0, first.output)
    assert data.read_bytes() == content


def test_json_is_what_the_file_holds_and_where(ws: Workspace, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "结果 1"
    result = run(ws, folder, "--json", "--out", out, "--model", "none")
    shown = json.loads(result.output)
    assert Path(shown.pop("folder")) == out
    assert shown == json.loads((out / "impact.json").read_text("utf-8"))
    assert shown["moves"]["up"] == 3
    assert not (ws.root / "impact").exists()


def test_the_workspaces_own_rules_change_nothing(ws: Workspace) -> None:
    result = run(ws, ws.rules, "--lang", "en")
    assert result.exit_code == 0
    assert "own rules folder: nothing would change" in result.output
    assert "The two rule books mean the same" in result.output


def test_what_cannot_be_used_is_one_plain_message(
    ws: Workspace, folder: Path, tmp_path: Path
) -> None:
    missing = run(ws, tmp_path / "nowhere", "--lang", "en")
    assert (missing.exit_code, "is no folder. Copy the whole of" in missing.output) == (1, True)
    file = run(ws, folder / "county.yaml", "--lang", "en")
    assert (file.exit_code, "is no folder" in file.output) == (1, True)
    empty = tmp_path / "empty"
    empty.mkdir()
    lacking = run(ws, empty, "--lang", "en")
    assert lacking.exit_code == 1
    assert "groups.yaml: it is missing" in lacking.output
    assert "actions.yaml: it is missing" in lacking.output
    (folder / "county.yaml").write_text(NEW_RULE.replace("late_rate_20d >=", "late_rate >="))
    wrong = run(ws, folder, "--lang", "en")
    assert wrong.exit_code == 1
    assert "county.yaml, line 7, rule county-late" in wrong.output
    assert not (ws.root / "impact").exists()


def test_dates_models_and_targets_that_are_none(
    ws: Workspace, folder: Path, tmp_path: Path
) -> None:
    assert run(ws, folder, "--as-of", "11/20").exit_code == 2
    early = run(ws, folder, "--as-of", "2001-01-01", "--lang", "en")
    assert (early.exit_code, "Nobody is enrolled on 2001-01-01" in early.output) == (1, True)
    model = run(ws, folder, "--model", "best", "--lang", "en")
    assert (model.exit_code, "There is no model best" in model.output) == (1, True)
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    target = run(ws, folder, "--out", tmp_path, "--lang", "en")
    assert target.exit_code == 1
    assert "holds other things" in target.output
    assert (tmp_path / "mine.txt").read_text("utf-8") == "mine"
