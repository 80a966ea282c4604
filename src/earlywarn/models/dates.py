"""Which as-of dates a model is trained on and which it is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import duckdb

from earlywarn.errors import EarlywarnError
from earlywarn.workspace import Config

TEST_SHARE = 0.25  # of the as-of dates, the last ones


@dataclass(frozen=True)
class Period:
    """What is known: outcomes up to `complete_until`, everything else up to `until`."""

    complete_until: date
    until: date


@dataclass(frozen=True)
class Split:
    """As-of dates of training and test.

    `by_school`: there is no later date to test on, so all dates are trained on and tested by
    schools left out.
    """

    train: tuple[date, ...]
    test: tuple[date, ...]
    by_school: bool = False


def known_period(
    con: duckdb.DuckDBPyConnection, config: Config, until: date | None = None
) -> Period:
    """Return up to when outcomes are known, in `con`'s tables and by the config.

    Raises
    ------
    EarlywarnError
        If there are no outcomes up to `until`, or one is dated after today and the config does not
        say up to when they are complete: a year typed wrongly would make the future known.
    """
    ((newest,),) = con.execute(
        "SELECT max(date) FROM outcomes WHERE $until IS NULL OR date <= $until",
        {"until": until},
    ).fetchall()
    complete = config.outcomes_complete_until or newest
    if newest is None or complete is None:
        raise EarlywarnError(
            zh="没有任何结果（outcomes），无法训练，也无法比较预测与实际。请先导入结果；"
            "没有模型时使用专家评分卡。",
            en="There are no outcomes to learn from or to compare with. Load some first; without a "
            "model the experts' scorecard is used.",
        )
    if config.outcomes_complete_until is None and complete > date.today():
        raise EarlywarnError(
            zh=f"最新的结果（outcomes）日期是 {complete}，在今天之后：可能是年份录错。请更正该行，"
            "或在 earlywarn.yaml 的 outcomes_complete_until 写明结果收齐到哪一天。",
            en=f"The newest of the outcomes is dated {complete}, after today: perhaps a mistyped "
            "year. Correct that row, or write into earlywarn.yaml as outcomes_complete_until up to "
            "when outcomes are complete.",
        )
    if until is not None:
        complete = min(complete, until)
    return Period(complete_until=complete, until=until or date.max)


def as_of_dates(con: duckdb.DuckDBPyConnection, config: Config, period: Period) -> tuple[date, ...]:
    """Return the as-of dates whose windows end by the period's end, ascending.

    The config's dates, or every `step_days` from the first day on which both a registry snapshot
    and attendance or marks exist.

    Raises
    ------
    EarlywarnError
        If there is none.
    """
    last = period.complete_until - timedelta(days=config.horizon_days)
    if config.as_of_dates:
        dates = sorted({day for day in config.as_of_dates if day <= last})
    else:
        first = _first_day(con)
        dates = []
        while first is not None and first <= last:
            dates.append(first)
            first += timedelta(days=config.step_days)
    if not dates:
        raise EarlywarnError(
            zh=f"没有可用的截止日期：结果收齐到 {period.complete_until}，往前 "
            f"{config.horizon_days} 天之前没有数据。请导入更早的数据，或减小 horizon_days。",
            en=f"There is no as-of date to train on: outcomes are complete until "
            f"{period.complete_until}, and there are no data {config.horizon_days} days before. "
            "Load earlier data or lower horizon_days.",
        )
    return tuple(dates)


def _first_day(con: duckdb.DuckDBPyConnection) -> date | None:
    ((snapshot, day),) = con.execute(
        """
        SELECT
            (SELECT min(snapshot_date) FROM students),
            least(
                (SELECT min(date) FROM attendance),
                (SELECT min(date) FROM exams),
                (SELECT min("to") FROM attendance_totals)
            )
        """
    ).fetchall()
    if snapshot is None:
        return None
    found: date = max(snapshot, day or snapshot)
    return found


def split_dates(dates: tuple[date, ...], horizon_days: int) -> Split:
    """Take the last quarter of the dates as the test, and train on what ended before the first.

    Embargo: every training date's window ends before the first test date. Where no date does, a
    later start of the test is tried; if none serves, validation is by school.
    """
    horizon = timedelta(days=horizon_days)
    start = max(1, min(round(len(dates) * (1 - TEST_SHARE)), len(dates) - 1))
    for begin in range(start, len(dates)):
        train = tuple(day for day in dates if day + horizon < dates[begin])
        if train:
            return Split(train=train, test=dates[begin:])
    return Split(train=dates, test=dates, by_school=True)


def row_weight(dates: tuple[date, ...], config: Config) -> float:
    """Return what a panel row weighs: min(1, step / horizon), since close rows repeat one outcome.

    The step is step_days, or the smallest gap between the as-of dates if that is larger (a single
    date repeats nothing: 1).
    """
    gaps = [(b - a).days for a, b in pairwise(dates)]
    if not gaps:
        return 1.0
    return min(1.0, max(config.step_days, min(gaps)) / config.horizon_days)
