"""Household and poverty lists read: headings, bad rows beside good ones, files of no use."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.reconcile.listmapping import Kind, list_mapping
from earlywarn.reconcile.lists import ReadList, birth_of, list_files, read_list
from earlywarn.reconcile.people import LISTED
from earlywarn.tables.forgotten import Forgotten
from earlywarn.workspace import Workspace

ID = "530102201302110129"
HEAD = "姓名,性别,出生日期,身份证号,户主,联系电话,县,乡镇,住址\n"
GOOD = f"钱雨桐,女,2013-02-11,{ID},钱秀英,13800000001,某县,镇,某村\n"


def read(
    workspace: Workspace, *paths: Path, mapping: str = "cn-households", kind: Kind = "households"
) -> ReadList:
    return read_list(workspace, paths, list_mapping(workspace, mapping, kind))


def put(folder: Path, text: str, name: str = "名单 1.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_line_as_it_is_written(workspace: Workspace, tmp_path: Path, encoding: str) -> None:
    found = read(workspace, put(tmp_path, HEAD + GOOD, encoding=encoding))
    assert found.lines.schema == LISTED
    assert found.lines.to_pylist() == [
        {
            "line": 0,
            "file": "名单 1.csv",
            "row": 2,
            "name": "钱雨桐",
            "sex": "F",
            "birth_date": date(2013, 2, 11),
            "id_number": ID,
            "guardian": "钱秀英",
            "guardian_phone": "13800000001",
            "county": "某县",
            "township": "镇",
            "address": "某村",
        }
    ]
    assert found.unread == ()


def test_a_workbook_below_a_title(workspace: Workspace, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2026年适龄儿童花名册"])
    sheet.append(["序号", "姓名", "性别", "出生日期", "公民身份号码", "监护人姓名", "民族"])
    sheet.append([1, "钱雨桐", "女", datetime(2013, 2, 11), ID, "钱秀英", "汉"])
    book.save(tmp_path / "名单.xlsx")
    found = read(workspace, tmp_path / "名单.xlsx")
    (line,) = found.lines.to_pylist()
    assert (line["row"], line["birth_date"], line["id_number"]) == (3, date(2013, 2, 11), ID)
    assert any("民族" in note.zh for note in found.notes)


def test_canonical_headings_need_no_mapping(workspace: Workspace, tmp_path: Path) -> None:
    path = put(tmp_path, "name,birth_date,sex,id_number\n钱雨桐,20130211,F,\n")
    (line,) = read(workspace, path).lines.to_pylist()
    assert (line["name"], line["sex"], line["id_number"]) == ("钱雨桐", "F", None)


def test_a_mapping_of_ones_own(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.mappings / "police.yaml").write_text(
        "extends: cn-households\ntables:\n  households:\n"
        "    columns: {name: [XM], birth_date: [CSRQ]}\n"
        "    date_order: dmy\n    defaults: {county: 某县}\n"
        "  poverty:\n    columns: {name: [PKHXM]}\n",
        "utf-8",
    )
    path = put(tmp_path, "XM,CSRQ,性别\n钱雨桐,11/02/2013,2\n")
    (line,) = read(workspace, path, mapping="police").lines.to_pylist()
    assert (line["birth_date"], line["sex"], line["county"]) == (date(2013, 2, 11), "F", "某县")
    poor = put(tmp_path, "PKHXM,CSRQ\n钱雨桐,11/02/2013\n", "低保.csv")
    assert read(workspace, poor, mapping="police", kind="poverty").lines.num_rows == 1
    with pytest.raises(EarlywarnError, match="no column for the name"):
        read(workspace, poor, mapping="police")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tables: {households: {columns: {nam: [XM]}}}", "no column nam"),
        ("tables: {households: {layout: month}}", "not for the mapping of a list"),
        ("tables: {households: {values: {sex: {男: male}}}}", "male is no value of sex"),
        ("tables: {households: {colums: {}}}", "colums"),
        ("extends: own", "extends itself"),
        ("tables: [1]", "tables"),
    ],
)
def test_mappings_that_cannot_be_used(workspace: Workspace, text: str, said: str) -> None:
    (workspace.mappings / "own.yaml").write_text(text + "\n", "utf-8")
    with pytest.raises(EarlywarnError, match=said):
        list_mapping(workspace, "own", "households")
    with pytest.raises(EarlywarnError, match="cn-households"):
        list_mapping(workspace, "nowhere", "households")


# A bad row, the column it is told for, and a word of the cure.
BAD = [
    (",女,2013-02-11,,,,,,", "姓名", "empty"),
    ("\u3000,女,2013-02-11,,,,,,", "姓名", "empty"),
    ("孙,男,2013-02-11,5.30102E+17,,,,,", "身份证号", "scientific|digits"),
    ("孙,男,2013-02-11,530102.0,,,,,", "身份证号", "number|text"),
    ("孙,男,2013-02-11,,,,,,,多", "", "headings"),
    ("孙\0,男,2013-02-11,,,,,,", "", "NUL"),
    ('"孙,男,2013-02-11,,,,,,', "", "quote"),
]


@pytest.mark.parametrize(("row", "column", "said"), BAD)
def test_a_bad_row_stops_no_good_one(
    workspace: Workspace, tmp_path: Path, row: str, column: str, said: str
) -> None:
    found = read(workspace, put(tmp_path, f"{HEAD}{GOOD}{row}\n"))
    assert found.lines["name"].to_pylist() == ["钱雨桐"]
    assert found.unread_rows == 1
    (bad,) = {(one.file, one.row, one.column) for one in found.unread}
    assert bad[:2] == ("名单 1.csv", 3)
    assert bad[2] in (column, "")
    assert re.search(said, found.unread[0].why.en)
    assert "孙" not in f"{found.unread}"


# A cell that cannot be read, its column, a word of the cure, and what is left of the row.
CELLS = [
    ("孙,男,2013-02-30,,,,,,", "出生日期", "date", ("M", None)),
    ("孙,男,去年春天,,,,,,", "出生日期", "date", ("M", None)),
    ("孙,男,11/02/2013,,,,,,", "出生日期", "day/month", ("M", None)),
    ("孙,男,1813-02-11,,,,,,", "出生日期", "year", ("M", None)),
    ("孙,很乖,2013-02-11,,,,,,", "性别", "男 or 女.*M, F", (None, date(2013, 2, 11))),
    ("孙,3,2013-02-11,,,,,,", "性别", "男 or 女.*M, F", (None, date(2013, 2, 11))),
    ("孙,1女,2013-02-11,,,,,,", "性别", "do not agree", (None, date(2013, 2, 11))),
    (f"孙,男,去年,{ID},,,,,", "出生日期", "date", ("M", date(2013, 2, 11))),
]


@pytest.mark.parametrize(("row", "column", "said", "left"), CELLS)
def test_a_bad_cell_takes_no_child_away(
    workspace: Workspace, tmp_path: Path, row: str, column: str, said: str, left: tuple[Any, ...]
) -> None:
    found = read(workspace, put(tmp_path, f"{HEAD}{GOOD}{row}\n"))
    assert found.lines["name"].to_pylist() == ["孙", "钱雨桐"]
    child = found.lines.to_pylist()[0]
    assert (child["sex"], child["birth_date"]) == left
    assert found.unread_rows == 0
    (bad,) = found.unread
    assert (bad.row, bad.column, bad.kept) == (3, column, True)
    assert re.search(said, bad.why.en)
    assert "孙" not in f"{bad}"


def test_a_bad_cell_beside_one_that_costs_the_row(workspace: Workspace, tmp_path: Path) -> None:
    found = read(workspace, put(tmp_path, f"{HEAD}{GOOD},很乖,2013-02-11,,,,,,\n"))
    assert found.lines.num_rows == 1
    assert [(bad.column, bad.kept) for bad in found.unread] == [("姓名", False), ("性别", False)]
    assert found.unread_rows == 1


@pytest.mark.parametrize("sex", ["", "不详", "未知", " 未说明的性别", "9", "Unknown"])
def test_a_sex_that_nobody_knows(workspace: Workspace, tmp_path: Path, sex: str) -> None:
    found = read(workspace, put(tmp_path, f"{HEAD}甲,{sex},2013-02-11,,,,,,\n"))
    assert found.lines["sex"].to_pylist() == [None]
    assert found.unread == ()


@pytest.mark.parametrize(
    ("written", "born"),
    [
        ("2014.03.02", date(2014, 3, 2)),
        ("2014.3.2", date(2014, 3, 2)),
        (" ２０１４．３．２", date(2014, 3, 2)),
        ("2014.03.02.", date(2014, 3, 2)),
        ("2014.03", date(2014, 3, 1)),
        ("2014.13.02", None),
        ("2014.1", None),
    ],
)
def test_dates_with_dots(
    workspace: Workspace, tmp_path: Path, written: str, born: date | None
) -> None:
    found = read(workspace, put(tmp_path, f"{HEAD}甲,女,{written},,,,,,\n"))
    assert found.lines["birth_date"].to_pylist() == [born]
    assert len(found.unread) == (born is None)


NOBODYS = [
    *("合计,,40,,,,,,", "总计：40人,,,,,,,,", ",小计,,,,,,,", "合计,40"),
    *("填表人：张三,,,,,,,,", "制表 李四,,,,,,,,", "注：本表一式两份,,,,,,,,", HEAD.strip()),
]


@pytest.mark.parametrize("row", NOBODYS)
def test_rows_that_are_no_childs(workspace: Workspace, tmp_path: Path, row: str) -> None:
    found = read(workspace, put(tmp_path, f"{HEAD}{GOOD}{row}\n"))
    assert found.lines["name"].to_pylist() == ["钱雨桐"]
    assert found.unread == ()
    (note,) = found.notes
    assert "第 3 行" in note.zh
    assert "张三" not in note.zh


@pytest.mark.parametrize("row", [f"合计,女,,{ID},,,,,", "合计,女,2013-02-11,,,,,,", "注意,,,,,,,,"])
def test_a_child_with_such_a_name(workspace: Workspace, tmp_path: Path, row: str) -> None:
    found = read(workspace, put(tmp_path, f"{HEAD}{row}\n"))
    assert found.lines["name"].to_pylist() == [row.partition(",")[0]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "headings and no child"),
        (f"{HEAD},女,,,,,,,\n", "row 2, column 姓名: must be filled"),
    ],
)
def test_a_list_of_which_nothing_can_be_read(
    workspace: Workspace, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(EarlywarnError, match=said):
        read(workspace, put(tmp_path, text))
    both = read(workspace, put(tmp_path, text), put(tmp_path, HEAD + GOOD, "名单 2.csv"))
    assert both.counts == (0, 1)
    assert any("not one child" in note.en for note in both.notes)


def _villages(path: Path) -> Path:
    book = openpyxl.Workbook()
    for title, name in (("张村", "甲"), ("李村", "乙")):
        sheet = book.create_sheet(title)
        sheet.append([f"{title}户籍人口名单"])
        sheet.append(["姓名", "出生日期", "身份证号"])
        sheet.append([name, date(2013, 2, 11), ID])
    book["Sheet"].append(["本工作簿由各村填报"])
    book.create_sheet("空")
    book.save(path)
    return path


def test_every_village_has_its_sheet(workspace: Workspace, tmp_path: Path) -> None:
    found = read(workspace, _villages(tmp_path / "某镇.xlsx"))
    told = found.lines.select(["name", "file", "row", "birth_date"]).to_pylist()
    assert [tuple(row.values()) for row in told] == [
        ("乙", "某镇.xlsx“李村”", 3, date(2013, 2, 11)),
        ("甲", "某镇.xlsx“张村”", 3, date(2013, 2, 11)),
    ]
    assert found.counts == (2,)
    assert any("未读入：Sheet。" in note.zh for note in found.notes)


@pytest.mark.parametrize("text", ["这不是工作簿", "\x01\x02\xff\xfe\x00", GOOD])
def test_a_workbook_by_name_alone(workspace: Workspace, tmp_path: Path, text: str) -> None:
    path = put(tmp_path, text, "名单.xlsx", "utf-8")
    with pytest.raises(EarlywarnError, match="no Excel workbook"):
        read(workspace, path)


def test_no_birth_date_is_none_or_that_of_the_number(workspace: Workspace, tmp_path: Path) -> None:
    rows = f"甲,女,,{ID},,,,,\n乙,女,,53010213021101,,,,,\n丙,女,,,,,,,\n"
    found = read(workspace, put(tmp_path, HEAD + rows)).lines
    born = dict(zip(found["name"].to_pylist(), found["birth_date"].to_pylist(), strict=True))
    assert born == {"甲": date(2013, 2, 11), "乙": None, "丙": None}


@pytest.mark.parametrize(
    ("number", "born"),
    [
        (ID, date(2013, 2, 11)),
        (f"G{ID}", date(2013, 2, 11)),
        ("53010220130211012x", date(2013, 2, 11)),
        (" 5301022013 02110129", date(2013, 2, 11)),
        ("530102130211012", date(2013, 2, 11)),
        ("530102201302300129", None),
        ("53010220130211", None),
        ("护照E123", None),
        ("", None),
        (None, None),
    ],
)
def test_the_birth_date_in_a_number(number: str | None, born: date | None) -> None:
    assert birth_of(number) == born


def _bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    return {
        "empty": (put(folder, "", "a.csv"), "empty"),
        "no name": (put(folder, "出生日期,性别\n2013-02-11,女\n", "b.csv"), "the name"),
        "no age": (put(folder, "姓名,性别\n钱雨桐,女\n", "c.csv"), "of school age"),
        "no headings": (put(folder, GOOD, "d.csv"), "the name"),
        "name twice": (put(folder, "姓名,姓名,出生日期\n甲,乙,2013-02-11\n", "e.csv"), "twice"),
        "a picture": (put(folder, "\x89PNG", "f.png", "latin-1"), "f.png"),
        "gone": (folder / "gone.csv", "no file"),
    }


@pytest.mark.parametrize(
    "which", ["empty", "no name", "no age", "no headings", "name twice", "a picture", "gone"]
)
def test_files_of_no_use(workspace: Workspace, tmp_path: Path, which: str) -> None:
    path, said = _bad_files(tmp_path)[which]
    with pytest.raises(EarlywarnError, match=said) as error:
        read(workspace, path)
    assert "钱雨桐" not in f"{error.value.text}"


def test_folders_and_files_named_twice(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "户籍"
    (folder / "镇").mkdir(parents=True)
    one = put(folder, HEAD + GOOD)
    two = put(folder / "镇", HEAD + "孙浩宇,男,2012-03-12,,,,,,\n", "二.csv")
    put(folder, "lock", "~$名单.xlsx")
    put(folder, "text", "说明.docx")
    assert list_files([folder, one]) == [one, two]
    assert read(workspace, folder, one).lines.num_rows == 2
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="no list in it"):
        list_files([tmp_path / "none"])


_LINES = st.lists(
    st.tuples(st.sampled_from("甲乙丙丁"), st.dates(date(2010, 1, 1), date(2019, 12, 31))),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=_LINES, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing(
    workspace: Workspace, tmp_path: Path, lines: list[tuple[str, date]], order: Any
) -> None:
    def said(rows: list[tuple[str, date]]) -> list[dict[str, Any]]:
        text = HEAD + "".join(f"{name},女,{born},,,,,,\n" for name, born in rows)
        table = read(workspace, put(tmp_path, text)).lines
        return [{k: v for k, v in row.items() if k != "row"} for row in table.to_pylist()]

    shuffled = list(lines)
    order.shuffle(shuffled)
    assert said(shuffled) == said(lines)


def test_forgotten_children_are_left_out(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.lock("test"):
        Forgotten.load(workspace).add(workspace, f"G{ID}", ["欧阳晓燕"])
    rows = GOOD + "欧阳晓燕,女,2013-02-11,,,,,,\n欧阳晓燕,女,2013-02-11,530102201302110137,,,,,\n"
    found = read(workspace, put(tmp_path, HEAD + rows))
    assert found.forgotten == 2  # by its number; by its name, where the line has no other's number
    assert found.lines["id_number"].to_pylist() == ["530102201302110137"]


def test_who_was_forgotten_by_name_does_not_come_back_by_number(
    workspace: Workspace, tmp_path: Path
) -> None:
    with workspace.lock("test"):
        for person in ("买买提·艾力", "秦小月（2013-05-06）"):
            Forgotten.load(workspace).add(workspace, person, [person])
    rows = f"买买提·艾力,男,2013-02-11,{ID},,,,,\n"
    rows += "秦小月,女,2013-05-06,,,,,,\n秦小月,女,2011-05-06,,,,,,\n"
    found = read(workspace, put(tmp_path, HEAD + rows))
    assert found.forgotten == 2
    assert found.lines["birth_date"].to_pylist() == [date(2011, 5, 6)]
