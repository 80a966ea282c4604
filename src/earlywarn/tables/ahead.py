"""Work on the next pieces while one is in use: results come in order, a few pieces ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def ahead(
    work: Callable[[In], Out], pieces: Iterable[In], pool: Executor, most: int
) -> Iterator[Out]:
    """Yield `work(piece)` for each of `pieces`, in their order; at most `most` wait to be taken.

    An error of a piece is raised where its result would have come.
    """
    waiting: deque[Future[Out]] = deque()
    try:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for each in waiting:
            each.cancel()
