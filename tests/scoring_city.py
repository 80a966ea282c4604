"""What the scoring tests score: a generated city with a model, and a village made by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from earlywarn.features.catalogue import CATALOGUE_VERSION
from earlywarn.models.experts import rule_weights
from earlywarn.models.scorecard import FeatureTable, Scorecard
from earlywarn.models.store import registry
from earlywarn.models.train import train
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.run import Run, score
from earlywarn.simulate.city import simulate
from earlywarn.simulate.plan import Plan
from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Config, Workspace

CITY_DAY = date(2026, 6, 12)
# So far apart, and so long a horizon, that three dates hold events enough for a classifier.
CITY_DATES = ["2024-10-18", "2025-03-14", "2025-12-19"]
CITY_HORIZON = 190


@dataclass(frozen=True)
class City:
    """A generated city of 800 with a promoted model; `trained` and `experts` are its runs.

    Nobody writes to it: `copy` it first.
    """

    workspace: Workspace
    trained: Run
    experts: Run

    @cached_property
    def model(self) -> Scorecard:
        """The promoted model."""
        found = registry.promoted(self.workspace)
        assert found is not None
        return found

    def copy(self, root: Path) -> Workspace:
        """Return a copy of the workspace without any run."""
        shutil.copytree(self.workspace.root, root, ignore=shutil.ignore_patterns("runs"))
        return Workspace.open(root)


def make_city(root: Path) -> City:
    """Generate the city (poor-rural, for its dropouts), train, promote, and score it twice."""
    workspace = simulate(root, Plan(students=800, years=2, profile="poor-rural", seed=5))
    workspace = workspace.set_config(as_of_dates=CITY_DATES, horizon_days=CITY_HORIZON)
    train(workspace, promote=True)
    trained = score(workspace, CITY_DAY)
    return City(workspace, trained, score(workspace, CITY_DAY, model="none"))


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder`, by its path, with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# A village: two schools, every child there every day from Monday 2 March to Friday 10 April 2026.
FIRST = date(2026, 3, 2)
VILLAGE_DAY = date(2026, 4, 10)
TRUANT, LATEST = "LA01", "LA02"  # without leave for the last three days; late for a month
SCHOOL_A = [f"LA{i:02d}" for i in range(1, 13)]
SCHOOL_B = [f"LB{i:02d}" for i in range(1, 7)]
SCHOOL_DAYS = [
    day for day in (FIRST + timedelta(days=d) for d in range(60)) if day.weekday() < 5
]  # of the calendar, to the end of April


def rows(table: str, **columns: list[Any]) -> pa.Table:
    """Return rows of a table of the contract; columns that are not given are NULL."""
    contract = TABLES[table]
    count = len(next(iter(columns.values())))
    return pa.table(
        {
            c.name: pa.array(
                columns.get(c.name, [None] * count), contract.schema.field(c.name).type
            )
            for c in contract.columns
        }
    )


def village_tables(upto: date = VILLAGE_DAY) -> dict[str, pa.Table]:
    """Return the village's tables, with attendance up to a day."""
    everybody = SCHOOL_A + SCHOOL_B
    days = [day for day in SCHOOL_DAYS if day <= upto]
    marks = [(child, day, _status(child, day)) for child in everybody for day in days]
    return {
        "students": rows(
            "students",
            student_id=everybody,
            name=["甲"] * len(everybody),
            snapshot_date=[FIRST] * len(everybody),
            school_id=["VA"] * len(SCHOOL_A) + ["VB"] * len(SCHOOL_B),
            class_id=["7.1"] * len(everybody),
            grade=[7] * len(everybody),
            enrolled_on=[date(2025, 9, 1)] * len(everybody),
        ),
        "schools": rows(
            "schools",
            school_id=["VA", "VB"],
            name=["甲中学", "乙中学"],
            county=["某县"] * 2,
            capacity=[None, 1],
        ),
        "calendar": rows("calendar", date=SCHOOL_DAYS, is_school_day=[True] * len(SCHOOL_DAYS)),
        "attendance": rows(
            "attendance",
            student_id=[child for child, _, _ in marks],
            date=[day for _, day, _ in marks],
            status=[status for _, _, status in marks],
        ),
    }


def _status(child: str, day: date) -> str:
    if child == TRUANT and day > VILLAGE_DAY - timedelta(days=3):
        return "unexcused"
    if child in (LATEST, "LB01", "LB02"):
        return "late"
    return "present"


def village(root: Path, order: Iterable[str] = (), **config: Any) -> Workspace:
    """Make the village a workspace, its tables loaded in `order` (one batch each).

    Of the rule packs it has the attendance pack only (besides the groups), which is read faster.
    """
    workspace = Workspace.init(root, Config(**config))
    for pack in workspace.rules.glob("*.yaml"):
        if pack.stem not in ("attendance", "groups", "actions"):
            pack.unlink()
    tables = village_tables()
    for table in order or tables:
        load(workspace, table, tables[table])
    return workspace


def load(workspace: Workspace, table: str, content: pa.Table) -> None:
    """Load rows as one batch."""
    with workspace.lock("test"):
        add_batch(workspace, {table: content}, origin=f"{table}.csv", content=table)


def put_model(workspace: Workspace, name: str = "main", version: int = 1, **changes: Any) -> str:
    """Write a model made by hand, for which everybody's score is tiny; return its label."""
    rulebook = load_rulebook(workspace.rules)
    everything = {
        "name": name,
        "version": version,
        "catalogue_version": CATALOGUE_VERSION,
        "rules_hash": rulebook.hash,
        "horizon_days": 90,
        "label_events": ["dropped_out"],
        "base_rate": 0.01,
        "b0": -20.0,
        "b1": 1.0,
        "g_is_used": True,
        "features": [
            FeatureTable(name="absence_rate_20d", thresholds=[0.1], values=[-0.2, 0.4], missing=0.0)
        ],
        "rules": rule_weights(rulebook, [0.0] * len(rulebook.in_force(None))),
    }
    scorecard = Scorecard(**(everything | changes))
    with workspace.lock("test"):
        registry.save(workspace, scorecard, data={}, others={})
    return scorecard.label
