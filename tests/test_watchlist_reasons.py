"""Which reasons are shown, in which order, and what a school may not be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from earlywarn.rules.pack import Rule, RuleBook, load_rulebook
from earlywarn.watchlist.reasons import (
    Evidence,
    SchoolView,
    feature_reason,
    full_reasons,
    hidden_feature,
)
from earlywarn.watchlist.wording import typeset
from earlywarn.workspace import shipped
from watchlist_county import ACTIONS, AS_OF, ATTENDANCE, CALM, GROUPS, HOME

FACTS = {
    "absence_rate_20d": 0.25,
    "absence_rate_60d": 0.125,
    "unexcused_run": 3,
    "late_rate_20d": 0.2,
    "failed_subjects": 2,
    "exam_rank_pct": 0.95,
    "exam_z": -1.25,
    "exam_mean_pct": 0.4,
    "distance_km": 7.5,
    "left_behind": True,
    "school_poor_share": 0.4,
    "age_years": None,
    "prior_dropouts": 1,
    "on_leave": True,
}
BASIS = {
    "attendance_date": AS_OF,
    "exam_date": date(2026, 11, 10),
    "snapshot_date": date(2025, 9, 1),
    "event_date": date(2026, 3, 2),
}


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("rules")
    packs = {"groups": GROUPS, "attendance": ATTENDANCE, "home": HOME, "actions": ACTIONS}
    for name, text in packs.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_rulebook(folder)


@pytest.fixture(scope="module")
def rules(rulebook: RuleBook) -> dict[str, Rule]:
    return {rule.id: rule for rule in rulebook.rules}


def evidence(contributions: dict[str, float], *hits: str) -> Evidence:
    return Evidence(AS_OF, list(contributions.items()), hits, FACTS, BASIS, CALM | {"exam_z": -0.4})


def terms(found: tuple) -> list[str]:
    return [reason.term for reason in found]


def test_floor_first_then_size_one_a_family(rules: dict[str, Rule]) -> None:
    seen = full_reasons(
        evidence(
            {
                "b0": 9.0,
                "absence_rate_60d": 4.0,  # same family as the hit with a floor
                "exam_mean_pct": 0.3,
                "prior_dropouts": 0.9,
                "on_leave": -1.0,
                "rule:failed-two": 0.8,
                "rule:often-late": 0.1,
                "rule:unexcused-3d": 0.2,
            },
            "failed-two",
            "often-late",
            "unexcused-3d",
        ),
        rules,
    )
    assert terms(seen) == ["rule:unexcused-3d", "prior_dropouts", "rule:failed-two"]


def test_only_what_adds_is_shown(rules: dict[str, Rule]) -> None:
    seen = full_reasons(
        evidence(
            {"exam_mean_pct": -0.3, "late_rate_20d": 0.0, "rule:failed-two": 0.0}, "failed-two"
        ),
        rules,
    )
    assert seen == ()


def test_what_is_worse_than_calm_and_than_the_average_child_is_shown(
    rules: dict[str, Rule],
) -> None:
    # The average child's standard score is 0.4 of log-odds worse than calm.
    contributions = {"exam_z": -0.1, "late_rate_20d": 0.2}
    assert terms(full_reasons(evidence(contributions), rules)) == ["late_rate_20d"]
    calm = Evidence(AS_OF, [("distance_km", 0.9), ("late_rate_20d", 0.3)], [], FACTS, BASIS, {})
    for distance, late, shown in (
        (1.0, 0.0, ["late_rate_20d"]),  # better than calm
        (0.9, 0.0, ["late_rate_20d"]),  # as calm
        (0.7, 0.0, ["late_rate_20d", "distance_km"]),  # a little worse, though far above average
        (0.0, -5.0, ["distance_km", "late_rate_20d"]),  # far from calm, but near the average
    ):
        signs = replace(calm, calm={"distance_km": distance, "late_rate_20d": late})
        assert terms(full_reasons(signs, rules)) == shown


def test_context_and_groups_are_no_reasons(rules: dict[str, Rule]) -> None:
    context = {"on_leave": 1.0, "age_years": 1.0, "left_behind": 1.0, "school_poor_share": 1.0}
    assert full_reasons(evidence(context), rules) == ()


def test_a_floor_that_weighs_nothing_is_still_why_the_child_is_here(rules: dict[str, Rule]) -> None:
    seen = full_reasons(evidence({"rule:unexcused-3d": 0.0}, "unexcused-3d"), rules)
    assert terms(seen) == ["rule:unexcused-3d"]


def test_hit_silenced_on_its_ladder_is_not_shown(rules: dict[str, Rule]) -> None:
    contributions = {"rule:absent-20": 0.0, "rule:left-behind-absent": 3.0}
    seen = full_reasons(evidence(contributions, "absent-20", "left-behind-absent"), rules)
    assert terms(seen) == ["rule:left-behind-absent"]


def test_words_numbers_and_dates(rules: dict[str, Rule]) -> None:
    (run,) = full_reasons(evidence({"rule:unexcused-3d": 2.0}, "unexcused-3d"), rules)
    assert run("zh") == "已连续旷课 3 天（截至11月20日）"
    assert run("en") == "Absent without leave for 3 school days running (up to 20 Nov)"
    assert run.on == AS_OF
    (rate,) = full_reasons(evidence({"absence_rate_60d": 1.0}), rules)
    assert rate("zh") == "近60天缺勤率 12%（截至11月20日）"
    assert rate("en") == "Absence rate, last 60 school days 12% (up to 20 Nov)"
    (marks,) = full_reasons(evidence({"exam_mean_pct": 1.0}), rules)
    assert marks("zh") == "最近一次考试平均得分率 40%（11月10日考试）"
    distance = feature_reason(evidence({}), "distance_km", 1.0)
    assert distance("zh") == "上学距离 7.5 公里（2025年9月1日学籍）"
    assert distance("en") == "Distance to school 7.5 km (registry of 1 Sep 2025)"
    missing = feature_reason(evidence({}), "age_years", 1.0)
    assert missing("zh") == "缺少数据：周岁"
    assert missing("en") == "No data: age"
    leave = feature_reason(evidence({}), "on_leave", 1.0)
    assert leave("zh") == "休学中（3月2日登记）"


def test_a_learned_reason_takes_the_action_of_its_familys_rule(rules: dict[str, Rule]) -> None:
    contributions = {"absence_rate_60d": 4.0, "rule:absent-20": 1.2}
    (seen,) = SchoolView(rules.values(), {}).reasons(evidence(contributions, "absent-20"))
    assert (seen.term, seen.action) == ("absence_rate_60d", "talk")


def test_what_a_school_never_sees(rules: dict[str, Rule]) -> None:
    view = SchoolView(rules.values(), {})
    contributions = {
        "distance_km": 3.0,
        "left_behind": 3.0,
        "school_poor_share": 3.0,
        "placement": 3.0,
        "rule:far-away": 3.0,
        "rule:inmate-unexcused": 3.0,
        "rule:left-behind-absent": 3.0,
        "late_rate_20d": 0.01,
    }
    hits = ("far-away", "inmate-unexcused", "left-behind-absent")
    seen = view.reasons(evidence(contributions, *hits))
    assert terms(seen) == ["late_rate_20d"]
    assert len(full_reasons(evidence(contributions, *hits), rules)) == 3


def test_a_hidden_hit_takes_nothing_away(rules: dict[str, Rule]) -> None:
    """A rule silenced by a hidden one on its ladder is shown as if that one did not exist."""
    weights = {"absent-20": 1.1, "left-behind-absent": 3.0}
    view = SchoolView(rules.values(), weights)
    alone = view.reasons(evidence({"rule:absent-20": 1.1, "exam_z": 1.05}, "absent-20"))
    both = view.reasons(
        evidence(
            {"rule:absent-20": 0.0, "exam_z": 1.05, "rule:left-behind-absent": 3.0},
            "absent-20",
            "left-behind-absent",
        )
    )
    assert both == alone
    assert terms(both) == ["rule:absent-20", "exam_z"]


def test_no_ranking_by_marks_on_a_schools_list(rules: dict[str, Rule]) -> None:
    view = SchoolView(rules.values(), {})
    for seen in (
        view.reasons(evidence({"exam_rank_pct": 1.0})),
        view.reasons(evidence({"rule:bottom": 1.0}, "bottom")),
    ):
        assert "95" not in seen[0]("zh") + seen[0]("en")
        assert "最近一次考试成绩" in seen[0]("zh")
    (full,) = full_reasons(evidence({"rule:bottom": 1.0}, "bottom"), rules)
    assert "95%" in full("zh")


def test_hidden_in_the_shipped_rules() -> None:
    for rule in load_rulebook(shipped("rules")).rules:
        if rule.names_group or rule.family == "home":
            assert rule.hidden_from_schools
    assert hidden_feature("parent_incarcerated")
    assert hidden_feature("aid_gap")
    assert hidden_feature("school_migrant_share")
    assert not hidden_feature("school_absence_rate_20d")


@pytest.mark.parametrize(
    ("typed", "set_right"),
    [
        ("单独谈一次" + chr(44) + "弄清原因" + chr(59) + " 再说", "单独谈一次，弄清原因；再说"),
        ("位次" + chr(40) + "0 最好" + chr(41) + " 85%", "位次（0 最好）85%"),
        ("f(x), 12:30", "f(x), 12:30"),
        ("已连续旷课 3 天" + chr(33), "已连续旷课 3 天！"),
    ],
)
def test_chinese_punctuation(typed: str, set_right: str) -> None:
    assert typeset(typed) == set_right
