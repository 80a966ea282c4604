"""The report as one self-contained HTML page that prints on A4."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from earlywarn.errors import Lang
from earlywarn.pages import template
from earlywarn.report.period import words
from earlywarn.report.period.figures import Counts
from earlywarn.report.period.kept import SchoolLine
from earlywarn.report.period.periods import parse_period
from earlywarn.report.period.shown import Shown
from earlywarn.watchlist import wording
from earlywarn.words import CODE_LABELS, day_in_words

MEASURES = ("enrolled", "suspected", "returned", "dropped_out", "rate")
NEEDS = ("overdue", "aid_gap", "file", "untaught")


def page(shown: Shown, lang: Lang | None = None) -> str:
    """Return report.html, in the report's language if none is asked for."""
    lang = lang or shown.report.lang
    report = shown.report
    figures = report.figures
    schools = ordered(shown)
    return template("period.html.j2", "earlywarn.report", "earlywarn.watchlist").render(
        lang=lang,
        report=report,
        title=shown.period.title(lang),
        t=lambda key: words.word(key, lang),
        day=lambda when: day_in_words(when, lang),
        made=day_in_words(words.made_on(report.made), lang),
        generated=f"{wording.GENERATED.zh} / {wording.GENERATED.en}",
        generated_note=words.word("generated_note", lang),
        headline=words.headline(report, lang),
        standing=words.standing(report, lang),
        measures=MEASURES,
        needs=NEEDS,
        cells=lambda of, name, counts: place_cells(shown, of, name, counts, lang),
        main=[("total", "", figures.total), *_named("stage", stages(shown))],
        counties=[*_named("county", figures.county), ("total", "", figures.total)],
        groups=_named("group", figures.group),
        causes=causes(figures.causes),
        cause=lambda code: words.cause(code, lang),
        name=lambda of, name: words.name_of(of, name, shown, lang),
        correction_cells=lambda change: words.change_words(change, shown, lang),
        on=lambda made: day_in_words(words.made_on(made), lang),
        month=lambda of: parse_period("month", of, shown.config).label(lang),
        period=lambda of: parse_period(report.kind, of, shown.config).label(lang),
        added=lambda month: month.reported.plus(month.corrections),
        month_sum=_sum(month.now for month in report.months),
        owed=_owed(shown),
        owed_total=_needs(report.schools.values()),
        late=[s for s in schools if report.schools[s].state in ("none", "late")],
        over=[s for s in schools if report.schools[s].over],
        keys=_keys(shown),
        key_label=words.KEY_LABELS | {"": words.WORDS["ordinary"]},
        key=lambda names: words.word_list([words.KEY_LABELS[n] for n in names], lang),
        uninspected=[s for s in schools if report.schools[s].inspections_missing],
        by_county=[(county, list(some)) for county, some in groupby(schools, _county(shown))],
        place=shown.places.get,
        shown_cells=lambda school: school_cells(shown, school, lang),
        stage=lambda code: (
            CODE_LABELS["stage"][code](lang) if code in CODE_LABELS["stage"] else code
        ),
        percent=words.percent,
        number=lambda value: "–" if value is None else f"{value:,}",
        notes=words.notes(report, lang),
    )


def ordered(shown: Shown) -> list[str]:
    """Return the schools by county, township and id."""
    places = shown.places

    def key(school: str) -> tuple[str, str, str]:
        place = places.get(school)
        return (place.county, place.township, school) if place else ("", "", school)

    return sorted(shown.report.schools, key=key)


def place_cells(shown: Shown, of: str, name: str, counts: Counts, lang: Lang) -> list[str]:
    """Return counts as cells; where no school concerned handed anything in, 0 is `not reported`."""
    county_of = _county(shown)
    states = {
        line.state
        for school, line in shown.report.schools.items()
        if line.state != "no_days" and (of != "county" or county_of(school) == name)
    }
    return _cells(counts, is_silent=states == {"none"}, lang=lang)


def school_cells(shown: Shown, school: str, lang: Lang) -> list[str]:
    """Return a school's counts as cells; where nothing was handed in, 0 is `not reported`."""
    counts = shown.report.figures.school.get(school, Counts())
    return _cells(counts, is_silent=shown.report.schools[school].state == "none", lang=lang)


def _cells(counts: Counts, *, is_silent: bool, lang: Lang) -> list[str]:
    found = words.cells(counts)
    if not is_silent:
        return found
    unknown = words.word("none_reported", lang)
    return [found[0], *(unknown if cell in ("0", words.NOTHING) else cell for cell in found[1:])]


def _county(shown: Shown) -> Callable[[str], str]:
    places = shown.places
    return lambda school: places[school].county if school in places else ""


def _keys(shown: Shown) -> list[tuple[str, int, Counts]]:
    """Return (kind, schools, their counts) of each kind of key school, and of those of no kind."""
    report, found = shown.report, []
    for kind in (*words.KEY_LABELS, ""):
        some = [
            school
            for school, line in report.schools.items()
            if (kind in line.keys if kind else not line.keys)
        ]
        counts = _sum(report.figures.school.get(school, Counts()) for school in some)
        found.append((kind, len(some), counts))
    return found


def stages(shown: Shown) -> dict[str, Counts]:
    """Return the counts by stage, in order of their grades."""
    known = shown.report.figures.stage
    return {s: known[s] for s in sorted(known, key=lambda s: (not s, _order(shown, s), s))}


def _order(shown: Shown, stage: str) -> int:
    grades = shown.config.stages.get(stage)
    return grades[0] if grades else 0


def _named(of: str, counts: Mapping[str, Counts]) -> list[tuple[str, str, Counts]]:
    return [(of, name, c) for name, c in counts.items()]


def causes(given: Mapping[Any, Mapping[str, int]]) -> list[tuple[str, int, int]]:
    """Return (cause, suspected, dropped out), the most dropouts first, none given last."""
    suspected, out = given.get("suspected", {}), given.get("dropped_out", {})
    found = [(code, suspected.get(code, 0), out.get(code, 0)) for code in {*suspected, *out}]
    return sorted(found, key=lambda row: (not row[0], -row[2], -row[1], row[0]))


def _sum(counts: Iterable[Counts]) -> Counts:
    total = Counts()
    for one in counts:
        total = total.plus(one)
    return total


def _owed(shown: Shown) -> list[tuple[str, dict[str, int | None]]]:
    """Return what is overdue or owed, by county."""
    by_county: dict[str, list[SchoolLine]] = {}
    for school, line in shown.report.schools.items():
        place = shown.places.get(school)
        by_county.setdefault(place.county if place else "", []).append(line)
    return [(county, _needs(lines)) for county, lines in sorted(by_county.items())]


def _needs(lines: Iterable[SchoolLine]) -> dict[str, int | None]:
    some = list(lines)
    known = all(line.overdue is not None for line in some)
    return {
        "overdue": sum(line.overdue or 0 for line in some) if known else None,
        "aid_gap": sum(line.aid_gap for line in some),
        "file": sum(line.file for line in some),
        "untaught": sum(line.untaught for line in some),
    }
