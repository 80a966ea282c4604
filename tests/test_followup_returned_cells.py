"""One cell: dates and choices in every form, and all else refused."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, to_excel

from earlywarn.errors import Text
from earlywarn.followup.answers import CHOICES
from earlywarn.followup.returned import sign, verify
from earlywarn.followup.returned.cells import DAYS_AFTER, DAYS_BEFORE, LONGEST, Cell, read_answer
from earlywarn.followup.returned.choices import VARIANTS
from earlywarn.followup.returned.headings import squeezed
from followup_filling import full_width

AS_OF = date(2026, 11, 20)
days = st.integers(-DAYS_BEFORE, DAYS_AFTER).map(lambda n: AS_OF + timedelta(days=n))
near = st.integers(-DAYS_BEFORE, 182).map(lambda n: AS_OF + timedelta(days=n))
spaces = st.sampled_from(["", " ", "\u3000", "\n", "\u200b", "\ufeff", "\u00a0"])


def read(field: str, value: Any, kind: str = "s", epoch: datetime = CALENDAR_WINDOWS_1900) -> Any:
    return read_answer(field, Cell(7, 11, value, kind, epoch), AS_OF)


def forms(day: date) -> list[str]:
    y, m, d = day.year, day.month, day.day
    two = [f"{y}-{m:02}-{d:02}", f"{y}{m:02}{d:02}", f"{y}/{m:02}/{d:02}", f"{y}.{m:02}.{d:02}"]
    return [
        *two,
        f"{y}-{m}-{d}",
        f"{y}/{m}/{d}",
        f"{y}.{m}.{d}",
        f"{y}年{m}月{d}日",
        f"{y}年{m}月{d}",
        f"{y}年{m}月{d}号",
    ]


@given(days, st.data(), spaces, spaces)
def test_dates_with_a_year(day: date, data: st.DataObject, before: str, after: str) -> None:
    text = data.draw(st.sampled_from(forms(day)))
    assert read("visited_on", before + text + after) == day.isoformat()
    assert read("visited_on", full_width(text)) == day.isoformat()
    assert read("visited_on", before.join(text)) == day.isoformat()


@given(near)
def test_dates_without_a_year_take_the_nearest(day: date) -> None:
    month = f"{day.month}月{day.day}"
    for text in (month, f"{month}日", f"{day.month}/{day.day}", f"{day:%m-%d}"):
        assert read("contacted_on", text) == day.isoformat()


@given(days, st.booleans(), st.times())
def test_real_dates(day: date, mac: bool, clock: time) -> None:
    epoch = CALENDAR_MAC_1904 if mac else CALENDAR_WINDOWS_1900
    assert read("visited_on", datetime.combine(day, clock), "d", epoch) == day.isoformat()
    assert read("visited_on", day, "d", epoch) == day.isoformat()
    assert read("visited_on", to_excel(day, epoch), "n", epoch) == day.isoformat()
    assert read("visited_on", int(f"{day:%Y%m%d}"), "n", epoch) == day.isoformat()


@given(st.dates())
def test_dates_far_away_are_not_taken(day: date) -> None:
    plausible = -DAYS_BEFORE <= (day - AS_OF).days <= DAYS_AFTER
    found = read("visited_on", f"{day:%Y}".rjust(4, "0") + f"-{day:%m-%d}")
    assert found == day.isoformat() if plausible else isinstance(found, Text)


@given(st.text() | st.integers() | st.floats() | st.timedeltas() | st.times())
def test_a_date_is_a_date_near_the_list_or_none(value: Any) -> None:
    found = read("visited_on", value)
    if isinstance(found, str):
        assert -DAYS_BEFORE <= (date.fromisoformat(found) - AS_OF).days <= DAYS_AFTER
    else:
        assert found.zh
        assert found.en


@pytest.mark.parametrize(
    "text",
    [
        *(
            "上周三",
            "昨天",
            "last week",
            "20/11/2026",
            "26-11-20",
            "2026-11",
            "11.20",
            "2026-13-01",
        ),
        *("2026-02-30", "20261301", "2月30日", "13/1", "2026-11/20", "2026年11-20", "约11月20日"),
        *(
            "2026-11-20左右",
            "11月20日至22日",
            "第20日",
            "0/0",
            "٢٠٢٦-١١-٢٠",
            "2026-11-20 2026-11-21",
        ),
    ],
)
def test_unclear_dates(text: str) -> None:
    found = read("contacted_on", text)
    assert isinstance(found, Text)
    assert "2026-11-20" in found.zh
    assert "2026-11-20" in found.en


def test_the_leap_day_takes_a_year_that_has_it() -> None:
    cell = Cell(1, 1, "2月29日", "s", CALENDAR_WINDOWS_1900)
    assert read_answer("visited_on", cell, date(2028, 1, 15)) == "2028-02-29"
    assert isinstance(read_answer("visited_on", cell, date(2026, 1, 15)), Text)


CODES = [(field, code) for field, choices in CHOICES.items() for code in choices]


@given(st.sampled_from(CODES), spaces, st.integers(0, 2), st.booleans())
def test_choices(which: tuple[str, str], space: str, form: int, wide: bool) -> None:
    field, code = which
    text = (code, *CHOICES[field][code])[form]
    typed = space.join(full_width(text) if wide else text.upper())
    assert read(field, f"{space}{typed}{space}") == code


@pytest.mark.parametrize("field", CHOICES)
def test_choices_differ(field: str) -> None:
    words = [
        squeezed(word) for code, text in CHOICES[field].items() for word in {code, *map(str, text)}
    ]
    spellings = {word: words.count(word) for word in words}
    codes = {squeezed(code) for code in CHOICES[field]}
    # A code of one word may be its own English label, never another's.
    assert [word for word, count in spellings.items() if count > 1 and word not in codes] == []


@pytest.mark.parametrize("field", CHOICES)
def test_variants_say_one_choice(field: str) -> None:
    assert list(VARIANTS[field]) == list(CHOICES[field])
    words = [word for words in VARIANTS[field].values() for word in words]
    assert len(words) == len(set(words))
    for code, variants in VARIANTS[field].items():
        for word in variants:
            assert word not in {said for text in CHOICES[field].values() for said in text}
            for end in ("", "。", "．", "！", " ;"):
                assert read(field, word + end) == code


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("where", text) for text in ("在家、在校", "在家或在外地", "学校", "在家?", "。")),
        *(("outcome", text) for text in ("返校", "转学", "没有返校", "在校", "已返校？")),
        *(("cause", text) for text in ("家庭原因", "不知道", "厌学和路远", "困难")),
    ],
)
def test_choices_that_may_mean_something_else(field: str, text: str) -> None:
    assert isinstance(read(field, text), Text)


@given(st.sampled_from(list(CHOICES)), st.text() | st.integers() | st.floats())
def test_a_choice_is_one_of_the_list_or_none(field: str, value: Any) -> None:
    found = read(field, value)
    if isinstance(found, str):
        assert found in CHOICES[field]
    else:
        for text in CHOICES[field].values():
            assert text.zh in found.zh
            assert text.en in found.en


@pytest.mark.parametrize("field", ["contacted_on", "contacted_by", "where", "next"])
@pytest.mark.parametrize(
    ("value", "kind"), [("=TODAY()", "f"), ("#N/A", "e"), (True, "b"), (False, "b")]
)
def test_formulas_errors_and_booleans(field: str, value: Any, kind: str) -> None:
    assert isinstance(read(field, value, kind), Text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13912345678.0, "13912345678"),
        (3, "3"),
        (2.5, "2.5"),
        (datetime(2026, 11, 25), "2026-11-25"),
        (datetime(2026, 11, 25, 14, 30), "2026-11-25 14:30:00"),
        ("  两端空格 \n", "两端空格"),
        ("一_x000D_\n二", "一\n二"),
        ("=1+1", "=1+1"),
        ("#N/A", "#N/A"),
        ("文" * LONGEST, "文" * LONGEST),
    ],
)
def test_texts(value: Any, text: str) -> None:
    assert read("next", value) == text


def test_a_text_too_long() -> None:
    found = read("next", "文" * (LONGEST + 1))
    assert isinstance(found, Text)
    assert "2001" in found.zh


ENTRIES = {
    **{"format": "2", "school_id": "30202", "as_of": "2026-11-20", "run": "2", "model": "main/1"},
    **{"rules_hash": "ab", "version": "0.1", "lang": "zh", "columns": "rank,tier"},
}
STUDENTS = [(1, "0042"), (2, "0043")]


@given(st.sampled_from(list(ENTRIES)), st.text())
def test_a_signature_covers_every_entry(name: str, value: str) -> None:
    same = ENTRIES[name] == value
    assert (sign(ENTRIES, STUDENTS, b"k") == sign(ENTRIES | {name: value}, STUDENTS, b"k")) is same


def test_a_signature_covers_students_and_key() -> None:
    signature = sign(ENTRIES, STUDENTS, b"k")
    assert signature == sign(ENTRIES | {"other": "x"}, STUDENTS[::-1], b"k")
    for students in ([], STUDENTS[:1], [(1, "0043"), (2, "0042")], [(1, "42"), (2, "0043")]):
        assert sign(ENTRIES, students, b"k") != signature
    assert sign(ENTRIES, STUDENTS, b"other") != signature
    signed = ENTRIES | {"signature": signature}
    assert verify(signed, STUDENTS, b"k")
    assert not verify(signed, STUDENTS[:1], b"k")
    assert not verify(signed | {"run": "3"}, STUDENTS, b"k")
    assert not verify(signed | {"signature": "签名"}, STUDENTS, b"k")
