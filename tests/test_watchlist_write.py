"""The files on disk: names, CSV and JSON, the same bytes however many processes write them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from earlywarn.errors import Text
from earlywarn.followup.states import State
from earlywarn.spreadsheets import defuse
from earlywarn.watchlist.files import file_names, listing_csv, safe_name
from earlywarn.watchlist.rows import Cause, Followed, Listing
from earlywarn.watchlist.write import write_watchlists
from watchlist_county import JUNIOR, county


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return county(tmp_path_factory.mktemp("county") / "某县").listing()


def test_files(tmp_path: Path, listing: Listing) -> None:
    made = write_watchlists(tmp_path / "名单 1", listing, "zh")
    assert made.index == tmp_path / "名单 1" / "index.html"
    page, workbook = made.schools[JUNIOR]
    assert page.name == "30202 白石乡初级中学.html"
    assert workbook.is_file()
    assert made.csv.is_file()
    assert {path.relative_to(tmp_path / "名单 1").as_posix() for path in made.places} == {
        "bureau/青河县.html",
        "bureau/青河县 白石乡.html",
        "bureau/青河县 青河镇.html",
    }
    assert all(path.is_file() for path in made.places)
    # A school's folder holds nothing of the bureau's.
    assert {file.suffix for file in page.parent.iterdir()} == {".html", ".xlsx"}


def test_processes_change_nothing(tmp_path: Path, listing: Listing) -> None:
    one = write_watchlists(tmp_path / "one", listing, "zh", jobs=1).index.parent
    two = write_watchlists(tmp_path / "two", listing, "zh", jobs=2).index.parent
    files = sorted(file.relative_to(one) for file in one.rglob("*") if file.is_file())
    assert files == sorted(file.relative_to(two) for file in two.rglob("*") if file.is_file())
    for file in files:
        assert (one / file).read_bytes() == (two / file).read_bytes()


def test_csv(listing: Listing) -> None:
    content = listing_csv(listing, "zh")
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 8
    by_name = {row["name"]: row for row in rows}
    assert "'=1+1" in by_name
    assert by_name["'=1+1"]["class_id"] == "'-八（2）班"
    assert by_name["'=1+1"]["homeroom_teacher"] == "'@赵老师"
    assert by_name["<b>粗体</b>"]["student_id"] == "G11010120120303003X"
    assert by_name["O'Neil"]["reason_1"].startswith("上学距离 7.5 公里")  # in full here
    assert by_name["O'Neil"]["generated"] == "yes"
    assert by_name["O'Neil"]["change_because"] == by_name["O'Neil"]["case_state"] == ""


def test_csv_and_json_tell_case_and_cause(tmp_path: Path, listing: Listing) -> None:
    case = Followed(
        State.VISITED,
        kind="absence",
        since=date(2026, 11, 18),
        leader="=周",
        teacher="",
        contacted_on=date(2026, 11, 18),
        visited_on=None,
        outcome="promised",
        tasks=(),
        step=None,
        overdue=2,
    )
    cause = Cause("new", "rule:x", Text("旷课", "absent"))
    school = listing.schools[0]
    child = replace(school.children[0], case=case, leader="=周", full_cause=cause)
    told = replace(listing, schools=(replace(school, children=(child,), overdue=2),))
    (row,) = csv.DictReader(io.StringIO(listing_csv(told, "zh").decode("utf-8-sig")))
    assert (row["case_state"], row["responsible_leader"]) == ("visited", "'=周")
    assert (row["contacted_on"], row["visited_on"]) == ("2026-11-18", "")
    assert (row["outcome"], row["steps_overdue"]) == ("promised", "2")
    assert row["change_because"] == "新出现：旷课"
    made = write_watchlists(tmp_path / "lists", told, "zh")
    (read,) = json.loads(made.json.read_text("utf-8"))["schools"]
    assert (read["steps_overdue"], read["resolved"]) == (2, None)
    assert read["children"][0]["because"]["text"] == "旷课"
    assert read["children"][0]["because_for_school"] is None
    assert read["children"][0]["case"]["state"] == "visited"


def test_json(tmp_path: Path, listing: Listing) -> None:
    made = write_watchlists(tmp_path / "lists", listing, "en")
    document = json.loads(made.json.read_text("utf-8"))
    assert document["as_of"] == "2026-11-20"
    junior = next(s for s in document["schools"] if s["school_id"] == JUNIOR)
    assert junior["cut"] == {"urgent": 0, "high": 0, "watch": 1}
    assert (made.index.parent / junior["xlsx"]).is_file()
    first = junior["children"][0]
    assert first["reasons"][0]["floor"] == "urgent"
    assert first["step"]["due"] == "2026-11-24"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('a/b\\c:d*e?"f<g>h|i', "a_b_c_d_e_f_g_h_i"),
        ("CON", "_CON"),
        ("com1.school", "_com1.school"),
        ("..", "_"),
        ("name. ", "name"),
        ("", "_"),
        ("一\n二", "一_二"),
        ("校" * 200, "校" * 80),
    ],
)
def test_names_for_every_system(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_no_two_schools_share_a_file(listing: Listing) -> None:
    one = listing.schools[0]
    alike = tuple(
        replace(one, school_id=school_id, name="甲")
        for school_id in ("a/1", "a:1", "A?1", "x" * 60 + "1", "x" * 60 + "2")
    )
    names = file_names(alike)
    assert len({name.lower() for name in names.values()}) == len(alike)


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-八班", "@x", "\t=1", " =1", "＝1"])
def test_formulas_are_defused(cell: str) -> None:
    assert defuse(cell) == f"'{cell}"
    assert defuse("王小明") == "王小明"
