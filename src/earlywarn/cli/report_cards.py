"""`earlywarn report child` and `earlywarn report school`: cards to print."""

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
    open_workspace,
    output,
    parse_date,
    user_of,
)
from earlywarn.errors import Text

AsOfOption = Annotated[
    str, typer.Option("--as-of", help="Nothing later is told (default: today) / 截止日期")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="The page's file (default: below WORKSPACE/reports) / 输出文件"),
]


def child(
    student: Annotated[
        str, typer.Argument(help="Student's id, or the case's number / 学籍号或个案编号")
    ],
    as_of: AsOfOption = "",
    out: OutOption = None,
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Make the card of one child, to print: registry, left-behind file, aid, steps. / 一生一卡。

    A school's card (--role school) is without monitored groups, aid and home matters. Attendance
    and marks are as of the newest reported school day, the rest as of today, unless --as-of is
    given. Every look is in the audit log.

    Example: earlywarn report child G110101201301010012
    """
    from earlywarn.files import sha256, write_whole
    from earlywarn.followup.ledger import Ledger
    from earlywarn.report.cards.child import child_card
    from earlywarn.report.cards.child_page import child_json, child_page
    from earlywarn.report.cards.files import child_file
    from earlywarn.roles import role_of

    shown = output(lang, as_json, workspace)
    day = parse_date(as_of, "--as-of") if as_of else None
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    with shown.progress(Text("正在整理", "Gathering")) as stage:
        card = child_card(opened, student, asked, day, stage=stage)
        page = child_page(opened, card, asked, shown.lang)
    path = out.expanduser().resolve() if out else child_file(opened, card, asked)
    write_whole(path, page)
    with Ledger.open(opened) as ledger:
        ledger.audit(  # the page's name is the child's number: not for the log
            "report child",
            "a child's card",
            who=user_of(user),
            role=str(asked),
            student_id=card.who.student_id or None,
            rows=1,
            sha256=sha256(path),
        )
    shown.data(child_json(opened, card, asked, shown.lang) | {"file": str(path)})
    shown.line(str(path))


def school(
    school_id: Annotated[str, typer.Argument(metavar="SCHOOL", help="School id / 学校代码")],
    as_of: AsOfOption = "",
    out: OutOption = None,
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Make the card of one school, to print: its year, cases, list, needs, inspections. / 学校卡。

    Where a monitored group stands behind a number, a school (--role school) gets the number
    without names.

    Example: earlywarn report school 30202
    """
    from earlywarn.files import write_whole
    from earlywarn.followup.audit import note
    from earlywarn.report.cards.files import school_file
    from earlywarn.report.cards.school import school_card
    from earlywarn.report.cards.school_page import school_json, school_page
    from earlywarn.roles import role_of

    shown = output(lang, as_json, workspace)
    day = parse_date(as_of, "--as-of") if as_of else None
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    with shown.progress(Text("正在整理", "Gathering")):
        card = school_card(opened, school_id, asked, day)
        page = school_page(card, shown.lang)
    path = out.expanduser().resolve() if out else school_file(opened, school_id, asked)
    write_whole(path, page)
    note(opened, "report school", who=user_of(user), role=asked, rows=len(card.who), file=path)
    shown.data(school_json(card, shown.lang) | {"file": str(path)})
    shown.line(str(path))
