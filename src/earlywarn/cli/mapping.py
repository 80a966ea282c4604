"""`earlywarn mapping suggest | check`: a mapping for a file that nobody has mapped, and a trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from earlywarn.errors import EarlywarnError, Lang, Text, UsageError

if TYPE_CHECKING:
    from earlywarn.tables.suggesting import Suggestion, Trial
    from earlywarn.tables.suggesting.codes import Codes

mapping_app = typer.Typer(
    name="mapping",
    help="Suggest and check mappings of your own files. / 为自己的文件建议、检查映射。",
    no_args_is_help=True,
)

# What an option of `ingest` may say for a whole file: --snapshot, --date, --exam.
_BY_OPTION = {"students": {"snapshot_date"}, "exams": {"date", "exam"}}

SheetOption = Annotated[
    str, typer.Option("--sheet", help="Which sheet of a workbook / 工作簿中的哪张表")
]


def register(app: typer.Typer) -> None:
    """Add `mapping` to the command line."""
    app.add_typer(mapping_app)


@mapping_app.command("suggest")
@command
def suggest_mapping(
    file: Annotated[Path, typer.Argument(help="A file to be loaded / 要导入的文件")],
    table: Annotated[str, typer.Argument(help="The table it is for, such as students / 表名")],
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Where to write (default: the workspace's mappings/) / 写到哪里"
        ),
    ] = None,
    sheet: SheetOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Look at a file and write a mapping for it: what is sure in force, what is not behind `#?`.

    看文件的表头和取值，写出映射：有把握的直接生效，没有把握的以 #? 开头，核对后才生效。

    Headings in Chinese, English, pinyin or with small typing errors are matched by their words and
    by the values below them. No name and no number of a person goes into the mapping.

    Example: earlywarn mapping suggest roll.xlsx students -w county
    """
    from earlywarn.files import write_whole
    from earlywarn.tables.suggesting import render, suggest

    opened = open_workspace(workspace)
    out = output(lang, as_json, workspace)
    with out.progress(Text("正在查看", "Looking at the file")):
        suggestion = suggest(opened, file, table, sheet)
    target = out_file or opened.mappings / f"{file.stem}-{table}.yaml"
    if target.exists():
        raise EarlywarnError(
            zh=f"{target} 已存在，未改动。请用 --out 写到别处，或先移走它。",
            en=f"{target} is there already and was left alone. Name another with --out, or move it "
            "away.",
        )
    if target.suffix not in (".yaml", ".yml"):
        raise UsageError(
            zh=f"--out {target.name} 应以 .yaml 结尾。", en=f"--out {target.name}: end it in .yaml."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, render(suggestion, out.lang))
    out.data(_as_data(suggestion, target, out.lang))
    if not out.as_json:
        _print_suggestion(suggestion, out)
    sure = sum(one.sure for one in suggestion.columns)
    asked = len(suggestion.columns) - sure
    out.say(
        Text(
            f"{sure} 列有把握，{asked} 列待核对（以 #? 开头）。映射写在：{target}",
            f"{sure} sure, {asked} to be looked at (behind #?). The mapping: {target}",
        )
    )
    return 0


@mapping_app.command("check")
@command
def check_mapping(
    mapping: Annotated[str, typer.Argument(metavar="FILE", help="A mapping: file or name / 映射")],
    data_file: Annotated[
        Path | None, typer.Argument(metavar="DATAFILE", help="A file to try it on / 数据文件")
    ] = None,
    table: Annotated[str, typer.Argument(help="The table that file is for / 表名")] = "",
    sheet: SheetOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Check a mapping, and with a data file show what it makes of it; nothing is loaded.

    检查映射是否有效；给出数据文件时，显示每个表头读作哪一列、读得出和读不出的前五个值。

    Of names, numbers and phones only the form is shown. Exit code 3 = something is not read, or a
    required column is missing that no option of `ingest` gives for the whole file.

    Example: earlywarn mapping check mappings/roll-students.yaml roll.xlsx students -w county
    """
    from earlywarn.tables.contract import TABLES
    from earlywarn.tables.mapping import load_mapping
    from earlywarn.tables.suggesting import try_mapping

    opened = open_workspace(workspace)
    out = output(lang, as_json, workspace)
    if data_file is None:
        for name in TABLES:
            load_mapping(opened, mapping, name)
        out.data({"mapping": mapping, "valid": True})
        out.say(Text(f"{mapping}：映射有效。", f"{mapping}: the mapping is valid."))
        return 0
    if not table:
        raise UsageError(
            zh="请在数据文件后写上表名，例如 students。",
            en="Name the table after the data file, such as students.",
        )
    trial = try_mapping(opened, mapping, data_file, table, sheet)
    out.data(_trial_data(trial, out.lang))
    if not out.as_json:
        _print_trial(trial, out)
    unread = any(one.not_read for one in trial.columns)
    return 3 if unread or set(trial.missing) - _BY_OPTION.get(table, set()) else 0


def _as_data(of: Suggestion, target: Path, lang: Lang) -> dict[str, Any]:
    return {
        "file": of.file,
        "sheet": of.sheet,
        "table": of.table.name,
        "heading_row": of.row,
        "layout": of.layout,
        "mapping": str(target),
        "extends": of.base,
        "columns": [
            {
                "heading": one.guess.heading,
                "column": one.guess.column,
                "confidence": round(one.guess.confidence, 2),
                "sure": one.sure,
                "why": one.guess.why(lang),
                "doubts": [doubt(lang) for doubt in one.doubts],
                "codes": [
                    {"code": code.code, "value": code.value, "sure": code.sure}
                    for code in one.codes.codes
                ],
            }
            for one in of.columns
        ],
        "signs": [
            {"code": code.code, "value": code.value, "sure": code.sure} for code in of.signs.codes
        ],
        "not_needed": of.known,
        "unknown": of.unknown,
        "missing": of.missing,
        "notes": [note(lang) for note in of.notes],
    }


def _trial_data(trial: Trial, lang: Lang) -> dict[str, Any]:
    return {
        "sheet": trial.sheet,
        "heading_row": trial.row,
        "layout": trial.layout,
        "columns": [
            {
                "heading": one.heading,
                "column": one.column,
                "read": one.read,
                "not_read": one.not_read,
                "empty": one.empty,
                "examples": one.examples,
                "unread": [{"value": value, "why": why(lang)} for value, why in one.unread],
            }
            for one in trial.columns
        ],
        "missing": trial.missing,
        "ignored": trial.ignored,
        "unknown": trial.unknown,
        "notes": [note(lang) for note in trial.notes],
    }


def _print_suggestion(of: Suggestion, out: Output) -> None:
    from earlywarn.tables.suggesting.writing import joined

    rows = [
        (
            *(one.guess.heading, one.guess.column, f"{one.guess.confidence:.2f}"),
            "" if one.sure and all(code.sure for code in one.codes.codes) else "?",
            _codes(one.codes),
            joined((one.guess.why, *one.doubts))(out.lang),
        )
        for one in of.columns
    ]
    if of.days:
        asked = "" if all(code.sure for code in of.signs.codes) else "?"
        days = Text("每天一列", "a column a day")(out.lang)
        rows.append((f"{of.days[0]}-{of.days[-1]}", "status", "", asked, _codes(of.signs), days))
    headings = (
        Text("表头", "heading"),
        Text("读作", "column"),
        Text("把握", "confidence"),
        Text("待核对", "asked"),
        Text("代码", "codes"),
        Text("依据", "why"),
    )
    for note in of.notes:
        out.say(Text(f"说明：{note.zh}", f"note: {note.en}"))
    _print_rows(headings, rows, out)
    if of.known:
        out.say(Text(f"不需要：{'、'.join(of.known)}", f"not needed: {', '.join(of.known)}"))
    if of.unknown:
        out.say(Text(f"不认识：{'、'.join(of.unknown)}", f"not known: {', '.join(of.unknown)}"))
    _say_missing(of.missing, out)


def _codes(codes: Codes) -> str:
    return ", ".join(
        f"{code.code}={code.value or '-'}{'' if code.sure else '?'}" for code in codes.codes
    )


def _print_trial(trial: Trial, out: Output) -> None:
    headings = (
        Text("表头", "heading"),
        Text("读作", "column"),
        Text("读出", "read"),
        Text("读不出", "not read"),
        Text("空", "empty"),
        Text("读出的例子", "examples"),
        Text("读不出的例子", "not read, such as"),
    )
    rows = [
        (
            *(one.heading, one.column, f"{one.read:,}", f"{one.not_read:,}", f"{one.empty:,}"),
            ", ".join(one.examples),
            "\n".join(f"{value}: {why(out.lang)}" for value, why in one.unread),
        )
        for one in trial.columns
    ]
    for note in trial.notes:
        out.say(Text(f"说明：{note.zh}", f"note: {note.en}"))
    _print_rows(headings, rows, out)
    for label, listed in (
        (Text("不需要的列", "not needed"), trial.ignored),
        (Text("不认识的列", "not known"), trial.unknown),
    ):
        if listed:
            out.say(Text(f"{label.zh}：{'、'.join(listed)}", f"{label.en}: {', '.join(listed)}"))
    _say_missing(trial.missing, out)


def _say_missing(missing: list[str], out: Output) -> None:
    if "snapshot_date" in missing:
        out.say(
            Text(
                "没有快照日期：导入时用 --snapshot 给出名册日期。",
                "No snapshot date: say it with --snapshot when you load.",
            )
        )
    rest = [name for name in missing if name != "snapshot_date"]
    if rest:
        out.say(
            Text(
                f"必需的列还没有确定：{'、'.join(rest)}",
                f"required and not settled: {', '.join(rest)}",
            )
        )


def _print_rows(headings: tuple[Text, ...], rows: Sequence[tuple[str, ...]], out: Output) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*(heading(out.lang) for heading in headings))
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)
