"""The pages: well formed, self-contained, escaped, and one row to the letter in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import PurePosixPath

import pytest

from earlywarn.errors import Lang
from earlywarn.watchlist.bureau import Bureau, place_files
from earlywarn.watchlist.html import school_page
from earlywarn.watchlist.pictures import strip_svg, weeks
from earlywarn.watchlist.rows import Listing, SchoolList, Silence
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
    assert all(link.startswith("#") for link in found.links)
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
        rows = [" ".join(row.split()) for row in found.rows[1:13:2]]  # between them: by hand
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
    "9月1日 11月20日 校领导带队家访 期限 11月24日（周二） 个案单 "
    "当天联系监护人，次日由校领导带队上门，写书面报告 负责人：分管副校长 · 班主任 李老师 "
    "联系时请顺便问一问家里近况，看有没有需要学校帮忙的地方。",
    "en": "1 urgent ＝ same 王小明 九（1）班 no. …0012 "
    "Absent without leave for 3 school days running (up to 20 Nov) "
    "2 subjects failed (exam of 10 Nov) No data: years over age for the grade "
    "1 Sep 20 Nov Home visit led by the school Due Tue 24 Nov sheet "
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


def test_silent_weeks_are_named(listing: Listing) -> None:
    def week(first: date, missing: int, partly: int = 0) -> Silence:
        return Silence(first, first.replace(day=first.day + 4), 5, missing, partly)

    weeks = (
        week(date(2026, 9, 7), 5),
        week(date(2026, 9, 14), 5),
        week(date(2026, 10, 12), 2),
        week(date(2026, 11, 2), 0, 3),
    )
    known = replace(junior(listing).limits, silences=weeks, last_exam=None)
    school = replace(junior(listing), limits=known)
    zh, en = (" ".join(limits(listing, school, lang)) for lang in ("zh", "en"))
    assert (
        "没有报考勤：9月7日至18日（整 2 周）、10月12日至16日（5 天缺 2 天）、"
        "11月2日至6日（个别班级）。没报不等于到校。" in zh
    )
    assert "没有任何考试成绩" in zh
    assert "7 to 18 Sep (2 whole weeks), 12 to 16 Oct (2 of 5), 2 to 6 Nov (some classes)" in en


def test_a_day_that_nobody_reported_is_found(listing: Listing) -> None:
    found = junior(listing).limits.silences
    assert found == (Silence(date(2026, 10, 12), date(2026, 10, 16), 5, 1, 0),)


def test_the_large_picture_dates_every_day(listing: Listing) -> None:
    child = child_of(listing, "G110101201201010012")
    drawn = weeks(child, "zh", listing)
    assert drawn[-1].begins == "11月16日"
    assert drawn[-1].squares == (
        (16, "x", "旷"),
        (17, "p", "・"),
        (18, "x", "旷"),
        (19, "x", "旷"),
        (20, "x", "旷"),
    )
    assert sum(len(week.squares) for week in drawn) == len(child.strip.replace("|", ""))


def test_one_sheet_for_each_urgent_child(listing: Listing) -> None:
    page = school_page(listing, junior(listing), "zh")
    sheets = page.split('<article class="sheet"')[1:]
    assert len(sheets) == junior(listing).listed["urgent"] == 1
    (sheet,) = sheets
    for words in ("王小明", "九（1）班", "学籍号尾号 0012", "已连续旷课 3 天", "校领导带队家访"):
        assert words in sheet
    for words in ("首次联系", "11月24日（周二）", "11月25日（周三）", "李老师", ASK_HOME.zh):
        assert words in sheet
    assert sheet.count('class="box"') == 2  # the list's step, and the first contact of a new case


def test_numbers_at_the_top(listing: Listing) -> None:
    page = school_page(listing, junior(listing), "zh")
    numbers = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page)
    assert numbers == [
        ("本期名单", "6"),
        ("新增", "0"),
        ("已解决", "–"),
        ("逾期步骤", "–"),
        ("每周可跟进", "6"),
        ("未列入", "1"),
    ]
    assert "还没有跟进台账" in page


def _files(listing: Listing) -> dict[str, tuple[PurePosixPath, PurePosixPath]]:
    return {
        school.school_id: (
            PurePosixPath(f"schools/{school.school_id} 甲#1.html"),
            PurePosixPath(f"schools/{school.school_id} 甲#1.xlsx"),
        )
        for school in listing.schools
    }


def test_index(listing: Listing) -> None:
    places = place_files(listing.schools)
    page = Bureau(listing, _files(listing), places, "zh").index()
    found = check(page)
    assert "schools/30202%20%E7%94%B2%231.html" in found.links
    assert all(link.startswith(("schools/", "bureau/")) for link in found.links)
    assert len(set(found.links)) == 4 + 1 + 2  # two schools' files, a county and two townships
    assert "白石乡初级中学" in page
    assert " ".join(found.rows[-1].split()).startswith("合计 29 1 3 4 8 0 – – 9 1")
    order = [row for row in found.rows if "中学" in row or "小学" in row]
    assert "中学" in order[0]  # the school with an urgent child stands first


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_countys_page_has_its_schools_and_children_in_full(listing: Listing, lang: Lang) -> None:
    places = place_files(listing.schools)
    page = Bureau(listing, _files(listing), places, lang).place(("青河县", ""))
    found = check(page)
    assert "../schools/30202%20%E7%94%B2%231.html" in found.links
    assert found.headings[0] == "h1"
    text = " ".join(found.rows)
    for child in (child for school in listing.schools for child in school.children):
        assert child.name in text
        assert all(reason.text(lang) in text for reason in child.full_reasons)
    assert listing.schools[0].name in text
    assert ("上学距离 7.5 公里" in text) == (lang == "zh")  # hidden from the school, not from here


def test_a_townships_page_has_nobody_elses_children(listing: Listing) -> None:
    places = place_files(listing.schools)
    page = Bureau(listing, _files(listing), places, "zh").place(("青河县", "白石乡"))
    assert "王小明" in page
    assert "小雪" not in page
    assert "青河镇中心小学" not in page


def test_place_names_are_safe_file_names(listing: Listing) -> None:
    one = listing.schools[0]
    names = [("a/b", "c:d"), ("A/b", "C:d"), ("", ""), ("CON", ""), ("<b>", "x")]
    schools = [replace(one, county=county, township=town) for county, town in names]
    files = place_files(schools)
    assert set(files) == {*names, ("a/b", ""), ("A/b", ""), ("<b>", "")}
    assert len({str(path).lower() for path in files.values()}) == len(files)
    assert all(path.parent == PurePosixPath("bureau") for path in files.values())
    assert not any(set('<>:"\\|?*') & set(path.name) for path in files.values())
    pages = replace(listing, schools=tuple(schools))
    page = Bureau(pages, _files(pages), files, "zh").index()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
