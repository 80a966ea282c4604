"""The notebooks run on a real workspace, cell by cell."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from earlywarn.simulate.demo import run_demo
from earlywarn.simulate.plan import Plan

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "演示 city"
    said: list[str] = []
    done = run_demo(root, Plan(students=400, years=2), "en", lambda text: said.append(text.en))
    assert done.index.is_file()
    assert len(said) == 3
    again = run_demo(root, Plan(students=400, years=2), "en", lambda text: said.append(text.en))
    assert not again.run.is_new
    assert again.index == done.index
    return root


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the notebooks make the county that they share, in the order of their names."""
    root = tmp_path_factory.mktemp("county") / "某县 county"
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """As a notebook is opened: in its own folder; the open data sets are the small samples."""
    monkeypatch.chdir(FOLDER)
    monkeypatch.delenv("EARLYWARN_SHARED", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    import matplotlib

    matplotlib.use("Agg")
    return monkeypatch


def run(name: str, at_home: pytest.MonkeyPatch, workspace: Path) -> dict[str, Any]:
    """Run a notebook's cells and return the names that they leave."""
    at_home.setenv("EARLYWARN_WORKSPACE", str(workspace))
    path = FOLDER / f"{name}.ipynb"
    at_home.setattr(sys, "argv", [str(path)])
    names: dict[str, Any] = {}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{path.name}:{cell['id']}", "exec"), names)
    return names


def test_every_notebook_is_run_here():
    ran = {
        "add-a-feature",
        "audit-fairness",
        "look-at-a-run",
        "oulad-and-star",
        "retrain-a-model",
    }
    assert {path.stem for path in NOTEBOOKS} == ran


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_their_outputs(path: Path):
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_look_at_a_run(demo: Path, at_home: pytest.MonkeyPatch):
    assert run("look-at-a-run", at_home, demo)["info"]["generated"] is True


def test_retrain_a_model(county: Path, at_home: pytest.MonkeyPatch):
    names = run("retrain-a-model", at_home, county)
    old, new = names["old"], names["new"]
    assert old.metrics["test"]["last_as_of"] < new.metrics["test"]["first_as_of"]
    assert (names["in_use"], names["back"]) == (new.label, old.label)
    figures = names["figures"].set_index(["model", "measure"])["value"]
    assert names["recall"][new.label] == pytest.approx(
        figures["combined", "recall_at_capacity"], abs=1e-6
    )


def test_audit_fairness(county: Path, at_home: pytest.MonkeyPatch):
    names = run("audit-fairness", at_home, county)
    stored, again = names["stored"], names["again"]
    assert "left_behind" in stored.index
    for column, there in (("in the group", "value"), ("difference", "difference")):
        expected = stored[there].dropna()
        assert len(expected) > 0
        got = again.loc[expected.index, column]
        assert got.to_numpy(float) == pytest.approx(expected.to_numpy(), abs=2e-6)


def test_add_a_feature(county: Path, at_home: pytest.MonkeyPatch):
    names = run("add-a-feature", at_home, county)
    result = names["result"]
    assert list(result.index) == ["auc", "recall_at_capacity"]
    assert (result["low"] <= result["high"]).all()
    assert result.loc["auc", "with"] > 0.6  # it has learned something of what is to come
    values = names["table"].values
    assert values == sorted(values)


def test_oulad_and_star(county: Path, at_home: pytest.MonkeyPatch):
    names = run("oulad-and-star", at_home, county)
    assert os.fspath(names["data"]).endswith("data")
    assert names["imported"]["star"]["outcomes"] == 600
    assert names["imported"]["oulad"]["students"] == 409
    for model in names["models"].values():
        assert model.card.is_file()
    assert names["models"]["star"].metrics["validation"] == "by_school"
