"""`earlywarn explain`: why one student has the score it has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    WorkspaceOption,
    command,
    output,
    parse_date,
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("explain")(command(explain))


def explain(
    student: Annotated[str, typer.Argument(help="The student's id / 学籍号")],
    as_of: Annotated[str, typer.Option("--as-of", help="The day of the score / 截止日期")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Explain one student's score: every term in words, adding up, and what was unknown.

    The account is in full, monitored groups included, so it is for the roles bureau, county and
    township.

    Example: earlywarn explain G110101201301010012 --as-of 2026-11-20
    """
    from rich.console import Console

    from earlywarn.errors import EarlywarnError, Text
    from earlywarn.watchlist.explain import explain_student
    from earlywarn.workspace import Workspace

    day = parse_date(as_of, "--as-of")
    opened = Workspace.open(workspace)
    out = output(lang, as_json, workspace)
    role = opened.config.roles.default
    if role not in ("bureau", "county", "township"):
        raise EarlywarnError(
            zh=f"角色 {role} 不能查看完整说明（其中有监测群体信息）。请由县级或乡镇人员查看。",
            en=f"The role {role} may not see the full account, which tells of monitored groups. "
            "Ask the county or the township.",
        )
    with out.progress(Text("正在计算特征", "Building the features")):
        found = explain_student(opened, student, day)
    out.data(found.as_dict(out.lang))
    if not as_json:
        console = Console(highlight=False)
        console.print(found.render(out.lang))
