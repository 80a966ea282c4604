"""`earlywarn upgrade`: older workspaces come up to date, whole or not at all, and once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.errors import EarlywarnError, Text
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.ledger.connect import reading, writing
from earlywarn.followup.ledger.migrate import downgrade, revision
from earlywarn.followup.ledger.schema import HEAD
from earlywarn.upgrading import Change, Step, upgrade
from earlywarn.workspace import Config, Workspace, config_text

OLD_KEY = "horizon: 60\n"


def config_file(workspace: Workspace) -> Path:
    return workspace.root / "earlywarn.yaml"


def files(root: Path) -> dict[str, bytes]:
    """Every file of the workspace but its lock."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".lock")
    }


def test_a_workspace_of_today_is_left_as_it_is(workspace: Workspace) -> None:
    before = files(workspace.root)
    done = upgrade(workspace.root)
    assert (done.changes, done.left, done.kept) == ((), (), None)
    assert files(workspace.root) == before


def test_missing_settings_are_written_behind_what_the_user_wrote(workspace: Workspace) -> None:
    path = config_file(workspace)
    mine = b"# ours / \xe6\x9c\xac\xe5\x8e\xbf\r\npass_mark:   0.7 # so agreed\r\nformat: 1\r\n"
    path.write_bytes(mine)
    done = upgrade(workspace.root)
    assert done.kept is not None
    assert done.kept.name == "earlywarn.old-1.yaml"
    assert done.kept.read_bytes() == mine
    written = path.read_bytes()
    assert written.startswith(mine)
    assert b"\n" not in written.replace(b"\r\n", b"")
    lines = written.decode().split("\r\n")
    place = lines.index("memory_limit: " + '""')
    assert lines[place - 1] == "# memory limit such as 4GB; empty = automatic"
    assert not any(line.startswith("pass_mark") for line in lines[2:])
    assert Workspace.open(workspace.root).config == Config(pass_mark=0.7)
    (change,) = done.changes
    assert change.place == "earlywarn.yaml"
    assert "attendance" in change.what.en
    assert "pass_mark" not in change.what.en
    again = files(workspace.root)
    assert upgrade(workspace.root).changes == ()
    assert files(workspace.root) == again


@settings(max_examples=25)
@given(kept=st.sets(st.sampled_from(sorted(Config.model_fields))), data=st.data())
def test_whatever_is_missing_the_settings_mean_the_same(
    tmp_path_factory: pytest.TempPathFactory, kept: set[str], data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("w")
    blocks = config_text(Config(tiers={"high": 9}, lang="en")).strip().split("\n\n")
    by_key = dict(zip(Config.model_fields, blocks, strict=True))
    order = data.draw(st.permutations(sorted(kept | {"tiers"})))
    (root / "earlywarn.yaml").write_text("\n".join(by_key[key] for key in order), "utf-8")
    before = Workspace.open(root).config
    upgrade(root)
    assert Workspace.open(root).config == before
    assert upgrade(root).changes == ()


@pytest.mark.parametrize("text", ["{format: 1, lang: en}\n", "  format: 1\n  lang: en\n"])
def test_a_file_that_nothing_can_be_put_behind_is_left_alone(
    workspace: Workspace, text: str
) -> None:
    config_file(workspace).write_text(text, "utf-8")
    done = upgrade(workspace.root)
    assert (done.changes, done.kept) == ((), None)
    assert "cannot be added" in done.left[0].en
    assert config_file(workspace).read_text("utf-8") == text


def test_an_older_ledger_comes_up_to_date(workspace: Workspace) -> None:
    with Ledger.open(workspace) as ledger, writing(ledger.engine) as con:
        downgrade(con, "0001")
    done = upgrade(workspace.root)
    said = Text(f"台账的表由 0001 版升到 {HEAD} 版", f"its tables went from 0001 to {HEAD}")
    assert done.changes == (Change("ledger.db", said),)
    with Ledger.open(workspace) as ledger, reading(ledger.engine) as con:
        assert revision(con) == HEAD
    assert upgrade(workspace.root).changes == ()


def test_no_ledger_is_begun_and_a_lost_one_is_not_replaced(workspace: Workspace) -> None:
    upgrade(workspace.root)
    assert not (workspace.root / "ledger.db").exists()
    Ledger.open(workspace).close()
    (workspace.root / "ledger.db").unlink()
    with pytest.raises(EarlywarnError, match="gone or empty"):
        upgrade(workspace.root)
    assert not (workspace.root / "ledger.db").exists()


def rename_horizon(root: Path) -> Text:
    """Format 0 called it `horizon`."""
    path = root / "earlywarn.yaml"
    path.write_text(path.read_text("utf-8").replace("horizon:", "horizon_days:"), "utf-8")
    return Text("horizon 改名为 horizon_days", "horizon is called horizon_days")


def note(root: Path) -> Text:
    (root / "notes.txt").write_text("0", "utf-8")
    return Text("加了说明", "a note was added")


@pytest.mark.parametrize("written", ["format: 0", 'format: "0" # leave it', '"format": 0'])
def test_a_format_goes_up_step_by_step(workspace: Workspace, written: str) -> None:
    path = config_file(workspace)
    old = f"# mine\n{written}\n{OLD_KEY}lang: en\n"
    path.write_text(old, "utf-8")
    done = upgrade(workspace.root, steps=[Step(0, rename_horizon)])
    assert done.changes[0] == Change("earlywarn.yaml", rename_horizon(workspace.root))
    assert done.kept is not None
    assert done.kept.read_text("utf-8") == old
    config = Workspace.open(workspace.root).config
    assert (config.format, config.horizon_days, config.lang) == (1, 60, "en")
    assert path.read_text("utf-8").startswith(f"# mine\n{written.replace('0', '1')}\n")
    assert upgrade(workspace.root, steps=[Step(0, rename_horizon)]).changes == ()


def test_a_step_that_was_cut_off_is_done_again(workspace: Workspace) -> None:
    def cut_off(root: Path) -> Text:
        note(root)
        raise OSError(28, "No space left on device")

    config_file(workspace).write_text(f"format: 0\n{OLD_KEY}", "utf-8")
    with pytest.raises(OSError, match="No space"):
        upgrade(workspace.root, steps=[Step(0, cut_off)])
    assert config_file(workspace).read_text("utf-8") == f"format: 0\n{OLD_KEY}"
    upgrade(workspace.root, steps=[Step(0, rename_horizon)])
    assert Workspace.open(workspace.root).config.horizon_days == 60


def test_steps_that_lie_behind_are_not_run(workspace: Workspace) -> None:
    upgrade(workspace.root, steps=[Step(0, note)])
    assert not (workspace.root / "notes.txt").exists()


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("earlywarn.yaml", "format: 2\nlang: en\n", "has format 2, newer than this program's 1"),
        ("data/batches.json", '{"format": 2}', r"newer program \(format 2\)"),
    ],
)
def test_what_a_newer_program_wrote_is_refused(
    workspace: Workspace, file: str, text: str, told: str
) -> None:
    (workspace.root / file).write_text(text, "utf-8")
    before = files(workspace.root)
    with pytest.raises(EarlywarnError, match=told):
        upgrade(workspace.root)
    assert files(workspace.root) == before


def test_a_workspace_in_use_is_refused(workspace: Workspace) -> None:
    with FileLock(workspace.root / ".lock"), pytest.raises(EarlywarnError, match="in use"):
        upgrade(workspace.root)


def test_no_workspace_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(EarlywarnError, match="is not a workspace"):
        upgrade(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_changed_and_missing_rules_are_named_and_left_alone(workspace: Workspace) -> None:
    marks = workspace.rules / "marks.yaml"
    marks.write_text(marks.read_text("utf-8") + "# ours\n", "utf-8")
    (workspace.rules / "home.yaml").unlink()
    before = files(workspace.root)
    (said,) = upgrade(workspace.root).left
    assert "home.yaml, marks.yaml" in said.en
    assert "home.yaml、marks.yaml" in said.zh
    assert files(workspace.root) == before


def test_the_command_says_what_it_did_once(workspace: Workspace) -> None:
    config_file(workspace).write_text("format: 1\nlang: zh\n", "utf-8")
    run = CliRunner().invoke(make_app(), ["upgrade", "-w", str(workspace.root), "--lang", "en"])
    assert run.exit_code == 0
    assert "earlywarn.yaml: added" in run.stdout
    assert "kept as earlywarn.old-1.yaml" in run.stdout
    again = CliRunner().invoke(make_app(), ["upgrade", "-w", str(workspace.root)])
    assert again.stdout == "工作区已是最新，未作改动。\n"
    told = CliRunner().invoke(make_app(), ["upgrade", "-w", str(workspace.root), "--json"])
    assert json.loads(told.stdout) == {"changes": [], "kept": None, "left": []}


def test_the_command_reports_a_newer_workspace_in_one_line(workspace: Workspace) -> None:
    config_file(workspace).write_text("format: 7\n", "utf-8")
    run = CliRunner().invoke(make_app(), ["upgrade", "-w", str(workspace.root)])
    assert run.exit_code == 1
    assert run.stderr.startswith("earlywarn.yaml 的 format 是 7，比本程序新")
    assert run.stderr.count("\n") == 1
