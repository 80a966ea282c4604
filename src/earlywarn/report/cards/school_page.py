"""A school's card as a page to print, and as JSON. The page is self-contained and has no script."""

from __future__ import annotations

from typing import Any

from earlywarn.errors import Lang
from earlywarn.followup.deadlines import Due
from earlywarn.followup.states import STATE_LABELS
from earlywarn.pages import template
from earlywarn.report.cards import words
from earlywarn.report.cards.child_page import common, iso, responsible
from earlywarn.report.cards.rows import CaseFile
from earlywarn.report.cards.school import NEEDS, Month, SchoolCard
from earlywarn.report.period.schools import Needing
from earlywarn.watchlist import wording
from earlywarn.watchlist.rows import LISTED_TIERS
from earlywarn.words import SCHOOL_KIND_LABELS, TIER_LABELS

OVERDUE = 8  # steps shown, the longest overdue first
NAMES = 6  # children shown of each need
INSPECTIONS = 4  # the last ones, on the page
_NEED_WORDS = {"aid_gap": "aid_gap", "file": "old_file", "untaught": "untaught"}


def school_page(card: SchoolCard, lang: Lang) -> str:
    """Return the page of a school's card."""
    late = overdue(card)
    return template("school_card.html.j2", "earlywarn.report", "earlywarn.watchlist").render(
        common(lang)
        | {
            "card": card,
            "kind": SCHOOL_KIND_LABELS[card.school.kind](lang) if card.school.kind else "",
            "key_words": [words.word(key, lang) for key in card.keys],
            "month": lambda month: month.period.label(lang),
            "states": [(STATE_LABELS[state](lang), n) for state, n in sorted(card.states.items())],
            "late": late[:OVERDUE],
            "late_total": len(late),
            "child": lambda file: child_of(card, file),
            "due": lambda due: wording.due_day(due.due, lang, card.as_of, due.about),
            "responsible": lambda due: responsible(due, "", lang),
            "say": lambda text: text(lang),
            "tiers": [(TIER_LABELS[tier](lang), tier) for tier in LISTED_TIERS],
            "owed": [
                (words.word(_NEED_WORDS[need], lang), card.owed[need], *_named(card, need))
                for need in NEEDS
            ],
            "since": lambda when: words.not_updated(
                None if when is None else (card.as_of - when).days, lang
            ),
            "short": lambda student: wording.short_id(student, lang),
            "inspections": card.inspections[-INSPECTIONS:],
        }
    )


def _named(card: SchoolCard, need: str) -> tuple[list[Needing], int]:
    """Return the children shown of a need, and how many more there are."""
    found = [one for one in card.who if one.need == need]
    return found[:NAMES], max(0, len(found) - NAMES)


def overdue(card: SchoolCard) -> list[tuple[CaseFile, Due]]:
    """Return every overdue step of the school's running cases, the longest overdue first."""
    found = [(file, due) for file in card.cases for due in file.steps if due.overdue]
    return sorted(found, key=lambda one: (one[1].due, one[0].case.id))


def child_of(card: SchoolCard, file: CaseFile) -> str:
    """Return the name of the child that a case is about."""
    case = file.case
    return card.names.get(case.student_id or "") or case.person or case.student_id or ""


def school_json(card: SchoolCard, lang: Lang) -> dict[str, Any]:
    """Return the card for `--json`; `children_owed` is empty for a role that sees no groups."""
    school = card.school
    return {
        "format": 1,
        "as_of": card.as_of.isoformat(),
        "known_until": card.known.isoformat(),
        "generated": card.generated,
        "school_id": school.school_id,
        "name": school.name,
        "county": school.county,
        "township": school.township,
        "kind": school.kind,
        "rural": school.rural,
        "remote": school.remote,
        "key_school_because": list(card.keys),
        "capacity": card.capacity,
        "children": card.children,
        "classes": [
            {"class_id": name, "homeroom_teacher": teacher, "children": count}
            for name, teacher, count in card.teachers
        ],
        "months": [_month(month) for month in card.months],
        "year": _month(card.total),
        "running_cases": {str(state): number for state, number in sorted(card.states.items())},
        "overdue": [
            {
                "case": file.case.id,
                "student_id": file.case.student_id,
                "name": child_of(card, file),
                "step": due.step.id,
                "title": due.step.title(lang),
                "who": responsible(due, "", lang),
                "due": due.due.isoformat(),
                "about": due.about,
            }
            for file, due in overdue(card)
        ],
        "list": card.newest
        and {
            "as_of": card.newest.as_of.isoformat(),
            "listed": {tier: card.newest.listed.get(tier, 0) for tier in LISTED_TIERS},
            "left_out": card.newest.cut,
        },
        "owed": dict(card.owed),
        "children_owed": [
            {
                "need": one.need,
                "student_id": one.student_id,
                "name": one.name,
                "class_id": one.class_id,
                "file_updated": iso(one.since),
            }
            for one in card.who
        ],
        "inspections": [
            {
                "id": one.id,
                "on": one.on.isoformat(),
                "by": one.by,
                "result": one.result,
                "signed_by": one.signed_by,
                "note": one.note,
                "orders": [
                    {
                        "number": order.number,
                        "text": order.text,
                        "until": iso(order.until),
                        "done_on": iso(order.done_on),
                        "done_by": order.done_by,
                    }
                    for order in one.orders
                ],
            }
            for one in card.inspections
        ],
        "inspections_a_year": card.inspections_a_year,
    }


def _month(month: Month) -> dict[str, Any]:
    return {
        "of": month.period.of,
        "enrolled": month.enrolled,
        "suspected": month.suspected,
        "returned": month.returned,
        "dropped_out": month.dropped_out,
        "school_days": month.reporting.days,
        "days_not_reported": month.reporting.missing,
        "days_partly_reported": month.reporting.incomplete,
    }
