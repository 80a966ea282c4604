"""Any order of loads, re-loads, replacements and undos ends where a plain model of it says.

The model keeps the loads as dicts and plays them one after another: it knows no file, no view, no
SQL. A handful of examples each time, for their files are really written and read; set
EARLYWARN_EXAMPLES for more.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from earlywarn.tables.batches import attach, read_batches
from earlywarn.tables.ingest import FileResult, IngestOptions, ingest
from earlywarn.tables.undo import undo
from earlywarn.workspace import Workspace

FIRST = date(2026, 11, 2)
DAYS = [FIRST + timedelta(days=n) for n in range(3)]
STUDENTS = ["S1", "S2"]
SCHOOLS = ["A", "B"]
HEADS = {
    "students": "student_id,snapshot_date,school_id,grade",
    "attendance": "student_id,date,session,status",
    "exams": "student_id,exam,subject,date,score",
}
KEYS = {"students": 2, "attendance": 3, "exams": 4}  # as many columns from the left

Key = tuple[str, ...]
Row = tuple[str, ...]
Rows = dict[Key, Row]

_student = st.sampled_from(STUDENTS)
_day = st.sampled_from([day.isoformat() for day in DAYS])
_ROWS: dict[str, tuple[st.SearchStrategy[Key], st.SearchStrategy[Row]]] = {
    "students": (
        st.tuples(_student, _day),
        st.tuples(st.sampled_from(SCHOOLS), st.sampled_from(["7", "8"])),
    ),
    "attendance": (
        st.tuples(_student, _day, st.sampled_from(["", "am"])),
        st.tuples(st.sampled_from(["present", "late"])),
    ),
    "exams": (
        st.tuples(_student, st.sampled_from(["mid", "end"]), st.just("maths"), _day),
        st.tuples(st.sampled_from(["60", "70"])),
    ),
}
files_of = {name: st.dictionaries(*row, min_size=2, max_size=5) for name, row in _ROWS.items()}
commands = st.sampled_from(sorted(HEADS)).flatmap(
    lambda table: st.tuples(st.just(table), st.lists(files_of[table], min_size=1, max_size=2))
)


@dataclass
class Loaded:
    """A load as the model knows it: its rows, and what it replaces if it does."""

    number: int
    table: str
    rows: Rows
    replace: bool
    in_scope: Callable[[Key, Row, Model], bool] | None = None
    older: frozenset[int] = frozenset()


@dataclass
class Model:
    """Loads in force, oldest first."""

    loads: list[Loaded] = field(default_factory=list)

    def table(self, name: str) -> Rows:
        """Play the loads of a table one after another."""
        now: dict[Key, tuple[int, Row]] = {}
        for load in self.loads:
            if load.table != name:
                continue
            if load.in_scope is not None:
                for key, (number, row) in list(now.items()):
                    if number in load.older and load.in_scope(key, row, self):
                        del now[key]
            now |= {key: (load.number, row) for key, row in load.rows.items()}
        return {key: row for key, (_, row) in now.items()}

    def school(self, student: str, day: str) -> str | None:
        """Return the school of the newest snapshot not after the day, else of the first."""
        found = sorted(
            (k[1], row[0]) for k, row in self.table("students").items() if k[0] == student
        )
        if not found:
            return None
        before = [school for snapshot, school in found if snapshot <= day]
        return before[-1] if before else found[0][1]

    def scope(self, table: str, rows: Rows) -> Callable[[Key, Row, Model], bool] | None:
        """Return what a replacing file speaks for, as schools are known now; None: no school is."""
        if table == "students":
            schools = {row[0] for row in rows.values()}
            days = {key[1] for key in rows}
            return lambda key, row, now: row[0] in schools and key[1] in days
        at = 1 if table == "attendance" else 3
        known = {self.school(key[0], key[at]) for key in rows} - {None}
        if not known:
            return None
        if table == "exams":
            exams = {(key[1], key[3]) for key in rows}
            return lambda key, row, now: (
                (key[1], key[3]) in exams and now.school(key[0], key[3]) in known
            )
        first, last = min(key[1] for key in rows), max(key[1] for key in rows)
        return lambda key, row, now: first <= key[1] <= last and now.school(key[0], key[1]) in known

    def same(self, table: str, rows: Rows, replace: bool) -> Loaded | None:
        """Return a load that makes this one needless."""
        mine = [load for load in self.loads if load.table == table]
        for load in mine:
            equal = list(load.rows.items()) == list(rows.items()) and load.replace == replace
            if equal and (not replace or load is mine[-1]):
                return load
        return None


class Batches(RuleBasedStateMachine):
    """The program beside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="批次 "))
        self.workspace = Workspace.init(self.folder / "某县")
        self.model = Model()
        self.known: list[tuple[str, list[Rows], bool]] = []
        self.next_number = 1

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def run(self, table: str, files: list[Rows], options: IngestOptions) -> list[FileResult]:
        paths = []
        for n, rows in enumerate(files):
            lines = [HEADS[table], *(",".join((*key, *row)) for key, row in rows.items())]
            paths.append(self.folder / f"{table}-{n}.csv")
            paths[-1].write_text("\n".join(lines) + "\n", "utf-8")
        return ingest(self.workspace, table, paths, options).files

    def load_and_compare(
        self, table: str, files: list[Rows], *, replace: bool, again: bool = False
    ) -> None:
        results = self.run(table, files, IngestOptions(replace=replace, again=again))
        beside: set[int] = set()
        for rows, result in zip(files, results, strict=True):
            same = None if again else self.model.same(table, rows, replace)
            assert result.loaded_before == (same is not None)
            if same is not None:
                beside.add(same.number)
                continue
            scope = self.model.scope(table, rows) if replace else None
            if replace and scope is None:
                assert result.error is not None
                assert "no student of this file is known" in result.error.en
                continue
            assert result.error is None
            older = frozenset(load.number for load in self.model.loads) - beside
            before = self.model.table(table)
            load = Loaded(self.next_number, table, rows, replace, scope, older)
            self.model.loads.append(load)
            assert result.batch == load.number
            assert result.withdrawn == len(before.keys() - self.model.table(table).keys())
            beside.add(load.number)
            self.next_number += 1

    @initialize(registry=files_of["students"])
    def load_a_registry(self, registry: Rows) -> None:
        self.load("students", [registry], replace=False)

    @rule(command=commands, replace=st.sampled_from([True, True, False]))
    def load_files(self, command: tuple[str, list[Rows]], replace: bool) -> None:
        self.load(*command, replace=replace)

    def load(self, table: str, files: list[Rows], *, replace: bool) -> None:
        self.known.append((table, files, replace))
        self.load_and_compare(table, files, replace=replace)

    @rule(data=st.data(), again=st.booleans())
    def load_once_more(self, data: st.DataObject, again: bool) -> None:
        table, files, replace = data.draw(st.sampled_from(self.known))
        self.load_and_compare(table, files, replace=replace, again=again)

    @precondition(lambda self: self.model.loads)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        load = data.draw(st.sampled_from(self.model.loads))
        assert undo(self.workspace, load.number).left == []
        self.model.loads.remove(load)

    @rule(command=commands)
    def try_first(self, command: tuple[str, list[Rows]]) -> None:
        table, files = command
        before = self.model.table(table)
        for rows, result in zip(
            files, self.run(table, files, IngestOptions(dry_run=True, again=True)), strict=True
        ):
            (shown,) = result.preview
            assert shown.new == len(rows.keys() - before.keys())
            assert shown.equal == len(rows.items() & before.items())
            assert shown.changed == len(rows) - shown.new - shown.equal
            assert len(shown.examples) == min(shown.changed, 5)

    @invariant()
    def as_the_model_says(self) -> None:
        assert [b.id for b in read_batches(self.workspace).batches] == [
            load.number for load in self.model.loads
        ]
        with duckdb.connect() as con:
            attach(con, self.workspace)
            for table, heads in HEADS.items():
                columns = ", ".join(
                    f"coalesce(CAST({name} AS VARCHAR), '')"
                    if name != "score"
                    else "CAST(CAST(score AS INTEGER) AS VARCHAR)"
                    for name in heads.split(",")
                )
                found = con.sql(f"SELECT {columns} FROM {table}").fetchall()
                wanted = [key + row for key, row in self.model.table(table).items()]
                assert sorted(found) == sorted(wanted)


TestBatches = Batches.TestCase
TestBatches.settings = settings(
    max_examples=int(os.environ.get("EARLYWARN_EXAMPLES", "5")), stateful_step_count=10
)
