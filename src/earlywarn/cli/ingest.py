"""`earlywarn ingest`: load files into a table, list the batches."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    WorkspaceOption,
    command,
    output,
    parse_date,
)
from earlywarn.errors import Text, UsageError
from earlywarn.workspace import Workspace

if TYPE_CHECKING:
    from earlywarn.tables.ingest import FileResult, IngestResult

_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add `ingest` to `app`."""

    @app.command()
    @command
    def ingest(
        table: Annotated[
            str,
            typer.Argument(
                help="students, schools, attendance, reported_days, calendar, attendance_totals, "
                "exams or outcomes / 表名"
            ),
        ] = "",
        files: Annotated[
            list[Path] | None, typer.Argument(help="CSV, XLSX or Parquet files / 数据文件")
        ] = None,
        snapshot: Annotated[
            str, typer.Option(help="students: the day the registry is of / 名册日期")
        ] = "",
        mapping: Annotated[
            str, typer.Option(help="mapping: canonical, cn-registry, your own, or a path / 映射")
        ] = "canonical",
        covers: Annotated[
            str,
            typer.Option(help="attendance: days reported in full, FROM..TO / 已完整上报的日期"),
        ] = "",
        full_mark: Annotated[str, typer.Option(help="exams: the full mark / 满分")] = "",
        exam: Annotated[str, typer.Option(help="exams: name of the exam / 考试名称")] = "",
        day: Annotated[str, typer.Option("--date", help="exams: date of the exam / 考试日期")] = "",
        complete: Annotated[
            bool,
            typer.Option(
                "--complete",
                help="students: the file names all of its schools' students / 名册完整",
            ),
        ] = False,
        again: Annotated[
            bool, typer.Option("--again", help="load a file that is loaded already / 强制再次导入")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="check only, change nothing / 只检查不导入")
        ] = False,
        list_batches: Annotated[
            bool, typer.Option("--list", help="list the batches in force / 列出已导入的批次")
        ] = False,
        workspace: WorkspaceOption = Path(),
        as_json: JsonOption = False,
        lang: LangOption = "",
    ) -> int:
        """Load files into a table; wrong rows go to quarantine and the good ones are kept.

        导入数据表：有问题的行进入隔离区，其余照常导入。

        Exit code 0 = all accepted, 3 = some rows quarantined, 1 = a file could not be used.

        Example: earlywarn ingest students roll.csv --snapshot 2026-09-01 --mapping cn-registry
        """
        opened = Workspace.open(workspace)
        out = output(lang, as_json, workspace)
        if list_batches:
            return _list(opened, out)
        if not table or not files:
            raise UsageError(
                zh="请给出表名和文件，例如："
                "earlywarn ingest students 名册.csv --snapshot 2026-09-01",
                en="Name a table and files, such as: "
                "earlywarn ingest students roll.csv --snapshot 2026-09-01",
            )
        from earlywarn.tables.ingest import IngestOptions
        from earlywarn.tables.ingest import ingest as load

        options = IngestOptions(
            snapshot=parse_date(snapshot, "--snapshot") if snapshot else None,
            mapping=mapping,
            covers=_covers(covers) if covers else None,
            full_mark=_number(full_mark) if full_mark else None,
            exam=exam or None,
            exam_date=parse_date(day, "--date") if day else None,
            complete=complete,
            again=again,
            dry_run=dry_run,
        )
        with out.progress(Text("正在导入", "Loading")) as stage:
            result = load(opened, table, files, options, progress=stage)
        _print(result, out, dry_run)
        return result.exit_code


def _covers(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    if not dots:
        raise UsageError(
            zh=f"--covers 的值 {text} 应写成 2026-11-01..2026-11-30。",
            en=f"--covers: write {text} as 2026-11-01..2026-11-30.",
        )
    return parse_date(first, "--covers"), parse_date(last, "--covers")


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UsageError(
            zh=f"--full-mark 的值 {text} 不是数字，请写成 120 这样。",
            en=f"--full-mark: {text} is no number; write one such as 120.",
        )
    return value


def _print(result: IngestResult, out: Output, dry_run: bool) -> None:
    out.data(
        {
            "table": result.table,
            "exit_code": result.exit_code,
            "dry_run": dry_run,
            "files": [_as_json(file, out) for file in result.files],
        }
    )
    for file in result.files:
        if file.error:
            out.say(Text(f"✗ {file.error.zh}", f"x {file.error.en}"))
            continue
        if not file.loaded_before:
            out.say(
                Text(
                    f"{file.file} → {result.table}：读取 {file.rows_read:,} 行，"
                    f"接受 {file.accepted:,}，隔离 {file.quarantined:,}"
                    + (f"，合并 {file.merged:,}" if file.merged else "")
                    + (f"，替换先前 {file.replaced:,} 行" if file.replaced else "")
                    + ("（试运行，未写入）" if dry_run else f"（批次 {file.batch}）"),
                    f"{file.file} -> {result.table}: {file.rows_read:,} rows read, "
                    f"{file.accepted:,} accepted, {file.quarantined:,} quarantined"
                    + (f", {file.merged:,} merged" if file.merged else "")
                    + (f", {file.replaced:,} earlier rows replaced" if file.replaced else "")
                    + (" (dry run, nothing written)" if dry_run else f" (batch {file.batch})"),
                )
            )
        for note in file.notes:
            prefix = f"{file.file}: " if file.loaded_before else "  "
            out.say(Text(f"{prefix}{note.zh}。", f"{prefix}{note.en}."))
        for reason in file.reasons[:_SHOWN]:
            out.say(Text(f"  - {reason.zh}", f"  - {reason.en}"))
        if len(file.reasons) > _SHOWN:
            more = len(file.reasons) - _SHOWN
            out.say(Text(f"  …另有 {more} 类问题", f"  ... and {more} more kinds"))
        if file.quarantine:
            out.say(
                Text(
                    f"  未接受的行及原因：{file.quarantine}",
                    f"  Rows not accepted, with reasons: {file.quarantine}",
                )
            )


def _as_json(file: FileResult, out: Output) -> dict[str, Any]:
    shown = asdict(file)
    shown["reasons"] = [text(out.lang) for text in file.reasons]
    shown["notes"] = [text(out.lang) for text in file.notes]
    shown["error"] = file.error(out.lang) if file.error else None
    return shown


def _list(workspace: Workspace, out: Output) -> int:
    from earlywarn.tables.batches import read_batches

    batches = read_batches(workspace).batches
    out.data([batch.model_dump() for batch in batches])
    if not batches:
        out.say(Text("还没有导入任何数据。", "Nothing has been loaded yet."))
    for batch in batches:
        rows = ", ".join(f"{part.table} {part.rows:,}" for part in batch.parts)
        said = " ".join(f"{key}={value}" for key, value in batch.options.items())
        out.say(
            Text(
                f"{batch.id}\t{batch.loaded_at}\t{rows}\t{batch.origin}\t隔离 {batch.quarantined:,}"
                f"\t{said}",
                f"{batch.id}\t{batch.loaded_at}\t{rows}\t{batch.origin}"
                f"\tquarantined {batch.quarantined:,}\t{said}",
            )
        )
    return 0
