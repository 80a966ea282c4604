"""Which heading gives which column: words and values together, one to one.

Every heading is weighed against every column; the best assignment of all at once is taken, so that
家长姓名 does not take the place of 学生姓名. Sure is only what words and values both say, and what
nothing else comes near.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from earlywarn.errors import Text
from earlywarn.tables.suggesting.likeness import ELSE, NOTHING, Likeness, Vocabulary
from earlywarn.tables.suggesting.values import Evidence, Values

SUGGESTED = 0.55  # below it a heading is left out
_SURE = 0.8
_SURE_WORDS, _SURE_INITIALS = 0.85, 0.75
_SURE_SHARE = 0.9
_MARGIN = 0.08
_OUTSIDE = 0.02  # a heading that may be either is rather left out
_FURTHER = 0.0001
_NEVER = -9.0
_BY_VALUES_ALONE = 0.4  # stands for the words where only the values speak
_TELLING = 0.7  # from here on values speak without words
_CONFIRMS, _CONTRADICTS = 0.2, 0.7
_ACCEPTED = 0.3  # for the heading that the shipped mapping takes for a column

_BY = {
    "words": Text("表头的词", "words of the heading"),
    "spelling": Text("表头写法相近", "spelled nearly so"),
    "sound": Text("表头读音（拼音）", "sound of the heading (pinyin)"),
    "initials": Text("拼音首字母", "pinyin initials"),
    "": Text("只看数值", "values only"),
}


@dataclass(frozen=True)
class Guess:
    """What the heading at `index` gives: `column` with a confidence of 0 to 1.

    `why` names the evidence and `doubts` what speaks against it; it is `sure` without a doubt.
    """

    index: int
    heading: str
    column: str
    confidence: float
    why: Text
    doubts: tuple[Text, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether the column may be loaded without a person's yes."""
        return not self.doubts


@dataclass(frozen=True)
class Guesses:
    """The columns found, in the file's order, and the headings that are none of the table's.

    `known` are those that are known not to be needed, `unknown` the others.
    """

    columns: list[Guess]
    known: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def match_columns(
    headings: Sequence[str],
    contexts: Sequence[str],
    columns: Sequence[Values],
    names: Sequence[str],
    evidence: Callable[[Values, str], Evidence],
    vocabulary: Vocabulary,
    accepted: Mapping[str, int],
) -> Guesses:
    """Match `headings` to the columns called `names`, one to one.

    Parameters
    ----------
    contexts
        The headings that stand over each heading, "" where there is none.
    columns
        The values below each heading.
    evidence
        What values say for a column.
    accepted
        Columns whose heading the shipped mapping knows as it stands: of two such headings for one
        column that mapping decides.

    An empty heading is never matched.
    """
    places = [i for i, heading in enumerate(headings) if heading.strip()]
    if not places:
        return Guesses([])
    likes = [_best_of(vocabulary, headings[i], contexts[i]) for i in places]
    proofs = [{name: evidence(columns[i], name) for name in names} for i in places]
    scores = np.array(
        [
            [_score(like.get(name, NOTHING), proof[name]) for name in names]
            for like, proof in zip(likes, proofs, strict=True)
        ]
    )
    words = np.array([[like.get(name, NOTHING).score for name in names] for like in likes])
    for name, index in accepted.items():
        row = places.index(index)
        if proofs[row][name].share >= _SURE_SHARE:
            scores[row, names.index(name)] += _ACCEPTED
    # Of two that fit as well the one further left is taken (the father before the mother).
    scores -= _FURTHER * np.arange(len(places))[:, np.newaxis]
    outside = np.array([_elsewhere(like) for like in likes])
    nowhere = np.full((len(places), len(places)), _NEVER)
    np.fill_diagonal(nowhere, np.maximum(outside, SUGGESTED))
    rows, taken = linear_sum_assignment(np.hstack([scores, nowhere]), maximize=True)
    chosen = {int(r): int(c) for r, c in zip(rows, taken, strict=True) if c < len(names)}
    guesses: list[Guess] = []
    known: list[str] = []
    unknown: list[str] = []
    for row, i in enumerate(places):
        if row not in chosen:
            (known if outside[row] >= _SURE else unknown).append(headings[i])
            continue
        at = chosen[row]
        name, score = names[at], float(scores[row, at])
        like, proof, values = likes[row].get(name, NOTHING), proofs[row][name], columns[i]
        doubts = _doubts(like, proof, values, score)
        doubts += _rivals(scores, chosen, row, float(outside[row]), names)
        twin = _twin(scores, words, chosen, row)
        if twin is not None and accepted.get(name) != i:
            other = headings[places[twin]]
            doubts.append(Text(f"“{other}”也像这一列", f"“{other}” looks like it too"))
        confidence = min(0.99, max(0.0, score / (1 + _CONFIRMS)))
        why = _why(like, proof, bool(values.texts))
        guesses.append(Guess(i, headings[i], name, confidence, why, tuple(doubts)))
    return Guesses(guesses, known, unknown)


def _best_of(vocabulary: Vocabulary, heading: str, context: str) -> dict[str, Likeness]:
    """Compare a heading, alone and with the heading over it; together they say more."""
    alone = vocabulary.compare(heading)
    if not context:
        return alone
    both = vocabulary.compare(context + heading)
    said = max((like.score for like in both.values()), default=0.0)
    return both if said >= 0.75 else alone


def _elsewhere(like: dict[str, Likeness]) -> float:
    """Return how much a heading is none of the table's: nothing if it is more like a column's."""
    best = max((said.score for column, said in like.items() if column != ELSE), default=0.0)
    outside = like.get(ELSE, NOTHING).score
    return outside + _OUTSIDE if outside >= best else 0.0


def _score(like: Likeness, proof: Evidence) -> float:
    words = like.score
    if words < _BY_VALUES_ALONE and proof.telling >= _TELLING and proof.share >= _SURE_SHARE:
        words = _BY_VALUES_ALONE
    against = _CONTRADICTS * proof.against * (1 - proof.share)
    return words + _CONFIRMS * proof.telling * proof.share - against


def _doubts(like: Likeness, proof: Evidence, values: Values, score: float) -> list[Text]:
    doubts = []
    enough = _SURE_INITIALS if like.by == "initials" else _SURE_WORDS
    if like.score < enough:
        doubts.append(Text("表头说得不够清楚", "the heading does not say it clearly"))
    if like.by == "initials" and proof.telling * proof.share < 0.15:
        doubts.append(
            Text("首字母也可能是别的词", "the initials may stand for other words"),
        )
    if not values.texts:
        doubts.append(Text("这一列是空的", "the column is empty"))
    elif values.running:
        doubts.append(Text("这一列是 1、2、3……的顺序号", "the values are just 1, 2, 3 ..."))
    elif proof.share < _SURE_SHARE:
        read = f"{proof.share:.0%}"
        doubts.append(Text(f"只有 {read} 的值读得出", f"only {read} of the values can be read"))
    if score < _SURE and not doubts:
        doubts.append(Text("证据不足", "too little evidence"))
    return doubts


def _rivals(
    scores: np.ndarray, chosen: dict[int, int], row: int, outside: float, names: Sequence[str]
) -> list[Text]:
    """Say what else a heading may be: a column that is free or held by a weaker heading."""
    own = scores[row, chosen[row]]
    holders = {at: other for other, at in chosen.items()}
    for at in map(int, np.argsort(-scores[row])):
        if scores[row, at] < own - _MARGIN:
            break
        holder = holders.get(at)
        if at != chosen[row] and (holder is None or scores[holder, at] < scores[row, at]):
            return [Text(f"也可能是 {names[at]}", f"could be {names[at]} too")]
    if outside >= SUGGESTED:
        return [Text("也可能不是本表的列", "could be no column of this table")]
    return []


def _twin(scores: np.ndarray, words: np.ndarray, chosen: dict[int, int], row: int) -> int | None:
    """Return another heading, left out, that fits the same column as well, or says it as well."""
    at = chosen[row]
    enough = max(scores[row, at] - 2 * _MARGIN, SUGGESTED)
    said = max(words[row, at] - _MARGIN, SUGGESTED)
    for other in range(len(scores)):
        if other not in chosen and (scores[other, at] >= enough or words[other, at] >= said):
            return other
    return None


def _why(like: Likeness, proof: Evidence, filled: bool) -> Text:
    by = _BY[like.by if like.score >= _BY_VALUES_ALONE else ""]
    if not filled:
        return by
    read = f"{proof.share:.0%}"
    return Text(f"{by.zh}；{read} 的值读得出", f"{by.en}; {read} of the values can be read")
