"""The card's words: labels of models and measures, headings, captions and what it is not for."""

from __future__ import annotations

from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.features.catalogue import FEATURES
from earlywarn.models.validate import BASELINES, COMBINED, MEASURE_LABELS, MODEL_LABELS
from earlywarn.words import CODE_LABELS, EVENT_LABELS, SCHOOL_KIND_LABELS

CHALLENGER = "challenger"
# The models in the order of tables and charts.
MODELS = (COMBINED, *BASELINES, CHALLENGER)

BY_SCHOOL = Text(
    "按学校分组验证，不是按时间：结果只对应一个截止日期（或时间太短），没有更晚的数据可以检验。",
    "Validated by school, not over time: outcomes are known for a single as-of date only (or the "
    "time is too short), so nothing later could be tested on.",
)
OVER_TIME = Text(
    "按时间验证：只用过去训练，用之后的数据检验；训练行的结果窗口都在检验期开始之前结束。",
    "Validated over time: trained on the past only and tested on what came after; every training "
    "row's window ends before the test begins.",
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

SHORT_LABELS: dict[str, Text] = {
    COMBINED: Text("本模型", "this model"),
    "rules_only": Text("只用规则", "rules only"),
    "classifier_only": Text("只用分类器", "classifier only"),
    "best_rule": Text("最好的单条规则", "best single rule"),
    "school_only": Text("只用学校环境", "school only"),
    "prevalence": Text("平均发生率", "prevalence"),
    CHALLENGER: Text("对照模型", "challenger"),
}
_CHALLENGER_LABEL = Text("对照模型（永不启用）", "challenger (never promoted)")
NEVER = Text("永不启用：只说明透明的代价", "never promoted: shows what the glass costs")

_MORE_MEASURES: dict[str, Text] = {
    "calibration_slope": Text("校准斜率", "calibration slope"),
    "recall": Text("名单覆盖率", "recall of the lists"),
    "false_omission": Text("漏报率", "false omission"),
    "false_discovery": Text("误报率", "false discovery"),
}
MEASURE_WORDS: dict[str, Text] = {
    "auc": Text(
        "任取一名有结果和一名没有结果的学生，前者分数更高的机会（0.5 等于抛硬币）",
        "chance that a child with the outcome scores above one without (0.5 is a coin toss)",
    ),
    "ap": Text(
        "名单从短到长，名单上的学生平均有多少确实有结果",
        "share of those listed who have the outcome, averaged over lists from short to long",
    ),
    "recall_at_capacity": Text(
        "各校按名额列名单，有结果的学生中有多少在名单上",
        "of the children with the outcome, the share on the lists that schools can follow up",
    ),
    "precision_at_capacity": Text(
        "各校按名额列名单，名单上的学生中有多少确实有结果",
        "of the children on those lists, the share with the outcome",
    ),
    "recall_top_tenth": Text(
        "全部学生中分数最高的 10%，包含多少有结果的学生",
        "share of the children with the outcome found in the highest tenth of scores",
    ),
    "precision_top_tenth": Text(
        "分数最高的 10% 中有多少确实有结果", "share of that tenth with the outcome"
    ),
    "brier": Text(
        "概率与事实之差的平方的平均，越小越好",
        "mean squared gap between probability and fact; smaller is better",
    ),
    "observed_expected": Text(
        "实际发生数除以模型预计数，1 最好",
        "how many there were over how many were predicted; 1 is best",
    ),
    "calibration_slope": Text(
        "1 最好；小于 1 说明高的太高、低的太低",
        "1 is best; below 1 the high scores are too high and the low ones too low",
    ),
    "recall": Text(
        "有结果的学生中在名单上的比例", "of the children with the outcome, the share listed"
    ),
    "false_omission": Text(
        "不在名单上的学生中有结果的比例", "of the children not listed, the share with the outcome"
    ),
    "false_discovery": Text(
        "名单上的学生中没有结果的比例", "of the children listed, the share without the outcome"
    ),
}
# Of these more is better (1), or less (-1); of the others neither can be said.
BETTER = dict.fromkeys(MEASURE_LABELS, 1) | {"brier": -1, "observed_expected": 0}

AUDITS: tuple[tuple[str, Text], ...] = (
    ("stage", Text("按学段", "By stage")),
    ("school_kind", Text("按学校类别", "By kind of school")),
    ("group", Text("按监测群体", "By monitored group")),
)
FAMILIES: dict[str, Text] = {
    "spline": Text("样条逻辑回归（转为表）", "logistic regression on splines, as tables"),
    "boost": Text("可加提升树（转为表）", "additive boosted tables"),
    "blend": Text("样条与提升树的平均", "mean of a spline and a booster"),
}
SETTINGS: dict[str, Text] = {
    "penalty": Text("惩罚", "penalty"),
    "learning_rate": Text("学习率", "learning rate"),
    "max_iter": Text("树数", "trees"),
    "max_leaf_nodes": Text("每棵树的叶数", "leaves a tree"),
    "min_samples_leaf": Text("每叶最少行数", "rows a leaf at least"),
    "l2_regularization": Text("叶值惩罚", "penalty on leaves"),
}

# The parts that an older metrics.json does not have, as the card names them when they are missing.
PARTS: dict[str, Text] = {
    "chosen": Text("分类器的候选与选择", "the candidates for the classifier"),
    "curves": Text("各种曲线", "the curves"),
    "audit": Text("按学段、学校类别和群体的检查", "the audit by stage, kind of school and group"),
    "followed": Text("不含已跟进学生的结果", "figures without followed-up children"),
    "rules": Text("权重变化的原因", "why weights moved"),
    "looked_at": Text("检验数据被使用的次数", "how often the test data were looked at"),
}


def measure_label(name: str) -> Text:
    """Return a measure's technical name."""
    return (MEASURE_LABELS | _MORE_MEASURES).get(name, Text(name, name))


def model_label(name: str) -> Text:
    """Return what a model is called in full."""
    return MODEL_LABELS.get(name, _CHALLENGER_LABEL)


def part_label(entry: dict[str, Any]) -> Text:
    """Return what the part of an audit entry is called."""
    name = str(entry["name"])
    if entry["by"] == "group" and name in FEATURES:
        return FEATURES[name].label
    known = {"stage": CODE_LABELS["stage"], "school_kind": SCHOOL_KIND_LABELS}.get(entry["by"], {})
    return known.get(name, Text(name, name))


def events(names: list[str], lang: Lang) -> str:
    """Return the label's events in words."""
    labels = [EVENT_LABELS.get(name, Text(name, name))(lang) for name in names]
    return Text("、".join(labels), ", ".join(labels))(lang)


def candidate_name(name: str, candidates: list[dict[str, Any]], lang: Lang) -> str:
    """Return what kind of classifier a candidate is, with its settings."""
    entry = next((c for c in candidates if c["name"] == name), None)
    if entry is None:
        family = next((f for f in ("spline", "boost") if name.startswith(f)), "blend")
        return FAMILIES[family](lang)
    family = FAMILIES.get(entry["family"], Text(entry["family"], entry["family"]))(lang)
    settings = entry.get("settings")
    if not isinstance(settings, dict):  # a blend: the names of its parts
        return family
    listed = [
        f"{SETTINGS[key](lang)} {value:g}" for key, value in settings.items() if key in SETTINGS
    ]
    if not listed:
        return family
    return Text(f"{family}：{'，'.join(listed)}", f"{family}: {', '.join(listed)}")(lang)
