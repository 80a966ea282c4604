"""Children on no roll become cases in the ledger, each with a school that looks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from earlywarn.errors import Lang, Text
from earlywarn.followup.ledger import Case, Ledger, NewCase, NewEntry
from earlywarn.followup.returned.headings import squeezed
from earlywarn.reconcile.comparing import Found
from earlywarn.reconcile.lists import dated
from earlywarn.reconcile.registry import Registry, Row
from earlywarn.reconcile.strangers import by_child
from earlywarn.workspace import Config

_FIRST_OF_JUNIOR = 7
_KINDS = {True: ("junior", "nine_year"), False: ("primary", "nine_year")}
_NOTE = Text(
    "出生日期：{born}；住址：{place}；监护人：{guardian}；联系电话：{phone}",
    "birth date: {born}; address: {place}; guardian: {guardian}; phone: {phone}",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A child to look for: its lines by what they are known by, and the school that looks."""

    lines: dict[str, Row]
    school_id: str

    @property
    def line(self) -> Row:
        """The first of its lines, by which its case is named."""
        return next(iter(self.lines.values()))

    @property
    def notes(self) -> dict[str, Row]:
        """Its lines by the source that their notes have in the ledger."""
        return {f"reconcile {key}": line for key, line in self.lines.items()}


def responsible_school(config: Config, registry: Registry, line: Row, age: int) -> Row | None:
    """Return the school that looks for a child: of its township, else its county, else the first.

    There, one that teaches the child's grade before others; then the smallest school_id. None
    where no school is known.
    """
    grade = age - config.age_at_grade_1 + 1
    kinds = _KINDS[grade >= _FIRST_OF_JUNIOR]

    def order(school: Row) -> tuple[bool, str]:
        return school["kind"] not in kinds, school["school_id"]

    county = [s for s in registry.schools if _same(line["county"], s["county"])]
    within = county or registry.schools
    near = [s for s in within if _same(line["township"], s["township"])]
    among = near or county
    if among:
        return min(among, key=order)
    return registry.schools[0] if registry.schools else None


def wanted(
    found: Iterable[Found], school_of: Callable[[Found], str], key: Callable[[Row], str]
) -> list[Wanted]:
    """Return whom to look for: the lines that fit nobody, each child once over both lists.

    A child whose school is not known has an empty `school_id`, and nobody to look for it.

    The first line of a child, and the school that looks for it there, come first in `found`.
    """
    nobodys = [one for one in found if one.child is None and one.line is not None]
    schools = {id(one.line): school_of(one) for one in nobodys}
    children = []
    for lines in by_child(one.line for one in nobodys if one.line is not None):
        told: dict[str, Row] = {}
        for line in lines:
            told.setdefault(key(line), line)
        children.append(Wanted(told, schools[id(lines[0])]))
    return children


def open_cases(
    ledger: Ledger, children: Sequence[Wanted], as_of: date, origin: str, lang: Lang, who: str
) -> int:
    """Open a case for each child that has none from a list yet; return how many are new.

    A note for each of its lines says when it was born and where it lives, and by these notes the
    child is known again, in whichever list it stands the next time. Two children of one name at one
    school get the birth date behind the name.
    """
    before = ledger.cases(kinds=("unregistered",))
    known = {e.source for case in before for e in case.story if e.kind == "note"}
    fresh = [child for child in children if known.isdisjoint(child.notes)]
    named = Counter((child.school_id, child.line["name"]) for child in children)
    names = [_name(child, named, before) for child in fresh]
    opened = ledger.open_cases(
        *(
            NewCase("unregistered", child.school_id, as_of, origin, person=name)
            for child, name in zip(fresh, names, strict=True)
        ),
        who=who,
    )
    notes = [
        NewEntry(case.case_id, "note", as_of, value=_note(line, lang), source=source)
        for case, child in zip(opened, fresh, strict=True)
        for source, line in child.notes.items()
    ]
    ledger.record(*notes, who=who)
    return sum(case.new for case in opened)


def _name(child: Wanted, named: Counter[tuple[str, str]], before: Sequence[Case]) -> str:
    """Return the name of a case, with the birth date where the name alone may be another's."""
    name, born = child.line["name"], child.line["birth_date"].isoformat()
    notes = [
        entry.value or ""
        for case in before
        if case.school_id == child.school_id and case.person == name
        for entry in case.story
        if entry.kind == "note" and entry.source.startswith("reconcile ")
    ]
    whole = dated(name, child.line["birth_date"])
    is_others = bool(notes) and not any(born in note for note in notes)
    has_dated = any(c.school_id == child.school_id and c.person == whole for c in before)
    return whole if named[child.school_id, name] > 1 or is_others or has_dated else str(name)


def _note(line: Row, lang: Lang) -> str:
    place = " ".join(filter(None, (line["county"], line["township"], line["address"])))
    return _NOTE(lang).format(
        born=line["birth_date"].isoformat(),
        place=place or "-",
        guardian=line["guardian"] or "-",
        phone=line["guardian_phone"] or "-",
    )


def _same(said: str | None, place: str | None) -> bool:
    return bool(said and place) and squeezed(str(said)) == squeezed(str(place))
