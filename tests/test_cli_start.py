"""The command line starts quickly, building only what is called, and is whole all the same."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_command, get_group
from typer.testing import CliRunner

from earlywarn.cli import main

MODULES = sorted(set(main._MODULES.values()))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_registers_what_stands_beside_its_name(module: str) -> None:
    app = typer.Typer()
    import_module(f"earlywarn.cli.{module}").register(app)
    named = {name for name, its in main._MODULES.items() if its == module}
    assert set(get_group(app).commands) == named


def test_no_command_is_forgotten() -> None:
    """Whatever module of the command line can register something does."""
    folder = Path(main.__file__).parent
    able = {p.stem for p in folder.glob("*.py") if "def register(app" in p.read_text("utf-8")}
    assert able - {"train"} == set(MODULES)  # `train` is registered by `models`


def test_help_names_every_command_with_its_own_first_line() -> None:
    shown = " ".join(
        CliRunner().invoke(main.make_app(), ["--help"], env={"COLUMNS": "300"}).output.split()
    )
    built = get_command(main.make_app()).commands  # type: ignore[attr-defined]
    place = 0
    for name, command in built.items():
        first = " ".join(command.help.split("\n\n")[0].split())
        place = shown.index(f"{name} {first}", place)


def test_a_mistyped_command_is_told_the_nearest() -> None:
    run = CliRunner().invoke(main.make_app(), ["scor"])
    assert run.exit_code == 2
    assert "Did you mean 'score'" in run.stderr


@pytest.mark.parametrize(
    ("words", "only"), [(["--help"], None), (["score", "--help"], "score")], ids=["all", "one"]
)
def test_help_imports_nothing_heavy_and_one_command_no_other(
    words: list[str], only: str | None
) -> None:
    code = (
        "import atexit, sys, earlywarn.cli.main as m; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
        f"sys.argv[1:] = {words!r}; m.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stderr.split())
    heavy = {"yaml", "duckdb", "pandas", "numpy", "pyarrow", "sklearn", "sqlalchemy"}
    assert not heavy & modules
    assert only or "pydantic" not in modules  # with which Typer builds a command's options
    its = {module for module in MODULES if f"earlywarn.cli.{module}" in modules}
    assert its == ({only} if only else set(MODULES))
