"""The bureau's tables of every listed child: CSV for spreadsheets, JSON for programs.

They are for an authorised role: reasons stand there in full, monitored groups included.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import PurePosixPath
from typing import Any

from earlywarn.errors import Lang
from earlywarn.spreadsheets import defuse
from earlywarn.watchlist import wording
from earlywarn.watchlist.rows import (
    Cause,
    Followed,
    ListedChild,
    Listing,
    NextStep,
    Reason,
    SchoolList,
)
from earlywarn.watchlist.sentences import cause_words
from earlywarn.words import TIER_LABELS

CSV_COLUMNS = (
    "school_id",
    "school",
    "county",
    "township",
    "student_id",
    "name",
    "class_id",
    "rank",
    "tier",
    "change",
    "score",
    "reason_1",
    "reason_2",
    "reason_3",
    "next_step",
    "due",
    "due_is_about",
    "responsible",
    "homeroom_teacher",
    "change_because",
    "case_state",
    "responsible_leader",
    "contacted_on",
    "visited_on",
    "outcome",
    "steps_overdue",
)
_RESERVED = {"con", "prn", "aux", "nul"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}


def safe_name(text: str, longest: int = 80) -> str:
    """Return `text` as a file name that Windows, macOS and Linux all take (never empty)."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]+', "_", text).strip().strip(".").strip()
    name = name[:longest].rstrip(". ") or "_"
    return f"_{name}" if name.split(".")[0].strip().lower() in _RESERVED else name


def file_names(schools: tuple[SchoolList, ...]) -> dict[str, str]:
    """Return for each school_id its files' name without suffix: `30101 青河镇中心小学`.

    Names differ even where a file system does not tell upper from lower case.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for school in sorted(schools, key=lambda school: school.school_id):
        whole = school.school_id
        if school.name != school.school_id:
            whole = f"{school.school_id[:40]} {school.name}"
        base = safe_name(whole)
        name, number = base, 2
        while name.lower() in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name.lower())
        names[school.school_id] = name
    return names


def listing_csv(listing: Listing, lang: Lang) -> bytes:
    """Return every listed child as CSV, UTF-8 with a byte order mark, formulas defused."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    generated = ("generated",) if listing.generated else ()
    writer.writerow([*CSV_COLUMNS, *generated])
    for school in listing.schools:
        for child in school.children:
            texts = [reason(lang) for reason in child.full_reasons]
            row = [
                school.school_id,
                school.name,
                school.county,
                school.township,
                child.student_id,
                child.name,
                child.class_id,
                child.rank,
                child.tier,
                child.change,
                f"{child.score:.12g}",
                *(texts + [""] * 3)[:3],
                child.full_step.title(lang),
                child.full_step.due.isoformat(),
                "yes" if child.full_step.about else "no",
                child.full_step.who(lang),
                child.teacher,
                cause_words(child.full_cause, lang) if child.full_cause else "",
                *_case_cells(child.case),
                *(("yes",) if generated else ()),
            ]
            writer.writerow([defuse(cell) if isinstance(cell, str) else cell for cell in row])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _case_cells(case: Followed | None) -> tuple[str, ...]:
    if case is None:
        return ("",) * 6
    return (
        str(case.state),
        case.leader,
        _iso(case.contacted_on) or "",
        _iso(case.visited_on) or "",
        case.outcome or "",
        str(case.overdue),
    )


def listing_json(
    listing: Listing, files: dict[str, tuple[PurePosixPath, PurePosixPath]], lang: Lang
) -> bytes:
    """Return the listing as JSON (UTF-8): schools, their numbers, and every listed child."""
    document = {
        "format": 1,
        "as_of": listing.as_of.isoformat(),
        "run": listing.run,
        "model": listing.model,
        "rules_hash": listing.rules_hash,
        "version": listing.version,
        "generated": listing.generated,
        "compared_with": listing.previous_as_of.isoformat() if listing.previous_as_of else None,
        "note": wording.CONVERSATION(lang),
        "schools": [
            _school(school, files.get(school.school_id), lang) for school in listing.schools
        ],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _school(
    school: SchoolList, files: tuple[PurePosixPath, PurePosixPath] | None, lang: Lang
) -> dict[str, Any]:
    known = school.limits
    return {
        "school_id": school.school_id,
        "name": school.name,
        "county": school.county,
        "township": school.township,
        "cohort": school.cohort,
        "capacity": school.capacity,
        "tiers": school.tiers,
        "listed": school.listed,
        "cut": school.cut,
        "changes": school.changes,
        "left": school.left,
        "resolved": school.resolved,
        "steps_overdue": school.overdue,
        "html": str(files[0]) if files else None,
        "xlsx": str(files[1]) if files else None,
        "cannot_know": {
            "share_without_record_20d": known.gap_share,
            "newest_record": _iso(known.last_day),
            "children_without_attendance": known.without_attendance,
            "classes_without_attendance": list(known.silent_classes),
            "has_calendar": known.calendar,
            "children_without_marks": known.without_marks,
            "newest_exam": _iso(known.last_exam),
            "newest_registry": _iso(known.snapshot),
            "has_outcomes": known.outcomes,
            "registry_rows_in_quarantine": known.quarantined,
            "weeks_not_reported": [
                {
                    "from": _iso(week.first),
                    "to": _iso(week.last),
                    "school_days": week.days,
                    "not_reported": week.missing,
                    "partly_reported": week.partly,
                }
                for week in known.silences
            ],
        },
        "children": [_child(child, lang) for child in school.children],
    }


def _child(child: ListedChild, lang: Lang) -> dict[str, Any]:
    return {
        "student_id": child.student_id,
        "name": child.name,
        "class_id": child.class_id,
        "grade": child.grade,
        "on_leave": child.on_leave,
        "rank": child.rank,
        "tier": child.tier,
        "tier_label": TIER_LABELS[child.tier](lang),
        "change": child.change,
        "previous_rank": child.previous_rank,
        "previous_tier": child.previous_tier,
        "because": _cause(child.full_cause, lang),
        "because_for_school": _cause(child.cause, lang),
        "score": child.score,
        "log_odds": child.log_odds,
        "reasons": [_reason(reason, lang) for reason in child.full_reasons],
        "reasons_for_school": [_reason(reason, lang) for reason in child.reasons],
        "step": _step(child.full_step, lang),
        "step_for_school": _step(child.step, lang),
        "homeroom_teacher": child.teacher,
        "responsible_leader": child.leader,
        "case": _case(child.case),
        "strip": child.strip.replace("|", ""),
        "strip_from": _iso(child.strip_from),
        "strip_to": _iso(child.strip_to),
        "rules_unknown": child.rules_unknown,
    }


def _reason(reason: Reason, lang: Lang) -> dict[str, Any]:
    return {
        "term": reason.term,
        "family": reason.family,
        "text": reason(lang),
        "on": _iso(reason.on),
        "floor": reason.floor,
    }


def _cause(cause: Cause | None, lang: Lang) -> dict[str, Any] | None:
    if cause is None:
        return None
    return {"kind": cause.kind, "term": cause.term, "text": cause.text(lang)}


def _case(case: Followed | None) -> dict[str, Any] | None:
    if case is None:
        return None
    return {
        "state": str(case.state),
        "since": _iso(case.since),
        "contacted_on": _iso(case.contacted_on),
        "visited_on": _iso(case.visited_on),
        "outcome": case.outcome,
        "steps_overdue": case.overdue,
    }


def _step(step: NextStep, lang: Lang) -> dict[str, Any]:
    return {
        "action": step.action,
        "title": step.title(lang),
        "what": step.what(lang),
        "who": step.who(lang),
        "due": step.due.isoformat(),
        "about": step.about,
    }


def _iso(day: Any) -> str | None:
    return day.isoformat() if day is not None else None
