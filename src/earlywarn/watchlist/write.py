"""Write a listing's files: for each school a page and a workbook, and the bureau's overview.

index.html                      the bureau's page, with links
schools/30101 青河镇中心小学.html   one page and one workbook a school: all that a school gets
schools/30101 青河镇中心小学.xlsx
bureau/watchlist.csv, .json     every listed child with full reasons: for an authorised role
bureau/青河县.html              the same as a page, one a county ...
bureau/青河县 白石乡.html       ... and one a township
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from joblib import Parallel, delayed

from earlywarn.errors import Lang
from earlywarn.scoring.engines import Spread
from earlywarn.watchlist.bureau import Bureau, place_files
from earlywarn.watchlist.files import file_names, listing_csv, listing_json
from earlywarn.watchlist.html import school_page
from earlywarn.watchlist.rows import Listing, SchoolList, WatchlistFiles
from earlywarn.watchlist.workbook import school_workbook

# Below so many schools starting other processes costs more than it saves.
WORTH_PROCESSES = 400
AT_A_TIME = 50


def write_watchlists(
    folder: Path,
    listing: Listing,
    lang: Lang,
    *,
    jobs: int | None = None,
    spread: Spread | None = None,
) -> WatchlistFiles:
    """Write every file of `listing` into `folder` (made if it is not there).

    The folder is part of a run that appears whole or not at all, so files are written plainly.

    Parameters
    ----------
    jobs
        Processes to use; default: one for few schools, else one a core.
    spread
        Where the schools' files are written instead, `AT_A_TIME` schools a piece.
    """
    schools = folder / "schools"
    bureau = folder / "bureau"
    schools.mkdir(parents=True, exist_ok=True)
    bureau.mkdir(exist_ok=True)
    names = file_names(listing.schools)
    links = {
        school_id: (
            PurePosixPath("schools", f"{name}.html"),
            PurePosixPath("schools", f"{name}.xlsx"),
        )
        for school_id, name in names.items()
    }
    _write_schools(schools, listing, names, lang, jobs, spread)
    index = folder / "index.html"
    places = place_files(listing.schools)
    pages = Bureau(listing, links, places, lang)
    index.write_text(pages.index(), encoding="utf-8", newline="\n")
    for place, path in places.items():
        (folder / path).write_text(pages.place(place), encoding="utf-8", newline="\n")
    (bureau / "watchlist.csv").write_bytes(listing_csv(listing, lang))
    (bureau / "watchlist.json").write_bytes(listing_json(listing, links, lang))
    return WatchlistFiles(
        index=index,
        csv=bureau / "watchlist.csv",
        json=bureau / "watchlist.json",
        schools={
            school_id: (folder / page, folder / workbook)
            for school_id, (page, workbook) in links.items()
        },
        places=tuple(folder / path for path in places.values()),
    )


def _write_schools(
    folder: Path,
    listing: Listing,
    names: dict[str, str],
    lang: Lang,
    jobs: int | None,
    spread: Spread | None,
) -> None:
    head = _without_schools(listing)
    named = [(names[school.school_id], school) for school in listing.schools]
    if spread is not None:
        parts = [named[begin : begin + AT_A_TIME] for begin in range(0, len(named), AT_A_TIME)]
        spread(_write_some, [(folder, head, part, lang) for part in parts])
        return
    if jobs is None:
        jobs = 1 if len(listing.schools) < WORTH_PROCESSES else (os.cpu_count() or 1)
    if jobs == 1:
        _write_some(folder, head, named, lang)
        return
    parts = [named[start::jobs] for start in range(jobs)]
    Parallel(n_jobs=jobs)(delayed(_write_some)(folder, head, part, lang) for part in parts if part)


def _without_schools(listing: Listing) -> Listing:
    """Return what every school's page needs of the listing: nothing of other schools."""
    return replace(listing, schools=())


def _write_some(
    folder: Path,
    listing: Listing,
    schools: Sequence[tuple[str, SchoolList]],
    lang: Lang,
) -> None:
    """Write the page and the workbook of each school, under its name."""
    for name, school in schools:
        page = school_page(listing, school, lang)
        (folder / f"{name}.html").write_text(page, encoding="utf-8", newline="\n")
        (folder / f"{name}.xlsx").write_bytes(school_workbook(listing, school, lang))
