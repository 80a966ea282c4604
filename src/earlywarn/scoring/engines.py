"""Which engine works out features and scores: DuckDB in this process, or Spark (scoring.spark)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from earlywarn.models.scorecard import Scorecard
from earlywarn.rules.pack import RuleBook
from earlywarn.scoring.frame import Prepared, prepare, score_slices
from earlywarn.workspace import Workspace

# Does pieces of work, each with its arguments, somewhere; returns when all are done.
Spread = Callable[[Callable[..., None], Sequence[tuple[Any, ...]]], None]


class Judged(Protocol):
    """A cohort with features and verdicts, in the order of student_id."""

    @property
    def features(self) -> pa.Table:
        """student_id, school_id, then the catalogue's; of a large cohort a part may do."""

    @property
    def verdicts(self) -> pa.Table:
        """student_id, then a column for each rule in force."""


class Engine(Protocol):
    """What a run needs of an engine. `con` is DuckDB's connection with the workspace's tables."""

    @property
    def spread(self) -> Spread | None:
        """How the schools' files are written; None: in this process and its own."""

    def inputs(self, workspace: Workspace) -> dict[str, Any]:
        """Return what a run depends on beside the workspace."""

    def prepare(
        self, con: duckdb.DuckDBPyConnection, workspace: Workspace, rulebook: RuleBook, as_of: date
    ) -> Judged:
        """Build the features, judge the rules, and leave the features' tables in `con`.

        Raises
        ------
        EarlywarnError
            If nobody is in the cohort on that day.
        """

    def slices(
        self, workspace: Workspace, judged: Any, scorecard: Scorecard, as_of: date
    ) -> Iterator[pa.Table]:
        """Yield the table of scores.parquet in slices. `judged` is what `prepare` returned."""


class OnDuckDB:
    """The embedded engine."""

    spread = None

    def inputs(self, workspace: Workspace) -> dict[str, Any]:
        """See `Engine`: nothing."""
        return {}

    def prepare(
        self, con: duckdb.DuckDBPyConnection, workspace: Workspace, rulebook: RuleBook, as_of: date
    ) -> Prepared:
        """See `Engine`."""
        return prepare(con, workspace, rulebook, as_of)

    def slices(
        self, workspace: Workspace, judged: Prepared, scorecard: Scorecard, as_of: date
    ) -> Iterator[pa.Table]:
        """See `Engine`."""
        return score_slices(workspace.config, judged, scorecard, as_of)


ON_DUCKDB = OnDuckDB()
