"""The first hour: a registry export and three class sheets, nothing else, to a first list.

The files are those of docs/your-data.md; no calendar, no outcomes, no marks, no table of schools.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from conftest import ROOT
from earlywarn.cli.main import make_app
from earlywarn.engine.duckdb import connect
from earlywarn.workspace import Workspace

REGISTRY, SHEETS, SCHOOL = "学籍导出.xls", "考勤", "9900000047"
CANNOT_KNOW = {
    "zh": (
        "38% 的人次没有考勤记录；没有记录不等于到校。",
        "6 人近60个上学日没有任何考勤，其中七年级2班全班没有：缺没缺勤，不知道。",
        "没有校历：有考勤的日子才算上学日，整天没有上报看不出来，期限是估计的。",
        "没有任何考试成绩，学习上的迹象看不到。",
        "学籍信息登记于9月1日（80 天前），此后的变化不在内。",
        "各校学籍共有 2 行在隔离区，尚未改正：其中的孩子不在任何名单上。",
        "没有去向记录（辍学、转学、复学等）：谁已经离开、这样的名单准不准，无从核对。",
        "分值是专家事先定的，不是从本地结果学来的。",
        "还没有跟进台账",
        "家里的事、孩子的想法，名单都不知道。",
    ),
    "en": (
        "38% of the last 20 school days have no attendance record; no record does not mean "
        "present.",
        "6 children have no attendance record in the last 60 school days, the whole of 七年级2班: "
        "whether they were absent is not known.",
        "No calendar: only days with attendance count as school days, a day that nobody handed in "
        "does not show, and due dates are estimates.",
        "No marks at all: signs of trouble with learning cannot be seen.",
        "The registry is of 1 Sep, 80 days old; no change since is known.",
        "2 rows of the registry, of all schools, in quarantine and not mended yet: children of "
        "theirs are on no list.",
        "No outcomes (dropped out, transferred, returned): who has left, and how often such a list "
        "is right, cannot be checked.",
        "The points were set by experts beforehand, not learned from what happened here.",
        "There is no follow-up ledger yet",
        "What happens at home, and what the child thinks, no list knows.",
    ),
}


def run(*words: object) -> Result:
    """Call the program; an exception that would be a traceback fails the test."""
    result = CliRunner().invoke(make_app(), [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*words: object, code: int = 0) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("第一小时") / "我的 文件"
    script = ROOT / "docs" / "first_hour.py"
    subprocess.run([sys.executable, script, folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def loaded(files: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Return a workspace with all there is, and what `ingest` said of each file."""
    county = files.parent / "松坪县 2026"
    assert run("init", county).exit_code == 0
    registry = ("--mapping", "cn-registry", "--snapshot", "2026-09-01", "-w", county)
    months = ("--mapping", "cn-class-sheet", "-w", county)
    said = [
        told("ingest", "students", files / REGISTRY, *registry, code=3),
        told("ingest", "attendance", files / SHEETS, *months, code=3),
    ]
    return county, [file for one in said for file in one["files"]]


@pytest.fixture(params=("zh", "en"), scope="module")
def scored(
    loaded: tuple[Path, list[dict[str, Any]]], request: pytest.FixtureRequest
) -> tuple[str, Path, str]:
    """Return the language, the folder of lists and what `score` printed."""
    lang = str(request.param)
    county = shutil.copytree(loaded[0], loaded[0].with_name(f"scored {lang}"))
    result = run("score", "--model", "none", "-w", county, "--lang", lang)
    assert result.exit_code == 0
    return lang, county / "runs" / "2026-11-20" / "1" / "watchlists" / "schools", result.stdout


def above_the_list(page: Path) -> str:
    """Return what a page shows above its first child, as text."""
    text = page.read_text(encoding="utf-8")
    shown = text[text.index("<body>") : text.index('<table class="list">')]
    return html.unescape(re.sub(r"<[^>]+>", " ", shown))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_good_rows_are_loaded_and_each_bad_cell_is_named(
    loaded: tuple[Path, list[dict[str, Any]]],
) -> None:
    files = {one["file"]: one for one in loaded[1]}
    counts = {name: (one["accepted"], one["quarantined"]) for name, one in files.items()}
    assert counts == {
        REGISTRY: (16, 2),
        "七年级1班9月.xlsx": (219, 3),  # 22 days of 10 children but for a sign; two of one name
        "七年级1班10月.xls": (179, 3),  # 18 days
        "七年级1班11月.xlsx": (149, 4),  # 15 days up to the 20th; a boy on no registry
    }
    reasons = " ".join(reason for one in files.values() for reason in one["reasons"])
    for said in ("第 17 行“出生日期”列", "第 20 行“性别”列", "S6：“请”", "X9：“?”", "L15：“√○”"):
        assert said in reasons
    assert "B16：学校名册里没有这个姓名" in reasons
    assert reasons.count("同名学生：G990000201311111008, G990000201312121101") == 3


def test_no_school_day_is_made_up(loaded: tuple[Path, list[dict[str, Any]]]) -> None:
    con = connect(Workspace.open(loaded[0]))
    try:
        rows = con.execute("SELECT DISTINCT date FROM attendance").fetchall()
    finally:
        con.close()
    days = {day for (day,) in rows}
    assert max(days) == date(2026, 11, 20)
    assert {day for day in days if day.weekday() > 4} == {date(2026, 9, 20), date(2026, 10, 10)}
    assert not days & {date(2026, 9, 25), *(date(2026, 10, day) for day in range(1, 8))}
    notes = " ".join(note for one in loaded[1] for note in one["notes"])
    assert "2026-09-25 全班没有记号" in notes
    assert "2026-10-01, 2026-10-02, 2026-10-05, 2026-10-06, 2026-10-07 全班没有记号" in notes


def test_check_names_what_is_missing(loaded: tuple[Path, list[dict[str, Any]]]) -> None:
    state = told("check", "-w", loaded[0])
    found = {one["id"] for one in state["findings"]}
    assert found == {
        "no_calendar",
        "not_recorded",
        "unknown_school",
        "empty_field",
        "no_marks",
        "quarantined",
    }
    page = Path(state["folder"]) / "check.html"
    assert "没有校历" in page.read_text(encoding="utf-8")


def test_score_tells_the_worst_at_once(scored: tuple[str, Path, str]) -> None:
    lang, _, said = scored
    assert ("1 所学校没有校历" if lang == "zh" else "1 school without a calendar") in said


def test_the_first_page_says_what_it_cannot_know(scored: tuple[str, Path, str]) -> None:
    lang, lists, _ = scored
    shown = squeezed(above_the_list(lists / f"{SCHOOL}.html"))
    for sentence in CANNOT_KNOW[lang]:
        assert squeezed(sentence) in shown


def test_the_workbooks_first_sheet_says_it_too(scored: tuple[str, Path, str]) -> None:
    lang, lists, _ = scored
    sheet = openpyxl.load_workbook(lists / f"{SCHOOL}.xlsx").worksheets[0]
    lines = [str(cell) for (cell,) in sheet.iter_rows(max_col=1, values_only=True) if cell]
    heading = lines.index("序号" if lang == "zh" else "No.")
    above = squeezed(" ".join(lines[:heading]))
    for sentence in CANNOT_KNOW[lang]:
        assert squeezed(sentence) in above


def test_the_child_that_is_away_stands_first(scored: tuple[str, Path, str]) -> None:
    _, lists, _ = scored
    page = (lists / f"{SCHOOL}.html").read_text(encoding="utf-8")
    names = re.findall(r'class="name">([^<]+)<', page)
    assert names[:2] == ["柏远", "韩星"]


def test_what_is_handed_in_later_is_no_longer_missing(
    loaded: tuple[Path, list[dict[str, Any]]],
) -> None:
    county = shutil.copytree(loaded[0], loaded[0].with_name("later"))
    calendar, outcomes = county / "calendar.csv", county / "outcomes.csv"
    days = "".join(f"2026-11-{day:02},true\n" for day in range(16, 21))
    calendar.write_text(f"date,is_school_day\n{days}", encoding="utf-8")
    outcomes.write_text(
        "student_id,date,event\nG990000201201131219,2026-10-09,returned\n", encoding="utf-8"
    )
    told("ingest", "calendar", calendar, "-w", county)
    told("ingest", "outcomes", outcomes, "-w", county)
    lists = Path(told("score", "--model", "none", "-w", county)["folder"]) / "watchlists"
    shown = above_the_list(lists / "schools" / f"{SCHOOL}.html")
    assert "没有校历" not in shown
    assert "没有去向记录" not in shown
    assert "七年级2班全班没有" in shown
    assert "没有任何考试成绩" in shown
