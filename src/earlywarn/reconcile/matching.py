"""Which of the weighed pairs are sure: one line to one child, clearly better than any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Match weights (log2 of the odds): a pair is sure from SURE on (probability 0.985) if it beats the
# next best of its line and of its child by MARGIN (16 to 1); from LIKELY on (0.11) a person judges,
# and from LEAST on where name and birth date are equal.
SURE = 6.0
MARGIN = 4.0
LIKELY = -3.0
LEAST = -14.0


@dataclass(frozen=True)
class Weighed:
    """Pairs of lines and children, both as indices; one entry a pair.

    Parameters
    ----------
    line, child
        Indices from 0.
    weight
        Match weight.
    eligible
        Whether the pair may be sure at all.
    same
        Whether name and birth date are the child's own, so that its twin is out of the question.
    near
        Whether they may be the child's own, with a slip.
    repeats
        Whether a line may be settled as a child that is found already.
    telling
        Whether both are equal, so that somebody must look even if all the rest differs.
    """

    line: Array
    child: Array
    weight: Array
    eligible: Array
    same: Array
    near: Array
    repeats: Array
    telling: Array

    @property
    def size(self) -> int:
        """How many pairs there are."""
        return len(self.line)


@dataclass(frozen=True)
class Settled:
    """Indices of pairs: sure ones, lines that repeat a child already found, and open ones."""

    sure: Array
    repeated: Array
    open: Array


def settle(pairs: Weighed, taken: Array, lines: int) -> Settled:
    """Settle round by round what is clear, so that each round frees others of a competitor.

    A child that has its line is no competitor any more, except to a line with the same name and
    birth date: that line may be the child a second time. Two such lines of one child do not
    compete: the heavier is the child's, the other repeats it.

    Parameters
    ----------
    pairs
        In order of line and child, so that ties are broken the same way every time.
    taken
        Bool by child: which are found already.
    lines
        How many lines there are.
    """
    taken = taken.copy()
    done = np.zeros(lines, dtype=bool)
    sure: list[Array] = []
    while True:
        alive = ~done[pairs.line] & (~taken[pairs.child] | pairs.same)
        clear = alive & ~taken[pairs.child] & pairs.eligible & (pairs.weight >= SURE)
        clear &= pairs.weight >= _best_of_others(pairs.line, pairs.weight, alive) + MARGIN
        rivals = alive & ~taken[pairs.child]
        apart = pairs.weight >= _best_of_others(pairs.child, pairs.weight, rivals) + MARGIN
        strangers = _best_of_others(pairs.child, pairs.weight, rivals & ~pairs.same)
        fellows = pairs.same & (pairs.weight >= strangers + MARGIN)
        won = np.flatnonzero(clear & (apart | fellows))
        if not len(won):
            break
        # Of several lines of one child the heaviest, then the first.
        won = won[np.lexsort((won, -pairs.weight[won], pairs.child[won]))]
        first = np.ones(len(won), dtype=bool)
        first[1:] = pairs.child[won][1:] != pairs.child[won][:-1]
        won = won[first]
        sure.append(won)
        done[pairs.line[won]] = True
        taken[pairs.child[won]] = True
    alive = ~done[pairs.line] & (~taken[pairs.child] | pairs.same)
    again = alive & taken[pairs.child] & pairs.same & pairs.repeats & (pairs.weight >= SURE)
    again &= pairs.weight >= _best_of_others(pairs.line, pairs.weight, alive) + MARGIN
    done[pairs.line[again]] = True
    left = ~done[pairs.line] & (~taken[pairs.child] | pairs.near)
    left &= (pairs.weight >= LIKELY) | pairs.telling
    return Settled(
        sure=np.sort(np.concatenate([np.empty(0, dtype=np.int64), *sure])),
        repeated=np.flatnonzero(again),
        open=np.flatnonzero(left),
    )


def _best_of_others(group: Array, weight: Array, counted: Array) -> Array:
    """Return for each pair the greatest weight of the other counted pairs in its group."""
    size = int(group.max(initial=-1)) + 1
    best, second = np.full(size, -np.inf), np.full(size, -np.inf)
    holder = np.full(size, -1, dtype=np.int64)
    order = np.flatnonzero(counted)
    order = order[np.lexsort((-weight[order], group[order]))]
    groups = group[order]
    start = np.ones(len(order), dtype=bool)
    start[1:] = groups[1:] != groups[:-1]
    heads = np.flatnonzero(start)
    best[groups[heads]] = weight[order[heads]]
    holder[groups[heads]] = order[heads]
    nexts = heads[heads + 1 < len(order)] + 1
    nexts = nexts[~start[nexts]]
    second[groups[nexts]] = weight[order[nexts]]
    own = holder[group] == np.arange(len(group))
    return np.where(own, second[group], best[group])
