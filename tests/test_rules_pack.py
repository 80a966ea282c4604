"""Reading packs: what is refused and how it is said, hashes, effective dates."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from earlywarn.rules.check import check_rules
from earlywarn.rules.pack import load_rulebook, read_rulebook
from earlywarn.rules.problems import RulesError
from earlywarn.words import Tier
from earlywarn.workspace import shipped

GOOD = """\
pack: ours
title: {zh: 本县, en: Ours}
rules:
  - id: one
    title: {zh: 旷课, en: Away}
    when: unexcused_run >= 3
    points: 2.0
    ladder: unexcused
    floor: urgent
    action: group-visit
    reason: {zh: "旷课 {unexcused_run} 天", en: "Away for {unexcused_run} days"}
    source: county rule
    effective: {from: 2026-01-01}
    tests:
      - {given: {unexcused_run: 3}, expect: hit}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rules folder with the shipped groups' definitions and actions, no rules but ours."""
    text = (shipped("rules") / "groups.yaml").read_text("utf-8")
    (tmp_path / "groups.yaml").write_text(text.split("\npack:")[0] + "\n", "utf-8")
    shutil.copy(shipped("rules") / "actions.yaml", tmp_path)
    return tmp_path


def problems_of(folder: Path, text: str):
    (folder / "ours.yaml").write_text(text, "utf-8")
    return read_rulebook(folder)[1]


def test_a_good_pack(folder):
    (folder / "ours.yaml").write_text(GOOD, "utf-8")
    rulebook = load_rulebook(folder)
    (rule,) = rulebook.rules
    assert (rule.id, rule.pack, rule.points, rule.ladder) == ("one", "ours", 2.0, "unexcused")
    assert rule.floor is Tier.URGENT
    assert rule.family == "absence"
    assert not rule.names_group
    assert rule.when == "unexcused_run >= 3"
    assert rule.reason_text({"unexcused_run": 4}, "zh") == "旷课 4 天"
    assert rule.in_force(date(2026, 1, 1))
    assert not rule.in_force(date(2025, 12, 31))
    assert rulebook.in_force(date(2025, 12, 31)) == ()
    assert rulebook.in_force(None) == (rule,)
    assert rulebook.actions["group-visit"].within_school_days == 1


# what is replaced in GOOD, by what, line, words of the message
WRONG = [
    ("unexcused_run >= 3", "unexcused_runs >= 3", 6, "did you mean unexcused_run?"),
    ("unexcused_run >= 3", "unexcused_run >= '3'", 6, "without quotes"),
    ("unexcused_run >= 3", "unexcused_run != 3", 6, "write <>"),
    ("unexcused_run >= 3", "max(unexcused_run) >= 3", 6, "aggregates"),
    ("unexcused_run >= 3", "unexcused_run in (select 1)", 6, "subqueries"),
    ("unexcused_run >= 3", "round(unexcused_run) >= 3", 6, "no function round"),
    ("unexcused_run >= 3", "unexcused_run >= 3 -- note", 6, "comments"),
    ("unexcused_run >= 3", "unexcused_run >= 3; drop table x", 6, "semicolon"),
    ("unexcused_run >= 3", "left_on > date '2026-01-01'", 6, "no name left_on"),
    ("unexcused_run >= 3", "(" * 2000 + "aid_gap" + ")" * 2000, 6, "split it"),
    ("when: unexcused_run >= 3", "when:", 6, "write a condition"),
    ("when: unexcused_run >= 3", "when: ''", 6, "empty"),
    ("    when: unexcused_run >= 3\n", "", 4, "when is missing"),
    ("when: unexcused_run >= 3", "when: [1]", 6, "when"),
    ("when: unexcused_run >= 3", "when: travel = 'bus' and unexcused_run >= 3", 6, "never 'bus'"),
    ("points: 2.0", "points: -1", 7, "log-odds from 0"),
    ("points: 2.0", "points: 50", 7, "log-odds from 0"),
    ("points: 2.0", "points: nan", 7, "log-odds from 0"),
    ("points: 2.0", "points: lots", 7, "no number"),
    ("points: 2.0", "points:", 7, "no number"),
    ("    points: 2.0\n", "", 4, "points is missing"),
    ("points: 2.0", "pionts: 2.0", 7, "did you mean points?"),
    ("floor: urgent", "floor: red", 9, "urgent, high, watch"),
    ("floor: urgent", "floor: routine", 9, "urgent, high, watch"),
    ("action: group-visit", "action: group-vist", 10, "did you mean group-visit?"),
    ("action: group-visit", "action: Group Visit", 10, "small letters"),
    ("ladder: unexcused", "ladder: Un excused", 8, "small letters"),
    ("id: one", "id: One Rule", 4, "small letters"),
    ("id: one", "id: 'a; drop'", 4, "small letters"),
    ("title: {zh: 旷课, en: Away}", "title: {zh: 旷课}", 5, "title.en is missing: write zh and en"),
    ("title: {zh: 旷课, en: Away}", "title: {zh: 旷课, en: ''}", 5, "title.en is empty"),
    ("title: {zh: 旷课, en: Away}", "title: Away", 5, "keys and values"),
    ("title: {zh: 旷课, en: Away}", "title: {zh: 旷课, en: A, de: B}", 5, "no key title.de"),
    ('en: "Away for {unexcused_run} days"', 'de: "x"', 11, "write zh and en"),
    ("{unexcused_run} days", "{unexcused_runs} days", 11, "did you mean unexcused_run?"),
    ("{unexcused_run} days", "{absent_run} days", 11, "not in the condition"),
    ("{unexcused_run} days", "{unexcused_run.__class__} days", 11, "braces"),
    ("{unexcused_run} days", "{unexcused_run!r} days", 11, "braces"),
    ("{unexcused_run} days", "{unexcused_run:>9} days", 11, "braces"),
    ("{unexcused_run} days", "{} days", 11, "braces"),
    ("{unexcused_run} days", "{unexcused_run days", 11, "braces"),
    ("    source: county rule\n", "", 4, "source is missing"),
    ("{from: 2026-01-01}", "{from: 2026-02-30}", 13, "no date"),
    ("{from: 2026-01-01}", "{from: soon}", 13, "no date"),
    ("{from: 2026-01-01}", "{from: 2026-01-01, to: 2025-01-01}", 13, "before `from`"),
    ("{from: 2026-01-01}", "{since: 2026-01-01}", 13, "no key effective.since"),
    ("source: county rule", "family: homes\n    source: x", 12, "absence, lateness"),
    ("expect: hit", "expect: hits", 15, "hit, miss, unknown"),
    ("{unexcused_run: 3}, ", "{unexcused_runs: 3}, ", 15, "did you mean unexcused_run?"),
    ("{unexcused_run: 3}, ", "{unexcused_run: many}, ", 15, "not a number"),
    ("{unexcused_run: 3}, ", "{aid_gap: maybe}, ", 15, "not yes/no"),
    ("    tests:", "    test:", 14, "did you mean tests?"),
    ("pack: ours\n", "", 1, "pack is missing"),
    ("pack: ours", "pak: ours", 1, "did you mean pack?"),
    ("title: {zh: 本县, en: Ours}", "title: {en: Ours}", 2, "title.zh is missing"),
    ("title: {zh: 本县, en: Ours}", "title: {zh: 本县, en: Ours}\nowner: me", 3, "no key owner"),
    ("rules:\n", "rules: none\nrulez:\n", 3, "must be a list"),
    ("unexcused_run >= 3", "left_behind", 6, "no sign at all"),
    ("unexcused_run >= 3", "left_behind and age_years >= 0", 6, "no sign at all"),
    ("unexcused_run >= 3", "poor_family or unexcused_run >= 3", 6, "no sign at all"),
    ("points: 2.0", "points: 2.0\n    allow_group_alone: yes", 8, "alone_because"),
    ("points: 2.0", "points: 2.0\n    allow_group_alone: perhaps", 8, "yes or no"),
    ("    floor: urgent", "\tfloor: urgent", 9, "tab"),
    ("points: 2.0", "points: 2.0\n    points: 3.0", 8, "stands twice"),
    ("points: 2.0", "points: &a 2.0", 7, "anchors"),
    ("points: 2.0", "points: !!python/object:os.system 2.0", 7, "tags"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), WRONG)
def test_wrong_packs(folder, old, new, line, words):
    assert old in GOOD
    problems = problems_of(folder, GOOD.replace(old, new, 1))
    hits = [p for p in problems if words in p.text.en]
    assert hits, [p.text.en for p in problems]
    assert f"line {line}" in hits[0].text.en or hits[0].line == line
    assert all(re.search(r"[\u4e00-\u9fff]", p.text.zh) for p in problems)
    with pytest.raises(RulesError):
        load_rulebook(folder)


def test_all_problems_in_one_go(folder):
    text = GOOD.replace("points: 2.0", "points: -1").replace("unexcused_run >= 3", "nope > 1")
    text += GOOD[GOOD.index("  - id: one") :].replace("id: one", "id: two").replace("urgent", "red")
    problems = problems_of(folder, text)
    assert [(p.line, p.rule) for p in problems] == [(6, "one"), (7, "one"), (21, "two")]


def test_the_message_names_file_line_and_rule(folder):
    (problem,) = problems_of(folder, GOOD.replace("points: 2.0", "points: -1"))
    assert problem.text.en.startswith("ours.yaml, line 7, rule one: points is -1")
    assert problem.text.zh.startswith("ours.yaml 第 7 行 规则 one：points 的值 -1")


def twice(first: str, second: str) -> str:
    rule = GOOD[GOOD.index("  - id: one") :]
    return GOOD.replace("{from: 2026-01-01}", first) + rule.replace("{from: 2026-01-01}", second)


def test_one_id_twice_needs_dates_apart(folder):
    meeting = twice("{to: 2026-01-01}", "{from: 2026-01-01}")
    assert any("stands in ours.yaml, line 4 too" in p.text.en for p in problems_of(folder, meeting))
    apart = twice("{to: 2025-12-31}", "{from: 2026-01-01}").replace("points: 2.0", "points: 1.0", 1)
    assert problems_of(folder, apart) == []
    rulebook = load_rulebook(folder)
    assert [r.points for r in rulebook.in_force(date(2025, 12, 31))] == [1.0]
    assert [r.points for r in rulebook.in_force(date(2026, 1, 1))] == [2.0]
    assert [r.points for r in rulebook.in_force(None)] == [2.0]


def test_folders_that_lack_files(tmp_path, folder):
    (folder / "actions.yaml").unlink()
    (folder / "more.yml").write_text(GOOD, "utf-8")
    texts = [p.text.en for p in problems_of(folder, GOOD)]
    assert any("actions.yaml: this file is missing" in t for t in texts)
    assert any("rename it to .yaml" in t for t in texts)
    with pytest.raises(Exception, match="There is no rules folder"):
        load_rulebook(tmp_path / "nowhere")


ACTIONS_WRONG = [
    ("within_school_days: 1", "within_school_days: soon", "no number"),
    ("within_school_days: 1", "within_school_days: -1", "at least 0"),
    ("cause: persuading_back", "cause: magic", "learning_support"),
    ('en: "Contact the guardian"', 'de: "x"', "write zh and en"),
    ("id: home-visit", "id: call-guardian", "stands twice"),
    ("actions:\n", "acts:\n", "one list"),
]


@pytest.mark.parametrize(("old", "new", "words"), ACTIONS_WRONG)
def test_wrong_actions(folder, old, new, words):
    text = (folder / "actions.yaml").read_text("utf-8")
    assert old in text
    (folder / "actions.yaml").write_text(text.replace(old, new, 1), "utf-8")
    problems = problems_of(folder, GOOD)
    assert any(p.file == "actions.yaml" and words in p.text.en for p in problems)


def test_two_files_one_pack(folder):
    (folder / "again.yaml").write_text(GOOD.replace("id: one", "id: two"), "utf-8")
    assert any("stands in another file" in p.text.en for p in problems_of(folder, GOOD))


def test_the_hash_is_of_the_meaning(folder):
    assert problems_of(folder, GOOD) == []
    one = load_rulebook(folder).hash
    spaced = "# note\n" + GOOD.replace("unexcused_run >= 3", "  (unexcused_run  >=  3.0)")
    spaced = spaced.replace("points: 2.0", "points: 2").replace("county rule", "another source")
    assert problems_of(folder, spaced) == []
    assert load_rulebook(folder).hash == one
    reordered = GOOD.replace("    points: 2.0\n", "").replace(
        "    source:", "    points: 2.0\n    source:"
    )
    assert problems_of(folder, reordered) == []
    assert load_rulebook(folder).hash == one


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("points: 2.0", "points: 2.1"),
        (">= 3", ">= 4"),
        ("floor: urgent", "floor: high"),
        ("ladder: unexcused", "ladder: other"),
        ("from: 2026-01-01", "from: 2026-01-02"),
        ("Away for", "Gone for"),
        ("action: group-visit", "action: home-visit"),
    ],
)
def test_the_hash_tells_meanings_apart(folder, old, new):
    assert problems_of(folder, GOOD) == []
    one = load_rulebook(folder).hash
    assert problems_of(folder, GOOD.replace(old, new, 1)) == []
    assert load_rulebook(folder).hash != one


@pytest.mark.parametrize(
    ("when", "tells"),
    [
        ("left_behind and absent_run >= 1", True),
        ("group_count >= 1 and absent_run >= 1", True),
        ("aid_gap", True),
        ("receives_aid and absent_run >= 1", True),
        ("poverty = 'registered' and absent_run >= 1", True),
        ("school_poor_share > 0.5 and absent_run >= 1", True),
        ("placement = 'home_teaching' and absent_run >= 1", True),
        ("school_rural and absent_run >= 1", False),
        ("sex = 'F' and absent_run >= 1", False),
        ("absent_run >= 1", False),
    ],
)
def test_names_group(folder, when, tells):
    text = GOOD.replace("unexcused_run >= 3", when).replace("{unexcused_run} ", "")
    assert problems_of(folder, text) == []
    assert load_rulebook(folder).rules[0].names_group is tells


CHECKED = [
    ("unexcused_run > 5 and unexcused_run < 3", "never hold"),
    ("absence_rate_60d > 1 and unexcused_run >= 0", "never hold"),
    ("absent_after_break >= 4", "never hold"),
    ("unexcused_run >= 1 and false", "never hold"),
    ("unexcused_run = null", "never hold"),
]


@pytest.mark.parametrize(("when", "words"), CHECKED)
def test_conditions_that_never_hold(folder, when, words):
    text = GOOD.replace("unexcused_run >= 3", when).replace("{unexcused_run} ", "")
    (folder / "ours.yaml").write_text(text, "utf-8")
    assert any(words in p.text.en for p in check_rules(folder).problems)


def test_conditions_that_always_hold(folder):
    text = GOOD.replace("unexcused_run >= 3", "prior_dropouts >= 0").replace("{unexcused_run} ", "")
    text = text.replace(
        "points: 2.0", "points: 2.0\n    allow_group_alone: yes\n    alone_because: x"
    )
    (folder / "ours.yaml").write_text(text, "utf-8")
    assert any("always holds" in p.text.en for p in check_rules(folder).problems)


def test_the_same_condition_twice(folder):
    rule = GOOD[GOOD.index("  - id: one") :].replace("id: one", "id: two")
    (folder / "ours.yaml").write_text(GOOD + rule, "utf-8")
    assert any("that of rule one" in p.text.en for p in check_rules(folder).problems)
