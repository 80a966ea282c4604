"""Lines that fit nobody, put together child by child, within one list and over both."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from earlywarn.followup.ledger import Ledger
from earlywarn.reconcile.strangers import by_child
from reconcile_village import THERE, child, compared, line, make, number, stranger, write

BORN = date(2014, 6, 22)
ID, OTHER_ID = number(BORN, 900), number(BORN, 901)
NOTHING = {"id_number": None, "guardian": None, "guardian_phone": None}


def said(name: str, born: date | None = BORN, **more: str) -> dict[str, Any]:
    return {"name": name, "birth_date": born} | NOTHING | more


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        # the number
        (said("古丽扎·买提", id_number=ID), said("古丽扎・买提", id_number=ID), True),
        (said("张菊真", id_number=ID), said("张菊真", date(2014, 1, 1), id_number=ID), True),
        (said("刘勇彩", id_number=ID), said("刘佣彩", None, id_number=ID.lower()), True),
        (said("刘勇彩", id_number=ID), said("马小红", id_number=ID), True),
        (said("刘勇彩", id_number=ID), said("马小红", date(2012, 3, 4), id_number=ID), False),
        (said("刘勇彩", id_number=ID), said("刘勇彩", id_number=OTHER_ID), False),
        (said("刘勇彩", id_number=ID), said("刘勇彩", id_number=ID[:17] + "?"), True),
        # name and birth date
        (said("古丽扎·买提"), said("古丽扎・买提 "), True),
        (said("古丽扎·买提", id_number=ID), said("古丽扎.买提"), True),
        (said("刘勇彩"), said("刘佣彩"), False),
        (said("刘勇彩"), said("刘勇彩", date(2014, 6, 23)), False),
        (said("刘勇彩"), said("刘勇彩", date(2014, 1, 1)), False),
        (said("刘勇彩", guardian="刘大"), said("刘勇彩", date(2014, 1, 1), guardian="刘大"), True),
        (
            said("刘勇彩", guardian_phone="13800000001"),
            said("刘勇彩", date(2014, 1, 1), guardian_phone="+86 138 0000 0001"),
            True,
        ),
        (said("刘勇彩", guardian="刘大"), said("刘勇彩", date(2013, 1, 1), guardian="刘大"), False),
        # name, guardian, telephone
        (
            said("刘勇彩", guardian="刘大", guardian_phone="13800000001"),
            said("刘勇彩", date(2013, 7, 1), guardian="刘大（父）", guardian_phone="13800000001"),
            True,
        ),
        (
            said("刘勇彩", guardian="刘大", guardian_phone="13800000001"),
            said("刘勇花", date(2013, 7, 1), guardian="刘大", guardian_phone="13800000001"),
            False,
        ),
    ],
)
def test_two_lines(one: dict[str, Any], other: dict[str, Any], are_one: bool) -> None:
    for lines in ([one, other], [other, one]):
        assert by_child(lines) == ([lines] if are_one else [[lines[0]], [lines[1]]])


def test_children_and_lines_keep_their_order() -> None:
    a, b = said("刘勇彩", id_number=ID), said("马小红")
    again = said("刘佣彩", id_number=ID)
    assert by_child([a, b, again]) == [[a, again], [b]]


PAIRS = {
    "another dot": ({"姓名": "古丽扎·买提"}, {"姓名": "古丽扎・买提"}),
    "the year alone": ({"姓名": "张菊真"}, {"姓名": "张菊真", "出生日期": "2014-01-01"}),
    "another sign": ({"姓名": "刘勇彩"}, {"姓名": "刘佣彩"}),
}


@pytest.mark.parametrize("which", PAIRS)
def test_one_case_for_a_child_of_both_lists(tmp_path: Path, which: str) -> None:
    workspace = make(tmp_path / "某县", {"0": (child(0), THERE)})
    household, poor = (stranger("某某某", BORN, 900, **changes) for changes in PAIRS[which])
    lists = write(tmp_path / "户籍.csv", [household]), write(tmp_path / "低保.csv", [poor])
    assert compared(workspace, *lists).cases == 1
    with Ledger.open(workspace) as ledger:
        (case,) = ledger.cases()
        assert case.person == household["姓名"]
        assert BORN.isoformat() in str(case.story[0].value)
    # Without the household line the next month, the case is still the child's.
    later = write(tmp_path / "下月.csv", [line(child(0))])
    assert compared(workspace, later, lists[1]).cases == 0
