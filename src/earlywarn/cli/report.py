"""`earlywarn report --period ... --of ...`, `report school|child ID`, `report registers`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    RoleOption,
    UserOption,
    WorkspaceOption,
    command,
    open_workspace,
    output,
    user_of,
)
from earlywarn.cli.report_cards import child, school
from earlywarn.cli.report_registers import registers
from earlywarn.errors import Text, UsageError

if TYPE_CHECKING:
    from earlywarn.report.period.make import Made


def period(
    context: typer.Context,
    kind: Annotated[
        str, typer.Option("--period", help="month | quarter | term | year / 月、季、学期、学年")
    ] = "",
    of: Annotated[
        str, typer.Option("--of", help="2026-11 | 2026-Q4 | 2026-1 | 2026 / 哪一期")
    ] = "",
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Make the report of a month, quarter, term or school year, and keep it. / 出期报。

    Every report is kept; a later one shows what has changed since, each on its own line. A term is
    named by the year in which the school year begins: 2026-1 is its first six months.

    Example: earlywarn report --period month --of 2026-11
    """
    from earlywarn.followup.audit import note
    from earlywarn.report.period.kept import WORKBOOK_FILE
    from earlywarn.report.period.make import make
    from earlywarn.report.period.periods import parse_period
    from earlywarn.roles import refuse_unless_groups, role_of

    if not (kind and of):
        raise UsageError(
            zh="请写明期间，如 earlywarn report --period month --of 2026-11。",
            en="Name the period, such as `earlywarn report --period month --of 2026-11`.",
        )
    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    refuse_unless_groups(asked)
    which = parse_period(kind, of, opened.config)
    with out.progress(Text("正在统计", "Counting")) as stage, opened.lock("report"):
        made = make(
            opened,
            which,
            today=date.today(),
            lang=out.lang,
            stage=lambda text: stage(text(out.lang)),
        )
        note(
            opened,
            f"report {which.kind} {which.of}",
            who=user_of(user),
            role=asked,
            rows=made.report.figures.total.enrolled,
            file=made.folder / WORKBOOK_FILE,
        )
    out.data({"folder": str(made.folder), "new": made.new} | made.report.model_dump(mode="json"))
    _say(out, made)


def _say(out: Output, made: Made) -> None:
    from earlywarn.report.period.kept import PAGE_FILE, WORKBOOK_FILE
    from earlywarn.report.period.words import headline, standing, told_of

    out.line(headline(made.report, out.lang))
    for line in (*standing(made.report, out.lang), *told_of(made.report, out.lang)):
        out.line(line)
    for name in (PAGE_FILE, WORKBOOK_FILE):
        out.line(f"  {made.folder / name}")
    if not made.new:
        out.say(Text("与上次相同，没有另存。", "The same as before: nothing new was kept."))


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(command(period))
    for name, function in (("school", school), ("child", child), ("registers", registers)):
        group.command(name)(command(function))
    app.add_typer(group, name="report")
