"""Import of the open data set OULAD: real, dated records of adult distance learners.

Its own CSV files, plain or gzipped, are read as they are; oulad.sql says how they become tables.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files as package_files
from pathlib import Path

import duckdb
import pyarrow as pa

from earlywarn.errors import EarlywarnError
from earlywarn.files import sha256
from earlywarn.tables.batches import add_batch, read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Workspace

# The data set's files: our name for each, and the columns that are read.
_FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "courses": (
        "courses",
        ("code_module", "code_presentation", "module_presentation_length"),
    ),
    "assessments": (
        "assessments",
        ("code_module", "code_presentation", "id_assessment", "assessment_type", "date"),
    ),
    "student_info": (
        "studentInfo",
        ("code_module", "code_presentation", "id_student", "gender", "imd_band", "disability"),
    ),
    "student_registration": (
        "studentRegistration",
        (
            "code_module",
            "code_presentation",
            "id_student",
            "date_registration",
            "date_unregistration",
        ),
    ),
    "student_assessment": (
        "studentAssessment",
        ("id_assessment", "id_student", "date_submitted", "is_banked", "score"),
    ),
}
_MADE = ("students", "schools", "calendar", "attendance", "exams", "outcomes")
FIRST_AS_OF_DAY = 28
HORIZON_DAYS = 30


@dataclass(frozen=True)
class Imported:
    """What an import put into the workspace: rows by table; `is_new` is False if it was there."""

    rows: dict[str, int]
    is_new: bool


def import_oulad(workspace: Workspace, source: Path) -> Imported:
    """Import OULAD from the folder `source` and set the config that its tables need.

    Raises
    ------
    EarlywarnError
        If a file or column is missing, or the workspace holds other data already.
    """
    found = {name: _find(source, stem) for name, (stem, _) in _FILES.items()}
    content = hashlib.sha256("".join(sha256(path) for path in found.values()).encode()).hexdigest()
    content = f"oulad:{content}"
    with workspace.lock("import oulad"):
        batches = read_batches(workspace).batches
        for batch in batches:
            if batch.content == content:
                return Imported({p.table: p.rows for p in batch.parts}, is_new=False)
        if batches:
            raise EarlywarnError(
                zh="这个工作区已有数据。请用 earlywarn init 另建一个工作区来导入 OULAD。",
                en="This workspace holds data already. Make another one with `earlywarn init` "
                "for OULAD.",
            )
        with duckdb.connect() as con:
            _read(con, found)
            rows = _run(con, source)
            as_of_dates, last = _as_of_dates(con)
        workspace.set_config(
            attendance="full",
            stages={"adult": (13, 13)},
            horizon_days=HORIZON_DAYS,
            as_of_dates=as_of_dates,
            test_where=f"class_id = '{last}'",
        )
        add_batch(workspace, rows, origin="OULAD (CC BY 4.0)", content=content)
    return Imported({name: table.num_rows for name, table in rows.items()}, is_new=True)


def _find(source: Path, stem: str) -> Path:
    for suffix in (".csv", ".csv.gz"):
        path = source / f"{stem}{suffix}"
        if path.is_file():
            return path
    raise EarlywarnError(
        zh=f"{source} 里没有 {stem}.csv 或 {stem}.csv.gz。请指定存放 OULAD 文件的文件夹。",
        en=f"{source} has neither {stem}.csv nor {stem}.csv.gz. Name the folder that has them.",
    )


def _read(con: duckdb.DuckDBPyConnection, found: dict[str, Path]) -> None:
    for name, path in found.items():
        try:
            table = con.read_csv(
                path.as_posix(), all_varchar=True, header=True, sep=",", quotechar='"'
            ).to_arrow_table()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise EarlywarnError(
                zh=f"无法读取 {path.name}：{reason}", en=f"Cannot read {path.name}: {reason}"
            ) from None
        for column in _FILES[name][1]:
            if column not in table.column_names:
                raise EarlywarnError(
                    zh=f"{path.name} 缺少列 {column}，不是 OULAD 的文件。",
                    en=f"{path.name} has no column {column}: it is not OULAD's file.",
                )
        con.register(name, table)


def _run(con: duckdb.DuckDBPyConnection, source: Path) -> dict[str, pa.Table]:
    text = (package_files("earlywarn.tables") / "oulad.sql").read_text("utf-8")
    try:
        for statement in con.extract_statements(text):
            con.execute(statement).fetchall()
    except duckdb.ConversionException as error:
        reason = str(error).splitlines()[0]
        raise EarlywarnError(
            zh=f"{source} 里有无法识别的数值：{reason}",
            en=f"A value in {source} cannot be read: {reason}",
        ) from None
    rows = {}
    for name in _MADE:
        there = set(con.table(name).columns)
        columns = ", ".join(
            f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"'
            if c.name in there
            else f'CAST(NULL AS {c.sql_type}) AS "{c.name}"'
            for c in TABLES[name].columns
        )
        rows[name] = con.sql(f"SELECT {columns} FROM {name}").to_arrow_table()
    return rows


def _as_of_dates(con: duckdb.DuckDBPyConnection) -> tuple[list[date], str]:
    """Return the weekly as-of dates from day 28 of each presentation, and the one last begun."""
    presentations = con.execute(
        "SELECT presentation, max(day_0), max(length) FROM presentations "
        "GROUP BY presentation ORDER BY max(day_0)"
    ).fetchall()
    dates = {
        day_0 + timedelta(days=day)
        for _, day_0, length in presentations
        for day in range(FIRST_AS_OF_DAY, length + 1, 7)
    }
    return sorted(dates), presentations[-1][0]
