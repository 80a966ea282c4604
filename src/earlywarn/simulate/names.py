"""Made-up names, registry numbers that can be nobody's, and telephone numbers that never ring."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.simulate.plan import Array

SURNAMES = list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕")
BOYS = list("伟强磊洋勇军杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林阳成东峰博文轩泽瑞")
GIRLS = list("芳娜敏静秀娟英华慧巧美淑惠珠翠雅芝玉萍红娥玲芬燕彩春菊兰凤洁梅琳素云莲真雪")
OLDER = list("国建志德永福贵桂秀玉淑凤金银春秋长庆世荣兴旺顺祥")
STEMS, LANDS = "甲乙丙丁戊己庚辛壬癸", "山水原湖岭川"
TREES = "松柏杨柳桃梅竹兰桂枫槐榆桐杏李枣荷菊茶桑麻莲藤芦"
GROUNDS = "坪湾岭河溪塘桥坝沟坡庄坞圩滩浦垭墩冲洲泉井屯堡渡"
VILLAGES = [a + b for b in "桥坡塘沟岭" for a in "石上下东西南北大小新"]
# 0099xx is no region of the country: such a number can belong to no person.
REGION = "0099"
WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)


def county_name(index: int) -> str:
    """Return the made-up name of county `index`: 甲山县, 乙水县 ..."""
    name = STEMS[index % 10] + LANDS[(index + index // 10) % 6]
    return ("新" if index >= 60 else "") + name + "县"


def township_name(index: int, counties: int) -> str:
    """Return the made-up name of township `index`; the first of each county is its town."""
    size = len(TREES)
    name = TREES[index % size] + GROUNDS[(index + index // size) % size]
    if index < counties:
        return f"{name}城关镇"
    return f"{'新' if index >= size * size else ''}{name}{'镇' if index % 3 else '乡'}"


def village_name(township: int, index: int) -> str:
    """Return the made-up name of a township's village `index`."""
    size = len(VILLAGES)
    mark = "" if index < size else str(index // size + 1)
    return f"{VILLAGES[(township * 7 + index) % size]}村{mark}"


def registry_numbers(county: Array, birth: Array, male: Array) -> pa.Array:
    """Return G + 18 digits with a valid check digit and an impossible region, one a child.

    Parameters
    ----------
    county
        0-based county of birth (below 100).
    birth
        Date of birth in days since 1970-01-01.
    male
        Boys have odd serial numbers, girls even ones.
    """
    count = len(county)
    order = np.lexsort((male, birth, county))
    same = np.zeros(count, dtype=bool)
    same[1:] = (
        (np.diff(county[order]) == 0)
        & (np.diff(birth[order]) == 0)
        & (np.diff(male[order].astype(np.int8)) == 0)
    )
    place = np.arange(count)
    nth = np.empty(count, dtype=np.int64)
    nth[order] = place - np.maximum.accumulate(np.where(same, 0, place))
    serial = 2 * nth + np.where(male, 1, 2)
    if count and int(serial.max()) > 999:
        raise ValueError("more than 499 children of one sex born on one day in one county")
    day = birth.astype("datetime64[D]")
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970
    month = day.astype("datetime64[M]").astype(np.int64) % 12 + 1
    dom = (day - day.astype("datetime64[M]")).astype(np.int64) + 1
    digits = np.empty((count, 17), dtype=np.int64)
    digits[:, :4] = [int(c) for c in REGION]
    for first, width, value in (
        (4, 2, county.astype(np.int64) + 1),
        (6, 4, year),
        (10, 2, month),
        (12, 2, dom),
        (14, 3, serial),
    ):
        for at in range(width):
            digits[:, first + at] = value // 10 ** (width - 1 - at) % 10
    text = np.empty((count, 19), dtype=np.uint8)
    text[:, 0] = ord("G")
    text[:, 1:18] = digits + ord("0")
    text[:, 18] = CHECK[digits @ WEIGHTS % 11]
    return fixed_width(text)


def fixed_width(text: Array) -> pa.Array:
    """Return rows of ASCII bytes as strings."""
    count, width = text.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.Array.from_buffers(
        pa.string(), count, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(text.tobytes())]
    )


def phones(rng: np.random.Generator, count: int) -> pa.Array:
    """Return telephone numbers that begin with 000, which no number does."""
    text = rng.integers(ord("0"), ord("9") + 1, (count, 11)).astype(np.uint8)
    text[:, :3] = ord("0")
    return fixed_width(text)


def given_names(rng: np.random.Generator, male: Array, older: bool = False) -> pa.Array:
    """Return given names of one or two characters for boys and girls (or for their elders)."""
    count = len(male)
    boys, girls = pa.array(BOYS), pa.array(GIRLS)
    last = pc.if_else(
        pa.array(male),
        boys.take(pa.array(rng.integers(0, len(BOYS), count))),
        girls.take(pa.array(rng.integers(0, len(GIRLS), count))),
    )
    middle = [*OLDER] if older else [*dict.fromkeys(BOYS[::2] + GIRLS[::2] + list("子梓一思雨佳"))]
    first = pa.array(["", *middle]).take(
        pa.array(np.maximum(0, rng.integers(-len(middle) // 3, len(middle), count) + 1))
    )
    return pc.binary_join_element_wise(first, last, "")


def surnames(rng: np.random.Generator, count: int) -> pa.Array:
    """Return common surnames, the commonest most often."""
    share = 1.0 / (np.arange(len(SURNAMES)) + 6.0)
    codes = rng.choice(len(SURNAMES), size=count, p=share / share.sum())
    return pa.array(SURNAMES).take(pa.array(codes))
