"""The attendance of the last 60 school days as a picture, small beside a row and large on a sheet.

The small one is a bar a day, higher the worse; the large one a square a day with its date and sign.
Both read without colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from earlywarn.errors import Lang
from earlywarn.watchlist import wording
from earlywarn.watchlist.rows import ListedChild, Listing
from earlywarn.watchlist.sentences import strip_words
from earlywarn.words import day_in_words

BAR, STEP, WEEK_GAP, HEIGHT = 4, 5, 3, 26
_BARS = {"p": 2, "h": 8, "l": 9, "e": 9, "s": 16, "v": 16, "x": 26, "n": 6, "u": 12}


@dataclass(frozen=True, slots=True)
class Week:
    """One calendar week of the large picture: the date that it begins with, and its squares.

    A square is the day of the month, the code of its mark, and the sign of it.
    """

    begins: str
    squares: tuple[tuple[int, str, str], ...]


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
    """Return the small picture as inline SVG, made of letters and numbers of ours only."""
    if not child.strip:
        return Markup("")
    paths, width = _bars(child.strip)
    drawn = "".join(f'<path class="m-{sign}" d="{path}"/>' for sign, path in paths.items())
    label = Markup.escape(strip_words(child.strip, lang))
    return Markup(  # noqa: S704  (nothing in it comes from data but escaped words)
        f'<svg class="strip" viewBox="-1 -1 {width + 2} {HEIGHT + 2}" role="img" '
        f'aria-label="{label}"><title>{label}</title>{drawn}</svg>'
    )


def legend(lang: Lang) -> list[tuple[Markup, str]]:
    """Return each mark of the small picture with its label."""
    entries = []
    for code, label in wording.STRIP_LABELS.items():
        paths, width = _bars(code)
        picture = Markup(  # noqa: S704
            f'<svg class="key" viewBox="-1 -1 {width + 1} {HEIGHT + 2}" aria-hidden="true">'
            f'<path class="m-{code}" d="{paths[code]}"/></svg>'
        )
        entries.append((picture, label(lang)))
    return entries


def weeks(child: ListedChild, lang: Lang, listing: Listing) -> list[Week]:
    """Return the large picture, oldest week first."""
    found = []
    days = iter(child.strip_days)
    signs = wording.STRIP_TEXT[lang]
    for marks in filter(None, child.strip.split("|")):
        dated = [(next(days), mark) for mark in marks]
        found.append(
            Week(
                day_in_words(dated[0][0], lang, listing.as_of),
                tuple((when.day, mark, signs[mark]) for when, mark in dated),
            )
        )
    return found


def big_legend(lang: Lang) -> list[tuple[str, str, str]]:
    """Return code, sign and label of each mark of the large picture."""
    signs = wording.STRIP_TEXT[lang]
    return [(code, signs[code], label(lang)) for code, label in wording.STRIP_LABELS.items()]
