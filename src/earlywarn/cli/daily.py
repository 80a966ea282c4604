"""`earlywarn daily`: the round of a day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    UserOption,
    WorkspaceOption,
    command,
    open_workspace,
    output,
    parse_date,
    user_of,
)
from earlywarn.errors import Text
from earlywarn.words import day_in_words

if TYPE_CHECKING:
    from rich.table import Table

    from earlywarn.followup.daily import Round, SchoolRound

_PIPED_WIDTH = 140  # where no terminal says how wide it is


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("daily")(command(daily))


def daily(
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest reported school day / 截止日期")
    ] = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """See who is away without leave today, open their cases, and see who came back.

    每日巡查：谁无故缺课、第几天、该办什么；谁已返校；哪些学校还没上报考勤。自动立案并记入台账。

    A second round of the same day changes nothing. Files: runs/daily/AS_OF.

    Example: earlywarn daily --as-of 2026-11-20 --user 张三
    """
    from earlywarn.followup.daily import as_dict
    from earlywarn.followup.daily import daily as make_round

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    day = parse_date(as_of, "--as-of") if as_of else None
    with out.progress(Text("正在巡查…", "Making the round ...")) as stage:
        made = make_round(opened, day, who=user_of(user), lang=out.lang, stage=stage)
    ledger = {"opened": made.opened, "returns_recorded": made.closed}
    out.data(as_dict(made, out.lang) | {"ledger": ledger, "folder": str(made.folder)})
    if not as_json:
        _show(out, made)


def _show(out: Output, made: Round) -> None:
    """Print totals, then the schools with something to do, then those that have not reported."""
    from rich.console import Console

    from earlywarn.followup.daily import wording

    console = Console(highlight=False, markup=False)  # a name such as [b] is a name
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    if made.generated:
        out.say(wording.WORDS["generated"])
    out.line(wording.long_day(made.as_of, out.lang))
    out.say(wording.totals(made))
    out.say(wording.ledger(made))
    if any(school.away for school in made.schools):
        console.print(_away_table(out, made))
    else:
        out.say(wording.WORDS["nobody_away"])
    if any(school.back for school in made.schools):
        console.print(_back_table(out, made))
    silent = [school for school in made.schools if school.silences]
    if silent:
        console.print(_silent_table(out, made, silent))
    out.line(str(made.folder / "daily.html"))


def _away_table(out: Output, made: Round) -> Table:
    from earlywarn.followup.daily import wording

    table = _table(
        out, "away", ("school", "class", "student", "day", "since", "step", "due", "who")
    )
    for school in made.schools:
        for i, one in enumerate(school.away):
            table.add_row(
                school.name if i == 0 else "",
                one.child.class_id,
                one.child.name or one.child.student_id,
                wording.away_day(one)(out.lang),
                day_in_words(one.run.first_day, out.lang, made.as_of),
                wording.step(one)(out.lang),
                wording.due(one, made.as_of)(out.lang),
                one.responsible(out.lang),
            )
    return table


def _back_table(out: Output, made: Round) -> Table:

    table = _table(out, "back", ("school", "class", "student", "back_on", "days_away"))
    for school in made.schools:
        for i, one in enumerate(school.back):
            table.add_row(
                school.name if i == 0 else "",
                one.child.class_id,
                one.child.name or one.child.student_id,
                day_in_words(one.returned.back_on, out.lang, made.as_of),
                str(len(one.returned.days)),
            )
    return table


def _silent_table(out: Output, made: Round, silent: list[SchoolRound]) -> Table:
    from earlywarn.followup.daily import wording

    table = _table(out, "not_reported", ("school", "children", "missing"))
    for school in silent:
        table.add_row(
            school.name,
            f"{school.children:,}",
            wording.missing(school, made.as_of)(out.lang),
        )
    return table


def _table(out: Output, title: str, columns: tuple[str, ...]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from earlywarn.followup.daily.wording import WORDS

    table = Table(title=WORDS[title](out.lang), title_justify="left", box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(WORDS[column](out.lang), overflow="fold")
    return table
