"""One school's watchlist as a workbook that the school fills in and sends back.

What identifies a row is locked (no password: against slips, not against people); what the school
writes is unlocked. A very hidden sheet says which school, date, run and version the workbook is of
and which student each row number stands for. Every text from data is written as text, so a cell
that starts with `=` is no formula. The same listing gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import xlsxwriter

from earlywarn.errors import Lang
from earlywarn.followup.returned.signing import sign
from earlywarn.spreadsheets import FONTS, TEXT_STAYS
from earlywarn.watchlist import wording
from earlywarn.watchlist.columns import CHOICES, COLUMNS, DATES, KEY_FORMAT, KEY_SHEET
from earlywarn.watchlist.rows import ListedChild, Listing, SchoolList
from earlywarn.watchlist.sentences import (
    case_words,
    change_words,
    limits,
    overdue_words,
    summary,
)
from earlywarn.words import TIER_LABELS, day_in_words

DAYS_A_LINE = 10
LINE = 13.5  # points
# Ground and writing of each tier: they differ in lightness too, for grey print.
TIER_COLOURS = {
    "urgent": ("#A3161F", "#FFFFFF"),
    "high": ("#F3A33C", "#2B1A00"),
    "watch": ("#FDF3C4", "#3D3200"),
}
_INK, _SOFT, _LINE, _HEAD, _FILL = "#1C2024", "#59636E", "#AEB6BF", "#E9EDF1", "#F3F8FC"


def school_workbook(listing: Listing, school: SchoolList, lang: Lang) -> bytes:
    """Return the XLSX of one school's watchlist."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, TEXT_STAYS | {"in_memory": True})
    # The clock must not enter: the workbook was made on the day that it speaks of.
    created = datetime(listing.as_of.year, listing.as_of.month, listing.as_of.day)
    book.set_properties(
        {
            "title": f"{school.name} {wording.word('title', lang)} {listing.as_of}",
            "comments": wording.CONVERSATION(lang),
            "author": "earlywarn",
            "created": created,
        }
    )
    _Writer(book, listing, school, lang).write()
    book.close()
    return buffer.getvalue()


class _Writer:
    """Writes the three sheets of one workbook."""

    def __init__(self, book: Any, listing: Listing, school: SchoolList, lang: Lang) -> None:
        self.book, self.listing, self.school, self.lang = book, listing, school, lang
        self.base: dict[str, Any] = {
            "font_name": FONTS[lang],
            "font_size": 10,
            "font_color": _INK,
            "valign": "top",
            "text_wrap": True,
        }
        cell = {"border": 1, "border_color": _LINE}
        self.cell = self._format(cell)
        self.middle = self._format(cell | {"align": "center"})
        self.bold = self._format(cell | {"bold": True})
        self.marks = self._format(cell | {"font_size": 8.5, "font_name": _mark_font(lang)})
        self.head = self._format(cell | {"bold": True, "bg_color": _HEAD, "valign": "vcenter"})
        self.head_fill = self._format(
            cell | {"bold": True, "bg_color": "#D6E6F2", "valign": "vcenter"}
        )
        self.fill = self._format(cell | {"locked": False, "bg_color": _FILL})
        self.fill_date = self._format(
            cell | {"locked": False, "bg_color": _FILL, "num_format": "yyyy-mm-dd"}
        )
        self.fill_text = self._format(
            cell | {"locked": False, "bg_color": _FILL, "num_format": "@"}
        )
        self.tiers = {
            tier: self._format(
                cell | {"bold": True, "align": "center", "bg_color": ground, "font_color": ink}
            )
            for tier, (ground, ink) in TIER_COLOURS.items()
        }
        self.title = self._format({"bold": True, "font_size": 15, "text_wrap": False})
        self.line = self._format({"text_wrap": False})
        self.talk = self._format({"bold": True, "text_wrap": False})
        self.red = book.add_format(
            {"font_name": _mark_font(lang), "font_size": 8.5, "bold": True, "font_color": "#A3161F"}
        )
        self.grey = book.add_format(
            {"font_name": _mark_font(lang), "font_size": 8.5, "font_color": _SOFT}
        )

    def _format(self, properties: Mapping[str, Any]) -> Any:
        return self.book.add_format(self.base | dict(properties))

    def word(self, key: str) -> str:
        return wording.word(key, self.lang)

    def write(self) -> None:
        """Write the list, the guide and the key."""
        self._list()
        self._guide()
        self._key()

    def _list(self) -> None:
        sheet = self.book.add_worksheet(self.word("list"))
        heading = self._above(sheet)
        for column, (key, width, filled) in enumerate(COLUMNS):
            sheet.set_column(column, column, width)
            sheet.write_string(
                heading, column, self.word(key), self.head_fill if filled else self.head
            )
        sheet.set_row(heading, 30)
        first = heading + 1
        for offset, child in enumerate(self.school.children):
            self._row(sheet, first + offset, child)
        last = first + len(self.school.children) - 1
        if self.school.children:
            self._checks(sheet, first, last)
            sheet.autofilter(heading, 0, last, len(COLUMNS) - 1)
        else:
            sheet.write_string(first, 0, self.word("empty"), self.line)
        # Frozen: the heading, and the columns up to the student's name.
        sheet.freeze_panes(first, 3)
        sheet.protect(
            "",
            {
                "autofilter": True,
                "sort": True,
                "format_cells": True,
                "format_columns": True,
                "format_rows": True,
            },
        )
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        _on_paper(sheet, self.school.name, self.listing.as_of, landscape=True)
        sheet.repeat_rows(heading)
        sheet.print_area(0, 0, max(last, first), len(COLUMNS) - 1)

    def _above(self, sheet: Any) -> int:
        """Write what stands above the list; return the row of the heading."""
        lang, listing = self.lang, self.listing
        row = 0
        if listing.generated:
            note = f"{wording.GENERATED.zh} / {wording.GENERATED.en}  "
            sheet.write_string(row, 0, note + wording.GENERATED_NOTE(lang), self.talk)
            row += 1
        sheet.write_string(row, 0, f"{self.school.name}  {self.word('title')}", self.title)
        sheet.set_row(row, 24)
        as_of = f"{self.word('as_of')} {day_in_words(listing.as_of, lang)}"
        gap = "" if lang == "zh" else " "
        lines = [
            f"{as_of}  {wording.CONVERSATION(lang)}",
            gap.join(summary(listing, self.school, lang)),
            *_packed(
                f"{self.word('limits')}{'：' if lang == 'zh' else ': '}",
                limits(listing, self.school, lang),
                gap,
            ),
        ]
        for offset, line in enumerate(lines):
            sheet.write_string(row + 1 + offset, 0, line, self.talk if offset == 0 else self.line)
        return row + 1 + len(lines)

    def _row(self, sheet: Any, row: int, child: ListedChild) -> None:
        lang = self.lang
        reasons = [reason(lang) for reason in child.reasons] or [wording.NOTHING_SINGLE(lang)]
        assigned = "assigned_teacher" if child.case and child.case.teacher else "teacher"
        people = [
            f"{self.word(key)} {name}"
            for key, name in (("leader", child.leader), (assigned, child.teacher))
            if name
        ]
        standing = [case_words(child.case, lang, self.listing.as_of)] if child.case else []
        if child.case and child.case.overdue:
            standing.append(overdue_words(child.case.overdue, lang))
        step = f"{child.step.title(lang)}{'：' if lang == 'zh' else ': '}{child.step.what(lang)}"
        due = wording.due_day(child.step.due, lang, self.listing.as_of, child.step.about)
        due = due.replace("（", "\n（")
        tier = (
            f"{TIER_LABELS[child.tier](lang)}\n"
            f"{wording.CHANGE_SIGNS[child.change]} {change_words(child, lang)}"
        )
        texts: dict[str, tuple[str, Any]] = {
            "tier": (tier, self.tiers[child.tier]),
            "student": (self._who(child), self.bold),
            "class": (child.class_id, self.cell),
            "reasons": (
                "\n".join(f"{place}. {reason}" for place, reason in enumerate(reasons, start=1)),
                self.cell,
            ),
            "step": ("\n".join([step, *standing, wording.ASK_HOME(lang)]), self.cell),
            "due": (due, self.cell),
            "who": ("\n".join([child.step.who(lang), *people]), self.cell),
        }
        lines = _DAY_LINES
        for column, (key, width, filled) in enumerate(COLUMNS):
            if key == "rank":
                sheet.write_number(row, column, child.rank, self.middle)
            elif key == "strip":
                self._strip(sheet, row, column, child)
            elif filled:
                sheet.write_blank(row, column, None, self._fill_format(key))
            else:
                text, form = texts[key]
                sheet.write_string(row, column, text, form)
                lines = max(lines, _lines(text, width))
        sheet.set_row(row, min(lines * LINE + 4, 400))

    def _who(self, child: ListedChild) -> str:
        """Return what stands in a child's cell, and in the hidden sheet beside its number."""
        who = [
            child.name or self.word("name_missing"),
            wording.short_id(child.student_id, self.lang),
        ]
        if child.on_leave:
            who.append(self.word("on_leave"))
        return "\n".join(who)

    def _fill_format(self, key: str) -> Any:
        if key in DATES:
            return self.fill_date
        return self.fill if key in CHOICES else self.fill_text

    def _strip(self, sheet: Any, row: int, column: int, child: ListedChild) -> None:
        """Write the 60 days as signs, ten a line, the newest last; what is amiss stands out."""
        signs = wording.STRIP_TEXT[self.lang]
        days = child.strip.replace("|", "")
        if not days:
            sheet.write_string(row, column, self.word("no_days"), self.marks)
            return
        runs: list[tuple[bool, str]] = []
        for place, code in enumerate(days):
            loud = code in "xsv"
            text = signs[code] + (
                "\n" if (place + 1) % DAYS_A_LINE == 0 and place + 1 < len(days) else ""
            )
            if runs and runs[-1][0] == loud:
                runs[-1] = (loud, runs[-1][1] + text)
            else:
                runs.append((loud, text))
        if len(runs) == 1:
            sheet.write_string(row, column, runs[0][1], self.marks)
            return
        parts: list[Any] = []
        for loud, text in runs:
            parts += [self.red if loud else self.grey, text]
        sheet.write_rich_string(row, column, *parts, self.marks)

    def _checks(self, sheet: Any, first: int, last: int) -> None:
        """Drop-downs and dates: an unknown choice is asked about, never refused."""
        zh = self.lang == "zh"
        as_of = self.listing.as_of
        for column, (key, _, filled) in enumerate(COLUMNS):
            if not filled:
                continue
            if key in CHOICES:
                options: dict[str, Any] = {
                    "validate": "list",
                    "source": [text(self.lang) for text in CHOICES[key].values()],
                    "error_type": "warning",
                    "error_title": self.word(key),
                    "error_message": "列表里没有这一项。仍要保留吗？"
                    if zh
                    else "That is not on the list. Keep it?",
                }
            elif key in DATES:
                options = {
                    "validate": "date",
                    "criteria": "between",
                    "minimum": _midnight(as_of - timedelta(days=120)),
                    "maximum": _midnight(as_of + timedelta(days=366)),
                    "input_title": self.word(key),
                    "input_message": "写成 2026-11-20 这样" if zh else "Write it like 2026-11-20",
                    "error_title": self.word(key),
                    "error_message": "请写日期，例如 2026-11-20。"
                    if zh
                    else "Write a date, such as 2026-11-20.",
                }
            else:
                continue
            sheet.data_validation(first, column, last, column, options)

    def _guide(self) -> None:
        """Write the sheet that says how to read and how to fill in."""
        lang = self.lang
        zh = lang == "zh"
        sheet = self.book.add_worksheet(self.word("guide"))
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, 1, 74)
        rows: list[tuple[str, str, Any]] = [
            (self.word("tier"), wording.CONVERSATION(lang), self.bold)
        ]
        rows += [
            (TIER_LABELS[tier](lang), meaning(lang), self.tiers[tier])
            for tier, meaning in wording.TIER_MEANING.items()
        ]
        rows.append(
            (
                self.word("strip"),
                "从早到晚，每行10个上学日，最后一个是最近的一天："
                if zh
                else "Oldest first, ten school days a line, the last sign is the newest day:",
                self.bold,
            )
        )
        rows += [
            (wording.STRIP_TEXT[lang][code], label(lang), self.middle)
            for code, label in wording.STRIP_LABELS.items()
        ]
        rows.append(
            (
                "怎样填写" if zh else "How to fill in",
                "只填浅蓝色的七列；有下拉箭头的请点选。空着的格子不会抹掉以前填过的内容。"
                "请不要改学生姓名和序号。填好后把这个文件发回。"
                if zh
                else "Fill in the seven light blue columns only; choose where there is an arrow. "
                "An empty cell erases nothing that was filled in before. Leave names and numbers "
                "as they are, then send this file back.",
                self.bold,
            )
        )
        for row, (left, right, form) in enumerate(rows):
            sheet.write_string(row, 0, left, form)
            sheet.write_string(row, 1, right, self.cell)
            sheet.set_row(row, max(_lines(right, 74), 1) * LINE + 4)
        sheet.protect("")
        _on_paper(sheet, self.school.name, self.listing.as_of, landscape=False)

    def _key(self) -> None:
        """Write the very hidden sheet by which a filled workbook is known again."""
        sheet = self.book.add_worksheet(KEY_SHEET)
        listing = self.listing
        entries = {
            "format": str(KEY_FORMAT),
            "school_id": self.school.school_id,
            "as_of": listing.as_of.isoformat(),
            "run": listing.run,
            "model": listing.model,
            "rules_hash": listing.rules_hash,
            "version": listing.version,
            "lang": self.lang,
            "columns": ",".join(key for key, _, _ in COLUMNS),
        }
        students = [(child.rank, child.student_id) for child in self.school.children]
        entries["signature"] = sign(entries, students, listing.key)
        for row, (key, value) in enumerate(entries.items()):
            sheet.write_string(row, 0, key)
            sheet.write_string(row, 1, value)
        row = len(entries) + 1
        sheet.write_string(row, 0, "rank")
        sheet.write_string(row, 1, "student_id")
        for child in self.school.children:
            row += 1
            sheet.write_number(row, 0, child.rank)
            sheet.write_string(row, 1, child.student_id)
            sheet.write_string(row, 2, self._who(child))
        for key, choices in CHOICES.items():
            for code, text in choices.items():
                row += 1
                sheet.write_string(row, 0, f"{key}:{code}")
                sheet.write_string(row, 1, text(self.lang))
        sheet.protect("")
        sheet.very_hidden()


# What the six lines of signs take: the last one, the newest days, must never be cut off.
_DAY_LINES = 6


def _mark_font(lang: Lang) -> str:
    return "宋体" if lang == "zh" else "Courier New"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _packed(label: str, sentences: Sequence[str], gap: str) -> list[str]:
    """Return `sentences` on as few lines as fit the list's width, the first behind `label`."""
    width = sum(width for _, width, _ in COLUMNS)
    lines = [label + sentences[0]]
    for sentence in sentences[1:]:
        longer = gap.join([lines[-1], sentence])
        if _lines(longer, width) > 1:
            lines.append(sentence)
        else:
            lines[-1] = longer
    return lines


def _lines(text: str, width: float) -> int:
    """Return how many lines `text` takes in a column `width` characters wide (Chinese: two)."""
    total = 0
    for line in text.split("\n"):
        wide = 1.06 * len(line.encode("gbk", "replace"))
        total += max(1, -int(-wide // (width - 0.5)))
    return total


def _on_paper(sheet: Any, name: str, as_of: date, *, landscape: bool) -> None:
    """A4, fitted to the width, with a footer that says whose page it is."""
    if landscape:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.45, bottom=0.55)
    safe = name.replace("&", "&&")[:80]
    sheet.set_footer(f"&L&8{safe}  {as_of}&R&8&P / &N")
