"""What the tables and the ledger know of a child, and which of its words are its alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path

import duckdb

from earlywarn import naming
from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Case, Ledger
from earlywarn.forgetting.child import Child
from earlywarn.tables.batches import read_batches, table_files
from earlywarn.tables.contract import TABLES
from earlywarn.tables.views import scan, whole_data
from earlywarn.workspace import CONFIG_FILE, Workspace

# How the note that `reconcile` makes of a case begins.
_BIRTH = re.compile(r"(?:出生日期：|birth date: )(\d{4}-\d{2}-\d{2})")
_LEAST = 2  # signs of a name or phone that can be somebody's alone
_WORDS = ("*.py", "*.j2", "*.yaml", "*.css", "*.js")


def child_of(workspace: Workspace, student_id: str, ledger: Ledger | None) -> Child:
    """Return the child: its names, and those of its names and phones that nobody else has.

    Of a child on no registry all that its cases know of it, whatever dots its name has there. A
    word is somebody else's too where another child, guardian, teacher, school or user has it,
    within a longer name even, and where it is a word of the program or the rules.
    """
    names, phones, others = _from_tables(workspace, student_id)
    cases = () if names or ledger is None else _cases_of(ledger, student_id)
    spellings = {case.person for case in cases if case.person}
    if ledger is not None:
        others |= ledger.people(besides=student_id) - (spellings - {student_id})
    if spellings:
        names = spellings | {naming.parted(name)[0] for name in spellings}
    told = "\n".join([*others, *_texts(workspace)])
    own = {
        word
        for word in names | phones
        if len(word) >= _LEAST and not re.search(naming.pattern(word), told)
    }
    born = {day for case in cases for day in _born(case)}
    return Child(
        student_id,
        tuple(sorted(names)),
        tuple(sorted(own)),
        tuple(sorted(spellings)),
        tuple(sorted(born - _born_alike(workspace, names))),
    )


def person_of(workspace: Workspace, said: str, ledger: Ledger | None) -> str:
    """Return whom `said` means: itself, or the name that the case of a child on no registry is
    under, for the case's number or the name with other dots or none.

    Raises
    ------
    EarlywarnError
        If several children have the name; the message says how to name one.
    """
    if ledger is None or rows_of(workspace, said) or ledger.cases_of_person(said):
        return said
    cases = [case for case in ledger.cases(kinds=("unregistered",)) if case.person]
    by_number = [c.person for c in cases if said.isdecimal() and c.id == int(said) and c.person]
    if by_number:
        return by_number[0]
    alike = [
        c for c in cases if naming.plain(naming.parted(c.person or "")[0]) == naming.plain(said)
    ]
    if len({naming.plain(case.person or "") for case in alike}) > 1:
        numbers = [str(case.id) for case in alike]
        raise EarlywarnError(
            zh=f"有几个没有学籍的孩子叫这个名字，未作改动。请写个案编号：{'、'.join(numbers)}。",
            en="Several children on no registry have this name; nothing was changed. Give the "
            f"number of the case: {', '.join(numbers)}.",
        )
    exact = [c.person for c in cases if c.person and naming.plain(c.person) == naming.plain(said)]
    return next(iter([*exact, *(c.person or said for c in alike)]), said)


def _cases_of(ledger: Ledger, person: str) -> tuple[Case, ...]:
    """Return the cases of a child on no registry, with its name in any dots and its birth date."""
    first = ledger.cases_of_person(person)
    if not first:
        return ()
    born = {day for case in first for day in _born(case)}
    return tuple(
        case
        for case in ledger.cases(kinds=("unregistered",))
        if case.person == person
        or (naming.plain(case.person or "") == naming.plain(person) and born & set(_born(case)))
    )


def _born(case: Case) -> list[str]:
    """Return the birth dates that a case of a child on no registry has: in its name, its notes."""
    day = naming.parted(case.person or "")[1]
    if day:
        return [day]
    notes = (e.value or "" for e in case.story if e.kind == "note")
    return [found[1] for note in notes if (found := _BIRTH.match(note))]


def _born_alike(workspace: Workspace, names: set[str]) -> set[str]:
    """Return the birth dates that children of the registry with one of the names have."""
    forms = {naming.plain(name) for name in names}
    found: set[str] = set()
    known = read_batches(workspace)
    with whole_data(workspace, known), duckdb.connect() as con:
        for path in table_files(workspace, "students"):
            whose = scan(workspace, [path.relative_to(workspace.data).as_posix()])
            query = f"SELECT DISTINCT name, birth_date FROM {whose} WHERE birth_date IS NOT NULL"
            rows = con.execute(query).fetchall()
            found |= {day.isoformat() for name, day in rows if naming.plain(name or "") in forms}
    return found


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
