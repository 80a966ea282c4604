"""`earlywarn reconcile` and `earlywarn reconcile review`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

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
    parse_date,
    user_of,
)
from earlywarn.errors import Text, UsageError

if TYPE_CHECKING:
    from earlywarn.reconcile.run import Reconciled, Reviewed

_SHOWN_ROWS = 10  # rows that could not be read; the workbook has them all
_LISTS = ("--households", "--poverty")


class _Group(TyperGroup):
    """Takes several files after one option, as a shell writes them for `--households *.xlsx`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the option before each of the files that follow it."""
        if args and args[0] not in self.commands:
            args = _spread(args)
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


def _spread(args: list[str]) -> list[str]:
    spread: list[str] = []
    option, is_value = "", False
    for word in args:
        if word.startswith("-") and word != "-":
            option = word if word in _LISTS else ""
            is_value = bool(option)
        elif option and not is_value:
            spread.append(option)
        else:
            is_value = False
        spread.append(word)
    return spread


def reconcile(
    context: typer.Context,
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest reported school day / 截止日期")
    ] = "",
    households: Annotated[
        list[Path] | None,
        typer.Option("--households", help="Household lists, files or folders / 户籍人口名单"),
    ] = None,
    poverty: Annotated[
        list[Path] | None,
        typer.Option("--poverty", help="Poverty lists, files or folders / 困难家庭名单"),
    ] = None,
    mapping: Annotated[
        str, typer.Option("--mapping", help="Name or path of a mapping file / 映射文件")
    ] = "cn-households",
    no_cases: Annotated[
        bool, typer.Option("--no-cases", help="Open no cases in the ledger / 不立案")
    ] = False,
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Compare household list, registry, class and poverty list. / 四核查三比对。

    适龄儿童谁没有学籍、谁有学籍不在户籍名单、谁有学籍不在课堂、困难家庭谁失学；无学籍的立案。
    拿不准的写入 review.xlsx，由人判断后用 reconcile review 读回。

    Who is on no roll becomes a case. Bad rows stop no good ones (exit code 3). Files:
    reconcile/AS_OF/N.

    Example: earlywarn reconcile --as-of 2026-11-20 --households 户籍/ --poverty 低保.xlsx
    """
    from earlywarn.reconcile.run import reconcile as run
    from earlywarn.roles import refuse_unless_groups, role_of

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asking = role_of(opened, role)
    refuse_unless_groups(asking)
    if not households:
        raise UsageError(
            zh="请用 --households 给出户籍人口名单（文件或文件夹）。",
            en="Name the household lists with --households (files or folders).",
        )
    day = parse_date(as_of, "--as-of") if as_of else None
    with out.progress(Text("正在比对…", "Comparing ...")) as stage:
        made = run(
            opened,
            day,
            households,
            poverty or [],
            mapping=mapping,
            cases=not no_cases,
            who=user_of(user),
            role=asking,
            lang=out.lang,
            stage=stage,
        )
    out.data(_as_dict(made, out))
    _show(out, made)
    return 3 if made.unread else 0


def review(
    file: Annotated[Path, typer.Argument(help="The filled review.xlsx / 填好的 review.xlsx")],
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Read back who is who, and make the lists anew. / 读回人工判断，重新出名单。

    是同一人的并入，不是的且没有别的候选的列入“无学籍”并立案，没填的留待以后。读两次与读一次相同。

    Answers are kept: the next reconcile does not ask again.

    Example: earlywarn reconcile review review.xlsx --user 张三
    """
    from earlywarn.reconcile.run import review as run
    from earlywarn.roles import refuse_unless_groups, role_of

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asking = role_of(opened, role)
    refuse_unless_groups(asking)
    with out.progress(Text("正在读入…", "Reading ...")) as stage:
        found = run(opened, file, who=user_of(user), role=asking, lang=out.lang, stage=stage)
    out.data(
        {
            "same": found.same,
            "not": found.different,
            "unsure": found.unsure,
            "empty": found.empty,
            "changed": found.changed,
            "forgotten": found.forgotten,
            "unreadable": [one.cell for one in found.unreadable],
            "again": _as_dict(found.again, out) if found.again else None,
        }
    )
    _show_review(out, found)
    left = found.unreadable or (found.again and found.again.unread)
    return 3 if left or found.again is None else 0


def _as_dict(made: Reconciled, out: Output) -> dict[str, Any]:
    return {
        "as_of": made.info["as_of"],
        "folder": str(made.folder),
        "is_new": made.is_new,
        "generated": made.info["generated"],
        "cases_opened": made.cases,
        "counts": made.info["counts"],
        "notes": [text(out.lang) for text in made.notes],
        "unread": [
            {
                "list": kind,
                "file": row.file,
                "row": row.row,
                "column": row.column,
                "why": row.why(out.lang),
            }
            for kind, row in made.unread
        ],
    }


def _show(out: Output, made: Reconciled) -> None:
    """Print what was read, a line for each list, what to judge, and where the files are."""
    from earlywarn.reconcile.reviewbook import REVIEW
    from earlywarn.reconcile.wording import LIST_TITLES, WORDS

    if made.info["generated"]:
        out.say(WORDS["generated"])
    counts = made.info["counts"]
    for text in made.notes:
        out.say(text)
    for kind, count in counts["lines"].items():
        bad = counts["unread"][kind]
        name = WORDS[kind]
        out.say(
            Text(
                f"{name.zh}：读入 {count:,} 行，未能读入 {bad:,} 行。",
                f"{name.en}: {count:,} lines read, {bad:,} not readable.",
            )
        )
    _show_unread(out, made)
    for which, count in counts["lists"].items():
        if "poverty" in counts["lines"] or not which.startswith("poor"):
            title = LIST_TITLES[which]
            out.say(Text(f"{title.zh}：{count:,} 人", f"{title.en}: {count:,}"))
    if counts["to_judge"]:
        out.say(
            Text(
                f"待人工判断 {counts['to_judge']:,} 对：{REVIEW}",
                f"To be judged: {counts['to_judge']:,} in {REVIEW}",
            )
        )
    if made.info["cases"]:
        out.say(Text(f"新立案 {made.cases:,} 件。", f"New cases: {made.cases:,}."))
    if not made.is_new:
        out.say(Text("与上次相同，没有新的名单。", "Same as before: no new lists."))
    out.line(str(made.folder))


def _show_unread(out: Output, made: Reconciled) -> None:
    for _, row in made.unread[:_SHOWN_ROWS]:
        column = Text(f"“{row.column}”列", f", column {row.column}") if row.column else Text("", "")
        out.say(
            Text(
                f"{row.file} 第 {row.row} 行{column.zh}：{row.why.zh}。",
                f"{row.file}, row {row.row}{column.en}: {row.why.en}.",
            )
        )
    rest = len(made.unread) - _SHOWN_ROWS
    if rest > 0:
        out.say(Text(f"还有 {rest:,} 处，见工作簿。", f"{rest:,} more, see the workbook."))


def _show_review(out: Output, found: Reviewed) -> None:
    out.say(
        Text(
            f"是同一人 {found.same}，不是 {found.different}，不确定 {found.unsure}，"
            f"未填 {found.empty}；比上次多或不同 {found.changed}。",
            f"The same {found.same}, not the same {found.different}, not sure {found.unsure}, "
            f"empty {found.empty}; new or changed {found.changed}.",
        )
    )
    if found.forgotten:
        out.say(
            Text(
                f"有 {found.forgotten} 对属于已被遗忘的孩子，未读入。",
                f"{found.forgotten} of forgotten children left out.",
            )
        )
    for one in found.unreadable:
        out.say(
            Text(
                f"单元格 {one.cell}（序号 {one.number}）看不懂，请从列表中选择后再读入一次。",
                f"Cell {one.cell} (No. {one.number}) is no answer: choose from the list, then read "
                "the file again.",
            )
        )
    if found.again is None:
        out.say(
            Text(
                "答复已保存。当时的名单已移动或改动，请再运行一次 earlywarn reconcile。",
                "The answers are kept. The lists of that time were moved or changed: run "
                "`earlywarn reconcile` once more.",
            )
        )
    else:
        _show(out, found.again)


def register(app: typer.Typer) -> None:
    """Add the command and its `review`."""
    group = typer.Typer(cls=_Group, invoke_without_command=True, no_args_is_help=False)
    group.callback()(command(reconcile))
    group.command("review")(command(review))
    app.add_typer(group, name="reconcile")
