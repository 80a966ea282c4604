"""The charts of the figures: curves of the models, and their measures with intervals.

Every model has a colour that colour-blind people tell apart and a line style of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from earlywarn.errors import Lang, Text
from earlywarn.models.card import svg
from earlywarn.models.card.text import CHALLENGER, MODELS, SHORT_LABELS, measure_label
from earlywarn.models.validate import COMBINED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours; dashes as SVG writes them.
STYLES: dict[str, tuple[str, str, float, str]] = {
    COMBINED: ("#0072b2", "", 2.4, "o"),
    "rules_only": ("#d55e00", "7 3", 1.8, "s"),
    "classifier_only": ("#009e73", "8 2 2 2", 1.8, "^"),
    "best_rule": ("#b0529a", "2 2", 1.8, "D"),
    "school_only": ("#a87400", "5 5", 1.6, "v"),
    "prevalence": ("#5b6570", "1 3", 1.6, "P"),
    CHALLENGER: ("#000000", "10 3 2 3 2 3", 1.3, "X"),
}
_PLAIN = "#7d868f"
_SIZE = (380, 290)
_MARGINS = (52, 14, 12, 44)
_LEAST_SHARE = 0.2  # below it the probabilities are drawn on a logarithmic scale


@dataclass(frozen=True)
class Chart:
    """A drawing with its heading and what it tells in words."""

    title: str
    words: str
    svg: Markup


def _line(axes: Axes, model: str, x: list[Any], y: list[Any], **more: Any) -> None:
    colour, dashes, width, _ = STYLES[model]
    style: Any = (0, tuple(float(part) for part in dashes.split())) if dashes else "-"
    top = 4 if model == COMBINED else 3
    axes.plot(x, y, color=colour, linestyle=style, linewidth=width, zorder=top, **more)


def _frame(axes: Axes, x: Text, y: Text, lang: Lang) -> None:
    axes.set_xlabel(x(lang))
    axes.set_ylabel(y(lang))
    axes.grid(True)


def _percent(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    def shown(value: float, _: int) -> str:
        return f"{value * 100:.6f}".rstrip("0").rstrip(".") + "%"

    axis.set_major_formatter(FuncFormatter(shown))
    axis.set_minor_formatter(NullFormatter())  # a logarithmic axis would write formulas


def _roc(axes: Axes, curves: dict[str, Any], lang: Lang) -> None:
    axes.plot([0, 1], [0, 1], color=_PLAIN, linewidth=1)
    for model in reversed(MODELS):
        points = curves.get(model, {}).get("roc")
        if points:
            _line(axes, model, [p[0] for p in points], [p[1] for p in points])
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.01)
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    _frame(
        axes,
        Text("没有结果者中被列入的比例", "share listed of those without the outcome"),
        Text("有结果者中被列入的比例", "share listed of those with it"),
        lang,
    )


def _pr(axes: Axes, curves: dict[str, Any], lang: Lang) -> None:
    for model in reversed(MODELS):
        points = curves.get(model, {}).get("pr")
        if points:
            _line(axes, model, [p[0] for p in points], [p[1] for p in points])
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    _frame(
        axes,
        Text("有结果者中被列入的比例（召回率）", "share listed of those with the outcome (recall)"),
        Text("名单上有结果的比例（精确率）", "share with it of those listed"),
        lang,
    )


def _calibration(axes: Axes, curves: dict[str, Any], lang: Lang) -> None:
    drawn = {m: curves[m]["calibration"] for m in MODELS if curves.get(m, {}).get("calibration")}
    predicted = [b["predicted"] for bins in drawn.values() for b in bins]
    observed = [b["observed"] for bins in drawn.values() for b in bins]
    positive = [v for v in (*predicted, *observed) if v]
    low, high = min(positive, default=0.01), max(positive, default=1.0)
    logarithmic = low < _LEAST_SHARE * high
    floor, top = (low / 2, min(high * 2, 1.0)) if logarithmic else (0.0, min(high * 1.1, 1.0))
    if logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.plot([floor, top], [floor, top], color=_PLAIN, linewidth=1)
    for model in reversed(MODELS):
        bins = sorted(drawn.get(model, []), key=lambda b: b["predicted"] or 0)
        if not bins:
            continue
        x = [max(b["predicted"] or 0, floor) for b in bins]
        y = [b["observed"] if b["observed"] or not logarithmic else float("nan") for b in bins]
        colour, _, _, marker = STYLES[model]
        _line(axes, model, x, y, marker=marker, markersize=4.5)
        none = [at for b, at in zip(bins, x, strict=True) if logarithmic and not b["observed"]]
        axes.plot(
            none,
            [floor] * len(none),
            color=colour,
            marker=marker,
            markerfacecolor="#fff",
            markersize=6,
            linestyle="",
            clip_on=False,
            zorder=5,
        )
        if model == COMBINED:
            known = [(b, at) for b, at in zip(bins, x, strict=True) if b["low"] is not None]
            axes.vlines(
                [at for _, at in known],
                [max(b["low"], floor) for b, _ in known],
                [max(b["high"], floor) for b, _ in known],
                color=colour,
                linewidth=1.2,
            )
    axes.set_xlim(floor, top)
    axes.set_ylim(floor, top)
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    _frame(axes, Text("预计的概率", "predicted"), Text("实际的比例", "what happened"), lang)


def _decision(axes: Axes, curves: dict[str, Any], lang: Lang) -> None:
    from matplotlib.ticker import FuncFormatter

    best = 0.0
    for model in reversed(MODELS):
        points = curves.get(model, {}).get("decision")
        if not points:
            continue
        x = [p[0] for p in points]
        if model == COMBINED:
            _band(axes, x, [p[2] for p in points], [p[3] for p in points])
            best = max([best, *(p[3] for p in points if p[3] is not None)])
        _line(axes, model, x, [p[1] for p in points])
        best = max([best, *(p[1] for p in points if p[1] is not None)])
    everybody = curves.get("decision_all") or []
    if everybody:
        axes.plot([p[0] for p in everybody], [p[1] for p in everybody], color=_PLAIN, linewidth=1.4)
        best = max([best, *(p[1] for p in everybody if p[1] is not None)])
    axes.axhline(0, color=svg.INK, linewidth=1)
    axes.set_ylim(-0.25 * best if best else -1, 1.1 * best if best else 1)
    thresholds = [p[0] for p in curves.get(COMBINED, {}).get("decision") or [] if p[0]]
    if thresholds:
        if min(thresholds) < _LEAST_SHARE * max(thresholds):
            axes.set_xscale("log")
        axes.set_xlim(min(thresholds), max(thresholds))
    _percent(axes.xaxis)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v * 1000:g}"))
    _frame(
        axes,
        Text("达到多大概率才走访", "probability from which a visit is worth it"),
        Text("净收益（每千名学生）", "net benefit per 1,000 children"),
        lang,
    )


def _capacity(axes: Axes, curves: dict[str, Any], lang: Lang) -> None:
    widest = 0.0
    for model in reversed(MODELS):
        points = curves.get(model, {}).get("capacity")
        if not points:
            continue
        x = [p[0] for p in points]
        widest = max(widest, *x)
        if model == COMBINED:
            _band(axes, x, [p[2] for p in points], [p[3] for p in points])
        _line(axes, model, x, [p[1] for p in points])
    axes.plot([0, widest], [0, widest], color=_PLAIN, linewidth=1)
    axes.set_xlim(0, widest or 1)
    axes.set_ylim(0, 1.01)
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    _frame(
        axes,
        Text("各校列入名单的学生比例", "share of each school's children listed"),
        Text("有结果者中被列入的比例", "share listed of those with it"),
        lang,
    )


def _band(axes: Axes, x: list[Any], low: list[Any], high: list[Any]) -> None:
    known = [k for k in zip(x, low, high, strict=True) if None not in k]
    axes.fill_between(
        [k[0] for k in known],
        [k[1] for k in known],
        [k[2] for k in known],
        color=STYLES[COMBINED][0],
        alpha=0.16,
        linewidth=0,
    )


_CURVES: tuple[tuple[str, Callable[[Axes, dict[str, Any], Lang], None], Text, Text], ...] = (
    (
        "capacity",
        _capacity,
        Text("名额与召回率", "Recall against capacity"),
        Text(
            "每所学校能跟进多少学生，就能找到多少有结果的学生。色带为本模型的 95% 区间，"
            "灰线为随机走访。",
            "How many of the children with the outcome are reached, by how many each school can "
            "follow up. The band is this model's 95 % interval; the grey line is visiting at "
            "random.",
        ),
    ),
    (
        "calibration",
        _calibration,
        Text("校准", "Calibration"),
        Text(
            "预计与实际是否一致：点在灰线上最好，线上方为低估，下方为高估。竖线为 95% 区间；"
            "底边的空心点表示一次也没有发生。",
            "Whether what was predicted came about: best on the grey line; above it too little was "
            "predicted, below it too much. Bars are 95 % intervals; hollow points at the bottom: "
            "it never came about.",
        ),
    ),
    (
        "decision",
        _decision,
        Text("决策曲线", "Decision curve"),
        Text(
            "按模型走访是否值得：高于零线（谁也不走访）和灰线（人人走访）才有用。"
            "色带为本模型的 95% 区间。",
            "Whether visits by the model are worth it: useful only above zero (visiting nobody) "
            "and above the grey line (visiting everybody). The band is this model's 95 % interval.",
        ),
    ),
    (
        "roc",
        _roc,
        Text("ROC 曲线", "ROC curve"),
        Text(
            "排序的好坏：越靠左上角越好，灰线等于抛硬币。",
            "How well the order separates: the nearer to the upper left the better; the grey line "
            "is a coin toss.",
        ),
    ),
    (
        "pr",
        _pr,
        Text("精确率与召回率", "Precision and recall"),
        Text(
            "名单越长，找到的越多，名单上确有结果的比例越低：曲线越高越好。",
            "The longer the list, the more are found and the smaller the share of those listed who "
            "have the outcome: the higher the better.",
        ),
    ),
)


def curves(metrics: dict[str, Any], lang: Lang) -> list[Chart]:
    """Return the charts of metrics["curves"]; none where there are no curves."""
    found = metrics.get("curves") or {}
    return [
        Chart(
            title(lang),
            words(lang),
            svg.drawing(
                f"{key}-{lang}",
                title(lang),
                _SIZE,
                lambda axes, draw=draw: draw(axes, found, lang),  # type: ignore[misc]
                margins=_MARGINS,
            ),
        )
        for key, draw, title, words in _CURVES
        if any(found.get(model, {}).get(key) for model in MODELS)
    ]


def drawn_models(metrics: dict[str, Any]) -> list[str]:
    """Return the models that have curves, in the order of the legend."""
    found = metrics.get("curves") or {}
    return [model for model in MODELS if model in found]


def beside(metrics: dict[str, Any], names: tuple[str, ...], lang: Lang) -> list[Chart]:
    """Return one chart for each measure: every model as a point with its interval."""
    models = metrics["models"]
    return [
        Chart(
            measure_label(name)(lang),
            "",
            svg.drawing(
                f"beside-{name}-{lang}",
                measure_label(name)(lang),
                (_SIZE[0], 62 + 22 * sum(m in models for m in MODELS)),
                lambda axes, name=name: _beside(axes, models, name, lang),  # type: ignore[misc]
                margins=(112, 16, 8, 30),
            ),
        )
        for name in names
        if any(models[m].get(name, [None])[0] is not None for m in MODELS if m in models)
    ]


def _beside(axes: Axes, models: dict[str, Any], name: str, lang: Lang) -> None:
    listed = [model for model in MODELS if model in models]
    for place, model in enumerate(listed):
        value, low, high = models[model].get(name, [None, None, None])
        if value is None:
            continue
        colour, _, _, marker = STYLES[model]
        if model == COMBINED and low is not None:
            axes.axvspan(low, high, color=colour, alpha=0.12, linewidth=0)
        if low is not None:
            axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot([value], [place], color=colour, marker=marker, markersize=7, linestyle="")
    axes.set_yticks(range(len(listed)), [SHORT_LABELS[model](lang) for model in listed])
    axes.set_ylim(len(listed) - 0.4, -0.6)
    axes.grid(True, axis="x")
    axes.locator_params(axis="x", nbins=6)
