"""The weekly job in pandas, as a good analyst would write it for the generated city.

Vectorised throughout: merge, merge_asof, groupby, pivot, ids as whole numbers, codes as categories;
only the columns and rows that can matter are read. The result is left as wide frames, which is
easier on pandas than the lists of scores.parquet.

What the generated city never holds is not handled: several sessions a day, attendance_totals,
children taken off by `--complete` or by left_on, batches that override others, schools without a
calendar or without reported days, calendar rows of a class, two exams of a child on one day, a
subject written on two dates for one exam, ids and full marks that are missing, a birth date that
lies ahead, conditions beyond names, comparisons with a constant, `in`, and, or, not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pandas_features as features
import pandas_tables as tables
from python_terms import OPERATORS, literal

from earlywarn.conditions.nodes import (
    Among,
    Both,
    Compare,
    Either,
    Name,
    Node,
    Not,
    canonical,
)
from earlywarn.features.catalogue import CATALOGUE, REGISTRY_FIELDS
from earlywarn.models.scorecard import Scorecard
from earlywarn.models.store import registry
from earlywarn.rules.pack import Rule, RuleBook, load_rulebook
from earlywarn.words import Tier
from earlywarn.workspace import Workspace


def mask(node: Node, frame: pd.DataFrame) -> pd.Series:
    """Return what a condition says of each row: `&`, `|` and `~` of pandas are three-valued."""
    if isinstance(node, Name):
        return frame[node.name]
    if isinstance(node, Not):
        return ~mask(node.operand, frame)
    if isinstance(node, Both):
        return mask(node.left, frame) & mask(node.right, frame)
    if isinstance(node, Either):
        return mask(node.left, frame) | mask(node.right, frame)
    if isinstance(node, Compare) and isinstance(node.left, Name):
        column = frame[node.left.name]
        return _where_known(column, OPERATORS[node.op](column, literal(node.right)))
    if isinstance(node, Among) and isinstance(node.operand, Name):
        column = frame[node.operand.name]
        return _where_known(column, column.isin([literal(item) for item in node.items]))
    raise NotImplementedError(f"no translation of {canonical(node)}: add one")


def _where_known(column: pd.Series, found: pd.Series) -> pd.Series:
    """Return a plain mask as a nullable one, unknown where the column is."""
    return pd.Series(
        pd.arrays.BooleanArray(found.to_numpy(bool), column.isna().to_numpy()), index=column.index
    )


@dataclass(frozen=True)
class Scored:
    """The weekly job's result, four frames with one row a child, by student_id in its order.

    `facts`: the features and registry fields; `verdicts`: a nullable mask a rule; `contributions`:
    a column a term; `scores`: school_id, score, log_odds, tier, rank, listed.
    """

    facts: pd.DataFrame
    verdicts: pd.DataFrame
    contributions: pd.DataFrame
    scores: pd.DataFrame


def job(workspace: Workspace, as_of: date) -> Scored:
    """Score the cohort with the promoted model, from the files on."""
    rulebook = load_rulebook(workspace.rules)
    scorecard = registry.promoted(workspace)
    if scorecard is None:
        raise AssertionError("the workspace has no promoted model")
    times = tables.Times.of(as_of, workspace.config)
    people = tables.registry(workspace, times)
    facts = make_facts(workspace, rulebook, people, times)
    rules = rulebook.in_force(as_of)
    verdicts = pd.DataFrame({rule.id: mask(rule.condition.root, facts) for rule in rules})
    contributions = apply(scorecard, rules, facts, verdicts)
    scores = rank(workspace, people, scorecard, rules, verdicts, contributions)
    ids = people.children.categories.take(people.cohort.index).rename("student_id")
    frames = (facts, verdicts, contributions, scores)
    return Scored(*(frame.set_axis(ids) for frame in frames))


def make_facts(
    workspace: Workspace, rulebook: RuleBook, people: tables.Registry, times: tables.Times
) -> pd.DataFrame:
    """Return the features, then the registry fields that conditions may name, by child."""
    config = workspace.config
    for group in rulebook.groups:
        people.cohort[group.name] = mask(group.condition.root, people.cohort)
    days = tables.school_days(workspace, people, times)
    rows = features.attendance_rows(workspace, people, days, times)
    attendance = features.attendance_features(rows, people, days, times)
    sat = features.sittings_of(workspace, people, times, config)
    made = pd.concat(
        [
            attendance,
            features.mark_features(sat, people, times),
            features.registry_features(people, times, config),
            features.school_features(workspace, people, attendance, sat, times),
            people.cohort[[group.name for group in rulebook.groups]],
            people.cohort[[name for name in REGISTRY_FIELDS if name != "placement"]],
        ],
        axis=1,
    )
    names = [feature.name for feature in CATALOGUE]
    fields = [name for name in REGISTRY_FIELDS if name not in names]
    numbers = [f.name for f in CATALOGUE if f.sql_type in ("DOUBLE", "BIGINT")]
    return made.reindex(columns=names + fields).astype(dict.fromkeys(numbers, "float64"))


def apply(
    scorecard: Scorecard, rules: Sequence[Rule], facts: pd.DataFrame, verdicts: pd.DataFrame
) -> pd.DataFrame:
    """Return every child's contributions."""
    terms: dict[str, Any] = {"b0": np.full(len(facts), scorecard.b0)}
    for table in scorecard.features:
        x = facts[table.name].to_numpy("float64", na_value=np.nan)
        values = np.append(table.values, table.missing) * scorecard.b1
        terms[table.name] = values[np.searchsorted([*table.thresholds, np.inf], x)]
    fitted = {(rule.id, rule.when_hash): rule.weight for rule in scorecard.rules}
    weights = {rule.id: fitted.get((rule.id, rule.when_hash), rule.points) for rule in rules}
    hits = verdicts.fillna(False).astype(bool)
    counted = hits.copy()
    taken: dict[str, Any] = {}
    for rule in sorted(rules, key=lambda rule: (-weights[rule.id], rule.id)):
        if rule.ladder is not None:  # only the heaviest hit of a ladder counts
            above = taken.get(rule.ladder, False)
            counted[rule.id] &= ~np.asarray(above)
            taken[rule.ladder] = above | hits[rule.id].to_numpy()
    terms |= {f"rule:{name}": counted[name].to_numpy() * weight for name, weight in weights.items()}
    return pd.DataFrame(terms, index=facts.index)


def rank(
    workspace: Workspace,
    people: tables.Registry,
    scorecard: Scorecard,
    rules: Sequence[Rule],
    verdicts: pd.DataFrame,
    contributions: pd.DataFrame,
) -> pd.DataFrame:
    """Return score, log-odds, tier, place in the school, and whether listed."""
    config = workspace.config
    log_odds = np.zeros(len(contributions))
    for name in contributions:  # added from left to right
        log_odds += contributions[name].to_numpy()
    scores = pd.DataFrame(
        {
            "school": people.cohort["school"],
            "score": np.round(1 / (1 + np.exp(-log_odds)), 12),
            "log_odds": np.round(log_odds, 12),
        }
    )
    level = pd.Series(Tier.ROUTINE.level, index=scores.index)
    level[scores["score"] >= config.tiers.watch * scorecard.base_rate] = Tier.WATCH.level
    level[scores["score"] >= config.tiers.high * scorecard.base_rate] = Tier.HIGH.level
    for rule in rules:
        if rule.floor is not None:
            hit = verdicts[rule.id].fillna(False).astype(bool)
            level[hit] = level[hit].clip(lower=rule.floor.level)
    scores["level"] = level
    order = scores.sort_values(
        ["school", "level", "score"], ascending=[True, False, False], kind="stable"
    )
    scores["rank"] = order.groupby("school").cumcount() + 1
    schools = tables.read(workspace, "schools", ("school_id", "capacity"))
    own = schools.set_index(tables.number(schools["school_id"], people.schools))["capacity"]
    rooms = {
        school: config.capacity.of(size, None if pd.isna(own[school]) else int(own[school]))
        for school, size in scores["school"].value_counts().items()
    }
    within = scores["rank"] <= scores["school"].map(rooms)
    scores["listed"] = (level == Tier.URGENT.level) | ((level > Tier.ROUTINE.level) & within)
    scores["tier"] = level.map({tier.level: tier.value for tier in Tier}).astype("category")
    scores["school_id"] = pd.Categorical.from_codes(scores["school"], dtype=people.schools)
    return scores[["school_id", "score", "log_odds", "tier", "rank", "listed"]]
