"""docs/recompute.py: forty lines that recompute every score from three files."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from earlywarn.features.write import write_features
from earlywarn.models.experts import rule_weights
from earlywarn.models.store import registry
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.run import SCORES_FILE as SCORES
from earlywarn.scoring.run import score
from scoring_city import CITY_DAY, VILLAGE_DAY, City, put_model, village

SCRIPT = ROOT / "docs" / "recompute.py"


def recompute(folder: Path, model: Path, features: Path, scores: Path) -> tuple[int, float]:
    """Run the script, alone with its three files, the last with what it may read of it only."""
    folder.mkdir()
    (folder / "model.json").write_bytes(model.read_bytes())
    (folder / "features.parquet").write_bytes(features.read_bytes())
    columns = ["student_id", "score", "rules_hit"]
    pq.write_table(pq.read_table(scores, columns=columns), folder / "hits.parquet")
    (folder / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT.name, "model.json", "features.parquet", "hits.parquet"],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = re.fullmatch(r"(\d+) students, largest difference (\S+)\n", done.stdout)
    assert said, done.stdout
    return int(said[1]), float(said[2])


@pytest.mark.parametrize("which", ["trained", "experts"])
def test_every_score_is_recomputed(city: City, tmp_path: Path, which: str) -> None:
    run = getattr(city, which)
    features = tmp_path / "features.parquet"
    write_features(city.workspace, CITY_DAY, features)
    model = city.workspace.models / run.info["model"] / registry.MODEL_FILE
    count, largest = recompute(tmp_path / "alone", model, features, run.folder.path / SCORES)
    assert count == run.info["counts"]["students"]
    assert largest < 1e-9
    tables = [t for t in json.loads(model.read_text("utf-8"))["features"] if t["thresholds"]]
    assert bool(tables) == (which == "trained")


def test_a_wrong_score_is_seen(city: City, tmp_path: Path) -> None:
    features = tmp_path / "features.parquet"
    write_features(city.workspace, CITY_DAY, features)
    model = city.workspace.models / city.trained.info["model"] / registry.MODEL_FILE
    scores = city.experts.folder.path / SCORES
    _, largest = recompute(tmp_path / "alone", model, features, scores)
    assert largest > 1e-6


def test_ladders_are_climbed(city: City, tmp_path: Path) -> None:
    ladders = {r.id: r.ladder for r in load_rulebook(city.workspace.rules).in_force(CITY_DAY)}
    hits = city.experts.folder.scores()["rules_hit"].to_pylist()
    climbed = [[ladders[h] for h in row if ladders[h]] for row in hits]
    assert any(len(set(row)) < len(row) for row in climbed)  # two hits on one ladder

    # With weights that differ from the points, and two of a ladder equal.
    workspace = village(tmp_path / "村")
    rulebook = load_rulebook(workspace.rules)
    weights = [0.25 * (place % 5) for place in range(len(rulebook.in_force(None)))]
    label = put_model(workspace, b0=-3.0, rules=rule_weights(rulebook, weights))
    run = score(workspace, VILLAGE_DAY, model=label)
    write_features(workspace, VILLAGE_DAY, tmp_path / "features.parquet")
    count, largest = recompute(
        tmp_path / "alone",
        workspace.models / label / registry.MODEL_FILE,
        tmp_path / "features.parquet",
        run.folder.path / SCORES,
    )
    assert (count, largest < 1e-9) == (18, True)


def test_it_has_at_most_40_lines_of_code() -> None:
    text = SCRIPT.read_text("utf-8")
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    begins = True  # a string that begins a statement is a docstring
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in skipped | {tokenize.ENDMARKER}:
            begins = True
            continue
        if not (token.type == tokenize.STRING and begins):
            lines.update(range(token.start[0], token.end[0] + 1))
        begins = False
    assert 10 < len(lines) <= 40
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported <= {"json", "math", "sys", "bisect", "pyarrow"}  # nothing of the program
    assert "open(" in text
    assert text.count("open(") == 1
