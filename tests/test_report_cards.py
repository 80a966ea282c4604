"""The cards of a child and of a school: what stands on them, for whom, up to when, and on paper."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from earlywarn.cli import report_cards
from earlywarn.cli.common import command
from earlywarn.errors import EarlywarnError
from earlywarn.followup.agenda import due_on
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry, NewInspection
from earlywarn.forgetting.process import forget
from earlywarn.report.cards import words
from earlywarn.report.cards.child import child_card
from earlywarn.report.cards.child_page import child_json, child_page
from earlywarn.report.cards.registry import stated
from earlywarn.report.cards.rows import ChildCard
from earlywarn.report.cards.school import school_card
from earlywarn.report.cards.school_page import school_json, school_page
from earlywarn.report.cards.words import word
from earlywarn.report.period.schools import FILE_DAYS
from earlywarn.roles import Role
from earlywarn.rules.pack import load_rulebook
from earlywarn.tables.batches import add_batch
from earlywarn.workspace import Workspace
from scoring_city import rows
from test_watchlist_rendered import A4, inspected, page_sizes, pdf_text, print_page
from watchlist_county import AS_OF, CALM, JUNIOR, PRIMARY, Child, children, county, scores

GOLDEN = Path(__file__).parent / "golden"
MING, GULI, BOLD, SHORT = (
    "G110101201201010012",
    "G110101201202020023",
    "G11010120120303003X",
    "0042",
)
GUARDIAN, PHONE, NOTE = "王奶奶", "13900002222", "父母在东莞打工"
# Everything about a child that a school's card must not tell.
SENSITIVE: dict[str, Any] = {
    "parents_away": "both_parents",
    "migrant_child": True,
    "disability": "hearing",
    "poverty": "registered",
    "receives_aid": False,
    "boarding_aid": False,
    "parent_in_prison": True,
    "orphan_status": "unattended",
}
EARLIER: dict[str, list[Any]] = {
    "student_id": [MING, MING, MING],
    "snapshot_date": [date(2025, 3, 1), date(2025, 9, 1), date(2026, 3, 1)],
    "name": ["王小明"] * 3,
    "school_id": [PRIMARY, JUNIOR, JUNIOR],
    "grade": [7, 8, 8],
    "class_id": ["七（1）班", "八（1）班", "八（1）班"],
    "parents_away": ["none", "one_parent", None],
    "poverty": ["none", "none", "registered"],
    "receives_aid": [None, None, True],
    "guardian": ["李桂花", "李桂花", None],
    "guardian_phone": ["13800001111", "13800001112", None],
    "homeroom_teacher": ["何老师", "李老师", "李老师"],
}


def town(root: Path, record: dict[str, Any], *, note: str = NOTE) -> Workspace:
    """Make the county with a run of the day, the child's earlier snapshots, outcomes and cases."""
    everybody = [
        replace(child, record=child.record | record) if child.student_id == MING else child
        for child in children()
    ]
    made = county(root, everybody)
    workspace = made.workspace
    add(workspace, "students", **EARLIER)
    add(
        workspace,
        "outcomes",
        student_id=[MING, MING, GULI, GULI, "P001"],
        date=[
            *(date(2026, 5, 11), date(2026, 5, 20)),
            *(date(2026, 9, 14), date(2026, 10, 12), date(2026, 10, 13)),
        ],
        event=["suspected", "returned", "suspected", "returned", "suspected"],
        cause=["hardship", None, None, None, None],
    )
    put_run(workspace, everybody)
    with Ledger.open(workspace) as ledger:
        (opened,) = ledger.open_cases(
            NewCase("absence", JUNIOR, date(2026, 11, 16), "daily", student_id=MING), who="李老师"
        )
        entries = [
            NewEntry(opened.case_id, "state", date(2026, 11, 16), value="contacted"),
            NewEntry(opened.case_id, "step", date(2026, 11, 18), "visit", "done"),
            NewEntry(opened.case_id, "state", date(2026, 11, 18), value="visited"),
        ]
        if note:
            entries.append(NewEntry(opened.case_id, "note", date(2026, 11, 18), value=note))
        ledger.record(*entries, who="李老师")
        ledger.assign(
            opened.case_id, who="周校长", leader="周校长", teacher="钱老师", on=date(2026, 11, 17)
        )
        ledger.open_cases(
            NewCase("unregistered", JUNIOR, date(2026, 11, 2), "by hand", person="阿力木"), who="a"
        )
        ledger.record_inspection(
            NewInspection(
                *(JUNIOR, date(2026, 10, 20), "县督导室", "improve", "周校长", ""),
                ("按时上报考勤", "补齐档案"),
                date(2026, 11, 30),
            ),
            who="a",
        )
        (inspection,) = ledger.inspections(JUNIOR)
        ledger.record_done(
            JUNIOR, inspection.orders[0].number, on=date(2026, 11, 10), by="周校长", who="a"
        )
    return workspace


def add(workspace: Workspace, table: str, **columns: list[Any]) -> None:
    with workspace.lock("test"):
        add_batch(workspace, {table: rows(table, **columns)}, origin="t", content=repr(columns))


def put_run(workspace: Workspace, everybody: list[Child]) -> None:
    folder = workspace.runs / AS_OF.isoformat() / "1"
    folder.mkdir(parents=True)
    table = scores(everybody, load_rulebook(workspace.rules).hash)
    pq.write_table(table, folder / "scores.parquet")
    (folder / "run.json").write_text(json.dumps({"calm": CALM, "model": "main/1"}), "utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The town, to be read only."""
    record = SENSITIVE | {
        "guardian": GUARDIAN,
        "guardian_phone": PHONE,
        "homeroom_teacher": "李老师",
    }
    return town(tmp_path_factory.mktemp("town") / "某县 2026", record)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return town(tmp_path / "某县 2026", SENSITIVE | {"guardian": GUARDIAN, "guardian_phone": PHONE})


@pytest.fixture(scope="module")
def card(made: Workspace) -> ChildCard:
    return child_card(made, MING, Role.COUNTY, AS_OF)


def text_of(page: str) -> str:
    """Return what a page says, a line a block, without the program's version."""
    page = page[page.index("<body>") : page.index("<footer>")]
    page = re.sub(r"</(?:p|h\d|tr|li|div|dd)>", "\n", page.replace("\n", " "))
    lines = unescape(re.sub(r"<[^>]*>", " ", page)).split("\n")
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines))) + "\n"


def run(function: Any, *words: object) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    app.command("card")(command(function))
    result = CliRunner().invoke(app, ["card", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_golden(made: Workspace, card: ChildCard, lang: Any) -> None:
    text = text_of(child_page(made, card, Role.COUNTY, lang))
    assert text == (GOLDEN / f"child_card_{lang}.txt").read_text("utf-8")


def test_the_file_tells_each_value_and_guardian_with_its_days(card: ChildCard) -> None:
    file = card.left_behind
    assert file is not None
    assert [(one.value, one.first, one.until) for one in file.away] == [
        ("none", date(2025, 3, 1), date(2025, 9, 1)),
        ("one_parent", date(2025, 9, 1), date(2026, 9, 1)),
        ("both_parents", date(2026, 9, 1), None),
    ]
    assert [(one.value, one.first, one.until, one.phone) for one in file.guardians] == [
        ("李桂花", date(2025, 3, 1), date(2026, 9, 1), "13800001112"),
        (GUARDIAN, date(2026, 9, 1), None, PHONE),
    ]
    assert (file.is_member, file.updated, file.days) == (True, date(2026, 9, 1), 80)
    assert card.aid is not None
    assert [(one.on, one.poverty, one.receives_aid, one.gap) for one in card.aid] == [
        (date(2025, 3, 1), "none", None, False),
        (date(2026, 3, 1), "registered", True, False),
        (date(2026, 9, 1), "registered", False, True),
    ]


@pytest.mark.parametrize(("days", "is_old"), [(FILE_DAYS, False), (FILE_DAYS + 1, True)])
def test_a_file_is_old_after_so_many_days(made: Workspace, days: int, is_old: bool) -> None:
    day = date(2026, 9, 1) + timedelta(days=days)
    found = child_card(made, MING, Role.COUNTY, day)
    assert found.left_behind is not None
    assert (found.left_behind.days, found.left_behind.is_old) == (days, is_old)
    said = f"已 {days} 天未更新"
    assert (said in child_page(made, found, Role.COUNTY, "zh")) is is_old


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "a", "b", "c"]), st.sampled_from(["", "1", "2"])),
        max_size=12,
    )
)
def test_what_was_stated_is_drawn_together(said: list[tuple[str | None, str]]) -> None:
    first = date(2026, 1, 1)
    dated = [(first + timedelta(days=n), value, phone) for n, (value, phone) in enumerate(said)]
    found = stated(dated)
    for one, after in itertools.pairwise(found):
        assert one.value != after.value
        assert one.last < after.first == one.until
    assert all(one.until is None for one in found[-1:])
    for when, value, _ in dated:
        inside = [one.value for one in found if one.first <= when <= one.last]
        assert inside == [value] if value else len(inside) <= 1


def test_two_children_whom_only_groups_tell_apart_have_one_card_at_school(
    made: Workspace, tmp_path: Path
) -> None:
    record = {"guardian": GUARDIAN, "guardian_phone": PHONE, "homeroom_teacher": "李老师"}
    calm = dict.fromkeys(SENSITIVE)
    plain = town(tmp_path / "某县 2026", record | calm, note="")
    for role in (Role.SCHOOL, Role.HOMEROOM):
        shown = []
        for workspace in (made, plain):
            found = child_card(workspace, MING, role, AS_OF)
            told = child_json(workspace, found, role, "zh")
            shown.append((child_page(workspace, found, role, "zh"), told))
        assert shown[0] == shown[1]
        page = text_of(shown[0][0]).replace(word("school_note", "zh"), "")
        for secret in ("留守", "资助", "困难", "服刑", "残疾", "外出", "李桂花", NOTE, "监测群体 "):
            assert secret not in page
        assert "已办：上门家访" in page
        assert f"监护人 {GUARDIAN}" in " ".join(page.split())
    full = [
        text_of(child_page(w, child_card(w, MING, Role.COUNTY, AS_OF), Role.COUNTY, "zh"))
        for w in (made, plain)
    ]
    assert full[0] != full[1]
    assert NOTE in full[0]


@pytest.mark.parametrize("make", [child_card, school_card])
def test_a_researcher_gets_none(made: Workspace, make: Any) -> None:
    with pytest.raises(EarlywarnError, match="researcher"):
        make(made, MING, Role.RESEARCHER, AS_OF)


def dates(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from dates(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from dates(item, key)
    elif isinstance(value, str):
        yield from ((key, day) for day in re.findall(r"\d{4}-\d\d-\d\d", value))


@pytest.mark.parametrize("day", [date(2025, 6, 1), date(2026, 5, 15), date(2026, 11, 17), AS_OF])
def test_nothing_dated_later_is_told(made: Workspace, day: date) -> None:
    for role in (Role.COUNTY, Role.SCHOOL):
        found = child_card(made, MING, role, day)
        told = child_json(made, found, role, "en")
        late = {(k, d) for k, d in dates(told) if d > day.isoformat()}
        assert {key for key, _ in late} <= {"due"}
        school = school_json(school_card(made, JUNIOR, role, day), "en")
        assert {k for k, d in dates(school) if d > day.isoformat()} <= {"due", "until"}
    if day == date(2026, 11, 17):
        assert [str(file.case.state) for file in found.cases] == ["contacted"]
        assert found.scored == ()
    if day == date(2025, 6, 1):
        assert (found.who.school_id, found.cases, found.events) == (PRIMARY, (), ())


def test_a_day_before_the_child_was_known(made: Workspace) -> None:
    with pytest.raises(EarlywarnError, match="2024-01-01"):
        child_card(made, MING, Role.COUNTY, date(2024, 1, 1))


def test_a_child_that_has_dropped_out_keeps_its_last_days(workspace: Workspace) -> None:
    add(workspace, "outcomes", student_id=[MING], date=[AS_OF], event=["dropped_out"])
    found = child_card(workspace, MING, Role.COUNTY, AS_OF)
    assert (found.status, found.since) == ("dropped_out", AS_OF)
    assert (found.strip_is_recorded, len(found.strip)) == (True, 53)
    assert found.strip[-1] == (AS_OF, "unexcused")
    page = text_of(child_page(workspace, found, Role.COUNTY, "zh"))
    assert "学籍状态 已辍学（2026年11月20日起）" in page


def test_of_exceptions_alone_a_dropout_keeps_its_last_school_days(workspace: Workspace) -> None:
    workspace = workspace.set_config(attendance="exceptions")
    before = child_card(workspace, MING, Role.COUNTY, AS_OF - timedelta(days=1))
    add(workspace, "outcomes", student_id=[MING], date=[AS_OF], event=["dropped_out"])
    found = child_card(workspace, MING, Role.COUNTY, AS_OF)
    assert (found.status, found.strip_is_recorded) == ("dropped_out", True)
    assert (len(found.strip), found.strip) == (53, before.strip)
    add(workspace, "outcomes", student_id=[GULI], date=[date(2024, 1, 8)], event=["dropped_out"])
    assert child_card(workspace, GULI, Role.COUNTY, date(2026, 9, 10)).strip == ()
    gone = replace(found, strip=())
    page = text_of(child_page(workspace, gone, Role.COUNTY, "zh"))
    assert "缺勤见个案。" in page
    assert "没有考勤记录" not in page


@pytest.mark.parametrize(
    ("event", "zh", "en"),
    [
        ("transferred", "已转学（2026年11月3日起）", "transferred (since 3 Nov 2026)"),
        ("graduated", "已毕业（2026年11月3日起）", "graduated (since 3 Nov 2026)"),
        ("deceased", "已死亡（2026年11月3日）", "deceased (3 Nov 2026)"),
        ("long_leave", "休学", "on long leave"),
    ],
)
def test_how_a_child_stands_with_its_school(
    workspace: Workspace, event: str, zh: str, en: str
) -> None:
    add(workspace, "outcomes", student_id=[MING], date=[date(2026, 11, 3)], event=[event])
    found = child_card(workspace, MING, Role.SCHOOL, AS_OF)
    assert [words.status(found.status, found.since, lang) for lang in ("zh", "en")] == [zh, en]
    before = child_card(workspace, MING, Role.SCHOOL, date(2026, 11, 2))
    assert (before.status, before.since) == ("enrolled", None)


def test_a_child_that_has_left_is_named_in_what_is_due(workspace: Workspace) -> None:
    add(workspace, "outcomes", student_id=[MING], date=[AS_OF], event=["graduated"])
    day, todo = due_on(workspace, AS_OF)
    assert day == AS_OF
    assert {one.child for one in todo if one.due.case.student_id == MING} == {"王小明"}


def test_names_are_escaped(made: Workspace) -> None:
    page = child_page(made, child_card(made, BOLD, Role.COUNTY, AS_OF), Role.COUNTY, "zh")
    assert "&lt;b&gt;粗体" in page
    assert "<b>粗体" not in page


def test_a_child_on_no_registry_by_its_case(made: Workspace) -> None:
    with Ledger.open(made) as ledger:
        (case,) = ledger.cases_of_person("阿力木")
    found = child_card(made, str(case.id), Role.SCHOOL, AS_OF)
    assert (found.who.name, found.status, found.who.school) == (
        *("阿力木", "unregistered", "白石乡初级中学"),
    )
    assert next(due.overdue for due in found.cases[0].steps)
    with Ledger.open(made) as ledger:
        (registered,) = ledger.cases(student_id=MING)
    assert child_card(made, str(registered.id), Role.COUNTY, AS_OF).who.student_id == MING


def test_a_child_on_no_registry_by_its_name(made: Workspace) -> None:
    with Ledger.open(made) as ledger:
        (case,) = ledger.cases_of_person("阿力木")
    result = run(report_cards.child, "阿力木", "-w", made.root, "--lang", "en")
    assert (result.exit_code, "阿力木" in result.output) == (1, False)
    assert f"the cases of that name: {case.id}." in result.output
    result = run(report_cards.child, "110101201201010099", "-w", made.root, "--lang", "en")
    assert (result.exit_code, "the number of its case" in result.output) == (1, True)


def test_a_school_where_none_is_loaded(tmp_path: Path) -> None:
    empty = Workspace.init(tmp_path / "空")
    result = run(report_cards.school, "30202", "-w", empty.root, "--lang", "en")
    assert (result.exit_code, "earlywarn ingest schools" in result.output) == (1, True)


@pytest.mark.parametrize("child", ["nobody", "../../x", "999", "9" * 40, "王小明", "' OR 1=1 --"])
def test_an_unknown_child_is_one_plain_line(made: Workspace, child: str) -> None:
    result = run(report_cards.child, child, "-w", made.root)
    assert result.exit_code == 1
    assert len(result.output.strip().split("\n")) == 1
    result = run(report_cards.school, child, "-w", made.root, "--lang", "en")
    assert (result.exit_code, child in result.output) == (1, True)


def test_the_command_writes_notes_and_says_where(workspace: Workspace, tmp_path: Path) -> None:
    root = workspace.root
    result = run(report_cards.child, MING, "-w", root, "--as-of", AS_OF, "--user", "张三")
    page = root / "reports" / "children" / f"{MING}.html"
    assert (result.exit_code, result.stdout.strip()) == (0, str(page))
    assert "王小明" in page.read_text("utf-8")
    out = tmp_path / "卡 1.html"
    result = run(report_cards.school, JUNIOR, "-w", root, "--out", out, "--json", "--user", "张三")
    told = json.loads(result.stdout)
    assert (told["school_id"], Path(told["file"])) == (JUNIOR, out.resolve())
    assert "白石乡初级中学" in out.read_text("utf-8")
    with Ledger.open(workspace) as ledger:
        lines = ledger.audited()[-2:]
    assert [(one.action, one.who, one.student_id) for one in lines] == [
        ("report child", "张三", MING),
        ("report school", "张三", None),
    ]
    assert not any(MING in one.object for one in lines)
    assert run(report_cards.child, MING, "-w", root, "--as-of", "soon").exit_code == 2
    assert run(report_cards.child, MING, "-w", root, "--role", "researcher").exit_code == 1


def test_the_school_s_card_does_not_take_the_county_s_place(workspace: Workspace) -> None:
    for function, number, folder in (
        (report_cards.child, MING, "children"),
        (report_cards.school, JUNIOR, "schools"),
    ):
        pages = {}
        for role in ("county", "school", "homeroom", "bureau"):
            done = run(function, number, "-w", workspace.root, "--as-of", AS_OF, "--role", role)
            pages[role] = Path(done.stdout.strip())
        assert {role: page.name for role, page in pages.items()} == {
            "county": f"{number}.html",
            "bureau": f"{number}.html",
            "school": f"{number} school.html",
            "homeroom": f"{number} homeroom.html",
        }
        assert {page.parent.name for page in pages.values()} == {folder}
        assert pages["county"].read_text("utf-8") != pages["school"].read_text("utf-8")


def test_forget_removes_the_cards(workspace: Workspace) -> None:
    root = workspace.root
    with Ledger.open(workspace) as ledger:
        (case,) = ledger.cases_of_person("阿力木")
    for child in (MING, SHORT, case.id, GULI):
        for role in ("county", "school"):
            done = run(report_cards.child, child, "-w", root, "--as-of", AS_OF, "--role", role)
            assert done.exit_code == 0
    assert run(report_cards.school, JUNIOR, "-w", root, "--as-of", AS_OF).exit_code == 0
    run(
        report_cards.child, MING, "-w", root, "--as-of", AS_OF, "--out", root / "letters" / "a.html"
    )
    school = root / "reports" / "schools" / f"{JUNIOR}.html"
    assert "王小明" in school.read_text("utf-8")
    for child in (MING, SHORT, "阿力木"):
        forget(workspace, child, who="t")
    left = sorted(path.name for path in (root / "reports" / "children").iterdir())
    assert left == [f"{GULI} school.html", f"{GULI}.html"]
    for page in (school, root / "letters" / "a.html"):
        said = page.read_text("utf-8")
        assert not any(word in said for word in ("王小明", MING, "0012", PHONE, "阿力木"))
    assert "白石乡初级中学" in school.read_text("utf-8")


def test_a_school_s_card_by_hand(made: Workspace) -> None:
    found = school_card(made, JUNIOR, Role.COUNTY, AS_OF)
    assert (found.children, found.capacity, found.school.kind) == (19, 6, "junior")
    assert [
        (m.period.of, m.enrolled, m.suspected, m.returned, m.dropped_out) for m in found.months
    ] == [("2026-09", 19, 1, 0, 0), ("2026-10", 19, 0, 1, 0), ("2026-11", 19, 0, 0, 0)]
    assert [m.reporting.missing for m in found.months] == [0, 1, 0]  # 16 October
    assert (found.total.suspected, found.total.returned, found.total.reporting.missing) == (1, 1, 1)
    assert {str(state): n for state, n in found.states.items()} == {"open": 1, "visited": 1}
    assert found.newest is not None
    assert (found.newest.listed, found.newest.cut) == ({"urgent": 1, "high": 2, "watch": 3}, 1)
    assert found.owed == {"aid_gap": 1, "file": 0, "untaught": 0}
    assert ("九（1）班", "李老师", 16) in found.teachers
    (inspection,) = found.inspections
    assert [order.done_on for order in inspection.orders] == [date(2026, 11, 10), None]
    later = school_card(made, JUNIOR, Role.COUNTY, date(2026, 11, 5))
    assert [order.done_on for order in later.inspections[0].orders] == [None, None]


def test_a_school_gets_counts_without_names(made: Workspace) -> None:
    pages = {}
    for role in (Role.COUNTY, Role.SCHOOL):
        found = school_card(made, JUNIOR, role, AS_OF)
        pages[role] = text_of(school_page(found, "zh"))
        assert found.owed["aid_gap"] == 1
        assert "困难家庭未受资助：1" in pages[role]
    owed = {role: page[page.index("困难家庭未受资助") :] for role, page in pages.items()}
    assert "王小明" in owed[Role.COUNTY]
    assert "王小明" not in owed[Role.SCHOOL]


def test_nobody_stumbles_over_a_card(made: Workspace, card: ChildCard, tmp_path: Path) -> None:
    pages = {}
    at_school = child_card(made, MING, Role.SCHOOL, AS_OF)
    for lang in ("zh", "en"):
        pages |= {
            f"child-{lang}": child_page(made, card, Role.COUNTY, lang),  # type: ignore[arg-type]
            f"at-school-{lang}": child_page(made, at_school, Role.SCHOOL, lang),  # type: ignore[arg-type]
            f"school-{lang}": school_page(  # type: ignore[arg-type]
                school_card(made, JUNIOR, Role.COUNTY, AS_OF),
                lang,  # type: ignore[arg-type]
            ),
        }
    found = inspected(pages, tmp_path)
    assert len(found) == 4 * len(pages)
    assert all(one["texts"] > 40 for one in found.values())
    assert {name: one["faults"] for name, one in found.items() if one["faults"]} == {}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_cards_print_whole_on_a4(
    made: Workspace, card: ChildCard, tmp_path: Path, lang: Any
) -> None:
    school = school_card(made, JUNIOR, Role.COUNTY, AS_OF)
    pages = {
        "child": (child_page(made, card, Role.COUNTY, lang), 2),
        "school": (school_page(school, lang), 1),
    }
    for name, (page, most) in pages.items():
        folder = tmp_path / name
        folder.mkdir()
        pdf = print_page(page, folder)
        sizes = page_sizes(pdf)
        assert len(sizes) <= most
        assert all(abs(a - A4[0]) <= 1 and abs(b - A4[1]) <= 1 for a, b in sizes)
        # Character by character, since a cell goes on in the next line.
        printed, said = Counter(pdf_text(pdf)), Counter("".join(text_of(page).split()))
        assert said - printed == Counter()
