"""The ledger's database: where it is, how it is opened, and what to say when it fails.

SQLite keeps its rollback journal: write-ahead logging needs shared memory, which network drives
don't have, and leaves files beside the ledger that a copy of it would miss. What a killed process
left half-done is rolled back when the ledger is next opened.

There is one writer at a time on either database: SQLite's own lock (BEGIN IMMEDIATE), an advisory
lock of PostgreSQL. A writer waits for the others up to `wait` seconds, so nobody has to retry and
no chain forks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool, QueuePool

from earlywarn.errors import EarlywarnError, Text
from earlywarn.workspace import Workspace

FILE = "ledger.db"
# The key of PostgreSQL's advisory lock: "earlywar" read as a number.
_LOCK = int.from_bytes(b"earlywar", "big")
_CONNECT_SECONDS = 10


def ledger_url(workspace: Workspace) -> URL:
    """Return the database's URL: the config's, else the workspace's own SQLite file.

    Raises
    ------
    EarlywarnError
        If the config's is no URL of SQLite or PostgreSQL; the URL is not repeated.
    """
    written = workspace.config.ledger_url
    if not written:
        return URL.create("sqlite", database=str(workspace.root / FILE))
    try:
        url = make_url(written)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError, NoSuchModuleError):
        raise _bad_url() from None
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return URL.create("sqlite", database=str(workspace.root / str(url.database)))
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise _bad_url()


def _bad_url() -> EarlywarnError:
    return EarlywarnError(
        zh="earlywarn.yaml 的 ledger_url 不对。请写成 postgresql://USER:PASSWORD@HOST/DATABASE"
        "（密码里的特殊字符用 %xx），或留空使用 ledger.db。",
        en="ledger_url in earlywarn.yaml cannot be used. Write postgresql://USER:PASSWORD@HOST/"
        "DATABASE (special characters of the password as %xx), or leave it empty for ledger.db.",
    )


def make_engine(url: URL, wait: float) -> Engine:
    """Return the engine for `url`; nothing is opened yet. A lock is waited for `wait` seconds."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": wait}, poolclass=NullPool)
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    try:
        # The server watches the lock for us, in milliseconds.
        return create_engine(
            url,
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                "options": f"-c lock_timeout={max(1, int(wait * 1000))}",
            },
            poolclass=QueuePool,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ImportError:
        raise EarlywarnError(
            zh="台账在 PostgreSQL 上，但缺少驱动 psycopg。请运行 pip install earlywarn[postgres]。",
            en="The ledger is on PostgreSQL, but its driver psycopg is missing. "
            "Run `pip install earlywarn[postgres]`.",
        ) from None


def _sqlite_connected(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions begin where SQLAlchemy says so (see _sqlite_begin), not where sqlite3 guesses.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what `forget` deletes is overwritten


def _sqlite_begin(con: Connection) -> None:
    options = con.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    writes = options.get("writes", False)
    con.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees one state of the ledger; what fails is put into words."""
    with explained(engine.url), engine.connect() as con:
        if engine.dialect.name == "postgresql":
            con = con.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901
        with con.begin():
            yield con


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection as the only writer; all of it is kept, or none."""
    with explained(engine.url), engine.execution_options(writes=True).begin() as con:
        if engine.dialect.name == "postgresql":
            con.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield con


def compact(engine: Engine) -> None:
    """Write an SQLite database anew without its free pages; a server sees to that by itself."""
    if engine.dialect.name != "sqlite":
        return
    with (
        explained(engine.url),
        engine.execution_options(isolation_level="AUTOCOMMIT").connect() as con,
    ):
        con.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing, unless somebody set WAL
        con.exec_driver_sql("VACUUM")
        con.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn what the database says into an `EarlywarnError` with the cure."""
    try:
        yield
    except DBAPIError as error:
        raise _said(error, url) from None


def shown(url: URL) -> str:
    """Return the database as a message may name it: never with the user's password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"{url.host or 'localhost'}{port}/{url.database or ''}"


def _said(error: DBAPIError, url: URL) -> EarlywarnError:
    where = shown(url)
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorname", "")
        message = next((m for start, m in _SQLITE.items() if code.startswith(start)), None)
        # Python's own words for a row that cannot be read, a file made by something else.
        message = message or (_NOT_OURS if not code else _OTHER)
    else:
        code = getattr(error.orig, "sqlstate", None) or ""
        message = next((m for start, m in _POSTGRES.items() if code.startswith(start)), None)
        if not code:
            message = _by_words(str(error.orig))
        message = message or _OTHER
    zh, en = message
    code = code or type(error.orig).__name__
    return EarlywarnError(
        zh=f"跟进台账 {where}：{zh.format(code=code)}",
        en=f"Follow-up ledger {where}: {en.format(code=code)}",
    )


def _by_words(said: str) -> Text:
    """Tell why no connection was made: the server's answer carries no code then."""
    if "does not exist" in said and "database" in said:
        return _NO_DATABASE
    if "password" in said or "authentication" in said or "role" in said:
        return _REFUSED
    return _UNREACHABLE


_LOCKED = Text(
    "另一个程序正在写，等了很久也没有结束。请稍后再试；台账未作改动。",
    "another program is writing to it and has not finished. Try again later; nothing was changed.",
)
_READ_ONLY = Text(
    "只能读，不能写。请检查文件、文件夹或账号的写权限；台账未作改动。",
    "it can be read but not written. Check the permissions of the file, its folder or the "
    "account; nothing was changed.",
)
_FULL = Text(
    "磁盘已满。请腾出空间后再试；台账仍是上一次的状态。",
    "the disk is full. Make room and try again; the ledger is as it was before.",
)
_NOT_OURS = Text(
    "这不是台账数据库，或文件已损坏。请移走它，再从备份恢复。",
    "this is no ledger database, or it is damaged. Move it away and restore a backup.",
)
_CANNOT_OPEN = Text(
    "打不开。请检查文件夹是否还在、网络盘是否已连接、有没有读写权限。",
    "it cannot be opened. Check that the folder is there, that the network drive is connected and "
    "that you may read and write it.",
)
_DISK = Text(
    "读写出错（{code}）。请检查磁盘或网络盘是否还连着；台账仍是上一次的状态。",
    "reading or writing failed ({code}). Check that the disk or network drive is still there; the "
    "ledger is as it was before.",
)
_UNREACHABLE = Text(
    "连不上数据库服务器。请检查主机、端口、网络和服务器是否在运行；台账未作改动。",
    "the database server cannot be reached. Check host, port and network, and that the server "
    "runs; nothing was changed.",
)
_NO_DATABASE = Text(
    "服务器上没有这个数据库。请检查 ledger_url 里的名称，或请管理员建库。",
    "the server has no such database. Check its name in ledger_url, or have it created.",
)
_REFUSED = Text(
    "服务器拒绝了登录。请检查 ledger_url 里的用户和密码。",
    "the server refused the login. Check user and password in ledger_url.",
)
_GONE = Text(
    "表不见了。请从备份恢复。",
    "its tables are gone. Restore a backup.",
)
_OTHER = Text(
    "数据库出错（{code}）。台账仍是上一次的状态；请再试一次，仍不行就请管理员查看。",
    "the database failed ({code}). The ledger is as it was before; try again, and if it fails "
    "again ask its administrator.",
)

# What each begins with: SQLite's names of errors, PostgreSQL's codes.
_SQLITE = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_PERM": _READ_ONLY,
    "SQLITE_FULL": _FULL,
    "SQLITE_NOTADB": _NOT_OURS,
    "SQLITE_CORRUPT": _NOT_OURS,
    "SQLITE_CANTOPEN": _CANNOT_OPEN,
    "SQLITE_IOERR": _DISK,
    "SQLITE_ERROR": _GONE,
}
_POSTGRES = {
    "55P03": _LOCKED,
    "40P01": _LOCKED,
    "57014": _LOCKED,
    "25006": _READ_ONLY,
    "42501": _READ_ONLY,
    "53100": _FULL,
    "53": _UNREACHABLE,
    "57P": _UNREACHABLE,
    "08": _UNREACHABLE,
    "3D000": _NO_DATABASE,
    "28": _REFUSED,
    "42P01": _GONE,
}
