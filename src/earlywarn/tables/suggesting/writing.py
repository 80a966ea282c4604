"""Write a suggestion as a mapping file: what is sure in force, what is not behind `#?`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from textwrap import indent

from earlywarn.errors import Lang, Text
from earlywarn.tables.suggesting.codes import is_person
from earlywarn.tables.suggesting.suggest import Found, Suggestion

Say = Callable[[Text], str]

ASKED = "#? "  # before a line that is not sure


def render(suggestion: Suggestion, lang: Lang) -> str:
    """Return the mapping file's text; it loads, and loads only what is sure."""
    return "\n".join(line.rstrip() for line in _lines(suggestion, lang)) + "\n"


def _lines(of: Suggestion, lang: Lang) -> Iterator[str]:
    def say(text: Text) -> str:
        shown = "".join(c if c.isprintable() else " " for c in text(lang))
        return re.sub(r"\s+", " ", shown)

    yield f"# {say(_head(of))}"
    for note in (*_HOW, *of.notes):
        yield f"# {say(note)}"
    for column in of.missing:
        yield f"# {say(_missing(column))}"
    yield "format: 1"
    yield f"title: {_quoted(of.file)}"
    if of.base:
        yield f"extends: {of.base}"
    else:
        yield f"# {say(_NO_BASE)}"
    yield from _ignored(of, say)
    body = list(_table(of, say))
    if any(not line.lstrip().startswith("#") for line in body):
        yield "tables:"
        yield f"  {of.table.name}:"
    else:
        yield f"{ASKED}tables:"
        yield f"{ASKED}  {of.table.name}:"
    yield from body


def _table(of: Suggestion, say: Say) -> Iterator[str]:
    if of.layout == "long":
        yield from _section("columns", [_column(one, say) for one in of.columns])
    else:
        days = f"# 1.00 {say(_days(of))}" if of.days else "# 1.00"
        yield f"    layout: {of.layout}  {days}"
        who = [one for one in of.columns if one.guess.column not in of.subjects]
        subjects = [one for one in of.columns if one.guess.column in of.subjects]
        yield from _section("who", [_column(one, say) for one in who])
        yield from _section("subjects", [_column(one, say) for one in subjects])
    yield from _values(of, say)
    months = [
        (one.sure, one.guess.column, f"{one.guess.confidence:.2f} {say(_MONTHS)}")
        for one in of.columns
        if one.months
    ]
    sure = [name for good, name, _ in months if good]
    if sure:
        yield f"    months: [{', '.join(sure)}]  # {months[0][2]}"
    for good, name, why in months:
        if not good:
            yield f"{ASKED}    months: [{name}]  # ? {why}"
    yield from _order(of, say)


def _order(of: Suggestion, say: Say) -> Iterator[str]:
    if of.date_order:
        yield f"    date_order: {of.date_order}  # 1.00 {say(_ORDERS[of.date_order])}"
    elif of.asks_order:
        yield f"{ASKED}    date_order: dmy  # ? 0.50 {say(_EITHER_ORDER)}"


def joined(texts: Sequence[Text]) -> Text:
    """Return several remarks as one."""
    return Text("；".join(text.zh for text in texts), "; ".join(text.en for text in texts))


def _section(name: str, lines: list[tuple[bool, str]]) -> Iterator[str]:
    """Yield a key and its lines; the key is not sure either if none of them is."""
    if not lines:
        return
    asked = "" if any(sure for sure, _ in lines) else ASKED
    yield f"{asked}    {name}:"
    for sure, line in lines:
        yield indent(line, ("" if sure else ASKED) + "      ")


def _column(one: Found, say: Say) -> tuple[bool, str]:
    guess = one.guess
    mark = "" if one.sure else "? "
    line = f"{guess.column}: [{_quoted(guess.heading)}]  # {mark}{guess.confidence:.2f} "
    return one.sure, line + say(joined((guess.why, *one.doubts)))


def _values(of: Suggestion, say: Say) -> Iterator[str]:
    parts = [(one.guess.column, one.codes, one.sure) for one in of.columns]
    if of.layout == "month":
        parts.append(("status", of.signs, True))
    parts = [part for part in parts if part[1].codes or part[1].hidden]
    if not parts:
        return
    some = any(sure and any(code.sure for code in codes.codes) for _, codes, sure in parts)
    yield "    values:" if some else f"{ASKED}    values:"
    for column, codes, sure in parts:
        good = sure and any(code.sure for code in codes.codes)
        yield f"{'' if good else ASKED}      {column}:"
        for code in codes.codes:
            known = sure and code.sure
            value = '""' if not code.value else _quoted(code.value)
            comment = f"{1 if code.sure else 0.5 if code.value else 0:.2f} {say(code.why)}"
            start = "" if known else ASKED
            mark = "" if known else "? "
            yield f"{start}        {_quoted(code.code)}: {value}  # {mark}{comment}"
        if codes.hidden:
            yield f"        # ? {say(_hidden(codes.hidden))}"


def _ignored(of: Suggestion, say: Say) -> Iterator[str]:
    known = [text for text in of.known if not is_person(text)]
    unknown = [text for text in of.unknown if not is_person(text)]
    if known:
        yield "ignore:"
    elif unknown:
        yield f"{ASKED}ignore:"
    for text in known:
        yield f"  - {_quoted(text)}  # 0.90 {say(_NOT_NEEDED)}"
    for text in unknown:
        yield f"{ASKED}  - {_quoted(text)}  # ? 0.00 {say(_NOT_KNOWN)}"


def _quoted(text: str) -> str:
    """Write a text in double quotes; what cannot be seen is escaped, as YAML and JSON both do."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in quoted)


def _escaped(sign: str) -> str:
    code = ord(sign)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _head(of: Suggestion) -> Text:
    sheet = f" [{of.sheet}]" if of.sheet else ""
    return Text(
        f"由 earlywarn mapping suggest 按文件 {of.file}{sheet} 写成，用于 {of.table.name}。",
        f"Written by earlywarn mapping suggest from {of.file}{sheet}, for {of.table.name}.",
    )


_HOW = (
    Text(
        "行末的数字是把握（0 到 1）。以 #? 开头的行没有把握，不起作用：核对后删去 #? 才生效。",
        "The number behind a line is the confidence, 0 to 1. Lines that begin with #? are not sure "
        "and do nothing: look at them, and take the #? away where they are right.",
    ),
)
_NO_BASE = Text(
    "没有写 extends: cn-registry：它会读入下面没有把握的列。",
    "No extends: cn-registry here: it would load columns that are not sure below.",
)
_MONTHS = Text("201909 读作 2019-09-01", "201909 is read as 2019-09-01")
_ORDERS = {
    "dmy": Text("13/04/2026 读作 2026-04-13", "13/04/2026 is read as 2026-04-13"),
    "mdy": Text("04/13/2026 读作 2026-04-13", "04/13/2026 is read as 2026-04-13"),
}
_EITHER_ORDER = Text(
    "03/04/2026 是 4月3日（dmy）还是 3月4日（mdy）？请改成对的，并删去 #?",
    "is 03/04/2026 3 April (dmy) or 4 March (mdy)? Write the right one and take the #? away",
)
_NOT_NEEDED = Text("不需要的列", "not needed")
_NOT_KNOWN = Text("看不出是哪一列", "not recognised")


def _missing(column: str) -> Text:
    return Text(
        f"必需的列 {column} 还没有确定的表头。",
        f"No heading is sure for the required column {column}.",
    )


def _days(of: Suggestion) -> Text:
    return Text(f"{len(of.days)} 列是日期", f"{len(of.days)} columns are days")


def _hidden(count: int) -> Text:
    return Text(
        f"另有 {count} 种取值可能含个人信息，没有写出",
        f"{count} more values may be personal and are not written here",
    )
