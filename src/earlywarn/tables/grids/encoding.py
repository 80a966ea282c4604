"""In which encoding a text was written: decoded strictly, never guessed letter by letter."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from earlywarn.errors import EarlywarnError
from earlywarn.tables.source import unusable

_SAMPLE = 1 << 16
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHOWN = {
    "utf-8-sig": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "gb18030": "GB18030",
}
# What tables are written with: ASCII, Latin, signs such as √ △ ①, Chinese, full-width forms.
_WRITTEN = re.compile(r"[\t\r\n -~\xa0-\u024f\u2010-\u27bf\u3001-\u303f\u4e00-\u9fff\uff01-\uffe5]")
_ASCII = re.compile(r"[\t\r\n -~]")


def utf16(start: bytes) -> str:
    """Return utf-16-le or utf-16-be if a file that begins with `start` is that, else "".

    Without a byte order mark: decoded so, nearly all of it is what tables are written with, and
    enough of that is ASCII (delimiters, digits), whose other byte is a NUL.
    """
    for mark, name in _BOMS[1:]:
        if start.startswith(mark):
            return name
    if b"\0" not in start:
        return ""
    sample = start[: len(start) & ~1]
    best, score = "", 0.9
    for name in ("utf-16-le", "utf-16-be"):
        text = sample.decode(name, "replace")
        plain = len(_ASCII.findall(text))
        share = len(_WRITTEN.findall(text)) / max(len(text), 1)
        if share >= score and plain >= max(2, len(text) * 0.04):
            best, score = name, share
    return best


def decoded(path: Path, content: bytes, said: str = "") -> tuple[str, str]:
    """Return the text of `content` and its encoding's name as people write it.

    `said` is the encoding that the file itself names, if any: it decides where two would do.

    Raises
    ------
    EarlywarnError
        If it is none of UTF-8, UTF-16 and GB18030; names the line.
    """
    name = utf16(content[:_SAMPLE])
    tries = [name] if name else ["utf-8-sig", "gb18030"]
    if not name and said.lower().startswith("gb") and not content.startswith(codecs.BOM_UTF8):
        tries.reverse()
    offset = 0
    for name in tries:
        try:
            return content.decode(name).removeprefix("\ufeff"), _SHOWN[name]
        except UnicodeDecodeError as error:
            offset = offset or error.start
            if name == "utf-8-sig" and (content.startswith(codecs.BOM_UTF8) or _mostly(content)):
                break
    if name.startswith("utf-16"):
        before = content[:offset].decode(name, "ignore")
        raise undecodable(path, before.count("\n") + 1, "UTF-16")
    raise undecodable(path, content[:offset].count(b"\n") + 1)


def _mostly(content: bytes) -> bool:
    """Whether of the lines that are not plain ASCII more are valid UTF-8 than not.

    A damaged UTF-8 file often decodes as GB18030 too, into nonsense.
    """
    good = bad = 0
    for line in content.splitlines():
        if not line.isascii():
            try:
                line.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                bad += 1
    return good > bad


def undecodable(path: Path, line: int, kind: str = "") -> EarlywarnError:
    """Return the error for a text whose line `line` is in no known encoding."""
    zh = f"不是有效的 {kind}" if kind else "既不是有效的 UTF-8，也不是 GB18030"
    en = f"is no valid {kind}" if kind else "is neither valid UTF-8 nor GB18030"
    return unusable(
        path,
        f"第 {line} 行{zh}。请用 Excel 或 WPS 另存为“CSV UTF-8”后再导入。",
        f"line {line} {en}. Save the file as “CSV UTF-8” from Excel or WPS and load that.",
    )
