"""A condition in words, in both languages, as a counselor reads it.

`left_behind and absence_rate_20d >= 0.05` is "left-behind child, and absence rate of the last 20
school days at least 5.0%". Brackets, or one line for each part, leave no doubt what belongs
together. `not` is carried down to the single statements, which changes no verdict: in three-valued
logic too, not (a and b) is (not a or not b), and not (x < 3) is x >= 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from earlywarn.conditions.nodes import (
    NEGATED,
    TURNED,
    Among,
    Arithmetic,
    Between,
    Both,
    Call,
    Compare,
    Constant,
    Either,
    IsNull,
    Kind,
    Name,
    Negative,
    Node,
    Not,
    joined_parts,
    kind_of,
)
from earlywarn.errors import Lang, Text
from earlywarn.features.catalogue import FEATURES
from earlywarn.features.groups import Groups
from earlywarn.rules.labels import amount, like, name_label

_JOINS = {"all": Text("，并且", ", and "), "any": Text("，或者", ", or ")}
_HEADS = {
    "all": Text("以下各项都成立：", "all of:"),
    "any": Text("以下任一成立：", "any of:"),
}

_SIGNS = {"+": "+", "-": "\u2212", "*": "×", "/": "\u00f7"}
_EQUAL = {"=": Text("等于", "equal to"), "<>": Text("不等于", "not equal to")}
_COUNTS = _EQUAL | {
    ">=": Text("不少于", "at least"),
    ">": Text("多于", "more than"),
    "<": Text("少于", "fewer than"),
    "<=": Text("不多于", "at most"),
}
_LEVELS = _EQUAL | {
    ">=": Text("不低于", "at least"),
    ">": Text("高于", "above"),
    "<": Text("低于", "below"),
    "<=": Text("不高于", "at most"),
}
_SIZES = _EQUAL | {
    ">=": Text("不小于", "at least"),
    ">": Text("大于", "above"),
    "<": Text("小于", "below"),
    "<=": Text("不大于", "at most"),
}
_DATES = {
    "=": Text("是", "on"),
    "<>": Text("不是", "not on"),
    ">=": Text("不早于", "not before"),
    ">": Text("晚于", "after"),
    "<": Text("早于", "before"),
    "<=": Text("不晚于", "not after"),
}
_TEXTS = {
    "=": Text("为", "is"),
    "<>": Text("不为", "is not"),
    ">=": Text("按字序不先于", "not before, in sort order,"),
    ">": Text("按字序后于", "after, in sort order,"),
    "<": Text("按字序先于", "before, in sort order,"),
    "<=": Text("按字序不后于", "not after, in sort order,"),
}
_COUNTED = frozenset(["days", "subjects", "exams", "times", "groups", "schools"])
_MEASURED = frozenset(["km", "years", "months"])

# Yes/no names whose opposite has words of its own.
_OPPOSITES: dict[str, Text] = {
    "on_leave": Text("没有休学", "not on long leave"),
    "boarding": Text("不住校", "does not board at school"),
    "needs_bus": Text("不需要校车", "does not need a school bus"),
    "boarding_aid": Text("未享受寄宿生生活补助", "receives no boarders' allowance"),
    "receives_aid": Text("未受资助", "receives no aid"),
    "school_rural": Text("不是农村学校", "not a rural school"),
    "school_remote": Text("不是偏远学校", "not a remote school"),
}

NOTHING = Text("", "")


@dataclass(frozen=True)
class Phrase:
    """A condition in words: one statement (`text`), or `parts` of which all or any must hold."""

    text: Text = NOTHING
    join: Literal["all", "any"] | None = None
    parts: tuple[Phrase, ...] = ()

    def __call__(self, lang: Lang) -> str:
        """Return the condition on one line; what stands under another joint is in brackets."""
        if self.join is None:
            return self.text(lang)
        return _JOINS[self.join](lang).join(part.closed(lang) for part in self.parts)

    def closed(self, lang: Lang) -> str:
        """Return the condition on one line, in brackets if it is more than one statement."""
        return bracketed(Text(self("zh"), self("en")))(lang) if self.join else self.text(lang)

    def lines(self, lang: Lang) -> list[str]:
        """Return one line for each part, those that belong together indented under their head."""
        if self.join is None:
            return [self.text(lang)]
        found = [_HEADS[self.join](lang)]
        for part in self.parts:
            first, *more = part.lines(lang)
            found += [f"  - {first}", *(f"    {line}" for line in more)]
        return found

    @property
    def both(self) -> Text:
        """The condition on one line in both languages."""
        return Text(self("zh"), self("en"))


def in_words(root: Node, groups: Groups) -> Phrase:
    """Return the condition `root` in words; groups are called what `groups` calls them."""
    return _Teller(groups).phrase(root, negated=False)


def bracketed(text: Text) -> Text:
    """Return `text` in the brackets of each language."""
    return Text(f"（{text.zh}）", f"({text.en})")


@dataclass(frozen=True)
class _Teller:
    groups: Groups

    def phrase(self, node: Node, *, negated: bool) -> Phrase:
        while isinstance(node, Not):
            node, negated = node.operand, not negated
        if isinstance(node, (Both, Either)):
            parts = [self.phrase(part, negated=negated) for part in joined_parts(node)]
            return _joined("all" if isinstance(node, Both) is not negated else "any", parts)
        if isinstance(node, Compare):
            return self.compare(node, negated)
        if isinstance(node, Call):
            return Phrase(self.first_known(node, negated))
        return Phrase(self.statement(node, negated))

    def statement(self, node: Node, negated: bool) -> Text:
        """One statement about a name, a constant, a range, a list, or what is unknown."""
        if isinstance(node, Name):
            return self.holds(node.name, negated)
        if isinstance(node, Constant):
            return _constant(node, negated)
        if isinstance(node, Between):
            return self.between(node, negated)
        if isinstance(node, Among):
            return self.among(node, negated)
        if isinstance(node, IsNull):
            return self.unknown(node, negated)
        raise AssertionError(type(node).__name__)  # the checker lets no other condition through

    def holds(self, name: str, negated: bool) -> Text:
        label = name_label(name, self.groups)
        if not negated:
            return label
        if name in _OPPOSITES:
            return _OPPOSITES[name]
        if any(group.name == name for group in self.groups):
            return Text(f"不属于“{label.zh}”", f"not in the group “{label.en}”")
        return Text(f"并非“{label.zh}”", f"not “{label.en}”")

    def compare(self, node: Compare, negated: bool) -> Phrase:
        op = NEGATED[node.op] if negated else node.op
        if node.operands is Kind.BOOLEAN:
            return self.same(node.left, node.right, op == "=")
        left, right = node.left, node.right
        if _fixed(left) and not _fixed(right):
            left, right, op = right, left, TURNED[op]
        unit = like((left, right))
        one, two = self.told(left, unit), self.told(right, unit)
        verb = _verbs(node.operands, unit)[op]
        return Phrase(Text(_run(one.zh, verb.zh, two.zh), f"{one.en} {verb.en} {two.en}"))

    def same(self, left: Node, right: Node, equal: bool) -> Phrase:
        """Two yes/no compared; with true or false it is the other one, or its opposite."""
        for side, other in ((left, right), (right, left)):
            if isinstance(other, Constant) and other.value is not None:
                return self.phrase(side, negated=bool(other.value) is not equal)
        one, two = self.told(left, None), self.told(right, None)
        if equal:
            return Phrase(
                Text(f"{one.zh}与{two.zh}真假相同", f"{one.en} and {two.en} both hold or both fail")
            )
        return Phrase(
            Text(f"{one.zh}与{two.zh}真假不同", f"exactly one of {one.en} and {two.en} holds")
        )

    def between(self, node: Between, negated: bool) -> Text:
        unit = like((node.operand, node.low, node.high))
        what, low, high = (self.told(n, unit) for n in (node.operand, node.low, node.high))
        order = Text("按字序", " in sort order") if node.operands is Kind.TEXT else Text("", "")
        where = f"{order.zh}{'不在' if negated else '在'}"
        zh = _run(what.zh, where, low.zh, "至", high.zh, "之间（含两端）")
        if negated:
            return Text(zh, f"{what.en}{order.en} outside {low.en} to {high.en}")
        return Text(zh, f"{what.en}{order.en} from {low.en} to {high.en} (both included)")

    def among(self, node: Among, negated: bool) -> Text:
        unit = like((node.operand, *node.items))
        what = self.told(node.operand, unit)
        items = [self.told(item, unit) for item in node.items]
        if node.operands is Kind.BOOLEAN:
            zh, en = "；".join(i.zh for i in items), "; ".join(i.en for i in items)
            one = bracketed(Text(zh, en))
            if negated:
                return Text(
                    f"{what.zh}与{one.zh}真假都不同", f"{what.en} agrees with none of {one.en}"
                )
            return Text(
                f"{what.zh}与{one.zh}之一真假相同", f"{what.en} agrees with one of {one.en}"
            )
        if len(items) == 1:
            verb = _TEXTS["<>" if negated else "="]
            return Text(_run(what.zh, verb.zh, items[0].zh), f"{what.en} {verb.en} {items[0].en}")
        if negated:
            zh, en = "、".join(i.zh for i in items), "; ".join(i.en for i in items)
            return Text(_run(what.zh, "不是", zh, "中的任何一个"), f"{what.en} is none of ({en})")
        zh, en = _run(items[0].zh), items[0].en
        for item in items[1:]:
            zh, en = _run(zh, "或", item.zh), f"{en} or {item.en}"
        return Text(_run(what.zh, "为", zh), f"{what.en} is {en}")

    def unknown(self, node: IsNull, negated: bool) -> Text:
        what = self.told(node.operand, None)
        if node.operands is Kind.BOOLEAN:
            zh, en = ("能判断", "can be decided") if negated else ("无法判断", "cannot be decided")
        else:
            zh, en = ("已知", "known") if negated else ("未知", "unknown")
        return Text(f"{what.zh}{zh}", f"{what.en} {en}")

    def first_known(self, node: Call, negated: bool) -> Text:
        """Coalesce of yes/no values; `not` goes to each of them."""
        first, *others = (self.phrase(part, negated=negated) for part in node.arguments)
        last = node.arguments[-1]
        if len(others) == 1 and isinstance(last, Constant) and last.value is not None:
            yes = bool(last.value) is not negated
            return Text(
                f"{first.closed('zh')}（无法判断时算{'成立' if yes else '不成立'}）",
                f"{first.closed('en')} (counted as {'yes' if yes else 'no'} where unknown)",
            )
        zh = "；再看".join(other.closed("zh") for other in others)
        en = "; then ".join(other.closed("en") for other in others)
        return Text(
            f"{first.closed('zh')}（无法判断时看{zh}）",
            f"{first.closed('en')} (where unknown: {en})",
        )

    def told(self, node: Node, unit: str | None) -> Text:
        """A value in words; constants with the unit of `unit`."""
        if isinstance(node, Negative):
            return self.minus(node, unit)
        if isinstance(node, Constant):
            return Text(amount(node.value, unit, "zh"), amount(node.value, unit, "en"))
        if kind_of(node) is Kind.BOOLEAN:
            return self.condition(node)
        if isinstance(node, Name):
            return self.label(node.name)
        if isinstance(node, Arithmetic):
            inner = unit if node.op in ("+", "-") else None
            one, two = self.term(node.left, inner), self.term(node.right, inner)
            sign = _SIGNS[node.op]
            return Text(f"{one.zh} {sign} {two.zh}", f"{one.en} {sign} {two.en}")
        if isinstance(node, Call):
            return self.call(node, unit)
        raise AssertionError(type(node).__name__)

    def term(self, node: Node, unit: str | None) -> Text:
        """What stands beside an arithmetic sign: in brackets if it has a sign of its own."""
        said = self.told(node, unit)
        return bracketed(said) if isinstance(node, Arithmetic) else said

    def minus(self, node: Negative, unit: str | None) -> Text:
        inner = node.operand
        if isinstance(inner, Constant) and isinstance(inner.value, float):
            return Text(amount(-inner.value, unit, "zh"), amount(-inner.value, unit, "en"))
        said = bracketed(self.told(inner, unit))
        return Text(f"负{said.zh}", f"minus {said.en}")

    def call(self, node: Call, unit: str | None) -> Text:
        """Abs, least, greatest, or coalesce of values."""
        said = [self.told(part, unit) for part in node.arguments]
        if node.function == "coalesce":
            zh, en = said[0]
            others_zh = "、".join(part.zh for part in said[1:])
            others_en = "; ".join(part.en for part in said[1:])
            first = "依次" if len(said) > 2 else ""
            return Text(
                f"{zh}（未知时{first}{_run('按', others_zh, '算')}）",
                f"{en} (where unknown: {others_en})",
            )
        every = bracketed(Text("；".join(p.zh for p in said), "; ".join(p.en for p in said)))
        if node.function == "abs":
            return Text(f"{every.zh}的绝对值", f"the absolute value of {every.en}")
        if node.function == "least":
            return Text(f"{every.zh}中的最小值", f"the smallest of {every.en}")
        return Text(f"{every.zh}中的最大值", f"the largest of {every.en}")

    def label(self, name: str) -> Text:
        return name_label(name, self.groups)

    def condition(self, node: Node) -> Text:
        if isinstance(node, Name):
            label = self.label(node.name)
            return Text(f"“{label.zh}”", f"“{label.en}”")
        return bracketed(self.phrase(node, negated=False).both)


def _joined(join: Literal["all", "any"], parts: Sequence[Phrase]) -> Phrase:
    """Join phrases; a part with the same joint is no part of its own, nor is one said twice."""
    flat = [inner for part in parts for inner in (part.parts if part.join == join else (part,))]
    kept = tuple(dict.fromkeys(flat))
    return kept[0] if len(kept) == 1 else Phrase(join=join, parts=kept)


def _fixed(node: Node) -> bool:
    """Whether a value is written out: 3, or -3."""
    return isinstance(node.operand if isinstance(node, Negative) else node, Constant)


def _constant(node: Constant, negated: bool) -> Text:
    if node.value is None:
        return Text("无法判断", "not decidable")
    if bool(node.value) is not negated:
        return Text("总是成立", "always so")
    return Text("从不成立", "never so")


def _verbs(kind: Kind | None, unit: str | None) -> dict[str, Text]:
    if kind is Kind.DATE:
        return _DATES
    if kind is Kind.TEXT:
        return _TEXTS
    measure = FEATURES[unit].unit if unit in FEATURES else ""
    if measure in _COUNTED:
        return _COUNTS
    return _SIZES if measure in _MEASURED or not measure else _LEVELS


def _run(*parts: str) -> str:
    """Join Chinese parts, with a space where a Latin sign or digit meets a Han character."""
    text = ""
    for part in parts:
        meets = bool(text and part) and _is_han(text[-1]) != _is_han(part[0])
        latin = meets and (text[-1] if _is_han(part[0]) else part[0]).isascii()
        text += f" {part}" if latin else part
    return text


def _is_han(sign: str) -> bool:
    return "\u4e00" <= sign <= "\u9fff"
