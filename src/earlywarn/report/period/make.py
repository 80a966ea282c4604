"""Making a report: count, compare with what was reported before, write it, keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from earlywarn import __version__
from earlywarn.engine.duckdb import connect
from earlywarn.engine.room import check_room
from earlywarn.errors import EarlywarnError, Lang, Text
from earlywarn.features.build import build
from earlywarn.features.groups import load_groups
from earlywarn.features.newest import newest_reported_day
from earlywarn.files import whole_folder
from earlywarn.followup.agenda import ToDo, due_among
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.inspections import Inspected, inspected
from earlywarn.followup.ledger import Ledger
from earlywarn.report.period.counting import (
    Enrolled,
    Placed,
    enrolled_on,
    events_until,
    figures,
    first_school_day,
    place,
)
from earlywarn.report.period.events import Standing
from earlywarn.report.period.figures import Counts, Figures, changes
from earlywarn.report.period.kept import (
    JSON_FILE,
    PAGE_FILE,
    WORKBOOK_FILE,
    Correction,
    Month,
    Report,
    SchoolLine,
    first_of,
    folder_of,
    period_of,
    read_kept,
    told,
)
from earlywarn.report.period.page import page
from earlywarn.report.period.periods import Period, months, school_year
from earlywarn.report.period.schools import (
    Needing,
    Place,
    Reporting,
    keys,
    needs,
    places,
    reporting,
)
from earlywarn.report.period.shown import Shown
from earlywarn.report.period.workbook import write_workbook
from earlywarn.tables.batches import one_row_a_day
from earlywarn.workspace import Workspace

Stage = Callable[[Text], None]

_FIRST_REGISTRY = (
    "SELECT min(snapshot_date) FROM students WHERE snapshot_date BETWEEN $day AND $end"
)


@dataclass(frozen=True, slots=True)
class Made:
    """A report and where it lies; `new` is False where it was made before with the same figures."""

    report: Report
    folder: Path
    new: bool


def make(
    workspace: Workspace,
    period: Period,
    *,
    today: date,
    lang: Lang,
    stage: Stage = lambda text: None,
) -> Made:
    """Make the report of a period and keep it; the caller holds the workspace's lock.

    Parameters
    ----------
    today
        What is dated after it does not count; a period that holds it is not over.

    Raises
    ------
    EarlywarnError
        If the period has not begun, no registry is loaded, or an earlier report cannot be read.
    """
    if period.start > today:
        raise EarlywarnError(
            zh=f"{period.label.zh}还没有开始（{period.start} 起），没有可以报告的内容。",
            en=f"{period.label.en} has not begun (it starts on {period.start}): there is nothing "
            "to report.",
        )
    kept = read_kept(workspace, period.kind)
    check_room(workspace)
    con = connect(workspace)
    try:
        if con.execute("SELECT count(*) FROM students").fetchall() == [(0,)]:
            raise EarlywarnError(
                zh="还没有学籍，无法统计。请先运行 earlywarn ingest students。",
                en="No registry is loaded: there is nobody to count. Run `earlywarn ingest "
                "students` first.",
            )
        shown = _Counter(workspace, con, today, stage).shown(period, kept, lang)
    finally:
        con.close()
    return _keep(workspace, shown, kept)


class _Counter:
    """Counts periods over one open database; what several of them need is counted once."""

    def __init__(
        self, workspace: Workspace, con: duckdb.DuckDBPyConnection, today: date, stage: Stage
    ) -> None:
        self.workspace, self.config, self.con = workspace, workspace.config, con
        self.groups, self.today, self.stage = load_groups(workspace.rules), today, stage
        self._enrolled: dict[date, Enrolled] = {}
        self._events, _ = events_until(con, today)
        self._placed: list[Placed] | None = None

    @property
    def placed(self) -> list[Placed]:
        """Every entry that counts, with its place."""
        if self._placed is None:
            self._placed = place(self.con, self.groups, self._events)
        return self._placed

    def enrolled(self, day: date) -> Enrolled:
        """Count a day's cohort, once."""
        if day not in self._enrolled:
            self._enrolled[day] = enrolled_on(self.con, self.config, self.groups, day)
        return self._enrolled[day]

    def begin(self, period: Period) -> tuple[Enrolled, bool]:
        """Return who is enrolled as a period begins, and whether it has a school day.

        That is on its first school day, or on its first day where it has none; where no registry
        is so old, on the day of the first one in the period.
        """
        found = first_school_day(self.con, period)
        has_days = found is not None and found <= self.today
        enrolled = self.enrolled(found if found is not None and has_days else period.start)
        if not enrolled.by["total"][""]:
            end = min(period.end, self.today)
            query = {"day": enrolled.day, "end": end}
            ((first,),) = self.con.execute(_FIRST_REGISTRY, query).fetchall()
            if first is not None:
                enrolled = self.enrolled(first)
        return enrolled, has_days

    def figures(self, period: Period) -> Figures:
        """Count a period as it is known now."""
        enrolled, _ = self.begin(period)
        return figures(enrolled, self.placed, period)

    def shown(self, period: Period, kept: Sequence[Report], lang: Lang) -> Shown:
        """Count a period and everything that its report says; `kept` are those of its kind."""
        config = self.config
        enrolled, has_days = self.begin(period)
        counted = figures(enrolled, self.placed, period)
        earlier = [one for one in kept if one.of != period.of]
        corrections = []
        for report in sorted(earlier, key=lambda one: one.start):
            if report.end < period.start:
                self.stage(period_of(report, config).label)
                corrections += self._corrected(earlier, report)
        own = next((one for one in kept if one.of == period.of), None)
        revised = changes(own.figures, counted) if own else ()
        as_of = self._as_of(period)
        year = school_year(as_of, config)
        over = self._over_limit(year, as_of) if config.dropout_limit else {}
        standing = events_until(self.con, as_of)[1]
        still, open_ = self._still(period, standing), Counter(standing.values())
        carried = Counter(events_until(self.con, period.start - timedelta(1))[1].values())
        self.stage(Text("学校与跟进", "schools and follow-up"))
        one_row = one_row_a_day(self.workspace)
        build(self.con, config, self.groups, as_of, one_row_a_day=one_row)
        known, needing = places(self.con), needs(self.con, as_of)
        todo, visits = self._followed(as_of)
        report = Report(
            kind=period.kind,
            of=period.of,
            start=period.start,
            end=period.end,
            number=own.number + 1 if own else 1,
            made=datetime.now(UTC).isoformat(),
            program=__version__,
            lang=lang,
            generated=config.generated,
            as_of=as_of,
            over=self.today > period.end,
            outcomes_until=config.outcomes_complete_until
            or self._newest("max(date) FROM outcomes WHERE date <= $day", self.today),
            enrolled_on=enrolled.day,
            has_school_days=has_days,
            figures=counted,
            still_suspected=still["suspected"],
            still_out=still["dropped_out"],
            carried_suspected=carried["suspected"],
            carried_out=carried["dropped_out"],
            open_suspected=open_["suspected"],
            open_out=open_["dropped_out"],
            calendar_until=self._newest("max(date) FROM calendar"),
            registry_of=self._newest(
                "max(snapshot_date) FROM students WHERE snapshot_date <= $day", as_of
            ),
            months=self._months(period),
            corrections=tuple(corrections),
            revised=(
                Correction(of=period.of, reported=own.made, changes=revised)
                if own and revised
                else None
            ),
            year=year.of,
            year_start=year.start.isoformat(),
            limit=config.dropout_limit,
            schools=self._schools(period, as_of, known, needing, todo, visits, over),
        )
        labels = {group.name: group.label for group in self.groups}
        return Shown(report, period, config, known, labels, needing, todo)

    def _as_of(self, period: Period) -> date:
        """Return the last day of the period that has come: in one not over, that is reported."""
        if self.today > period.end:
            return period.end
        newest = newest_reported_day(self.con, self.today)
        return newest if newest is not None and newest in period else self.today

    def _newest(self, what: str, day: date | None = None) -> date | None:
        query = {"day": day} if day else {}
        ((newest,),) = self.con.execute(f"SELECT {what}", query).fetchall()
        found: date | None = newest
        return found

    def _still(self, period: Period, standing: Mapping[str, Standing]) -> Counter[str]:
        """Count the children of the period's entries who stand so still."""
        entered = {(e.student_id, e.event) for e in self._events if e.date in period}
        return Counter(event for student, event in entered if standing.get(student) == event)

    def _corrected(self, kept: Sequence[Report], report: Report) -> list[Correction]:
        """Return what has changed in a period since it was last spoken of, if anything has."""
        now = self.figures(period_of(report, self.config))
        found = changes(told(kept, report), now)
        return [Correction(of=report.of, reported=report.made, changes=found)] if found else []

    def _months(self, period: Period) -> tuple[Month, ...]:
        kept = read_kept(self.workspace, "month") if period.kind != "month" else []
        found = []
        for month in months(period, self.config):
            if month.start > self.today:
                break
            self.stage(month.label)
            report = next((one for one in kept if one.of == month.of), None)
            first = first_of(self.workspace, report).figures.total if report else Counts()
            last = told(kept, report).total if report else Counts()
            found.append(
                Month(
                    of=month.of,
                    reported=first if report else None,
                    corrections=last.minus(first),
                    now=self.figures(month).total,
                )
            )
        return tuple(found)

    def _over_limit(self, year: Period, as_of: date) -> dict[str, dict[str, tuple[int, int]]]:
        """Return for each school the stages over the limit: (dropped out, enrolled) of the year."""
        children = self.begin(year)[0].stages
        out = Counter(
            (one.school, one.stage)
            for one in self.placed
            if one.event.event == "dropped_out" and year.start <= one.event.date <= as_of
        )
        found: dict[str, dict[str, tuple[int, int]]] = {}
        for (school, stage), number in sorted(out.items()):
            limit = self.config.dropout_limit.get(stage)
            all_ = children.get((school, stage), 0)
            if limit is not None and is_over(number, all_, limit):
                found.setdefault(school, {})[stage] = (number, all_)
        return found

    def _followed(self, as_of: date) -> tuple[list[ToDo] | None, Mapping[str, Inspected]]:
        """Return the overdue steps and the inspections; None and nothing of an empty ledger."""
        if not Ledger.is_begun(self.workspace):
            return None, {}
        with Ledger.open(self.workspace) as ledger:
            cases = ledger.cases()
            visits = inspected(self.workspace, ledger, as_of)
            if not cases and not ledger.inspections():
                return None, {}
        running = [case for case in cases if case.closed_on is None and case.opened_on <= as_of]
        escalation = Escalation.load(self.workspace)
        due = due_among(self.con, self.config, escalation, running, as_of)
        return [one for one in due if one.due.overdue], visits

    def _schools(
        self,
        period: Period,
        as_of: date,
        known: Mapping[str, Place],
        needing: Sequence[Needing],
        todo: Sequence[ToDo] | None,
        visits: Mapping[str, Inspected],
        over: Mapping[str, dict[str, tuple[int, int]]],
    ) -> dict[str, SchoolLine]:
        reported, key = reporting(self.con, period, as_of), keys(self.con, known, as_of)
        overdue = Counter(one.due.case.school_id for one in todo or ())
        needed = Counter((one.school_id, one.need) for one in needing)
        found = {}
        for school in sorted({*known, *reported}):
            one, visit = reported.get(school, Reporting()), visits.get(school)
            found[school] = SchoolLine(
                days=one.days,
                missing=one.missing,
                incomplete=one.incomplete,
                state=one.state,
                keys=key.get(school, ()),
                overdue=None if todo is None else overdue[school],
                inspections=visit.count if visit else None,
                inspections_missing=visit.missing if visit else None,
                orders_open=visit.open_orders if visit else None,
                aid_gap=needed[school, "aid_gap"],
                file=needed[school, "file"],
                untaught=needed[school, "untaught"],
                over=over.get(school, {}),
            )
        return found


def _keep(workspace: Workspace, shown: Shown, kept: Sequence[Report]) -> Made:
    report = shown.report
    before = next((one for one in kept if one.of == report.of), None)
    folder = folder_of(workspace, shown.period)
    if before is not None and report.same_as(before):
        return Made(before, folder / str(before.number), new=False)
    with whole_folder(folder / str(report.number)) as made:
        (made / JSON_FILE).write_text(
            report.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n"
        )
        (made / PAGE_FILE).write_text(page(shown), encoding="utf-8", newline="\n")
        write_workbook(made / WORKBOOK_FILE, shown)
    return Made(report, folder / str(report.number), new=True)


def is_over(number: int, children: int, limit: float) -> bool:
    """Whether so many of so many children are more than the limit, a share as written: 0.018."""
    return number > Decimal(str(limit)) * children
