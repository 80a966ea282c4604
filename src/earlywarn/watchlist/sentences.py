"""What stands above a list and beside a child, in whole sentences, for page and workbook alike."""

from __future__ import annotations

from datetime import date

from earlywarn.errors import Lang
from earlywarn.watchlist import wording
from earlywarn.watchlist.rows import LISTED_TIERS, ListedChild, Listing, SchoolList
from earlywarn.words import TIER_LABELS


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
    before = wording.day(listing.previous_as_of, lang, listing.as_of)
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
    if listing.previous_as_of is None:
        lines.append(compared(listing, lang) + ("。" if zh else "."))
        return lines
    parts = [
        f"{wording.CHANGE_WORDS[change](lang)} {school.changes.get(change, 0)}"
        for change in ("new", "up", "down", "same")
    ]
    parts.append(f"退出名单 {school.left}" if zh else f"no longer listed {school.left}")
    lines.append(
        f"{compared(listing, lang)}：{'、'.join(parts)}。"
        if zh
        else f"{compared(listing, lang)}: {', '.join(parts)}."
    )
    return lines


def limits(listing: Listing, school: SchoolList, lang: Lang) -> list[str]:
    """Return what this school's list cannot know, one sentence each."""
    known, today = school.limits, listing.as_of
    zh = lang == "zh"

    def say(when: date) -> str:
        return wording.day(when, lang, today)

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
    if known.without_marks:
        share = wording.percent(known.without_marks / max(school.cohort, 1))
        lines.append(
            f"{known.without_marks} 人（{share}）没有最近考试成绩。"
            if zh
            else f"{known.without_marks} children ({share}) have no mark in a latest exam."
        )
    if known.snapshot is not None:
        lines.append(
            f"学籍信息登记于{say(known.snapshot)}（{(today - known.snapshot).days} 天前）。"
            if zh
            else f"The registry is of {say(known.snapshot)}, "
            f"{(today - known.snapshot).days} days old."
        )
    lines.append(
        "家里的事、孩子的想法，名单都不知道。"
        if zh
        else "What happens at home, and what the child thinks, no list knows."
    )
    return lines


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
        wording.day(child.strip_from, lang, listing.as_of),
        wording.day(child.strip_to, lang, listing.as_of),
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
