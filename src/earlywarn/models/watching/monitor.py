"""Calibration since training: what a model's scores foretold, and what was seen to happen.

Who stood on a list may have been visited, and a visited child may stay: among them fewer events
than foretold can mean that the visits help, not that the model is wrong. So everything is said
twice, with the listed children and without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import chi2

from earlywarn.engine.duckdb import sql_file
from earlywarn.errors import Text
from earlywarn.models.measures.metrics import DRAWS, Ranking, interval_of, plain
from earlywarn.models.scorecard import Bools, Floats, Scorecard

# Fewer children with the event say little of calibration.
ENOUGH_EVENTS = 10
# Bootstrapping more rows than that takes long and changes nothing.
MAX_ROWS_TO_DRAW = 2_000_000

Verdict = Literal["too_few", "as_foretold", "more", "fewer"]
VERDICT_WORDS: dict[Verdict, Text] = {
    "too_few": Text(
        f"有结果的学生不足 {ENOUGH_EVENTS} 名，还不能判断",
        f"fewer than {ENOUGH_EVENTS} children with the outcome: too few to tell",
    ),
    "as_foretold": Text("与预测相符", "as foretold"),
    "more": Text("实际多于预测：模型低估了风险", "more than foretold: the model is too low"),
    "fewer": Text("实际少于预测：模型高估了风险", "fewer than foretold: the model is too high"),
}
# Among all children the visits themselves are a reason.
FEWER_OF_ALL = Text(
    "实际少于预测：跟进有效，或模型高估了风险",
    "fewer than foretold: the visits help, or the model is too high",
)
WITH, WITHOUT = "with_listed", "without_listed"
PART_WORDS: dict[str, Text] = {
    WITH: Text("全部学生（含当次名单上的）", "all children (those on the run's list too)"),
    WITHOUT: Text("不含当次名单上的学生", "without the children on the run's list"),
}
NOTES: tuple[Text, ...] = (
    Text(
        "名单上的学生可能已被家访，家访后留下来的学生不算辍学：因此“全部学生”一栏中实际少于预测，"
        "可能是跟进有效，而不是模型出错。判断模型是否准确，请看“不含当次名单上的学生”一栏；"
        "它不含风险最高的学生。",
        "Children on a list may have been visited, and a visited child who stays is no dropout: "
        "fewer than foretold among all children can mean that the visits help, not that the model "
        "is wrong. Whether the model is right is told by the children without those on the list; "
        "the ones at highest risk are not among them.",
    ),
    Text(
        "每个截止日期只取最新一次评分；每周的评分多次包含同一名学生，所以区间按学生而不是按行计算。",
        "One run for each as-of date, the newest. Weekly runs hold the same children again and "
        "again, so the intervals count children, not rows.",
    ),
    Text(
        "窗口内转学、出国、死亡或退出学籍而没有结果的学生去向不明，不计入。",
        "Children without the outcome who were lost from sight within the window (transferred, "
        "abroad, deceased, taken off the registry) are left out.",
    ),
)


@dataclass(frozen=True)
class Outcomes:
    """One run whose window is over: its children who were not lost from sight, as equal columns.

    Attributes
    ----------
    student
        student_id of each.
    score
        What was foretold.
    listed
        Whether the child stood on that run's list.
    y
        Whether the event was seen within the window.
    lost
        How many children were lost from sight and left out.
    """

    as_of: date
    number: int
    student: pa.Array
    score: Floats
    listed: Bools
    y: Bools
    lost: int


def outcomes_of(
    con: duckdb.DuckDBPyConnection, scores: pa.Table, as_of: date, number: int, model: Scorecard
) -> Outcomes:
    """Join a run's scores (student_id, score, listed) with what happened in its window.

    Labels as in training (labels.sql). `con` has the workspace's tables; its table `cohort` is
    replaced.
    """
    con.register("monitored", scores.select(["student_id", "score", "listed"]))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE cohort AS SELECT student_id FROM monitored"
    ).fetchall()
    labels = sql_file("earlywarn.models", "labels.sql")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE monitored_labels AS {labels}",
        {
            "as_of": as_of,
            "window_end": as_of + timedelta(days=model.horizon_days),
            "until": date.max,
            "label_events": list(model.label_events),
        },
    ).fetchall()
    table = con.sql(
        """
        SELECT m.student_id, m.score, m.listed, l.label, l.lost
        FROM monitored AS m JOIN monitored_labels AS l ON l.student_id = m.student_id
        ORDER BY m.student_id
        """
    ).to_arrow_table()
    con.unregister("monitored")
    lost = table.column("lost").to_numpy().astype(np.bool_)
    kept = table.filter(pa.array(~lost))
    return Outcomes(
        as_of=as_of,
        number=number,
        student=kept.column("student_id").combine_chunks(),
        score=kept.column("score").to_numpy().astype(np.float64),
        listed=kept.column("listed").to_numpy().astype(np.bool_),
        y=kept.column("label").to_numpy().astype(np.bool_),
        lost=int(np.count_nonzero(lost)),
    )


def calibration(runs: Sequence[Outcomes], seed: int) -> dict[str, Any]:
    """Return expected and observed events of runs, in all and for each run.

    {"total": {with_listed, without_listed}, "runs": [{"as_of", "number", "lost", with_listed,
    without_listed}]}; each part is {"rows", "students", "events", "observed", "expected",
    "observed_expected": [value, low, high], "auc": [value, low, high], "verdict"}: `observed` and
    `expected` count rows, `events` children. AUC has an interval in the total only.
    """
    students = pa.concat_arrays([run.student.cast(pa.string()) for run in runs])
    code = students.dictionary_encode().indices.to_numpy().astype(np.int64)
    score = np.concatenate([run.score for run in runs])
    listed = np.concatenate([run.listed for run in runs])
    y = np.concatenate([run.y for run in runs])
    run_of = np.repeat(np.arange(len(runs)), [len(run.y) for run in runs])

    def parts(chosen: Bools, draws: int) -> dict[str, Any]:
        return {
            name: _figures(code[mask], score[mask], y[mask], seed, draws)
            for name, mask in ((WITH, chosen), (WITHOUT, chosen & ~listed))
        }

    everything = np.ones(len(y), dtype=np.bool_)
    return {
        "total": parts(everything, DRAWS if len(y) <= MAX_ROWS_TO_DRAW else 0),
        "runs": [
            {"as_of": run.as_of.isoformat(), "number": run.number, "lost": run.lost}
            | parts(run_of == place, 0)
            for place, run in enumerate(runs)
        ],
    }


def _figures(
    code: np.ndarray[Any, np.dtype[np.int64]], score: Floats, y: Bools, seed: int, draws: int
) -> dict[str, Any]:
    students = len(np.unique(code))
    events = len(np.unique(code[y]))
    observed, expected = int(np.count_nonzero(y)), float(np.sum(score))
    ratio = observed_expected(observed, expected, events, len(y) / max(students, 1))
    return {
        "rows": len(y),
        "students": students,
        "events": events,
        "observed": observed,
        "expected": plain(expected),
        "observed_expected": [plain(part) for part in ratio],
        "auc": [plain(part) for part in _auc_interval(code, score, y, seed, draws)],
        "verdict": verdict(events, ratio),
    }


def observed_expected(
    observed: int, expected: float, events: int, rows_each: float
) -> tuple[float, float, float]:
    """Return observed / expected with its 95 % interval (NaN where nothing is expected).

    The interval is Poisson's exact one (Garwood 1936) for the number of children with the event:
    rows of one child are one event. `rows_each` is how many rows a child has on average; it serves
    where no event was seen.
    """
    if expected <= 0:
        return float("nan"), float("nan"), float("nan")
    if observed == 0:
        return 0.0, 0.0, float(chi2.ppf(0.975, 2)) / 2 * rows_each / expected
    ratio = observed / expected
    low, high = chi2.ppf(0.025, 2 * events) / 2, chi2.ppf(0.975, 2 * events + 2) / 2
    return ratio, float(ratio * low / events), float(ratio * high / events)


def verdict(events: int, ratio: tuple[float, float, float]) -> Verdict:
    """Return what observed / expected says, by its interval.

    That far more was foretold than happened is shown even where nothing happened.
    """
    _, low, high = ratio
    if high < 1:
        return "fewer"
    if low > 1:
        return "more"
    return "as_foretold" if events >= ENOUGH_EVENTS else "too_few"


def verdict_words(found: Verdict, part: str) -> Text:
    """Return a verdict in words, for the part (WITH or WITHOUT) that it is of."""
    return FEWER_OF_ALL if (found, part) == ("fewer", WITH) else VERDICT_WORDS[found]


def _auc_interval(
    code: np.ndarray[Any, np.dtype[np.int64]], score: Floats, y: Bools, seed: int, draws: int
) -> tuple[float, float, float]:
    """Return ROC-AUC with a bootstrap interval over children (NaN without draws)."""
    nothing = float("nan")
    if not y.any() or y.all():
        return nothing, nothing, nothing
    ranking = Ranking.of(y, score)
    value, _ = ranking.auc_ap(np.ones(len(y)))
    children, child = np.unique(code, return_inverse=True)
    child = child[ranking.order]
    count = len(children)
    rng = np.random.default_rng(seed)
    drawn = np.full(draws, nothing)
    for draw in range(draws):
        times = np.bincount(rng.integers(0, count, count), minlength=count)
        drawn[draw], _ = ranking.auc_ap(times[child].astype(np.float64))
    return value, *interval_of(drawn)
