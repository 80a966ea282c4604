"""The printable page of one school, and the bureau's index: self-contained HTML.

A school's page needs no script and fetches nothing; it reads on paper, on a phone, in light and
dark, and its tiers tell apart without colour.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from earlywarn.errors import Lang, Text
from earlywarn.watchlist import wording
from earlywarn.watchlist.rows import LISTED_TIERS, ListedChild, Listing, SchoolList
from earlywarn.watchlist.sentences import (
    change_words,
    compared,
    limits,
    strip_span,
    strip_words,
    summary,
)
from earlywarn.words import TIER_LABELS

# The strip's picture: one bar a day, higher the worse, so that it reads without colour.
BAR, STEP, WEEK_GAP, HEIGHT = 4, 5, 3, 26
_BARS = {"p": 2, "h": 8, "l": 9, "e": 9, "s": 16, "v": 16, "x": 26, "n": 6, "u": 12}


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("earlywarn.watchlist", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def school_page(listing: Listing, school: SchoolList, lang: Lang) -> str:
    """Return the HTML page of one school's watchlist."""
    return _template("school.html.j2").render(
        _common(listing, lang)
        | {
            "school": school,
            "summary": summary(listing, school, lang, with_tiers=False),
            "limits": limits(listing, school, lang),
            "strip": lambda child: strip_svg(child, lang),
            "strip_span": lambda child: strip_span(child, lang, listing),
            "legend": _legend(lang),
            "change": lambda child: change_words(child, lang),
            "due": lambda child: wording.due_day(
                child.step.due, lang, listing.as_of, child.step.about
            ),
            "student_id": lambda child: wording.short_id(child.student_id, lang),
            "fill_in": [
                wording.word(key, lang)
                for key in (
                    "contacted_on",
                    "contacted_by",
                    "visited_on",
                    "where",
                    "cause",
                    "outcome",
                    "next",
                )
            ],
        }
    )


def index_page(
    listing: Listing, files: dict[str, tuple[PurePosixPath, PurePosixPath]], lang: Lang
) -> str:
    """Return the bureau's page: every school's numbers and links.

    Parameters
    ----------
    files
        School id to the paths of its HTML and XLSX, relative to the index.
    """
    order = sorted(
        listing.schools,
        key=lambda s: (
            s.county,
            -s.listed["urgent"],
            -s.listed["high"],
            -s.listed_total,
            s.school_id,
        ),
    )
    counties = [
        {"name": name or "–", "sums": _sums(list(group))}
        for name, group in groupby(order, key=lambda school: school.county)
    ]
    links = {school: tuple(quote(str(path)) for path in paths) for school, paths in files.items()}
    return _template("index.html.j2").render(
        _common(listing, lang)
        | {
            "schools": order,
            "links": links,
            "total": _sums(order),
            "counties": counties,
            "compared": compared(listing, lang),
            "day": lambda when: wording.day(when, lang, listing.as_of) if when else "–",
        }
    )


def _sums(schools: list[SchoolList]) -> dict[str, int]:
    sums = {
        "schools": len(schools),
        "cohort": sum(s.cohort for s in schools),
        "listed": sum(s.listed_total for s in schools),
        "new": sum(s.changes.get("new", 0) for s in schools),
        "cut": sum(s.cut_total for s in schools),
        "capacity": sum(s.capacity for s in schools),
    }
    return sums | {tier: sum(s.listed[tier] for s in schools) for tier in LISTED_TIERS}


def _common(listing: Listing, lang: Lang) -> dict[str, Any]:
    return {
        "lang": lang,
        "listing": listing,
        "t": lambda key: wording.word(key, lang),
        "say": lambda text: text(lang) if isinstance(text, Text) else str(text),
        "tiers": LISTED_TIERS,
        "tier_label": {tier: label(lang) for tier, label in TIER_LABELS.items()},
        "tier_meaning": {tier: words(lang) for tier, words in wording.TIER_MEANING.items()},
        "change_sign": wording.CHANGE_SIGNS,
        "as_of": wording.day(listing.as_of, lang),
        "ask_home": wording.ASK_HOME(lang),
        "conversation": wording.CONVERSATION(lang),
        "nothing_single": wording.NOTHING_SINGLE(lang),
        "generated": f"{wording.GENERATED.zh} / {wording.GENERATED.en}",
        "generated_note": wording.GENERATED_NOTE(lang),
        "percent": wording.percent,
    }


def _bars(strip: str) -> tuple[dict[str, str], int]:
    """Return one SVG path a mark, and the width."""
    paths: dict[str, list[str]] = {}
    x = 0
    for sign in strip:
        if sign == "|":
            x += WEEK_GAP
            continue
        height = _BARS[sign]
        paths.setdefault(sign, []).append(f"M{x} {HEIGHT - height}h{BAR}v{height}h-{BAR}z")
        x += STEP
    return {sign: "".join(parts) for sign, parts in sorted(paths.items())}, max(x, 1)


def strip_svg(child: ListedChild, lang: Lang) -> Markup:
    """Return the attendance picture as inline SVG, made of letters and numbers of ours only."""
    if not child.strip:
        return Markup("")
    paths, width = _bars(child.strip)
    drawn = "".join(f'<path class="m-{sign}" d="{path}"/>' for sign, path in paths.items())
    label = Markup.escape(strip_words(child.strip, lang))
    return Markup(  # noqa: S704  (nothing in it comes from data but escaped words)
        f'<svg class="strip" viewBox="-1 -1 {width + 2} {HEIGHT + 2}" role="img" '
        f'aria-label="{label}"><title>{label}</title>{drawn}</svg>'
    )


def _legend(lang: Lang) -> list[tuple[Markup, str]]:
    entries = []
    for code, label in wording.STRIP_LABELS.items():
        paths, width = _bars(code)
        picture = Markup(  # noqa: S704
            f'<svg class="key" viewBox="-1 -1 {width + 1} {HEIGHT + 2}" aria-hidden="true">'
            f'<path class="m-{code}" d="{paths[code]}"/></svg>'
        )
        entries.append((picture, label(lang)))
    return entries
