"""What runs remember of a rule: history, hits, and precision counted again in plain Python."""

from __future__ import annotations

import json
import math
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.engine.duckdb import connect
from earlywarn.rules.pack import load_rulebook
from earlywarn.rules.record import COMPARED
from earlywarn.scoring.history import newest_runs, rule_history
from earlywarn.scoring.rule_explanation import explain_rule
from earlywarn.scoring.rule_outcomes import Share, hits_in, outcomes_of
from earlywarn.scoring.run import RULES_FILE, RUN_FILE, SCORES_FILE, score
from earlywarn.workspace import Workspace
from rule_runs import (
    COMPLETE,
    DAYS,
    EVERYBODY,
    HORIZON,
    LEFT,
    OUTCOMES,
    UNKNOWN,
    Story,
    place,
    remove_rule,
    scores,
    story,
    write_rule,
)

RULE = "own-late"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story; to be read only."""
    return story(tmp_path_factory.mktemp("story") / "某村 1")


@pytest.fixture
def own(told: Story, tmp_path: Path) -> Workspace:
    """A copy of the story's workspace to write to."""
    shutil.copytree(told.workspace.root, tmp_path / "w")
    return Workspace.open(tmp_path / "w")


# --- what a run keeps ---


def test_a_run_keeps_the_rules_in_force_with_their_weights(told: Story) -> None:
    last = told.runs[-1].folder
    used = last.rules()
    assert used is not None
    assert set(used) == {rule.id for rule in load_rulebook(told.workspace.rules).in_force(DAYS[-1])}
    rule = used[RULE]
    assert (rule["pack"], rule["file"]) == ("own", "own.yaml")
    assert rule["title"] == {"zh": "经常迟到", "en": "Often late"}
    assert (rule["points"], rule["weight"]) == (0.7, 0.0)  # the model made by hand has no weights
    assert (rule["when"], rule["floor"]) == ("late_rate_20d >= 0.3", "watch")
    assert (rule["ladder"], rule["effective"], rule["family"]) == (None, None, "lateness")
    assert rule["action"] == "talk-with-child"
    assert rule["reason"]["en"] == "Late on {late_rate_20d}"
    assert set(COMPARED) <= set(rule)
    earlier = told.runs[1].folder.rules()
    assert earlier is not None
    assert earlier[RULE]["weight"] == earlier[RULE]["points"] == 0.5


def test_when_it_was_made_is_no_input(tmp_path: Path) -> None:
    workspace = place(tmp_path / "w")
    run = score(workspace, DAYS[0])
    assert run.info["made"].endswith("+00:00")
    assert "made" not in run.info["inputs"]
    (run.folder.path / RULES_FILE).unlink()
    assert not score(workspace, DAYS[0]).is_new  # rules.json is no input either
    before = (run.folder.path / SCORES_FILE).read_bytes()
    shutil.rmtree(run.folder.path)
    again = score(workspace, DAYS[0])
    assert (again.folder.path / SCORES_FILE).read_bytes() == before
    assert again.info["inputs_hash"] == run.info["inputs_hash"]


# --- history ---


def test_every_change_in_the_order_of_the_runs(told: Story) -> None:
    found = rule_history(told.workspace, RULE)
    assert (found.runs, found.older, found.damaged) == (6, 1, 0)
    shown = [
        (
            event.kind,
            event.run.as_of,
            event.run.number,
            {d.what: (d.before, d.after) for d in event.differences},
        )
        for event in found.events
    ]
    assert shown == [
        ("first", DAYS[1], 1, {}),
        ("changed", DAYS[2], 1, {"points": (0.5, 0.7), "weight": (0.5, 0.7)}),
        (
            "changed",
            DAYS[3],
            1,
            {"when": ("late_rate_20d  >=  0.50", "late_rate_20d >= 0.3"), "floor": (None, "watch")},
        ),
        ("gone", DAYS[4], 1, {}),
        ("back", DAYS[4], 2, {}),
        ("changed", DAYS[4], 3, {"weight": (0.7, 0.0)}),
    ]
    assert found.first_seen is not None
    assert found.first_seen.as_of == DAYS[1]
    assert found.events[-1].run.model == "main/1"
    assert found.pending == "changed"
    assert [(d.what, d.before, d.after) for d in found.pending_changes] == [
        ("points", 0.7, 0.9),
        ("floor", "watch", "high"),
    ]


def test_removed_new_and_unchanged(own: Workspace) -> None:
    remove_rule(own)
    assert rule_history(own, RULE).pending == "removed"
    write_rule(own, "late_rate_20d>=0.3", 0.7, "floor: watch")
    assert rule_history(own, RULE).pending == "none"  # only spelt another way
    text = (own.rules / "own.yaml").read_text("utf-8")
    (own.rules / "own.yaml").write_text(text.replace("own-late", "own-tardy"), "utf-8")
    new = rule_history(own, "own-tardy")
    assert (new.pending, new.events, new.last) == ("new", (), None)
    nothing = rule_history(own, "unheard-of")
    assert (nothing.pending, nothing.events) == ("none", ())


def test_damaged_runs_are_counted(own: Workspace, told: Story) -> None:
    where = own.runs / told.runs[2].folder.path.relative_to(told.workspace.runs)
    (where / RULES_FILE).write_text("{", "utf-8")
    other = own.runs / told.runs[3].folder.path.relative_to(told.workspace.runs)
    (other / RUN_FILE).write_text("[]", "utf-8")
    found = rule_history(own, RULE)
    assert (found.runs, found.older, found.damaged) == (4, 1, 2)
    assert [event.kind for event in found.events] == ["first", "gone", "back", "changed"]


def test_dated_versions_are_no_change_when_an_earlier_day_is_scored_again(tmp_path: Path) -> None:
    workspace = place(tmp_path / "w")
    write_rule(workspace, "late_rate_20d >= 0.5", 0.5, "effective: {to: 2026-03-22}")
    text = (workspace.rules / "own.yaml").read_text("utf-8")
    later = text[text.index("  - id:") :].replace("{to: 2026-03-22}", "{from: 2026-03-23}")
    later = later.replace("points: 0.5", "points: 0.8")
    (workspace.rules / "own.yaml").write_text(text + later, "utf-8")
    for day in (DAYS[0], DAYS[2], DAYS[1]):  # the last one goes back to the first version
        score(workspace, day)
    found = rule_history(workspace, RULE)
    assert [(e.kind, e.run.as_of) for e in found.events] == [
        ("first", DAYS[0]),
        ("changed", DAYS[2]),
    ]
    what = [d.what for d in found.events[1].differences if d.what != "weight"]
    assert what == ["points", "effective"]
    assert found.pending == "none"
    write_rule(workspace, "late_rate_20d >= 0.5", 0.5, "effective: {from: 2027-01-01}")
    assert rule_history(workspace, RULE).pending == "not_due"
    score(workspace, DAYS[3])  # on that day the second version was in force
    assert [e.kind for e in rule_history(workspace, RULE).events][2:] == ["gone"]


def test_a_day_on_which_it_is_not_in_force_does_not_say_that_it_has_gone(tmp_path: Path) -> None:
    workspace = place(tmp_path / "w")
    write_rule(workspace, "late_rate_20d >= 0.5", 0.5, "effective: {from: 2026-03-23}")
    for day in (DAYS[2], DAYS[0]):
        score(workspace, day)
    found = rule_history(workspace, RULE)
    assert ([event.kind for event in found.events], found.pending) == (["first"], "none")


def test_without_runs_there_is_no_history(tmp_path: Path) -> None:
    found = rule_history(Workspace.init(tmp_path / "w"), "unexcused-3d")
    assert (found.runs, found.events, found.pending) == (0, (), "none")


# --- hits ---


def newest(told: Story) -> list:
    by_day = {run.folder.as_of: run for run in told.runs}  # later ones replace earlier ones
    return [by_day[day] for day in sorted(by_day)]


def test_hits_are_those_of_the_file(told: Story) -> None:
    found = explain_rule(told.workspace, RULE)
    assert [hits.as_of for hits in found.hits] == DAYS
    assert found.hits[-1].number == 3
    for hits, run in zip(found.hits, newest(told), strict=True):
        rows = scores(run)
        hit = [row for row in rows if RULE in row["rules_hit"]]
        assert hits.students == len(rows)
        assert hits.hits == len(hit) > 0
        assert hits.share == len(hit) / len(rows)
        assert hits.unknown == sum(RULE in row["rules_unknown"] for row in rows) == 1
        assert hits.listed == sum(row["listed"] for row in hit)
        assert hits.urgent == sum(row["tier"] == "urgent" for row in hit)
        assert hits.high == sum(row["tier"] == "high" for row in hit)
    assert [hits.was_used for hits in found.hits] == [None, True, True, True, True]
    assert [hits.same_condition for hits in found.hits] == [None, False, False, True, True]
    assert any(hits.listed for hits in found.hits)


def test_only_the_last_runs(told: Story) -> None:
    found = explain_rule(told.workspace, RULE, runs=2)
    assert [hits.as_of for hits in found.hits] == DAYS[-2:]
    # precision is of the last runs whose windows have ended, not of the last runs
    assert [judged.as_of for judged in found.outcomes.judged] == DAYS[:2]
    assert [j.as_of for j in explain_rule(told.workspace, RULE, runs=1).outcomes.judged] == DAYS[
        1:2
    ]


def test_a_rule_of_other_days_has_no_hits(told: Story) -> None:
    con = connect(told.workspace)
    try:
        hits = hits_in(con, newest_runs(told.workspace)[-1], "unheard-of", lambda day: None)
    finally:
        con.close()
    assert (hits.students, hits.hits, hits.unknown, hits.was_used) == (18, 0, 0, False)


def test_a_damaged_file_is_passed_over(own: Workspace) -> None:
    (newest_runs(own)[0].path / SCORES_FILE).write_bytes(b"PAR1")
    found = explain_rule(own, RULE)
    assert found.damaged == 1
    assert [hits.as_of for hits in found.hits] == DAYS[1:]
    assert [judged.as_of for judged in found.outcomes.judged] == DAYS[1:2]


# --- precision ---


def judge(run) -> dict[str, tuple[bool, bool | None]]:
    """For each child of a run: hit, and label (None = lost from sight), without any SQL."""
    start = run.folder.as_of
    end = start + timedelta(days=HORIZON)
    found = {}
    for row in scores(run):
        child = row["student_id"]
        events = {e for c, day, e in OUTCOMES if c == child and start < day <= end}
        left = child == LEFT[0] and start < LEFT[1] <= end
        label: bool | None = False
        if "dropped_out" in events:
            label = True
        elif "graduated" not in events and (left or events & {"transferred", "abroad", "deceased"}):
            label = None
        found[child] = (RULE in row["rules_hit"], label)
    return found


def share(labels: list[bool | None]) -> tuple[int, int]:
    known = [label for label in labels if label is not None]
    return len(known), sum(known)


def pair(found: Share) -> tuple[int, int]:
    return found.children, found.events


def test_precision_counted_again(told: Story) -> None:
    outcomes = explain_rule(told.workspace, RULE).outcomes
    assert outcomes.complete_until == COMPLETE
    assert [judged.as_of for judged in outcomes.judged] == DAYS[:2]
    first: dict[str, bool | None] = {}
    together = [0, 0]
    for judged, run in zip(outcomes.judged, newest(told), strict=False):
        children = judge(run)
        everybody = share([label for _, label in children.values()])
        hit = [label for was_hit, label in children.values() if was_hit]
        assert pair(judged.hit) == share(hit)
        assert pair(judged.cohort) == everybody
        assert judged.not_hit is not None
        assert pair(judged.not_hit) == share(
            [lb for was_hit, lb in children.values() if not was_hit]
        )
        assert judged.lost == hit.count(None)
        assert judged.lift == pytest.approx(
            (judged.hit.events / judged.hit.children) / (everybody[1] / everybody[0])
        )
        together = [a + b for a, b in zip(together, everybody, strict=True)]
        for child, (was_hit, label) in children.items():
            if was_hit:
                first.setdefault(child, label)
    pooled = outcomes.pooled
    assert pooled is not None
    assert pair(pooled.hit) == share(list(first.values()))
    assert pair(pooled.cohort) == tuple(together)
    assert pooled.lost == list(first.values()).count(None)
    assert (pooled.runs, pooled.same_condition) == (2, False)
    # the village was made so that each case occurs
    hit_first = {child for child, (was_hit, _) in judge(newest(told)[0]).items() if was_hit}
    assert {"LA12", "LA11", "LA10", "LA09", "LA08", "LA07"} <= hit_first
    assert {"LA02", UNKNOWN}.isdisjoint(hit_first)
    assert outcomes.judged[0].lost > 0
    assert outcomes.judged[0].hit.events > 0
    assert pooled.hit.children < sum(j.hit.children for j in outcomes.judged)


def test_what_is_not_known_yet_says_from_when(own: Workspace) -> None:
    early = own.set_config(outcomes_complete_until=DAYS[0] + timedelta(days=HORIZON - 1))
    outcomes = explain_rule(early, RULE).outcomes
    assert (outcomes.judged, outcomes.pooled) == ((), None)
    assert outcomes.known_from == DAYS[0] + timedelta(days=HORIZON)
    due = own.set_config(outcomes_complete_until=DAYS[0] + timedelta(days=HORIZON))
    assert [judged.as_of for judged in explain_rule(due, RULE).outcomes.judged] == DAYS[:1]
    # left empty, outcomes are complete until the newest of them: 5 April
    assert explain_rule(own.set_config(outcomes_complete_until=None), RULE).outcomes.judged


def test_without_outcomes_nothing_is_judged(tmp_path: Path) -> None:
    workspace = place(tmp_path / "w")
    score(workspace, DAYS[0])
    outcomes = explain_rule(workspace, RULE).outcomes
    assert (outcomes.complete_until, outcomes.judged) == (None, ())
    assert outcomes.known_from == DAYS[0] + timedelta(days=HORIZON)


def test_events_after_the_window_are_not_read(own: Workspace) -> None:
    before = explain_rule(own, RULE).outcomes.judged[0]
    more = [(child, date(2026, 3, 28), "dropped_out") for child in EVERYBODY]
    from rule_runs import load, rows

    load(
        own,
        "outcomes",
        rows(
            "outcomes",
            student_id=[c for c, _, _ in more],
            date=[d for _, d, _ in more],
            event=[e for _, _, e in more],
        ),
    )
    found = explain_rule(Workspace.open(own.root), RULE).outcomes.judged
    assert found[0] == before
    assert found[1].cohort.events > 15


def test_a_run_that_did_not_use_the_rule_is_not_judged(own: Workspace) -> None:
    remove_rule(own)
    score(own, DAYS[1])
    write_rule(own, "late_rate_20d >= 0.5")
    found = explain_rule(own, RULE)
    assert found.hits[1].was_used is False
    assert [judged.as_of for judged in found.outcomes.judged] == DAYS[:1]


def test_outcomes_by_themselves_leave_the_order_to_the_dates(told: Story) -> None:
    con = connect(told.workspace)
    try:
        runs = newest_runs(told.workspace)
        found = outcomes_of(con, told.workspace.config, runs, RULE, lambda day: None, 99)
    finally:
        con.close()
    assert [judged.same_condition for judged in found.judged] == [None, False]
    assert json.loads(json.dumps(found.as_dict()))["pooled"]["runs"] == 2


@pytest.mark.parametrize(
    ("events", "children", "low", "high"),
    [
        (2, 10, 0.0567, 0.5098),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_as_published(events: int, children: int, low: float, high: float) -> None:
    assert Share(children, events).interval == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_wilson_bounds_solve_their_equation(counts: tuple[int, int]) -> None:
    children, events = counts
    found = Share(children, events)
    interval = found.interval
    assert interval is not None
    assert found.value is not None
    assert 0 <= interval[0] <= found.value + 1e-12
    assert found.value - 1e-12 <= interval[1] <= 1
    for bound in interval:
        distance = abs(found.value - bound)
        assert distance == pytest.approx(
            1.959963984540054 * math.sqrt(bound * (1 - bound) / children), abs=1e-6
        )


def test_nobody_has_no_share() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, None)
