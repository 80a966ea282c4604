"""Bad input, end to end through the command: message, exit code, and the good rows kept."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import openpyxl
import pytest
import typer
from typer.testing import CliRunner, Result

from earlywarn.cli import ingest as ingest_command
from earlywarn.cli import init as init_command
from earlywarn.tables.batches import attach
from earlywarn.workspace import Workspace
from quarantined import lines_in

STUDENTS = "student_id,school_id,grade,birth_date,name\n"
GOOD = "S1,A,7,2013-05-06,甲\n"
ATTENDANCE = "student_id,date,status\n"
EXAMS = "student_id,date,exam,subject,score\n"


def run(*arguments: str | Path, lang: str = "en") -> Result:
    app = typer.Typer()
    ingest_command.register(app)
    init_command.register(app)
    return CliRunner().invoke(app, [*map(str, arguments), "--lang", lang])


def read_table(workspace: Workspace, table: str) -> list[dict[str, object]]:
    with duckdb.connect() as con:
        attach(con, workspace)
        rows: list[dict[str, object]] = (
            con.sql(f"FROM {table} ORDER BY ALL").to_arrow_table().to_pylist()
        )
    return rows


def quarantined(workspace: Workspace) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = []
    for path in sorted((workspace.data / "_quarantine").glob("*.parquet")):
        lines += lines_in(path)
    return lines


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.init(tmp_path / "区县 工作区")


@dataclass
class Case:
    """A file, how it is loaded, what is said and what remains."""

    name: str
    table: str
    content: str | bytes
    exit_code: int
    kept: int  # rows accepted
    says: list[str]
    says_zh: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    file: str = "bad.csv"


SNAPSHOT = ["--snapshot", "2026-09-01"]


def xlsx(rows: list[list[object]]) -> bytes:
    from io import BytesIO

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


CASES = [
    Case(
        "missing required column",
        "students",
        "student_id,school_id,grad\nS1,A,7\n",
        1,
        0,
        ["bad.csv, row 1", "missing required column grade", "is it grad?", "--mapping"],
        ["第 1 行", "缺少必需的列 grade"],
        SNAPSHOT,
    ),
    Case(
        "no snapshot date",
        "students",
        STUDENTS + GOOD,
        1,
        0,
        ["bad.csv", "no snapshot date", "--snapshot 2026-09-01"],
        ["没有快照日期"],
    ),
    Case(
        "unknown column",
        "students",
        "student_id,school_id,grade,favourite_colour\nS1,A,7,red\n",
        0,
        1,
        ["unknown columns, left out: favourite_colour"],
        ["未使用的列：favourite_colour"],
        SNAPSHOT,
    ),
    Case(
        "required heading twice",
        "students",
        "student_id,school_id,grade,grade\nS1,A,7,8\n",
        1,
        0,
        ["bad.csv", "the heading grade stands twice"],
        arguments=SNAPSHOT,
    ),
    Case(
        "semicolons",
        "students",
        "student_id;school_id;grade\nS1;A;7\n",
        0,
        1,
        ["1 accepted"],
        arguments=SNAPSHOT,
    ),
    Case(
        "tabs",
        "students",
        "student_id\tschool_id\tgrade\nS1\tA\t7\n",
        0,
        1,
        ["1 accepted"],
        arguments=SNAPSHOT,
    ),
    Case(
        "full-width commas",
        "students",
        "student_id，school_id，grade\nS1，A，7\n",
        1,
        0,
        ["bad.csv", "full-width comma", "comma-separated"],
        ["中文逗号"],
        SNAPSHOT,
    ),
    Case("empty file", "students", b"", 1, 0, ["bad.csv", "empty"], ["空"], SNAPSHOT),
    Case("only a BOM", "students", b"\xef\xbb\xbf", 1, 0, ["no heading row"], arguments=SNAPSHOT),
    Case("header only", "students", STUDENTS, 0, 0, ["0 rows read"], arguments=SNAPSHOT),
    Case(
        "GB18030",
        "students",
        ("学籍号,学校标识码,年级,姓名\nS1,A,七年级,张㐀\n").encode("gb18030"),
        0,
        1,
        ["1 accepted"],
        arguments=[*SNAPSHOT, "--mapping", "cn-registry"],
    ),
    Case(
        "UTF-16",
        "students",
        (STUDENTS + GOOD).encode("utf-16"),
        0,
        1,
        ["1 accepted"],
        arguments=SNAPSHOT,
    ),
    Case(
        "UTF-16 without BOM",
        "students",
        (STUDENTS + GOOD).encode("utf-16-le"),
        0,
        1,
        ["1 accepted"],
        arguments=SNAPSHOT,
    ),
    Case(
        "UTF-16 cut off within a letter",
        "students",
        (STUDENTS + GOOD).encode("utf-16")[:-1],
        1,
        0,
        ["bad.csv", "line 2 is no valid UTF-16", "CSV UTF-8"],
        ["UTF-16", "另存为"],
        SNAPSHOT,
    ),
    Case(
        "damaged UTF-8",
        "students",
        (STUDENTS + GOOD * 3).encode() + b"S9,A,7,,\xe5\xbc\n",
        1,
        0,
        ["bad.csv", "line 5", "CSV UTF-8"],
        arguments=SNAPSHOT,
    ),
    Case(
        "a NUL byte",
        "students",
        STUDENTS + GOOD + "S2,A,7,2013-01-01,b\0c\n" + "S3,A,7,,\n",
        3,
        2,
        ["bad.csv, row 3", "NUL", "1 quarantined"],
        ["第 3 行", "空字符"],
        SNAPSHOT,
    ),
    Case(
        "10 MB in one cell",
        "students",
        STUDENTS + GOOD + "S2,A,7,," + "x" * 10_000_000 + "\nS3,A,7,,\n",
        3,
        2,
        ["bad.csv, row 3", "too long"],
        ["过长"],
        SNAPSHOT,
    ),
    Case(
        "10 MB in one quoted cell",
        "students",
        STUDENTS + GOOD + 'S2,A,7,,"' + "x" * 10_000_000 + '"\nS3,A,7,,\n',
        3,
        2,
        ["bad.csv, row 3", "too long"],
        arguments=SNAPSHOT,
    ),
    Case(
        "a row too short and a row too long",
        "students",
        STUDENTS + GOOD + "S2,A,7\nS3,A,7,,x,extra\nS4,A,8,,\n",
        3,
        2,
        ["bad.csv, row 3", "do not match the headings (3/5)", "(2 rows)"],
        ["单元格数与表头列数不符"],
        SNAPSHOT,
    ),
    Case(
        "a quote never closed",
        "students",
        STUDENTS + GOOD + 'S2,A,7,,"b\nS3,A,7,,c\nS4,A,8,,d\n',
        3,
        3,
        ["bad.csv, row 3", "quote"],
        ["引号"],
        SNAPSHOT,
    ),
    Case(
        "a quote closed rows later",
        "students",
        STUDENTS + 'S1,A,7,,"a\nS2,A,7,,"\nS3,A,7,,c\n',
        3,
        1,
        ["bad.csv, row 2", "quote"],
        arguments=SNAPSHOT,
    ),
    Case(
        "truncated XLSX",
        "students",
        xlsx([["student_id", "school_id", "grade"], ["S1", "A", 7]])[:2000],
        1,
        0,
        ["bad.xlsx", "not a whole XLSX", "again"],
        ["不是完整的 XLSX"],
        SNAPSHOT,
        "bad.xlsx",
    ),
    Case(
        "text called XLSX",
        "students",
        STUDENTS + GOOD,
        0,
        1,
        ["1 accepted"],
        arguments=SNAPSHOT,
        file="bad.xlsx",
    ),
    Case(
        "a workbook called CSV",
        "students",
        xlsx([["student_id", "school_id", "grade"], ["S1", "A", 7], ["S2", "A", "=1+6"]]),
        3,
        1,
        ["bad.csv, row 3, column grade", "“=1+6”", "never calculated"],
        ["第 3 行", "公式没有计算结果"],
        SNAPSHOT,
    ),
    Case(
        "an error cell",
        "students",
        xlsx([["student_id", "school_id", "grade"], ["S1", "A", 7], ["S2", "A", "#N/A"]]),
        3,
        1,
        ["bad.xlsx, row 3, column grade", "“#N/A”", "correct its formula"],
        ["第 3 行", "错误值"],
        SNAPSHOT,
        "bad.xlsx",
    ),
    Case(
        "a broken old XLS",
        "students",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        1,
        0,
        ["bad.xls", "save it as .xlsx"],
        arguments=SNAPSHOT,
        file="bad.xls",
    ),
    Case(
        "truncated Parquet",
        "students",
        b"PAR1 and nothing more",
        1,
        0,
        ["bad.parquet", "not a whole Parquet"],
        arguments=SNAPSHOT,
        file="bad.parquet",
    ),
    Case(
        "30 February",
        "students",
        STUDENTS + "S1,A,7,2026-02-30,\nS2,A,7,2013-02-28,\n",
        3,
        1,
        ["bad.csv, row 2, column birth_date", "2026-02-30", "is not a date; write it like"],
        ["第 2 行“birth_date”列", "不是日期"],
        SNAPSHOT,
    ),
    Case(
        "duplicate student in one file, rows that differ",
        "students",
        STUDENTS + GOOD + "S2,A,7,,\nS1,A,8,2013-05-06,甲\n",
        3,
        1,
        ["bad.csv, row 2, column student_id + snapshot_date", "same key as row 4", "(2 rows)"],
        ["与第 4 行的键相同"],
        SNAPSHOT,
    ),
    Case(
        "duplicate student in one file, equal rows",
        "students",
        STUDENTS + GOOD + GOOD,
        0,
        1,
        ["1 equal rows count once", "1 merged"],
        arguments=SNAPSHOT,
    ),
    Case(
        "a grade in no stage",
        "students",
        STUDENTS + "S1,A,12,,\n" + "S2,A,9,,\n",
        3,
        1,
        ["row 2, column grade", "12", "in no stage", "primary 1-6, junior 7-9"],
        ["不属于任何学段"],
        SNAPSHOT,
    ),
    Case(
        "identifier as 2.2E+17",
        "students",
        STUDENTS + "2.2E+17,A,7,,\n" + GOOD,
        3,
        1,
        ["row 2, column student_id", "2.2E+17", "format the column as text"],
        ["2.2E+17", "格式设为“文本”"],
        SNAPSHOT,
    ),
    Case(
        "identifier as a number in a workbook",
        "students",
        xlsx([["student_id", "school_id", "grade"], [220102201501011234, "A", 7], ["S2", "A", 7]]),
        3,
        1,
        ["bad.xlsx, row 2, column student_id", "format the column as text"],
        arguments=SNAPSHOT,
        file="bad.xlsx",
    ),
    Case(
        "identifier as a decimal",
        "students",
        STUDENTS + "1001.0,A,7,,\n" + GOOD,
        3,
        1,
        ["row 2, column student_id", "1001.0", "decimal", "as text"],
        arguments=SNAPSHOT,
    ),
    Case(
        "18 digits with a closing X, and leading zeros",
        "students",
        STUDENTS + "G22010220150101123X,0012,7,,\n00001234,0012,7,,\n",
        0,
        2,
        ["2 accepted"],
        arguments=SNAPSHOT,
    ),
    Case(
        "missing key",
        "students",
        STUDENTS + ",A,7,,\n" + GOOD,
        3,
        1,
        ["row 2, column student_id", "must be filled in"],
        ["必填"],
        SNAPSHOT,
    ),
    Case(
        "unknown status",
        "attendance",
        ATTENDANCE + "S1,2026-11-20,asleep\nS1,2026-11-21,present\n",
        3,
        1,
        ["row 2, column status", "asleep", "unknown code; known: present", "mapping"],
        ["未知的代码"],
    ),
    Case(
        "code and name that disagree",
        "students",
        "学籍号,学校标识码,年级,是否留守儿童\nS1,A,7,1-双亲留守儿童\nS2,A,7,2-双亲留守儿童\n",
        3,
        1,
        ["row 2, column 是否留守儿童", "code and name do not agree"],
        arguments=[*SNAPSHOT, "--mapping", "cn-registry"],
    ),
    Case(
        "score above the full mark",
        "exams",
        "student_id,date,exam,subject,score,full_mark\n"
        "S1,2026-11-20,mid,maths,121,120\nS2,2026-11-20,mid,maths,120,120\n",
        3,
        1,
        ["row 2, column score", "121", "above the full mark 120"],
        ["高于满分 120"],
    ),
    Case(
        "score above 100 and no full mark said",
        "exams",
        EXAMS + "S1,2026-11-20,mid,语文,110\nS2,2026-11-20,mid,chinese,80\n"
        "S1,2026-11-20,mid,maths,95\nS3,2026-11-20,mid,chinese,\n",
        3,
        1,
        ["row 2, column score", "110", "say the full mark", "--full-mark", "(3 rows)"],
        ["没有说明满分"],
    ),
    Case(
        "the same with --full-mark",
        "exams",
        EXAMS + "S1,2026-11-20,mid,语文,110\nS2,2026-11-20,mid,chinese,80\n",
        0,
        2,
        ["2 accepted"],
        arguments=["--full-mark", "120"],
    ),
    Case(
        "negative score",
        "exams",
        EXAMS + "S1,2026-11-20,mid,maths,-1\nS2,2026-11-20,mid,maths,0\n",
        3,
        1,
        ["row 2, column score", "-1", "negative"],
        ["不能为负数"],
    ),
    Case(
        "缺考 and empty are absent",
        "exams",
        EXAMS
        + "S1,2026-11-20,mid,maths,缺考\nS2,2026-11-20,mid,maths,\nS3,2026-11-20,mid,maths,—\n",
        0,
        3,
        ["3 accepted"],
    ),
    Case(
        "a number out of range",
        "students",
        "student_id,school_id,grade,distance_km\nS1,A,7,1000000\nS2,A,7,999999.9999995\nS3,A,7,2\n",
        3,
        1,
        ["row 2, column distance_km", "too large"],
        arguments=SNAPSHOT,
    ),
    Case(
        "worst status of a key",
        "attendance",
        ATTENDANCE + "S1,2026-11-20,late\nS1,2026-11-20,unexcused\nS1,2026-11-20,sick\n",
        0,
        1,
        ["2 rows stood for", "worst status", "2 merged"],
        ["取最严重的状态"],
    ),
    Case(
        "--covers before any student is known",
        "attendance",
        ATTENDANCE + "S1,2026-11-20,late\n",
        1,
        0,
        ["bad.csv", "Load students first", "reported_days"],
        ["请先导入 students"],
        ["--covers", "2026-11-20..2026-11-21"],
    ),
    Case(
        "an unknown mapping",
        "attendance",
        ATTENDANCE,
        1,
        0,
        ["no mapping cn", "canonical, cn-class-sheet, cn-registry"],
        arguments=["--mapping", "cn"],
    ),
    Case("an unknown table", "pupils", ATTENDANCE, 2, 0, ["no table pupils"], ["没有表 pupils"]),
    Case(
        "an option of another table",
        "attendance",
        ATTENDANCE,
        2,
        0,
        ["--full-mark is for exams"],
        arguments=["--full-mark", "100"],
    ),
    Case(
        "an option that is no date",
        "students",
        STUDENTS,
        2,
        0,
        ["--snapshot", "2026-9"],
        arguments=["--snapshot", "2026-9"],
    ),
    # What shows only beside other tables is no fault of the row: it stays.
    Case("unknown school", "students", STUDENTS + GOOD, 0, 1, ["1 accepted"], arguments=SNAPSHOT),
    Case(
        "attendance of an unknown student, in the future, on a Sunday",
        "attendance",
        ATTENDANCE + "S404,2099-01-04,late\n",
        0,
        1,
        ["1 accepted"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / case.file
    raw = case.content
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    call = ["ingest", case.table, path, *case.arguments, "-w", workspace.root]
    if case.says_zh:
        shown = run(*call, "--dry-run", lang="zh")
        for text in case.says_zh:
            assert text in shown.output
        assert shown.exit_code == case.exit_code
    result = run(*call)
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code == case.exit_code, result.output
    for text in case.says:
        assert text in result.output
    if case.table == "pupils":
        return
    assert len(read_table(workspace, case.table)) == case.kept
    found = quarantined(workspace)
    assert bool(found) == (case.exit_code == 3)
    for line in found:
        assert line["file"] == case.file
        assert line["row"].isdigit()
        assert line["reason_zh"]
        assert line["reason_en"]


@pytest.mark.parametrize(
    "text", ["2026-11-20", "20261120", "2026/11/20", "2026年11月20日", "2026/11/20 00:00"]
)
def test_dates_in_each_form(text: str, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{ATTENDANCE}S1,{text},late\n", "utf-8")
    assert run("ingest", "attendance", tmp_path / "a.csv", "-w", workspace.root).exit_code == 0
    assert str(read_table(workspace, "attendance")[0]["date"]) == "2026-11-20"


def test_identifiers_survive(workspace: Workspace, tmp_path: Path) -> None:
    ids = ["00001234", "220102201501011234", "22010220150101123X", "G22010220150101123X"]
    rows = "".join(f"{i},007,7,,\n" for i in ids)
    (tmp_path / "a.csv").write_text(STUDENTS + rows, "utf-8")
    run("ingest", "students", tmp_path / "a.csv", "-w", workspace.root, *SNAPSHOT)
    found = read_table(workspace, "students")
    assert {row["student_id"] for row in found} == set(ids)
    assert {row["school_id"] for row in found} == {"007"}


def test_duplicate_student_across_files(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(STUDENTS + GOOD, "utf-8")
    (tmp_path / "b.csv").write_text(STUDENTS + "S1,A,8,2013-05-06,甲\n", "utf-8")
    both = [tmp_path / "a.csv", tmp_path / "b.csv"]
    result = run("ingest", "students", *both, "-w", workspace.root, *SNAPSHOT)
    assert result.exit_code == 0
    assert "1 earlier rows replaced" in result.output
    assert [row["grade"] for row in read_table(workspace, "students")] == [8]


def test_one_unusable_file_among_several(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ATTENDANCE + "S1,2026-11-20,late\n", "utf-8")
    (tmp_path / "b.csv").write_bytes(b"")
    (tmp_path / "c.csv").write_text(ATTENDANCE + "S2,2026-11-20,late\n", "utf-8")
    paths = [tmp_path / name for name in ("a.csv", "b.csv", "missing.csv", "c.csv")]
    result = run("ingest", "attendance", *paths, "-w", workspace.root)
    assert result.exit_code == 1
    assert "b.csv: the file is empty" in result.output
    assert "There is no file" in result.output
    assert len(read_table(workspace, "attendance")) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
            ["earlywarn.yaml, line 1", "anchors and aliases", "write the value out"],
        ),
        ("format: 1\nlang: en\nlang: zh\n", ["earlywarn.yaml, line 3", "lang stands twice"]),
        ("format: 1\ntiers:\n\thigh: 5\n", ["earlywarn.yaml, line 3", "tab", "use spaces"]),
        (
            "format: 1\nlang: !!python/object/apply:os.system [ls]\n",
            ["earlywarn.yaml, line 2", "python/object/apply:os.system", "not allowed"],
        ),
        ("format: 1\nhorizon: 3\n", ["line 2", "no setting horizon", "did you mean horizon_days?"]),
        ("format: 99\n", ["format 99", "newer"]),
        ("format: 1\nstep_days: soon\n", ["line 2", "step_days", "soon"]),
    ],
    ids=["alias bomb", "duplicate key", "tab", "python tag", "unknown key", "newer", "value"],
)
def test_config(text: str, says: list[str], workspace: Workspace, tmp_path: Path) -> None:
    (workspace.root / "earlywarn.yaml").write_text(text, "utf-8")
    (tmp_path / "a.csv").write_text(ATTENDANCE, "utf-8")
    result = run("ingest", "attendance", tmp_path / "a.csv", "-w", workspace.root)
    assert result.exit_code == 1
    for part in says:
        assert part in result.output


def test_a_workspace_that_is_none(tmp_path: Path) -> None:
    result = run("ingest", "attendance", tmp_path / "a.csv", "-w", tmp_path)
    assert result.exit_code == 1
    assert "is not a workspace" in result.output
    assert "earlywarn init" in result.output


def test_a_second_writer(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ATTENDANCE + "S1,2026-11-20,late\n", "utf-8")
    program = (
        "import sys; from pathlib import Path; from earlywarn.workspace import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])).lock('score 2026-11-20'):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        result = run("ingest", "attendance", tmp_path / "a.csv", "-w", workspace.root)
        assert result.exit_code == 1
        assert "in use by" in result.output
        assert f"pid {other.pid}" in result.output
        assert "score 2026-11-20" in result.output
        other.communicate("")
    assert run("ingest", "attendance", tmp_path / "a.csv", "-w", workspace.root).exit_code == 0
