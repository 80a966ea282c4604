"""How far each rule's weight moved from its author's points, and why, in words.

The words come from metrics["rules"]: what the training data say of each rule, and what held its
weight. An older metrics.json has none of it; then only points and weights are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.models.scorecard import RuleWeight, Scorecard

SMALL = 0.005  # log-odds; less is no change at two decimals

HEADS: tuple[Text, ...] = (
    Text("规则", "rule"),
    Text("分值", "points"),
    Text("权重", "weight"),
    Text("变化", "moved"),
    Text("命中学生", "students hit"),
    Text("其中有结果", "with the outcome"),
    Text("原因", "why"),
)


@dataclass(frozen=True)
class WeightRow:
    """One rule: the author's points, the weight in force, what the training data say, and why.

    Attributes
    ----------
    students, events
        How many students it counted for in training and how many of them had the outcome; None
        where that was not recorded.
    expected, observed
        Weighted rows with the outcome among those it counted in: by the author's points, and as it
        was.
    note
        "prior", "data", "ladder", "bound", "never hit", or "" where that was not recorded.
    """

    rule: str
    title: Text
    points: float
    weight: float
    students: int | None
    events: int | None
    expected: float | None
    observed: float | None
    note: str
    why: Text

    @property
    def moved(self) -> float:
        """The weight minus the points, in log-odds."""
        return self.weight - self.points

    def cells(self, lang: Lang) -> list[str]:
        """Return the row as texts, one for each of HEADS."""
        counts = ["-" if n is None else f"{n:,}" for n in (self.students, self.events)]
        return [
            self.rule,
            f"{self.points:.2f}",
            f"{self.weight:.2f}",
            moved_text(self.moved),
            *counts,
            self.why(lang),
        ]

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """Return the row for machines."""
        return {
            "rule": self.rule,
            "points": self.points,
            "weight": self.weight,
            "moved": self.moved,
            "students": self.students,
            "events": self.events,
            "expected": self.expected,
            "observed": self.observed,
            "note": self.note,
            "why": self.why(lang),
        }


def moved_text(moved: float) -> str:
    """Return a change at two decimals with its sign; `0.00` for none."""
    return "0.00" if abs(moved) < SMALL else f"{moved:+.2f}"


def weight_rows(
    scorecard: Scorecard,
    metrics: Mapping[str, Any] | None = None,
    titles: Mapping[str, Text] | None = None,
) -> list[WeightRow]:
    """Return a row for each rule of the scorecard, those that moved most first, then by id.

    Parameters
    ----------
    metrics
        The model's metrics.json; None or empty for the experts' scorecard, whose weights are the
        points.
    titles
        The rules' titles by id; a rule without one is called by its id.
    """
    told = {entry["id"]: entry for entry in (metrics or {}).get("rules") or []}
    experts = not metrics
    rows = [_row(rule, told.get(rule.id), titles or {}, experts) for rule in scorecard.rules]
    return sorted(rows, key=lambda row: (-abs(row.moved), row.rule))


def _row(
    rule: RuleWeight, entry: dict[str, Any] | None, titles: Mapping[str, Text], experts: bool
) -> WeightRow:
    found = entry or {}
    return WeightRow(
        rule=rule.id,
        title=titles.get(rule.id, Text(rule.id, rule.id)),
        points=rule.points,
        weight=rule.weight,
        students=found.get("students"),
        events=found.get("events"),
        expected=found.get("expected"),
        observed=found.get("observed"),
        note=str(found.get("note") or ""),
        why=_why(rule, entry, experts),
    )


def _why(rule: RuleWeight, entry: dict[str, Any] | None, experts: bool) -> Text:
    if experts:
        return Text("专家评分卡：权重即作者的分值。", "The experts' scorecard: points as written.")
    if entry is None:
        return Text("没有记录。", "Not recorded.")
    moved = rule.weight - rule.points
    note = entry.get("note")
    if note == "never hit":
        first = Text(
            "训练数据中从未计入，作者的分值不受数据影响。",
            "It never counted in the training data: they say nothing about the author's points.",
        )
        return _joined(first, _CALIBRATED) if abs(moved) >= SMALL else first
    seen = _seen(entry)
    if note == "bound":
        return _joined(
            seen,
            Text(
                "只看数据会成负数，因此停在 0：命中规则从不降低分数。",
                "The data alone would make it negative, so it stops at 0: a hit never lowers a "
                "score.",
            ),
        )
    if note == "ladder":
        zh, en = (f"（{rule.ladder}）", f" ({rule.ladder})") if rule.ladder else ("", "")
        return _joined(
            seen,
            Text(
                f"受同一阶梯{zh}限制：分值高的规则，权重不低于分值低的规则。",
                f"Held by its ladder{en}: a rule with more points never weighs less than "
                "one with fewer.",
            ),
        )
    if note == "prior":
        return _joined(
            seen,
            Text(
                "数据太少，主要仍是作者的判断。",
                "Too few to say much: it is mostly the author's belief.",
            ),
            *([_TOGETHER] if abs(moved) >= SMALL else []),
        )
    if note == "data":
        return _joined(seen, _by_data(moved, entry))
    return seen


_CALIBRATED = Text(
    "变化来自所有规则共同的比例和校准：所有权重同比调整。",
    "What it moved comes from the scale that all points have in common and from calibration: both "
    "stretch all weights alike.",
)
_TOGETHER = Text(
    "变化来自所有规则共同的比例和校准（所有权重同比调整），以及同时命中的规则。",
    "What it moved comes from the scale that all points have in common and from calibration, which "
    "stretch all weights alike, and from rules that hit together with it.",
)


def _joined(*parts: Text) -> Text:
    return Text("".join(p.zh for p in parts), " ".join(p.en for p in parts if p.en))


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _seen(entry: dict[str, Any]) -> Text:
    expected, observed = entry.get("expected"), entry.get("observed")
    if expected is None or observed is None:
        return Text("", "")
    one, other = _amount(expected), _amount(observed)
    return Text(
        f"按作者的分值预计 {one} 次，实际 {other} 次。",
        f"The author's points led to expect {one}, {other} came about.",
    )


def _by_data(moved: float, entry: dict[str, Any]) -> Text:
    expected, observed = entry.get("expected"), entry.get("observed")
    if abs(moved) < SMALL:
        return Text("数据与作者的判断一致。", "The data agree with the author.")
    up = moved > 0
    raised = Text("提高", "raised") if up else Text("降低", "lowered")
    if expected is None or observed is None or (observed > expected) == up:
        return Text(f"因此权重{raised.zh}。", f"So the weight was {raised.en}.")
    return Text(
        f"权重仍{raised.zh}：同时命中的其他规则、分类器或校准已说明了一部分。",
        f"The weight was {raised.en} all the same: other rules that hit together with it, the "
        "classifier or calibration account for part of it.",
    )
