"""A cell's text on its way into the workbook and back."""

from __future__ import annotations

import re

from earlywarn.spreadsheets import defuse

LONGEST = 32_000  # a spreadsheet's cell holds 32,767 characters; the rest stays in the master
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
_NO_TEXT = re.compile("[\ufffe\uffff]")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def shown(text: str) -> str:
    """Return `text` as a cell that every spreadsheet program holds and none runs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub(lambda sign: chr(0x2400 + ord(sign.group())), text)
    text = _NO_TEXT.sub("\ufffd", text)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)})"
    return defuse(text)


def read_back(written: str, *known: str) -> str:
    """Return what a cell of the workbook says: one of the `known` texts that was shown so, or new.

    So a cell that nobody touched is the file's own again, to the letter.
    """
    plain = _plain(written)
    for text in known:
        if plain == _plain(shown(text)):
            return text
    if written.startswith("'") and defuse(written[1:]) == written:
        return written[1:]
    return written


def _plain(text: str) -> str:
    """Return one form for the ways in which programs store line breaks and escapes."""
    text = _ESCAPED.sub(lambda sign: chr(int(sign.group(1), 16)), text)
    return text.replace("\r\n", "\n").replace("\r", "\n")
