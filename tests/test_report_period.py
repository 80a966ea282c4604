"""The regular reports: every number recounted, months that add up, corrections, the three files."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.errors import EarlywarnError
from earlywarn.report.period.figures import MEASURES, SUMS, Figures
from earlywarn.report.period.kept import JSON_FILE, PAGE_FILE, WORKBOOK_FILE, Report
from earlywarn.report.period.make import Made, make
from earlywarn.report.period.periods import parse_period
from earlywarn.simulate.city import simulate
from earlywarn.simulate.plan import Plan
from earlywarn.tables.ingest import ingest
from earlywarn.workspace import Workspace
from report_recount import Source, recount

TODAY = date(2026, 11, 26)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A generated town of 500, its CSV files beside it; to be read only."""
    root = tmp_path_factory.mktemp("town") / "某县"
    return simulate(root, Plan(students=500, years=2, profile="poor-rural", seed=7, csv=True))


@pytest.fixture
def own(town: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the town that a test may change."""
    import shutil

    shutil.copytree(town.root, tmp_path / "镇", ignore=shutil.ignore_patterns("reports"))
    return Workspace.open(tmp_path / "镇")


def load(workspace: Workspace, table: str, content: str) -> None:
    path = workspace.root / f"{table}.csv"
    path.write_text(content, encoding="utf-8")
    result = ingest(workspace, table, [path])
    assert not any(file.error or file.quarantined for file in result.files)
    path.unlink()


def report(workspace: Workspace, kind: str, of: str, today: date = TODAY) -> Made:
    return make(workspace, parse_period(kind, of, workspace.config), today=today, lang="zh")


def numbers(figures: Figures) -> dict[tuple[str, str], Counter[str]]:
    return {
        (of, name): Counter({m: getattr(c, m) for m in MEASURES if getattr(c, m)})
        for of in ("total", "stage", "county", "school", "group")
        for name, c in figures.of(of).items()  # type: ignore[arg-type]
    }


@pytest.mark.parametrize(
    ("kind", "of"),
    [("year", "2025"), ("term", "2025-2"), ("quarter", "2026-Q1"), ("month", "2025-11")],
)
def test_every_number_equals_a_recount_from_the_csv_files(
    own: Workspace, kind: str, of: str
) -> None:
    period = parse_period(kind, of, own.config)
    found = report(own, kind, of).report
    expected = recount(Source(own.root / "source"), period.start, period.end, TODAY)
    shown = {place: c for place, c in numbers(found.figures).items() if c}
    assert shown == {place: c for place, c in expected.figures.items() if c}
    assert found.figures.causes == {kind: dict(c) for kind, c in expected.causes.items()}
    assert (found.still_suspected, found.still_out) == (
        expected.still["suspected"],
        expected.still["dropped_out"],
    )
    assert (found.carried_suspected, found.carried_out, found.open_suspected, found.open_out) == (
        expected.carried["suspected"],
        expected.carried["dropped_out"],
        expected.open["suspected"],
        expected.open["dropped_out"],
    )
    lines = found.schools
    assert {s: (x.days, x.missing, x.incomplete) for s, x in lines.items() if x.days} == {
        s: days for s, days in expected.days.items() if days[0]
    }
    for need in ("aid_gap", "file", "untaught"):
        assert {s: getattr(x, need) for s, x in lines.items() if getattr(x, need)} == {
            s: n for (what, s), n in expected.needs.items() if what == need
        }
    assert {s for s, x in lines.items() if "movers" in x.keys} == expected.movers


MONTHS = [f"2025-{m:02d}" for m in range(9, 13)] + [f"2026-{m:02d}" for m in range(1, 9)]


def test_twelve_months_and_their_corrections_add_up_to_the_year(own: Workspace) -> None:
    told: Counter[tuple[str, str, str]] = Counter()
    reports = []
    for number, month in enumerate(MONTHS, start=1):
        if number == 5:  # in the fifth month a dropout of the third becomes known, another falls
            students = _out_of_the_ordinary(own)
            load(
                own,
                "outcomes",
                f"student_id,date,event,cause\n{students[0]},2025-11-12,dropped_out,work\n",
            )
            load(own, "outcomes", f"student_id,date,event\n{students[1]},2025-11-13,suspected\n")
        made = report(own, "month", month).report
        reports.append(made)
        for place, counts in numbers(made.figures).items():
            told.update({(*place, m): counts[m] for m in SUMS if counts[m]})
        for correction in made.corrections:
            for change in correction.changes:
                if change.measure in SUMS:
                    told[change.of, change.name, change.measure] += change.now - change.before
    year = report(own, "year", "2025").report
    expected = {
        (*place, m): counts[m]
        for place, counts in numbers(year.figures).items()
        for m in SUMS
        if counts[m]
    }
    assert {key: n for key, n in told.items() if n} == expected
    corrected = [made.of for made in reports if made.corrections]
    assert corrected == ["2026-01"]
    correction, enrolled = reports[4].corrections
    assert (correction.of, enrolled.of) == ("2025-11", "2025-12")
    assert {c.measure for c in enrolled.changes} == {"enrolled"}  # who is out is not in December's
    total = {c.measure: c.now - c.before for c in correction.changes if c.of == "total"}
    assert total == {"suspected": 1, "dropped_out": 1}
    for line, made in zip(year.months, reports, strict=True):
        assert line.reported == made.figures.total
        assert line.reported.plus(line.corrections).suspected == line.now.suspected
        assert line.reported.plus(line.corrections).dropped_out == line.now.dropped_out
    # Told once; the corrected month made anew says so itself, and the tenth month the same again.
    again = report(own, "month", "2025-11")
    line = report(own, "year", "2025").report.months[2]
    assert line.reported == reports[2].figures.total  # as reported first, however often since
    assert line.reported.plus(line.corrections).dropped_out == line.now.dropped_out
    assert again.report.number == 2
    assert again.report.revised is not None
    assert not again.report.corrections
    tenth = report(own, "month", "2026-06")
    assert not tenth.new


def _out_of_the_ordinary(workspace: Workspace) -> list[str]:
    """Return two children in the cohort of whom no outcome is known."""
    source = Source(workspace.root / "source")
    known = set(source.outcomes.student_id)
    return [s for s in source.cohort(date(2025, 11, 1)).index if s not in known][:2]


def test_the_same_report_is_kept_once(own: Workspace) -> None:
    first = report(own, "month", "2025-10")
    assert (first.new, first.report.number) == (True, 1)
    second = report(own, "month", "2025-10")
    assert (second.new, second.folder) == (False, first.folder)
    assert [p.name for p in first.folder.parent.iterdir()] == ["1"]
    assert {p.name for p in first.folder.iterdir()} == {JSON_FILE, PAGE_FILE, WORKBOOK_FILE}


def test_a_period_that_is_not_over_says_so(own: Workspace) -> None:
    found = report(own, "month", "2026-05", today=date(2026, 5, 12))
    assert not found.report.over
    assert found.report.as_of <= date(2026, 5, 12)
    page = (found.folder / PAGE_FILE).read_text("utf-8")
    assert "本期到 2026-05-31 才结束" in page
    assert "零报告：各校" not in page
    with pytest.raises(EarlywarnError, match="has not begun"):
        report(own, "month", "2026-06", today=date(2026, 5, 12))


@pytest.fixture
def hamlet(workspace: Workspace) -> Workspace:
    """Two schools, three children, a calendar for November 2026; nothing handed in yet."""
    rows = {
        "schools": "school_id,name,county,kind\nA,=甲校,甲县,primary\nB,乙校,甲县,junior\n",
        "students": "student_id,snapshot_date,name,school_id,grade,poverty,receives_aid\n"
        "0001,2026-09-01,<b>张三</b>,A,3,registered,false\n"
        "0002,2026-09-01,李四,A,4,none,false\n0003,2026-09-01,王五,B,8,none,false\n",
        "calendar": "date,is_school_day\n"
        + "".join(f"2026-11-{d:02d},{str(d % 7 > 1).lower()}\n" for d in range(1, 31)),
    }
    for table, content in rows.items():
        load(workspace, table, content)
    return workspace


ALL_DAYS = [f"2026-11-{d:02d}" for d in range(1, 31) if d % 7 > 1]
DECEMBER = date(2026, 12, 3)


def hand_in(workspace: Workspace, school: str, days: list[str]) -> None:
    load(workspace, "reported_days", "school_id,date\n" + "".join(f"{school},{d}\n" for d in days))


def test_without_data_it_is_no_zero_report(hamlet: Workspace) -> None:
    hand_in(hamlet, "A", ALL_DAYS)
    hand_in(hamlet, "B", ["2026-10-30"])
    found = report(hamlet, "month", "2026-11", today=DECEMBER)
    assert found.report.reported == {"whole": 1, "late": 0, "none": 1, "no_days": 0}
    assert not found.report.is_zero
    page = (found.folder / PAGE_FILE).read_text("utf-8")
    assert "整期未报考勤的学校 1 所" in page
    assert "未报" in page
    sheet = load_workbook(found.folder / WORKBOOK_FILE)["各学校"]
    rows = {row[0].value: [c.value for c in row] for row in sheet.iter_rows() if row[0].value}
    assert rows["B"][4:8] == ["未报"] * 4
    assert rows["A"][4:8] == [0, 0, 0, 0]
    hand_in(hamlet, "B", ALL_DAYS[:-1])
    assert report(hamlet, "month", "2026-11", today=DECEMBER).report.reported["late"] == 1


def test_a_zero_report(hamlet: Workspace) -> None:
    for school in ("A", "B"):
        hand_in(hamlet, school, ALL_DAYS)
    found = report(hamlet, "month", "2026-11", today=DECEMBER)
    assert found.report.is_zero
    assert "零报告：各校都已报送" in (found.folder / PAGE_FILE).read_text("utf-8")


def test_hostile_names_stay_text(hamlet: Workspace) -> None:
    found = report(hamlet, "month", "2026-11", today=DECEMBER)
    page = (found.folder / PAGE_FILE).read_text("utf-8")
    assert "=甲校" in page
    book = load_workbook(found.folder / WORKBOOK_FILE)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate)
    names = [row[3].value for row in book["待落实的孩子"].iter_rows(min_row=3)]
    assert "<b>张三</b>" in names


def test_no_child_is_in_what_is_kept_nor_on_the_page(hamlet: Workspace) -> None:
    found = report(hamlet, "month", "2026-11", today=DECEMBER)
    made = json.loads((found.folder / JSON_FILE).read_text("utf-8"))["made"]
    for name in (JSON_FILE, PAGE_FILE):  # but for the moment, whose digits are chance
        text = (found.folder / name).read_text("utf-8").replace(made, "")
        assert not any(word in text for word in ("张三", "李四", "0001", "0002"))


def test_a_school_over_the_limit_is_marked(hamlet: Workspace) -> None:
    limited = hamlet.set_config(dropout_limit={"junior": 0.02, "primary": 0.5})
    load(
        limited,
        "outcomes",
        "student_id,date,event,cause\n0003,2026-11-10,dropped_out,work\n"
        "0001,2026-11-11,dropped_out,\n",
    )
    found = report(limited, "month", "2026-11", today=DECEMBER)
    over = {s: line.over for s, line in found.report.schools.items() if line.over}
    assert over == {"B": {"junior": (1, 1)}}  # half of A's primary is the limit, not over it
    page = (found.folder / PAGE_FILE).read_text("utf-8")
    assert page.count("▲ 乙校") == 2
    assert "▲ =甲校" not in page


def test_an_outcome_of_a_child_in_no_registry_counts_in_the_total(hamlet: Workspace) -> None:
    load(hamlet, "outcomes", "student_id,date,event\nX999,2026-11-10,dropped_out\n")
    figures = report(hamlet, "month", "2026-11", today=DECEMBER).report.figures
    assert figures.total.dropped_out == 1
    assert [figures.of(of)[""].dropped_out for of in ("stage", "county", "school")] == [1, 1, 1]  # type: ignore[arg-type]


def test_a_registry_younger_than_the_first_school_day(workspace: Workspace) -> None:
    load(workspace, "schools", "school_id,name,county\nA,甲校,甲县\n")
    load(workspace, "students", "student_id,snapshot_date,school_id,grade\n1,2026-11-20,A,3\n")
    load(workspace, "calendar", "date,is_school_day\n2026-11-02,true\n2026-11-03,true\n")
    found = report(workspace, "month", "2026-11", today=DECEMBER).report
    assert (found.enrolled_on, found.figures.total.enrolled) == (date(2026, 11, 20), 1)


def test_nothing_loaded_is_refused(workspace: Workspace) -> None:
    with pytest.raises(EarlywarnError, match="No registry is loaded"):
        report(workspace, "year", "2025")
    assert not (workspace.root / "reports").exists()


def test_nobody_reported_is_not_zero(hamlet: Workspace) -> None:
    for school in ("A", "B"):
        hand_in(hamlet, school, ["2026-10-30"])
    found = report(hamlet, "month", "2026-11", today=DECEMBER)
    assert found.report.is_silent
    page = (found.folder / PAGE_FILE).read_text("utf-8")
    assert "没有任何学校报送考勤" in page
    silent = "<td>未报</td>" * 3
    assert all(f"<td>{n}</td>{silent}" in page for n in (3, 2, 1))  # total, primary, junior
    sheet = load_workbook(found.folder / WORKBOOK_FILE)["报告"]
    rows = {row[0]: row[1:6] for row in sheet.iter_rows(values_only=True) if row[0]}
    assert [rows[name][:4] for name in ("小学", "初中", "甲县")] == [
        (number, *["未报"] * 3) for number in (2, 1, 3)
    ]


def test_a_calendar_that_ends_too_early_is_told(hamlet: Workspace) -> None:
    found = report(hamlet, "month", "2026-12", today=date(2027, 1, 5))
    assert found.report.calendar_until == date(2026, 11, 30)
    page = (found.folder / PAGE_FILE).read_text("utf-8")
    assert "校历只到 2026-11-30" in page
    assert "不需报送考勤" not in page[: page.index("<main>")]


def test_who_is_carried_over_is_told_and_is_nothing_new(hamlet: Workspace) -> None:
    load(hamlet, "outcomes", "student_id,date,event\n0003,2026-10-12,suspected\n")
    for school in ("A", "B"):
        hand_in(hamlet, school, ALL_DAYS)
    found = report(hamlet, "month", "2026-11", today=DECEMBER)
    assert found.report.is_zero
    assert (found.report.carried_suspected, found.report.open_suspected) == (1, 1)
    page = (found.folder / PAGE_FILE).read_text("utf-8")
    assert "本期没有新的疑似辍学和辍学" in page
    assert "仍疑似辍学 1 人" in page


def test_a_damaged_earlier_report_is_never_passed_over(hamlet: Workspace) -> None:
    made = report(hamlet, "month", "2026-10", today=DECEMBER)
    path = made.folder / JSON_FILE
    whole = path.read_text("utf-8")
    for text in ("", whole[: len(whole) // 2], whole.replace('"format": 1', '"format": 2'), "[]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(EarlywarnError, match="cannot be read"):
            report(hamlet, "month", "2026-11", today=DECEMBER)
    assert not (hamlet.root / "reports" / "month" / "2026-11").exists()


def run(*words: object) -> tuple[int, str]:
    found = CliRunner().invoke(make_app(), [str(word) for word in words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_the_command(hamlet: Workspace) -> None:
    words = ("report", "--period", "month", "--of", "2026-10", "-w", hamlet.root)
    code, said = run(*words, "--lang", "en")
    assert code == 0
    assert "3 enrolled" in said
    assert "report.html" in said
    code, said = run(*words, "--lang", "en")
    assert "nothing new was kept" in said
    code, said = run(*words, "--json", "--lang", "en")
    found: dict[str, Any] = json.loads(said)
    assert found["new"] is False
    assert Report.model_validate({k: v for k, v in found.items() if k not in ("new", "folder")})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--period", "week", "--of", "2026"), "--period is one of month, quarter, term, year"),
        (("--period", "month", "--of", "2026-13"), "written like 2026-11"),
        (("--period", "quarter", "--of", "2026-Q5"), "written like 2026-Q4"),
        (("--period", "term", "--of", "2026-3"), "written like 2026-1"),
        (("--period", "year", "--of", "26"), "written like 2026"),
        (("--period", "year", "--of", "٢٠٢٦"), "written like 2026"),
        (("--period", "month"), "Name the period"),
        ((), "Name the period"),
        (("--period", "month", "--of", "2026-10", "--role", "school"), "may not see"),
        (("--period", "month", "--of", "2026-10", "--role", "king"), "There is no role"),
    ],
)
def test_what_is_refused(hamlet: Workspace, words: tuple[str, ...], says: str) -> None:
    code, said = run("report", *words, "-w", hamlet.root, "--lang", "en")
    assert code in (1, 2)
    assert says in said
    assert not (hamlet.root / "reports").exists()
