"""Names, telephones, townships and identity numbers: what means the same reads the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.reconcile.names import (
    accent,
    pinyin,
    plain_guardian,
    plain_name,
    plain_phone,
    plain_township,
    surname,
)
from earlywarn.reconcile.numbers import check_digit, identity_number
from earlywarn.simulate.names import registry_numbers

BODIES = st.text("0123456789", min_size=17, max_size=17)
SIGNS = st.sampled_from("0123456789X")


@pytest.mark.parametrize("dot", ["·", "・", "•", "‧", "．", ".", " ", "　", "", " · "])
def test_dots_and_spaces_in_names_make_no_difference(dot: str) -> None:
    assert plain_name(f"迪丽热巴{dot}买买提") == "迪丽热巴买买提"


@pytest.mark.parametrize("empty", [None, "", "  ", "·"])
def test_an_empty_name_is_missing(empty: str | None) -> None:
    assert plain_name(empty) is None
    assert pinyin(plain_name(empty)) is None
    assert surname(plain_name(empty)) is None


@pytest.mark.parametrize(
    "written",
    ["王芳(母亲)", "王芳（母亲）", "王芳【母】", "王 芳 [mother]", "王芳(母亲", "王芳"],
)
def test_a_guardians_relation_is_left_aside(written: str) -> None:
    assert plain_guardian(written) == "王芳"


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("王晓芳", "Wang Xiaofang"),
        ("王晓芳", "WANG XIAO FANG"),
        ("王晓芳", "wángxiǎofāng"),
        ("王晓芳", "wang2 xiao3 fang1"),
        ("吕梅", "Lü Mei"),
        ("吕梅", "LYU MEI"),
        ("吕梅", "lǚ méi"),
        ("吕梅", "lv mei"),
        ("曾伟", "Zeng Wei"),
        ("单丹", "Shan Dan"),
        ("迪丽热巴·买买提", "Dilireba Maimaiti"),
    ],
)
def test_a_name_in_pinyin_sounds_like_the_name(name: str, typed: str) -> None:
    assert pinyin(plain_name(name)) == pinyin(plain_name(typed))


def test_surnames_are_known_in_characters_only() -> None:
    assert [surname(name) for name in ("王芳", "欧阳娜", "曾", "wangfang")] == [
        *("wang", "ouyang", "zeng", None)
    ]


def test_what_is_hard_to_hear_apart_is_one() -> None:
    assert accent(pinyin("张玲")) == accent(pinyin("臧琳"))
    assert accent(pinyin("梁菊")) != accent(pinyin("梁素"))
    assert accent(None) is None


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("138 0000 0001", "13800000001"),
        ("+86-138-0000-0001", "13800000001"),
        ("８６１３８００００００００１"[:13], "13800000000"),
        ("无", None),
        ("110", None),
        ("", None),
        (None, None),
    ],
)
def test_telephones(written: str | None, plain: str | None) -> None:
    assert plain_phone(written) == plain


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("甲山县松坪镇", "松坪"),
        ("松坪乡", "松坪"),
        ("松 坪", "松坪"),
        ("城关镇", "城关"),
        ("乌兰苏木", "乌兰"),
        ("新乡", "新乡"),
        ("", None),
        (None, None),
    ],
)
def test_townships(written: str | None, plain: str | None) -> None:
    assert plain_township(written) == plain


def test_the_standards_own_examples() -> None:
    assert check_digit("11010519491231002") == "X"
    assert check_digit("44052418800101001") == "4"


@given(BODIES)
def test_a_number_reads_the_same_however_it_is_written(body: str) -> None:
    right = identity_number(body + check_digit(body))
    assert right is not None
    assert right.proved
    assert right.body == body
    wide = right.text.translate({ord("0") + n: ord("０") + n for n in range(10)})
    spellings = [f"G{right.text}", f"l {right.text}", right.text.lower(), wide, f"'{right.text} "]
    spellings.append(f"{right.text[:6]}-{right.text[6:14]}-{right.text[14:]}")
    assert [identity_number(text) for text in spellings] == [right] * len(spellings)


@given(BODIES, st.integers(0, 17), SIGNS)
def test_every_single_wrong_sign_is_noticed(body: str, place: int, sign: str) -> None:
    right = body + check_digit(body)
    if right[place] == sign or (sign == "X" and place < 17):
        return
    wrong = identity_number(right[:place] + sign + right[place + 1 :])
    assert wrong is not None
    assert not wrong.proved


@given(BODIES)
def test_fifteen_digits_become_eighteen_and_prove_nothing(body: str) -> None:
    short = identity_number(body[:6] + body[8:])
    assert short is not None
    assert not short.proved
    century = "20" if body[8:10] < "40" else "19"
    assert short.body == body[:6] + century + body[8:]
    assert short.text[17] == check_digit(short.body)


@given(st.text(max_size=25))
def test_any_text_is_a_number_or_none(written: str) -> None:
    number = identity_number(written)
    assert number is None or len(number.text) == 18


@pytest.mark.parametrize("own", ["000123", "20260001", "G12", "1234567890123456", "", None, "无"])
def test_a_schools_own_number_is_none(own: str | None) -> None:
    assert identity_number(own) is None


def test_generated_registry_numbers_are_proved() -> None:
    birth = np.arange(14_000, 14_500, dtype=np.int32)
    numbers = registry_numbers(np.zeros(500, dtype=np.int64), birth, birth % 2 == 0).to_pylist()
    assert all((identity_number(number) or (None, False))[1] for number in numbers)
