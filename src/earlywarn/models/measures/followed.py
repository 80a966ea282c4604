"""Who stood on a stored run's list: children who may have been followed up.

Where a list led to a visit that kept a child at school, the label says that nothing happened. So
the validation says how many of its rows are of children on a list, and measures without them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from earlywarn.errors import Text
from earlywarn.workspace import Workspace

# Written by scoring, which stands on a floor above.
SCORES_FILE = "scores.parquet"
_SCHEMA = pa.schema([("student_id", pa.string()), ("as_of", pa.date32())])
# One number for a student and a day: more days than lie between any two dates.
_SPAN = 10_000_000


@dataclass(frozen=True)
class Followed:
    """The lists of a workspace's runs.

    Attributes
    ----------
    listed
        student_id and as_of (date) of each child on a list, sorted, each pair once.
    runs
        How many runs were read: the newest of each as-of date.
    notes
        What could not be read.
    """

    listed: pa.Table
    runs: int
    notes: tuple[Text, ...] = ()


def followed(workspace: Workspace, until: date | None = None) -> Followed:
    """Read who stood on the list of the newest run of each as-of date.

    A run whose scores cannot be read is left out, with a note.

    Parameters
    ----------
    until
        Runs of later dates are not read.
    """
    parts = [_SCHEMA.empty_table()]
    notes = []
    for folder in _newest_runs(workspace.runs, until):
        path = folder / SCORES_FILE
        try:
            parts.append(_listed(path))
        except (OSError, ValueError, KeyError, pa.ArrowException):
            name = path.relative_to(workspace.root).as_posix()
            notes.append(
                Text(
                    zh=f"{name} 已损坏或缺失，其中名单上的学生没有算作已跟进。",
                    en=f"{name} is damaged or missing: the children on its list do not count as "
                    "followed up.",
                )
            )
    pairs = pa.concat_tables(parts).group_by(_SCHEMA.names).aggregate([])
    return Followed(
        listed=pairs.select(_SCHEMA.names).sort_by([(name, "ascending") for name in _SCHEMA.names]),
        runs=len(parts) - 1,
        notes=tuple(notes),
    )


def _newest_runs(runs: Path, until: date | None) -> list[Path]:
    """Return the folder of the newest run of each as-of date, by date."""
    found = []
    days = sorted(runs.iterdir()) if runs.is_dir() else []
    for day in days:
        try:
            as_of = date.fromisoformat(day.name)
        except ValueError:
            continue  # something else that somebody keeps there
        if as_of.isoformat() != day.name or not day.is_dir() or (until and as_of > until):
            continue
        numbers = [int(p.name) for p in day.iterdir() if p.name.isdecimal() and p.is_dir()]
        if numbers:
            found.append(day / str(max(numbers)))
    return found


def _listed(path: Path) -> pa.Table:
    table = pq.read_table(path, columns=[*_SCHEMA.names, "listed"], partitioning=None)
    on_list = table.column("listed")
    if not pa.types.is_boolean(on_list.type):
        raise ValueError(f"listed is {on_list.type}")
    return table.filter(on_list).select(_SCHEMA.names).cast(_SCHEMA)


def on_a_list(
    student: NDArray[np.int32],
    as_of: NDArray[np.int32],
    students: Sequence[str],
    listed: pa.Table,
    horizon_days: int,
) -> NDArray[np.bool_]:
    """Return whether each row's child stood on a list from the as-of date to the window's end.

    Parameters
    ----------
    student, as_of
        The rows: places in `students`, and days since 1970-01-01.
    listed
        student_id and as_of, as `Followed.listed`; who is not among `students` is passed over.
    """
    codes = pc.index_in(listed.column("student_id"), value_set=pa.array(students, pa.string()))
    known = pc.is_valid(codes)
    days = listed.column("as_of").cast(pa.int32())
    keys = np.sort(
        codes.filter(known).to_numpy().astype(np.int64) * _SPAN + days.filter(known).to_numpy()
    )
    first = student.astype(np.int64) * _SPAN + as_of
    last = first + horizon_days
    found: NDArray[np.bool_] = np.searchsorted(keys, first) < np.searchsorted(keys, last, "right")
    return found
