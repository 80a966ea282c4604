"""What the tables and the ledger know of a child, and which of its words are its alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path

import duckdb

from earlywarn.followup.ledger import Ledger
from earlywarn.forgetting.child import Child
from earlywarn.tables.batches import read_batches, table_files
from earlywarn.tables.contract import TABLES
from earlywarn.tables.views import scan, whole_data
from earlywarn.workspace import CONFIG_FILE, Workspace

_LEAST = 2  # signs of a name or phone that can be somebody's alone
_WORDS = ("*.py", "*.j2", "*.yaml", "*.css", "*.js")


def child_of(workspace: Workspace, student_id: str, ledger: Ledger | None) -> Child:
    """Return the child: its names, and those of its names and phones that nobody else has.

    A word is somebody else's too where another child, guardian, teacher, school or user has it,
    within a longer name even, and where it is a word of the program or the rules.
    """
    names, phones, others = _from_tables(workspace, student_id)
    if ledger is not None:
        others |= ledger.people(besides=student_id)
    if not names and ledger is not None and ledger.cases_of_person(student_id):
        names = {student_id}
    told = "\n".join([*others, *_texts(workspace)])
    own = {word for word in names | phones if len(word) >= _LEAST and word not in told}
    return Child(student_id, tuple(sorted(names)), tuple(sorted(own)))


def rows_of(workspace: Workspace, student_id: str) -> dict[str, int]:
    """Return how many rows each Parquet file in force (below data/) has of the child."""
    known = read_batches(workspace)
    found = {}
    with whole_data(workspace, known), duckdb.connect() as con:
        for part in (part for batch in known.batches for part in batch.parts):
            if not part.rows or "student_id" not in TABLES[part.table].schema.names:
                continue
            ((count,),) = con.execute(
                f"SELECT count(*) FROM {scan(workspace, [part.file])} WHERE student_id = ?",
                [student_id],
            ).fetchall()
            if count:
                found[part.file] = int(count)
    return found


def _from_tables(workspace: Workspace, student_id: str) -> tuple[set[str], set[str], set[str]]:
    """Return the child's names, its phones, and what everybody else is called."""
    names: set[str] = set()
    phones: set[str] = set()
    others: set[str] = set()
    known = read_batches(workspace)
    with whole_data(workspace, known), duckdb.connect() as con:
        for path in table_files(workspace, "students"):
            whose = scan(workspace, [path.relative_to(workspace.data).as_posix()])
            own = con.execute(
                f"SELECT DISTINCT name, guardian_phone FROM {whose} WHERE student_id = ?",
                [student_id],
            ).fetchall()
            names |= {name for name, _ in own}
            phones |= {phone for _, phone in own}
            for column in ("name", "guardian", "guardian_phone", "homeroom_teacher", "class_id"):
                others |= _column(con, whose, column, "student_id <> ?", [student_id])
        for path in table_files(workspace, "schools"):
            places = scan(workspace, [path.relative_to(workspace.data).as_posix()])
            for column in ("name", "county", "township"):
                others |= _column(con, places, column)
    return {n for n in names if n}, {p for p in phones if p}, others


def _column(
    con: duckdb.DuckDBPyConnection,
    table: str,
    column: str,
    where: str = "true",
    values: Iterable[str] = (),
) -> set[str]:
    query = f'SELECT DISTINCT "{column}" FROM {table} WHERE "{column}" IS NOT NULL AND {where}'
    return {value for (value,) in con.execute(query, list(values)).fetchall()}


def _texts(workspace: Workspace) -> list[str]:
    """Return the words of the program, and of the workspace's rules and settings."""
    own = [*workspace.rules.rglob("*.yaml"), *workspace.mappings.rglob("*.yaml")]
    own += [workspace.root / CONFIG_FILE, *workspace.root.glob("*.yaml")]
    return [_program(), *(path.read_text("utf-8", errors="replace") for path in own)]


@cache
def _program() -> str:
    package = Path(str(package_files("earlywarn")))
    found = [path for pattern in _WORDS for path in sorted(package.rglob(pattern))]
    return "\n".join(path.read_text("utf-8", errors="replace") for path in found)
