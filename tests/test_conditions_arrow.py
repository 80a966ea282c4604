"""Random conditions over random rows: Arrow's verdicts are the independent interpreter's."""

from contextlib import suppress

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conditions_oracle import show, verdict
from conditions_random import KINDS, SCHEMA, conditions, rows
from earlywarn.conditions import ConditionError, compile_condition
from earlywarn.conditions.arrow import verdicts_over


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(conditions, min_size=8, max_size=16), rows)
def test_verdicts_over_arrow_are_the_interpreters(trees, table):
    numbered = [{"student_id": i, **row} for i, row in enumerate(table)]
    known = []
    for tree in trees:
        with suppress(ConditionError):
            known.append((tree, compile_condition(show(tree), KINDS).root))
    whole = pa.Table.from_pylist(numbered, SCHEMA)
    # A slice shares its table's memory, from a place that need not be a multiple of eight.
    part = verdicts_over(whole.slice(3), [root for _, root in known])
    assert [v.to_pylist() for v in part] == [
        [verdict(tree, row) for row in table[3:]] for tree, _ in known
    ]
    found = verdicts_over(pa.Table.from_pylist(numbered, SCHEMA), [root for _, root in known])
    for (tree, _), verdicts in zip(known, found, strict=True):
        assert verdicts.to_pylist() == [verdict(tree, row) for row in table]
