"""From text to the contract's types, column by column; each bad cell gives a reason.

Columns with few different values (dates, numbers, codes) are dictionary-encoded and only the
different texts are looked at, one at a time and once for a whole file; identifiers and free text
are handled as whole Arrow columns. So exact rules stay readable and no Python object is made for a
cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.errors import EarlywarnError
from earlywarn.tables.cells import SPACE, Parsed, folded, parse_date, parse_integer, parse_number
from earlywarn.tables.contract import ARROW_TYPES, Column
from earlywarn.tables.mapping import Mapping, Match, look_up
from earlywarn.tables.source import Chunk

PROBLEM_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("code", pa.string()),
        ("detail", pa.string()),
        ("cells", pa.list_(pa.string())),
    ]
)
ABSENT_MARKS = frozenset(("缺考", "缺", "未考", "absent", "-", "--", "—", "——", "–", "/", "缺席"))
DEFAULT_FULL_MARK = Decimal(100)

_CACHE_LIMIT = 200_000
_SCIENTIFIC = r"^\d(\.\d+)?[eE]\+\d+$"
_DECIMAL_ID = r"^\d+\.0+$"
_ASCII_SPACE = tuple(sign.encode() for sign in SPACE if sign.isascii())
_ESCAPED_ID = r'^(?:="(.*)"|\'(.+))$'


@dataclass
class Converted:
    """A chunk after conversion.

    `rows`: `_row` and the contract's columns, the rows without a problem. `problems`: one line for
    each bad cell (PROBLEM_SCHEMA).
    """

    rows: pa.Table
    problems: pa.Table
    bad_rows: int


@dataclass
class Converter:
    """Turns a file's chunks into rows of the contract.

    Parameters
    ----------
    mapping, match
        The mapping and which heading gives which column.
    headings
        The file's headings, for messages.
    fills
        Canonical column -> text that stands where the file says nothing (options, defaults).
    full_mark
        What `--full-mark` said.
    stages
        Config's stages: a grade in none of them is refused.
    serial_epoch
        See `parse_date`.
    """

    mapping: Mapping
    match: Match
    headings: list[str]
    fills: MappingType[str, str] = field(default_factory=dict)
    full_mark: Decimal | None = None
    stages: MappingType[str, tuple[int, int]] = field(default_factory=dict)
    serial_epoch: date | None = None

    # students: schools of the rows not accepted (None: not readable)
    bad_schools: set[str | None] = field(default_factory=set)
    # exams: subjects with a score above 100 although no full mark was said
    above_unsaid: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._table = self.mapping.table
        self._parsers = {column.name: self._parser(column) for column in self._table.columns}
        self._caches: dict[str, dict[str, Parsed]] = {c.name: {} for c in self._table.columns}
        self._fills: dict[str, Any] = {}
        for name, text in self.fills.items():
            parser = self._parsers[name]
            parsed = parser(folded(text)) if parser else Parsed(text.strip())
            if parsed.code:
                raise EarlywarnError(
                    zh=f"映射 {self.mapping.name} 的 defaults：{name} 的值 {text} 不合要求。",
                    en=f"Mapping {self.mapping.name}, defaults: {text} is no value of {name}.",
                )
            self._fills[name] = parsed.value

    def _parser(self, column: Column) -> Callable[[str], Parsed] | None:
        """Return what reads one text of a column, None for plain identifiers and text."""
        values = self.mapping.values.get(column.name, {})
        plain: Callable[[str], Parsed]
        if column.type == "date":
            months = column.name in self.mapping.months
            epoch, order = self.serial_epoch, self.mapping.date_order

            def plain(text: str) -> Parsed:
                return parse_date(text, epoch=epoch, months=months, order=order)

        elif column.type == "integer":
            plain = parse_integer
        elif column.name == "score":

            def plain(text: str) -> Parsed:
                return Parsed(None) if text.casefold() in ABSENT_MARKS else parse_number(text)

        elif column.type == "number":
            plain = parse_number
        elif column.type == "boolean":

            def plain(text: str) -> Parsed:
                return Parsed(None, "bad_boolean")

        elif column.type == "choice":
            known = ", ".join(column.choices)

            def plain(text: str) -> Parsed:
                return Parsed(None, "unknown_code", known)

        elif values and column.type == "text":
            plain = Parsed
        elif values:
            plain = _parse_id
        else:
            return None
        boolean = column.type == "boolean"

        def parse(text: str) -> Parsed:
            value, conflict = look_up(values, text)
            if conflict:
                return Parsed(None, "code_conflict", conflict)
            if value is None:
                return plain(text)
            if value == "":
                return Parsed(None)
            if boolean:
                return Parsed(value == "true")
            return Parsed(value) if column.type in ("choice", "text", "id") else plain(value)

        return parse

    def convert(self, chunk: Chunk) -> Converted:
        """Convert one chunk; the rows that the reader found wrong are among the problems."""
        count = len(chunk.rows)
        ok = np.ones(count, dtype=bool)
        found: list[tuple[np.ndarray, str, list[str], list[str], list[str]]] = []
        typed: dict[str, pa.Array] = {}

        def problem(where: Any, name: str, codes: Any, details: Any = None) -> None:
            """Note the places of a boolean array, with one code for all or a code for each."""
            places = np.flatnonzero(where)
            if not len(places):
                return
            ok[places] = False
            each = [codes] * len(places) if isinstance(codes, str) else _at(codes, places)
            if details is None or isinstance(details, str):
                more = [details or ""] * len(places)
            else:
                more = _at(details, places)
            found.append((places, self._shown(name), self._raw(chunk, name, places), each, more))

        for column in self._table.columns:
            values, codes, details = self._column(column, chunk, count)
            if codes is not None:
                problem(_mask(pc.is_valid(codes)), column.name, codes, details)
            fill = self._fills.get(column.name)
            if fill is not None:
                gaps = pc.is_null(values)
                if codes is not None:
                    gaps = pc.and_(gaps, pc.is_null(codes))
                filled = pa.scalar(fill, ARROW_TYPES[column.type])
                values = pc.if_else(gaps, filled, values)
            if column.required:
                missing = pc.is_null(values)
                if codes is not None:
                    missing = pc.and_(missing, pc.is_null(codes))
                problem(_mask(missing), column.name, "missing")
            typed[column.name] = values
        self._check_rows(typed, problem)
        if self._table.name == "students" and not ok.all():
            bad = typed["school_id"].filter(pa.array(~ok))
            self.bad_schools.update(pc.unique(bad).to_pylist())
        if self._table.name == "students" and chunk.wrong:
            self.bad_schools.add(None)
        rows = pa.table(
            {"_row": chunk.rows, **{c.name: typed[c.name] for c in self._table.columns}}
        )
        if not ok.all():
            rows = rows.filter(pa.array(ok))
        bad_rows = int((~ok).sum()) + len(chunk.wrong)
        return Converted(rows, self._problems(chunk, found), bad_rows)

    def _shown(self, name: str) -> str:
        index = self.match.columns.get(name)
        return name if index is None else self.headings[index]

    def _raw(self, chunk: Chunk, name: str, places: np.ndarray) -> list[str]:
        index = self.match.columns.get(name)
        if index is None:
            return [""] * len(places)
        return [text or "" for text in chunk.columns[index].take(pa.array(places)).to_pylist()]

    def _column(
        self, column: Column, chunk: Chunk, count: int
    ) -> tuple[pa.Array, pa.Array | None, pa.Array | None]:
        """Return a column's values, and the code and detail of each cell that is wrong."""
        kind = ARROW_TYPES[column.type]
        index = self.match.columns.get(column.name)
        if index is None:
            return pa.nulls(count, kind), None, None
        texts = chunk.columns[index]
        parser = self._parsers[column.name]
        if parser is None:
            return _plain_column(texts, is_id=column.type == "id")
        encoded = texts.dictionary_encode()
        cache = self._caches[column.name]
        if len(cache) > _CACHE_LIMIT:
            cache.clear()
        parsed: list[Parsed] = []
        for text in encoded.dictionary.to_pylist():
            known = cache.get(text)
            if known is None:
                plain = folded(text)
                known = parser(plain) if plain else Parsed(None)
                cache[text] = known
            parsed.append(known)
        values = pa.array([p.value for p in parsed], kind).take(encoded.indices)
        if not any(p.code for p in parsed):
            return values, None, None
        codes = pa.array([p.code or None for p in parsed], pa.string()).take(encoded.indices)
        details = pa.array([p.detail for p in parsed], pa.string()).take(encoded.indices)
        return values, codes, details

    def _check_rows(self, typed: dict[str, pa.Array], problem: Callable[..., None]) -> None:
        """What only several cells of a row show together."""
        if self._table.name == "students" and self.stages:
            known = sorted({g for low, high in self.stages.values() for g in range(low, high + 1)})
            inside = pc.is_in(typed["grade"], pa.array(known, pa.int32()))
            said = ", ".join(f"{s} {a}-{b}" for s, (a, b) in self.stages.items())
            wrong = pc.and_(pc.is_valid(typed["grade"]), pc.invert(inside))
            problem(_mask(wrong), "grade", "grade_no_stage", said)
        elif self._table.name == "attendance_totals":
            later = pc.greater(typed["from"], typed["to"])
            problem(_mask(later), "from", "from_after_to", pc.cast(typed["to"], pa.string()))
            for part, whole in (
                ("days_absent", "school_days"),
                ("days_late", "school_days"),
                ("days_unexcused", "days_absent"),
            ):
                more = pc.greater(typed[part], typed[whole])
                problem(_mask(more), part, "more_than_days", self._shown(whole))
        elif self._table.name == "exams":
            self._check_marks(typed, problem)

    def _check_marks(self, typed: dict[str, pa.Array], problem: Callable[..., None]) -> None:
        """Fill in the full mark where one was said: row, --full-mark, mapping; check the score."""
        marks = typed["full_mark"]
        problem(
            _mask(pc.equal(marks, pa.scalar(Decimal(0), marks.type))), "full_mark", "full_mark_zero"
        )
        said = self.full_mark
        by_subject = self.mapping.full_mark
        if said is not None:
            marks = pc.fill_null(marks, pa.scalar(said, marks.type))
        elif by_subject:
            other = by_subject.get("default")
            encoded = typed["subject"].dictionary_encode()
            listed = [by_subject.get(s, other) for s in encoded.dictionary.to_pylist()]
            marks = pc.coalesce(marks, pa.array(listed, marks.type).take(encoded.indices))
        above = pc.greater(typed["score"], marks)
        problem(_mask(above), "score", "score_above", _plain_numbers(marks))
        unsaid = pc.and_(
            pc.is_null(marks),
            pc.greater(typed["score"], pa.scalar(DEFAULT_FULL_MARK, marks.type)),
        )
        evidence = typed["subject"].filter(pc.fill_null(unsaid, False))
        self.above_unsaid.update(s for s in pc.unique(evidence).to_pylist() if s is not None)
        typed["full_mark"] = marks

    def _problems(self, chunk: Chunk, found: list[Any]) -> pa.Table:
        lines: list[dict[str, Any]] = []
        for places, heading, values, codes, details in found:
            numbers = chunk.rows.take(pa.array(places)).to_pylist()
            raw = [column.take(pa.array(places)).to_pylist() for column in chunk.columns]
            for i, number in enumerate(numbers):
                cells = [column[i] or "" for column in raw]
                lines.append(_line(number, heading, values[i], codes[i], details[i] or "", cells))
        for wrong in chunk.wrong:
            lines.append(
                _line(wrong.row, wrong.column, wrong.value, wrong.code, wrong.detail, wrong.cells)
            )
        return pa.Table.from_pylist(lines, PROBLEM_SCHEMA)


def _line(row: int, column: str, value: str, code: str, detail: str, cells: Any) -> dict[str, Any]:
    return {
        "row": row,
        "column": column,
        "value": value,
        "code": code,
        "detail": detail,
        "cells": list(cells),
    }


def _at(values: pa.Array, places: np.ndarray) -> list[Any]:
    taken: list[Any] = values.take(pa.array(places)).to_pylist()
    return taken


def _mask(condition: pa.Array) -> np.ndarray:
    """An Arrow condition as numpy booleans; unknown is false."""
    flags: np.ndarray = pc.fill_null(condition, False).to_numpy(zero_copy_only=False)
    return flags


def _plain_numbers(values: pa.Array) -> pa.Array:
    """Numbers as people write them: 120, not 120.000000."""
    texts = pc.cast(values, pa.string())
    return pc.replace_substring_regex(texts, r"\.?0+$", "")


def _parse_id(text: str) -> Parsed:
    if re.match(_SCIENTIFIC, text):
        return Parsed(None, "id_scientific")
    return Parsed(None, "id_decimal") if re.match(_DECIMAL_ID, text) else Parsed(text)


def _plain_column(
    texts: pa.Array, *, is_id: bool
) -> tuple[pa.Array, pa.Array | None, pa.Array | None]:
    """Trim identifiers and free text, empty = null; an identifier that was a number is wrong."""
    written = _letters(texts)
    values = texts
    if not written.isascii() or any(sign in written for sign in _ASCII_SPACE):
        values = pc.utf8_trim(texts, characters=SPACE)
    empty = pc.equal(values, "")
    if pc.any(empty).as_py():
        values = pc.if_else(empty, pa.scalar(None, pa.string()), values)
    if not is_id:
        return values, None, None
    if b"'" in written or b"=" in written:
        values = pc.replace_substring_regex(values, _ESCAPED_ID, r"\1\2")
    codes = None
    for sign, pattern, code in (
        (b"+", _SCIENTIFIC, "id_scientific"),
        (b".", _DECIMAL_ID, "id_decimal"),
    ):
        if sign not in written:
            continue
        hits = pc.match_substring_regex(values, pattern)
        if pc.any(hits).as_py():
            named = pc.if_else(pc.fill_null(hits, False), code, pa.scalar(None, pa.string()))
            codes = named if codes is None else pc.coalesce(codes, named)
    return values, codes, None


def _letters(texts: pa.Array) -> bytes:
    """Return all that is written in a string array: what is in none of it need not be looked for.

    Of a slice it may be more.
    """
    letters = texts.buffers()[2]
    return b"" if letters is None else letters.to_pybytes()
