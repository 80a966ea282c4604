"""What other rules would change: the same as what they do change once they are switched on."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.impact.rows import CAPACITY, Impact, Moves
from earlywarn.impact.trial import impact
from earlywarn.models.experts import rule_weights
from earlywarn.models.store import registry
from earlywarn.rules.pack import load_rulebook
from earlywarn.rules.problems import RulesError
from earlywarn.scoring.run import Run, score
from earlywarn.workspace import Workspace
from scoring_city import (
    CITY_DAY,
    LATEST,
    TRUANT,
    VILLAGE_DAY,
    City,
    load,
    put_model,
    rows,
    tree,
    village,
)

NEW_RULE = """
pack: county
title: {zh: 本县, en: County}
rules:
  - id: county-late
    title: {zh: 常迟到, en: Often late}
    when: late_rate_20d >= 0.1
    points: 1.2
    floor: watch
    reason: {zh: "迟到率 {late_rate_20d}", en: "late on {late_rate_20d} of the days"}
    source: {zh: 本县, en: the county}
"""


def swap(folder: Path, file: str, *pairs: tuple[str, str]) -> None:
    """Change texts in one file of a rules folder; each must stand there."""
    text = (folder / file).read_text("utf-8")
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    (folder / file).write_text(text, "utf-8")


def add_rule(folder: Path) -> None:
    (folder / "county.yaml").write_text(NEW_RULE, "utf-8")


def other_points(folder: Path) -> None:
    """Other points, another threshold, a rule gone and one without its floor."""
    add_rule(folder)
    swap(folder, "attendance.yaml", ("points: 2.0", "points: 0.1"))
    swap(folder, "marks.yaml", ("failed_core >= 2", "failed_core >= 1"))
    (folder / "school.yaml").unlink()


def other_groups(folder: Path) -> None:
    """A child is left behind where both parents are away only; a rule that names it changes."""
    swap(
        folder,
        "groups.yaml",
        ("parents_away in ('one_parent', 'both_parents')", "parents_away = 'both_parents'"),
    )
    add_rule(folder)


CHANGES = [other_points, other_groups, add_rule]


def copy_rules(workspace: Workspace, root: Path, change: Callable[[Path], None]) -> Path:
    folder = root / "新规则 1"
    shutil.copytree(workspace.rules, folder)
    change(folder)
    return folder


def switch(workspace: Workspace, folder: Path) -> None:
    """Really switch the workspace to the rules in `folder`."""
    shutil.rmtree(workspace.rules)
    shutil.copytree(folder, workspace.rules)


def standings(run: Run) -> dict[str, tuple[str, bool, int, float]]:
    table = run.folder.scores()
    columns = ("student_id", "tier", "listed", "rank", "score")
    return {r[0]: r[1:] for r in zip(*(table[c].to_pylist() for c in columns), strict=True)}


def same_as_switching(workspace: Workspace, folder: Path, model: str | None) -> Impact:
    """Score, ask for the impact, switch, score: the runs differ by exactly what impact said."""
    before = standings(score(workspace, CITY_DAY, model=model))
    said = impact(workspace, folder, CITY_DAY, model=model)
    switch(workspace, folder)
    after = standings(score(workspace, CITY_DAY, model=model))
    assert before.keys() == after.keys()
    moved = {s for s in before if before[s][:2] != after[s][:2]}
    assert {child.student_id for child in said.children} == moved
    for child in said.children:
        for standing, real in ((child.before, before), (child.after, after)):
            told = (standing.tier.value, standing.listed, standing.rank, standing.score)
            assert told == real[child.student_id]
    assert said.moves.enter == sum(not before[s][1] and after[s][1] for s in before)
    assert said.moves.leave == sum(before[s][1] and not after[s][1] for s in before)
    assert (said.before.listed, said.after.listed) == tuple(
        sum(row[1] for row in run.values()) for run in (before, after)
    )
    assert sum(said.tiers.values()) == said.students == len(before)
    return said


def adds_up(said: Impact) -> None:
    """What holds of every impact: causes for all, effects that add up, counts that add up."""
    for child in said.children:
        assert child.causes, child.student_id
        effect = math.fsum(cause.effect for cause in child.causes)
        assert effect == pytest.approx(child.after.log_odds - child.before.log_odds, abs=1e-9)
        terms = {cause.term for cause in child.causes}
        assert (child.list_cause in terms) == bool(child.list_move)
        assert (child.tier_cause in terms) == bool(child.tier_move)
        assert child.tier_cause != CAPACITY
        for cause in child.causes:
            assert (cause.kind == "capacity") == bool(cause.children)
    for of in ("enter", "leave", "up", "down"):
        total = getattr(said.moves, of)
        assert total == sum(getattr(school.moves, of) for school in said.schools)
        effects = (*said.rules, *said.others)
        assert total == sum(getattr(effect.moves, of) for effect in effects)
        assert total == getattr(said.groups[0].moves, of)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("model", [None, "none"], ids=["promoted", "experts"])
def test_switching_does_exactly_what_was_said(
    city: City, tmp_path: Path, change: Callable[[Path], None], model: str | None
) -> None:
    workspace = city.copy(tmp_path / "某市 2")
    said = same_as_switching(workspace, copy_rules(workspace, tmp_path, change), model)
    assert said.children
    adds_up(said)


@pytest.mark.parametrize("model", [None, "none"], ids=["promoted", "experts"])
def test_equal_folders_change_nothing(city: City, tmp_path: Path, model: str | None) -> None:
    def comments(folder: Path) -> None:
        for file in folder.glob("*.yaml"):
            file.write_text(f"# mine\n{file.read_text('utf-8')}\n", "utf-8")

    said = impact(
        city.workspace, copy_rules(city.workspace, tmp_path, comments), CITY_DAY, model=model
    )
    assert said.same
    assert said.moves == Moves()
    assert (said.children, said.rules, said.others) == ((), (), ())
    assert (said.group_definitions, said.actions) == ((), ())
    assert said.before == said.after
    assert (
        said.before.listed
        == (city.trained if model is None else city.experts).info["counts"]["listed"]
    )
    assert not any(school.reordered for school in said.schools)
    own = impact(city.workspace, city.workspace.rules, CITY_DAY, model=model)
    assert own == said


@pytest.mark.parametrize("change", CHANGES)
def test_the_way_back_mirrors_the_way_there(
    city: City, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    there = city.copy(tmp_path / "a")
    folder = copy_rules(there, tmp_path, change)
    old = tmp_path / "old"
    shutil.copytree(there.rules, old)
    for model in (None, "none"):
        forth = impact(there, folder, CITY_DAY, model=model)
        back_from = city.copy(tmp_path / f"b {model}")
        switch(back_from, folder)
        back = impact(back_from, old, CITY_DAY, model=model)
        assert {(c.student_id, c.after, c.before) for c in back.children} == {
            (c.student_id, c.before, c.after) for c in forth.children
        }
        mirrored = Moves(forth.moves.leave, forth.moves.enter, forth.moves.down, forth.moves.up)
        assert back.moves == mirrored
        assert back.tiers == {(new, old): n for (old, new), n in forth.tiers.items()}
        for one, other in zip(forth.schools, back.schools, strict=True):
            assert (one.before, one.after) == (other.after, other.before)
            assert one.reordered == other.reordered
        for group, other_group in zip(forth.groups, back.groups, strict=True):
            assert group.members_before == other_group.members_after
            assert group.listed_after == other_group.listed_before
            assert group.moves.enter == other_group.moves.leave
            assert group.moves.up == other_group.moves.down


def test_nothing_is_switched_on(city: City, tmp_path: Path) -> None:
    workspace = city.copy(tmp_path / "w")
    shutil.rmtree(workspace.models / "experts")
    before = tree(workspace.root)
    folder = copy_rules(workspace, tmp_path, other_groups)
    first = impact(workspace, folder, CITY_DAY, model="none")
    second = impact(workspace, folder, CITY_DAY, model="none")
    assert first == second
    assert first.model == "experts"
    assert tree(workspace.root) == before


def test_it_runs_while_somebody_scores(ws: Workspace, tmp_path: Path) -> None:
    with ws.lock("score"):
        assert impact(ws, copy_rules(ws, tmp_path, add_rule), VILLAGE_DAY).students == 18


# --- one village, known child by child ---


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return village(tmp_path_factory.mktemp("village") / "w")


@pytest.fixture
def ws(pristine: Workspace, tmp_path: Path) -> Workspace:
    """The village (LA02, LB01 and LB02 are late; LA01 a truant) with a model that gives 0."""
    shutil.copytree(pristine.root, tmp_path / "某村 1")
    workspace = Workspace.open(tmp_path / "某村 1")
    (workspace.rules / "home.yaml").unlink(missing_ok=True)
    return workspace


def promote(workspace: Workspace, **changes: object) -> None:
    label = put_model(workspace, **changes)
    with workspace.lock("test"):
        registry.promote(workspace, label)


def moves(said: Impact) -> dict[str, tuple[str, str]]:
    return {c.student_id: (c.list_move, c.tier_move) for c in said.children}


def test_a_new_floor_enters_and_says_why_in_numbers(ws: Workspace, tmp_path: Path) -> None:
    swap(ws.rules, "attendance.yaml", ("late_rate_20d >=", "late_rate_20d > 1 +"))
    promote(ws)
    said = impact(ws, copy_rules(ws, tmp_path, add_rule), VILLAGE_DAY)
    # School B follows up one child; the second late one is of tier watch, but cut.
    assert moves(said) == {LATEST: ("enter", "up"), "LB01": ("enter", "up"), "LB02": ("", "up")}
    (cause,) = said.children[0].causes
    assert (cause.kind, cause.term, cause.effect, cause.floor_after) == (
        "hit",
        "county-late",
        1.2,
        "watch",
    )
    assert cause.reason is not None
    assert cause.reason.en == "late on 100% of the days"
    assert "100%" in cause.reason.zh
    (rule,) = said.rules
    assert (rule.state, rule.hits_before, rule.hits_after, rule.from_author) == ("new", 0, 3, True)
    assert (rule.moves, rule.touches) == (Moves(enter=2, up=3), 3)
    school = next(s for s in said.schools if s.school_id == "VB")
    assert (school.capacity, school.before.cut, school.after.cut) == (1, 0, 1)
    assert not rule.changes_nobody


def test_who_goes_ahead_displaces_and_is_named(ws: Workspace, tmp_path: Path) -> None:
    """LB01 and LB02 are equal, so LB01 has school B's one place; then LB02's rule puts it ahead."""
    swap(ws.rules, "attendance.yaml", ("late_rate_20d >=", "late_rate_20d > 1 +"))
    add_rule(ws.rules)
    promote(ws)
    load(
        ws,
        "attendance",
        rows(
            "attendance",
            student_id=["LB02"],
            date=[VILLAGE_DAY - timedelta(days=1)],
            status=["unexcused"],
        ),
    )
    folder = copy_rules(
        ws,
        tmp_path,
        lambda f: swap(
            f,
            "county.yaml",
            (
                "rules:\n",
                "rules:\n"
                "  - id: county-day\n"
                "    title: {zh: 旷课一天, en: A day without leave}\n"
                "    when: unexcused_days_20d between 1 and 2 and late_rate_20d > 0.5\n"
                "    points: 1\n"
                "    floor: high\n"
                '    reason: {zh: "{unexcused_days_20d} 天", en: "{unexcused_days_20d} days"}\n'
                "    source: {zh: 本县, en: the county}\n",
            ),
        ),
    )
    before = {c: r for c, r in standings(score(ws, VILLAGE_DAY)).items() if c.startswith("LB")}
    said = impact(ws, folder, VILLAGE_DAY)
    displaced = [c for c in said.children if c.list_cause == CAPACITY]
    assert {child: row[1] for child, row in before.items() if row[1]} == {"LB01": True}
    (child,) = displaced
    assert (child.student_id, child.list_move, child.tier_move) == ("LB01", "leave", "")
    (cause,) = child.causes
    assert (cause.kind, cause.effect) == ("capacity", 0.0)
    assert cause.children == ("LB02",)
    assert cause.through == (("county-day", 1),)
    rule = next(r for r in said.rules if r.id == "county-day")
    assert (rule.pushes, rule.moves.enter) == (1, 1)
    (other,) = said.others
    assert (other.term, other.moves) == (CAPACITY, Moves(leave=1))


def test_the_experts_base_level_moves_and_is_a_cause(ws: Workspace, tmp_path: Path) -> None:
    """More points for the truants' rule lower everybody else a little: b0 keeps the mean."""
    folder = copy_rules(ws, tmp_path, add_rule)
    said = impact(ws, folder, VILLAGE_DAY)
    assert said.b0_after < said.b0_before
    adds_up(said)
    assert all(
        any(c.kind == "base" and c.effect < 0 for c in child.causes) for child in said.children
    )


def test_points_that_the_model_has_fitted_change_nobody(ws: Workspace, tmp_path: Path) -> None:
    rulebook = load_rulebook(ws.rules)
    weights = [0.5] * len(rulebook.in_force(None))
    promote(ws, rules=rule_weights(rulebook, weights))
    first = next(rule for rule in rulebook.rules if rule.points == 2.0)
    folder = copy_rules(
        ws, tmp_path, lambda f: swap(f, "attendance.yaml", ("points: 2.0", "points: 2.5"))
    )
    said = impact(ws, folder, VILLAGE_DAY)
    assert not said.same
    assert said.children == ()
    rule = next(r for r in said.rules if r.id == first.id)
    assert rule.state == "changed"
    assert dict(rule.keys) == {"points": (2.0, 2.5)}
    assert rule.changes_nobody
    assert (rule.weight_before, rule.weight_after, rule.from_author) == (0.5, 0.5, False)


def test_ladders_say_which_rule_fell_silent(ws: Workspace, tmp_path: Path) -> None:
    """A stronger rule on the truant's ladder silences its hit; the way back lets it speak."""
    rulebook = load_rulebook(ws.rules)
    rule = next(r for r in rulebook.rules if r.id == "unexcused-3d")
    assert rule.ladder

    def stronger(folder: Path) -> None:
        text = NEW_RULE.replace("county-late", "county-truant").replace(
            "late_rate_20d >= 0.1", "unexcused_run >= 1"
        )
        text = text.replace(
            "points: 1.2\n    floor: watch", f"points: 4\n    ladder: {rule.ladder}"
        )
        text = text.replace("{late_rate_20d}", "{unexcused_run}")
        (folder / "county.yaml").write_text(text, "utf-8")
        # Without its floor the truant would not move; so that it does:
        swap(folder, "attendance.yaml", ("floor: urgent", "floor: watch"))

    folder = copy_rules(ws, tmp_path, stronger)
    for said, kinds in (
        (impact(ws, folder, VILLAGE_DAY), {"county-truant": "hit", "unexcused-3d": "silenced"}),
        (
            impact(_switched(ws, folder, tmp_path), ws.rules, VILLAGE_DAY),
            {"county-truant": "lost", "unexcused-3d": "heard"},
        ),
    ):
        child = next(c for c in said.children if c.student_id == TRUANT)
        assert {c.term: c.kind for c in child.causes if c.term in kinds} == kinds
        adds_up(said)


def _switched(workspace: Workspace, folder: Path, root: Path) -> Workspace:
    shutil.copytree(workspace.root, root / "switched")
    other = Workspace.open(root / "switched")
    switch(other, folder)
    return other


def test_what_lies_after_the_day_is_not_read(ws: Workspace, tmp_path: Path) -> None:
    folder = copy_rules(ws, tmp_path, add_rule)
    day = VILLAGE_DAY - timedelta(days=7)
    first = impact(ws, folder, day)
    load(
        ws,
        "attendance",
        rows(
            "attendance",
            student_id=["LA05"] * 5,
            date=[VILLAGE_DAY - timedelta(days=d) for d in range(5)],
            status=["unexcused"] * 5,
        ),
    )
    assert impact(ws, folder, day) == first
    assert impact(ws, folder).as_of == VILLAGE_DAY


def test_definitions_and_actions_are_compared(ws: Workspace, tmp_path: Path) -> None:
    def change(folder: Path) -> None:
        other_groups(folder)
        swap(folder, "actions.yaml", ("within_school_days: 1\n", "within_school_days: 2\n"))

    said = impact(ws, copy_rules(ws, tmp_path, change), VILLAGE_DAY)
    (group,) = said.group_definitions
    assert (group.id, group.state) == ("left_behind", "changed")
    assert group.keys["when"][1] == "parents_away = 'both_parents'"
    assert said.actions
    assert all(dict(a.keys) == {"within_school_days": (1, 2)} for a in said.actions)


# --- what cannot be used ---


def test_a_folder_that_is_none_and_one_that_is_not_whole(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(EarlywarnError) as caught:
        impact(ws, tmp_path / "nowhere", VILLAGE_DAY)
    assert "is no folder. Copy the whole of" in caught.value.text.en
    folder = copy_rules(ws, tmp_path, add_rule)
    (folder / "actions.yaml").unlink()
    (folder / "groups.yaml").unlink()
    with pytest.raises(RulesError) as rules:
        impact(ws, folder, VILLAGE_DAY)
    assert {p.file for p in rules.value.problems if "copy it from" in p.message.en} == {
        "actions.yaml",
        "groups.yaml",
    }


def test_problems_of_either_folder(ws: Workspace, tmp_path: Path) -> None:
    folder = copy_rules(ws, tmp_path, add_rule)
    swap(folder, "county.yaml", ("late_rate_20d >= 0.1", "late_rat_20d >= 0.1"))
    with pytest.raises(RulesError) as rules:
        impact(ws, folder, VILLAGE_DAY)
    assert "did you mean late_rate_20d?" in rules.value.text.en
    other = Workspace.open(ws.root)
    shutil.copyfile(folder / "county.yaml", other.rules / "county.yaml")
    with pytest.raises(EarlywarnError) as caught:
        impact(other, folder, VILLAGE_DAY)
    assert "The workspace's own rules" in caught.value.text.en
    assert caught.value.exit_code == 1


def test_rows_are_plain_data(ws: Workspace, tmp_path: Path) -> None:
    said = impact(ws, copy_rules(ws, tmp_path, add_rule), VILLAGE_DAY)
    assert json.dumps([dataclasses.asdict(c) for c in said.children], ensure_ascii=False)
