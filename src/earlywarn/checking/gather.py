"""Cohort, school days and attendance as of a day, with attendance read once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from earlywarn.engine.duckdb import run_sql_file, sql_file
from earlywarn.features.build import people_on
from earlywarn.features.sql import SQL_PACKAGE as FEATURES_SQL
from earlywarn.workspace import Config

SQL_PACKAGE = "earlywarn.checking.sql"


@dataclass(frozen=True)
class Gathered:
    """A connection in which `gather` has run, the config, and the dates of the check.

    `year_start` is the last first day of a school year up to `as_of`.
    """

    con: duckdb.DuckDBPyConnection
    config: Config
    as_of: date
    year_start: date

    @property
    def exceptions(self) -> bool:
        """Whether attendance lists exceptions only."""
        return self.config.attendance == "exceptions"

    def rows(
        self, name: str, swap: dict[str, str] | None = None, **parameters: Any
    ) -> list[tuple[Any, ...]]:
        """Return the rows of one of the package's queries, with the parameters that it names."""
        text = sql_file(SQL_PACKAGE, name)
        for mark, sql in (swap or {}).items():
            text = text.replace(mark, sql)
        (statement,) = self.con.extract_statements(text)
        known = {
            "as_of": self.as_of,
            "year_start": self.year_start,
            "year_ago": self.as_of - timedelta(days=365),
            "exceptions": self.exceptions,
        } | parameters
        named = {key: known[key] for key in statement.named_parameters}
        return self.con.execute(statement, named).fetchall()


def gather(con: duckdb.DuckDBPyConnection, config: Config, as_of: date) -> Gathered:
    """Fold what the findings look at: the features' own SQL tells cohort and school days.

    Parameters
    ----------
    con
        A connection of its own with the tables of the contract as views and `complete_registries`
        (see engine.duckdb.connect). Leaves `cohort`, `known_students`, `calendars`, `school_days`,
        `child_spans` and `child_days` in it.
    """
    year_start = config.school_year_begins(as_of)
    found = Gathered(con, config, as_of, year_start)
    parameters = {
        "as_of": as_of,
        "exceptions": found.exceptions,
        "year_start": year_start,
        "year_ago": as_of - timedelta(days=365),
    }
    # A grade's stage is not among what is looked at.
    con.execute("CREATE OR REPLACE TEMP TABLE stage_grades (stage VARCHAR, grade INTEGER)")
    people_on(con, as_of)
    run_sql_file(con, SQL_PACKAGE, "spans.sql", parameters)
    run_sql_file(con, FEATURES_SQL, "calendar.sql", parameters)
    run_sql_file(con, SQL_PACKAGE, "children.sql", parameters)
    return found
