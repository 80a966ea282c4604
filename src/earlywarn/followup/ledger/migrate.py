"""Bring the ledger's tables up to date (or, for a test, back), in the caller's transaction.

Alembic is only imported where there is something to do: its import takes longer than most reads.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger.schema import HEAD, REVISIONS, VERSION_TABLE, metadata

MIGRATIONS = Path(__file__).parent / "migrations"


def revision(con: Connection) -> str | None:
    """Return the migration that the database stands at; None in one without a ledger."""
    if not inspect(con).has_table(VERSION_TABLE):
        return None
    found = con.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return None if found is None else str(found)


def current(con: Connection) -> bool:
    """Return whether the tables are those of this program.

    Raises
    ------
    EarlywarnError
        If a newer program has made them, or another one has tables of these names.
    """
    found = revision(con)
    if found is None and not metadata.tables.keys().isdisjoint(inspect(con).get_table_names()):
        raise EarlywarnError(
            zh="台账数据库里已有别的程序的同名表。请换一个数据库（ledger_url）；未作改动。",
            en="The ledger's database has tables of these names by another program. Name another "
            "database in ledger_url; nothing was changed.",
        )
    if found is not None and found not in REVISIONS:
        raise EarlywarnError(
            zh=f"跟进台账的版本是 {found}，比本程序（{HEAD}）新。请升级 earlywarn；台账未作改动。",
            en=f"The follow-up ledger has version {found}, newer than this program's {HEAD}: "
            "update earlywarn. The ledger was not changed.",
        )
    return found == HEAD


def upgrade(con: Connection, to: str = HEAD) -> None:
    """Run the migrations up to `to`."""
    from alembic import command

    command.upgrade(_config(con), to)


def downgrade(con: Connection, to: str = "base") -> None:
    """Run the migrations back to `to`."""
    from alembic import command

    command.downgrade(_config(con), to)


def _config(con: Connection):  # type: ignore[no-untyped-def]
    from alembic.config import Config

    config = Config()
    # ConfigParser reads % as the beginning of a name.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = con
    return config
