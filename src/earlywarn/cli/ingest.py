"""`earlywarn ingest`: load files into a table, list the batches, undo one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    UserOption,
    WorkspaceOption,
    command,
    open_workspace,
    output,
    parse_date,
    user_of,
)
from earlywarn.cli.ingest_batches import list_batches as show_list
from earlywarn.cli.ingest_batches import refuse_beside_undo, undo_batch
from earlywarn.errors import Text, UsageError


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
            list[Path] | None,
            typer.Argument(
                help="Files or folders: XLSX, XLS, ODS, CSV, Parquet / 数据文件或文件夹"
            ),
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
        month: Annotated[
            str, typer.Option(help="monthly sheets: year and month, 2026-11 / 考勤表的年月")
        ] = "",
        through: Annotated[
            str,
            typer.Option(help="monthly sheets: last day whose empty cells count / 空格计到哪天"),
        ] = "",
        school: Annotated[
            str, typer.Option(help="class sheets: the school's number / 学校代码")
        ] = "",
        class_id: Annotated[
            str, typer.Option("--class", help="class sheets: the class / 班级")
        ] = "",
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
        replace: Annotated[
            bool,
            typer.Option(
                "--replace",
                help="the files are all that is known for their schools and dates: other earlier "
                "rows of those count no more / 文件中各学校、各日期的数据以本次文件为准",
            ),
        ] = False,
        dry_run: Annotated[
            bool,
            typer.Option(
                "--dry-run", help="show what would change, change nothing / 只显示变化，不导入"
            ),
        ] = False,
        list_batches: Annotated[
            bool, typer.Option("--list", help="list the batches in force / 列出已导入的批次")
        ] = False,
        undo: Annotated[
            str, typer.Option(metavar="BATCH", help="take a batch out again / 撤销一个批次")
        ] = "",
        user: UserOption = "",
        workspace: WorkspaceOption = Path(),
        as_json: JsonOption = False,
        lang: LangOption = "",
    ) -> int:
        """Load files into a table; wrong rows go to quarantine and the good ones are kept.

        导入数据表：有问题的行进入隔离区，其余照常导入。

        Exit code 0 = all accepted, 3 = some rows quarantined, 1 = a file could not be used.

        With --replace, earlier rows of the file's schools count no more: registry rows of its
        snapshot dates; attendance, outcomes, calendar and reported days from its first to its last
        date; marks of its exams on their dates; totals of periods within its own. A student's
        school is that of the date. Files of one command stand beside each other; the follow-up
        ledger's outcomes stay; with a row in quarantine nothing is replaced. --undo brings all
        of it back.

        --replace：文件中各学校先前的数据不再有效（名册按快照日期，成绩按考试和日期，其余从最早到最晚
        日期）；有行被隔离时不替换；--undo 可恢复。

        Example: earlywarn ingest students roll.csv --snapshot 2026-09-01 --mapping cn-registry
        """
        opened = open_workspace(workspace)
        out = output(lang, as_json, workspace)
        if undo:
            refuse_beside_undo(bool(table), bool(files), list_batches, dry_run)
            return undo_batch(opened, undo, user_of(user), out)
        if list_batches:
            return show_list(opened, out)
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
            month=_month(month) if month else None,
            through=parse_date(through, "--through") if through else None,
            school=school or None,
            class_id=class_id or None,
            complete=complete,
            again=again,
            replace=replace,
            dry_run=dry_run,
            who=user_of(user),
        )
        from earlywarn.cli.ingest_results import show

        with out.progress(Text("正在导入", "Loading")) as stage:
            result = load(opened, table, files, options, progress=stage)
        show(result, out, dry_run)
        return result.exit_code


def _covers(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    if not dots:
        raise UsageError(
            zh=f"--covers 的值 {text} 应写成 2026-11-01..2026-11-30。",
            en=f"--covers: write {text} as 2026-11-01..2026-11-30.",
        )
    return parse_date(first, "--covers"), parse_date(last, "--covers")


def _month(text: str) -> tuple[int, int]:
    first = parse_date(f"{text}-01", "--month")
    return first.year, first.month


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
