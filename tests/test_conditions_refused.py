"""What is no condition: each refused with its place and the cure, never run, never a traceback."""

import re
import time

import pytest

from earlywarn.conditions import ConditionError, Kind, compile_condition

KINDS = {
    "a": Kind.NUMBER,
    "b": Kind.NUMBER,
    "t": Kind.TEXT,
    "p": Kind.BOOLEAN,
    "d": Kind.DATE,
    "grade": Kind.NUMBER,
    "unexcused_run": Kind.NUMBER,
    "left_behind": Kind.BOOLEAN,
    "parents_away": Kind.TEXT,
}

# text, column, words of the message
REFUSED = [
    # names
    ("unexcused_runs >= 3", 1, "did you mean unexcused_run"),
    ("a > 1 and Unexcused_Run > 3", 11, "did you mean unexcused_run"),
    ("leftbehind", 1, "did you mean left_behind"),
    ("zzzzzz > 1", 1, "write a feature"),
    ("left_on > date '2026-01-01'", 1, "no name left_on"),
    ("student_id = '1'", 1, "no name student_id"),
    # spelling from elsewhere
    ("a != 3", 3, "write <>"),
    ("a == 3", 3, "single ="),
    ("a => 3", 3, "write >="),
    ("a =< 3", 3, "write <="),
    ("p && p", 3, "write and"),
    ("p || p", 3, "write or"),
    ("!p", 1, "write not"),
    ("a ** 2 > 1", 3, "no power"),
    ("a // 2 > 1", 3, "divide with /"),
    ("a % 2 = 1", 3, "0.05"),
    ("a > 5%", 6, "0.05"),
    ('"a" > 1', 1, "bare"),
    ("`a` > 1", 1, "bare"),
    ('t = "x"', 5, "texts in '...'"),
    ("a \uff1e 3", 3, "full-width"),
    ("（a > 3）", 1, "write ("),
    ("a\u3000> 3", 2, "a space"),
    ("a > \uff13", 5, "write 3"),
    ("a ≥ 3", 3, "write >="),
    ("a > 3 和 p", 7, "cannot stand"),
    ("t = ‘x’", 5, "write '"),
    ("a > 1,5", 6, "too much"),
    ("a > 1_000", 5, "is not one"),
    ("a > 0x1F", 5, "is not one"),
    ("a > 1.", 5, "is not one"),
    ("a > 3d", 5, "is not one"),
    ("a > 1e999", 5, "too large"),
    ("p is true", 1, "null or not null"),
    ("a is 3", 1, "null or not null"),
    ("a = None", 5, "write null"),
    ("p = yes", 5, "write true"),
    ("if(p, 1, 0) = 1", 1, "and / or"),
    ("ifnull(a, 0) = 0", 1, "coalesce"),
    # types
    ("a > '3'", 5, "without quotes"),
    ("t = 3", 5, "texts in quotes"),
    ("t > a", 5, "without quotes"),
    ("d > '2026-01-01'", 5, "date '2026-11-20'"),
    ("d > 3", 5, "one kind"),
    ("p > 1", 5, "bare"),
    ("p = 1", 5, "true / false"),
    ("p < p", 1, "no order"),
    ("p between false and true", 1, "no order"),
    ("t + 1 > 2", 1, "only numbers"),
    ("-t = 'x'", 2, "only numbers"),
    ("d + 1 > d", 1, "only numbers"),
    ("abs(t) > 1", 5, "takes numbers"),
    ("least(d, d) > d", 7, "takes numbers"),
    ("coalesce(a, 'x') > 1", 13, "texts in quotes"),
    ("a in (1, 'x')", 10, "texts in quotes"),
    ("a between 1 and 'x'", 17, "texts in quotes"),
    ("a and p", 1, "join conditions"),
    ("not a", 5, "join conditions"),
    ("p or 'x'", 6, "join conditions"),
    ("a", 1, "not a condition"),
    ("a + b", 1, "not a condition"),
    ("'x'", 1, "not a condition"),
    ("null", 1, "not a condition"),
    ("coalesce(null, null)", 1, "not a condition"),
    # shape
    ("", 1, "empty"),
    ("  \n ", 1, "empty"),
    ("a >", 3, "missing"),
    ("> 3", 3, "missing"),
    ("a > 1 and", 7, "missing"),
    ("a b", 3, "operator"),
    ("a > 1 p", 7, "operator"),
    ("t = 'a' 'b'", 9, "operator"),
    ("(a > 1", 1, "never closed"),
    ("a > 1)", 6, "too many"),
    ("a < b < 3", 1, "chained"),
    ("p = p = p", 1, "chained"),
    ("a in ()", 1, "list follows"),
    ("a in 3", 6, ""),
    ("a in b", 6, ""),
    ("(a, b) = (1, 2)", 2, ""),
    ("a, b", 2, ""),
    ("least(a) > 1", 7, "at least two"),
    ("coalesce(a) > 1", 10, "at least two"),
    ("abs() > 1", 5, ""),
    ("abs(a, b) > 1", 9, "missing or too much"),
    ("abs > 1", 1, "needs brackets"),
    ("a(1) > 1", 1, "not a function"),
    ("t = 'x", 5, "closing quote"),
    ("t = 'a\nb'", 5, "line breaks"),
    ("t = '" + "x" * 201 + "'", 5, "200"),
    ("date '2026-02-30' < d", 1, "exists"),
    ("date '20260230' < d", 1, "exists"),
    ("date 3 < d", 1, "exists"),
    ("d > date", 5, "exists"),
    ("a > 1 is", 1, ""),
    ("a not 3", 3, ""),
    # limits
    ("not " * 9 + "p", None, "deep"),
    ("- " * 9 + "a > 1", None, "deep"),
    ("(" * 21 + "p" + ")" * 21, 21, "deep"),
    ("(" * 900 + "p" + ")" * 900, None, "split"),
    ("+".join(["a"] * 62) + " > 1", None, "simpler"),
    (" or ".join(["p"] * 160), None, "split"),
    ("p and " * 20_000 + "p", 2001, "split"),
    ("a/(a/(a/(a/(a/(a/a))))) > 1", 1, "simpler"),
    ("coalesce(a,coalesce(a,coalesce(a,coalesce(a,coalesce(a,1))))) > 1", 1, "simpler"),
]

INJECTIONS = [
    "1; drop table students",
    "p; select 1",
    "p -- and more",
    "p /* quiet */ and p",
    "p # and more",
    "a in (select a from facts)",
    "exists (select 1)",
    "(select max(a) from facts) > 1",
    "read_csv('/etc/passwd') is null",
    "read_text('x') = 'x'",
    "getenv('HOME') = 'x'",
    "a > 1 union select 1",
    "p or 1=1 --",
    "a::int > 1",
    "cast(a as int) > 1",
    "try_cast(t as int) > 1",
    "* > 1",
    "count(*) > 1",
    "sum(a) > 1",
    "row_number() over () > 1",
    "a over (partition by t) > 1",
    "list_transform([1], x -> x) is null",
    "lambda x: x",
    "{'a': 1} is null",
    "[1, 2][1] = 1",
    "facts.a > 1",
    "main.facts.a > 1",
    "$1 > 1",
    "? > 1",
    ":x > 1",
    "@x > 1",
    "case when p then true end",
    "t like '%'",
    "t similar to '.*'",
    "t collate nocase = 'x'",
    "e'x' = t",
    "x'41' = t",
    "interval 1 day > d",
    "current_date > d",
    "now() > d",
    "random() > 1",
    "a is distinct from b",
    "p is not false",
    "a = any (1, 2)",
    "a between symmetric 1 and 2",
    "pragma version",
    "attach 'x.db'",
    "copy facts to 'x'",
    "install httpfs",
    "__import__('os').system('x')",
    "p\x00",
    "t = '\x00'",
    "p\u202e",
    "\ufeffp",
]


@pytest.mark.parametrize(("text", "column", "words"), REFUSED)
def test_refused_with_place_and_cure(text, column, words):
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, KINDS)
    error = caught.value
    assert words in error.message.en
    if column is not None:
        assert error.column == column
    assert f"character {error.column}: " in error.text.en
    assert re.search(r"[\u4e00-\u9fff]", error.message.zh)
    if text.strip():
        assert error.text.en.splitlines()[-1].strip() == "^"


@pytest.mark.parametrize("text", INJECTIONS)
def test_injections_are_refused(text):
    with pytest.raises(ConditionError):
        compile_condition(text, KINDS)


def test_the_caret_stands_under_the_place():
    with pytest.raises(ConditionError) as caught:
        compile_condition("a > 1 and unexcused_runs >= 3", KINDS)
    assert caught.value.near == "unexcused_run"
    assert caught.value.text.en == (
        "character 11: there is no name unexcused_runs; did you mean unexcused_run?\n"
        "    a > 1 and unexcused_runs >= 3\n"
        "              ^"
    )
    assert caught.value.text.zh.startswith("第 11 个字符：没有 unexcused_runs 这个名称，")


def test_the_caret_counts_wide_characters_twice():
    with pytest.raises(ConditionError) as caught:
        compile_condition("t = '留守' and zz > 1", KINDS)
    lines = caught.value.text.en.splitlines()
    assert lines[-1].index("^") == 4 + len("t = '留守' and ") + 2


@pytest.mark.parametrize("text", ["x" * 100_000, "(" * 100_000, "p and " * 20_000, "'" * 100_000])
def test_a_huge_text_is_refused_at_once(text):
    start = time.perf_counter()
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, KINDS)
    assert time.perf_counter() - start < 1
    assert len(caught.value.text.en) < 600
