"""`earlywarn import`: open data sets as they are published."""

from __future__ import annotations

from collections.abc import Callable
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
)
from earlywarn.errors import Text

if TYPE_CHECKING:
    from earlywarn.tables.opendata import Imported
    from earlywarn.workspace import Workspace

imports = typer.Typer(
    no_args_is_help=True, help="Import an open data set / 导入公开数据集", add_completion=False
)


@imports.command("oulad")
@command
def oulad(
    source: Annotated[Path, typer.Argument(help="Folder with OULAD's CSV files, plain or .gz")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Import OULAD, dated records of adult distance learners. / 导入 OULAD。

    The data set is CC BY 4.0: Kuzilek J., Hlosta M., Zdrahal Z., Scientific Data 4:170171 (2017).

    Example: earlywarn import oulad ~/Downloads/oulad -w oulad-workspace
    """
    from earlywarn.tables.oulad import import_oulad

    return _import(import_oulad, source, workspace, output(lang, as_json, workspace))


@imports.command("star")
@command
def star(
    source: Annotated[Path, typer.Argument(help="STAR_Students.csv, plain or .gz, or its folder")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Import Project STAR, pupils from kindergarten to school's end. / 导入 Project STAR。

    The data set is CC0 1.0: Achilles C. M. and others, Harvard Dataverse, doi:10.7910/DVN/SIWH9F.

    Example: earlywarn import star ~/Downloads/STAR_Students.csv -w star-workspace
    """
    from earlywarn.tables.star import import_star

    return _import(import_star, source, workspace, output(lang, as_json, workspace))


def _import(
    importer: Callable[[Workspace, Path], Imported], source: Path, workspace: Path, out: Output
) -> int:
    opened = open_workspace(workspace)
    with out.progress(Text("正在导入…", "Importing ...")):
        result = importer(opened, source)
    if not result.is_new:
        out.say(Text("已经导入过，未作改动。", "It was imported already; nothing was changed."))
    for table, rows in result.rows.items():
        out.line(f"{table:17} {rows:>9,}")
    out.data({"rows": result.rows, "is_new": result.is_new})
    return 0


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(imports, name="import")
