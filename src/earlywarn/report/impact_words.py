"""The words of the page and the summary that say what other rules would change."""

from __future__ import annotations

from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.features.catalogue import FEATURES
from earlywarn.impact.rows import (
    BASE,
    CAPACITY,
    Cause,
    ChildChange,
    DefinitionChange,
    Impact,
    RuleImpact,
)
from earlywarn.rules.record import COMPARED
from earlywarn.words import TIER_LABELS, Tier

# So many causes stand beside a child; the JSON has them all.
SHOWN_CAUSES = 3

WORDS: dict[str, Text] = {
    "title": Text("新规则的影响", "What the new rules would change"),
    "trial": Text("试算，尚未启用", "a trial: nothing is switched on"),
    "as_of": Text("截止日期", "As of"),
    "model": Text("评分", "Scored by"),
    "experts": Text("专家分值", "the experts' points"),
    "bureau_only": Text(
        "本页写明监测群体和各校孩子的姓名，只供教育局和县里决定是否启用规则，不发给学校。",
        "This page names monitored groups and children: it is for the bureau and the county to "
        "decide with, not for schools.",
    ),
    "numbers": Text("一、数字上的变化", "1. In numbers"),
    "rules": Text("二、哪些规则不同，各起什么作用", "2. Which rules differ, and what each does"),
    "schools": Text("三、各县、各校", "3. By county and school"),
    "groups": Text("四、监测群体", "4. Monitored groups"),
    "children": Text("五、名单或等级有变化的孩子", "5. Children whose list or tier changes"),
    "on_lists": Text("名单上的孩子（本周要跟进）", "On lists (to follow up this week)"),
    "enter": Text("进入", "Enter"),
    "leave": Text("离开", "Leave"),
    "up": Text("等级上升", "Tier up"),
    "down": Text("等级下降", "Tier down"),
    "capacity": Text("各校每周可跟进", "Schools can follow up"),
    "cut": Text("因名额未列入", "Left out for capacity"),
    "over": Text("超出名额", "Beyond capacity"),
    "before": Text("现行规则", "Now"),
    "after": Text("新规则", "New rules"),
    "by_tier": Text("名单上各等级的人数", "On lists, by tier"),
    "matrix": Text(
        "全体在校生的等级：从（行）到（列）", "Everybody's tier: from (row) to (column)"
    ),
    "total": Text("合计", "Total"),
    "rule": Text("规则", "Rule"),
    "what_differs": Text("不同之处", "What differs"),
    "hits": Text("命中", "Hits"),
    "main_cause": Text("以它为主要原因的变化", "Moves with this as their main cause"),
    "county": Text("县（区）", "County"),
    "school": Text("学校", "School"),
    "cohort": Text("在校生", "Enrolled"),
    "capacity_short": Text("可跟进", "Capacity"),
    "listed": Text("名单", "Listed"),
    "group": Text("群体", "Group"),
    "members": Text("人数", "Members"),
    "share": Text("在名单上的比例", "Share on lists"),
    "student": Text("学生", "Student"),
    "move": Text("变化", "Change"),
    "tier": Text("等级", "Tier"),
    "rank": Text("校内序号", "Rank"),
    "why": Text("为什么", "Why"),
    "name_missing": Text("（未登记姓名）", "(no name on record)"),
    "definitions": Text("群体定义的改动", "Groups defined otherwise"),
    "actions": Text("措施的改动（不影响名单）", "Actions that differ (no list changes by them)"),
    "none": Text("无", "none"),
    "nothing": Text(
        "没有孩子进入或离开名单，也没有孩子的等级改变。",
        "No child enters or leaves a list, and no tier changes.",
    ),
    "same": Text(
        "两套规则的含义相同：启用后什么也不会变。",
        "The two rule books mean the same: nothing would change.",
    ),
    "points_hint": Text(
        "括号里的数是对数几率上的增减：+0.7 约使可能性翻一番，−0.7 约减半。"
        "一个孩子的每次变化只算在一个主要原因下，所以各行相加等于合计。",
        "Numbers in brackets are added log-odds: +0.7 about doubles the odds, −0.7 about halves "
        "them. Each move counts under one main cause, so the rows add up to the total.",
    ),
    "no_rule_differs": Text("没有规则不同。", "No rule differs."),
    "group_note": Text(
        "进入和上升按新的群体定义计，离开和下降按现行定义计。请看某个群体的比例是否变得格外高或低。",
        "Who enters or goes up is counted by the new definition of the group, who leaves or goes "
        "down by the present one. See whether a group's share becomes unlike the others'.",
    ),
}

STATES = {
    "new": Text("新增", "new"),
    "gone": Text("取消", "gone"),
    "changed": Text("修改", "changed"),
    "same": Text("未改", "unchanged"),
}

KEYS: dict[str, Text] = COMPARED | {
    "reason": Text("理由文字", "reason"),
    "source": Text("依据", "source"),
    "effective": Text("生效日期", "effective dates"),
    "family": Text("类别", "family"),
    "pack": Text("规则包", "pack"),
    "tests": Text("测试", "tests"),
    "label": Text("名称", "label"),
    "sensitive": Text("保密", "sensitive"),
    "who": Text("负责人", "who"),
    "within_school_days": Text("期限（上学日）", "within school days"),
    "what": Text("做法", "what to do"),
    "form": Text("表格", "form"),
    "cause": Text("原因类别", "cause"),
}
# Of these it is enough to say that they differ.
_LONG = frozenset(["reason", "source", "tests", "what", "form"])


def word(key: str, lang: Lang) -> str:
    """Return the word of `WORDS` in `lang`."""
    return WORDS[key](lang)


def number(value: int) -> str:
    """Return a count with thousands apart."""
    return f"{value:,}"


def signed(value: float) -> str:
    """Return an effect with its sign: `+0.80`, `−0.80`; a tiny one with the digits it needs."""
    digits = 2 if abs(value) >= 0.005 or value == 0 else 4
    return f"{value:+.{digits}f}".replace("-", "−")


def model(impact: Impact, lang: Lang) -> str:
    """Return what scores: a model's name, or the experts' points."""
    return word("experts", lang) if impact.model == "experts" else impact.model


def headline(impact: Impact, lang: Lang) -> str:
    """Return in one or two sentences what would change."""
    if impact.same:
        return word("same", lang)
    if not impact.moves.any:
        return word("nothing", lang)
    moves, old, new = impact.moves, impact.before.listed, impact.after.listed
    touched = sum(1 for school in impact.schools if school.moves.any)
    if lang == "zh":
        lists = (
            f"由 {number(old)} 人变为 {number(new)} 人" if old != new else f"仍是 {number(old)} 人"
        )
        return (
            f"启用新规则，名单{lists}：{number(moves.enter)} 人进入，{number(moves.leave)} 人离开；"
            f"{number(moves.up)} 人等级上升，{number(moves.down)} 人下降。"
            f"{len(impact.schools)} 所学校中 {touched} 所有变化。"
        )
    lists = f"go from {number(old)} children to {number(new)}" if old != new else "stay as long"
    return (
        f"With the new rules the lists {lists}: {number(moves.enter)} enter, "
        f"{number(moves.leave)} leave; {number(moves.up)} go up a tier, "
        f"{number(moves.down)} down. {touched} of {len(impact.schools)} schools see a change."
    )


def base_note(impact: Impact, lang: Lang) -> str:
    """Return what the experts' base level does to everybody, if it moves."""
    shift = impact.b0_after - impact.b0_before
    if abs(shift) < 1e-9:
        return ""
    if lang == "zh":
        return (
            f"没有训练好的模型时，专家评分让全体的平均分保持在预期辍学率上，"
            f"所以每个孩子的基准都变动 {signed(shift)}。"
        )
    return (
        "Without a trained model the experts' scores keep everybody's mean at the expected dropout "
        f"rate, so every child's base level moves by {signed(shift)}."
    )


def term(name: str, impact: Impact, lang: Lang) -> str:
    """Return what a cause's term is called: a rule's title, a feature's label, or what else."""
    if name == CAPACITY:
        return (
            "名额：本校其他孩子的先后变了"
            if lang == "zh"
            else "capacity: others of the school moved"
        )
    if name == BASE:
        return "全体的基准变动" if lang == "zh" else "everybody's base level moved"
    if name in impact.titles:
        return impact.titles[name](lang)
    return FEATURES[name].label(lang) if name in FEATURES else name


def shown_causes(child: ChildChange) -> tuple[list[Cause], int]:
    """Return the causes to show beside a child, and how many more there are.

    The base level is said once for everybody, so here only where it is what moves the child.
    """
    mains = {child.list_cause, child.tier_cause}
    kept = [c for c in child.causes if c.kind != "base" or c.term in mains]
    kept = kept or list(child.causes)
    shown = kept[:SHOWN_CAUSES]
    shown += [c for c in kept[SHOWN_CAUSES:] if c.term in mains]
    return shown, len(kept) - len(shown)


def why(cause: Cause, child: ChildChange, impact: Impact, lang: Lang) -> str:
    """Return one cause in words."""
    return _why_zh(cause, child, impact) if lang == "zh" else _why_en(cause, child, impact)


def _why_zh(cause: Cause, child: ChildChange, impact: Impact) -> str:
    name, size = f"“{term(cause.term, impact, 'zh')}”", signed(cause.effect)
    floor = _floor(cause, "zh")
    match cause.kind:
        case "hit":
            reason = f"：{cause.reason.zh}" if cause.reason else ""
            return f"新命中{name}{reason}（{size}{floor}）"
        case "lost":
            return f"不再命中{name}（{size}{floor}）"
        case "weight":
            return f"{name}的分量变了（{size}{floor}）"
        case "silenced":
            return f"{name}由同一档梯上分量更大的规则代替（{size}{floor}）"
        case "heard":
            return f"{name}重新计入，同一档梯上分量更大的规则不再计（{size}{floor}）"
        case "floor":
            return f"{name}要求的最低等级变了{floor}"
        case "feature":
            return f"“{term(cause.term, impact, 'zh')}”按新的群体定义计算（{size}）"
        case "base":
            return f"全体的基准变动（{size}）"
    through = "、".join(f"“{term(r, impact, 'zh')}”{n} 人" for r, n in cause.through[:3])
    because = f"（因为{through}）" if through else ""
    if child.after.listed:
        return f"本校有 {len(cause.children)} 人退到后面，空出了名额{because}"
    return f"名额已满：本校有 {len(cause.children)} 人排到了前面{because}"


def _why_en(cause: Cause, child: ChildChange, impact: Impact) -> str:
    name, size = f"“{term(cause.term, impact, 'en')}”", signed(cause.effect)
    floor = _floor(cause, "en")
    match cause.kind:
        case "hit":
            reason = f": {cause.reason.en}" if cause.reason else ""
            return f"now hit by {name}{reason} ({size}{floor})"
        case "lost":
            return f"no longer hit by {name} ({size}{floor})"
        case "weight":
            return f"{name} counts otherwise ({size}{floor})"
        case "silenced":
            return f"a stronger rule on its ladder counts instead of {name} ({size}{floor})"
        case "heard":
            return f"{name} counts again, the stronger rule on its ladder does not ({size}{floor})"
        case "floor":
            return f"{name} demands another least tier{floor}"
        case "feature":
            return f"“{term(cause.term, impact, 'en')}” by the new definition of a group ({size})"
        case "base":
            return f"everybody's base level moved ({size})"
    through = ", ".join(f"“{term(r, impact, 'en')}” {n}" for r, n in cause.through[:3])
    because = f" (because of {through})" if through else ""
    count = len(cause.children)
    who = "1 child" if count == 1 else f"{count} children"
    if child.after.listed:
        return f"{who} of the school fell behind and left room{because}"
    return f"no place left: {who} of the school went ahead{because}"


def _floor(cause: Cause, lang: Lang) -> str:
    old, new = cause.floor_before, cause.floor_after
    if old is new:
        return ""
    both = f"{_tier(old, lang)} → {_tier(new, lang)}"
    if cause.kind == "floor":
        return f"：{both}" if lang == "zh" else f": {both}"
    if old is None:
        return (
            f"，最低等级 {_tier(new, lang)}" if lang == "zh" else f", least tier {_tier(new, lang)}"
        )
    if new is None:
        label = _tier(old, lang)
        return f"，不再要求最低 {label}" if lang == "zh" else f", least tier {label} no more"
    return f"，最低等级 {both}" if lang == "zh" else f", least tier {both}"


def _tier(tier: Tier | str | None, lang: Lang) -> str:
    return TIER_LABELS[tier](lang) if tier else word("none", lang)


def difference(key: str, before: Any, after: Any, lang: Lang) -> str:
    """Return in words how one key of a rule, group or action differs."""
    label = KEYS[key](lang)
    if key in _LONG:
        return f"{label}有改动" if lang == "zh" else f"another {label}"
    colon = "：" if lang == "zh" else ": "
    return f"{label}{colon}{_value(key, before, lang)} → {_value(key, after, lang)}"


def _value(key: str, value: Any, lang: Lang) -> str:
    if value is None:
        return word("none", lang)
    if isinstance(value, dict):
        return str(value[lang])
    if key == "floor":
        return _tier(value, lang)
    if key == "effective":
        return " – ".join("…" if day in ("0001-01-01", "9999-12-31") else day for day in value)
    if isinstance(value, bool):
        return {"zh": "否是", "en": ("no", "yes")}[lang][value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def rule_lines(rule: RuleImpact, impact: Impact, lang: Lang) -> list[str]:
    """Return what differs of a rule, and what one must know of it, a line each."""
    colon = "：" if lang == "zh" else ": "
    lines = []
    if rule.state == "new" and rule.words_after:
        lines.append(f"{KEYS['when'](lang)}{colon}{rule.words_after(lang)}")
        if rule.in_force_after:
            lines.append(f"{KEYS['points'](lang)}{colon}{rule.weight_after:g}")
    if rule.state == "gone" and rule.words_before:
        lines.append(f"{KEYS['when'](lang)}{colon}{rule.words_before(lang)}")
    for key, (old, new) in rule.keys.items():
        words = rule.words_before, rule.words_after
        if key == "when" and words[0] and words[1] and words[0] != words[1]:
            old, new = words[0](lang), words[1](lang)  # noqa: PLW2901  (the same, in words)
        lines.append(difference(key, old, new, lang))
    return lines + [note(lang) for note in _notes(rule, impact)]


def _notes(rule: RuleImpact, impact: Impact) -> list[Text]:
    notes = []
    present = rule.state != "gone"
    if present and not rule.in_force_after:
        notes.append(Text("这一天不在生效日期内。", "Not in force on this day."))
    trained = impact.model != "experts"
    if trained and rule.state == "changed" and rule.from_author and "when" in rule.keys:
        notes.append(
            Text(
                f"条件改了，模型里的分量（{rule.weight_before:.2f}）不再适用："
                f"重新训练之前按作者的分值 {rule.weight_after:g} 计。",
                f"With another condition the model's weight ({rule.weight_before:.2f}) no longer "
                f"holds: it counts {rule.weight_after:g}, as its author says, until the next "
                "training.",
            )
        )
    elif trained and rule.state == "new" and rule.in_force_after and rule.from_author:
        notes.append(
            Text(
                f"模型里还没有它的分量，重新训练之前按作者的分值 {rule.weight_after:g} 计。",
                f"The model has no weight for it yet: it counts {rule.weight_after:g}, as its "
                "author says, until the next training.",
            )
        )
    if trained and "points" in rule.keys and rule.in_force_after and not rule.from_author:
        notes.append(
            Text(
                f"模型已有它的分量（{rule.weight_after:.2f}），改分值要到重新训练才起作用。",
                f"The model has its own weight for it ({rule.weight_after:.2f}): other points "
                "count from the next training on.",
            )
        )
    if rule.state == "same":
        notes.append(
            Text(
                "规则本身没有改：它所用的群体定义或同一档梯上的规则变了。",
                "Itself unchanged: a group that it names, or another rule of its ladder, differs.",
            )
        )
    if rule.pushes:
        notes.append(
            Text(
                f"它改变了校内的先后，{rule.pushes} 个孩子因此进出名单。",
                f"It changes who goes first: that moves {rule.pushes} on or off a list.",
            )
        )
    if rule.changes_nobody:
        notes.append(
            Text("不改变任何孩子的名单或等级。", "Changes no child's list and no child's tier.")
        )
    return notes


def definition_lines(change: DefinitionChange, lang: Lang) -> list[str]:
    """Return what differs of a group or an action, a line each."""
    if change.state != "changed":
        return [STATES[change.state](lang)]
    lines = []
    for key, (old, new) in change.keys.items():
        if key == "when" and change.words and change.words[0] != change.words[1]:
            old, new = (words(lang) for words in change.words)  # noqa: PLW2901
        lines.append(difference(key, old, new, lang))
    return lines
