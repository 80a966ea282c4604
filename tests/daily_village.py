"""A village for the tests of the daily round: statuses written as a line, one sign a school day.

. present   l late   h taught at home   s ill   v on leave   x without leave   - no row
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Config, Workspace

SIGNS = {
    ".": "present",
    "l": "late",
    "h": "home_teaching",
    "s": "sick",
    "v": "leave",
    "x": "unexcused",
}
MONDAY = date(2026, 3, 2)  # day 0 of every line
HOLIDAY = date(2026, 3, 12)  # a Thursday
OPEN_DAYS = [
    day
    for day in (MONDAY + timedelta(days=i) for i in range(89))
    if day.weekday() < 5 and day != HOLIDAY
]
Tables = dict[str, pa.Table]


def day(number: int) -> date:
    """Return school day `number`; 0 is Monday 2 March 2026, 8 skips the holiday."""
    return OPEN_DAYS[number]


def rows(name: str, found: list[dict[str, Any]]) -> pa.Table:
    """Return rows of a table of the contract; what a row does not say is NULL."""
    table = TABLES[name]
    return pa.table(
        {
            c.name: pa.array([row.get(c.name) for row in found], table.schema.field(c.name).type)
            for c in table.columns
        },
        schema=table.schema,
    )


def village(
    lines: Mapping[str, str],
    *,
    reported: int | Mapping[str, int] | None = None,
    not_reported: Mapping[str, int] | None = None,
    children: Mapping[str, dict[str, Any]] | None = None,
    more: Mapping[str, list[dict[str, Any]]] | None = None,
    exceptions: bool = False,
) -> Tables:
    """Return the tables of a village.

    `lines` has each child's signs from day 0 on. Schools hand in day 0 to the longest line's last,
    or the first `reported` days (of a school); `not_reported` takes a school's day away.
    `children` changes records (school S1, class 7.1, grade 7 where nothing else is said); `more`
    adds rows.
    """
    more = more or {}
    records = [
        {
            "student_id": child,
            "snapshot_date": date(2026, 2, 20),
            "school_id": "S1",
            "class_id": "7.1",
            "grade": 7,
            "name": f"名{child}",
            "homeroom_teacher": "王老师",
        }
        | (children or {}).get(child, {})
        for child in lines
    ]
    marks = [
        {"student_id": child, "date": day(i), "status": SIGNS[sign]}
        for child, line in lines.items()
        for i, sign in enumerate(line)
        if sign != "-" and not (exceptions and sign == ".")
    ]
    schools = sorted({record["school_id"] for record in records})
    handed_in = [
        {"school_id": school, "date": day(i)}
        for school in schools
        for i in range(_count(reported, school, lines))
        if (not_reported or {}).get(school) != i
    ]
    found: dict[str, list[dict[str, Any]]] = {
        "students": records,
        "schools": [
            {"school_id": s, "name": f"学校{s}", "county": "某县", "township": "镇"}
            for s in schools
        ],
        "attendance": marks,
        "reported_days": handed_in,
        "calendar": [{"date": d, "is_school_day": True} for d in OPEN_DAYS],
    }
    return {name: rows(name, found.get(name, []) + more.get(name, [])) for name in TABLES}


def _count(reported: int | Mapping[str, int] | None, school: str, lines: Mapping[str, str]) -> int:
    count = reported if isinstance(reported, int | None) else reported.get(school)
    return max(map(len, lines.values())) if count is None else count


def connection(tables: Tables) -> duckdb.DuckDBPyConnection:
    """Return a connection with the tables as they are in a workspace."""
    con = duckdb.connect(config={"preserve_insertion_order": False, "threads": 1})
    complete = pa.table(
        {
            "school_id": pa.array([], pa.string()),
            "snapshot_date": pa.array([], pa.date32()),
        }
    )
    for name, table in ({"complete_registries": complete} | tables).items():
        con.register("incoming", table)
        con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM incoming")
        con.unregister("incoming")
    return con


def workspace_of(root: Path, tables: Tables, **config: Any) -> Workspace:
    """Make the village a workspace with the attendance rules only, which are read faster."""
    made = Workspace.init(root, Config(**config))
    for pack in made.rules.glob("*.yaml"):
        if pack.stem not in ("attendance", "groups", "actions"):
            pack.unlink()
    load(made, tables)
    return made


def load(workspace: Workspace, tables: Tables) -> None:
    """Load tables as one batch; a key that was there is overridden."""
    with workspace.lock("test"):
        add_batch(
            workspace,
            {name: table for name, table in tables.items() if table.num_rows},
            origin="village",
            content=str(len(list(workspace.data.glob("attendance/*")))),
        )
