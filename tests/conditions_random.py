"""Random conditions of the language, as the interpreter's nested tuples, and random rows.

One grammar with two sources of chance: `pick(options)` is Hypothesis (which shrinks what fails) or
`random.Random` (fast: thousands of conditions for one query).
"""

from __future__ import annotations

import random
from datetime import date

import pyarrow as pa
from hypothesis import strategies as st

from conditions_oracle import COMPARISONS
from earlywarn.conditions import Kind

KINDS = {
    "a": Kind.NUMBER,
    "b": Kind.NUMBER,
    "n": Kind.NUMBER,
    "t": Kind.TEXT,
    "u": Kind.TEXT,
    "p": Kind.BOOLEAN,
    "q": Kind.BOOLEAN,
    "d": Kind.DATE,
    "e": Kind.DATE,
    "grade": Kind.NUMBER,
}
SCHEMA = pa.schema(
    [
        ("student_id", pa.int64()),
        ("a", pa.float64()),
        ("b", pa.float64()),
        ("n", pa.int64()),
        ("t", pa.string()),
        ("u", pa.string()),
        ("p", pa.bool_()),
        ("q", pa.bool_()),
        ("d", pa.date32()),
        ("e", pa.date32()),
        ("grade", pa.int32()),
    ]
)

INFINITY = float("inf")
LARGEST = 1.7976931348623157e308
SMALL = (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -3.0, 0.1, 0.2, 0.1 + 0.2, 1 / 3, 7.25, -9.5)
EDGES = (5e-324, 1e-300, 2.0**53 + 1, 1e300, -1e308, 1.7e308, LARGEST, -LARGEST)
# Signs that SQL dialects escape differently, letters that UTF-8 and UTF-16 order differently.
TEXTS = (
    "",
    "walk",
    "walk ",
    "W",
    "it's",
    "\\'",
    "\\",
    "a\\b",
    "%_",
    "null",
    "留守",
    "\uffee",
    "😀",
)
DATES = (
    date(2026, 2, 28),
    date(2024, 2, 29),
    date(1999, 12, 31),
    date(1, 1, 1),
    date(9999, 12, 31),
)

VALUES = {
    "a": (None, *SMALL, *EDGES, INFINITY, -INFINITY, float("nan")),
    "b": (None, *SMALL, *EDGES, INFINITY, -INFINITY, float("nan")),
    "n": (None, 0, 0, 1, 1, 2, -3, 3, 2**40, 2**53 + 1, 2**63 - 1, -(2**63)),
    "t": (None, None, *TEXTS),
    "u": (None, None, *TEXTS),
    "p": (None, True, False),
    "q": (None, True, False),
    "d": (None, *DATES),
    "e": (None, *DATES),
    "grade": (None, *range(10)),
}
CONSTANTS = {
    Kind.NUMBER: (*(x for x in (*SMALL, *EDGES) if not str(x).startswith("-")), 1e-3, 3.0),
    Kind.TEXT: TEXTS,
    Kind.DATE: DATES,
    Kind.BOOLEAN: (True, False),
}
_WORDS = {Kind.NUMBER: "num", Kind.TEXT: "text", Kind.DATE: "date", Kind.BOOLEAN: "bool"}
_NAMES = {kind: tuple(n for n, k in KINDS.items() if k is kind) for kind in Kind}


def row(pick):
    """Return a row: every column its own value or None."""
    return {name: pick(values) for name, values in VALUES.items()}


def condition(pick, depth=3):
    """Return a condition with at most `depth` connectors within each other."""
    word = pick(("and", "or", "not", "=", "coalesce", "null") + ("leaf",) * 3) if depth else "leaf"
    if word == "leaf":
        return _leaf(pick)
    if word == "not":
        return ("not", condition(pick, depth - 1))
    if word == "null":
        return (pick(("isnull", "notnull")), condition(pick, depth - 1))
    word = pick(("=", "<>")) if word == "=" else word
    return (word, condition(pick, depth - 1), condition(pick, depth - 1))


def _leaf(pick):
    kind = pick((Kind.BOOLEAN, Kind.TEXT, Kind.DATE) + (Kind.NUMBER,) * 4)
    if kind is Kind.BOOLEAN:
        return _value(pick, kind, 0)
    word = pick(("compare",) * 4 + ("between", "in", "notin", "isnull", "notnull"))
    if word == "compare":
        return (pick(COMPARISONS), _value(pick, kind), _value(pick, kind))
    if word == "between":
        return (word, _value(pick, kind), _value(pick, kind), _value(pick, kind))
    if word in ("in", "notin"):
        return (word, _value(pick, kind), [_value(pick, kind) for _ in range(pick((1, 2, 3)))])
    return (word, _value(pick, kind))


def _value(pick, kind, depth=None):
    """Return a value of `kind` with at most `depth` (1 or 2) operators within each other."""
    depth = pick((1, 2)) if depth is None else depth
    signs = ("+", "-", "*", "/", "/", "neg", "abs", "least", "greatest", "coalesce")
    words = {Kind.NUMBER: signs, Kind.BOOLEAN: ()}.get(kind, ("coalesce",))
    word = pick(("name",) * 8 + ("constant",) * 4 + ("null",) + (words * 2 if depth else ()))
    if word == "name":
        return ("name", pick(_NAMES[kind]))
    if word == "constant":
        return (_WORDS[kind], pick(CONSTANTS[kind]))
    if word == "null":
        return ("null",)
    many = {"neg": 1, "abs": 1}.get(word) or (2 if word in signs[:5] else pick((2, 2, 3)))
    return (word, *(_value(pick, kind, depth - 1) for _ in range(many)))


@st.composite
def _drawn(draw, make):
    return make(lambda options: draw(st.sampled_from(options)))


conditions = _drawn(condition)
rows = st.lists(_drawn(row), min_size=12, max_size=24)


def many(make, count, seed):
    """Return `count` different conditions or rows, the same ones for the same `seed`."""
    pick = random.Random(seed).choice
    found = {}
    while len(found) < count:
        value = make(pick)
        found[repr(value)] = value
    return list(found.values())
