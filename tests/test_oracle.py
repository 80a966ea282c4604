"""The oracle reproduces every value of the worked examples."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any

import pytest

from oracle.canonical import EXAMPLE_NAMES, EXAMPLES, cell, read_case, read_tables
from oracle.features import compute

TOLERANCE = Decimal("5e-9")


def differs(expected: str, found: Any) -> bool:
    """Return whether a found value is not the expected cell."""
    if expected == "" or found is None:
        return expected != cell(found)
    if isinstance(found, Decimal | int) and not isinstance(found, bool):
        return abs(Decimal(expected) - found) > TOLERANCE
    return expected != cell(found)


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_worked_example(name: str) -> None:
    folder = EXAMPLES / name
    as_of, mode = read_case(folder)
    found = {row["student_id"]: row for row in compute(read_tables(folder), as_of, mode)}
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["student_id"]: row for row in csv.DictReader(file)}
    assert sorted(found) == sorted(expected)
    wrong = [
        f"{name} {student} {feature}: expected {value!r}, found {found[student][feature]!r}"
        for student, row in expected.items()
        for feature, value in row.items()
        if differs(value, found[student][feature])
    ]
    assert not wrong, "\n".join(wrong)
