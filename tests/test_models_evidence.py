"""What the training rows say of each rule: ten rows counted by hand, and why a weight stands."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from earlywarn.models.fitting.evidence import evidence
from earlywarn.models.fitting.fit import Fit, Setup
from models_rules import panel_rows


def setup(points, ladders=None):
    count = len(points)
    return Setup(
        features=(),
        rules=tuple("abcdefgh"[:count]),
        points=np.asarray(points, dtype=np.float64),
        ladders=tuple(ladders or [None] * count),
        prior_sd=0.5,
        row_weight=1.0,
        horizon_days=90,
        seed=1,
    )


def fitted(weights, b0=0.0):
    return Fit(
        b0=b0,
        b1=0.0,
        weights=np.asarray(weights, dtype=np.float64),
        additive=None,
        base_rate=0.1,
        fitted=10,
    )


def rows_with(hits, y, **columns):
    rows = panel_rows(y, **columns)
    return replace(rows, hits=np.asarray(hits, dtype=bool))


# Ten rows of six children. Rules a and b stand on one ladder, a weighing more; c on its own.
STUDENT = [0, 0, 1, 1, 2, 2, 3, 4, 4, 5]
WEIGHT = [1, 1, 2, 2, 1, 1, 4, 1, 1, 1]
LABEL = [1, 1, 0, 0, 1, 0, 0, 0, 1, 0]
HITS = [
    # a, b, c
    [1, 1, 0],  # b is silenced
    [1, 0, 0],
    [1, 1, 1],  # b is silenced
    [0, 1, 0],
    [0, 1, 1],
    [0, 0, 1],
    [0, 1, 0],
    [0, 0, 0],
    [0, 0, 1],
    [0, 0, 0],
]
TEN = rows_with(HITS, LABEL, student=STUDENT, weight=WEIGHT)


def test_ten_rows_counted_by_hand():
    """b0 = 0 and points of log 3, 0 and log 3: a rule alone has the chance 3/4, 1/2 or 3/4."""
    log3 = float(np.log(3))
    made = setup([log3, 0.0, log3], ["l", "l", None])
    found = evidence(TEN, fitted([1.0, 0.5, 0.0]), made)
    assert [entry["id"] for entry in found] == ["a", "b", "c"]
    a, b, c = found
    # a counts in rows 0, 1 and 2: weights 1 + 1 + 2, children 0 and 1, with the label row 0 and 1.
    assert (a["rows"], a["students"], a["events"], a["observed"]) == (4, 2, 1, 2)
    # By the author: log-odds log 3 (row 2 has c too, at its fitted weight 0): 4 rows at 3/4.
    assert a["expected"] == pytest.approx(3.0, abs=1e-6)
    # b counts in rows 3, 4 and 6 (silenced in 0, 2): weights 2 + 1 + 4; only row 4 has the label.
    assert (b["rows"], b["students"], b["events"], b["observed"]) == (7, 3, 1, 1)
    assert b["expected"] == pytest.approx(3.5, abs=1e-6)
    # c counts in rows 2, 4, 5, 8: weights 2 + 1 + 1 + 1, children 1, 2, 4; label in rows 4 and 8.
    assert (c["rows"], c["students"], c["events"], c["observed"]) == (5, 3, 2, 2)
    # Row 2 has a (1.0) and c, row 4 b (0.5) and c, rows 5 and 8 only c.
    e = np.e
    chances = [2 * 3 * e / (1 + 3 * e), 3 * e**0.5 / (1 + 3 * e**0.5), 0.75, 0.75]
    assert c["expected"] == pytest.approx(sum(chances), abs=1e-6)
    assert (a["points"], a["weight"]) == (log3, 1.0)


def test_a_child_counts_once_however_many_rows_it_has():
    rows = rows_with([[1]] * 6, [1, 1, 1, 0, 0, 0], student=[3, 3, 3, 8, 8, 3])
    (one,) = evidence(rows, fitted([1.0]), setup([1.0]))
    assert (one["rows"], one["students"], one["events"], one["observed"]) == (6, 2, 1, 3)


def test_expected_equals_observed_where_the_author_was_right():
    """Chances of 1/5 = sigmoid(-log 4) with the hit; 10 of 50 have it."""
    points = 1.0
    rows = rows_with([[1]] * 50, [i < 10 for i in range(50)])
    (one,) = evidence(rows, fitted([points], b0=-float(np.log(4)) - points), setup([points]))
    assert one["expected"] == pytest.approx(10.0, abs=1e-5)
    assert one["observed"] == 10


def note(weights, points, ladders=None, hits=None):
    hits = [[1] * len(weights)] if hits is None else hits
    rows = rows_with(hits, [True] * len(hits))
    return [e["note"] for e in evidence(rows, fitted(weights), setup(points, ladders))]


def test_notes_say_what_held_a_weight():
    assert note([1.0], [1.0]) == ["prior"]
    assert note([1.05], [1.0]) == ["prior"]
    assert note([1.3], [1.0]) == ["data"]
    assert note([0.4], [1.0]) == ["data"]
    assert note([0.0], [1.0]) == ["bound"]
    assert note([1.0], [1.0], hits=[[0]]) == ["never hit"]
    assert note([0.0], [0.0]) == ["prior"]


def test_notes_on_a_ladder():
    two = ["l", "l"]
    # Held together by the rule that weights never fall as points rise.
    assert note([0.8, 0.8], [1.0, 2.0], two, [[1, 0], [0, 1]]) == ["ladder", "ladder"]
    # The same weight on two ladders, or on none, is chance.
    each = [[1, 0], [0, 1]]
    assert note([1.4, 1.4], [1.0, 2.0], ["l", "m"], each) == ["data", "data"]
    assert note([1.4, 1.4], [1.0, 2.0], None, each) == ["data", "data"]
    # Rungs with equal points do not hold each other.
    assert note([1.4, 1.4], [1.0, 1.0], two, each) == ["data", "data"]
    # At 0 it is the bound that holds, whoever else is there.
    assert note([0.0, 0.0], [1.0, 2.0], two, each) == ["bound", "bound"]


def test_every_rule_has_an_entry_even_without_rows():
    rows = rows_with(np.zeros((0, 2)), [])
    found = evidence(rows, fitted([1.0, 2.0]), setup([1.0, 2.0]))
    assert [(e["id"], e["rows"], e["expected"], e["note"]) for e in found] == [
        ("a", 0, 0, "never hit"),
        ("b", 0, 0, "never hit"),
    ]


def test_all_entries_are_plain_json():
    found = evidence(TEN, fitted([1.0, 0.5, 0.2]), setup([1.0, 0.5, 0.3], ["l", "l", None]))
    assert json.loads(json.dumps(found)) == found
    keys = {"id", "points", "weight", "rows", "students", "events", "expected", "observed", "note"}
    assert all(set(entry) == keys for entry in found)
