"""Watching a model in use: what was foretold and what happened, drift, and a run's warnings."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import poisson
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.engine.duckdb import connect
from earlywarn.features.catalogue import FEATURES
from earlywarn.models.experts import rule_weights
from earlywarn.models.scorecard import FeatureTable, hit_matrix
from earlywarn.models.store import registry
from earlywarn.models.watching.monitor import (
    ENOUGH_EVENTS,
    Outcomes,
    calibration,
    observed_expected,
    verdict,
    verdict_words,
)
from earlywarn.models.watching.reference import make_reference
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.frame import prepare, score_frame
from earlywarn.scoring.run import score
from earlywarn.workspace import Config, Workspace
from models_rules import scorecard
from scoring_city import load, rows

# --- the figures -------------------------------------------------------------------------------


def outcomes(students, scores, listed, y, day=date(2026, 3, 2)):
    return Outcomes(
        as_of=day,
        number=1,
        student=pa.array(students),
        score=np.asarray(scores, dtype=np.float64),
        listed=np.asarray(listed, dtype=np.bool_),
        y=np.asarray(y, dtype=np.bool_),
        lost=0,
    )


def test_two_runs_by_hand():
    one = outcomes("ABCD", [0.5, 0.3, 0.1, 0.1], [1, 0, 0, 0], [1, 0, 0, 0])
    two = outcomes("ABCE", [0.4, 0.4, 0.1, 0.1], [0, 1, 0, 0], [1, 1, 0, 0], date(2026, 3, 9))
    found = calibration([one, two], seed=1)
    total = found["total"]["with_listed"]
    assert (total["rows"], total["students"], total["events"]) == (8, 5, 2)
    assert (total["observed"], total["expected"]) == (3, 2.0)
    assert total["observed_expected"][0] == 1.5
    # positives score 0.5, 0.4, 0.4, the rest 0.3, 0.1 x 4: every pair is in order
    assert total["auc"][0] == 1.0
    rest = found["total"]["without_listed"]
    assert (rest["rows"], rest["observed"], rest["expected"]) == (6, 1, 1.1)
    (first, second) = found["runs"]
    assert first["without_listed"]["observed"] == 0
    assert first["without_listed"]["auc"] == [None, None, None]
    assert second["with_listed"]["expected"] == 1.0
    assert second["as_of"] == "2026-03-09"
    assert json.dumps(found) == json.dumps(calibration([one, two], seed=1))


def test_auc_counts_ties_as_half():
    found = calibration([outcomes("ABC", [0.2, 0.2, 0.1], [0, 0, 0], [1, 0, 0])], seed=1)
    assert found["total"]["with_listed"]["auc"][0] == 0.75


@pytest.mark.parametrize("events", [1, 4, 25])
def test_the_interval_is_poissons_exact_one(events):
    ratio, low, high = observed_expected(events, 10.0, events, 1.0)
    assert ratio == events / 10
    assert poisson.sf(events - 1, low * 10) == pytest.approx(0.025)
    assert poisson.cdf(events, high * 10) == pytest.approx(0.025)


def test_nothing_seen_still_has_an_upper_bound():
    assert observed_expected(0, 10.0, 0, 1.0) == (0, 0, pytest.approx(0.3689, abs=1e-4))
    assert observed_expected(0, 10.0, 0, 4.0)[2] == pytest.approx(4 * 0.3689, abs=1e-3)
    assert np.isnan(observed_expected(0, 0.0, 0, 1.0)).all()


def test_repeating_children_makes_no_interval_narrower():
    once = observed_expected(5, 4.0, 5, 1.0)
    eight_weeks = observed_expected(40, 32.0, 5, 8.0)
    assert eight_weeks == pytest.approx(once)


@pytest.mark.parametrize(
    ("events", "ratio", "expected"),
    [
        (ENOUGH_EVENTS, (1.1, 0.6, 2.0), "as_foretold"),
        (ENOUGH_EVENTS - 1, (1.1, 0.4, 3.0), "too_few"),
        (0, (0.0, 0.0, 0.3), "fewer"),
        (30, (2.0, 1.4, 3.0), "more"),
        (0, (float("nan"),) * 3, "too_few"),
    ],
)
def test_the_verdict_goes_by_the_interval(events, ratio, expected):
    assert verdict(events, ratio) == expected


def test_fewer_among_visited_children_is_not_blamed_on_the_model():
    assert verdict_words("fewer", "with_listed").en.startswith("fewer than foretold: the visits")
    assert verdict_words("fewer", "without_listed").en.endswith("the model is too high")
    assert verdict_words("more", "with_listed") == verdict_words("more", "without_listed")


def test_truth_is_called_as_foretold():
    """Where the scores are right, the interval holds 1 about 19 times in 20."""
    rng = np.random.default_rng(5)
    p = rng.random(400) * 0.2
    held = 0
    for _ in range(400):
        events = int(np.count_nonzero(rng.random(400) < p))
        _, low, high = observed_expected(events, float(p.sum()), events, 1.0)
        held += low <= 1 <= high
    assert held >= 0.94 * 400


# --- a town ------------------------------------------------------------------------------------

CHILDREN = 240
FIRST = date(2026, 3, 2)
DAYS = [day for day in (FIRST + timedelta(days=d) for d in range(70)) if day.weekday() < 5]
THEN, NOW = date(2026, 4, 3), date(2026, 5, 8)
HORIZON = 14
IDS = [f"LT{i:04d}" for i in range(CHILDREN)]
# Of the first twenty, who is absent most, five drop out after THEN; one moves away.
GONE = {IDS[i]: THEN + timedelta(days=3 + i) for i in range(5)}
MOVED = IDS[7]


def status(place, day, absent_from):
    if day >= absent_from:
        return "unexcused" if (place + day.toordinal()) % 2 else "present"
    return "unexcused" if (place * 7 + day.toordinal()) % max(2, place // 6) == 0 else "present"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return town(tmp_path_factory.mktemp("town") / "某镇 1")


def town(root, absent_from=date.max):
    workspace = Workspace.init(root, Config(outcomes_complete_until=NOW))
    for pack in workspace.rules.glob("*.yaml"):
        if pack.stem not in ("attendance", "groups", "actions"):
            pack.unlink()
    marks = [(name, day, status(i, day, absent_from)) for i, name in enumerate(IDS) for day in DAYS]
    tables = {
        "students": rows(
            "students",
            student_id=IDS,
            snapshot_date=[FIRST] * CHILDREN,
            school_id=[f"T{i % 4}" for i in range(CHILDREN)],
            grade=[7 + i % 3 for i in range(CHILDREN)],
        ),
        "attendance": rows(
            "attendance",
            student_id=[m[0] for m in marks],
            date=[m[1] for m in marks],
            status=[m[2] for m in marks],
        ),
        "outcomes": rows(
            "outcomes",
            student_id=[*GONE, MOVED],
            date=[*GONE.values(), THEN + timedelta(days=4)],
            event=["dropped_out"] * len(GONE) + ["transferred"],
        ),
    }
    for table, content in tables.items():
        load(workspace, table, content)
    return workspace


def add_model(workspace, version=1, *, reference=True, **changes):
    """Write a model by hand; its reference is the town as it was on THEN."""
    rulebook = load_rulebook(workspace.rules)
    model = scorecard(
        [
            FeatureTable(
                name="absence_rate_20d", thresholds=[0.1, 0.3], values=[-0.3, 0.4, 1.5], missing=0
            )
        ],
        rule_weights(rulebook, [0.5] * len(rulebook.in_force(None))),
        version=version,
        rules_hash=rulebook.hash,
        horizon_days=HORIZON,
        **{"b1": 1.0, **changes},
    )
    others = {}
    if reference:
        con = connect(workspace)
        prepared = prepare(con, workspace, rulebook, THEN)
        inputs = [FEATURES["absence_rate_20d"], FEATURES["grade"]]
        ids = sorted(rule.id for rule in rulebook.in_force(None))
        made = SimpleNamespace(
            x=np.column_stack(
                [prepared.features[f.name].to_numpy().astype(np.float64) for f in inputs]
            ),
            hits=hit_matrix(prepared.verdicts, ids),
            y=np.zeros(CHILDREN, dtype=np.bool_),
            weight=np.ones(CHILDREN),
            as_of=np.full(CHILDREN, (THEN - date(1970, 1, 1)).days),
        )
        scores = score_frame(workspace, prepared, model, THEN)["score"].to_numpy()
        con.close()
        others["reference.json"] = json.dumps(make_reference(made, inputs, ids, scores))
    with workspace.lock("test"):
        registry.save(workspace, model, data={}, others=others)
        registry.promote(workspace, model.label)


@pytest.fixture
def workspace(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "某镇 2")
    return Workspace.open(tmp_path / "某镇 2")


def run(workspace, *words):
    result = CliRunner().invoke(make_app(), [*words, "-w", str(workspace.root)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def watch(workspace, *words):
    result = run(workspace, "models", "monitor", "--json", *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_calibration_of_past_runs(workspace):
    add_model(workspace)
    scored = score(workspace, THEN).folder.scores().to_pylist()
    score(workspace, NOW)  # its window is not over
    score(workspace, THEN, model="none")  # newer, but another model's
    found = watch(workspace)
    assert found["as_of"] == NOW.isoformat()
    counted = [row for row in scored if row["student_id"] != MOVED]
    total = found["calibration"]["total"]
    assert total["with_listed"]["rows"] == CHILDREN - 1
    assert total["with_listed"]["observed"] == len(GONE)
    assert total["with_listed"]["expected"] == pytest.approx(
        sum(row["score"] for row in counted), abs=1e-6
    )
    listed = {row["student_id"] for row in counted if row["listed"]}
    assert listed
    assert total["without_listed"]["rows"] == CHILDREN - 1 - len(listed)
    assert total["without_listed"]["observed"] == len(set(GONE) - listed)
    (one,) = found["calibration"]["runs"]
    assert (one["as_of"], one["lost"]) == (THEN.isoformat(), 1)
    said = " ".join(note["en"] for note in found["notes"])
    assert "a visited child who stays" in said
    assert "1 runs by other models are not counted" in said
    assert watch(workspace) == found


def test_weekly_runs_are_told_apart_and_added_up(workspace):
    add_model(workspace)
    days = [THEN - timedelta(days=7), THEN]
    for day in days:
        score(workspace, day)
    found = watch(workspace, "--as-of", THEN.isoformat())["calibration"]
    assert [one["as_of"] for one in found["runs"]] == [day.isoformat() for day in days]
    total = found["total"]["with_listed"]
    assert total["students"] == CHILDREN - 1  # who moved away is lost from both windows
    assert total["rows"] == sum(one["with_listed"]["rows"] for one in found["runs"])
    assert total["observed"] == sum(one["with_listed"]["observed"] for one in found["runs"])
    assert total["events"] == len(GONE)


def test_the_words_on_the_terminal(workspace):
    add_model(workspace)
    score(workspace, THEN)
    english = run(workspace, "models", "monitor", "--lang", "en").stdout
    for words in ("seen / foretold", "without the children on the run's list", "stable", "PSI"):
        assert words in english
    chinese = run(workspace, "models", "monitor", "--lang", "zh").stdout
    for words in ("不含当次名单上的学生", "稳定", "家访", "平均分"):
        assert words in chinese


def test_unchanged_children_are_stable_and_a_run_warns_of_nothing(workspace):
    add_model(workspace)
    found = watch(workspace, "--as-of", THEN.isoformat())["drift"]
    assert found["verdict"] == "stable"
    assert found["score"]["psi"] == 0
    assert {shift["psi"] for shift in found["features"]} == {0}
    assert score(workspace, THEN).info["warnings"] == []


def test_a_shift_is_found_said_and_written_into_the_run(workspace):
    add_model(workspace)
    absent = rows(
        "attendance",
        student_id=[name for name in IDS for _ in DAYS[-20:]],
        date=[day for _ in IDS for day in DAYS[-20:]],
        status=["unexcused" if i % 2 else "present" for i in range(CHILDREN * 20)],
    )
    load(workspace, "attendance", absent)
    found = watch(workspace, "--as-of", NOW.isoformat())["drift"]
    assert found["verdict"] == "strong"
    assert found["features"][0]["name"] == "absence_rate_20d"
    assert found["features"][0]["band"] == "strong"
    result = run(workspace, "score", "--as-of", NOW.isoformat(), "--lang", "zh")
    assert result.exit_code == 0, result.output
    assert "警告：" in result.stdout
    result = run(workspace, "score", "--as-of", NOW.isoformat(), "--lang", "en", "--json")
    warnings = json.loads(result.stdout)["warnings"]
    assert [w["feature"] for w in warnings] == ["absence_rate_20d", None]
    assert {w["kind"] for w in warnings} == {"feature", "score"}
    assert all(w["psi"] > 0.25 and w["zh"] and w["en"] for w in warnings)
    experts = run(workspace, "score", "--as-of", NOW.isoformat(), "--model", "none", "--json")
    assert json.loads(experts.stdout)["warnings"] == []


def test_warnings_change_neither_scores_nor_the_inputs_hash(workspace):
    add_model(workspace, reference=False)
    plain = score(workspace, THEN)
    shutil.rmtree(workspace.models / "main")
    add_model(workspace)
    shutil.rmtree(workspace.runs)
    with_reference = score(workspace, THEN)
    assert with_reference.info["inputs_hash"] == plain.info["inputs_hash"]
    assert with_reference.info["scores_sha256"] == plain.info["scores_sha256"]


def test_a_damaged_reference_warns_and_stops_nothing(workspace):
    add_model(workspace)
    (workspace.models / "main" / "1" / "reference.json").write_text("{}", "utf-8")
    result = run(workspace, "score", "--as-of", THEN.isoformat(), "--lang", "en")
    assert result.exit_code == 0
    assert "Warning: Not compared with the data at training" in result.stdout
    result = run(workspace, "models", "monitor", "--lang", "en")
    assert (result.exit_code, "reference.json cannot be used" in result.output) == (1, True)


def test_what_cannot_be_told_is_said(workspace):
    result = run(workspace, "models", "monitor", "--lang", "en")
    assert (result.exit_code, "No model is promoted" in result.output) == (1, True)
    add_model(workspace, reference=False)
    found = watch(workspace)
    assert (found["drift"], found["calibration"]) == (None, None)
    said = " ".join(note["en"] for note in found["notes"])
    assert "has no reference.json" in said
    assert "No run of main/1 has a window of 14 days that is over" in said
    assert run(workspace, "models", "monitor", "--as-of", "soon").exit_code == 2


def test_a_rule_whose_condition_changed_is_not_compared(workspace):
    add_model(workspace)
    pack = workspace.rules / "attendance.yaml"
    text = pack.read_text("utf-8")
    assert "when: unexcused_run >= 3" in text
    pack.write_text(text.replace("when: unexcused_run >= 3", "when: unexcused_run >= 4"), "utf-8")
    found = watch(workspace, "--as-of", THEN.isoformat())["drift"]
    assert found["rules_not_compared"] == ["unexcused-3d"]
    assert "unexcused-3d" not in [shift["name"] for shift in found["rules"]]


def test_a_damaged_run_is_left_out_and_named(workspace):
    add_model(workspace)
    week = THEN - timedelta(days=7)
    damaged, sound = score(workspace, week), score(workspace, THEN)
    (damaged.folder.path / "scores.parquet").write_bytes(b"x")
    found = watch(workspace)
    assert [one["as_of"] for one in found["calibration"]["runs"]] == [THEN.isoformat()]
    assert any(f"{week}" in note["en"] for note in found["notes"])
    assert sound.info["number"] == 1
