"""Rows in quarantine, mended in their workbook and loaded again: none is lost or comes twice."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from class_sheets import (
    CLASSES,
    EMPTY,
    HOLIDAY,
    SCHOOL,
    SCHOOL_NAME,
    TICKS,
    Style,
    World,
    attendance_books,
    mark_books,
    month_grid,
    xlsx,
)
from earlywarn.cli import ingest as ingest_command
from earlywarn.cli import init as init_command
from earlywarn.forgetting.process import forget
from earlywarn.tables.batches import attach, read_batches
from earlywarn.tables.ingest import FileResult, IngestOptions, ingest
from earlywarn.tables.quarantine import master_path, state, workbook_path
from earlywarn.tables.quarantine.master import (
    About,
    Kept,
    Problem,
    SheetAbout,
    read_about,
    read_rows,
)
from earlywarn.tables.quarantine.returned import Row, read_workbook, rows_of
from earlywarn.tables.quarantine.state import still
from earlywarn.tables.quarantine.workbook import write_workbook
from earlywarn.tables.undo import undo
from earlywarn.workspace import Workspace
from libreoffice import saved_by_libreoffice
from quarantined import all_rows, edit, kept, mend, place_column

BOOKS = 45


MARKS = (
    "student_id,exam,subject,date,score,full_mark\n"
    "0001,期中,语文,2026-11-12,80,100\n"
    "0002,期中,语文,2026-11-32,80,100\n"  # 3: no date
    ",期中,语文,2026-11-12,70,100\n"  # 4: nobody
    "0004,期中,语文,2026-11-12,101,100\n"  # 5: above the full mark
    "0005,期中,语文,2026-11-12,,60,100\n"  # 6: a comma too many
    "0006,期中,语文,2026-11-12,50,100\n"  # 7 and 8: differ
    "0006,期中,语文,2026-11-12,55,100\n"
)


def load(workspace: Workspace, table: str, path: Path, **said: Any) -> FileResult:
    (result,) = ingest(workspace, table, [path], IngestOptions(**said)).files
    return result


def seen(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        attach(con, workspace)
        return con.sql(sql).fetchall()


def scores(workspace: Workspace) -> dict[str, Any]:
    return {one: float(s) for one, s in seen(workspace, "SELECT student_id, score FROM exams")}


@pytest.fixture
def marks(workspace: Workspace, tmp_path: Path) -> Workspace:
    path = tmp_path / "期中.csv"
    path.write_text(MARKS, "utf-8")
    result = load(workspace, "exams", path)
    assert result.error is None
    assert (result.rows_read, result.accepted, result.quarantined) == (7, 1, 6)
    assert result.quarantine == workbook_path(workspace, 1)
    assert result.quarantine.exists()
    return workspace


MENDED = {
    ("3", 4): "2026-11-12",
    ("4", 1): "0003",
    ("5", 5): "10",
    ("6", 5): "60",
    ("6", 6): "100",
    ("6", 7): "",
    ("7", 1): "0007",
}


def test_all_of_a_long_table_mended(marks: Workspace) -> None:
    path = mend(workbook_path(marks, 1), MENDED)
    result = load(marks, "exams", path)
    assert result.error is None
    assert (result.accepted, result.merged, result.quarantined) == (6, 0, 0)
    assert scores(marks) == {
        **{"0001": 80, "0002": 80, "0003": 70, "0004": 10, "0005": 60, "0006": 55, "0007": 50}
    }
    assert not workbook_path(marks, 1).exists()
    assert still(marks, read_batches(marks)) == {}
    assert all_rows(marks) == 7
    (_, batch) = read_batches(marks).batches
    assert batch.origin == "期中.csv (mends batch 1)"


def test_some_mended_and_the_others_as_typed(marks: Workspace) -> None:
    path = mend(workbook_path(marks, 1), {("3", 4): "2026-11-12", ("5", 5): "102"})
    result = load(marks, "exams", path)
    assert (result.accepted, result.quarantined) == (1, 5)
    assert still(marks, read_batches(marks)) == {1: 5}
    assert all_rows(marks) == 7
    sheet = openpyxl.load_workbook(workbook_path(marks, 1)).worksheets[0]
    shown = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert "102" in next(row for row in shown if "0004" in row)
    assert not [row for row in shown if "0002" in row]
    result = load(marks, "exams", mend(path, {("5", 5): "99"}))
    assert (result.accepted, result.quarantined) == (1, 4)


def test_untouched_rows_stay(marks: Workspace) -> None:
    result = load(marks, "exams", workbook_path(marks, 1))
    assert (result.accepted, result.quarantined, result.batch) == (0, 6, None)
    assert len(read_batches(marks).batches) == 1
    again = load(marks, "exams", workbook_path(marks, 1))
    assert (again.accepted, again.quarantined) == (0, 6)


def test_loaded_twice(marks: Workspace, tmp_path: Path) -> None:
    copy = mend(workbook_path(marks, 1), MENDED, tmp_path / "我的.xlsx")
    assert load(marks, "exams", copy).accepted == 6
    second = load(marks, "exams", copy)
    assert second.loaded_before
    assert len(read_batches(marks).batches) == 2


def test_undone_both_ways(marks: Workspace, tmp_path: Path) -> None:
    copy = mend(workbook_path(marks, 1), MENDED, tmp_path / "我的.xlsx")
    load(marks, "exams", copy)
    with pytest.raises(Exception, match="Undo 2 first"):
        undo(marks, 1)
    undo(marks, 2)
    assert scores(marks) == {"0001": 80}
    assert still(marks, read_batches(marks)) == {1: 6}
    assert workbook_path(marks, 1).exists()
    assert load(marks, "exams", copy).accepted == 6
    undo(marks, 3)
    undo(marks, 1)
    assert not list(workbook_path(marks, 1).parent.glob("batch-*"))
    refused = load(marks, "exams", copy)
    assert refused.error is not None
    assert "undone" in refused.error.en


def test_sorted_rows_added_rows_and_deleted_rows(marks: Workspace) -> None:
    def change(book: Any) -> None:
        sheet = book.worksheets[0]
        top, column = place_column(sheet)
        rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=top + 1)]
        rows = [row for row in reversed(rows) if row[column - 1] != "4"]
        for row in rows:
            if row[column - 1] == "3":
                row[3] = "2026-11-12"
        rows.append(["0009", "期中", "语文", "2026-11-12", "88", "100"])
        sheet.delete_rows(top + 1, 99)
        for at, row in enumerate(rows, top + 1):
            for i, text in enumerate(row, 1):
                sheet.cell(at, i).value = text

    result = load(marks, "exams", edit(workbook_path(marks, 1), change))
    assert (result.accepted, result.quarantined) == (1, 5)
    assert any("1 rows have no place" in note.en for note in result.notes)
    assert "0009" not in scores(marks)
    assert all_rows(marks) == 7


@pytest.mark.parametrize(
    ("table", "said", "error"),
    [
        ("attendance", {}, "is a quarantine of exams"),
        ("exams", {"mapping": "cn-registry"}, "contradicts canonical"),
    ],
)
def test_what_contradicts(marks: Workspace, table: str, said: Any, error: str) -> None:
    result = load(marks, table, workbook_path(marks, 1), **said)
    assert result.error is not None
    assert error in result.error.en


def test_another_workspace(marks: Workspace, tmp_path: Path) -> None:
    other = Workspace.init(tmp_path / "别的县")
    result = load(other, "exams", workbook_path(marks, 1))
    assert result.error is not None
    assert "no quarantine of this workspace" in result.error.en


def test_moved_columns_are_refused(marks: Workspace) -> None:
    def change(book: Any) -> None:
        book.worksheets[0].delete_cols(2)

    result = load(marks, "exams", edit(workbook_path(marks, 1), change))
    assert result.error is not None
    assert "columns were changed or moved" in result.error.en


def test_work_that_was_not_loaded_is_kept(marks: Workspace, tmp_path: Path) -> None:
    copy = mend(workbook_path(marks, 1), {("3", 4): "2026-11-12"}, tmp_path / "copy.xlsx")
    mine = mend(workbook_path(marks, 1), {("5", 5): "77"}).read_bytes()
    result = ingest(marks, "exams", [copy], IngestOptions())
    assert any("held changes that were not loaded" in note.en for note in result.notes)
    (aside,) = workbook_path(marks, 1).parent.glob("*.kept-1.xlsx")
    assert aside.read_bytes() == mine
    assert load(marks, "exams", aside).accepted == 1


def test_killed_before_the_workbook_was_written(marks: Workspace) -> None:
    path = mend(workbook_path(marks, 1), MENDED | {("5", 5): "102"})
    mine = path.read_bytes()
    load(marks, "exams", path)
    fine, record = path.read_bytes(), path.with_name("workbooks.json")
    path.write_bytes(mine)
    record.write_text("{}", "utf-8")
    (marks.root / "a.csv").write_text("school_id,name,county\nS,甲,县\n", "utf-8")
    load(marks, "schools", marks.root / "a.csv")
    assert path.read_bytes() == fine
    assert not list(path.parent.glob("*.kept-*"))


def test_dry_run(marks: Workspace) -> None:
    path = mend(workbook_path(marks, 1), MENDED)
    mine = path.read_bytes()
    result = load(marks, "exams", path, dry_run=True)
    assert (result.accepted, result.quarantined) == (6, 0)
    assert result.preview[0].new == 6
    assert path.read_bytes() == mine
    assert len(read_batches(marks).batches) == 1


def test_a_key_that_the_file_has_already(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(MARKS, "utf-8")
    load(workspace, "exams", path)
    result = load(workspace, "exams", mend(workbook_path(workspace, 1), {("5", 1): "0001"}))
    assert (result.accepted, result.quarantined) == (0, 6)
    result = load(
        workspace, "exams", mend(workbook_path(workspace, 1), {("5", 1): "0001", ("5", 5): "9"})
    )
    assert (result.accepted, result.quarantined) == (0, 6)
    assert any("which was loaded" in reason.en for reason in result.reasons)
    assert scores(workspace) == {"0001": 80}


def test_the_worst_status_counts_over_both(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "student_id,date,status\nS1,2026-11-02,unexcused\nS2,2026-11-02,present\n"
        "S1,2026-11-0x,late\nS2,2026-11-0x,late\n",
        "utf-8",
    )
    load(workspace, "attendance", path)
    changes = {("4", 2): "2026-11-02", ("5", 2): "2026-11-02"}
    result = load(workspace, "attendance", mend(workbook_path(workspace, 1), changes))
    assert (result.accepted, result.merged, result.quarantined) == (1, 1, 0)
    found = dict(seen(workspace, "SELECT student_id, status FROM attendance"))
    assert found == {"S1": "unexcused", "S2": "late"}


def test_the_options_of_the_first_load_count(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "名册.csv"
    path.write_text("学籍号,学校标识码,年级,出生日期\n007,A,7,2013-13-01\n", "utf-8")
    said: dict[str, Any] = {"snapshot": date(2026, 9, 1), "mapping": "cn-registry"}
    load(workspace, "students", path, **said, complete=True)
    changes = {("2", 4): "20130101"}
    result = load(workspace, "students", mend(workbook_path(workspace, 1), changes))
    assert result.accepted == 1
    wanted = [("007", date(2026, 9, 1), date(2013, 1, 1))]
    assert seen(workspace, "SELECT student_id, snapshot_date, birth_date FROM students") == wanted
    assert read_batches(workspace).batches[-1].complete == []


def test_a_full_mark_said_with_the_workbook(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("student_id,exam,subject,date,score\nS1,a,语文,2026-11-12,118\n", "utf-8")
    assert load(workspace, "exams", path).quarantined == 1
    book = workbook_path(workspace, 1)
    result = load(workspace, "exams", book, full_mark=Decimal(120))
    assert (result.accepted, result.quarantined) == (1, 0)


@pytest.mark.slow
def test_mended_in_libreoffice(marks: Workspace, tmp_path: Path) -> None:
    (tmp_path / "office").mkdir()
    mine = mend(workbook_path(marks, 1), MENDED, tmp_path / "batch.xlsx")
    (saved,) = saved_by_libreoffice([mine], "xlsx", tmp_path / "office")
    result = load(marks, "exams", saved)
    assert result.error is None
    assert (result.accepted, result.quarantined) == (6, 0)


@pytest.mark.slow
def test_nothing_but_saved_in_libreoffice(workspace: Workspace, tmp_path: Path) -> None:
    """Leading zeros, formulas, apostrophes, line breaks: LibreOffice gives each cell back."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["student_id", "school_id", "grade", "name", "birth_date"])
        for text in NASTY:
            writer.writerow(["007", "=A1", "99", text, "2026-02-30"])
    load(workspace, "students", path, snapshot=date(2026, 9, 1))
    (tmp_path / "office").mkdir()
    book = workbook_path(workspace, 1)
    (saved,) = saved_by_libreoffice([book], "xlsx", tmp_path / "office")
    for file in (book, saved):
        returned = came_back(workspace, file)
        assert len(returned) == len(NASTY)
        for row in returned:
            assert tuple(row.cells) == row.kept.cells
            assert not row.is_touched


NASTY = [
    *("=1+1", "'=1+1", "''x", "'007", "+86", "-5", "@x", "＝1", " =1", "0012", "1e5", "a\nb"),
    *("a\tb", "😀", "_x000D_", "\x01", "\x7f", "a  b", "2026-11-01", "TRUE", "#N/A", "<&>\"'"),
    "长" * 33_000,
]


def came_back(workspace: Workspace, path: Path) -> list[Row]:
    _, grids = read_workbook(path)
    about = read_about(master_path(workspace, 1))
    assert about is not None
    master = list(read_rows(master_path(workspace, 1)))
    now = {row.place: row for row in master if not row.is_frame}
    return list(rows_of(path, grids, about, master, now).rows.values())


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_cell_comes_back_to_the_letter(tmp_path: Path, cells: list[list[str]]) -> None:
    problem = Problem(1, "a", "", "missing", "", 2)
    head = Kept("", 1, 1, True, ("a", "b", "c"))
    rows = [Kept("", n, n, False, tuple(row), (), (problem,)) for n, row in enumerate(cells, 2)]
    about = About(
        batch=1,
        table="students",
        content="c",
        file="a.csv",
        layout="long",
        options={},
        headings=["a", "b", "c"],
        sheets=[SheetAbout(heading=1, width=3)],
    )
    path = tmp_path / "batch-000001.xlsx"
    moment = "2026-11-26T08:00:00+00:00"
    for _ in range(2):
        before = path.read_bytes() if path.exists() else b""
        write_workbook(path, about, [head, *rows], name=path.name, left=0, when=moment, lang="zh")
    assert path.read_bytes() == before  # the same rows, the same bytes
    _, grids = read_workbook(path)
    found = rows_of(path, grids, about, [head, *rows], {row.place: row for row in rows})
    assert [tuple(row.cells) for row in found.rows.values()] == [tuple(row) for row in cells]
    assert not any(row.is_touched for row in found.rows.values())
    path.unlink()


# --- class sheets --------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def school(workspace: Workspace, tmp_path: Path, world: World) -> Workspace:
    lines = ["student_id,name,school_id,grade,class_id,snapshot_date"]
    grade = {"七": "7", "八": "8"}
    lines += [
        f"{c.student_id},{c.name},{SCHOOL},{grade[c.class_id[0]]},{c.class_id},2026-09-01"
        for c in world.children
    ]
    (tmp_path / "students.csv").write_text("\n".join(lines), "utf-8")
    assert load(workspace, "students", tmp_path / "students.csv").accepted == 18
    return workspace


def month(tmp_path: Path, world: World, style: Style, change: dict[tuple[int, int], str]) -> Path:
    grid = month_grid(world, CLASSES[0], style)
    for (row, column), cell in change.items():
        grid[row - 1][column - 1] = cell
    return xlsx(tmp_path / "2026年11月 七年级1班 考勤.xlsx", {"七1": grid})


def attendance(workspace: Workspace) -> set[tuple[Any, ...]]:
    sql = "SELECT student_id, date, coalesce(session, ''), status FROM attendance"
    return set(seen(workspace, sql))


WIDE: dict[str, Any] = {"mapping": "cn-class-sheet"}


@pytest.mark.parametrize("signs", [TICKS, EMPTY])
def test_a_month_sheet(
    school: Workspace, tmp_path: Path, world: World, signs: dict[str, str]
) -> None:
    """A name mistyped, a child twice, a sign unknown, a row of nobody: the month comes in."""
    style = Style(signs)
    grid = month_grid(world, CLASSES[0], style)
    day = 3 + world.days[1].day - 1
    was = grid[5][day]
    # Where presence has no sign, an unknown one may be it, so that a day may be nobody's.
    unknown = "？" if signs is TICKS else str(was)
    changes = {(4, 2): "王名", (5, 2): "张三", (6, day + 1): unknown, (7, 2): ""}
    first = load(school, "attendance", month(tmp_path, world, style, changes), **WIDE)
    assert first.error is None
    one = world.of(CLASSES[0])
    book = workbook_path(school, 2)
    sheet = openpyxl.load_workbook(book)["七1"]
    top, column = place_column(sheet)
    number = column - 1
    assert sheet.cell(top, number).value == "学籍号"
    mended = {
        ("七1!4", number): one[0].student_id,
        ("七1!5", number): one[1].student_id,
        ("七1!7", 2): one[3].name,
    }
    if signs is TICKS:
        mended["七1!6", day + 1] = str(was)
    result = load(school, "attendance", mend(book, mended))
    assert result.error is None
    assert result.quarantined == 0, result.reasons
    assert {row for row in attendance(school) if row[1] != HOLIDAY} == world.long(one)
    assert not book.exists()
    undo(school, 3)
    assert book.exists()


def test_a_day_that_was_corrected_since_stays(
    school: Workspace, tmp_path: Path, world: World
) -> None:
    """Of a row with one unknown sign only that sign is new."""
    day = world.days[1]
    path = month(tmp_path, world, Style(TICKS), {(6, 2 + day.day): "？"})
    child = world.of(CLASSES[0])[2].student_id
    load(school, "attendance", path, **WIDE)
    (tmp_path / "fix.csv").write_text(
        f"student_id,date,status\n{child},{world.days[0]},late\n", "utf-8"
    )
    load(school, "attendance", tmp_path / "fix.csv")
    book = workbook_path(school, 2)
    result = load(school, "attendance", mend(book, {("七1!6", 2 + day.day): "病"}))
    assert (result.accepted, result.quarantined) == (1, 0)
    found = {row[1]: row[3] for row in attendance(school) if row[0] == child}
    assert found[world.days[0]] == "late"
    assert found[day] == "sick"


def test_a_pupil_mended_in_part_stays(school: Workspace, tmp_path: Path, world: World) -> None:
    day = 3 + world.days[1].day
    path = month(tmp_path, world, Style(TICKS), {(4, 2): "王名", (4, day): "？"})
    load(school, "attendance", path, **WIDE)
    one = world.of(CLASSES[0])
    book, before = workbook_path(school, 2), attendance(school)
    result = load(school, "attendance", mend(book, {("七1!4", 2): one[0].name}))
    assert (result.accepted, result.quarantined) == (0, 1)
    assert attendance(school) == before
    assert "“？”" in str(result.reasons)
    result = load(school, "attendance", mend(book, {("七1!4", day): "病"}))
    assert result.quarantined == 0
    assert len(attendance(school)) == len(world.long(one))


def test_another_childs_number_is_a_conflict(
    school: Workspace, tmp_path: Path, world: World
) -> None:
    path = month(tmp_path, world, Style(TICKS), {(4, 2): "王名"})
    load(school, "attendance", path, **WIDE)
    one = world.of(CLASSES[0])
    book, before = workbook_path(school, 2), attendance(school)
    result = load(school, "attendance", mend(book, {("七1!4", 2): one[1].name}))
    assert result.quarantined == 1
    assert attendance(school) == before


@pytest.mark.parametrize("number", range(0, BOOKS, 5))
def test_every_kind_of_sheet_comes_in_once_the_registry_is_there(
    workspace: Workspace, tmp_path: Path, world: World, number: int
) -> None:
    """Nobody is known at first: the workbook is loaded as it stands once the registry is."""
    (tmp_path / "books").mkdir()
    book = [*attendance_books(tmp_path / "books", world), *mark_books(tmp_path / "books", world)][
        number
    ]
    schools = tmp_path / "schools.csv"
    schools.write_text(f"school_id,name,county\n{SCHOOL},{SCHOOL_NAME},某县\n", "utf-8")
    load(workspace, "schools", schools)
    first = load(workspace, book.table, book.path, **WIDE, **book.options)
    if first.error is not None or not first.quarantined:
        pytest.skip("names its children by number")
    lines = ["student_id,name,school_id,grade,class_id,snapshot_date"]
    grade = {"七": "7", "八": "8"}
    lines += [
        f"{c.student_id},{c.name},{SCHOOL},{grade[c.class_id[0]]},{c.class_id},2026-09-01"
        for c in world.children
    ]
    (tmp_path / "students.csv").write_text("\n".join(lines), "utf-8")
    load(workspace, "students", tmp_path / "students.csv")
    result = load(workspace, book.table, workbook_path(workspace, 2))
    assert result.error is None
    assert result.quarantined == book.quarantined, result.reasons
    if book.table == "attendance":
        assert attendance(workspace) == book.rows
    else:
        found = seen(workspace, "SELECT student_id, date, exam, subject, score FROM exams")
        wanted = {(*row[:4], float(row[4]) if row[4] else None) for row in book.rows}
        assert {(*r[:4], float(r[4]) if r[4] is not None else None) for r in found} == wanted


def test_a_mark_sheet(school: Workspace, tmp_path: Path, world: World) -> None:
    """A name mistyped, a score that is none; the other subjects stay as they were."""
    one = world.of(CLASSES[0])
    rows = [["姓名", "语文", "数学"]]
    rows += [[c.name, str(80 + n), str(60 + n)] for n, c in enumerate(one)]
    rows[1][0], rows[2][1] = "王名", "八十一"
    path = xlsx(tmp_path / "七年级1班 期中考试 2026-11-12.xlsx", {"七1": rows})
    first = load(school, "exams", path, **WIDE)
    assert first.error is None
    assert (first.accepted, first.quarantined) == (9, 2)
    book = workbook_path(school, 2)
    mended = {("七1!2", 4): one[0].student_id, ("七1!3", 2): "81"}
    result = load(school, "exams", mend(book, mended))
    assert (result.accepted, result.quarantined) == (3, 0), result.reasons
    found = seen(school, "SELECT student_id, subject, score FROM exams")
    assert {(one_, subject, int(score)) for one_, subject, score in found} == {
        (child.student_id, subject, first + n)
        for n, child in enumerate(one)
        for subject, first in (("chinese", 80), ("maths", 60))
    }


def test_half_days_in_two_rows(school: Workspace, tmp_path: Path, world: World) -> None:
    one = world.of(CLASSES[0])
    days = [str(day) for day in range(2, 7)]
    rows = [["姓名", "时段", *days]]
    for child in one[:3]:
        rows += [[child.name, "上午", *"√√√√√"], ["", "下午", *"√√○√√"]]
    rows[3][0] = "李花"
    rows[4][3] = "？"
    path = xlsx(tmp_path / "七年级1班 2026年11月.xlsx", {"七1": rows})
    first = load(school, "attendance", path, **WIDE)
    assert (first.accepted, first.quarantined) == (20, 1), first.error
    book = workbook_path(school, 2)
    result = load(school, "attendance", mend(book, {("七1!4", 1): one[1].name}))
    assert (result.accepted, result.quarantined) == (0, 1)
    result = load(school, "attendance", mend(book, {("七1!5", 4): "退"}))
    assert (result.accepted, result.quarantined) == (10, 0), result.reasons
    found = {(d.day, s): status for c, d, s, status in attendance(school) if c == one[1].student_id}
    assert found[3, "pm"] == "left_early"
    assert found[4, "pm"] == "sick"
    assert len(found) == 10


def test_an_xlsx_registry_with_error_cells(workspace: Workspace, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["某校名册"])
    sheet.append(["student_id", "school_id", "grade", "name", "birth_date"])
    sheet.append(["S1", "A", 7, "#N/A", "#REF!"])
    sheet.append(["S2", "A", 7, "乙", "2013-02-30"])
    sheet["D3"].data_type = sheet["E3"].data_type = "e"
    path = tmp_path / "名册.xlsx"
    book.save(path)
    load(workspace, "students", path, snapshot=date(2026, 9, 1))
    mended = workbook_path(workspace, 1)
    # One error cell mended of two: the row stays.
    result = load(workspace, "students", mend(mended, {("3", 4): "甲", ("4", 5): "2013-02-03"}))
    assert (result.accepted, result.quarantined) == (1, 1)
    result = load(workspace, "students", mend(mended, {("3", 5): "2013-02-04"}))
    assert (result.accepted, result.quarantined) == (1, 0), result.reasons
    found = seen(workspace, "SELECT student_id, name, birth_date FROM students ORDER BY ALL")
    assert found == [("S1", "甲", date(2013, 2, 4)), ("S2", "乙", date(2013, 2, 3))]


def test_a_short_row_that_is_right_as_it_stands(workspace: Workspace, tmp_path: Path) -> None:
    """Its reason emptied, it counts as it stands; untouched it does not."""
    path = tmp_path / "a.csv"
    path.write_text("student_id,date,status,session\nS1,2026-11-02,late\n", "utf-8")
    load(workspace, "attendance", path)
    book = workbook_path(workspace, 1)
    assert load(workspace, "attendance", book).quarantined == 1
    result = load(workspace, "attendance", mend(book, {("2", 6): ""}))
    assert (result.accepted, result.quarantined) == (1, 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["S1", "S2", "S3", ""]),
            st.sampled_from(["2026-11-02", "2026-11-03", "x"]),
            st.sampled_from(["late", "sick", "?"]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.data(),
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("lost")
    workspace = Workspace.init(folder / "w")
    path = folder / "a.csv"
    lines = ["student_id,date,status", *map(",".join, rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    load(workspace, "attendance", path)
    for _ in range(2):
        left = still(workspace, read_batches(workspace)).get(1, 0)
        assert all_rows(workspace) == len(rows)
        if not left:
            return
        master = read_rows(master_path(workspace, 1))
        bad = [row for row in master if not row.is_frame]
        sheet = openpyxl.load_workbook(workbook_path(workspace, 1)).worksheets[0]
        there = {str(cell.value) for row in sheet for cell in row}
        some = [row for row in bad if row.place in there and data.draw(st.booleans())]
        good = ("S9", "2026-11-02", "late")
        changes = {(row.place, at): text for row in some for at, text in enumerate(good, 1)}
        result = load(workspace, "attendance", mend(workbook_path(workspace, 1), changes))
        assert result.error is None
        assert all_rows(workspace) == len(rows)
    if read_batches(workspace).batches[-1].mends is not None:
        undo(workspace, read_batches(workspace).batches[-1].id)
        assert all_rows(workspace) == len(rows)


@pytest.mark.slow
def test_more_rows_than_a_workbook_shows(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 1_000  # of 20,000, which take half a minute
    monkeypatch.setattr(state, "MOST_ROWS", most)
    path, count = tmp_path / "a.csv", most + 50
    lines = "".join(f"S{n},2026-11-32,late\n" for n in range(count))
    path.write_text(f"student_id,date,status\n{lines}", "utf-8")
    assert load(workspace, "attendance", path).quarantined == count
    sheet = openpyxl.load_workbook(workbook_path(workspace, 1), read_only=True).worksheets[0]
    shown = [row[0] for row in sheet.iter_rows(values_only=True)]
    assert "另有 50 行" in str(shown[2])
    assert sum(str(text).startswith("S") for text in shown) == most
    result = load(
        workspace, "attendance", mend(workbook_path(workspace, 1), {("2", 2): "2026-11-12"})
    )
    assert (result.accepted, result.quarantined) == (1, count - 1)


def test_a_forgotten_child_is_not_mended_back(marks: Workspace, tmp_path: Path) -> None:
    copy = mend(workbook_path(marks, 1), MENDED, tmp_path / "mine.xlsx")
    forget(marks, "0002", who="t")
    assert {row.cells[0] for row in kept(marks)} == {"", "0004", "0005", "0006"}
    assert still(marks, read_batches(marks)) == {1: 5}
    result = load(marks, "exams", copy)
    assert result.error is None
    assert "0002" not in scores(marks)
    assert result.quarantined == 0


def test_the_command_says_what_to_do(marks: Workspace) -> None:
    app = typer.Typer()
    ingest_command.register(app)
    init_command.register(app)

    def run(*arguments: str | Path) -> tuple[int, str]:
        said = CliRunner().invoke(
            app, ["ingest", *map(str, arguments), "-w", str(marks.root), "--lang", "en"]
        )
        return said.exit_code, said.output

    book = mend(workbook_path(marks, 1), {("3", 4): "2026-11-12"})
    code, said = run("exams", book)
    assert code == 3
    assert "1 accepted, 5 quarantined (batch 2, mends batch 1)" in said
    assert f'then run: earlywarn ingest exams "{book}"' in said
    code, said = run("--list", "--json")
    left = [one["in_quarantine"] for one in json.loads(said)]
    assert (code, left) == (0, [5, 0])
    code, said = run("--undo", "1")
    assert (code, "Undo 2 first" in said) == (1, True)
    assert run("--undo", "2")[0] == 0
    assert [one["in_quarantine"] for one in json.loads(run("--list", "--json")[1])] == [6]


def test_children_by_number_alone(school: Workspace, tmp_path: Path, world: World) -> None:
    """A sheet without names; the row without a number is mended by typing it."""
    one = world.of(CLASSES[0])
    rows = [["序号", "学籍号", "语文"], *([str(n), c.student_id, "80"] for n, c in enumerate(one))]
    rows[1][1] = ""
    rows[2][1] = one[2].student_id  # twice
    path = xlsx(tmp_path / "七年级1班 期中考试 2026-11-12.xlsx", {"七1": rows})
    first = load(school, "exams", path, **WIDE)
    assert first.error is None
    assert (first.accepted, first.quarantined) == (3, 3)
    changes = {("七1!2", 2): one[0].student_id, ("七1!3", 2): one[1].student_id}
    result = load(school, "exams", mend(workbook_path(school, 2), changes))
    assert (result.accepted, result.quarantined) == (3, 0), result.reasons
    assert scores(school) == {child.student_id: 80 for child in one}
