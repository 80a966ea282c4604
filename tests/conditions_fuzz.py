"""Texts that might be conditions: noise, heaps of words, and the packs' own conditions damaged."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import strategies as st

from earlywarn.conditions import Condition, ConditionError, Kind, compile_condition
from earlywarn.features.catalogue import condition_kinds
from earlywarn.rules.pack import load_rulebook
from earlywarn.workspace import shipped

KINDS = condition_kinds()

# Values of each kind for the rows that accepted conditions are run over.
_VALUES: dict[Kind, tuple[pa.DataType, list[Any]]] = {
    Kind.NUMBER: (pa.float64(), [None, 0.0, 1.0, -2.5, 1e308, float("inf"), float("nan")]),
    Kind.BOOLEAN: (pa.bool_(), [None, True, False, True, False, True, None]),
    Kind.TEXT: (pa.string(), [None, "", "bus", "it's", "\u7559\u5b88", "none", "a\\b"]),
    Kind.DATE: (pa.date32(), [None, 0, 20_000, -1, 20_500, 1, 2]),
}

# Words of the language, of SQL and of other languages; names come from the features.
_WORDS = """
and or not in between is null true false date abs( least( greatest( coalesce( ( ) , = <> < <= > >=
+ - * / 0 1 3 0.05 1e3 1e308 .5 'bus' 'it''s' '' date'2026-11-20'
AND Or NULL != == => && || ! ; -- /* */ # :: -> " ` $1 ? @ [ ] { } % ** // . : ~ ^ \\ '
select from case when then end cast( max( sum( count(*) over exists( read_csv('x') getenv('HOME')
like distinct escape collate interval current_date now() e'x' x'41' 0x1F 1_000 1e999 nan inf
""".split()  # noqa: SIM905
_WIDE = list("（），\uff1e\uff1d\uff13\u3000\u2265\u2018\u2019\u7559\u00a0\u202e\0\n\t")


@cache
def seeds() -> tuple[str, ...]:
    """Return the shipped packs' conditions, and some of what they don't use."""
    rulebook = load_rulebook(shipped("rules"))
    return (
        *dict.fromkeys(rule.when for rule in rulebook.rules),
        "greatest(absent_run, unexcused_run) / coalesce(grade, 1) >= 3 - abs(age_years)",
        "not (travel in ('bus', 'walk') or sex = 'F') and exam_z_change between -2 and -0.5",
        "least(absence_rate_20d, late_rate_20d * 2) is not null and (boarding = aid_gap) is null",
    )


_words = st.sampled_from([*_WORDS, *_WIDE, *sorted(KINDS)])
_noise = (
    st.text(max_size=80)
    | st.text(alphabet="ab_1 .'()<>=!*/+-,;:%\"\n", max_size=60)
    | st.binary(max_size=80).map(lambda raw: raw.decode("latin-1"))
)
_heaps = st.lists(_words, max_size=14).map(" ".join) | st.lists(_words, max_size=14).map("".join)
_numbers = st.sampled_from("0 1 3 0.05 1e3 1e308 1e-300 .5 (-2) null".split())  # noqa: SIM905
_names = st.sampled_from([name for name, kind in sorted(KINDS.items()) if kind is Kind.NUMBER])
_joins = st.sampled_from(
    ["and", "or", "and not", "= not", "<> 3 or", "is null and", "+ 1 > 2 or", "between 0 and 1 or"]
)
_places = st.integers(0, 1_000)


@st.composite
def _changed(draw: st.DrawFn) -> str:
    """One of the packs' conditions, grown and changed in ways that mostly leave it one."""
    seeds_ = st.sampled_from(seeds())
    text = draw(seeds_)
    for _ in range(draw(st.integers(1, 4))):
        match draw(st.integers(0, 5)):
            case 0:
                text = f"{text} {draw(_joins)} {draw(seeds_)}"
            case 1:
                text = f"not ({text})"
            case 2:
                text = _swap(text, r"(?<![\w.'])\d[\d.]*(?![\w.'-])", draw(_numbers), draw(_places))
            case 3:
                text = _swap(text, r"\b[a-z]+_[a-z_0-9]+\b(?!\()", draw(_names), draw(_places))
            case 4:
                text = _swap(
                    text,
                    r"<=|>=|<>|[<>=]",
                    draw(st.sampled_from(["=", "<>", "<", "<=", ">"])),
                    draw(_places),
                )
            case _:
                wrap = draw(
                    st.sampled_from(
                        ["abs({})", "- {}", "coalesce({}, 0)", "{} / grade", "least({}, 1)"]
                    )
                )
                text = _swap(text, r"\b[a-z]+_[a-z_0-9]+\b(?!\()", wrap, draw(_places))
    return text


def _swap(text: str, pattern: str, new: str, place: int) -> str:
    """Put `new` ({} is what was there) in place of one match of `pattern`."""
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    match = found[place % len(found)]
    return text[: match.start()] + new.replace("{}", match[0]) + text[match.end() :]


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    """A condition with one to three words or signs cut, doubled, put in or replaced."""
    text = draw(_changed()) if draw(st.booleans()) else draw(st.sampled_from(seeds()))
    for _ in range(draw(st.integers(1, 3))):
        pieces = re.findall(r"\w+|\s+|[^\w\s]", text) or [""]
        at = draw(_places) % len(pieces)
        match draw(st.integers(0, 4)):
            case 0:
                del pieces[at]
            case 1:
                pieces.insert(at, pieces[at])
            case 2:
                pieces.insert(at, f" {draw(_words)} ")
            case 3:
                pieces[at] = draw(_words)
            case _:
                pieces.insert(at, draw(st.characters()))
        text = "".join(pieces)
    return text


def texts() -> st.SearchStrategy[str]:
    """Texts of every sort, from noise to conditions that hold."""
    return st.one_of(_noise, _heaps, _damaged(), _damaged(), _changed(), _changed())


def compiled(text: str) -> Condition | None:
    """Compile `text`, or return None where it is refused as it should be: place, cure, both."""
    try:
        return compile_condition(text, KINDS)
    except ConditionError as error:
        faults = error.faults
    assert faults
    for fault in faults:
        assert 1 <= fault.column <= len(text) + 1
        assert fault.message.zh
        assert fault.message.en
    return None


def facts() -> duckdb.DuckDBPyConnection:
    """Return a connection with a small table `facts` that has every name, NULLs and extremes."""
    columns = {}
    for i, (name, kind) in enumerate(sorted(KINDS.items())):
        type_, values = _VALUES[kind]
        at = i % len(values)
        columns[name] = pa.array(values[at:] + values[:at], type_)
    con = duckdb.connect()
    con.register("given", pa.table(columns))
    con.execute("CREATE TABLE facts AS SELECT * FROM given")
    return con
