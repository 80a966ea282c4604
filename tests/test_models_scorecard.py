from __future__ import annotations

import math
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from earlywarn.models.scorecard import (
    FeatureTable,
    Scorecard,
    apply,
    feature_matrix,
    lookup,
    weights_for,
)
from models_rules import book, rule, scorecard, verdicts, weight

TABLE = FeatureTable(
    name="absence_rate_5d", thresholds=[0.1, 0.5], values=[-0.2, 0.4, 1.5], missing=0.3
)


def test_a_value_on_a_threshold_falls_below_it():
    x = np.asarray([-np.inf, 0.0, 0.1, 0.10000001, 0.5, 0.6, np.inf, np.nan])
    assert lookup(TABLE, x).tolist() == [-0.2, -0.2, -0.2, 0.4, 0.4, 1.5, 1.5, 0.3]


def test_booleans_are_0_and_1_and_null_is_missing():
    table = pa.table(
        {
            "a": pa.array([True, None, False]),
            "b": pa.array([3, None, 5], pa.int64()),
            "c": pa.array([0.5, 1.5, None], pa.float64()),
        }
    )
    x = feature_matrix(table, ["c", "a", "b"])
    np.testing.assert_array_equal(x, [[0.5, 1, 3], [1.5, np.nan, np.nan], [np.nan, 0, 5]])


def test_terms_are_named_and_add_up():
    low, high, other = rule("u2", 1.0, "u"), rule("u3", 2.0, "u"), rule("a", 0.5)
    card = scorecard([TABLE], [weight(low, 1.1), weight(high, 1.9), weight(other, 0.4)])
    features = pa.table({"absence_rate_5d": [0.0, 0.3, None]})
    judged = verdicts(a=[True, None, False], u2=[True, True, True], u3=[True, False, None])
    found = apply(card, features, judged, book(low, high, other))
    assert found.terms == ["b0", "absence_rate_5d", "rule:a", "rule:u2", "rule:u3"]
    np.testing.assert_allclose(
        found.values,
        [
            [-3, 0.8 * -0.2, 0.4, 0, 1.9],  # u2 is silenced on its ladder
            [-3, 0.8 * 0.4, 0, 1.1, 0],
            [-3, 0.8 * 0.3, 0, 1.1, 0],
        ],
    )
    np.testing.assert_allclose(found.log_odds, found.values.sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(found.score, 1 / (1 + np.exp(-found.log_odds)))


def test_equal_weights_on_a_ladder_go_to_the_lower_id():
    one, two = rule("b", 1.0, "x"), rule("a", 1.0, "x")
    card = scorecard([], [weight(one, 1.0), weight(two, 1.0)])
    found = apply(card, pa.table({"x": [1]}), verdicts(a=[True], b=[True]), book(one, two))
    assert found.values.tolist() == [[-3, 1.0, 0.0]]


def test_a_changed_or_new_rule_counts_with_its_authors_points():
    old, changed = rule("r", 1.0, when="absent_run >= 3"), rule("r", 1.5, when="absent_run >= 4")
    new = rule("s", 0.7)
    found = weights_for(scorecard([], [weight(old, 0.2)]), book(changed, new))
    assert found.values.tolist() == [1.5, 0.7]
    assert found.from_author == ("r", "s")
    same = weights_for(scorecard([], [weight(old, 0.2)]), book(old))
    assert same.values.tolist() == [0.2]
    assert same.from_author == ()


def test_a_rule_not_in_force_has_no_term():
    one, two = rule("a", 1.0), rule("b", 1.0)
    card = scorecard([], [weight(one, 1.0), weight(two, 1.0)])
    found = apply(card, pa.table({"x": [1]}), verdicts(b=[True]), book(one, two))
    assert found.terms == ["b0", "rule:b"]


weights_ = st.lists(st.floats(0, 5), min_size=6, max_size=6)
hits_ = st.lists(st.booleans(), min_size=6, max_size=6)
ladders_ = st.lists(st.sampled_from([None, "x", "y"]), min_size=6, max_size=6)


@settings(max_examples=150, deadline=None)
@given(weights_, weights_, ladders_, hits_, st.integers(0, 5), st.integers(0, 63))
def test_one_more_hit_never_lowers_a_score(fitted, points, ladders, hits, more, known):
    rules = [rule(f"r{i}", points[i], ladders[i]) for i in range(6)]
    # some rules have no fitted weight
    weights = [weight(r, fitted[i]) for i, r in enumerate(rules) if known >> i & 1]
    card = scorecard([], weights)
    with_it = [hit or i == more for i, hit in enumerate(hits)]
    judged = verdicts(**{f"r{i}": [hits[i], with_it[i]] for i in range(6)})
    found = apply(card, pa.table({"x": [1, 1]}), judged, book(*rules))
    assert found.log_odds[1] >= found.log_odds[0] - 1e-12
    for row in (0, 1):
        assert abs(math.fsum(found.values[row]) - found.log_odds[row]) < 1e-9


def test_a_city_is_scored_in_under_a_second():
    rng = np.random.default_rng(1)
    n, features, rules = 66_000, 60, 35
    cuts = np.sort(rng.random(100)).tolist()
    tables = [
        FeatureTable(name=f"f{i}", thresholds=cuts, values=[0.1] * 101, missing=0)
        for i in range(features)
    ]
    rule_list = [rule(f"r{i:02d}", 1.0, "x" if i < 5 else None) for i in range(rules)]
    card = scorecard(tables, [weight(r, 1.0) for r in rule_list])
    data = pa.table({f"f{i}": rng.random(n) for i in range(features)})
    judged = pa.table(
        {"student_id": pa.array(np.arange(n).astype(str))}
        | {r.id: pa.array(rng.random(n) < 0.05) for r in rule_list}
    )
    started = time.perf_counter()
    apply(card, data, judged, book(*rule_list))
    assert time.perf_counter() - started < 10  # about 0.5 s on an idle machine


BAD = {
    "a key too many": lambda d: d | {"code": "import os"},
    "NaN": lambda d: d | {"b0": float("nan")},
    "infinity in a table": lambda d: d | {"features": [_table(values=[0.0, math.inf])]},
    "unsorted thresholds": lambda d: (
        d | {"features": [_table(thresholds=[2.0, 1.0], values=[0.0, 1.0, 2.0])]}
    ),
    "equal thresholds": lambda d: (
        d | {"features": [_table(thresholds=[1.0, 1.0], values=[0.0, 1.0, 2.0])]}
    ),
    "too few values": lambda d: d | {"features": [_table(values=[0.0])]},
    "100,000 thresholds": lambda d: (
        d | {"features": [_table(thresholds=[*map(float, range(100_000))], values=[0.0] * 100_001)]}
    ),
    "a negative weight": lambda d: (
        d | {"rules": [{"id": "r", "when_hash": "0", "weight": -1.0, "points": 1.0}]}
    ),
    "a negative b1": lambda d: d | {"b1": -0.1},
    "a feature twice": lambda d: d | {"features": [_table(), _table()]},
    "text for a number": lambda d: d | {"b0": "-3"},
    "another format": lambda d: d | {"format": 2},
}


def _table(**changes):
    return {"name": "grade", "thresholds": [1.0], "values": [0.0, 1.0], "missing": 0.0} | changes


@pytest.mark.parametrize("what", list(BAD))
def test_a_bad_model_json_is_refused(what):
    good = scorecard([TABLE], []).model_dump()
    assert Scorecard.model_validate_json(Scorecard.model_validate(good).model_dump_json())
    with pytest.raises(ValidationError):
        Scorecard.model_validate(BAD[what](good))
