"""Random conditions over random rows: DuckDB's verdicts are the independent interpreter's."""

from contextlib import suppress

import duckdb
import pyarrow as pa
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conditions_oracle import show, verdict
from conditions_random import KINDS, SCHEMA, conditions, rows
from earlywarn.conditions import ConditionError, Kind, compile_condition, finite_column

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


def shout(text):
    keywords = ("and", "or", "not", "in", "is", "null", "between")
    return " \n ".join(w.upper() if w in keywords else w for w in text.split(" "))


@settings(max_examples=40, deadline=None)
@given(conditions)
def test_normal_form_ignores_spelling(tree):
    text = show(tree)
    try:
        condition = compile_condition(text, KINDS)
    except ConditionError:
        return
    # Outside the quotes only: an escaped quote leaves an empty piece outside.
    pieces = text.split("'")
    loud = "'".join(p if i % 2 else shout(p) for i, p in enumerate(pieces))
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
