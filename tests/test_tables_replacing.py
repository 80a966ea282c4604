"""`--replace`: which earlier rows a file takes out, for each table by hand; `--dry-run` says so."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from earlywarn.cli import ingest as ingest_command
from earlywarn.errors import UsageError
from earlywarn.followup.labels import ORIGIN
from earlywarn.tables.batches import add_batch, attach, data_fingerprint, read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.tables.ingest import FileResult, IngestOptions, ingest
from earlywarn.tables.undo import undo
from earlywarn.workspace import Workspace

REPLACE = IngestOptions(replace=True)
PUPILS = """student_id,school_id,grade,snapshot_date
A1,A,7,2026-09-01
A2,A,7,2026-09-01
B1,B,7,2026-09-01
AB,A,7,2026-09-01
AB,B,7,2026-11-03
"""


def load(
    workspace: Workspace, table: str, text: str, options: IngestOptions | None = None
) -> FileResult:
    path = workspace.root.parent / f"{table}.csv"
    path.write_text(text, "utf-8")
    (result,) = ingest(workspace, table, [path], options).files
    return result


def seen(workspace: Workspace, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        attach(con, workspace)
        return con.sql(f"{query} ORDER BY ALL").fetchall()


def marked(workspace: Workspace) -> list[str]:
    """Each row of attendance as student, day of the month, status."""
    query = "SELECT student_id, day(date), status FROM attendance"
    return [" ".join(map(str, row)) for row in seen(workspace, query)]


def days(*rows: str) -> str:
    """Rows written as `A1 2 late`: student, day of November 2026, status."""
    lines = [row.split() for row in rows]
    cells = [f"{who},2026-11-{int(day):02},{status}" for who, day, status in lines]
    return "\n".join(["student_id,date,status", *cells]) + "\n"


@pytest.fixture
def county(workspace: Workspace) -> Workspace:
    """Two schools, and a child that goes over from A to B on 3 November."""
    assert load(workspace, "students", PUPILS).accepted == 5
    return workspace


def test_attendance_of_the_files_schools_between_its_dates(county: Workspace) -> None:
    before = ["A1 2 late", "A1 5 late", "A2 3 sick", "AB 2 late", "AB 3 late", "B1 3 late"]
    load(county, "attendance", days(*before, "X 3 late"))
    fingerprint = data_fingerprint(county)
    result = load(county, "attendance", days("A1 2 leave", "A1 4 late"), REPLACE)
    # A's: A2 on the 3rd, AB while still there. Not: A1 on the 5th, AB at B, an unknown child.
    assert marked(county) == [
        *("A1 2 leave", "A1 4 late", "A1 5 late", "AB 3 late", "B1 3 late", "X 3 late"),
    ]
    assert (result.replaced, result.withdrawn) == (1, 2)
    assert read_batches(county).batches[-1].withdrawn == 2
    assert "A: 2 rows in the file, 2 withdrawn" in " ".join(note.en for note in result.notes)
    assert data_fingerprint(county) != fingerprint
    undo(county, 3)
    assert marked(county) == sorted([*before, "X 3 late"])
    assert data_fingerprint(county) == fingerprint


def test_what_is_replaced_is_part_of_the_datas_fingerprint(tmp_path: Path) -> None:
    """The same rows in the same order, once with --replace and once without."""
    found = []
    for name, options in (("a", None), ("b", REPLACE)):
        workspace = Workspace.init(tmp_path / name)
        load(workspace, "students", PUPILS)
        load(workspace, "attendance", days("A1 2 late", "A2 2 late"))
        load(workspace, "attendance", days("A1 2 leave"), options)
        found.append((data_fingerprint(workspace), len(marked(workspace))))
    assert [rows for _, rows in found] == [2, 1]
    assert found[0][0]["attendance"] != found[1][0]["attendance"]
    assert [f for f in found[1][0]["attendance"] if isinstance(f, str)] == found[0][0]["attendance"]


def test_undoing_what_was_replaced_and_what_came_after(county: Workspace) -> None:
    load(county, "attendance", days("A1 2 late", "A2 2 late"))
    load(county, "attendance", days("A1 2 sick"), REPLACE)
    load(county, "attendance", days("A2 2 leave"))
    assert marked(county) == ["A1 2 sick", "A2 2 leave"]
    undo(county, 2)
    assert marked(county) == ["A1 2 sick", "A2 2 leave"]
    undo(county, 3)
    assert marked(county) == ["A2 2 leave"]


def test_files_of_one_command_stand_beside_each_other(county: Workspace, tmp_path: Path) -> None:
    load(county, "attendance", days("A1 2 late", "A2 2 late", "AB 2 late"))
    paths = [tmp_path / "class 1.csv", tmp_path / "class 2.csv"]
    for path, row in zip(paths, ("A1 2 sick", "A2 2 sick"), strict=True):
        path.write_text(days(row), "utf-8")
    ingest(county, "attendance", paths, REPLACE)
    assert marked(county) == ["A1 2 sick", "A2 2 sick"]
    # One of them corrected, the other one the same: the command as a whole is what counts.
    paths[1].write_text(days("A2 2 leave"), "utf-8")
    ingest(county, "attendance", paths, REPLACE)
    assert marked(county) == ["A1 2 sick", "A2 2 leave"]


def test_the_same_replacing_file_again(county: Workspace) -> None:
    load(county, "attendance", days("A1 2 late"), REPLACE)
    assert load(county, "attendance", days("A1 2 late"), REPLACE).loaded_before
    load(county, "attendance", days("A2 2 late"))
    assert not load(county, "attendance", days("A1 2 late"), REPLACE).loaded_before
    assert marked(county) == ["A1 2 late"]


def test_nothing_is_replaced_where_a_row_is_in_quarantine(county: Workspace) -> None:
    load(county, "attendance", days("A1 2 late", "A2 2 late"))
    result = load(county, "attendance", days("A1 2 leave", "A2 2 nonsense"), REPLACE)
    assert "--replace was not applied" in " ".join(note.en for note in result.notes)
    assert marked(county) == ["A1 2 leave", "A2 2 late"]


def test_schools_must_be_known(workspace: Workspace, county: Workspace) -> None:
    refused = load(county, "attendance", days("X 2 late"), REPLACE)
    assert refused.error is not None
    assert "Load students first" in refused.error.en
    partly = load(county, "attendance", days("X 2 late", "A1 2 late"), REPLACE)
    assert "1 students are not known yet" in " ".join(note.en for note in partly.notes)
    empty = load(county, "attendance", "student_id,date,status\n", REPLACE)
    assert "takes nothing out" in " ".join(note.en for note in empty.notes)


def test_exams_of_the_files_names_and_dates(county: Workspace) -> None:
    head = "student_id,exam,subject,date,score\n"
    old = [
        *("A1,mid,maths,2026-11-02,50", "A2,mid,english,2026-11-02,50"),
        *("A2,mid,maths,2026-11-05,50", "A2,end,maths,2026-11-02,50", "B1,mid,maths,2026-11-02,50"),
    ]
    load(county, "exams", head + "\n".join(old))
    load(county, "exams", head + "A1,mid,maths,2026-11-02,60\n", REPLACE)
    query = "SELECT student_id, exam, subject, day(date), score::INT FROM exams"
    assert seen(county, query) == [
        ("A1", "mid", "maths", 2, 60),
        ("A2", "end", "maths", 2, 50),
        ("A2", "mid", "maths", 5, 50),
        ("B1", "mid", "maths", 2, 50),
    ]


def test_students_of_the_files_schools_and_snapshot_dates(county: Workspace) -> None:
    complete = IngestOptions(complete=True, snapshot=date(2026, 9, 1))
    load(county, "students", "student_id,school_id,grade\nA1,A,7\nA9,A,7\n", complete)
    assert seen(county, "FROM complete_registries") == [("A", date(2026, 9, 1))]
    head = "student_id,school_id,grade,snapshot_date\n"
    load(county, "students", head + "A1,A,8,2026-09-01\n", REPLACE)
    assert seen(
        county, "SELECT student_id, school_id, grade, month(snapshot_date) FROM students"
    ) == [
        ("A1", "A", 8, 9),
        ("AB", "B", 7, 11),
        ("B1", "B", 7, 9),
    ]
    # Whether that shorter registry names everybody, nobody has said.
    assert seen(county, "FROM complete_registries") == []
    undo(county, 3)
    assert seen(county, "FROM complete_registries") == [("A", date(2026, 9, 1))]


def test_outcomes_but_the_ledgers(county: Workspace) -> None:
    confirmed = {"student_id": "A2", "date": date(2026, 11, 3), "event": "dropped_out"}
    rows = pa.Table.from_pylist([confirmed], TABLES["outcomes"].schema)
    with county.lock("test"):
        add_batch(county, {"outcomes": rows}, origin=ORIGIN, content="1")
    head = "student_id,date,event\n"
    load(county, "outcomes", head + "A1,2026-11-03,dropped_out\nB1,2026-11-03,transferred\n")
    load(
        county,
        "outcomes",
        head + "A1,2026-11-02,suspected\nAB,2026-11-02,abroad\nA1,2026-11-04,returned\n",
        REPLACE,
    )
    assert seen(county, "SELECT student_id, day(date), event FROM outcomes") == [
        ("A1", 2, "suspected"),
        ("A1", 4, "returned"),
        ("A2", 3, "dropped_out"),
        ("AB", 2, "abroad"),
        ("B1", 3, "transferred"),
    ]


def test_totals_of_periods_within_the_files(county: Workspace) -> None:
    head = "student_id,from,to,days_absent,school_days\n"
    old = ["A1,2026-09-01,2027-01-31", "A1,2027-02-01,2027-06-30", "A2,2026-09-01,2026-10-31"]
    load(county, "attendance_totals", head + "".join(f"{row},1,20\n" for row in old))
    new = ["A1,2026-09-01,2026-10-31", "A1,2026-11-01,2027-01-31"]
    load(county, "attendance_totals", head + "".join(f"{row},2,20\n" for row in new), REPLACE)
    found = seen(county, 'SELECT student_id, "from", "to" FROM attendance_totals')
    assert [f"{who},{first},{last}" for who, first, last in found] == [*new, old[1]]


def test_calendar_and_reported_days_by_their_own_school(county: Workspace) -> None:
    head = "date,school_id,is_school_day\n"
    old = ["2026-11-02,,1", "2026-11-03,,1", "2026-11-03,A,0", "2026-11-09,,1"]
    load(county, "calendar", head + "\n".join(old))
    load(county, "calendar", head + "2026-11-02,,0\n2026-11-04,,1\n", REPLACE)
    assert seen(county, "SELECT day(date), school_id, is_school_day FROM calendar") == [
        (2, None, False),
        (3, "A", False),
        (4, None, True),
        (9, None, True),
    ]
    head = "school_id,class_id,date\n"
    load(county, "reported_days", head + "A,1,2026-11-03\nA,,2026-11-05\nB,,2026-11-03\n")
    load(county, "reported_days", head + "A,,2026-11-02\nA,,2026-11-04\n", REPLACE)
    assert seen(county, "SELECT school_id, class_id, day(date) FROM reported_days") == [
        ("A", None, 2),
        ("A", None, 4),
        ("A", None, 5),
        ("B", None, 3),
    ]


def test_schools_have_nothing_to_replace(county: Workspace) -> None:
    with pytest.raises(UsageError, match="--undo the batch"):
        ingest(county, "schools", [], REPLACE)


def test_a_dry_run_shows_what_would_change_but_nobodys_name(county: Workspace) -> None:
    head = "student_id,snapshot_date,school_id,grade,name,guardian_phone,distance_km\n"
    load(
        county, "students", head + "C1,2026-09-01,C,7,甲乙,13800000000,1.5\nC2,2026-09-01,C,7,,,\n"
    )
    path = county.root.parent / "new.csv"
    path.write_text(
        head
        + "C1,2026-09-01,C,8,丙丁,13911111111,2\nC3,2026-09-01,C,7,戊,,\nB1,2026-09-01,B,7,,,\n",
        "utf-8",
    )
    app = typer.Typer()
    ingest_command.register(app)
    words = ["students", str(path), "-w", str(county.root), "--dry-run", "--replace"]
    said = CliRunner().invoke(app, [*words, "--lang", "en"])
    assert said.exit_code == 0
    for line in (
        "  students: 1 new, 1 changed, 1 equal, 1 earlier rows withdrawn",
        "    changed by column: name 1, grade 1, distance_km 1, guardian_phone 1",
        "    - student_id=C1 snapshot_date=2026-09-01: name (not shown); grade 7 -> 8; "
        "distance_km 1.5 -> 2; guardian_phone (not shown)",
        "    - student_id=C2 snapshot_date=2026-09-01: withdrawn",
    ):
        assert line in said.output.splitlines()
    shown = CliRunner().invoke(app, [*words, "--json"]).output
    for personal in ("甲", "丙", "戊", "138", "139"):
        assert personal not in said.output + shown
    (preview,) = json.loads(shown)["files"][0]["preview"]
    assert preview["columns"] == {"name": 1, "grade": 1, "distance_km": 1, "guardian_phone": 1}
    assert preview["examples"][0]["changes"][1] == {
        "column": "grade",
        "old": "7",
        "new": "8",
        "is_shown": True,
    }
    assert len(read_batches(county).batches) == 2
