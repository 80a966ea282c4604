"""The review workbook written, filled in with openpyxl, and read back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.returned import RefusedError
from earlywarn.reconcile.answers import Answers
from earlywarn.reconcile.review import read_review
from earlywarn.reconcile.reviewbook import ANSWER, KEY_SHEET, REVIEW, Run, ToJudge, write_review
from earlywarn.reconcile.run import Reconciled, Reviewed, _key, review
from earlywarn.roles import Role
from earlywarn.workspace import Workspace
from libreoffice import saved_by_libreoffice
from reconcile_village import THERE, child, compared, line, make, stranger, write

CHILDREN = [child(i) for i in range(6)]
# Same birth date, guardian and phone, another name, no number: a twin, or the child itself.
DOUBTFUL = [
    line(CHILDREN[4], 姓名="周晓光", 身份证号=""),
    line(CHILDREN[5], 姓名="吴玉珠", 身份证号=""),
]
BASE = 3  # rows above the heading
RUN = Run(date(2026, 1, 1), 1)


class World(NamedTuple):
    """A workspace, its household list, and what was made of it."""

    workspace: Workspace
    households: Path
    made: Reconciled

    @property
    def book(self) -> Path:
        return self.made.folder / REVIEW


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("review")
    workspace = make(root / "某县", {str(i): (c, THERE) for i, c in enumerate(CHILDREN)})
    rows = [*map(line, CHILDREN[:4]), *DOUBTFUL, stranger("秦小月", date(2013, 5, 6))]
    households = write(root / "户籍.csv", rows)
    return World(workspace, households, compared(workspace, households))


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    """Return a copy of it to write to, with its list where the first run read it."""
    root = tmp_path / "某县"
    shutil.copytree(made.workspace.root, root)
    workspace = Workspace.open(root)
    folder = root / made.made.folder.relative_to(made.workspace.root)
    return World(workspace, made.households, replace(made.made, folder=folder))


def fill(book: Path, target: Path, answers: dict[str, str], **other: Callable[[Any], None]) -> Path:
    """Answer for the lines with these names; `other` may change the workbook besides."""
    opened = openpyxl.load_workbook(book)
    sheet = opened.worksheets[0]
    heading = next(r for r in range(1, 9) if sheet.cell(r, sheet.max_column).value in tuple(ANSWER))
    for row in range(heading + 1, sheet.max_row + 1):
        name = str(sheet.cell(row, 3).value).split("\n")[0]
        if name in answers:
            sheet.cell(row, sheet.max_column).value = answers[name]
    for change in other.values():
        change(opened)
    opened.save(target)
    return target


def back(world: World, path: Path) -> Reviewed:
    return review(world.workspace, path, who="t", role=Role.COUNTY, lang="zh")


def persons(workspace: Workspace) -> set[str | None]:
    with Ledger.open(workspace) as ledger:
        return {case.person for case in ledger.cases(kinds=("unregistered",))}


def test_what_is_asked(made: World) -> None:
    assert made.made.info["counts"]["to_judge"] == 2
    assert made.made.info["counts"]["lists"]["no_roll"] == 1
    assert persons(made.workspace) == {"秦小月"}
    book = openpyxl.load_workbook(made.book)
    sheet, key = book.worksheets
    assert key.sheet_state == "veryHidden"
    assert sheet.protection.sheet
    told = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=BASE + 2)]
    assert {str(row[2]) for row in told} == {"周晓光\n周子墨", "吴玉珠\n吴梦洁"}
    locked = [[cell.protection.locked for cell in row] for row in sheet.iter_rows(min_row=BASE + 2)]
    assert all(row[:-1] == [True] * (len(row) - 1) and not row[-1] for row in locked)
    (choices,) = sheet.data_validations.dataValidation
    assert choices.formula1 == '"是同一人,不是,不确定"'
    assert not [value for row in told for value in row if str(value).startswith("=")]


def test_a_round_trip(world: World, tmp_path: Path) -> None:
    filled = fill(world.book, tmp_path / "填好.xlsx", {"周晓光": "是同一人", "吴玉珠": "不是"})
    found = back(world, filled)
    assert (found.same, found.different, found.empty, found.changed) == (1, 1, 0, 2)
    again = found.again
    assert again is not None
    assert again.is_new
    assert again.number == 2
    counts = again.info["counts"]
    assert counts["to_judge"] == 0
    assert not (again.folder / REVIEW).exists()
    assert counts["lists"]["no_roll"] == 2
    assert counts["lists"]["no_household"] == 1  # whom the twin was taken for
    assert persons(world.workspace) == {"秦小月", "吴玉珠"}
    # Read twice is read once.
    twice = back(world, filled)
    assert twice.changed == 0
    assert twice.again is not None
    assert not twice.again.is_new
    assert twice.again.number == 2
    with Ledger.open(world.workspace) as ledger:
        assert len(ledger.cases(kinds=("unregistered",))) == 2
    # The next list, elsewhere and in another order, does not ask again.
    moved = [dict(row, 住址="新村") for row in reversed([*map(line, CHILDREN[:4]), *DOUBTFUL])]
    later = compared(world.workspace, write(tmp_path / "下月.csv", moved))
    assert later.info["counts"]["to_judge"] == 0
    assert later.info["counts"]["lists"]["no_roll"] == 1
    assert later.cases == 0


def test_the_lists_of_its_own_run_are_made_anew(world: World, tmp_path: Path) -> None:
    """A county works township by township: the next one's lists say nothing of this one's."""
    other = compared(world.workspace, write(tmp_path / "另一镇.csv", [line(CHILDREN[4])]))
    assert other.number == 2
    found = back(world, fill(world.book, tmp_path / "a.xlsx", {"周晓光": "是", "吴玉珠": "不是"}))
    assert found.again is not None
    assert found.again.number == 3
    assert found.again.info["files"] == world.made.info["files"]
    assert found.again.info["counts"]["to_judge"] == 0
    assert persons(world.workspace) == {"秦小月", "吴玉珠"}


def test_half_filled(world: World, tmp_path: Path) -> None:
    found = back(world, fill(world.book, tmp_path / "a.xlsx", {"吴玉珠": "不确定"}))
    assert (found.unsure, found.empty, found.changed) == (1, 1, 0)
    assert found.again is not None
    assert not found.again.is_new
    found = back(world, fill(world.book, tmp_path / "b.xlsx", {"吴玉珠": "也许吧"}))
    (bad,) = found.unreadable
    assert bad.cell.startswith("M")
    assert not (world.workspace.root / "reconcile" / "answers.json").exists()


def test_lists_that_have_changed_since(world: World, tmp_path: Path) -> None:
    info = world.made.folder / "reconcile.json"
    told = json.loads(info.read_text("utf-8"))
    told["files"][0]["path"] = str(tmp_path / "gone.csv")
    info.write_text(json.dumps(told), "utf-8")
    found = back(world, fill(world.book, tmp_path / "a.xlsx", {"周晓光": "是"}))
    assert found.again is None
    assert found.changed == 1
    later = compared(world.workspace, world.households)
    assert later.info["counts"]["to_judge"] == 1


def test_as_libreoffice_saves_it(world: World, tmp_path: Path) -> None:
    filled = fill(world.book, tmp_path / "填好.xlsx", {"周晓光": "是同一人"})
    (saved,) = saved_by_libreoffice([filled], "xlsx", tmp_path / "out")
    found = read_review(saved, _key(world.workspace))
    assert [(one.said, one.student_id) for one in found.judged] == [
        ("same", CHILDREN[4]["student_id"])
    ]


def _sheet(change: Callable[[Any], None]) -> Callable[[Any], None]:
    return lambda book: change(book.worksheets[0])


def _set(row: int, column: int, value: Any) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        sheet.cell(BASE + 2 + row, column).value = value

    return _sheet(change)


def _drop_key(book: Any) -> None:
    del book[KEY_SHEET]


def _copy_row(sheet: Any) -> None:
    for column in range(1, sheet.max_column + 1):
        sheet.cell(BASE + 4, column).value = sheet.cell(BASE + 2, column).value


def _swap_names(sheet: Any) -> None:
    a, b = sheet.cell(BASE + 2, 3), sheet.cell(BASE + 3, 3)
    a.value, b.value = b.value, a.value


def _key_cell(column: int, value: Any) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book[KEY_SHEET].cell(5, column).value = value

    return change


CHANGED: dict[str, tuple[Callable[[Any], None], str]] = {
    "no hidden sheet": (_drop_key, "hidden sheet is missing"),
    "a name typed over": (_set(0, 3, "别人\n别人"), "row 5 differs"),
    "a number typed over": (_set(0, 1, 9), "row 5 differs"),
    "a number emptied": (_set(0, 1, None), "row 5 differs"),
    "two rows with one number": (_set(1, 1, 1), "differs"),
    "a row copied": (_sheet(_copy_row), "row 7 differs"),
    "names swapped": (_sheet(_swap_names), "row 5, 6 differs"),
    "a heading changed": (
        _sheet(lambda s: setattr(s.cell(BASE + 1, 13), "value", "答")),
        "headings",
    ),
    "another child in the key": (_key_cell(3, "G1"), "differs"),
    "a signature emptied": (_key_cell(4, None), "hidden sheet was changed"),
    "another format": (
        lambda book: setattr(book[KEY_SHEET]["B1"], "value", "9"),
        "another version",
    ),
    "another run": (lambda book: setattr(book[KEY_SHEET]["B3"], "value", "7"), "row 5, 6 differs"),
    "no run": (lambda book: setattr(book[KEY_SHEET]["B3"], "value", None), "was changed"),
    "no day": (lambda book: setattr(book[KEY_SHEET]["B2"], "value", "soon"), "was changed"),
}


@pytest.mark.parametrize("which", CHANGED)
def test_changed_workbooks_are_refused_whole(made: World, tmp_path: Path, which: str) -> None:
    change, said = CHANGED[which]
    path = fill(made.book, tmp_path / "a.xlsx", {"周晓光": "是同一人"}, change=change)
    with pytest.raises(RefusedError, match=said) as error:
        read_review(path, _key(made.workspace))
    for name in ("周", "吴", "秦"):
        assert name not in f"{error.value.text}"


def test_rows_may_be_taken_out_or_sorted(made: World, tmp_path: Path) -> None:
    def upside_down(sheet: Any) -> None:
        rows = [[c.value for c in sheet[BASE + 2 + i]] for i in (1, 0)]
        for i, row in enumerate(rows):
            for column, value in enumerate(row, 1):
                sheet.cell(BASE + 2 + i, column).value = value

    told = {"周晓光": "是同一人", "吴玉珠": "不是"}
    path = fill(made.book, tmp_path / "a.xlsx", told, change=_sheet(upside_down))
    found = read_review(path, _key(made.workspace))
    assert {(j.student_id, j.said) for j in found.judged} == {
        (CHILDREN[4]["student_id"], "same"),
        (CHILDREN[5]["student_id"], "not"),
    }
    path = fill(path, tmp_path / "b.xlsx", {}, change=_sheet(lambda s: s.delete_rows(BASE + 2)))
    found = read_review(path, _key(made.workspace))
    assert (len(found.judged), found.empty) == (1, 1)


def test_foreign_files(made: World, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="differs"):
        read_review(made.book, b"another workspace's")
    openpyxl.Workbook().save(tmp_path / "b.xlsx")
    for name, content in {"c.xlsx": b"", "d.xlsx": b"PK\x03\x04broken", "e.csv": b"a,b"}.items():
        (tmp_path / name).write_bytes(content)
    for name in ("b.xlsx", "c.xlsx", "d.xlsx", "e.csv", "gone.xlsx"):
        with pytest.raises(EarlywarnError, match=name):
            read_review(tmp_path / name, _key(made.workspace))


def test_one_line_is_not_two_children(made: World, tmp_path: Path) -> None:
    row = dict.fromkeys(("sex", "birth_date", "id_number", "guardian", "guardian_phone", "address"))
    first = ToJudge(
        "households",
        row | {"name": "=1+1", "file": "a.csv", "row": 2, "township": None},
        "0123456789abcdef",
        row | {"name": "b", "student_id": "G1", "township": None, "school": None}
        | {"school_id": "S1", "class_id": None},
        3.25,
        "name~,birth=",
    )  # fmt: skip
    second = replace(first, child=first.child | {"student_id": "G2"})
    path = tmp_path / "a.xlsx"
    write_review(path, [first, second], run=RUN, lang="en", key=b"k", generated=True)
    told = _answered(path, tmp_path / "b.xlsx", ["the same child", "not the same"])
    assert [one.said for one in read_review(told, b"k").judged] == ["same", "not"]
    both = _answered(path, tmp_path / "c.xlsx", ["the same child", "YES"])
    with pytest.raises(RefusedError, match="1 and 2 are one line"):
        read_review(both, b"k")


def _answered(path: Path, target: Path, answers: list[str]) -> Path:
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for row, answer in enumerate(answers, sheet.max_row - len(answers) + 1):
        sheet.cell(row, sheet.max_column).value = answer
    book.save(target)
    return target


def test_damaged_answers_are_told(workspace: Workspace) -> None:
    path = workspace.root / "reconcile" / "answers.json"
    path.parent.mkdir()
    for text in ("{", '{"format": 2}', '{"answers": [{"line": "a"}]}'):
        path.write_text(text, "utf-8")
        with pytest.raises(EarlywarnError, match="damaged or written by a newer"):
            Answers.load(workspace)
