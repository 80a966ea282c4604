"""The shipped rules in other engines' words, translated from the typed tree of each condition.

Every translation answers TRUE, FALSE or None (unknown), as ours does. Record-at-a-time engines
have no third answer in `and` and `or`, so for them a condition is written as "surely holds ? true
: surely fails ? false : null", each half with its null checks. What the shipped packs do not use
(arithmetic, functions) is refused by name, so that no pack is measured in part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cel
import pandas as pd
import polars as pl
import pyarrow as pa
import rule_engine
import zen
from python_terms import OPERATORS, literal

from earlywarn.conditions.nodes import (
    NEGATED,
    Among,
    Both,
    Compare,
    Either,
    Kind,
    Name,
    Node,
    Not,
    canonical,
    names_in,
)
from earlywarn.rules.book import Rule

Record = dict[str, Any]
Answers = list[bool | None]


# Record-at-a-time engines: one text for each rule.


@dataclass(frozen=True)
class Words:
    """How a language writes what the languages write differently."""

    both: str
    either: str
    negated: str

    def answer(self, node: Node) -> str:
        """Return text that yields true, false or null."""
        if isinstance(node, Name):
            return node.name
        if isinstance(node, Compare):
            missing = f" {self.either} ".join(f"{name} == null" for name in names_in(node))
            return f"({missing} ? null : {self.comparison(node, node.op)})"
        return f"({self.surely(node, True)} ? true : ({self.surely(node, False)} ? false : null))"

    def surely(self, node: Node, holds: bool) -> str:
        """Return text that yields true if `node` is known and is `holds`, else false."""
        if isinstance(node, Name):
            return f"{node.name} == {'true' if holds else 'false'}"
        if isinstance(node, Not):
            return self.surely(node.operand, not holds)
        if isinstance(node, (Both, Either)):
            word = self.both if isinstance(node, Both) == holds else self.either
            return f"({self.surely(node.left, holds)} {word} {self.surely(node.right, holds)})"
        known = f" {self.both} ".join(f"{name} != null" for name in names_in(node))
        if isinstance(node, Compare):
            op = node.op if holds else NEGATED[node.op]
            return f"({known} {self.both} {self.comparison(node, op)})"
        if isinstance(node, Among):
            items = ", ".join(self.value(item) for item in node.items)
            found = f"{self.value(node.operand)} in [{items}]"
            return f"({known} {self.both} {found if holds else f'{self.negated}({found})'})"
        raise NotImplementedError(f"no translation of {canonical(node)}: add one")

    def comparison(self, node: Compare, op: str) -> str:
        """Return the comparison as it is where nothing in it is null."""
        sign = {"=": "==", "<>": "!="}.get(op, op)
        return f"{self.value(node.left)} {sign} {self.value(node.right)}"

    def value(self, node: Node) -> str:
        """Return a name or a constant; text and numbers are written as in JSON."""
        return node.name if isinstance(node, Name) else json.dumps(literal(node))


ZEN = Words("and", "or", "not ")
RULE_ENGINE = Words("and", "or", "not ")
CEL = Words("&&", "||", "!")


@dataclass(frozen=True)
class RecordEngine:
    """A record-at-a-time engine: `judge` gives the verdicts of records made by `record`.

    `fused`: all rules glued into one expression that yields a list. No rule can then be added,
    dated or tested by itself; it is measured because it saves handing the record over each time.
    """

    name: str
    judge: Callable[[Any], Answers]
    fused: bool = False
    record: Callable[[Record], Any] = lambda record: record


def zen_engines(rules: Sequence[Rule]) -> list[RecordEngine]:
    """GoRules ZEN: compiled expressions, and a decision with one expression node."""
    texts = [ZEN.answer(rule.condition.root) for rule in rules]
    compiled = [zen.compile_expression(text) for text in texts]
    fused = zen.compile_expression(f"[{', '.join(texts)}]")
    keys = [f"r{place}" for place in range(len(rules))]
    expressions = [
        {"id": key, "key": key, "value": text} for key, text in zip(keys, texts, strict=True)
    ]
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {
            "id": "rules",
            "type": "expressionNode",
            "name": "rules",
            "content": {"expressions": expressions},
        },
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    for node in nodes:
        node["position"] = {"x": 0, "y": 0}
    edges = [
        {"id": "a", "type": "edge", "sourceId": "in", "targetId": "rules"},
        {"id": "b", "type": "edge", "sourceId": "rules", "targetId": "out"},
    ]
    decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def decide(record: Record) -> Answers:
        result = decision.evaluate(record)["result"]
        return [result.get(key) for key in keys]

    return [
        RecordEngine(
            "zen-engine, an expression a rule", lambda r: [e.evaluate(r) for e in compiled]
        ),
        RecordEngine("zen-engine, a decision", decide),
        RecordEngine("zen-engine, fused", fused.evaluate, fused=True),
    ]


def cel_engines(rules: Sequence[Rule]) -> list[RecordEngine]:
    """CEL (common-expression-language, in Rust): a program a rule, over one context a record.

    A context is CEL's own form of a record; made off the clock, which favours CEL.
    """
    texts = [CEL.answer(rule.condition.root) for rule in rules]
    programs = [cel.compile(text) for text in texts]
    fused = cel.compile(f"[{', '.join(texts)}]")
    return [
        RecordEngine(
            "CEL, a program a rule", lambda r: [p.execute(r) for p in programs], record=cel.Context
        ),
        RecordEngine("CEL, fused", fused.execute, fused=True, record=cel.Context),
    ]


def rule_engines(rules: Sequence[Rule]) -> list[RecordEngine]:
    """rule-engine (zeroSteiner): a Rule a rule."""
    texts = [RULE_ENGINE.answer(rule.condition.root) for rule in rules]
    compiled = [rule_engine.Rule(text) for text in texts]
    fused = rule_engine.Rule(f"[{', '.join(texts)}]")
    return [
        RecordEngine("rule-engine, a Rule a rule", lambda r: [e.evaluate(r) for e in compiled]),
        RecordEngine("rule-engine, fused", lambda r: list(fused.evaluate(r)), fused=True),
    ]


# Vectorised: pandas and Polars.


def pandas_frame(facts: pa.Table) -> pd.DataFrame:
    """Return facts as pandas' nullable columns, codes as categories: three-valued and quick."""
    nullable = {
        pa.int64(): pd.Int64Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype(),
    }
    frame = facts.to_pandas(types_mapper=nullable.get)
    texts = [name for name in frame.columns if isinstance(frame[name].dtype, pd.StringDtype)]
    return frame.astype(dict.fromkeys(texts, "category"))


def pandas_mask(node: Node) -> Callable[[pd.DataFrame], Any]:
    """Return a function from the frame to the nullable mask of a condition."""
    if isinstance(node, Name):
        name = node.name
        return lambda frame: frame[name]
    if isinstance(node, Not):
        inner = pandas_mask(node.operand)
        return lambda frame: ~inner(frame)
    if isinstance(node, (Both, Either)):
        left, right = pandas_mask(node.left), pandas_mask(node.right)
        if isinstance(node, Both):
            return lambda frame: left(frame) & right(frame)
        return lambda frame: left(frame) | right(frame)
    if isinstance(node, Compare) and isinstance(node.left, Name):
        name, value, compare = node.left.name, literal(node.right), OPERATORS[node.op]
        if node.operands is Kind.TEXT:
            return lambda frame: _known(frame[name], compare(frame[name], value))
        return lambda frame: compare(frame[name], value)
    if isinstance(node, Among) and isinstance(node.operand, Name):
        name, values = node.operand.name, [literal(item) for item in node.items]
        return lambda frame: _known(frame[name], frame[name].isin(values))
    raise NotImplementedError(f"no translation of {canonical(node)}: add one")


def _known(codes: pd.Series, mask: pd.Series) -> pd.Series:
    """Return the mask of a category as a nullable one, unknown where the code is missing."""
    missing = codes.isna().to_numpy()
    return pd.Series(pd.arrays.BooleanArray(mask.to_numpy(), missing), index=codes.index)


def pandas_engine(rules: Sequence[Rule]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function from the frame of facts to a frame with a mask a rule."""
    masks = {rule.id: pandas_mask(rule.condition.root) for rule in rules}
    return lambda frame: pd.DataFrame({k: mask(frame) for k, mask in masks.items()}, copy=False)


def polars_mask(node: Node) -> pl.Expr:
    """Return the expression of a condition; Polars' `&`, `|` and `~` are three-valued."""
    if isinstance(node, Name):
        return pl.col(node.name)
    if isinstance(node, Not):
        return ~polars_mask(node.operand)
    if isinstance(node, (Both, Either)):
        left, right = polars_mask(node.left), polars_mask(node.right)
        return left & right if isinstance(node, Both) else left | right
    if isinstance(node, Compare) and isinstance(node.left, Name):
        mask: pl.Expr = OPERATORS[node.op](pl.col(node.left.name), literal(node.right))
        return mask
    if isinstance(node, Among) and isinstance(node.operand, Name):
        return pl.col(node.operand.name).is_in([literal(item) for item in node.items])
    raise NotImplementedError(f"no translation of {canonical(node)}: add one")


def polars_engine(rules: Sequence[Rule]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return a function from the frame of facts to a frame with a mask a rule: one lazy select."""
    masks = [polars_mask(rule.condition.root).alias(rule.id) for rule in rules]
    return lambda frame: frame.lazy().select(masks).collect()
