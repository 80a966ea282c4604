"""Verdicts: every rule over every student at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import repeat

import duckdb
import pyarrow as pa
from sqlglot import exp

from earlywarn.conditions import Kind, finite_column
from earlywarn.conditions.arrow import verdicts_over
from earlywarn.conditions.nodes import Name, walk
from earlywarn.rules.pack import Rule, RuleBook

# So many rows are judged at a time: few enough that a column stays near the processor.
SLICE = 1 << 18


def verdicts(
    con: duckdb.DuckDBPyConnection,
    rulebook: RuleBook,
    as_of: date | None,
    source: str = "facts",
) -> pa.Table:
    """Return what each rule says of each student in the table or view `source`.

    Parameters
    ----------
    con
        A connection with `source`: student_id and a column for each name that the rules use.
    as_of
        Rules not in force on that day are left out; None (training) keeps all.

    Returns
    -------
    pa.Table
        student_id and one boolean column per rule id in rule id order, TRUE hit, FALSE miss, NULL
        unknown; one row a student, sorted by student_id.
    """
    rules = rulebook.in_force(as_of)
    names = {name for rule in rules for name in rule.condition.names}
    columns = [exp.column(name, quoted=True) for name in ("student_id", *sorted(names))]
    query = exp.select(*columns).from_(source).order_by(columns[0].copy())
    return verdicts_of(con.sql(query.sql(dialect="duckdb")).to_arrow_table(), rules)


def verdicts_of(facts: pa.Table, rules: Sequence[Rule]) -> pa.Table:
    """Return what `verdicts` returns, for facts in an Arrow table, in the order of its rows.

    `facts`: student_id and a column for each name that the rules use; the rules' ids must differ.
    """
    slices = [facts.slice(begin, SLICE) for begin in range(0, facts.num_rows, SLICE)]
    if len(slices) < 2:
        return _judge(facts, rules)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return pa.concat_tables(pool.map(_judge, slices, repeat(rules)))


def _judge(facts: pa.Table, rules: Sequence[Rule]) -> pa.Table:
    found = verdicts_over(facts, [rule.condition.root for rule in rules])
    names = ["student_id", *(rule.id for rule in rules)]
    return pa.table([facts["student_id"], *found], names=names)


def verdict_sql(rules: Sequence[Rule], source: str, dialect: str = "duckdb") -> str:
    """Return the query of `verdicts` for `rules`, whose ids must differ, for an SQL engine.

    Each number column is made a finite DOUBLE or NULL once, for all rules together.
    """
    student = exp.column("student_id", quoted=True)
    said = [exp.alias_(rule.condition.finite_tree.copy(), rule.id, quoted=True) for rule in rules]
    known = exp.select(student, *_known_columns(rules)).from_(source)
    query = exp.select(student, *said).from_(known.subquery("known"))
    return query.order_by(student).sql(dialect=dialect, pretty=True)


def _known_columns(rules: Sequence[Rule]) -> list[exp.Expr]:
    """Return the columns that the rules read: numbers finite DOUBLEs or NULL."""
    kinds = {
        node.name: node.kind
        for rule in rules
        for node in walk(rule.condition.root)
        if isinstance(node, Name)
    }
    return [
        exp.alias_(
            finite_column(name) if kind is Kind.NUMBER else exp.column(name, quoted=True),
            name,
            quoted=True,
        )
        for name, kind in sorted(kinds.items())
    ]
