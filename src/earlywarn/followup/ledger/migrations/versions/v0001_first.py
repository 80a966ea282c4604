"""The ledger's first tables."""

from datetime import date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not required)


def _number(name: str, required: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=not required)


def _day(name: str, required: bool = True) -> sa.Column[date]:
    return sa.Column(name, sa.Date, nullable=not required)


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "chains",
        sa.Column("name", sa.Text, primary_key=True),
        _number("last"),
        _number("rows"),
        _text("hash"),
    )
    op.create_table(
        "cases",
        _id(),
        _text("case_key"),
        _text("kind"),
        _text("student_id", required=False),
        _text("person", required=False),
        _text("school_id"),
        _text("tier", required=False),
        _day("opened_on"),
        _moment("opened_at"),
        _text("opened_by"),
        _text("origin"),
        _text("hash"),
        sa.UniqueConstraint("case_key", name="uq_cases_case_key"),
        sa.CheckConstraint("(student_id IS NULL) <> (person IS NULL)", name="ck_cases_one_child"),
    )
    op.create_index("ix_cases_student_id", "cases", ["student_id"])
    op.create_index("ix_cases_school_id", "cases", ["school_id"])
    op.create_table(
        "entries",
        sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        _moment("at"),
        _text("who"),
        _day("happened_on"),
        _text("kind"),
        _text("field", required=False),
        _text("value", required=False),
        _day("list_as_of", required=False),
        _text("list_run", required=False),
        _text("typed", required=False),
        _text("source"),
        _text("entry_key"),
        _text("hash"),
        sa.UniqueConstraint("entry_key", name="uq_entries_entry_key"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_entries_case_id"),
    )
    op.create_table(
        "imports",
        _id(),
        _text("sha256"),
        _text("file"),
        _text("school_id"),
        _day("as_of"),
        _text("run"),
        _text("version"),
        _moment("at"),
        _text("who"),
        _number("answers"),
        _number("unread"),
        _number("new"),
        _number("conflicts"),
        _text("hash"),
        sa.UniqueConstraint("sha256", name="uq_imports_sha256"),
    )
    op.create_table(
        "unsettled",
        _id(),
        _text("key"),
        _text("kind"),
        _text("sha256"),
        _text("school_id"),
        _day("list_as_of"),
        _text("list_run"),
        _text("file"),
        _text("sheet"),
        _text("cell"),
        _text("typed"),
        _text("student_id", required=False),
        _text("field", required=False),
        _text("zh"),
        _text("en"),
        _moment("at"),
        _text("hash"),
        sa.UniqueConstraint("key", name="uq_unsettled_key"),
        sa.ForeignKeyConstraint(["sha256"], ["imports.sha256"], name="fk_unsettled_sha256"),
    )
    op.create_table(
        "settlements",
        _id(),
        _text("key"),
        _moment("at"),
        _text("who"),
        _text("value", required=False),
        _text("hash"),
        sa.ForeignKeyConstraint(["key"], ["unsettled.key"], name="fk_settlements_key"),
    )
    op.create_table(
        "audit",
        _id(),
        _moment("at"),
        _text("who"),
        _text("role"),
        _text("action"),
        _text("object"),
        _text("student_id", required=False),
        _number("rows", required=False),
        _text("sha256", required=False),
        _text("hash"),
    )


def downgrade() -> None:
    """Drop them, those first that refer to others."""
    for table in ("audit", "settlements", "unsettled", "imports", "entries", "cases", "chains"):
        op.drop_table(table)
