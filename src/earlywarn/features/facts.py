"""The facts of a cohort: the families of features side by side, one row per child."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.engine.duckdb import run_sql_file
from earlywarn.features.catalogue import CATALOGUE, FEATURES, REGISTRY_FIELDS
from earlywarn.features.sql import SQL_PACKAGE

# Each family's table: what facts.sql calls it, and the key by which a child finds its row.
FAMILIES = {
    "attendance_features": ("a", "sid"),
    "totals_features": ("t", "student_id"),
    "mark_features": ("m", "sid"),
    "registry_features": ("r", "sid"),
    "history_features": ("h", "sid"),
    "school_features": ("s", "school_id"),
}
# What conditions may name beside the features; a placement is a feature.
_BESIDE = tuple(name for name in REGISTRY_FIELDS if name != "placement")
_ARROW_TYPES = {
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
}


def side_by_side(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Put the families' tables side by side, leave `facts` and `features` instead; return facts.

    In Arrow, which finds each child's row once and picks each column; DuckDB's joins carry all 80
    through five hash tables and take three times as long.
    """
    names = ", ".join(("sid", "student_id", "school_id", *_BESIDE))
    children = con.sql(f"SELECT {names} FROM cohort ORDER BY sid").to_arrow_table()
    columns: dict[str, pa.Array] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (_, key) in FAMILIES.items():
            family = con.table(name).to_arrow_table()
            rows = _rows_of(children[key], family[key])
            new = [c for c in family.column_names if c in FEATURES and c not in columns]
            picked = pool.map(partial(_picked, family, rows), new)
            columns.update(zip(new, picked, strict=True))
            con.execute(f"DROP TABLE {name}").fetchall()
    facts = pa.table(
        {
            "student_id": children["student_id"],
            "school_id": children["school_id"],
            **{feature.name: columns[feature.name] for feature in CATALOGUE},
            **{name: children[name] for name in _BESIDE},
        }
    )
    con.register("facts", facts)
    show_features(con)
    return facts


def _rows_of(children: pa.ChunkedArray, keys: pa.ChunkedArray) -> pa.Array:
    """Return the place of each child's key among `keys`, which differ; null where it has none."""
    if not pa.types.is_integer(keys.type):
        return pc.index_in(children, value_set=keys.combine_chunks()).combine_chunks()
    wanted, known = children.to_numpy(), keys.to_numpy()  # sids, which leave few gaps
    places = np.full(1 + max(wanted.max(initial=0), known.max(initial=0)), -1)
    places[known] = np.arange(len(known))
    found = places[wanted]
    return pa.array(found, mask=found < 0)


def _picked(family: pa.Table, rows: pa.Array, name: str) -> pa.Array:
    """Return a feature of each child, whose row in `family` is given, as the type it has."""
    return family[name].combine_chunks().take(rows).cast(_ARROW_TYPES[FEATURES[name].sql_type])


def side_by_side_in_sql(con: duckdb.DuckDBPyConnection) -> None:
    """Leave `facts` and `features` in `con`, computed by the engine itself."""
    run_sql_file(con, SQL_PACKAGE, "facts.sql", {}, {"/*features*/": _feature_columns(con)})
    show_features(con)


def show_features(con: duckdb.DuckDBPyConnection) -> None:
    """Make `features` of `facts`: without the registry fields."""
    fields = ", ".join(f'"{name}"' for name in _BESIDE)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW features AS SELECT * EXCLUDE ({fields}) FROM facts"
    ).fetchall()


def _feature_columns(con: duckdb.DuckDBPyConnection) -> str:
    owner: dict[str, str] = {}
    for table, (alias, _) in FAMILIES.items():
        for column in con.table(table).columns:
            owner.setdefault(column, alias)
    return ",\n    ".join(
        f'CAST({owner[f.name]}."{f.name}" AS {f.sql_type}) AS "{f.name}"' for f in CATALOGUE
    )
