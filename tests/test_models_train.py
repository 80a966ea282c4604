"""Training end to end, on a small county that is made here."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from earlywarn.cli.models import register
from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build
from earlywarn.models.scorecard import apply
from earlywarn.models.store import registry
from earlywarn.models.train import train
from earlywarn.rules.evaluate import verdicts
from earlywarn.rules.pack import load_rulebook
from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Config, Workspace

FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=d) for d in range(110) if (FIRST + timedelta(days=d)).weekday() < 5]
AS_OF = [FIRST + timedelta(days=d) for d in (25, 32, 39, 60, 67)]
STUDENTS = 240


def rows(table, **columns):
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


def county(root, *, dropouts=36, as_of=AS_OF, **config):
    """Two schools; who drops out is more and more absent in the three weeks before."""
    options = {"horizon_days": 14, "as_of_dates": as_of, "base_rate": 0.2}
    workspace = Workspace.init(root, Config(**(options | config)))
    rng = np.random.default_rng(0)
    ids = [f"{i:018d}" for i in range(STUDENTS)]
    school = [f"X{i % 2}" for i in range(STUDENTS)]
    gone = {i: FIRST + timedelta(days=int(rng.integers(26, 100))) for i in range(dropouts)}
    seen = {"student_id": [], "date": [], "status": []}
    for i, name in enumerate(ids):
        for day in DAYS:
            if i in gone and day >= gone[i]:
                break
            left = (gone[i] - day).days if i in gone else 99
            chance = 0.05 if left > 21 else 0.6
            seen["student_id"].append(name)
            seen["date"].append(day)
            seen["status"].append("unexcused" if rng.random() < chance else "present")
    tables = {
        "students": rows(
            "students",
            student_id=ids,
            snapshot_date=[FIRST] * STUDENTS,
            school_id=school,
            grade=[7 + i % 3 for i in range(STUDENTS)],
        ),
        "schools": rows(
            "schools", school_id=["X0", "X1"], name=["一中", "二中"], county=["县", "县"]
        ),
        "attendance": rows("attendance", **seen),
        "outcomes": rows(
            "outcomes",
            student_id=[ids[i] for i in gone] + [ids[-1]],
            date=[*gone.values(), DAYS[-1]],
            event=["dropped_out"] * len(gone) + ["suspected"],
        ),
    }
    with workspace.lock("test"):
        add_batch(workspace, tables, origin="test", content="test")
    return workspace


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    workspace = county(tmp_path_factory.mktemp("a") / "某县 1")
    return workspace, train(workspace, promote=True)


def test_the_model_is_tested_on_what_came_after(trained):
    workspace, result = trained
    metrics = result.metrics
    assert metrics["validation"] == "temporal"
    assert metrics["train"]["last_window_end"] < metrics["test"]["first_as_of"]
    assert metrics["test"]["first_as_of"] == AS_OF[-1].isoformat()
    assert metrics["models"]["combined"]["auc"][0] > 0.7
    assert set(metrics["models"]) >= {"rules_only", "classifier_only", "best_rule", "prevalence"}
    assert result.scorecard.g_is_used
    assert result.scorecard == registry.promoted(workspace)
    assert {p.name for p in result.folder.iterdir()} == {
        "model.json",
        "manifest.json",
        "metrics.json",
        "card.html",
        "reference.json",
    }
    assert json.loads((result.folder / "metrics.json").read_text("utf-8")) == metrics


def test_scores_can_be_recomputed_from_model_json(trained):
    workspace, result = trained
    model = json.loads((result.folder / "model.json").read_text("utf-8"))
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    build(con, workspace.config, rulebook.groups, AS_OF[-1])
    judged = verdicts(con, rulebook, None)
    features = con.sql("SELECT * FROM features ORDER BY student_id").to_arrow_table()
    applied = apply(result.scorecard, features, judged, rulebook)
    hits = judged.to_pylist()
    for row, student in enumerate(features.to_pylist()):
        total = model["b0"]
        for table in model["features"]:
            x = student[table["name"]]
            total += model["b1"] * (
                table["missing"]
                if x is None
                else table["values"][sum(t < x for t in table["thresholds"])]
            )
        best = {}
        for r in model["rules"]:
            if hits[row][r["id"]]:
                ladder = r["ladder"] or r["id"]
                best[ladder] = max(best.get(ladder, 0), r["weight"])
        assert abs(total + sum(best.values()) - applied.log_odds[row]) < 1e-9


def test_two_trainings_are_equal(trained):
    workspace, result = trained
    again = train(workspace)
    assert again.scorecard.version == result.scorecard.version + 1
    assert again.scorecard.model_copy(update={"version": 1}) == result.scorecard
    first = {"model": "main/1", "looked_at": {"times": 1, "models": ["main/1"]}}
    assert result.metrics["looked_at"] == first["looked_at"]
    assert again.metrics["looked_at"] == {"times": 2, "models": ["main/1", "main/2"]}
    assert again.metrics | first == result.metrics
    assert registry.promoted(workspace) == result.scorecard  # training promotes nothing unasked


def test_the_card_is_one_file_in_both_languages(trained):
    _, result = trained
    text = (result.folder / "card.html").read_text("utf-8")
    assert "只用规则" in text
    assert "the rules alone" in text
    assert "What it is not for" in text
    assert "http" not in text
    assert "<script" not in text


def test_the_commands(trained):
    workspace, _ = trained
    app = typer.Typer()
    register(app)

    def run(*arguments):
        done = CliRunner().invoke(app, [*arguments, "-w", str(workspace.root)])
        return done.exit_code, done.output

    code, text = run("models", "list", "--lang", "en")
    assert code == 0
    assert "* main/1" in text
    code, text = run("models", "show", "--lang", "en", "--weights")
    assert code == 0
    for expected in ("ROC-AUC", "rules only", "best single rule", AS_OF[-1].isoformat(), "moved"):
        assert expected in text
    code, text = run("models", "show", "main/1", "--json", "--weights")
    shown = json.loads(text)
    assert shown["model"] == "main/1"
    assert {"rule", "points", "weight", "moved", "why"} <= set(shown["weights"][0])
    code, text = run("models", "show", "--lang", "zh")
    assert "只用规则" in text
    code, text = run("models", "promote", "other/3", "--lang", "en")
    assert code == 1
    assert "no model other/3" in text
    code, text = run("models", "promote", "model.pkl", "--lang", "en")
    assert (code, "refused unopened" in text) == (1, True)
    code, text = run("models", "promote", "main/1", "--lang", "en")
    assert (code, "in use" in text) == (0, True)
    code, text = run("train", "--name", "experts", "--lang", "en")
    assert code == 2


def test_a_single_date_is_validated_by_school(tmp_path):
    result = train(county(tmp_path / "w", as_of=[AS_OF[3]], dropouts=60, horizon_days=30))
    assert result.metrics["validation"] == "by_school"
    assert result.metrics["row_weight"] == 1
    text = (result.folder / "card.html").read_text("utf-8")
    assert text.index("Validated by school") < text.index("<h1>", text.index('lang="en"'))


def test_few_events_leave_the_classifier_out(tmp_path):
    result = train(county(tmp_path / "w", as_of=[AS_OF[0], AS_OF[4]], dropouts=8, horizon_days=40))
    assert not result.scorecard.g_is_used
    assert (result.scorecard.b1, result.scorecard.features) == (0, [])
    assert "classifier is left out" in result.metrics["notes"][0]["en"]
    assert "classifier_only" not in result.metrics["models"]


def test_a_condition_chooses_the_test(tmp_path):
    workspace = county(tmp_path / "w", test_where="school_id = 'X1' and grade >= 7")
    metrics = train(workspace).metrics
    assert metrics["test"]["schools"] == metrics["train"]["schools"] == 1
    assert metrics["train"]["last_window_end"] < metrics["test"]["first_as_of"]


@pytest.mark.parametrize(
    ("options", "until", "words"),
    [
        ({"dropouts": 0}, None, "nothing to learn from"),
        ({}, FIRST, "no outcomes"),
        ({"horizon_days": 300}, None, "no as-of date"),
        ({"as_of": [date(2020, 1, 1), date(2020, 6, 1)]}, None, "no training rows"),
    ],
)
def test_nothing_to_learn_from_is_refused_plainly(tmp_path, options, until, words):
    workspace = county(tmp_path / "w", **options)
    with pytest.raises(EarlywarnError) as error:
        train(workspace, until=until)
    assert words in error.value.text.en
    assert not (workspace.models / "main").exists()
