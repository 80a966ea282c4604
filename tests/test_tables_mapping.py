"""Mappings: headings, codes and names, users' own files, and what is wrong in them."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.tables.contract import TABLES
from earlywarn.tables.mapping import load_mapping, look_up, shipped_mappings
from earlywarn.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.init(tmp_path / "w")


def test_every_shipped_mapping_reads_for_every_table(workspace: Workspace) -> None:
    assert set(shipped_mappings()) >= {"canonical", "cn-registry"}
    for name in shipped_mappings():
        for table in TABLES:
            mapping = load_mapping(workspace, name, table)
            canonical = [column.name for column in TABLES[table].columns]
            found = mapping.match(canonical)
            assert list(found.columns) == canonical


REGISTRY_HEADINGS = """
姓名 性别 出生日期 出生地 籍贯 民族 国籍/地区 身份证件类型 身份证件号
港澳台侨外 政治面貌 健康状况 户口所在地 户口性质 学籍辅号 班内学号 年级 班级
入学年月 入学方式 就读方式 学生来源 现住址 通信地址 家庭地址 联系电话
是否独生子女 是否受过学前教育 是否留守儿童 是否进城务工人员随迁子女 是否孤儿
是否烈士或优抚子女 随班就读 残疾人类型 是否由政府购买学位 是否需要申请资助
是否享受一补 上下学距离(公里) 上下学方式 是否需要乘坐校车 成员1姓名 关系
联系电话 是否监护人 学籍号
"""


def test_the_registry_sheet_has_no_unknown_heading(workspace: Workspace) -> None:
    headings = REGISTRY_HEADINGS.replace("(公里)", "（公里）").split()
    match = load_mapping(workspace, "cn-registry", "students").match(headings)
    assert match.unknown == []
    found = {name: headings[i] for name, i in match.columns.items()}
    assert found == {
        "student_id": "学籍号",
        "name": "姓名",
        "sex": "性别",
        "birth_date": "出生日期",
        "grade": "年级",
        "class_id": "班级",
        "enrolled_on": "入学年月",
        "boarding": "就读方式",
        "boarding_aid": "是否享受一补",
        "distance_km": "上下学距离（公里）",
        "travel": "上下学方式",
        "needs_bus": "是否需要乘坐校车",
        "parents_away": "是否留守儿童",
        "migrant_child": "是否进城务工人员随迁子女",
        "disability": "残疾人类型",
        "orphan_status": "是否孤儿",
        "guardian": "成员1姓名",
        "guardian_phone": "联系电话",
    }
    assert match.twice == ["联系电话"]


@pytest.mark.parametrize(
    ("column", "texts", "value"),
    [
        ("sex", ["1", "男", "1-男", "1男", "1 男", "M", "1", "m"], "M"),
        ("sex", ["2", "女", "2-女", "F"], "F"),
        ("boarding", ["1", "走读", "1-走读", "false"], "false"),
        ("boarding", ["2", "住校", "2-住校", "true"], "true"),
        ("parents_away", ["0", "非留守儿童", "0-非留守儿童", "none"], "none"),
        ("parents_away", ["1", "单亲留守儿童", "1-单亲留守儿童"], "one_parent"),
        (
            "parents_away",
            ["2", "双亲留守儿童", "2-双亲留守儿童", "02-双亲留守儿童"],
            "both_parents",
        ),
        ("migrant_child", ["1", "是", "1-是", "1是"], "true"),
        ("migrant_child", ["0", "否", "0-否"], "false"),
        ("orphan_status", ["1", "是", "1-是"], "orphan"),
        ("orphan_status", ["0", "否"], "none"),
        ("needs_bus", ["是", "1"], "true"),
        ("disability", ["视力残疾", "10-视力残疾"], "visual"),
        ("disability", ["听力残疾"], "hearing"),
        ("disability", ["智力残疾"], "intellectual"),
        ("grade", ["七年级", "初一", "7年级"], "7"),
        ("travel", ["步行", "01-步行"], "walk"),
    ],
)
def test_registry_codes_and_names(
    workspace: Workspace, column: str, texts: list[str], value: str
) -> None:
    values = load_mapping(workspace, "cn-registry", "students").values[column]
    for text in texts:
        assert look_up(values, text) == (value, ""), text


def test_code_and_name_that_disagree_and_unknown_names(workspace: Workspace) -> None:
    values = load_mapping(workspace, "cn-registry", "students").values["parents_away"]
    assert look_up(values, "1-双亲留守儿童")[0] is None
    assert look_up(values, "1-双亲留守儿童")[1]
    assert look_up(values, "1-不详") == (None, "")
    assert look_up(values, "9") == (None, "")


@pytest.mark.parametrize(
    ("table", "headings"),
    [
        ("schools", "学校标识码 学校名称 县区 乡镇 学校类型 是否农村 是否边远 跟进人数"),
        ("attendance", "学籍号 日期 考勤状态 节次"),
        ("reported_days", "学校标识码 班级 日期"),
        ("calendar", "日期 学校标识码 班级 是否上课"),
        ("attendance_totals", "学籍号 开始日期 结束日期 缺勤天数 应到天数 旷课天数 迟到次数"),
        ("exams", "学籍号 考试日期 考试名称 科目 成绩 满分"),
        ("outcomes", "学籍号 日期 事件 原因"),
    ],
)
def test_chinese_headings_of_the_other_tables(
    workspace: Workspace, table: str, headings: str
) -> None:
    match = load_mapping(workspace, "cn-registry", table).match(headings.split())
    assert list(match.columns) == [column.name for column in TABLES[table].columns]
    assert not match.unknown


def test_subjects_in_every_mapping(workspace: Workspace) -> None:
    for name in ("canonical", "cn-registry"):
        values = load_mapping(workspace, name, "exams").values["subject"]
        assert look_up(values, "语文") == ("chinese", "")
        assert look_up(values, "道德与法治") == ("politics", "")
        assert look_up(values, "Maths") == ("maths", "")
        assert look_up(values, "美术") == (None, "")


def test_own_mapping_by_name_and_by_path(workspace: Workspace, tmp_path: Path) -> None:
    text = (
        "format: 1\nextends: cn-registry\nignore: [备用]\ntables:\n  students:\n"
        "    columns: {student_id: [学号]}\n    defaults: {school_id: '007'}\n"
        "    values: {travel: {1: walk}}\n"
        "  exams:\n    full_mark: {语文: 120, default: 100}\n"
    )
    (workspace.mappings / "ours.yaml").write_text(text, "utf-8")
    (tmp_path / "elsewhere.yaml").write_text(text, "utf-8")
    for name in ("ours", str(tmp_path / "elsewhere.yaml")):
        mapping = load_mapping(workspace, name, "students")
        match = mapping.match(["学籍号", "学号", "姓名", "备用", "新列"])
        assert match.columns == {"student_id": 1, "name": 2}
        assert match.unknown == ["新列"]
        assert match.ignored == ["学籍号", "备用"]
        assert mapping.defaults == {"school_id": "007"}
        assert look_up(mapping.values["travel"], "1") == ("walk", "")
        marks = load_mapping(workspace, name, "exams").full_mark
        assert marks == {"chinese": Decimal(120), "default": Decimal(100)}
    assert load_mapping(workspace, "ours", "students").hash != (
        load_mapping(workspace, "cn-registry", "students").hash
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tabels: {}\n", "line 1: tabels"),
        ("format: 2\n", "line 1: format"),
        ("tables:\n  pupils: {}\n", "line 2: tables.pupils: no such table"),
        (
            "tables:\n  students:\n    columns:\n      studnt_id: [x]\n",
            "line 4: .*no column studnt_id; did you mean student_id?",
        ),
        (
            "tables:\n  students:\n    values:\n      sex:\n        1: male\n",
            "line 5: .*male is no value of sex; known: M, F",
        ),
        ("tables:\n  students:\n    months: [name]\n", "name is no date"),
        ("tables:\n  students:\n    full_mark: {default: 5}\n", "for exams only"),
        ("tables:\n  exams:\n    full_mark: {default: 0}\n", "above 0"),
        ("tables:\n  exams:\n    full_mark: {default: many}\n", "line 3"),
        ("extends: bad\n", "extends itself"),
        ("tables: [a, a\n", "line"),
    ],
)
def test_wrong_mapping_files(workspace: Workspace, text: str, says: str) -> None:
    (workspace.mappings / "bad.yaml").write_text(text, "utf-8")
    with pytest.raises(EarlywarnError) as caught:
        load_mapping(workspace, "bad", "students")
    assert re.search(says, caught.value.text.en)
    assert "bad" in caught.value.text.zh


def test_a_mapping_that_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(EarlywarnError, match="Known: canonical, cn-class-sheet, cn-registry"):
        load_mapping(workspace, "nothing", "students")
    with pytest.raises(EarlywarnError, match="no file"):
        load_mapping(workspace, "nothing.yaml", "students")
