"""What stands above a list and beside a child, in whole sentences, for page and workbook alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from earlywarn.errors import Lang
from earlywarn.followup.states import STATE_LABELS
from earlywarn.watchlist import wording
from earlywarn.watchlist.rows import (
    LISTED_TIERS,
    Cause,
    Followed,
    Limits,
    ListedChild,
    Listing,
    SchoolList,
    Silence,
)
from earlywarn.words import TIER_LABELS, counted, day_in_words

_CLASSES = 3  # named at most


def tier_counts(counts: dict[str, int], lang: Lang) -> str:
    """Return `紧急 2、高 3` of the tiers that have any; empty if none has."""
    parts = [
        f"{TIER_LABELS[tier](lang)} {counts[tier]}" for tier in LISTED_TIERS if counts.get(tier)
    ]
    return ("、" if lang == "zh" else ", ").join(parts)


def compared(listing: Listing, lang: Lang) -> str:
    """Return what the list is compared with, or that there is nothing."""
    if listing.previous_as_of is None:
        return wording.word("no_comparison", lang)
    before = day_in_words(listing.previous_as_of, lang, listing.as_of)
    return f"与上期（{before}）相比" if lang == "zh" else f"Since {before}"


def summary(
    listing: Listing, school: SchoolList, lang: Lang, *, with_tiers: bool = True
) -> list[str]:
    """Return the lines above a school's list: how many, the capacity and the cut, the changes."""
    zh = lang == "zh"
    kinds = tier_counts(school.listed, lang) if with_tiers else ""
    if zh:
        lines = [
            f"名单共 {school.listed_total} 人"
            + (f"：{kinds}" if kinds else "")
            + f"；在校生 {school.cohort} 人，学校每周可跟进 {school.capacity} 人。"
        ]
        lines.append(
            f"另有 {school.cut_total} 人（{tier_counts(school.cut, lang)}）因名额不够未列入。"
            if school.cut_total
            else "没有人因名额不够而未列入。"
        )
    else:
        lines = [
            wording.count(school.listed_total, lang, "child", "children")
            + " on this list"
            + (f": {kinds}" if kinds else "")
            + f"; {school.cohort} enrolled; the school can follow up {school.capacity} a week."
        ]
        lines.append(
            f"Left out for lack of capacity: {school.cut_total} ({tier_counts(school.cut, lang)})."
            if school.cut_total
            else "Nobody was left out for lack of capacity."
        )
    lines.append(changes(listing, school, lang))
    if school.resolved is not None:
        lines.append(
            f"已解决 {school.resolved} 人，逾期 {school.overdue} 步。"
            if zh
            else f"Resolved: {school.resolved}; steps overdue: {school.overdue}."
        )
    return lines


def changes(listing: Listing, school: SchoolList, lang: Lang) -> str:
    """Return the sentence that counts what changed since the list before."""
    zh = lang == "zh"
    if listing.previous_as_of is None:
        return compared(listing, lang) + ("。" if zh else ".")
    parts = [
        f"{wording.CHANGE_WORDS[change](lang)} {school.changes.get(change, 0)}"
        for change in ("new", "up", "down", "same")
    ]
    parts.append(f"退出名单 {school.left}" if zh else f"no longer listed {school.left}")
    if zh:
        return f"{compared(listing, lang)}：{'、'.join(parts)}。"
    return f"{compared(listing, lang)}: {', '.join(parts)}."


def why_changed(listing: Listing, lang: Lang) -> str:
    """Return how the causes beside the children are to be read; empty without a comparison."""
    if listing.previous_as_of is None:
        return ""
    if not listing.comparable:
        return (
            "评分模型或规则与上期不同，所以不说名次变化的原因。"
            if lang == "zh"
            else "Model or rules differ from last time, so no causes of the changes are given."
        )
    return (
        "变化写明最主要的原因；没写的，多是别人的名次变了。"
        if lang == "zh"
        else "The main cause of a change is given; where none is, mostly others moved."
    )


def numbers(listing: Listing, school: SchoolList, lang: Lang) -> list[tuple[str, str]]:
    """Return the numbers at the top of a list, each with its label; `–` is not known."""
    new = None if listing.previous_as_of is None else school.changes.get("new", 0)
    values = {
        "on_list": school.listed_total,
        "new": new,
        "resolved": school.resolved,
        "overdue": school.overdue,
        "capacity": school.capacity,
        "cut": school.cut_total,
    }
    labels = {key: wording.word(key, lang) for key in values}
    if listing.resolved_since is not None:
        since = day_in_words(listing.resolved_since, lang, listing.as_of)
        labels["resolved"] += f"（{since}后）" if lang == "zh" else f" since {since}"
    return [(labels[key], "–" if value is None else str(value)) for key, value in values.items()]


def limits(listing: Listing, school: SchoolList, lang: Lang) -> list[str]:
    """Return what this school's list cannot know, one sentence each."""
    known, today = school.limits, listing.as_of
    zh = lang == "zh"

    def say(when: date) -> str:
        return day_in_words(when, lang, today)

    lines = []
    if known.gap_share is None:
        lines.append("没有考勤数据。" if zh else "No attendance data.")
    elif known.gap_share > 0:
        share = wording.percent(known.gap_share)
        lines.append(
            f"近20个上学日中，{share} 的人次没有考勤记录；没有记录不等于到校。"
            if zh
            else f"{share} of the last 20 school days have no attendance record; "
            "no record does not mean present."
        )
    if known.last_day is not None:
        behind = (today - known.last_day).days
        if behind > 0:
            lines.append(
                f"最新考勤是{say(known.last_day)}的，此后的情况不在内。"
                if zh
                else f"The newest attendance is of {say(known.last_day)}; nothing after it counts."
            )
    if known.last_day is not None and known.without_attendance:
        lines.append(_without_attendance(known, lang))
    lines += _silences(known.silences, lang, today)
    if not known.calendar:
        lines.append(
            "没有校历：有考勤的日子才算上学日，整天没有上报看不出来，期限是估计的。"
            if zh
            else "No calendar: only days with attendance count as school days, a day that nobody "
            "handed in does not show, and due dates are estimates."
        )
    if known.last_exam is None:
        lines.append(
            "没有任何考试成绩，学习上的迹象看不到。"
            if zh
            else "No marks at all: signs of trouble with learning cannot be seen."
        )
    elif known.without_marks:
        share = wording.percent(known.without_marks / max(school.cohort, 1))
        lines.append(
            f"{known.without_marks} 人（{share}）没有最近考试成绩。"
            if zh
            else f"{known.without_marks} children ({share}) have no mark in a latest exam."
        )
    lines += _registry(known, lang, today)
    if not known.outcomes:
        lines.append(
            "没有去向记录（辍学、转学、复学等）：谁已经离开、这样的名单准不准，无从核对。"
            if zh
            else "No outcomes (dropped out, transferred, returned): who has left, and how often "
            "such a list is right, cannot be checked."
        )
    if listing.model.startswith("experts/"):
        lines.append(
            "分值是专家事先定的，不是从本地结果学来的。"
            if zh
            else "The points were set by experts beforehand, not learned from what happened here."
        )
    if listing.resolved_since is None:
        lines.append(
            "还没有跟进台账：谁联系过、哪一步逾期，不知道。"
            if zh
            else "There is no follow-up ledger yet: who was contacted and what is overdue."
        )
    lines.append(
        "家里的事、孩子的想法，名单都不知道。"
        if zh
        else "What happens at home, and what the child thinks, no list knows."
    )
    return lines


def _registry(known: Limits, lang: Lang, today: date) -> list[str]:
    zh = lang == "zh"
    lines = []
    if known.snapshot is not None:
        day, age = day_in_words(known.snapshot, lang, today), (today - known.snapshot).days
        lines.append(
            f"学籍信息登记于{day}（{age} 天前），此后的变化不在内。"
            if zh
            else f"The registry is of {day}, {age} days old; no change since is known."
        )
    if known.quarantined:
        lines.append(
            f"各校学籍共有 {known.quarantined} 行在隔离区，尚未改正：其中的孩子不在任何名单上。"
            if zh
            else f"{counted(known.quarantined, 'row')} of the registry, of all schools, in "
            "quarantine and not mended yet: children of theirs are on no list."
        )
    return lines


def _without_attendance(known: Limits, lang: Lang) -> str:
    """Return how many children have no attendance, naming the classes that handed in nothing."""
    shown = known.silent_classes[:_CLASSES]
    more = len(known.silent_classes) > len(shown)
    if lang == "zh":
        classes = f"，其中{'、'.join(shown)}{'等' if more else ''}全班没有" if shown else ""
        return f"{known.without_attendance} 人近60个上学日没有任何考勤{classes}：缺没缺勤，不知道。"
    classes = f", the whole of {', '.join(shown)}{' and others' if more else ''}" if shown else ""
    children = wording.count(known.without_attendance, lang, "child has", "children have")
    return (
        f"{children} no attendance record in the last 60 school days{classes}: "
        "whether they were absent is not known."
    )


def _silences(silences: Sequence[Silence], lang: Lang, today: date) -> list[str]:
    """Return the sentence that names the weeks not reported; weeks in a row are drawn together."""
    zh = lang == "zh"
    whole: list[Silence] = []
    parts: list[str] = []

    def flush() -> None:
        if whole:
            weeks = wording.span(whole[0].first, whole[-1].last, lang, today)
            number = len(whole)
            all_of_it = f"整 {number} 周" if zh else f"{number} whole week{'s'[: number > 1]}"
            parts.append(f"{weeks}（{all_of_it}）" if zh else f"{weeks} ({all_of_it})")
            whole.clear()

    for week in silences:
        if week.missing == week.days:
            if whole and (week.first - whole[-1].first).days > 7 + 6:
                flush()
            whole.append(week)
            continue
        flush()
        days = wording.span(week.first, week.last, lang, today)
        if week.missing:
            part = f"{week.days} 天缺 {week.missing} 天" if zh else f"{week.missing} of {week.days}"
        else:
            part = "个别班级" if zh else "some classes"
        parts.append(f"{days}（{part}）" if zh else f"{days} ({part})")
    flush()
    if not parts:
        return []
    if zh:
        return [f"近60个上学日里没有报考勤：{'、'.join(parts)}。没报不等于到校。"]
    return [
        f"Of the last 60 school days no attendance was reported for {', '.join(parts)}. "
        "Not reported does not mean present."
    ]


def cause_words(cause: Cause, lang: Lang) -> str:
    """Return `好转：近5天缺勤率`."""
    return f"{wording.CAUSE_WORDS[cause.kind](lang)}{'：' if lang == 'zh' else ': '}" + cause.text(
        lang
    )


def case_words(case: Followed, lang: Lang, today: date) -> str:
    """Return how far the follow-up is: `已家访 · 联系 6月8日 · 家访 6月9日`."""
    parts = [STATE_LABELS[case.state](lang)]
    for key, when in (("contacted", case.contacted_on), ("visited", case.visited_on)):
        if when is not None:
            parts.append(f"{wording.word(key, lang)} {day_in_words(when, lang, today)}")
    return " · ".join(parts)


def overdue_words(steps: int, lang: Lang) -> str:
    """Return `1 步逾期`, `2 steps overdue`."""
    if lang == "zh":
        return f"{steps} 步逾期"
    return f"{steps} step{'s'[: steps > 1]} overdue"


def change_words(child: ListedChild, lang: Lang) -> str:
    """Return `上升（上期第 7，关注）`, or just `新增`."""
    words = wording.CHANGE_WORDS[child.change](lang)
    if child.previous_rank is None or child.change == "same":
        return words
    tier = TIER_LABELS[child.previous_tier or "routine"](lang)
    if child.previous_tier == child.tier:
        tier = ""
    if lang == "zh":
        return f"{words}（上期第 {child.previous_rank}{'，' + tier if tier else ''}）"
    return f"{words} (was no. {child.previous_rank}{', ' + tier if tier else ''})"


def strip_span(child: ListedChild, lang: Lang, listing: Listing) -> tuple[str, str]:
    """Return the first and last day of the strip in words (both empty without days)."""
    if child.strip_from is None or child.strip_to is None:
        return "", ""
    return (
        day_in_words(child.strip_from, lang, listing.as_of),
        day_in_words(child.strip_to, lang, listing.as_of),
    )


def strip_words(strip: str, lang: Lang) -> str:
    """Return the strip counted in words, for who cannot see it: `旷课 3 天、病假 2 天`."""
    parts = []
    for code, label in wording.STRIP_LABELS.items():
        number = strip.count(code)
        if number and code != "p":
            parts.append(f"{label.zh} {number} 天" if lang == "zh" else f"{label.en} {number}")
    if not parts:
        return "每天都到校" if lang == "zh" else "there every day"
    return "、".join(parts) if lang == "zh" else ", ".join(parts)
