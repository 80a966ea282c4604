"""Inspections of schools: at least so many in a school year, results signed, orders done.

How many stands in escalation.yaml (`inspections_a_year`). Visits of one day count as one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, Text
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Inspection, Ledger, NewInspection, Order
from earlywarn.followup.ledger.inspections import Result
from earlywarn.roles import Role
from earlywarn.workspace import Workspace

RESULT_LABELS: dict[Result, Text] = {
    "passed": Text("合格", "passed"),
    "improve": Text("限期整改", "to improve"),
    "failed": Text("不合格", "failed"),
}

_SCHOOLS = "SELECT school_id, name, county, township FROM schools ORDER BY county, school_id"


@dataclass(frozen=True, slots=True)
class Inspected:
    """How a school stands with its inspections on a day.

    `count` are the days of this school year on which it was inspected, `missing` how many it still
    lacks. `to_do` is what was ordered, in whatever year, and is not done yet; `overdue` that of it
    whose day has passed.
    """

    school_id: str
    name: str
    county: str
    township: str | None
    count: int
    missing: int
    last: Inspection | None
    to_do: tuple[Order, ...]
    overdue: tuple[Order, ...]

    @property
    def open_orders(self) -> int:
        """How many orders are not done yet."""
        return len(self.to_do)

    @property
    def overdue_orders(self) -> int:
        """How many of them are overdue."""
        return len(self.overdue)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An inspection as it stands now, and as it stood before (None: it is new)."""

    inspection: Inspection
    before: Inspection | None

    @property
    def added(self) -> tuple[Order, ...]:
        """What was ordered now and not before."""
        known = {order.number for order in self.before.orders} if self.before else set()
        return tuple(order for order in self.inspection.orders if order.number not in known)

    @property
    def is_corrected(self) -> bool:
        """Whether result, signature or note are other than before."""
        return self.before is not None and self.before.said != self.inspection.said


def inspected(workspace: Workspace, ledger: Ledger, day: date) -> dict[str, Inspected]:
    """Return how each school of the table `schools` stands on `day`, by school_id.

    What is dated later is left out. They are in order of county and school.

    Raises
    ------
    EarlywarnError
        If the ledger cannot be read, or `escalation.yaml` is not well formed.
    """
    least = Escalation.load(workspace).inspections_a_year
    begins = workspace.config.school_year_begins(day)
    by_school: dict[str, list[Inspection]] = {}
    for one in ledger.inspections():
        if one.on <= day:
            by_school.setdefault(one.school_id, []).append(one.as_of(day))
    found = {}
    for school_id, name, county, township in _schools(workspace):
        known = by_school.get(school_id, [])
        days = {one.on for one in known if one.on >= begins}
        still = tuple(order for one in known for order in one.orders if order.done_on is None)
        late = tuple(order for order in still if order.until is not None and order.until < day)
        found[school_id] = Inspected(
            school_id=school_id,
            name=name,
            county=county,
            township=township,
            count=len(days),
            missing=max(0, least - len(days)),
            last=known[-1] if known else None,
            to_do=still,
            overdue=late,
        )
    return found


def record(
    workspace: Workspace, ledger: Ledger, new: NewInspection, *, who: str, today: date
) -> Recorded:
    """Record an inspection and return how it stands and stood; the same one twice is once.

    Raises
    ------
    EarlywarnError
        If the school is in no table, the inspection lies ahead of `today`, or what was ordered was
        to be done before it.
    """
    refuse_unknown_school(workspace, new.school_id)
    _refuse_ahead(new.on, today)
    if new.until is not None and new.until < new.on:
        raise EarlywarnError(
            zh=f"整改期限 {new.until} 早于督导日期 {new.on}。请核对 --until 和 --date。",
            en=f"What was ordered is due on {new.until}, before the inspection on {new.on}. Check "
            "--until and --date.",
        )
    before = _known(ledger, new.school_id).get((new.on, new.by))
    ledger.record_inspection(new, who=who)
    return Recorded(_known(ledger, new.school_id)[new.on, new.by], before)


def record_done(
    workspace: Workspace,
    ledger: Ledger,
    school_id: str,
    number: int,
    *,
    on: date,
    by: str,
    who: str,
    today: date,
) -> Order:
    """Record that what was ordered of a school was done, and return it as it stands.

    Raises
    ------
    EarlywarnError
        If the school or the order is not known, or the day lies ahead or before the inspection.
    """
    refuse_unknown_school(workspace, school_id)
    _refuse_ahead(on, today)
    ledger.record_done(school_id, number, on=on, by=by, who=who)
    orders = (order for one in ledger.inspections(school_id) for order in one.orders)
    return next(order for order in orders if order.number == number)


def refuse_recording(role: Role) -> None:
    """Refuse to record an inspection, or that an order was done, to those who are inspected."""
    if not role.sees_groups:
        raise EarlywarnError(
            zh=f"角色 {role} 不能登记督导和整改完成：由教育局、县级或乡镇人员登记。",
            en=f"The role {role} may not record inspections, nor that an order was done: that is "
            "for the bureau, the county or the township.",
        )


def refuse_all_schools(role: Role) -> None:
    """Refuse the list of all schools to those who work at one of them."""
    if role in (Role.SCHOOL, Role.HOMEROOM):
        raise EarlywarnError(
            zh=f"角色 {role} 只能看本校的督导，请写明学校代码："
            "earlywarn followup inspection 学校代码。",
            en=f"The role {role} sees the inspections of its own school; name it: earlywarn "
            "followup inspection SCHOOL.",
        )


def refuse_unknown_school(workspace: Workspace, school_id: str) -> None:
    """Refuse a school that the table `schools` does not have: most likely a slip of the pen."""
    known = [row[0] for row in _schools(workspace)]
    if school_id in known:
        return
    if not known:
        raise EarlywarnError(
            zh="还没有学校表。请先运行 earlywarn ingest schools 导入。",
            en="No schools are loaded yet. Run `earlywarn ingest schools` first.",
        )
    near = difflib.get_close_matches(school_id, known, n=3)
    raise EarlywarnError(
        zh=f"没有代码为 {school_id} 的学校，"
        + (f"是不是 {'、'.join(near)}？" if near else "请按学校表核对代码。"),
        en=f"There is no school {school_id}; "
        + (f"did you mean {', '.join(near)}?" if near else "check its number in your schools."),
    )


def _known(ledger: Ledger, school_id: str) -> dict[tuple[date, str], Inspection]:
    return {(one.on, one.by): one for one in ledger.inspections(school_id)}


def _refuse_ahead(on: date, today: date) -> None:
    if on > today:
        raise EarlywarnError(
            zh=f"日期 {on} 还没有到（今天是 {today}）。请核对 --date。",
            en=f"The date {on} lies ahead (today is {today}). Check --date.",
        )


def _schools(workspace: Workspace) -> list[tuple[str, str, str, str | None]]:
    con = connect(workspace)
    try:
        return con.execute(_SCHOOLS).fetchall()
    finally:
        con.close()
