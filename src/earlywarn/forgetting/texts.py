"""Files of text without a child: CSV, JSON, pages, logs and notes.

Each function returns what it left and what it took out. A row, an object or a block that is about
the child goes as a whole; in a text about others the child's words alone are struck out.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from typing import Any

from earlywarn.errors import Text
from earlywarn.forgetting.child import Child

NOTE = Text(
    "本文件已改写：应要求，其中一名孩子的内容已被删去，名次保持原来的编号，合计数未改。",
    "This file was rewritten: what it said of one child was taken out on request. Ranks keep their "
    "numbers; totals are as they were.",
)
_BLOCKS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'<tbody class="child.*?</tbody>\n?',
        r'<article class="sheet.*?</article>\n?',
        r"<tr\b.*?</tr>\n?",
        r"<li\b.*?</li>\n?",
    )
)
# What a file's heading calls a child's number.
NUMBER_HEADINGS = frozenset({"student_id", "学籍号", "全国学籍号", "学生学籍号"})

_CARD = re.compile(r'data-child="([^"]*)"')

Dropped = list[list[str]]  # the cells of each row, or the text of each thing, that was taken out


def decoded(data: bytes) -> tuple[str, Callable[[str], bytes]] | None:
    """Return a file's text and what writes it again, None if it is no text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8", "gb18030"]
    if b"\0" in data and candidates != ["utf-16"]:
        return None
    for encoding in candidates:
        try:
            return data.decode(encoding), partial(str.encode, encoding=encoding)
        except UnicodeDecodeError:
            continue
    return None


def table(text: str, child: Child) -> tuple[str, Dropped]:
    """Take the child's rows out of a CSV or a table with tabs or semicolons.

    A row whose own number is another child's stays, without the words that are this child's alone.
    """
    kept, dropped = [], Dropped()
    records = _records(text)
    head = next(records, "")
    delimiter = max(",;\t", key=head.count)
    headings = [cell.strip() for cell in _cells(head, delimiter)]
    numbers = [i for i, heading in enumerate(headings) if heading in NUMBER_HEADINGS]
    for record in (head, *records):
        cells = _cells(record, delimiter)
        ids = [cells[i].strip().lstrip("'") for i in numbers if i < len(cells) and cells[i].strip()]
        is_its = child.student_id in ids if ids else child.is_row(cells)
        if is_its:
            dropped.append(cells)
        else:
            kept.append(child.struck(record))
    return "".join(kept), dropped


def _records(text: str) -> Iterator[str]:
    """Yield the records of a CSV as they stand, a quoted line break within one."""
    record = ""
    for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text):
        record += line
        if record.count('"') % 2 == 0:
            yield record
            record = ""
    if record:
        yield record


def _cells(record: str, delimiter: str) -> list[str]:
    return next(csv.reader([record], delimiter=delimiter), [])


def lines(text: str, child: Child) -> tuple[str, Dropped]:
    """Take the lines that name the child out of a log."""
    kept, dropped = [], Dropped()
    for line in text.splitlines(keepends=True):
        if child.mentioned(line):
            dropped.append([line])
        else:
            kept.append(line)
    return "".join(kept), dropped


def note(text: str, child: Child) -> tuple[str, Dropped]:
    """Strike the child's words out of a text."""
    struck = child.struck(text)
    return struck, [] if struck == text else [[text]]


def document(text: str, child: Child) -> tuple[str, Dropped]:
    """Take what is about the child out of a JSON document; one that is none is read as lines."""
    try:
        value = json.loads(text)
    except ValueError:
        return lines(text, child)
    dropped = Dropped()
    kept = _pruned(value, child, dropped)
    if kept == value:
        return text, []
    end = "\n" if text.endswith("\n") else ""
    return json.dumps(kept, ensure_ascii=False, indent=1) + end, dropped


def _pruned(value: Any, child: Child, dropped: Dropped) -> Any:
    if isinstance(value, list):
        kept = []
        for item in value:
            if _is_about(item, child):
                dropped.append([str(item)])
            else:
                kept.append(_pruned(item, child, dropped))
        return kept
    if isinstance(value, dict):
        return {
            child.struck(key): _pruned(item, child, dropped)
            for key, item in value.items()
            if not child.is_cell(key)
        }
    return child.struck(value) if isinstance(value, str) else value


def _is_about(item: Any, child: Child) -> bool:
    if isinstance(item, str):
        return child.is_cell(item)
    if not isinstance(item, dict):
        return False
    told = {key: value for key, value in item.items() if isinstance(value, str)}
    number = told.get("student_id", "").strip()
    if number:
        return number == child.student_id
    return child.is_row(told.values())


def cards(text: str) -> set[str]:
    """Return whose cards are on an HTML page: numbers, and names of children on no registry."""
    return {unescape(child) for child in _CARD.findall(text)}


def page(text: str, child: Child) -> tuple[str, Dropped]:
    """Take the rows and sheets about the child out of an HTML page, which then says so."""
    dropped = Dropped()

    def without(match: re.Match[str]) -> str:
        block = match.group()
        if not child.is_block(block):
            return block
        dropped.append([block])
        return ""

    kept = text
    for block in _BLOCKS:
        kept = block.sub(without, kept)
    kept = child.struck(kept)
    if kept == text:
        return text, []
    lang = "zh" if 'lang="zh' in text[:400] else "en"
    said = f'<p class="rewritten">{NOTE(lang)}</p>\n'  # type: ignore[arg-type]
    if said not in kept:
        at = kept.rfind("</body>")
        kept = kept[:at] + said + kept[at:] if at >= 0 else kept + said
    return kept, dropped
