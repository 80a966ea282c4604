"""Identity numbers as lists write them: 15 or 18 digits, a lower-case x, a G before them, slips."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
LOOKS = re.compile(r"[GL]?(\d{17}[\dX]|\d{15})")
# Two digits of a year below this are of this century in a number of 15 digits. Such numbers were
# given until 1999; written for a child of school age, one is an 18-digit number cut short.
CENTURY_BEGINS = 40


class IdentityNumber(NamedTuple):
    """An identity number of 18 characters, and whether its own check digit vouches for it.

    `proved` is False where the check digit is wrong, and where there was none (15 digits): an
    equal number then needs something else to agree with it.
    """

    text: str
    proved: bool

    @property
    def body(self) -> str:
        """The first 17 digits, which say whose number it is; the last only checks them."""
        return self.text[:17]


def check_digit(body: str) -> str:
    """Return what ISO 7064 MOD 11-2 puts behind 17 digits: 0-9 or X."""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True))
    return CHECKS[total % 11]


def identity_number(written: str | None) -> IdentityNumber | None:
    """Read an identity number, or a registry number made of one.

    Full-width digits, spaces, hyphens, a lower-case x and a leading G or L are understood, and 15
    digits become 18. Returns None for what is no identity number, such as a school's own.
    """
    if not written:
        return None
    text = re.sub(r"[\s'‐-―−-]", "", unicodedata.normalize("NFKC", written)).upper()
    match = LOOKS.fullmatch(text)
    if match is None:
        return None
    digits = match[1]
    if len(digits) == 15:
        century = "20" if int(digits[6:8]) < CENTURY_BEGINS else "19"
        body = digits[:6] + century + digits[6:]
        return IdentityNumber(body + check_digit(body), proved=False)
    return IdentityNumber(digits, proved=digits[17] == check_digit(digits[:17]))
