"""One thing that is wrong with the data, or worth knowing, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from earlywarn.errors import Text

Severity = Literal["stop", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = ("stop", "warn", "note")
# Every kind of finding; of two that are equally severe the one that stands first is worse.
KINDS = (
    "no_registry",
    "no_attendance",
    "nothing_reported",
    "days_missing",
    "no_calendar",
    "stale_registry",
    "quarantined",
    "not_recorded",
    "unknown_students",
    "only_present",
    "school_gone",
    "fewer_rows",
    "class_against_grade",
    "impossible_age",
    "unknown_school",
    "empty_field",
    "empty_fields_school",
    "value_jump",
    "no_marks",
    "before_enrolment",
    "outside_calendar",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    `id` is its kind, one of `KINDS`. `severity`: stop = a score of that school would be blind or
    wrong; warn = some of its rules or features are; note = worth knowing. `school_id` None: the
    whole county, or no school can be told. `count` says how many of what the text counts first:
    school days, children or rows. `text` and `cure` name no child; `examples` are at most five
    student_ids.
    """

    id: str
    severity: Severity
    school_id: str | None
    class_id: str | None
    count: int
    text: Text
    cure: Text
    examples: tuple[str, ...] = ()


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings worst first: by severity, kind, count, then school and class."""
    return tuple(sorted(findings, key=_place))


def worst(findings: Iterable[Finding], n: int = 3) -> tuple[Finding, ...]:
    """Return the `n` worst findings, worst first."""
    return in_order(findings)[:n]


def _place(one: Finding) -> tuple[int, int, int, str, str, str]:
    return (
        SEVERITIES.index(one.severity),
        KINDS.index(one.id),
        -one.count,
        one.school_id or "",
        one.class_id or "",
        one.text.en,
    )
