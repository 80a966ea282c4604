"""`rules check` beyond syntax: each fault is found, and none on as many correct look-alikes."""

import re
import shutil
from datetime import date

import pytest

from earlywarn.rules.check import check_rules
from earlywarn.rules.pack import load_rulebook
from earlywarn.rules.problems import Fault, RulesError
from earlywarn.workspace import shipped

RULE = """
  - id: {id}
    title: {{zh: "{zh}", en: "{en}"}}
    when: {when}
    points: {points}
    {more}
    reason: {{zh: "{zh}", en: "{en}"}}
    source: {{zh: "本县规定", en: "rule of the county"}}
    tests:
      - {{given: {{}}, expect: hit}}
      - {{given: {{}}, expect: miss}}
"""


def rule(when, id="own", points=1.0, more="floor: watch", zh="近期缺课", en="Absent of late"):
    return RULE.format(id=id, when=when, points=points, more=more, zh=zh, en=en)


def check(tmp_path, *rules):
    """Check the shipped actions and groups with a pack of these rules alone."""
    for name in ("actions.yaml", "groups.yaml"):
        shutil.copy(shipped("rules") / name, tmp_path / name)
    groups = (tmp_path / "groups.yaml").read_text("utf-8")
    (tmp_path / "groups.yaml").write_text(groups.partition("\npack:")[0] + "\n", "utf-8")
    pack = 'pack: own\ntitle: {zh: "本县", en: "Own"}\nrules:\n' + "".join(rules)
    (tmp_path / "own.yaml").write_text(pack, "utf-8")
    return check_rules(tmp_path, date(2026, 11, 20))


def faults(report):
    return [problem.fault for problem in report.problems]


NEVER = [
    "unexcused_run > 5 and unexcused_run < 3",
    "absence_rate_20d > 1",
    "unexcused_run >= 3 and not unexcused_run >= 2",
    "absence_rate_20d - absence_rate_60d > 1.5",
    "left_behind and parents_away = 'none' and unexcused_run >= 1",
    "unexcused_days_5d = 6",
]
NOT_NEVER = [
    "unexcused_run < 5 and unexcused_run > 3",
    "absence_rate_20d >= 1",
    "unexcused_run >= 2 and not unexcused_run >= 3",
    "absence_rate_20d - absence_rate_60d > 0.5",
    "left_behind and parents_away = 'both_parents' and unexcused_run >= 1",
    "unexcused_days_5d = 5",
]
ALWAYS = [
    "exams_taken_365d >= 0",
    "prior_dropouts >= 0 or unexcused_run >= 3",
    "unexcused_run >= 1 or unexcused_run < 1 or unexcused_run is null",
    "coalesce(absence_rate_20d, 0) <= 1",
    "on_leave or not on_leave",
]
NOT_ALWAYS = [
    "unexcused_run >= 1",
    "prior_dropouts >= 1 or unexcused_run >= 3",
    "unexcused_run >= 1 or absence_rate_20d >= 0.5",
    "coalesce(absence_rate_20d, 0) > 0.5",
    "on_leave and unexcused_run >= 1",
]
SAME = [
    ("not unexcused_run < 3", "unexcused_run >= 3"),
    ("unexcused_run > 2", "unexcused_run >= 3"),
    ("unexcused_run >= 3", "3.0 <= unexcused_run"),
    ("unexcused_run >= 3 and left_behind", "parents_away <> 'none' and unexcused_run >= 3"),
    ("not (absence_rate_20d < 0.2 or failed_core < 2)", "failed_core >= 2 and "
     "absence_rate_20d >= 0.2"),
    ("failed_core in (2, 3)", "failed_core between 2 and 3"),
    ("absence_rate_5d > absence_rate_60d", "absence_rate_60d < absence_rate_5d"),
    ("absence_rate_5d - absence_rate_60d >= 0.3 and failed_core >= 2",
     "failed_core >= 2 and not absence_rate_5d - absence_rate_60d < 0.3"),
]  # fmt: skip
NOT_SAME = [
    ("not unexcused_run < 3", "unexcused_run > 3"),
    ("absence_rate_20d > 0.2", "absence_rate_20d >= 0.2"),
    ("unexcused_run >= 3", "3.5 <= unexcused_run"),
    ("unexcused_run >= 3 and left_behind", "parents_away = 'one_parent' and unexcused_run >= 3"),
    ("not (absence_rate_20d < 0.2 and failed_core < 2)", "failed_core >= 2 and "
     "absence_rate_20d >= 0.2"),
    ("failed_core in (2, 4)", "failed_core between 2 and 4"),
    ("absence_rate_5d > absence_rate_60d", "absence_rate_60d > absence_rate_5d"),
    ("absence_rate_5d - absence_rate_60d >= 0.3", "absence_rate_60d - absence_rate_5d >= 0.3"),
]  # fmt: skip
# The inner rule, the outer rule: (condition, points, further keys).
CONTAINED = [
    (("unexcused_run >= 5", 1.0, "ladder: away"), ("unexcused_run >= 3", 2.0, "ladder: away")),
    (("unexcused_run >= 5", 1.0, "ladder: away"), ("unexcused_run >= 3", 1.0, "ladder: away")),
    (("unexcused_run >= 5", 0, "action: home-visit"), ("unexcused_run >= 3", 1.0, "floor: high")),
    (("unexcused_run >= 5 and failed_core >= 2", 0, "floor: watch"),
     ("unexcused_run >= 3", 1.0, "floor: high")),
    (("unexcused_run >= 5", 0.9, "{ladder: away, action: find-child}"),
     ("unexcused_run >= 3", 1.0, "{ladder: away, action: group-visit}")),
    (("left_behind and unexcused_run >= 3", 1.0, "{ladder: away, floor: watch}"),
     ("unexcused_run >= 3", 2.0, "{ladder: away, floor: watch}")),
]  # fmt: skip
NOT_CONTAINED = [
    # a step of its own (twice), more points, no ladder, a higher floor, another stretch, dates of
    # its own, a hidden rule
    (("unexcused_run >= 30", 0, "{floor: high, action: find-child}"),
     ("unexcused_run >= 20", 0, "{floor: high, action: group-visit}")),
    (("unexcused_run >= 5", 1.0, "{ladder: away, action: find-child}"),
     ("unexcused_run >= 3", 1.0, "{ladder: away, action: group-visit}")),
    (("unexcused_run >= 5", 3.0, "ladder: away"), ("unexcused_run >= 3", 2.0, "ladder: away")),
    (("unexcused_run >= 5", 1.0, "ladder: one"), ("unexcused_run >= 3", 2.0, "ladder: other")),
    (("unexcused_run >= 5", 0, "floor: urgent"), ("unexcused_run >= 3", 1.0, "floor: high")),
    (("unexcused_run >= 2", 1.0, "ladder: away"), ("unexcused_run >= 3", 2.0, "ladder: away")),
    (("unexcused_run >= 5", 1.0, "ladder: away"),
     ("unexcused_run >= 3", 2.0, "{ladder: away, effective: {from: 2026-09-01}}")),
    (("unexcused_run >= 5", 1.0, "ladder: away"),
     ("unexcused_run >= 5 or left_behind and unexcused_run >= 3", 2.0, "ladder: away")),
]  # fmt: skip
ALONE = [
    "parents_away = 'both_parents'",
    "left_behind and age_years >= 0",
    "migrant and grade >= 1",
    "poor_family or unexcused_run >= 3",
    "poor_family and coalesce(unexcused_run, 9) >= 3",
    "disabled and not absence_rate_20d >= 0.5",
]
NOT_ALONE = [
    "parents_away = 'both_parents' and unexcused_run >= 1",
    "left_behind and absence_rate_20d >= 0.05",
    "migrant and grade >= 1 and failed_core >= 2",
    "poor_family and unexcused_run >= 3",
    "poor_family and coalesce(unexcused_run, 0) >= 3",
    "disabled and absence_rate_20d >= 0.5",
]
SENSITIVE = [
    ("留守儿童缺课", "Absent of late"),
    ("近期缺课", "Left-behind child, absent of late"),
    ("随迁子女缺课", "Absent of late"),
    ("近期缺课", "A child with a disability is absent"),
    ("困难家庭的孩子缺课", "Absent of late"),
    ("近期缺课", "Parent in prison"),
    ("孤儿缺课", "Absent of late"),
    ("父母均外出务工，近期缺课", "Absent of late"),
    ("爸妈外出打工", "Absent of late"),
    ("父亲被判刑", "Absent of late"),
    ("家里贫寒", "Absent of late"),
    ("留 守儿童", "Absent of late"),
    ("该生是 left-behind child", "Absent of late"),
    ("近期缺课", "Both parents work in another city"),
    ("近期缺课", "His father works away from home"),
    ("近期缺课", "Absent while the father is in custody"),
    ("近期缺课", "Absent since both parents died"),
    ("近期缺课", "The family is poor"),
]
NOT_SENSITIVE = [
    ("学习困难，近期缺课", "Falling behind, absent of late"),
    ("近期缺课", "Left behind in maths"),
    ("转学随后缺课", "Absent of late"),
    ("近期缺课", "Poor marks, absent of late"),
    ("上学路远困难", "Absent of late"),
    ("近期缺课", "Attendance needs a look"),
    ("孤单、少语", "Absent of late"),
    ("存在押金未退", "Absent of late"),
    ("穷尽办法联系家长", "Disable the alarm, call the parents"),
    ("近期缺课", "Migrating birds were watched, the child was absent"),
    ("家长在外面等候", "The mother works with the school"),
    ("父母来校谈过", "Talk with the parents about work at home"),
]


@pytest.mark.parametrize("when", NEVER)
def test_never(tmp_path, when):
    assert Fault.NEVER in faults(check(tmp_path, rule(when)))


@pytest.mark.parametrize("when", ALWAYS)
def test_always(tmp_path, when):
    assert Fault.ALWAYS in faults(check(tmp_path, rule(when)))


@pytest.mark.parametrize(("a", "b"), SAME)
def test_the_same_meaning(tmp_path, a, b):
    report = check(tmp_path, rule(a, "one"), rule(b, "two"))
    assert faults(report) == [Fault.SAME]
    assert report.problems[0].rule == "two"
    assert "rule one" in report.problems[0].message.en


def pair(inner, outer):
    return [
        rule(when, name, points, keys_of(more))
        for (when, points, more), name in ((inner, "inner"), (outer, "outer"))
    ]


def keys_of(more):
    """Return `{ladder: away, floor: high}` as lines of their own."""
    return re.sub(r", (floor|action|effective):", r"\n    \1:", re.sub(r"^\{|\}$", "", more))


@pytest.mark.parametrize(("inner", "outer"), CONTAINED)
def test_contained(tmp_path, inner, outer):
    report = check(tmp_path, *pair(inner, outer))
    assert faults(report) == [Fault.CONTAINED]
    assert report.problems[0].rule == "inner"
    assert "rule outer" in report.problems[0].message.en


@pytest.mark.parametrize("when", ALONE)
def test_group_alone(tmp_path, when):
    assert faults(check(tmp_path, rule(when))) == [Fault.ALONE]


@pytest.mark.parametrize(("zh", "en"), SENSITIVE)
def test_a_sensitive_word_in_a_text_for_schools(tmp_path, zh, en):
    found = faults(check(tmp_path, rule("unexcused_run >= 1", zh=zh, en=en)))
    assert set(found) == {Fault.SENSITIVE}
    with pytest.raises(RulesError):  # nothing is scored with it
        load_rulebook(tmp_path)
    # the same words in a rule that names the group: no school sees them
    hidden = check(tmp_path, rule("left_behind and unexcused_run >= 1", zh=zh, en=en))
    assert faults(hidden) == []


def test_a_sensitive_word_in_an_action_that_schools_see(tmp_path):
    check(tmp_path, rule("unexcused_run >= 1", more="action: home-visit"))
    actions = (tmp_path / "actions.yaml").read_text("utf-8")
    (tmp_path / "actions.yaml").write_text(
        actions.replace("上门见到孩子", "上门见到留守孩子"), "utf-8"
    )
    (problem,) = check_rules(tmp_path).problems
    assert (problem.fault, problem.rule) == (Fault.SENSITIVE, "own")
    assert "action home-visit: what.zh" in problem.message.en


@pytest.mark.parametrize(
    "rules",
    [
        *([rule(when)] for when in (*NOT_NEVER, *NOT_ALWAYS, *NOT_ALONE)),
        *([rule(a, "one"), rule(b, "two")] for a, b in NOT_SAME),
        *(pair(inner, outer) for inner, outer in NOT_CONTAINED),
        *([rule("unexcused_run >= 1", zh=zh, en=en)] for zh, en in NOT_SENSITIVE),
    ],
)
def test_correct_look_alikes(tmp_path, rules):
    assert check(tmp_path, *rules).problems == ()


def test_dates_that_end_before_they_begin_and_dates_that_are_over(tmp_path):
    def dated(first, last):
        return rule("unexcused_run >= 1", more=f"effective: {{from: {first}, to: {last}}}")

    report = check(tmp_path, dated("2026-09-01", "2026-08-31"))
    assert len(report.problems) == 1
    assert "before" in report.problems[0].message.en
    over = check(tmp_path, dated("2025-09-01", "2026-08-31"))
    assert over.problems == ()
    assert [note.fault for note in over.notes] == [Fault.EXPIRED]
    assert check(tmp_path, dated("2026-09-01", "2027-08-31")).notes == ()
    assert check(tmp_path, dated("2026-09-01", "2026-09-01")).problems == ()


def test_rules_of_other_dates_are_not_compared(tmp_path):
    one = rule("unexcused_run >= 1", "one", more="effective: {to: 2026-08-31}")
    two = rule("unexcused_run >= 1", "two", more="effective: {from: 2026-09-01}")
    assert check(tmp_path, one, two).problems == ()


def test_not_decided_is_said_and_no_problem(tmp_path):
    report = check(
        tmp_path,
        rule("absence_rate_5d - absence_rate_5d > 0.5 and unexcused_run >= 1", "one"),
        rule("absence_rate_5d > absence_rate_60d", "three"),
        rule("0 > absence_rate_60d - absence_rate_5d", "two"),
    )
    assert report.problems == ()
    assert [(note.fault, note.rule) for note in report.notes] == [
        (Fault.UNDECIDED, "one"),
        (Fault.UNDECIDED, "two"),
    ]
    assert "not decided" in report.notes[0].message.en
    assert "未能判定" in report.notes[1].message.zh


def test_untested_and_idle(tmp_path):
    untested = rule("unexcused_run >= 1").replace("      - {given: {}, expect: miss}\n", "")
    (problem,) = check(tmp_path, untested).problems
    assert problem.fault is Fault.UNTESTED
    assert "a miss" in problem.message.en
    idle = check(tmp_path, rule("unexcused_run >= 1", points=0, more="family: absence"))
    assert faults(idle) == [Fault.IDLE]
