"""The pandas peer of the weekly job, in benchmarks/, says of every child what the job says."""

from __future__ import annotations

import sys
from datetime import date
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from scoring_city import CITY_DAY, City

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
against_pandas, pandas_peer = import_module("against_pandas"), import_module("pandas_peer")


@pytest.mark.parametrize("as_of", [CITY_DAY, date(2025, 9, 3)])
def test_the_pandas_peer_has_equal_results(city: City, as_of: date) -> None:
    theirs = pandas_peer.job(city.workspace, as_of)
    prepared, table = against_pandas.ours(city.workspace, as_of)
    assert len(theirs.scores) > 500
    assert against_pandas.assert_equal(prepared, table, theirs) <= against_pandas.WITHIN


def test_the_pandas_peer_has_equal_results_where_attendance_is_full(
    city: City, tmp_path: Path
) -> None:
    workspace = city.copy(tmp_path / "city").set_config(attendance="full")
    as_of = date(2025, 10, 17)  # the year before, only exceptions are there
    theirs = pandas_peer.job(workspace, as_of)
    prepared, table = against_pandas.ours(workspace, as_of)
    assert (theirs.facts["absence_rate_60d"] > theirs.facts["absence_rate_20d"]).any()
    assert against_pandas.assert_equal(prepared, table, theirs) <= against_pandas.WITHIN


def test_another_result_is_refused(city: City) -> None:
    theirs = pandas_peer.job(city.workspace, CITY_DAY)
    prepared, table = against_pandas.ours(city.workspace, CITY_DAY)
    for frame, column, value in (
        (theirs.facts, "absence_rate_20d", 0.123456),
        (theirs.verdicts, "absence-10", pd.NA),
        (theirs.contributions, "b0", 0.0),
        (theirs.scores, "rank", 0),
    ):
        kept = frame[column].copy()
        frame.loc[frame.index[7], column] = value
        with pytest.raises(AssertionError, match=r"differ|other|NULL"):
            against_pandas.assert_equal(prepared, table, theirs)
        frame[column] = kept
    assert against_pandas.assert_equal(prepared, table, theirs) <= against_pandas.WITHIN
