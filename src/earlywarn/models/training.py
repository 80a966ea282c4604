"""The panel that a model is trained and tested on, from a workspace's data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from earlywarn.engine.duckdb import connect
from earlywarn.engine.room import check_room
from earlywarn.errors import Text
from earlywarn.models.dates import (
    Period,
    as_of_dates,
    known_period,
    row_weight,
    split_dates,
)
from earlywarn.models.fitting.fit import Setup
from earlywarn.models.measures.followed import followed
from earlywarn.models.panel import Panel, build_panel
from earlywarn.models.validate import check_rows
from earlywarn.rules.pack import RuleBook
from earlywarn.tables.batches import one_row_a_day
from earlywarn.workspace import Workspace


@dataclass(frozen=True)
class TrainingPanel:
    """Rows to train and test on, what they mean, and how a scorecard is to be fitted to them.

    Attributes
    ----------
    by_school
        No date is left to test on: all rows train, and schools are held out.
    notes
        What could not be read of earlier runs.
    """

    panel: Panel
    setup: Setup
    period: Period
    by_school: bool
    notes: tuple[Text, ...]


def training_panel(
    workspace: Workspace,
    rulebook: RuleBook,
    until: date | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> TrainingPanel:
    """Build the panel over the config's as-of dates; nothing dated after `until` is read.

    Raises
    ------
    EarlywarnError
        If there are no outcomes, no as-of date whose window is complete, or no training rows.
    """
    config = workspace.config
    check_room(workspace)
    con = connect(workspace)
    try:
        period = known_period(con, config, until)
        dates = as_of_dates(con, config, period)
        one_row = one_row_a_day(workspace)
        lists = followed(workspace, period.until)

        def built(train: tuple[date, ...], test: tuple[date, ...], where: str) -> Panel:
            return build_panel(
                con,
                config,
                rulebook,
                period,
                train,
                test,
                test_where=where,
                one_row_a_day=one_row,
                followed=lists.listed,
                progress=progress,
            )

        by_school = False
        panel = built(dates, (), config.test_where) if config.test_where else None
        if panel is None or not len(panel.test):
            # No test condition, or no row of it is known yet (--until): test on the last dates.
            split = split_dates(dates, config.horizon_days)
            by_school = split.by_school
            panel = built(split.train, () if by_school else split.test, "")
    finally:
        con.close()
    check_rows(panel, by_school=by_school)
    setup = Setup.of(
        panel.features,
        rulebook,
        prior_sd=config.prior_sd,
        row_weight=row_weight(dates, config),
        horizon_days=config.horizon_days,
        seed=config.seed,
    )
    return TrainingPanel(panel, setup, period, by_school, lists.notes)
