"""The master of a batch's quarantine: rows as they stood in the file, and what is wrong with them.

Beside the bad rows it holds what is needed to read them again: a long table's headings, a class
sheet's titles, headings and legend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn.files import whole_file
from earlywarn.tables.grids.sources import SheetSource
from earlywarn.tables.source import Source
from earlywarn.tables.wide import ReadSheet, WideSource
from earlywarn.workspace import Workspace

FOLDER = "_quarantine"
FORMAT = 1
_META = b"earlywarn"
_STEP = 5_000
_MOST_SURPLUS = 50  # cells of a row beyond the headings that the workbook shows
_SCHEMA = pa.schema(
    [
        ("sheet", pa.string()),
        ("row", pa.int64()),
        ("unit", pa.int64()),
        ("is_frame", pa.bool_()),
        ("cells", pa.list_(pa.string())),
        ("wrong", pa.list_(pa.struct([("column", pa.int64()), ("code", pa.string())]))),
        (
            "problems",
            pa.list_(
                pa.struct(
                    [
                        ("column", pa.int64()),
                        ("heading", pa.string()),
                        ("value", pa.string()),
                        ("code", pa.string()),
                        ("detail", pa.string()),
                        ("number", pa.int64()),
                    ]
                )
            ),
        ),
        ("count", pa.int64()),
    ]
)

Unit = tuple[str, int]  # sheet and first row: one row of a long table, one pupil of a class sheet


@dataclass(frozen=True)
class Problem:
    """What is wrong with a cell; `column` counts from 1, 0 is the row as a whole."""

    column: int
    heading: str
    value: str
    code: str
    detail: str
    number: int  # of the row as the load counted it; a class sheet's cells are counted on


@dataclass(frozen=True)
class Kept:
    """One row of the file. `wrong`: (column, code) of cells that have no value (see `Grid`)."""

    sheet: str
    row: int
    unit: int
    is_frame: bool
    cells: tuple[str, ...]
    wrong: tuple[tuple[int, str], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def count(self) -> int:
        """How many rows of the table stand in it and were not accepted."""
        return len({problem.number for problem in self.problems})

    @property
    def place(self) -> str:
        """The mark by which a row of the workbook is known: its sheet and row in the file."""
        return f"{self.sheet}!{self.row}" if self.sheet else str(self.row)

    def struck(self, struck: Callable[[str], str]) -> Kept:
        """Return the row with every text of it, and every word about it, as `struck` returns it."""
        found = tuple(
            replace(problem, value=struck(problem.value), detail=struck(problem.detail))
            for problem in self.problems
        )
        return replace(self, cells=tuple(map(struck, self.cells)), problems=found)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SheetAbout(_Strict):
    """What is known of a sheet beside its rows; columns and rows from 1."""

    name: str = ""
    file: str = ""  # class sheets: the file and the name there, which may say month and class
    title: str = ""
    heading: int  # the last row of the headings
    width: int  # columns that the workbook shows, the added one for numbers included
    who: list[int] = Field(default_factory=list)  # columns that say whom a row is about
    number_column: int = 0  # added for registry numbers; 0 = none was
    number_heading: str = ""
    merged: list[tuple[int, int, int, int]] = Field(default_factory=list)
    counted: list[tuple[int, str]] = Field(default_factory=list)
    says_present: bool = False
    held: list[int] = Field(default_factory=list)


class About(_Strict):
    """What a master says of its load."""

    format: int = FORMAT
    batch: int
    table: str
    content: str  # the batch's hash, by which a workbook is known to be of this load
    file: str
    layout: str
    options: dict[str, str]
    headings: list[str] = Field(default_factory=list)
    epoch: date | None = None
    sheets: list[SheetAbout]


@dataclass
class Master:
    """A master about to be written."""

    sheets: list[SheetAbout]
    rows: Iterable[Kept]
    headings: list[str] = field(default_factory=list)
    epoch: date | None = None


def master_path(workspace: Workspace, batch_id: int) -> Path:
    """Return where the rows that batch `batch_id` did not accept are kept."""
    return workspace.data / FOLDER / f"batch-{batch_id:06d}.parquet"


def typed_path(workspace: Workspace, batch_id: int) -> Path:
    """Return where rows that were loaded again and are still wrong are kept as last typed."""
    return workspace.data / FOLDER / f"batch-{batch_id:06d}.typed.parquet"


def workbook_path(workspace: Workspace, batch_id: int) -> Path:
    """Return where the workbook is in which the rows are mended."""
    return workspace.data / FOLDER / f"batch-{batch_id:06d}.xlsx"


def write_rows(path: Path, about: About, rows: Iterable[Kept]) -> None:
    """Write a master, whole or not at all."""
    schema = _SCHEMA.with_metadata({_META: about.model_dump_json().encode()})
    left = iter(rows)
    with whole_file(path) as beside, pq.ParquetWriter(beside, schema, compression="zstd") as out:
        while some := list(islice(left, _STEP)):
            lines = [
                asdict(one)
                | {
                    "wrong": [{"column": column, "code": code} for column, code in one.wrong],
                    "count": one.count,
                }
                for one in some
            ]
            out.write_table(pa.Table.from_pylist(lines, schema))


def read_about(path: Path) -> About | None:
    """Return what a master says of its load; None if there is none that can be read."""
    try:
        with pq.ParquetFile(path) as file:
            said = file.schema_arrow.metadata or {}
            return About.model_validate_json(said.get(_META, b""))
    except (OSError, pa.ArrowException, ValidationError):
        return None


def read_rows(path: Path) -> Iterator[Kept]:
    """Yield a master's rows in the order of the file."""
    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_STEP):
            for line in batch.to_pylist():
                yield Kept(
                    line["sheet"],
                    line["row"],
                    line["unit"],
                    line["is_frame"],
                    tuple(line["cells"]),
                    tuple((wrong["column"], wrong["code"]) for wrong in line["wrong"]),
                    tuple(Problem(**problem) for problem in line["problems"]),
                )


def counts(path: Path) -> dict[Unit, int]:
    """Return for each unit of a master how many rows of it were not accepted."""
    if not path.exists():
        return {}
    table = pq.read_table(path, columns=["sheet", "unit", "is_frame", "count"])
    found: dict[Unit, int] = {}
    for sheet, unit, is_frame, count in zip(*(c.to_pylist() for c in table.columns), strict=True):
        if not is_frame:
            found[sheet, unit] = found.get((sheet, unit), 0) + count
    return found


def master_of(source: Source, problems: pa.Table, who: Mapping[str, list[str]]) -> Master:
    """Make the master of `problems` (validate.PROBLEM_SCHEMA) found in `source`.

    `who`: the mapping's headings by role (class sheets only).
    """
    ordered = problems.sort_by([("row", "ascending")])
    if isinstance(source, WideSource):
        return _wide(source, ordered, who)
    return _long(source, ordered)


def _lines(problems: pa.Table) -> Iterator[dict[str, Any]]:
    for start in range(0, problems.num_rows, _STEP):
        yield from problems.slice(start, _STEP).to_pylist()


def _long(source: Source, problems: pa.Table) -> Master:
    headings, wrong = source.headings, getattr(source, "wrong", {})
    assert not wrong or isinstance(source, SheetSource)  # noqa: S101 - only sheets have them
    by_row: dict[int, list[tuple[int, str]]] = {}
    for (row, column), code in sorted(wrong.items()):
        by_row.setdefault(row, []).append((column, code))
    place = {heading: i for i, heading in reversed(list(enumerate(headings, 1)))}

    def rows() -> Iterator[Kept]:
        yield Kept("", source.heading_row, source.heading_row, True, tuple(headings))
        for number, group in groupby(_lines(problems), key=lambda line: line["row"]):
            lines = list(group)
            found = [
                Problem(column, line["column"], line["value"], line["code"], line["detail"], number)
                for line in lines
                for column in _columns(str(line["column"]), place)
            ]
            kept = tuple(by_row.get(number, ()))
            yield Kept("", number, number, False, tuple(lines[0]["cells"]), kept, tuple(found))

    longest = max((len(line["cells"]) for line in _lines(problems)), default=0)
    width = max(len(headings), min(longest, len(headings) + _MOST_SURPLUS))
    sheet = SheetAbout(heading=source.heading_row, width=width)
    return Master([sheet], rows(), list(headings), source.serial_epoch)


def _columns(heading: str, place: Mapping[str, int]) -> list[int]:
    """Return the columns that a problem names: one, the parts of a key, or the whole row (0)."""
    if heading in place:
        return [place[heading]]
    return [place[part] for part in heading.split(" + ") if part in place] or [0]


def _wide(source: WideSource, problems: pa.Table, who: Mapping[str, list[str]]) -> Master:
    by_cell: dict[tuple[str, int], list[Problem]] = {}
    for line in _lines(problems):
        name, row, column = source.cell(line["row"])
        by_cell.setdefault((name, row), []).append(
            Problem(column, "", line["value"], line["code"], line["detail"], line["row"])
        )
    sheets, rows = [], []
    for read in source.sheets:
        grid, sheet = read.sheet.grid, read.sheet
        units = {read.units[row] for name, row in by_cell if name == grid.name}
        if not units:
            continue
        columns = sorted(sheet.who.values())
        about = SheetAbout(
            name=grid.name,
            file=read.file,
            title=read.name,
            heading=sheet.first - 1,
            width=len(grid.rows[0]),
            who=columns,
            merged=[b for b in grid.merged if b[2] < sheet.first or _unit_of(read, b) in units],
            counted=sorted(read.counted),
            says_present=read.says_present,
            held=sorted(read.held),
        )
        asks_who = any(
            problem.column in columns
            for (name, _), found in by_cell.items()
            if name == grid.name
            for problem in found
        )
        if "student_id" not in sheet.who and asks_who:
            about.width += 1
            about.number_column = about.width
            known = who["student_id"]
            about.number_heading = "学籍号" if "学籍号" in known else known[0]
            about.who.append(about.width)
        sheets.append(about)
        for row, cells in enumerate(grid.rows, 1):
            unit = read.units.get(row, 0)
            if row < sheet.first or row in read.legend_rows:
                text = list(cells)
                if row == about.heading and about.number_column:
                    text.append(about.number_heading)
                rows.append(Kept(grid.name, row, row, True, tuple(text)))
            elif unit in units:
                wrong = tuple((c, code) for (r, c), code in grid.wrong.items() if r == row)
                found = tuple(by_cell.get((grid.name, row), ()))
                text = sheet.filled(row) if row == unit else list(cells)
                rows.append(Kept(grid.name, row, unit, False, tuple(text), wrong, found))
    return Master(sheets, rows)


def _unit_of(read: ReadSheet, block: tuple[int, int, int, int]) -> int:
    """Return the pupil within whose rows a merged block lies, 0 if it lies over several."""
    units = {read.units.get(row, 0) for row in range(block[0], block[2] + 1)}
    return units.pop() if len(units) == 1 else 0
