"""The embedded engine: DuckDB over a workspace's tables, and the .sql files it runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files as package_files
from typing import Any

import duckdb

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
    }
    if config.memory_limit:
        settings["memory_limit"] = config.memory_limit
    if config.temp_folder:
        settings["temp_directory"] = config.temp_folder
    try:
        con = duckdb.connect(config=settings)
    except duckdb.Error as error:
        raise EarlywarnError(
            zh=f"无法启动 DuckDB（请检查 memory_limit 和 temp_folder）：{error}",
            en=f"DuckDB does not start (check memory_limit and temp_folder): {error}",
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

    `swap` replaces pieces of the text, every one of which must be there.
    """
    text = sql_file(package, name)
    for mark, sql in (swap or {}).items():
        if mark not in text:
            raise AssertionError(f"{name} has no {mark}")
        text = text.replace(mark, sql)
    for statement in con.extract_statements(text):
        named = {key: parameters[key] for key in statement.named_parameters}
        con.execute(statement, named).fetchall()
