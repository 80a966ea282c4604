"""`earlywarn rules explain`: one rule in words, its history, its hits and its precision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    WorkspaceOption,
    command,
    open_workspace,
    output,
)


def add(app: typer.Typer) -> None:
    """Add the command to `earlywarn rules`."""
    app.command("explain")(command(explain))


def explain(
    rule: Annotated[str, typer.Argument(metavar="ID", help="The rule's id / 规则编号")],
    workspace: WorkspaceOption = Path(),
    runs: Annotated[
        int, typer.Option("--runs", min=1, help="How many of the last runs / 最近几次评分")
    ] = 8,
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Explain one rule: in words, what was changed, how often it hit, and how often rightly.

    Precision is shown for the runs after which enough time has passed for outcomes to be known.

    Example: earlywarn rules explain unexcused-3d -w county
    """
    from rich.console import Console

    from earlywarn.errors import Text
    from earlywarn.report.rule_text import render
    from earlywarn.scoring.rule_explanation import explain_rule

    opened = open_workspace(workspace)
    out = output(lang, as_json, workspace)
    with out.progress(Text("正在读取各次评分", "Reading the runs")):
        found = explain_rule(opened, rule, runs=runs)
    out.data(found.as_dict())
    if not as_json:
        console = Console(highlight=False)
        console.print(render(found, out.lang))
