"""Filled watchlist workbooks, read back: nothing typed is lost, nothing is guessed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from conftest import need
from earlywarn.followup.answers import Returned
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.returned import read_returned
from earlywarn.followup.returned.headings import EMPTY, HEADINGS
from earlywarn.watchlist.columns import COLUMNS, KEY_SHEET
from earlywarn.watchlist.rows import Listing
from earlywarn.watchlist.wording import both
from earlywarn.watchlist.workbook import school_workbook
from earlywarn.workspace import Config, Workspace
from followup_filling import WAYS, Filled, Formula, invented, lost, neat
from watchlist_county import JUNIOR, county

KEY = b"a key of the tests"
AS_OF = date(2026, 11, 20)


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    made = county(tmp_path_factory.mktemp("county") / "某县").listing(run="2")
    return replace(made, key=KEY)


@pytest.fixture(scope="module")
def written(listing: Listing, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The junior school's workbook in both languages, as the program hands it out."""
    school = next(school for school in listing.schools if school.school_id == JUNIOR)
    folder = tmp_path_factory.mktemp("名单 lists")
    paths = {}
    for lang in ("zh", "en"):
        paths[lang] = folder / f"{school.name} {lang}.xlsx"
        paths[lang].write_bytes(school_workbook(listing, school, lang))
    return paths


@pytest.fixture
def book(written: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(written["zh"], tmp_path / "白石乡初级中学.xlsx"))


def values(returned: Returned) -> dict[tuple[str, str], str]:
    return {(a.student_id, a.field): a.value for a in returned.answers}


def whys(returned: Returned) -> dict[str, tuple[str | None, str | None, str]]:
    return {u.place.cell: (u.student_id, u.field, u.place.typed) for u in returned.unread}


def first_row(filled: Filled) -> tuple[int, str]:
    row = filled.rows()[0]
    return row, filled.student(row)


def test_the_words_are_the_writers() -> None:
    assert set(HEADINGS) == {key for key, _, _ in COLUMNS}
    for key, text in HEADINGS.items():
        assert text == both(key)
    assert both("empty") == EMPTY


def test_nothing_filled_in(written: dict[str, Path]) -> None:
    for path in written.values():
        returned = read_returned(path, KEY)
        assert (returned.answers, returned.unread) == ((), ())
        assert (returned.school_id, returned.as_of, returned.run) == (JUNIOR, AS_OF, "2")
        assert returned.file == path.name


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", WAYS)
def test_every_way_is_accounted_for(
    name: str, lang: str, written: dict[str, Path], tmp_path: Path
) -> None:
    for seed in range(3):
        path = Path(shutil.copy(written[lang], tmp_path / f"{seed}.xlsx"))
        typed = WAYS[name](path, seed)
        returned = read_returned(path, KEY)
        assert typed
        assert lost(typed, returned) == []
        assert invented(typed, returned) == []
        assert read_returned(path, KEY) == returned


def test_the_count_can_fail(book: Path) -> None:
    typed = WAYS["neat"](book, 1)
    returned = read_returned(book, KEY)
    assert lost(typed, replace(returned, answers=returned.answers[1:])) == typed[:1]
    assert len(invented(typed[1:], returned)) == 1


CLEAN = [
    "neat",
    "by_hand",
    "loosely",
    "columns_moved",
    "titles_above",
    "rows_sorted",
    "rows_and_columns_hidden",
    "rows_deleted",
    "child_twice",
    "sheet_renamed",
    "sheet_copied",
    "sheets_shown_and_moved",
    "since_1904",
    "headings_translated",
    "days_as_numbers",
    "variants",
]


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_clear_is_all_read(name: str, book: Path) -> None:
    typed = WAYS[name](book, 7)
    returned = read_returned(book, KEY)
    assert returned.unread == ()
    assert set(values(returned)) == {(item.student, item.field) for item in typed}
    assert len(returned.answers) == len(values(returned))


@pytest.mark.parametrize("name", ["vague", "broken", "numbers"])
def test_what_is_unclear_is_told_why(name: str, book: Path) -> None:
    WAYS[name](book, 11)
    returned = read_returned(book, KEY)
    assert returned.unread
    for item in returned.unread:
        assert item.student_id
        assert item.field
        assert item.why.zh.endswith("。")
        assert item.why.en.endswith(".")


def test_texts_come_through_as_they_are(book: Path) -> None:
    filled = Filled(book, 0)
    typed = ["<b>周</b>", "=1+1", "O'Neil", "司马" * 20, "阿依古丽·买买提", "  两端\n空格  "]
    for row, text in zip(filled.rows(), typed, strict=True):
        filled.put(row, filled.column("contacted_by"), text)
    filled.save()
    returned = read_returned(book, KEY)
    assert [answer.value for answer in returned.answers] == [text.strip() for text in typed]
    assert returned.unread == ()


def test_years_of_dates_without_one(written: dict[str, Path], book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    filled.put(row, filled.column("contacted_on"), "1月5日")
    filled.put(row, filled.column("visited_on"), "８／３０")
    filled.save()
    found = values(read_returned(book, KEY))
    assert found == {(student, "contacted_on"): "2027-01-05", (student, "visited_on"): "2026-08-30"}


def test_a_real_date_too_far_away(book: Path) -> None:
    filled = Filled(book, 0)
    column = filled.column("visited_on")
    for number, days in enumerate([-121, -120, 366, 367]):
        day = datetime.combine(AS_OF + timedelta(days=days), datetime.min.time())
        filled.put(filled.rows()[number], column, day)
    filled.save()
    returned = read_returned(book, KEY)
    assert sorted(values(returned).values()) == ["2026-07-23", "2027-11-21"]
    assert {item.place.typed for item in returned.unread} == {"2026-07-22", "2027-11-22"}


def test_formula_is_never_computed(book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    filled.put(row, filled.column("visited_on"), Formula("=DATE(2026,11,20)"))
    filled.save()
    returned = read_returned(book, KEY)
    assert returned.answers == ()
    assert list(whys(returned).values()) == [(student, "visited_on", "=DATE(2026,11,20)")]


def test_different_answers_of_two_rows_name_each_other(book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    last = filled.sheet.max_row + 1
    for column in (1, 3):
        filled.sheet.cell(last, column).value = filled.sheet.cell(row, column).value
    where, by = filled.column("where"), filled.column("contacted_by")
    filled.put(row, where, "在家")
    filled.put(last, where, "在校")
    filled.put(row, by, "李老师")
    filled.put(last, by, "李老师 ")
    filled.save()
    returned = read_returned(book, KEY)
    assert values(returned) == {(student, "contacted_by"): "李老师"}
    assert [item.place.typed for item in returned.unread] == ["在家", "在校"]
    one, other = returned.unread
    assert other.place.cell in one.why.zh
    assert other.place.cell in one.why.en
    assert one.place.cell in other.why.zh


def test_an_empty_cell_says_nothing_against_an_answer(book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    last = filled.sheet.max_row + 1
    for column in (1, 3):
        filled.sheet.cell(last, column).value = filled.sheet.cell(row, column).value
    filled.put(last, filled.column("next"), "再联系")
    filled.put(row, filled.column("cause"), " ")
    filled.save()
    returned = read_returned(book, KEY)
    assert values(returned) == {(student, "next"): "再联系"}
    assert returned.unread == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("student", "王大明\n学籍号尾号 0012"),  # the name
        ("student", "王小明\n学籍号尾号 0013"),  # the number
        ("student", "王小明"),
        ("rank", 2),
        ("rank", None),
        ("rank", "=1"),
        ("rank", "9" * 5000),
    ],
)
def test_a_changed_row_is_nobodys(key: str, value: object, book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    assert student == "G110101201201010012"
    filled.put(row, filled.column("outcome"), "已返校")
    filled.sheet.cell(row, filled.column(key)).value = value
    filled.save()
    returned = read_returned(book, KEY)
    assert returned.answers == ()
    assert {item.student_id for item in returned.unread} == {None}
    identity, *_, answer = returned.unread
    assert identity.place.cell == f"C{row}"
    assert answer.place.typed == "已返校"
    assert answer.field == "outcome"
    for item in returned.unread:
        assert "王" not in item.why.zh  # names belong into no message
    if key == "student":
        assert str(value).replace("\n", "") in identity.place.typed.replace("\n", "")


def test_numbers_and_spaces_in_identity_do_no_harm(book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    filled.sheet.cell(row, 1).value = " １ "
    filled.sheet.cell(row, 3).value = "王小明 学籍号尾号　００１２\r\n"
    filled.put(row, filled.column("cause"), "work")
    filled.save()
    returned = read_returned(book, KEY)
    assert values(returned) == {(student, "cause"): "work"}


def test_the_heading_once_more_in_the_middle(book: Path) -> None:
    filled = Filled(book, 0)
    last = filled.sheet.max_row + 1
    for column in range(1, len(COLUMNS) + 1):
        filled.sheet.cell(last, column).value = filled.sheet.cell(filled.heading, column).value
    filled.fill(neat)
    typed = filled.save()
    returned = read_returned(book, KEY)
    assert returned.unread == ()
    assert len(returned.answers) == len(typed)


def test_a_renamed_column_is_listed(book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    column = filled.column("outcome")
    filled.put(row, column, "已返校")
    filled.sheet.cell(filled.heading, column).value = "处理结果"
    filled.save()
    returned = read_returned(book, KEY)
    assert returned.answers == ()
    assert list(whys(returned).values()) == [(student, None, "已返校")]


def test_another_schools_rows_under_this_schools_key(
    listing: Listing, book: Path, tmp_path: Path
) -> None:
    """The hidden sheet of another school, whole and signed, in a copied file."""
    other = next(school for school in listing.schools if school.school_id != JUNIOR)
    theirs = tmp_path / "theirs.xlsx"
    theirs.write_bytes(school_workbook(listing, other, "zh"))
    typed = WAYS["neat"](book, 3)
    mine, key = load_workbook(book), load_workbook(theirs)[KEY_SHEET]
    del mine[KEY_SHEET]
    copied = mine.create_sheet(KEY_SHEET)
    for row in key.iter_rows():
        for cell in row:
            copied[cell.coordinate].value = cell.value
    mine.save(book)
    returned = read_returned(book, KEY)
    assert returned.school_id == other.school_id
    assert returned.answers == ()
    cells = {f"{item.place.sheet}!{item.place.cell}" for item in returned.unread}
    assert {item.cell for item in typed} <= cells


def test_a_list_without_a_child(listing: Listing, tmp_path: Path) -> None:
    school = replace(listing.schools[0], children=())
    for lang in ("zh", "en"):
        for name, way in WAYS.items():
            path = tmp_path / f"{name}.xlsx"
            path.write_bytes(school_workbook(listing, school, lang))
            returned = read_returned(path, KEY)
            assert (returned.answers, returned.unread) == ((), ())
            assert lost(way(path, 1), read_returned(path, KEY)) == []


def test_all_that_was_typed_is_in_the_ledger(written: dict[str, Path], tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "县", Config())
    with workspace.lock("test"), Ledger.open(workspace) as ledger:
        for seed, (name, way) in enumerate(WAYS.items()):
            path = Path(shutil.copy(written["zh"], tmp_path / f"{name}.xlsx"))
            way(path, seed)
            returned = read_returned(path, KEY)
            ledger.merge(returned, who="test")
            account = ledger.account(returned)
            assert account.missing == ()
            assert account.typed == len(returned.answers) + len(returned.unread)
            again = ledger.merge(read_returned(path, KEY), who="test")
            assert (again.new, again.conflicts, again.unsettled, again.opened) == (0, 0, 0, 0)
            assert again.again


def through_libreoffice(paths: list[Path], folder: Path) -> list[Path]:
    """Return the workbooks as LibreOffice saves them."""
    need("soffice", "libreoffice-calc")
    profile = f"-env:UserInstallation={(folder / 'office').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(folder)]
    subprocess.run([*command, *map(str, paths)], capture_output=True, timeout=180, check=True)
    return [folder / path.name for path in paths]


@pytest.mark.slow
def test_saved_by_libreoffice(written: dict[str, Path], tmp_path: Path) -> None:
    """Filled before and after LibreOffice saved it."""
    names = ["neat", "by_hand", "columns_moved", "since_1904", "broken", "child_added"]
    names += ["notes_on_cells", "days_as_numbers"]
    paths = [Path(shutil.copy(written["zh"], tmp_path / f"名单 {name}.xlsx")) for name in names]
    for name, path in zip(names, paths, strict=True):
        WAYS[name](path, 5)
    *saved, blank = through_libreoffice([*paths, written["zh"]], tmp_path / "saved")
    for path, copy in zip(paths, saved, strict=True):
        before, after = read_returned(path, KEY), read_returned(copy, KEY)
        assert values(after) == values(before)
        assert set(whys(after)) == set(whys(before))
    typed = WAYS["by_hand"](blank, 9)
    returned = read_returned(blank, KEY)
    assert lost(typed, returned) == []
    assert returned.unread == ()
