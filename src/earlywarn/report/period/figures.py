"""The numbers of a report: what is counted, and of whom. They are kept, and compared later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# Of whom a number is: everybody, a stage, county, school (by id) or monitored group.
Of = Literal["total", "stage", "county", "school", "group"]
OFS: tuple[Of, ...] = ("total", "stage", "county", "school", "group")
MEASURES = ("enrolled", "suspected", "returned", "dropped_out")
# These add up over periods; how many are enrolled does not.
SUMS = MEASURES[1:]


class Counts(BaseModel):
    """How many children: enrolled on the first school day, and what became known in the period."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enrolled: int = 0
    suspected: int = 0
    returned: int = 0
    dropped_out: int = 0

    @property
    def rate(self) -> float | None:
        """Dropped out of the enrolled, 0 to 1; None where nobody is enrolled."""
        return self.dropped_out / self.enrolled if self.enrolled else None

    def plus(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(**{m: getattr(self, m) + getattr(other, m) for m in MEASURES})

    def minus(self, other: Counts) -> Counts:
        """Return the differences."""
        return Counts(**{m: getattr(self, m) - getattr(other, m) for m in MEASURES})


class Figures(BaseModel):
    """All counts of one period: of everybody, and by stage, county, school and group.

    An entry whose child stands in no registry counts in the total, and below the empty name in
    stage, county and school: so each of these adds up to the total. Groups overlap and do not.
    `causes` counts suspected and dropped-out children by cause; an empty one is none given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    total: Counts = Counts()
    stage: dict[str, Counts] = Field(default_factory=dict)
    county: dict[str, Counts] = Field(default_factory=dict)
    school: dict[str, Counts] = Field(default_factory=dict)
    group: dict[str, Counts] = Field(default_factory=dict)
    causes: dict[Literal["suspected", "dropped_out"], dict[str, int]] = Field(default_factory=dict)

    def of(self, of: Of) -> Mapping[str, Counts]:
        """Return the counts by name; those of everybody below the empty name."""
        if of == "total":
            return {"": self.total}
        found: Mapping[str, Counts] = getattr(self, of)
        return found


class Change(BaseModel):
    """One number that is another than was reported: `before` as reported last, `now` as known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: Of
    name: str
    measure: Literal["enrolled", "suspected", "returned", "dropped_out"]
    before: int
    now: int


def changes(before: Figures, now: Figures) -> tuple[Change, ...]:
    """Return every number that differs, in a fixed order."""
    found = []
    for of in OFS:
        old, new = before.of(of), now.of(of)
        for name in sorted({*old, *new}):
            was, is_ = old.get(name, Counts()), new.get(name, Counts())
            found += [
                Change(of=of, name=name, measure=m, before=getattr(was, m), now=getattr(is_, m))
                for m in ("enrolled", "suspected", "returned", "dropped_out")
                if getattr(was, m) != getattr(is_, m)
            ]
    return tuple(found)


def corrected(reported: Figures, corrections: Iterable[Change]) -> Figures:
    """Return figures with corrections added to them (causes stay as they were)."""
    counts = {of: dict(reported.of(of)) for of in OFS}
    for change in corrections:
        old = counts[change.of].get(change.name, Counts())
        value = getattr(old, change.measure) + change.now - change.before
        counts[change.of][change.name] = old.model_copy(update={change.measure: value})
    return Figures(
        total=counts["total"][""],
        stage=counts["stage"],
        county=counts["county"],
        school=counts["school"],
        group=counts["group"],
        causes=reported.causes,
    )
