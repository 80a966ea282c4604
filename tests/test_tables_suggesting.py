"""`mapping suggest` on headings that no word list has: which columns it finds, and how it asks."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.tables.contract import TABLES
from earlywarn.tables.grids import Grid
from earlywarn.tables.ingest import IngestOptions, ingest
from earlywarn.tables.mapping import load_mapping, normal_heading
from earlywarn.tables.suggesting import render, suggest
from earlywarn.tables.suggesting.suggest import suggest_for
from earlywarn.tables.suggesting.words import words
from suggesting_fresh import FRESH
from suggesting_headings import (
    ADULTS,
    EVERY,
    HELD_OUT,
    NAMES,
    PHONES,
    REGISTRY,
    TUNED,
    HeadingSet,
)
from suggesting_unseen import UNSEEN

SHARE = 0.95
SETS = [
    pytest.param(TUNED, id="tuned"),
    pytest.param(HELD_OUT, id="held out"),
    pytest.param(FRESH, id="fresh"),
]


def grid_of(rows):
    return Grid("Sheet1", tuple(map(tuple, rows)), {}, False, frozenset(), ())


def suggested(workspace, one: HeadingSet):
    return suggest_for(workspace, f"{one.name}.csv", [grid_of(one.rows)], one.table)


def outcome(workspace, one: HeadingSet):
    """Return for each column of a set (heading, wanted, found, sure)."""
    suggestion = suggested(workspace, one)
    assert suggestion.layout == one.layout, one.name
    assert suggestion.row == len(one.title) + 1, one.name
    found = {each.guess.heading: each for each in suggestion.columns}
    lines = []
    for heading, wanted, _ in one.columns:
        if wanted == "day":
            lines.append((heading, wanted, "day" if heading in suggestion.days else "", True))
            continue
        each = found.get(heading)
        column = each.guess.column if each else ""
        lines.append(
            (heading, wanted.partition(":")[2] or wanted, column, bool(each and each.sure))
        )
    return lines


def measure(workspace, sets):
    """Return (columns, right, right and sure, wrong without a question mark); days count as one."""
    total = right = sure = 0
    wrong = []
    for one in sets:
        lines = outcome(workspace, one)
        days = [line for line in lines if line[1] == "day"]
        lines = [line for line in lines if line[1] != "day"] + days[:1]
        assert all(found == wanted for _, wanted, found, _ in days), one.name
        for heading, wanted, found, is_sure in lines:
            total += 1
            right += found == wanted
            sure += found == wanted and (is_sure or not wanted)
            if found != wanted and found and is_sure:
                wrong.append((one.name, heading, wanted, found))
    return total, right, sure, wrong


@pytest.mark.parametrize("sets", [*SETS, pytest.param(UNSEEN, id="unseen")])
def test_the_share_of_right_columns(workspace, sets):
    total, right, _, wrong = measure(workspace, sets)
    assert not wrong
    assert right / total >= SHARE, f"{right} of {total}"


def listed_for(workspace, one: HeadingSet):
    """Return every word and heading that the matcher is told for such a sheet."""
    listed = {normal_heading(word) for word in words()}
    for table in TABLES:
        mapping = load_mapping(workspace, "cn-registry", table)
        listed |= {text for said in mapping.headings.values() for text in said}
    if one.layout != "long":
        mapping = load_mapping(workspace, "cn-class-sheet", one.table)
        listed |= {text for said in mapping.who.values() for text in said} | set(mapping.subjects)
    return listed


@pytest.mark.parametrize("sets", SETS)
def test_the_share_among_headings_that_stand_in_no_word_list(workspace, sets):
    right = total = 0
    for one in sets:
        listed = listed_for(workspace, one)
        for heading, wanted, found, _ in outcome(workspace, one):
            if wanted not in ("", "day") and normal_heading(heading) not in listed:
                total += 1
                right += found == wanted
    assert total >= 40
    assert right / total >= SHARE, f"{right} of {total}"


def written(workspace, path: Path, suggestion, lang="zh"):
    path.write_text(render(suggestion, lang), "utf-8")
    return load_mapping(workspace, str(path), suggestion.table.name)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_the_file_loads_and_holds_only_what_is_sure(workspace, tmp_path, one, lang):
    suggestion = suggested(workspace, one)
    mapping = written(workspace, tmp_path / "建议 1.yaml", suggestion, lang)
    assert mapping.layout == one.layout
    if one.layout == "long":
        match = mapping.match([heading for heading, _, _ in one.columns])
        sure = {each.guess.column: each.guess.index for each in suggestion.columns if each.sure}
        assert match.columns == sure
    else:
        accepted = {text: role for role, said in mapping.who.items() for text in said}
        accepted |= mapping.subjects
        for each in suggestion.columns:
            if each.sure:
                assert accepted[normal_heading(each.guess.heading)] == each.guess.column


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_every_line_has_a_comment_and_no_person(workspace, one):
    text = render(suggested(workspace, one), "zh")
    for private in (*NAMES, *ADULTS, *PHONES, *REGISTRY, *(number[1:] for number in REGISTRY)):
        assert private not in text
    for line in text.splitlines():
        if line.startswith("#?") and not line.endswith(":"):
            assert "# ? " in line
        elif '"' in line and not line.startswith(("title", "#")):
            assert " # " in line


def as_csv(path: Path, one: HeadingSet):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(one.rows[len(one.title) :])
    return path


@pytest.mark.parametrize(
    "name",
    ["must fill", "initials", "english", "care list", "absence book", "marks in rows", "leavers"],
)
def test_sure_columns_can_be_loaded(workspace, tmp_path, name):
    one = next(one for one in EVERY if one.name == name)
    path = as_csv(tmp_path / "我们的 表.csv", one)
    suggestion = suggest(workspace, path, one.table)
    written(workspace, tmp_path / "m.yaml", suggestion)
    options = IngestOptions(
        mapping=str(tmp_path / "m.yaml"),
        snapshot=date(2026, 9, 1) if one.table == "students" else None,
        dry_run=True,
    )
    (result,) = ingest(workspace, one.table, [path], options).files
    assert result.error is None
    # care list: no code is unknown; attendance, marks and outcomes need a student that is loaded
    assert result.accepted == len(one.rows) - len(one.title) - 1, result.reasons


def of_columns(workspace, table, columns, above=(), merged=()):
    headings = [heading for heading, _ in columns]
    filled = [values * (12 // len(values)) for _, values in columns]
    width = len(headings)
    lines = [*above, headings, *zip(*filled, strict=True)]
    lines = [[*line, *[""] * (width - len(line))] for line in lines]
    grid = Grid("S", tuple(map(tuple, lines)), {}, False, frozenset(), tuple(merged))
    return suggest_for(workspace, "file.csv", [grid], table)


ROLL = [("学籍号码", REGISTRY[:12]), ("学生名字", NAMES[:12]), ("所在班级", ["七（1）班"])]


def line_of(suggestion, column):
    (found,) = [each for each in suggestion.columns if each.guess.column == column]
    return found


@pytest.mark.parametrize(
    ("heading", "values", "sure"),
    [
        ("就读方式（必填）", ["1", "2"], True),
        ("是否住校（必填）", ["1", "0"], True),
        ("是否住校（必填）", ["1", "2"], False),  # 2 = no, or 2 = boards?
        ("是否住校（必填）", ["1"], False),
        ("是否走读（必填）", ["是", "否"], False),  # yes is no
        ("住宿情况", ["走读", "住校"], True),
    ],
)
def test_boarding_codes(workspace, heading, values, sure):
    found = line_of(of_columns(workspace, "students", [*ROLL, (heading, values)]), "boarding")
    assert found.sure == sure, found.doubts


def test_boarding_yes_is_not_the_registrys_day_pupil(workspace, tmp_path):
    suggestion = of_columns(workspace, "students", [*ROLL, ("是否住校（必填）", ["1", "0"])])
    mapping = written(workspace, tmp_path / "m.yaml", suggestion)
    assert mapping.values["boarding"]["1"] == "true"
    assert mapping.values["boarding"]["0"] == "false"


def test_left_behind_yes_and_one_parent_are_not_told_apart(workspace):
    columns = [*ROLL, ("留守类别", ["0", "1"])]
    assert not line_of(of_columns(workspace, "students", columns), "parents_away").sure
    columns = [*ROLL, ("留守类别", ["0", "1", "2"])]
    assert line_of(of_columns(workspace, "students", columns), "parents_away").sure


def test_sex_codes_of_another_list_are_asked(workspace, tmp_path):
    suggestion = of_columns(workspace, "students", [*ROLL, ("性别", ["0", "1"])])
    assert not line_of(suggestion, "sex").sure
    # cn-registry accepts the heading as it stands, so it is not extended
    assert suggestion.base == ""
    mapping = written(workspace, tmp_path / "m.yaml", suggestion)
    assert "sex" not in mapping.match(["学籍号码", "性别"]).columns


def test_an_unknown_code_is_asked_and_a_name_is_not_written(workspace, tmp_path):
    values = ["住校", "走读", "住校", "走读生", "租房陪读", "王小芳"]
    suggestion = of_columns(workspace, "students", [*ROLL, ("住宿情况", values)])
    text = render(suggestion, "zh")
    assert '#?         "租房陪读": ""  # ? 0.00' in text
    assert "王小芳" not in text
    mapping = written(workspace, tmp_path / "m.yaml", suggestion)
    assert "租房陪读" not in mapping.values["boarding"]


@pytest.mark.parametrize(
    ("values", "order", "days"),
    [
        (["13/04/2026", "05/06/2026"], "dmy", {date(2026, 4, 13), date(2026, 6, 5)}),
        (["04/13/2026", "05/06/2026"], "mdy", {date(2026, 4, 13), date(2026, 5, 6)}),
        (["13.4.2026", "1.6.2026"], "dmy", {date(2026, 4, 13), date(2026, 6, 1)}),
    ],
)
def test_the_order_of_dates_is_found_and_read(workspace, tmp_path, values, order, days):
    columns = [("学籍号码", REGISTRY[:12]), ("缺课日期", values), ("缺课类型", ["病假", "事假"])]
    suggestion = of_columns(workspace, "attendance", columns)
    assert line_of(suggestion, "date").sure
    mapping = written(workspace, tmp_path / "m.yaml", suggestion)
    assert mapping.date_order == order
    file = tmp_path / "a.csv"
    rows = zip(REGISTRY[:2], values, ["病假", "事假"], strict=True)
    lines = ["学籍号码,缺课日期,缺课类型", *map(",".join, rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = IngestOptions(mapping=str(tmp_path / "m.yaml"))
    (result,) = ingest(workspace, "attendance", [file], options).files
    assert result.accepted == 2, result.reasons
    con = connect(workspace)
    try:
        assert {day for (day,) in con.execute("SELECT date FROM attendance").fetchall()} == days
    finally:
        con.close()


@pytest.mark.parametrize(
    "values",
    [["03/04/2026", "05/06/2026"], ["03-04-2026"]],
)
def test_an_order_that_cannot_be_told_is_asked(workspace, tmp_path, values):
    columns = [("学籍号码", REGISTRY[:12]), ("缺课日期", values), ("缺课类型", ["病假", "事假"])]
    suggestion = of_columns(workspace, "attendance", columns)
    found = line_of(suggestion, "date")
    assert any("分不清" in doubt.zh for doubt in found.doubts)
    assert "#?     date_order: dmy  # ? 0.50" in render(suggestion, "zh")
    assert written(workspace, tmp_path / "m.yaml", suggestion).date_order == "ymd"


def test_values_contradict_a_heading(workspace):
    columns = [*ROLL, ("监护人", PHONES[:12])]
    suggestion = of_columns(workspace, "students", columns)
    assert suggestion.base == ""
    assert all(not each.sure for each in suggestion.columns if each.guess.heading == "监护人")


def test_identity_numbers_are_no_registry_numbers(workspace):
    numbers = [number[1:] for number in REGISTRY[:12]]
    suggestion = of_columns(workspace, "students", [("学生编号", numbers), *ROLL[1:]])
    assert all(not each.sure for each in suggestion.columns if each.guess.column == "student_id")


@pytest.mark.parametrize("heading", ["编号", "班级", "学号", "No."])
def test_a_running_number_is_never_sure(workspace, heading):
    columns = [(heading, [str(i) for i in range(1, 13)]), *ROLL[1:2], ("班", ["1", "2"])]
    suggestion = of_columns(workspace, "students", columns)
    assert not [one for one in suggestion.columns if one.guess.heading == heading and one.sure]


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("监护人手机（必填）", "guardian_phone"),
        ("班级 Class", "class_id"),
        ("Class/班级", "class_id"),
        ("jianhuren xingming", "guardian"),
        ("Name of guardian", "guardian"),
    ],
)
def test_parts_languages_and_word_order(workspace, heading, column):
    values = {"guardian_phone": PHONES, "class_id": ["七（1）班"], "guardian": ADULTS}[column]
    columns = [*ROLL[:2], (heading, values[:12])]
    found = line_of(of_columns(workspace, "students", columns), column)
    assert found.guess.heading == heading
    assert found.sure


def test_two_columns_that_fit_are_asked(workspace):
    columns = [*ROLL, ("父亲电话", PHONES[:12]), ("母亲电话", PHONES[:12])]
    found = line_of(of_columns(workspace, "students", columns), "guardian_phone")
    assert not found.sure


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("学生电话", PHONES[:12]),  # not the guardian's
        ("毕业学校代码", ["2151009999"]),  # not the school of now
        ("上学期班级", ["六（1）班"]),
        ("入团时间", ["2024-05-04"]),  # one sign from 入学时间
        ("父亲出生日期", ["1980-01-02", "1981-03-04"]),
        ("班主任电话", PHONES[:12]),
        ("不住校原因", ["近", "远"]),
        ("监护人2电话", PHONES[:12]),
        ("住宿费是否交清", ["是", "否"]),
        ("学习困难学生", ["是", "否"]),
        ("寄宿制学校", ["是", "否"]),
        ("Previous school code", ["HK-01", "HK-02"]),
        ("Non-migrant", ["Y", "N"]),
        ("Guardian sex", ["M", "F"]),
    ],
)
def test_headings_near_a_column_are_not_taken_silently(workspace, heading, values):
    columns = [*ROLL[:2], (heading, values)]
    suggestion = of_columns(workspace, "students", columns)
    assert not [one for one in suggestion.columns if one.guess.heading == heading and one.sure]


def test_of_two_known_headings_the_shipped_mapping_decides(workspace):
    columns = [*ROLL, ("联系电话", PHONES[:12]), ("成员1联系电话", PHONES[:12])]
    suggestion = of_columns(workspace, "students", columns)
    found = line_of(suggestion, "guardian_phone")
    assert found.guess.heading == "成员1联系电话"
    assert found.sure
    assert suggestion.base == "cn-registry"


def test_headings_that_stand_twice_are_asked(workspace):
    columns = [*ROLL, ("家长电话", PHONES[:12]), ("家长电话", PHONES[:12])]
    suggestion = of_columns(workspace, "students", columns)
    assert not line_of(suggestion, "guardian_phone").sure


def test_headings_under_a_merged_group(workspace):
    columns = [
        ("", REGISTRY[:12]),
        ("姓名", NAMES[:12]),
        ("班级", ["七（1）班"]),
        ("姓名", ADULTS[:12]),
        ("电话", PHONES[:12]),
    ]
    above = [["某校名册"], ["学籍号", "学生", "", "监护人"]]
    merged = [(1, 1, 1, 5), (2, 1, 3, 1), (2, 2, 2, 3), (2, 4, 2, 5)]
    suggestion = of_columns(workspace, "students", columns, above, merged)
    assert suggestion.row == 3
    found = {each.guess.column: each.guess.index for each in suggestion.columns}
    assert found["student_id"] == 0
    assert found["name"] == 1
    assert found["guardian"] == 3
    assert found["guardian_phone"] == 4


def test_a_month_sheet_with_weekdays_and_unknown_signs(workspace):
    signs = [*["√"] * 8, "K", "√", "王小芳"]
    days = [(str(day), ["一二三四五六日"[day % 7], *signs]) for day in range(1, 31)]
    columns = [("学生姓名（全）", ["", *NAMES[:11]]), *days]
    suggestion = of_columns(workspace, "attendance", columns)
    assert [(code.code, code.value) for code in suggestion.signs.codes] == [
        ("√", "present"),
        ("k", None),
    ]
    assert suggestion.signs.hidden == 1
    assert "王小芳" not in render(suggestion, "zh")


def test_no_headings(workspace):
    lines = list(zip(REGISTRY, NAMES, PHONES, strict=True))
    with pytest.raises(EarlywarnError) as raised:
        suggest_for(workspace, "f.csv", [grid_of(lines)], "students")
    assert not any(name in raised.value.text.zh for name in NAMES)


CELLS = st.one_of(
    st.sampled_from(
        [
            "学籍号",
            "姓名",
            "性别",
            "班",
            "1",
            "2",
            "男",
            "03/04/2026",
            "住校",
            "总分",
            "YW",
            "是否走读",
        ]
    ),
    st.text(max_size=6),
    st.integers(0, 99).map(str),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.integers(1, 6).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6)
    ),
    table=st.sampled_from(["students", "exams", "attendance", "schools"]),
)
def test_any_sheet_gives_a_mapping_that_loads_or_a_plain_refusal(workspace, lines, table):
    try:
        suggestion = suggest_for(workspace, "f.csv", [grid_of(lines)], table)
    except EarlywarnError:
        return
    mapping = written(workspace, workspace.root / "m.yaml", suggestion)
    if suggestion.layout != "long":
        return
    sure = {each.guess.column: each.guess.index for each in suggestion.columns if each.sure}
    headings = [text.strip() for text in lines[suggestion.row - 1]]
    found = mapping.match(headings).columns
    names = {normal_heading(column.name) for column in TABLES[table].columns}
    extra = {c: i for c, i in found.items() if sure.get(c) != i}
    assert all(normal_heading(headings[i]) in names for i in extra.values())
