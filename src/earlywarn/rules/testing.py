"""`rules test`: the packs' own tests, run through the same compiled path as scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa

from earlywarn.conditions.arrow import ARROW_TYPES
from earlywarn.errors import Text
from earlywarn.features.catalogue import condition_kinds
from earlywarn.features.groups import Groups
from earlywarn.rules.book import Rule
from earlywarn.rules.evaluate import verdicts_of
from earlywarn.rules.given import convert
from earlywarn.rules.meaning import outcome

Verdict = Literal["hit", "miss", "unknown"]
VERDICTS: tuple[Verdict, ...] = ("hit", "miss", "unknown")
VERDICT_LABELS: dict[Verdict, Text] = {
    "hit": Text("命中", "hit"),
    "miss": Text("未命中", "miss"),
    "unknown": Text("未知", "unknown"),
}

NO_GROUPS = Groups(())


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
    """Every test's result, and which kinds of case each rule lacks.

    Attributes
    ----------
    never_unknown
        Ids of the rules that are proved to be never unknown: they need no test for it.
    """

    rules: tuple[Rule, ...]
    results: tuple[Result, ...]
    never_unknown: tuple[str, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        """The tests that came out otherwise."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def lacking(self) -> dict[str, tuple[Verdict, ...]]:
        """By rule id: the kinds of case (hit, miss, unknown) that can be and no test has."""
        found = {}
        for rule in self.rules:
            has = {str(test.expect) for test in rule.tests}
            if rule.id in self.never_unknown:
                has.add("unknown")
            missing = tuple(verdict for verdict in VERDICTS if verdict not in has)
            if missing:
                found[rule.id] = missing
        return found


def run_tests(rules: Sequence[Rule], groups: Groups = NO_GROUPS) -> Report:
    """Run the tests of `rules`: one table of given values, judged as when scoring.

    `groups` tells what the groups mean, for the proof that a rule is never unknown.
    """
    kinds = condition_kinds()
    cases = [(rule, number) for rule in rules for number in range(1, len(rule.tests) + 1)]
    columns: dict[str, Any] = {"student_id": pa.array([f"{i:09d}" for i in range(len(cases))])}
    for name, kind in kinds.items():
        values = [convert(r.tests[n - 1].given.get(name), kind) for r, n in cases]
        columns[name] = pa.array(values, ARROW_TYPES[kind])
    # An id may stand twice with other dates: give each rule a column of its own.
    numbered = [replace(rule, id=f"r{i}") for i, rule in enumerate(rules)]
    table = verdicts_of(pa.table(columns), numbered)
    place = {id(rule): i for i, rule in enumerate(rules)}
    results = []
    for row, (rule, number) in enumerate(cases):
        truth = table.column(f"r{place[id(rule)]}")[row].as_py()
        got: Verdict = "unknown" if truth is None else "hit" if truth else "miss"
        results.append(Result(rule, number, rule.tests[number - 1].expect, got))
    return Report(tuple(rules), tuple(results), _never_unknown(rules, groups))


def _never_unknown(rules: Sequence[Rule], groups: Groups) -> tuple[str, ...]:
    """Return the ids of the rules without a test for "unknown" that cannot come to it."""
    return tuple(
        rule.id
        for rule in rules
        if all(test.expect != "unknown" for test in rule.tests)
        and outcome([rule.condition.root], groups).only({(True,), (False,)})
    )
