"""`rules check`: what would stop the rules from being used, and what is likely a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.rules.pack import Rule, RuleBook, read_rulebook
from earlywarn.rules.problems import Problem
from earlywarn.rules.space import possible


@dataclass(frozen=True)
class CheckReport:
    """The rules that are well formed, and every problem in file and line order."""

    rulebook: RuleBook
    problems: tuple[Problem, ...]


def check_rules(rules_dir: Path) -> CheckReport:
    """Check every pack in `rules_dir`, all problems in one go.

    Beyond what `load_rulebook` refuses: conditions that can never or must always hold, two rules
    that mean the same, and rules that do nothing.
    """
    rulebook, problems = read_rulebook(rules_dir)
    found = list(problems)
    seen: dict[tuple[str, object], Rule] = {}
    for rule in rulebook.rules:
        found += _never_or_always(rule)
        if not rule.points and rule.floor is None and rule.action is None:
            message = Text(
                "这条规则不加分、不定级、也没有措施，请补上或删去。",
                "this rule adds no points, sets no floor and names no action: add one or "
                "remove it.",
            )
            found.append(Problem(rule.file, rule.line, rule.id, message))
        key = (rule.when_hash, rule.effective)
        if key in seen:
            message = Text(
                f"条件与规则 {seen[key].id} 相同，请合并。",
                f"the condition is that of rule {seen[key].id}: make them one.",
            )
            found.append(Problem(rule.file, rule.line, rule.id, message))
        seen.setdefault(key, rule)
    return CheckReport(rulebook, tuple(sorted(found, key=lambda p: (p.file, p.line))))


def _never_or_always(rule: Rule) -> list[Problem]:
    """Say so where every case that the constants tell apart comes to the same."""
    outcome = possible(rule.condition.root)
    if True not in outcome.truths:  # the cases only overstate what is possible, so this is sure
        message = Text("这个条件永远不会成立。", "this condition can never hold.")
    elif outcome.truths == {True}:
        message = Text("这个条件总是成立。", "this condition always holds.")
    else:
        return []
    return [Problem(rule.file, rule.line, rule.id, message)]
