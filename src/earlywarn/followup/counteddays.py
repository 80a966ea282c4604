"""Day 1 of a case and the school days that bring its steps nearer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class CountedDays:
    """Day 1 and the counted days after it, oldest first; `last`: how far the calendar goes."""

    days: tuple[date, ...]
    last: date

    def due(self, school_days: int, /) -> tuple[date, bool]:
        """Return the date so many school days after day 1, and whether only about."""
        if school_days < len(self.days):
            return self.days[school_days], False
        left = school_days - len(self.days) + 1
        when = max(self.last, self.days[-1])
        while left:
            when += timedelta(days=1)
            left -= when.weekday() < 5
        return when, True
