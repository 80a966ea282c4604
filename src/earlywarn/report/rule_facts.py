"""A rule as it stands: its words, points, weight, ladder, action and tests, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from earlywarn.errors import Lang, Text
from earlywarn.rules.testing import VERDICT_LABELS
from earlywarn.rules.wording import bracketed
from earlywarn.scoring.rule_explanation import RuleExplanation, Version
from earlywarn.watchlist.wording import chinese, typeset
from earlywarn.words import TIER_LABELS, counted

_LABELS = {
    "when": Text("条件", "Condition"),
    "words": Text("含义", "In words"),
    "points": Text("分值", "Points"),
    "weight": Text("生效权重", "Weight in force"),
    "ladder": Text("档梯", "Ladder"),
    "floor": Text("最低等级", "Floor"),
    "action": Text("措施", "Action"),
    "reason": Text("理由", "Reason"),
    "source": Text("依据", "Source"),
    "effective": Text("有效期", "Effective"),
    "schools": Text("学校名单", "Schools' lists"),
    "tests": Text("测试", "Tests"),
    "file": Text("所在文件", "File"),
}


def facts(version: Version, lang: Lang) -> Padding:
    """Return everything that the rules folder says of a rule, and its weight in force."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for key, text in _fact_lines(version, lang):
        table.add_row(_LABELS[key](lang), Line(text))
    return Padding(table, (0, 0, 0, 2), expand=False)


def _fact_lines(version: Version, lang: Lang) -> Iterator[tuple[str, str]]:
    rule = version.rule
    yield "words", "\n".join(version.phrase.lines(lang))
    yield "when", rule.when
    yield "points", _with(f"{rule.points:g}", _odds(rule.points))(lang)
    if version.weight is not None:
        yield "weight", _weight(version)(lang)
    if rule.ladder:
        rungs = [f"{r.id} {chinese(r.title)(lang)} ({r.points:g})" for r in version.rungs]
        others = Text("同档梯的其他规则：", "other rungs: ")(lang) if rungs else ""
        yield (
            "ladder",
            "\n".join([rule.ladder, *([others + rungs[0], *rungs[1:]] if rungs else [])]),
        )
    yield "floor", TIER_LABELS[rule.floor](lang) if rule.floor else Text("无", "none")(lang)
    yield "action", _lines(_action(version))(lang)
    yield "reason", chinese(rule.reason)(lang)
    yield "source", chinese(rule.source)(lang)
    yield "effective", dates(rule.starts, rule.ends)(lang)
    yield "schools", _schools(version)(lang)
    yield "tests", "\n".join(_tests(version, lang)) or Text("没有", "none")(lang)
    yield "file", f"{rule.file} \u00b7 {rule.line}"


def _odds(points: float) -> Text:
    if points == 0:
        return Text("不改变几率", "the odds stay as they are")
    times = math.exp(points)
    shown = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
    return Text(f"几率约为 {shown} 倍", f"about {shown} times the odds")


def _weight(version: Version) -> Text:
    weight = version.weight
    if weight is None:
        return Text("", "")
    if not weight.fitted:
        why = Text(
            f"模型 {weight.model} 没有这条规则或其现在的条件，按作者分值",
            f"model {weight.model} has no weight for this rule and its condition: the author's "
            "points",
        )
    else:
        odds = _odds(weight.weight)
        why = Text(
            f"{odds.zh}；模型 {weight.model}，比作者分值 {weight.moved:+.3f}",
            f"{odds.en}; model {weight.model}, {weight.moved:+.3f} from the author's points",
        )
    return _with(f"{weight.weight:.3f}", why)


def _with(number: str, why: Text) -> Text:
    """Return a number and what it means in brackets."""
    shown = bracketed(why)
    return Text(f"{number}{shown.zh}", f"{number} {shown.en}")


def _action(version: Version) -> Text:
    action = version.action
    if action is None:
        return Text("无", "none")
    days = action.within_school_days
    when = (
        Text("当天", "the same school day")
        if days == 0
        else Text(f"{days} 个上学日内", f"within {counted(days, 'school day')}")
    )
    form = action.form
    return Text(
        f"{action.title.zh}：{action.who.zh}，{when.zh}\n{action.what.zh}"
        + (f"\n表格：{form.zh}" if form else ""),
        f"{action.title.en}: {action.who.en}, {when.en}\n{action.what.en}"
        + (f"\nForm: {form.en}" if form else ""),
    )


def _lines(text: Text) -> Text:
    """Typeset the Chinese of several lines."""
    return Text("\n".join(typeset(line) for line in text.zh.splitlines()), text.en)


def _schools(version: Version) -> Text:
    if version.rule.hidden_from_schools:
        return Text(
            "不显示（涉及家庭情况或监测群体）",
            "not shown there (it speaks of the home or of a monitored group)",
        )
    return Text("显示理由和措施", "reason and action are shown")


def _tests(version: Version, lang: Lang) -> Iterator[str]:
    for test in version.rule.tests:
        given = ", ".join(
            f"{name}: {'null' if value is None else value}" for name, value in test.given.items()
        )
        yield f"{VERDICT_LABELS[test.expect](lang)} \u2190 {{{given}}}"


def dates(starts: date, ends: date) -> Text:
    """Return from when to when a rule is in force, in words."""
    if starts == date.min and ends == date.max:
        return Text("一直有效", "always")
    zh, en = [], []
    if starts != date.min:
        zh.append(f"从 {starts} 起")
        en.append(f"from {starts}")
    if ends != date.max:
        zh.append(f"到 {ends} 止")
        en.append(f"to {ends}")
    return Text(" ".join(zh), " ".join(en))


def removed_facts(found: RuleExplanation, lang: Lang) -> list[RenderableType]:
    """Return what the runs remember of a rule that no pack holds any more."""
    removed = found.removed
    if removed is None:
        return []
    parts: list[RenderableType] = [
        title_line(found.rule_id, removed.title, lang),
        said(
            "规则文件夹里已经没有这条规则，以下是最后一次使用时的内容。",
            "The rules folder has no such rule any more; this is how it was last used.",
            lang,
        ),
    ]
    if removed.phrase is not None:
        parts += [said(line, line, lang) for line in removed.phrase.lines(lang)]
    when = str(removed.record.get("when", ""))
    return [*parts, said(when, when, lang)]


def title_line(rule_id: str, title: Text, lang: Lang) -> Line:
    """Return the line that begins a rule."""
    return Line.assemble((chinese(title)(lang), "bold"), f"  {rule_id}")


def said(zh: str, en: str, lang: Lang) -> Padding:
    """Return one indented sentence."""
    return Padding(Line(Text(zh, en)(lang)), (0, 0, 0, 2), expand=False)
