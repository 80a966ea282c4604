"""Where a sheet's headings are, and whether it is long or wide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from earlywarn.tables.cells import folded
from earlywarn.tables.grids import Grid
from earlywarn.tables.suggesting.likeness import Vocabulary
from earlywarn.tables.suggesting.values import Values

_WITHIN = 40  # rows in which a heading is looked for
_LONGEST = 40  # characters of a heading
_DAY = re.compile(r"^(\d{4}[-/年])?(\d{1,2}[-/.月])?(\d{1,2})[日号]?(\(.\))?$")
_DIGITS = re.compile(r"\d{7,}")
_FEWEST_DAYS = 10
_LEAST = 1.5  # a row of data with a few words such as 住校 in it comes to less


@dataclass(frozen=True)
class Headed:
    """A sheet whose headings were found.

    `row`: the number of the heading row as a person counts; `headings`: its texts; `contexts`: what
    stands over each; `columns`: the values below each; `days`: the columns headed by a day.
    """

    name: str
    row: int
    headings: list[str]
    contexts: list[str]
    columns: list[Values]
    cells: list[tuple[str, ...]]
    days: list[int]


def find_headings(grid: Grid, vocabulary: Vocabulary) -> Headed | None:
    """Find a sheet's heading row below titles and merged cells; None where no row looks like one.

    A row is the likelier the more of its cells are words that head columns, are different, and do
    not stand again below.
    """
    best, found = _LEAST, None
    for at, line in enumerate(grid.rows[:_WITHIN]):
        score = _score(line, grid.rows[at + 1 : at + 30], vocabulary)
        if score > best:
            best, found = score, at
    if found is None:
        return None
    headings, contexts = _texts(grid, found)
    while headings and not headings[-1]:
        headings.pop()
    contexts = contexts[: len(headings)]
    below = [line for line in grid.rows[found + 1 :] if any(text.strip() for text in line)]
    days = [i for i, heading in enumerate(headings) if _DAY.match(folded(heading))]
    columns = [Values([line[i] for line in below]) for i in range(len(headings))]
    cells = [tuple(line[: len(headings)]) for line in below]
    return Headed(
        name=grid.name,
        row=found + 1,
        headings=headings,
        contexts=contexts,
        columns=columns,
        cells=cells,
        days=days if len(days) >= _FEWEST_DAYS else [],
    )


def _score(line: Sequence[str], below: Sequence[Sequence[str]], vocabulary: Vocabulary) -> float:
    texts = [(i, text.strip()) for i, text in enumerate(line) if text.strip()]
    if not texts or any(_DIGITS.search(folded(text)) for _, text in texts):
        return 0.0
    labels = [(i, t) for i, t in texts if len(t) <= _LONGEST and not _plain_number(t)]
    days = [text for _, text in texts if _DAY.match(folded(text))]
    known = sum(vocabulary.knows(text) for _, text in labels)
    if known < (1 if len(days) >= _FEWEST_DAYS else 2):
        return 0.0
    width = max([len(texts), *(sum(bool(t.strip()) for t in other) for other in below[:5])])
    again = sum(any(other[i].strip() == text for other in below) for i, text in labels)
    good = len(labels) + (len(days) if len(days) >= _FEWEST_DAYS else 0)
    distinct = len({text for _, text in texts}) / len(texts)
    return (2 * known + good - 3 * again) / width + 0.5 * distinct


def _plain_number(text: str) -> bool:
    return not re.search(r"[^\W\d_]", folded(text))


def _texts(grid: Grid, at: int) -> tuple[list[str], list[str]]:
    """Return the heading row's texts and those over them, merged cells followed."""
    headings = [text.strip() for text in grid.rows[at]]
    contexts = [""] * len(headings)
    number = at + 1
    for top, left, bottom, right in grid.merged:
        text = grid.rows[top - 1][left - 1].strip()
        whole = right - left + 1 >= len(headings)
        for column in range(left - 1, min(right, len(headings))):
            if top < number <= bottom and not headings[column]:
                headings[column] = text
            elif bottom == number - 1 and left < right and not whole:
                contexts[column] = text
    return headings, contexts
