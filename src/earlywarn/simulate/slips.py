"""Slips of the pen in generated lists: what people do to names, birthdays and numbers.

A line gets at most one slip of each group, and `make_slips` says which; whoever compares lists can
so be measured against the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from earlywarn.simulate.names import BOYS, GIRLS

Line = dict[str, Any]  # a line of a list by column; an empty cell is None
DOT = "·"
OTHER_DOTS = ("・", "•", "‧", ".", "")
SURNAME_SHARE = 0.1  # of the wrong signs in names: most are in the given name
CENTURY, REGION_DIGITS = slice(6, 8), 4
SPOKEN_OTHERWISE = {"曾": "zeng"}  # as a family name; the dictionary gives the common reading


@dataclass(frozen=True)
class Slip:
    """`share` of the lines get it, if it changes them; `write` changes a line in place."""

    share: float
    write: Callable[[Line, np.random.Generator], None]


def make_slips(lines: list[Line], rng: np.random.Generator) -> list[list[str]]:
    """Write slips into `lines`, in place; return the names of those that each line got.

    A slip that a line has no place for (a dot, an X, a birthday other than 1 January) is none.
    """
    made: list[list[str]] = [[] for _ in lines]
    for group in SLIPS:
        names, slips = list(group), list(group.values())
        bounds = np.cumsum([slip.share for slip in slips])
        drawn = np.searchsorted(bounds, rng.random(len(lines)), side="right")
        for at in np.flatnonzero(drawn < len(slips)):
            line = lines[at]
            before = dict(line)
            slips[drawn[at]].write(line, rng)
            if line != before:
                made[at].append(names[drawn[at]])
    return made


@cache
def syllable(sign: str) -> str:
    """Return how a sign is read, without its tone."""
    from pypinyin import lazy_pinyin

    return SPOKEN_OTHERWISE.get(sign) or "".join(lazy_pinyin(sign))


@cache
def _sounds_alike() -> dict[str, list[str]]:
    """The 3,755 common signs (level 1 of GB 2312) by how they are read."""
    codes = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    alike: dict[str, list[str]] = {}
    for code in codes:
        sign = code.decode("gb2312", errors="ignore")
        if sign:
            alike.setdefault(syllable(sign), []).append(sign)
    return alike


def _place(name: str, rng: np.random.Generator) -> int:
    """Return where in a name a sign goes wrong; never at its dot."""
    if rng.random() < SURNAME_SHARE:
        return 0
    places = [at for at, sign in enumerate(name) if at > 0 and sign != DOT]
    return places[int(rng.integers(len(places)))]


def _put_one_of(line: Line, at: int, signs: list[str], rng: np.random.Generator) -> None:
    name: str = line["name"]
    if signs:
        line["name"] = name[:at] + signs[int(rng.integers(len(signs)))] + name[at + 1 :]


def _typo(line: Line, rng: np.random.Generator) -> None:
    at = _place(line["name"], rng)
    right = syllable(line["name"][at])
    _put_one_of(line, at, [sign for sign in BOYS + GIRLS if syllable(sign) != right], rng)


def _homophone(line: Line, rng: np.random.Generator) -> None:
    at = _place(line["name"], rng)
    right = line["name"][at]
    alike = _sounds_alike().get(syllable(right), [])
    _put_one_of(line, at, [sign for sign in alike if sign != right], rng)


def _pinyin(line: Line, rng: np.random.Generator) -> None:
    name: str = line["name"]
    words = name.split(DOT) if DOT in name else [name[0], name[1:]]
    spelt = ["".join(map(syllable, word)) for word in words]
    styles = (
        " ".join(word.capitalize() for word in spelt),
        " ".join(spelt).upper(),
        "".join(spelt),
    )
    line["name"] = styles[int(rng.integers(len(styles)))]


def _other_dot(line: Line, rng: np.random.Generator) -> None:
    line["name"] = line["name"].replace(DOT, OTHER_DOTS[int(rng.integers(len(OTHER_DOTS)))])


def _placeholder_birthday(line: Line, rng: np.random.Generator) -> None:
    line["birth_date"] = line["birth_date"].replace(month=1, day=1)


def _empty(column: str) -> Callable[[Line, np.random.Generator], None]:
    def write(line: Line, rng: np.random.Generator) -> None:
        line[column] = None

    return write


def _other_guardian(line: Line, rng: np.random.Generator) -> None:
    line["guardian"], line["guardian_phone"] = line["other_guardian"], line["other_phone"]


def _fifteen_digits(line: Line, rng: np.random.Generator) -> None:
    number: str = line["id_number"]
    line["id_number"] = number[: CENTURY.start] + number[CENTURY.stop : -1]


def _lower_case_x(line: Line, rng: np.random.Generator) -> None:
    line["id_number"] = line["id_number"].lower()


def _wrong_check_digit(line: Line, rng: np.random.Generator) -> None:
    number: str = line["id_number"]
    others = [sign for sign in "0123456789X" if sign != number[-1]]
    line["id_number"] = number[:-1] + others[int(rng.integers(len(others)))]


def _wrong_digit(line: Line, rng: np.random.Generator) -> None:
    """Change a digit of the district, birth date or serial: the region stays an impossible one."""
    number: str = line["id_number"]
    at = int(rng.integers(REGION_DIGITS, len(number) - 1))
    digit = (int(number[at]) + int(rng.integers(1, 10))) % 10
    line["id_number"] = f"{number[:at]}{digit}{number[at + 1 :]}"


# A line gets at most one slip of each group. Some have a place on few lines only: a dot where the
# name has one, a lower-case x on one number in eleven.
SLIPS: tuple[dict[str, Slip], ...] = (
    {
        "typo": Slip(0.02, _typo),
        "homophone": Slip(0.02, _homophone),
        "pinyin": Slip(0.01, _pinyin),
        "other_dot": Slip(0.60, _other_dot),
    },
    {
        "placeholder_birthday": Slip(0.02, _placeholder_birthday),
        "no_birth_date": Slip(0.01, _empty("birth_date")),
    },
    {
        "other_guardian": Slip(0.05, _other_guardian),
        "no_guardian": Slip(0.02, _empty("guardian")),
    },
    {"no_phone": Slip(0.03, _empty("guardian_phone"))},
    {
        "no_id": Slip(0.10, _empty("id_number")),
        "fifteen_digits": Slip(0.015, _fifteen_digits),
        "wrong_check_digit": Slip(0.005, _wrong_check_digit),
        "wrong_digit": Slip(0.01, _wrong_digit),
        "lower_case_x": Slip(0.15, _lower_case_x),
    },
)
