"""Two models side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.models.scorecard import FeatureTable, lookup
from earlywarn.models.store import registry
from earlywarn.models.watching.compare import Side, compare
from models_rules import rule, scorecard, weight

A, B, C = rule("a", 2.0), rule("b", 3.0), rule("c", 1.0)


def table(name, thresholds, values, missing=0.0):
    return FeatureTable(name=name, thresholds=thresholds, values=values, missing=missing)


def metrics(test_hash="x", auc=0.7, **more):
    period = {"rows": 10, "events": 2, "first_as_of": "2026-01-02", "last_as_of": "2026-02-06"}
    return {
        "validation": "temporal",
        "train": period,
        "test": period,
        "best_rule": None,
        "models": {"combined": {"auc": [auc, auc - 0.1, auc + 0.1], "ap": [None, None, None]}},
        "verdict": {"difference": [0, 0, 0], "auc_difference": [0, 0, 0], "better": False},
        "by_date": [],
        "notes": [],
        **({"test_hash": test_hash} if test_hash else {}),
    } | more


def side(workspace, version, tables=(), weights=(), found=None, **changes):
    model = scorecard(list(tables), list(weights), version=version, **changes)
    text = json.dumps(metrics() if found is None else found)
    registry.save(workspace, model, data={}, others={"metrics.json": text})
    return Side.of(*registry.open_model(workspace, f"main/{version}"))


def test_the_differences_by_hand(workspace):
    one = side(
        workspace,
        1,
        [table("absence_rate_5d", [], [0.3], 0.3), table("absence_rate_20d", [0.1], [0, 1])],
        [weight(A, 1.0), weight(B, 2.0)],
        b1=1.0,
    )
    other = side(
        workspace,
        2,
        [table("absence_rate_20d", [0.1, 0.5], [0, 1, 3], missing=-0.5)],
        [weight(A, 2.5), weight(rule("b", 3.0, when="unexcused_run >= 4"), 2.0), weight(C, 0.1)],
        b1=0.5,
        horizon_days=30,
        found=metrics(auc=0.8),
    )
    found = compare(one, other)
    assert found["same_test"] is True
    assert np.allclose(found["measures"]["auc"], [[0.7, 0.6, 0.8], [0.8, 0.7, 0.9]])
    assert found["settings"]["horizon_days"] == [90, 30]
    # the first table says the same of everybody, so it is not used
    assert found["features"] == {"only": [[], []], "both": ["absence_rate_20d"]}
    rules = [(r["rule"], r["difference"], r["changed"]) for r in found["rules"]]
    assert rules == [("a", 1.5, False), ("c", 0.1, False), ("b", 0.0, True)]
    assert found["rules"][1]["weights"] == [None, 0.1]
    tables = {row["feature"]: row for row in found["tables"]}
    # 1.0 * (0, 1, 1, missing 0) against 0.5 * (0, 1, 3, missing -0.5) on 0.1 and 0.5
    assert tables["absence_rate_20d"] == {
        "feature": "absence_rate_20d",
        "difference": -0.5,
        "above": 0.1,
        "up_to": 0.5,
        "missing": False,
        "values": [1.0, 0.5],
    }
    assert tables["absence_rate_5d"]["difference"] == -0.3


def test_a_difference_where_it_is_missing_or_above_all(workspace):
    one = side(workspace, 1, [table("grade", [6.5], [0, 0], 0.0)], b1=1.0)
    other = side(workspace, 2, [table("grade", [6.5], [0, 0], 2.0)], b1=1.0)
    (row,) = compare(one, other)["tables"]
    assert (row["missing"], row["above"], row["up_to"], row["difference"]) == (True, None, None, 2)
    third = side(workspace, 3, [table("grade", [6.5], [0, -1], 0.0)], b1=1.0)
    (row,) = compare(one, third)["tables"]
    assert (row["missing"], row["above"], row["up_to"], row["difference"]) == (False, 6.5, None, -1)


numbers = st.floats(-2, 2).map(lambda v: round(v, 3))


@st.composite
def tables(draw):
    cuts = sorted(draw(st.sets(st.integers(-5, 5), max_size=4)))
    values = draw(st.lists(numbers, min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    return table("grade", [c + 0.5 for c in cuts], values, draw(numbers))


@given(tables(), tables(), st.floats(0, 2), st.floats(0, 2))
def test_no_value_differs_more_than_said(one, other, b1_one, b1_other):
    from earlywarn.models.watching.compare import _largest

    row = _largest("grade", one, b1_one, other, b1_other)
    at = np.asarray([*np.arange(-7.0, 8.0), np.nan])
    gaps = b1_other * lookup(other, at) - b1_one * lookup(one, at)
    assert abs(row["difference"]) == pytest.approx(np.abs(gaps).max(), abs=1e-5)


@pytest.mark.parametrize(
    ("mine", "theirs", "same", "words"),
    [
        (metrics("x"), metrics("x"), True, "same rows"),
        (metrics("x"), metrics("y"), False, "tested on different rows"),
        (metrics("x"), metrics(""), None, "not known"),
        (metrics("x"), {}, None, "Nothing was tested for main/2"),
    ],
)
def test_whether_figures_can_be_set_side_by_side(workspace, mine, theirs, same, words):
    found = compare(side(workspace, 1, found=mine), side(workspace, 2, found=theirs))
    assert found["same_test"] is same
    assert words in found["said"]["en"]
    assert found["said"]["zh"]


def test_a_model_with_itself(workspace):
    one = side(workspace, 1, [table("grade", [6.5], [0, 1])], [weight(A, 1.0)])
    found = compare(one, one)
    assert found["same_test"] is True
    assert (found["settings"], found["rules"], found["tables"]) == ({}, [], [])
