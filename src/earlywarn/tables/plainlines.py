"""Delimited text in which every line is one row: split by Arrow, a block of lines at a time.

A block in which a line has the wrong number of cells is left to the caller, who reads it line by
line; so what is accepted never depends on the road it came by. While one block is converted the
next one is split, on a thread of its own.
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

_BLOCK = 1 << 23
_THREADS = 2  # Arrow lets them run beside each other


@dataclass(frozen=True)
class Block:
    """Whole lines of a file: `text` in UTF-8, and their cells, a string array for each column.

    `columns` is None where a line has more or fewer cells than the heading.
    """

    text: bytes
    count: int
    columns: list[pa.Array] | None


def split_lines(file: BinaryIO, encoding: str, delimiter: str, width: int) -> Iterator[Block]:
    """Yield the rest of `file`, some megabytes of lines at a time.

    `encoding` is an encoding in which a line feed is one byte and no part of another character, as
    in UTF-8 and GB18030. The text has no quote, no NUL and no carriage return but before a line
    feed.
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


def _cells(text: bytes, count: int, delimiter: str, width: int) -> list[pa.Array] | None:
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
            quote_char=False,
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
