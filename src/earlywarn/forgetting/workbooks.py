"""A workbook (XLSX) without a child: its rows, and the texts and comments that name it.

Only what is the child's is touched: rows keep their numbers, and everything else of the file is
copied as it stands. A list that a school fills in is signed anew, so that it still comes back.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from earlywarn.files import DAMAGED_ZIP
from earlywarn.followup.answers import KEY_SHEET
from earlywarn.followup.returned.signing import SIGNED, sign, verify
from earlywarn.forgetting.child import Child
from earlywarn.forgetting.texts import Dropped

_LARGEST = 512 * 1024 * 1024  # bytes of all members, unzipped
_P = r"(?:\w+:)?"
_ROW = re.compile(rf"<{_P}row\b[^>]*?(?:/>|>.*?</{_P}row>)", re.DOTALL)
_CELL = re.compile(rf"<{_P}c\b([^>]*?)(?:/>|>(.*?)</{_P}c>)", re.DOTALL)
_ITEM = re.compile(rf"<{_P}si\b[^>]*?(?:/>|>.*?</{_P}si>)", re.DOTALL)
_COMMENT = re.compile(rf"<{_P}comment\b[^>]*?>.*?</{_P}comment>", re.DOTALL)
_TEXT = re.compile(rf"<{_P}t\b[^>/]*>(.*?)</{_P}t>", re.DOTALL)
_VALUE = re.compile(rf"<{_P}v\b[^>]*>(.*?)</{_P}v>", re.DOTALL)
# The number of the shared text that a cell shows.
_SHARED = re.compile(rf'<{_P}c\b[^>]*\bt="s"[^>]*>\s*<{_P}v\b[^>]*>\s*(\d+)\s*<')
_CHAIN = "xl/calcChain.xml"


def members(data: bytes) -> dict[str, bytes] | None:
    """Return a zip's members, unzipped; None if it is none, is damaged, or is far too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LARGEST:
                return None
            return {info.filename: archive.read(info) for info in archive.infolist()}
    except DAMAGED_ZIP:
        return None


def workbook(data: bytes, child: Child, key: bytes) -> tuple[bytes, Dropped] | None:
    """Take the child out of a workbook; None if that cannot be done.

    `key` is the one that the workspace's lists are signed with.
    """
    found = members(data)
    if found is None or "xl/workbook.xml" not in found:
        return None
    texts = {n: d.decode("utf-8", "surrogateescape") for n, d in found.items() if _is_xml(n)}
    strings = texts.get("xl/sharedStrings.xml", "")
    items = [_said(match.group()) for match in _ITEM.finditer(strings)]
    its = {str(i) for i, said in enumerate(items) if child.is_cell(said)}
    dropped = Dropped()
    kept: set[str] = set()  # items that a row which stays refers to
    lost: set[str] = set()

    def without_row(match: re.Match[str]) -> str:
        found = _CELL.finditer(match.group())
        cells = [_cell(cell.group(1), cell.group(2) or "", items) for cell in found]
        if not child.is_row(filter(None, cells)):
            kept.update(_SHARED.findall(match.group()))
            return match.group()
        lost.update(_SHARED.findall(match.group()))
        dropped.append(cells)
        return ""

    made = dict(texts)
    for name, xml in texts.items():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            made[name] = _ROW.sub(without_row, xml)
        elif "comments" in name.lower():
            made[name] = _COMMENT.sub(
                lambda m: "" if child.mentioned(_said(m.group())) else m.group(), xml
            )
    if strings:
        made["xl/sharedStrings.xml"] = _without_items(strings, its | (lost - kept), child)
    made = {name: child.struck(xml) for name, xml in made.items()}
    if made == texts:
        return data, []
    if dropped:
        _forget_chain(made)
    order = [name for name in found if name in made or name not in texts]
    result = _zipped(data, {n: _bytes(made[n]) if n in made else found[n] for n in order})
    return _signed_anew(data, result, key), dropped


def _is_xml(name: str) -> bool:
    return name.endswith((".xml", ".rels", ".vml"))


def _bytes(xml: str) -> bytes:
    return xml.encode("utf-8", "surrogateescape")


def _said(xml: str) -> str:
    return html.unescape("".join(_TEXT.findall(xml)))


def _cell(attributes: str, content: str, items: list[str]) -> str:
    """Return the text of a cell; a number is none, and of a formula it is what was last shown."""
    kind = re.search(r'\bt="(\w+)"', attributes)
    value = _VALUE.search(content)
    if kind is None:
        return ""
    if kind.group(1) == "s" and value is not None and value.group(1).strip().isdecimal():
        number = int(value.group(1))
        return items[number] if number < len(items) else ""
    if kind.group(1) == "inlineStr":
        return _said(content)
    return html.unescape(value.group(1)) if kind.group(1) == "str" and value else ""


def _without_items(strings: str, gone: set[str], child: Child) -> str:
    count = iter(range(len(strings)))

    def blank(match: re.Match[str]) -> str:
        number = str(next(count))
        # A text in pieces (a bold word in it) may hold a name across two of them.
        if number in gone or (
            child.mentioned(_said(match.group())) and not child.mentioned(match.group())
        ):
            prefix = match.group().split("si", 1)[0].lstrip("<")
            return f"<{prefix}si><{prefix}t></{prefix}t></{prefix}si>"
        return match.group()

    return _ITEM.sub(blank, strings)


def _forget_chain(made: dict[str, str]) -> None:
    """Take out the order of calculation, which may name rows that are gone; Excel makes it anew."""
    if made.pop(_CHAIN, None) is None:
        return
    for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        made[name] = re.sub(rf"<{_P}\w+\b[^>]*calcChain[^>]*/>", "", made[name])


def _zipped(like: bytes, contents: Mapping[str, bytes]) -> bytes:
    """Return a zip with the given members, each with the time and the packing that it had."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(like)) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            if info.filename in contents:
                made = zipfile.ZipInfo(info.filename, info.date_time)
                made.compress_type = info.compress_type
                made.external_attr = info.external_attr
                new.writestr(made, contents[info.filename])
    return buffer.getvalue()


def _signed_anew(before: bytes, after: bytes, key: bytes) -> bytes:
    """Sign a list's hidden sheet again, if it was signed rightly before."""
    was, now = _hidden(before), _hidden(after)
    if was is None or now is None or not verify(*was, key):
        return after
    old, new = was[0]["signature"], sign(*now, key)
    found = members(after) or {}
    signed = {
        name: data.replace(old.encode(), new.encode()) if _is_xml(name) else data
        for name, data in found.items()
    }
    return _zipped(after, signed)


def _hidden(data: bytes) -> tuple[dict[str, str], list[tuple[int, str]]] | None:
    """Return the entries of a list's hidden sheet and its (rank, student_id)."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    except (zipfile.BadZipFile, OSError, KeyError, ValueError, TypeError):
        return None
    if KEY_SHEET not in book.sheetnames:
        return None
    entries = dict.fromkeys((*SIGNED, "signature"), "")
    students = []
    for row in _filled(book[KEY_SHEET].iter_rows(max_col=2, values_only=True)):
        left, right = row
        if str(left) in entries:
            entries[str(left)] = str(right or "")
        elif str(left).isdecimal():
            students.append((int(left), str(right or "")))
    return entries, students


def _filled(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    return (row for row in rows if len(row) == 2 and row[0] is not None)
