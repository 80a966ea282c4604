"""What page and workbook show: the report that is kept, and the names that are not kept with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earlywarn.errors import Text
from earlywarn.followup.agenda import ToDo
from earlywarn.report.period.kept import Report
from earlywarn.report.period.periods import Period
from earlywarn.report.period.schools import Needing, Place
from earlywarn.workspace import Config


@dataclass(frozen=True)
class Shown:
    """A report with the schools' names, the groups' labels and the children behind its numbers.

    `overdue` are the overdue steps, None where there is no ledger yet.
    """

    report: Report
    period: Period
    config: Config
    places: Mapping[str, Place]
    groups: Mapping[str, Text]
    needing: Sequence[Needing]
    overdue: Sequence[ToDo] | None
