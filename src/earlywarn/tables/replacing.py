"""`--replace`: which earlier rows go, the file being all that is known for its schools and days.

What belongs to a school and a day stands in `scopes`. Files of one command stand beside each other:
none of them replaces what another one brought, and what the follow-up ledger confirmed stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.batchlist import Batch, BatchList, Part, Scope, Span, read_batches
from earlywarn.tables.contract import Table
from earlywarn.tables.scopes import REACH, Reach, make_scopes, make_stays
from earlywarn.tables.views import attach, scan, view_sql
from earlywarn.workspace import Workspace

_SHOWN_SCHOOLS = 10
_SHOWN_KEYS = 5


@dataclass(frozen=True)
class Replacement:
    """What a file replaces.

    `withdrawn`: how many rows that counted until now count no more, their key not being in the
    file; `keys`: the keys of the first five of them.
    """

    scope: Scope
    withdrawn: int
    keys: list[dict[str, Any]]
    notes: list[Text] = field(default_factory=list)


def replacement(
    workspace: Workspace, file: str, table: Table, rows: pa.Table, kept: Collection[int]
) -> Replacement | None:
    """Return what a file of `rows` replaces; None if it has no usable row.

    Parameters
    ----------
    rows
        The file's accepted rows, with the contract's columns.
    kept
        Batches of the same command.

    Raises
    ------
    EarlywarnError
        If the rows' schools are those of their students, and no student is known.
    """
    if not rows.num_rows:
        return None
    known = read_batches(workspace)
    reach = REACH[table.name]
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false").fetchall()
        attach(con, workspace)
        make_stays(con)
        con.register("incoming", rows)
        schools, unknown = _schools(con, reach)
        if not schools:
            raise EarlywarnError(
                zh=f"{file}：--replace 需要知道学生属于哪所学校，但文件中的学生都还没有学籍。"
                "请先导入 students。",
                en=f"{file}: --replace must know the students' schools, but no student of this "
                "file is known yet. Load students first.",
            )
        scope = Scope(schools=list(schools), spans=_spans(con, reach))
        scope.batches = _earlier(con, workspace, known, table, scope, kept)
        _find_withdrawn(con, workspace, known, table, scope)
        by_school = dict(con.execute(_count_by_school(reach, "withdrawn")).fetchall())
        shown = ", ".join(f'"{name}"' for name in table.key)
        keys = con.sql(f"SELECT {shown} FROM withdrawn ORDER BY ALL LIMIT {_SHOWN_KEYS}")
        found = Replacement(
            scope,
            withdrawn=sum(by_school.values()),
            keys=keys.to_arrow_table().to_pylist(),
        )
    found.notes.append(_say(scope, schools, by_school))
    if unknown:
        found.notes.append(
            Text(
                f"{unknown} 名学生还没有学籍，--replace 不涉及其学校",
                f"{unknown} students are not known yet; --replace says nothing for their schools",
            )
        )
    return found


def is_newest(known: BatchList, batch: Batch) -> bool:
    """Whether no later batch has rows of a table that `batch` has."""
    tables = {part.table for part in batch.parts}
    return not any(
        part.table in tables
        for other in known.batches
        if other.id > batch.id
        for part in other.parts
    )


def _count_by_school(reach: Reach, rows: str) -> str:
    """Return the SQL that counts `rows` by their schools."""
    if not reach.by_student:
        return f"SELECT school_id, count(*) FROM {rows} GROUP BY 1 ORDER BY 1 NULLS FIRST"
    return (
        f"SELECT s.school_id, count(*) FROM {rows} AS o JOIN school_stays AS s "
        f'ON o.student_id = s.student_id AND o."{reach.last}" BETWEEN s.since AND s.until '
        "GROUP BY 1 ORDER BY 1"
    )


def _schools(con: duckdb.DuckDBPyConnection, reach: Reach) -> tuple[dict[str | None, int], int]:
    """Return the file's schools, each with its rows, and how many of its students have none."""
    schools = dict(con.execute(_count_by_school(reach, "incoming")).fetchall())
    if not reach.by_student:
        return schools, 0
    ((unknown,),) = con.execute(
        "SELECT count(DISTINCT student_id) FROM incoming ANTI JOIN school_stays USING (student_id)"
    ).fetchall()
    return schools, int(unknown)


def _spans(con: duckdb.DuckDBPyConnection, reach: Reach) -> list[Span]:
    exam = "exam" if reach.by_exam else "NULL"
    by = "" if reach.days_between else "GROUP BY ALL ORDER BY ALL"
    day = f'min("{reach.first}"), max("{reach.last}")'
    if not reach.days_between:
        day = f'"{reach.first}", "{reach.last}"'
    found = con.execute(f"SELECT {exam}, {day} FROM incoming {by}").fetchall()
    return [Span(first=first, last=last, exam=name) for name, first, last in found]


def _earlier(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    known: BatchList,
    table: Table,
    scope: Scope,
    kept: Collection[int],
) -> list[int]:
    """Return the earlier batches with rows of the scope's days."""
    reach = REACH[table.name]
    bounds = [min(s.first for s in scope.spans), max(s.last for s in scope.spans)]
    found = []
    for batch in known.batches:
        if batch.id in kept or batch.is_of_the_ledger:
            continue
        for part in batch.parts:
            if part.table != table.name:
                continue
            within = con.execute(
                f"SELECT 1 FROM {scan(workspace, [part.file])} "
                f'WHERE "{reach.first}" >= ? AND "{reach.last}" <= ? LIMIT 1',
                bounds,
            ).fetchall()
            if within:
                found.append(batch.id)
    return found


def _find_withdrawn(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    known: BatchList,
    table: Table,
    scope: Scope,
) -> None:
    """Make `withdrawn`: the rows that count now, would not beside `scope`, and are not replaced."""
    replacing = Batch(
        id=known.next_id,
        loaded_at="",
        origin="",
        content="",
        parts=[Part(table=table.name, file="", rows=0, sha256="", replaces=scope)],
    )
    after = known.model_copy(update={"batches": [*known.batches, replacing]})
    make_scopes(con, after)
    match = " AND ".join(f'b."{c}" IS NOT DISTINCT FROM {{0}}."{c}"' for c in table.key)
    con.execute(
        f"""
        CREATE TEMP TABLE withdrawn AS
        SELECT * FROM {table.name} AS b
        ANTI JOIN ({view_sql(workspace, after, table)}) AS a ON {match.format("a")}
        ANTI JOIN incoming AS n ON {match.format("n")}
        """
    ).fetchall()


def _say(scope: Scope, schools: dict[str | None, int], withdrawn: dict[str | None, int]) -> Text:
    """Name schools and days: a wrong school in the file must be seen."""
    zh, en = [], []
    for school, count in list(schools.items())[:_SHOWN_SCHOOLS]:
        gone = withdrawn.get(school, 0)
        zh.append(f"{school or '（全部学校）'}：文件 {count:,} 行，撤下先前 {gone:,} 行")
        en.append(f"{school or '(all schools)'}: {count:,} rows in the file, {gone:,} withdrawn")
    if len(schools) > _SHOWN_SCHOOLS:
        zh.append(f"…（共 {len(schools):,} 所）")
        en.append(f"... ({len(schools):,} schools)")
    first, last = min(s.first for s in scope.spans), max(s.last for s in scope.spans)
    days = f"{first}" if first == last else f"{first}..{last}"
    return Text(
        f"--replace：{days} 以本文件为准（{'；'.join(zh)}）",
        f"--replace: for {days} this file is all that counts ({'; '.join(en)})",
    )
