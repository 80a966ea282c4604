"""Many files one after the other, read by other processes while the first are in use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.ahead import ahead
from earlywarn.tables.grids.grid import Grids
from earlywarn.tables.grids.reading import read_grids
from earlywarn.tables.source import collector_paused

# A process of its own takes most of a second to begin: fewer files are read before that.
_WORTH_IT = 100
_AT_ONCE = 8
_MOST_PROCESSES = 4

Read = tuple[Path, Grids | Text]
"""A file, and its sheets or why it cannot be read."""


def read_many(paths: Sequence[Path]) -> Iterator[Read]:
    """Yield each of `paths` with its sheets, or with why it cannot be read, in their order."""
    done = 0
    if len(paths) >= _WORTH_IT:
        processes = min(os.cpu_count() or 1, _MOST_PROCESSES)
        # spawn: a fork would carry over the locks of threads that do not run in it
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            try:
                for some in ahead(_read_some, _groups(paths), pool, 4 * processes):
                    for one in some:
                        yield one
                        done += 1
            except BrokenProcessPool:  # stopped by the system; those left are read here
                pass
    for path in paths[done:]:
        yield path, _read(path)


def _groups(paths: Iterable[Path]) -> Iterator[list[Path]]:
    left = iter(paths)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _read_some(paths: Iterable[Path]) -> list[Read]:
    with collector_paused():
        return [(path, _read(path)) for path in paths]


def _read(path: Path) -> Grids | Text:
    try:
        return read_grids(path)
    except EarlywarnError as error:
        return error.text
