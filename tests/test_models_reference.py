"""reference.json, and how far a cohort has moved from it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from earlywarn.errors import EarlywarnError
from earlywarn.features.catalogue import FEATURES
from earlywarn.files import sha256
from earlywarn.models.measures import psi
from earlywarn.models.scorecard import FeatureTable
from earlywarn.models.store import registry
from earlywarn.models.watching import drift
from earlywarn.models.watching.reference import (
    MAX_OWN_BINS,
    Reference,
    make_reference,
    read_reference,
    shares_in,
    spread,
)
from models_rules import scorecard

NAN = float("nan")
RATE, GRADE = FEATURES["absence_rate_20d"], FEATURES["grade"]


def panel_rows(x, hits, y, weight=None, as_of=None):
    """The columns of panel rows that a reference is made of."""
    count = len(y)
    return SimpleNamespace(
        x=np.asarray(x, dtype=np.float64),
        hits=np.asarray(hits, dtype=np.bool_),
        y=np.asarray(y, dtype=np.bool_),
        weight=np.ones(count) if weight is None else np.asarray(weight, dtype=np.float64),
        as_of=np.zeros(count, dtype=np.int32) if as_of is None else np.asarray(as_of),
    )


def test_a_small_case_by_hand():
    rows = panel_rows(
        x=[[0.1, 7], [0.2, 7], [NAN, 8], [0.2, 9]],
        hits=[[True], [False], [False], [True]],
        y=[True, False, False, False],
        weight=[1, 1, 2, 4],
        as_of=[20000, 20007, 20007, 20000],
    )
    found = make_reference(rows, [RATE, GRADE], ["a"], np.asarray([0.8, 0.1, 0.1, 0.1]))
    rate = found["features"]["absence_rate_20d"]
    assert rate["edges"] == [0.1 - 5e-10, 0.1, 0.2]
    assert rate["shares"] == [0, 0.125, 0.625, 0]
    assert rate["missing"] == 0.25
    assert found["features"]["grade"]["shares"] == [0, 0.25, 0.25, 0.5, 0]
    assert found["rules"] == {"a": 0.625}
    assert found["base_rate"] == 0.125
    assert found["mean_score"] == pytest.approx((0.8 + 0.7) / 8)
    # Of the scores 7/8 are up to 0.1: 4 of 5 on the first date, all 3 (and half a child) on the
    # second; 0.075 ln(0.2 / 0.125) - 0.075 ln(0.8 / 0.875) is the larger of the two.
    usual = 0.0419707
    assert found["score"] == {
        "edges": [0.1],
        "shares": [0.875, 0.125],
        "missing": 0.0,
        "usual": pytest.approx(usual, abs=1e-6),
    }
    assert (found["rows"], found["dates"]) == (8, ["2024-10-04", "2024-10-11"])
    assert Reference.model_validate_json(json.dumps(found)).children == 4
    assert json.dumps(found) == json.dumps(
        make_reference(rows, [RATE, GRADE], ["a"], np.asarray([0.8, 0.1, 0.1, 0.1]))
    )


def test_many_values_are_parted_at_weighted_deciles():
    column = np.arange(1000.0)
    found = spread(column, np.ones(1000))
    assert found.edges == [99, 199, 299, 399, 499, 599, 699, 799, 899]
    assert found.shares == [0.1] * 10
    heavy = spread(column, np.where(column < 100, 9.0, 1.0))
    assert max(heavy.edges[:4]) < 100  # half the weight lies below 100
    assert heavy.shares == pytest.approx([0.1] * 10, abs=0.006)


def test_a_column_without_any_value():
    found = spread(np.asarray([NAN, NAN]), np.ones(2))
    assert (found.edges, found.shares, found.missing) == ([], [0.0], 1.0)


def test_a_value_never_seen_shows_in_a_bin_of_its_own():
    then = spread(np.zeros(100), np.ones(100))  # a boolean that was always false
    shares, missing = shares_in(np.ones(100), np.ones(100), then.edges)
    assert psi.psi([*then.shares, then.missing], [*shares, missing]) > 5


columns = st.lists(
    st.one_of(st.just(NAN), st.integers(-40, 40).map(float), st.floats(-1, 1)),
    min_size=1,
    max_size=80,
)


@given(columns, st.integers(0, 1))
def test_shares_add_up_and_the_same_rows_have_not_moved(values, own):
    column = np.asarray(values)
    found = spread(column, np.ones(len(column)), own_bins=own * MAX_OWN_BINS)
    assert sum(found.shares) + found.missing == pytest.approx(1, abs=1e-6)
    assert found.edges == sorted(set(found.edges))
    shares, missing = shares_in(column, np.ones(len(column)), found.edges)
    assert psi.psi([*found.shares, found.missing], [*shares, missing]) < 1e-6
    assert type(found).model_validate_json(found.model_dump_json()) == found


shares = st.lists(st.floats(0.001, 1), min_size=5, max_size=5)


@given(shares, shares)
def test_psi_is_symmetric_and_never_negative(one, other):
    a, b = np.asarray(one) / sum(one), np.asarray(other) / sum(other)
    assert psi.psi(a, b) >= 0
    assert psi.psi(a, b) == pytest.approx(drift.psi(b, a), abs=1e-12)


def test_psi_by_hand():
    found = psi.psi([0.5, 0.5], [0.25, 0.75])
    assert found == pytest.approx(-0.25 * np.log(0.5) + 0.25 * np.log(1.5))
    assert psi.psi([1, 0], [0.9, 0.1]) == pytest.approx(
        -0.1 * np.log(0.9) + (0.1 - 1e-4) * np.log(1000)
    )


@pytest.mark.parametrize("bins", [2, 5, 11])
def test_what_chance_explains_is_the_chi_squared_quantile(bins):
    exact = chi2.ppf(0.999, bins - 1) * (1 / 500 + 1 / 80)
    assert psi.by_chance(bins, 500, 80) == pytest.approx(exact, rel=0.04)


TABLES = [
    FeatureTable(name="absence_rate_20d", thresholds=[0.1], values=[-0.1, 0.4], missing=0.0),
    FeatureTable(name="grade", thresholds=[], values=[0.0], missing=0.0),
]


def reference_of(count=1000):
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.random(count).round(3), rng.integers(7, 10, count)])
    rows = panel_rows(x, np.zeros((count, 0)), np.zeros(count))
    return Reference.model_validate(make_reference(rows, [RATE, GRADE], [], x[:, 0] / 2)), x


def cohort(rate, grade):
    return pa.table(
        {
            "absence_rate_20d": pa.array(rate, pa.float64(), from_pandas=True),
            "grade": pa.array(grade, pa.int64()),
        }
    )


def test_only_used_inputs_and_scores_warn():
    reference, x = reference_of()
    model = scorecard(TABLES, [])
    same = cohort(x[:, 0], x[:, 1].astype(int))
    assert drift.warnings(reference, model, same, x[:, 0] / 2) == []
    moved = cohort(x[:, 0], [9] * 1000)  # grade has moved; its table does nothing
    assert drift.warnings(reference, model, moved, x[:, 0] / 2) == []
    shifts = {s.name: s for s in drift.feature_shifts(reference, model, moved)}
    assert (shifts["grade"].band, shifts["grade"].used) == ("strong", False)
    worse = cohort(x[:, 0] ** 4, x[:, 1].astype(int))
    (warning,) = drift.warnings(reference, model, worse, x[:, 0] / 2)
    assert (warning["kind"], warning["feature"]) == ("feature", "absence_rate_20d")
    assert warning["psi"] > 0.25
    assert "近20天缺勤率" in warning["zh"].replace(" ", "")
    (warning,) = drift.warnings(reference, model, same, np.full(1000, 0.49))
    assert (warning["kind"], warning["feature"]) == ("score", None)
    assert "monitor" in warning["en"]


def yearly(now_count=1000):
    """Two years of dates: in June the absence rates of the year are higher than in October."""
    rng = np.random.default_rng(2)
    october, june = rng.random((2, 1000)).round(3) * 0.5, 0.5 + rng.random((2, 1000)).round(3) * 0.5
    x = np.concatenate([october[0], june[0], october[1], june[1]])
    as_of = np.repeat([0, 240, 365, 605], 1000)
    hits = (x > 0.5)[:, None]
    rows = panel_rows(np.column_stack([x, np.full(4000, 8)]), hits, np.zeros(4000), as_of=as_of)
    made = make_reference(rows, [RATE, GRADE], ["often-absent"], x / 2)
    return Reference.model_validate(made), june[0][:now_count]


def test_a_season_seen_in_training_is_no_shift():
    reference, june = yearly()
    model = scorecard(TABLES, [])
    now = cohort(june, [8] * 1000)
    first, second = drift.feature_shifts(reference, model, now)
    assert (first.name, first.band, second.band) == ("absence_rate_20d", "season", "stable")
    # June has none of October's half of the bins: beyond the usual limits by far.
    assert drift.STRONG < first.psi <= first.usual == reference.features["absence_rate_20d"].usual
    assert drift.score_shift(reference, june / 2).band == "season"
    (rule,) = drift.rule_shifts(reference, {"often-absent": 1.0}, ["often-absent"], 1000)
    assert rule.band == "season"
    assert drift.warnings(reference, model, now, june / 2) == []


def test_what_lies_further_than_any_date_of_training_is_a_shift():
    reference, june = yearly()
    now = cohort(np.full(1000, june.max()), [8] * 1000)
    (warning, score) = drift.warnings(reference, scorecard(TABLES, []), now, np.full(1000, 0.499))
    assert (warning["feature"], score["kind"]) == ("absence_rate_20d", "score")
    assert warning["psi"] > reference.features["absence_rate_20d"].usual


def test_one_date_of_training_tells_nothing_of_seasons():
    reference, x = reference_of()
    assert {spread.usual for spread in reference.features.values()} == {0}
    assert drift.score_shift(reference, x[:, 0] ** 3 / 2).band == "strong"


def test_many_moved_inputs_are_one_line_on_the_terminal():
    found = [
        {"kind": "feature", "feature": name, "psi": 0.3, "zh": "移", "en": "moved"}
        for name in ("grade", "absence_rate_20d")
    ]
    lost = {"kind": "missing", "feature": "exam_z", "psi": 0.3, "zh": "缺", "en": "lost"}
    assert [line.en for line in drift.folded([found[0], lost])] == ["lost", "moved"]
    line = drift.folded(found)[0]
    assert "2 inputs" in line.en
    assert "grade; absence rate" in line.en
    assert "年级、近20天缺勤率" in line.zh
    assert drift.folded([]) == []


def test_a_feature_that_went_missing_warns_whether_used_or_not():
    reference, x = reference_of()
    nothing = pa.table(
        {
            "absence_rate_20d": pa.array([None] * 1000, pa.float64()),
            "grade": pa.array([None] * 1000, pa.int64()),
        }
    )
    found = drift.warnings(reference, scorecard(TABLES, []), nothing, x[:, 0] / 2)
    assert [w["kind"] for w in found] == ["missing", "missing"]
    assert {w["feature"] for w in found} == {"absence_rate_20d", "grade"}
    assert "训练时几乎都有数据" in found[0]["zh"]


def test_a_handful_of_children_raises_no_alarm():
    reference, _ = reference_of()
    few = cohort([0.9, 0.95, 0.2], [7, 8, 9])
    (first, *_) = drift.feature_shifts(reference, scorecard(TABLES, []), few)
    assert first.psi > 0.25
    assert first.band == "chance"
    assert drift.warnings(reference, scorecard(TABLES, []), few, np.asarray([0.1, 0.2, 0.4])) == []


def test_unchanged_children_are_called_unchanged():
    """Bands hold their promise: of many samples of the same children hardly any is a shift."""
    reference, x = reference_of()
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(400):
        chosen = rng.integers(0, 1000, 60)
        found = drift.feature_shifts(
            reference, scorecard(TABLES, []), cohort(x[chosen, 0], x[chosen, 1].astype(int))
        )
        alarms += any(shift.band in ("some", "strong") for shift in found)
    assert alarms <= 4


def saved(workspace, text):
    folder = registry.save(
        workspace, scorecard([], [], b1=0.0), data={}, others={"reference.json": text}
    )
    return folder


def test_it_is_read_back(workspace):
    reference, _ = reference_of()
    folder = saved(workspace, reference.model_dump_json())
    assert read_reference(folder) == reference
    registry.save(workspace, scorecard([], [], version=2, b1=0.0), data={}, others={})
    assert read_reference(workspace.models / "main" / "2") is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"rows": 0},
        {"dates": []},
        {"dates": ["yesterday"]},
        {"mean_score": 1.5},
        {"score": {"edges": [], "shares": [0.4]}},
        {"score": {"edges": [2, 1], "shares": [0.4, 0.3, 0.3]}},
        {"score": {"edges": [1], "shares": [1]}},
        {"score": {"edges": list(range(100_000)), "shares": [1]}},
        {"features": {"grade": {"edges": ["1"], "shares": [0.5, 0.5]}}},
        {"features": []},
        {"more": 1},
    ],
)
def test_what_the_schema_forbids_is_refused_even_with_a_right_hash(workspace, change):
    reference, _ = reference_of()
    folder = saved(workspace, json.dumps(reference.model_dump() | change))
    with pytest.raises(EarlywarnError, match="cannot be used") as error:
        read_reference(folder)
    assert "不能使用" in error.value.text.zh


@pytest.mark.parametrize("text", ['{"format": NaN}', "[" * 100_000, "[1]", "", '{"a": ' * 9_000])
def test_what_is_no_json_object_is_refused(workspace, text):
    with pytest.raises(EarlywarnError, match="cannot be used"):
        read_reference(saved(workspace, text))


def test_a_changed_or_lost_file_is_refused(workspace):
    reference, _ = reference_of()
    folder = saved(workspace, reference.model_dump_json())
    before = sha256(folder / "reference.json")
    with (folder / "reference.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    assert sha256(folder / "reference.json") != before
    with pytest.raises(EarlywarnError, match="was changed"):
        read_reference(folder)
    (found,) = drift.warnings_for(folder, scorecard([], [], b1=0.0), pa.table({}), np.zeros(1))
    assert found["kind"] == "reference"
    (folder / "reference.json").unlink()
    with pytest.raises(EarlywarnError, match="cannot be read"):
        read_reference(folder)
