"""Delimited text in which every line is one row: split by Arrow, a block of lines at a time.

A block in which that is not so, or a line has the wrong number of cells, is left to the caller, who
reads it line by line; so what is accepted never depends on the road it came by. While one block is
converted the next ones are split, on threads of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import csv

from earlywarn.tables.ahead import ahead

QUOTE = '"'
_BLOCK = 1 << 23
_THREADS = 2  # Arrow lets them run beside each other


@dataclass(frozen=True)
class Block:
    """Whole lines of a file: `text` in UTF-8, and their cells, a string array for each column.

    `columns` is None where a line has more or fewer cells than the heading, and where a quote does
    anything but begin or end a cell within its line.
    """

    text: bytes
    count: int
    columns: list[pa.Array] | None


def split_lines(file: BinaryIO, encoding: str, delimiter: str, width: int) -> Iterator[Block]:
    """Yield the rest of `file`, some megabytes of lines at a time.

    `encoding` is an encoding in which a line feed is one byte and no part of another character, as
    in UTF-8 and GB18030. The text has no NUL and no carriage return but before a line feed.
    """

    def split(piece: bytes) -> Block:
        text = piece if encoding.startswith("utf-8") else piece.decode(encoding).encode()
        count = line_feeds(text) + (not text.endswith(b"\n"))
        return Block(text, count, _cells(text, count, delimiter, width))

    with ThreadPoolExecutor(_THREADS) as pool:
        yield from ahead(split, _whole_lines(file), pool, _THREADS)


def line_feeds(text: bytes) -> int:
    """Return how many there are; `bytes.count` takes six times as long where they are many."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the file cut after line feeds, each piece but the last about a block long."""
    rest = b""
    while block := file.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
    if rest:
        yield rest


def _is_regular(text: bytes, delimiter: str) -> bool:
    """Whether quotes take turns: one before a cell's first letter, one behind its last.

    Then every cell is as Arrow reads it, if each line gives a row: a quote that stays open over a
    line's end takes a row away.
    """
    letters = np.frombuffer(text, np.uint8)
    places = np.flatnonzero(letters == ord(QUOTE))
    edges = np.array([ord(delimiter), ord("\n"), ord("\r")])
    before = np.where(places > 0, letters[places - 1], ord("\n"))
    after = np.where(places < len(letters) - 1, letters[(places + 1) % len(letters)], ord("\n"))
    begins, closes = np.isin(before, edges[:2]), np.isin(after, edges)
    return bool(
        len(places) % 2 == 0
        and np.all(begins[::2] & ~closes[::2])
        and np.all(closes[1::2] & ~begins[1::2])
    )


def _cells(text: bytes, count: int, delimiter: str, width: int) -> list[pa.Array] | None:
    is_quoted = QUOTE.encode() in text
    if is_quoted and not _is_regular(text, delimiter):
        return None
    ragged = False

    def skip(_: csv.InvalidRow) -> str:
        nonlocal ragged
        ragged = True
        return "skip"

    names = [str(i) for i in range(width)]
    found = csv.read_csv(
        pa.py_buffer(text),
        read_options=csv.ReadOptions(
            column_names=names, use_threads=False, block_size=len(text) + 1
        ),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            quote_char=QUOTE if is_quoted else False,
            escape_char=False,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    if ragged or found.num_rows != count:
        return None
    return [column.combine_chunks() for column in found.columns]
