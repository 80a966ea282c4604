"""The ledger's tables, as SQLAlchemy 2 Core. Migrations make them; this is what the code reads.

All but `chains` are append-only. Every row of theirs carries `hash`: SHA-256 over the hash of the
row before it in its chain and over its own content (see `chain`). `cases`, `imports`, `unsettled`,
`settlements`, `audit` and the three of inspections are one chain each; the entries of each case are
one, which begins with the hash of the case itself. `chains` keeps where each of them ends, so that
a missing end shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.engine import Dialect, RowMapping
from sqlalchemy.types import TypeDecorator

# A row as it was read, or as it is to be stored, by column.
Row = RowMapping | Mapping[str, Any]

# The newest migration, and every one that there is, oldest first.
REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]
VERSION_TABLE = "ledger_version"  # where Alembic notes it


class UtcTime(TypeDecorator[datetime]):
    """A moment: with its time zone in Python, in UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """SQLite keeps no time zone: what it gives is UTC."""
        if value is None:
            return None
        found: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return found.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *args: Any, required: bool = True, unique: bool = False) -> Column[str]:
    return Column(name, Text, *args, nullable=not required, unique=unique)


def _id() -> Column[int]:
    """Return the number of a row in its chain: counted by us, so that its hash can cover it."""
    return Column("id", Integer, primary_key=True, autoincrement=False)


chains = Table(
    "chains",
    metadata,
    Column("name", Text, primary_key=True),
    Column("last", Integer, nullable=False),  # number of the last row
    Column("rows", Integer, nullable=False),
    _text("hash"),
)

cases = Table(
    "cases",
    metadata,
    _id(),
    _text("case_key", unique=True),
    _text("kind"),
    _text("student_id", required=False),
    _text("person", required=False),
    _text("school_id"),
    _text("tier", required=False),
    Column("opened_on", Date, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    _text("opened_by"),
    _text("origin"),
    _text("hash"),
    CheckConstraint("(student_id IS NULL) <> (person IS NULL)", name="one_child"),
    Index(None, "student_id"),
    Index(None, "school_id"),
)

entries = Table(
    "entries",
    metadata,
    Column("case_id", Integer, ForeignKey("cases.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    _text("who"),
    Column("happened_on", Date, nullable=False),
    _text("kind"),
    _text("field", required=False),
    _text("value", required=False),
    # The list that an answer answers, and the text as it stood in the cell.
    Column("list_as_of", Date),
    _text("list_run", required=False),
    _text("typed", required=False),
    _text("source"),
    _text("entry_key", unique=True),
    _text("hash"),
)

imports = Table(
    "imports",
    metadata,
    _id(),
    _text("sha256", unique=True),
    _text("file"),
    _text("school_id"),
    Column("as_of", Date, nullable=False),
    _text("run"),
    _text("version"),
    Column("at", UtcTime, nullable=False),
    _text("who"),
    Column("answers", Integer, nullable=False),
    Column("unread", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("conflicts", Integer, nullable=False),
    _text("hash"),
)

unsettled = Table(
    "unsettled",
    metadata,
    _id(),
    _text("key", unique=True),
    _text("kind"),
    _text("sha256", ForeignKey("imports.sha256")),
    _text("school_id"),
    Column("list_as_of", Date, nullable=False),
    _text("list_run"),
    _text("file"),
    _text("sheet"),
    _text("cell"),
    _text("typed"),
    _text("student_id", required=False),
    _text("field", required=False),
    _text("zh"),
    _text("en"),
    Column("at", UtcTime, nullable=False),
    _text("hash"),
)

settlements = Table(
    "settlements",
    metadata,
    _id(),
    _text("key", ForeignKey("unsettled.key")),
    Column("at", UtcTime, nullable=False),
    _text("who"),
    _text("value", required=False),
    _text("hash"),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", UtcTime, nullable=False),
    _text("who"),
    _text("role"),
    _text("action"),
    _text("object"),
    _text("student_id", required=False),
    Column("rows", Integer),
    _text("sha256", required=False),
    _text("hash"),
)

inspections = Table(
    "inspections",
    metadata,
    _id(),
    _text("school_id"),
    Column("inspected_on", Date, nullable=False),
    _text("inspected_by"),
    _text("result"),
    _text("signed_by"),
    _text("note"),
    Column("at", UtcTime, nullable=False),
    _text("who"),
    _text("hash"),
    Index(None, "school_id"),
)

inspection_orders = Table(
    "inspection_orders",
    metadata,
    _id(),
    Column("inspection_id", Integer, ForeignKey("inspections.id"), nullable=False),
    _text("text"),
    Column("until", Date),
    _text("hash"),
)

inspection_done = Table(
    "inspection_done",
    metadata,
    _id(),
    Column("order_id", Integer, ForeignKey("inspection_orders.id"), nullable=False),
    Column("done_on", Date, nullable=False),
    _text("done_by"),
    Column("at", UtcTime, nullable=False),
    _text("who"),
    _text("hash"),
)

# The chains that are one table each, in the order in which rows may refer to one another.
BOOKS = (
    cases,
    imports,
    unsettled,
    settlements,
    audit,
    inspections,
    inspection_orders,
    inspection_done,
)
