"""A child's card as a page to print, and as JSON. The page is self-contained and has no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from earlywarn import __version__
from earlywarn.errors import Lang
from earlywarn.features.catalogue import describe
from earlywarn.followup.deadlines import Due
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Case
from earlywarn.followup.states import STATE_LABELS
from earlywarn.followup.story import Story
from earlywarn.followup.telling import told
from earlywarn.pages import template
from earlywarn.report.cards import words
from earlywarn.report.cards.rows import Aid, ChildCard, Stated
from earlywarn.roles import Role
from earlywarn.watchlist import wording
from earlywarn.watchlist.pictures import Week, big_legend
from earlywarn.watchlist.sentences import strip_words
from earlywarn.watchlist.wording import STRIP_CODES, STRIP_TEXT
from earlywarn.words import CAUSE_LABELS, EVENT_LABELS, TIER_LABELS, day_in_words
from earlywarn.workspace import Workspace

EXAMS = 8  # the last ones, on the page
LINES = 70  # of all cases together, the last ones, on the page
_SUBJECTS = tuple(words.SUBJECTS)


def child_page(workspace: Workspace, card: ChildCard, role: Role, lang: Lang) -> str:
    """Return the page of a card that was made for `role`."""
    shown_exams = card.exams[-EXAMS:]
    subjects = sorted(
        {subject for exam in shown_exams for subject in exam.marks},
        key=lambda s: (_SUBJECTS.index(s) if s in _SUBJECTS else len(_SUBJECTS), s),
    )
    lines = case_lines(workspace, card, role, lang)
    return template("child.html.j2", "earlywarn.report", "earlywarn.watchlist").render(
        common(lang)
        | {
            "card": card,
            "who": card.who,
            "child": card.who.student_id or card.who.name,
            "facts": _facts(card, lang),
            "say": lambda text: text(lang),
            "due": lambda due: wording.due_day(due.due, lang, card.as_of, due.about),
            "responsible": lambda due: responsible(due, card.who.homeroom_teacher, lang),
            "open": [due for file in card.running for due in file.steps if due.open],
            "code": lambda field, value: words.code(field, value, lang),
            "yes_no": lambda value: words.yes_no(value, lang),
            "grade": lambda number: words.grade(number, lang),
            "not_updated": lambda days: words.not_updated(days, lang),
            "event": lambda event: EVENT_LABELS[event](lang),
            "cause": lambda cause: CAUSE_LABELS[cause](lang),
            "rates": [describe(name, value, lang) for name, value in card.rates],
            "no_attendance": "no_picture" if _lacks_picture(workspace, card) else "no_attendance",
            "weeks": _weeks(card.strip, lang),
            "strip_words": strip_words(_signs(card.strip), lang) if card.strip else "",
            "legend": [
                one
                for one in big_legend(lang)
                if one[0] in {STRIP_CODES[mark] for _, mark in card.strip}
            ],
            "exams": shown_exams,
            "subjects": subjects,
            "subject": lambda name: words.SUBJECTS[name](lang) if name in words.SUBJECTS else name,
            "tier_label": {tier: label(lang) for tier, label in TIER_LABELS.items()},
            "percent": wording.percent,
            "cases": _newest(lines, LINES),
            "ask_home": wording.ASK_HOME(lang),
            "conversation": wording.CONVERSATION(lang),
        }
    )


def common(lang: Lang) -> dict[str, Any]:
    """Return what the templates of both cards need."""
    return {
        "lang": lang,
        "t": lambda key: words.word(key, lang),
        "colon": "：" if lang == "zh" else ": ",
        "comma": "、" if lang == "zh" else ", ",
        "day": lambda when: day_in_words(when, lang),
        "number": words.number,
        "generated": f"{wording.GENERATED.zh} / {wording.GENERATED.en}",
        "generated_note": wording.GENERATED_NOTE(lang),
        "version": __version__,
    }


def responsible(due: Due, homeroom_teacher: str, lang: Lang) -> str:
    """Return who is to do a step: the one assigned, else the office with the registry's teacher."""
    if due.person:
        return due.person
    office = due.step.who(lang)
    named = homeroom_teacher if due.step.by == "teacher" else ""
    return f"{office} {named}".strip()


def case_lines(
    workspace: Workspace, card: ChildCard, role: Role, lang: Lang
) -> list[tuple[str, list[str]]]:
    """Return each case's title and its whole story by days, oldest first, steps by their titles."""
    if not card.cases:
        return []
    cases = tuple(_with_titles(workspace, file.case, lang) for file in card.cases)
    story = told(workspace, Story(card.who.student_id, (), (), (), cases), role, lang)
    return list(story.items())[-len(cases) :]


def _with_titles(workspace: Workspace, case: Case, lang: Lang) -> Case:
    steps = Escalation.load(workspace).steps(case.kind, case.tier)
    titles = {step.id: step.title(lang) for step in steps}
    story = tuple(
        replace(entry, field=titles.get(entry.field or "", entry.field))
        if entry.kind == "step"
        else entry
        for entry in sorted(case.story, key=lambda entry: (entry.happened_on, entry.seq))
    )
    return replace(case, story=story)


def _newest(cases: Sequence[tuple[str, list[str]]], most: int) -> list[tuple[str, list[str], int]]:
    """Return title, the lines shown and how many older ones are not, the newest case first."""
    left, found = most, []
    for title, lines in reversed(cases):
        shown = lines[max(0, len(lines) - left) :]
        left -= len(shown)
        found.append((title, shown, len(lines) - len(shown)))
    return found


def _facts(card: ChildCard, lang: Lang) -> list[tuple[str, str]]:
    """Return the labels and values of the table of who the child is; what is not known is left out.

    A school's card of one child has the same labels as that of any other.
    """
    who = card.who

    def t(key: str) -> str:
        return words.word(key, lang)

    if card.status == "unregistered":
        return [(t("status"), t("unregistered")), (t("school"), who.school)]
    assigned = [(file.case.leader, file.case.teacher) for file in card.running]
    leader, teacher = assigned[-1] if assigned else (None, None)
    return [
        (t("sex"), words.code("sex", who.sex, lang)),
        (t("birth_date"), _day(who.birth_date, lang)),
        (t("status"), words.status(card.status, card.since, lang)),
        (t("enrolled_on"), _day(who.enrolled_on, lang)),
        (t("boarding"), words.yes_no(who.boarding, lang)),
        (
            t("distance"),
            "–" if who.distance_km is None else f"{words.number(who.distance_km)} {t('km')}",
        ),
        (t("travel"), words.code("travel", who.travel, lang)),
        (t("homeroom_teacher"), who.homeroom_teacher or "–"),
        (t("guardian"), who.guardian or "–"),
        (t("phone"), who.guardian_phone or "–"),
        (t("leader"), leader or t("nobody")),
        (t("teacher"), teacher or t("nobody")),
    ]


def _day(when: date | None, lang: Lang) -> str:
    return "–" if when is None else day_in_words(when, lang)


def _lacks_picture(workspace: Workspace, card: ChildCard) -> bool:
    """Whether there may be records of the child that make no picture."""
    return card.strip_is_recorded and workspace.config.attendance == "exceptions"


def _signs(strip: Sequence[tuple[date, str]]) -> str:
    return "".join(STRIP_CODES[mark] for _, mark in strip)


def _weeks(strip: Sequence[tuple[date, str]], lang: Lang) -> list[Week]:
    """Return the large attendance picture, oldest week first."""
    by_week: dict[tuple[int, int], list[tuple[date, str]]] = {}
    for when, mark in strip:
        by_week.setdefault(when.isocalendar()[:2], []).append((when, STRIP_CODES[mark]))
    today = strip[-1][0] if strip else None
    return [
        Week(
            day_in_words(days[0][0], lang, today),
            tuple((when.day, code, STRIP_TEXT[lang][code]) for when, code in days),
        )
        for days in by_week.values()
    ]


def child_json(workspace: Workspace, card: ChildCard, role: Role, lang: Lang) -> dict[str, Any]:
    """Return the card for `--json`: codes and ISO dates; groups, file and aid None for schools."""
    who = card.who
    file = card.left_behind
    return {
        "format": 1,
        "as_of": iso(card.as_of),
        "known_until": iso(card.known),
        "generated": card.generated,
        "student_id": who.student_id or None,
        "name": who.name,
        "sex": who.sex,
        "birth_date": iso(who.birth_date),
        "school_id": who.school_id,
        "school": who.school,
        "grade": who.grade,
        "class_id": who.class_id,
        "status": card.status,
        "status_since": iso(card.since),
        "enrolled_on": iso(who.enrolled_on),
        "boarding": who.boarding,
        "distance_km": who.distance_km,
        "travel": who.travel,
        "guardian": who.guardian,
        "guardian_phone": who.guardian_phone,
        "homeroom_teacher": who.homeroom_teacher,
        "groups": None if card.groups is None else [group(lang) for group in card.groups],
        "groups_unknown": [group(lang) for group in card.groups_unknown],
        "left_behind_file": file
        and {
            "is_left_behind": file.is_member,
            "parents_away": [_stated(one) for one in file.away],
            "guardians": [_stated(one) | {"phone": one.phone} for one in file.guardians],
            "updated": iso(file.updated),
            "days_since": file.days,
            "out_of_date": file.is_old,
        },
        "aid": None if card.aid is None else [_aid(one) for one in card.aid],
        "schooling": [
            {
                "from": iso(place.on),
                "school": place.school,
                "grade": place.grade,
                "class_id": place.class_id,
                "homeroom_teacher": place.teacher,
            }
            for place in card.places
        ],
        "events": [
            {"date": iso(event.on), "event": event.event, "cause": event.cause}
            for event in card.events
        ],
        "attendance": {
            "days": [{"date": iso(when), "mark": mark} for when, mark in card.strip],
            "only_recorded": card.strip_is_recorded,
            **dict(card.rates),
        },
        "exams": [
            {
                "exam": exam.name,
                "date": iso(exam.on),
                "marks": {
                    subject: {"score": score, "full_mark": of}
                    for subject, (score, of) in exam.marks.items()
                },
                "mean_share": exam.share,
            }
            for exam in card.exams
        ],
        "scores": [
            {
                "as_of": iso(one.run.as_of),
                "tier": one.run.tier,
                "rank": one.run.rank,
                "listed": one.run.listed,
                "reasons": None
                if one.reasons is None
                else [reason(lang) for reason in one.reasons],
            }
            | ({"score": one.run.score} if card.is_full else {})
            for one in card.scored
        ],
        "cases": [
            {
                "case": file.case.id,
                "title": title,
                "kind": file.case.kind,
                "state": str(file.case.state),
                "state_label": STATE_LABELS[file.case.state](lang),
                "opened_on": iso(file.case.opened_on),
                "closed_on": iso(file.case.closed_on),
                "leader": file.case.leader,
                "teacher": file.case.teacher,
                "story": lines,
                "steps": [
                    {
                        "step": due.step.id,
                        "title": due.step.title(lang),
                        "who": responsible(due, who.homeroom_teacher, lang),
                        "due": iso(due.due),
                        "about": due.about,
                        "done_on": iso(due.done_on),
                        "open": due.open,
                        "overdue": due.overdue,
                    }
                    for due in file.steps
                ],
            }
            for file, (title, lines) in zip(
                card.cases, case_lines(workspace, card, role, lang), strict=True
            )
        ],
        "note": wording.CONVERSATION(lang),
    }


def iso(when: date | None) -> str | None:
    """Return a day as JSON has it."""
    return when.isoformat() if when else None


def _stated(one: Stated) -> dict[str, Any]:
    return {
        "value": one.value,
        "from": one.first.isoformat(),
        "to": one.until.isoformat() if one.until else None,
        "last_stated": one.last.isoformat(),
    }


def _aid(one: Aid) -> dict[str, Any]:
    return {
        "from": one.on.isoformat(),
        "poverty": one.poverty,
        "receives_aid": one.receives_aid,
        "boarding": one.boarding,
        "boarding_aid": one.boarding_aid,
        "gap": one.gap,
    }
