"""Names and constants in words: labels; numbers, exact and with their unit; codes; dates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date

from earlywarn.conditions.nodes import Arithmetic, Call, Name, Negative, Node
from earlywarn.errors import Lang, Text
from earlywarn.features.catalogue import FEATURES, format_value
from earlywarn.features.groups import Groups
from earlywarn.words import CODE_LABELS, FIELD_LABELS

YES_NO = {True: Text("成立", "yes"), False: Text("不成立", "no")}
_LARGE = 1e15  # from here on a float is no longer written out digit by digit

_DAYS_ZH = re.compile(r"近(\d+)天")
_RATE_EN = re.compile(r"\b(rate|trend|school), (last|this) ")
_SPAN_EN = re.compile(r", (last|this) ")


def name_label(name: str, groups: Groups) -> Text:
    """Return what people call a feature, group or registry field; the name itself if nothing."""
    for group in groups:
        if group.name == name:
            return group.label
    if name in FEATURES:
        label = FEATURES[name].label
        zh = _DAYS_ZH.sub(r"近\1个上学日", label.zh)
        en = _RATE_EN.sub(r"\1 of the \2 ", label.en)
        en = _SPAN_EN.sub(r" in the \1 ", en)
        return Text(zh, en.replace(" the this ", " this "))
    return FIELD_LABELS.get(name, Text(name, name))


def like(nodes: Iterable[Node]) -> str | None:
    """Return a name whose unit or codes the values of all `nodes` have; None if there is none."""
    names = [name for node in nodes if (name := _like(node)) is not None]
    if len({unit_of(name) for name in names}) == 1 and "" not in names:
        return names[0]
    return None


def unit_of(name: str | None) -> str:
    """Return the unit of feature `name`; for a text, the field whose codes it has."""
    if name in CODE_LABELS:
        return f"code:{name}"
    return FEATURES[name].unit if name in FEATURES else ""


def amount(value: float | str | date | bool | None, name: str | None, lang: Lang) -> str:
    """Return a constant as it is said where something like `name` is spoken of.

    Numbers are exact: 0.125 of a share is 12.5%, although lists round such a share to 12%.
    """
    if value is None:
        return Text("未知", "unknown")(lang)
    if isinstance(value, bool):
        return YES_NO[value](lang)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        label = CODE_LABELS.get(name or "", {}).get(value)
        return f"“{label(lang) if label else value}”"
    return _number(float(value), name, lang)


def _like(node: Node) -> str | None:
    """Return the name that a value is like, "" if it mixes units, None if only constants."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Negative):
        return _like(node.operand)
    if isinstance(node, Arithmetic) and node.op in ("*", "/"):
        return ""
    if isinstance(node, (Arithmetic, Call)):
        under = (node.left, node.right) if isinstance(node, Arithmetic) else node.arguments
        names = [name for part in under if (name := _like(part)) is not None]
        if not names:
            return None
        return names[0] if len({unit_of(name) for name in names}) == 1 else ""
    return None


def _number(number: float, name: str | None, lang: Lang) -> str:
    if name not in FEATURES or FEATURES[name].type not in ("number", "integer"):
        return _digits(number)
    if FEATURES[name].unit == "share":
        if abs(number) > _LARGE:
            return _digits(number)
        shown = format_value(name, number, lang)
        exact = math.isclose(float(shown[:-1]) / 100, number, rel_tol=1e-12)
        return shown if exact else f"{number * 100:.12g}%"
    return _digits(number) + _unit_word(name, number, lang)


def _unit_word(name: str, number: float, lang: Lang) -> str:
    """Return the unit as it follows a number; in English not where the label has said it."""
    word = format_value(name, 0, lang)[1:]
    if lang == "zh" or not word:
        return word
    if FEATURES[name].unit == "times" or word.strip() in FEATURES[name].label.en.split(",")[0]:
        return ""
    return word.removesuffix("s") if number == 1 else word


def _digits(number: float) -> str:
    if number == 0:
        return "0"
    return str(int(number)) if number.is_integer() and abs(number) < _LARGE else repr(number)
