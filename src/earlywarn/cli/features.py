"""`earlywarn features`."""

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
from earlywarn.errors import Text


@command
def features(
    as_of: Annotated[str, typer.Option("--as-of", help="The as-of date / 截止日期")],
    out: Annotated[Path, typer.Option("--out", help="FILE.parquet or FILE.csv")],
    role: RoleOption = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Write every feature of the cohort as of a date. / 输出截止日期的全部特征。

    A researcher gets pseudonyms, a school no sensitive features; every export is in the audit log.

    Example: earlywarn features --as-of 2026-06-26 --out features.parquet
    """
    from earlywarn.features.write import write_features
    from earlywarn.followup.audit import note, refuse_unlogged
    from earlywarn.roles import role_of

    out_to = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    asked = role_of(opened, role)
    day = parse_date(as_of, "--as-of")
    refuse_unlogged(opened)
    with out_to.progress(Text("正在计算特征…", "Computing features ...")):
        rows = write_features(opened, day, out, asked)
    note(opened, "features", who=user_of(user), role=asked, rows=rows, file=out)
    out_to.say(Text(f"已写入 {out}：{rows} 名学生。", f"Wrote {out}: {rows} students."))
    if not rows:
        out_to.say(
            Text(
                f"{as_of} 没有在校学生，文件里只有表头；请核对 --as-of 和学籍快照的日期。",
                f"Nobody is enrolled on {as_of}: the file has headings only. Check --as-of and the "
                "dates of the registry's snapshots.",
            )
        )
    out_to.data({"out": str(out), "as_of": as_of, "students": rows})
    return 0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("features")(features)
