"""Reasons in words: templates with {feature} placeholders, checked on loading, filled per child."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import Formatter
from typing import Any

from earlywarn.conditions import nearest
from earlywarn.errors import Lang, Text
from earlywarn.features.catalogue import FEATURES, format_value


def placeholders(template: str) -> list[str]:
    """Return the placeholder names of `template`, in order (ValueError if it is not well formed).

    Only plain {name} is allowed: no attributes, indices, conversions or formats.
    """
    names = []
    for _, name, spec, conversion in Formatter().parse(template):
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(name or "{}")
        names.append(name)
    return names


def check_template(template: str, used: Collection[str]) -> Text | None:
    """Return what is wrong with a reason, or None.

    `used` are the names in the rule's condition: a reason may only speak of those, since the
    others may be unknown where the rule hits.
    """
    try:
        names = placeholders(template)
    except ValueError as error:
        return Text(
            f"理由里的花括号写法不对（{error}），请写成 {{unexcused_run}}。",
            f"the braces in the reason are not right ({error}); write {{unexcused_run}}.",
        )
    for name in names:
        if name not in FEATURES:
            near = nearest(name, FEATURES)
            zh, en = (f"是不是 {near}？", f"did you mean {near}?") if near else ("", "")
            return Text(
                f"理由里的 {{{name}}} 不是特征。{zh}",
                f"{{{name}}} in the reason is no feature. {en}".strip(),
            )
        if name not in used:
            return Text(
                f"理由用到 {name}，但条件里没有；请加进条件或从理由里删去。",
                f"the reason speaks of {name}, which is not in the condition: add it there or "
                "take it out.",
            )
    return None


def fill(template: str, values: Mapping[str, Any], lang: Lang) -> str:
    """Return a reason with its numbers: shares as 12%, counts bare, unknown as 未知/unknown."""
    shown = {name: _bare(name, values.get(name), lang) for name in placeholders(template)}
    return template.format_map(shown)


def _bare(name: str, value: Any, lang: Lang) -> str:
    feature = FEATURES[name]
    if value is None or feature.type in ("boolean", "text") or feature.unit == "share":
        return format_value(name, value, lang)
    number = float(value)
    return str(int(number)) if number.is_integer() else f"{number:.2f}".rstrip("0").rstrip(".")
