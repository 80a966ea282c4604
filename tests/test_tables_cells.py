"""Single cells: dates, numbers, and rounding."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.tables.cells import DateOrder, parse_date, parse_integer, parse_number
from earlywarn.tables.reasons import REASONS, reason

EPOCH = date(1899, 12, 30)


@pytest.mark.parametrize(
    "text",
    ["2026-11-20", "20261120", "2026/11/20", "2026年11月20日", "2026-11-20 00:00:00",
     "2026-11-20T08:30:00", "2026/11/20 8:30"],
)  # fmt: skip
def test_date_forms(text: str) -> None:
    assert parse_date(text).value == date(2026, 11, 20)


@pytest.mark.parametrize("text", ["2026-1-5", "2026/1/5", "2026年1月5日", "20260105"])
def test_dates_with_single_digits(text: str) -> None:
    assert parse_date(text).value == date(2026, 1, 5)


@pytest.mark.parametrize("text", ["3/4/2026", "03-04-2026", "3.4.2026"])
def test_a_date_with_the_year_last_takes_its_order_from_the_mapping(text: str) -> None:
    assert parse_date(text).code == "date_order"
    assert parse_date(text, order="dmy").value == date(2026, 4, 3)
    assert parse_date(text, order="mdy").value == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("text", "order"),
    [("20/11/2026", "mdy"), ("11/20/2026", "dmy"), ("31/4/2026", "dmy"), ("0/1/2026", "dmy")],
)
def test_in_the_other_order_it_is_no_date(text: str, order: DateOrder) -> None:
    assert parse_date(text).code == "date_order"
    assert parse_date(text, order=order).code == "bad_date"


@pytest.mark.parametrize(
    "text",
    ["2026-02-30", "20260230", "2026年2月30日", "2025-02-29", "2026-13-01", "2026-11", "202611",
     "46346", "tomorrow", "2026-11-20 and more", "26-11-20", "2026-11-2O", "1/2/26"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text).code == "bad_date"


def test_years_far_off_are_refused() -> None:
    assert parse_date("0206-11-20").code == "date_range"
    assert parse_date("2926-11-20").code == "date_range"


def test_serials_only_where_a_workbook_says_so() -> None:
    assert parse_date("46346", epoch=EPOCH).value == date(2026, 11, 20)
    assert parse_date("46346.5", epoch=EPOCH).value == date(2026, 11, 20)
    assert parse_date("44884", epoch=date(1904, 1, 1)).value == date(2026, 11, 20)
    assert parse_date("20261120", epoch=EPOCH).value == date(2026, 11, 20)


@pytest.mark.parametrize("text", ["202609", "2026-09", "2026年9月", "2026/9"])
def test_months_only_where_a_mapping_says_so(text: str) -> None:
    assert parse_date(text, months=True).value == date(2026, 9, 1)
    assert parse_date(text).code == "bad_date"


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_day_reads_back(day: date) -> None:
    for text in (
        day.isoformat(),
        f"{day:%Y%m%d}",
        f"{day:%Y/%m/%d}",
        f"{day.year}年{day.month}月{day.day}日",
    ):
        assert parse_date(text).value == day
    if date(1927, 5, 18) < day < date(2173, 10, 13):
        assert parse_date(str((day - EPOCH) // timedelta(days=1)), epoch=EPOCH).value == day


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("87.5", "87.5"),
        ("0.0000005", "0.000001"),  # halves away from zero
        ("0.0000015", "0.000002"),
        ("0.00000049", "0"),
        ("1e2", "100"),
        ("999999.9999994", "999999.999999"),
        ("0.30000000000000004", "0.3"),
    ],
)
def test_numbers(text: str, value: str) -> None:
    assert parse_number(text).value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ninety", "bad_number"),
        ("nan", "bad_number"),
        ("inf", "bad_number"),
        ("1_000", "bad_number"),
        ("1,5", "bad_number"),
        ("-1", "negative"),
        ("-1e999999", "negative"),
        ("1000000", "number_range"),
        ("999999.9999995", "number_range"),
        ("1e999999999", "number_range"),
    ],
)
def test_wrong_numbers(text: str, code: str) -> None:
    assert parse_number(text).code == code


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [("7", 7, ""), ("7.0", 7, ""), ("07", 7, ""), ("7.5", None, "bad_integer"),
     ("seven", None, "bad_integer"), ("-1", None, "negative"),
     ("9999999999", None, "number_range")],
)  # fmt: skip
def test_integers(text: str, value: int | None, code: str) -> None:
    assert parse_integer(text)[:2] == (value, code)


def test_every_reason_is_in_both_languages() -> None:
    for code, text in REASONS.items():
        assert text.zh
        assert text.en
        assert text.zh != text.en
        assert text.zh.count("{detail}") == text.en.count("{detail}"), code
    assert reason("score_above", "120").en.count("120") == 1
