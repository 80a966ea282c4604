"""The embedded engine: DuckDB over a workspace's tables, and the .sql files it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files as package_files
from typing import Any

import duckdb

from earlywarn.engine.room import spill_folder
from earlywarn.errors import EarlywarnError
from earlywarn.tables.batches import attach
from earlywarn.workspace import Workspace


def connect(workspace: Workspace) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with the config's limits and a view for each accepted table.

    Nothing from outside the workspace is loaded: extensions are neither installed nor fetched.
    """
    config = workspace.config
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
        "temp_directory": str(spill_folder(workspace)),
    }
    if config.memory_limit:
        settings["memory_limit"] = config.memory_limit
    try:
        con = duckdb.connect(config=settings)
    except duckdb.Error as error:
        raise EarlywarnError(
            zh=f"无法启动 DuckDB（请检查 memory_limit）：{error}",
            en=f"DuckDB does not start (check memory_limit): {error}",
        ) from None
    con.execute("SET enable_progress_bar = false").fetchall()
    attach(con, workspace)
    return con


@cache
def sql_file(package: str, name: str) -> str:
    """Return the text of `name` in `package`, such as ("earlywarn.features.sql", "marks.sql")."""
    return (package_files(package) / name).read_text("utf-8")


def run_sql_file(
    con: duckdb.DuckDBPyConnection,
    package: str,
    name: str,
    parameters: Mapping[str, Any],
    swap: Mapping[str, str] | None = None,
) -> None:
    """Run the statements of one SQL file, each with the parameters that it names.

    In a statement that makes a view, the parameters are dates and booleans.

    `swap` replaces pieces of the text, every one of which must be there.
    """
    text = sql_file(package, name)
    for mark, sql in (swap or {}).items():
        if mark not in text:
            raise AssertionError(f"{name} has no {mark}")
        text = text.replace(mark, sql)
    for statement in _parsed(con, text):
        if _MAKES_A_VIEW.search(statement.query):
            con.execute(_written_out(statement.query, parameters)).fetchall()
            continue
        named = {key: parameters[key] for key in statement.named_parameters}
        con.execute(statement, named).fetchall()


# What was parsed, by engine and text; a statement belongs to no connection.
_PARSED: dict[tuple[type, str], list[duckdb.Statement]] = {}
_AT_MOST = 500  # texts, which differ with the rules' groups


def _parsed(con: duckdb.DuckDBPyConnection, text: str) -> list[duckdb.Statement]:
    key = (type(con), text)
    found = _PARSED.get(key)
    if found is None:
        if len(_PARSED) >= _AT_MOST:
            _PARSED.clear()
        found = _PARSED[key] = con.extract_statements(text)
    return found


# A view knows no parameters, so they are written into it; only what needs no quoting can be.
_MAKES_A_VIEW = re.compile(r"^\s*(--[^\n]*\s*)*CREATE OR REPLACE TEMP VIEW\b")
_PARAMETER = re.compile(r"\$([a-z_]+)")


def _written_out(sql: str, parameters: Mapping[str, Any]) -> str:
    def literal(found: re.Match[str]) -> str:
        value = parameters[found[1]]
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, date):
            return f"DATE '{value.isoformat()}'"
        raise TypeError(f"{found[1]}: a view can hold dates and booleans only")

    return _PARAMETER.sub(literal, sql)
