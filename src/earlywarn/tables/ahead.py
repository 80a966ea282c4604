"""Work on the next pieces while one is in use: results come in order, a few pieces ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def ahead(work: Callable[[In], Out], pieces: Iterable[In], threads: int) -> Iterator[Out]:
    """Yield `work(piece)` for each of `pieces`, in their order.

    Worth it where most of the work is done in Arrow, which lets other threads run. An error of a
    piece is raised where its result would have come; at most `threads` + 1 results are held.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Out]] = deque()
        try:
            for piece in pieces:
                waiting.append(pool.submit(work, piece))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
