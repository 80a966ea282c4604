"""Open an input file as a `Source`, by its content: text, workbook, web page or Parquet.

A new kind of file is a new `Source`, and one that reshapes another source's rows wraps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from earlywarn.errors import EarlywarnError
from earlywarn.tables.csvfile import CsvSource
from earlywarn.tables.grids.cells import number_text
from earlywarn.tables.grids.kinds import ENDINGS, kind_of, misnamed
from earlywarn.tables.grids.sources import GridSource, XlsxSource
from earlywarn.tables.source import (
    CHUNK_ROWS,
    MAX_CELL,
    Chunk,
    Source,
    WrongRow,
    drop_blank,
    os_error,
    unusable,
)

_KNOWN = {ending for endings in ENDINGS.values() for ending in endings}


def open_source(path: Path) -> Source:
    """Open the file at `path` by its content: delimited text, XLSX, XLS, ODS, HTML, Parquet.

    Raises
    ------
    EarlywarnError
        If the file is missing, empty, of a kind that holds no table, or not readable; the message
        names the file and the cure.
    """
    kind = kind_of(path)
    if kind in ("xls", "ods", "html"):
        return GridSource(path)
    if kind == "xlsx":
        return XlsxSource(path)
    ending = path.suffix.lower()
    if kind == "csv" and ending not in _KNOWN:
        raise unusable(
            path,
            f"不认识文件类型 {ending or '（无扩展名）'}。请用 .csv、.xlsx、.xls 或 .parquet。",
            f"unknown kind of file {ending or '(no ending)'}. Use .csv, .xlsx, .xls or .parquet.",
        )
    source: Source = ParquetSource(path) if kind == "parquet" else CsvSource(path)
    lying = misnamed(path, kind)
    source.notes[:0] = [lying] if lying else []
    return source


class ParquetSource(Source):
    """A Parquet file with flat columns; row numbers count from 1."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            if not path.stat().st_size:
                raise unusable(path, "文件是空的。", "the file is empty.")
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, PermissionError | IsADirectoryError):
                raise os_error(path, error) from None
            raise self._broken() from None
        flat = [f.name for f in schema if not pa.types.is_nested(f.type)]
        self.headings = [name.strip() for name in flat]
        self._columns = flat

    def _broken(self) -> EarlywarnError:
        return unusable(
            self.path,
            "不是完整的 Parquet 文件。请重新导出。",
            "is not a whole Parquet file. Export it again.",
        )

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows."""
        start = 1
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=self._columns):
                    columns = [_as_text(batch.column(name)) for name in self._columns]
                    numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
                    start += batch.num_rows
                    yield self._screened(numbers, columns)
        except (pa.ArrowException, OSError):
            raise self._broken() from None

    def _screened(self, numbers: pa.Array, columns: list[pa.Array]) -> Chunk:
        """Take out rows with a NUL or an overlong cell."""
        numbers, columns, blank = drop_blank(numbers, columns)
        bad: dict[int, str] = {}
        for column in columns:
            for code, found in (
                ("nul", pc.match_substring(column, "\0")),
                ("too_long", pc.greater(pc.utf8_length(column), MAX_CELL)),
            ):
                for index in pc.indices_nonzero(pc.fill_null(found, False)).to_pylist():
                    bad.setdefault(index, code)
        wrong = []
        for index, code in sorted(bad.items()):
            cells = tuple(column[index].as_py() or "" for column in columns)
            detail = str(max(map(len, cells))) if code == "too_long" else ""
            wrong.append(WrongRow(numbers[index].as_py(), code, cells, detail=detail))
        if wrong:
            keep = pa.array([i not in bad for i in range(len(numbers))])
            numbers, columns = numbers.filter(keep), [c.filter(keep) for c in columns]
        return Chunk(numbers, columns, wrong, blank)


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_timestamp(kind):
        column = pc.cast(column, pa.date32(), safe=False)
    elif pa.types.is_floating(kind):
        texts = [None if v is None or isnan(v) else number_text(v) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pc.cast(column, pa.string())
    return pc.cast(column, pa.string())
