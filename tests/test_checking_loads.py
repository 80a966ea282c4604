"""Sudden changes against the load before, and what makes a load."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checking_county import CHILDREN, DAYS, RECORD, county, found, line, mark
from daily_village import OPEN_DAYS, day, load, rows
from earlywarn.checking import Finding
from earlywarn.checking.loads import loads_of
from earlywarn.tables.batches import BATCHES_FILE, Batch, Part, read_batches
from earlywarn.workspace import Workspace

CHANGES = ("school_gone", "fewer_rows", "value_jump")
MANY = [f"{school}{number}" for school in "ABC" for number in range(60)]
LATER = day(DAYS + 19)


def big_county(root: Path, **record: Any) -> Workspace:
    """Make a county of three schools with 60 children each, whose tables came hours ago."""
    children = {child: {"school_id": f"S{'ABC'.index(child[0]) + 1}"} | record for child in MANY}
    workspace = county(root, lines={child: line() for child in MANY}, children=children)
    path = workspace.data / BATCHES_FILE
    told = json.loads(path.read_text("utf-8"))
    earlier = datetime.now(UTC) - timedelta(hours=5)
    told["batches"][0]["loaded_at"] = earlier.isoformat(timespec="seconds")
    path.write_text(json.dumps(told), encoding="utf-8")
    return workspace


def add(workspace: Workspace, table: str, found: list[dict[str, Any]]) -> None:
    load(workspace, {table: rows(table, found)})


def registry(children: list[str], **record: Any) -> list[dict[str, Any]]:
    return [
        {
            "student_id": child,
            "snapshot_date": date(2026, 4, 20),
            "school_id": f"S{'ABC'.index(child[0]) + 1}",
            "grade": 7,
            "class_id": "7.1",
            "sex": "F",
        }
        | record
        for child in children
    ]


def weeks(children: list[str], status: str = "present") -> list[dict[str, Any]]:
    days = OPEN_DAYS[DAYS : DAYS + 20]
    return [{"student_id": c, "date": when, "status": status} for c in children for when in days]


def changes(workspace: Workspace) -> list[Finding]:
    return [one for one in found(workspace, LATER) if one.id in CHANGES]


def filled() -> dict[str, Any]:
    """The fields that a child of the county has, so that none seems emptied."""
    return {field: value for field, value in RECORD.items() if field != "enrolled_on"}


def test_one_load_has_nothing_before_it(tmp_path: Path) -> None:
    assert changes(big_county(tmp_path)) == []


def test_like_loads_are_no_change(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    add(workspace, "students", registry(MANY, **filled()))
    add(workspace, "attendance", weeks(MANY))
    add(workspace, "exams", [mark(c, date=day(30), exam="月考") for c in MANY])
    assert changes(workspace) == []


def test_a_school_that_is_gone(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    add(workspace, "students", registry([c for c in MANY if c[0] != "C"], **filled()))
    (one,) = changes(workspace)
    assert (one.id, one.school_id, one.count) == ("school_gone", "S3", 60)


def test_one_school_alone_says_nothing_of_the_others(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    add(workspace, "students", registry([c for c in MANY if c[0] == "A"], **filled()))
    assert changes(workspace) == []


def test_half_the_rows_of_a_school(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    kept = [c for c in MANY if c[0] != "A" or int(c[1:]) < 30]
    add(workspace, "students", registry(kept, **filled()))
    (one,) = changes(workspace)
    assert (one.id, one.school_id, one.count) == ("fewer_rows", "S1", 30)
    assert "从 60 行降到 30 行" in one.text.zh


def test_half_the_rows_of_the_county_are_told_once(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    add(workspace, "students", registry([c for c in MANY if int(c[1:]) < 20], **filled()))
    (one,) = changes(workspace)
    assert (one.id, one.school_id) == ("fewer_rows", None)


def test_fewer_days_are_no_change_but_fewer_rows_a_day_are(tmp_path: Path) -> None:
    """A week's attendance after two months' has as many rows a day."""
    workspace = big_county(tmp_path)
    kept = [c for c in MANY if c[0] != "B" or int(c[1:]) < 25]
    add(workspace, "attendance", [row for row in weeks(kept) if row["date"] < day(DAYS + 5)])
    (one,) = changes(workspace)
    assert (one.id, one.school_id) == ("fewer_rows", "S2")
    assert "平均每天从 60 行降到 25 行" in one.text.zh


def test_fewer_exceptions_are_no_change(tmp_path: Path) -> None:
    workspace = big_county(tmp_path).set_config(attendance="exceptions")
    add(workspace, "attendance", weeks(MANY[:3]))
    assert "fewer_rows" not in [one.id for one in changes(workspace)]


def test_a_share_that_jumped_in_a_school(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    told = registry(MANY, **filled())
    for row in told[:14]:  # 14 of 60 are more than 20 points
        row["travel"] = "bicycle"
    add(workspace, "students", told)
    (one,) = changes(workspace)
    assert (one.id, one.school_id) == ("value_jump", "S1")
    assert one.text.zh == "学籍中上学方式（travel）为“walk”的：上次导入占 100%，最近一次占 77%。"


def test_twenty_points_are_no_jump(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    told = registry(MANY, **filled())
    for row in told[:12]:
        row["travel"] = "bicycle"
    add(workspace, "students", told)
    assert changes(workspace) == []


def test_a_share_that_jumped_everywhere_is_told_once(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    add(workspace, "attendance", weeks(MANY, "unexcused"))
    (one,) = changes(workspace)
    assert (one.id, one.school_id) == ("value_jump", None)
    assert "status" in one.text.en
    assert "attendance" in one.text.en


def test_a_field_that_is_empty_now(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    add(workspace, "students", registry(MANY, **(filled() | {"poverty": None})))
    (one,) = changes(workspace)
    assert "poverty" in one.text.en


def test_small_schools_change_by_chance(tmp_path: Path) -> None:
    workspace = county(tmp_path)
    add(workspace, "attendance", weeks(CHILDREN[:1], "sick"))
    assert changes(workspace) == []


def batch(number: int, minutes: int, *, overrides: list[int] | None = None, rows: int = 9) -> Batch:
    at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minutes)
    part = Part(table="exams", file=f"{number}", rows=rows, sha256="", overrides=overrides or [])
    return Batch(id=number, loaded_at=at.isoformat(), origin="x", content=str(number), parts=[part])


@pytest.mark.parametrize(
    ("batches", "loads"),
    [
        ([], []),
        ([batch(1, 0), batch(2, 1), batch(3, 60)], [["1", "2", "3"]]),
        ([batch(1, 0), batch(2, 61)], [["1"], ["2"]]),
        ([batch(1, 0), batch(2, 1, overrides=[1]), batch(3, 2)], [["1"], ["2", "3"]]),
        ([batch(1, 0), batch(2, 100), batch(3, 101, overrides=[1])], [["1"], ["2", "3"]]),
        ([batch(1, 0), batch(2, 100, rows=0)], [["1"]]),
    ],
)
def test_what_makes_a_load(batches: list[Batch], loads: list[list[str]]) -> None:
    assert [[part.file for part in load] for load in loads_of(batches, "exams")] == loads
    assert loads_of(batches, "students") == []


def test_an_undone_load_is_none(tmp_path: Path) -> None:
    workspace = big_county(tmp_path)
    add(workspace, "students", registry(MANY, **(filled() | {"sex": "M"})))
    assert [one.id for one in changes(workspace)] == ["value_jump"]
    path = workspace.data / BATCHES_FILE
    known = read_batches(workspace)
    known.batches.pop()
    path.write_text(known.model_dump_json(), encoding="utf-8")
    assert changes(workspace) == []
