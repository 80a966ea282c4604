"""Every rule with one thing in its condition changed: what its own tests must notice.

One mutant is one change of the typed tree: a constant moved by the smallest step that means
something for what it is compared with, an operator turned, a clause dropped. It is written out and
compiled again like any condition, and run against the tests that stand beside the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal

from earlywarn.conditions import Kind, Node, compile_condition
from earlywarn.conditions.nodes import (
    NODE_TYPES,
    Among,
    Arithmetic,
    ArithmeticOp,
    Between,
    Both,
    Call,
    Compare,
    CompareOp,
    Constant,
    Either,
    IsNull,
    Name,
    Negative,
    Not,
    canonical,
    walk,
)
from earlywarn.features.catalogue import FEATURES, condition_kinds
from earlywarn.rules.pack import Rule
from earlywarn.rules.testing import run_tests
from earlywarn.tables.contract import STUDENTS
from earlywarn.workspace import Config

CONSTANT = "constant moved"
COMPARISON = "comparison turned"
CONNECTOR = "and, or swapped"
NEGATION = "not dropped"
CODE = "another code"
CLAUSE = "clause dropped"
RECKONING = "reckoning turned"

# `<` with and without the edge, turned round, and its negation.
_TURNED: dict[CompareOp, tuple[CompareOp, ...]] = {
    "<": ("<=", ">", ">="),
    "<=": ("<", ">=", ">"),
    ">": (">=", "<", "<="),
    ">=": (">", "<=", "<"),
    "=": ("<>",),
    "<>": ("=",),
}
_RECKONED: dict[ArithmeticOp, ArithmeticOp] = {"+": "-", "-": "+", "*": "/", "/": "*"}
_CODES = {column.name: column.choices for column in STUDENTS.columns if column.choices} | {
    "stage": tuple(Config().stages)
}

Change = tuple[str, str, Node]  # kind, what was changed in words, the node instead


@dataclass(frozen=True)
class Mutant:
    """A rule whose condition differs in one place from that of the rule it was made of."""

    rule: Rule
    of: Rule
    kind: str
    change: str

    @property
    def name(self) -> str:
        """Which rule, which change, and the condition that came of it."""
        return f"{self.of.id}: {self.kind}: {self.change}: {self.rule.when}"


def mutants(rules: Iterable[Rule]) -> list[Mutant]:
    """Return every mutant of every rule, compiled, each different from its rule."""
    kinds = condition_kinds()
    found = []
    for rule in rules:
        root = rule.condition.root
        for kind, change, tree in _changed(root, ()):
            condition = compile_condition(canonical(tree), kinds)
            assert condition.hash != rule.condition.hash, (rule.id, change)
            found.append(Mutant(replace(rule, condition=condition), rule, kind, change))
    return found


def survivors(found: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants whose rule's own tests all come out as they expect: nothing noticed."""
    noticed = {id(result.rule) for result in run_tests([m.rule for m in found]).failures}
    return [mutant for mutant in found if id(mutant.rule) not in noticed]


def _changed(node: Node, around: tuple[Node, ...]) -> Iterator[Change]:
    """Yield `node` with each single change; `around` is all of the comparison that it is in."""
    yield from _here(node, around)
    if isinstance(node, (Compare, Between, Among)):
        around = tuple(walk(node))
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, NODE_TYPES):
            for kind, change, child in _changed(value, around):
                yield kind, change, replace(node, **{field.name: child})
        elif isinstance(value, tuple):
            for i, item in enumerate(value):
                for kind, change, child in _changed(item, around):
                    several = (*value[:i], child, *value[i + 1 :])
                    yield kind, change, replace(node, **{field.name: several})


def _here(node: Node, around: tuple[Node, ...]) -> Iterator[Change]:
    """Yield the changes of `node` itself, with what is under it left alone."""
    if isinstance(node, Constant):
        yield from _constants(node, around)
    elif isinstance(node, Compare):
        for op in _TURNED[node.op]:
            yield COMPARISON, f"{node.op} to {op}", replace(node, op=op)
    elif isinstance(node, (Between, IsNull)):
        yield COMPARISON, "denied", Not(node)
    elif isinstance(node, Among):
        yield COMPARISON, "denied", Not(node)
        for i, item in enumerate(node.items if len(node.items) > 1 else ()):
            fewer = (*node.items[:i], *node.items[i + 1 :])
            yield CLAUSE, canonical(item), replace(node, items=fewer)
    elif isinstance(node, (Both, Either)):
        other = Either if isinstance(node, Both) else Both
        yield (
            CONNECTOR,
            "and to or" if other is Either else "or to and",
            other(node.left, node.right),
        )
        yield CLAUSE, canonical(node.left), node.right
        yield CLAUSE, canonical(node.right), node.left
    elif isinstance(node, Not):
        yield NEGATION, canonical(node), node.operand
    elif isinstance(node, Arithmetic):
        op = _RECKONED[node.op]
        yield RECKONING, f"{node.op} to {op}", replace(node, op=op)
    elif isinstance(node, Negative):
        if not isinstance(node.operand, Constant):
            yield RECKONING, "- dropped", node.operand
    elif isinstance(node, Call):
        yield from _calls(node)


def _calls(node: Call) -> Iterator[Change]:
    if node.function == "least":
        yield RECKONING, "least to greatest", replace(node, function="greatest")
    elif node.function == "greatest":
        yield RECKONING, "greatest to least", replace(node, function="least")
    else:  # abs dropped; a coalesce without what stands in for the unknown
        yield RECKONING, f"{node.function} dropped", node.arguments[0]


def _constants(node: Constant, around: tuple[Node, ...]) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield CONSTANT, f"{value} to {not value}", replace(node, value=not value)
    elif isinstance(value, float):
        for step in (_step(around), -_step(around)):
            moved = float(Decimal(repr(value)) + step)
            yield CONSTANT, f"{value:g} to {moved:g}", replace(node, value=moved)
    elif isinstance(value, date):
        for days in (1, -1):
            day = value + timedelta(days=days)
            yield CONSTANT, f"{value} to {day}", replace(node, value=day)
    elif isinstance(value, str):
        there = {n.value for n in around if isinstance(n, Constant)}
        names = [n.name for n in around if isinstance(n, Name)]
        for code in [code for name in names for code in _CODES.get(name, ())]:
            if code not in there:
                yield CODE, f"{value} to {code}", replace(node, value=code)


def _step(around: tuple[Node, ...]) -> Decimal:
    """Return the finest step of the numbers that a constant is weighed against."""
    steps = [
        Decimal(repr(step))
        for n in around
        if isinstance(n, Name)
        and n.kind is Kind.NUMBER
        and (step := FEATURES[n.name].step) is not None
    ]
    return min(steps, default=Decimal(1))
