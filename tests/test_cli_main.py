"""The whole command line: help everywhere, plain errors, JSON alone on stdout, exit codes."""

import io
import json
import sys

import openpyxl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from earlywarn import __version__
from earlywarn.cli import main as cli
from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES

runner = CliRunner()
COMMANDS = (
    "",
    "demo",
    "init",
    "simulate",
    "ingest",
    "features",
    "score",
    "explain",
    "train",
    "import",
    "import oulad",
    "import star",
    "rules",
    "rules check",
    "rules test",
    "rules list",
    "models",
    "models list",
    "models show",
    "models promote",
    "models compare",
    "models rollback",
    "models monitor",
)
GROUPS = ("", "import", "rules", "models")
ROLL = "student_id,snapshot_date,school_id,grade\n"


def run(*words):
    """Call the program; an exception that would be a traceback fails the test."""
    result = runner.invoke(cli.make_app(), [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def loaded(workspace):
    """A workspace with one child in it."""
    roll = workspace.root / "roll.csv"
    roll.write_text(ROLL + "G1,2026-09-01,S1,3\n", "utf-8")
    assert run("ingest", "students", roll, "-w", workspace.root).exit_code == 0
    return workspace


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert name in GROUPS or "Example: earlywarn " + name in result.stdout


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
@pytest.mark.parametrize("words", [["--help"], ["score", "--help"], ["rules", "list"]])
def test_a_console_of_another_encoding_never_breaks(workspace, monkeypatch, encoding, words):
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "argv", ["earlywarn", *words])
    monkeypatch.chdir(workspace.root)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    screen.flush()
    assert len(screen.buffer.getvalue()) > 100


def test_version():
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"earlywarn {__version__}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch"],
        ["score", "--nosuch"],
        ["explain"],
        ["ingest"],
        ["ingest", "studnts", "a.csv"],
        ["ingest", "students", "a.csv", "--snapshot", "2026-2-30"],
        ["ingest", "attendance", "a.csv", "--covers", "2026-01-01"],
        ["ingest", "exams", "a.csv", "--full-mark", "many"],
        ["score", "--as-of", "yesterday"],
        ["score", "--lang", "fr"],
        ["features", "--as-of", "2026-01-01", "--out", "x.txt"],
    ],
)
def test_a_wrong_call_exits_2(workspace, monkeypatch, words):
    monkeypatch.chdir(workspace.root)
    assert run(*words).exit_code == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ingest", "--list"], 0),
        (["ingest", "students", "roll.csv"], 0),
        (["ingest", "students", "no.csv", "--snapshot", "2026-09-01"], 1),
        (["ingest", "nosuch", "a.csv"], 2),
        (["features", "--as-of", "2026-09-02", "--out", "f.csv"], 0),
        (["score", "--as-of", "1990-01-01"], 1),
        (["score", "--as-of", "never"], 2),
        (["score", "--lang", "fr"], 2),
        (["explain", "NOBODY", "--as-of", "2026-09-02"], 1),
        (["train"], 1),
        (["import", "oulad", "."], 1),
        (["import", "star", "."], 1),
        (["rules", "check"], 0),
        (["rules", "test"], 0),
        (["rules", "list"], 0),
        (["models", "list"], 0),
        (["models", "show"], 1),
        (["models", "promote", "main/9"], 1),
        (["init", "."], 1),
        (["init", "new"], 0),
        (["simulate", "new", "--students", "5"], 2),
    ],
)
def test_json_stands_alone_on_stdout(loaded, monkeypatch, words, code):
    monkeypatch.chdir(loaded.root)
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    json.loads(result.stdout)
    assert result.stderr == ""


def test_a_file_without_headings_shows_nobody(workspace):
    roll = workspace.root / "roll.csv"
    roll.write_text("G990101,2026-09-01,于雨磊,SC1,于世宁,00060605963\n", "utf-8")
    for lang in ("zh", "en"):
        result = run("ingest", "students", roll, "-w", workspace.root, "--lang", lang)
        assert result.exit_code == 1
        assert "roll.csv" in result.output
        assert not any(word in result.output for word in ("于雨磊", "于世宁", "00060605963"))
    assert "delete a title above them" in result.output


def test_headings_of_another_mapping_name_it(workspace):
    book = openpyxl.Workbook()
    book.active.append(["学籍号", "学校标识码", "年级"])
    book.active.append(["G1", "S1", "三年级"])
    path = workspace.root / "名册.xlsx"
    book.save(path)
    words = ("ingest", "students", path, "-w", workspace.root, "--snapshot", "2026-09-01")
    result = run(*words, "--lang", "en")
    assert result.exit_code == 1
    assert "Add --mapping cn-registry." in result.output
    assert run(*words, "--mapping", "cn-registry").exit_code == 0


def test_a_misspelt_table_is_guessed_and_all_are_listed(workspace):
    result = run("ingest", "studnts", "a.csv", "-w", workspace.root, "--lang", "en")
    assert "Did you mean students?" in result.output
    assert "outcomes" in result.output


def test_a_row_replaced_for_the_third_time_counts_once(workspace):
    for number, grade in enumerate((3, 4, 5)):
        row = {"student_id": "G1", "school_id": "S1", "grade": grade}
        schema = TABLES["students"].schema
        cells = {name: [row.get(name)] for name in schema.names}
        rows = pa.table({n: pa.array(v, schema.field(n).type) for n, v in cells.items()})
        batch = add_batch(workspace, {"students": rows}, origin="t", content=str(number))
        assert batch.replaced == min(number, 1)
    assert batch.parts[0].overrides == [1, 2]


@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_a_damaged_table_is_one_plain_line(loaded, harm):
    (path,) = (loaded.data / "students").glob("*.parquet")
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:50])
    else:
        path.unlink()
    for words in (
        ["score", "--as-of", "2026-09-02"],
        ["features", "--as-of", "2026-09-02", "--out", loaded.root / "f.csv"],
        ["ingest", "students", loaded.root / "roll.csv", "--again"],
    ):
        result = run(*words, "-w", loaded.root, "--lang", "en")
        assert result.exit_code == 1
        assert f"{path} is missing or damaged. Restore it from a backup." in result.output


def test_what_the_system_refuses_is_one_plain_line(loaded):
    (loaded.root / "file").write_text("")
    below = loaded.root / "file" / "x"
    for words in (
        ["init", below],
        ["features", "--as-of", "2026-09-02", "--out", below / "f.csv", "-w", loaded.root],
    ):
        result = run(*words, "--lang", "en")
        assert result.exit_code == 1
        assert "Cannot read or write" in result.stderr
        assert str(below) in result.stderr


def test_features_of_a_day_without_students_say_so(loaded):
    words = ["features", "--as-of", "1990-01-01", "--out", loaded.root / "f.csv"]
    result = run(*words, "-w", loaded.root, "--lang", "en")
    assert result.exit_code == 0
    assert "Nobody is enrolled on 1990-01-01" in result.stdout


@pytest.mark.parametrize(
    ("line", "zh", "en"),
    [
        ("attendance: ful", "只能是 'full' 或 'exceptions'", "input should be 'full' or"),
        ("capacity: {least: -1}", "不能小于 0", "greater than or equal to 0"),
        ("seed: many", "请写整数", "valid integer"),
        ("pass_mark: 2", "不能大于 1", "less than or equal to 1"),
        ("outcomes_complete_until: 2026-13-01", "请写成 2026-11-20", "a date like 2026-11-20"),
        ("stages: {primary: 6-1}", "起始年级大于结束年级", "the first grade is above the last"),
        ("stages: {a: 1-6, b: 6-9}", "6 年级同时属于 a 和 b", "grade 6 is in two stages"),
        ("label_events: []", "至少要有 1 项", "at least 1 item"),
        ("label_events: [gone]", "没有 gone 这种事件", "unknown event gone"),
        ("memory_limit: lots", "写法应符合", "should match pattern"),
        ("school_year_start: 02-29", "每年都有的日子", "a day that every year has"),
    ],
)
def test_a_wrong_setting_is_told_in_the_language_asked_for(workspace, line, zh, en):
    (workspace.root / "earlywarn.yaml").write_text(line + "\n", "utf-8")
    told = run("models", "list", "-w", workspace.root, "--lang", "zh")
    assert told.exit_code == 1
    assert "earlywarn.yaml 第 1 行" in told.stderr
    assert zh in told.stderr
    assert "nput should" not in told.stderr
    said = run("models", "list", "-w", workspace.root, "--lang", "en")
    assert en in said.stderr
    assert not any(ord(char) > 0x2E7F for char in said.stderr)
