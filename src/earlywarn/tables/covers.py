"""`--covers FROM..TO`: which schools an attendance file says to have reported in full."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.batches import attach
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Workspace


def covered(
    workspace: Workspace, file: str, rows: pa.Table, covers: tuple[date, date]
) -> tuple[pa.Table, list[Text]]:
    """Return reported_days of the file's schools for every day from..to, both included.

    A student's school is that of the newest snapshot not after the last day (of the first one
    if all are later).
    """
    contract = TABLES["reported_days"]
    if not rows.num_rows:
        empty_file = Text(
            "文件里没有可用的行，--covers 未登记任何学校",
            "no usable row in the file, so --covers registers no school",
        )
        return contract.schema.empty_table(), [empty_file]
    notes: list[Text] = []
    with duckdb.connect() as con:
        attach(con, workspace)
        con.register("present", rows.select(["student_id"]))
        found = con.execute(
            """
            WITH pupils AS (SELECT DISTINCT student_id FROM present),
            latest AS (
                SELECT student_id, school_id FROM students SEMI JOIN pupils USING (student_id)
                QUALIFY row_number() OVER (
                    PARTITION BY student_id
                    ORDER BY snapshot_date <= $last DESC,
                             CASE WHEN snapshot_date <= $last THEN snapshot_date END DESC,
                             snapshot_date
                ) = 1
            )
            SELECT school_id, count(*), (SELECT count(*) FROM pupils)
            FROM latest GROUP BY school_id ORDER BY school_id
            """,
            {"last": covers[1]},
        ).fetchall()
    if not found:
        raise EarlywarnError(
            zh=f"{file}：--covers 需要知道学生属于哪所学校，但文件中的学生都还没有"
            "学籍。请先导入 students，或直接导入 reported_days 表。",
            en=f"{file}: --covers must know the students' schools, but no student "
            "of this file is known yet. Load students first, or load the table reported_days.",
        )
    unknown = found[0][2] - sum(count for _, count, _ in found)
    if unknown:
        notes.append(
            Text(
                f"{unknown} 名学生还没有学籍，其学校未按 --covers 登记",
                f"{unknown} students are not known yet; --covers says nothing for their schools",
            )
        )
    first, last = covers
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    schools = [school for school, _, _ in found]
    notes.append(
        Text(
            f"已登记 {len(schools)} 所学校 {first} 至 {last} 已上报",
            f"{len(schools)} schools are registered as having reported {first} to {last}",
        )
    )
    count = len(schools) * len(days)
    rows_covered = pa.table(
        {
            "school_id": pa.array(np.repeat(schools, len(days)).tolist(), pa.string()),
            "class_id": pa.nulls(count, pa.string()),
            "date": pa.array(days * len(schools), pa.date32()),
        },
        schema=contract.schema,
    )
    return rows_covered, notes
