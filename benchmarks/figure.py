"""One figure of docs/proof.json: what was measured, its value, its bar, and whether it holds."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Figure = dict[str, Any]


def figure(what: str, value: Any, bar: Any, holds: bool) -> Figure:
    """Return one figure with its bar."""
    return {"what": what, "value": value, "bar": bar, "holds": holds}


def gigabytes(peak: int) -> float:
    """Return a peak of memory as `resource` gives it, in GB: KiB on Linux, bytes on a Mac."""
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9


def show(figures: Sequence[Figure]) -> None:
    """Print figures, a line each."""
    for one in figures:
        print("ok  " if one["holds"] else "MISS", one["what"], one["value"], one["bar"], flush=True)


def alone(figures: Callable[..., list[Figure]], *arguments: str) -> int:
    """Measure in a folder of its own and print; 1 if a bar is missed."""
    with tempfile.TemporaryDirectory() as made:
        found = figures(Path(made), *arguments)
    show(found)
    return 0 if all(one["holds"] for one in found) else 1
