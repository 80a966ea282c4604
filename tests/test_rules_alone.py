"""Membership of a group alone: what is refused, and look-alikes that are not."""

import pytest

from earlywarn.conditions import compile_condition
from earlywarn.features.catalogue import CATALOGUE, condition_kinds
from earlywarn.features.groups import load_groups
from earlywarn.rules.alone import is_group_alone
from earlywarn.workspace import shipped

GROUPS = load_groups(shipped("rules"))
ALONE = [
    "left_behind",
    "not receives_aid",
    "poverty = 'registered'",
    "sex = 'F'",
    "grade = 7",
    "stage = 'junior'",
    "boarding",
    "on_leave",
    "school_dropouts_3y_rate >= 0.01",
    "left_behind and age_years >= 0",
    "migrant and grade >= 1",
    "poor_family or unexcused_run >= 3",
    "poor_family and coalesce(unexcused_run, 9) >= 3",
    "left_behind and absence_rate_20d is null",
    "left_behind and absence_rate_20d >= 0",
    "left_behind and absence_rate_20d < 0.5",
    "left_behind and not absence_rate_20d >= 0.05",
    "migrant and exam_mean_pct > 0.5",
    "disabled and home_teaching_days_60d >= 6",
    "group_count >= 2",
    "group_count + unexcused_run >= 2",
    "group_count / 2 >= 1",
    "grade * 2 > age_years",
    "parents_away <> 'none' and not left_behind is null",
    "aid_gap is null and poor_family",
    "days_since_return is null",
    "poor_family and boarding and not boarding_aid",
    "greatest(grade, 3) > 2",
    "true",
    "unexcused_run = 0",
    "exams_taken_365d <= 4",
    "(left_behind and unexcused_run >= 1) or (migrant and unexcused_run = 0)",
]
NOT_ALONE = [
    "unexcused_run >= 3",
    "left_behind and absence_rate_20d >= 0.05",
    "(left_behind or migrant) and absence_rate_20d >= 0.05",
    "left_behind and (absence_rate_20d >= 0.05 or failed_core >= 2)",
    "poor_family and coalesce(unexcused_run, 0) >= 3",
    "aid_gap",
    "aid_gap and boarding and not boarding_aid",
    "attendance_gap_20d > 0.5 and school_gap_20d <= 0.5",
    "group_count >= 1 and days_since_snapshot > 200",
    "placement = 'home_teaching' and home_teaching_days_60d < 6",
    "exam_mean_pct < 0.6",
    "exam_mean_pct < 0.6 and absence_rate_20d is null",
    "days_since_return <= 60",
    "exams_taken_365d = 0 and grade >= 2",
    "distance_km >= 4 and not boarding",
    "grade / age_years > 0.5 and unexcused_run >= 3",
    "unexcused_run >= 1 and unexcused_run is not null and migrant",
    "unexcused_run is null and unexcused_run >= 0",
    "left_behind and left_behind is null and unexcused_run = 0",
    "group_count > 5",
    "left_behind and parents_away = 'none'",
    "group_count = 0 and migrant",
    "group_count is null and disability = 'visual'",
    "absence_trend_60d > 0 and migrant",
    "false",
]


@pytest.mark.parametrize("text", ALONE)
def test_alone(text):
    assert is_group_alone(compile_condition(text, condition_kinds()), GROUPS) is not False


def test_more_signs_than_cases_can_be_tried():
    signs = [f.name for f in CATALOGUE if f.kind == "sign" and f.type != "boolean"]
    part = " or ".join(f"{name} > 1000000" for name in signs[:20])
    kinds = condition_kinds()
    assert is_group_alone(compile_condition(f"left_behind and ({part})", kinds), GROUPS) is False
    assert is_group_alone(compile_condition(f"left_behind or {part}", kinds), GROUPS) is not False


@pytest.mark.parametrize("text", ["grade / age_years - grade / age_years > 0", "grade - grade > 0"])
def test_not_decided_counts_as_alone(text):
    assert is_group_alone(compile_condition(text, condition_kinds()), GROUPS) is None


@pytest.mark.parametrize("text", NOT_ALONE)
def test_not_alone(text):
    assert is_group_alone(compile_condition(text, condition_kinds()), GROUPS) is False
