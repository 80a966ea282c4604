"""Inspections of schools, what was ordered, and what of it was done."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "inspections",
        _id(),
        _text("school_id"),
        sa.Column("inspected_on", sa.Date, nullable=False),
        _text("inspected_by"),
        _text("result"),
        _text("signed_by"),
        _text("note"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _text("who"),
        _text("hash"),
    )
    op.create_index("ix_inspections_school_id", "inspections", ["school_id"])
    op.create_table(
        "inspection_orders",
        _id(),
        _number("inspection_id"),
        _text("text"),
        sa.Column("until", sa.Date, nullable=True),
        _text("hash"),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name="fk_inspection_orders_inspection_id"
        ),
    )
    op.create_table(
        "inspection_done",
        _id(),
        _number("order_id"),
        sa.Column("done_on", sa.Date, nullable=False),
        _text("done_by"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _text("who"),
        _text("hash"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["inspection_orders.id"], name="fk_inspection_done_order_id"
        ),
    )


def downgrade() -> None:
    """Drop them, those first that refer to others."""
    for table in ("inspection_done", "inspection_orders", "inspections"):
        op.drop_table(table)
