from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest

from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.files import sha256
from earlywarn.models.scorecard import FeatureTable, apply
from earlywarn.models.store import promotion, registry
from earlywarn.workspace import Workspace
from models_rules import book, rule, scorecard, verdicts, weight

RULES = book(rule("a", 2.0, "u"), rule("b", 3.0, "u"))
TABLE = FeatureTable(name="grade", thresholds=[6.5], values=[-0.1, 0.2], missing=0.0)


@pytest.fixture
def saved(workspace):
    registry.save(workspace, scorecard([TABLE], [weight(r, 1.0) for r in RULES.rules]), **EMPTY)
    return workspace


EMPTY = {"data": {}, "others": {"metrics.json": "{}"}}


def refused(workspace, label="main/1"):
    with pytest.raises(EarlywarnError) as error:
        registry.load(workspace, label)
    assert error.value.text.zh
    return error.value.text.en


def rehash(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["files"]["model.json"] = sha256(folder / "model.json")
    path.write_text(json.dumps(manifest), "utf-8")


def test_what_was_saved_is_loaded(saved):
    found = registry.load(saved, "main")
    assert found.label == "main/1"
    assert found.features == [TABLE]
    assert registry.load(saved, "main/1") == found
    manifest = registry.read_manifest(saved.models / "main" / "1")
    assert set(manifest.files) == {"model.json", "metrics.json"}


def test_versions_and_promotion(saved):
    registry.save(saved, scorecard([], [], version=2, b1=0.0), **EMPTY)
    assert registry.load(saved, "main").version == 2
    assert registry.promoted(saved) is None
    assert registry.choose(saved, None) is None
    registry.promote(saved, "main/1")
    registry.promote(saved, "main/2")
    registry.promote(saved, "main/2")
    chosen = registry.read_promoted(saved)
    assert (chosen.name, chosen.version, chosen.before) == ("main", 2, ["main/1"])
    assert registry.choose(saved, None).version == 2
    assert registry.choose(saved, "none") is None
    assert registry.choose(saved, "main/1").version == 1
    listed = [(entry.label, entry.promoted) for entry in registry.list_models(saved)]
    assert listed == [("main/1", False), ("main/2", True)]


def test_a_folder_copied_into_another_workspace_works(saved, tmp_path):
    other = Workspace.init(tmp_path / "other")
    shutil.copytree(saved.models / "main", other.models / "main")
    assert registry.promote(other, "main/1").label == "main/1"
    assert registry.promoted(other) == registry.load(saved, "main/1")


def test_under_another_name_it_is_refused(saved):
    shutil.copytree(saved.models / "main" / "1", saved.models / "other" / "1")
    assert "calls itself main/1" in refused(saved, "other/1")


def test_a_flipped_byte_is_refused(saved):
    path = saved.models / "main" / "1" / "model.json"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "was changed" in refused(saved)
    (entry,) = registry.list_models(saved)
    assert entry.problem is not None


@pytest.mark.parametrize(
    "change",
    [
        {"b0": float("nan")},
        {"features": [{"name": "grade", "thresholds": [2.0, 1.0], "values": [0, 0, 0]}]},
        {"unknown": 1},
        {"format": 9},
        {"b0": None},
    ],
)
def test_what_the_schema_forbids_is_refused_even_with_a_right_hash(saved, change):
    folder = saved.models / "main" / "1"
    model = json.loads((folder / "model.json").read_text("utf-8")) | change
    (folder / "model.json").write_text(json.dumps(model), "utf-8")
    rehash(folder)
    assert "cannot be used" in refused(saved)


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_renamed_is_refused_unopened(saved, protocol):
    folder = saved.models / "main" / "1"
    (folder / "model.json").write_bytes(pickle.dumps(Trap(), protocol))
    rehash(folder)
    assert "refused unopened" in refused(saved) or "cannot be used" in refused(saved)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.skops", "Model.PICKLE"])
def test_a_pickle_offered_as_a_model_is_refused_with_the_reason(saved, name):
    folder = saved.models / "foreign" / "1"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(pickle.dumps(Trap()))
    assert "can run code" in refused(saved, "foreign/1")
    assert "can run code" in refused(saved, str(folder / name))
    with pytest.raises(EarlywarnError, match="can run code"):
        registry.promote(saved, name)


def test_another_catalogue_is_refused_with_the_difference(saved):
    folder = saved.models / "main" / "1"
    model = json.loads((folder / "model.json").read_text("utf-8"))
    model["catalogue_version"] = "abc"
    (folder / "model.json").write_text(json.dumps(model), "utf-8")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    del manifest["catalogue"]["distance_km"]
    manifest["catalogue"]["shoe_size"] = "number"
    manifest["catalogue"]["grade"] = "text"
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    rehash(folder)
    message = refused(saved)
    assert "not in the model's: distance_km" in message
    assert "not in this one: shoe_size" in message
    assert "of another type: grade" in message


def test_an_unknown_feature_or_wrong_order_is_refused(saved):
    tables = [TABLE, FeatureTable(name="absence_rate_5d", thresholds=[], values=[0.0], missing=0.0)]
    registry.save(saved, scorecard(tables, [], version=2), **EMPTY)
    assert "another feature catalogue" in refused(saved, "main/2")


def test_no_such_model(saved):
    for label in ("main/7", "other", "../main", "main/x", ""):
        assert "There are: main/1" in refused(saved, label)


@pytest.mark.parametrize("name", ["experts", "none", "../x", "a/b", "", ".hidden", "x" * 99])
def test_names_that_cannot_be(name):
    with pytest.raises(UsageError):
        registry.check_name(name)
    assert registry.check_name("main") == "main"
    assert registry.check_name("试点_2026") == "试点_2026"


def test_the_experts_are_written_once_for_a_rule_book(workspace):
    judged = verdicts(a=[True, False, None, True] * 50, b=[True, False, False, None] * 50)
    found = registry.experts(workspace, RULES, judged)
    assert found.label == "experts/1"
    assert not found.g_is_used
    import pyarrow as pa

    applied = apply(found, pa.table({"x": [0] * 200}), judged, RULES)
    rate = workspace.config.base_rate * workspace.config.horizon_days / 365
    assert found.base_rate == rate
    assert np.mean(applied.score) == pytest.approx(rate, rel=1e-9)
    assert [r.weight for r in found.rules] == [2.0, 3.0]
    assert registry.experts(workspace, RULES, verdicts(a=[True], b=[True])) == found
    other = book(rule("a", 2.5, "u"))
    assert registry.experts(workspace, other, verdicts(a=[True, False])).label == "experts/2"
    assert registry.experts(workspace, RULES, judged) == found


def state(workspace):
    found = registry.read_promoted(workspace)
    return (found.label, found.before) if found else None


def test_going_back_and_forth_loses_no_history(saved):
    registry.save(saved, scorecard([], [], version=2, b1=0.0), **EMPTY)
    registry.save(saved, scorecard([], [], version=3, b1=0.0), **EMPTY)
    steps = [
        ("main/1", ("main/1", [])),
        ("main/2", ("main/2", ["main/1"])),
        (None, ("main/1", [])),
        ("main/3", ("main/3", ["main/1"])),
        ("main/2", ("main/2", ["main/1", "main/3"])),
        ("main/1", ("main/1", ["main/1", "main/3", "main/2"])),
        (None, ("main/2", ["main/1", "main/3"])),
        (None, ("main/3", ["main/1"])),
        (None, ("main/1", [])),
        (None, None),
        ("main/2", ("main/2", [])),
        (None, None),
    ]
    for label, expected in steps:
        if label:
            registry.promote(saved, label)
        else:
            registry.rollback(saved)
        assert state(saved) == expected
    used = [line.model for line in promotion.read_history(saved)]
    assert used == [label or (now[0] if now else "none") for label, now in steps]
    with pytest.raises(EarlywarnError, match="nothing to go back from"):
        registry.rollback(saved)


def test_a_promoted_json_without_history_is_read(saved):
    registry.save(saved, scorecard([], [], version=2, b1=0.0), **EMPTY)
    old = {"format": 1, "name": "main", "version": 2, "since": "2026-01-01", "before": ["main/1"]}
    (saved.models / "promoted.json").write_text(json.dumps(old), "utf-8")
    assert registry.rollback(saved).now.label == "main/1"
    assert [line.model for line in promotion.read_history(saved)] == ["main/1", "main/2", "main/1"]


def test_promoting_mends_a_damaged_promoted_json_and_keeps_it(saved):
    path = saved.models / "promoted.json"
    path.write_text('{"format": 1, "na', "utf-8")
    with pytest.raises(EarlywarnError, match="is damaged"):
        registry.choose(saved, None)
    with pytest.raises(EarlywarnError, match="is damaged"):
        registry.rollback(saved)
    registry.promote(saved, "main/1")
    assert registry.promoted(saved).label == "main/1"
    kept = saved.models / "promoted-damaged-1.json"
    assert kept.read_text("utf-8") == '{"format": 1, "na'


@pytest.mark.parametrize("before", ["../../x/1", "none", "x", "main/9"])
def test_a_way_back_that_leads_nowhere_is_refused(saved, before):
    registry.promote(saved, "main/1")
    rewrite_before(saved, before)
    with pytest.raises(EarlywarnError, match="Cannot go back"):
        registry.rollback(saved)
    assert state(saved) == ("main/1", [before])


def test_a_way_back_without_a_version_is_the_newest(saved):
    registry.promote(saved, "main/1")
    rewrite_before(saved, "main")
    assert registry.rollback(saved).now.label == "main/1"
    assert state(saved) == ("main/1", [])


def rewrite_before(workspace, label):
    path = workspace.models / "promoted.json"
    changed = json.loads(path.read_text("utf-8")) | {"before": [label]}
    path.write_text(json.dumps(changed), "utf-8")
