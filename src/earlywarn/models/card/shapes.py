"""The scorecard drawn: what each value of each feature adds, and each rule's points and weight."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from earlywarn.errors import Lang, Text
from earlywarn.features.catalogue import FEATURES, Feature
from earlywarn.models.card import svg
from earlywarn.models.scorecard import FeatureTable, Scorecard

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_RANGE = 0.01  # log-odds; a table that moves less changes the odds by less than 1 %
_COLOUR, _MISSING = "#0072b2", "#b3500a"
_SIZE = (230, 124)
_MARGINS = (38, 8, 8, 24)
_UNITS: dict[str, Text] = {
    "days": Text("天", "days"),
    "subjects": Text("科", "subjects"),
    "exams": Text("次", "exams"),
    "times": Text("次", "times"),
    "years": Text("岁", "years"),
    "months": Text("个月", "months"),
    "schools": Text("所", "schools"),
    "groups": Text("类", "groups"),
    "km": Text("公里", "km"),
    "grade": Text("年级", "grade"),
    "z": Text("标准差", "standard deviations"),
}


@dataclass(frozen=True)
class Shape:
    """One feature's table: its label with the unit, least and most that it adds, the drawing."""

    name: str
    label: str
    least: float
    most: float
    missing: float | None
    svg: Markup


def _adds(scorecard: Scorecard, table: FeatureTable) -> tuple[list[float], float | None]:
    """Return what the table's values add to the log-odds, and what missing adds if it can be."""
    feature = FEATURES.get(table.name)
    known = feature is not None and feature.always_known
    values = [scorecard.b1 * value for value in table.values]
    return values, None if known else scorecard.b1 * table.missing


def _span(values: list[float], missing: float | None) -> tuple[float, float]:
    everything = values if missing is None else [*values, missing]
    return min(everything), max(everything)


def drawn_tables(scorecard: Scorecard) -> list[FeatureTable]:
    """Return the tables that do something, the widest range first."""
    ranges = {}
    for table in scorecard.features:
        low, high = _span(*_adds(scorecard, table))
        if high - low >= LEAST_RANGE:
            ranges[table.name] = high - low
    chosen = [table for table in scorecard.features if table.name in ranges]
    return sorted(chosen, key=lambda table: (-ranges[table.name], table.name))


def shapes(scorecard: Scorecard, lang: Lang) -> list[Shape]:
    """Return the drawings of the tables that do something, all on one scale."""
    tables = drawn_tables(scorecard)
    spans = [_span(*_adds(scorecard, table)) for table in tables]
    low = min((s[0] for s in spans), default=0.0)
    high = max((s[1] for s in spans), default=0.0)
    pad = 0.08 * (high - low)
    limits = (min(low, 0) - pad, max(high, 0) + pad)
    return [
        _shape(scorecard, table, span, limits, lang)
        for table, span in zip(tables, spans, strict=True)
    ]


def _shape(
    scorecard: Scorecard,
    table: FeatureTable,
    span: tuple[float, float],
    limits: tuple[float, float],
    lang: Lang,
) -> Shape:
    feature = FEATURES.get(table.name)
    label = feature.label(lang) if feature else table.name
    unit = _UNITS.get(feature.unit) if feature else None
    if unit is not None and feature is not None and feature.unit != "grade":
        label = Text(f"{label}（{unit.zh}）", f"{label} ({unit.en})")(lang)
    values, missing = _adds(scorecard, table)

    def draw(axes: Axes) -> None:
        _steps(axes, feature, table.thresholds, values, missing, lang)
        axes.set_ylim(*limits)
        axes.axhline(0, color="#9aa3ac", linewidth=0.8)
        axes.grid(True, axis="y")
        axes.locator_params(axis="y", nbins=4)

    key = f"f-{table.name}-{lang}"
    drawn = svg.drawing(key, label, _SIZE, draw, margins=_MARGINS, font_size=10)
    return Shape(table.name, label, span[0], span[1], missing, drawn)


def _steps(
    axes: Axes,
    feature: Feature | None,
    thresholds: list[float],
    values: list[float],
    missing: float | None,
    lang: Lang,
) -> None:
    if feature is not None and feature.type == "boolean" and len(values) <= 2:
        at = values if len(values) == 2 else [values[0], values[0]]
        axes.plot([0, 1], at, color=_COLOUR, marker="o", markersize=6, linestyle="")
        axes.vlines([0, 1], [0, 0], at, color=_COLOUR, linewidth=1.8)
        axes.set_xticks([0, 1], [Text("否", "no")(lang), Text("是", "yes")(lang)])
        left, right = -0.5, 1.5
    else:
        left, right = _ends(feature, thresholds)
        edges = [left, *thresholds, right]
        axes.stairs(values, edges, color=_COLOUR, linewidth=1.8, baseline=None)
        _ticks(axes, feature)
    if missing is not None:
        right += 0.1 * (right - left)
        axes.axhline(missing, color=_MISSING, linewidth=1, linestyle=(0, (2, 2)))
        axes.plot(
            [right - 0.03 * (right - left)],
            [missing],
            color=_MISSING,
            marker="D",
            markersize=5,
            linestyle="",
            zorder=5,
        )
    axes.set_xlim(left, right)


def _ends(feature: Feature | None, thresholds: list[float]) -> tuple[float, float]:
    """Return how far the drawing goes beyond the first and the last threshold."""
    first, last = (thresholds[0], thresholds[-1]) if thresholds else (0.0, 1.0)
    step = (feature.step if feature else None) or 1.0
    pad = max(0.1 * (last - first), step, 0.25 * abs(last) if first == last else 0.0)
    left, right = first - pad, last + pad
    least, most = feature.range if feature else (None, None)
    if least is not None and least < first:
        left = max(left, least)
    if most is not None and most > last:
        right = min(right, most)
    return left, right


def _ticks(axes: Axes, feature: Feature | None) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    whole = feature is not None and feature.type == "integer"
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=whole))
    if feature is not None and feature.unit == "share":
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda v, _: f"{v * 100:.4f}".rstrip("0").rstrip(".") + "%")
        )
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def rule_bar(points: float, weight: float, most: float, label: str) -> Markup:
    """Return a rule's points (ring) and weight (dot) on a line from 0 to `most`, as an `<svg>`."""

    def at(value: float) -> str:
        return f"{6 + 128 * max(value, 0.0) / most:.1f}"

    one, other = at(points), at(weight)
    return Markup(  # noqa: S704 numbers, and a label that is escaped
        f'<svg class="bar" viewBox="0 0 140 14" role="img" aria-label="{escape(label)}">'
        f'<line x1="6" x2="134" y1="7" y2="7" stroke="#d5dae0"/>'
        f'<line x1="6" x2="6" y1="2" y2="12" stroke="#9aa3ac"/>'
        f'<line x1="{one}" x2="{other}" y1="7" y2="7" stroke="{_COLOUR}" stroke-width="2"/>'
        f'<circle cx="{one}" cy="7" r="4.5" fill="#fff" stroke="#5b6570" stroke-width="1.5"/>'
        f'<circle cx="{other}" cy="7" r="3.5" fill="{_COLOUR}"/></svg>'
    )


def silent(scorecard: Scorecard, lang: Lang) -> list[str]:
    """Return the labels of the features whose tables do nothing worth drawing."""
    drawn = {table.name for table in drawn_tables(scorecard)}
    names: list[Any] = [t.name for t in scorecard.features if t.name not in drawn]
    return [FEATURES[name].label(lang) if name in FEATURES else name for name in names]
