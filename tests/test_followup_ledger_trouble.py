"""A ledger that is locked, read-only, full, gone, garbage, newer or out of reach says so."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event, inspect, make_url, text

from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.ledger.connect import FILE, reading, writing
from earlywarn.followup.ledger.migrate import MIGRATIONS, downgrade, revision, upgrade
from earlywarn.followup.ledger.schema import HEAD, REVISIONS, VERSION_TABLE, metadata
from earlywarn.workspace import Workspace
from followup_ledgers import answer, new_database, place, returned

__all__ = ["place"]  # a fixture

BOOK = returned(answer("S1", "cause", "work"))


@contextmanager
def refused(zh: str, en: str) -> Iterator[None]:
    """Expect an error that says `zh` and `en`, and gives no password away."""
    with pytest.raises(EarlywarnError) as caught:
        yield
    assert zh in caught.value.text.zh
    assert en in caught.value.text.en
    assert not re.search(r"[一-鿿][,;:()!?]", caught.value.text.zh)
    assert "geheim" not in repr(caught.value) + caught.value.text.zh


def on_postgres(place: Workspace) -> bool:
    return bool(place.config.ledger_url)


def test_migrations_up_and_down_and_up(place: Workspace) -> None:
    with Ledger.open(place) as ledger:
        ledger.merge(BOOK, who="u")
        with writing(ledger.engine) as con:
            assert revision(con) == HEAD
            downgrade(con)
            assert inspect(con).get_table_names() == [VERSION_TABLE]
            assert revision(con) is None
    with Ledger.open(place) as ledger:
        assert ledger.cases() == ()
        ledger.merge(BOOK, who="u")
        assert ledger.check() == ()


def test_the_migrations_make_the_tables_that_the_code_reads(place: Workspace) -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert tuple(s.revision for s in script.walk_revisions())[::-1] == REVISIONS
    with Ledger.open(place) as ledger, reading(ledger.engine) as con:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(con, opts=options)
        assert compare_metadata(context, metadata) == []


def test_a_migration_that_fails_leaves_the_last_state(place: Workspace) -> None:
    with Ledger.open(place) as ledger:
        ledger.merge(BOOK, who="u")
        with pytest.raises(CommandError), writing(ledger.engine) as con:
            _to_a_revision_that_is_not_there(con)
        assert len(ledger.cases()) == 1
        assert ledger.check() == ()


def _to_a_revision_that_is_not_there(con: Connection) -> None:
    downgrade(con)
    upgrade(con, "0998")


def test_a_newer_ledger_is_refused_and_left_alone(place: Workspace) -> None:
    with Ledger.open(place) as ledger, writing(ledger.engine) as con:
        con.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0999'"))
    with refused("版本是 0999", "has version 0999, newer than this program's"):
        Ledger.open(place)


def test_another_programs_tables_are_left_alone(place: Workspace) -> None:
    url = make_url(place.config.ledger_url or f"sqlite:///{place.root / FILE}")
    if on_postgres(place):
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.begin() as con:
        con.execute(text("CREATE TABLE cases (a INTEGER)"))
    with refused("别的程序", "by another program"):
        Ledger.open(place)
    with engine.begin() as con:
        assert inspect(con).get_table_names() == ["cases"]
    engine.dispose()


def test_locked(place: Workspace) -> None:
    with Ledger.open(place, wait=0.2) as ledger, Ledger.open(place) as other:
        ledger.merge(BOOK, who="u")
        with writing(other.engine), refused("另一个程序正在写", "another program is writing"):
            ledger.merge(returned(answer("S2", "cause", "work"), sha="b"), who="u")
        assert [c.student_id for c in ledger.cases()] == ["S1"]


def test_read_only(place: Workspace) -> None:
    with Ledger.open(place) as ledger:
        ledger.merge(BOOK, who="u")
        if on_postgres(place):
            name = ledger.engine.url.database
            with writing(ledger.engine) as con:
                con.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        elif os.name == "posix" and os.geteuid() == 0:  # root may write to everything
            event.listen(ledger.engine, "connect", _query_only)
        else:
            (place.root / FILE).chmod(0o444)
        ledger.engine.dispose()
        with refused("只能读", "can be read but not written"):
            ledger.merge(returned(answer("S2", "cause", "work"), sha="b"), who="u")
        assert len(ledger.cases()) == 1  # what can be read is read
    if not on_postgres(place):
        (place.root / FILE).chmod(0o644)


def _query_only(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def test_full(workspace: Workspace) -> None:
    with Ledger.open(workspace) as ledger:
        ledger.merge(BOOK, who="u")
        with reading(ledger.engine) as con:
            pages = con.exec_driver_sql("PRAGMA page_count").scalar_one()

        def limit(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        event.listen(ledger.engine, "connect", limit)
        big = returned(*(answer("S2", "next", "长" * 3000 + str(n)) for n in range(20)), sha="b")
        with refused("磁盘已满", "the disk is full"):
            ledger.merge(big, who="u")
        assert [c.student_id for c in ledger.cases()] == ["S1"]
        assert ledger.check() == ()


@pytest.mark.parametrize("left", [None, b""])
def test_gone(workspace: Workspace, left: bytes | None) -> None:
    Ledger.open(workspace).close()
    file = workspace.root / FILE
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    with refused("不见了或是空的", "is gone or empty. Restore a backup"):
        Ledger.open(workspace)
    (workspace.root / "ledger.db.made").unlink()
    with Ledger.open(workspace) as ledger:
        assert ledger.cases() == ()


def test_its_folder_is_gone(workspace: Workspace) -> None:
    elsewhere = workspace.set_config(ledger_url="sqlite:///网络盘/台账.db")
    with refused("网络盘是否已连接", "drive is connected"):
        Ledger.open(elsewhere)
    (workspace.root / "网络盘").mkdir()
    with Ledger.open(elsewhere) as ledger:
        ledger.merge(BOOK, who="u")
    assert (workspace.root / "网络盘" / "台账.db").is_file()


@pytest.mark.parametrize("content", [b"garbage " * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_garbage(workspace: Workspace, content: bytes) -> None:
    (workspace.root / FILE).write_bytes(content)
    with refused("不是台账数据库", "is no ledger database, or it is damaged"):
        Ledger.open(workspace)
    assert (workspace.root / FILE).read_bytes() == content


def test_a_folder_in_its_place(workspace: Workspace) -> None:
    (workspace.root / FILE).mkdir()
    with refused("打不开", "cannot be opened"):
        Ledger.open(workspace)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:geheim@host/db",
        "postgresql//u:geheim@host",
        "postgresql://u:geheim@host:port/db",
        "sqlite://",
        "geheim",
    ],
)
def test_a_url_that_cannot_be_used(workspace: Workspace, url: str) -> None:
    with refused("ledger_url 不对", "ledger_url in earlywarn.yaml cannot be used"):
        Ledger.open(workspace.set_config(ledger_url=url))


def test_a_server_that_is_not_there(workspace: Workspace) -> None:
    url = "postgresql://u:geheim@127.0.0.1:9/db?application_name=geheim"
    with refused("连不上数据库服务器", "server cannot be reached"):
        Ledger.open(workspace.set_config(ledger_url=url))


def test_a_database_that_the_server_does_not_have(workspace: Workspace) -> None:
    url = make_url(new_database()).set(database="nobody_made_it", password="geheim")
    shown = url.render_as_string(hide_password=False)
    with refused("没有这个数据库", "has no such database"):
        Ledger.open(workspace.set_config(ledger_url=shown))


def test_a_user_that_the_server_does_not_know(workspace: Workspace) -> None:
    url = make_url(new_database()).set(username="stranger", password="geheim")
    shown = url.render_as_string(hide_password=False)
    with refused("拒绝了登录", "refused the login"):
        Ledger.open(workspace.set_config(ledger_url=shown))


def test_a_server_that_goes_away(workspace: Workspace) -> None:
    place = workspace.set_config(ledger_url=new_database())
    with Ledger.open(place) as ledger, Ledger.open(place) as other:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'me'"
        with refused("连不上", "cannot be reached"), writing(ledger.engine) as con:
            con.execute(text("SET application_name = 'me'"))
            with reading(other.engine) as killer:
                killer.execute(text(end))
            con.execute(text("SELECT 1"))
        ledger.merge(BOOK, who="u")  # and the next call finds it again
        assert ledger.check() == ()


def test_a_writer_killed_in_the_middle_leaves_the_last_state(place: Workspace) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from earlywarn.followup.ledger import Ledger, NewCase\n"
        "from earlywarn.followup.ledger import store\n"
        "from earlywarn.followup.ledger.connect import writing\n"
        "from earlywarn.followup.ledger.ledger import _stamp\n"
        "from earlywarn.workspace import Workspace\n"
        "from datetime import date\n"
        "ledger = Ledger.open(Workspace.open(Path(sys.argv[1])))\n"
        "with writing(ledger.engine) as con:\n"
        "    for n in range(200):\n"
        "        new = NewCase('absence', 'A', date(2026, 11, 23), '', student_id=f'K{n}')\n"
        "        store.open_case(con, new, _stamp('u', None))\n"
        "    os._exit(9)\n"
    )
    with Ledger.open(place) as ledger:
        ledger.merge(BOOK, who="u")
    killed = subprocess.run([sys.executable, "-c", program, str(place.root)], check=False)
    assert killed.returncode == 9
    with Ledger.open(place) as ledger:
        assert [c.student_id for c in ledger.cases()] == ["S1"]
        assert ledger.check() == ()
        ledger.merge(returned(answer("S2", "cause", "work"), sha="b"), who="u")


def test_nothing_is_left_in_the_current_folder(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Ledger.open(place).close()
    assert list(folder.iterdir()) == []
