"""Calibration from origins, on simulated rows of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from earlywarn.models.fitting.calibration import Seen, from_origins
from earlywarn.models.fitting.combine import CALIBRATION_SD, solve_b0
from models_rules import panel_rows

LEVEL = -2.0  # of the true log-odds


def drawn(seed, rows, *, flat=1.0, shift=0.0, spread=1.0):
    """Rows, and what is said of them: log-odds around LEVEL.

    The truth is `flat` times the part that differs between rows, plus LEVEL and `shift`.
    """
    rng = np.random.default_rng(seed)
    part = spread * rng.normal(size=rows)
    y = rng.random(rows) < expit(LEVEL + shift + flat * part)
    return panel_rows(y), LEVEL + part


def origin(seed, train_rows, later_rows, *, flat, shift=0.0, spread=1.0):
    train, train_odds = drawn(seed, train_rows, flat=flat, spread=spread)
    later, later_odds = drawn(seed + 1, later_rows, flat=flat, shift=shift, spread=spread)
    level = solve_b0(train_odds, train.rate, train.weight)
    return Seen(train, later, train_odds + level, later_odds + level)


def found(seen, rows, odds, **options):
    return from_origins(seen, rows, odds, **({"row_weight": 1.0, "same_time": False} | options))


# ------------------------------------------------------------------------------ the slope


@pytest.mark.parametrize("seed", [1, 11, 21])
@pytest.mark.parametrize("stretch", [0.8, 1.0, 1.5, 2.5])
def test_log_odds_stretched_are_shrunk_by_as_much(stretch, seed):
    one = origin(seed, 20_000, 60_000, flat=1 / stretch, spread=stretch)
    result = found([one], one.train, one.train_odds)
    assert abs(result.slope - 1 / stretch) < 4 * result.slope_se
    assert result.slope_se < 0.05
    # What it says of later rows adds up to what happened there.
    foretold = float(np.mean(expit(result.intercept + result.slope * one.later_odds)))
    assert foretold == pytest.approx(one.later.rate, rel=0.01)


def test_where_it_is_right_nothing_changes():
    one = origin(31, 30_000, 60_000, flat=1.0)
    result = found([one], one.train, one.train_odds)
    assert abs(result.slope - 1) < 4 * result.slope_se
    odds = np.linspace(-5, 1, 50)
    after = result.intercept + result.slope * odds
    assert np.abs(expit(after) - expit(odds)).max() < 0.02


def test_the_excess_shrinks_as_outcomes_grow():
    """Seen on N outcomes: slope 2/3. The fit on twice as many is given 1 - (1/3) / 2 = 5/6."""
    one = origin(41, 20_000, 80_000, flat=1 / 1.5, spread=1.5)
    other = origin(43, 40_000, 10, flat=1 / 1.5, spread=1.5)
    ratio = one.train.events / other.train.events
    alone = found([one], one.train, one.train_odds)
    more = found([one], other.train, other.train_odds)
    assert 1 - more.slope == pytest.approx((1 - alone.slope) * ratio, rel=1e-3)
    assert more.slope == pytest.approx(5 / 6, abs=0.03)


def test_origins_count_by_what_they_tell():
    """Two origins, one of them with a hundredth of the later rows: the other decides."""
    sure = origin(51, 20_000, 60_000, flat=0.5, spread=1.5)
    vague = origin(53, 20_000, 600, flat=1.0, spread=1.5)
    both = found([vague, sure], sure.train, sure.train_odds)
    alone = found([sure], sure.train, sure.train_odds)
    assert abs(both.slope - alone.slope) < 0.02
    assert both.slope_se < alone.slope_se


def test_few_outcomes_leave_it_near_one():
    one = origin(61, 4000, 60, flat=0.2)
    result = found([one], one.train, one.train_odds)
    assert 0.5 < result.slope < 1.3
    assert 0.15 < result.slope_se <= CALIBRATION_SD


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(-2.0, 2.0), st.booleans())
def test_the_slope_is_never_below_zero_and_everything_is_finite(seed, flat, same_time):
    seen = [origin(seed + k, 800, 1500, flat=flat, spread=1.5) for k in (0, 10)]
    rows, odds = seen[0].train, seen[0].train_odds
    result = found(seen, rows, odds, same_time=same_time)
    assert result.slope >= 0
    assert np.isfinite([result.intercept, result.slope, result.slope_se]).all()
    after = result.intercept + result.slope * odds
    assert (np.diff(after[np.argsort(odds)]) >= 0).all()


def test_what_is_the_wrong_way_round_is_flattened_to_nothing():
    one = origin(71, 20_000, 60_000, flat=-1.0)
    result = found([one], one.train, one.train_odds)
    assert result.slope == 0
    assert expit(result.intercept) == pytest.approx(one.later.rate, rel=0.02)


# ------------------------------------------------------------------------------ the level


@pytest.mark.parametrize("shift", [-0.7, 0.4])
def test_a_shift_of_the_level_is_recovered(shift):
    one = origin(81, 30_000, 60_000, flat=1.0, shift=shift)
    result = found([one], one.train, one.train_odds)
    assert abs(result.slope - 1) < 0.05
    at_level = result.intercept + result.slope * LEVEL - LEVEL
    assert at_level == pytest.approx(shift, abs=0.06)


def test_the_level_is_that_of_the_newest_origin_or_of_all_schools():
    before = origin(91, 30_000, 60_000, flat=1.0, shift=1.0)
    after = origin(93, 30_000, 60_000, flat=1.0, shift=-0.5)
    rows, odds = after.train, after.train_odds

    def shift(**options):
        result = found([before, after], rows, odds, **options)
        return result.intercept + result.slope * LEVEL - LEVEL

    assert shift() == pytest.approx(-0.5, abs=0.06)
    assert -0.3 < shift(same_time=True) < 0.9


def test_a_row_weight_makes_repeated_rows_count_once():
    """Ten copies of each row at a tenth of the weight say what the rows say."""
    one = origin(101, 4000, 3000, flat=0.6, spread=1.5)
    every = np.repeat(np.arange(len(one.later)), 10)
    ten = Seen(one.train, one.later.take(every), one.train_odds, one.later_odds[every])
    single = found([one], one.train, one.train_odds)
    copied = found([ten], one.train, one.train_odds, row_weight=0.1)
    for name in ("intercept", "slope", "slope_se"):
        assert getattr(copied, name) == pytest.approx(getattr(single, name), abs=1e-5)


def test_an_origin_without_an_outcome_tells_no_slope():
    one = origin(111, 20_000, 40_000, flat=0.7)
    none = Seen(one.train, panel_rows([False] * 50), one.train_odds, np.zeros(50))
    alone = found([one], one.train, one.train_odds)
    both = found([none, one], one.train, one.train_odds)
    assert both.slope == pytest.approx(alone.slope, abs=1e-4)
    assert both.intercept == pytest.approx(alone.intercept, abs=1e-4)
