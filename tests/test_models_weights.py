"""How far a rule's weight moved from its author's points, and why, in words."""

from __future__ import annotations

import re

import pytest

from earlywarn.errors import Text
from earlywarn.models.scorecard import RuleWeight, Scorecard
from earlywarn.models.weights import HEADS, moved_text, weight_rows


def scorecard(*rules):
    return Scorecard(
        name="main",
        version=1,
        catalogue_version="c",
        rules_hash="h",
        horizon_days=90,
        label_events=["dropped_out"],
        base_rate=0.01,
        b0=-4.0,
        b1=0.0,
        g_is_used=False,
        features=[],
        rules=[
            RuleWeight(id=name, when_hash="h", weight=weight, points=points, ladder=ladder)
            for name, points, weight, ladder in rules
        ],
    )


def told(note, *, expected=10.0, observed=20.0):
    return {
        "rules": [
            {
                "id": "a",
                "points": 1.0,
                "weight": 1.5,
                "rows": 50.0,
                "students": 1234,
                "events": 40,
                "expected": expected,
                "observed": observed,
                "note": note,
            }
        ]
    }


def why(note, points=1.0, weight=1.5, ladder=None, **more):
    return weight_rows(scorecard(("a", points, weight, ladder)), told(note, **more))[0].why


def test_those_that_moved_most_come_first():
    card = scorecard(("b", 1.0, 1.2, None), ("a", 1.0, 0.8, None), ("c", 2.0, 0.0, None))
    assert [row.rule for row in weight_rows(card, {"rules": []})] == ["c", "a", "b"]


def test_a_row_as_text():
    row = weight_rows(
        scorecard(("a", 1.0, 1.5, None)), told("data"), {"a": Text("缺课", "Absent")}
    )[0]
    assert row.title == ("缺课", "Absent")
    assert row.cells("en") == [
        "a",
        "1.00",
        "1.50",
        "+0.50",
        "1,234",
        "40",
        "The author's points led to expect 10.0, 20.0 came about. So the weight was raised.",
    ]
    assert len(row.cells("zh")) == len(HEADS)
    assert row.cells("zh")[-1] == "按作者的分值预计 10.0 次，实际 20.0 次。因此权重提高。"
    assert row.as_json("en")["moved"] == 0.5


@pytest.mark.parametrize(
    ("note", "options", "words"),
    [
        ("data", {"weight": 0.5, "observed": 3.0}, "So the weight was lowered"),
        ("data", {"weight": 0.5}, "lowered all the same"),
        ("data", {"weight": 1.001}, "agree with the author"),
        ("prior", {"weight": 1.0}, "mostly the author's belief."),
        ("prior", {}, "stretch all weights alike, and from rules that hit together"),
        ("ladder", {"ladder": "absence"}, "Held by its ladder (absence)"),
        ("ladder", {}, "Held by its ladder:"),
        ("bound", {"weight": 0.0}, "it stops at 0"),
        ("never hit", {"weight": 1.0}, "never counted in the training data"),
        ("never hit", {}, "calibration"),
        ("data", {"expected": None}, "So the weight was raised."),
        ("", {}, "10.0"),
    ],
)
def test_the_reason_in_words(note, options, words):
    text = why(note, **options)
    assert words in text.en
    assert not re.search(r"[\u4e00-\u9fff]", text.en)
    assert not re.search(r"[A-Za-z,:;()]", text.zh.replace("absence", ""))


def test_never_hit_and_not_moved_says_nothing_of_calibration():
    assert "calibration" not in why("never hit", weight=1.0).en


def test_without_records():
    card = scorecard(("a", 1.0, 1.0, None))
    assert weight_rows(card)[0].why.en.startswith("The experts' scorecard")
    old = weight_rows(card, {"format": 1})[0]
    assert (old.why.en, old.students, old.cells("en")[4]) == ("Not recorded.", None, "-")


def test_a_change_of_nothing_has_no_sign():
    assert [moved_text(v) for v in (0.004, -0.004, 0.006, -0.3)] == [
        "0.00",
        "0.00",
        "+0.01",
        "-0.30",
    ]
