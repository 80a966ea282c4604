"""Periods, what counts in them, and corrections: pure functions and their promises."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.report.period.events import counted
from earlywarn.report.period.figures import Counts, Figures, changes, corrected
from earlywarn.report.period.periods import Period, months, parse_period, school_year
from earlywarn.report.period.words import percent
from earlywarn.words import EVENTS
from earlywarn.workspace import Config

CONFIG = Config()
DAYS = st.dates(date(2025, 9, 1), date(2026, 8, 31))


@pytest.mark.parametrize(
    ("kind", "of", "start", "end"),
    [
        ("month", "2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("month", "2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("quarter", "2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("quarter", "2026-q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("term", "2026-1", date(2026, 9, 1), date(2027, 2, 28)),
        ("term", "2026-2", date(2027, 3, 1), date(2027, 8, 31)),
        ("year", "2026", date(2026, 9, 1), date(2027, 8, 31)),
    ],
)
def test_periods(kind: str, of: str, start: date, end: date) -> None:
    period = parse_period(kind, of, CONFIG)
    assert (period.start, period.end) == (start, end)


@given(st.integers(2000, 2100), st.sampled_from(["09-01", "08-20", "01-01", "02-28", "12-31"]))
def test_terms_make_up_the_year(year: int, begins: str) -> None:
    config = Config(school_year_start=begins)
    whole = parse_period("year", str(year), config)
    first, second = (parse_period("term", f"{year}-{n}", config) for n in (1, 2))
    assert (first.start, second.end) == (whole.start, whole.end)
    assert second.start == first.end + timedelta(1)
    assert parse_period("year", str(year + 1), config).start == whole.end + timedelta(1)
    for day in (whole.start, whole.end, second.start):
        assert school_year(day, config) == whole


def test_months_of_a_year() -> None:
    year = parse_period("year", "2026", CONFIG)
    found = months(year, CONFIG)
    assert [m.of for m in found][::11] == ["2026-09", "2027-08"]
    assert len(found) == 12
    assert months(found[0], CONFIG) == ()
    late = Config(school_year_start="08-20")
    assert months(parse_period("year", "2026", late), late) == ()


def test_what_counts() -> None:
    def on(day: int, event: str, cause: str | None = None) -> tuple[str, date, str, str | None]:
        return ("s", date(2026, 1, day), event, cause)

    def events(*known: tuple[str, date, str, str | None]) -> list[str]:
        return [f"{e.date.day} {e.event}" for e in counted(known)[0]]

    assert events(on(1, "suspected"), on(2, "suspected")) == ["1 suspected"]
    assert events(on(1, "suspected"), on(2, "dropped_out"), on(3, "dropped_out")) == [
        "1 suspected",
        "2 dropped_out",
    ]
    # Out and still suspected is no news; to have moved on does not bring a dropout back.
    assert events(
        on(1, "dropped_out"), on(2, "suspected"), on(3, "transferred"), on(4, "returned")
    )[1:] == ["4 returned"]
    # A return after a leave alone is none; of one day the return comes last.
    assert events(on(1, "long_leave"), on(2, "returned")) == []
    assert events(on(1, "returned"), on(1, "suspected")) == ["1 suspected", "1 returned"]
    assert events(on(1, "suspected"), on(2, "transferred"), on(3, "returned")) == ["1 suspected"]
    assert events(on(1, "suspected"), on(2, "returned"), on(3, "suspected")) == [
        "1 suspected",
        "2 returned",
        "3 suspected",
    ]


KNOWN = st.lists(
    st.tuples(st.sampled_from("abc"), DAYS, st.sampled_from(EVENTS), st.none()), max_size=25
)


@given(KNOWN, st.randoms())
def test_the_order_of_rows_does_not_matter(known: list, random) -> None:  # type: ignore[no-untyped-def, type-arg]
    mixed = list(known)
    random.shuffle(mixed)
    assert counted(mixed) == counted(known)


@given(KNOWN, DAYS)
def test_what_is_counted_up_to_a_day_does_not_depend_on_later_ones(known: list, day: date) -> None:  # type: ignore[type-arg]
    """So months add up: what January counts is the same in January and in the year."""
    early = [entry for entry in known if entry[1] <= day]
    assert counted(early)[0] == [e for e in counted(known)[0] if e.date <= day]


@given(KNOWN)
def test_leavings_and_returns_take_turns(known: list) -> None:  # type: ignore[type-arg]
    events, standing = counted(known)
    for student in {e.student_id for e in events}:
        mine = [e.event for e in events if e.student_id == student]
        for before, after in pairwise(mine):
            assert (before, after) not in (("returned", "returned"), ("dropped_out", "dropped_out"))
            assert (before, after) != ("dropped_out", "suspected")
        assert mine[0] != "returned"
        if standing[student]:
            assert mine[-1] == standing[student]


COUNTS = st.builds(Counts, **dict.fromkeys(Counts.model_fields, st.integers(0, 9)))
NAMES = st.sampled_from(["", "x", "y"])
FIGURES = st.builds(
    Figures,
    total=COUNTS,
    **dict.fromkeys(("stage", "county", "school", "group"), st.dictionaries(NAMES, COUNTS)),
)


@given(FIGURES, FIGURES, FIGURES)
def test_corrections_lead_from_what_was_told_to_what_is(
    first: Figures, second: Figures, third: Figures
) -> None:
    def shown(figures: Figures) -> dict[tuple[str, str], Counts]:
        found = {
            (of, name): counts
            for of in ("total", "stage", "county", "school", "group")
            for name, counts in figures.of(of).items()  # type: ignore[arg-type]
        }
        return {key: counts for key, counts in found.items() if counts != Counts()}

    told = corrected(first, changes(first, second))
    assert shown(told) == shown(second)
    assert shown(corrected(first, [*changes(first, second), *changes(told, third)])) == shown(third)
    assert changes(first, first) == ()


@pytest.mark.parametrize(
    ("part", "whole", "says"),
    [
        (22, 66_259, "0.03%"),
        (22, 23_917, "0.09%"),
        (0, 42_342, "0%"),
        (1, 66_259, "0.002%"),
        (1, 1, "100.00%"),
        (0, 0, "–"),
    ],
)
def test_rates_as_the_bureaus_write_them(part: int, whole: int, says: str) -> None:
    assert percent(part, whole) == says


def test_labels() -> None:
    period: Period = parse_period("term", "2026-2", CONFIG)
    assert period.title.zh == "2026–2027学年第二学期报告"
    assert parse_period("month", "2026-11", CONFIG).title.en == "Monthly report: November 2026"
