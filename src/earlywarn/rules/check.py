"""`rules check`: what would stop the rules from being used, and what is likely a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.rules.book import Rule, RuleBook
from earlywarn.rules.meaning import outcome, some_verdicts
from earlywarn.rules.overlap import compare_rules
from earlywarn.rules.pack import read_rulebook
from earlywarn.rules.problems import Fault, Problem


@dataclass(frozen=True)
class CheckReport:
    """What is well formed, what is wrong, and what is worth knowing; by file and line.

    Attributes
    ----------
    notes
        Questions that could not be decided, and rules whose dates are over: no reason to refuse.
    """

    rulebook: RuleBook
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def check_rules(rules_dir: Path, today: date | None = None) -> CheckReport:
    """Check every pack in `rules_dir`, all problems in one go.

    Beyond what `load_rulebook` refuses: conditions that can never or must always hold, two rules
    that mean the same, rules that change nothing beside another or at all, and rules without a
    test.

    Parameters
    ----------
    today
        Rules whose effective dates ended before it are noted (default: the day of the call).
    """
    rulebook, refused = read_rulebook(rules_dir)
    found = [*refused]
    for rule in rulebook.rules:
        found += [
            *_never_or_always(rule, rulebook),
            *_idle(rule),
            *_untested(rule),
            *_expired(rule, today or date.today()),
        ]
    sample = some_verdicts([rule.condition.root for rule in rulebook.rules], rulebook.groups)
    for (a, of_a), (b, of_b) in combinations(zip(rulebook.rules, sample, strict=True), 2):
        found += compare_rules(a, b, rulebook.groups, differ=of_a != of_b)
    found.sort(key=lambda problem: (problem.file, problem.line))
    notes = (Fault.UNDECIDED, Fault.EXPIRED)
    return CheckReport(
        rulebook,
        tuple(problem for problem in found if problem.fault not in notes),
        tuple(problem for problem in found if problem.fault in notes),
    )


def _problem(rule: Rule, fault: Fault, zh: str, en: str) -> Problem:
    return Problem(rule.file, rule.line, rule.id, Text(zh, en), fault)


def _never_or_always(rule: Rule, rulebook: RuleBook) -> Iterator[Problem]:
    found = outcome([rule.condition.root], rulebook.groups)
    never, always = found.only({(False,), (None,)}), found.only({(True,)})
    if never:
        yield _problem(
            rule,
            Fault.NEVER,
            "这个条件永远不会成立：请对照特征的取值范围（docs/features.md）改正，或删去这条规则。",
            "this condition can never hold: mend it (docs/features.md has the features' ranges) or "
            "remove the rule.",
        )
    elif always:
        yield _problem(
            rule,
            Fault.ALWAYS,
            "这个条件总是成立：它对每个孩子都命中，请改正或删去这条规则。",
            "this condition always holds, for every child: mend it or remove the rule.",
        )
    elif never is None or always is None:
        yield _problem(
            rule,
            Fault.UNDECIDED,
            "未能判定这个条件是否永远（或总是）成立：其中的特征相互运算或比较。",
            "not decided whether this condition can ever (or must always) hold: its features are "
            "reckoned with or compared with each other.",
        )


def _idle(rule: Rule) -> Iterator[Problem]:
    if not rule.points and rule.floor is None and rule.action is None:
        yield _problem(
            rule,
            Fault.IDLE,
            "这条规则不加分、不定级、也没有措施，请补上或删去。",
            "this rule adds no points, sets no floor and names no action: add one or remove it.",
        )


def _untested(rule: Rule) -> Iterator[Problem]:
    expected = {test.expect for test in rule.tests}
    lacking = [
        (zh, en)
        for verdict, zh, en in (("hit", "命中", "a hit"), ("miss", "未命中", "a miss"))
        if verdict not in expected
    ]
    if lacking:
        yield _problem(
            rule,
            Fault.UNTESTED,
            f"没有{'和'.join(zh for zh, _ in lacking)}的测试；请在 tests: 下补上，"
            "如 {given: {unexcused_run: 3}, expect: hit}。",
            f"there is no test for {' or '.join(en for _, en in lacking)}: add one under tests:, "
            "such as {given: {unexcused_run: 3}, expect: hit}.",
        )


def _expired(rule: Rule, today: date) -> Iterator[Problem]:
    if rule.ends < today:
        yield _problem(
            rule,
            Fault.EXPIRED,
            f"有效期已于 {rule.ends} 结束：只在更早的截止日期起作用。",
            f"in force until {rule.ends} only: it counts for earlier as-of dates alone.",
        )
