"""escalation.yaml: the shipped one, a workspace's own, and everything that can be wrong in it."""

from __future__ import annotations

import re

import pytest

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError
from earlywarn.followup.escalation import FILE, Escalation, read, shipped_text
from earlywarn.followup.states import State
from earlywarn.words import Tier
from earlywarn.workspace import Workspace


def test_shipped(workspace: Workspace) -> None:
    shipped = Escalation.load(workspace)
    assert [(s.id, s.day, s.every, s.reaches, s.by) for s in shipped.absence] == [
        ("contact", 1, None, State.CONTACTED, "teacher"),
        ("visit", 2, None, State.VISITED, "leader"),
        ("report", 3, None, State.REPORTED, "leader"),
        ("persuade", 8, 5, State.VISITED, "leader"),
        ("notice", 20, None, None, "township"),
    ]
    assert {tier: step.day for tier, step in shipped.tiers.items()} == {
        Tier.URGENT: 3,
        Tier.HIGH: 6,
    }
    assert shipped.settling_in_days == 60
    assert [(s.id, s.day, s.every) for s in shipped.settling_in] == [("check", 5, 5)]
    assert shipped.steps("watchlist", Tier.HIGH) == (shipped.tiers[Tier.HIGH],)
    assert shipped.steps("watchlist", Tier.WATCH) == shipped.steps("watchlist") == ()
    assert shipped.steps("unregistered") == shipped.unregistered != ()


def test_shipped_texts_have_chinese_punctuation() -> None:
    for line in shipped_text().splitlines():
        chinese = re.sub(r"en: .*", "", line)
        assert not re.search(r"[一-鿿]\s*[,;:()]\s*[一-鿿]", chinese), line


def test_the_workspaces_own_goes_first(workspace: Workspace) -> None:
    text = shipped_text().replace(
        "    - id: notice\n      day: 20", "    - id: notice\n      day: 28"
    )
    (workspace.root / FILE).write_text(text, "utf-8")
    assert {s.id: s.day for s in Escalation.load(workspace).absence}["notice"] == 28


@pytest.mark.parametrize(
    ("old", "new", "line_has", "zh", "en"),
    [
        ("day: 20", "day: twenty", "twenty", "不是整数", "day is twenty, which is no number"),
        ("day: 20", "day: 0", "day: 0", "不小于 1", "at least 1"),
        ("by: township", "by: mayor", "mayor", "可用：", "it can be teacher, leader"),
        ("reaches: reported", "reaches: returned", "returned", "可用：", "it can be"),
        ("every: 5", "evry: 5", "evry", "是不是 every", "did you mean every"),
        ("id: notice", "id: contact", "id: contact", "出现了两次", "stands twice"),
        ("days: 60\n", "", "settling_in:", "缺少 days", "days is missing"),
        ("urgent: 2", "red: 2", "red: 2", "没有 red 这个键", "there is no key red"),
        ("format: 1", "format: 2", "format: 2", "不大于 1", "at most 1"),
        (
            "title: {zh: 上门家访, en: Home visit}",
            "title: {zh: 上门家访}",
            "上门家访",
            "缺失",
            "write zh",
        ),
    ],
)
def test_what_is_wrong_is_told_with_line_value_and_cure(
    old: str, new: str, line_has: str, zh: str, en: str
) -> None:
    text = shipped_text()
    assert old in text
    changed = text.replace(old, new)
    with pytest.raises(EarlywarnError) as caught:
        read(safeyaml.loads(changed, FILE))
    lines = changed.splitlines()
    assert zh in caught.value.text.zh
    assert en in caught.value.text.en
    numbers = [int(n) for n in re.findall(r"escalation.yaml, line (\d+):", caught.value.text.en)]
    assert any(line_has in lines[number - 1] for number in numbers)


def test_all_faults_at_once() -> None:
    changed = shipped_text().replace("day: 20", "day: x").replace("days: 60", "days: y")
    with pytest.raises(EarlywarnError) as caught:
        read(safeyaml.loads(changed, FILE))
    assert len(caught.value.text.en.splitlines()) == 2


@pytest.mark.parametrize(
    "text", ["", "- a\n", "format: 1\n", "format: 1\nabsence: 3\nwatchlist: []\n"]
)
def test_other_shapes_are_refused(text: str) -> None:
    with pytest.raises(EarlywarnError, match=r"escalation.yaml, line \d+"):
        read(safeyaml.loads(text, FILE))


def test_a_section_without_steps() -> None:
    head, _, rest = shipped_text().partition("absence:\n")
    _, _, rest = rest.partition("\n# 名单上")
    text = f"{head}absence:\n  steps: []\n#{rest}"
    with pytest.raises(EarlywarnError, match="absence has no step"):
        read(safeyaml.loads(text, FILE))
