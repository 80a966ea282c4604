"""What the impact of other rules consists of: plain rows, made by trial.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from earlywarn.errors import Text
from earlywarn.words import Tier

CauseKind = Literal[
    "hit", "lost", "weight", "silenced", "heard", "floor", "feature", "base", "capacity"
]
ListMove = Literal["enter", "leave", ""]
TierMove = Literal["up", "down", ""]
RuleState = Literal["new", "gone", "changed", "same"]

# The two causes that are no rule's and no feature's, as `Cause.key` names them.
BASE, CAPACITY = "b0", "capacity"
# The rows of groups that are no group: everybody, and who is known to be in none.
EVERYBODY, NO_GROUP = "everybody", "none"


@dataclass(frozen=True)
class Cause:
    """One thing that differs for one child.

    Attributes
    ----------
    kind
        `hit` (a rule hits that did not), `lost` (it no longer does), `weight` (it hits before and
        after and counts more or less), `silenced` / `heard` (a stronger rule of its ladder now
        counts instead / no longer does), `floor` (only the least tier of its hits differs),
        `feature` (a learned table gives another value: a group's definition differs), `base` (b0
        differs: the experts' scorecard keeps the cohort's mean score), `capacity` (others of the
        school went ahead, or fell behind).
    term
        The rule's id, the feature's name, `b0` or `capacity`.
    effect
        What it adds to the child's log-odds, after minus before; 0 for `capacity`.
    floor_before, floor_after
        The least tier that the rule demands for this child, where it hits and has one.
    reason
        The rule's reason with the child's numbers, for `hit`.
    children, through
        Of `capacity`: who went ahead or fell behind, and how many of them because of which rule.
    """

    kind: CauseKind
    term: str
    effect: float = 0.0
    floor_before: Tier | None = None
    floor_after: Tier | None = None
    reason: Text | None = None
    children: tuple[str, ...] = ()
    through: tuple[tuple[str, int], ...] = ()

    @property
    def of_rule(self) -> bool:
        """Whether it is a rule's doing."""
        return self.kind not in ("feature", "base", "capacity")


@dataclass(frozen=True)
class Standing:
    """Where one child stands under one rule book."""

    tier: Tier
    listed: bool
    rank: int
    score: float
    log_odds: float


@dataclass(frozen=True)
class ChildChange:
    """A child that enters or leaves its school's list, or whose tier changes, and why.

    `causes` are in order of effect, those that pull the way of the change first; `list_cause` and
    `tier_cause` are the terms of the main ones ("" where that does not change).
    """

    student_id: str
    school_id: str
    name: str
    class_id: str
    grade: int | None
    before: Standing
    after: Standing
    causes: tuple[Cause, ...]
    list_cause: str
    tier_cause: str

    @property
    def list_move(self) -> ListMove:
        """Whether the child enters or leaves the list."""
        if self.before.listed == self.after.listed:
            return ""
        return "enter" if self.after.listed else "leave"

    @property
    def tier_move(self) -> TierMove:
        """Whether the tier goes up or down."""
        if self.before.tier is self.after.tier:
            return ""
        return "up" if self.after.tier.level > self.before.tier.level else "down"


@dataclass(frozen=True)
class Moves:
    """How many children move."""

    enter: int = 0
    leave: int = 0
    up: int = 0
    down: int = 0

    @property
    def any(self) -> bool:
        """Whether anybody moves."""
        return bool(self.enter or self.leave or self.up or self.down)


@dataclass(frozen=True)
class ListCounts:
    """A list in numbers: by tier, how many are cut for lack of capacity, how many are beyond it."""

    urgent: int
    high: int
    watch: int
    cut: int
    over: int

    @property
    def listed(self) -> int:
        """Children on the list: the visits of the week."""
        return self.urgent + self.high + self.watch


@dataclass(frozen=True)
class SchoolImpact:
    """One school: its list before and after, who moves, and its changed children.

    `reordered`: children whose tier and listing stay while their rank on the list differs.
    """

    school_id: str
    name: str
    county: str
    township: str
    cohort: int
    capacity: int
    before: ListCounts
    after: ListCounts
    moves: Moves
    reordered: int
    children: tuple[ChildChange, ...]


@dataclass(frozen=True)
class GroupImpact:
    """One monitored group (or EVERYBODY, NO_GROUP): members, how many are listed, who moves.

    Who enters or goes up is a member by the new definition, who leaves or goes down by the old.
    """

    name: str
    label: Text
    members_before: int
    members_after: int
    listed_before: int
    listed_after: int
    moves: Moves


@dataclass(frozen=True)
class RuleImpact:
    """One rule that differs between the folders, or that does something else than before.

    Attributes
    ----------
    state
        `new`, `gone`, `changed`, or `same` (a group that it names is defined otherwise, or a
        ladder's other rule differs).
    keys
        Of a changed rule: what differs, as {key: (before, after)}.
    in_force_before, in_force_after
        Whether there is such a rule in force on the as-of date.
    words_before, words_after
        Its condition in words, where there is such a rule.
    weight_before, weight_after
        What a hit counts, in log-odds, if it is in force.
    from_author
        Whether it counts with its author's points, since the model has no weight for it.
    hits_before, hits_after
        Children of the cohort that it hits.
    moves
        Children that move with this rule as the main cause.
    touches
        Children that move and have this rule among their causes.
    pushes
        Children that others displace (or make room for) because of this rule.
    """

    id: str
    pack: str
    title: Text
    state: RuleState
    keys: Mapping[str, tuple[Any, Any]]
    in_force_before: bool
    in_force_after: bool
    words_before: Text | None
    words_after: Text | None
    weight_before: float
    weight_after: float
    from_author: bool
    hits_before: int
    hits_after: int
    moves: Moves
    touches: int
    pushes: int

    @property
    def changes_nobody(self) -> bool:
        """Whether no list and no tier is other because of it."""
        return not (self.touches or self.pushes or self.moves.any)


@dataclass(frozen=True)
class OtherEffect:
    """What moves children without being a rule: `b0`, `capacity`, or a feature by its name."""

    term: str
    moves: Moves
    touches: int


@dataclass(frozen=True)
class DefinitionChange:
    """A group's or an action's definition that differs.

    `label` is what it is called; `words` a group's conditions in words, before and after.
    """

    id: str
    label: Text
    state: RuleState
    keys: Mapping[str, tuple[Any, Any]]
    words: tuple[Text, Text] | None = None


@dataclass(frozen=True)
class Impact:
    """What switching to other rules would do on one day.

    `same`: the two rule books mean the same. `model`: `name/version`, or `experts`. `tiers` counts
    the cohort by tier before and after; `children` are the changed ones, by school and rank.
    """

    as_of: date
    generated: bool
    program: str
    model: str
    rules_before: str
    rules_after: str
    same: bool
    b0_before: float
    b0_after: float
    students: int
    tiers: Mapping[tuple[Tier, Tier], int]
    before: ListCounts
    after: ListCounts
    capacity: int
    moves: Moves
    schools: tuple[SchoolImpact, ...]
    groups: tuple[GroupImpact, ...]
    rules: tuple[RuleImpact, ...]
    others: tuple[OtherEffect, ...]
    group_definitions: tuple[DefinitionChange, ...] = ()
    actions: tuple[DefinitionChange, ...] = ()
    titles: Mapping[str, Text] = field(default_factory=dict)  # of every rule of either side

    @property
    def children(self) -> tuple[ChildChange, ...]:
        """Every changed child, school by school."""
        return tuple(child for school in self.schools for child in school.children)
