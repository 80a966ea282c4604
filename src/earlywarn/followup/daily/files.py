"""The round as files for the bureau: a table, a page to print, and JSON for programs.

They name children and say what the attendance says of them: no monitored group and nothing of a
home stands in them.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

from earlywarn import __version__
from earlywarn.errors import Lang, Text
from earlywarn.followup.daily import wording
from earlywarn.followup.daily.rows import Away, Back, Child, Round, SchoolRound
from earlywarn.pages import template
from earlywarn.spreadsheets import defuse
from earlywarn.words import day_in_words

CSV_FILE, PAGE_FILE, ROUND_FILE = "daily.csv", "daily.html", "round.json"
CSV_COLUMNS = (
    "county",
    "township",
    "school_id",
    "school",
    "class_id",
    "student_id",
    "name",
    "what",
    "days",
    "first_day",
    "last_day",
    "back_on",
    "floor",
    "reasons",
    "case",
    "step",
    "due",
    "due_is_about",
    "responsible",
    "homeroom_teacher",
    "last_reported",
    "school_days_missing",
)


def round_csv(made: Round, lang: Lang) -> bytes:
    """Return a row for each child away or back and each school or class that has not reported.

    UTF-8 with a byte order mark; text that a spreadsheet would take for a formula begins with an
    apostrophe. `what` is away, back or not_reported.
    """
    buffer = io.StringIO()
    generated = {"generated": "yes"} if made.generated else {}
    writer = csv.DictWriter(buffer, [*CSV_COLUMNS, *generated], restval="", lineterminator="\r\n")
    writer.writeheader()
    for school in made.schools:
        place = {
            "county": school.county,
            "township": school.township,
            "school_id": school.school_id,
            "school": school.name,
        } | generated
        for row in _csv_rows(school, lang):
            writer.writerow(
                {
                    key: defuse(value) if isinstance(value, str) else value
                    for key, value in (place | row).items()
                }
            )
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _csv_rows(school: SchoolRound, lang: Lang) -> list[dict[str, Any]]:
    rows = [_csv_child(one.child) | _csv_away(one, lang) for one in school.away]
    rows += [
        _csv_child(one.child)
        | {
            "what": "back",
            "days": len(one.returned.days),
            "first_day": one.returned.days[0].isoformat(),
            "last_day": one.returned.days[-1].isoformat(),
            "back_on": one.returned.back_on.isoformat(),
        }
        for one in school.back
    ]
    rows += [
        {
            "class_id": one.class_id or "",
            "what": "not_reported",
            "last_reported": _iso(one.last_reported) or "",
            "school_days_missing": one.missing,
        }
        for one in school.silences
    ]
    return rows


def _csv_child(child: Child) -> dict[str, Any]:
    return {
        "class_id": child.class_id,
        "student_id": child.student_id,
        "name": child.name,
        "homeroom_teacher": child.teacher,
    }


def _csv_away(one: Away, lang: Lang) -> dict[str, Any]:
    row = {
        "what": "away",
        "days": one.run.day,
        "first_day": one.run.first_day.isoformat(),
        "last_day": one.run.last_day.isoformat(),
        "floor": one.hits[0].floor if one.hits else "",
        "reasons": Text("；", "; ")(lang).join(hit.reason(lang) for hit in one.hits),
        "case": one.case.id if one.case else "",
    }
    if one.step is not None:
        row |= {
            "step": one.step.step.title(lang),
            "due": one.step.due.isoformat(),
            "due_is_about": "yes" if one.step.about else "no",
            "responsible": one.responsible(lang),
        }
    return row


def round_page(made: Round, lang: Lang) -> bytes:
    """Return the page: it fetches nothing, needs no script, and prints on A4."""
    page = template("daily.html.j2", "earlywarn.followup.daily", "earlywarn.checking").render(
        lang=lang,
        made=made,
        totals=wording.totals(made)(lang),
        t=lambda key: wording.WORDS[key](lang),
        day=lambda when: day_in_words(when, lang, made.as_of),
        long_day=wording.long_day(made.as_of, lang),
        news=wording.news(made)(lang),
        due=lambda one: wording.due(one, made.as_of)(lang),
        step=lambda one: wording.step(one)(lang),
        who=lambda one: one.responsible(lang),
        reasons=lambda one: [hit.reason(lang) for hit in one.hits],
        away_day=lambda one: wording.away_day(one)(lang),
        missing=lambda one: wording.missing(one, made.as_of)(lang),
        busy=[school for school in made.schools if school.away or school.back],
        silent=[school for school in made.schools if school.silences],
        version=__version__,
    )
    return (page + "\n").encode()


def round_json(made: Round, lang: Lang) -> bytes:
    """Return `as_dict` as a file."""
    told = {"format": 1, "program": __version__} | as_dict(made, lang)
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def as_dict(made: Round, lang: Lang) -> dict[str, Any]:
    """Return a round as JSON: totals, and the schools with something to do or to hand in.

    What a round was news to the ledger is not in it: a second one of the day says the same.
    """
    return {
        "as_of": made.as_of.isoformat(),
        "since": made.since.isoformat(),
        "generated": made.generated,
        "counts": made.counts(),
        "schools": [
            _school(school, lang, made.as_of)
            for school in made.schools
            if school.away or school.back or school.silences
        ],
    }


def _school(school: SchoolRound, lang: Lang, as_of: date) -> dict[str, Any]:
    return {
        "school_id": school.school_id,
        "name": school.name,
        "county": school.county,
        "township": school.township,
        "children": school.children,
        "reported": not school.silences,
        "not_reported": [
            {
                "class_id": one.class_id,
                "children": one.children,
                "last_reported": _iso(one.last_reported),
                "school_days_missing": one.missing,
            }
            for one in school.silences
        ],
        "away": [_away(one, lang, as_of) for one in school.away],
        "back": [_back(one) for one in school.back],
    }


def _child(child: Child) -> dict[str, Any]:
    return {
        "student_id": child.student_id,
        "name": child.name,
        "class_id": child.class_id,
        "grade": child.grade,
        "homeroom_teacher": child.teacher,
    }


def _away(one: Away, lang: Lang, as_of: date) -> dict[str, Any]:
    due = one.step
    return _child(one.child) | {
        "day": one.run.day,
        "first_day": one.run.first_day.isoformat(),
        "last_day": one.run.last_day.isoformat(),
        "case": one.case.id if one.case else None,
        "state": one.case.state if one.case else None,
        "step": None
        if due is None
        else {
            "id": due.step.id,
            "title": due.step.title(lang),
            "what": due.step.what(lang),
            "due": due.due.isoformat(),
            "about": due.about,
            "overdue": due.due < as_of,
            "responsible": one.responsible(lang),
        },
        "hits": [
            {"rule": hit.rule, "floor": hit.floor, "reason": hit.reason(lang)} for hit in one.hits
        ],
    }


def _back(one: Back) -> dict[str, Any]:
    return _child(one.child) | {
        "back_on": one.returned.back_on.isoformat(),
        "days_away": len(one.returned.days),
        "first_day": one.returned.days[0].isoformat(),
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
