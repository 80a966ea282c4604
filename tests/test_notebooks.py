"""The notebooks run on a real workspace, cell by cell."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from earlywarn.simulate.demo import run_demo
from earlywarn.simulate.plan import Plan

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EARLYWARN_WORKSPACE", str(demo))
    monkeypatch.setattr(sys, "argv", [str(path)])
    names: dict[str, object] = {}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "notebooks are committed without their outputs"
            exec(compile("".join(cell["source"]), f"{path.name}:{cell['id']}", "exec"), names)
    assert names["info"]["generated"] is True  # type: ignore[index]
