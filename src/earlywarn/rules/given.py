"""The values that a rule's test gives: text from YAML, read as the kind of the name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from earlywarn.conditions import Kind, nearest
from earlywarn.conditions.parse import KIND_WORDS
from earlywarn.errors import Text
from earlywarn.rules.problems import one_line

_TRUE, _FALSE = ("yes", "true"), ("no", "false")
_SUCH = {Kind.BOOLEAN: "yes", Kind.NUMBER: "3", Kind.TEXT: "bus", Kind.DATE: "2026-11-20"}


def convert(value: str | None, kind: Kind) -> bool | float | str | date | None:
    """Return `value` as `kind`; None stays None (ValueError if it is no such value)."""
    if value is None:
        return None
    if kind is Kind.BOOLEAN:
        if value.lower() not in (*_TRUE, *_FALSE):
            raise ValueError(value)
        return value.lower() in _TRUE
    if kind is Kind.NUMBER:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(value)
        return number
    if kind is Kind.DATE:
        return date.fromisoformat(value)
    return value


def wrong_value(name: str, value: Any, kinds: Mapping[str, Kind]) -> Text | None:
    """Return what is wrong with a test that gives `value` to `name`, or None."""
    if name not in kinds:
        near = nearest(name, kinds)
        zh, en = (
            (f"是不是 {near}？", f"did you mean {near}?")
            if near
            else ("请写条件里的名称。", "write a name of the condition.")
        )
        shown = one_line(name)
        return Text(
            f"测试里的 {shown} 不是已知名称，{zh}", f"{shown} in a test is no known name; {en}"
        )
    if value is not None and not isinstance(value, str):
        return None  # a list or keys: the schema refuses it
    kind = kinds[name]
    try:
        convert(value, kind)
    except ValueError:
        word, shown, such = KIND_WORDS[kind], one_line(value), _SUCH[kind]
        return Text(
            f"测试里 {name} 的值 {shown} 不是{word.zh}，请写成 {such}。",
            f"{name} is {shown} in a test, which is not {word.en}; write one such as {such}.",
        )
    return None
