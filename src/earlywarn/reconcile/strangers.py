"""Lines that fit nobody on the registry, put together: which of them are one child."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from earlywarn.reconcile.fields import is_placeholder
from earlywarn.reconcile.names import pinyin, plain_guardian, plain_name, plain_phone
from earlywarn.reconcile.numbers import IdentityNumber, identity_number
from earlywarn.reconcile.registry import Row


@dataclass(frozen=True)
class _Told:
    """What a line says, written the same way as in every other."""

    number: IdentityNumber | None
    name: str | None
    sound: str | None
    born: date | None
    guardian: str | None
    phone: str | None

    @classmethod
    def of(cls, line: Row) -> _Told:
        name = plain_name(line["name"])
        return cls(
            number=identity_number(line["id_number"]),
            name=name,
            sound=pinyin(name),
            born=line["birth_date"],
            guardian=plain_guardian(line["guardian"]),
            phone=plain_phone(line["guardian_phone"]),
        )

    @property
    def keys(self) -> Iterator[tuple[str, str]]:
        """What it has in common with every line of the same child."""
        if self.number:
            yield "number", self.number.text
        if self.name:
            yield "name", self.name

    def is_one_with(self, other: _Told) -> bool:
        """Whether both are one child: by the number, else by the name and what goes with it."""
        if self.number and other.number:
            if self.number.text == other.number.text:
                # A brother's or sister's number may be copied: then name and birth date differ.
                return self.sound == other.sound or self._born_with(other)
            if self.number.proved and other.number.proved:
                return False
        if self.name is None or self.name != other.name:
            return False
        same_guardian = self.guardian is not None and self.guardian == other.guardian
        same_phone = self.phone is not None and self.phone == other.phone
        if self._born_with(other):
            return self.born == other.born or same_guardian or same_phone
        return same_guardian and same_phone

    def _born_with(self, other: _Told) -> bool:
        """Whether the birth dates are equal, or the years where one is 1 January for want of more.

        Two equal ones are equal, of 1 January too.
        """
        if self.born is None or other.born is None:
            return False
        is_loose = is_placeholder(self.born) or is_placeholder(other.born)
        return self.born == other.born or (is_loose and self.born.year == other.born.year)


@dataclass
class _Child:
    lines: list[Row] = field(default_factory=list)
    told: list[_Told] = field(default_factory=list)


def by_child(lines: Iterable[Row]) -> list[list[Row]]:
    """Return the lines of each child together, children and lines in the order given.

    One child are lines with the same identity number, whose names sound alike or whose birth dates
    agree; else with the same plain name and birth date (1 January agrees with any day of its year
    where guardian or telephone is the same); else with the same plain name, guardian and telephone.
    Two numbers that both check and differ are two children.
    """
    children: list[_Child] = []
    having: dict[tuple[str, str], dict[int, None]] = defaultdict(dict)
    for line in lines:
        told = _Told.of(line)
        places = [place for key in told.keys for place in having[key]]
        fitting = [p for p in places if any(told.is_one_with(one) for one in children[p].told)]
        if not fitting:
            children.append(_Child())
        place = fitting[0] if fitting else len(children) - 1
        children[place].lines.append(line)
        children[place].told.append(told)
        for key in told.keys:
            having[key][place] = None
    return [child.lines for child in children]
