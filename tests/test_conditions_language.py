"""Golden verdicts: what conditions mean, three-valued, guards included."""

import duckdb
import pytest

from earlywarn.conditions import Kind, compile_condition, finite_column

KINDS = {
    "a": Kind.NUMBER,
    "b": Kind.NUMBER,
    "n": Kind.NUMBER,
    "t": Kind.TEXT,
    "p": Kind.BOOLEAN,
    "q": Kind.BOOLEAN,
    "d": Kind.DATE,
    "unexcused_run": Kind.NUMBER,
}
HUGE = "1e308"

# condition, the row's values (others are NULL), the verdict
GOLDEN = [
    ("unexcused_run >= 3", {"unexcused_run": "3"}, True),
    ("unexcused_run >= 3", {"unexcused_run": "2"}, False),
    ("unexcused_run >= 3", {}, None),
    ("n / 2 = 1.5", {"n": "3"}, True),  # DOUBLE, never whole numbers
    ("a / b > 1", {"a": "1", "b": "0"}, None),
    ("a / b > 1", {"a": "0", "b": "0"}, None),
    ("a / b is null", {"a": "1", "b": "0"}, True),
    ("1 / b is null", {"b": "-0.0"}, True),
    ("a * 10 > 1", {"a": HUGE}, None),
    ("a + a > 1", {"a": "1.7e308"}, None),
    ("-a - a < 1", {"a": "1.7e308"}, None),
    ("1 / (a * 10) = 0", {"a": HUGE}, None),  # a quotient must not hide an overflow
    ("1 / (1 / (a * 10)) > 0", {"a": HUGE}, None),
    ("b / (a * 10) / 2 < 1", {"a": HUGE, "b": "1"}, None),
    ("least(a * 10, 1) = 1", {"a": HUGE}, None),
    ("greatest(-a * 10, 1) = 1", {"a": HUGE}, None),
    ("abs(a * 10) > 1", {"a": HUGE}, None),
    ("coalesce(a * 10, 7) = 7", {"a": HUGE}, True),  # unknown, so coalesce goes on
    ("a * 10 is null", {"a": HUGE}, True),
    ("a * 10 in (1, 2)", {"a": HUGE}, None),
    ("a * 10 not in (1, 2)", {"a": HUGE}, None),
    ("a > 1", {"a": "'inf'"}, None),
    ("a > 1", {"a": "'nan'"}, None),
    ("a = a", {"a": "'nan'"}, None),
    ("a is null", {"a": "'nan'"}, True),
    ("least(a, b) < 2", {"a": "1"}, None),  # DuckDB's own least passes over NULL
    ("greatest(a, b) > 2", {"b": "3"}, None),
    ("least(a, 5, b) < 2", {"a": "1", "b": "9"}, True),
    ("least(coalesce(a, b), 5) < 9", {}, None),
    ("abs(a) > 1", {}, None),
    ("abs(a) = 2", {"a": "-2"}, True),
    ("coalesce(a, 0) = 0", {}, True),
    ("coalesce(t, 'none') = 'none'", {}, True),
    ("coalesce(p, q, false)", {}, False),
    ("coalesce(a > 1, p)", {"p": "true"}, True),
    ("p and q", {"p": "false"}, False),
    ("p and q", {"p": "true"}, None),
    ("p or q", {"p": "true"}, True),
    ("p or q", {"p": "false"}, None),
    ("not p", {}, None),
    ("p = q is null", {"p": "true"}, True),  # (p = q) is null, as in PostgreSQL and DuckDB
    ("not p = q", {"p": "true", "q": "false"}, True),
    ("p <> q", {"p": "true"}, None),
    ("p = true", {"p": "true"}, True),
    ("(a > 1) = p", {"a": "2", "p": "true"}, True),
    ("p and null", {"p": "true"}, None),
    ("p and null", {"p": "false"}, False),
    ("a = null", {"a": "1"}, None),
    ("null is null", {}, True),
    ("t in ('x', 'y')", {"t": "'x'"}, True),
    ("t in ('x', 'y')", {"t": "'z'"}, False),
    ("t in ('x', null)", {"t": "'z'"}, None),
    ("t not in ('x', 'y')", {}, None),
    ("t = 'it''s'", {"t": "'it''s'"}, True),
    ("t <> 'x'", {"t": "'X'"}, True),
    ("t = '留守'", {"t": "'留守'"}, True),
    ("a between 1 and 2", {"a": "2"}, True),
    ("a between 1 and b", {"a": "0"}, False),
    ("a between 1 and b", {"a": "5"}, None),
    ("a not between 1 and 2", {"a": "3"}, True),
    ("d >= DATE '2026-01-01'", {"d": "date '2026-01-01'"}, True),
    ("d between date '2025-01-01' and date '2025-12-31'", {"d": "date '2026-01-01'"}, False),
    ("a is not null and not (b is null)", {"a": "1", "b": "1"}, True),
    ("2 + 3 * 4 = 14", {}, True),
    ("(2 + 3) * 4 = 20", {}, True),
    ("10 - 4 - 3 = 3", {}, True),
    ("8 / 4 / 2 = 1", {}, True),
    ("- -3 = 3", {}, True),
    ("-2 * -3 = +6", {}, True),
    ("p or q and p", {"p": "true", "q": "false"}, True),
    (".5 + 0.5 = 1e0", {}, True),
    ("UNEXCUSED".lower() + "_run\n >=\t3", {"unexcused_run": "3"}, True),
    ("P".lower() + " AND NOT q", {"p": "true", "q": "false"}, True),
]

TYPES = {Kind.NUMBER: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.BOOLEAN: "BOOLEAN", Kind.DATE: "DATE"}


@pytest.fixture(scope="module")
def con():
    return duckdb.connect()


@pytest.mark.parametrize(("text", "row", "expected"), GOLDEN)
def test_golden(con, text, row, expected):
    condition = compile_condition(text, KINDS)
    columns = ", ".join(
        f"{row.get(name, 'NULL')}::{'INTEGER' if name == 'n' else TYPES[kind]} AS {name}"
        for name, kind in KINDS.items()
    )
    facts = f"(SELECT {columns})"
    assert con.execute(f"SELECT {condition.sql} FROM {facts}").fetchall() == [(expected,)]
    known = ", ".join(
        f'{finite_column(name).sql("duckdb") if kind is Kind.NUMBER else name} AS "{name}"'
        for name, kind in KINDS.items()
    )
    lighter = condition.finite_tree.sql("duckdb")
    query = f"SELECT {lighter} FROM (SELECT {known} FROM {facts})"
    assert con.execute(query).fetchall() == [(expected,)]


def test_names_in_order_of_first_appearance():
    assert compile_condition("b > a and a < 3 or p", KINDS).names == ("b", "a", "p")
    assert compile_condition("1 = 1", KINDS).names == ()


@pytest.mark.parametrize(
    "other",
    [
        "unexcused_run>=3",
        "  unexcused_run  >= 3.0",
        "(unexcused_run >= 3)",
        "unexcused_run\n>= 3e0",
    ],
)
def test_the_hash_ignores_how_it_is_written(other):
    one = compile_condition("unexcused_run >= 3", KINDS)
    assert compile_condition(other, KINDS).hash == one.hash
    assert len(one.hash) == 64


@pytest.mark.parametrize("other", ["unexcused_run >= 4", "unexcused_run > 3", "3 <= unexcused_run"])
def test_the_hash_tells_conditions_apart(other):
    one = compile_condition("unexcused_run >= 3", KINDS)
    assert compile_condition(other, KINDS).hash != one.hash


def test_keywords_in_any_case_have_one_hash():
    loud = compile_condition("P IS NOT NULL AND t IN ('A')".replace("P", "p"), KINDS)
    assert loud.hash == compile_condition("p is not null and t in ('A')", KINDS).hash
    assert loud.hash != compile_condition("p is not null and t in ('a')", KINDS).hash


def test_one_tree_for_every_engine():
    condition = compile_condition(r"a / b > 1 and t = 'a\b' and d > date '2026-01-01'", KINDS)
    spark = condition.tree.sql(dialect="spark")
    assert "`a`" in spark
    assert r"'a\\b'" in spark
    assert compile_condition("a > 1", KINDS, dialect="spark").sql == compile_condition(
        "a > 1", KINDS
    ).tree.sql(dialect="spark")


def test_a_name_may_be_a_word_of_sql():
    kinds = {"order": Kind.NUMBER, "group": Kind.BOOLEAN, "select": Kind.TEXT}
    condition = compile_condition("order > 1 and group and select = 'x'", kinds)
    row = '(SELECT 2 AS "order", true AS "group", \'x\' AS "select")'
    assert duckdb.sql(f"SELECT {condition.sql} FROM {row}").fetchall() == [(True,)]


@pytest.mark.parametrize(
    "text",
    [
        " and ".join(["p"] * 149),
        " and p or ".join(["q"] * 70),
        "+".join(["a"] * 60) + " > 1",
        "/".join(["a"] * 60) + " > 1",
        "(" * 20 + "p" + ")" * 20,
        "not " * 8 + "p",
        "a in (" + ", ".join(["1"] * 140) + ")",
        "coalesce(a, coalesce(b, coalesce(a, coalesce(b, 1)))) > 1",
    ],
)
def test_the_largest_allowed_still_run(con, text):
    condition = compile_condition(text, KINDS)
    assert len(condition.sql) < 50_000
    row = "(SELECT 1.0 AS a, 1.0 AS b, true AS p, false AS q)"
    con.execute(f"SELECT {condition.sql} FROM {row}").fetchall()
