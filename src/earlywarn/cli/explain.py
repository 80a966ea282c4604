"""`earlywarn explain`: why one student has the score it has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    RoleOption,
    UserOption,
    WorkspaceOption,
    command,
    open_workspace,
    output,
    parse_date,
    user_of,
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("explain")(command(explain))


def explain(
    student: Annotated[str, typer.Argument(help="The student's id / 学籍号")],
    as_of: Annotated[str, typer.Option("--as-of", help="The day of the score / 截止日期")],
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Explain one student's score: every term in words, adding up, and what was unknown.

    The account is in full, monitored groups included, so it is for the roles bureau, county and
    township, and every look is in the audit log.

    Example: earlywarn explain G110101201301010012 --as-of 2026-11-20
    """
    from rich.console import Console

    from earlywarn.errors import Text
    from earlywarn.followup.audit import note
    from earlywarn.roles import refuse_unless_groups, role_of
    from earlywarn.watchlist.explain import explain_student

    day = parse_date(as_of, "--as-of")
    opened = open_workspace(workspace)
    out = output(lang, as_json, workspace)
    asked = role_of(opened, role)
    refuse_unless_groups(asked)
    with out.progress(Text("正在计算特征", "Building the features")):
        found = explain_student(opened, student, day)
    note(opened, "explain", who=user_of(user), role=asked, student_id=student, rows=1)
    out.data(found.as_dict(out.lang))
    if not as_json:
        console = Console(highlight=False)
        console.print(found.render(out.lang))
