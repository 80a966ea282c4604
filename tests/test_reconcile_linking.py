"""Lines and children: by number, exactly, by weight; twins, doubles and lists known by truth."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earlywarn.reconcile.fields import FIELDS, agreement_words
from earlywarn.reconcile.linking import Linked, link
from earlywarn.reconcile.matching import LIKELY, MARGIN, SURE, Weighed, settle
from earlywarn.reconcile.numbers import check_digit
from earlywarn.reconcile.people import ENROLLED, LISTED, PAIRS
from linking_lists import draw, measure

BORN = date(2012, 5, 17)


def number(serial: int, born: str = "20120517") -> str:
    body = f"009901{born}{serial:03d}"
    return body + check_digit(body)


def child(student_id: str, name: str = "王小芳", **known: Any) -> dict[str, Any]:
    return {
        "student_id": student_id,
        "name": name,
        "sex": "F",
        "birth_date": BORN,
        "guardian": "李桂英(母亲)",
        "guardian_phone": "00012345678",
        "school_id": "SC1",
        "township": "松坪镇",
        **known,
    }


def line(name: str = "王小芳", **known: Any) -> dict[str, Any]:
    return {
        "name": name,
        "sex": "F",
        "birth_date": BORN,
        "guardian": "李桂英",
        "guardian_phone": "00012345678",
        "township": "松坪",
        **known,
    }


def others(count: int = 60) -> list[dict[str, Any]]:
    """Children who have nothing to do with the case at hand."""
    return [
        child(
            f"G{number(n + 100, '20100301')}",
            "赵钱孙周吴郑冯陈褚卫"[n % 10] + "伟强磊洋勇军"[n % 6] + "杰涛超明刚"[n % 5],
            birth_date=date(2010 + n % 4, 1 + n % 12, 2 + n % 26),
            guardian=f"{'赵钱孙周吴郑冯陈褚卫'[n % 10]}志{'国建德永福贵'[n % 6]}",
            guardian_phone=f"0009999{n:04d}",
            township="柳湾镇",
        )
        for n in range(count)
    ]


def linked(lines: list[dict[str, Any]], children: list[dict[str, Any]]) -> Linked:
    listed = [{"line": n, "file": "a.csv", "row": n + 2, **row} for n, row in enumerate(lines)]
    return link(
        pa.Table.from_pylist(listed, schema=LISTED),
        pa.Table.from_pylist(children + others(), schema=ENROLLED),
    )


def sure(result: Linked) -> dict[int, tuple[str, str]]:
    rows = result.sure.to_pylist()
    return {row["line"]: (row["student_id"], row["how"]) for row in rows}


def unsure(result: Linked) -> list[tuple[int, str]]:
    return [(row["line"], row["student_id"]) for row in result.unsure.to_pylist()]


A, B = f"G{number(21)}", f"L{number(22)}"


@pytest.mark.parametrize(
    "written",
    [
        number(21),
        number(21).lower(),
        f"g{number(21)}",
        number(21)[:6] + number(21)[8:17],
        number(21)[:17] + ("1" if number(21)[17] != "1" else "2"),
    ],
)
def test_an_equal_number_finds_the_child(written: str) -> None:
    other = {"guardian": "张三", "guardian_phone": None}
    assert sure(linked([line(id_number=written, **other)], [child(A)])) == {0: (A, "id")}


def test_a_registry_number_with_a_wrong_check_digit_matches_itself() -> None:
    wrong = number(21)[:17] + ("1" if number(21)[17] != "1" else "2")
    other = {"guardian": "张三", "guardian_phone": None}
    result = linked([line(id_number=wrong, **other)], [child(f"G{wrong}")])
    assert sure(result) == {0: (f"G{wrong}", "id")}


def test_a_wrong_check_digit_needs_name_or_birth_date() -> None:
    wrong = number(21)[:17] + ("1" if number(21)[17] != "1" else "2")
    stranger = {"birth_date": date(2009, 8, 8), "sex": "M", "township": None}
    result = linked([line("孙大勇", id_number=wrong, **stranger)], [child(A)])
    assert sure(result) == {}
    assert unsure(result) == [(0, A)]  # guardian and telephone agree: somebody must look
    apart = stranger | {"guardian": "孙福", "guardian_phone": "00055555555"}
    result = linked([line("孙大勇", id_number=wrong, **apart)], [child(A)])
    assert (sure(result), unsure(result)) == ({}, [])


def test_a_right_number_with_everything_else_different_is_unsure() -> None:
    apart = {"birth_date": date(2009, 8, 8), "guardian": "孙福", "guardian_phone": "00055555555"}
    result = linked([line("孙大勇", id_number=number(21), **apart)], [child(A)])
    assert sure(result) == {}
    assert unsure(result) == [(0, A)]
    assert result.unsure["how"].to_pylist() == ["id"]


def test_a_sisters_number_is_not_believed() -> None:
    twins = [child(A, "王小芳"), child(B, "王小明")]
    result = linked([line("王小明", id_number=number(21))], twins)
    assert sure(result) == {}
    assert unsure(result) == [(0, A), (0, B)]


def test_one_number_twice_in_the_registry_is_for_a_person() -> None:
    again = f"L{number(21)}"
    result = linked([line(id_number=number(21))], [child(A), child(again)])
    assert sure(result) == {}
    assert set(unsure(result)) == {(0, A), (0, again)}


def test_a_schools_own_number_is_no_identity_number() -> None:
    found = linked([line("王晓芳", id_number="000123")], [child("000123")])
    assert sure(found) == {0: ("000123", "linked")}


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        ("迪丽热巴・买买提", "迪丽热巴·买买提"),
        ("迪丽热巴.买买提", "迪丽热巴•买买提"),
        ("王 小芳", "王小芳"),
    ],
)
def test_exact_is_after_normalising(listed: str, known: str) -> None:
    result = linked([line(listed, guardian="李桂英（母亲）")], [child("1", known)])
    assert sure(result) == {0: ("1", "exact")}
    assert result.sure["weight"].to_pylist() == [None]


def test_a_placeholder_birthday_is_not_exact() -> None:
    first = date(2012, 1, 1)
    result = linked([line(birth_date=first)], [child("1", birth_date=first)])
    assert sure(result) == {0: ("1", "linked")}
    assert "birth~" in result.sure["agreement"][0].as_py()


def test_two_children_of_one_name_birthday_and_guardian_are_for_a_person() -> None:
    result = linked([line()], [child("1"), child("2")])
    assert sure(result) == {}
    assert unsure(result) == [(0, "1"), (0, "2")]


@pytest.mark.parametrize(
    "slip",
    [
        {"name": "王晓芳"},
        {"name": "Wang Xiaofang"},
        {"birth_date": date(2012, 1, 1)},
        {"birth_date": date(2012, 5, 11)},
        {"birth_date": None},
        {"guardian": "张三", "township": None},
        {"guardian": None},
    ],
)
def test_one_slip_is_linked(slip: dict[str, Any]) -> None:
    result = linked([line() | slip], [child("1")])
    assert sure(result) == {0: ("1", "linked")}
    assert result.sure["probability"][0].as_py() > 0.99


def test_twins_are_told_apart_and_a_twin_on_no_roll_is_not_the_other() -> None:
    twins = [child("1", "王芳"), child("2", "王强", sex="M")]
    both = linked([line("王强", sex="M", guardian="张三"), line("王芳", guardian="张三")], twins)
    assert {at: found for at, (found, _) in sure(both).items()} == {0: "2", 1: "1"}
    alone = linked([line("王芳"), line("王强", sex="M")], twins[:1])
    assert sure(alone) == {0: ("1", "exact")}
    assert unsure(alone) == []


def test_a_twin_whose_name_fits_both_is_for_a_person() -> None:
    twins = [child("1", "王小芳"), child("2", "王小明")]
    result = linked([line("王小宝")], twins)
    assert sure(result) == {}
    assert set(unsure(result)) == {(0, "1"), (0, "2")}


def test_a_child_listed_by_two_households_is_found_once() -> None:
    second = {"guardian": "张三", "guardian_phone": "00077777777", "township": "柳湾"}
    result = linked([line(id_number=number(21), **second), line(id_number=number(21))], [child(A)])
    assert sure(result) == {1: (A, "id")}  # the line that agrees best
    assert result.repeated.to_pylist() == [{"line": 0, "first_line": 1}]
    result = linked([line(), line()], [child("1")])
    assert sure(result) == {0: ("1", "exact")}
    assert result.repeated.to_pylist() == [{"line": 1, "first_line": 0}]
    result = linked([line(), line(**second)], [child("1")])
    assert sure(result) == {0: ("1", "exact")}
    assert result.repeated.num_rows == 0  # another child of that name and day? somebody must look
    assert unsure(result) == [(1, "1")]


def test_a_namesake_with_a_number_of_its_own_is_on_no_roll() -> None:
    apart = {"guardian": "孙福", "guardian_phone": "00055555555", "township": "柳湾"}
    result = linked([line(id_number=number(21)), line(id_number=number(23), **apart)], [child(A)])
    assert sure(result) == {0: (A, "id")}
    assert unsure(result) == []
    assert result.repeated.num_rows == 0


def test_nobody_alike_is_on_no_roll() -> None:
    stranger = line("孙大勇", sex="M", birth_date=date(2009, 8, 8), guardian="孙福")
    stranger["guardian_phone"] = "00055555555"
    result = linked([stranger], [child("1")])
    assert (sure(result), unsure(result)) == ({}, [])


@pytest.mark.parametrize(("lines", "children"), [(0, 0), (0, 3), (3, 0)])
def test_an_empty_side(lines: int, children: int) -> None:
    listed = [{"line": n, "file": "a", "row": n, **line()} for n in range(lines)]
    result = link(
        pa.Table.from_pylist(listed, schema=LISTED),
        pa.Table.from_pylist(others(children), schema=ENROLLED),
    )
    assert result.sure.schema == result.unsure.schema == PAIRS
    assert result.sure.num_rows == result.unsure.num_rows == result.repeated.num_rows == 0


def test_lines_with_nothing_in_them_are_on_no_roll() -> None:
    nothing = dict.fromkeys(LISTED.names[3:])
    result = linked([nothing, dict.fromkeys(nothing, "") | {"birth_date": None}], [child("1")])
    assert (sure(result), unsure(result)) == ({}, [])


@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize("numbers", [0.75, 0.0])
def test_lists_of_known_truth(seed: int, numbers: float) -> None:
    lists = draw(seed, 1_000, numbers=numbers)
    result = link(lists.listed, lists.enrolled)
    found = measure(result, lists.truth)
    assert found.precision >= 0.99
    assert found.recall >= 0.95
    _check_shape(result, lists.truth)
    firsts = result.repeated.to_pylist()
    assert all(lists.truth[row["line"]] == lists.truth[row["first_line"]] for row in firsts)


@pytest.mark.parametrize("count", [3, 20, 60])
def test_few_people_do_too(count: int) -> None:
    lists = draw(5, count, numbers=0.5)
    result = link(lists.listed, lists.enrolled)
    assert measure(result, lists.truth).precision == 1.0
    _check_shape(result, lists.truth)


def _check_shape(result: Linked, truth: dict[int, str | None]) -> None:
    lines, children = result.sure["line"].to_pylist(), result.sure["student_id"].to_pylist()
    assert lines == sorted(set(lines))
    assert len(set(children)) == len(children)
    repeated = result.repeated["line"].to_pylist()
    asked = result.unsure["line"].to_pylist()
    assert not set(lines) & set(repeated)
    assert not (set(lines) | set(repeated)) & set(asked)
    assert set(result.repeated["first_line"].to_pylist()) <= set(lines)
    assert max((asked.count(one) for one in set(asked)), default=0) <= 3
    assert {*lines, *repeated, *asked} <= set(truth)
    names = [field.name for field in FIELDS]
    for code in result.sure["agreement"].to_pylist() + result.unsure["agreement"].to_pylist():
        assert [part[:-1] for part in code.split(",")] == names


def test_the_same_lists_in_another_order_give_the_same_pairs() -> None:
    lists = draw(21, 400, numbers=0.4)
    rng = np.random.default_rng(0)
    shuffled = link(
        lists.listed.take(pa.array(rng.permutation(lists.listed.num_rows))),
        lists.enrolled.take(pa.array(rng.permutation(lists.enrolled.num_rows))),
    )
    straight = link(lists.listed, lists.enrolled)
    assert straight.sure.equals(shuffled.sure)
    assert straight.unsure.equals(shuffled.unsure)
    assert straight.repeated.equals(shuffled.repeated)


def test_nothing_is_written_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("splink")
    before = log.level, list(log.handlers), log.propagate
    lists = draw(22, 300, numbers=0.3)
    link(lists.listed, lists.enrolled)
    assert capfd.readouterr() == ("", "")
    assert (log.level, list(log.handlers), log.propagate) == before


def test_splink_is_imported_only_when_something_is_linked() -> None:
    code = (
        "import sys, earlywarn.reconcile.linking;"
        "sys.exit('splink' in sys.modules or 'pypinyin' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_agreement_in_words() -> None:
    code = "number?,name=,birth~,sex=,guardianx,phone?,township="
    assert agreement_words(code, "zh") == "姓名一致、出生日期相近、性别一致、监护人不同、乡镇一致"
    assert agreement_words(code, "en") == (
        "name equal, birth date similar, sex equal, guardian different, township equal"
    )


WEIGHTS = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    st.tuples(st.integers(-8, 30), st.booleans(), st.booleans()),
    max_size=20,
)


@settings(deadline=None)
@given(WEIGHTS, st.sets(st.integers(0, 5)))
def test_what_is_settled_is_clear(
    drawn: dict[tuple[int, int], tuple[int, bool, bool]], given_away: set[int]
) -> None:
    keys = sorted(drawn)
    taken = np.zeros(6, dtype=bool)
    taken[list(given_away)] = True
    flags = [np.array([drawn[k][n] for k in keys], dtype=bool) for n in (1, 2)]
    pairs = Weighed(
        line=np.array([k[0] for k in keys], dtype=np.int64),
        child=np.array([k[1] for k in keys], dtype=np.int64),
        weight=np.array([drawn[k][0] for k in keys], dtype=np.float64),
        eligible=flags[0],
        same=flags[1],
        near=flags[1],
        repeats=flags[0],
        telling=np.zeros(len(keys), dtype=bool),
    )
    settled = settle(pairs, taken, 6)
    won = [keys[n] for n in settled.sure]
    assert len({a for a, _ in won}) == len({b for _, b in won}) == len(won)
    assert not {b for _, b in won} & given_away
    assert all(drawn[k][0] >= SURE and drawn[k][1] for k in won)
    again = [keys[n] for n in settled.repeated]
    assert {b for _, b in again} <= {b for _, b in won} | given_away
    lines = {a for a, _ in won} | {a for a, _ in again}
    assert len(lines) == len(won) + len(again)
    assert all(keys[n][0] not in lines and pairs.weight[n] >= LIKELY for n in settled.open)
    # The first thing to be settled, by hand: a pair better than all others by the margin.
    for key in keys:
        weight, eligible, _ = drawn[key]
        rivals = [drawn[k][0] for k in keys if k != key and (k[0] == key[0] or k[1] == key[1])]
        if (
            eligible
            and key[1] not in given_away
            and weight >= max([SURE, *(r + MARGIN for r in rivals)])
        ):
            assert key in won
