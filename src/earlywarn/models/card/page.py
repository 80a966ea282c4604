"""The model's card: one self-contained page, Chinese then English, for paper, screen and phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from earlywarn import __version__
from earlywarn.errors import Lang, Text
from earlywarn.models.card import plots, tables, text
from earlywarn.models.card.numbers import verdict
from earlywarn.models.card.shapes import rule_bar, shapes, silent
from earlywarn.models.scorecard import Scorecard
from earlywarn.models.validate import COMBINED
from earlywarn.models.weights import moved_text, weight_rows
from earlywarn.pages import template

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

_BESIDE = ("recall_at_capacity", "precision_at_capacity", "auc", "ap")


def card(scorecard: Scorecard, metrics: dict[str, Any], rulebook: RuleBook) -> str:
    """Return card.html for a model and its metrics.json.

    A metrics.json of an earlier version, without some parts, makes a card without them that says
    so.
    """
    titles = {rule.id: rule.title for rule in rulebook.in_force(None)}
    sections = [
        account(scorecard, metrics, titles, lang) | _drawings(scorecard, metrics, lang)
        for lang in ("zh", "en")
    ]
    return template("card.html.j2", "earlywarn.models", folder="card").render(
        title=scorecard.label, sections=sections
    )


def _drawings(scorecard: Scorecard, metrics: dict[str, Any], lang: Lang) -> dict[str, Any]:
    drawn = plots.drawn_models(metrics)
    return {
        "beside": plots.beside(metrics, _BESIDE, lang),
        "curves": plots.curves(metrics, lang),
        "legend": [
            (text.model_label(model)(lang), *plots.STYLES[model])
            for model in text.MODELS
            if model in drawn
        ],
        "shapes": shapes(scorecard, lang),
        "two": lambda value: f"{value:+.2f}",
    }


def account(
    scorecard: Scorecard, metrics: dict[str, Any], titles: dict[str, Text], lang: Lang
) -> dict[str, Any]:
    """Return the words and tables of the card in one language, without the drawings."""
    by_school = metrics["validation"] == "by_school"
    return {
        "lang": lang,
        "zh": lang == "zh",
        "first": (text.BY_SCHOOL if by_school else text.OVER_TIME)(lang),
        "by_school": by_school,
        "generated": scorecard.generated,
        "purpose": _purpose(scorecard, lang),
        "verdict": verdict(metrics)(lang),
        "plainly": _plainly(metrics, lang),
        "looked_at": _looked_at(metrics, lang),
        "data": tables.data(metrics, lang),
        "facts": _facts(scorecard, metrics, titles, lang),
        "candidates": tables.candidates(metrics, lang),
        "chosen": _chosen(metrics, lang),
        "measures": tables.measures(metrics, lang),
        "differences": tables.differences(metrics, lang),
        "audits": tables.audits(metrics, lang),
        "followed": tables.followed(metrics, lang),
        "followed_words": _followed_words(metrics, lang),
        "dates": tables.dates(metrics, lang),
        "silent": silent(scorecard, lang),
        "weights": _weights(scorecard, metrics, titles, lang),
        "not_for": [one(lang) for one in text.NOT_FOR],
        "missing": _missing(scorecard, metrics, titles, lang),
    }


def _purpose(scorecard: Scorecard, lang: Lang) -> str:
    days = scorecard.horizon_days
    return Text(
        f"用途：在每所学校内排出先后，让有限的走访先到最可能在今后 {days} 天内发生"
        f"“{text.events(scorecard.label_events, 'zh')}”的学生那里。",
        "What it is for: to put the children of each school in an order, so that the visits that "
        "can be made first reach those most likely to have the outcome "
        f"({text.events(scorecard.label_events, 'en')}) within the next {days} days.",
    )(lang)


def _plainly(metrics: dict[str, Any], lang: Lang) -> str:
    """Return the figure that decides in natural numbers; empty where it is not defined."""
    own = metrics["models"][COMBINED]["recall_at_capacity"]
    rules = metrics["models"].get("rules_only", {}).get("recall_at_capacity", [None] * 3)
    if None in own or rules[0] is None:
        return ""
    value, low, high = (f"{100 * part:.0f}" for part in own)
    return Text(
        f"检验期内每 100 名有结果的学生，各校名单提前找到 {value} 名（95% 区间 {low}–{high}）；"
        f"只用规则为 {100 * rules[0]:.0f} 名。",
        f"Of every 100 children with the outcome in the test period, the schools' lists held "
        f"{value} beforehand (95 % interval {low}–{high}); by the rules alone it would have been "
        f"{100 * rules[0]:.0f}.",
    )(lang)


def _looked_at(metrics: dict[str, Any], lang: Lang) -> str:
    found = metrics.get("looked_at")
    if not found:
        return ""
    names = found.get("models") or []
    return Text(
        f"这份检验数据到目前共被使用 {found['times']} 次（模型：{'、'.join(names)}）。"
        "用得越多，数字越容易显得过好。",
        f"Times these test data have been looked at so far: {found['times']} (models: "
        f"{', '.join(names)}). The more often, the more the figures flatter.",
    )(lang)


def _facts(
    scorecard: Scorecard, metrics: dict[str, Any], titles: dict[str, Text], lang: Lang
) -> list[tuple[str, str]]:
    best = metrics["best_rule"]
    best_title = (
        Text(f"{titles[best].zh}（{best}）", f"{titles[best].en} ({best})")
        if best in titles
        else Text(best or "-", best or "-")
    )
    where = metrics.get("test_where")
    facts = [
        (Text("预测的结果", "outcome"), text.events(scorecard.label_events, lang)),
        (
            Text("预测未来", "horizon"),
            Text(f"{scorecard.horizon_days} 天", f"{scorecard.horizon_days} days")(lang),
        ),
        (
            Text("结果收齐到", "outcomes complete until"),
            str(metrics.get("outcomes_complete_until", "-")),
        ),
        (Text("基准率", "base rate"), f"{scorecard.base_rate:.5f}"),
        (
            Text("用于拟合的有结果学生", "children with the outcome fitted on"),
            str(metrics.get("events_fitted_on", "-")),
        ),
        (
            Text("用于校准的有结果学生", "children with the outcome calibrated on"),
            str(metrics.get("events_calibrated_on", "-")),
        ),
        (
            Text(
                "最好的单条规则（在训练期选出）", "best single rule (chosen on the training period)"
            ),
            best_title(lang),
        ),
        *([(Text("检验条件", "test condition"), str(where))] if where else []),
        (Text("程序版本", "program version"), __version__),
        (Text("特征目录版本", "feature catalogue"), scorecard.catalogue_version),
        (Text("规则库（哈希）", "rule book (hash)"), scorecard.rules_hash),
        *(
            [(Text("检验数据（哈希）", "test data (hash)"), str(metrics["test_hash"]))]
            if metrics.get("test_hash")
            else []
        ),
    ]
    return [(label(lang), value) for label, value in facts]


def _chosen(metrics: dict[str, Any], lang: Lang) -> str:
    chosen = metrics.get("chosen")
    if not chosen:
        return ""
    origins = chosen.get("origins") or []
    how = (
        Text(
            f"在训练期内按滚动起点选择：起点 {'、'.join(origins)}，每次只用之前的数据预测之后。",
            f"Chosen inside the training period on rolling origins ({', '.join(origins)}): what "
            "came before predicted what came after.",
        )
        if origins
        else Text(
            "在训练期内轮流留出学校来选择。",
            "Chosen inside the training period by holding out schools in turn.",
        )
    )
    why = Text(
        "名额内召回率与最高者相差不到一个标准误的候选中，取平均精确率最高的。没有用到检验数据。",
        "Of those whose recall at capacity is within one standard error of the best, the one with "
        "the highest average precision. The test data played no part.",
    )
    name = text.candidate_name(chosen["name"], chosen.get("candidates") or [], lang)
    if not chosen.get("candidates"):
        only = Text(
            f"结果太少，无法比较，直接使用：{name}。", f"Too few outcomes to compare; used: {name}."
        )
        return only(lang)
    return f"{how(lang)}{'' if lang == 'zh' else ' '}{why(lang)}"


def _followed_words(metrics: dict[str, Any], lang: Lang) -> str:
    found = metrics.get("followed")
    if not found:
        return ""
    share = 100 * (found.get("share") or 0)
    head = Text(
        f"检验行中有 {found['rows']:,} 行（{share:.1f}%，{found['students']:,} 名学生）的学生在"
        "结果窗口内已上过名单。跟进可能避免了结果，使模型显得更差。",
        f"In {found['rows']:,} of the tested rows ({share:.1f} %, {found['students']:,} children) "
        "the child stood on a list within the window. Following up may have kept the outcome from "
        "happening, which makes a model look worse than it is.",
    )(lang)
    if found.get("without") or not found["rows"]:
        return head
    return head + Text(
        "去掉这些行后结果太少，无法计算。", " Without these rows too little is left to measure."
    )(lang)


def _weights(
    scorecard: Scorecard, metrics: dict[str, Any], titles: dict[str, Text], lang: Lang
) -> list[dict[str, Any]]:
    rows = weight_rows(scorecard, metrics, titles)
    most = max([1.0, *(max(row.points, row.weight) for row in rows)])
    label = Text("分值 {:.2f}，权重 {:.2f}", "points {:.2f}, weight {:.2f}")(lang)
    return [
        {
            "id": row.rule,
            "title": row.title(lang),
            "points": f"{row.points:.2f}",
            "weight": f"{row.weight:.2f}",
            "moved": moved_text(row.moved),
            "counts": ["-" if n is None else f"{n:,}" for n in (row.students, row.events)],
            "why": row.why(lang),
            "bar": rule_bar(row.points, row.weight, most, label.format(row.points, row.weight)),
        }
        for row in rows
    ]


def _missing(
    scorecard: Scorecard, metrics: dict[str, Any], titles: dict[str, Text], lang: Lang
) -> list[str]:
    lines = [note[lang] for note in metrics["notes"]]
    left_out = metrics.get("left_out_lost_from_sight")
    if left_out is not None:
        lines.append(
            Text(
                f"窗口内失去联系（转学、出境、死亡、离校）而未计入的行：{left_out:,}。",
                "Rows left out because the child was lost from sight within the window "
                f"(transferred, abroad, deceased, left): {left_out:,}.",
            )(lang)
        )
    gone = sorted(rule.id for rule in scorecard.rules if rule.id not in titles)
    new = sorted(set(titles) - {rule.id for rule in scorecard.rules})
    if gone:
        lines.append(
            Text(
                f"模型中有、规则库中已没有的规则：{'、'.join(gone)}。",
                f"Rules of the model that the rule book no longer has: {', '.join(gone)}.",
            )(lang)
        )
    if new:
        lines.append(
            Text(
                f"模型没有权重、按作者分值计算的规则：{'、'.join(new)}。",
                "Rules without a weight in the model, which count with their authors' points: "
                f"{', '.join(new)}.",
            )(lang)
        )
    absent = [label(lang) for key, label in text.PARTS.items() if key not in metrics]
    if absent:
        lines.append(
            Text(
                f"本模型由较早的版本训练，没有记录：{'；'.join(absent)}。",
                "Made by an earlier version, which did not record: " + "; ".join(absent) + ".",
            )(lang)
        )
    return lines
