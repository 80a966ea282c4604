"""The open data set OULAD: its tables, cohorts and dropouts as published numbers have them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build
from earlywarn.features.groups import load_groups
from earlywarn.tables.batches import read_batches
from earlywarn.tables.oulad import import_oulad
from earlywarn.workspace import Workspace


@pytest.fixture(scope="module")
def oulad(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    from conftest import SHARED

    source = SHARED / "data" / "oulad"
    if not source.is_dir():
        pytest.skip(f"no OULAD in {source} (set EARLYWARN_SHARED to the folder with data/)")
    workspace = Workspace.init(tmp_path_factory.mktemp("oulad") / "ws")
    import_oulad(workspace, source)
    return Workspace.open(workspace.root)


@pytest.mark.parametrize(
    ("day", "cohort", "dropouts"),
    [(28, 6509, 316), (56, 6210, 202), (84, 6022, 187), (140, 5672, 167)],
)
def test_cohort_and_dropouts_of_2014b(oulad: Workspace, day: int, cohort: int, dropouts: int):
    as_of = date(2014, 2, 1) + timedelta(days=day)
    con = connect(oulad)
    build(con, oulad.config, load_groups(oulad.rules), as_of)
    ((students, dropped),) = con.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE EXISTS (
            SELECT 1 FROM outcomes AS o
            WHERE o.student_id = c.student_id AND o.date > $as_of AND o.date <= $until
        ))
        FROM cohort AS c WHERE class_id = '2014B'
        """,
        {"as_of": as_of, "until": as_of + timedelta(days=30)},
    ).fetchall()
    assert (students, dropped) == (cohort, dropouts)


def test_config_of_the_data_set(oulad: Workspace):
    config = oulad.config
    assert config.stages == {"adult": (13, 13)}
    assert (config.attendance, config.horizon_days) == ("full", 30)
    assert config.test_where == "class_id = '2014B'"
    assert config.as_of_dates[0] == date(2013, 3, 1)
    assert date(2014, 3, 29) in config.as_of_dates


def test_importing_twice_changes_nothing(oulad: Workspace, shared: Path):
    before = read_batches(oulad)
    again = import_oulad(oulad, shared / "data" / "oulad")
    assert not again.is_new
    assert read_batches(oulad) == before


def test_missing_file_is_named(workspace: Workspace, tmp_path: Path):
    with pytest.raises(EarlywarnError, match=r"courses\.csv"):
        import_oulad(workspace, tmp_path)
