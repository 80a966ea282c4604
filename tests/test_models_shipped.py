"""The demonstration model that ships: whole, of this catalogue, and used only if promoted."""

from __future__ import annotations

from earlywarn.models.store import registry, shipped
from earlywarn.scoring.run import score
from scoring_city import village


def test_it_ships_whole_and_says_what_it_is(tmp_path):
    workspace = village(tmp_path / "县 1")
    (entry,) = registry.list_shipped(workspace)
    assert (entry.label, entry.problem, entry.promoted) == ("demonstration/1", None, False)
    found, scorecard = registry.open_model(workspace, "demonstration/1")
    assert found.folder == shipped.root() / "demonstration" / "1"
    assert scorecard.generated
    assert scorecard.g_is_used
    card = (found.folder / "card.html").read_text("utf-8")
    assert "以下全部基于生成的数据" in card
    assert "All of this rests on generated data" in card
    assert sum(path.stat().st_size for path in found.folder.iterdir()) < 5e6


def test_a_score_uses_it_only_if_promoted(tmp_path):
    workspace = village(tmp_path / "县 1")
    assert score(workspace).info["model"].startswith("experts/")
    with workspace.lock("test"):
        registry.promote(workspace, "demonstration/1")
    assert score(workspace).info["model"] == "demonstration/1"
    assert (workspace.models / "demonstration" / "1" / "model.json").is_file()
