"""The generated household and poverty lists: what their truth says holds, line by line."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.errors import EarlywarnError
from earlywarn.simulate.city import Roll, household_lists, make_roll, simulate, tables
from earlywarn.simulate.households import LISTED, TRUTH, Lists
from earlywarn.simulate.plan import Plan
from earlywarn.simulate.slips import SLIPS, make_slips, syllable

PLANS = (
    Plan(students=1000, seed=7),
    Plan(students=500, profile="poor-rural", seed=3),
    Plan(students=100, years=1, seed=5),
)
DAY, FIRST_DAY = date(2025, 10, 31), date(2025, 9, 1)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# What each slip may change; everything else stands as in the registry.
TOUCHED = {
    "typo": {"name"},
    "homophone": {"name"},
    "pinyin": {"name"},
    "other_dot": {"name"},
    "placeholder_birthday": {"birth_date"},
    "no_birth_date": {"birth_date"},
    "other_guardian": {"guardian", "guardian_phone"},
    "no_guardian": {"guardian"},
    "no_phone": {"guardian_phone"},
    "no_id": {"id_number"},
    "fifteen_digits": {"id_number"},
    "wrong_check_digit": {"id_number"},
    "wrong_digit": {"id_number"},
    "lower_case_x": {"id_number"},
}
KINDS = {"twin", "namesake", "dotted", "no_roll", "too_young", "too_old", "listed_again"}


class City:
    """A generated roll, its lists, and the registry's newest record of each child by the day."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.roll: Roll = make_roll(plan)
        self.lists: Lists = household_lists(plan, self.roll)
        parts: dict[str, list[pa.Table]] = {}
        for name, _, rows in tables(plan, self.roll, roll_only=True):
            parts.setdefault(name, []).append(rows)
        self.students = pa.concat_tables(parts["students"])
        self.outcomes = pa.concat_tables(parts["outcomes"])
        newest = duckdb.from_arrow(self.students).query(
            "students",
            f"""SELECT *, student_id[2:] AS id_number
                FROM students WHERE snapshot_date <= DATE '{DAY}'
                QUALIFY row_number() OVER (
                  PARTITION BY student_id ORDER BY snapshot_date DESC) = 1""",
        )
        self.registry = {row["student_id"]: row for row in newest.to_arrow_table().to_pylist()}

    def lines(self, which: str = "households") -> Iterator[tuple[dict[str, Any], str | None, list]]:
        """Yield each line, whom it means, and its noise as a list."""
        truth = getattr(self.lists, f"{which}_truth").to_pylist()
        for line, said in zip(getattr(self.lists, which).to_pylist(), truth, strict=True):
            yield line, said["student_id"], said["noise"].split("+")


@pytest.fixture(scope="module", params=PLANS, ids=lambda plan: f"{plan.profile}-{plan.students}")
def city(request) -> City:
    return City(request.param)


@pytest.fixture(scope="module")
def thousand() -> City:
    return City(PLANS[0])


def differing(one: str, other: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in zip(one, other, strict=True) if a != b]


def age(born: date) -> int:
    return FIRST_DAY.year - born.year - ((born.month, born.day) > (FIRST_DAY.month, FIRST_DAY.day))


def school_year(day: date) -> int:
    return day.year - (day.month < 9)


def check_digit(number: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


@pytest.mark.parametrize("which", ["households", "poverty"])
def test_the_tables_have_their_columns_and_count_their_lines(city, which):
    listed, truth = getattr(city.lists, which), getattr(city.lists, f"{which}_truth")
    assert listed.schema == LISTED
    assert truth.schema == TRUTH
    assert truth["line"].to_pylist() == list(range(listed.num_rows))
    known = KINDS | set(TOUCHED) | {"clean", "unmarked"}
    assert {part for *_, noise in city.lines(which) for part in noise} <= known


@pytest.mark.parametrize("which", ["households", "poverty"])
def test_what_no_slip_touched_stands_as_in_the_registry(city, which):
    compared = 0
    for line, student, noise in city.lines(which):
        if student is None:
            assert {"no_roll", "too_young", "too_old"} & set(noise)
            continue
        record = city.registry[student]
        touched = set().union(*(TOUCHED.get(part, set()) for part in noise))
        for column in ("name", "birth_date", "sex", "id_number", "guardian", "guardian_phone"):
            if column not in touched and record[column] is not None:
                assert line[column] == record[column], (student, noise, column)
                compared += 1
        if noise == ["clean"]:
            assert None not in line.values()
    assert compared > 4 * city.plan.students * (which == "households")


CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "typo": lambda now, was: (
        len(pairs := differing(now, was)) == 1 and syllable(pairs[0][0]) != syllable(pairs[0][1])
    ),
    "homophone": lambda now, was: (
        len(pairs := differing(now, was)) == 1 and syllable(pairs[0][0]) == syllable(pairs[0][1])
    ),
    "pinyin": lambda now, was: (
        now.isascii() and now.replace(" ", "").lower() == "".join(map(syllable, was))
    ),
    "placeholder_birthday": lambda now, was: now == date(was.year, 1, 1) != was,
    "no_birth_date": lambda now, was: now is None,
    "other_guardian": lambda now, was: now != was,
    "no_guardian": lambda now, was: now is None,
    "no_phone": lambda now, was: now is None,
    "no_id": lambda now, was: now is None,
    "fifteen_digits": lambda now, was: now == was[:6] + was[8:17] and len(now) == 15,
    "wrong_check_digit": lambda now, was: now[:17] == was[:17] and now[17] != was[17],
    "wrong_digit": lambda now, was: (
        now[:4] == "0099" and now[17] == was[17] and len(differing(now, was)) == 1
    ),
    "lower_case_x": lambda now, was: now == was[:17] + "x" and was[17] == "X",
}
CHANGED = {
    slip: ("guardian" if len(cols) > 1 else next(iter(cols))) for slip, cols in TOUCHED.items()
}


def test_each_slip_is_that_slip(thousand):
    seen = Counter()
    for which in ("households", "poverty"):
        for line, student, noise in thousand.lines(which):
            for slip in set(noise) & set(CHECKS) if student else ():
                column = CHANGED[slip]
                assert CHECKS[slip](line[column], thousand.registry[student][column]), noise
                seen[slip] += 1
    assert set(seen) == set(CHECKS)


def test_slips_have_their_shares_and_exclude_each_other():
    count = 20_000
    lines = [
        {
            "name": "达吾提·买提" if n % 2 else "曾小龙",
            "birth_date": date(2015, 3, 4),
            "id_number": "00990120150304003X" if n % 2 else "009901201503040021",
            "guardian": "王秀(母亲)",
            "guardian_phone": "00012345678",
            "other_guardian": "曾强(父亲)",
            "other_phone": "00087654321",
        }
        for n in range(count)
    ]
    made = make_slips(lines, np.random.default_rng(1))
    seen = Counter(slip for slips in made for slip in slips)
    for group in SLIPS:
        assert all(sum(slip in group for slip in slips) <= 1 for slips in made)
        for name, slip in group.items():
            fits = count / 2 if name in ("lower_case_x", "other_dot") else count
            assert seen[name] == pytest.approx(slip.share * fits, rel=0.25), name
    names = {line["name"] for line, slips in zip(lines, made, strict=True) if "other_dot" in slips}
    assert names == {f"达吾提{dot}买提" for dot in ("・", "•", "‧", ".", "")}
    spelt = {line["name"] for line, slips in zip(lines, made, strict=True) if "pinyin" in slips}
    assert {"Zeng Xiaolong", "ZENG XIAOLONG", "zengxiaolong", "Dawuti Maiti"} <= spelt


def test_most_lines_are_clean(city):
    noises = city.lists.households_truth["noise"].to_pylist()
    assert 0.6 < noises.count("clean") / len(noises) < 0.8


def test_everybody_who_lives_here_has_a_line_but_three_in_a_hundred(city):
    out: dict[str, date] = {}  # the last day on which somebody left the city or finished school
    for row in city.outcomes.to_pylist():
        if row["date"] <= DAY and row["event"] in (
            "graduated",
            "abroad",
            "deceased",
            "transferred",
        ):
            out[row["student_id"]] = row["date"]
    here = {
        student
        for student, record in city.registry.items()
        if record["snapshot_date"] > out.get(student, date.min)
        and record["grade"] + school_year(DAY) - school_year(record["snapshot_date"]) <= 9
    }
    listed = Counter(student for _, student, _ in city.lines() if student)
    again = {student for _, student, noise in city.lines() if "listed_again" in noise}
    assert set(listed) <= here
    assert len(here - set(listed)) == round(0.03 * len(here))
    assert {student for student, lines in listed.items() if lines == 2} == again
    assert max(listed.values()) == 2
    dropped = {
        row["student_id"] for row in city.outcomes.to_pylist() if row["event"] == "dropped_out"
    }
    if city.plan.profile == "poor-rural":
        assert dropped & set(listed)
    elsewhere = [city.registry[student]["migrant_child"] for student in here - set(listed)]
    listed_migrants = [city.registry[student]["migrant_child"] for student in listed]
    assert np.mean(elsewhere) > 5 * np.mean(listed_migrants)


def test_children_on_no_roll_have_numbers_of_their_own_and_their_age(city):
    kinds = Counter()
    numbers = Counter()
    for line, student, noise in city.lines():
        untouched = not {"id_number"} & set().union(*(TOUCHED.get(p, set()) for p in noise))
        if untouched and "listed_again" not in noise:
            numbers[line["id_number"]] += 1
            assert line["id_number"][17] == check_digit(line["id_number"])
        if student is not None:
            continue
        kinds.update(set(noise) & KINDS)
        if untouched:
            assert line["id_number"].startswith("0099")
            assert f"G{line['id_number']}" not in city.registry
            if line["birth_date"] and "placeholder_birthday" not in noise:
                assert line["id_number"][6:14] == f"{line['birth_date']:%Y%m%d}"
        if line["birth_date"] and "placeholder_birthday" not in noise:
            low, high = (
                (2, 5) if "too_young" in noise else (16, 16) if "too_old" in noise else (6, 14)
            )
            if "twin" not in noise and "namesake" not in noise:
                assert low <= age(line["birth_date"]) <= high
    assert max(numbers.values()) == 1
    assert kinds["no_roll"] == 8  # in a little place: two plain, two of each special kind
    assert (kinds["dotted"], kinds["twin"], kinds["namesake"]) == (2, 2, 2)
    assert kinds["too_young"] >= 4
    assert kinds["too_old"] >= 2


def test_there_are_twins_both_enrolled_and_twins_of_whom_one_is(thousand):
    homes: dict[str, list[tuple[dict, str | None]]] = {}
    for line, student, noise in thousand.lines():
        if "twin" in noise:
            homes.setdefault(line["address"], []).append((line, student))
    both, one = 0, 0
    for (first, of_first), (second, of_second) in homes.values():
        assert of_first != of_second
        enrolled = [student for student in (of_first, of_second) if student]
        records = [thousand.registry[student] for student in enrolled]
        assert len({record["birth_date"] for record in records}) == 1
        if len(enrolled) == 2:
            both += 1
            assert len({record["name"][0] for record in records}) == 1
            assert records[0]["name"] != records[1]["name"]
        else:
            one += 1
        for column in ("birth_date", "guardian", "guardian_phone"):  # where no slip is
            values = {line[column] for line in (first, second)} - {None}
            assert values
    assert both == 2
    assert one == 2
    clean = [
        line
        for line, _, noise in thousand.lines()
        if "twin" in noise and set(noise) <= {"twin", "no_roll", "no_id", "other_guardian"}
    ]
    shared = Counter(
        (line["name"][0], line["birth_date"], line["guardian"], line["guardian_phone"])
        for line in clean
    )
    assert 2 in shared.values()


def test_namesakes_are_two_children_of_one_name_and_birth_date(thousand):
    strangers, enrolled = [], set()
    for line, student, noise in thousand.lines():
        if "namesake" in noise and student:
            record = thousand.registry[student]
            enrolled.add((record["name"], record["birth_date"]))
        elif "namesake" in noise:
            strangers.append((line, noise))
    assert len(strangers) == len(enrolled) == 2
    whole = [
        (line["name"], line["birth_date"])
        for line, noise in strangers
        if not {"name", "birth_date"} & set().union(*(TOUCHED.get(p, set()) for p in noise))
    ]
    assert whole
    assert set(whole) <= enrolled


def test_the_poverty_list_holds_the_poor_some_unmarked_and_some_on_no_roll(city):
    listed = {student for _, student, _ in city.lines() if student}
    on_list, unmarked, strangers = set(), set(), 0
    for _, student, noise in city.lines("poverty"):
        if student is None:
            strangers += 1
        elif "unmarked" in noise:
            unmarked.add(student)
        else:
            on_list.add(student)
    this_year = {s: r for s, r in city.registry.items() if r["snapshot_date"] >= FIRST_DAY}
    poor = {student for student, record in this_year.items() if record["poverty"] != "none"}
    assert on_list & set(this_year) == poor & listed
    assert len(unmarked) >= 2
    assert not unmarked & poor
    assert on_list | unmarked <= listed
    assert strangers == 4


def test_the_same_plan_gives_the_same_lists_and_leaves_the_roll_as_it_was(thousand):
    again = City(thousand.plan)
    assert vars(again.lists) == vars(thousand.lists)
    assert again.students.equals(thousand.students)
    untouched = [
        rows for _, _, rows in tables(thousand.plan, make_roll(thousand.plan), roll_only=True)
    ]
    after = [rows for _, _, rows in tables(thousand.plan, thousand.roll, roll_only=True)]
    assert untouched == after
    other = household_lists(Plan(students=1000, seed=8))
    assert not other.households.equals(thousand.lists.households)


@pytest.mark.parametrize("csv", [False, True])
def test_simulate_writes_the_lists_and_the_same_tables(tmp_path, csv):
    plan = Plan(students=100, years=1, seed=5, csv=csv)

    def hashes(root: Path) -> dict[str, str]:
        files = sorted(root.rglob("*.parquet"))
        return {
            str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        }

    without = simulate(tmp_path / "一", plan)
    with_lists = simulate(tmp_path / "二", plan, households=True)
    assert hashes(without.data) == hashes(with_lists.data)
    source = with_lists.root / "source"
    lists = household_lists(plan)
    names = {f"{name}.csv" for name in vars(lists)}
    found = {file.name for file in source.iterdir()}
    assert names | {"README.txt"} <= found
    assert ("students.csv" in found) == csv
    readme = (source / "README.txt").read_text("utf-8")
    assert "虚构" in readme
    assert "households_truth.csv" in readme
    if csv:
        plain = (without.root / "source" / "README.txt").read_text("utf-8")
        assert "households" not in plain
    for name, table in vars(lists).items():
        read = pd.read_csv(source / f"{name}.csv", dtype=str, keep_default_na=False)
        assert list(read.columns) == table.schema.names
        expected = [
            ["" if value is None else str(value) for value in row.values()]
            for row in table.to_pylist()
        ]
        assert read.to_numpy().tolist() == expected


def test_a_source_that_is_there_is_not_written_over(tmp_path):
    kept = tmp_path / "source" / "households.csv"
    kept.parent.mkdir()
    kept.write_text("mine", "utf-8")
    with pytest.raises(EarlywarnError, match="source"):
        simulate(tmp_path, Plan(students=100, years=1), households=True)
    assert kept.read_text("utf-8") == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["source"]


def test_the_command_writes_them(tmp_path):
    arguments = [
        "simulate",
        str(tmp_path / "市"),
        "--students",
        "100",
        "--years",
        "1",
        "--households",
    ]
    result = CliRunner().invoke(make_app(), [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    source = Path(json.loads(result.stdout)["source"])
    assert (source / "poverty_truth.csv").is_file()
    assert not (source / "students.csv").exists()
