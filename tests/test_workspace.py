"""The workspace: made, opened, configured, and written by one at a time."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.workspace import Config, Workspace, config_text, read_config

HOLD = (
    "import sys; from pathlib import Path; from earlywarn.workspace import Workspace\n"
    "with Workspace.open(Path(sys.argv[1])).lock('train'):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


def test_init_makes_everything_and_refuses_twice(tmp_path: Path) -> None:
    root = tmp_path / "区 县"
    workspace = Workspace.init(root)
    assert workspace.root == root.resolve()
    for folder in (
        workspace.data,
        workspace.rules,
        workspace.mappings,
        workspace.models,
        workspace.runs,
    ):
        assert folder.is_dir()
    with pytest.raises(EarlywarnError, match="is a workspace already"):
        Workspace.init(root)
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(EarlywarnError, match="is not a folder"):
        Workspace.init(tmp_path / "file")


def test_every_key_is_written_commented_and_reads_back(tmp_path: Path) -> None:
    config = Config(
        attendance="exceptions",
        outcomes_complete_until=date(2026, 8, 31),
        as_of_dates=[date(2026, 1, 5)],
        dropout_limit={"junior": 0.018},
        stages={"adult": (13, 13), "junior": (7, 9)},
        test_where="school_id = 'A: b'",
        base_rate=0.00012345,
    )
    path = tmp_path / "earlywarn.yaml"
    for written in (Config(), config):
        text = config_text(written)
        path.write_text(text, "utf-8")
        assert read_config(path) == written
        for key in Config.model_fields:
            assert f"\n{key}: " in f"\n{text}"
    assert text.count("# ") >= 2 * len(Config.model_fields)


def test_set_config(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    changed = workspace.set_config(attendance="exceptions", horizon_days=30)
    assert (changed.config.attendance, changed.config.horizon_days) == ("exceptions", 30)
    assert Workspace.open(tmp_path / "w").config == changed.config


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format: 1\nhorizon: 30\n", "line 2: there is no setting horizon; did you mean"),
        ("format: 1\ncapacity:\n  lest: 3\n", "line 3: there is no setting capacity.lest"),
        ("horizon_days: 0\n", "line 1: horizon_days has the value '0'"),
        ("stages: {a: 1-6, b: 6-9}\n", "grade 6 is in two stages"),
        ("stages: {a: six}\n", "write grades as 1-6"),
        ("school_year_start: 02-29\n", "every year has"),
        ("label_events: [gone]\n", "unknown event gone"),
        ("- a\n", "must be a list of `key: value`"),
        ("format: 2\n", "newer than this program"),
        ("lang: fr\n", "lang has the value 'fr'"),
        ("as_of_dates: [2026-02-30]\n", "as_of_dates"),
    ],
)
def test_wrong_configs(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "earlywarn.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(EarlywarnError) as caught:
        read_config(path)
    assert says in caught.value.text.en
    assert "earlywarn.yaml" in caught.value.text.zh


def test_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(EarlywarnError, match="is not a workspace"):
        Workspace.open(tmp_path)


def test_one_writer_at_a_time_across_processes(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "区 县")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        with (
            pytest.raises(EarlywarnError, match=f"in use by .*pid {other.pid}, train"),
            workspace.lock("score"),
        ):
            pass
        # The lock ends with its holder, however that ends.
        other.kill()
        other.wait()
    with workspace.lock("score"):
        pass
    with workspace.lock("score"):
        pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    with pytest.raises(RuntimeError), workspace.lock("score"):
        raise RuntimeError
    with workspace.lock("score"):
        pass
    assert not (workspace.root / ".lock-holder.json").exists()


@pytest.mark.parametrize("limit", ["{middle: 0.02}", "{junior: 1.8}", "{junior: 0}", "{junior: x}"])
def test_a_limit_that_nobody_could_be_over_is_refused(workspace, limit):
    path = workspace.root / "earlywarn.yaml"
    text = path.read_text("utf-8").replace("dropout_limit: {}", f"dropout_limit: {limit}")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EarlywarnError, match="dropout_limit"):
        Workspace.open(workspace.root)
