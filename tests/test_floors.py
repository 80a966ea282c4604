"""The floors of the house: a file imports only from floors below its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_go_only_downwards():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_folder_stands_on_a_floor():
    layers = (ROOT / "pyproject.toml").read_text("utf-8")
    package = ROOT / "src" / "earlywarn"
    for path in package.iterdir():
        name = path.stem
        if name.startswith("_") or path.suffix not in ("", ".py") or name == "shipped":
            continue
        assert f"earlywarn.{name}" in layers, f"{name} is on no floor in pyproject.toml"
