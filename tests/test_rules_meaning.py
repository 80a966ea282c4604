"""What conditions can come to, against the independent interpreter on random cases."""

import contextlib
import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions_oracle import show, verdict
from conditions_random import KINDS, condition, many, row
from earlywarn.conditions import ConditionError, compile_condition
from earlywarn.features.catalogue import condition_kinds
from earlywarn.features.groups import load_groups
from earlywarn.rules import spans
from earlywarn.rules.meaning import contained, outcome, same, some_verdicts
from earlywarn.rules.normal import normal_text
from earlywarn.rules.spans import Span
from earlywarn.workspace import shipped

GROUPS = load_groups(shipped("rules"))


def root(text, kinds=None):
    return compile_condition(text, kinds or condition_kinds()).root


def accepted(count, seed):
    """Yield `count` random conditions that the language takes."""
    for tree in many(lambda pick: condition(pick, 2), 2 * count, seed):
        if count and tree[0] != "null":
            with contextlib.suppress(ConditionError):
                yield tree, root(show(tree), KINDS)
                count -= 1


def finite_rows(count, seed):
    for values in many(row, count, seed):
        if values["grade"] is None:
            values["grade"] = 3
        yield {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        }


def test_no_verdict_escapes_and_every_case_given_is_one():
    rows = list(finite_rows(120, 1))
    decided = 0
    for tree, node in accepted(150, 2):
        found = outcome([node], GROUPS)
        verdicts = {(verdict(tree, values),) for values in rows}
        assert verdicts <= found.may, show(tree)
        assert found.seen.keys() <= found.may
        for (truth,), world in found.seen.items():
            assert verdict(tree, dict.fromkeys(KINDS) | world) is truth, show(tree)
        decided += found.may == found.seen.keys()
    assert decided > 100


def test_pairs():
    rows = list(finite_rows(60, 3))
    found = list(accepted(60, 4))
    for (a, x), (b, y) in zip(found[::2], found[1::2], strict=True):
        found = outcome([x, y], GROUPS)
        assert {(verdict(a, values), verdict(b, values)) for values in rows} <= found.may


NAMES = ("unexcused_run", "absence_rate_20d", "grade", "failed_core")


@st.composite
def single(draw, depth=2):
    """Conditions over single names with constants, and their and, or, not."""
    word = draw(st.sampled_from(["and", "or", "not", "leaf", "leaf"])) if depth else "leaf"
    if word == "leaf":
        name = ("name", draw(st.sampled_from(NAMES)))
        number = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 5.5]).map(lambda x: ("num", x))
        kind = draw(st.sampled_from(["<", "<=", ">", ">=", "=", "<>", "isnull", "between", "in"]))
        if kind == "isnull":
            return (kind, name)
        if kind == "between":
            return (kind, name, draw(number), draw(number))
        if kind == "in":
            return (kind, name, [draw(number), draw(number)])
        return (kind, name, draw(number))
    if word == "not":
        return ("not", draw(single(depth - 1)))
    return (word, draw(single(depth - 1)), draw(single(depth - 1)))


# Every value that those constants can tell apart, and that the features can have.
DOMAINS = {
    "unexcused_run": (None, *range(61)),
    "absence_rate_20d": (None, 0.0, 0.2, 0.5, 0.7, 1.0),
    "grade": tuple(range(-1, 10)),
    "failed_core": (None, *range(10)),
}


def brute(trees):
    names = [name for name in DOMAINS if any(f"'{name}'" in repr(tree) for tree in trees)]
    return {
        tuple(verdict(tree, dict(zip(names, values, strict=True))) for tree in trees)
        for values in itertools.product(*(DOMAINS[name] for name in names))
    }


@settings(max_examples=120, deadline=None)
@given(single())
def test_exact_over_single_features_with_constants(tree):
    found = outcome([root(show(tree))], GROUPS)
    assert found.may == found.seen.keys() == brute([tree])


@settings(max_examples=60, deadline=None)
@given(single(1), single(1))
def test_same_and_contained_are_exact_too(a, b):
    pairs = brute([a, b])
    x, y = root(show(a)), root(show(b))
    assert same(x, y, GROUPS) is all(left is right for left, right in pairs)
    assert contained(x, y, GROUPS) is all(right for left, right in pairs if left)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("not unexcused_run < 3", "unexcused_run >= 3", True),
        ("unexcused_run > 2", "unexcused_run >= 3", True),  # whole numbers
        ("unexcused_run > 2.5", "not unexcused_run <= 2", True),
        ("absence_rate_20d > 0.2", "absence_rate_20d >= 0.2", False),
        ("coalesce(unexcused_run, 0) >= 3", "unexcused_run >= 3", False),  # unknown is told apart
        ("unexcused_run >= 3 or false", "unexcused_run >= 3", True),
        ("failed_core in (1, 2)", "failed_core between 1 and 2", True),
        ("left_behind", "parents_away in ('one_parent', 'both_parents')", True),
        ("left_behind", "parents_away <> 'none'", True),
        ("aid_gap", "poverty <> 'none' and not receives_aid", True),
        ("aid_gap", "poor_family and not receives_aid", True),
        ("aid_gap", "poor_family", False),
        ("group_count = 5", "migrant and left_behind and disabled and poor_family and "
         "parent_incarcerated", False),  # four known and one not: a count, no yes
        ("group_count >= 1 and group_count is not null", "migrant or left_behind or disabled "
         "or poor_family or parent_incarcerated", False),
        ("absence_rate_5d - absence_rate_60d > 0.2", "absence_rate_5d - absence_rate_60d > 0.3",
         False),
        ("absence_rate_5d > absence_rate_60d", "absence_rate_60d < absence_rate_5d", None),
    ],
)  # fmt: skip
def test_same(a, b, expected):
    assert same(root(a), root(b), GROUPS) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unexcused_run > 5 and unexcused_run < 3", True),
        ("absence_rate_20d > 1", True),
        ("group_count > 5", True),
        ("absent_after_break > 3", True),
        ("unexcused_days_5d > 5", True),
        ("absence_rate_5d - absence_rate_60d > 1", True),  # from the ranges
        ("least(absence_rate_5d, absence_rate_60d) < 0", True),
        ("absence_rate_5d / 0 > 1", True),
        ("left_behind and parents_away = 'none'", True),
        ("group_count = 0 and migrant", True),
        ("migrant is null and migrant", True),
        ("grade is null", True),
        ("unexcused_run = 2.5", True),
        ("unexcused_run >= 1e308 * 10", True),  # what is not finite is unknown
        ("exam_z between -1e308 * 10 and 3 and exam_z > 3", True),
        ("unexcused_run in (1, 1e308 * 10) and unexcused_run = 1", False),
        ("unexcused_run >= 3 + 1 and unexcused_run < 2 * 2", True),
        ("exam_mean_pct < 0.25", False),
        ("absence_rate_5d > absence_rate_60d", False),
        ("absence_rate_5d - absence_rate_60d >= 1", False),
        ("absence_rate_5d - absence_rate_5d > 0.5", None),
    ],
)
def test_never(text, expected):
    assert outcome([root(text)], GROUPS).only({(False,), (None,)}) is expected


def test_the_normal_text_keeps_the_meaning():
    rows = list(finite_rows(80, 5))
    by_text = {}
    for tree, node in accepted(400, 6):
        by_text.setdefault(normal_text(node), []).append(tree)
        for other in (("not", ("not", tree)), ("or", tree, tree), ("not", tree)):
            twin = root(show(other), KINDS)
            by_text.setdefault(normal_text(twin), []).append(other)
    alike = [trees for trees in by_text.values() if len(trees) > 1]
    assert len(alike) > 300
    for first, *others in alike:
        for values in rows:
            assert all(verdict(first, values) is verdict(tree, values) for tree in others)


def test_long_lists_are_worked_out_in_time():
    many_items = ", ".join(map(str, range(100)))
    found = outcome([root(f"unexcused_run + absent_run in ({many_items})")], GROUPS)
    assert found.only({(True,), (None,)}) is False
    names = ", ".join(["migrant", "boarding", "needs_bus", "orphan"] * 8)
    assert outcome([root(f"coalesce({names})")], GROUPS).only({(True,)}) is False


def test_a_sample_tells_conditions_apart_and_keeps_like_ones_together():
    texts = ["left_behind", "parents_away <> 'none'", "unexcused_run >= 3", "unexcused_run > 2"]
    a, b, c, d = some_verdicts([root(text) for text in texts], GROUPS)
    assert a == b
    assert c == d
    assert a != c


numbers = st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1e308, -1e308])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from("+-*/"), st.lists(numbers, min_size=4, max_size=4), st.integers(0, 1 << 30))
def test_arithmetic_stays_within_the_span(op, ends, seed):
    a, b = Span(*sorted(ends[:2])), Span(*sorted(ends[2:]))
    found = spans.reckon(op, a, b)
    draw = random.Random(seed)
    for _ in range(20):
        x, y = draw.uniform(a.low, a.high), draw.uniform(b.low, b.high)
        x, y = min(max(x, a.low), a.high), min(max(y, b.low), b.high)
        exact = verdict((op, ("num", x), ("num", y)), {})
        assert found.missing if exact is None else found.low <= exact <= found.high
