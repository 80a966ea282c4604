"""Which entries of the table `outcomes` a report counts: each leaving and each return once.

A child that is suspected twice without having come back is one suspected dropout, counted on the
day on which it first became known; so is a dropout that was entered twice. So what is counted on a
day depends only on what was known before it, and months add up to the year. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal

Counted = Literal["suspected", "returned", "dropped_out"]
COUNTED: tuple[Counted, ...] = ("suspected", "returned", "dropped_out")
Standing = Literal["", "suspected", "dropped_out"]

_ORDER = {"suspected": 0, "dropped_out": 1, "returned": 3}  # of one day; others between
_ENDS_SUSPICION = ("transferred", "graduated", "abroad", "deceased")

Known = tuple[str, date, str, str | None]  # student_id, date, event, cause


@dataclass(frozen=True, slots=True)
class CountedEvent:
    """One entry that counts: a suspected dropout, a dropout, or a return after one of the two."""

    student_id: str
    date: date
    event: Counted
    cause: str | None


def counted(known: Iterable[Known]) -> tuple[list[CountedEvent], dict[str, Standing]]:
    """Return the entries that count, by student and date, and how each child stands after all.

    `known` holds every entry up to some day, in any order. A dropout lasts until `returned`,
    whatever else comes in between; a suspicion ends too when the child moves on.
    """
    found: list[CountedEvent] = []
    standing: dict[str, Standing] = {}
    ordered = sorted(known, key=lambda k: (k[0], k[1], _ORDER.get(k[2], 2), k[2], k[3] or ""))
    for student, entries in groupby(ordered, key=lambda k: k[0]):
        now: Standing = ""
        for _, day, event, cause in entries:
            before, now = now, _after(now, event)
            if _counts(event, before, now):
                found.append(CountedEvent(student, day, event, cause))  # type: ignore[arg-type]
        standing[student] = now
    return found, standing


def _counts(event: str, before: Standing, now: Standing) -> bool:
    if event == "returned":
        return before != ""
    return event in COUNTED and now != before


def _after(now: Standing, event: str) -> Standing:
    if event == "returned":
        return ""
    if event == "dropped_out" or now == "dropped_out":
        return "dropped_out"
    if event == "suspected":
        return "suspected"
    return "" if event in _ENDS_SUSPICION else now
