"""`earlywarn init`: make a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import JsonOption, LangOption, command, output
from earlywarn.errors import Text


def register(app: typer.Typer) -> None:
    """Add `init` to `app`."""

    @app.command()
    @command
    def init(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new workspace / 新工作区")],
        as_json: JsonOption = False,
        lang: LangOption = "",
    ) -> int:
        """Make a workspace: config, rules, and folders for data, models and runs.

        新建工作区。

        Example: earlywarn init my-county --lang zh
        """
        from earlywarn.workspace import Config, Workspace

        out = output(lang, as_json)
        made = Workspace.init(folder, Config(lang=out.lang))
        out.data({"workspace": str(made.root)})
        where = str(folder)
        at = f' -w "{where}"' if where != "." else ""
        out.say(Text(f"工作区已建立：{made.root}", f"The workspace is ready: {made.root}"))
        out.say(
            Text(
                "接下来：\n"
                "  1. 查看 earlywarn.yaml（考勤方式 attendance、学段 stages、学年开始日期）。\n"
                "  2. 导入数据，顺序不限，例如：\n"
                f"     earlywarn ingest{at} schools 学校.csv --mapping cn-registry\n"
                f"     earlywarn ingest{at} students 名册.xlsx --snapshot 2026-09-01"
                " --mapping cn-registry\n"
                f"     earlywarn ingest{at} attendance 考勤.csv --mapping cn-registry\n"
                f"  3. 评分并生成各校名单：earlywarn score{at}",
                "Next:\n"
                "  1. Look at earlywarn.yaml (attendance mode, stages, start of the school year).\n"
                "  2. Load the tables, in any order, such as:\n"
                f"     earlywarn ingest{at} schools schools.csv\n"
                f"     earlywarn ingest{at} students roll.csv --snapshot 2026-09-01\n"
                f"     earlywarn ingest{at} attendance attendance.csv\n"
                f"  3. Score, and write each school's list: earlywarn score{at}",
            )
        )
        return 0
