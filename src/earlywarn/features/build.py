"""Features of the whole cohort as of a date.

The definitions stand in sql/*.sql, one file per family; here they are put in order, given their
parameters and run. Nothing dated after the as-of date is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import run_sql_file
from earlywarn.errors import EarlywarnError
from earlywarn.features.facts import side_by_side
from earlywarn.features.groups import Groups
from earlywarn.features.sql import SQL_PACKAGE
from earlywarn.tables.contract import STUDENTS
from earlywarn.workspace import Config

# What a current record says beside its key; left_on speaks of its own snapshot only (cohort.sql).
RECORD_FIELDS = tuple(
    column.name
    for column in STUDENTS.columns
    if column.name not in ("student_id", "snapshot_date", "left_on")
)


def build(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    groups: Groups,
    as_of: date,
    *,
    one_row_a_day: bool = False,
    keys_are_made: bool = False,
) -> pa.Table:
    """Compute every feature as of `as_of` for each student of the cohort, and return the facts.

    Parameters
    ----------
    con
        Has the tables of the contract as views and `complete_registries` (see tables.batches).
    one_row_a_day
        True if attendance is known to have one row for a student and day: saves folding sessions.
    keys_are_made
        True if `make_keys` has run in `con` and its tables have not changed since: saves doing
        again, for every date, what does not depend on it. Else it is done here, and what nothing
        after needs is dropped: a province's marks fill half of its memory.

    Returns
    -------
    The facts, sorted by student_id: student_id, school_id, every feature in catalogue order, and
    the registry fields that conditions may name.

    Leaves in `con`, one row per student of the cohort: `cohort` (the current record, stage,
    on_leave), `facts`, `features` (the same without the registry fields) and `basis` (the dates
    that features rest on); further `roster`, `school_days` and `day_masks`.

    Raises
    ------
    EarlywarnError
        If attendance lists exceptions only and a school has no calendar.
    """
    build_families(
        con, config, groups, as_of, one_row_a_day=one_row_a_day, keys_are_made=keys_are_made
    )
    return side_by_side(con)


def build_families(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    groups: Groups,
    as_of: date,
    *,
    one_row_a_day: bool = False,
    keys_are_made: bool = False,
) -> None:
    """Do what `build` does up to the tables of each family of features (see facts.FAMILIES)."""
    parameters = _parameters(config, as_of)
    if keys_are_made:  # the rows that counted on another day are not all that count on this one
        run_sql_file(con, SQL_PACKAGE, "rows.sql", {})
    else:
        _make_day_keys(con, config, one_row_a_day=one_row_a_day)
    _cohort(con, as_of, RECORD_FIELDS)
    run_sql_file(con, SQL_PACKAGE, "changes.sql", parameters)
    if not keys_are_made:
        _make_exam_keys(con, config)
        _drop(con, "registry_rows", "newest_snapshots", "place_spans")
    run_sql_file(con, SQL_PACKAGE, "marks.sql", parameters)
    if not keys_are_made:
        _drop(con, "exam_rows", "superseded_marks", "student_exams")
    run_sql_file(con, SQL_PACKAGE, "calendar.sql", parameters)
    if config.attendance == "exceptions":
        refuse_without_calendar(con)
    parameters["first_day"] = _first_day_in_reach(con, parameters)
    run_sql_file(con, SQL_PACKAGE, "attendance.sql", parameters)
    of_groups = {
        "/*groups*/": ",\n        ".join(f'({group.sql}) AS "{group.name}"' for group in groups),
        "/*names of groups*/": ", ".join(f'c."{group.name}"' for group in groups),
    }
    run_sql_file(con, SQL_PACKAGE, "registry.sql", parameters, of_groups)
    run_sql_file(con, SQL_PACKAGE, "school.sql", parameters)
    run_sql_file(con, SQL_PACKAGE, "basis.sql", parameters)


def _drop(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    for name in tables:
        con.execute(f"DROP TABLE {name}").fetchall()


def make_keys(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    *,
    one_row_a_day: bool = False,
    many_dates: bool = False,
) -> None:
    """Make what no as-of date changes: keys, one row for a child and day, marks in their exams.

    `many_dates`: features will be built for many as-of dates, so attendance is read now, once for
    all of them; else each date reads what it needs.
    """
    _make_day_keys(con, config, one_row_a_day=one_row_a_day)
    if many_dates:
        run_sql_file(con, SQL_PACKAGE, "kept_days.sql", {})
    _make_exam_keys(con, config)


def _make_day_keys(con: duckdb.DuckDBPyConnection, config: Config, *, one_row_a_day: bool) -> None:
    _small_tables(con, config)
    swap = {"/*one row a day*/ worst": "days"} if one_row_a_day else {}
    _child_keys(con, RECORD_FIELDS)
    run_sql_file(con, SQL_PACKAGE, "rows.sql", {})
    run_sql_file(con, SQL_PACKAGE, "days.sql", {}, swap)


def _make_exam_keys(con: duckdb.DuckDBPyConnection, config: Config) -> None:
    run_sql_file(con, SQL_PACKAGE, "exams.sql", {"year_start_md": _year_start_md(config)})


def cohort_on(con: duckdb.DuckDBPyConnection, config: Config, day: date) -> None:
    """Leave in `con` the cohort of a day and what goes before it, without any feature.

    That is what `people_on` leaves, and `stage_grades`; what `build` has left of another day is
    replaced.
    """
    _small_tables(con, config)
    people_on(con, day)


def people_on(
    con: duckdb.DuckDBPyConnection, day: date, fields: Sequence[str] = RECORD_FIELDS
) -> None:
    """Leave in `con`, which has `stage_grades`, who there is on a day.

    That is `student_keys`, `snapshots`, `event_summary`, `past_leaves`, `known_students`,
    `current_records` and `cohort`. Of a record they have `fields`, among which must be school_id,
    grade and enrolled_on.
    """
    _child_keys(con, fields)
    _cohort(con, day, fields)
    _drop(con, "registry_rows", "newest_snapshots")


def _child_keys(con: duckdb.DuckDBPyConnection, fields: Sequence[str]) -> None:
    said = " | ".join(
        f"CASE WHEN {field} IS NULL THEN 0 ELSE {bit} END"
        for field, bit in _bits(fields).items()
        if field != "birth_date"
    )
    swap = {"/*a bit for each field that is filled in*/": f"CAST({said} AS BIGINT)"}
    run_sql_file(con, SQL_PACKAGE, "keys.sql", {}, swap)


def _cohort(con: duckdb.DuckDBPyConnection, day: date, fields: Sequence[str]) -> None:
    last = (f"arg_max({field}, snapshot_date) AS {field}" for field in fields)
    swap = {
        "/*the bit of birth_date*/": str(_bits(fields).get("birth_date", 0)),
        "/*last known fields*/": ", ".join(last),
        "/*fields*/": ", ".join(fields),
    }
    run_sql_file(con, SQL_PACKAGE, "cohort.sql", {"as_of": day}, swap)


def _bits(fields: Sequence[str]) -> dict[str, int]:
    return {field: 1 << place for place, field in enumerate(fields)}


def feature_table(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the features that `build` left in `con`, sorted by student_id."""
    return con.sql("SELECT * FROM features ORDER BY student_id").to_arrow_table()


def _parameters(config: Config, as_of: date) -> dict[str, Any]:
    return {
        "as_of": as_of,
        "exceptions": config.attendance == "exceptions",
        "year_start": config.school_year_begins(as_of),
        "year_ago": as_of - timedelta(days=365),
        "three_years_ago": as_of - timedelta(days=1095),
        "pass_mark": round(config.pass_mark * 1_000_000),
        "age_at_grade_1": config.age_at_grade_1,
    }


def _first_day_in_reach(con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]) -> date:
    """Return the first day whose attendance a feature can rest on.

    That is the earliest of: the school year's beginning, the 60th last school day of any calendar,
    the last break of any calendar.
    """
    ((school_day, before_break),) = con.execute(
        "SELECT (SELECT min(date) FROM school_days WHERE back < 60), "
        "(SELECT min(day_before) FROM last_breaks)"
    ).fetchall()
    year_start: date = parameters["year_start"]
    return min(day for day in (year_start, school_day, before_break) if day)


def _year_start_md(config: Config) -> int:
    """Return the school year's first day as month * 100 + day."""
    return int(config.school_year_start.replace("-", ""))


def _small_tables(con: duckdb.DuckDBPyConnection, config: Config) -> None:
    stages = [
        (stage, grade)
        for stage, (low, high) in config.stages.items()
        for grade in range(low, high + 1)
    ]
    tables = {
        "stage_grades": pa.table(
            {
                "stage": pa.array([s for s, _ in stages], pa.string()),
                "grade": pa.array([g for _, g in stages], pa.int32()),
            }
        ),
        "core_subjects": pa.table({"subject": pa.array(config.core_subjects, pa.string())}),
    }
    for name, table in tables.items():
        con.register(f"{name}_rows", table)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_rows").fetchall()
        con.unregister(f"{name}_rows")


def refuse_without_calendar(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse a school without a calendar, where attendance lists exceptions only."""
    missing = con.execute(
        "SELECT DISTINCT school_id FROM calendars WHERE NOT has_calendar ORDER BY school_id LIMIT 3"
    ).fetchall()
    if missing:
        schools = ", ".join(str(row[0]) for row in missing)
        raise EarlywarnError(
            zh=f"配置 attendance: exceptions 需要校历，但学校 {schools} 在截止日期前没有校历行。"
            "请先运行 earlywarn ingest calendar。",
            en=f"attendance: exceptions needs a calendar, and school {schools} has no calendar row "
            "up to the as-of date. Run `earlywarn ingest calendar` first.",
        )
