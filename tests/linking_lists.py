"""A registry and a household list drawn at random and spoilt as clerks spoil them, truth known."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pypinyin import lazy_pinyin

from earlywarn.reconcile.linking import Linked
from earlywarn.reconcile.people import ENROLLED, LISTED
from earlywarn.simulate.names import given_names, phones, registry_numbers, surnames

HOMOPHONES = {"芳": "方", "伟": "炜", "敏": "闽", "强": "墙", "军": "君", "杰": "洁", "娜": "那"}
HOMOPHONES |= {"浩": "昊", "英": "瑛", "玲": "铃", "静": "靖", "辉": "晖", "平": "萍", "燕": "艳"}
TWINS, SIBLINGS, WITHOUT_LINE, ON_NO_ROLL, TWICE = 0.01, 0.2, 0.03, 0.02, 0.006


class Lists(NamedTuple):
    """What goes into `link`, and of each line its child (None: on no roll)."""

    listed: pa.Table
    enrolled: pa.Table
    truth: dict[int, str | None]


class Measured(NamedTuple):
    """Shares: of the sure pairs those that are right; of the true pairs those that are sure."""

    precision: float
    recall: float


def measure(linked: Linked, truth: dict[int, str | None]) -> Measured:
    """Compare with the truth; of a child with two lines, one of them is found."""
    sure = zip(linked.sure["line"].to_pylist(), linked.sure["student_id"].to_pylist(), strict=True)
    right = [truth[line] == child for line, child in sure]
    children = {child for child in truth.values() if child is not None}
    return Measured(sum(right) / max(1, len(right)), sum(right) / max(1, len(children)))


def draw(seed: int, count: int, *, numbers: float = 0.75) -> Lists:
    """Draw `count` households' children; `numbers`: how many lines have an identity number."""
    rng = np.random.default_rng(seed)
    people = _people(rng, count)
    on_roll = rng.random(count) >= ON_NO_ROLL
    has_line = rng.random(count) >= WITHOUT_LINE
    enrolled = [_enrolled(people[n]) for n in np.flatnonzero(on_roll)]
    rows: list[dict[str, Any]] = []
    truth: dict[int, str | None] = {}
    listed = np.concatenate(
        [np.flatnonzero(has_line), np.flatnonzero(has_line & (rng.random(count) < TWICE))]
    )
    for n in rng.permutation(listed):
        child = people[n]
        truth[len(rows)] = child["student_id"] if on_roll[n] else None
        rows.append(_line(rng, child, len(rows), numbers))
    return Lists(
        pa.Table.from_pylist(rows, schema=LISTED),
        pa.Table.from_pylist(enrolled, schema=ENROLLED),
        truth,
    )


def _people(rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    male = rng.random(count) < 0.53
    birth = (14_000 + rng.integers(0, 3_287, count)).astype(np.int32)
    county = rng.integers(0, 3, count)
    town = rng.integers(0, max(2, count // 1_200), count)
    family = surnames(rng, count).to_pylist()
    home = np.arange(count)
    for n in range(1, count):
        chance = rng.random()
        if chance < TWINS + SIBLINGS:  # of the family before
            home[n], family[n], town[n] = home[n - 1], family[n - 1], town[n - 1]
            county[n] = county[n - 1]
            if chance < TWINS:
                birth[n] = birth[n - 1]
    given = given_names(rng, male).to_pylist()
    for n in range(1, count):
        twin = home[n] == home[n - 1] and birth[n] == birth[n - 1]
        if twin and rng.random() < 0.5 and len(given[n - 1]) > 1:  # twins often share a character
            given[n] = given[n - 1][0] + given[n][-1]
        if home[n] == home[n - 1] and given[n] == given[n - 1]:
            given[n] = "又" + given[n][-1]
    ids = registry_numbers(county, birth, male).to_pylist()
    elders = [
        a + b
        for a, b in zip(
            surnames(rng, 2 * count).to_pylist(),
            given_names(rng, rng.random(2 * count) < 0.5, older=True).to_pylist(),
            strict=True,
        )
    ]
    numbers = phones(rng, 2 * count).to_pylist()
    return [
        {
            "student_id": ids[n],
            "name": family[n] + given[n],
            "sex": "M" if male[n] else "F",
            "birth_date": np.datetime64(int(birth[n]), "D").item(),
            "guardian": elders[home[n]] + "(母亲)",
            "other_guardian": elders[count + home[n]],
            "guardian_phone": numbers[home[n]],
            "other_phone": numbers[count + home[n]],
            "county": f"县{county[n]}",
            "township": f"乡镇{'甲乙丙丁戊己庚辛壬癸'[town[n] % 10]}{town[n] // 10}镇",
        }
        for n in range(count)
    ]


def _enrolled(child: dict[str, Any]) -> dict[str, Any]:
    row = {key: child.get(key) for key in ENROLLED.names}
    return row | {"school_id": "SC1", "grade": 3, "class_id": "301", "in_cohort": True}


def _line(rng: np.random.Generator, child: dict[str, Any], line: int, numbers: float) -> Any:
    other_home = rng.random() < 0.2
    phone = child["other_phone"] if rng.random() < 0.2 else child["guardian_phone"]
    return {
        "line": line,
        "file": "户籍.csv",
        "row": line + 2,
        "name": _spoilt_name(rng, child["name"]),
        "sex": "" if rng.random() < 0.03 else child["sex"],
        "birth_date": _spoilt_birth(rng, child["birth_date"]),
        "id_number": _spoilt_number(rng, child["student_id"][1:]) if rng.random() < numbers else "",
        "guardian": None
        if rng.random() < 0.04
        else child["other_guardian"]
        if other_home
        else child["guardian"].replace("(母亲)", ""),
        "guardian_phone": "" if rng.random() < 0.08 else phone,
        "county": child["county"],
        "township": "别处乡" if rng.random() < 0.2 else child["township"].removesuffix("镇"),
        "address": "",
    }


def _spoilt_name(rng: np.random.Generator, name: str) -> str:
    chance = rng.random()
    if chance < 0.03:
        return name[:-1] + HOMOPHONES.get(name[-1], name[-1])
    if chance < 0.05:
        return name[:-1] + str(rng.choice(list("建波红新海")))
    if chance < 0.07:
        return " ".join(lazy_pinyin(name)).title()
    return name[0] + " " + name[1:] if chance < 0.1 else name


def _spoilt_birth(rng: np.random.Generator, born: Any) -> Any:
    chance = rng.random()
    if chance < 0.06:
        return born.replace(month=1, day=1)
    if chance < 0.08:
        return born.replace(day=born.day % 28 + 1)
    if chance < 0.09 and born.day <= 12:
        return born.replace(month=born.day, day=born.month)
    return born


def _spoilt_number(rng: np.random.Generator, number: str) -> str:
    chance = rng.random()
    if chance < 0.03:
        return number[:6] + number[8:17]
    if chance < 0.05:
        return number[:17] + str(rng.integers(0, 10))
    if chance < 0.08:
        place = int(rng.integers(6, 17))
        return number[:place] + str(rng.integers(0, 10)) + number[place + 1 :]
    return "G" + number.lower() if chance < 0.3 else number
