"""The pages: well formed, self-contained, escaped, and one row to the letter in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import PurePosixPath

import pytest

from earlywarn.errors import Lang
from earlywarn.watchlist.html import index_page, school_page, strip_svg
from earlywarn.watchlist.rows import Listing, SchoolList
from earlywarn.watchlist.sentences import limits, strip_words
from earlywarn.watchlist.wording import ASK_HOME, CONVERSATION, short_id
from watchlist_county import JUNIOR, LAST_WEEK, child_of, county, scores

VOID = {"meta", "path"}


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    made = county(tmp_path_factory.mktemp("county") / "某县")
    return made.listing(previous=scores(made.children), previous_as_of=LAST_WEEK)


def junior(listing: Listing) -> SchoolList:
    return next(school for school in listing.schools if school.school_id == JUNIOR)


class Checker(HTMLParser):
    """Checks that every element is closed in order, and collects links, scripts and rows' texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.rows: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "li") and self.rows:
            self.rows[-1] += " "
        if tag == "tr":
            self.rows.append("")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "tr" in self.open and "title" not in self.open:
            self.rows[-1] += data


def check(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_schools_page_needs_nothing_from_outside(listing: Listing, lang: Lang) -> None:
    page = school_page(listing, junior(listing), lang)
    found = check(page)
    assert "script" not in found.tags
    assert "link" not in found.tags
    assert "img" not in found.tags
    assert found.links == []
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert found.headings[0] == "h1"
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "生成的数据 / Generated data" in page
    assert CONVERSATION(lang) in page


def test_no_banner_on_real_data(listing: Listing) -> None:
    page = school_page(replace(listing, generated=False), junior(listing), "zh")
    assert "Generated data" not in page


def test_names_come_through_as_text(listing: Listing) -> None:
    page = school_page(listing, junior(listing), "zh")
    assert "<b>粗体" not in page
    assert "&lt;b&gt;粗体&lt;/b&gt;" in page
    rows = " ".join(check(page).rows)
    for name in ("<b>粗体</b>", "=1+1", "O'Neil", "阿依古丽·买买提"):
        assert name in rows


def test_every_row_ends_with_the_same_sentence(listing: Listing) -> None:
    for lang in ("zh", "en"):
        found = check(school_page(listing, junior(listing), lang))
        rows = [" ".join(row.split()) for row in found.rows[1::2]]
        assert len(rows) == 6
        assert all(row.endswith(ASK_HOME(lang)) for row in rows)


def test_no_score_no_identity_number_no_rank_by_marks(listing: Listing) -> None:
    page = school_page(listing, junior(listing), "zh")
    assert "G110101201201010012" not in page
    assert "学籍号尾号 0012" in page
    child = child_of(listing, "G110101201201010012")
    assert f"{child.score:.3f}" not in page
    assert f"{child.log_odds:.2f}" not in page


GOLDEN = {
    "zh": "1 紧急 ＝ 不变 王小明 九（1）班 学籍号尾号 0012 已连续旷课 3 天（截至11月20日） "
    "最近考试 2 科不及格（11月10日考试） 缺少数据：超龄年数 "
    "9月1日 11月20日 校领导带队家访 期限 11月24日（周二） "
    "当天联系监护人，次日由校领导带队上门，写书面报告 负责人：分管副校长 · 班主任 李老师 "
    "联系时请顺便问一问家里近况，看有没有需要学校帮忙的地方。",
    "en": "1 urgent ＝ same 王小明 九（1）班 no. …0012 "
    "Absent without leave for 3 school days running (up to 20 Nov) "
    "2 subjects failed (exam of 10 Nov) No data: years over age for the grade "
    "1 Sep 20 Nov Home visit led by the school Due Tue 24 Nov "
    "Call the guardian today, visit tomorrow led by the school, and report in writing "
    "Responsible: deputy head · Homeroom teacher 李老师 "
    "When you get in touch, also ask how things are at home and whether the school can help.",
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_row_to_the_letter(listing: Listing, lang: Lang) -> None:
    rows = check(school_page(listing, junior(listing), lang)).rows
    assert " ".join(rows[1].split()) == GOLDEN[lang]


def test_a_school_with_nobody_on_its_list_gets_a_page(listing: Listing) -> None:
    empty = replace(junior(listing), children=(), listed={"urgent": 0, "high": 0, "watch": 0})
    assert "没有需要列入名单的孩子" in school_page(listing, empty, "zh")


def test_limits_say_how_much_is_missing(listing: Listing) -> None:
    known = junior(listing).limits
    behind = replace(
        junior(listing),
        limits=replace(known, gap_share=0.124, last_day=LAST_WEEK, without_marks=3),
    )
    text = " ".join(limits(listing, behind, "zh"))
    assert "12% 的人次没有考勤记录" in text
    assert "最新考勤是11月13日的" in text
    assert "3 人（16%）没有最近考试成绩" in text
    assert "学籍信息登记于9月1日（80 天前）" in text


def test_the_picture_in_words_and_bars(listing: Listing) -> None:
    assert strip_words("pp|xxs", "zh") == "病假 1 天、旷课 2 天"
    assert strip_words("ppp", "en") == "there every day"
    child = child_of(listing, "G110101201201010012")
    drawn = str(strip_svg(child, "zh"))
    assert drawn.count("<path") == 3  # present, without leave, not reported
    assert drawn.count("v26") == 6


def test_short_id() -> None:
    assert short_id("0042", "zh") == "0042"
    assert short_id("G110101201201010012", "en") == "no. …0012"


def test_index(listing: Listing) -> None:
    files = {
        school.school_id: (
            PurePosixPath(f"schools/{school.school_id} 甲#1.html"),
            PurePosixPath(f"schools/{school.school_id} 甲#1.xlsx"),
        )
        for school in listing.schools
    }
    page = index_page(listing, files, "zh")
    found = check(page)
    assert "schools/30202%20%E7%94%B2%231.html" in found.links
    assert all(link.startswith("schools/") for link in found.links)
    assert "白石乡初级中学" in page
    assert " ".join(found.rows[-1].split()).startswith("合计 29 1 3 4 8 9 1")
    order = [row for row in found.rows if "中学" in row or "小学" in row]
    assert "中学" in order[0]  # the school with an urgent child stands first
