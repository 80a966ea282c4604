"""The page and the JSON that say what other rules would change."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from earlywarn.errors import EarlywarnError, Lang, Text
from earlywarn.files import write_whole
from earlywarn.impact.rows import Impact
from earlywarn.impact.trial import impact
from earlywarn.report.impact import JSON_FILE, PAGE_FILE, impact_json, json_text, write_impact
from earlywarn.report.impact_page import impact_page
from earlywarn.report.impact_words import why
from earlywarn.watchlist.wording import short_id
from earlywarn.words import MONITORED_GROUPS
from earlywarn.workspace import Workspace
from test_watchlist_rendered import A4, browse, page_sizes, pdf_text
from watchlist_county import AS_OF, county

LANGS: tuple[Lang, Lang] = ("zh", "en")
MORE = """
pack: more
title: {zh: 更多, en: More}
rules:
  - id: late-now
    title: {zh: 迟到<三次>, en: "Late & often"}
    when: late_rate_20d >= 0.05
    points: 2.5
    floor: high
    reason: {zh: "迟到率 {late_rate_20d}", en: "late on {late_rate_20d}"}
    source: made up
"""


def change(folder: Path) -> None:
    """Other rules: one new, one gone, one with another condition, points, floor; a group too."""
    (folder / "more.yaml").write_text(MORE, "utf-8")
    for file, old, new in (
        ("attendance.yaml", "floor: urgent", "floor: watch"),
        ("attendance.yaml", "absence_rate_20d >= 0.1", "absence_rate_20d >= 0.3"),
        ("attendance.yaml", "points: 0.8", "points: 0.9"),
        (
            "groups.yaml",
            "parents_away in ('one_parent', 'both_parents')",
            "parents_away = 'both_parents'",
        ),
        ("actions.yaml", "within_school_days: 3", "within_school_days: 4"),
    ):
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new), "utf-8")
    (folder / "home.yaml").unlink()


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return county(tmp_path_factory.mktemp("impact") / "某县").workspace


def compare(workspace: Workspace, root: Path, how: Callable[[Path], None]) -> Impact:
    folder = root / "新规则"
    shutil.copytree(workspace.rules, folder)
    how(folder)
    return impact(workspace, folder, AS_OF)


@pytest.fixture(scope="module")
def found(ws: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Impact:
    said = compare(ws, tmp_path_factory.mktemp("new"), change)
    assert said.moves.any
    return said


@pytest.fixture(scope="module")
def pages(found: Impact) -> dict[Lang, str]:
    return {lang: impact_page(found, lang) for lang in LANGS}


class _Cells(HTMLParser):
    """Reads the tables of a page as rows of texts, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "br"):
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def cells(page: str) -> list[list[str]]:
    parser = _Cells()
    parser.feed(page)
    assert parser.open == []
    return [[" ".join(cell.split()) for cell in row] for row in parser.rows]


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_has_every_changed_child_with_tier_and_reason(
    found: Impact, pages: dict[Lang, str], lang: Lang
) -> None:
    rows = cells(pages[lang])
    for child in found.children:
        (row,) = [
            r
            for r in rows
            if r[0].startswith(child.name) and short_id(child.student_id, lang) in r[0]
        ]
        assert why(child.causes[0], child, found, lang) in row[4]
        sign = {"enter": "＋", "leave": "－"}.get(child.list_move, "")
        assert sign in row[1]
        assert ("→" in row[2]) == bool(child.tier_move)


@pytest.mark.parametrize("lang", LANGS)
def test_the_rows_of_the_rules_add_up_to_the_total(
    found: Impact, pages: dict[Lang, str], lang: Lang
) -> None:
    def moved(row: list[str]) -> list[int]:
        return [int(cell) for cell in row[-4:]]

    rows = cells(pages[lang])
    head = next(i for i, row in enumerate(rows) if row[0] in ("规则", "Rule"))
    total = next(i for i, row in enumerate(rows) if i > head and row[0] in ("合计", "Total"))
    parts = [moved(row) for row in rows[head + 1 : total]]
    assert [sum(column) for column in zip(*parts, strict=True)] == moved(rows[total])
    moves = found.moves
    assert moved(rows[total]) == [moves.enter, moves.leave, moves.up, moves.down]


def test_the_page_is_for_the_bureau_and_says_so(found: Impact, pages: dict[Lang, str]) -> None:
    assert "不发给学校" in pages["zh"]
    assert "not for schools" in pages["en"]
    for lang in LANGS:
        labels = {row[0] for row in cells(pages[lang])}
        groups = {g.name: g.label(lang) for g in found.groups}
        assert set(MONITORED_GROUPS) < set(groups)
        assert set(groups.values()) <= labels


@pytest.mark.parametrize("lang", LANGS)
def test_texts_of_rules_are_escaped_and_nothing_is_fetched(
    pages: dict[Lang, str], lang: Lang
) -> None:
    page = pages[lang]
    assert "迟到<三次>" not in page
    assert ("迟到&lt;三次&gt;" if lang == "zh" else "Late &amp; often") in page
    assert not re.search(r"<script|https?://|\ssrc=|@import|url\(|\son\w+=", page)
    assert "default-src 'none'" in page


def test_names_from_the_registry_are_escaped(found: Impact) -> None:
    name = '<img src=x onerror="alert(1)">'
    schools = tuple(
        dataclasses.replace(
            school,
            name=name,
            county=name,
            township=name,
            children=tuple(
                dataclasses.replace(child, name=name, class_id=name) for child in school.children
            ),
        )
        for school in found.schools
    )
    page = impact_page(dataclasses.replace(found, schools=schools), "en")
    assert "<img" not in page
    assert "&lt;img" in page


def test_generated_data_is_called_so(found: Impact) -> None:
    for lang in LANGS:
        assert impact_page(found, lang).count("生成的数据 / Generated data") == 2
        real = dataclasses.replace(found, generated=False)
        assert "Generated data" not in impact_page(real, lang)
    assert impact_json(found)["generated"] is True


def test_no_change_is_said_plainly(ws: Workspace, tmp_path: Path) -> None:
    said = compare(ws, tmp_path, lambda folder: None)
    assert "什么也不会变" in impact_page(said, "zh")
    page = impact_page(said, "en")
    assert "nothing would change" in page
    assert "No rule differs." in page
    assert "2 schools see no change." in page


def test_a_text_of_another_language_never_stands_on_a_page(pages: dict[Lang, str]) -> None:
    english = re.sub(r"<style>.*?</style>", "", pages["en"], flags=re.DOTALL)
    assert "新增" not in english
    assert "名额" not in english
    assert "Enter<" not in pages["zh"]
    assert "Tier up" not in pages["zh"]


# --- JSON ---


def test_json_is_the_same_bytes_and_holds_what_the_page_says(found: Impact, ws: Workspace) -> None:
    text = json_text(found)
    assert text == json_text(found)
    data = json.loads(text)
    assert data["format"] == 1
    assert data["as_of"] == AS_OF.isoformat()
    assert {c["student_id"] for c in data["children"]} == {c.student_id for c in found.children}
    for part in data["children"]:
        before, after = part["before"], part["after"]
        effects = sum(cause["effect"] for cause in part["causes"])
        assert effects == pytest.approx(after["log_odds"] - before["log_odds"], abs=1e-7)
        assert part["list"] == {
            (False, True): "enter",
            (True, False): "leave",
        }.get((before["listed"], after["listed"]))
        assert all(cause["why"]["zh"] and cause["why"]["en"] for cause in part["causes"])
    lists = data["lists"]
    moves = data["moves"]
    assert lists["after"]["listed"] - lists["before"]["listed"] == moves["enter"] - moves["leave"]
    assert sum(pair["students"] for pair in data["tiers"]) == data["students"]
    states = {rule["id"]: rule["state"] for rule in data["rules"]}
    assert states["late-now"] == "new"
    assert states["far-away"] == "gone"
    assert states["failed-two"] == "changed"
    keys = next(r for r in data["rules"] if r["id"] == "absent-20")["keys"]
    assert keys == {"when": ["absence_rate_20d >= 0.1", "absence_rate_20d >= 0.3"]}
    assert [g["id"] for g in data["groups_defined_otherwise"]] == ["left_behind"]
    assert [(a["id"], a["keys"]) for a in data["actions"]] == [
        ("talk", {"within_school_days": [3, 4]})
    ]


def test_json_keys_are_the_documented_ones(found: Impact) -> None:
    documented = impact_json.__doc__ or ""
    data = impact_json(found)
    parts = (data, data["rules"][0], data["groups"][0], data["schools"][0], data["children"][0])
    for part in parts:
        for key in part:
            assert re.search(rf"\b{key}\b", documented), key


# --- the folder ---


def test_the_folder_is_replaced_whole(found: Impact, ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "某 县" / "2026-11-20"
    page, data = write_impact(folder, found, "zh")
    assert (page.name, data.name) == (PAGE_FILE, JSON_FILE)
    first = data.read_bytes()
    write_impact(folder, dataclasses.replace(found, model="main/7"), "en")
    assert data.read_bytes() != first
    assert 'lang="en"' in page.read_text("utf-8")
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
    assert sorted(p.name for p in folder.iterdir()) == [PAGE_FILE, JSON_FILE]


def test_a_failure_leaves_the_earlier_one(found: Impact, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    page, _ = write_impact(folder, found, "zh")
    before = page.read_bytes()
    broken = dataclasses.replace(found, titles={"late-now": Text("\ud800", "\ud800")})
    with pytest.raises(UnicodeEncodeError):
        write_impact(folder, broken, "zh")
    assert page.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_anything_else_is_left_alone(found: Impact, tmp_path: Path) -> None:
    write_whole(tmp_path / "mine" / "letter.txt", "mine")
    with pytest.raises(EarlywarnError) as caught:
        write_impact(tmp_path / "mine", found, "zh")
    assert "letter.txt" in caught.value.text.en
    assert (tmp_path / "mine" / "letter.txt").read_text("utf-8") == "mine"
    with pytest.raises(EarlywarnError) as caught:
        write_impact(tmp_path / "mine" / "letter.txt", found, "zh")
    assert "is a file" in caught.value.text.en


# --- in a real browser ---


@pytest.mark.parametrize("lang", LANGS)
def test_it_prints_whole_on_a4(found: Impact, lang: Lang, tmp_path: Path) -> None:
    page, _ = write_impact(tmp_path / "out", found, lang)
    pdf = tmp_path / "page.pdf"
    browse(
        f"--print-to-pdf={pdf}",
        "--no-pdf-header-footer",
        page.as_uri(),
        profile=tmp_path / "profile",
    )
    assert set(page_sizes(pdf)) == {A4}
    text = "".join(pdf_text(pdf).split())
    for child in found.children:
        assert child.name in text


@pytest.mark.parametrize("width", [360, 1200])
def test_it_is_no_wider_than_the_screen(found: Impact, width: int, tmp_path: Path) -> None:
    """Laid out in a frame of the screen's width, the body does not scroll sideways."""
    write_impact(tmp_path / "out", found, "zh")
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<body><iframe id="f" style="width:{width}px;height:800px;border:0" src="out/{PAGE_FILE}">'
        '</iframe><script>onload=()=>{const d=document.getElementById("f").contentDocument;'
        "document.title=d.documentElement.scrollWidth;}</script>",
        "utf-8",
    )
    shown = browse(
        "--allow-file-access-from-files",
        "--dump-dom",
        "--virtual-time-budget=3000",
        frame.as_uri(),
        profile=tmp_path / "profile",
    )
    match = re.search(r"<title>(\d+)</title>", shown)
    assert match
    assert int(match[1]) <= width
