"""A name in the ways it is written: with any dot between its parts, a birth date behind it."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# What stands between the parts of a name, in the many forms that keyboards have for it.
_BETWEEN = r"[\s.·・•‧∙⋅‐-―'’`_-]"
_DATED = re.compile(r"(.+)（(\d{4}-\d{2}-\d{2})）", re.DOTALL)


@cache
def plain(written: str) -> str:
    """Return a name without dots, spaces, widths and case.

    >>> plain("古丽扎・买提 ") == plain("古丽扎·买提")
    True
    """
    return re.sub(f"{_BETWEEN}+", "", unicodedata.normalize("NFKC", written)).casefold()


def parted(name: str) -> tuple[str, str]:
    """Return a name and the birth date behind it, as a case has it where two share the name.

    >>> parted("秦小月（2013-05-06）"), parted("秦小月")
    (('秦小月', '2013-05-06'), ('秦小月', ''))
    """
    parts = _DATED.fullmatch(name)
    return (parts[1], parts[2]) if parts else (name, "")


def dated(name: str, born: str) -> str:
    """Return a name with the birth date behind it."""
    return f"{name}（{born}）"


def parts_of(word: str) -> list[str]:
    """Return the parts of a name of letters and signs; of a number or phone, the whole."""
    parts = [part for part in re.split(f"{_BETWEEN}+", word) if part]
    return parts if len(parts) > 1 and not any(c.isdigit() for c in word) else [word]


def pattern(word: str) -> str:
    """Return the pattern of a word, whatever stands between its parts."""
    return f"{_BETWEEN}*".join(map(re.escape, parts_of(word)))
