"""Names, telephone numbers and places, so that what means the same is written the same."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from earlywarn.naming import plain

RELATION = re.compile(r"[(\[【〔{].*$")
TONES = re.compile(r"[\d\u0300\u0301\u0304\u030c]")
# Surnames that are read otherwise than the same character elsewhere, and those of two characters.
SURNAME_READINGS = {
    **{"曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "区": "ou", "朴": "piao"},
    **{"任": "ren", "华": "hua", "盖": "ge", "缪": "miao", "翟": "zhai", "尉": "yu", "乐": "yue"},
}
DOUBLE_SURNAMES = frozenset(
    {"欧阳", "司马", "诸葛", "上官", "皇甫", "尉迟", "公孙", "慕容", "令狐"}
    | {"宇文", "长孙", "司徒", "端木", "夏侯", "东方", "南宫", "独孤"}
)
LEAST_PHONE = 7  # digits: below it, an extension or a slip of the pen


def plain_name(written: str | None) -> str | None:
    """Return a name without dots, spaces, widths and case; None for an empty one.

    >>> plain_name("迪丽热巴・买买提 ")
    '迪丽热巴买买提'
    """
    if not written:
        return None
    return plain(written) or None


def plain_guardian(written: str | None) -> str | None:
    """Return a guardian's plain name, a relation in brackets behind it left aside.

    >>> plain_guardian("王芳（母亲）")
    '王芳'
    """
    if not written:
        return None
    return plain_name(RELATION.sub("", unicodedata.normalize("NFKC", written)))


def pinyin(name: str | None) -> str | None:
    """Return how a plain name sounds, tones left aside; letters stay, tone marks and digits go.

    >>> pinyin("王芳"), pinyin("wáng fāng"), pinyin("吕梅")
    ('wangfang', 'wangfang', 'lvmei')
    """
    if not name:
        return None
    first = _family(name[0]) if len(name) > 1 else _syllable(name)
    return _spelling(first + "".join(map(_syllable, name[1:]))) or None


def accent(sound: str | None) -> str | None:
    """Return pinyin as it is heard where zh and z, ch and c, sh and s, -ng and -n are one.

    >>> accent("zhangling") == accent("zanglin")
    True
    """
    return re.sub(r"(?<=[zcs])h|(?<=n)g", "", sound) if sound else None


def surname(name: str | None) -> str | None:
    """Return how the surname of a plain name in characters sounds; None for one in letters."""
    if not name or name[0].isascii():
        return None
    return pinyin(name[:2]) if name[:2] in DOUBLE_SURNAMES else _spelling(_family(name[0]))


def plain_phone(written: str | None) -> str | None:
    """Return a telephone number's digits without +86; None where there are too few."""
    if not written:
        return None
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", written))
    if len(digits) > 11 and digits.startswith("86"):
        digits = digits[2:]
    return digits if len(digits) >= LEAST_PHONE else None


def plain_township(written: str | None) -> str | None:
    """Return a township's own name: without county and city before it, and 镇, 乡 ... behind it.

    >>> plain_township("甲山县松坪镇"), plain_township("松坪乡"), plain_township("松坪")
    ('松坪', '松坪', '松坪')
    """
    if not written:
        return None
    name = plain_name(written) or ""
    own = re.sub(r"^.+?[县市区旗](?=..)", "", name) or name
    return re.sub(r"(?<=..)(?:民族乡|镇|乡|街道办事处|街道|苏木)$", "", own) or None


def _family(character: str) -> str:
    return SURNAME_READINGS.get(character) or _syllable(character)


@cache
def _syllable(character: str) -> str:
    if character.isascii():
        return character
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(character))


def _spelling(letters: str) -> str:
    """Fold what pinyin has several spellings for: tone marks and digits go, ü is v."""
    apart = unicodedata.normalize("NFD", letters)
    plain = TONES.sub("", apart).replace("u\u0308", "v")
    return re.sub(r"(?<=[ln])yu", "v", plain)
