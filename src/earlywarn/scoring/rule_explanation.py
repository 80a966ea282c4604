"""One rule explained: in words, with its history, its hits in the last runs and its precision.

For the people who keep the rules. It counts children, and names none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from earlywarn.conditions import ConditionError, compile_condition, nearest
from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.catalogue import condition_kinds
from earlywarn.features.groups import Groups
from earlywarn.models.scorecard import Scorecard, weights_for
from earlywarn.models.store import registry
from earlywarn.rules.book import Action, Rule, RuleBook
from earlywarn.rules.pack import load_rulebook
from earlywarn.rules.record import Record, action_record, record
from earlywarn.rules.wording import Phrase, in_words
from earlywarn.scoring.history import RuleHistory, newest_runs, rule_history
from earlywarn.scoring.rule_outcomes import Hits, Outcomes, hits_in, outcomes_of
from earlywarn.workspace import Workspace

DEFAULT_RUNS = 8


@dataclass(frozen=True)
class ModelWeight:
    """A rule's weight in force under the promoted model.

    `fitted` is False where the model has no weight for the rule and its condition, so that the
    author's points count.
    """

    model: str
    weight: float
    moved: float
    fitted: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the weight for `--json`."""
        return {
            "model": self.model,
            "weight": self.weight,
            "odds": math.exp(self.weight),
            "moved": self.moved,
            "fitted": self.fitted,
        }


@dataclass(frozen=True)
class Version:
    """One rule as the rules folder has it; an id may stand twice, for different dates."""

    rule: Rule
    phrase: Phrase
    weight: ModelWeight | None
    rungs: tuple[Rule, ...]
    action: Action | None

    def as_dict(self) -> dict[str, Any]:
        """Return the version for `--json`."""
        rule = self.rule
        found = {key: value for key, value in record(rule, None).items() if key != "weight"}
        return found | {
            "line": rule.line,
            "words": self.phrase.both._asdict(),
            "words_by_line": {"zh": self.phrase.lines("zh"), "en": self.phrase.lines("en")},
            "odds": math.exp(rule.points),
            "weight": self.weight.as_dict() if self.weight else None,
            "rungs": [
                {"id": rung.id, "title": rung.title._asdict(), "points": rung.points}
                for rung in self.rungs
            ],
            "action": action_record(self.action) if self.action else None,
            "source": rule.source._asdict(),
            "schools_see_it": not rule.hidden_from_schools,
            "tests": [{"given": test.given, "expect": test.expect} for test in rule.tests],
        }


@dataclass(frozen=True)
class Removed:
    """A rule that no pack holds any more, as the newest run that used it remembers it."""

    record: Record
    phrase: Phrase | None

    @property
    def title(self) -> Text:
        """Its title."""
        words = self.record.get("title") or {}
        return Text(str(words.get("zh", "")), str(words.get("en", "")))

    def as_dict(self) -> dict[str, Any]:
        """Return what is known for `--json`."""
        return dict(self.record) | {"words": self.phrase.both._asdict() if self.phrase else None}


@dataclass(frozen=True)
class RuleExplanation:
    """The whole account of one rule.

    Attributes
    ----------
    versions
        As the rules folder has it, by the date from which each is in force; empty if the rule was
        removed (then `removed` has what the runs remember).
    model_problem
        Why the promoted model cannot be used, so that no weight is known.
    hits
        The newest run of each of the last as-of dates, by date.
    damaged
        How many of those runs cannot be read.
    """

    rule_id: str
    versions: tuple[Version, ...]
    removed: Removed | None
    model_problem: Text | None
    history: RuleHistory
    hits: tuple[Hits, ...]
    damaged: int
    outcomes: Outcomes
    generated: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation for `--json`."""
        return {
            "id": self.rule_id,
            "generated": self.generated,
            "versions": [version.as_dict() for version in self.versions],
            "removed": self.removed.as_dict() if self.removed else None,
            "model_problem": self.model_problem._asdict() if self.model_problem else None,
            "history": self.history.as_dict(),
            "hits": [hits.as_dict() for hits in self.hits],
            "runs_damaged": self.damaged,
            "precision": self.outcomes.as_dict(),
            "caution": CAUTION._asdict(),
        }


CAUTION = Text(
    "命中后跟进得好，孩子留了下来，准确率反而会低；命中的孩子少，区间就宽。",
    "A hit that was followed up well keeps the child at school and so lowers precision; few hits "
    "mean a wide interval.",
)


def explain_rule(
    workspace: Workspace, rule_id: str, *, runs: int = DEFAULT_RUNS
) -> RuleExplanation:
    """Explain a rule of the workspace.

    Parameters
    ----------
    runs
        Over how many as-of dates hits are counted (the last ones), and precision is (the last ones
        whose windows have ended).

    Raises
    ------
    EarlywarnError
        If neither the rules folder nor any run knows the rule, or the rules cannot be used.
    """
    rulebook = load_rulebook(workspace.rules)
    history = rule_history(workspace, rule_id, rulebook)
    found = [rule for rule in rulebook.rules if rule.id == rule_id]
    if not found and history.last is None:
        raise _no_such_rule(rule_id, rulebook)
    model, model_problem = None, None
    try:
        model = registry.promoted(workspace)
    except EarlywarnError as error:
        model_problem = error.text
    versions = tuple(_version(rule, rulebook, model) for rule in found)
    removed = None
    if not found and history.last is not None:
        removed = Removed(history.last, _recorded_phrase(history.last, rulebook.groups))
    newest = newest_runs(workspace)

    def hash_on(day: date) -> str | None:
        return next((rule.when_hash for rule in found if rule.in_force(day)), None)

    con = connect(workspace)
    try:
        hits, damaged = [], 0
        for run in newest[-runs:]:
            try:
                hits.append(hits_in(con, run, rule_id, hash_on))
            except EarlywarnError:
                damaged += 1
        outcomes = outcomes_of(con, workspace.config, newest, rule_id, hash_on, runs)
    finally:
        con.close()
    return RuleExplanation(
        rule_id=rule_id,
        versions=versions,
        removed=removed,
        model_problem=model_problem,
        history=history,
        hits=tuple(hits),
        damaged=damaged,
        outcomes=outcomes,
        generated=workspace.config.generated,
    )


def _version(rule: Rule, rulebook: RuleBook, model: Scorecard | None) -> Version:
    rungs = [
        other
        for other in rulebook.rules
        if rule.ladder is not None and other.ladder == rule.ladder and other.id != rule.id
    ]
    return Version(
        rule=rule,
        phrase=in_words(rule.condition.root, rulebook.groups),
        weight=_weight(rule, rulebook, model) if model else None,
        rungs=tuple(sorted(rungs, key=lambda other: (other.points, other.id))),
        action=rulebook.actions.get(rule.action) if rule.action else None,
    )


def _weight(rule: Rule, rulebook: RuleBook, model: Scorecard) -> ModelWeight:
    # Of the versions of one id at most one is in force on a day: on this one it is `rule`.
    weights = weights_for(model, rulebook, rule.starts if rule.effective else None)
    weight = float(weights.values[weights.ids.index(rule.id)])
    return ModelWeight(
        model=model.label,
        weight=weight,
        moved=weight - rule.points,
        fitted=rule.id not in weights.from_author,
    )


def _recorded_phrase(rule: Record, groups: Groups) -> Phrase | None:
    """Return a removed rule's condition in words; None if its names are known no more."""
    try:
        return in_words(compile_condition(str(rule.get("when")), condition_kinds()).root, groups)
    except ConditionError:
        return None


def _no_such_rule(rule_id: str, rulebook: RuleBook) -> EarlywarnError:
    near = nearest(rule_id, [rule.id for rule in rulebook.rules])
    zh, en = (f"是不是 {near}？", f"Did you mean {near}?") if near else ("", "")
    return EarlywarnError(
        zh=f"没有规则 {rule_id[:60]}。{zh}用 earlywarn rules list 查看全部。",
        en=" ".join(
            part
            for part in (
                f"There is no rule {rule_id[:60]}.",
                en,
                "`earlywarn rules list` shows them all.",
            )
            if part
        ),
    )
