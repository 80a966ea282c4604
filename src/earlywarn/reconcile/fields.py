"""The fields in which a line and a child are compared: their columns, levels and what these say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.errors import Lang, Text
from earlywarn.reconcile.names import (
    accent,
    pinyin,
    plain_guardian,
    plain_name,
    plain_phone,
    plain_township,
    surname,
)
from earlywarn.reconcile.numbers import identity_number

EQUAL, SIMILAR, DIFFERENT, MISSING = "=", "~", "x", "?"


@dataclass(frozen=True)
class Level:
    """One degree of agreement in a field.

    Parameters
    ----------
    condition
        SQL over columns that end in `_l` (the line) and `_r` (the child); empty for all the rest.
    sign
        EQUAL, SIMILAR or DIFFERENT.
    same, other
        How often the level is seen where line and child are one, and where they are two people:
        what is believed until enough pairs are known to count it.
    rarity
        The column by whose commonness the level's weight is adjusted; empty for none.
    """

    condition: str
    sign: str
    same: float
    other: float
    rarity: str = ""


@dataclass(frozen=True)
class Field:
    """A field, with when it says nothing and its levels from the best down."""

    name: str
    label: Text
    missing: str
    levels: tuple[Level, ...]
    counted: bool = True  # False: `same` and `other` stay as they are written

    @property
    def signs(self) -> dict[int, str]:
        """What splink's level numbers mean: -1 missing, 0 the last level, and upwards."""
        return {-1: MISSING} | {n: lv.sign for n, lv in enumerate(reversed(self.levels))}

    def level(self) -> str:
        """Return SQL that gives the level's number."""
        cases = [
            f"WHEN {level.condition} THEN {len(self.levels) - 1 - place}"
            for place, level in enumerate(self.levels[:-1])
        ]
        return f"CASE WHEN {self.missing} THEN -1 {' '.join(cases)} ELSE 0 END"


def _absent(column: str) -> str:
    return f"({column}_l IS NULL OR {column}_r IS NULL)"


# `same` and `other` are believed, not measured. One character of two that differs is another given
# name; one of three or more may be a slip.
FIELDS = (
    Field(
        "number",
        Text("证件号码", "identity number"),
        # A number that does not check and resembles nothing says nothing.
        f"{_absent('number')} "
        "OR (NOT (proved_l AND proved_r) AND levenshtein(number_l, number_r) > 1)",
        (
            Level("number_l = number_r", EQUAL, 0.965, 1e-8),
            Level("levenshtein(number_l, number_r) = 1", SIMILAR, 0.03, 1e-5),
            # Both check and they differ: two people, or another's number copied.
            Level("", DIFFERENT, 0.005, 0.99999),
        ),
        counted=False,
    ),
    Field(
        "name",
        Text("姓名", "name"),
        _absent("name"),
        (
            Level("name_l = name_r", EQUAL, 0.88, 2e-4, rarity="name"),
            Level("pinyin_l = pinyin_r", SIMILAR, 0.06, 2e-4),
            Level(
                "levenshtein(name_l, name_r) = 1 AND greatest(length(name_l), length(name_r)) > 2"
                " OR heard_l = heard_r",
                SIMILAR,
                0.03,
                3e-3,
            ),
            Level("surname_l = surname_r", DIFFERENT, 0.02, 0.03),
            Level("", DIFFERENT, 0.01, 0.9666),
        ),
    ),
    Field(
        "birth",
        Text("出生日期", "birth date"),
        _absent("birth"),
        (
            Level("birth_l = birth_r AND NOT placeholder_l", EQUAL, 0.9, 3e-4),
            Level("(placeholder_l OR placeholder_r) AND year_l = year_r", SIMILAR, 0.05, 1e-3),
            Level("levenshtein(day_l, day_r) = 1 OR day_l = turned_r", SIMILAR, 0.03, 5e-3),
            Level("", DIFFERENT, 0.02, 0.99),
        ),
    ),
    Field(
        "sex",
        Text("性别", "sex"),
        _absent("sex"),
        (Level("sex_l = sex_r", EQUAL, 0.985, 0.5), Level("", DIFFERENT, 0.015, 0.5)),
    ),
    Field(
        "guardian",
        Text("监护人", "guardian"),
        _absent("guardian"),
        (
            Level("guardian_l = guardian_r", EQUAL, 0.7, 1e-4, rarity="guardian"),
            Level(
                "sound_l = sound_r OR levenshtein(guardian_l, guardian_r) = 1"
                " AND greatest(length(guardian_l), length(guardian_r)) > 2",
                SIMILAR,
                0.07,
                2e-3,
            ),
            Level("", DIFFERENT, 0.23, 0.998),
        ),
    ),
    Field(
        "phone",
        Text("电话", "phone"),
        _absent("phone"),
        (
            Level("phone_l = phone_r", EQUAL, 0.7, 2e-5, rarity="phone"),
            Level("levenshtein(phone_l, phone_r) = 1", SIMILAR, 0.03, 1e-5),
            Level("", DIFFERENT, 0.27, 0.99997),
        ),
    ),
    Field(
        "township",
        Text("乡镇", "township"),
        _absent("township"),
        (Level("township_l = township_r", EQUAL, 0.75, 0.05), Level("", DIFFERENT, 0.25, 0.95)),
    ),
)

COMPARED = (
    *("unique_id", "number", "proved", "name", "pinyin", "heard", "surname", "birth"),
    *("placeholder", "year", "day", "turned", "sex", "guardian", "sound", "phone", "township"),
)
SIGN_WORDS = {
    EQUAL: Text("一致", "equal"),
    SIMILAR: Text("相近", "similar"),
    DIFFERENT: Text("不同", "different"),
    MISSING: Text("缺少", "missing"),
}


def agreement_words(agreement: str, lang: Lang) -> str:
    """Say in words what agrees: `姓名一致、出生日期相近`; what is missing is left out.

    Parameters
    ----------
    agreement
        A code as in PAIRS, such as `number?,name=,birth~,sex=,guardian=,phone?,township=`.
    """
    labels = {field.name: field.label for field in FIELDS}
    told = [(part[:-1], part[-1]) for part in agreement.split(",") if part]
    if lang == "zh":
        return "、".join(
            labels[name].zh + SIGN_WORDS[sign].zh for name, sign in told if sign != MISSING
        )
    return ", ".join(
        f"{labels[name].en} {SIGN_WORDS[sign].en}" for name, sign in told if sign != MISSING
    )


def agreement_sql() -> str:
    """Return SQL that gives the agreement code of a pair from columns in `_l` and `_r`."""
    parts = []
    for field in FIELDS:
        cases = " ".join(f"WHEN {n} THEN '{field.name}{s}'" for n, s in field.signs.items())
        parts.append(f"CASE {field.level()} {cases} END")
    return f"concat_ws(',', {', '.join(parts)})"


def side_by_side() -> str:
    """Return SQL that selects the compared columns of `l` and `r`, ending in _l and _r."""
    return ", ".join(f"{side}.{column} AS {column}_{side}" for side in "lr" for column in COMPARED)


def comparable(people: pa.Table, key: str, number: str) -> pa.Table:
    """Return one row a person with the columns that the levels compare.

    Parameters
    ----------
    people
        A table with the columns name, sex, birth_date, guardian, guardian_phone and township.
    key
        The column that becomes `unique_id`, as text.
    number
        The column with the identity number, or a registry number made of one.
    """
    numbers = [identity_number(text) for text in people[number].to_pylist()]
    names = _each(people["name"], plain_name)
    sounds = _each(names, pinyin)
    guardians = _each(people["guardian"], plain_guardian)
    births: list[date | None] = people["birth_date"].to_pylist()
    return pa.table(
        {
            "unique_id": people[key].cast(pa.string()),
            "number": pa.array([n and n.text for n in numbers], pa.string()),
            "body": pa.array([n and n.body for n in numbers], pa.string()),
            "proved": pa.array([n is not None and n.proved for n in numbers], pa.bool_()),
            "name": names,
            "pinyin": sounds,
            "heard": _each(sounds, accent),
            "surname": _each(names, surname),
            "birth": people["birth_date"],
            "placeholder": pa.array([is_placeholder(born) for born in births], pa.bool_()),
            "year": pc.year(people["birth_date"]),
            "day": pa.array([born and born.strftime("%Y%m%d") for born in births], pa.string()),
            "turned": pa.array([born and born.strftime("%Y%d%m") for born in births], pa.string()),
            "sex": pc.if_else(pc.is_in(people["sex"], pa.array(["M", "F"])), people["sex"], None),
            "guardian": guardians,
            "sound": _each(guardians, pinyin),
            "phone": _each(people["guardian_phone"], plain_phone),
            "township": _each(people["township"], plain_township),
        }
    )


def is_placeholder(born: date | None) -> bool:
    """Return whether a birth date is 1 January, which is written where only the year is known."""
    return born is not None and (born.month, born.day) == (1, 1)


def _each(texts: Any, change: Callable[[str | None], str | None]) -> pa.Array:
    """Apply `change` to a column of texts, once for each different one."""
    values: Iterable[str | None] = texts.to_pylist()
    known: dict[str | None, str | None] = {}
    return pa.array(
        [known[text] if text in known else known.setdefault(text, change(text)) for text in values],
        pa.string(),
    )
