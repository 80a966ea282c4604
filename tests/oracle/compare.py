"""Compare what a program computed with the oracle, value by value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

TOLERANCE = Decimal("5e-9")
Row = dict[str, Any]


def same(expected: Any, found: Any) -> bool:
    """Return whether two values agree: NULL with NULL, kinds alike, numbers within 5e-9."""
    if expected is None or found is None:
        return expected is None and found is None
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, str) or isinstance(found, str):
        return bool(expected == found)
    if isinstance(expected, int):
        return isinstance(found, int) and expected == found
    return abs(Decimal(expected) - Decimal(found)) <= TOLERANCE


def mismatches(where: str, expected: list[Row], found: list[Row]) -> list[str]:
    """Return one line for each value (or student) that differs; empty if all is equal."""
    wanted = {row["student_id"]: row for row in expected}
    got = {row["student_id"]: row for row in found}
    lines = [] if len(got) == len(found) else [f"{where}: a student stands twice"]
    lines += [f"{where} {s}: missing, should be in the cohort" for s in sorted(wanted.keys() - got)]
    lines += [f"{where} {s}: should not be in the cohort" for s in sorted(got.keys() - wanted)]
    for student in sorted(wanted.keys() & got.keys()):
        for name, value in wanted[student].items():
            if name not in got[student]:
                lines.append(f"{where} {student} {name}: no such column")
            elif not same(value, got[student][name]):
                lines.append(
                    f"{where} {student} {name}: oracle {value!r}, SQL {got[student][name]!r}"
                )
    return lines
