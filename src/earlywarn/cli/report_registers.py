"""`earlywarn report registers`: the three county ledgers."""

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


def registers(
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest reported school day / 截止日期")
    ] = "",
    county: Annotated[str, typer.Option("--county", help="One county only / 只要一个县区")] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder (default: reports/registers/AS_OF) / 输出文件夹"),
    ] = None,
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Write the three county ledgers: children of school age, suspected dropouts, dropouts.

    三本台账：适龄儿童、疑似辍学、辍学（含劝返记录），每县一个工作簿，每次都按最新数据重新生成。

    They hold names and monitored groups, so they are for the county, the township and the bureau.

    Example: earlywarn report registers --as-of 2026-11-20 --county 青河县
    """
    from earlywarn.followup.audit import note
    from earlywarn.report.registers import newest_day, register_rows, write_registers
    from earlywarn.report.registers.wording import NO_COUNTY
    from earlywarn.roles import refuse_unless_groups, role_of

    output_ = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    refuse_unless_groups(asked)
    with output_.progress(Text("正在生成台账", "Writing the ledgers")) as stage:
        day = parse_date(as_of, "--as-of") if as_of else newest_day(opened)
        found = register_rows(opened, day)
        with opened.lock("report registers"):
            written = write_registers(
                opened, found, lang=output_.lang, county=county.strip(), out=out, stage=stage
            )
    for one in written:
        note(
            opened,
            "report registers",
            who=user_of(user),
            role=asked,
            rows=sum(one.rows.values()),
            file=one.path,
        )
    output_.data(
        {
            "as_of": day.isoformat(),
            "counties": [
                {
                    "county": one.county,
                    "file": str(one.path),
                    **one.rows,
                    "open_suspected": one.open_suspected,
                    "open_dropouts": one.open_dropouts,
                }
                for one in written
            ],
        }
    )
    if not written:
        output_.say(
            Text(f"{day}：还没有学生，没有台账可写。", f"{day}: no children yet, nothing to write.")
        )
    for one in written:
        place = one.county or NO_COUNTY(output_.lang)
        output_.say(
            Text(
                f"{place}：适龄儿童 {one.rows['school_age']:,} 名；疑似辍学 "
                f"{one.rows['suspected']} 名（在案 {one.open_suspected}）；辍学 "
                f"{one.rows['dropouts']} 名（在案 {one.open_dropouts}）；劝返 "
                f"{one.rows['persuasions']} 次。",
                f"{place}: {one.rows['school_age']:,} of school age; {one.rows['suspected']} "
                f"suspected ({one.open_suspected} open); {one.rows['dropouts']} dropouts "
                f"({one.open_dropouts} open); {one.rows['persuasions']} persuasions.",
            )
        )
        output_.line(f"  {one.path}")
