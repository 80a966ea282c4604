"""One side of a comparison: the cohort scored under one rule book, nothing stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from earlywarn.features.build import build
from earlywarn.features.groups import GROUP_NAMES, Groups
from earlywarn.models.experts import solve_experts
from earlywarn.models.scorecard import Scorecard, hit_matrix, sigmoid, weights_for
from earlywarn.models.store import registry
from earlywarn.rules.pack import Rule, RuleBook
from earlywarn.scoring.frame import DECIMALS, Prepared, score_frame
from earlywarn.scoring.rank import floor_levels, tier_levels
from earlywarn.tables.batches import one_row_a_day
from earlywarn.words import Tier
from earlywarn.workspace import Config, Workspace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RULE = "rule:"  # what stands before a rule's id in the name of its term


@dataclass(frozen=True)
class Side:
    """The cohort under one rule book; every array has a row per student, in student_id order.

    Attributes
    ----------
    rules, weights
        The rules in force, and what a hit of each counts, by id.
    from_author
        The rules that count with their author's points.
    hits, terms
        By rule id: whether it hits. By term: its contribution (log-odds).
    level, score_level, floors
        The tier's level (0-3), what it would be by the score alone, and the highest floor.
    groups
        By group: 1 a member, 0 not, -1 not known.
    """

    rulebook: RuleBook
    scorecard: Scorecard
    features: pa.Table
    rules: dict[str, Rule]
    weights: dict[str, float]
    from_author: frozenset[str]
    hits: dict[str, Bools]
    terms: dict[str, Floats]
    level: Ints
    score_level: Ints
    floors: Ints
    score: Floats
    log_odds: Floats
    rank: Ints
    listed: Bools
    groups: dict[str, Ints]

    def floor(self, rule_id: str) -> Ints:
        """Return the level of the floor that a rule demands of each child (0 = none)."""
        rule = self.rules.get(rule_id)
        level = rule.floor.level if rule is not None and rule.floor is not None else 0
        if level == 0:
            return np.zeros(len(self.level), dtype=np.int64)
        return np.where(self.hits[rule_id], level, 0)


def with_base(before: Side, after: Side, config: Config) -> Side:
    """Return `before` with nothing but the base level b0 of `after`; ranks and lists stay."""
    shift = after.scorecard.b0 - before.scorecard.b0
    if shift == 0:
        return before
    score = np.round(sigmoid(before.log_odds + shift), DECIMALS)
    level = tier_levels(score, before.floors.astype(np.int8), after.scorecard.base_rate, config)
    return replace(before, score=score, level=level.astype(np.int64))


def score_side(
    workspace: Workspace, prepared: Prepared, chosen: Scorecard | None, as_of: date
) -> Side:
    """Score a prepared cohort as `score` would, without storing anything.

    `chosen` None: the experts' scorecard of the rule book, the stored one if there is one.
    """
    rulebook = prepared.rulebook
    scorecard = (
        chosen
        or registry.stored_experts(workspace, rulebook)
        or solve_experts(workspace.config, rulebook, prepared.verdicts)
    )
    table = score_frame(workspace, prepared, scorecard, as_of)
    rules = {rule.id: rule for rule in rulebook.in_force(as_of)}
    weights = weights_for(scorecard, rulebook, as_of)
    ids = list(rules)
    matrix = hit_matrix(prepared.verdicts, ids)
    score = table["score"].to_numpy()
    floors = floor_levels(prepared.verdicts, tuple(rules.values()))
    no_floor = np.zeros_like(floors)
    levels = {tier.value: tier.level for tier in Tier}
    return Side(
        rulebook=rulebook,
        scorecard=scorecard,
        features=prepared.features,
        rules=rules,
        weights=dict(zip(weights.ids, map(float, weights.values), strict=True)),
        from_author=frozenset(weights.from_author),
        hits={rule_id: matrix[:, place] for place, rule_id in enumerate(ids)},
        terms=dict(_terms(table)),
        level=np.asarray([levels[tier] for tier in table["tier"].to_pylist()], dtype=np.int64),
        score_level=tier_levels(score, no_floor, scorecard.base_rate, workspace.config).astype(
            np.int64
        ),
        floors=floors.astype(np.int64),
        score=score,
        log_odds=table["log_odds"].to_numpy(),
        rank=table["rank"].to_numpy().astype(np.int64),
        listed=np.asarray(table["listed"].to_pylist(), dtype=np.bool_),
        groups={name: _membership(prepared.features, name) for name in GROUP_NAMES},
    )


def prepare_other(
    prepared: Prepared, workspace: Workspace, rulebook: RuleBook, as_of: date
) -> Prepared:
    """Return the same cohort judged by another rule book.

    Features are built again only where a group's condition differs; everything that was read from
    the first ones must be out of the connection by then.
    """
    facts = prepared.facts
    if group_conditions(rulebook.groups) != group_conditions(prepared.rulebook.groups):
        once = one_row_a_day(workspace)
        facts = build(prepared.con, workspace.config, rulebook.groups, as_of, one_row_a_day=once)
    return Prepared.judge(prepared.con, facts, rulebook, as_of)


def group_conditions(groups: Groups) -> dict[str, str]:
    """Return what makes a child a member, by group: the hash of each condition."""
    return {group.name: group.condition.hash for group in groups}


def _terms(table: pa.Table) -> Iterator[tuple[str, Floats]]:
    """Yield each term of the contributions with its column."""
    pairs = table["contributions"].combine_chunks().flatten()
    width = len(pairs) // table.num_rows
    names = pairs.field("term").slice(0, width).to_pylist()
    values = pairs.field("value").to_numpy().reshape(table.num_rows, width)
    for place, name in enumerate(names):
        yield name, values[:, place]


def _membership(features: pa.Table, name: str) -> Ints:
    column = features[name].combine_chunks().cast(pa.int64()).fill_null(-1)
    found: Ints = column.to_numpy(zero_copy_only=False)
    return found
