"""Class sheets: a column a day, a column a subject, and who is it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from class_sheets import (
    CHINESE,
    CLASSES,
    EMPTY,
    EXAM,
    EXAM_DAY,
    KINDS,
    OWN,
    SAVED,
    SCHOOL,
    SCHOOL_NAME,
    TICKS,
    Book,
    Style,
    World,
    attendance_books,
    identity,
    mark_books,
    marks_grid,
    month_grid,
    saved_books,
    xls,
    xlsx,
)
from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.tables.ingest import FileResult, IngestOptions, ingest
from earlywarn.tables.wide import titles
from earlywarn.tables.wide.children import has_check_digit, name_key
from earlywarn.workspace import Workspace
from quarantined import lines_of

BOOKS = 45


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory, world: World) -> Workspace:
    """A workspace with the world's registry and schools; to be read only."""
    return registered(tmp_path_factory.mktemp("registered") / "某县", world)


@pytest.fixture
def workspace(county: Workspace, tmp_path: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(county.root, tmp_path / "某县")))


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory, world: World) -> list[Book]:
    folder = tmp_path_factory.mktemp("books")
    return [*attendance_books(folder, world), *mark_books(folder, world)]


@pytest.fixture(scope="module")
def saved(
    request: pytest.FixtureRequest, books: list[Book], tmp_path_factory: pytest.TempPathFactory
) -> list[Book]:
    """The books that LibreOffice saved as the kind that the test asks for."""
    return saved_books(books, request.param, tmp_path_factory.mktemp(request.param))


def registered(root: Path, world: World) -> Workspace:
    """Make a workspace with the world's registry and schools."""
    workspace = Workspace.init(root)
    heads = ["student_id", "name", "school_id", "grade", "class_id", "snapshot_date"]
    grades = {"七年级1班": 7, "七年级2班": 7, "八年级1班": 8}
    registry = [
        [c.student_id, c.name, SCHOOL, grades[c.class_id], c.class_id, "2026-09-01"]
        for c in world.children
    ]
    schools = [[SCHOOL, SCHOOL_NAME, "某县"], ["0048", SCHOOL_NAME + "附属小学", "某县"]]
    for table, rows in (
        ("students", [heads, *registry]),
        ("schools", [["school_id", "name", "county"], *schools]),
    ):
        path = root.parent / f"{table}.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(rows)
        (result,) = ingest(workspace, table, [path]).files
        assert result.accepted == len(rows) - 1
    return workspace


def load(workspace: Workspace, table: str, path: Path, **options: Any) -> FileResult:
    said = IngestOptions(mapping="cn-class-sheet", **options)
    (result,) = ingest(workspace, table, [path], said).files
    return result


def rows_of(workspace: Workspace, table: str) -> set[tuple[Any, ...]]:
    columns = {
        "attendance": "student_id, date, coalesce(session, ''), status",
        "exams": "student_id, date, exam, subject, score",
    }
    con = connect(workspace)
    try:
        return set(con.execute(f"SELECT {columns[table]} FROM {table}").fetchall())
    finally:
        con.close()


def as_numbers(rows: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    return {(*row[:4], float(row[4]) if row[4] not in (None, "") else None) for row in rows}


def test_there_are_enough_ways_of_keeping_a_sheet(books: list[Book]) -> None:
    assert len(books) == BOOKS


@pytest.mark.parametrize("number", range(BOOKS))
def test_a_sheet_gives_exactly_the_rows_it_came_from(
    workspace: Workspace, books: list[Book], number: int
) -> None:
    gives_its_rows(workspace, books[number])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SAVED)))
@pytest.mark.parametrize("saved", KINDS, indirect=True)
def test_saved_by_libreoffice_it_gives_the_same_rows(
    workspace: Workspace, saved: list[Book], number: int
) -> None:
    gives_its_rows(workspace, saved[number])


def gives_its_rows(workspace: Workspace, book: Book) -> None:
    result = load(workspace, book.table, book.path, **book.options)
    assert result.error is None, f"{book.path.name}: {result.error}"
    found = rows_of(workspace, book.table)
    wanted = book.rows
    if book.table == "exams":
        found, wanted = as_numbers(found), as_numbers(wanted)
    assert found == wanted, book.path.name
    assert (result.accepted, result.quarantined) == (len(wanted), book.quarantined)


def month(tmp_path: Path, world: World, style: Style, change: dict[tuple[int, int], Any]) -> Path:
    """Write a month with some cells (row, column; from 1) changed."""
    grid = month_grid(world, CLASSES[0], style)
    for (row, column), cell in change.items():
        grid[row - 1][column - 1] = cell
    return xlsx(tmp_path / "考勤.xlsx", {"七1": grid})


def codes(result: FileResult) -> list[tuple[str, str]]:
    """Return place and the first word of the English reason of every quarantined cell."""
    return [(line["row"], line["reason_en"]) for line in lines_of(result)]


def test_what_cannot_be_known_goes_to_quarantine_with_sheet_and_cell(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    path = month(
        tmp_path,
        world,
        Style(TICKS),
        {
            (4, 2): "王名",  # nobody of this name
            (5, 2): "张三",  # twice in this sheet
            (6, 5): "？",  # no known sign
            (7, 2): "",  # signs and no name
        },
    )
    result = load(workspace, "attendance", path)
    found = dict(codes(result))
    assert set(found) == {"七1!B4", "七1!B5", "七1!B8", "七1!E6", "七1!B7"}
    assert "nobody of this name" in found["七1!B4"]
    assert "row 8 is about the same child" in found["七1!B5"]
    assert "unknown code" in found["七1!E6"]
    assert "names nobody" in found["七1!B7"]
    assert "王名" not in str(result.reasons)  # names stay out of messages
    whole = [child for child in world.of(CLASSES[0]) if child.name == "Anna Li"]
    assert world.long(whole) <= rows_of(workspace, "attendance")


def test_who_was_in_the_class_a_year_ago_is_no_candidate(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    path = tmp_path / "last year.csv"
    path.write_text(
        "student_id,name,school_id,grade,class_id,snapshot_date\n"
        f"G9,王明,{SCHOOL},7,七（1）班,2025-09-01\n",
        encoding="utf-8",
    )
    assert ingest(workspace, "students", [path]).files[0].accepted == 1
    result = load(workspace, "attendance", month(tmp_path, world, Style(TICKS), {}))
    assert result.quarantined == 0
    assert rows_of(workspace, "attendance") == world.long(world.of(CLASSES[0]))


def test_a_heading_beside_the_weekdays_is_no_child(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    """星期 under the names, and 天数 under 缺勤 behind the last day: that row is the weekdays'."""
    grid = month_grid(world, CLASSES[0], Style(TICKS, notes=False))
    grid[2][1:] = ["星期", *grid[2][2:], "天数"]
    result = load(workspace, "attendance", xlsx(tmp_path / "考勤.xlsx", {"七1": grid}))
    assert result.quarantined == 0
    assert rows_of(workspace, "attendance") == world.long(world.of(CLASSES[0]))


def test_two_children_of_one_name_are_both_named(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    path = tmp_path / "twin.csv"
    path.write_text(
        "student_id,name,school_id,grade,class_id,snapshot_date\n"
        f"G9,王明,{SCHOOL},7,七（1）班,2026-09-01\n",
        encoding="utf-8",
    )
    ingest(workspace, "students", [path])
    result = load(workspace, "attendance", month(tmp_path, world, Style(TICKS), {}))
    ((place, why),) = codes(result)
    first = world.children[0].student_id
    assert place == "七1!B4"
    assert f"{first}, G9" in why


def test_a_child_of_another_class_is_not_taken(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    path = tmp_path / "moved.csv"
    path.write_text(
        "student_id,name,school_id,grade,class_id,snapshot_date\n"
        f"G77,孙七,{SCHOOL},7,七年级2班,2026-09-01\n",
        encoding="utf-8",
    )
    ingest(workspace, "students", [path])
    result = load(workspace, "attendance", month(tmp_path, world, Style(TICKS), {(4, 2): "孙七"}))
    ((_, why),) = codes(result)
    assert "in other classes of the school: G77" in why


def test_a_legend_that_contradicts_the_mapping_is_told(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    swapped = Style(TICKS, legend="图例：√出勤 △病假 ○事假 ×旷课 ⊕迟到 退早退")
    result = load(workspace, "attendance", month(tmp_path, world, swapped, {}))
    class_1 = world.long(world.of(CLASSES[0]))
    doubtful = {row for row in class_1 if row[3] in ("sick", "leave")}
    assert doubtful
    assert result.quarantined == len(doubtful)
    assert rows_of(workspace, "attendance") == class_1 - doubtful
    assert any("explains “○” as leave" in note.en for note in result.notes)


def test_a_sign_that_nobody_explains_is_quarantined(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    unexplained = Style(OWN, legend="", totals=False)
    result = load(workspace, "attendance", month(tmp_path, world, unexplained, {}))
    assert (result.accepted, result.quarantined) == (0, len(world.long(world.of(CLASSES[0]))))


def test_empty_cells_count_up_to_the_last_sign_or_the_day_said(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    path = month(tmp_path, world, Style(EMPTY, only_school_days=True), {})
    load(workspace, "attendance", path)
    assert max(row[1] for row in rows_of(workspace, "attendance")) == world.days[-1]
    load(workspace, "attendance", path, through=date(2026, 11, 30))
    assert max(row[1] for row in rows_of(workspace, "attendance")) == date(2026, 11, 30)


def test_a_pupil_without_a_sign_is_not_present_where_presence_is_signed(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    blank = {(4, column): "" for column in range(3, 33)}
    result = load(workspace, "attendance", month(tmp_path, world, Style(TICKS), blank))
    gone = world.of(CLASSES[0])[0].student_id
    assert gone not in {row[0] for row in rows_of(workspace, "attendance")}
    assert any("1 pupils have no sign" in note.en for note in result.notes)


def test_a_day_that_the_month_does_not_have(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    grid = month_grid(world, CLASSES[0], Style(TICKS, totals=False))
    grid[1].append(31)
    grid[3].append("√")
    result = load(workspace, "attendance", xlsx(tmp_path / "考勤.xlsx", {"七1": grid}))
    ((place, why),) = codes(result)
    assert place == "七1!AG4"
    assert "no such day" in why


@pytest.mark.parametrize(
    ("title", "name", "words"),
    [
        ("学生考勤表", "考勤.xlsx", "--month"),
        ("七年级1班2026年10月考勤表", "2026年11月.xlsx", "different months"),
    ],
)
def test_a_month_that_nothing_or_too_much_says_is_asked_for(
    workspace: Workspace, tmp_path: Path, world: World, title: str, name: str, words: str
) -> None:
    grid = month_grid(world, CLASSES[0], Style(TICKS, title=title))
    result = load(workspace, "attendance", xlsx(tmp_path / name, {"七1": grid}))
    assert result.error is not None
    assert words in result.error.en
    assert rows_of(workspace, "attendance") == set()


@pytest.mark.parametrize(
    ("title", "words"),
    [
        (f"{EXAM}成绩表", "--date"),
        ("2026年11月12日成绩表", "--exam"),
        (f"{EXAM} 2026年11月12日至2026年11月13日", "different dates"),
    ],
)
def test_an_exam_that_nothing_or_too_much_says_is_asked_for(
    workspace: Workspace, tmp_path: Path, world: World, title: str, words: str
) -> None:
    grid = marks_grid(world, world.children, CHINESE, title=title)
    result = load(workspace, "exams", xlsx(tmp_path / "成绩.xlsx", {"Sheet1": grid}))
    assert result.error is not None
    assert words in result.error.en


def test_a_full_mark_that_nobody_said_is_asked_for_by_subject(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    grid = marks_grid(world, world.children, CHINESE)
    grid[2][2] = 118
    result = load(workspace, "exams", xlsx(tmp_path / "成绩.xlsx", {"Sheet1": grid}))
    assert result.quarantined == len(world.children)
    assert all("say the full mark" in why for _, why in codes(result))
    assert {row[3] for row in rows_of(workspace, "exams")} == {"maths", "english"}


def test_a_file_without_such_a_sheet_says_what_it_needs(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = xlsx(tmp_path / "通知.xlsx", {"通知": [["关于放假的通知"], ["11月9日放假一天"]]})
    result = load(workspace, "attendance", path)
    assert result.error is not None
    assert "no heading was found" in result.error.en
    assert "没有找到表头" in result.error.zh


def test_a_sheet_read_before_the_registry_can_be_read_again_after_it(
    tmp_path: Path, world: World
) -> None:
    workspace = Workspace.init(tmp_path / "w")
    path = month(tmp_path, world, Style(TICKS), {})
    before = load(workspace, "attendance", path)
    assert (before.accepted, before.quarantined) == (0, 6)
    heads = "student_id,name,school_id,grade,class_id,snapshot_date\n"
    lines = [
        f"{c.student_id},{c.name},{SCHOOL},7,{c.class_id},2026-09-01" for c in world.of(CLASSES[0])
    ]
    roll = tmp_path / "roll.csv"
    roll.write_text(heads + "\n".join(lines), encoding="utf-8")
    ingest(workspace, "students", [roll])
    after = load(workspace, "attendance", path)
    assert not after.loaded_before
    assert rows_of(workspace, "attendance") == world.long(world.of(CLASSES[0]))
    assert load(workspace, "attendance", path).loaded_before


@pytest.mark.parametrize(
    ("text", "month", "alone", "day", "exam", "classes"),
    [
        ("松坪中学七年级（1）班2026年11月份考勤表", (2026, 11), None, None, "", {"7-1"}),
        ("二〇二六年十一月", (2026, 11), None, None, "", set()),
        ("202611", (2026, 11), None, None, "", set()),
        ("初二3班 11月", None, 11, None, "", {"8-3"}),
        ("第11周", None, None, None, "", set()),
        ("2026年11月12日期中考试", (2026, 11), None, date(2026, 11, 12), "期中考试", set()),
        ("8.3班 20261112 第二次月考", (2026, 11), None, date(2026, 11, 12), "第二次月考", {"8-3"}),
        ("七年级期末质量监测", None, None, None, "七年级期末质量监测", set()),
        ("2026年秋季学期期中检测", None, None, None, "2026年秋季学期期中检测", set()),
        ("11月考勤", None, 11, None, "", set()),
    ],
)
def test_what_a_title_says(
    text: str,
    month: tuple[int, int] | None,
    alone: int | None,
    day: date | None,
    exam: str,
    classes: set[str],
) -> None:
    assert titles.months_in(text) == ({month} if month else set())
    assert titles.months_without_year(text) == ({alone} if alone else set())
    assert titles.days_in(text) == ({day} if day else set())
    assert titles.exam_in(text) == exam
    assert titles.classes_in(text) == classes


@pytest.mark.parametrize(
    "text",
    [
        "七年级（1）班",
        "七(1)班",
        "7.1",
        "初一1班",
        "701",
        "７（１）班",
        "七年级1班",
        "七1班",
        "7-1",
    ],
)
def test_a_class_is_one_however_it_is_written(text: str) -> None:
    assert titles.class_key(text) == "7-1"


def test_a_class_number_alone_needs_its_grade() -> None:
    assert titles.class_key("（1）班", 7) == titles.class_key("1班", 7) == "7-1"
    assert titles.class_key("1班") != "7-1"
    assert titles.class_key("向日葵班") == "向日葵班"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("王 明", "王明"),
        ("王　明", "王明"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("Ａｎｎａ  Li", "anna li"),
    ],
)
def test_a_name_is_one_however_it_is_written(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_the_check_digit_of_an_identity_number() -> None:
    number = identity(123)
    assert has_check_digit(number)
    wrong = [d for d in "0123456789X" if d != number[-1]]
    assert not any(has_check_digit(number[:-1] + digit) for digit in wrong)
    assert has_check_digit("11010519491231002X")  # the example of GB 11643-1999


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("123", "this one 3"),
        (identity(100)[:-1] + "?", "check digit"),
        (identity(999), "nobody on the registry"),
    ],
)
def test_an_identity_number_that_fits_nobody(
    workspace: Workspace, tmp_path: Path, world: World, number: str, words: str
) -> None:
    grid: list[Sequence[Any]] = [
        ["身份证号", "语文"],
        [number, 80],
        [world.children[0].id_number, 81],
    ]
    path = xlsx(tmp_path / "成绩.xlsx", {"一": [list(row) for row in grid]})
    result = load(workspace, "exams", path, exam=EXAM, exam_date=EXAM_DAY)
    ((_, why),) = codes(result)
    assert words in why
    assert result.accepted == 1


def test_an_old_identity_number_of_15_digits(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    new = world.children[0].id_number
    old = new[:6] + new[8:17]
    path = xlsx(tmp_path / "成绩.xlsx", {"一": [["身份证号", "语文"], [old, 80]]})
    load(workspace, "exams", path, exam=EXAM, exam_date=EXAM_DAY)
    assert {row[0] for row in rows_of(workspace, "exams")} == {world.children[0].student_id}


def test_a_folder_is_read_with_all_that_is_in_it(
    workspace: Workspace, tmp_path: Path, world: World
) -> None:
    folder = tmp_path / "十一月"
    (folder / "八年级").mkdir(parents=True)
    for class_id, place in zip(CLASSES, ("一.xlsx", "二.xlsx", "八年级/一.xlsx"), strict=True):
        xlsx(folder / place, {"考勤": month_grid(world, class_id, Style(TICKS))})
    (folder / "~$一.xlsx").write_bytes(b"lock")
    (folder / ".hidden.csv").write_text("", encoding="utf-8")
    (folder / "说明.docx").write_bytes(b"PK")
    result = ingest(workspace, "attendance", [folder], IngestOptions(mapping="cn-class-sheet"))
    assert [file.error for file in result.files] == [None, None, None]
    assert result.passed_over == ["说明.docx"]
    assert rows_of(workspace, "attendance") == world.long(world.children)


def test_a_folder_without_data_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "空").mkdir()
    with pytest.raises(EarlywarnError, match="no data file"):
        ingest(workspace, "attendance", [tmp_path / "空"])


def test_the_headings_of_a_long_table_may_stand_below_titles(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    grid = [
        ["松坪中学学籍名册", "", "", ""],
        ["统计日期：2026年9月1日", "", "", ""],
        ["学籍号", "姓名", "学校标识码", "年级"],
        ["G1", "王明", SCHOOL, "七年级"],
        ["G2", "李华", SCHOOL, "十年级"],
    ]
    said = IngestOptions(mapping="cn-registry", snapshot=date(2026, 9, 1))
    for write, name in ((xlsx, "名册.xlsx"), (xls, "名册.xls")):
        path = write(tmp_path / name, {"名册": grid})
        (result,) = ingest(workspace, "students", [path], said).files
        assert (result.accepted, result.quarantined) == (1, 1)
        assert any("headings are in row 3" in note.en for note in result.notes)
        assert "row 5" in result.reasons[0].en
