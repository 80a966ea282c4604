"""The `earlywarn` command: each command is in a file of its own; here they are put together.

A command's module is imported, and its options are built, only where it is called, and `--help`
builds none at all: building all of them would take longer than everything else that starts up.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import copy
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_name, get_group, solve_typer_info_defaults

from earlywarn import __version__

# In the order of --help, with the module whose `register(app)` adds the command or group.
_MODULES = {
    "demo": "demo",
    "init": "init",
    "simulate": "simulate",
    "ingest": "ingest",
    "check": "check",
    "features": "features",
    "score": "score",
    "daily": "daily",
    "explain": "explain",
    "train": "models",
    "forget": "forget",
    "backup": "backup",
    "restore": "backup",
    "upgrade": "upgrade",
    "import": "importing",
    "mapping": "mapping",
    "followup": "followup",
    "report": "report",
    "reconcile": "reconcile",
    "rules": "rules",
    "models": "models",
}


@cache
def _registered(module: str) -> typer.Typer:
    """Return what one module registers. The modules import nothing heavy."""
    part = typer.Typer()
    import_module(f"earlywarn.cli.{module}").register(part)
    return part


class _Commands(Mapping[str, Any]):
    """Every command by its name, built when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        return get_group(_registered(_MODULES[name])).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


def _summaries() -> dict[str, Any]:
    """Return each command as --help needs it: its name and what it does."""
    helps: dict[str, str | None] = {}
    for module in dict.fromkeys(_MODULES.values()):
        part = _registered(module)
        for info in part.registered_commands:
            name = info.name or get_command_name(getattr(info.callback, "__name__", ""))
            helps[name] = info.help or inspect.getdoc(info.callback)
        for group in part.registered_groups:
            solved = solve_typer_info_defaults(group)
            helps[str(solved.name)] = solved.help
    said = {name: (helps[name] or "").partition("\n\n")[0] for name in _MODULES}
    return {name: TyperCommand(name, short_help=text) for name, text in said.items()}


class _Program(TyperGroup):
    """The group of all commands, none of them built before it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"commands": _Commands()})

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        shown = copy(self)
        shown.commands = _summaries()
        TyperGroup.format_help(shown, ctx, formatter)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"earlywarn {__version__}")
        raise typer.Exit


def make_app() -> typer.Typer:
    """Return the command line with every command."""
    app = typer.Typer(
        name="earlywarn",
        cls=_Program,
        help="Finds the children about to drop out of school, and says why. / 控辍保学预警。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # importing rich would take most of the start
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def options(
        version: Annotated[
            bool,
            typer.Option("--version", callback=_version, is_eager=True, help="The version / 版本"),
        ] = False,
    ) -> None:
        pass

    return app


def main() -> None:
    """Run the command line; a console that cannot show a character gets a `?`, never an error."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    make_app()()


if __name__ == "__main__":
    main()
