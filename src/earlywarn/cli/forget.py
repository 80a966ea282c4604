"""`earlywarn forget STUDENT`: everything about one child leaves the workspace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    user_of,
)
from earlywarn.errors import Text, UsageError

if TYPE_CHECKING:
    from earlywarn.forgetting import Forgetting

_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("forget")(command(forget))


def forget(
    student: Annotated[
        str, typer.Argument(help="Student's id; of a child on no registry the name / 学籍号")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; change nothing / 只看不改")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask / 不再询问")] = False,
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Take everything about a child out of the workspace, for good. / 删除一名孩子的全部内容。

    Tables, quarantine, runs, lists, rounds, ledger, audit log; old runs say that they were
    rewritten. A keyed hash stays, so that the next load does not bring the child back. Backups made
    before still hold the child.

    Example: earlywarn forget G110101201301010012 --dry-run
    """
    from earlywarn.forgetting import forget as take_out

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    who = user_of(user)
    if not dry_run and not yes:
        if as_json or not sys.stdin.isatty():
            raise UsageError(
                zh="这将永久删除一名孩子的全部内容。请先用 --dry-run 查看；确认后加上 --yes。",
                en="This deletes everything about a child for good. See what would go with "
                "--dry-run; to do it add --yes.",
            )
        _show(out, take_out(opened, student, who=who, dry_run=True))
        question = Text("永久删除，无法撤销。继续吗？", "This cannot be undone. Go on?")
        if not typer.confirm(question(out.lang), err=True):
            out.say(Text("未作改动。", "Nothing was changed."))
            return 1
    with out.progress(Text("正在删除", "Forgetting")) as stage:
        done = take_out(opened, student, who=who, dry_run=dry_run, stage=stage)
    out.data(_as_dict(done))
    if not as_json:
        _show(out, done)
    return 3 if done.left else 0


def _as_dict(done: Forgetting) -> dict[str, Any]:
    return {
        "done": done.is_done,
        "rows": done.rows,
        "rewritten": list(done.rewritten),
        "removed": list(done.removed),
        "left": list(done.left),
        "unread": list(done.unread),
        "runs": list(done.runs),
        "ledger": {"cases": done.cases, "entries": done.entries, "unsettled": done.unsettled},
        "shares_a_name_or_phone": done.shares,
    }


def _show(out: Output, done: Forgetting) -> None:
    head = Text("已删去", "Taken out") if done.is_done else Text("将删去", "Would be taken out")
    rows = sum(done.rows.values())
    tables = "、".join(done.rows), ", ".join(done.rows)
    out.say(
        Text(
            f"{head.zh}：表格 {rows} 行（{tables[0] or '无'}），台账个案 {done.cases} 件、"
            f"记录 {done.entries} 条、待核定 {done.unsettled} 项；"
            f"改写文件 {len(done.rewritten)} 个，删去文件 {len(done.removed)} 个，"
            f"涉及以往评分与巡查 {len(done.runs)} 次。",
            f"{head.en}: {rows} rows of tables ({tables[1] or 'none'}), "
            f"{done.cases} cases, {done.entries} entries and {done.unsettled} things to settle of "
            f"the ledger; files rewritten: {len(done.rewritten)}, removed: {len(done.removed)}; "
            f"earlier runs and rounds touched: {len(done.runs)}.",
        )
    )
    if done.shares:
        out.say(
            Text(
                "姓名或电话另有他人使用（或是普通词语），在他人处保留。",
                "A name is another's too, or a common word: where it is that one's, it stays.",
            )
        )
    _list(
        out,
        Text(
            f"还有 {len(done.left)} 个自己放入的文件里有这名孩子，程序不改写。请删去它们，"
            "或自行从中删去这名孩子：",
            f"{len(done.left)} files of your own hold the child and are not rewritten. Delete "
            "them, or take the child out of them yourself:",
        ),
        done.left,
    )
    _list(
        out,
        Text(
            f"有 {len(done.unread)} 个文件看不到里面（PDF、旧版 Word、有密码等），请打开看一看，"
            "有这名孩子的请删去；图片里的字也查不出来：",
            f"{len(done.unread)} files cannot be looked into (PDF, old Word, a password). Open "
            "them, and delete those with the child; nor is writing in pictures found:",
        ),
        done.unread,
    )
    if done.is_done:
        out.say(
            Text(
                "以前做的备份、发出去的名单里仍有这名孩子，请一并销毁。",
                "Backups made before, and lists that were sent out, still hold the child: destroy "
                "them too.",
            )
        )


def _list(out: Output, said: Text, names: tuple[str, ...]) -> None:
    if not names:
        return
    out.say(said)
    for name in names[:_SHOWN]:
        out.line(f"  {name}")
    if len(names) > _SHOWN:
        more = len(names) - _SHOWN
        out.say(
            Text(
                f"  …… 另有 {more} 个（--json 列出全部）",
                f"  ... and {more} more (--json lists all)",
            )
        )
