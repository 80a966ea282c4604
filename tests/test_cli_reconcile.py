"""`earlywarn reconcile` on the command line: files, cases, roles, errors, and what is forgotten."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import typer
from typer.testing import CliRunner, Result

from daily_village import village, workspace_of
from earlywarn.cli import reconcile as command
from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Ledger
from earlywarn.forgetting.process import forget
from earlywarn.workspace import Workspace
from forgetting_world import holding
from reconcile_village import AS_OF, AWAY, SILENT, THERE, child, line, make, stranger, write

runner = CliRunner()
CHILDREN = [child(i) for i in range(6)]
NAMES = {str(one["name"]) for one in CHILDREN} | {"秦小月", "许无期"}
SIGNS = [THERE, AWAY, SILENT, THERE, THERE, THERE]


def run(workspace: Workspace, *words: object) -> Result:
    """Call the command; an exception that would be a traceback fails the test."""
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    result = runner.invoke(app, ["reconcile", *map(str, words), "-w", str(workspace.root)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A village in which child 5 has dropped out, 1 is away and 2 was never seen."""
    gone = {"student_id": CHILDREN[5]["student_id"], "event": "dropped_out", "date": AS_OF}
    children = {str(i): (one, SIGNS[i]) for i, one in enumerate(CHILDREN)}
    return make(tmp_path / "某县 2026", children, [gone], generated=True)


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A folder with two household lists, and a poverty list beside it."""
    folder = tmp_path / "户籍"
    write(folder / "一.csv", [line(CHILDREN[i]) for i in (0, 1, 3, 5)])
    more = [stranger("秦小月", date(2013, 5, 6)), stranger("秦小月", date(2011, 5, 6), 901)]
    bad = line(CHILDREN[0], 出生日期="去年")
    unknown = dict.fromkeys(bad, "") | {"姓名": "许无期"}
    write(folder / "二.csv", [*more, unknown, bad])
    write(tmp_path / "低保.csv", [line(CHILDREN[5]), line(CHILDREN[0]), more[0]])
    return folder


def sheets(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(folder / "reconcile.xlsx")
    return {
        sheet.title: [row for row in sheet.iter_rows(values_only=True) if any(row)]
        for sheet in book.worksheets
    }


def test_the_four_checks(workspace: Workspace, lists: Path) -> None:
    poverty = lists.parent / "低保.csv"
    words = ("--as-of", AS_OF, "--households", lists, "--poverty", poverty, "--lang", "zh")
    result = run(workspace, *words)
    assert result.exit_code == 3, result.output
    assert "虚构数据" in result.output
    assert "二.csv 第 5 行“出生日期”列：不是日期" in result.output
    assert "无学籍：3 人" in result.output
    assert "困难家庭失学：2 人" in result.output
    assert "新立案 2 件" in result.output
    assert not [name for name in NAMES if name in result.output]
    folder = workspace.root / "reconcile" / AS_OF.isoformat() / "1"
    assert {path.name for path in folder.iterdir()} == {"reconcile.json", "reconcile.xlsx"}
    text = (folder / "reconcile.json").read_text("utf-8")
    assert not [name for name in NAMES if name in text]
    told = sheets(folder)
    assert list(told) == [
        *("汇总", "无学籍", "有学籍不在户籍名单", "有学籍不在课堂", "困难家庭失学"),
        *("困难家庭未标注", "年龄不明", "未能读入的行"),
    ]
    who = {
        title: {str(cell) for row in rows[3:] for cell in row if str(cell) in NAMES}
        for title, rows in told.items()
    }
    assert who == {
        "汇总": set(),
        "无学籍": {"秦小月", CHILDREN[5]["name"]},
        "有学籍不在户籍名单": {CHILDREN[2]["name"], CHILDREN[4]["name"]},
        "有学籍不在课堂": {CHILDREN[1]["name"], CHILDREN[2]["name"]},
        "困难家庭失学": {"秦小月", CHILDREN[5]["name"]},
        "困难家庭未标注": {CHILDREN[0]["name"]},
        "年龄不明": {"许无期"},
        "未能读入的行": set(),
    }
    assert sum("疑似“有籍无人”" in str(row) for row in told["有学籍不在户籍名单"]) == 1
    assert all("虚构" in str(rows[0][0]) for rows in told.values())
    with Ledger.open(workspace) as ledger:
        cases = ledger.cases()
        assert {case.person for case in cases} == {"秦小月（2013-05-06）", "秦小月（2011-05-06）"}
        assert {(case.kind, case.school_id, case.opened_on) for case in cases} == {
            ("unregistered", "S1", AS_OF)
        }
        assert all("某县 镇 某村一组" in str(case.story[0].value) for case in cases)
        (audited,) = ledger.audited()
        assert (audited.action, audited.object, audited.role) == (
            "reconcile",
            "reconcile.xlsx",
            "county",
        )
    again = run(workspace, *words)
    assert "与上次相同" in again.output
    assert "新立案 0 件" in again.output
    with Ledger.open(workspace) as ledger:
        assert len(ledger.cases()) == 2
    assert not (folder.parent / "2").exists()


def test_several_files_and_no_cases(workspace: Workspace, lists: Path) -> None:
    files = sorted(lists.iterdir())
    more = ("--json", "--lang", "en")
    result = run(workspace, "--households", *files, "--no-cases", *more)
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert told["counts"]["lines"] == {"households": 8}
    assert told["counts"]["lists"]["no_roll"] == 3
    assert told["cases_opened"] == 0
    assert [(row["file"], row["row"]) for row in told["unread"]] == [("二.csv", 5)]
    assert not [name for name in NAMES if name in result.stdout]
    with Ledger.open(workspace) as ledger:
        assert not ledger.cases()
    # The same lists, their names the other way round, now with cases.
    result = run(workspace, "--households", files[1], "--households", files[0], *more)
    told = json.loads(result.stdout)
    assert (told["is_new"], told["cases_opened"]) == (False, 2)
    assert json.loads(run(workspace, "--households", lists, *more).stdout)["cases_opened"] == 0


def test_next_month_opens_nothing_twice(workspace: Workspace, lists: Path) -> None:
    assert "新立案 2 件" in run(workspace, "--households", lists).output
    rows = [
        stranger("秦小月", date(2013, 5, 6), 联系电话="13700000000"),  # another phone
        stranger("秦小月", date(2011, 5, 6), 901, 乡镇="另一镇"),  # moved
        stranger("秦小月", date(2012, 5, 6), 902),  # a third of that name
    ]
    later = write(lists.parent / "下月.csv", rows)
    result = run(workspace, "--as-of", "2026-05-08", "--households", later)
    assert "新立案 1 件" in result.output
    with Ledger.open(workspace) as ledger:
        assert sorted(str(case.person) for case in ledger.cases()) == [
            "秦小月（2011-05-06）",
            "秦小月（2012-05-06）",
            "秦小月（2013-05-06）",
        ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "--households"),
        (["--households", "nowhere.csv"], 1, "nowhere.csv"),
        (["--households", "LISTS", "--mapping", "police"], 1, "no mapping police"),
        (["--households", "LISTS", "--as-of", "soon"], 2, "soon"),
        (["--households", "LISTS", "--as-of", "2020-01-01"], 1, "Nobody is enrolled"),
        (["--households", "LISTS", "--as-of", "2199-01-01"], 1, "has not come yet"),
        (["--households", "EMPTY"], 1, "headings and no child"),
        (["--households", "LISTS", "--poverty", "EMPTY"], 1, "headings and no child"),
        (["--households", "LISTS", "--role", "school"], 1, "role school"),
        (["--households", "LISTS", "--role", "researcher"], 1, "role researcher"),
        (["--households", "LISTS", "--role", "king"], 2, "no role king"),
        (["review", "nowhere.xlsx"], 1, "nowhere.xlsx"),
        (["review", "nowhere.xlsx", "--role", "homeroom"], 1, "role homeroom"),
    ],
)
def test_plain_errors(
    workspace: Workspace, lists: Path, words: list[str], code: int, said: str
) -> None:
    files = {"LISTS": lists, "EMPTY": write(lists.parent / "空.csv", [])}
    told = [str(files.get(word, word)) for word in words]
    result = run(workspace, *told, "--lang", "en")
    assert result.exit_code == code, result.output
    assert said in result.output
    assert not list((workspace.root).glob("reconcile/*/*"))
    assert not [name for name in NAMES if name in result.output]


def test_without_schools_it_says_why_there_is_no_case(tmp_path: Path) -> None:
    one = CHILDREN[0]
    student = str(one["student_id"])
    tables = village({student: THERE}, children={student: one}, reported=25)
    del tables["schools"]
    workspace = workspace_of(tmp_path / "某县", tables)
    households = write(tmp_path / "a.csv", [line(one), stranger("秦小月", date(2013, 5, 6))])
    words = ("--as-of", AS_OF, "--households", households)
    for _ in range(2):
        result = run(workspace, *words, "--lang", "zh")
        assert "新立案 0 件" in result.output
        assert "有 1 名无学籍的孩子没有立案" in result.output
        assert "earlywarn ingest schools" in result.output


def test_the_review_on_the_command_line(workspace: Workspace, tmp_path: Path) -> None:
    twin = line(CHILDREN[4], 姓名="周晓光", 身份证号="")
    households = write(tmp_path / "a.csv", [line(CHILDREN[0]), twin])
    result = run(workspace, "--households", households, "--lang", "en")
    assert "To be judged: 1 in review.xlsx" in result.output
    made = workspace.root / "reconcile" / AS_OF.isoformat() / "1" / "review.xlsx"
    book = openpyxl.load_workbook(made)
    sheet = book.worksheets[0]
    sheet.cell(sheet.max_row, sheet.max_column).value = "not the same"
    book.save(tmp_path / "填好.xlsx")
    result = run(workspace, "review", tmp_path / "填好.xlsx", "--lang", "en", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["not"], told["empty"], told["changed"]) == (1, 0, 1)
    assert told["again"]["counts"]["lists"]["no_roll"] == 1
    assert told["again"]["cases_opened"] == 1
    assert "周晓光" not in result.stdout
    result = run(workspace, "review", tmp_path / "填好.xlsx", "--lang", "en")
    assert "new or changed 0" in result.output
    assert "Same as before" in result.output


def test_nothing_of_a_forgotten_child_stays(workspace: Workspace, tmp_path: Path) -> None:
    asked, listed = CHILDREN[4], CHILDREN[2]
    twin = line(asked, 姓名="周晓光", 身份证号="")
    other = line(CHILDREN[5], 姓名="吴玉珠", 身份证号="")
    unknown = stranger("买买提·艾力", date(2013, 5, 6))
    households = write(
        tmp_path / "户籍.csv", [line(CHILDREN[0]), twin, other, line(listed), unknown]
    )
    run(workspace, "--households", households, "--poverty", households)
    folder = workspace.root / "reconcile"
    book = openpyxl.load_workbook(folder / AS_OF.isoformat() / "1" / "review.xlsx")
    sheet = book.worksheets[0]
    for row in range(6, sheet.max_row + 1):
        sheet.cell(row, sheet.max_column).value = "是同一人"
    book.save(tmp_path / "填好.xlsx")
    assert run(workspace, "review", tmp_path / "填好.xlsx").exit_code == 0
    for one in (asked, listed):
        student_id = str(one["student_id"])
        needles = (student_id, student_id[1:], str(one["name"]))
        assert holding(folder, needles)
        forget(workspace, student_id, who="t")
        assert holding(folder, needles) == {}
    assert holding(folder, ("买买提·艾力",))
    forget(workspace, "买买提·艾力", who="t")
    assert holding(folder, ("买买提·艾力",)) == {}
    # What was kept still comes back, and the child does not.
    result = run(workspace, "review", tmp_path / "填好.xlsx", "--lang", "en")
    assert "of forgotten children left out" in result.output
    assert holding(folder, (str(asked["student_id"]), str(asked["name"]))) == {}
    result = run(workspace, "--households", households, "--json")
    assert json.loads(result.stdout)["counts"]["forgotten"]["households"] == 2


def _cards(workspace: Workspace) -> dict[str, Path]:
    """Write a card for each case as `report card` does, and return them by the child's name."""
    folder = workspace.root / "reports" / "children"
    folder.mkdir(parents=True, exist_ok=True)
    with Ledger.open(workspace) as ledger:
        cards = {str(case.person): folder / f"case {case.id}.html" for case in ledger.cases()}
    for name, path in cards.items():
        path.write_text(
            f'<article class="sheet card" data-child="{name}">{name}</article>', "utf-8"
        )
    return cards


def _rows(folder: Path, name: str) -> int:
    return sum(name in map(str, row) for rows in sheets(folder).values() for row in rows)


def test_forgetting_a_name_that_others_have(workspace: Workspace, tmp_path: Path) -> None:
    name = str(CHILDREN[0]["name"])
    born = date(2014, 5, 6)
    households = write(tmp_path / "a.csv", [line(CHILDREN[1]), stranger(name, born)])
    run(workspace, "--households", households)
    folder = workspace.root / "reconcile" / AS_OF.isoformat() / "1"
    assert _rows(folder, name) == 2  # on no roll; the namesake is on no list
    (card,) = _cards(workspace).values()
    assert forget(workspace, name, who="t").cases == 1
    assert _rows(folder, name) == 1
    assert holding(folder, (born.isoformat(),)) == {}
    assert not card.exists()
    # The namesake's line still comes, the child's does not.
    later = write(tmp_path / "b.csv", [line(CHILDREN[0]), stranger(name, born)])
    told = json.loads(run(workspace, "--households", later, "--json").stdout)
    assert told["counts"]["forgotten"] == {"households": 1}
    assert told["counts"]["lines"] == {"households": 1}


@pytest.mark.parametrize("said", ["古丽扎・买提", "古丽扎 买提", "古丽扎·买提", "1"])
def test_forgetting_with_other_dots_or_the_number(
    workspace: Workspace, tmp_path: Path, said: str
) -> None:
    born = date(2014, 5, 6)
    one, other = (stranger(name, born) for name in ("古丽扎·买提", "古丽扎・买提"))
    households = write(tmp_path / "a.csv", [line(CHILDREN[1]), one])
    run(workspace, "--households", households, "--poverty", write(tmp_path / "b.csv", [other]))
    (card,) = _cards(workspace).values()
    assert holding(workspace.root, ("古丽扎",))
    assert forget(workspace, said, who="t").cases == 1
    assert holding(workspace.root, ("古丽扎",)) == {}
    assert not card.exists()
    told = json.loads(run(workspace, "--households", households, "--json").stdout)
    assert told["counts"]["forgotten"] == {"households": 1}


def test_forgetting_one_of_two_with_a_name(workspace: Workspace, lists: Path) -> None:
    run(workspace, "--households", lists)
    folder = workspace.root / "reconcile" / AS_OF.isoformat() / "1"
    cards = _cards(workspace)
    with pytest.raises(EarlywarnError, match="number of the case: 1, 2"):
        forget(workspace, "秦小月", who="t")
    forget(workspace, "秦小月（2013-05-06）", who="t")
    assert _rows(folder, "秦小月") == 1
    assert holding(folder, ("2013-05-06",)) == {}
    assert [path.exists() for _, path in sorted(cards.items())] == [True, False]
    with pytest.raises(EarlywarnError, match="number of the case"):
        forget(workspace, "99", who="t")


def test_help_has_examples(workspace: Workspace) -> None:
    for words in (["--help"], ["review", "--help"]):
        text = run(workspace, *words).stdout
        assert "Example: earlywarn reconcile" in text
