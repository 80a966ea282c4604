"""A CSV split by Arrow, block by block, gives what reading it line by line gives."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from earlywarn.tables import plainlines
from earlywarn.tables.csvfile import CsvSource
from earlywarn.tables.source import Chunk

PIECES = [
    "a",
    "bc",
    "王明",
    ",",
    ",",
    "\n",
    "\n",
    "\r\n",
    '"',
    '""',
    '","',
    '"x"',
    " ",
    "1",
    ",,",
    "",
]


def told(chunks: Iterable[tuple[Chunk, int]]) -> tuple[list[Any], list[Any], int]:
    """Return the rows with their numbers, the wrong ones, and how many lines were read."""
    rows: list[Any] = []
    wrong: list[Any] = []
    lines = 0
    for chunk, read in chunks:
        columns = [column.to_pylist() for column in chunk.columns]
        for number, *cells in zip(chunk.rows.to_pylist(), *columns, strict=True):
            rows.append((number, [cell or "" for cell in cells]))
        wrong += [(one.row, one.code, one.cells, one.detail) for one in chunk.wrong]
        lines += read
    return sorted(rows), sorted(wrong), lines


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plainlines, "_BLOCK", 24)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
@example('1,"b,c",d\n1,2,3\n')  # a comma within quotes
@example('1,"b\nc",d\n1,2,3\n')  # a line end within quotes
@example('1,"b,c\n1,2,3\n4,e",f\n')  # as many quotes as if nothing were wrong
@example('"ab"c,2,3\n1,2,3\n')
@example('a"b,2,3\n"1",2,3\n')
@example('1,"a""b",3\n1,",",3\n')
@example('1,2,"open\n' + "1,2,3\n" * 20)
@example("1,2\n1,2,3,4\n\n,,\n1,2,3")
@example('1,"",3\r\n"","",""\r\n')
@example(',""a","')
def test_both_roads_give_the_same(small_blocks: None, tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,name,note\n" + text, encoding="utf-8", newline="")
    source = CsvSource(path)
    careful = told(source._careful(source._first))
    assert told(source._plain()) == careful


def test_a_quoted_export_is_split_by_arrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    lines = [f'"G{n:05d}",2026-09-01,"present",""\n' for n in range(1000)]
    path.write_text('"student_id","date","status","session"\n' + "".join(lines), encoding="utf-8")
    source = CsvSource(path)

    def refuse(*_: Any) -> None:
        raise AssertionError("read line by line")

    monkeypatch.setattr(CsvSource, "_rows", refuse)
    (chunk,) = source.chunks()
    assert chunk.columns[0].to_pylist() == [f"G{n:05d}" for n in range(1000)]
    assert chunk.columns[3].to_pylist() == [""] * 1000


def test_gb18030_in_blocks(small_blocks: None, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"G{n},王明{n},备注\n" for n in range(50)]
    path.write_text("id,name,note\n" + "".join(lines), encoding="gb18030")
    source = CsvSource(path)
    assert [name for chunk in source.chunks() for name in chunk.columns[1].to_pylist()] == [
        f"王明{n}" for n in range(50)
    ]
