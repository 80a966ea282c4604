"""The two sides of a comparison, as Arrow tables: who stands in a list, who in the registry."""

from __future__ import annotations

import pyarrow as pa

# One row a line of a household or poverty list; `line` counts over all files from 0.
LISTED = pa.schema(
    [
        ("line", pa.int64()),
        ("file", pa.string()),
        ("row", pa.int32()),  # as the spreadsheet counts it
        ("name", pa.string()),
        ("sex", pa.string()),  # M, F or empty
        ("birth_date", pa.date32()),
        ("id_number", pa.string()),  # as it was written
        ("guardian", pa.string()),
        ("guardian_phone", pa.string()),
        ("county", pa.string()),
        ("township", pa.string()),
        ("address", pa.string()),
    ]
)

# One row a child with a current record on the as-of date, in the cohort or not.
ENROLLED = pa.schema(
    [
        ("student_id", pa.string()),
        ("name", pa.string()),
        ("sex", pa.string()),
        ("birth_date", pa.date32()),
        ("guardian", pa.string()),
        ("guardian_phone", pa.string()),
        ("school_id", pa.string()),
        ("grade", pa.int32()),
        ("class_id", pa.string()),
        ("county", pa.string()),
        ("township", pa.string()),
        ("in_cohort", pa.bool_()),
    ]
)

# A line and a child that may be one: `how` is id (the identity number), exact (name, birth date and
# guardian) or linked (by weight). `weight` is the log2 Bayes factor with the prior, `probability`
# what it comes to; both are empty for id and exact. `agreement` says in short what agrees.
PAIRS = pa.schema(
    [
        ("line", pa.int64()),
        ("student_id", pa.string()),
        ("how", pa.string()),
        ("weight", pa.float64()),
        ("probability", pa.float64()),
        ("agreement", pa.string()),
    ]
)
