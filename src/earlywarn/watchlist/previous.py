"""The list before: who stood on it, how, and what has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from earlywarn.watchlist.reasons import NOTHING
from earlywarn.watchlist.rows import Change, ListedChild
from earlywarn.words import Tier

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Was:
    """A child on the list before; contributions and hits where that list is comparable."""

    school_id: str
    tier: str
    rank: int
    listed: bool
    contributions: tuple[tuple[str, float], ...] = ()
    hits: tuple[str, ...] = ()


Before = dict[str, Was]


def who_was(con: duckdb.DuckDBPyConnection, previous: pa.Table | None) -> Before | None:
    """Return how the children of `previous` stood, by student_id."""
    if previous is None:
        return None
    told = "contributions" in previous.column_names and "rules_hit" in previous.column_names
    what = (
        "list_filter(p.contributions, lambda x: x.value > $nothing), coalesce(p.rules_hit, [])"
        if told
        else "[], []"
    )
    con.register("previous_scores", previous)
    try:
        rows = con.execute(
            f"SELECT p.student_id, p.school_id, p.tier, p.rank, p.listed, {what} "
            "FROM previous_scores p",
            {"nothing": NOTHING} if told else None,
        ).fetchall()
    finally:
        con.unregister("previous_scores")
    return {
        student: Was(
            school,
            tier,
            rank,
            listed,
            tuple((item["term"], item["value"]) for item in contributions),
            tuple(hits),
        )
        for student, school, tier, rank, listed, contributions, hits in rows
    }


def same_yardstick(con: duckdb.DuckDBPyConnection, previous: pa.Table) -> bool:
    """Return whether both lists were made with one model and the same rules."""
    columns = ("model", "rules_hash", "contributions", "rules_hit")
    if not set(columns) <= set(previous.column_names):
        return False
    con.register("previous_scores", previous)
    try:
        found = con.execute(
            "SELECT DISTINCT model, rules_hash FROM previous_scores "
            "UNION SELECT DISTINCT model, rules_hash FROM scores"
        ).fetchall()
    finally:
        con.unregister("previous_scores")
    return len(found) == 1


def left_the_list(before: Before, school_id: str, listed: tuple[ListedChild, ...]) -> int:
    """Return how many of a school's list before are on it no more."""
    here = {child.student_id for child in listed}
    return sum(
        1
        for student, was in before.items()
        if was.listed and was.school_id == school_id and student not in here
    )


def change_of(before: Before | None, row: dict[str, Any]) -> tuple[Change, int | None, str | None]:
    """Compare tier, then rank, with the list before; neither depends on anything hidden."""
    if before is None:
        return "none", None, None
    was = before.get(row["student_id"])
    if was is None or not was.listed or was.school_id != row["school_id"]:
        return "new", None, None
    then, now = Tier(was.tier).level, Tier(row["tier"]).level
    if then != now:
        return ("up" if now > then else "down"), was.rank, was.tier
    if was.rank != row["rank"]:
        return ("up" if row["rank"] < was.rank else "down"), was.rank, was.tier
    return "same", was.rank, was.tier
