"""What was found wrong with a file's rows: told in words, and added where it shows late."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from earlywarn.errors import Text
from earlywarn.tables.reasons import of_sign, reason
from earlywarn.tables.source import Source
from earlywarn.tables.validate import PROBLEM_SCHEMA
from earlywarn.tables.wide import WideSource

Late = tuple[int, str, str, str, str]
"""Row, column, value, code and detail."""

_SHOWN_REASONS = 20
_SHOWN_VALUE = 60


def told(source: Source, problems: pa.Table, firsts: Sequence[int] = ()) -> list[list[Text]]:
    """Return one reason for each kind of problem and column, with its first place.

    One list for each file; `firsts` is the first row of each, where there are several.
    """
    found: list[list[Text]] = [[] for _ in firsts or (1,)]
    if not problems.num_rows:
        return found
    files = np.zeros(problems.num_rows, np.int64)
    if firsts:
        files = np.searchsorted(firsts, problems["row"].to_numpy(), side="right") - 1
    with duckdb.connect() as con:
        con.register(
            "problems", problems.drop_columns(["cells"]).append_column("file", pa.array(files))
        )
        kinds = con.execute(
            'SELECT file, "column", code, min("row") AS first, arg_min(value, "row"), '
            'arg_min(detail, "row"), count(DISTINCT "row") FROM problems GROUP BY 1, 2, 3 '
            'QUALIFY row_number() OVER (PARTITION BY file ORDER BY first, "column", code) '
            f"<= {_SHOWN_REASONS} ORDER BY file, first, 2, 3"
        ).fetchall()
    for file, *kind in kinds:
        found[file].append(_in_words(source, *kind))
    return found


def _in_words(
    source: Source, column: str, code: str, row: int, value: str, detail: str, count: int
) -> Text:
    is_month = isinstance(source, WideSource) and source.layout == "month"
    why, place = reason(of_sign(code) if is_month else code, detail), source.where(row)
    shown = value if len(value) <= _SHOWN_VALUE else value[:_SHOWN_VALUE] + "…"
    zh_place = f"{source.name} 第 {place} 行" + (f"“{column}”列" if column else "")
    en_place = f"{source.name}, row {place}" + (f", column {column}" if column else "")
    if isinstance(source, WideSource):
        zh_place = en_place = place if source.several > 1 else f"{source.name} {place}"
    quoted = f"“{shown}” " if shown else ""
    return Text(
        f"{zh_place}：{quoted}{why.zh}（共 {count} 行）",
        f"{en_place}: {quoted}{why.en} ({count} row{'s' if count > 1 else ''})",
    )


def late_problems(source: Source, late: list[Late]) -> pa.Table:
    """Make problems of (row, column, value, code, detail), reading the rows' cells once more."""
    wanted = np.unique(np.array([row for row, *_ in late], dtype=np.int64))
    cells: dict[int, list[str]] = {}
    for chunk in source.chunks():
        places = np.flatnonzero(np.isin(chunk.rows.to_numpy(), wanted))
        if len(places):
            numbers = chunk.rows.take(pa.array(places)).to_pylist()
            columns = [column.take(pa.array(places)).to_pylist() for column in chunk.columns]
            for i, number in enumerate(numbers):
                cells[number] = [column[i] or "" for column in columns]
    lines = [
        {
            "row": row,
            "column": column,
            "value": value,
            "code": code,
            "detail": detail,
            "cells": cells.get(row, []),
        }
        for row, column, value, code, detail in late
    ]
    return pa.Table.from_pylist(lines, PROBLEM_SCHEMA)
