"""Reasons in words: templates with {feature} placeholders, checked on loading, filled per child."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import Formatter
from typing import Any

from earlywarn.conditions import nearest
from earlywarn.errors import Lang, Text
from earlywarn.features.catalogue import FEATURES, format_value
from earlywarn.rules.problems import one_line


def placeholders(template: str) -> list[str]:
    """Return the placeholder names of `template`, in order (ValueError if it is not well formed).

    Only plain {name} is allowed: no attributes, indices, conversions or formats.
    """
    names, wrong = _pieces(template)
    if wrong:
        raise ValueError(wrong[0])
    return names


def _pieces(template: str) -> tuple[list[str], list[str]]:
    """Return the plain placeholders' names, and what stands in braces but is none."""
    names: list[str] = []
    wrong: list[str] = []
    try:
        for _, name, spec, conversion in Formatter().parse(template):
            if name is None:
                continue
            if spec or conversion or not name.isidentifier():
                shown = (
                    name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
                )
                wrong.append("{" + shown + "}")
            else:
                names.append(name)
    except ValueError:  # a brace without its other half
        wrong.append("{" if template.count("{") > template.count("}") else "}")
    return names, wrong


def template_faults(template: str, used: Collection[str] | None) -> list[Text]:
    """Return everything that is wrong with a reason.

    `used` are the names in the rule's condition (None: not known): a reason may only speak of
    those, since the others may be unknown where the rule hits.
    """
    names, wrong = _pieces(template)
    faults = [
        Text(
            f"理由里的花括号写法不对（{one_line(piece)}），"
            "只能写成 {unexcused_run} 这样；要写花括号本身，请写两个：{{ }}。",
            f"the braces in the reason are not right ({one_line(piece)}): write {{unexcused_run}}, "
            "nothing more, or {{ }} twice for a brace itself.",
        )
        for piece in wrong
    ]
    for name in dict.fromkeys(names):
        shown = one_line(name)
        if name not in FEATURES:
            near = nearest(name, FEATURES)
            zh, en = (
                (f"是不是 {near}？", f"did you mean {near}?")
                if near
                else ("请写条件里的特征。", "write a feature that the condition names.")
            )
            faults.append(
                Text(
                    f"理由里的 {{{shown}}} 不是特征，{zh}",
                    f"{{{shown}}} in the reason is no feature; {en}",
                )
            )
        elif used is not None and name not in used:
            faults.append(
                Text(
                    f"理由用到 {name}，但条件里没有；请加进条件或从理由里删去。",
                    f"the reason speaks of {name}, which is not in the condition: add it there or "
                    "take it out.",
                )
            )
    return faults


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
