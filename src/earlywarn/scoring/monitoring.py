"""Watching a model in use: drift of the cohort against training, and calibration of past runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.newest import newest_school_day
from earlywarn.models.dates import known_period
from earlywarn.models.scorecard import Scorecard, apply, hit_matrix
from earlywarn.models.store import registry
from earlywarn.models.watching import drift
from earlywarn.models.watching.monitor import NOTES, Outcomes, calibration, outcomes_of
from earlywarn.models.watching.reference import Reference, read_reference
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.frame import DECIMALS, prepare
from earlywarn.scoring.history import all_runs, newest_runs
from earlywarn.scoring.run import RunFolder, unreadable
from earlywarn.workspace import Workspace

_BANDS = ("stable", "season", "chance", "some", "strong")
NO_REFERENCE = Text(
    "这个模型没有 reference.json（旧版训练的模型或专家评分卡），无法比较训练时与现在的学生。"
    "重新训练即可。",
    "This model has no reference.json (it was trained by an older version, or is the experts'): "
    "the children now cannot be compared with those at training. Training again makes one.",
)


def monitor(
    workspace: Workspace,
    as_of: date | None = None,
    model: str = "",
    stage: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Compare the cohort with the training panel, and past scores with what happened.

    Parameters
    ----------
    as_of
        The cohort to compare. Default: the newest scored day, else the newest reported school day.
    model
        NAME or NAME/VERSION (default: the promoted one).

    Returns
    -------
    {"model", "as_of", "drift": {"verdict", "students", "trained_on", "score", "features", "rules",
    "rules_not_compared"} or None, "calibration": {"complete_until", "total", "runs"} or None,
    "notes": [{"zh", "en"}]}
        `drift` is None without a reference, `calibration` without a run whose window is over.

    Raises
    ------
    EarlywarnError
        If there is no such model, it must not be used, or nobody is in the cohort.
    """
    found, scorecard = registry.open_model(workspace, model)
    reference = read_reference(found.folder)
    notes: list[Text] = []
    stage("outcomes")
    calibrated = _calibration(workspace, scorecard, notes)
    moved: dict[str, Any] | None = None
    stage("features")
    day = as_of or _default_day(workspace)
    if reference is None:
        notes.append(NO_REFERENCE)
    else:
        moved = _drift(workspace, scorecard, reference, day)
    return {
        "model": scorecard.label,
        "as_of": day.isoformat(),
        "drift": moved,
        "calibration": calibrated,
        "notes": [note._asdict() for note in notes],
    }


def _default_day(workspace: Workspace) -> date:
    runs = newest_runs(workspace)
    if runs:
        return runs[-1].as_of
    con = connect(workspace)
    try:
        return newest_school_day(con, date.today())
    finally:
        con.close()


def _drift(
    workspace: Workspace, scorecard: Scorecard, reference: Reference, as_of: date
) -> dict[str, Any]:
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    try:
        prepared = prepare(con, workspace, rulebook, as_of)
        applied = apply(scorecard, prepared.features, prepared.verdicts, rulebook, as_of)
        features = drift.feature_shifts(reference, scorecard, prepared.features)
        # A rule whose condition was changed is another rule: its hits cannot be compared.
        fitted = {rule.id: rule for rule in scorecard.rules}
        now = rulebook.in_force(as_of)
        same = [r.id for r in now if r.id in fitted and fitted[r.id].when_hash == r.when_hash]
        hits = hit_matrix(prepared.verdicts, same)
        shares = {name: float(np.mean(hits[:, place])) for place, name in enumerate(same)}
        used = [name for name in same if fitted[name].weight > 0]
        students = prepared.features.num_rows
    finally:
        con.close()
    rules = drift.rule_shifts(reference, shares, used, students)
    score = drift.score_shift(reference, np.round(applied.score, DECIMALS))
    counted = [score, *(shift for shift in (*features, *rules) if shift.used)]
    return {
        "verdict": max((shift.band for shift in counted), key=_BANDS.index),
        "students": students,
        "trained_on": {
            "rows": reference.rows,
            "dates": len(reference.dates),
            "first_as_of": reference.dates[0],
            "last_as_of": reference.dates[-1],
        },
        "score": score.as_dict(),
        "features": [shift.as_dict() for shift in features],
        "rules": [shift.as_dict() for shift in rules],
        "rules_not_compared": sorted({rule.id for rule in now} - set(same)),
    }


def _calibration(
    workspace: Workspace, scorecard: Scorecard, notes: list[Text]
) -> dict[str, Any] | None:
    con = connect(workspace)
    try:
        try:
            complete = known_period(con, workspace.config).complete_until
        except EarlywarnError as error:
            notes.append(error.text)
            return None
        runs = []
        for run in _finished(workspace, scorecard, complete, notes):
            try:
                scores = _scores(run)
            except EarlywarnError as error:
                notes.append(error.text)
                continue
            runs.append(outcomes_of(con, scores, run.as_of, run.number, scorecard))
    finally:
        con.close()
    return _summed(runs, scorecard, complete, workspace.config.seed, notes)


def _summed(
    runs: list[Outcomes], scorecard: Scorecard, complete: date, seed: int, notes: list[Text]
) -> dict[str, Any] | None:
    if not runs:
        notes.append(
            Text(
                f"{scorecard.label} 的评分中，还没有一次的 {scorecard.horizon_days} 天窗口在"
                f"结果收齐之日（{complete}）前结束。",
                f"No run of {scorecard.label} has a window of {scorecard.horizon_days} days that "
                f"is over by {complete}, up to which outcomes are known.",
            )
        )
        return None
    notes.extend(NOTES)
    return {"complete_until": complete.isoformat()} | calibration(runs, seed)


def _finished(
    workspace: Workspace, scorecard: Scorecard, complete: date, notes: list[Text]
) -> list[RunFolder]:
    """Return the newest run of each as-of date that this model scored and whose window is over."""
    last = complete - timedelta(days=scorecard.horizon_days)
    found: dict[date, RunFolder] = {}
    others = 0
    for run in all_runs(workspace):
        if run.as_of > last:
            continue
        try:
            is_ours = run.info().get("model") == scorecard.label
        except EarlywarnError as error:
            notes.append(error.text)
            continue
        if is_ours:
            found[run.as_of] = run
        else:
            others += 1
    if others:
        notes.append(
            Text(
                f"另有 {others} 次评分用的是其他模型，未计入。",
                f"{others} runs by other models are not counted.",
            )
        )
    return [found[day] for day in sorted(found)]


def _scores(run: RunFolder) -> pa.Table:
    """Read a run's scores, checked as far as they are used here."""
    schema = pa.schema(
        [("student_id", pa.string()), ("score", pa.float64()), ("listed", pa.bool_())]
    )
    try:
        table = run.scores().select(schema.names).cast(schema)
    except (KeyError, pa.ArrowException):
        raise unreadable(run.path) from None
    score = table.column("score")
    known = pc.and_(pc.greater_equal(score, 0.0), pc.less_equal(score, 1.0))
    sound = table.num_rows and pc.all(pc.fill_null(known, False)).as_py()
    if not sound or sum(column.null_count for column in table.columns):
        raise unreadable(run.path)
    return table
