"""What scripts and notebooks call gives the tables that the commands write."""

from __future__ import annotations

import doctest
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import earlywarn
from earlywarn.api import Project, project, share_on_list
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.features.catalogue import CATALOGUE
from earlywarn.features.write import write_features
from earlywarn.rules.pack import load_rulebook
from test_models_train import AS_OF, STUDENTS, county

DAY = date(2026, 4, 10)
HORIZON = timedelta(days=14)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A county without a model; nobody writes to it."""
    return earlywarn.open(county(tmp_path_factory.mktemp("api") / "某县 1").root)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A county with the model main/1, not promoted."""
    found = earlywarn.open(county(tmp_path_factory.mktemp("api") / "某县 2").root)
    assert found.train().label == "main/1"
    return found


def files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("module", [earlywarn, project], ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings(fresh: Project, module):
    names = {"county": str(fresh.root)}
    found = doctest.testmod(module, extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0
    assert found.failed == 0


def test_the_import_alone_loads_nothing_heavy():
    code = "import sys, earlywarn; sys.exit('pandas' in sys.modules or 'duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_no_workspace_is_refused(tmp_path: Path):
    with pytest.raises(EarlywarnError):
        earlywarn.open(tmp_path)


def test_features_are_those_of_the_command(fresh: Project, tmp_path: Path):
    write_features(fresh.workspace, DAY, tmp_path / "features.parquet")
    assert fresh.features(DAY, to="arrow").equals(pq.read_table(tmp_path / "features.parquet"))


def test_features_keep_their_types_in_pandas(fresh: Project):
    frame = fresh.features(DAY.isoformat())
    types = {"number": "float64", "integer": "Int64", "boolean": "boolean", "text": "str"}
    assert {f.name: str(frame[f.name].dtype) for f in CATALOGUE} == {
        f.name: types[f.type] for f in CATALOGUE
    }
    assert frame["distance_km"].isna().all()  # nothing of it is in the county
    assert frame["student_id"].str.len().eq(18).all()  # leading zeros


def test_labels_of_the_panel_are_the_outcomes_in_the_horizon(fresh: Project):
    panel = fresh.panel()
    gone = fresh.query("SELECT student_id, date FROM outcomes WHERE event = 'dropped_out'")
    when = gone.set_index("student_id")["date"]
    day = panel["student_id"].map(when)
    expected = (day > panel["as_of"]) & (day <= panel["as_of"] + pd.Timedelta(HORIZON))
    assert panel["label"].tolist() == expected.tolist()
    assert panel["label"].sum() > 10
    assert not panel.duplicated(["student_id", "as_of"]).any()


def test_the_panel_is_parted_in_time(fresh: Project):
    panel = fresh.panel()
    last_train = panel.loc[~panel["test"], "as_of"].max()
    assert last_train + pd.Timedelta(HORIZON) < panel.loc[panel["test"], "as_of"].min()
    assert panel[["as_of", "student_id"]].equals(
        panel[["as_of", "student_id"]].sort_values(["as_of", "student_id"])
    )


def test_features_and_hits_of_the_panel_are_those_of_the_day(fresh: Project):
    panel = fresh.panel(train=[DAY])
    features = fresh.features(DAY).set_index("student_id").loc[panel["student_id"]]
    shared = [c for c in panel.columns if c in features.columns]
    assert len(shared) > 30
    for name in shared:
        assert panel[name].astype(object).where(panel[name].notna(), None).tolist() == (
            features[name].astype(object).where(features[name].notna(), None).tolist()
        ), name
    scores = fresh.score(DAY, model="none", write=False).set_index("student_id")
    hits = scores.loc[panel["student_id"], "rules_hit"]
    rules = [c.removeprefix("rule:") for c in panel.columns if c.startswith("rule:")]
    book = load_rulebook(fresh.workspace.rules)
    in_force = {rule.id for rule in book.in_force(DAY)}
    assert in_force <= set(rules)
    for rule in in_force:
        assert panel[f"rule:{rule}"].tolist() == [rule in hit for hit in hits]


def test_the_panel_of_dates_that_are_asked_for(fresh: Project):
    panel = fresh.panel(train=AS_OF[:2], test=["2026-05-08"])
    found = panel.groupby("as_of")["test"].unique()
    assert {day.date(): list(test) for day, test in found.items()} == {
        AS_OF[0]: [False],
        AS_OF[1]: [False],
        date(2026, 5, 8): [True],
    }


def test_the_panel_as_arrow_is_the_same(fresh: Project):
    table = fresh.panel(to="arrow")
    frame = fresh.panel()
    assert table.column_names == list(frame.columns)
    assert table.schema.field("unexcused_run").type == pa.int64()
    assert table["absence_rate_20d"].null_count == frame["absence_rate_20d"].isna().sum()
    assert str(frame["label"].dtype) == str(frame["rule:unexcused-3d"].dtype) == "bool"


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        ({"train": [DAY], "test": [DAY]}, "2026-04-10 is in train and in test"),
        ({"train": []}, "Give a date at least"),
        ({"train": ["2026-12-01"]}, "not all known"),
        ({"train": ["10 April"]}, "train is a date such as"),
        ({"until": 3}, "until is a date such as"),
        ({"to": "polars"}, "pandas or arrow, not polars"),
    ],
)
def test_what_no_panel_can_be_made_of(fresh: Project, dates, said):
    with pytest.raises(UsageError, match=said) as caught:
        fresh.panel(**dates)
    assert caught.value.text.zh != caught.value.text.en


def test_scoring_without_writing_writes_nothing(fresh: Project):
    before = files(fresh.root)
    scores = fresh.score(DAY, write=False)
    assert files(fresh.root) == before
    assert scores["model"].unique().tolist() == ["experts/1"]
    assert scores["student_id"].is_monotonic_increasing


def test_scoring_writes_the_run_and_the_lists(tmp_path: Path):
    found = earlywarn.open(county(tmp_path / "ws").root)
    computed = found.score(DAY, write=False, to="arrow")
    written = found.score(DAY, to="arrow")
    stored = found.root / "runs" / "2026-04-10" / "1"
    assert (stored / "watchlists" / "index.html").is_file()
    assert written.equals(pq.read_table(stored / "scores.parquet"))
    assert computed.drop_columns("contributions").equals(written.drop_columns("contributions"))
    assert computed["contributions"].to_pylist() == written["contributions"].to_pylist()
    found.score(DAY)
    assert not stored.with_name("2").exists()


def test_the_figures_can_be_worked_out_again(trained: Project):
    model = trained.model("main/1")
    panel = trained.panel()
    test = panel[panel["test"]]
    listed = share_on_list(test, trained.predict(test, "main/1"))
    weight = test["weight"] * test["label"]
    measures = model.measures().set_index(["model", "measure"])["value"]
    expected = measures["combined", "recall_at_capacity"]
    assert (listed * weight).sum() / weight.sum() == pytest.approx(expected, abs=1e-6)
    assert (
        listed.groupby([test["school_id"], test["as_of"]])
        .sum()
        .round(6)
        .equals(test.groupby(["school_id", "as_of"])["capacity"].first().astype(float))
    )


def test_children_of_one_score_share_the_last_places():
    panel = pd.DataFrame(
        {"school_id": ["A"] * 4 + ["B"], "as_of": [DAY] * 5, "weight": 1.0, "capacity": 2},
        index=[7, 8, 9, 10, 11],
    )
    score = pd.Series([0.1, 0.5, 0.5, 0.9, 0.0], index=panel.index)
    assert share_on_list(panel, score).tolist() == [0, 0.5, 0.5, 1, 1]


def test_scores_of_rows_keep_their_order(trained: Project):
    panel = trained.panel()
    some = panel[panel["test"]].sample(40, random_state=1)
    got = trained.predict(some, "main/1")
    assert got.index.equals(some.index)
    for day in some["as_of"].unique():
        scores = trained.score(day, model="main/1", write=False).set_index("student_id")["score"]
        part = some[some["as_of"] == day]
        assert np.array_equal(got[part.index], scores[part["student_id"]])
    assert trained.predict(some.iloc[:0], "main/1").empty


def test_tables_of_a_model(trained: Project):
    model = trained.model("main/1")
    assert model.card.is_file()
    audit = model.audit()
    parts = audit[["by", "name"]].drop_duplicates()
    assert len(parts) == len(model.metrics["audit"])
    assert len(parts) > 0
    assert set(audit["measure"]) >= {"recall", "auc"}
    assert audit.loc[~audit["enough"], "value"].isna().all()
    weights = model.weights()
    assert set(weights["rule"]) == {rule.id for rule in model.scorecard.rules}
    assert (weights["moved"] - (weights["weight"] - weights["points"])).abs().max() < 1e-12


def test_promoting_and_going_back(trained: Project):
    with pytest.raises(EarlywarnError, match="No model is promoted"):
        trained.model()
    assert trained.promote("main") == "main/1"
    assert trained.models[["model", "promoted"]].values.tolist() == [["main/1", True]]
    assert trained.model().label == "main/1"
    assert trained.compare("main/1", "main/1")["same_test"] is True
    assert trained.rollback() == "none"
    assert not trained.models["promoted"].any()


def test_queries_see_the_accepted_tables(fresh: Project):
    found = fresh.query(
        "SELECT count(DISTINCT student_id) AS n FROM attendance WHERE date <= $day", {"day": DAY}
    )
    assert found["n"].tolist() == [STUDENTS]
