"""`earlywarn rules explain`: what it prints in both languages, JSON, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from earlywarn.cli.rules import register
from earlywarn.workspace import Workspace
from rule_runs import Story, remove_rule, story

app = typer.Typer(pretty_exceptions_enable=False)
register(app)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story; to be read only."""
    return story(tmp_path_factory.mktemp("story") / "某村 1")


@pytest.fixture
def own(told: Story, tmp_path: Path) -> Workspace:
    """A copy of the story's workspace to write to."""
    shutil.copytree(told.workspace.root, tmp_path / "w")
    return Workspace.open(tmp_path / "w")


def run(*words: Any) -> tuple[int, str]:
    result = CliRunner().invoke(
        app, ["rules", "explain", *map(str, words)], env={"COLUMNS": "100", "TERM": "dumb"}
    )
    return result.exit_code, "\n".join(line.rstrip() for line in result.output.splitlines())


def explained(workspace: Workspace, *words: Any) -> dict[str, Any]:
    code, text = run(*words, "-w", workspace.root, "--json")
    assert code == 0, text
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_whole_account(told: Story, lang: str) -> None:
    code, text = run("own-late", "-w", told.workspace.root, "--lang", lang)
    assert code == 0
    golden = Path(__file__).parent / "golden" / f"rules_explain_{lang}.txt"
    assert text.strip() == golden.read_text("utf-8").strip()


def test_json_is_the_same_account(told: Story) -> None:
    found = explained(told.workspace, "own-late")
    (version,) = found["versions"]
    assert version["words"] == {
        "zh": "近20个上学日迟到早退率不低于 30%",
        "en": "late or left early in the last 20 school days at least 30%",
    }
    assert version["when"] == "late_rate_20d >= 0.3"
    assert version["odds"] == pytest.approx(2.4596, abs=1e-4)
    assert (version["weight"]["weight"], version["weight"]["moved"]) == (0.0, -0.9)
    assert version["schools_see_it"] is True
    assert version["action"]["id"] == "talk-with-child"
    assert version["tests"][0] == {"given": {"late_rate_20d": "1"}, "expect": "hit"}
    assert len(found["hits"]) == 5
    assert found["history"]["not_yet_scored"]["kind"] == "changed"
    assert found["history"]["runs_without_rules"] == 1
    _, text = run("own-late", "-w", told.workspace.root, "--lang", "en")
    pooled = found["precision"]["pooled"]
    (line,) = (line for line in text.splitlines() if line.startswith("  together"))
    assert line.split()[1:3] == [str(pooled["hit"]["children"]), str(pooled["hit"]["events"])]
    assert f"\u00d7{pooled['lift']:.1f}" in line
    for hits in found["hits"]:
        row = next(x for x in text.splitlines() if x.startswith(f"  {hits['as_of']}"))
        assert str(hits["hits"]) in row.split()


def test_fewer_runs(told: Story) -> None:
    found = explained(told.workspace, "own-late", "--runs", 2)
    assert len(found["hits"]) == 2
    assert len(found["precision"]["runs"]) == 2
    code, _ = run("own-late", "-w", told.workspace.root, "--runs", 0)
    assert code == 2


def test_without_any_run(workspace: Workspace) -> None:
    code, text = run("left-behind-absent", "-w", workspace.root, "--lang", "en")
    assert code == 0
    for said in (
        "all of:",
        "- left-behind child",
        "- absence rate of the last 20 school days at least 5.0%",
        "left_behind and absence_rate_20d >= 0.05",
        "about 1.5 times the odds",
        "other rungs: left-behind-unexcused",
        "not shown there",
        "No run has recorded its rules yet.",
        "There are no runs yet.",
        "Not known yet: no run has used the rule",
    ):
        assert said in text
    assert "Weight in force" not in text  # no model is promoted
    assert "generated" not in text
    code, text = run("left-behind-absent", "-w", workspace.root, "--lang", "zh")
    assert code == 0
    assert "还没有评分" in text
    found = explained(workspace, "left-behind-absent")
    assert (found["hits"], found["precision"]["known_from"]) == ([], None)


def test_generated_data_is_called_so(own: Workspace) -> None:
    own.set_config(generated=True)
    assert run("own-late", "-w", own.root)[1].startswith("[generated data]")
    assert run("own-late", "-w", own.root, "--lang", "zh")[1].startswith("[生成的数据]")
    assert explained(own, "own-late")["generated"] is True


def test_two_versions_of_one_rule(workspace: Workspace) -> None:
    path = workspace.rules / "attendance.yaml"
    text = path.read_text("utf-8")
    (entry,) = re.findall(r"^  - id: unexcused-3d\n(?:    .*\n|\n)*", text, re.MULTILINE)
    first = entry.rstrip("\n") + "\n    effective: {to: 2026-08-31}\n\n"
    second = entry.rstrip("\n").replace("points: 2.0", "points: 2.3")
    second += "\n    effective: {from: 2026-09-01}\n\n"
    path.write_text(text.replace(entry, first + second), "utf-8")
    code, shown = run("unexcused-3d", "-w", workspace.root, "--lang", "en")
    assert code == 0, shown
    assert shown.count("Three school days running without leave") == 2
    assert "to 2026-08-31" in shown
    assert "from 2026-09-01" in shown
    points = [version["points"] for version in explained(workspace, "unexcused-3d")["versions"]]
    assert points == [2.0, 2.3]


def test_a_rule_that_was_removed_is_still_explained(own: Workspace) -> None:
    remove_rule(own)
    code, text = run("own-late", "-w", own.root, "--lang", "en")
    assert code == 0
    assert "The rules folder has no such rule any more" in text
    assert "late or left early in the last 20 school days at least 30%" in text
    assert "Removed from the rules folder since." in text
    assert "in the 14 days after" in text
    found = explained(own, "own-late")
    assert found["versions"] == []
    assert found["removed"]["points"] == 0.7
    assert "已经没有这条规则" in run("own-late", "-w", own.root, "--lang", "zh")[1]


def test_an_unknown_rule_is_told_the_nearest(workspace: Workspace) -> None:
    code, text = run("unexcused-3", "-w", workspace.root, "--lang", "en")
    assert code == 1
    assert text.startswith("There is no rule unexcused-3. Did you mean unexcused-3d?")
    code, text = run("unexcused-3", "-w", workspace.root, "--lang", "zh")
    assert code == 1
    assert "没有规则 unexcused-3" in text
    code, text = run("x" * 5000, "-w", workspace.root, "--json")
    assert code == 1
    assert len(json.loads(text)["en"]) < 200


def test_a_model_that_cannot_be_used_does_not_stand_in_the_way(own: Workspace) -> None:
    (own.models / "main" / "1" / "model.json").write_text("{}", "utf-8")
    code, text = run("own-late", "-w", own.root, "--lang", "en")
    assert code == 0
    assert "cannot be used" in " ".join(text.split())
    assert "Weight in force" not in text
    assert "cannot be used" in explained(own, "own-late")["model_problem"]["en"]


def test_broken_rules_and_no_workspace_are_plain_messages(
    workspace: Workspace, tmp_path: Path
) -> None:
    (workspace.rules / "more.yaml").write_text("pack: [", "utf-8")
    code, text = run("unexcused-3d", "-w", workspace.root, "--lang", "en")
    assert code == 1
    assert "more.yaml" in text
    code, text = run("unexcused-3d", "-w", tmp_path / "none", "--lang", "en")
    assert code == 1
    assert "is not a workspace" in text


def test_nobody_is_named(told: Story) -> None:
    text = json.dumps(explained(told.workspace, "own-late"), ensure_ascii=False)
    assert re.search(r"L[AB]\d\d|甲", text.replace("甲中学", "")) is None
