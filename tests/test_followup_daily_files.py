"""The files of a round: text stays text, nothing of groups or homes, and the rules' reasons."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from daily_village import connection, day, village, workspace_of
from earlywarn.followup.daily import Round, absences, as_dict, daily
from earlywarn.followup.daily.hits import hits, round_rules
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.words import Tier
from earlywarn.workspace import Config, shipped

NAMES = {
    "A": "<b>甲</b>",
    "B": "=1+1",
    "C": "O'Neil",
    "D": "很" * 40,
    "E": "阿依古丽·买买提",
    "F": "@cmd",
    "G": "[b]x[/b]",
}
SENSITIVE: dict[str, Any] = {
    "parents_away": "both_parents",
    "migrant_child": True,
    "disability": "hearing",
    "placement": "special_school",
    "poverty": "registered",
    "receives_aid": False,
    "parent_in_prison": True,
    "orphan_status": "orphan",
    "guardian": "奶奶赵氏",
    "guardian_phone": "13800000000",
}


def village_of_names(**record: Any) -> dict[str, Any]:
    children = {student: {"name": name} | record for student, name in NAMES.items()}
    children["H"] = {"school_id": "S2", "class_id": "8.1"}
    lines = dict.fromkeys(NAMES, "..xx") | {"G": "..x.", "H": "...-"}
    return village(lines, children=children, reported={"S2": 3})


@pytest.fixture
def made(tmp_path: Path) -> Round:
    return daily(workspace_of(tmp_path / "村 1", village_of_names()), day(3), who="u", lang="zh")


def table(made: Round) -> list[dict[str, str]]:
    text = (made.folder / "daily.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_every_child_and_school_and_no_formula(made: Round) -> None:
    found = table(made)
    assert [row["what"] for row in found] == ["away"] * 6 + ["back", "not_reported"]
    names = {row["student_id"]: row["name"] for row in found}
    assert names == {
        "": "",
        "A": "<b>甲</b>",
        "B": "'=1+1",
        "C": "O'Neil",
        "D": "很" * 40,
        "E": "阿依古丽·买买提",
        "F": "'@cmd",
        "G": "[b]x[/b]",
    }
    first = found[0]
    assert (first["days"], first["first_day"], first["step"]) == ("2", "2026-03-04", "上门家访")
    assert (first["due"], first["due_is_about"], first["floor"]) == ("2026-03-05", "no", "high")
    assert first["reasons"] == "已连续旷课 2 天；近20个上学日缺勤率 50%"
    assert (found[-1]["last_reported"], found[-1]["school_days_missing"]) == ("2026-03-04", "1")
    assert found[-2]["back_on"] == "2026-03-05"


def test_page_shows_names_as_text_and_fetches_nothing(made: Round) -> None:
    page = (made.folder / "daily.html").read_text("utf-8")
    assert "&lt;b&gt;甲&lt;/b&gt;" in page
    assert "<b>甲" not in page
    assert "O&#39;Neil" in page
    assert not re.search(r"(?:src|href)=|<script|url\(", page)
    assert "学校S2" in page
    assert "缺 1 个上课日" in page


def test_json_is_what_the_round_says(made: Round) -> None:
    told = json.loads((made.folder / "round.json").read_text("utf-8"))
    assert told["counts"] == {
        "schools": 2,
        "children": 8,
        "away": 6,
        "day_1": 0,
        "day_2": 6,
        "day_3_or_more": 0,
        "back": 1,
        "not_reported": 1,
        "partly_reported": 0,
    }
    assert told["schools"] == json.loads(json.dumps(as_dict(made, "zh")["schools"]))
    (silent,) = told["schools"][1]["not_reported"]
    assert silent == {
        "class_id": None,
        "children": 1,
        "last_reported": "2026-03-04",
        "school_days_missing": 1,
    }


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_files_are_in_one_language(tmp_path: Path, lang: Any) -> None:
    plain = village({"A": "..x", "B": "..."}, children={"A": {"homeroom_teacher": None}})
    made = daily(workspace_of(tmp_path / "w", plain), day(2), who="u", lang=lang)
    page = (made.folder / "daily.html").read_text("utf-8")
    words = {"zh": ("每日考勤巡查", "联系监护人"), "en": ("Daily round", "Contact the guardian")}
    other = {"zh": "en", "en": "zh"}[lang]
    assert all(word in page for word in words[lang])
    assert not any(word in page for word in words[other])


def test_groups_and_homes_change_no_file(tmp_path: Path) -> None:
    """Two villages that differ in what schools must not see have the same files."""
    found = []
    for name, record in (("a", {}), ("b", SENSITIVE)):
        workspace = workspace_of(tmp_path / name, village_of_names(**record))
        made = daily(workspace, day(3), who="u")
        found.append({path.name: path.read_bytes() for path in made.folder.iterdir()})
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def rulebook() -> RuleBook:
    return load_rulebook(shipped("rules"))


def test_only_rules_on_what_the_round_works_out(rulebook: RuleBook) -> None:
    ids = [rule.id for rule in round_rules(rulebook, day(3))]
    assert {"unexcused-1d", "unexcused-2d", "unexcused-3d", "unexcused-7d"} <= set(ids)
    assert not [rule for rule in rulebook.rules if rule.id in ids and rule.names_group]
    assert not {"left-behind-unexcused", "upper-junior-unexcused"} & set(ids)


def test_one_hit_a_ladder_the_highest_floor_first(rulebook: RuleBook) -> None:
    with connection(village({"A": ".....xxx", "B": "........"})) as con:
        found = absences(con, Config(), day(7))
    judged = hits(found.facts, rulebook, day(7))
    assert list(judged) == ["A"]
    first = judged["A"][0]
    assert (first.rule, first.floor) == ("unexcused-3d", Tier.URGENT)
    assert first.reason.zh == "已连续旷课 3 天"
    assert len({hit.rule.split("-")[1] for hit in judged["A"]}) == len(judged["A"])
