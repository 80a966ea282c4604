"""Inspections of schools, what was ordered at them and whether it was done, on a connection.

An inspection is known by its school, its day and who inspected. Recorded again in the same words it
is once; in other words it is a correction: both stay in the ledger, the newest result, signature
and note stand, and what was ordered adds up. So with an order that is told done again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import Connection, select

from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger.chain import append
from earlywarn.followup.ledger.schema import (
    Row,
    inspection_done,
    inspection_orders,
    inspections,
)
from earlywarn.followup.ledger.store import Stamp

Result = Literal["passed", "improve", "failed"]


@dataclass(frozen=True, slots=True)
class NewInspection:
    """An inspection to record; each of `ordered` is to be done by `until` (None: no day named)."""

    school_id: str
    on: date
    by: str
    result: Result
    signed_by: str
    note: str = ""
    ordered: tuple[str, ...] = ()
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One thing ordered at an inspection; `number` is its own in the whole ledger."""

    number: int
    text: str
    until: date | None
    done_on: date | None
    done_by: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """What was found and who signed it, in the words of one record."""

    result: Result
    signed_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection as it stands: who looked at the school, what was found, who signed it.

    `before` is what stood until it was corrected, oldest first.
    """

    id: int
    school_id: str
    on: date
    by: str
    result: Result
    signed_by: str
    note: str
    orders: tuple[Order, ...]
    before: tuple[Said, ...] = ()

    @property
    def said(self) -> Said:
        """What stands now."""
        return Said(self.result, self.signed_by, self.note)

    def as_of(self, day: date) -> Inspection:
        """Return it with what was done after `day` as not done yet."""
        return replace(
            self,
            orders=tuple(
                order
                if order.done_on is None or order.done_on <= day
                else replace(order, done_on=None, done_by=None)
                for order in self.orders
            ),
        )


def read_inspections(con: Connection, school_id: str | None = None) -> tuple[Inspection, ...]:
    """Return the inspections of a school, or of all, in order of their day and number."""
    query = select(inspections).order_by(inspections.c.id)
    if school_id is not None:
        query = query.where(inspections.c.school_id == school_id)
    known: dict[tuple[str, date, str], list[Row]] = defaultdict(list)
    for row in con.execute(query).mappings():
        known[row["school_id"], row["inspected_on"], row["inspected_by"]].append(row)
    orders = _orders(con)
    found = [_standing(rows, orders) for rows in known.values()]
    return tuple(sorted(found, key=lambda one: (one.on, one.id)))


def enter_inspection(con: Connection, new: NewInspection, stamp: Stamp) -> bool:
    """Record an inspection; return whether it was news."""
    before = _known(con, new)
    ordered = {(order.text, order.until) for order in before.orders} if before else set()
    more = [text for text in dict.fromkeys(new.ordered) if (text, new.until) not in ordered]
    note = new.note or (before.note if before else "")
    says = Said(new.result, new.signed_by, note)
    if before and not more and says == before.said:
        return False
    row = {
        "school_id": new.school_id,
        "inspected_on": new.on,
        "inspected_by": new.by,
        "result": new.result,
        "signed_by": new.signed_by,
        "note": note,
        "at": stamp.at,
        "who": stamp.who,
    }
    number = append(con, inspections, [row])[0]["id"]
    append(
        con,
        inspection_orders,
        [{"inspection_id": number, "text": text, "until": new.until} for text in more],
    )
    return True


def enter_done(
    con: Connection, school_id: str, number: int, on: date, by: str, stamp: Stamp
) -> bool:
    """Record that what was ordered of a school was done; return whether it was news.

    Raises
    ------
    EarlywarnError
        If the school has no such order, or it was given later than `on`.
    """
    theirs = [
        (inspection, order)
        for inspection in read_inspections(con, school_id)
        for order in inspection.orders
    ]
    found = next(((i, order) for i, order in theirs if order.number == number), None)
    if found is None:
        raise _no_such_order(school_id, number, [order.number for _, order in theirs])
    inspection, order = found
    if on < inspection.on:
        raise EarlywarnError(
            zh=f"整改要求 #{number} 是 {inspection.on} 提出的，不能在 {on} 就已完成。"
            "请核对 --date。",
            en=f"Order #{number} was given on {inspection.on} and cannot have been done on {on}. "
            "Check --date.",
        )
    if (order.done_on, order.done_by) == (on, by):
        return False
    row = {
        "order_id": number,
        "done_on": on,
        "done_by": by,
        "at": stamp.at,
        "who": stamp.who,
    }
    append(con, inspection_done, [row])
    return True


def _no_such_order(school_id: str, number: int, known: list[int]) -> EarlywarnError:
    if not known:
        return EarlywarnError(
            zh=f"学校 {school_id} 没有整改要求 #{number}：该校还没有整改要求。",
            en=f"School {school_id} has no order #{number}: nothing was ordered there.",
        )
    numbers = [f"#{one}" for one in known]
    return EarlywarnError(
        zh=f"学校 {school_id} 没有整改要求 #{number}，有：{'、'.join(numbers)}。",
        en=f"School {school_id} has no order #{number}; it has {', '.join(numbers)}.",
    )


def _known(con: Connection, new: NewInspection) -> Inspection | None:
    same = (
        one for one in read_inspections(con, new.school_id) if (one.on, one.by) == (new.on, new.by)
    )
    return next(same, None)


def _orders(con: Connection) -> dict[int, list[Order]]:
    """Return all that was ordered, by the number of the row that ordered it."""
    done: dict[int, Row] = {
        row["order_id"]: row
        for row in con.execute(select(inspection_done).order_by(inspection_done.c.id)).mappings()
    }
    found: dict[int, list[Order]] = defaultdict(list)
    query = select(inspection_orders).order_by(inspection_orders.c.id)
    for row in con.execute(query).mappings():
        last: Any = done.get(row["id"], {"done_on": None, "done_by": None})
        order = Order(row["id"], row["text"], row["until"], last["done_on"], last["done_by"])
        found[row["inspection_id"]].append(order)
    return found


def _standing(rows: list[Row], orders: dict[int, list[Order]]) -> Inspection:
    last = rows[-1]
    said = [Said(row["result"], row["signed_by"], row["note"]) for row in rows]
    return Inspection(
        id=rows[0]["id"],
        school_id=last["school_id"],
        on=last["inspected_on"],
        by=last["inspected_by"],
        result=last["result"],
        signed_by=last["signed_by"],
        note=last["note"],
        orders=tuple(order for row in rows for order in orders.get(row["id"], ())),
        before=tuple(one for one, after in pairwise(said) if one != after),
    )
