"""A Parquet file without a child's rows."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from earlywarn.forgetting.child import Child
from earlywarn.forgetting.texts import Dropped

SIGN = b"PAR1"


def without(source: Path | BytesIO, child: Child) -> tuple[bytes | None, Dropped] | None:
    """Return the file without the child's rows, and those; None if it holds none.

    A damaged file that holds the child cannot be made without it: None in place of its content.
    """
    try:
        with pq.ParquetFile(source) as file:
            names = [field.name for field in file.schema_arrow if _is_text(field.type)]
            names = ["student_id"] if "student_id" in names else names
            is_its = _rows_of(file.read(columns=names), child)
            if not pc.any(is_its).as_py():
                return None
            table = file.read()
    except (OSError, pa.ArrowException):
        data = source.read_bytes() if isinstance(source, Path) else source.getvalue()
        return (None, []) if child.is_in(data) else None
    buffer = pa.BufferOutputStream()
    pq.write_table(
        table.filter(pc.invert(is_its)), buffer, compression="zstd", write_statistics=True
    )
    return buffer.getvalue().to_pybytes(), [[child.student_id]] * pc.sum(is_its).as_py()


def _rows_of(table: pa.Table, child: Child) -> pa.ChunkedArray | pa.Array:
    found = pa.array([False] * table.num_rows)
    for name in table.column_names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if name == "student_id" or child.telling:
            found = pc.or_(found, pc.fill_null(pc.equal(column, child.student_id), False))
        if name != "student_id":
            for word in child.own:
                holds = pc.match_substring(column, word)
                found = pc.or_(found, pc.fill_null(holds, False))
    return found


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
