"""`earlywarn followup`: import, due, case, assign, open, done, unsettled, settle, counts, check."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earlywarn.cli.columns import print_columns
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
from earlywarn.cli.followup_inspection import inspection
from earlywarn.errors import Text, UsageError
from earlywarn.words import counted

if TYPE_CHECKING:
    from earlywarn.followup.importing import Imported
    from earlywarn.followup.ledger import Case, Ledger, Unsettled
    from earlywarn.workspace import Workspace

OnOption = Annotated[str, typer.Option("--on", help="The day it happened (default: today) / 日期")]
ChildArgument = Annotated[
    str, typer.Argument(help="Student's id, or the case's number / 学籍号或个案编号")
]


def import_(
    files: Annotated[list[Path], typer.Argument(help="Filled workbooks, or folders / 填好的表")],
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Read filled watchlists into the ledger. / 把学校填好的名单读入台账。

    However often a workbook is read, it counts once; an empty cell erases nothing. What cannot be
    read, and answers that differ, wait to be settled: see `followup unsettled`.

    Example: earlywarn followup import returned/ --user 张三
    """
    from earlywarn.followup.importing import import_files

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    with out.progress(Text("正在读入", "Reading")) as stage:
        found = import_files(opened, files, who=user_of(user), stage=stage)
    out.data([_as_dict(one, out) for one in found])
    for one in found:
        _show_imported(out, one)
    if not any(one.merged for one in found):
        return 1
    left = any(one.error or (one.merged and one.unread) for one in found)
    return 3 if left or any(one.merged and one.merged.conflicts for one in found) else 0


def _as_dict(one: Imported, out: Output) -> dict[str, Any]:
    merged = one.merged
    return {
        "file": one.file,
        "school_id": one.school_id,
        "error": one.error(out.lang) if one.error else None,
        "new": merged.new if merged else 0,
        "known": merged.known if merged else 0,
        "conflicts": merged.conflicts if merged else 0,
        "unsettled": merged.unsettled if merged else 0,
        "opened": merged.opened if merged else 0,
        "left_out": one.left_out,
        "unread": [
            {
                "sheet": unread.place.sheet,
                "cell": unread.place.cell,
                "typed": unread.place.typed,
                "student_id": unread.student_id,
                "field": unread.field,
                "why": unread.why(out.lang),
            }
            for unread in one.unread
        ],
    }


def _show_imported(out: Output, one: Imported) -> None:
    if one.error is not None:
        out.say(one.error)
    elif (merged := one.merged) is not None:
        open_ = merged.unsettled + merged.conflicts
        out.say(
            Text(
                f"{one.file}：新 {merged.new} 项，已有 {merged.known} 项，待核定 {open_} 项。",
                f"{one.file}: {merged.new} new, {merged.known} known, {open_} to be settled.",
            )
        )
    if one.left_out:
        out.say(
            Text(
                f"  有 {one.left_out} 名已被遗忘的孩子，所填内容未读入。",
                f"  {one.left_out} forgotten children left out.",
            )
        )
    for unread in one.unread:
        place = f"{unread.place.sheet}!{unread.place.cell}"
        out.say(Text(f"  {place}：{unread.why.zh}", f"  {place}: {unread.why.en}"))


def due(
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest reported school day / 截止日期")
    ] = "",
    person: Annotated[str, typer.Option("--person", help="Of one person / 只看某人的")] = "",
    school: Annotated[str, typer.Option("--school", help="Of one school / 只看某校的")] = "",
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """List what is due, overdue first, per person. / 列出到期和逾期的步骤，按责任人。

    Example: earlywarn followup due --person 张三
    """
    from earlywarn.followup.agenda import due_on, rows_of
    from earlywarn.followup.audit import note
    from earlywarn.roles import role_of

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    with out.progress(Text("正在核对日期", "Counting school days")):
        day, found = due_on(opened, parse_date(as_of, "--as-of") if as_of else None)
    kept = [
        one
        for one in found
        if (not school or one.due.case.school_id == school) and (not person or one.name == person)
    ]
    rows = rows_of(opened, kept, asked, out.lang)
    note(opened, "followup due", who=user_of(user), role=asked, rows=len(rows))
    out.data({"as_of": day.isoformat(), "steps": rows})
    if as_json:
        return
    overdue = sum(row["overdue"] for row in rows)
    out.say(
        Text(
            f"{day}：待办 {len(rows)} 项，其中逾期 {overdue} 项。",
            f"{day}: {counted(len(rows), 'step')} to do, {overdue} overdue.",
        )
    )
    heads = Text("责任人|期限|学校|学生|个案|步骤", "who|due|school|student|case|step")(out.lang)
    print_columns(
        out,
        heads.split("|"),
        [
            [
                row["who"],
                ("! " if row["overdue"] else "  ") + row["due"] + ("~" if row["about"] else ""),
                row["school"],
                row["student"],
                str(row["case"]),
                row["step"],
            ]
            for row in rows
        ],
    )


def case(
    student: ChildArgument,
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Tell the whole story of a child: registry, guardians, scores, every step. / 一生一案。

    Example: earlywarn followup case G110101201301010012
    """
    from earlywarn.followup.audit import note
    from earlywarn.followup.ledger import Ledger
    from earlywarn.followup.story import of_unregistered, story
    from earlywarn.followup.telling import told
    from earlywarn.roles import role_of

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    with Ledger.open(opened) as ledger:
        numbered = _numbered(ledger, student)
        if numbered is not None and numbered.student_id is None:
            found = of_unregistered(numbered)
        else:
            number = numbered.student_id if numbered is not None else None
            found = story(opened, ledger, number or student)
    note(
        opened,
        "followup case",
        who=user_of(user),
        role=asked,
        student_id=found.student_id or None,
        rows=1,
    )
    lines = told(opened, found, asked, out.lang)
    out.data(lines)
    if as_json:
        return
    for title, rows in lines.items():
        out.line(f"{title}")
        for row in rows:
            out.line(f"  {row}")


def assign(
    student: ChildArgument,
    leader: Annotated[str, typer.Option("--leader", help="Responsible leader / 包保领导")] = "",
    teacher: Annotated[str, typer.Option("--teacher", help="Responsible teacher / 教师")] = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Name the leader and the teacher who are responsible for a child. / 指定包保责任人。

    Example: earlywarn followup assign G110101201301010012 --leader 李校长 --teacher 王老师
    """
    from earlywarn.followup.ledger import Ledger

    out = output(lang, as_json, workspace)
    if not (leader or teacher):
        raise UsageError(
            zh="请用 --leader 或 --teacher 写明是谁。", en="Say who: --leader or --teacher."
        )
    with Ledger.open(open_workspace(workspace)) as ledger:
        found = ledger.assign(
            _case_of(ledger, student).id,
            who=user_of(user),
            leader=leader or None,
            teacher=teacher or None,
        )
    out.data({"case": found.id, "leader": found.leader, "teacher": found.teacher})
    out.say(
        Text(
            f"个案 {found.id}：包保领导 {found.leader or '未定'}，教师 {found.teacher or '未定'}。",
            f"Case {found.id}: leader {found.leader or 'nobody yet'}, teacher "
            f"{found.teacher or 'nobody yet'}.",
        )
    )


def open_(
    school: Annotated[str, typer.Option("--school", help="School id / 学校代码")],
    student: Annotated[str, typer.Option("--student", help="Student's id / 学籍号")] = "",
    person: Annotated[
        str, typer.Option("--person", help="Name of a child on no registry / 无学籍儿童姓名")
    ] = "",
    on: OnOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Open a case by hand, also for a child on no registry. / 手工立案（可无学籍）。

    Example: earlywarn followup open --school 30101 --person 李小花
    """
    from earlywarn.followup.doing import refuse_unknown
    from earlywarn.followup.ledger import Ledger, NewCase

    out = output(lang, as_json, workspace)
    if bool(student) == bool(person):
        raise UsageError(
            zh="请写明 --student 或 --person 其中一个。", en="Give one of --student and --person."
        )
    here = open_workspace(workspace)
    new = NewCase(
        "absence" if student else "unregistered",
        school,
        _day(on, here),
        "by hand",
        student_id=student or None,
        person=person or None,
    )
    refuse_unknown(here, school, student)
    with Ledger.open(here) as ledger:
        (opened,) = ledger.open_cases(new, who=user_of(user))
    out.data({"case": opened.case_id, "new": opened.new})
    out.say(
        Text(f"个案 {opened.case_id} 已立。", f"Case {opened.case_id} is open.")
        if opened.new
        else Text(f"该生已有个案 {opened.case_id}。", f"The child has case {opened.case_id}.")
    )


def done(
    student: ChildArgument,
    what: Annotated[str, typer.Argument(help="A step of escalation.yaml, or a state / 步骤或状态")],
    on: OnOption = "",
    note: Annotated[str, typer.Option("--note", help="What was found / 说明")] = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Record a step that was done, or what became of the child. / 登记已办步骤或结果。

    Example: earlywarn followup done G110101201301010012 visit --on 2026-11-20 --note 家长同意返校
    """
    from earlywarn.followup.doing import record
    from earlywarn.followup.ledger import Ledger

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    with opened.lock("followup done"), Ledger.open(opened) as ledger:
        found = record(
            opened,
            ledger,
            _case_of(ledger, student),
            what,
            _day(on, opened),
            note=note,
            who=user_of(user),
        )
    from earlywarn.followup.states import STATE_LABELS

    out.data({"case": found.id, "state": found.state, "closed_on": found.closed_on})
    label = STATE_LABELS[found.state]
    out.say(Text(f"个案 {found.id}：{label.zh}。", f"Case {found.id}: {label.en}."))


def unsettled(
    school: Annotated[str, typer.Option("--school", help="Of one school / 只看某校的")] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """List what a person has to settle: unreadable cells, different answers. / 待核定清单。

    Example: earlywarn followup unsettled
    """
    from earlywarn.followup.ledger import Ledger

    out = output(lang, as_json, workspace)
    with Ledger.open(open_workspace(workspace)) as ledger:
        found = ledger.unsettled(school_id=school or None)
    out.data([_thing(one, out) for one in found])
    for one in found:
        thing = _thing(one, out)
        out.line(
            f"{one.key[:12]}  {one.file}  {one.sheet}!{one.cell}  {thing['student_id'] or ''}  "
            f"{thing['why']}"
        )
    if not found:
        out.say(Text("没有待核定的内容。", "Nothing to settle."))


def _thing(one: Unsettled, out: Output) -> dict[str, Any]:
    return {
        "key": one.key,
        "kind": one.kind,
        "school_id": one.school_id,
        "as_of": one.list_as_of.isoformat(),
        "file": one.file,
        "sheet": one.sheet,
        "cell": one.cell,
        "typed": one.typed,
        "student_id": one.student_id,
        "field": one.field,
        "answers": [entry.value for entry in one.answers],
        "why": one.why(out.lang),
    }


def settle(
    key: Annotated[str, typer.Argument(help="Of `followup unsettled` / 待核定项的编号")],
    value: Annotated[
        str, typer.Argument(help="What is right; nothing: keep none of it / 正确的值")
    ] = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Settle one thing: say which value stands. / 核定一项。

    Example: earlywarn followup settle 3f9a27c1d0be 2026-11-18
    """
    from earlywarn.followup.labels import bring_back
    from earlywarn.followup.ledger import Ledger

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    with opened.lock("followup settle"), Ledger.open(opened) as ledger:
        keys = [one.key for one in ledger.unsettled(settled=True) if one.key.startswith(key)]
        ledger.settle(keys[0] if len(keys) == 1 else key, value or None, who=user_of(user))
        bring_back(opened, ledger)
    out.data({"settled": key, "value": value or None})
    out.say(Text("已核定。", "Settled."))


def counts(
    by: Annotated[str, typer.Option("--by", help="county | school | kind")] = "county",
    since: Annotated[
        str, typer.Option("--since", help="Closed cases from this day on / 起始日期")
    ] = "",
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Count the cases by state: per county, school or kind. / 按状态统计个案。

    A researcher's table shows no number from 1 to 4, nor one that gives such a one away.

    Example: earlywarn followup counts --by school
    """
    from earlywarn.followup.audit import note
    from earlywarn.followup.counts import TOTAL
    from earlywarn.followup.counts import counts as count
    from earlywarn.followup.states import STATE_LABELS, State
    from earlywarn.roles import role_of

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    found = count(opened, by, asked, since=parse_date(since, "--since") if since else None)
    note(opened, "followup counts", who=user_of(user), role=asked, rows=len(found))
    out.data(found)
    total = Text("合计", "total")(out.lang)
    heads = [by, *(STATE_LABELS[state](out.lang) for state in State), total]
    print_columns(
        out,
        heads,
        [
            [
                total if name == TOTAL else name,
                *("·" if n is None else str(n) for n in row.values()),
            ]
            for name, row in found.items()
        ],
    )


def check(
    workspace: WorkspaceOption = Path(), as_json: JsonOption = False, lang: LangOption = ""
) -> int:
    """Check that no line of the ledger was changed or deleted. / 检查台账是否完整。

    Example: earlywarn followup check
    """
    from earlywarn.followup.ledger import Ledger

    out = output(lang, as_json, workspace)
    with Ledger.open(open_workspace(workspace)) as ledger:
        found = ledger.check()
    out.data([text(out.lang) for text in found])
    for text in found:
        out.say(text)
    if not found:
        out.say(Text("台账完整。", "The ledger is whole."))
    return 1 if found else 0


def _day(on: str, workspace: Workspace) -> date:
    from earlywarn.features.newest import refuse_ahead

    day = parse_date(on, "--on") if on else date.today()
    refuse_ahead(workspace, day, "--on")
    return day


def _case_of(ledger: Ledger, child: str) -> Case:
    """Return the case of that number, or the child's running one, else its last."""
    from earlywarn.errors import EarlywarnError

    cases = ledger.cases(student_id=child)
    if cases:
        return next((one for one in cases if one.closed_on is None), cases[-1])
    numbered = _numbered(ledger, child)
    if numbered is not None:
        return numbered
    raise EarlywarnError(
        zh=f"台账里没有 {child} 的个案。请核对学籍号或个案编号（followup due 列出编号）。",
        en=f"The ledger has no case of {child}. Check the number (`followup due` lists cases).",
    )


def _numbered(ledger: Ledger, child: str) -> Case | None:
    """Return the case whose number is given; None where it is a child's number."""
    if child.isascii() and child.isdigit() and len(child) < 10:
        return None if ledger.cases(student_id=child) else ledger.case(int(child))
    return None


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(
        help="What schools answer, what is due, and the ledger of it. / 跟进台账。",
        no_args_is_help=True,
    )
    for name, function in (
        ("import", import_),
        ("due", due),
        ("case", case),
        ("assign", assign),
        ("open", open_),
        ("done", done),
        ("inspection", inspection),
        ("unsettled", unsettled),
        ("settle", settle),
        ("counts", counts),
        ("check", check),
    ):
        group.command(name)(command(function))
    app.add_typer(group, name="followup")
