"""The shipped packs: they check, their own tests pass and cover, and the reasons read well."""

from datetime import date

import duckdb
import pyarrow as pa
import pytest

from earlywarn.features.catalogue import FEATURES, condition_kinds
from earlywarn.features.groups import GROUP_NAMES
from earlywarn.rules.check import check_rules
from earlywarn.rules.evaluate import verdicts
from earlywarn.rules.pack import RuleBook
from earlywarn.rules.reasons import placeholders
from earlywarn.rules.testing import run_tests
from earlywarn.words import Tier
from earlywarn.workspace import shipped


@pytest.fixture(scope="module")
def report():
    return check_rules(shipped("rules"))


@pytest.fixture(scope="module")
def rulebook(report) -> RuleBook:
    return report.rulebook


def test_no_problems(report):
    assert [problem.text.en for problem in report.problems] == []


def test_enough_rules_in_every_pack(rulebook):
    assert set(rulebook.packs) == {"attendance", "groups", "home", "marks", "return", "school"}
    assert len(rulebook.rules) >= 35
    assert all(rule.source.zh and rule.source.en for rule in rulebook.rules)


def test_own_tests_pass_and_cover(rulebook):
    result = run_tests(rulebook.rules, rulebook.groups)
    assert result.failures == ()
    assert result.lacking == {}
    assert len(result.results) >= 3 * len(rulebook.rules)


def test_the_report_rule_is_as_designed(rulebook):
    rule = next(rule for rule in rulebook.rules if rule.id == "unexcused-3d")
    assert (rule.when, rule.points, rule.floor) == ("unexcused_run >= 3", 2.0, Tier.URGENT)
    assert (rule.ladder, rule.action) == ("unexcused", "group-visit")
    assert rule.reason_text({"unexcused_run": 3}, "en") == (
        "Absent without leave for 3 school days running"
    )


def test_every_hit_has_a_way_to_act(rulebook):
    assert all(rule.action in rulebook.actions for rule in rulebook.rules)
    named = {rule.action for rule in rulebook.rules}
    assert set(rulebook.actions) == named
    causes = {action.cause for action in rulebook.actions.values()}
    assert len(causes) == 8


def test_every_group_has_rules_that_lower_the_bar(rulebook):
    named = {name for rule in rulebook.rules for name in rule.condition.names}
    assert set(GROUP_NAMES) <= named
    assert not any(rule.allow_group_alone for rule in rulebook.rules)


def test_points_never_fall_along_a_ladder(rulebook):
    tiers = {None: 0, Tier.WATCH: 1, Tier.HIGH: 2, Tier.URGENT: 3}
    runs = sorted(
        (float(r.when.split(">=")[1]), r.points, tiers[r.floor])
        for r in rulebook.rules
        if r.ladder == "unexcused"
    )
    assert [points for _, points, _ in runs] == sorted(points for _, points, _ in runs)
    assert [tier for _, _, tier in runs] == sorted(tier for _, _, tier in runs)


def test_school_texts_of_rules_for_groups_do_not_name_the_group(rulebook):
    words = (
        "留守",
        "残疾",
        "困难",
        "服刑",
        "孤儿",
        "随迁",
        "poor",
        "left-behind",
        "migrant",
        "inmate",
    )
    for rule in rulebook.rules:
        if not rule.names_group:
            assert not any(word in text for text in (*rule.reason, *rule.title) for word in words)


def test_reasons_fill_in_both_languages(rulebook):
    for rule in rulebook.rules:
        names = set(placeholders(rule.reason.zh))
        assert names == set(placeholders(rule.reason.en)) <= set(FEATURES)
        values = {name: 0.25 if FEATURES[name].type == "number" else 3 for name in names}
        for lang in ("zh", "en"):
            text = rule.reason_text(values, lang)
            assert "{" not in text
            assert "None" not in text


def facts(rows):
    kinds = condition_kinds()
    types = {
        "number": pa.float64(),
        "text": pa.string(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
    }
    columns = {"student_id": pa.array([row["student_id"] for row in rows])}
    for name, kind in kinds.items():
        columns[name] = pa.array([row.get(name) for row in rows], types[kind])
    return pa.table(columns)


def test_a_calm_child_hits_nothing_whatever_its_groups(rulebook):
    calm = {f.name: f.calm for f in FEATURES.values() if f.kind == "sign"}
    calm = {
        name: bool(value) if FEATURES[name].type == "boolean" and value is not None else value
        for name, value in calm.items()
    }
    everything = dict.fromkeys(GROUP_NAMES, True) | {
        "group_count": 5, "grade": 9, "stage": "junior", "age_years": 16, "boarding": True,
        "boarding_aid": False, "receives_aid": False, "placement": "home_teaching",
        "school_rural": True, "school_remote": True, "school_gap_20d": 0.0,
        "school_dropouts_3y_rate": 1.0, "school_poor_share": 1.0, "school_migrant_share": 1.0,
        "school_left_behind_share": 1.0, "travel": "walk",
    }  # fmt: skip
    rows = [
        {"student_id": "1"} | calm | everything,
        {"student_id": "2"} | everything,
        {"student_id": "3"},
    ]
    con = duckdb.connect()
    con.register("facts", facts(rows))
    table = verdicts(con, rulebook, None)
    for rule in rulebook.rules:
        assert True not in table.column(rule.id).to_pylist(), rule.id
    assert all(table.column(rule.id)[2].as_py() is None for rule in rulebook.rules)


def test_verdicts_are_sorted_and_nullable(rulebook):
    rows = [
        {"student_id": "b", "unexcused_run": 3},
        {"student_id": "a", "unexcused_run": 0},
        {"student_id": "c"},
    ]
    con = duckdb.connect()
    con.register("facts", facts(rows))
    table = verdicts(con, rulebook, date(2026, 11, 20))
    assert table.column_names == ["student_id", *(rule.id for rule in rulebook.rules)]
    assert table.column("student_id").to_pylist() == ["a", "b", "c"]
    assert table.column("unexcused-3d").to_pylist() == [False, True, None]
    assert table.column("unexcused-7d").to_pylist() == [False, False, None]
    con.register("other", facts(rows[:1]))
    assert verdicts(con, rulebook, None, source="other").num_rows == 1
