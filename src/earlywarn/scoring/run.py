"""A scoring run: its folder runs/AS_OF/N with the scores, the rules used, run.json and the lists.

The folder appears whole or not at all. The same inputs make no new N; other inputs the next one,
so a list that somebody is filling in is never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from earlywarn import __version__
from earlywarn.engine.duckdb import connect
from earlywarn.engine.room import check_room, explained
from earlywarn.errors import EarlywarnError, Lang
from earlywarn.features.catalogue import CATALOGUE_VERSION
from earlywarn.features.newest import newest_school_day, refuse_ahead
from earlywarn.files import sha256, whole_folder, write_whole
from earlywarn.models.scorecard import Scorecard, Weights, calm_terms, weights_for
from earlywarn.models.store import registry
from earlywarn.models.watching.drift import warnings_for
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.rules.record import record
from earlywarn.scoring.engines import ON_DUCKDB, Engine, Spread
from earlywarn.tables.batches import data_fingerprint
from earlywarn.words import Tier
from earlywarn.workspace import Workspace

SCORES_FILE = "scores.parquet"
RUN_FILE = "run.json"
RULES_FILE = "rules.json"
# "Last week" is the newest run so many days before, both included.
LAST_WEEK = (5, 9)
# What of the config says nothing about scores or lists.
_NO_INPUT = {"ledger_url", "memory_limit", "temp_folder", "roles", "dropout_limit"}


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    as_of: date
    number: int
    path: Path

    def scores(
        self, columns: Sequence[str] | None = None, where: tuple[str, str] | None = None
    ) -> pa.Table:
        """Read scores.parquet, or some of its columns, or the rows with a value in a column.

        Raises
        ------
        EarlywarnError
            If it cannot be read.
        """
        path = self.path / SCORES_FILE
        filters = [(where[0], "=", where[1])] if where is not None else None
        try:
            return pq.read_table(path, columns=columns and list(columns), filters=filters)
        except (OSError, pa.ArrowException):
            raise unreadable(path) from None

    def info(self) -> dict[str, Any]:
        """Read run.json (EarlywarnError if it cannot be read)."""
        path = self.path / RUN_FILE
        try:
            read = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            raise unreadable(path) from None
        if not isinstance(read, dict):
            raise unreadable(path)
        return read

    def rules(self) -> dict[str, dict[str, Any]] | None:
        """Return the rules that the run used, by id (see `rules.record`).

        None if it has no rules.json: it was made by an older version of the program.
        """
        path = self.path / RULES_FILE
        if not path.is_file():
            return None
        try:
            read = json.loads(path.read_text("utf-8"))
            return {rule["id"]: rule for rule in read["rules"]}
        except (OSError, ValueError, KeyError, TypeError):
            raise unreadable(path) from None


def is_of_other_data(info: Mapping[str, Any], workspace: Workspace) -> bool:
    """Whether data were loaded, replaced or taken out since the run of that run.json was made."""
    then = info.get("inputs", {}).get("data")
    return then is not None and bool(then != data_fingerprint(workspace))


def unreadable(path: Path) -> EarlywarnError:
    """Return the error of a run's file that cannot be read."""
    return EarlywarnError(
        zh=f"{path} 已损坏或缺失。请从备份恢复，或删去这个文件夹后重新评分。",
        en=f"{path} is damaged or missing. Restore it from a backup, or remove its folder and "
        "score again.",
    )


@dataclass(frozen=True)
class Scored:
    """What the makers of outputs get: the connection (with cohort, features, facts, basis and
    scores), the rule book, the scorecard, last week's run if there is one, and how work is spread.
    """

    workspace: Workspace
    con: duckdb.DuckDBPyConnection
    rulebook: RuleBook
    scorecard: Scorecard
    as_of: date
    number: int
    previous: RunFolder | None
    lang: Lang
    spread: Spread | None = None


@dataclass(frozen=True)
class Run:
    """The result of `score`: the run's folder, its run.json, and whether it is new."""

    folder: RunFolder
    info: dict[str, Any]
    is_new: bool


def run_folders(workspace: Workspace, as_of: date) -> list[RunFolder]:
    """Return the runs of `as_of`, oldest first."""
    parent = workspace.runs / as_of.isoformat()
    if not parent.is_dir():
        return []
    numbers = sorted(int(p.name) for p in parent.iterdir() if p.name.isdecimal() and p.is_dir())
    return [RunFolder(as_of, number, parent / str(number)) for number in numbers]


def last_week(workspace: Workspace, as_of: date) -> RunFolder | None:
    """Return the newest run 5 to 9 days before `as_of`, if there is one."""
    for days in range(LAST_WEEK[0], LAST_WEEK[1] + 1):
        runs = run_folders(workspace, as_of - timedelta(days=days))
        if runs:
            return runs[-1]
    return None


def score(
    workspace: Workspace,
    as_of: date | None = None,
    *,
    model: str | None = None,
    lang: Lang | None = None,
    outputs: Callable[[Path, Scored], dict[str, Any]] | None = None,
    outputs_inputs: Callable[[date], dict[str, Any]] = lambda as_of: {},
    stage: Callable[[str], None] = lambda name: None,
    engine: Engine = ON_DUCKDB,
) -> Run:
    """Score the cohort as of a date and write its run folder.

    Parameters
    ----------
    as_of
        Default: the newest reported school day.
    model
        NAME or NAME/VERSION; "none" = the experts' scorecard; None = the promoted model, else the
        experts.
    outputs
        Called with the run's folder (not yet in its place) and what it needs to make the
        watchlists; returns what run.json shall say of them.
    outputs_inputs
        What the outputs of an as-of date depend on beside the data, the rules and the model.
    stage
        Told what is going on.
    engine
        What works out features and scores; the result is the same on each.
    """
    if as_of is not None:
        refuse_ahead(workspace, as_of)
    with workspace.lock("score"), explained(workspace):
        clock = _Clock()
        con = connect(workspace)
        try:
            return _score(
                *(workspace, con, as_of, model, lang, outputs, outputs_inputs, stage, clock),
                engine=engine,
            )
        finally:
            con.close()


def _score(
    workspace: Workspace,
    con: duckdb.DuckDBPyConnection,
    as_of: date | None,
    model: str | None,
    lang: Lang | None,
    outputs: Callable[[Path, Scored], dict[str, Any]] | None,
    outputs_inputs: Callable[[date], dict[str, Any]],
    stage: Callable[[str], None],
    clock: _Clock,
    *,
    engine: Engine,
) -> Run:
    as_of = as_of or newest_school_day(con, date.today())
    language: Lang = lang or workspace.config.lang
    rulebook = load_rulebook(workspace.rules)
    chosen = registry.choose(workspace, model)
    previous = last_week(workspace, as_of)
    more = outputs_inputs(as_of) | engine.inputs(workspace)

    def look_up(card: Scorecard) -> tuple[dict[str, Any], Run | None]:
        inputs = _inputs(workspace, rulebook, card, as_of, language, previous) | more
        return inputs, _same_run(workspace, as_of, inputs, with_outputs=outputs is not None)

    if chosen is not None:  # before anything is computed
        inputs, same = look_up(chosen)
        if same is not None:
            return same
    check_room(workspace)
    stage("features")
    prepared = engine.prepare(con, workspace, rulebook, as_of)
    clock.lap("features_and_rules")
    if chosen is None:
        chosen = registry.experts(workspace, rulebook, prepared.verdicts)
        inputs, same = look_up(chosen)
        if same is not None:
            return same
    stage("score")
    slices = engine.slices(workspace, prepared, chosen, as_of)
    first = next(slices)  # everything is worked out with it, but for the others' contributions
    clock.lap("score")
    done = run_folders(workspace, as_of)
    number = done[-1].number + 1 if done else 1
    target = workspace.runs / as_of.isoformat() / str(number)
    for left in target.parent.glob(".part-*"):  # of a run that was killed; the lock is held
        shutil.rmtree(left, ignore_errors=True)
    with whole_folder(target) as folder:
        table = _write_scores(folder / SCORES_FILE, chain([first], slices))
        clock.lap("write_scores")
        model_folder = workspace.models / chosen.name / str(chosen.version)
        warnings = warnings_for(model_folder, chosen, prepared.features, table["score"].to_numpy())
        weights = weights_for(chosen, rulebook, as_of)
        write_whole(folder / RULES_FILE, _rules_text(rulebook, weights, as_of))
        shown: dict[str, Any] = {}
        if outputs is not None:
            stage("watchlists")
            con.read_parquet(str(folder / SCORES_FILE)).create_view("scores")
            shown = outputs(
                folder,
                Scored(
                    *(workspace, con, rulebook, chosen, as_of, number, previous, language),
                    spread=engine.spread,
                ),
            )
            con.execute("DROP VIEW scores")
            clock.lap("watchlists")
        info = {
            "format": 1,
            "program": __version__,
            "as_of": as_of.isoformat(),
            "number": number,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "generated": workspace.config.generated,
            "inputs_hash": _hash(inputs),
            "inputs": inputs,
            "model": chosen.label,
            "base_rate": chosen.base_rate,
            "calm": calm_terms(chosen),
            "rules_with_author_points": list(weights.from_author),
            "counts": _counts(table),
            "scores_sha256": sha256(folder / SCORES_FILE),
            "warnings": warnings,
            "compared_with": _where(workspace, previous),
            "outputs": shown,
            "seconds": clock.laps,
        }
        write_whole(folder / RUN_FILE, json.dumps(info, ensure_ascii=False, indent=1))
    return Run(RunFolder(as_of, number, target), info, is_new=True)


def _write_scores(path: Path, slices: Iterable[pa.Table]) -> pa.Table:
    """Write scores.parquet slice by slice; return its columns of one value a student."""
    kept: list[pa.Table] = []
    writer: pq.ParquetWriter | None = None
    try:
        for part in slices:
            writer = writer or pq.ParquetWriter(
                path, part.schema, compression="zstd", write_statistics=True
            )
            writer.write_table(part)
            kept.append(part.select(["school_id", "score", "tier", "listed"]))
    finally:
        if writer is not None:
            writer.close()
    return pa.concat_tables(kept)


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now


def _where(workspace: Workspace, run: RunFolder | None) -> str | None:
    return run.path.relative_to(workspace.root).as_posix() if run else None


def _inputs(
    workspace: Workspace,
    rulebook: RuleBook,
    scorecard: Scorecard,
    as_of: date,
    lang: Lang,
    previous: RunFolder | None,
) -> dict[str, Any]:
    """Return all that a run depends on; two runs with equal inputs are the same run."""
    config = workspace.config.model_dump(mode="json", exclude=_NO_INPUT)
    return {
        "as_of": as_of.isoformat(),
        "program": __version__,
        "catalogue": CATALOGUE_VERSION,
        "data": data_fingerprint(workspace),
        "rules": rulebook.hash,
        "rule_files": {p.name: sha256(p) for p in sorted(workspace.rules.glob("*.yaml"))},
        "model": scorecard.label,
        "model_hash": _hash(scorecard.model_dump(mode="json")),
        "config": config,
        "lang": lang,
        "compared_with": _where(workspace, previous),
    }


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _same_run(
    workspace: Workspace, as_of: date, inputs: dict[str, Any], *, with_outputs: bool
) -> Run | None:
    """Return the newest run of these inputs; one without watchlists will not do where they are
    asked for, nor one whose run.json is damaged.
    """
    wanted = _hash(inputs)
    for folder in reversed(run_folders(workspace, as_of)):
        try:
            info = folder.info()
        except EarlywarnError:
            continue
        if info.get("inputs_hash") == wanted and (info.get("outputs") or not with_outputs):
            return Run(folder, info, is_new=False)
    return None


def _rules_text(rulebook: RuleBook, weights: Weights, as_of: date) -> str:
    """Return rules.json: the rules in force on the day, each with its weight in force."""
    in_force = dict(zip(weights.ids, weights.values.tolist(), strict=True))
    rules = [record(rule, in_force[rule.id]) for rule in rulebook.in_force(as_of)]
    return json.dumps({"format": 1, "rules": rules}, ensure_ascii=False, indent=1)


def _counts(table: pa.Table) -> dict[str, Any]:
    counted = table["tier"].value_counts().to_pylist()
    tiers = {pair["values"]: pair["counts"] for pair in counted}
    return {
        "students": table.num_rows,
        "schools": pc.count_distinct(table["school_id"]).as_py(),
        "listed": pc.sum(table["listed"]).as_py(),
        "tiers": {tier.value: tiers.get(tier.value, 0) for tier in Tier},
    }
