"""`earlywarn features`: the feature table as a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from earlywarn.engine.duckdb import connect
from earlywarn.engine.room import check_room
from earlywarn.errors import UsageError
from earlywarn.features.build import build, feature_table
from earlywarn.features.catalogue import CATALOGUE
from earlywarn.features.groups import load_groups
from earlywarn.files import whole_file
from earlywarn.roles import Role, pseudonym
from earlywarn.tables.batches import one_row_a_day
from earlywarn.workspace import Workspace


def write_features(workspace: Workspace, as_of: date, out: Path, role: Role = Role.COUNTY) -> int:
    """Write every feature as of `as_of` to `out` (.parquet or .csv); return the number of rows.

    One row for each student of the cohort, sorted by student_id; columns student_id, school_id,
    then the catalogue's. In CSV an empty cell is NULL, booleans are true and false. A researcher
    gets pseudonyms for both numbers; who may not see monitored groups (a school) gets no sensitive
    feature.
    """
    kind = out.suffix.lower()
    if kind not in (".parquet", ".csv"):
        raise UsageError(
            zh=f"--out {out} 应以 .parquet 或 .csv 结尾。",
            en=f"--out {out} must end in .parquet or .csv.",
        )
    groups = load_groups(workspace.rules)
    check_room(workspace)
    con = connect(workspace)
    try:
        build(con, workspace.config, groups, as_of, one_row_a_day=one_row_a_day(workspace))
        table = for_role(workspace, feature_table(con), role)
    finally:
        con.close()
    with whole_file(out) as beside:
        if kind == ".parquet":
            pq.write_table(table, beside, compression="zstd")
        else:
            pa_csv.write_csv(table, beside, pa_csv.WriteOptions(quoting_style="needed"))
    rows: int = table.num_rows
    return rows


def for_role(workspace: Workspace, table: pa.Table, role: Role) -> pa.Table:
    """Return the feature table as a role may have it."""
    if role is Role.RESEARCHER:
        for place, name in enumerate(("student_id", "school_id")):
            known = {value: pseudonym(workspace, value) for value in set(table[name].to_pylist())}
            hidden = pa.array([known[value] for value in table[name].to_pylist()], pa.string())
            table = table.set_column(place, name, hidden)
        # In the order of the pseudonyms: the old order would help to tell who is who.
        return table.sort_by("student_id")
    if role.sees_groups:
        return table
    return table.drop_columns(
        [feature.name for feature in CATALOGUE if feature.sensitive or feature.kind == "group"]
    )
