"""`earlywarn followup inspection`: record inspections of schools, and see what is missing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from earlywarn.cli.columns import print_columns
from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    RoleOption,
    UserOption,
    WorkspaceOption,
    open_workspace,
    output,
    parse_date,
    user_of,
)
from earlywarn.errors import Text, UsageError
from earlywarn.words import counted

if TYPE_CHECKING:
    from earlywarn.followup.inspections import Inspected
    from earlywarn.followup.ledger import Ledger, NewInspection
    from earlywarn.roles import Role
    from earlywarn.workspace import Workspace


def inspection(
    school: Annotated[str, typer.Argument(help="School id; none: every county / 学校代码")] = "",
    on: Annotated[str, typer.Option("--date", help="The day of it / 日期")] = "",
    by: Annotated[str, typer.Option("--by", help="Who inspected, or did it / 督导人或整改人")] = "",
    result: Annotated[str, typer.Option("--result", help="passed | improve | failed / 结果")] = "",
    signed_by: Annotated[str, typer.Option("--signed-by", help="Who signed it / 签字人")] = "",
    ordered: Annotated[
        list[str] | None, typer.Option("--ordered", help="What is to be done / 整改要求")
    ] = None,
    until: Annotated[str, typer.Option("--until", help="By when / 整改期限")] = "",
    note: Annotated[str, typer.Option("--note", help="What was found / 说明")] = "",
    done: Annotated[
        int | None,
        typer.Option("--done", help="Number (#) of an order that was done / 已完成的整改编号"),
    ] = None,
    as_of: Annotated[
        str, typer.Option("--as-of", help="How it stood then, to list / 列到哪一天")
    ] = "",
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Record an inspection of a school, or that what was ordered is done; or list them.

    督导：登记一次督导或整改完成；不带选项时列出该校的督导，不写学校时列出各县还缺督导、整改逾期的学校。
    Recording is for the bureau, the county and the township. / 由教育局、县级或乡镇人员登记。

    Examples:
    earlywarn followup inspection
    earlywarn followup inspection 30101 --date 2026-10-12 --by 王明 --result passed --signed-by 李华
    earlywarn followup inspection 30101 --done 3 --by 张强
    earlywarn followup inspection --as-of 2026-08-31
    """
    from earlywarn.followup.audit import note as audit
    from earlywarn.followup.inspections import refuse_all_schools, refuse_recording
    from earlywarn.followup.ledger import Ledger
    from earlywarn.roles import role_of

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asked, who = role_of(opened, role), user_of(user)
    said = {
        "--date": on.strip(),
        "--by": by.strip(),
        "--result": result.strip(),
        "--signed-by": signed_by.strip(),
    }
    more = {"--ordered": "".join(ordered or []), "--until": until, "--note": note}
    is_new = any({**said, **more}.values())
    if done is not None or is_new:
        refuse_recording(asked)
        if as_of:
            raise UsageError(
                zh="--as-of 只用于查看，登记时请用 --date。",
                en="--as-of is to list; to record give --date.",
            )
    elif not school:
        refuse_all_schools(asked)
    day = parse_date(as_of, "--as-of") if as_of else None
    with Ledger.open(opened) as ledger:
        if done is not None:
            _refuse_others(said, more)
            _record_done(out, opened, ledger, school, done, said, who)
            rows = 1
        elif is_new:
            new = _new(school, said, ordered or [], until, note.strip())
            _record(out, opened, ledger, new, who)
            rows = 1
        elif school:
            rows = _list(out, opened, ledger, school, asked, day)
        else:
            rows = _missing(out, opened, ledger, asked, day)
    audit(opened, "followup inspection", who=who, role=asked, rows=rows)


def _new(
    school: str, said: dict[str, str], ordered: list[str], until: str, note: str
) -> NewInspection:
    from earlywarn.followup.ledger import NewInspection
    from earlywarn.followup.ledger.inspections import Result

    missing = [option for option, value in said.items() if not value]
    if not school or missing:
        lacks = [] if school else ["SCHOOL"]
        raise UsageError(
            zh=f"登记督导还缺：{'、'.join([*lacks, *missing])}。",
            en=f"To record an inspection give {', '.join([*lacks, *missing])} too.",
        )
    if said["--result"] not in get_args(Result):
        known = get_args(Result)
        raise UsageError(
            zh=f"--result 只能是 {'、'.join(known)}，不是 {said['--result']}。",
            en=f"--result is one of {', '.join(known)}, not {said['--result']}.",
        )
    orders = tuple(text.strip() for text in ordered if text.strip())
    if until and not orders:
        raise UsageError(
            zh="--until 是整改期限，请用 --ordered 写明要做什么。",
            en="--until says by when; say with --ordered what is to be done.",
        )
    return NewInspection(
        school_id=school,
        on=parse_date(said["--date"], "--date"),
        by=said["--by"],
        result=cast("Result", said["--result"]),
        signed_by=said["--signed-by"],
        note=note,
        ordered=orders,
        until=parse_date(until, "--until") if until else None,
    )


def _refuse_others(said: dict[str, str], more: dict[str, str]) -> None:
    if not said["--by"]:
        raise UsageError(
            zh="请用 --by 写明是谁完成了整改。", en="Say with --by who has done what was ordered."
        )
    others = [
        option
        for option, value in {**said, **more}.items()
        if value and option not in ("--date", "--by")
    ]
    if others:
        raise UsageError(
            zh=f"--done 不能与 {'、'.join(others)} 一起用。",
            en=f"--done cannot be used with {', '.join(others)}.",
        )


def _record(
    out: Output, workspace: Workspace, ledger: Ledger, new: NewInspection, who: str
) -> None:
    from earlywarn.followup.inspection_words import as_dict, change, order_line, told
    from earlywarn.followup.inspections import record

    made = record(workspace, ledger, new, who=who, today=date.today())
    one = made.inspection
    out.data(as_dict(one) | {"change": change(made), "added": [o.number for o in made.added]})
    out.say(told(made))
    if made.before and made.added:
        more = len(made.added)
        out.say(Text(f"新增 {more} 项整改要求。", f"{counted(more, 'order')} added."))
    for order in one.orders:
        out.line(f"  {order_line(order, out.lang)}")


def _record_done(
    out: Output,
    workspace: Workspace,
    ledger: Ledger,
    school: str,
    number: int,
    said: dict[str, str],
    who: str,
) -> None:
    from earlywarn.followup.inspection_words import order_dict
    from earlywarn.followup.inspections import record_done

    if not school:
        raise UsageError(
            zh="请写明学校代码：earlywarn followup inspection 学校代码 --done 编号 --by 姓名。",
            en="Name the school: earlywarn followup inspection SCHOOL --done NUMBER --by NAME.",
        )
    today = date.today()
    order = record_done(
        workspace,
        ledger,
        school,
        number,
        on=parse_date(said["--date"], "--date") if said["--date"] else today,
        by=said["--by"],
        who=who,
        today=today,
    )
    out.data({"school_id": school} | order_dict(order))
    out.say(Text(f"整改 #{number} 已登记完成。", f"Order #{number} is recorded as done."))


def _list(
    out: Output, workspace: Workspace, ledger: Ledger, school: str, role: Role, day: date | None
) -> int:
    """List a school's inspections up to a day, oldest first; return how many there are."""
    from earlywarn.followup.inspection_words import as_dict, for_role, order_line, words_of
    from earlywarn.followup.inspections import RESULT_LABELS, refuse_unknown_school

    refuse_unknown_school(workspace, school)
    known = ledger.inspections(school)
    if day is not None:
        known = tuple(one.as_of(day) for one in known if one.on <= day)
    found = [for_role(one, role, workspace) for one in known]
    out.data([as_dict(one) for one in found])
    if not found:
        out.say(Text("该校还没有督导记录。", "The school has not been inspected yet."))
    for one in found:
        signed = Text(f"签字：{one.signed_by}", f"signed by {one.signed_by}")(out.lang)
        parts = [
            str(one.on),
            RESULT_LABELS[one.result](out.lang),
            one.by,
            signed if one.signed_by else "",
            one.note,
        ]
        out.line("  ".join(part for part in parts if part))
        for earlier in one.before:
            said = words_of(earlier)
            out.say(Text(f"    已更正，原为：{said.zh}", f"    corrected, before: {said.en}"))
        for order in one.orders:
            out.line(f"    {order_line(order, out.lang)}")
    return len(found)


def _missing(
    out: Output, workspace: Workspace, ledger: Ledger, role: Role, day: date | None
) -> int:
    """Say per county which schools lack an inspection or are late; return how many schools."""
    from earlywarn.followup.inspection_words import hidden, order_dict
    from earlywarn.followup.inspections import inspected
    from earlywarn.roles import pseudonym

    def named(one: Inspected) -> tuple[str, str]:
        if role.sees_names:
            return one.school_id, one.name
        return pseudonym(workspace, one.school_id), ""

    today = day or date.today()
    begins = workspace.config.school_year_begins(today)
    if day is not None:
        out.say(
            Text(
                f"截至 {day}，本学年从 {begins} 开始。",
                f"As of {day}; the school year began on {begins}.",
            )
        )
    schools = tuple(inspected(workspace, ledger, today).values())
    lacking = sorted(
        (one for one in schools if one.missing or one.open_orders),
        key=lambda one: (not one.overdue, one.county, -one.missing, one.school_id),
    )
    counties: dict[str, list[dict[str, Any]]] = {one.county: [] for one in schools}
    for one in lacking:
        number, name = named(one)
        counties[one.county].append(
            {
                "school_id": number,
                "school": name,
                "inspected": one.count,
                "missing": one.missing,
                "last": one.last.on.isoformat() if one.last else None,
                "open": [order_dict(hidden(order, role)) for order in one.to_do],
                "overdue": [order.number for order in one.overdue],
            }
        )
    out.data({"as_of": today.isoformat(), "since": begins.isoformat(), "counties": counties})
    late = sum(len(one.overdue) for one in schools)
    for county in counties:
        here = [one for one in schools if one.county == county]
        short = sum(one.missing > 0 for one in here)
        out.say(
            Text(
                f"{county}：{len(here)} 所学校，本学年还缺督导的 {short} 所。",
                f"{county}: {counted(len(here), 'school')}, {short} still to be inspected this "
                "school year.",
            )
        )
    if late:
        out.say(Text(f"整改逾期 {late} 项。", f"{counted(late, 'order')} overdue."))
    if lacking and not out.as_json:
        heads = Text(
            "|县区|学校|督导次数|还缺|最近一次|未完成整改",
            "|county|school|inspected|missing|last|open",
        )(out.lang)
        print_columns(out, heads.split("|"), [_line(one, named(one)) for one in lacking])
    return len(schools)


def _line(one: Inspected, named: tuple[str, str]) -> list[str]:
    return [
        "!" if one.overdue else "",
        one.county,
        " ".join(part for part in named if part),
        str(one.count),
        str(one.missing),
        str(one.last.on) if one.last else "",
        str(one.open_orders or ""),
    ]
