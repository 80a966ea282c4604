"""Training: panel, fit, validation, and the model's folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from earlywarn.features.catalogue import CATALOGUE_VERSION
from earlywarn.models.card import card
from earlywarn.models.experts import rule_weights
from earlywarn.models.fitting.fit import Fit
from earlywarn.models.scorecard import Scorecard, sigmoid
from earlywarn.models.store import registry
from earlywarn.models.training import training_panel
from earlywarn.models.validate import validate
from earlywarn.models.watching.reference import make_reference
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.workspace import Workspace


@dataclass(frozen=True)
class TrainResult:
    """A trained model: its scorecard, its metrics.json, its folder and the seconds it took."""

    scorecard: Scorecard
    metrics: dict[str, Any]
    folder: Path
    promoted: bool
    seconds: dict[str, float]


def train(
    workspace: Workspace,
    name: str = "main",
    until: date | None = None,
    promote: bool = False,
    progress: Callable[[str], None] | None = None,
    *,
    demonstration: bool = False,
) -> TrainResult:
    """Train a model on the past, test it on what came after, and write it as the next version.

    The model that is written is the one that was tested: fitted on the training period only.

    Parameters
    ----------
    until
        Nothing dated after it is read.
    promote
        Make it the model that `score` uses.
    demonstration
        It is the one that ships: the name kept for it is allowed.

    Raises
    ------
    EarlywarnError
        If there is nothing to learn from: no outcomes, no as-of date whose window is complete, no
        training rows, or one class only.
    """
    registry.check_name(name, demonstration=demonstration)
    told = progress or (lambda stage: None)
    with workspace.lock("train"):
        started = time.perf_counter()
        rulebook = load_rulebook(workspace.rules)
        drawn = training_panel(workspace, rulebook, until, told)
        panel, setup = drawn.panel, drawn.setup
        built = time.perf_counter()
        config = workspace.config
        # One thread each: sums over threads differ in their last bits.
        with threadpool_limits(1):
            validation = validate(panel, setup, by_school=drawn.by_school, progress=told)
        seen = sigmoid(validation.fit.log_odds(panel.train, setup))
        fitted = time.perf_counter()
        scorecard = _scorecard(
            workspace, rulebook, validation.fit, name, registry.next_version(workspace, name)
        )
        metrics = validation.metrics | {
            "model": scorecard.label,
            "looked_at": _looked_at(workspace, validation.metrics["test_hash"], scorecard.label),
            "generated": config.generated,
            "base_rate": scorecard.base_rate,
            "row_weight": setup.row_weight,
            "outcomes_complete_until": drawn.period.complete_until.isoformat(),
            "test_where": config.test_where,
            "notes": [
                *validation.metrics["notes"],
                *(note._asdict() for note in drawn.notes),
            ],
        }
        folder = registry.save(
            workspace,
            scorecard,
            data={"train": metrics["train"], "test": metrics["test"]},
            others={
                registry.METRICS_FILE: _json(metrics),
                registry.CARD_FILE: card(scorecard, metrics, rulebook),
                registry.REFERENCE_FILE: _json(
                    make_reference(panel.train, panel.features, panel.rules, seen)
                ),
            },
        )
        if promote:
            registry.promote(workspace, scorecard.label)
        seconds = {
            "panel": round(built - started, 2),
            "fit_and_validate": round(fitted - built, 2),
            "write": round(time.perf_counter() - fitted, 2),
        }
    return TrainResult(scorecard, metrics, folder, promote, seconds)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _looked_at(workspace: Workspace, test_hash: str, label: str) -> dict[str, Any]:
    """Return which models of the workspace were measured on the same test rows, this one last.

    Each look at the test rows makes the next figures a little less honest, so the card says it.
    """
    before = [
        entry.label
        for entry in registry.list_models(workspace)
        if entry.problem is None
        and registry.read_metrics(workspace.models / entry.name / str(entry.version)).get(
            "test_hash"
        )
        == test_hash
    ]
    return {"times": len(before) + 1, "models": [*before, label]}


def _scorecard(
    workspace: Workspace, rulebook: RuleBook, fit: Fit, name: str, version: int
) -> Scorecard:
    config = workspace.config
    return Scorecard(
        name=name,
        version=version,
        catalogue_version=CATALOGUE_VERSION,
        rules_hash=rulebook.hash,
        generated=config.generated,
        horizon_days=config.horizon_days,
        label_events=list(config.label_events),
        base_rate=fit.base_rate,
        b0=fit.b0,
        b1=fit.b1,
        g_constant=fit.additive.constant if fit.additive else 0.0,
        g_is_used=fit.additive is not None,
        features=list(fit.additive.tables) if fit.additive else [],
        rules=rule_weights(rulebook, [float(w) for w in fit.weights]),
    )
