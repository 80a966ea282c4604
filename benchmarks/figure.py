"""One figure of docs/proof.json: what was measured, its value, its bar, and whether it holds."""

from __future__ import annotations

from typing import Any

Figure = dict[str, Any]


def figure(what: str, value: Any, bar: Any, holds: bool) -> Figure:
    """Return one figure with its bar."""
    return {"what": what, "value": value, "bar": bar, "holds": holds}
