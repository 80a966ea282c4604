"""The rows of a list: what is a child's row, and what of it can be read.

A birth date or sex that cannot be read leaves its cell empty and takes no child away. Totals,
signatures and notes below the children are nobody's row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from earlywarn.errors import Text
from earlywarn.reconcile.numbers import identity_number
from earlywarn.tables.cells import folded, parse_date
from earlywarn.tables.mapping import Mapping, Match
from earlywarn.tables.reasons import reason
from earlywarn.tables.source import Chunk, Source
from earlywarn.tables.validate import Converter

_SOFT = ("birth_date", "sex")  # columns whose bad cells are left empty
_TOTAL = re.compile(r"(?:合计|总计|小计|共计|总数|总人数|total)\s*:?\s*[\d,]*\s*[人名户]?$", re.I)
_SIGNED = re.compile(
    r"(?:填表|制表|填报|审核|审批|经办|负责人|单位负责人|联系人)(?:人|日期|时间|单位)?(?:[:\s]|$)"
    r"|(?:注|备注|说明|日期|时间|单位|联系电话)\s*\d*:"
)
# 2014.03.02, 2014.3.2 and 2014.03; 2014.1 is what a workbook makes of 2014.10, and is neither.
_DOTTED = re.compile(r"(\d{4})[.。](\d{1,2})[.。](\d{1,2})[.。]?|(\d{4})[.。](\d{2})")
_SEX = Text(
    "不是性别。请写 男 或 女（M、F 也可），不详的留空",
    "is no sex; write 男 or 女 (or M, F), and nothing where it is not known",
)
_KEPT = Text("；本行已读入，这一格按空白处理", "; the row was read, this cell as an empty one")


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row or cell that could not be read: where it stands, in which column, and the cure.

    `kept`: the row was taken without this cell.
    """

    file: str
    row: int
    column: str
    why: Text
    kept: bool = False


@dataclass
class Rows:
    """A sheet's rows: the good ones, what could not be read, and the numbers of nobody's rows."""

    good: list[dict[str, Any]] = field(default_factory=list)
    unread: list[UnreadRow] = field(default_factory=list)
    nobodys: list[int] = field(default_factory=list)


def rows_of(source: Source, mapping: Mapping, match: Match) -> Rows:
    """Read a sheet's rows, each with its number under `_row`, in the sheet's order."""
    converter = Converter(
        mapping, match, source.headings, mapping.defaults, serial_epoch=source.serial_epoch
    )
    soft = {source.headings[match.columns[c]]: c for c in _SOFT if c in match.columns}
    found = Rows()
    for read in source.chunks():
        chunk = _childrens(_with_dates(read, match), source.headings, match, found.nobodys)
        readable = set(chunk.rows.to_pylist())
        before = converter.convert(chunk).problems.to_pylist()
        emptied: dict[str, set[int]] = {name: set() for name in soft.values()}
        for bad in before:
            name = soft.get(bad["column"] or "", "")
            if name and bad["row"] in readable:
                emptied[name].add(bad["row"])
        converted = converter.convert(_without(chunk, match, emptied))
        lost = set(converted.problems["row"].to_pylist())
        for bad in before:
            name = soft.get(bad["column"] or "", "")
            found.unread.append(
                _unread(source.name, bad, name, kept=bool(name) and bad["row"] not in lost)
            )
        found.good += converted.rows.to_pylist()
    return found


def _unread(file: str, bad: dict[str, Any], name: str, *, kept: bool) -> UnreadRow:
    is_sex = name == "sex" and bad["code"] == "unknown_code"
    why = _SEX if is_sex else reason(bad["code"], bad["detail"] or "")
    if kept:
        why = Text(why.zh + _KEPT.zh, why.en + _KEPT.en)
    return UnreadRow(file, bad["row"], bad["column"] or "", why, kept)


def _with_dates(chunk: Chunk, match: Match) -> Chunk:
    """Return the chunk with 2014.03.02 as 2014-03-02."""
    at = match.columns.get("birth_date")
    if at is None:
        return chunk
    columns = list(chunk.columns)
    columns[at] = pa.array([_dashed(text) for text in columns[at].to_pylist()], pa.string())
    return Chunk(chunk.rows, columns, chunk.wrong, chunk.blank)


def _dashed(text: str | None) -> str | None:
    parts = _DOTTED.fullmatch(folded(text)) if text else None
    return "-".join(filter(None, parts.groups())) if parts else text


def _childrens(chunk: Chunk, headings: list[str], match: Match, nobodys: list[int]) -> Chunk:
    """Return the chunk without totals, signatures, notes and headings that stand there again."""
    heads = [folded(heading) for heading in headings]

    def is_nobodys(cells: Sequence[str | None]) -> bool:
        told = [folded(cell or "") for cell in cells]
        first = next(filter(None, told), "")
        if _SIGNED.match(first) or (told[: len(heads)] == heads and first):
            return True
        return bool(_TOTAL.match(first)) and not _is_somebody(told, match)

    cells = list(zip(*(column.to_pylist() for column in chunk.columns), strict=True))
    keep = [not is_nobodys(row) for row in cells]
    nobodys += [n for n, kept in zip(chunk.rows.to_pylist(), keep, strict=True) if not kept]
    nobodys += [wrong.row for wrong in chunk.wrong if is_nobodys(wrong.cells)]
    mask = pa.array(keep, pa.bool_())
    return Chunk(
        chunk.rows.filter(mask),
        [column.filter(mask) for column in chunk.columns],
        [wrong for wrong in chunk.wrong if not is_nobodys(wrong.cells)],
        chunk.blank,
    )


def _is_somebody(cells: Sequence[str], match: Match) -> bool:
    """Whether a row has an identity number or a birth date, and so is a child's after all."""

    def at(name: str) -> str:
        place = match.columns.get(name, len(cells))
        return cells[place] if place < len(cells) else ""

    return identity_number(at("id_number")) is not None or (
        parse_date(at("birth_date"), months=True).value is not None
    )


def _without(chunk: Chunk, match: Match, emptied: dict[str, set[int]]) -> Chunk:
    """Return the chunk with cells emptied: by column, the numbers of their rows."""
    columns = list(chunk.columns)
    numbers = chunk.rows.to_pylist()
    for name, rows in emptied.items():
        at = match.columns[name]
        texts = columns[at].to_pylist()
        columns[at] = pa.array(
            [None if n in rows else text for n, text in zip(numbers, texts, strict=True)],
            pa.string(),
        )
    return Chunk(chunk.rows, columns, chunk.wrong, chunk.blank)
