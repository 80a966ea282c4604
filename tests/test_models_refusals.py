"""`earlywarn train` on data that nothing, or little, can be learned from: plain words, no trace."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.models.train import train
from earlywarn.tables.batches import add_batch
from earlywarn.workspace import Config, Workspace
from test_models_train import AS_OF, DAYS, FIRST, county, rows

ONE_DATE = [AS_OF[3]]


def run(workspace, *arguments, lang="en"):
    """Run the program; what it says on both streams. A trace is an error of its own."""
    done = CliRunner().invoke(make_app(), [*arguments, "-w", str(workspace.root), "--lang", lang])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    return done.exit_code, done.output


def refused(workspace, zh, en):
    """Train in both languages: refused with these words, and nothing is written."""
    for lang, words in (("en", en), ("zh", zh)):
        code, text = run(workspace, "train", lang=lang)
        assert code == 1, text
        flat = "".join(text.split())
        assert "".join(words.split()) in flat, text
    assert not (workspace.models / "main").exists()
    assert run(workspace, "models", "list")[0] == 0


def load(workspace, table, content, **columns):
    with workspace.lock("test"):
        add_batch(workspace, {table: rows(table, **columns)}, origin=content, content=content)


def small(root, gone, *, students=40, as_of=AS_OF, events="dropped_out", **config):
    """A small county: everybody is there every day until gone (student -> day)."""
    options = {"horizon_days": 14, "as_of_dates": as_of, "base_rate": 0.2}
    workspace = Workspace.init(root, Config(**(options | config)))
    ids = [f"{i:018d}" for i in range(students)]
    seen = [(i, day) for i in range(students) for day in DAYS if day < gone.get(i, DAYS[-1])]
    tables = {
        "students": rows(
            "students",
            student_id=ids,
            snapshot_date=[FIRST] * students,
            school_id=[f"X{i % 2}" for i in range(students)],
            grade=[7] * students,
        ),
        "attendance": rows(
            "attendance",
            student_id=[ids[i] for i, _ in seen],
            date=[day for _, day in seen],
            status=["late" if (i + day.day) % 9 == 0 else "present" for i, day in seen],
        ),
    }
    if gone:
        tables["outcomes"] = rows(
            "outcomes",
            student_id=[ids[i] for i in gone],
            date=list(gone.values()),
            event=[events] * len(gone),
        )
    with workspace.lock("test"):
        add_batch(workspace, tables, origin="test", content="test")
    return workspace


# ------------------------------------------------------------------------------ refused


def test_no_data_at_all(workspace):
    refused(workspace, "没有任何结果", "no outcomes to learn from")


def test_no_outcomes(tmp_path):
    refused(small(tmp_path / "县 1", {}), "没有任何结果", "no outcomes to learn from")


def test_outcomes_but_none_that_is_to_be_foreseen(tmp_path):
    gone = dict.fromkeys(range(5), DAYS[-1])
    workspace = small(tmp_path / "县 1", gone, events="suspected")
    refused(
        workspace, "其中有结果的 0 行，无法训练", "0 have the outcome: there is nothing to learn"
    )


def test_everybody_drops_out(tmp_path):
    """Within one window, so that every row has the label."""
    gone = {i: AS_OF[3] + timedelta(days=1 + i % 10) for i in range(40)}
    workspace = small(tmp_path / "县 1", gone, as_of=ONE_DATE, outcomes_complete_until=DAYS[-1])
    refused(
        workspace, "训练样本 40 行，其中有结果的 40 行", "Of 40 training rows 40 have the outcome"
    )


def test_as_of_dates_without_a_cohort_to_train_on(tmp_path):
    early = [FIRST - timedelta(days=d) for d in (200, 100)]
    refused(county(tmp_path / "县 1", as_of=early), "没有训练样本", "no training rows")


def test_no_window_is_complete(tmp_path):
    refused(county(tmp_path / "县 1", horizon_days=300), "没有可用的截止日期", "no as-of date")


def test_a_test_condition_that_takes_every_row(tmp_path):
    workspace = county(tmp_path / "县 1", test_where="grade >= 1")
    refused(workspace, "没有训练样本", "no training rows")


# ------------------------------------------------------------------------------ trained


def trained(workspace):
    """Train in both languages, the second time as JSON; return the model and its metrics."""
    code, text = run(workspace, "train", lang="zh")
    assert code == 0, text
    code, text = run(workspace, "train", "--json", lang="en")
    assert code == 0, text
    folder = workspace.models / "main" / "2"
    model = json.loads((folder / "model.json").read_text("utf-8"))
    return model, json.loads((folder / "metrics.json").read_text("utf-8"))


def said(metrics, words):
    return any(words in note["en"] for note in metrics["notes"])


@pytest.mark.parametrize("count", [1, 2, 9])
def test_fewer_than_ten_with_the_outcome(tmp_path, count):
    gone = {i: AS_OF[1 + i % 2] + timedelta(days=5) for i in range(count)}
    workspace = small(
        tmp_path / "县 1", gone, as_of=[*AS_OF[:3], AS_OF[4]], outcomes_complete_until=DAYS[-1]
    )
    model, metrics = trained(workspace)
    assert (model["g_is_used"], model["b1"], model["features"]) == (False, 0, [])
    assert metrics["train"]["events"] == count
    assert said(metrics, f"Only {count} students have the outcome")
    assert f"只有 {count} 名学生有结果" in metrics["notes"][0]["zh"]
    card = (workspace.models / "main" / "2" / "card.html").read_text("utf-8")
    assert f"只有 {count} 名学生有结果" in card
    # Nobody in the test has it: what cannot be measured is empty, and nothing is called better.
    assert metrics["test"]["events"] == 0
    assert metrics["models"]["combined"]["auc"] == [None, None, None]
    assert metrics["verdict"]["better"] is False


def test_ten_with_the_outcome_are_enough_for_the_classifier(tmp_path):
    gone = {i: AS_OF[1 + i % 2] + timedelta(days=5) for i in range(10)}
    workspace = small(
        tmp_path / "县 1", gone, as_of=[*AS_OF[:3], AS_OF[4]], outcomes_complete_until=DAYS[-1]
    )
    model, metrics = trained(workspace)
    assert model["g_is_used"]
    assert not said(metrics, "classifier is left out")


def test_a_feature_without_any_data_is_named(tmp_path):
    result = train(county(tmp_path / "县 1"))
    (note,) = [n for n in result.metrics["notes"] if "without any data" in n["en"]]
    for name in ("exam_z", "distance_km"):
        assert name in note["en"]
        assert name in note["zh"]
    assert "absence_rate_20d" not in note["en"]
    tables = {table.name: table for table in result.scorecard.features}
    assert (tables["exam_z"].thresholds, tables["exam_z"].values) == ([], [0.0])
    assert tables["exam_z"].missing == 0


def test_a_test_date_on_which_nobody_is_enrolled(tmp_path):
    """The last as-of date is in the config, but everybody has left by then."""
    gone = {i: AS_OF[1 + i % 2] + timedelta(days=5) for i in range(12)}
    workspace = small(
        tmp_path / "县 1", gone, as_of=[*AS_OF[:3], AS_OF[4]], outcomes_complete_until=DAYS[-1]
    )
    load(
        workspace,
        "students",
        "left",
        student_id=[f"{i:018d}" for i in range(40)],
        snapshot_date=[AS_OF[3]] * 40,
        school_id=[f"X{i % 2}" for i in range(40)],
        grade=[7] * 40,
        left_on=[AS_OF[3]] * 40,
    )
    refused(workspace, "测试", "test")


def test_a_single_date_with_all_outcomes_in_one_school(tmp_path):
    """Schools cannot be held out then; students can, as where there is one school only."""
    gone = {2 * i: ONE_DATE[0] + timedelta(days=3) for i in range(12)}
    workspace = small(tmp_path / "县 1", gone, as_of=ONE_DATE, outcomes_complete_until=DAYS[-1])
    code, text = run(workspace, "train")
    assert code == 0, text


# ------------------------------------------------------------------------------ dates ahead


def test_outcomes_dated_far_ahead_make_no_later_window_complete(tmp_path):
    """A mistyped year (2062) must not make three decades count as known."""
    workspace = county(tmp_path / "县 1", outcomes_complete_until=DAYS[-1])
    load(
        workspace,
        "outcomes",
        "ahead",
        student_id=[f"{200:018d}"],
        date=[DAYS[-1].replace(year=2062)],
        event=["dropped_out"],
    )
    code, text = run(workspace, "train", "--json")
    assert code == 0, text
    metrics = json.loads((workspace.models / "main" / "1" / "metrics.json").read_text("utf-8"))
    assert metrics["outcomes_complete_until"] == DAYS[-1].isoformat()
    assert metrics["test"]["last_window_end"] <= DAYS[-1].isoformat()
    plain = train(county(tmp_path / "plain", outcomes_complete_until=DAYS[-1]))
    assert plain.metrics["test_hash"] == metrics["test_hash"]
    assert plain.metrics["models"] == metrics["models"]


def test_outcomes_dated_ahead_are_refused_where_nothing_says_when_they_are_complete(tmp_path):
    workspace = county(tmp_path / "县 1")
    load(
        workspace,
        "outcomes",
        "ahead",
        student_id=[f"{200:018d}"],
        date=[DAYS[-1].replace(year=2062)],
        event=["dropped_out"],
    )
    refused(workspace, "日期是 2062-", "is dated 2062-")
