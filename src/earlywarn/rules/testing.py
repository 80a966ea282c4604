"""`rules test`: the packs' own tests, run through the same compiled path as scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import duckdb
import pyarrow as pa

from earlywarn.conditions import Kind
from earlywarn.errors import Text
from earlywarn.features.catalogue import condition_kinds
from earlywarn.rules.evaluate import verdict_sql
from earlywarn.rules.given import convert
from earlywarn.rules.pack import Rule

Verdict = Literal["hit", "miss", "unknown"]
VERDICTS: tuple[Verdict, ...] = ("hit", "miss", "unknown")
VERDICT_LABELS: dict[Verdict, Text] = {
    "hit": Text("命中", "hit"),
    "miss": Text("未命中", "miss"),
    "unknown": Text("未知", "unknown"),
}

_ARROW = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.NUMBER: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.DATE: pa.date32(),
}


@dataclass(frozen=True)
class Result:
    """One test of one rule: what was expected and what came."""

    rule: Rule
    number: int  # 1-based, as it stands in the pack
    expect: Verdict
    got: Verdict

    @property
    def passed(self) -> bool:
        """Whether it came as expected."""
        return self.expect == self.got


@dataclass(frozen=True)
class Report:
    """Every test's result, and which kinds of case each rule lacks."""

    rules: tuple[Rule, ...]
    results: tuple[Result, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        """The tests that came out otherwise."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def lacking(self) -> dict[str, tuple[Verdict, ...]]:
        """By rule id: the kinds of case (hit, miss, unknown) that no test has."""
        found = {}
        for rule in self.rules:
            has = {test.expect for test in rule.tests}
            missing = tuple(verdict for verdict in VERDICTS if verdict not in has)
            if missing:
                found[rule.id] = missing
        return found


def run_tests(rules: Sequence[Rule]) -> Report:
    """Run the tests of `rules`: one table of given values, one query, as when scoring."""
    kinds = condition_kinds()
    cases = [(rule, number) for rule in rules for number in range(1, len(rule.tests) + 1)]
    columns: dict[str, Any] = {"student_id": pa.array([f"{i:09d}" for i in range(len(cases))])}
    for name, kind in kinds.items():
        values = [convert(r.tests[n - 1].given.get(name), kind) for r, n in cases]
        columns[name] = pa.array(values, _ARROW[kind])
    # An id may stand twice with other dates: give each rule a column of its own.
    numbered = [replace(rule, id=f"r{i}") for i, rule in enumerate(rules)]
    con = duckdb.connect()
    try:
        con.register("given", pa.table(columns))
        table: pa.Table = con.sql(verdict_sql(numbered, "given")).to_arrow_table()
    finally:
        con.close()
    place = {id(rule): i for i, rule in enumerate(rules)}
    results = []
    for row, (rule, number) in enumerate(cases):
        truth = table.column(f"r{place[id(rule)]}")[row].as_py()
        got: Verdict = "unknown" if truth is None else "hit" if truth else "miss"
        results.append(Result(rule, number, rule.tests[number - 1].expect, got))
    return Report(tuple(rules), tuple(results))
