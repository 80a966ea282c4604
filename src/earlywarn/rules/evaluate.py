"""Verdicts: every rule over every student in one query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb
import pyarrow as pa
from sqlglot import exp

from earlywarn.conditions import Kind, finite_column
from earlywarn.conditions.nodes import Name, walk
from earlywarn.rules.pack import Rule, RuleBook


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
    query = verdict_sql(rulebook.in_force(as_of), source)
    return con.sql(query).to_arrow_table()


def verdict_sql(rules: Sequence[Rule], source: str, dialect: str = "duckdb") -> str:
    """Return the query of `verdicts` for `rules`, whose ids must differ.

    Each number column is made a finite DOUBLE or NULL once, for all rules together.
    """
    kinds = {
        node.name: node.kind
        for rule in rules
        for node in walk(rule.condition.root)
        if isinstance(node, Name)
    }
    columns: list[exp.Expr] = [exp.column("student_id", quoted=True)]
    for name, kind in sorted(kinds.items()):
        column = exp.column(name, quoted=True)
        value = finite_column(name) if kind is Kind.NUMBER else column
        columns.append(exp.alias_(value, name, quoted=True))
    known = exp.select(*columns).from_(source)
    hits = [exp.alias_(r.condition.finite_tree.copy(), r.id, quoted=True) for r in rules]
    query = exp.select(columns[0].copy(), *hits).from_(known.subquery("known"))
    return query.order_by(columns[0].copy()).sql(dialect=dialect, pretty=True)
