"""Look at a file and suggest a mapping for one table."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from earlywarn.errors import EarlywarnError, Text, UsageError
from earlywarn.tables.cells import folded, parse_date
from earlywarn.tables.contract import TABLES, Column, Table
from earlywarn.tables.grids import Grid, read_grids
from earlywarn.tables.mapping import Mapping, load_mapping, normal_heading
from earlywarn.tables.mappingfiles import Layout
from earlywarn.tables.suggesting.codes import NO_CODES, Codes, read_codes
from earlywarn.tables.suggesting.likeness import Vocabulary, vocabulary
from earlywarn.tables.suggesting.matching import Guess, match_columns
from earlywarn.tables.suggesting.sheet import Headed, find_headings
from earlywarn.tables.suggesting.values import Values
from earlywarn.tables.suggesting.wide import match_wide, wide_layout
from earlywarn.tables.suggesting.words import table_rules
from earlywarn.workspace import Workspace

LONG_BASE = "cn-registry"

_ORDERS = frozenset(("dmy", "mdy"))
_EITHER = Text(
    "日期是“日/月/年”还是“月/日/年”分不清：请在 date_order 写明",
    "the dates may be day/month/year or month/day/year: say which with date_order",
)


@dataclass(frozen=True)
class Found:
    """A heading and its column, with the column's codes and every doubt.

    `column` is a canonical column; in a wide sheet a role (`name`), a subject, or the `status` that
    stands under the days.
    """

    guess: Guess
    codes: Codes = NO_CODES
    doubts: tuple[Text, ...] = ()
    months: bool = False  # 201909 stands for a day

    @property
    def sure(self) -> bool:
        """Whether the line is written so that it loads."""
        return not self.doubts


@dataclass(frozen=True)
class Suggestion:
    """What a file's sheet seems to hold.

    `base` is the mapping it extends, "" where that would load what is not sure; `signs` are a month
    sheet's; `missing` the required columns without a sure heading; `notes` how the file was read.
    """

    file: str
    sheet: str
    row: int
    table: Table
    layout: Layout
    base: str
    columns: list[Found]
    known: list[str]
    unknown: list[str]
    days: list[str] = field(default_factory=list)
    subjects: frozenset[str] = frozenset()
    date_order: str = ""  # dmy or mdy, where that is how the dates are written
    asks_order: bool = False  # whether they may be either
    signs: Codes = NO_CODES
    missing: list[str] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)


def known_table(name: str) -> Table:
    """Return the table called `name` (UsageError with the nearest names otherwise)."""
    if name in TABLES:
        return TABLES[name]
    near = difflib.get_close_matches(name, TABLES, n=1) or list(TABLES)
    raise UsageError(
        zh=f"没有表 {name}。可用：{'、'.join(near)}。",
        en=f"There is no table {name}. Known: {', '.join(near)}.",
    )


def suggest(workspace: Workspace, path: Path, table: str, sheet: str = "") -> Suggestion:
    """Suggest a mapping for the file at `path` as `table`.

    Parameters
    ----------
    sheet
        The workbook's sheet to look at; "" takes the first whose headings are found.

    Raises
    ------
    EarlywarnError
        If the file cannot be read, has no such sheet, or no row looks like headings.
    """
    known_table(table)
    grids = read_grids(path)
    if sheet and all(grid.name != sheet for grid in grids.sheets):
        names = [grid.name for grid in grids.sheets]
        raise EarlywarnError(
            zh=f"{path.name} 中没有工作表“{sheet}”。现有：{'、'.join(names)}。",
            en=f"{path.name} has no sheet “{sheet}”. It has: {', '.join(names)}.",
        )
    looked = [grid for grid in grids.sheets if not sheet or grid.name == sheet]
    suggestion = suggest_for(workspace, path.name, looked, table)
    others = [grid.name for grid in looked if grid.name != suggestion.sheet]
    suggestion.notes[:0] = grids.notes
    if others:
        suggestion.notes.append(
            Text(
                f"只看了工作表“{suggestion.sheet}”；其余：{'、'.join(others)}",
                f"only the sheet “{suggestion.sheet}” was looked at, not: {', '.join(others)}",
            )
        )
    return suggestion


def suggest_for(workspace: Workspace, file: str, grids: Sequence[Grid], table: str) -> Suggestion:
    """Suggest a mapping for the first of a file's `grids` whose headings are found."""
    mapping = load_mapping(workspace, LONG_BASE, table)
    words = vocabulary(mapping.headings, table_rules()[table], sorted(mapping.ignore))
    for grid in grids:
        headed = find_headings(grid, words)
        if headed is None:
            continue
        layout = wide_layout(headed, table)
        if layout != "long":
            return _wide(workspace, file, headed, mapping.table, layout)
        return _long(file, headed, mapping, words)
    raise EarlywarnError(
        zh=f"{file}：没有找到表头：前 40 行中没有一行像列名。"
        "请在数据上方加一行列名，例如学籍号、姓名、班级。",
        en=f"{file}: no headings were found: none of the first 40 rows looks like column names. "
        "Add a row of names above the data, such as student_id, name, class_id.",
    )


def _long(file: str, headed: Headed, mapping: Mapping, words: Vocabulary) -> Suggestion:
    columns = {column.name: column for column in mapping.table.columns}
    twice = _twice(headed.headings)
    accepted = _accepted(mapping, headed.headings)
    guesses = match_columns(
        headed.headings,
        headed.contexts,
        headed.columns,
        list(columns),
        lambda values, name: values.evidence(columns[name], mapping),
        words,
        accepted,
    )
    orders = {
        headed.columns[guess.index].date_order
        for guess in guesses.columns
        if columns[guess.column].type == "date"
    }
    order = _order_of(orders)
    found = [
        _found(guess, columns[guess.column], headed.columns[guess.index], mapping, twice, order)
        for guess in guesses.columns
    ]
    sure = {one.guess.column: one.guess.index for one in found if one.sure}
    return Suggestion(
        file=file,
        sheet=headed.name,
        row=headed.row,
        table=mapping.table,
        layout="long",
        base=LONG_BASE if accepted.items() <= sure.items() else "",
        columns=found,
        known=guesses.known,
        unknown=guesses.unknown,
        missing=[name for name in _needed(mapping.table) if name not in sure],
        notes=_row_note(headed),
        date_order=order,
        asks_order=not order and bool(orders & {*_ORDERS, "ambiguous"}),
    )


def _order_of(orders: set[str]) -> str:
    """Return in which order a file's dates are written, "" where that is ymd or cannot be told."""
    shown = orders & _ORDERS
    return shown.pop() if len(shown) == 1 else ""


def _needed(table: Table) -> list[str]:
    """Return the columns without which a file is refused."""
    needed = [column.name for column in table.columns if column.required]
    return [*needed, "score"] if table.name == "exams" else needed


def _found(
    guess: Guess, column: Column, values: Values, mapping: Mapping, twice: set[str], order: str
) -> Found:
    doubts = list(guess.doubts)
    if normal_heading(guess.heading) in twice:
        doubts.append(Text("这个表头出现了两次", "the heading stands twice"))
    months = False
    if column.type == "date":
        if values.date_order in {*_ORDERS, "ambiguous"} and not order:
            doubts.append(_EITHER)
        months = any(parse_date(folded(text)).code for text in values.counts) and not any(
            parse_date(folded(text), months=True).code for text in values.counts
        )
        if months and column.name not in mapping.months:
            doubts.append(
                Text("只有年月，会当作当月 1 日", "only months: the first day would be taken")
            )
    codes = read_codes(column, guess.heading, values, mapping)
    doubts += codes.doubts
    return Found(guess, codes, tuple(doubts), months)


def _twice(headings: Sequence[str]) -> set[str]:
    counts = Counter(normal_heading(heading) for heading in headings if heading)
    return {heading for heading, count in counts.items() if count > 1}


def _accepted(mapping: Mapping, headings: Sequence[str]) -> dict[str, int]:
    """Return the columns that the base mapping finds by itself.

    A suggestion extends it only where all of them are sure. A heading that stands twice counts
    once: it is asked about anyway.
    """
    first = [text if text not in headings[:i] else "" for i, text in enumerate(headings)]
    return mapping.match(first).columns


def _row_note(headed: Headed) -> list[Text]:
    if headed.row == 1:
        return []
    return [Text(f"表头在第 {headed.row} 行", f"the headings are in row {headed.row}")]


def _wide(
    workspace: Workspace, file: str, headed: Headed, table: Table, layout: Layout
) -> Suggestion:
    mapping = load_mapping(workspace, "cn-class-sheet", table.name)
    matched = match_wide(headed, mapping, layout)
    twice = _twice(headed.headings)
    found = []
    for guess in matched.guesses.columns:
        doubts = list(guess.doubts)
        if normal_heading(guess.heading) in twice:
            doubts.append(Text("这个表头出现了两次", "the heading stands twice"))
        found.append(Found(guess, NO_CODES, tuple(doubts)))
    sure = {one.guess.column for one in found if one.sure}
    return Suggestion(
        file=file,
        sheet=headed.name,
        row=headed.row,
        table=table,
        layout=layout,
        base="cn-class-sheet",
        columns=found,
        known=matched.guesses.known,
        unknown=matched.guesses.unknown,
        days=[headed.headings[i] for i in headed.days],
        subjects=matched.subjects,
        signs=matched.signs,
        missing=[] if sure & {"student_id", "id_number", "name"} else ["student_id"],
        notes=_row_note(headed),
    )
