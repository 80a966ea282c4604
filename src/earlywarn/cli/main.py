"""The `earlywarn` command: each command is in a file of its own; here they are put together."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import Annotated

import typer

from earlywarn import __version__

# In the order of --help. Each module's `register(app)` adds its commands and imports nothing heavy.
_MODULES = (
    "demo",
    "init",
    "simulate",
    "ingest",
    "importing",
    "mapping",
    "check",
    "features",
    "score",
    "daily",
    "followup",
    "report",
    "reconcile",
    "explain",
    "rules",
    "models",
    "forget",
    "backup",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"earlywarn {__version__}")
        raise typer.Exit


def make_app() -> typer.Typer:
    """Return the command line with every command."""
    app = typer.Typer(
        name="earlywarn",
        help="Finds the children about to drop out of school, and says why. / 控辍保学预警。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
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

    for module in _MODULES:
        import_module(f"earlywarn.cli.{module}").register(app)
    return app


def main() -> None:
    """Run the command line; a console that cannot show a character gets a `?`, never an error."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    make_app()()


if __name__ == "__main__":
    main()
