"""A refused condition: what is wrong, where in the text, and what to write instead."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from earlywarn.errors import EarlywarnError, Text

_AROUND = 60  # characters shown before and after the place


class ConditionError(EarlywarnError):
    """A condition that is not of the language.

    Attributes
    ----------
    column
        1-based place in the text, in characters.
    message
        What is wrong and the cure, on one line.
    near
        The nearest known name where an unknown one was written.
    faults
        Every fault that was found in the text, in its order, each an error of its own; this one
        alone where there is no other. `column`, `message` and `near` are those of the first.
    """

    faults: tuple[ConditionError, ...]

    def __init__(
        self, *, zh: str, en: str, source: str = "", column: int = 1, near: str | None = None
    ) -> None:
        self.faults = (self,)
        self.message = Text(zh=zh, en=en)
        self.column = column
        self.near = near
        self.source = source
        place = snippet(source, column) if source else ""
        super().__init__(
            zh=f"第 {column} 个字符：{zh}" + (f"\n{place}" if place else ""),
            en=f"character {column}: {en}" + (f"\n{place}" if place else ""),
        )

    @classmethod
    def of(cls, faults: Sequence[ConditionError]) -> ConditionError:
        """Return one error for all of `faults` (at least one), in the order of the text."""
        ordered = sorted(faults, key=lambda fault: fault.column)
        first = ordered[0]
        if len(ordered) == 1:
            return first
        error = cls(
            zh=first.message.zh,
            en=first.message.en,
            source=first.source,
            column=first.column,
            near=first.near,
        )
        error.faults = tuple(ordered)
        error.text = Text(
            zh="\n".join(fault.text.zh for fault in ordered),
            en="\n".join(fault.text.en for fault in ordered),
        )
        return error


def snippet(source: str, column: int) -> str:
    """Return the text around `column` with a caret under it (two lines).

    Wide characters take two places, line breaks and other control characters show as a space.
    """
    at = max(0, min(column - 1, len(source)))
    start, end = max(0, at - _AROUND), min(len(source), at + _AROUND)
    shown = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in source[start:end])
    lead = "... " if start else ""
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in shown[: at - start])
    tail = " ..." if end < len(source) else ""
    return f"    {lead}{shown}{tail}\n    {' ' * (len(lead) + width)}^"
