"""What the imports of open data sets share: find, read and check files, make the contract's tables.

An import reads the data set's own files as they are published, lets one .sql file say how they
become tables, and puts all of them into an empty workspace as one batch, or nothing.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.errors import EarlywarnError
from earlywarn.files import sha256
from earlywarn.tables.batches import add_batch, read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.tables.source import MAX_CELL, collector_paused, os_error, unusable
from earlywarn.workspace import Workspace

ROW = "_row"  # the line of the file at which a row ends, as a person counts them


@dataclass(frozen=True)
class Imported:
    """What an import put into the workspace: rows by table; `is_new` is False if it was there."""

    rows: dict[str, int]
    is_new: bool


@dataclass(frozen=True)
class Made:
    """What an import made: the contract's tables by name, and the config they need."""

    tables: dict[str, pa.Table]
    config: dict[str, Any]


def import_once(
    workspace: Workspace,
    paths: Iterable[Path],
    make: Callable[[duckdb.DuckDBPyConnection], Made],
    *,
    name: str,
    title: str,
    origin: str,
) -> Imported:
    """Put what `make` makes into the workspace as one batch and set its config.

    Parameters
    ----------
    paths
        The data set's files; files equal in content to those of a batch in force change nothing.
    make
        Makes the tables with a DuckDB connection of its own.
    name, title, origin
        The data set in the command line, in messages, and in the list of batches.

    Raises
    ------
    EarlywarnError
        If the workspace holds other data already, or `make` finds the files unusable; nothing has
        been written then.
    """
    try:
        content = hashlib.sha256("".join(sha256(path) for path in paths).encode()).hexdigest()
    except OSError as error:
        raise os_error(Path(error.filename or name), error) from None
    content = f"{name}:{content}"
    with workspace.lock(f"import {name}"):
        batches = read_batches(workspace).batches
        for batch in batches:
            if batch.content == content:
                return Imported({p.table: p.rows for p in batch.parts}, is_new=False)
        if batches:
            raise EarlywarnError(
                zh=f"这个工作区已有数据。请用 earlywarn init 另建一个工作区来导入 {title}。",
                en="This workspace holds data already. Make another one with `earlywarn init` "
                f"for {title}.",
            )
        with duckdb.connect() as con:
            made = make(con)
        workspace.set_config(**made.config)
        add_batch(workspace, made.tables, origin=origin, content=content)
    return Imported({n: table.num_rows for n, table in made.tables.items()}, is_new=True)


def find_file(folder: Path, stem: str, title: str, endings: Sequence[str] = (".csv",)) -> Path:
    """Return the file `stem` of the folder, plain or gzipped, with the first ending there is."""
    for ending in endings:
        for suffix in (ending, f"{ending}.gz"):
            path = folder / f"{stem}{suffix}"
            if path.is_file():
                return path
    raise EarlywarnError(
        zh=f"{folder} 里没有 {stem}.csv 或 {stem}.csv.gz。请指定存放 {title} 文件的文件夹。",
        en=f"{folder} has neither {stem}.csv nor {stem}.csv.gz. Name the folder that has them.",
    )


def read_text(path: Path, columns: Sequence[str], title: str) -> pa.Table:
    """Read a file of comma- or tab-separated columns, plain or gzipped, in UTF-8.

    Returns
    -------
    `columns` (found in the file in any letter case) as text, trimmed, empty = null; and `_row`,
    the line of the file.

    Raises
    ------
    EarlywarnError
        If the file is empty, a web page, cut off, of another encoding, lacks a column, or a row
        has another number of cells than the headings.
    """
    csv.field_size_limit(MAX_CELL)
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        with (
            gzip.open(path, "rb") if is_gzip else path.open("rb") as raw,
            io.TextIOWrapper(raw, "utf-8-sig", "strict", newline="") as text,
        ):
            return _read_rows(path, text, columns, title)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise unusable(
            path,
            "压缩文件不完整（可能没有传完）。请重新下载。",
            "is not a whole gzip file (perhaps cut off on the way). Download it again.",
        ) from None
    except OSError as error:
        raise os_error(path, error) from None
    except UnicodeDecodeError:
        raise unusable(
            path,
            f"不是 UTF-8 文本，不是 {title} 的文件。请重新下载。",
            f"is not UTF-8 text: it is not {title}'s file. Download it again.",
        ) from None


def _read_rows(path: Path, text: io.TextIOBase, columns: Sequence[str], title: str) -> pa.Table:
    first = text.readline(MAX_CELL * 8)
    if not first.strip():
        raise unusable(path, "文件是空的。", "the file is empty.")
    if first.lstrip().startswith("<"):
        raise unusable(
            path,
            f"其实是网页，不是 {title} 的数据。请下载数据文件本身。",
            f"is a web page, not {title}'s data. Download the data file itself.",
        )
    separator = "\t" if first.count("\t") > first.count(",") else ","
    reader = csv.reader(chain([first], text), delimiter=separator, strict=True)
    cells: list[list[str | None]] = [[] for _ in columns]
    rows: list[int] = []
    try:
        with collector_paused():
            headings = next(reader)
            places = _places(path, headings, columns, title)
            for line in reader:
                if len(line) != len(headings):
                    if not any(line):
                        continue
                    raise unusable(
                        path,
                        f"第 {reader.line_num} 行有 {len(line)} 列，表头有 {len(headings)} 列。"
                        "请重新下载。",
                        f"line {reader.line_num} has {len(line)} cells, the headings "
                        f"{len(headings)}. Download it again.",
                    )
                rows.append(reader.line_num)
                for values, place in zip(cells, places, strict=True):
                    values.append(line[place].strip() or None)
    except csv.Error:
        raise unusable(
            path,
            f"第 {reader.line_num} 行无法分列（引号不成对或单元格过长）。请重新下载。",
            f"line {reader.line_num} cannot be split into cells (a quote is not closed, or a cell "
            "is too long). Download it again.",
        ) from None
    if not rows:
        raise unusable(path, "只有表头，没有数据。", "has headings but no rows.")
    arrays = [pa.array(values, pa.string()) for values in cells]
    return pa.table([*arrays, pa.array(rows, pa.int64())], names=[*columns, ROW])


def _places(path: Path, headings: list[str], columns: Sequence[str], title: str) -> list[int]:
    """Return where each of `columns` stands; a column may be missing or double in bad files."""
    names = [heading.strip().casefold() for heading in headings]
    for column in columns:
        if column not in names:
            raise EarlywarnError(
                zh=f"{path.name} 缺少列 {column}，不是 {title} 的文件。",
                en=f"{path.name} has no column {column}: it is not {title}'s file.",
            )
        if names.count(column) > 1:
            raise EarlywarnError(
                zh=f"{path.name} 有两列都叫 {column}。请保留一列。",
                en=f"{path.name} has two columns {column}; keep one.",
            )
    return [names.index(column) for column in columns]


def run_sql(
    con: duckdb.DuckDBPyConnection, sql_file: str, tables: Sequence[str], source: Path
) -> dict[str, pa.Table]:
    """Run a .sql file of this package and return its `tables` with the contract's columns.

    A column that the .sql does not make is null. A value that does not fit its type is an
    EarlywarnError that names `source`.
    """
    text = (package_files("earlywarn.tables") / sql_file).read_text("utf-8")
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
    for name in tables:
        there = set(con.table(name).columns)
        columns = ", ".join(
            f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"'
            if c.name in there
            else f'CAST(NULL AS {c.sql_type}) AS "{c.name}"'
            for c in TABLES[name].columns
        )
        rows[name] = con.sql(f"SELECT {columns} FROM {name}").to_arrow_table()
    return rows
