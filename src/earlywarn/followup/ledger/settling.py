"""What a person has to settle: cells that nobody could read, and answers that differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from earlywarn.errors import EarlywarnError, Text
from earlywarn.followup.answers import CHOICES, DATES, FIELDS
from earlywarn.followup.ledger.chain import append, digest
from earlywarn.followup.ledger.merging import home_of
from earlywarn.followup.ledger.schema import Row, settlements, unsettled
from earlywarn.followup.ledger.store import (
    NewCase,
    Stamp,
    add,
    cases_of,
    follow,
    open_case,
)
from earlywarn.followup.ledger.views import Entry, candidates


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person decided: the value kept, None if nothing is to be kept."""

    at: datetime
    who: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One thing for a person to settle, and where it stands.

    kind: `unread` (typed, but not understood) or `conflict` (`answers` has the different ones, each
    with its place). `open` until it is settled, and again when yet another answer comes in.
    """

    key: str
    kind: str
    school_id: str
    list_as_of: date
    list_run: str
    file: str
    sheet: str
    cell: str
    typed: str
    student_id: str | None
    field: str | None
    why: Text
    at: datetime
    answers: tuple[Entry, ...]
    settled: Settlement | None
    open: bool


def read_unsettled(con: Connection, key: str | None = None) -> list[Unsettled]:
    """Return everything that was ever to be settled (or that with `key`), oldest first."""
    query = select(unsettled).order_by(unsettled.c.id)
    if key is not None:
        query = query.where(unsettled.c.key == key)
    rows = con.execute(query).mappings().all()
    decided = {
        row["key"]: Settlement(row["at"], row["who"], row["value"])
        for row in con.execute(select(settlements).order_by(settlements.c.id)).mappings()
    }
    disputed = [r["student_id"] for r in rows if r["kind"] == "conflict"]
    asked = {
        (student, *question): tuple(entries)
        for student, cases in cases_of(con, disputed).items()
        for case in cases
        for question, entries in candidates(case.story).items()
    }
    return [_unsettled(row, decided.get(row["key"]), asked) for row in rows]


def _unsettled(
    row: Row,
    settled: Settlement | None,
    asked: Mapping[tuple[str, date, str, str], tuple[Entry, ...]],
) -> Unsettled:
    names = [n for n in Unsettled.__dataclass_fields__ if n in row]
    why, is_open = Text(row["zh"], row["en"]), settled is None
    answers: tuple[Entry, ...] = ()
    if row["kind"] == "conflict":
        question = (row["student_id"], row["list_as_of"], row["list_run"], row["field"])
        answers = asked.get(question, ())
        is_open = len(answers) > 1
        why = _differ(row["student_id"], row["field"], answers) if is_open else why
    return Unsettled(
        **{name: row[name] for name in names},
        why=why,
        answers=answers,
        settled=settled,
        open=is_open,
    )


def _differ(student: str, field: str, answers: tuple[Entry, ...]) -> Text:
    label = FIELDS.get(field, Text(field, field))
    zh = "；".join(entry.source for entry in answers)
    en = "; ".join(entry.source for entry in answers)
    return Text(
        f"{student} 的“{label.zh}”有 {len(answers)} 种回答：{zh}。请选定一个。",
        f"{len(answers)} different answers to `{label.en}` for {student}: {en}. Choose one.",
    )


def settle(con: Connection, key: str, value: str | None, stamp: Stamp) -> None:
    """Keep `value` for the thing with `key`; see `Ledger.settle`."""
    found = read_unsettled(con, key)
    if not found:
        raise EarlywarnError(
            zh=f"没有编号为 {key} 的待处理事项。请用 earlywarn followup unsettled 查看。",
            en=f"There is nothing to settle with the key {key}. See `earlywarn followup "
            "unsettled`.",
        )
    item = found[0]
    if not item.open and item.settled is not None and item.settled.value == value:
        return
    if value is None and item.kind == "conflict":
        raise EarlywarnError(
            zh="回答有冲突，必须选定一个值。", en="The answers differ: choose the value to keep."
        )
    if value is not None and item.field is not None:
        value = _checked(item.field, value)
    row = {"key": key, "at": stamp.at, "who": stamp.who, "value": value}
    made = append(con, settlements, [row])[0]
    if value is None or item.student_id is None or item.field is None:
        return
    cases = cases_of(con, [item.student_id])[item.student_id]
    home = home_of(cases, item.list_as_of, item.list_run, [(item.field, value)])
    if home is None:
        origin = f"list {item.list_as_of}/{item.list_run}"
        new = NewCase("watchlist", item.school_id, item.list_as_of, origin, item.student_id)
        home = open_case(con, new, stamp).case_id
    add(con, home, [_entry(item, value, int(made["id"]), stamp)], stamp)
    follow(con, home, stamp)


def _entry(item: Unsettled, value: str, number: int, stamp: Stamp) -> dict[str, Any]:
    return {
        "kind": "settled",
        "field": item.field,
        "value": value,
        "happened_on": date.fromisoformat(value) if item.field in DATES else stamp.on,
        "list_as_of": item.list_as_of,
        "list_run": item.list_run,
        "typed": item.typed,
        "source": f"{item.file} [{item.sheet}!{item.cell}]",
        "entry_key": digest("settled", item.key, number),
    }


def _checked(field: str, value: str) -> str:
    """Return `value` as an answer to `field` is kept."""
    label = FIELDS.get(field, Text(field, field))
    if field in DATES:
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise EarlywarnError(
                zh=f"“{label.zh}”要写日期，如 2026-11-20。",
                en=f"`{label.en}` must be a date such as 2026-11-20.",
            ) from None
    if field in CHOICES and value not in CHOICES[field]:
        codes = list(CHOICES[field])
        raise EarlywarnError(
            zh=f"“{label.zh}”没有 {value!r} 这个值，可用：{'、'.join(codes)}。",
            en=f"`{label.en}` is never {value!r}; it can be {', '.join(codes)}.",
        )
    return value
