"""`earlywarn models ...` as people call it: what is refused and why, comparing, going back."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
import shutil
import zipfile

import joblib
import pytest
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.files import sha256
from earlywarn.models.scorecard import FeatureTable
from earlywarn.models.store import registry, shipped
from earlywarn.workspace import Workspace
from models_rules import book, rule, scorecard, weight

RULES = book(rule("a", 2.0), rule("b", 3.0))
TABLE = FeatureTable(name="grade", thresholds=[6.5], values=[-0.1, 0.2], missing=0.0)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def run(workspace, *words):
    """Call the program; an exception that would be a traceback fails the test."""
    result = CliRunner().invoke(make_app(), [*words, "-w", str(workspace.root)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def put(workspace, version=1, name="main", **changes):
    model = scorecard(
        changes.pop("features", [TABLE]),
        changes.pop("rules", [weight(r, 1.0) for r in RULES.rules]),
        name=name,
        version=version,
        **changes,
    )
    return registry.save(workspace, model, data={}, others={"metrics.json": "{}"})


@pytest.fixture
def saved(workspace):
    put(workspace)
    put(workspace, 2)
    return workspace


# --- what is refused ---------------------------------------------------------------------------


def rehash(folder):
    """Give the manifest the hash of model.json as it is now."""
    change_manifest(folder, lambda m: m["files"].update({"model.json": sha256(folder / MODEL)}))


def change_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), "utf-8")


MODEL = "model.json"


def with_content(content):
    def damage(folder):
        (folder / MODEL).write_bytes(content() if callable(content) else content)
        rehash(folder)

    return damage


def with_model(**changes):
    """Damage: other values in model.json, under a right hash."""

    def damage(folder):
        model = json.loads((folder / MODEL).read_text("utf-8")) | changes
        (folder / MODEL).write_text(json.dumps(model), "utf-8")
        rehash(folder)

    return damage


def with_manifest(change):
    return lambda folder: change_manifest(folder, change)


def table(**changes):
    return TABLE.model_dump() | changes


def flip(folder):
    content = bytearray((folder / MODEL).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / MODEL).write_bytes(content)


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def dumped(compress):
    buffer = io.BytesIO()
    joblib.dump(Trap(), buffer, compress=compress)
    return buffer.getvalue()


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", "{}")
    return buffer.getvalue()


def other_catalogue(folder):
    def change(manifest):
        del manifest["catalogue"]["distance_km"]
        manifest["catalogue"]["shoe_size"] = "number"

    with_model(catalogue_version="abc")(folder)
    change_manifest(folder, change)


def remove(name):
    return lambda folder: (folder / name).unlink()


def escape(name):
    return with_manifest(lambda m: m["files"].update({name: "0" * 64}))


PICKLED = ("pickle", "pickle")
UNUSABLE = ("不能使用", "cannot be used")
CHANGED = ("被改动过", "was changed")
NUMBER = ("必须是有限的数字", "finite number")
FORMAT = ("不符合格式", "not a manifest")
REFUSED = {
    "a flipped byte": (flip, CHANGED),
    **{
        f"a pickle, protocol {n}": (with_content(pickle.dumps(Trap(), n)), PICKLED)
        for n in range(6)
    },
    "a pickled dict": (with_content(pickle.dumps({}, 0)), PICKLED),
    "joblib": (with_content(lambda: dumped(0)), PICKLED),
    "joblib, zlib": (with_content(lambda: dumped(3)), PICKLED),
    "joblib, gzip": (with_content(lambda: dumped(("gzip", 3))), PICKLED),
    "joblib, bz2": (with_content(lambda: dumped(("bz2", 3))), PICKLED),
    "joblib, xz": (with_content(lambda: dumped(("xz", 3))), PICKLED),
    "joblib, lzma": (with_content(lambda: dumped(("lzma", 3))), PICKLED),
    "skops": (with_content(zipped), PICKLED),
    "an empty file": (with_content(b""), ("不是完整的 JSON", "Invalid JSON")),
    "100,000 thresholds": (
        with_model(
            features=[table(thresholds=[float(i) for i in range(100_000)], values=[0.0] * 100_001)]
        ),
        ("最多 4096 项", "at most 4096"),
    ),
    "NaN in a table": (with_model(features=[table(values=[float("nan"), 0.0])]), NUMBER),
    "NaN for missing": (with_model(features=[table(missing=float("nan"))]), NUMBER),
    "Infinity in a table": (with_model(features=[table(values=[float("inf"), 0.0])]), NUMBER),
    "Infinity as b0": (with_model(b0=float("-inf")), NUMBER),
    "no log-odds": (with_model(b0=1e300), ("不可能是对数几率", "no log-odds can have")),
    "no log-odds in a table": (
        with_model(features=[table(values=[1e300, 0.0])]),
        ("不可能是对数几率", "no log-odds can have"),
    ),
    "unsorted thresholds": (
        with_model(features=[table(thresholds=[2.0, 1.0], values=[0.0, 0.0, 0.0])]),
        ("阈值必须递增", "thresholds must ascend"),
    ),
    "a value too few": (
        with_model(features=[table(values=[0.0])]),
        ("比阈值多一个", "one value more"),
    ),
    "a feature twice": (with_model(features=[table(), table()]), ("重复出现", "stands twice")),
    "a negative weight": (
        with_model(rules=[weight(RULES.rules[0], 1.0).model_dump() | {"weight": -0.1}]),
        ("不能小于 0", "greater than or equal to 0"),
    ),
    "a huge horizon": (with_model(horizon_days=10**9), ("horizon_days", "horizon_days")),
    "a huge file": (with_content(b'{"a": "' + b"x" * 20_000_001 + b'"}'), ("字节", "larger than")),
    "deeply nested": (with_content(b'{"features": ' + b"[" * 200_000), UNUSABLE),
    "cut off": (with_content(b'{"format": 1, "name"'), ("不是完整的 JSON", "Invalid JSON")),
    "text for a number": (with_model(b0="-3"), ("b0：必须是数字", "b0: ")),
    "a list for a number": (with_model(b1=[1]), ("b1：必须是数字", "b1: ")),
    "a number for a list": (with_model(features=1), ("features：必须是列表", "features: ")),
    "true for a number": (with_model(version=True), ("version：", "version: ")),
    "an unknown key": (with_model(code="print()"), ("不认识这一项", "Extra inputs")),
    "another format": (with_model(format=2), UNUSABLE),
    "another catalogue": (other_catalogue, ("本程序没有：shoe_size", "not in this one: shoe_size")),
    "another name": (with_model(name="other"), ("自称 other/1", "calls itself other/1")),
    "no model": (remove(MODEL), ("没有 model.json", "no model.json")),
    "no manifest": (remove("manifest.json"), ("读不到", "cannot be read")),
    "a damaged manifest": (
        lambda folder: (folder / "manifest.json").write_bytes(b'{"format": 1, '),
        FORMAT,
    ),
    "a nested manifest": (
        lambda folder: (folder / "manifest.json").write_bytes(b'{"data": ' + b"[" * 90_000),
        FORMAT,
    ),
    "a huge manifest": (
        lambda folder: (folder / "manifest.json").write_bytes(b" " * 1_000_001),
        ("字节", "larger than"),
    ),
    "a manifest without the model": (
        with_manifest(lambda m: m["files"].pop(MODEL)),
        ("没有写明 model.json", "does not give the hash of model.json"),
    ),
    "a file above the folder": (escape("../model.json"), FORMAT),
    "a file in another folder": (escape("x/model.json"), FORMAT),
    "a file by a backslash": (escape("..\\model.json"), FORMAT),
    "an absolute path": (escape("/etc/passwd"), FORMAT),
    "a drive": (escape("C:model.json"), FORMAT),
    "the folder above": (escape(".."), FORMAT),
    "a hash that is none": (with_manifest(lambda m: m["files"].update({MODEL: "x"})), FORMAT),
}
COMMANDS = {
    "score": ["score", "--as-of", "2026-03-02", "--model", "main/1"],
    "show": ["models", "show", "main/1"],
    "promote": ["models", "promote", "main/1"],
    "compare": ["models", "compare", "main/2", "main/1"],
    "monitor": ["models", "monitor", "--model", "main/1"],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_must_not_be_used_is_refused_by_every_command(saved, name):
    damage, (zh, en) = REFUSED[name]
    damage(saved.models / "main" / "1")
    for command, words in COMMANDS.items():
        for lang, expected in (("zh", zh), ("en", en)):
            if (command, lang) in (("score", "en"), ("monitor", "zh")):
                continue  # the same words, but these two take longest
            result = run(saved, *words, "--lang", lang)
            assert result.exit_code == 1, words
            assert expected in result.output
            assert "Traceback" not in result.output
            assert bool(CHINESE.search(result.stderr.replace(str(saved.root), ""))) == (
                lang == "zh"
            )
    assert registry.read_promoted(saved) is None
    assert not (saved.root / "runs" / "2026-03-02").exists()
    listed = run(saved, "models", "list", "--lang", "en")
    assert listed.exit_code == 0
    assert en in listed.stdout


def test_a_folder_of_another_name_is_refused(saved):
    shutil.copytree(saved.models / "main" / "1", saved.models / "other" / "1")
    for words in COMMANDS.values():
        result = run(saved, *(w.replace("main/1", "other/1") for w in words), "--lang", "en")
        assert result.exit_code == 1
        assert "calls itself main/1" in result.output


@pytest.mark.parametrize(
    "label", ["../main/1", "main/../main/1", "main/²", "main/01", "/", "main/"]
)
def test_a_label_leads_nowhere_else(saved, label):
    for words in COMMANDS.values():
        result = run(saved, *(label if w == "main/1" else w for w in words), "--lang", "en")
        assert result.exit_code == 1
        assert "There are: main/1, main/2" in result.output


@pytest.mark.parametrize(
    "metrics",
    [
        "[]",
        "[" * 100_000,
        '{"validation": 1}',
        '{"validation": "temporal"}',
        '{"a": NaN}',
    ],
)
def test_figures_that_are_none_are_refused(workspace, metrics):
    model = scorecard([TABLE], [])
    registry.save(workspace, model, data={"train": 5}, others={"metrics.json": metrics})
    for words in (["show", "main/1"], ["compare", "main/1", "main/1"]):
        result = run(workspace, "models", *words, "--lang", "en")
        assert result.exit_code == 1
        assert "metrics.json cannot be used" in result.output
    assert run(workspace, "models", "list").exit_code == 0  # although data.train is no object


def test_promoting_checks_every_file_of_the_folder(saved):
    (saved.models / "main" / "1" / "metrics.json").write_text('{"better": true}', "utf-8")
    result = run(saved, "models", "promote", "main/1", "--lang", "en")
    assert (result.exit_code, "metrics.json cannot be used" in result.output) == (1, True)
    assert registry.read_promoted(saved) is None


# --- going back --------------------------------------------------------------------------------


def in_use(workspace):
    found = registry.read_promoted(workspace)
    return found.label if found else None


def test_rolling_back_to_the_one_before_then_to_the_experts(saved):
    run(saved, "models", "promote", "main/1")
    run(saved, "models", "promote", "main/2")
    result = run(saved, "models", "rollback", "--lang", "en")
    assert (result.exit_code, result.stdout) == (0, "Back from main/2 to main/1.\n")
    assert in_use(saved) == "main/1"
    result = run(saved, "models", "rollback", "--json")
    assert json.loads(result.stdout) == {"was": "main/1", "promoted": None}
    assert registry.choose(saved, None) is None
    for lang, words in (("zh", "没有启用的模型"), ("en", "No model is promoted")):
        result = run(saved, "models", "rollback", "--lang", lang)
        assert (result.exit_code, words in result.output) == (1, True)


def test_the_experts_are_named_where_there_was_no_model_before(saved):
    run(saved, "models", "promote", "main/1")
    assert "专家分值" in run(saved, "models", "rollback", "--lang", "zh").stdout


def test_rolling_back_to_a_model_that_is_gone_changes_nothing(saved):
    run(saved, "models", "promote", "main/1")
    run(saved, "models", "promote", "main/2")
    before = (saved.models / "promoted.json").read_bytes()
    flip(saved.models / "main" / "1")
    result = run(saved, "models", "rollback", "--lang", "en")
    assert (result.exit_code, "was changed" in result.output) == (1, True)
    shutil.rmtree(saved.models / "main" / "1")
    for lang, words in (
        ("zh", "不能回退到 main/1"),
        ("en", "Cannot go back to main/1: There is no model main/1"),
    ):
        result = run(saved, "models", "rollback", "--lang", lang)
        assert (result.exit_code, words in result.output) == (1, True)
    assert (saved.models / "promoted.json").read_bytes() == before


# --- comparing ---------------------------------------------------------------------------------


def test_comparing_with_the_promoted_one(saved):
    put(saved, 3, rules=[weight(RULES.rules[0], 4.5)], horizon_days=30)
    result = run(saved, "models", "compare", "main/3", "--lang", "en")
    assert (result.exit_code, "No model is promoted" in result.output) == (1, True)
    run(saved, "models", "promote", "main/1")
    text = run(saved, "models", "compare", "main/3", "--lang", "en").stdout
    assert "horizon_days" in text
    assert re.search(r"a +\+4.50 +\+1.00 +-3.50", text)
    found = json.loads(run(saved, "models", "compare", "main/3", "--json").stdout)
    assert found["models"] == ["main/3", "main/1"]
    assert CHINESE.search(run(saved, "models", "compare", "main/3", "--lang", "zh").stdout)


# --- the model that ships ----------------------------------------------------------------------


@pytest.fixture
def ships(tmp_path, monkeypatch):
    """A folder of shipped models with demonstration/1 in it, and a README as in the repository."""
    other = Workspace.init(tmp_path / "maker")
    put(other, name="demonstration", generated=True)
    (other.models / "README.md").write_text("#", "utf-8")
    monkeypatch.setattr(shipped, "root", lambda: other.models)
    return other.models


def test_it_is_listed_and_shown_and_never_used_unasked(workspace, ships):
    text = run(workspace, "models", "list", "--lang", "en").stdout
    assert "demonstration/1" in text
    assert "shipped, trained on generated data" in text
    (entry,) = json.loads(run(workspace, "models", "list", "--json").stdout)
    assert (entry["shipped"], entry["promoted"]) == (True, False)
    text = run(workspace, "models", "show", "demonstration/1", "--lang", "zh").stdout
    assert "随程序提供，基于生成的数据" in text
    assert registry.choose(workspace, None) is None
    score = ["score", "--as-of", "2026-03-02", "--model", "demonstration/1"]
    for lang, words in (("zh", "不会直接用来评分"), ("en", "models promote demonstration/1")):
        result = run(workspace, *score, "--lang", lang)
        assert (result.exit_code, words in result.output) == (1, True)
    assert list(workspace.models.iterdir()) == []


def test_promoting_copies_the_whole_folder(workspace, ships):
    result = run(workspace, "models", "promote", "demonstration/1", "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "generated data" in result.stdout
    there = ships / "demonstration" / "1"
    here = workspace.models / "demonstration" / "1"
    assert {p.name: p.read_bytes() for p in here.iterdir()} == {
        p.name: p.read_bytes() for p in there.iterdir()
    }
    assert registry.promoted(workspace).label == "demonstration/1"
    (entry,) = json.loads(run(workspace, "models", "list", "--json").stdout)
    assert (entry["shipped"], entry["promoted"]) == (False, True)
    assert run(workspace, "models", "promote", "demonstration").exit_code == 0  # as it is there
    assert "experts" in run(workspace, "models", "rollback", "--lang", "en").stdout


def test_a_damaged_one_is_not_copied(workspace, ships):
    flip(ships / "demonstration" / "1")
    assert run(workspace, "models", "promote", "demonstration/1").exit_code == 1
    assert list(workspace.models.iterdir()) == []


def test_its_name_is_kept_for_it(workspace):
    for lang, words in (("zh", "不能是"), ("en", "cannot be called demonstration")):
        result = run(workspace, "train", "--name", "demonstration", "--lang", lang)
        assert (result.exit_code, words in result.output) == (2, True)
    assert registry.check_name("demonstration", demonstration=True) == "demonstration"


def test_what_ships_today_can_be_listed_and_shown(workspace):
    for entry in json.loads(run(workspace, "models", "list", "--json").stdout):
        assert entry["problem"] is None
        assert run(workspace, "models", "show", entry["model"]).exit_code == 0


def test_a_hash_is_of_the_bytes_that_are_read(saved):
    folder = saved.models / "main" / "1"
    manifest = registry.read_manifest(folder)
    content = (folder / MODEL).read_bytes()
    assert manifest.files[MODEL] == hashlib.sha256(content).hexdigest()
