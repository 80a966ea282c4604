"""Have the children changed since training? The population stability index (PSI) of each input.

What is missing is a bin of its own. Bands by the custom of credit scoring (Siddiqi, Credit Risk
Scorecards, 2006): below 0.1 stable, from 0.25 shifted strongly. Two things are no shift: what
chance explains in a small cohort (the 99.9 % quantile), and what the season does. Marks and the
absences of the year so far differ between September and June every year; training saw whole years,
so a date that lies no further from training than one of training's own dates did has not moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.catalogue import FEATURES
from earlywarn.models.measures.psi import by_chance, psi
from earlywarn.models.scorecard import FeatureTable, Floats, Scorecard, feature_matrix
from earlywarn.models.watching.reference import Reference, read_reference, shares_in

SOME, STRONG = 0.1, 0.25
# Nearly always known at training, and nearly never now.
KNOWN, LOST = 0.05, 0.95

Band = Literal["stable", "some", "strong", "chance", "season"]
BAND_WORDS: dict[str, Text] = {
    "stable": Text("稳定", "stable"),
    "some": Text("有所变化", "shifted somewhat"),
    "strong": Text("明显变化", "shifted strongly"),
    "season": Text("随季节变化，训练时也有过", "as the season has it, seen in training too"),
    "chance": Text("人数太少，可能只是偶然", "too few children to tell from chance"),
}


@dataclass(frozen=True)
class Shift:
    """How far one input has moved; `used` if the model gives it a say.

    `then` and `now` are the missing shares of a feature, the hit shares of a rule, and the mean of
    the score; `usual` is the largest PSI of a date of training against all of training.
    """

    kind: Literal["feature", "rule", "score"]
    name: str
    psi: float
    chance: float
    usual: float
    band: Band
    used: bool
    then: float
    now: float

    @property
    def is_lost(self) -> bool:
        """Whether it is a feature that was nearly always known and is nearly always missing."""
        return self.kind == "feature" and self.then <= KNOWN and self.now >= LOST

    def as_dict(self) -> dict[str, Any]:
        """Return the shift for `--json`."""
        return asdict(self)


def does_something(table: FeatureTable, b1: float) -> bool:
    """Whether a feature's table tells any two values, or missing from known, apart."""
    return b1 > 0 and any(value != table.missing for value in table.values)


def feature_shifts(reference: Reference, scorecard: Scorecard, features: pa.Table) -> list[Shift]:
    """Return the shift of every feature of the reference, the largest first."""
    used = {t.name for t in scorecard.features if does_something(t, scorecard.b1)}
    found = []
    for name, then in reference.features.items():
        if name not in FEATURES or name not in features.column_names:
            continue  # of another catalogue, and so no input of a model that may be used
        column = feature_matrix(features, [name])[:, 0]
        shares, missing = shares_in(column, np.ones(len(column)), then.edges)
        found.append(
            _shift(
                "feature",
                name,
                [*then.shares, then.missing],
                [*shares.tolist(), missing],
                reference.children,
                len(column),
                used=name in used,
                usual=then.usual,
                sides=(then.missing, missing),
            )
        )
    return _sorted(found)


def rule_shifts(
    reference: Reference, shares: Mapping[str, float], used: Sequence[str], students: int
) -> list[Shift]:
    """Return the shift of every rule in `shares` (hit shares now) that the reference knows."""
    return _sorted(
        [
            _shift(
                "rule",
                rule,
                [reference.rules[rule], 1 - reference.rules[rule]],
                [now, 1 - now],
                reference.children,
                students,
                used=rule in used,
                usual=reference.rules_usual.get(rule, 0.0),
                sides=(reference.rules[rule], now),
            )
            for rule, now in shares.items()
            if rule in reference.rules
        ]
    )


def score_shift(reference: Reference, scores: Floats) -> Shift:
    """Return the shift of the score."""
    shares, _ = shares_in(scores, np.ones(len(scores)), reference.score.edges)
    return _shift(
        "score",
        "score",
        reference.score.shares,
        shares.tolist(),
        reference.children,
        len(scores),
        used=True,
        usual=reference.score.usual,
        sides=(reference.mean_score, float(np.mean(scores))),
    )


def _shift(
    kind: Literal["feature", "rule", "score"],
    name: str,
    then: Sequence[float],
    now: Sequence[float],
    children_then: float,
    children_now: int,
    *,
    used: bool,
    usual: float,
    sides: tuple[float, float],
) -> Shift:
    found = round(psi(then, now, children_then, children_now), 6)
    bins = sum(a > 0 or b > 0 for a, b in zip(then, now, strict=True))
    chance = by_chance(bins, children_then, children_now)
    band: Band = "stable"
    if found >= SOME:
        band = "some" if found < STRONG else "strong"
        if found <= usual:
            band = "season"
        if found <= chance:
            band = "chance"
    return Shift(
        kind,
        name,
        found,
        round(chance, 6),
        usual,
        band,
        used,
        *(round(side, 6) for side in sides),
    )


def _sorted(found: list[Shift]) -> list[Shift]:
    return sorted(found, key=lambda shift: (-shift.psi, shift.name))


def warnings(
    reference: Reference, scorecard: Scorecard, features: pa.Table, scores: Floats
) -> list[dict[str, Any]]:
    """Return what a run has to warn of, for run.json: strong shifts of what the model uses.

    Each is {"kind": "missing" | "feature" | "score", "feature", "psi", "zh", "en"}; `feature` is
    None where it is about the score. A feature that was nearly always known and now is nearly
    always missing is told of whether the model uses it or not: rules may rest on it too.
    """
    found: list[dict[str, Any]] = []
    for shift in feature_shifts(reference, scorecard, features):
        if shift.is_lost:
            found.append(_warning("missing", shift, _lost(shift)))
        elif shift.used and shift.band == "strong":
            found.append(_warning("feature", shift, _moved(shift)))
    score = score_shift(reference, scores)
    if score.band == "strong":
        said = Text(
            f"分数的分布与训练时明显不同（PSI {score.psi:.2f}，平均分由 {score.then:.4f} 变为 "
            f"{score.now:.4f}）：模型可能已不适用，请运行 earlywarn models monitor。",
            f"The scores are spread quite differently than at training (PSI {score.psi:.2f}, mean "
            f"{score.then:.4f} then, {score.now:.4f} now): the model may no longer fit; run "
            "`earlywarn models monitor`.",
        )
        found.append(_warning("score", score, said))
    return found


def folded(found: Sequence[Mapping[str, Any]]) -> list[Text]:
    """Return a run's warnings for the terminal: features that moved in one line.

    What went missing is told one by one: a table may not have been loaded.
    """
    moved = [FEATURES[w["feature"]].label for w in found if w["kind"] == "feature"]
    lines = [Text(w["zh"], w["en"]) for w in found if w["kind"] != "feature"]
    if len(moved) == 1:
        lines += [Text(w["zh"], w["en"]) for w in found if w["kind"] == "feature"]
    elif moved:
        lines.append(
            Text(
                f"{len(moved)} 个输入的分布比训练时任何一次都偏得更远："
                f"{'、'.join(label.zh for label in moved)}。请运行 earlywarn models monitor。",
                f"{len(moved)} inputs are spread further from training than on any date of it: "
                f"{'; '.join(label.en for label in moved)}. Run `earlywarn models monitor`.",
            )
        )
    return lines


def warnings_for(
    folder: Path, scorecard: Scorecard, features: pa.Table, scores: Floats
) -> list[dict[str, Any]]:
    """Return the warnings of a run by the model in `folder`; none if it has no reference.

    A reference that cannot be used is a warning itself: the scores don't depend on it.
    """
    try:
        reference = read_reference(folder)
    except EarlywarnError as error:
        said = error.text
        return [
            {
                "kind": "reference",
                "feature": None,
                "psi": None,
                "zh": f"无法与训练时的数据比较：{said.zh}",
                "en": f"Not compared with the data at training: {said.en}",
            }
        ]
    return warnings(reference, scorecard, features, scores) if reference else []


def _warning(kind: str, shift: Shift, said: Text) -> dict[str, Any]:
    feature = shift.name if shift.kind == "feature" else None
    return {"kind": kind, "feature": feature, "psi": shift.psi, "zh": said.zh, "en": said.en}


def _lost(shift: Shift) -> Text:
    label = FEATURES[shift.name].label
    return Text(
        f"{label.zh}（{shift.name}）训练时几乎都有数据，现在 {shift.now:.0%} 缺失："
        "请检查对应的表是否已导入。",
        f"{label.en} ({shift.name}) was nearly always known at training and is missing for "
        f"{shift.now:.0%} now: check whether its table was loaded.",
    )


def _moved(shift: Shift) -> Text:
    label = FEATURES[shift.name].label
    return Text(
        f"{label.zh}（{shift.name}）的分布与训练时明显不同（PSI {shift.psi:.2f}）。",
        f"{label.en} ({shift.name}) is spread quite differently than at training "
        f"(PSI {shift.psi:.2f}).",
    )
