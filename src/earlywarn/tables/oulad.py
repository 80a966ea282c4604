"""Import of the open data set OULAD: real, dated records of adult distance learners.

Its own CSV files, plain or gzipped, are read as they are; oulad.sql says how they become tables.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb

from earlywarn.tables.opendata import Imported, Made, find_file, import_once, read_text, run_sql
from earlywarn.workspace import Workspace

TITLE = "OULAD"

# The data set's files: our name for each, and the columns that are read.
_FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "courses": (
        "courses",
        ("code_module", "code_presentation", "module_presentation_length"),
    ),
    "assessments": (
        "assessments",
        ("code_module", "code_presentation", "id_assessment", "assessment_type", "date"),
    ),
    "student_info": (
        "studentInfo",
        ("code_module", "code_presentation", "id_student", "gender", "imd_band", "disability"),
    ),
    "student_registration": (
        "studentRegistration",
        (
            "code_module",
            "code_presentation",
            "id_student",
            "date_registration",
            "date_unregistration",
        ),
    ),
    "student_assessment": (
        "studentAssessment",
        ("id_assessment", "id_student", "date_submitted", "is_banked", "score"),
    ),
}
_MADE = ("students", "schools", "calendar", "attendance", "exams", "outcomes")
FIRST_AS_OF_DAY = 28
HORIZON_DAYS = 30


def import_oulad(workspace: Workspace, source: Path) -> Imported:
    """Import OULAD from the folder `source` and set the config that its tables need.

    Raises
    ------
    EarlywarnError
        If a file or column is missing, or the workspace holds other data already.
    """
    found = {name: find_file(source, stem, TITLE) for name, (stem, _) in _FILES.items()}

    def make(con: duckdb.DuckDBPyConnection) -> Made:
        for name, path in found.items():
            con.register(name, read_text(path, _FILES[name][1], TITLE))
        tables = run_sql(con, "oulad.sql", _MADE, source)
        as_of_dates, last = _as_of_dates(con)
        return Made(
            tables,
            {
                "attendance": "full",
                "stages": {"adult": (13, 13)},
                "horizon_days": HORIZON_DAYS,
                "as_of_dates": as_of_dates,
                "test_where": f"class_id = '{last}'",
            },
        )

    return import_once(
        workspace, found.values(), make, name="oulad", title=TITLE, origin="OULAD (CC BY 4.0)"
    )


def _as_of_dates(con: duckdb.DuckDBPyConnection) -> tuple[list[date], str]:
    """Return the weekly as-of dates from day 28 of each presentation, and the one last begun."""
    presentations = con.execute(
        "SELECT presentation, max(day_0), max(length) FROM presentations "
        "GROUP BY presentation ORDER BY max(day_0)"
    ).fetchall()
    dates = {
        day_0 + timedelta(days=day)
        for _, day_0, length in presentations
        for day in range(FIRST_AS_OF_DAY, length + 1, 7)
    }
    return sorted(dates), presentations[-1][0]
