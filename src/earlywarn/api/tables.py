"""Tables for people: Arrow or pandas, and the panel's rows with names instead of codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from earlywarn.errors import UsageError
from earlywarn.models.measures.metrics import share_listed
from earlywarn.models.panel import Codes, Panel, Rows

To = Literal["pandas", "arrow"]

# Whole numbers and yes/no columns that may be missing keep their type in pandas.
_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
# Columns beside the rules' that are never missing: plain numpy types.
_ALWAYS_KNOWN = {"label", "test", "followed", "capacity", "rank", "listed"}
_ARROW = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}


def share_on_list(panel: pd.DataFrame, score: pd.Series) -> pd.Series:
    """Return how much of each panel row stands on its school's list of its date, 0 to 1.

    A list takes as many as the school's capacity, from the highest score down; rows of one score
    share what is left (so do thinned rows, which stand for several). This is what "at capacity"
    means in every figure of a model; tiers, which put some children first, do not count.

    Parameters
    ----------
    panel
        Rows of `Project.panel`, all of a school and date.
    score
        Higher = sooner on the list, aligned with `panel`'s index.
    """
    group = panel.groupby(["school_id", "as_of"], sort=False).ngroup().to_numpy()
    found = share_listed(
        np.round(score.loc[panel.index].to_numpy(np.float64), 12),
        group,
        panel["weight"].to_numpy(np.float64),
        panel["capacity"].to_numpy(np.float64),
    )
    return pd.Series(found, index=panel.index, name="share_on_list")


def given(table: pa.Table, to: To) -> Any:
    """Return an Arrow table as it was asked for."""
    if to == "arrow":
        return table
    if to == "pandas":
        frame = table.to_pandas(types_mapper=_NULLABLE.get, date_as_object=False)
        known = [n for n in table.column_names if n in _ALWAYS_KNOWN or n.startswith("rule:")]
        return frame.astype({n: table.field(n).type.to_pandas_dtype() for n in known})
    raise UsageError(
        zh=f"to 只能是 pandas 或 arrow，不是 {to}。", en=f"to is pandas or arrow, not {to}."
    )


def panel_table(panel: Panel, rows: Rows, *, test: bool) -> pa.Table:
    """Return rows of a panel as `Project.panel` describes them."""
    count = len(rows)
    columns = {
        "student_id": pa.array(panel.students, pa.string()).take(pa.array(rows.student)),
        "school_id": pa.array(panel.schools, pa.string()).take(pa.array(rows.school)),
        "as_of": pa.array(rows.as_of, pa.int32()).cast(pa.date32()),
        "label": pa.array(rows.y),
        "weight": pa.array(rows.weight),
        "test": pa.array([test] * count, pa.bool_()),
        "capacity": pa.array(rows.capacity),
        "stage": _named(rows.stage, panel.stages),
        "school_kind": _named(rows.kind, panel.kinds),
        "followed": pa.array(rows.followed),
    }
    for place, name in enumerate(panel.groups):
        codes = rows.groups[:, place]
        columns[f"group:{name}"] = pa.array(codes == 1, mask=codes < 0)
    for place, feature in enumerate(panel.features):
        values = pa.array(rows.x[:, place], from_pandas=True)  # NaN = missing
        columns[feature.name] = values.cast(_ARROW[feature.type])
    for place, rule_id in enumerate(panel.rules):
        columns[f"rule:{rule_id}"] = pa.array(rows.hits[:, place])
    return pa.table(columns)


def _named(codes: Codes, names: Sequence[str]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))
