"""The model's card: one self-contained page in Chinese and English, and its plain verdict."""

from __future__ import annotations

from functools import cache
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

from earlywarn.errors import Lang, Text
from earlywarn.models.scorecard import Scorecard
from earlywarn.models.validate import BASELINES, COMBINED, MEASURE_LABELS, MODEL_LABELS

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

BY_SCHOOL = Text(
    "按学校分组验证，不是按时间：结果只对应一个截止日期（或时间太短），没有更晚的数据可以检验。",
    "Validated by school, not over time: outcomes are known for a single as-of date only (or the "
    "time is too short), so nothing later could be tested on.",
)
NOT_FOR: tuple[Text, ...] = (
    Text(
        "不能用来处罚、分班、拒收或公开评价任何学生、家庭、教师或学校。",
        "Not for punishing, streaming, turning away or publicly judging any child, family, teacher "
        "or school.",
    ),
    Text(
        "分数只是谈话的起点，不作任何决定；没有上名单不等于没有困难。",
        "A score starts a conversation and decides nothing; not being listed does not mean that "
        "nothing is wrong.",
    ),
    Text(
        "不说明原因：某项得分高不等于它造成辍学。",
        "It says nothing about causes: what adds to a score need not be why a child leaves.",
    ),
    Text(
        "未经检验，不能用于其他地区、学段或结果。",
        "Not for another region, stage or outcome without testing it there.",
    ),
)


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


def _signed(found: list[float | None]) -> str:
    value, low, high = (0.0 if part is None else part for part in found)
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def number(value: float | None, name: str = "") -> str:
    """Return a measure as people read it; a dash where it is not defined."""
    if value is None:
        return "-"
    return f"{value:.5f}" if name == "brier" else f"{value:.3f}"


def with_interval(found: list[float | None], name: str = "") -> str:
    """Return `0.712 [0.690, 0.733]`."""
    value, low, high = found
    if value is None or low is None:
        return number(value, name)
    return f"{number(value, name)} [{number(low, name)}, {number(high, name)}]"


def measure_rows(models: dict[str, Any], names: tuple[str, ...], lang: Lang) -> list[list[str]]:
    """Return a table of measures with intervals: one row for each model, its label first."""
    listed = [name for name in (COMBINED, *BASELINES) if name in models]
    return [
        [
            MODEL_LABELS[model](lang),
            *(with_interval(models[model][name], name) for name in names),
        ]
        for model in listed
    ]


@cache
def _template() -> Any:
    text = (package_files("earlywarn.models") / "card.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(text)


def card(scorecard: Scorecard, metrics: dict[str, Any], rulebook: RuleBook) -> str:
    """Return card.html for a model and its metrics.json."""
    titles = {rule.id: rule.title for rule in rulebook.in_force(None)}
    sections = [_section(scorecard, metrics, titles, lang) for lang in ("zh", "en")]
    page: str = _template().render(
        title=scorecard.label,
        first=BY_SCHOOL if metrics["validation"] == "by_school" else None,
        sections=sections,
    )
    return page


def _section(
    scorecard: Scorecard, metrics: dict[str, Any], titles: dict[str, Text], lang: Lang
) -> dict[str, Any]:
    names = tuple(MEASURE_LABELS)
    best = metrics["best_rule"]
    moved = sorted(scorecard.rules, key=lambda r: (-abs(r.weight - r.points), r.id))
    return {
        "lang": lang,
        "first": BY_SCHOOL(lang) if metrics["validation"] == "by_school" else "",
        "verdict": verdict(metrics)(lang),
        "generated": scorecard.generated,
        "heads": [MEASURE_LABELS[name](lang) for name in names],
        "rows": measure_rows(metrics["models"], names, lang),
        "best": f"{best}({titles[best](lang)})" if best in titles else best or "-",
        "dates": [
            [
                entry["as_of"],
                str(entry["rows"]),
                str(entry["events"]),
                *(
                    with_interval(entry["models"][model]["auc"])
                    for model in (COMBINED, *BASELINES)
                    if model in entry["models"]
                ),
            ]
            for entry in metrics["by_date"]
        ],
        "date_heads": [
            MODEL_LABELS[model](lang)
            for model in (COMBINED, *BASELINES)
            if model in metrics["models"]
        ],
        "not_for": [text(lang) for text in NOT_FOR],
        "notes": [note[lang] for note in metrics["notes"]],
        "slope": with_interval(metrics["calibration_slope"]),
        "train": metrics["train"],
        "test": metrics["test"],
        "metrics": metrics,
        "scorecard": scorecard,
        "moved": [
            [r.id, titles[r.id](lang), f"{r.points:.2f}", f"{r.weight:.2f}"]
            for r in moved
            if r.id in titles
        ],
    }
