"""`earlywarn mapping suggest | check`: files of a real kind, both languages, JSON, refusals."""

from __future__ import annotations

import csv
import json

import openpyxl
import pytest
import typer
from typer.testing import CliRunner

from earlywarn.cli.mapping import register
from suggesting_headings import ADULTS, EVERY, NAMES, PHONES, REGISTRY

app = typer.Typer(pretty_exceptions_enable=False)
register(app)
runner = CliRunner()
SETS = {one.name: one for one in EVERY}


def run(workspace, *words):
    return runner.invoke(app, ["mapping", *map(str, words), "-w", str(workspace.root)])


@pytest.fixture
def roll(tmp_path):
    """A workbook with title rows, headings of one's own, and a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "学生"
    for row in SETS["must fill"].rows:
        sheet.append(row)
    sheet.merge_cells("A1:L1")
    book.create_sheet("说明").append(["填表人"])
    path = tmp_path / "学生 信息.xlsx"
    book.save(path)
    return path


@pytest.fixture
def gb_roll(tmp_path):
    path = tmp_path / "名册.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file, delimiter=";").writerows(SETS["initials"].rows)
    return path


def test_suggest_writes_a_mapping_into_the_workspace(workspace, roll):
    result = run(workspace, "suggest", roll, "students", "--lang", "en")
    assert result.exit_code == 0, result.output
    target = workspace.mappings / "学生 信息-students.yaml"
    assert target.is_file()
    assert "学籍号码（必填）" in result.output
    assert "only the sheet “学生” was looked at, not: 说明" in result.output
    assert "the headings are in row 3" in result.output
    assert "--snapshot" in result.output
    text = target.read_text("utf-8") + result.output
    for private in (*NAMES, *ADULTS, *PHONES, *REGISTRY):
        assert private not in text


def test_suggest_says_it_in_json(workspace, gb_roll, tmp_path):
    out = tmp_path / "新 映射.yaml"
    result = run(workspace, "suggest", gb_roll, "students", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["mapping"] == str(out)
    assert {one["heading"]: one["column"] for one in said["columns"]} == {
        heading: wanted for heading, wanted, _ in SETS["initials"].columns if wanted
    }
    assert said["missing"] == ["snapshot_date"]
    assert said["not_needed"] == ["MZ"]


def test_suggest_leaves_a_file_that_is_there_alone(workspace, roll, tmp_path):
    out = tmp_path / "mine.yaml"
    out.write_text("format: 1\n", "utf-8")
    result = run(workspace, "suggest", roll, "students", "--out", out)
    assert result.exit_code == 1
    assert "已存在" in result.stderr
    assert out.read_text("utf-8") == "format: 1\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("students", "--sheet", "成绩"), 1, "没有工作表“成绩”"),
        (("student",), 2, "students"),
        (("students", "--out", "x.txt"), 2, ".yaml"),
        (("students", "--sheet", "说明"), 1, "没有找到表头"),
    ],
)
def test_refusals(workspace, roll, words, code, said):
    result = run(workspace, "suggest", roll, *words)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_missing_file(workspace, tmp_path):
    result = run(workspace, "suggest", tmp_path / "没有.xlsx", "students")
    assert result.exit_code == 1
    assert "没有.xlsx" in result.stderr


def test_check_says_the_line(workspace, tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("format: 1\ntables:\n  students:\n    columns:\n      nam: [姓名]\n", "utf-8")
    result = run(workspace, "check", path)
    assert result.exit_code == 1
    assert "第 5 行" in result.stderr
    path.write_text("format: 1\ntables: {}\n", "utf-8")
    result = run(workspace, "check", path)
    assert result.exit_code == 0
    assert "有效" in result.stdout


def test_check_wants_the_table(workspace, roll):
    result = run(workspace, "check", "cn-registry", roll)
    assert result.exit_code == 2


def test_check_shows_what_is_read_and_what_is_not(workspace, tmp_path):
    path = tmp_path / "名册.csv"
    rows = [
        ["学籍号", "姓名", "学校代码", "年级", "性别", "就读方式", "出生日期", "鞋码"],
        ["0001", NAMES[0], "2151001234", "7", "男", "住校", "2012-03-04", "36"],
        ["0002", NAMES[1], "2151001234", "初二", "1", "租房", "2012/3", "37"],
        ["0003", NAMES[2], "2151001234", "", "女", "走读", "", "38"],
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    result = run(workspace, "check", "cn-registry", path, "students", "--json")
    assert result.exit_code == 3, result.output
    said = json.loads(result.stdout)
    columns = {one["column"]: one for one in said["columns"]}
    counts = {c: (one["read"], one["not_read"], one["empty"]) for c, one in columns.items()}
    assert counts == {
        "student_id": (3, 0, 0),
        "name": (3, 0, 0),
        "school_id": (3, 0, 0),
        "grade": (2, 0, 1),
        "sex": (3, 0, 0),
        "boarding": (2, 1, 0),
        "birth_date": (1, 1, 1),
    }
    assert columns["sex"]["examples"] == ["男", "1", "女"]
    assert columns["name"]["examples"] == ["文文文", "文文"]
    assert columns["student_id"]["examples"] == ["9999"]
    assert columns["boarding"]["unread"][0]["value"] == "租房"
    assert columns["birth_date"]["unread"][0]["value"] == "9999/9"
    assert said["unknown"] == ["鞋码"]
    assert said["missing"] == ["snapshot_date"]
    assert not any(name in result.stdout for name in NAMES)

    shown = run(workspace, "check", "cn-registry", path, "students", "--lang", "en")
    assert shown.exit_code == 3
    assert "not known: 鞋码" in shown.stdout
    assert not any(name in shown.stdout for name in NAMES)


def test_check_of_a_suggested_month_sheet(workspace, tmp_path):
    path = tmp_path / "考勤.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(SETS["month sheet"].rows)
    out = tmp_path / "m.yaml"
    assert run(workspace, "suggest", path, "attendance", "--out", out).exit_code == 0
    result = run(workspace, "check", out, path, "attendance", "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == 0, said
    assert said["layout"] == "month"
    assert {one["column"] for one in said["columns"]} == {"student_id", "name", "status"}
