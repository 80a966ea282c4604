"""How inspections, corrections and orders are told, and what of them a role may read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.followup.inspections import RESULT_LABELS, Recorded
from earlywarn.followup.ledger import Inspection, Order
from earlywarn.followup.ledger.inspections import Said
from earlywarn.roles import Role, pseudonym
from earlywarn.workspace import Workspace


def change(made: Recorded) -> str:
    """Return the code of what the record changed."""
    if made.before is None:
        return "new"
    if made.is_corrected:
        return "corrected"
    return "orders_added" if made.added else "unchanged"


def told(made: Recorded) -> Text:
    """Return what the record changed."""
    one = made.inspection
    label = RESULT_LABELS[one.result]
    which = Text(
        f"学校 {one.school_id}，{one.on}，{one.by}：",
        f"School {one.school_id}, {one.on}, {one.by}: ",
    )
    if made.before is None:
        return Text(
            f"{which.zh}督导已登记，{label.zh}。",
            f"{which.en}the inspection is recorded, {label.en}.",
        )
    if not made.is_corrected:
        return Text(
            f"{which.zh}{'督导没有改动' if made.added else '已登记过，没有变化'}，{label.zh}。",
            f"{which.en}unchanged, {label.en}.",
        )
    before, now = words_of(made.before.said), words_of(one.said)
    return Text(
        f"{which.zh}已更正，原为{before.zh}，现为{now.zh}。",
        f"{which.en}corrected: before {before.en}; now {now.en}.",
    )


def words_of(said: Said) -> Text:
    """Return result, signature and note in words; of these only what is there."""
    label = RESULT_LABELS[said.result]
    zh, en = [label.zh], [label.en]
    if said.signed_by:
        zh.append(f"{said.signed_by}签字")
        en.append(f"signed by {said.signed_by}")
    if said.note:
        zh.append(said.note)
        en.append(said.note)
    return Text("，".join(zh), ", ".join(en))


def for_role(one: Inspection, role: Role, workspace: Workspace) -> Inspection:
    """Return an inspection as a role may read it: a researcher sees no name and no free text."""
    if role.sees_names:
        return one
    return replace(
        one,
        school_id=pseudonym(workspace, one.school_id),
        by="",
        signed_by="",
        note="",
        orders=tuple(hidden(order, role) for order in one.orders),
        before=tuple(replace(said, signed_by="", note="") for said in one.before),
    )


def hidden(order: Order, role: Role) -> Order:
    """Return an order as a role may read it."""
    if role.sees_names:
        return order
    return replace(order, text="", done_by="" if order.done_on else None)


def order_line(order: Order, lang: Lang) -> str:
    """Return an order with its number, and how to say that it was done."""
    until = Text(f"限 {order.until} 前", f"by {order.until}")(lang) if order.until else ""
    state = Text("未完成", "not done")(lang)
    if order.done_on:
        state = Text(f"{order.done_on} 已完成", f"done on {order.done_on}")(lang)
    how = "" if order.done_on else f"(--done {order.number})"
    parts = [f"#{order.number}", order.text, until, state, order.done_by or "", how]
    return "  ".join(part for part in parts if part)


def as_dict(one: Inspection) -> dict[str, Any]:
    """Return an inspection for `--json`."""
    return {
        "id": one.id,
        "school_id": one.school_id,
        "date": one.on.isoformat(),
        "by": one.by,
        "result": one.result,
        "signed_by": one.signed_by,
        "note": one.note,
        "before": [
            {"result": said.result, "signed_by": said.signed_by, "note": said.note}
            for said in one.before
        ],
        "orders": [order_dict(order) for order in one.orders],
    }


def order_dict(order: Order) -> dict[str, Any]:
    """Return an order for `--json`."""
    return {
        "number": order.number,
        "text": order.text,
        "until": order.until.isoformat() if order.until else None,
        "done_on": order.done_on.isoformat() if order.done_on else None,
        "done_by": order.done_by,
    }
