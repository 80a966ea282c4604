"""The whole scoring as one query: from the facts to the table of scores.parquet.

`scoring.frame.score_frame` for engines that read SQL: the same rows, for DuckDB and for Spark, in
which no Python is run. From layer to layer a child's row is in one piece; they are:

    known    x:FEATURE  what the scorecard's tables look up, as DOUBLE
             NAME       what the rules read, finite or NULL
    judged   term:FEATURE  b1 * f_j;  hit:RULE  the verdict
    weighed  term:rule:RULE  what the rule adds
    scored   log_odds, score (both rounded), level
    ranked   rank, size of the school
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlglot import exp

from earlywarn.models.scorecard import Scorecard, weights_for
from earlywarn.rules.evaluate import known_columns, verdict_columns
from earlywarn.rules.pack import RuleBook
from earlywarn.scoring import rank_sql, scorecard_sql
from earlywarn.scoring.frame import DECIMALS
from earlywarn.scoring.scorecard_sql import column, layer, named, with_columns
from earlywarn.workspace import Config

_X, _TERM, _HIT = "x:", "term:", "hit:"
_KEYS = ("student_id", "school_id")


def score_tree(
    scorecard: Scorecard,
    rulebook: RuleBook,
    config: Config,
    as_of: date,
    *,
    facts: str = "facts",
    schools: str = "schools",
) -> exp.Select:
    """Return the query whose result is the table of scores.parquet, sorted by student_id.

    Parameters
    ----------
    rulebook
        Its rules in force on `as_of` are judged.
    facts
        A view with one row a child of the cohort: student_id, school_id and a column for each
        feature of the scorecard and each name in a rule.
    schools
        A view with at most one row a school: school_id and its own capacity, NULL if it has none.

    Returns
    -------
    sqlglot.exp.Select
        `.sql(dialect="duckdb")` or `.sql(dialect="spark")` is its text.

    Notes
    -----
    Everything is what `score_frame` returns to the bit, but for `exp`: numpy, DuckDB and Java may
    differ in its last bit, so that one score in some ten thousand differs by 1e-12. Children with
    the same log-odds stay tied in each engine.
    """
    rules = rulebook.in_force(as_of)
    weights = weights_for(scorecard, rulebook, as_of)
    features = [table.name for table in scorecard.features]
    terms = [*features, *(f"rule:{rule_id}" for rule_id in weights.ids)]
    hits = {rule_id: column(_HIT + rule_id) for rule_id in weights.ids}

    known = exp.select(
        *map(column, _KEYS),
        *(named(exp.cast(column(name), "DOUBLE"), _X + name) for name in features),
        *(value for name, value in known_columns(rules).items() if name not in _KEYS),
    ).from_(facts)
    looked_up = (
        named(scorecard_sql.step(column(_X + table.name), table, scorecard.b1), _TERM + table.name)
        for table in scorecard.features
    )
    verdicts = verdict_columns(rules, prefix=_HIT).values()
    judged = layer(known, [*map(column, _KEYS), *looked_up, *verdicts])
    counted = scorecard_sql.counted_weights(weights, hits)
    weighed = with_columns(judged, {f"{_TERM}rule:{name}": w for name, w in counted.items()})
    scored = _scored(weighed, scorecard, [_TERM + term for term in terms])
    levelled = with_columns(
        scored,
        {"level": rank_sql.level(column("score"), hits, rules, config.tiers, scorecard.base_rate)},
    )
    ranked = with_columns(
        levelled,
        {
            "rank": rank_sql.rank_in_school(column("level"), column("score")),
            "size": rank_sql.school_size(),
        },
    )
    own = exp.column("capacity", table="school", quoted=True)
    room = rank_sql.capacity(config.capacity, column("size"), own)
    columns: dict[str, exp.Expr] = {
        "student_id": exp.column("student_id", table="ranked", quoted=True),
        "school_id": exp.column("school_id", table="ranked", quoted=True),
        "as_of": exp.cast(exp.Literal.string(as_of.isoformat()), "DATE"),
        "score": column("score"),
        "log_odds": column("log_odds"),
        "tier": rank_sql.tier_name(column("level")),
        "rank": column("rank"),
        "listed": rank_sql.listed(column("level"), column("rank"), room),
        "rules_hit": _ids_where(hits),
        "rules_unknown": _ids_where(
            {name: exp.Is(this=hit, expression=exp.Null()) for name, hit in hits.items()}
        ),
        "contributions": _contributions(scorecard.b0, terms),
        "model": exp.Literal.string(scorecard.label),
        "rules_hash": exp.Literal.string(rulebook.hash),
    }
    by_school = exp.EQ(
        this=exp.column("school_id", table="school", quoted=True),
        expression=exp.column("school_id", table="ranked", quoted=True),
    )
    return (
        exp.select(*(named(value, name) for name, value in columns.items()))
        .from_(ranked.subquery("ranked", copy=False))
        .join(exp.to_table(schools), on=by_school, join_type="left", join_alias="school")
        .order_by(exp.column("student_id", table="ranked", quoted=True))
    )


def _scored(source: exp.Select, scorecard: Scorecard, terms: Sequence[str]) -> exp.Select:
    """Add log_odds and score, rounded as they are stored."""
    summed = scorecard_sql.with_sum(source, scorecard_sql.double(scorecard.b0), terms, "sum")
    exact = {"exact:log_odds": column("sum"), "exact:score": scorecard_sql.sigmoid(column("sum"))}
    many = scorecard_sql.double(10.0**DECIMALS)
    scaled = with_columns(
        summed, {name: exp.Mul(this=value, expression=many) for name, value in exact.items()}
    )
    return with_columns(
        scaled,
        {
            name.removeprefix("exact:"): exp.Div(
                this=scorecard_sql.whole(column(name)), expression=many.copy()
            )
            for name in exact
        },
    )


def _ids_where(conditions: Mapping[str, exp.Expr]) -> exp.Expr:
    """Return the ids whose condition is true, as a list."""
    found: list[exp.Expr] = [
        exp.Case(ifs=[exp.If(this=condition.copy(), true=exp.Literal.string(rule_id))])
        for rule_id, condition in conditions.items()
    ]
    if not found:
        return exp.cast(exp.Array(), "ARRAY<VARCHAR>")
    return exp.ArrayCompact(this=exp.Array(expressions=found))


def _contributions(b0: float, terms: Sequence[str]) -> exp.Expr:
    """Return the list of structs {term, value}: b0, then `terms` from their columns."""
    values = [scorecard_sql.double(b0), *(column(_TERM + term) for term in terms)]
    pairs = [
        exp.Struct(
            expressions=[
                exp.PropertyEQ(this=exp.to_identifier("term"), expression=exp.Literal.string(term)),
                exp.PropertyEQ(this=exp.to_identifier("value"), expression=value),
            ]
        )
        for term, value in zip(["b0", *terms], values, strict=True)
    ]
    return exp.Array(expressions=pairs)
