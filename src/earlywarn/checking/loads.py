"""Sudden changes: the newest load of a table beside the load before it.

A load is what one sitting put into a table: batches of at most an hour between one and the next
that hold no key twice. A county's hundred class sheets are one load; a file that corrects another
is the next one. Schools are compared with themselves, over the schools that stand in both loads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from earlywarn.checking.columns import TABLE_LABELS, label
from earlywarn.checking.finding import Finding
from earlywarn.checking.gather import SQL_PACKAGE, Gathered
from earlywarn.checking.numbers import many, percent
from earlywarn.engine.duckdb import run_sql_file
from earlywarn.errors import Text
from earlywarn.tables.batches import Batch, Part, read_batches
from earlywarn.tables.contract import STUDENTS
from earlywarn.workspace import Workspace

# How far a value's share may move, in percentage points, and of how many rows a share is one.
JUMP_POINTS = 20
LEAST_ROWS = 50
# Half of so few rows is chance.
LEAST_BEFORE = 20

_ONE_SITTING = timedelta(hours=1)
_TABLES = ("students", "attendance", "exams")
# Fields with few values, of which a share means something.
_FIELDS = {
    "students": tuple(c.name for c in STUDENTS.columns if c.type in ("choice", "boolean")),
    "attendance": ("status",),
    "exams": (),
}
_CURE = Text(
    "请对照原文件核实；如果导错了，用 earlywarn ingest --list 找到批次，再用 --undo 撤销。",
    "Compare with the file. If it was loaded by mistake, find the batch with `earlywarn ingest "
    "--list` and take it back with --undo.",
)


def findings(gathered: Gathered, workspace: Workspace) -> Iterator[Finding]:
    """Yield, table by table, schools that are gone, rows down by half, shares that jumped."""
    known = read_batches(workspace).batches
    for table in _TABLES:
        loads = loads_of(known, table)
        if len(loads) < 2:
            continue
        before, now = ([str(workspace.data / part.file) for part in load] for load in loads[-2:])
        swap = {"/*fields*/": ", ".join(_FIELDS[table])} if table == "students" else {}
        run_sql_file(
            gathered.con, SQL_PACKAGE, f"load_{table}.sql", {"before": before, "now": now}, swap
        )
        yield from _compare(gathered, table)


def loads_of(batches: Iterable[Batch], table: str) -> list[list[Part]]:
    """Return a table's loads, oldest first, each with its parts."""
    loads: list[list[Part]] = []
    ids: set[int] = set()
    last: datetime | None = None
    for batch in batches:
        parts = [part for part in batch.parts if part.table == table and part.rows]
        if not parts:
            continue
        at = datetime.fromisoformat(batch.loaded_at)
        corrects = any(ids & set(part.overrides) for part in parts)
        if last is None or corrects or at - last > _ONE_SITTING:
            loads.append([])
            ids = set()
        loads[-1] += parts
        ids.add(batch.id)
        last = at
    return loads


def _compare(gathered: Gathered, table: str) -> Iterator[Finding]:
    rows = gathered.rows("load_counts.sql")
    before = {school for school, count, *_ in rows if count}
    both = {school for school, count, now, *_ in rows if count and now}
    yield from _gone(table, rows, before, both)
    # Where attendance lists exceptions only, how many there are is no measure of what was loaded.
    if not (table == "attendance" and gathered.exceptions):
        yield from _fewer(table, [row for row in rows if row[0] in both])
    if _FIELDS[table]:
        cells = " UNION ALL ".join(
            f"SELECT school_id, now, '{field}' AS field, CAST({field} AS VARCHAR) AS value "
            "FROM load_rows"
            for field in _FIELDS[table]
        )
        values = gathered.rows("load_values.sql", {"/*cells*/": cells})
        yield from _jumps(table, [row for row in values if row[0] in both])


def _gone(
    table: str, rows: list[tuple[Any, ...]], before: set[str], both: set[str]
) -> Iterator[Finding]:
    """Name schools that the new load leaves out, if it is a load of the same kind at all."""
    if len(both) < 2 or 2 * len(both) < len(before):
        return
    name = TABLE_LABELS[table]
    for school, count, *_ in rows:
        if school in before - both:
            yield Finding(
                "school_gone",
                "warn",
                school,
                None,
                count,
                Text(
                    f"上次导入{name.zh}时有 {count:,} 行，最近一次导入里没有这所学校。",
                    f"had {many(count, 'row')} in the load of {name.en} before, and none in the "
                    "newest.",
                ),
                _CURE,
            )


def _fewer(table: str, rows: list[tuple[Any, ...]]) -> Iterator[Finding]:
    """Compare rows for each day or paper: that a load holds fewer of these is no change."""
    fallen = [row for row in rows if _halved(*row[1:])]
    total = [sum(row[i] for row in rows) for i in (1, 2)]
    units = [max((row[i] for row in rows), default=1) for i in (3, 4)]
    if len(rows) > 1 and _halved(total[0], total[1], units[0], units[1]):
        yield _fewer_rows(table, None, total[0], total[1], units[0], units[1])
        return
    for school, before, now, units_before, units_now in fallen:
        yield _fewer_rows(table, school, before, now, units_before, units_now)


def _halved(before: int, now: int, units_before: int, units_now: int) -> bool:
    return before >= LEAST_BEFORE * units_before and 2 * now * units_before <= before * units_now


def _fewer_rows(
    table: str, school: str | None, before: int, now: int, units_before: int, units_now: int
) -> Finding:
    name = TABLE_LABELS[table]
    each = {
        "students": Text("", ""),
        "attendance": Text("平均每天", "a day "),
        "exams": Text("平均每科", "a paper "),
    }[table]
    was, has = round(before / units_before), round(now / units_now)
    return Finding(
        "fewer_rows",
        "warn",
        school,
        None,
        was - has,
        Text(
            f"{name.zh}的行数比上次导入少了一半以上：{each.zh}从 {was:,} 行降到 {has:,} 行。",
            f"rows of {name.en} are down by half or more since the load before: {each.en}from "
            f"{was:,} to {has:,}.",
        ),
        _CURE,
    )


def _jumps(table: str, rows: list[tuple[Any, ...]]) -> Iterator[Finding]:
    schools: dict[tuple[str, str], dict[str | None, tuple[int, int]]] = defaultdict(dict)
    county: dict[str, dict[str | None, tuple[int, int]]] = defaultdict(dict)
    for school, field, value, before, now in rows:
        schools[school, field][value] = (before, now)
        was, has = county[field].get(value, (0, 0))
        county[field][value] = (was + before, has + now)
    everywhere: set[str] = set()
    for field, values in county.items():
        found = _jump(table, None, field, values)
        if found:
            everywhere.add(field)
            yield found
    for (school, field), values in schools.items():
        found = None if field in everywhere else _jump(table, school, field, values)
        if found:
            yield found


def _jump(
    table: str, school: str | None, field: str, values: dict[str | None, tuple[int, int]]
) -> Finding | None:
    """Return the value whose share moved farthest, if that is too far; empty is a value too."""
    totals = [sum(counts[i] for counts in values.values()) for i in (0, 1)]
    if min(totals) < LEAST_ROWS:
        return None
    value, (before, now) = max(
        values.items(),
        key=lambda item: (abs(_moved(item[1], totals)), item[0] is not None, item[0] or ""),
    )
    if abs(_moved((before, now), totals)) * 100 <= JUMP_POINTS * totals[0] * totals[1]:
        return None
    name = TABLE_LABELS[table]
    was, has = percent(before / totals[0]), percent(now / totals[1])
    said = Text("空", "empty") if value is None else Text(value, value)
    return Finding(
        "value_jump",
        "warn",
        school,
        None,
        now,
        Text(
            f"{name.zh}中{label(field).zh}为“{said.zh}”的：上次导入占 {was}，最近一次占 {has}。",
            f"{label(field).en} = {said.en} in {name.en}: {was} of the load before, "
            f"{has} of the newest.",
        ),
        _CURE,
    )


def _moved(counts: tuple[int, int], totals: list[int]) -> int:
    """Return the difference of the two shares times both totals: exact, and of its sign."""
    return counts[1] * totals[0] - counts[0] * totals[1]
