"""A workspace as a researcher uses it.

The commands and these methods are the same code underneath: what `Project.train` and
`Project.score` write is what `earlywarn train` and `earlywarn score` write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from earlywarn.api.model import Model
from earlywarn.api.tables import To, given, panel_table
from earlywarn.engine.duckdb import connect
from earlywarn.errors import UsageError
from earlywarn.features.build import build, feature_table
from earlywarn.features.groups import load_groups
from earlywarn.features.newest import newest_school_day
from earlywarn.models.dates import known_period
from earlywarn.models.measures.followed import followed
from earlywarn.models.panel import Panel, build_panel
from earlywarn.models.store import registry
from earlywarn.models.store.promotion import NO_MODEL
from earlywarn.models.train import train
from earlywarn.models.training import training_panel
from earlywarn.models.watching.compare import Side, compare
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.frame import prepare, score_frame
from earlywarn.tables.batches import one_row_a_day
from earlywarn.watchlist.weekly import score_and_list
from earlywarn.words import can_be
from earlywarn.workspace import Workspace, system_user

Day = date | str


class Project:
    """A workspace, opened by `earlywarn.open`.

    Dates are `datetime.date` or ISO text. Tables come as pandas, or with `to="arrow"` as Arrow;
    missing is NaN or NA in pandas and null in Arrow. Identifiers are text.

    Examples
    --------
    >>> import earlywarn
    >>> project = earlywarn.open(county)
    >>> features = project.features("2026-03-20")
    >>> list(features.columns[:3])
    ['student_id', 'school_id', 'absence_rate_5d']
    >>> panel = project.panel()
    >>> panel.loc[panel["test"], "as_of"].min() > panel.loc[~panel["test"], "as_of"].max()
    True
    >>> scores = project.score("2026-03-20", model="none", write=False)
    >>> len(scores) == len(features)
    True
    >>> project.models
    Empty DataFrame
    Columns: [model, promoted, created, events, problem]
    Index: []
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def __repr__(self) -> str:
        return f"Project({str(self.workspace.root)!r})"

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        return self.workspace.root

    def features(self, as_of: Day, *, to: To = "pandas") -> pd.DataFrame | pa.Table:
        """Return every feature as of a date.

        One row for each student of the cohort, by student_id; columns student_id, school_id, then
        the catalogue's, in its order. Nothing dated after `as_of` is read.

        Raises
        ------
        EarlywarnError
            If attendance lists exceptions only and a school has no calendar.
        """
        day = _day(as_of, "as_of")
        con = connect(self.workspace)
        try:
            build(
                con,
                self.workspace.config,
                load_groups(self.workspace.rules),
                day,
                one_row_a_day=one_row_a_day(self.workspace),
            )
            table = feature_table(con)
        finally:
            con.close()
        return given(table, to)

    def panel(
        self,
        train: Sequence[Day] | None = None,
        test: Sequence[Day] | None = None,
        *,
        until: Day | None = None,
        to: To = "pandas",
    ) -> pd.DataFrame | pa.Table:
        """Return the rows that a model is trained and tested on.

        Without dates it is the panel of `train`: the config's as-of dates, parted in time (or by
        the config's `test_where`), with a gap of one horizon. With `train` or `test` it is what
        these dates hold, and it is for the caller to keep them a horizon apart.

        Parameters
        ----------
        train, test
            As-of dates of the training and of the test rows.
        until
            Nothing dated after it is read.

        Returns
        -------
        One row per student and as-of date, by as_of, then student_id; columns student_id,
        school_id, as_of; label (whether the event happens in the horizon); weight (how many rows
        this one stands for, where students without the event were thinned); test; capacity (of
        the school on that day), stage, school_kind, followed (on a list in the horizon);
        `group:NAME` for each monitored group; the features that a classifier may read, under
        their own names; `rule:ID`, whether the rule hit (FALSE also where it is unknown).
        A student who was lost from sight in the horizon has no label and no row.

        Raises
        ------
        EarlywarnError
            If there are no outcomes, or nothing to train on.
        UsageError
            If there is no date, one is none or stands in both lists, or its horizon ends after
            outcomes are known.
        """
        last = None if until is None else _day(until, "until")
        if train is None and test is None:
            drawn = training_panel(self.workspace, load_rulebook(self.workspace.rules), last)
            panel, by_school = drawn.panel, drawn.by_school
        else:
            panel, by_school = self._panel_of(train or (), test or (), last), False
        parts = [panel_table(panel, panel.train, test=by_school)]
        if not by_school:
            parts.append(panel_table(panel, panel.test, test=True))
        table = pa.concat_tables(parts).sort_by(
            [("as_of", "ascending"), ("student_id", "ascending")]
        )
        return given(table, to)

    def train(
        self, name: str = "main", until: Day | None = None, *, promote: bool = False
    ) -> Model:
        """Train on the past, test on what came after, and write it as the next version of `name`.

        Parameters
        ----------
        until
            Nothing dated after it is read.
        promote
            Make it the model that `score` uses.

        Raises
        ------
        EarlywarnError
            If there is nothing to learn from, or another process is writing to the workspace.
        """
        last = None if until is None else _day(until, "until")
        done = train(self.workspace, name, last, promote)
        return self.model(done.scorecard.label)

    def score(
        self,
        as_of: Day | None = None,
        *,
        model: str | None = None,
        write: bool = True,
        to: To = "pandas",
    ) -> pd.DataFrame | pa.Table:
        """Score the cohort as of a date.

        Parameters
        ----------
        as_of
            None: the newest reported school day.
        model
            NAME or NAME/VERSION; "none": the experts' scorecard; None: the promoted model, else
            the experts.
        write
            Write the run's folder with every school's watchlist, as the command does (the same
            inputs make no second one). False: only compute; nothing in the workspace changes.

        Returns
        -------
        One row per student, by student_id: student_id, school_id, as_of, score, log_odds, tier,
        rank, listed, rules_hit and rules_unknown (lists of ids), contributions (lists of {term,
        value} that add up to log_odds), model, rules_hash.

        Raises
        ------
        EarlywarnError
            If nobody is in the cohort, there is no such model, or the workspace is being written.
        """
        day = None if as_of is None else _day(as_of, "as_of")
        if write:
            run = score_and_list(self.workspace, day, who=system_user(), model=model)
            return given(run.folder.scores(), to)
        return given(self._scores(day, model), to)

    def predict(self, panel: pd.DataFrame, model: str | None = None) -> pd.Series:
        """Return a model's score for each row of a panel, aligned with its index.

        The features are computed again for each of its dates, with the rules in force on that day
        (training takes every rule, whatever the day). NaN for who is not in the cohort.

        Parameters
        ----------
        panel
            Has student_id and as_of, such as rows of `panel`.
        model
            As for `score`.
        """
        keys = panel[["student_id", "as_of"]]
        days = sorted(keys["as_of"].unique())
        scored = [self.score(day, model=model, write=False) for day in days]
        if not scored:
            return pd.Series([], index=panel.index, dtype=np.float64, name="score")
        found = keys.merge(
            pd.concat(scored)[["student_id", "as_of", "score"]],
            how="left",
            on=["student_id", "as_of"],
            validate="many_to_one",
        )
        return found["score"].set_axis(panel.index)

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> pd.DataFrame:
        """Run SQL (DuckDB's) over the accepted tables: students, attendance, exams, outcomes ...

        Nothing is written to the workspace. What is dated after an as-of date is for the query to
        leave out: pass the day as a parameter (`$as_of`) and compare every date with it.
        """
        con = connect(self.workspace)
        try:
            table = con.sql(sql, params=parameters or {}).to_arrow_table()
            found: pd.DataFrame = given(table, "pandas")
            return found
        finally:
            con.close()

    @property
    def models(self) -> pd.DataFrame:
        """The workspace's models by name and version; columns model, promoted, created, events
        (students with the event in training), problem (why it cannot be used; empty: it can).
        """
        return pd.DataFrame(
            [
                (m.label, m.promoted, m.created, m.events, m.problem.text.en if m.problem else "")
                for m in registry.list_models(self.workspace)
            ],
            columns=["model", "promoted", "created", "events", "problem"],
        )

    def model(self, label: str = "") -> Model:
        """Open NAME or NAME/VERSION; without one, the promoted model.

        Raises
        ------
        EarlywarnError
            If there is no such model, or it must not be used; the message says why.
        """
        found, scorecard = registry.open_model(self.workspace, label)
        return Model(found.label, scorecard, registry.read_metrics(found.folder), found.folder)

    def compare(self, one: str, other: str) -> dict[str, Any]:
        """Return what differs between two models (see `models.watching.compare`)."""
        sides = [Side.of(*registry.open_model(self.workspace, label)) for label in (one, other)]
        return compare(*sides)

    def promote(self, label: str) -> str:
        """Make NAME or NAME/VERSION the model that `score` uses; return its label."""
        with self.workspace.lock("models promote"):
            return registry.promote(self.workspace, label).label

    def rollback(self) -> str:
        """Go back to the model promoted before; return its label ("none": the experts)."""
        with self.workspace.lock("models rollback"):
            now = registry.rollback(self.workspace).now
        return now.label if now else NO_MODEL

    def _panel_of(self, train: Sequence[Day], test: Sequence[Day], until: date | None) -> Panel:
        days = {"train": [_day(d, "train") for d in train], "test": [_day(d, "test") for d in test]}
        config = self.workspace.config
        con = connect(self.workspace)
        try:
            period = known_period(con, config, until)
            _check_days(days["train"], days["test"], period.complete_until, config.horizon_days)
            return build_panel(
                con,
                config,
                load_rulebook(self.workspace.rules),
                period,
                days["train"],
                days["test"],
                one_row_a_day=one_row_a_day(self.workspace),
                followed=followed(self.workspace, period.until).listed,
            )
        finally:
            con.close()

    def _scores(self, as_of: date | None, model: str | None) -> pa.Table:
        rulebook = load_rulebook(self.workspace.rules)
        chosen = registry.choose(self.workspace, model)
        con = connect(self.workspace)
        try:
            day = as_of or newest_school_day(con, date.today())
            prepared = prepare(con, self.workspace, rulebook, day)
            if chosen is None:
                chosen = registry.experts(self.workspace, rulebook, prepared.verdicts, store=False)
            return score_frame(self.workspace, prepared, chosen, day)
        finally:
            con.close()


def open_project(workspace: Path | str) -> Project:
    """Open a workspace's folder.

    Raises
    ------
    EarlywarnError
        If it is no workspace, its config is wrong, or a newer program made it.
    """
    return Project(Workspace.open(Path(workspace)))


def _day(value: Day, name: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(value)
        if not can_be(day):
            raise ValueError
        return day
    except (TypeError, ValueError):
        raise UsageError(
            zh=f"{name} 应为日期，如 2026-06-26，不是 {value}。",
            en=f"{name} is a date such as 2026-06-26, not {value}.",
        ) from None


def _check_days(
    train: Sequence[date], test: Sequence[date], complete_until: date, horizon_days: int
) -> None:
    if not (train or test):
        raise UsageError(
            zh="train 和 test 都是空的。请至少给一个日期，或两者都不给。",
            en="train and test are both empty. Give a date at least, or neither of the two.",
        )
    both = sorted(set(train) & set(test))
    if both:
        raise UsageError(
            zh=f"{both[0]} 同时在 train 和 test 里。请只放在一处。",
            en=f"{both[0]} is in train and in test; leave it in one of them.",
        )
    for day in sorted({*train, *test}):
        if (complete_until - day).days < horizon_days:
            raise UsageError(
                zh=f"{day} 之后 {horizon_days} 天的结果还没有收齐（收齐到 {complete_until}）。"
                "请换更早的日期。",
                en=f"The outcomes of the {horizon_days} days after {day} are not all known: they "
                f"are complete until {complete_until}. Choose an earlier date.",
            )
