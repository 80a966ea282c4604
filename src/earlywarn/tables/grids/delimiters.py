"""By which sign the columns of a text are separated."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from earlywarn.errors import EarlywarnError
from earlywarn.tables.source import unusable

DELIMITERS = (",", "\t", ";", "|")
FULL_WIDTH = "，"
SHOWN = {",": ",", "\t": "Tab", ";": ";", "|": "|"}
_RECORDS = 200


def delimiter_of(lines: Sequence[str], *, whole: bool = True) -> str:
    """Return the sign that splits most records of `lines` into one width above 1; "," if none does.

    Quotes are respected, so a sign inside a quoted cell does not count. Of two that split equally
    many, the one that makes more columns is taken. `whole` says that the text ends with `lines`.
    """
    text = "".join(lines)
    candidates = [sign for sign in (*DELIMITERS, FULL_WIDTH) if sign in text]
    if candidates in ([], [","]):
        return ","
    scores = {sign: _split(lines, sign, whole=whole) for sign in candidates}
    best = max(candidates, key=scores.__getitem__)  # of equal ones the first
    return best if scores[best][0] else ","


def _split(lines: Sequence[str], sign: str, *, whole: bool) -> tuple[int, int]:
    """How many records have the most frequent width above 1, and that width."""
    widths: list[int] = []
    reader = csv.reader(lines, delimiter=sign, strict=True)
    while len(widths) < _RECORDS:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            continue  # quotes that do not fit this sign count against it
        if any(cells):
            widths.append(len(cells))
    if not whole and len(widths) > 1 and len(widths) < _RECORDS:
        widths.pop()
    counted = Counter(width for width in widths if width > 1)
    if not counted:
        return 0, 0
    return max((count, width) for width, count in counted.items())


def full_width_commas(path: Path) -> EarlywarnError:
    """Return the error for a text whose columns are separated by Chinese commas."""
    return unusable(
        path,
        "列之间用的是中文逗号 ，，应为英文逗号。请另存为逗号分隔的 CSV。",
        "the columns are separated by a full-width comma ，, not by commas. "
        "Save it as a comma-separated CSV.",
    )
