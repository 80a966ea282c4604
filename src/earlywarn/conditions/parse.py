"""Text to checked tree: sqlglot parses, then every node is checked one by one.

The parser is given the tokens of `lexer`, names quoted, so that no name can be taken for a keyword
of SQL. Whatever sqlglot makes of it, only the nodes listed in `_Checker.node` pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from earlywarn.conditions.errors import ConditionError
from earlywarn.conditions.lexer import Token, TokenType, tokenize
from earlywarn.conditions.nodes import (
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
    FunctionName,
    IsNull,
    Kind,
    Name,
    Negative,
    Node,
    Not,
    canonical,
    kind_of,
)
from earlywarn.errors import Text

KIND_WORDS: dict[Kind | None, Text] = {
    Kind.BOOLEAN: Text("是/否", "yes/no"),
    Kind.NUMBER: Text("数字", "a number"),
    Kind.TEXT: Text("文字", "a text"),
    Kind.DATE: Text("日期", "a date"),
    None: Text("空值", "null"),
}

_COMPARE: dict[type[exp.Expression], CompareOp] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type[exp.Expression], ArithmeticOp] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
_CALLS: dict[type[exp.Expression], FunctionName] = {
    exp.Abs: "abs",
    exp.Least: "least",
    exp.Greatest: "greatest",
    exp.Coalesce: "coalesce",
}
_LEAVES = (exp.Column, exp.Literal, exp.Boolean, exp.Null)
_LOOSE = (*_COMPARE, exp.Not, exp.Is, exp.In, exp.Between)


def parse(source: str, kinds: Mapping[str, Kind]) -> Node:
    """Parse and type-check a condition over the names in `kinds`.

    Raises
    ------
    ConditionError
        With the place and the cure, for anything that is not of the language.
    """
    tokens = tokenize(source, kinds)
    try:
        parsed = sqlglot.parse(_sql(tokens), read="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise _syntax(source, tokens, error) from None
    if len(parsed) != 1 or parsed[0] is None:
        raise _syntax(source, tokens, None)
    checker = _Checker(source, kinds, tokens)
    try:
        root = checker.node(cast(exp.Expression, parsed[0]))
    except ConditionError as error:
        checker.faults.append(error)
    if checker.faults:
        raise ConditionError.of(checker.faults)
    if checker.leaf != len(checker.leaves):
        raise _syntax(source, tokens, None)
    if kind_of(root) is not Kind.BOOLEAN:
        word = KIND_WORDS[kind_of(root)]
        raise ConditionError(
            zh=f"这是{word.zh}，不是条件；请与某个值比较，如 {canonical(root)[:60]} >= 3。",
            en=f"this is {word.en}, not a condition; compare it, such as "
            f"{canonical(root)[:60]} >= 3.",
            source=source,
        )
    return root


def _sql(tokens: list[Token]) -> str:
    """Return the tokens as SQL, names quoted, everything apart by one space."""
    words = []
    for token in tokens:
        if token.type is TokenType.NAME:
            words.append('"' + token.text.replace('"', '""') + '"')
        elif token.type is TokenType.TEXT:
            words.append("'" + token.text.replace("'", "''") + "'")
        else:
            words.append(token.text)
    return " ".join(words)


def _syntax(source: str, tokens: list[Token], error: Exception | None) -> ConditionError:
    """Say where the parser stumbled, in the columns of the text as it was written."""
    column = tokens[-1].column
    details = getattr(error, "errors", None)
    if details and isinstance(details[0].get("col"), int):
        reached, at = details[0]["col"], 0
        for token in tokens:
            at += len(_sql([token])) + 1
            if at >= reached:
                column = token.column
                break
    return ConditionError(
        zh="写法不完整或多了东西；条件应像 unexcused_run >= 3 and not boarding 这样。",
        en="something is missing or too much here; a condition reads like "
        "unexcused_run >= 3 and not boarding.",
        source=source,
        column=column,
    )


class _UnsureError(ConditionError):
    """The parser's leaves are not the text's: places after this one cannot be told."""


class _Checker:
    """Turns sqlglot's tree into ours, leaf by leaf beside the tokens, so that places are known."""

    def __init__(self, source: str, kinds: Mapping[str, Kind], tokens: list[Token]) -> None:
        self.source = source
        self.kinds = kinds
        self.leaves = [
            token
            for token in tokens
            if token.type in (TokenType.NAME, TokenType.NUMBER, TokenType.TEXT)
            or token.text in ("null", "true", "false")
        ]
        self.leaf = 0
        self.faults: list[ConditionError] = []  # found so far, told together

    def fail(self, zh: str, en: str, at: int | None = None) -> ConditionError:
        place = self.leaf if at is None else at
        column = self.leaves[min(place, len(self.leaves) - 1)].column if self.leaves else 1
        return ConditionError(zh=zh, en=en, source=self.source, column=column)

    def take(self, text: str) -> None:
        """Move past the next leaf, which must be the one that the parser saw."""
        if self.leaf >= len(self.leaves) or self.leaves[self.leaf].text != text:
            place = self.leaves[min(self.leaf, len(self.leaves) - 1)] if self.leaves else None
            raise _UnsureError(
                zh="看不懂这里的写法，请用括号写清楚。",
                en="this cannot be read for certain; make it plain with brackets.",
                source=self.source,
                column=place.column if place else 1,
            )
        self.leaf += 1

    def node(self, e: exp.Expression) -> Node:
        """Check one node and what is under it; whatever is not listed here is refused."""
        kind = type(e)
        if kind is exp.Paren:
            return self.node(e.this)
        if kind in (exp.Column, exp.Literal, exp.Boolean, exp.Null, exp.Cast):
            return self.leaf_node(e)
        if kind is exp.And or kind is exp.Or:
            left, right = self.side(e.this), self.side(e.expression)
            return Both(left, right) if kind is exp.And else Either(left, right)
        if kind is exp.Not:
            return Not(self.boolean(e.this))
        if kind is exp.Neg:
            return Negative(self.number(e.this))
        if kind in _ARITHMETIC:
            return Arithmetic(_ARITHMETIC[kind], self.number(e.this), self.number(e.expression))
        if kind in _COMPARE:
            return self.compare(_COMPARE[kind], e)
        if kind is exp.Is:
            return self.is_null(e)
        if kind is exp.In:
            return self.among(e)
        if kind is exp.Between:
            return self.between(e)
        if kind in _CALLS:
            return self.call(_CALLS[kind], e)
        raise self.fail(
            "条件里不能有这种写法，请删去；能写什么见 docs/rules.md。",
            "this is no part of a condition: remove it, docs/rules.md lists what there is.",
        )

    def leaf_node(self, e: exp.Expression) -> Node:
        if isinstance(e, exp.Column):
            if not isinstance(e.this, exp.Identifier) or e.args.get("table"):
                raise self.fail("名称直接写，不加前缀。", "write names bare, without a prefix.")
            name = str(e.this.this)
            self.take(name)
            return Name(name, self.kinds[name])
        if isinstance(e, exp.Cast):
            if not isinstance(e.this, exp.Literal) or not e.this.is_string or not _is_date(e):
                raise self.fail("不允许类型转换，请删去。", "casts are not allowed; remove it.")
            self.take(str(e.this.this))
            return Constant(date.fromisoformat(str(e.this.this)), Kind.DATE)
        if isinstance(e, exp.Boolean):
            self.take("true" if e.this else "false")
            return Constant(bool(e.this), Kind.BOOLEAN)
        if isinstance(e, exp.Null):
            self.take("null")
            return Constant(None, None)
        token = self.leaves[min(self.leaf, len(self.leaves) - 1)]
        if e.is_string:
            self.take(str(e.this))
            return Constant(str(e.this), Kind.TEXT)
        if token.type is not TokenType.NUMBER or float(e.this) != float(token.text):
            raise self.fail("看不懂这个数字，请写成 0.05。", "this is no number; write 0.05.")
        self.leaf += 1
        return Constant(float(token.text), Kind.NUMBER)

    def side(self, e: exp.Expression) -> Node:
        """Check one side of and / or; a fault there is kept, and the other side still checked."""
        start = self.leaf
        try:
            return self.boolean(e)
        except _UnsureError:
            raise
        except ConditionError as error:
            self.faults.append(error)
            self.leaf = start + sum(isinstance(under, _LEAVES) for under in e.walk())
            return Constant(None, None)

    def boolean(self, e: exp.Expression) -> Node:
        start = self.leaf
        node = self.node(e)
        if kind_of(node) not in (Kind.BOOLEAN, None):
            word = KIND_WORDS[kind_of(node)]
            raise self.fail(
                f"and / or / not 之间要有条件，而这里是{word.zh}；请与某个值比较。",
                f"and / or / not join conditions, but this is {word.en}; compare it with a value.",
                start,
            )
        return node

    def number(self, e: exp.Expression) -> Node:
        start = self.leaf
        node = self.node(e)
        if kind_of(node) not in (Kind.NUMBER, None):
            word = KIND_WORDS[kind_of(node)]
            raise self.fail(
                f"只有数字可以运算，而这里是{word.zh}；请改用数字。",
                f"only numbers can be reckoned with, but this is {word.en}; write a number here.",
                start,
            )
        return node

    def operand(self, e: exp.Expression) -> Node:
        """An operand of a comparison: another comparison there needs brackets of its own."""
        if isinstance(e, _LOOSE):
            raise self.fail(
                "比较不能连写；请写 a < b and b < c，或加括号。",
                "comparisons cannot be chained; write a < b and b < c, or add brackets.",
            )
        return self.node(e)

    def same_kind(self, nodes: list[tuple[Node, int]]) -> Kind | None:
        """Return the kind that all `nodes` (each with its first leaf) share, NULLs aside."""
        known = [(kind_of(node), at) for node, at in nodes if kind_of(node) is not None]
        for kind, at in known[1:]:
            if kind is not known[0][0]:
                first, second = KIND_WORDS[known[0][0]], KIND_WORDS[kind]
                raise self.fail(
                    f"{first.zh}不能与{second.zh}比较或并列；{_cure(known[0][0], kind).zh}。",
                    f"{first.en} does not go with {second.en}; {_cure(known[0][0], kind).en}.",
                    at,
                )
        return known[0][0] if known else None

    def compare(self, op: CompareOp, e: exp.Expression) -> Node:
        start = self.leaf
        left = self.operand(e.this)
        middle = self.leaf
        right = self.operand(e.expression)
        kind = self.same_kind([(left, start), (right, middle)])
        if kind is Kind.BOOLEAN and op not in ("=", "<>"):
            raise self.fail(
                "是/否没有大小，请用 = 或 <>。",
                "yes/no has no order; use = or <>.",
                start,
            )
        return Compare(op, left, right, kind)

    def is_null(self, e: exp.Expression) -> Node:
        start = self.leaf
        operand = self.operand(e.this)
        if not isinstance(e.expression, exp.Null):
            raise self.fail(
                "is 后面只能是 null 或 not null；是/否直接写名称，或写 = true。",
                "only null or not null follows is; write a yes/no bare, or = true.",
                start,
            )
        self.take("null")
        return IsNull(operand, kind_of(operand))

    def among(self, e: exp.Expression) -> Node:
        items = e.args.get("expressions") or []
        start = self.leaf
        operand = self.operand(e.this)
        if not items or any(value for key, value in e.args.items() if key not in _IN_ARGS):
            raise self.fail(
                "in 后面要有一个列表，如 in ('a', 'b')。",
                "a list follows in, such as in ('a', 'b').",
            )
        nodes = [(operand, start)]
        for item in items:
            at = self.leaf
            nodes.append((self.operand(item), at))
        kind = self.same_kind(nodes)
        return Among(operand, tuple(node for node, _ in nodes[1:]), kind)

    def between(self, e: exp.Expression) -> Node:
        nodes = []
        for part in (e.this, e.args["low"], e.args["high"]):
            at = self.leaf
            nodes.append((self.operand(part), at))
        kind = self.same_kind(nodes)
        if kind is Kind.BOOLEAN or e.args.get("symmetric"):
            raise self.fail(
                "是/否没有大小，不能用 between，请用 = 或 <>。",
                "yes/no has no order, so no between; use = or <>.",
                nodes[0][1],
            )
        return Between(nodes[0][0], nodes[1][0], nodes[2][0], kind)

    def call(self, function: FunctionName, e: exp.Expression) -> Node:
        arguments = [e.this, *(e.args.get("expressions") or [])]
        if function != "abs" and len(arguments) < 2:
            raise self.fail(
                f"{function} 至少要有两个值，如 {function}(x, 0)。",
                f"{function} takes at least two values, such as {function}(x, 0).",
            )
        nodes = []
        for argument in arguments:
            at = self.leaf
            nodes.append((self.node(cast(exp.Expression, argument)), at))
        kind = self.same_kind(nodes)
        if function != "coalesce" and kind not in (Kind.NUMBER, None):
            word = KIND_WORDS[kind]
            raise self.fail(
                f"{function} 只用于数字，而这里是{word.zh}；请改用数字。",
                f"{function} takes numbers, but this is {word.en}; write numbers in it.",
                nodes[0][1],
            )
        result = kind if function == "coalesce" else Kind.NUMBER
        return Call(function, tuple(node for node, _ in nodes), result)


_IN_ARGS = ("this", "expressions")


def _is_date(e: exp.Expression) -> bool:
    to: Any = e.args.get("to")
    return isinstance(to, exp.DataType) and to.this == exp.DataType.Type.DATE


def _cure(first: Kind | None, second: Kind | None) -> Text:
    both = {first, second}
    if both == {Kind.NUMBER, Kind.TEXT}:
        return Text("数字不加引号，文字加单引号", "write numbers without quotes, texts in quotes")
    if both == {Kind.DATE, Kind.TEXT}:
        return Text("日期请写成 date '2026-11-20'", "write a date like date '2026-11-20'")
    if Kind.BOOLEAN in both:
        return Text(
            "是/否直接写名称，或与 true / false 比较",
            "write a yes/no bare, or compare it with true / false",
        )
    return Text("两边要同类，请改一边", "both sides must be of one kind: change one")
