"""The page and the JSON of a check."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from checking_county import TODAY, county, line, state
from daily_village import day
from earlywarn.checking import State, as_dict, check
from earlywarn.checking.files import JSON_FILE, PAGE_FILE, by_school, page
from earlywarn.errors import Lang
from earlywarn.workspace import Workspace


@pytest.fixture
def troubled(tmp_path: Path) -> Workspace:
    """A county with a silent school and a class that has markup for a name."""
    lines = {f"B{i}": line(days=30) for i in range(6)} | {"A1": ""}
    return county(
        tmp_path / "某县 2026",
        lines=lines,
        children={"A2": {"class_id": "<b>8.1", "name": "<i>王</i>"}, "A3": {"class_id": "八2班"}},
        reported={"S1": 40, "S2": 30},
        config={"generated": True},
    )


class Seen(HTMLParser):
    """The tags and the text of a page, and the tags that were not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta",):
            self.open.append(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(found: State, lang: Lang = "zh") -> Seen:
    parser = Seen()
    parser.feed(page(found, lang).decode())
    assert parser.open == []
    return parser


def test_the_page_says_everything_and_fetches_nothing(troubled: Workspace) -> None:
    found = state(troubled)
    for lang in ("zh", "en"):
        told = seen(found, lang)
        assert "script" not in told.tags
        for one in found.findings:
            assert one.text(lang) in told.text
            assert one.cure(lang) in told.text
        for field in found.fields:
            assert field.name in told.text
    assert "生成的数据" in seen(found).text
    assert "名A" not in seen(found).text


def test_the_school_with_the_worst_stands_first(troubled: Workspace) -> None:
    found = state(troubled)
    assert [school for school, _ in by_school(found)] == ["S2", "S1"]
    assert sum(len(some) for _, some in by_school(found)) == len(found.findings)


def test_a_class_name_is_text(troubled: Workspace) -> None:
    found = state(troubled)
    assert "i" not in seen(found).tags
    assert "八2班" in seen(found).text


def test_a_page_without_findings(tmp_path: Path) -> None:
    assert "没有发现问题。" in seen(state(county(tmp_path))).text


def test_the_page_of_an_empty_workspace(workspace: Workspace) -> None:
    assert "No registry is loaded yet." in seen(state(workspace), "en").text


def test_files_are_written_whole_and_again(troubled: Workspace) -> None:
    found = check(troubled, TODAY, lang="en")
    assert found.folder == troubled.runs / "check" / TODAY.isoformat()
    assert sorted(path.name for path in found.folder.iterdir()) == [PAGE_FILE, JSON_FILE]
    first = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    (found.folder / "of my own.txt").write_text("x")
    check(troubled, TODAY, lang="en")
    assert {path.name: path.read_bytes() for path in found.folder.iterdir()} == first
    told = json.loads(first[JSON_FILE])
    assert told == {"format": 1, "program": told["program"]} | as_dict(found, "en")
    assert [one["id"] for one in told["findings"]] == [one.id for one in found.findings]
    assert told["findings"][0]["school"] == "学校S2"
    assert told["counts"]["stop"] == 1


def test_looking_writes_nothing(troubled: Workspace) -> None:
    before = sorted(troubled.root.rglob("*"))
    state(troubled, day(20))
    assert sorted(troubled.root.rglob("*")) == before


def test_chinese_text_has_chinese_punctuation(troubled: Workspace) -> None:
    for one in state(troubled).findings:
        for text in (one.text.zh, one.cure.zh):
            assert not re.search(r"[\u4e00-\u9fff][,:;()][\u4e00-\u9fff]", text)
