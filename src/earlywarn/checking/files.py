"""A check as files: a page to read and print, and JSON for programs. They name no child."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from earlywarn import __version__
from earlywarn.checking import wording
from earlywarn.checking.columns import label
from earlywarn.checking.finding import Finding
from earlywarn.checking.numbers import percent
from earlywarn.checking.state import State
from earlywarn.errors import Lang
from earlywarn.pages import template
from earlywarn.words import day_in_words

PAGE_FILE, JSON_FILE = "check.html", "check.json"


def write(folder: Path, state: State, lang: Lang) -> None:
    """Write the page and the JSON into `folder`."""
    (folder / PAGE_FILE).write_bytes(page(state, lang))
    told = {"format": 1, "program": __version__} | as_dict(state, lang)
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    (folder / JSON_FILE).write_bytes(text.encode())


def page(state: State, lang: Lang) -> bytes:
    """Return the page: it fetches nothing, needs no script, and prints on A4."""
    made = template("check.html.j2", "earlywarn.checking").render(
        lang=lang,
        state=state,
        sections=by_school(state),
        totals=wording.totals(state)(lang),
        day=day_in_words(state.as_of, lang),
        t=lambda key: wording.WORDS[key](lang),
        name=lambda school_id: wording.school_name(state, school_id)(lang),
        say=lambda text: text(lang),
        label=lambda field: label(field)(lang),
        percent=percent,
        version=__version__,
    )
    return (made + "\n").encode()


def by_school(state: State) -> list[tuple[str | None, list[Finding]]]:
    """Return the findings school by school, the school with the worst finding first."""
    place: dict[str | None, int] = {}
    for one in state.findings:
        place.setdefault(one.school_id, len(place))
    ordered = sorted(state.findings, key=lambda one: place[one.school_id])
    return [(school, list(found)) for school, found in groupby(ordered, lambda f: f.school_id)]


def as_dict(state: State, lang: Lang) -> dict[str, Any]:
    """Return a check as JSON: totals, findings worst first, and how empty each field is."""
    return {
        "as_of": state.as_of.isoformat(),
        "generated": state.generated,
        "counts": state.counts(),
        "findings": [_finding(state, one, lang) for one in state.findings],
        "fields": [
            {
                "field": one.name,
                "empty": one.empty,
                "children": one.children,
                "share": round(one.share, 6),
                "rules": one.rules,
            }
            for one in state.fields
        ],
    }


def _finding(state: State, one: Finding, lang: Lang) -> dict[str, Any]:
    return {
        "id": one.id,
        "severity": one.severity,
        "school_id": one.school_id,
        "school": wording.school_name(state, one.school_id)(lang) if one.school_id else None,
        "class_id": one.class_id,
        "count": one.count,
        "text": one.text(lang),
        "cure": one.cure(lang),
        "examples": list(one.examples),
    }
