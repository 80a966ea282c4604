"""`earlywarn check`: the state of the data before scoring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    WorkspaceOption,
    command,
    open_workspace,
    output,
    parse_date,
)
from earlywarn.errors import Text
from earlywarn.words import day_in_words

if TYPE_CHECKING:
    from rich.table import Table

    from earlywarn.checking import Finding, State

_PIPED_WIDTH = 140  # where no terminal says how wide it is
_SHOWN = 30


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("check")(command(check))


def check(
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest reported school day / 截止日期")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Print every finding / 列出全部发现")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """See the state of the data, school by school, before scoring.

    数据检查：哪些周没有报考勤、哪些学校只报出勤、哪些班没有成绩、哪些学生对不上学籍，最严重的在前。

    Findings are no errors: the exit code is 0. Files: runs/check/AS_OF.

    Example: earlywarn check --as-of 2026-11-20
    """
    from earlywarn.checking import as_dict
    from earlywarn.checking import check as make_check

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    day = parse_date(as_of, "--as-of") if as_of else None
    with out.progress(Text("正在检查…", "Checking ...")) as stage:
        state = make_check(opened, day, lang=out.lang, stage=stage)
    out.data(as_dict(state, out.lang) | {"folder": str(state.folder)})
    if not as_json:
        _show(out, state, len(state.findings) if everything else _SHOWN)


def _show(out: Output, state: State, shown: int) -> None:
    """Print totals, then the findings, worst first, then where the page is."""
    from rich.console import Console

    from earlywarn.checking import wording
    from earlywarn.checking.files import PAGE_FILE

    console = Console(highlight=False, markup=False)  # a name such as [b] is a name
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    if state.generated:
        out.say(wording.WORDS["generated"])
    out.line(day_in_words(state.as_of, out.lang))
    out.say(wording.totals(state))
    if state.findings:
        console.print(_table(out, state, state.findings[:shown]))
    else:
        out.say(wording.WORDS["nothing"])
    rest = len(state.findings) - shown
    if rest > 0:
        out.say(
            Text(
                f"还有 {rest} 项，{wording.WORDS['more'].zh}",
                f"{rest} more. {wording.WORDS['more'].en}",
            )
        )
    out.line(str(state.folder / PAGE_FILE))


def _table(out: Output, state: State, findings: tuple[Finding, ...]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from earlywarn.checking import wording

    table = Table(box=SIMPLE_HEAD)
    for column in ("severity", "school", "finding", "cure"):
        table.add_column(wording.WORDS[column](out.lang), overflow="fold")
    for one in findings:
        table.add_row(
            wording.WORDS[one.severity](out.lang),
            wording.where(state, one)(out.lang),
            one.text(out.lang),
            one.cure(out.lang),
        )
    return table
