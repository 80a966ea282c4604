"""The printable page of one school: its list, and a sheet for each urgent child. Self-contained.

It needs no script and fetches nothing; it reads on paper, on a phone, in light and dark, and its
tiers tell apart without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Template

from earlywarn import pages
from earlywarn.errors import Lang, Text
from earlywarn.watchlist import wording
from earlywarn.watchlist.pictures import big_legend, legend, strip_svg, weeks
from earlywarn.watchlist.rows import LISTED_TIERS, Cause, Listing, Reason, SchoolList
from earlywarn.watchlist.sentences import (
    case_words,
    cause_words,
    change_words,
    changes,
    limits,
    numbers,
    overdue_words,
    strip_span,
    strip_words,
    why_changed,
)
from earlywarn.words import TIER_LABELS, day_in_words

# What is filled in by hand under each row on paper, as in the workbook.
_BY_HAND = ("contacted_on", "contacted_by", "visited_on", "where", "cause", "outcome", "next")


@cache
def template(name: str) -> Template:
    """Return one of the package's templates; what it prints is escaped."""
    return pages.template(name, "earlywarn.watchlist")


def school_page(listing: Listing, school: SchoolList, lang: Lang) -> str:
    """Return the HTML page of one school's watchlist."""
    return template("school.html.j2").render(
        common(listing, lang)
        | {
            "school": school,
            "numbers": numbers(listing, school, lang),
            "changes": changes(listing, school, lang),
            "why_changed": why_changed(listing, lang),
            "limits": limits(listing, school, lang),
            "urgent": [child for child in school.children if child.tier == "urgent"],
            "strip": lambda child: strip_svg(child, lang),
            "strip_span": lambda child: strip_span(child, lang, listing),
            "strip_words": lambda child: strip_words(child.strip, lang),
            "weeks": lambda child: weeks(child, lang, listing),
            "legend": legend(lang),
            "big_legend": big_legend(lang),
            "fill_in": [wording.word(key, lang) for key in _BY_HAND],
        }
    )


def _cause_shown(reasons: Sequence[Reason], cause: Cause | None) -> str:
    """Return the term of the shown reason that is the cause of a change; empty if none is."""
    if cause is None or cause.kind not in ("new", "worse"):
        return ""
    return cause.term if any(reason.term == cause.term for reason in reasons) else ""


def common(listing: Listing, lang: Lang) -> dict[str, Any]:
    """Return what every page's template needs."""
    today = listing.as_of
    return {
        "lang": lang,
        "listing": listing,
        "colon": "：" if lang == "zh" else ": ",
        "t": lambda key: wording.word(key, lang),
        "say": lambda text: text(lang) if isinstance(text, Text) else str(text),
        "tiers": LISTED_TIERS,
        "tier_label": {tier: label(lang) for tier, label in TIER_LABELS.items()},
        "tier_meaning": {tier: words(lang) for tier, words in wording.TIER_MEANING.items()},
        "change_sign": wording.CHANGE_SIGNS,
        "change": lambda child: change_words(child, lang),
        "cause_label": {kind: words(lang) for kind, words in wording.CAUSE_WORDS.items()},
        "cause_words": lambda cause: cause_words(cause, lang),
        "cause_shown": _cause_shown,
        "case": lambda case: case_words(case, lang, today),
        "overdue": lambda steps: overdue_words(steps, lang),
        "due": lambda step: wording.due_day(step.due, lang, today, step.about),
        "day": lambda when: day_in_words(when, lang, today) if when else "–",
        "student_id": lambda child: wording.short_id(child.student_id, lang),
        "as_of": day_in_words(today, lang),
        "ask_home": wording.ASK_HOME(lang),
        "conversation": wording.CONVERSATION(lang),
        "nothing_single": wording.NOTHING_SINGLE(lang),
        "generated": f"{wording.GENERATED.zh} / {wording.GENERATED.en}",
        "generated_note": wording.GENERATED_NOTE(lang),
        "percent": wording.percent,
    }
