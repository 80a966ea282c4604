"""Two models side by side: were they tested on the same rows, and in what they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from earlywarn.errors import Text
from earlywarn.models.measures.metrics import plain
from earlywarn.models.scorecard import FeatureTable, RuleWeight, Scorecard, lookup
from earlywarn.models.store.find import Found
from earlywarn.models.store.folder import Manifest, read_manifest, read_metrics
from earlywarn.models.validate import COMBINED
from earlywarn.models.watching.drift import does_something


@dataclass(frozen=True)
class Side:
    """One of the two: its scorecard, manifest and metrics.json ({} if nothing was tested)."""

    scorecard: Scorecard
    manifest: Manifest
    metrics: dict[str, Any]

    @classmethod
    def of(cls, found: Found, scorecard: Scorecard) -> Side:
        """Read what lies beside a model.

        Raises
        ------
        EarlywarnError
            If its manifest.json or metrics.json must not be used.
        """
        return cls(scorecard, read_manifest(found.folder), read_metrics(found.folder))


def compare(one: Side, other: Side) -> dict[str, Any]:
    """Return what differs between two models.

    {"models": [label, label], "same_test": true, false or null (not known), "said": {zh, en},
    "measures": {name: [[value, low, high] or null, the same]}, "periods": [{"train", "test"}, ...],
    "settings": {name: [a, b]} that differ, "features": {"only": [names, names], "both"},
    "rules": [{"rule", "weights": [a, b], "difference", "changed"}] largest difference first,
    "tables": [{"feature", "difference", "above", "up_to", "missing", "values": [a, b]}] likewise:
    where b1 * f differ most, for above < x <= up_to (null: no limit) or where it is missing}
    """
    same = _same_test(one.metrics, other.metrics)
    return {
        "models": [one.scorecard.label, other.scorecard.label],
        "same_test": same,
        "said": _said(one, other, same)._asdict(),
        "measures": _measures(one.metrics, other.metrics),
        "periods": [_periods(side) for side in (one, other)],
        "settings": _settings(one.scorecard, other.scorecard),
        "features": _features(one.scorecard, other.scorecard),
        "rules": _rules(one.scorecard, other.scorecard),
        "tables": _tables(one.scorecard, other.scorecard),
    }


def _same_test(one: dict[str, Any], other: dict[str, Any]) -> bool | None:
    hashes = (one.get("test_hash"), other.get("test_hash"))
    return hashes[0] == hashes[1] if all(hashes) else None


def _said(one: Side, other: Side, same: bool | None) -> Text:
    untested = [side.scorecard.label for side in (one, other) if not side.metrics]
    if untested:
        return Text(
            f"{'、'.join(untested)} 没有检验数据，无法比较检验结果。",
            f"Nothing was tested for {' and '.join(untested)}: no figures can be compared.",
        )
    if same:
        return Text(
            "两个模型在完全相同的测试数据上检验，结果可以直接比较。",
            "Both were tested on the same rows: the figures can be set side by side.",
        )
    if same is None:
        return Text(
            "至少一个模型没有记录测试数据的校验值（由旧版训练），无法确定是否在相同的数据上检验："
            "下列数字不能直接比较。",
            "At least one (trained by an older version) does not say which rows it was tested on, "
            "so whether they are the same is not known: the figures cannot be set side by side.",
        )
    return Text(
        "两个模型的测试数据不同：下列数字不能直接比较，差别可能只来自数据。",
        "The two were tested on different rows: the figures cannot be set side by side, they may "
        "differ for that alone.",
    )


def _measures(one: dict[str, Any], other: dict[str, Any]) -> dict[str, list[Any]]:
    found = [side.get("models", {}).get(COMBINED, {}) for side in (one, other)]
    names = [*found[0], *(name for name in found[1] if name not in found[0])]
    return {name: [side.get(name) for side in found] for name in names}


def _periods(side: Side) -> dict[str, Any]:
    data = side.metrics or side.manifest.data
    return {
        "created": side.manifest.created,
        "validation": side.metrics.get("validation"),
        "train": data.get("train"),
        "test": data.get("test"),
    }


def _settings(one: Scorecard, other: Scorecard) -> dict[str, list[Any]]:
    """Return what the whole scorecards differ in; horizon and events say what they foretell."""
    found: dict[str, list[Any]] = {}
    for name in (
        "horizon_days",
        "label_events",
        "generated",
        "rules_hash",
        "base_rate",
        "b0",
        "b1",
    ):
        pair = [getattr(one, name), getattr(other, name)]
        if pair[0] != pair[1]:
            found[name] = [plain(v) if isinstance(v, float) else v for v in pair]
    return found


def _features(one: Scorecard, other: Scorecard) -> dict[str, Any]:
    used = [{t.name for t in card.features if does_something(t, card.b1)} for card in (one, other)]
    return {
        "only": [sorted(used[0] - used[1]), sorted(used[1] - used[0])],
        "both": sorted(used[0] & used[1]),
    }


def _rules(one: Scorecard, other: Scorecard) -> list[dict[str, Any]]:
    """Return every rule whose weight or condition differs; one that is not there weighs None."""
    sides: list[dict[str, RuleWeight]] = [{r.id: r for r in card.rules} for card in (one, other)]
    found = []
    for rule in sorted({*sides[0], *sides[1]}):
        pair = [side.get(rule) for side in sides]
        weights = [plain(r.weight) if r else None for r in pair]
        changed = bool(pair[0] and pair[1] and pair[0].when_hash != pair[1].when_hash)
        if weights[0] == weights[1] and not changed:
            continue
        difference = plain((weights[1] or 0.0) - (weights[0] or 0.0))
        found.append(
            {"rule": rule, "weights": weights, "difference": difference, "changed": changed}
        )
    return sorted(found, key=lambda row: (-abs(row["difference"] or 0.0), row["rule"]))


def _tables(one: Scorecard, other: Scorecard) -> list[dict[str, Any]]:
    sides = [{t.name: t for t in card.features} for card in (one, other)]
    found = [
        _largest(name, sides[0].get(name), one.b1, sides[1].get(name), other.b1)
        for name in sorted({*sides[0], *sides[1]})
    ]
    kept = [row for row in found if row["difference"]]
    return sorted(kept, key=lambda row: (-abs(row["difference"]), row["feature"]))


def _largest(
    name: str, one: FeatureTable | None, b1_one: float, other: FeatureTable | None, b1_other: float
) -> dict[str, Any]:
    """Return where b1 * f of two tables differ most; a table that is not there is 0 everywhere.

    Both are constant between two neighbours of their joint thresholds, so looking there, above the
    last one and at missing is looking everywhere.
    """
    cuts = sorted({cut for table in (one, other) if table for cut in table.thresholds})
    at = np.asarray([*cuts, math.inf, math.nan], dtype=np.float64)
    values = [
        b1 * lookup(table, at) if table else np.zeros(len(at))
        for table, b1 in ((one, b1_one), (other, b1_other))
    ]
    difference = values[1] - values[0]
    place = int(np.argmax(np.round(np.abs(difference), 9)))
    missing = place == len(cuts) + 1
    return {
        "feature": name,
        "difference": plain(difference[place]),
        "above": None if missing or place == 0 else cuts[place - 1],
        "up_to": None if missing or place >= len(cuts) else cuts[place],
        "missing": missing,
        "values": [plain(side[place]) for side in values],
    }
