"""Figures as people read them, and the plain verdict."""

from __future__ import annotations

from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.models.card.text import MODELS, model_label

Interval = list[float | None]

_DIGITS = {"brier": 5, "false_omission": 5, "rate": 5}
FEW = 10  # of fewer children the audit prints no number: a part can be a handful at one school


def number(value: float | None, name: str = "") -> str:
    """Return a measure as people read it; a dash where it is not defined."""
    return "-" if value is None else f"{value:.{_DIGITS.get(name, 3)}f}"


def with_interval(found: Interval, name: str = "") -> str:
    """Return `0.712 [0.690, 0.733]`."""
    value, low, high = found
    if value is None or low is None:
        return number(value, name)
    return f"{number(value, name)} [{number(low, name)}, {number(high, name)}]"


def signed(value: float | None, name: str = "") -> str:
    """Return a difference with its sign; a dash where it is not defined."""
    return "-" if value is None else f"{value:+.{_DIGITS.get(name, 3)}f}"


def excludes_zero(found: Interval) -> int:
    """Return 1 or -1 if the whole interval lies above or below 0, else 0."""
    _, low, high = found
    if low is None or high is None:
        return 0
    return 1 if low > 0 else -1 if high < 0 else 0


def few(count: int | float, lang: Lang) -> str:
    """Return a count of children, or `fewer than 10`."""
    return Text(f"少于 {FEW}", f"under {FEW}")(lang) if count < FEW else f"{count:,.0f}"


def measure_rows(models: dict[str, Any], names: tuple[str, ...], lang: Lang) -> list[list[str]]:
    """Return a table of measures with intervals: one row for each model, its label first."""
    return [
        [model_label(model)(lang), *(with_interval(models[model][name], name) for name in names)]
        for model in MODELS
        if model in models
    ]


def verdict(metrics: dict[str, Any]) -> Text:
    """Return the plain verdict of a metrics.json: better than the rules alone, or not shown."""
    found = metrics["verdict"]
    value, low, _ = found["difference"]
    if value is None or low is None:
        return Text(
            "未证明优于只用规则（测试期没有足够的结果）：请继续使用规则。",
            "Not shown to be better than the rules alone (too few outcomes in the test period): "
            "keep the rules.",
        )
    interval, auc = _signed(found["difference"]), _signed(found["auc_difference"])
    if found["better"]:
        return Text(
            f"优于只用规则：名额内召回率 {interval}，ROC-AUC {auc}。",
            f"Better than the rules alone: recall at capacity {interval}, ROC-AUC {auc}.",
        )
    return Text(
        f"未证明优于只用规则：名额内召回率差 {interval}，ROC-AUC 差 {auc}。请继续使用规则。",
        f"Not shown to be better than the rules alone: recall at capacity {interval}, "
        f"ROC-AUC {auc}. Keep the rules.",
    )


def _signed(found: Interval) -> str:
    value, low, high = (0.0 if part is None else part for part in found)
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
