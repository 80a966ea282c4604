"""Loading as a whole: batches, options, what counts once, what order does not matter."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from earlywarn.cli import ingest as ingest_command
from earlywarn.cli import init as init_command
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.tables.batches import attach, read_batches
from earlywarn.tables.contract import TABLES
from earlywarn.tables.ingest import FileResult, IngestOptions, ingest
from earlywarn.words import STATUS_SEVERITY
from earlywarn.workspace import Workspace
from quarantined import lines_of

DAY = date(2026, 9, 1)
SNAPSHOT = IngestOptions(snapshot=DAY)


def read_table(workspace: Workspace, table: str) -> list[dict[str, object]]:
    with duckdb.connect() as con:
        attach(con, workspace)
        rows: list[dict[str, object]] = (
            con.sql(f"FROM {table} ORDER BY ALL").to_arrow_table().to_pylist()
        )
    return rows


def load(
    workspace: Workspace, table: str, text: str, options: IngestOptions | None = None
) -> FileResult:
    path = workspace.root.parent / f"{table}.csv"
    path.write_text(text, "utf-8")
    return ingest(workspace, table, [path], options).files[0]


def notes(result: FileResult) -> str:
    return " | ".join(note.en for note in result.notes)


def test_types_and_columns_are_the_contracts(workspace: Workspace) -> None:
    load(workspace, "schools", "school_id,name,county,rural,capacity\n01,甲校,某县,是,5\n")
    (path,) = (workspace.data / "schools").glob("*.parquet")
    table = pq.read_table(path)
    assert table.schema.remove_metadata() == TABLES["schools"].schema
    assert table.to_pylist()[0] | {"township": None} == {
        "school_id": "01",
        "name": "甲校",
        "county": "某县",
        "township": None,
        "kind": None,
        "rural": True,
        "remote": None,
        "capacity": 5,
    }


def test_a_registry_sheet_in_a_workbook(workspace: Workspace, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(
        [
            "学籍号",
            "学校标识码",
            "姓名",
            "性别",
            "出生日期",
            "年级",
            "班级",
            "入学年月",
            "就读方式",
            "是否留守儿童",
            "民族",
        ]
    )
    sheet.append(
        [
            *("G22010220150101123X", "0012", "甲", "1-男", 20130506, "七年级", 3, 202609),
            *("2-住校", "2-双亲留守儿童", "01-汉族"),
        ]
    )
    sheet.append(
        ["L220102201501011244", "0012", "乙", "女", date(2013, 5, 6), 8, "3", "2025年9月", 1, 0, ""]
    )
    sheet.append(
        ["007", "0012", "丙", "2", 41400, "初三", None, None, "走读", "单亲留守儿童", None]
    )
    book.save(tmp_path / "名册.xlsx")
    options = IngestOptions(snapshot=DAY, mapping="cn-registry")
    result = ingest(workspace, "students", [tmp_path / "名册.xlsx"], options)
    assert result.exit_code == 0
    columns = ("sex", "birth_date", "grade", "class_id", "enrolled_on", "boarding", "parents_away")
    found = {
        row["student_id"]: tuple(row[c] for c in columns)
        for row in read_table(workspace, "students")
    }
    assert found == {
        "G22010220150101123X": (
            *("M", date(2013, 5, 6), 7, "3", date(2026, 9, 1), True, "both_parents"),
        ),
        "L220102201501011244": ("F", date(2013, 5, 6), 8, "3", date(2025, 9, 1), False, "none"),
        "007": ("F", date(2013, 5, 6), 9, None, None, False, "one_parent"),
    }
    assert "班级: stored as numbers" in notes(result.files[0])


def test_the_same_file_twice_and_again(workspace: Workspace) -> None:
    text = "student_id,date,status\nS1,2026-11-20,late\n"
    first = load(workspace, "attendance", text)
    second = load(workspace, "attendance", text)
    assert (first.batch, first.loaded_before) == (1, False)
    assert (second.batch, second.loaded_before, second.rows_read) == (1, True, 0)
    assert "--again" in notes(second)
    third = load(workspace, "attendance", text, IngestOptions(again=True))
    assert (third.batch, third.replaced) == (2, 1)
    assert len(read_table(workspace, "attendance")) == 1


def test_other_options_or_another_mapping_are_another_load(workspace: Workspace) -> None:
    text = "student_id,school_id,grade,travel\nS1,A,7,1\n"
    own = workspace.mappings / "ours.yaml"
    own.write_text("format: 1\n", "utf-8")
    options = IngestOptions(snapshot=DAY, mapping="ours")
    assert load(workspace, "students", text, options).quarantined == 1
    assert load(workspace, "students", text, options).loaded_before
    own.write_text("format: 1\ntables: {students: {values: {travel: {1: walk}}}}\n", "utf-8")
    assert load(workspace, "students", text, options).accepted == 1
    later = IngestOptions(snapshot=DAY + timedelta(days=7), mapping="ours")
    assert load(workspace, "students", text, later).accepted == 1


def test_dry_run_changes_nothing(workspace: Workspace) -> None:
    before = sorted(p.name for p in workspace.data.rglob("*"))
    result = load(
        workspace,
        "attendance",
        "student_id,date,status\nS1,2026-11-20,late\nS1,2026-11-40,late\n",
        IngestOptions(dry_run=True),
    )
    assert (result.accepted, result.quarantined, result.batch) == (1, 1, None)
    assert result.reasons
    assert sorted(p.name for p in workspace.data.rglob("*")) == before


def test_snapshot_in_the_file_and_as_an_option(workspace: Workspace) -> None:
    text = "student_id,school_id,grade,snapshot_date\nS1,A,7,2026-03-01\nS2,A,7,\n"
    assert load(workspace, "students", text).quarantined == 1
    assert load(workspace, "students", text, SNAPSHOT).quarantined == 0
    days = {r["student_id"]: r["snapshot_date"] for r in read_table(workspace, "students")}
    assert days == {"S1": date(2026, 3, 1), "S2": DAY}


def test_exam_and_date_as_options(workspace: Workspace) -> None:
    options = IngestOptions(exam="期中", exam_date=date(2026, 11, 5), full_mark=Decimal(120))
    load(workspace, "exams", "student_id,subject,score\nS1,语文,110\nS1,美术,缺考\n", options)
    rows = read_table(workspace, "exams")
    assert {(r["exam"], r["date"], r["full_mark"]) for r in rows} == {
        ("期中", date(2026, 11, 5), Decimal(120))
    }
    assert {(r["subject"], r["score"]) for r in rows} == {("chinese", Decimal(110)), ("美术", None)}


def test_full_mark_by_row_then_option_then_mapping_then_100(workspace: Workspace) -> None:
    own = "format: 1\ntables: {exams: {full_mark: {语文: 150, default: 60}}}\n"
    (workspace.mappings / "ours.yaml").write_text(own, "utf-8")
    head = "student_id,date,exam,subject,score,full_mark\n"
    text = (
        head
        + "S1,2026-11-05,e,chinese,50,80\nS1,2026-11-05,e,maths,50,\nS2,2026-11-05,e,chinese,50,\n"
    )

    def marks(options: IngestOptions) -> list[int]:
        assert load(workspace, "exams", text, options).accepted == 3
        return [int(str(r["full_mark"]).split(".")[0]) for r in read_table(workspace, "exams")]

    assert marks(IngestOptions(mapping="ours")) == [80, 60, 150]
    assert marks(IngestOptions(mapping="ours", full_mark=Decimal(90))) == [80, 90, 90]
    assert marks(IngestOptions()) == [80, 100, 100]


def test_a_said_full_mark_in_the_row_saves_it(workspace: Workspace) -> None:
    text = (
        "student_id,date,exam,subject,score,full_mark\n"
        "S1,2026-11-05,e,maths,110,\nS2,2026-11-05,e,maths,70,\nS3,2026-11-05,e,maths,99,120\n"
        "S1,2026-11-05,e,english,70,\nS4,2026-02-30,e,music,101,\nS5,2026-11-05,e,music,50,\n"
    )
    result = load(workspace, "exams", text)
    assert result.quarantined == 4
    kept = {(r["student_id"], r["subject"]) for r in read_table(workspace, "exams")}
    assert kept == {("S3", "maths"), ("S1", "english")}


def roll(*students: tuple[str, str, str]) -> str:
    return "student_id,school_id,grade,snapshot_date\n" + "".join(
        f"{student},{school},7,{day}\n" for student, school, day in students
    )


def test_covers_writes_reported_days(workspace: Workspace) -> None:
    load(
        workspace,
        "students",
        roll(
            ("S1", "A", "2026-09-01"),
            ("S1", "B", "2026-11-10"),
            ("S1", "C", "2027-01-01"),
            ("S2", "D", "2027-01-01"),
            ("S3", "E", "2026-09-01"),
        ),
    )
    result = load(
        workspace,
        "attendance",
        "student_id,date,status\nS1,2026-11-18,late\nS2,2026-11-18,late\nS404,2026-11-18,late\n",
        IngestOptions(covers=(date(2026, 11, 16), date(2026, 11, 20))),
    )
    assert result.accepted == 3
    assert "1 students are not known yet" in notes(result)
    days = [date(2026, 11, 16) + timedelta(days=n) for n in range(5)]
    assert [
        (r["school_id"], r["class_id"], r["date"]) for r in read_table(workspace, "reported_days")
    ] == [(school, None, day) for school in ("B", "D") for day in days]
    assert len(read_batches(workspace).batches) == 2


def test_covers_with_no_row_is_said(workspace: Workspace) -> None:
    options = IngestOptions(covers=(date(2026, 11, 16), date(2026, 11, 20)))
    result = load(workspace, "attendance", "student_id,date,status\n", options)
    assert result.error is None
    assert "registers no school" in notes(result)


def test_complete_names_schools_without_a_quarantined_row(workspace: Workspace) -> None:
    text = roll(("S1", "A", "2026-09-01"), ("S2", "B", "2026-09-01"), ("S3", "B", "2026-13-01"))
    result = load(workspace, "students", text, IngestOptions(complete=True))
    assert read_batches(workspace).batches[-1].complete == [("A", "2026-09-01")]
    assert "--complete was not applied to 1 schools (B)" in notes(result)
    result = load(workspace, "students", text + "S4,A\n", IngestOptions(complete=True))
    assert read_batches(workspace).batches[-1].complete == []
    fine = roll(("S1", "A", "2026-09-01"), ("S2", "B", "2026-09-01"))
    load(workspace, "students", fine, IngestOptions(complete=True))
    assert read_batches(workspace).batches[-1].complete == [
        ("A", "2026-09-01"),
        ("B", "2026-09-01"),
    ]


def test_complete_with_two_differing_rows_of_a_child(workspace: Workspace) -> None:
    text = roll(("S1", "A", "2026-09-01"), ("S2", "B", "2026-09-01"), ("S1", "B", "2026-09-01"))
    load(workspace, "students", text, IngestOptions(complete=True))
    assert read_batches(workspace).batches[-1].complete == []


def test_differing_rows_name_each_other(workspace: Workspace) -> None:
    text = roll(("S1", "A", "2026-09-01"), ("S1", "B", "2026-09-01"), ("S1", "A", "2026-09-01"))
    result = load(workspace, "students", text)
    assert (result.accepted, result.quarantined) == (0, 3)
    shown = str(lines_of(result))
    for others in ("row 3, 4", "row 2, 4", "row 2, 3"):
        assert others in shown


def test_wrong_calls(workspace: Workspace, tmp_path: Path) -> None:
    for table, options in (
        ("exams", IngestOptions(snapshot=DAY)),
        ("exams", IngestOptions(full_mark=Decimal(0))),
        ("attendance", IngestOptions(covers=(DAY, DAY - timedelta(days=1)))),
        ("attendance", IngestOptions(complete=True)),
        ("nothing", IngestOptions()),
    ):
        with pytest.raises(UsageError):
            ingest(workspace, table, [tmp_path / "a.csv"], options)
    (workspace.mappings / "bad.yaml").write_text(
        "format: 1\ntables: {students: {defaults: {grade: seven}}}\n", "utf-8"
    )
    result = load(workspace, "students", roll(), IngestOptions(snapshot=DAY, mapping="bad"))
    assert result.error is not None
    assert "seven" in result.error.en


STATUSES = list(STATUS_SEVERITY)
attendance_rows = st.lists(
    st.tuples(
        st.sampled_from(["S1", "S2", "0003"]),
        st.sampled_from(["2026-11-19", "20261120", "2026/11/20", "2026-02-30"]),
        st.sampled_from([*STATUSES, "asleep"]),
        st.sampled_from(["", "am", "1"]),
    ),
    max_size=25,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=attendance_rows, order=st.randoms(use_true_random=False))
def test_order_of_rows_and_loading_twice_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], order: object
) -> None:
    def loaded(lines: list[tuple[str, ...]]) -> tuple[object, ...]:
        workspace = Workspace.init(tmp_path_factory.mktemp("order") / "w")
        head = "student_id,date,status,session\n"
        text = head + "".join(",".join(line) + "\n" for line in lines)
        first = load(workspace, "attendance", text)
        assert first.rows_read == len(rows) == first.accepted + first.merged + first.quarantined
        found = read_table(workspace, "attendance")
        load(workspace, "attendance", text)
        load(workspace, "attendance", text, IngestOptions(again=True))
        assert read_table(workspace, "attendance") == found
        return found, first.accepted, first.merged, first.quarantined

    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    expected: dict[tuple[str, str, str], str] = {}
    for student, day, status, session in rows:
        if day == "2026-02-30" or status == "asleep":
            continue
        key = (student, day.replace("/", "").replace("-", ""), session)
        worst = max((status, expected.get(key, status)), key=STATUS_SEVERITY.__getitem__)
        expected[key] = worst
    found = loaded(rows)
    assert found == loaded(shuffled)
    assert isinstance(found[0], list)
    assert {
        (r["student_id"], f"{r['date']:%Y%m%d}", r["session"] or ""): r["status"] for r in found[0]
    } == expected


def test_parquet_and_csv_load_the_same(workspace: Workspace, tmp_path: Path) -> None:
    table = pa.table(
        {
            "student_id": ["S1", "S2"],
            "date": pa.array([DAY, DAY]),
            "status": pa.array(["late", "sick"]).dictionary_encode(),
            "session": pa.array([1, None], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert ingest(workspace, "attendance", [tmp_path / "a.parquet"]).exit_code == 0
    before = read_table(workspace, "attendance")
    load(
        workspace,
        "attendance",
        "student_id,date,status,session\nS1,2026-09-01,late,1\nS2,2026-09-01,sick,\n",
    )
    assert read_table(workspace, "attendance") == before


def test_a_killed_load_leaves_the_state_as_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "student_id,date,status\nS1,2026-11-20,late\nS1,2026-11-40,late\n"

    def fails(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("earlywarn.tables.batchlist.write_whole", fails)
        result = load(workspace, "attendance", text)
    assert result.error is not None
    assert "No space left on device" in result.error.en
    assert read_table(workspace, "attendance") == []
    assert load(workspace, "attendance", text).batch == 1
    assert len(read_table(workspace, "attendance")) == 1


def cli(*arguments: str | Path) -> tuple[int, str]:
    app = typer.Typer()
    ingest_command.register(app)
    init_command.register(app)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_init_list_and_json(tmp_path: Path) -> None:
    root = tmp_path / "新 区"
    code, said = cli("init", root, "--lang", "en")
    assert code == 0
    assert "earlywarn ingest" in said
    assert "--snapshot" in said
    assert Workspace.open(root).config.lang == "en"
    code, said = cli("init", root, "--lang", "zh")
    assert (code, "已经是工作区" in said) == (1, True)
    (tmp_path / "a.csv").write_text("student_id,date,status\nS1,2026-11-40,late\n", "utf-8")
    code, said = cli("ingest", "attendance", tmp_path / "a.csv", "-w", root, "--json")
    shown = json.loads(said)
    assert (code, shown["exit_code"]) == (3, 3)
    assert shown["files"][0]["quarantined"] == 1
    assert "2026-11-40" in shown["files"][0]["reasons"][0]
    code, said = cli("ingest", "--list", "-w", root, "--json")
    assert code == 0
    assert json.loads(said)[0]["origin"] == "a.csv"
    code, said = cli("ingest", "--list", "-w", root)
    assert "attendance 0" in said
    code, said = cli("ingest", "attendance", "-w", root)
    assert code == 2
    code, said = cli("ingest", "attendance", tmp_path / "a.csv", "--covers", "x", "-w", root)
    assert (code, "--covers" in said) == (2, True)


def test_a_bad_default_names_the_mapping(workspace: Workspace) -> None:
    with pytest.raises(EarlywarnError):
        ingest(workspace, "students", [], IngestOptions(mapping="none"))
