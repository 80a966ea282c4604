"""scores.parquet: columns, contributions, tiers, ranks, lists; and that a hit never lowers one."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.features.catalogue import CATALOGUE, FEATURES
from earlywarn.models.scorecard import apply, g_terms
from earlywarn.models.store import registry
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring import frame
from earlywarn.scoring.frame import Prepared, prepare, score_frame, score_slices
from earlywarn.scoring.run import SCORES_FILE, Run, score
from earlywarn.words import Tier
from earlywarn.workspace import Workspace
from scoring_city import (
    CITY_DAY,
    FIRST,
    SCHOOL_A,
    TRUANT,
    VILLAGE_DAY,
    City,
    load,
    put_model,
    rows,
    village,
)

SCHEMA = pa.schema(
    {
        "student_id": pa.string(),
        "school_id": pa.string(),
        "as_of": pa.date32(),
        "score": pa.float64(),
        "log_odds": pa.float64(),
        "tier": pa.string(),
        "rank": pa.int32(),
        "listed": pa.bool_(),
        "rules_hit": pa.list_(pa.string()),
        "rules_unknown": pa.list_(pa.string()),
        "contributions": pa.list_(pa.struct({"term": pa.string(), "value": pa.float64()})),
        "model": pa.string(),
        "rules_hash": pa.string(),
    }
)
LEVEL = {tier.value: tier.level for tier in Tier}


@pytest.fixture(params=["trained", "experts"])
def run(request: pytest.FixtureRequest, city: City) -> Run:
    found: Run = getattr(city, request.param)
    return found


@pytest.fixture(scope="module")
def prepared(city: City) -> Prepared:
    con = connect(city.workspace)
    return prepare(con, city.workspace, load_rulebook(city.workspace.rules), CITY_DAY)


def plain(kind: pa.DataType) -> pa.DataType:
    """The type without how it is packed (dictionaries, names of list items)."""
    if pa.types.is_dictionary(kind):
        return plain(kind.value_type)
    if pa.types.is_list(kind):
        return pa.list_(plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, plain(field.type)) for field in kind])
    return kind


def test_columns_types_and_order(run: Run) -> None:
    table = pq.read_table(run.folder.path / SCORES_FILE)
    assert table.column_names == SCHEMA.names
    for field in table.schema:
        assert plain(field.type) == plain(SCHEMA.field(field.name).type), field.name
    assert all(table[name].null_count == 0 for name in table.column_names)
    ids = table["student_id"].to_pylist()
    assert ids == sorted(set(ids), key=lambda name: name.encode())
    assert set(table["as_of"].to_pylist()) == {CITY_DAY}
    assert set(table["model"].to_pylist()) == {run.info["model"]}
    assert set(table["rules_hash"].to_pylist()) == {run.info["inputs"]["rules"]}


def test_contributions_are_complete_and_add_up(city: City, run: Run) -> None:
    rules = [rule.id for rule in load_rulebook(city.workspace.rules).in_force(CITY_DAY)]
    assert rules == sorted(rules)
    tables = [t.name for t in city.model.features] if run is city.trained else []
    assert tables == [f.name for f in CATALOGUE if f.name in set(tables)]
    assert bool(tables) == (run is city.trained)
    expected = ["b0", *tables, *(f"rule:{rule}" for rule in rules)]
    zeros = positive = 0
    for row in run.folder.scores().to_pylist():
        assert [part["term"] for part in row["contributions"]] == expected
        total = 0.0
        for part in row["contributions"]:
            total += part["value"]
        assert abs(total - row["log_odds"]) < 1e-9
        assert row["score"] == pytest.approx(1 / (1 + math.exp(-row["log_odds"])), abs=1e-11)
        assert row["score"] == round(row["score"], 12)
        assert row["log_odds"] == round(row["log_odds"], 12)
        by_rule = {p["term"][5:]: p["value"] for p in row["contributions"][1 + len(tables) :]}
        assert all(v == 0 for rule, v in by_rule.items() if rule not in row["rules_hit"])
        assert not set(row["rules_hit"]) & set(row["rules_unknown"])
        assert row["rules_hit"] == sorted(row["rules_hit"])
        assert row["rules_unknown"] == sorted(row["rules_unknown"])
        zeros += sum(v == 0 for v in by_rule.values())
        positive += sum(v > 0 for v in by_rule.values())
    assert zeros
    assert positive


def test_only_the_heaviest_hit_of_a_ladder_counts(city: City, run: Run) -> None:
    rules = load_rulebook(city.workspace.rules).in_force(CITY_DAY)
    members: dict[str, list[str]] = defaultdict(list)
    for rule in rules:
        if rule.ladder:
            members[rule.ladder].append(rule.id)
    weights = {r.id: r.weight for r in city.model.rules}
    if run is city.experts:
        weights = {r.id: r.points for r in rules}
    silenced = 0
    for row in run.folder.scores().to_pylist():
        values = {p["term"]: p["value"] for p in row["contributions"]}
        for ids in members.values():
            hits = [rule for rule in ids if rule in row["rules_hit"]]
            counted = [rule for rule in hits if values[f"rule:{rule}"] != 0]
            heaviest = max((weights[rule] for rule in hits), default=0.0)
            assert sum(values[f"rule:{rule}"] for rule in hits) == heaviest
            assert len(counted) <= 1
            silenced += len(hits) > 1
    assert silenced


def test_tiers_ranks_and_lists(city: City, run: Run) -> None:
    floors = {r.id: r.floor for r in load_rulebook(city.workspace.rules).in_force(CITY_DAY)}
    config, base = city.workspace.config, run.info["base_rate"]
    by_school: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in run.folder.scores().to_pylist():
        level = sum(
            row["score"] >= times * base for times in (config.tiers.watch, config.tiers.high)
        )
        fixed = [floors[rule].level for rule in row["rules_hit"] if floors[rule]]
        assert LEVEL[row["tier"]] == max([level, *fixed])
        by_school[row["school_id"]].append(row)
    for members in by_school.values():
        members.sort(key=lambda r: (-LEVEL[r["tier"]], -r["score"], r["student_id"]))
        assert [r["rank"] for r in members] == list(range(1, len(members) + 1))
        capacity = max(3, math.ceil(len(members) * 3 / 100))
        for row in members:
            room = row["tier"] != "routine" and row["rank"] <= capacity
            assert row["listed"] == (row["tier"] == "urgent" or room)
    tiers = run.info["counts"]["tiers"]
    assert sum(tiers.values()) == run.info["counts"]["students"]


def test_a_school_has_its_own_capacity_and_urgent_goes_beyond_it(tmp_path: Path) -> None:
    workspace = village(tmp_path / "村", base_rate=0.001, tiers={"high": 1000, "watch": 0.001})
    found = {
        row["student_id"]: row for row in score(workspace, VILLAGE_DAY).folder.scores().to_pylist()
    }
    listed = {name for name, row in found.items() if row["listed"]}
    assert TRUANT in listed
    assert {row["tier"] for name, row in found.items() if name != TRUANT} <= {"watch", "high"}
    assert len(listed & set(SCHOOL_A)) == 3  # the config's least
    assert len(listed - set(SCHOOL_A)) == 1  # the school's own
    # Two more truants: now three are urgent, and all of them listed at the school that can do 1.
    days = [VILLAGE_DAY - timedelta(days=d) for d in range(3)]
    more = [(child, day) for child in ("LB03", "LB04", "LB05") for day in days]
    table = rows(
        "attendance",
        student_id=[child for child, _ in more],
        date=[day for _, day in more],
        status=["unexcused"] * len(more),
    )
    load(workspace, "attendance", table)
    again = score(workspace, VILLAGE_DAY).folder.scores().to_pylist()
    assert {r["student_id"] for r in again if r["listed"] and r["school_id"] == "VB"} == {
        "LB03",
        "LB04",
        "LB05",
    }


@pytest.mark.parametrize("model", ["tiny", "none"])
def test_three_days_without_leave_are_urgent_whatever_the_model_says(
    tmp_path: Path, model: str
) -> None:
    workspace = village(tmp_path / "村", capacity={"least": 0, "share": 0})
    label = put_model(workspace) if model == "tiny" else model
    table = score(workspace, VILLAGE_DAY, model=label).folder.scores().to_pylist()
    row = next(row for row in table if row["student_id"] == TRUANT)
    assert "unexcused-3d" in row["rules_hit"]
    assert (row["tier"], row["listed"], row["rank"]) == ("urgent", True, 1)
    if model == "tiny":
        assert row["score"] < 1e-8
    assert [r["student_id"] for r in table if r["tier"] == "urgent"] == [TRUANT]
    # The day before it was two days: not urgent, and no place on a list without room.
    before = score(workspace, VILLAGE_DAY - timedelta(days=1), model=label)
    row = next(r for r in before.folder.scores().to_pylist() if r["student_id"] == TRUANT)
    assert (row["tier"], row["listed"]) == ("high", False)


@pytest.mark.parametrize("which", ["trained", "experts"])
def test_a_hit_never_lowers_a_score(city: City, prepared: Prepared, which: str) -> None:
    """Every rule in turn is made a hit for every student; nobody's log-odds fall.

    But for the last bit: of two equal weights on a ladder the one with the lower id counts, and
    the same weight added at another place may round otherwise.
    """
    card = registry.load(city.workspace, getattr(city, which).info["model"])
    judged, book = prepared.verdicts, prepared.rulebook
    ids = judged.column_names[1:]
    # As they are; and at random, so that ladders are full of hits and unknowns.
    rng = np.random.default_rng(0)
    drawn = rng.choice([None, False, True], size=(judged.num_rows, len(ids)), p=[0.2, 0.3, 0.5])
    columns = {name: pa.array(drawn[:, j].tolist(), pa.bool_()) for j, name in enumerate(ids)}
    for table in (judged, pa.table({"student_id": judged["student_id"]} | columns)):
        before = apply(card, prepared.features, table, book, CITY_DAY).log_odds
        raised = 0
        for place, name in enumerate(ids, start=1):
            more = table.set_column(place, name, pa.array([True] * table.num_rows))
            after = apply(card, prepared.features, more, book, CITY_DAY).log_odds
            assert (after >= before - 1e-13).all(), name
            raised += int((after > before + 1e-6).sum())
        assert raised


def test_raising_a_feature_in_its_risk_direction_never_lowers_g(city: City) -> None:
    split = [table for table in city.model.features if table.thresholds]
    assert len(split) >= 5
    assert any(FEATURES[table.name].direction for table in split)
    for place, table in enumerate(city.model.features):
        direction = FEATURES[table.name].direction
        if not direction:
            continue
        x = np.sort(
            np.asarray([*table.thresholds, *(t + 1e-6 for t in table.thresholds), 1e6, -1e6])
        )
        grid = np.zeros((len(x), len(city.model.features)))
        grid[:, place] = x[::direction]
        g = g_terms(city.model, grid).sum(axis=1)
        # Others held: what rises is this table's value, but for the rounding of the sum.
        assert (np.diff(g) >= -1e-12).all(), table.name
        assert (np.diff(table.values[::direction]) >= 0).all(), table.name


def test_no_sensitive_feature_and_no_group_is_in_g(city: City) -> None:
    inputs = [FEATURES[table.name] for table in city.model.features]
    assert not [f.name for f in inputs if f.sensitive or f.kind == "group"]


def test_features_and_verdicts_are_of_the_same_students(prepared: Prepared) -> None:
    assert prepared.features["student_id"].equals(prepared.verdicts["student_id"])
    assert prepared.features.column_names[2:] == [f.name for f in CATALOGUE]


def test_the_frame_is_what_the_run_wrote(city: City, prepared: Prepared) -> None:
    table = score_frame(city.workspace, prepared, city.model, CITY_DAY)
    written = city.trained.folder.scores()
    assert table.to_pylist() == written.to_pylist()


@pytest.mark.parametrize("size", [1, 7, 100])
def test_slices_change_nothing(
    city: City, prepared: Prepared, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    whole = score_frame(city.workspace, prepared, city.model, CITY_DAY)
    monkeypatch.setattr(frame, "SLICE", size)
    sliced = list(score_slices(city.workspace.config, prepared, city.model, CITY_DAY))
    assert len(sliced) == math.ceil(whole.num_rows / size)
    assert pa.concat_tables(sliced).to_pylist() == whole.to_pylist()


def test_nobody_enrolled_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(EarlywarnError, match=f"first registry snapshot is of {FIRST}"):
        score(village(tmp_path / "a"), FIRST - timedelta(days=1))
    with pytest.raises(EarlywarnError, match="no students in the workspace yet"):
        score(Workspace.init(tmp_path / "b"), VILLAGE_DAY)
