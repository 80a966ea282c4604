"""An explained rule for a terminal: the rule, its history, its hits, what came after them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from earlywarn.errors import Lang, Text
from earlywarn.report.rule_facts import dates, facts, removed_facts, said, title_line
from earlywarn.rules.record import COMPARED, Difference
from earlywarn.scoring.history import Event, RuleHistory
from earlywarn.scoring.rule_explanation import CAUTION, RuleExplanation
from earlywarn.scoring.rule_outcomes import Judged, Outcomes, Share
from earlywarn.words import EVENT_LABELS, TIER_LABELS, counted

_HEADINGS = {
    "rule": Text("规则", "The rule"),
    "history": Text("改动记录（UTC 时间）", "History (times in UTC)"),
    "hits": Text("最近各次评分的命中", "Hits in the last runs"),
    "precision": Text("命中之后的结果", "What became of the children hit"),
}
_EVENTS = {
    "first": Text("首次使用", "first used"),
    "changed": Text("改动", "changed"),
    "gone": Text("不再使用", "no longer used"),
    "back": Text("重新使用", "used again"),
}


def render(found: RuleExplanation, lang: Lang) -> Group:
    """Return the explanation as something that a rich Console prints."""
    parts: list[RenderableType] = []
    if found.generated:
        parts.append(Line(Text("[生成的数据]", "[generated data]")(lang), "bold"))
    for version in found.versions:
        parts += [title_line(found.rule_id, version.rule.title, lang), facts(version, lang), Line()]
    if found.removed is not None:
        parts += [*removed_facts(found, lang), Line()]
    if found.model_problem is not None:
        parts += [said(*found.model_problem, lang), Line()]
    parts += [_heading("history", lang), *_history(found.history, lang), Line()]
    parts += [_heading("hits", lang), *_hits(found, lang), Line()]
    parts += [_heading("precision", lang), *_precision(found.outcomes, lang)]
    return Group(*parts)


def _heading(key: str, lang: Lang) -> Line:
    return Line(_HEADINGS[key](lang), "bold")


# --- its history ---


def _history(history: RuleHistory, lang: Lang) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if not history.runs:
        parts.append(said("还没有记录规则的评分。", "No run has recorded its rules yet.", lang))
    elif not history.events:
        parts.append(said("没有一次评分用过它。", "No run has used it.", lang))
    for event in history.events:
        parts += [_event(event, lang), *(_change(d, lang) for d in event.differences)]
    parts += _pending(history, lang)
    if history.older:
        parts.append(
            said(
                f"另有 {history.older} 次较早的评分没有记录所用规则，未计入。",
                f"{counted(history.older, 'older run')} did not record the rules used and "
                f"{'is' if history.older == 1 else 'are'} left out.",
                lang,
            )
        )
    if history.damaged:
        parts.append(
            said(
                f"另有 {history.damaged} 次评分的文件无法读取，未计入。",
                f"{counted(history.damaged, 'run')} cannot be read and "
                f"{'is' if history.damaged == 1 else 'are'} left out.",
                lang,
            )
        )
    return parts


def _event(event: Event, lang: Lang) -> Padding:
    run = event.run
    made = run.made[:16].replace("T", " ")
    words = _EVENTS[event.kind]
    return said(
        f"{made}  {words.zh}（{run.as_of} 第 {run.number} 次评分，模型 {run.model}）",
        f"{made}  {words.en} (run {run.number} of {run.as_of}, model {run.model})",
        lang,
    )


def _change(change: Difference, lang: Lang) -> Padding:
    before, after = (_value(change.what, v, lang) for v in (change.before, change.after))
    label = COMPARED[change.what]
    arrow = f"{before} \u2192 {after}"
    return Padding(
        said(f"{label.zh}：{arrow}", f"{label.en}: {arrow}", lang), (0, 0, 0, 4), expand=False
    )


def _value(what: str, value: Any, lang: Lang) -> str:
    if value is None:
        return Text("无", "none")(lang) if what != "effective" else Text("一直", "always")(lang)
    if what == "effective":
        return dates(date.fromisoformat(value[0]), date.fromisoformat(value[1]))(lang)
    if isinstance(value, Mapping):
        return f"“{value.get(lang, '')}”"
    if what == "floor":
        return TIER_LABELS[value](lang)
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _pending(history: RuleHistory, lang: Lang) -> list[RenderableType]:
    messages = {
        "changed": Text("之后又有改动，尚未用于评分：", "Changed since, not yet scored:"),
        "new": Text("在规则文件夹里，尚未用于评分。", "In the rules folder, not yet scored."),
        "removed": Text("已从规则文件夹删去。", "Removed from the rules folder since."),
        "not_due": Text(
            "最近一次评分那天不在有效期内。", "Not in force on the day of the newest run."
        ),
    }
    message = messages.get(history.pending)
    if message is None:
        return []
    changes = [_change(change, lang) for change in history.pending_changes]
    return [said(message.zh, message.en, lang), *changes]


# --- hits and precision ---


def _table(lang: Lang, *headings: Text) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading(lang), justify="left" if place == 0 else "right", no_wrap=True)
    return table


def _hits(found: RuleExplanation, lang: Lang) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if not found.hits:
        parts.append(said("还没有评分。", "There are no runs yet.", lang))
    else:
        table = _table(
            lang,
            Text("截止日期", "as of"),
            Text("学生", "students"),
            Text("命中", "hits"),
            Text("占比", "share"),
            Text("未知", "unknown"),
            Text("在名单上", "listed"),
            Text("紧急", "urgent"),
            Text("高", "high"),
        )
        for hits in found.hits:
            mark = "*" if hits.same_condition is False else "-" if hits.was_used is False else ""
            table.add_row(
                f"{hits.as_of}{mark}",
                f"{hits.students:,}",
                f"{hits.hits:,}",
                _percent(hits.share),
                *(f"{n:,}" for n in (hits.unknown, hits.listed, hits.urgent, hits.high)),
            )
        parts.append(Padding(table, (0, 0, 0, 2), expand=False))
        parts.append(
            said(
                "“在名单上”“紧急”“高”是命中的孩子中的人数。",
                "listed, urgent, high: of the children hit.",
                lang,
            )
        )
    if any(hits.same_condition is False for hits in found.hits):
        parts.append(_other_condition(lang))
    if any(hits.was_used is False for hits in found.hits):
        parts.append(said("- 当时没有使用这条规则。", "- the rule was not in use.", lang))
    if found.damaged:
        parts.append(
            said(
                f"{found.damaged} 次评分的文件无法读取。",
                f"{counted(found.damaged, 'run')} cannot be read.",
                lang,
            )
        )
    return parts


def _other_condition(lang: Lang) -> Padding:
    return said("* 当时的条件与现在不同。", "* with another condition than now.", lang)


def _precision(outcomes: Outcomes, lang: Lang) -> list[RenderableType]:
    parts: list[RenderableType] = [_meaning(outcomes, lang)]
    if not outcomes.judged:
        parts.append(_not_known(outcomes, lang))
        return [*parts, said(*CAUTION, lang)]
    table = _table(
        lang,
        Text("截止日期", "as of"),
        Text("命中", "hit"),
        Text("发生", "event"),
        Text("准确率", "precision"),
        Text("95% 区间", "95 %"),
        Text("全体", "everybody"),
        Text("未命中", "not hit"),
        Text("倍数", "lift"),
    )
    for judged in outcomes.judged:
        mark = "*" if judged.same_condition is False else ""
        table.add_row(f"{judged.as_of}{mark}", *_shares(judged))
    if outcomes.pooled is not None and len(outcomes.judged) > 1:
        table.add_row(Text("合计", "together")(lang), *_shares(outcomes.pooled), style="bold")
    parts.append(Padding(table, (0, 0, 0, 2), expand=False))
    if any(judged.same_condition is False for judged in outcomes.judged):
        parts.append(_other_condition(lang))
    if outcomes.pooled is not None and len(outcomes.judged) > 1:
        parts.append(
            said(
                "合计中每个孩子只算一次（按第一次命中）；“全体”是各次评分的平均。",
                "Together: each child counts once, at its first hit; everybody is the average "
                "over the runs.",
                lang,
            )
        )
    return [*parts, said(*CAUTION, lang)]


def _meaning(outcomes: Outcomes, lang: Lang) -> Padding:
    events = [EVENT_LABELS[event] for event in outcomes.label_events]
    zh, en = "、".join(e.zh for e in events), ", ".join(e.en for e in events)
    return said(
        f"命中的孩子中，之后 {outcomes.horizon_days} 天内“{zh}”的比例"
        "（转学、出境等去向不明的不计）。",
        f"Of the children hit, the share with “{en}” in the {outcomes.horizon_days} days after "
        "(those lost from sight, such as by a transfer, are left out).",
        lang,
    )


def _not_known(outcomes: Outcomes, lang: Lang) -> Padding:
    until = outcomes.complete_until
    so_far = (
        Text(f"现在收齐到 {until}", f"now they are until {until}")
        if until
        else Text("现在还没有结果", "now there are none")
    )
    if outcomes.known_from is None:
        return said(
            f"还不知道：还没有一次评分用过这条规则。{so_far.zh}。",
            f"Not known yet: no run has used the rule; {so_far.en}.",
            lang,
        )
    return said(
        f"还不知道。结果收齐到 {outcomes.known_from} 之后才能知道；{so_far.zh}。",
        f"Not known yet: it can be once outcomes are complete until {outcomes.known_from}; "
        f"{so_far.en}.",
        lang,
    )


def _shares(judged: Judged) -> list[str]:
    interval = judged.hit.interval
    return [
        f"{judged.hit.children:,}",
        f"{judged.hit.events:,}",
        _share(judged.hit),
        f"{_percent(interval[0])}\u2013{_percent(interval[1])}" if interval else "",
        _share(judged.cohort),
        _share(judged.not_hit) if judged.not_hit else "",
        f"×{judged.lift:.1f}" if judged.lift is not None else "",
    ]


def _share(share: Share) -> str:
    return _percent(share.value) if share.value is not None else ""


def _percent(share: float) -> str:
    value = share * 100
    if value >= 10 or value == 0:
        return f"{value:.0f}%"
    return f"{value:.1f}%" if value >= 1 else f"{value:.2g}%"
