"""The bureau's pages: an index of every school, and a page a county and a township.

They are for an authorised role: reasons stand there in full, monitored groups included. A script
sorts the tables of schools; nothing needs it to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from earlywarn.errors import Lang
from earlywarn.followup.answers import OUTCOMES
from earlywarn.watchlist import wording
from earlywarn.watchlist.files import safe_name
from earlywarn.watchlist.html import common, template
from earlywarn.watchlist.pictures import legend, strip_svg
from earlywarn.watchlist.rows import LISTED_TIERS, ListedChild, Listing, SchoolList
from earlywarn.watchlist.sentences import compared, strip_span

FOLDER = "bureau"
Place = tuple[str, str]  # county and township; a whole county has no township
SchoolFiles = Mapping[str, tuple[PurePosixPath, PurePosixPath]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A county or township in a table: its name, the link to its page, its sums."""

    name: str
    link: str
    sums: dict[str, Any]


def place_files(schools: Iterable[SchoolList]) -> dict[Place, PurePosixPath]:
    """Return the page of each county and each township, relative to the index.

    Names differ even where a file system does not tell upper from lower case.
    """
    places = {(school.county, "") for school in schools}
    places |= {(school.county, school.township) for school in schools if school.township}
    found: dict[Place, PurePosixPath] = {}
    taken: set[str] = set()
    for county, township in sorted(places):
        base = safe_name(" ".join(filter(None, (county or "-", township))))
        name, number = base, 2
        while name.lower() in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name.lower())
        found[(county, township)] = PurePosixPath(FOLDER, f"{name}.html")
    return found


class Bureau:
    """Makes the bureau's pages.

    Parameters
    ----------
    files
        School id to the paths of its HTML and XLSX, relative to the index.
    places
        The pages of counties and townships (`place_files`).
    """

    def __init__(
        self,
        listing: Listing,
        files: SchoolFiles,
        places: Mapping[Place, PurePosixPath],
        lang: Lang,
    ) -> None:
        self._listing, self._places, self._lang = listing, places, lang
        self._files = files
        self._order = _ordered(listing.schools)
        self._below = self._common("../") | {
            "row": self._row,
            "legend": legend(lang),
            "outcome": {code: text(lang) for code, text in OUTCOMES.items()},
            "strip": lambda child: strip_svg(child, lang),
            "strip_span": lambda child: strip_span(child, lang, listing),
        }
        self._rows: dict[str, Markup] = {}

    def index(self) -> str:
        """Return the page of all schools."""
        return template("index.html.j2").render(
            self._common("")
            | {
                "schools": self._order,
                "total": _sums(self._order),
                "parts": self._parts(self._order, lambda s: (s.county, ""), up=""),
            }
        )

    def place(self, place: Place) -> str:
        """Return the page of a county or township: its schools, their listed children by tier."""
        county, township = place
        order = [
            school
            for school in self._order
            if school.county == county and township in ("", school.township)
        ]
        parts = []
        if not township:
            named = [school for school in order if school.township]
            parts = self._parts(named, lambda s: (s.county, s.township), up="../")
        return template("place.html.j2").render(
            self._below
            | {
                "name": township or county or wording.word("no_place", self._lang),
                "county": county if township else "",
                "schools": order,
                "total": _sums(order),
                "parts": parts,
                "by_tier": [(tier, _children(order, tier)) for tier in LISTED_TIERS],
            }
        )

    def _row(self, school: SchoolList, child: ListedChild) -> Markup:
        """Return a child's row, made once for its county's page and its township's."""
        row = self._rows.get(child.student_id)
        if row is None:
            values = self._below | {"school": school, "child": child}
            # The template has escaped what comes from data.
            row = Markup(template("place_row.html.j2").render(values))  # noqa: S704
            self._rows[child.student_id] = row
        return row

    def _parts(
        self, schools: Iterable[SchoolList], place_of: Callable[[SchoolList], Place], up: str
    ) -> list[_Part]:
        return [
            _Part(
                place[1] or place[0] or wording.word("no_place", self._lang),
                up + quote(str(self._places[place])),
                _sums(list(group)),
            )
            for place, group in groupby(sorted(schools, key=place_of), key=place_of)
        ]

    def _common(self, up: str) -> dict[str, Any]:
        links = {
            school_id: tuple(up + quote(str(path)) for path in paths)
            for school_id, paths in self._files.items()
        }
        return common(self._listing, self._lang) | {
            "links": links,
            "place_links": {place: up + quote(str(p)) for place, p in self._places.items()},
            "number": lambda value: "–" if value is None else f"{value:,}",
            "compared": compared(self._listing, self._lang),
        }


def _children(schools: Sequence[SchoolList], tier: str) -> list[tuple[SchoolList, ListedChild]]:
    """Return the children of one tier, the highest score first."""
    found = [(s, child) for s in schools for child in s.children if child.tier == tier]
    return sorted(found, key=lambda pair: (-pair[1].score, pair[1].student_id))


def _ordered(schools: Iterable[SchoolList]) -> list[SchoolList]:
    return sorted(
        schools,
        key=lambda s: (
            s.county,
            -s.listed["urgent"],
            -s.listed["high"],
            -s.listed_total,
            s.school_id,
        ),
    )


def _sums(schools: Sequence[SchoolList]) -> dict[str, Any]:
    sums: dict[str, Any] = {
        "schools": len(schools),
        "cohort": sum(s.cohort for s in schools),
        "listed": sum(s.listed_total for s in schools),
        "new": sum(s.changes.get("new", 0) for s in schools),
        "cut": sum(s.cut_total for s in schools),
        "capacity": sum(s.capacity for s in schools),
        "resolved": _known(s.resolved for s in schools),
        "overdue": _known(s.overdue for s in schools),
    }
    return sums | {tier: sum(s.listed[tier] for s in schools) for tier in LISTED_TIERS}


def _known(numbers: Iterable[int | None]) -> int | None:
    found = [number for number in numbers if number is not None]
    return sum(found) if found else None
