"""Random conditions over random rows: DuckDB's verdicts are the independent interpreter's."""

from contextlib import suppress
from datetime import date

import duckdb
import pyarrow as pa
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conditions_oracle import COMPARISONS, show, verdict
from earlywarn.conditions import ConditionError, Kind, compile_condition, finite_column

KINDS = {
    "a": Kind.NUMBER,
    "b": Kind.NUMBER,
    "n": Kind.NUMBER,
    "t": Kind.TEXT,
    "u": Kind.TEXT,
    "p": Kind.BOOLEAN,
    "q": Kind.BOOLEAN,
    "d": Kind.DATE,
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
        ("grade", pa.int32()),
    ]
)

BIG = [0.0, -0.0, 1.0, 0.5, -3.0, 1e300, -1e308, 1.7e308, 5e-324, 2.0**53 + 1]
WEIRD = [float("inf"), float("-inf"), float("nan")]
TEXTS = ["", "walk", "it's", "留守", "a\\b", "W", "null"]
DATES = [date(2026, 2, 28), date(2024, 2, 29), date(1999, 12, 31)]

rows = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.sampled_from([None, *BIG, *WEIRD]) | st.floats(-10, 10),
            "b": st.sampled_from([None, *BIG, *WEIRD]) | st.integers(-2, 2).map(float),
            "n": st.none() | st.integers(-3, 3) | st.just(2**40),
            "t": st.sampled_from([None, *TEXTS]),
            "u": st.sampled_from([None, *TEXTS]),
            "p": st.sampled_from([None, True, False]),
            "q": st.sampled_from([None, True, False]),
            "d": st.sampled_from([None, *DATES]),
            "grade": st.none() | st.integers(1, 9),
        }
    ),
    min_size=12,
    max_size=24,
)

literals = st.sampled_from([0.0, 1.0, 2.0, 0.5, 0.05, 1e300, 1e-3, 3.0]).map(lambda x: ("num", x))
null = st.just(("null",))
number_leaf = st.sampled_from("abn").map(lambda n: ("name", n)) | literals | null
number_leaf |= st.just(("name", "grade"))
numbers = st.recursive(
    number_leaf,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner),
        st.tuples(st.just("neg"), inner),
        st.tuples(st.just("abs"), inner),
        st.tuples(st.sampled_from(["least", "greatest", "coalesce"]), inner, inner),
    ),
    max_leaves=6,
)
texts = st.recursive(
    st.sampled_from("tu").map(lambda n: ("name", n))
    | st.sampled_from(TEXTS).map(lambda s: ("text", s))
    | null,
    lambda inner: st.tuples(st.just("coalesce"), inner, inner),
    max_leaves=3,
)
dates = st.just(("name", "d")) | st.sampled_from(DATES).map(lambda d: ("date", d)) | null


def comparisons(values):
    return st.one_of(
        st.tuples(st.sampled_from(COMPARISONS), values, values),
        st.tuples(st.just("between"), values, values, values),
        st.tuples(
            st.sampled_from(["in", "notin"]), values, st.lists(values, min_size=1, max_size=3)
        ),
        st.tuples(st.sampled_from(["isnull", "notnull"]), values),
    )


boolean_leaf = (
    st.sampled_from("pq").map(lambda n: ("name", n))
    | st.sampled_from([True, False]).map(lambda b: ("bool", b))
    | comparisons(numbers)
    | comparisons(numbers)
    | comparisons(texts)
    | comparisons(dates)
)
conditions = st.recursive(
    boolean_leaf,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["=", "<>"]), inner, inner),
        st.tuples(st.just("coalesce"), inner, inner),
        st.tuples(st.sampled_from(["isnull", "notnull"]), inner),
    ),
    max_leaves=5,
)

finite = ", ".join(
    f'{finite_column(name).sql("duckdb")} AS "{name}"' if kind is Kind.NUMBER else f'"{name}"'
    for name, kind in KINDS.items()
)
con = duckdb.connect()


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(conditions, min_size=8, max_size=16), rows)
def test_compiled_verdicts_are_the_interpreters(trees, table):
    known, compiled, refusals = [], [], []
    for tree in trees:
        try:
            compiled.append(compile_condition(show(tree), KINDS))
        except ConditionError as error:
            refusals.append(error.message.en)
            continue
        known.append(tree)
    # Only limits and "this has no kind at all" may refuse what the grammar allows.
    allowed = ("deep", "simpler", "complicated", "null")
    assert all(any(word in refusal for word in allowed) for refusal in refusals)
    if not known:
        return
    numbered = [{"student_id": i, **row} for i, row in enumerate(table)]
    con.register("facts", pa.Table.from_pylist(numbered, SCHEMA))
    expected = [tuple(verdict(tree, row) for tree in known) for row in table]
    guarded = ", ".join(condition.sql for condition in compiled)
    got = con.execute(f"select {guarded} from facts order by student_id").fetchall()
    assert got == expected
    lighter = ", ".join(condition.finite_tree.sql("duckdb") for condition in compiled)
    source = f"(select student_id, {finite} from facts)"
    got = con.execute(f"select {lighter} from {source} order by student_id").fetchall()
    assert got == expected


@settings(max_examples=40, deadline=None)
@given(conditions)
def test_normal_form_ignores_spelling(tree):
    text = show(tree)
    try:
        condition = compile_condition(text, KINDS)
    except ConditionError:
        return
    loud = " \n ".join(
        word.upper() if word in ("and", "or", "not", "in", "is", "null", "between") else word
        for word in text.split(" ")
    )
    assert compile_condition(f"( {loud}\t)", KINDS).hash == condition.hash
    # Spark's text parses again as Spark, and stays in the closed list of nodes.
    assert sqlglot.parse_one(condition.tree.sql(dialect="spark"), read="spark") is not None


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=80)
    | st.text(alphabet="ab pq t'()<>=!*/+-,.0123456789andornotisl\n", max_size=60)
)
def test_any_text_is_a_condition_or_refused(text):
    refused = None
    try:
        condition = compile_condition(text, KINDS)
    except ConditionError as error:
        refused = error
    if refused:
        assert 1 <= refused.column <= len(text) + 1
        assert refused.text.zh
        assert refused.text.en
        return
    con.execute(
        "create or replace temp table none as select 1.0 a, 1.0 b, 1 n, 't' t, 'u' u, "
        "true p, false q, date '2026-01-01' d, 1 grade"
    )
    con.execute(f"select {condition.sql} from none").fetchall()


WORDS = [
    "a",
    "b",
    "t",
    "p",
    "q",
    "d",
    "1",
    "0",
    "'x'",
    "(",
    ")",
    ",",
    "and",
    "or",
    "not",
    "is",
    "null",
    "in",
    "between",
    "=",
    "<>",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "abs(",
    "least(",
    "coalesce(",
    "date",
    "true",
    "select",
    "case",
    ";",
    "--",
    "::",
    "!=",
]
WORDS = """
a b t p q d 1 0 'x' ( ) , and or not is null in between = <> < >= + - * / abs( least( coalesce(
date true select case ; -- :: !=
"""
tokens = st.sampled_from([*WORDS.split(), "date '2026-01-01'"])


@settings(max_examples=250, deadline=None)
@given(st.lists(tokens, max_size=14).map(" ".join))
def test_any_heap_of_words_is_a_condition_or_refused(text):
    with suppress(ConditionError):
        compile_condition(text, KINDS)
