"""Every child's exact reasons: the scorecard's tables beside SHAP values of forests, in one run.

    python benchmarks/reasons.py

Ours: `models.scorecard.g_terms`, a table a feature, over a cohort of 40 features; beside it
`apply` over the generated city with its promoted model, from the facts to every contribution of
features and rules. The others: shap's TreeExplainer (exact, path-dependent: its quickest) on the
unrestricted forest of 200 trees with 15 leaves, and on the additive forest that our tables are read
from; LightGBM's `pred_contrib` on a model of that size. They explain a sample, and their rate is
rows a second.

Asserted before anything is timed: our terms add up to the forest's own decision function, and so do
shap's; shap's values of the additive forest are our tables' minus each table's mean over the rows
that it was fitted to, for which SHAP values of an additive model are known to be exact; LightGBM's
add up to its raw score. All within 1e-9.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import shap
from against_pandas import ours
from figure import Figure, alone, figure
from generated_city import generated_city
from weekly import FEATURES, LEAVES, TREES, forest, seconds

from earlywarn.models.fitting.additive import Additive
from earlywarn.models.fitting.boost import AdditiveBoostClassifier
from earlywarn.models.scorecard import Floats, Scorecard, apply, g_terms
from earlywarn.models.store import registry

REPEATS = 5
AT_LEAST = 200.0
WITHIN = 1e-9
FITTED = 20_000  # rows, as `forest` does
SHAP, SHAP_ADDITIVE, LIGHTGBM = "shap", "shap, additive forest", "LightGBM"
SAMPLES = {SHAP: 4_000, SHAP_ADDITIVE: 8_000, LIGHTGBM: 4_000}
TABLES, ALL = "tables", "the city's tables and rules"


def scorecard_of(additive: Additive) -> Scorecard:
    """Return a scorecard of an additive classifier's tables alone."""
    return Scorecard(
        name="additive",
        version=1,
        catalogue_version="none",
        rules_hash="none",
        horizon_days=90,
        label_events=["dropped_out"],
        base_rate=0.01,
        b0=0.0,
        b1=1.0,
        g_constant=additive.constant,
        g_is_used=True,
        features=list(additive.tables),
        rules=[],
    )


def assert_close(what: str, found: Any, expected: Any) -> float:
    """Refuse numbers that are apart; return the largest difference."""
    apart = float(np.abs(np.asarray(found) - np.asarray(expected)).max())
    if apart > WITHIN:
        raise AssertionError(f"{what}: apart by {apart}")
    return apart


def explainer_of(model: Any, x: Floats) -> Any:
    """Return shap's explainer of a forest, once its values are seen to add up."""
    explainer = shap.TreeExplainer(model)
    values = explainer.shap_values(x)
    total = values.sum(axis=1) + explainer.expected_value
    assert_close("shap", total, model.decision_function(x))
    return explainer


def calls_of(
    unrestricted: Any, cohort: Floats
) -> tuple[dict[str, Callable[[], Any]], dict[str, float]]:
    """Return what is timed by name, and by how much what must be equal is apart."""
    few = cohort[:200]
    label = np.random.default_rng(1).random(len(cohort)) < cohort[:, :8].mean(axis=1) ** 4
    additive = AdditiveBoostClassifier(max_iter=TREES, max_leaf_nodes=LEAVES)
    additive.fit(cohort[:FITTED], label[:FITTED])
    card = scorecard_of(additive.additive_)
    terms = g_terms(card, cohort)
    own = additive.forest_.decision_function(cohort)
    apart = {
        "ours and the forest": assert_close("tables", terms.sum(axis=1) + card.g_constant, own)
    }
    of_forest, of_additive = explainer_of(unrestricted, few), explainer_of(additive.forest_, few)
    means = g_terms(card, cohort[:FITTED]).mean(axis=0)
    apart["shap and ours"] = assert_close(
        "SHAP values of the additive forest", of_additive.shap_values(few), terms[:200] - means
    )
    boosted = lightgbm.LGBMClassifier(n_estimators=TREES, num_leaves=LEAVES, verbosity=-1)
    booster = boosted.fit(cohort[:FITTED], label[:FITTED]).booster_
    total = booster.predict(few, pred_contrib=True).sum(axis=1)
    assert_close("LightGBM", total, booster.predict(few, raw_score=True))
    samples = {name: cohort[:rows] for name, rows in SAMPLES.items()}
    return {
        TABLES: lambda: g_terms(card, cohort),
        SHAP: lambda: of_forest.shap_values(samples[SHAP]),
        SHAP_ADDITIVE: lambda: of_additive.shap_values(samples[SHAP_ADDITIVE]),
        LIGHTGBM: lambda: booster.predict(samples[LIGHTGBM], pred_contrib=True),
    }, apart


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    workspace, as_of = generated_city(folder, trained=True)
    prepared, _ = ours(workspace, as_of)
    model = registry.promoted(workspace)
    if model is None:
        raise AssertionError("the workspace has no promoted model")
    facts, verdicts, rulebook = prepared.facts, prepared.verdicts, prepared.rulebook
    applied = apply(model, facts, verdicts, rulebook, as_of)
    added = assert_close("contributions", applied.values.sum(axis=1), applied.log_odds)
    unrestricted, cohort = forest(facts.num_rows)
    calls, apart = calls_of(unrestricted, cohort)
    calls[ALL] = lambda: apply(model, facts, verdicts, rulebook, as_of)
    laps: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            laps[name].append(seconds(call))
    middle = {name: statistics.median(times) for name, times in laps.items()}
    rate = {name: SAMPLES.get(name, len(cohort)) / taken for name, taken in middle.items()}
    what = f"reasons: {len(cohort):,} children"
    return [
        figure(
            f"{what}: the largest difference of what must be equal",
            apart | {"contributions and log-odds": added},
            f"within {WITHIN:g}",
            True,
        ),
        figure(
            f"{what}, seconds (samples of {SAMPLES} scaled to all)",
            {name: round(len(cohort) / per_second, 3) for name, per_second in rate.items()},
            "",
            True,
        ),
        figure(f"{what}, rows a second", {name: round(r) for name, r in rate.items()}, "", True),
        figure(
            f"{what}: times the rate of each other, {TABLES}",
            {name: round(rate[TABLES] / rate[name], 1) for name in SAMPLES},
            "",
            True,
        ),
        figure(
            f"{what}: times shap's rate, {ALL}",
            round(rate[ALL] / rate[SHAP], 1),
            "",
            True,
        ),
        figure(
            f"reasons: times the rate of shap's TreeExplainer, {FEATURES} features, {TREES} trees",
            round(rate[TABLES] / rate[SHAP], 1),
            f"at least {AT_LEAST:g}",
            rate[TABLES] >= AT_LEAST * rate[SHAP],
        ),
    ]


if __name__ == "__main__":
    sys.exit(alone(figures))
