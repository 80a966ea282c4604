"""The report as a workbook: the page's tables, and sheets that name the children behind them.

Numbers are numbers and texts are texts, whatever they begin with. Every sheet prints on A4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from earlywarn.errors import Lang, Text
from earlywarn.report.period import words
from earlywarn.report.period.figures import Counts
from earlywarn.report.period.page import (
    MEASURES,
    NEEDS,
    causes,
    ordered,
    place_cells,
    school_cells,
    stages,
)
from earlywarn.report.period.periods import parse_period
from earlywarn.report.period.shown import Shown
from earlywarn.spreadsheets import FONTS, TEXT_STAYS
from earlywarn.watchlist import wording
from earlywarn.words import CODE_LABELS

Cell = str | int | float | date | None

_NARROWEST, _WIDEST = 7, 44  # columns, in characters
_NAMES = {
    "report": Text("报告", "Report"),
    "corrections": Text("更正", "Corrections"),
    "schools": Text("各学校", "Schools"),
    "overdue": Text("逾期未办", "Overdue"),
    "owed": Text("待落实的孩子", "Children owed something"),
}
_PERCENT = "[=0]0%;[<0.00005]0.000%;0.00%"  # as words.percent: no rate looks like none


def write_workbook(path: Path, shown: Shown, lang: Lang | None = None) -> None:
    """Write report.xlsx, in the report's language if none is asked for."""
    lang = lang or shown.report.lang
    book = xlsxwriter.Workbook(str(path), TEXT_STAYS)
    made = datetime.fromisoformat(shown.report.made).astimezone(UTC).replace(tzinfo=None)
    title = shown.period.title(lang)
    book.set_properties({"title": title, "author": "earlywarn", "created": made})
    writer = _Writer(book, shown, lang)
    writer.report()
    if shown.report.corrections or shown.report.revised:
        writer.corrections()
    writer.schools()
    if shown.overdue is not None:
        writer.overdue()
    writer.owed()
    book.close()


class _Writer:
    """Writes the sheets; `at` is the next free row of the one at hand."""

    def __init__(self, book: Any, shown: Shown, lang: Lang) -> None:
        self.book, self.shown, self.lang, self.report_ = book, shown, lang, shown.report
        base = {"font_name": FONTS[lang], "font_size": 10, "valign": "vcenter"}
        line = base | {"border": 1, "border_color": "#C8CED5"}
        self.title = book.add_format(base | {"font_size": 15, "bold": True})
        self.say = book.add_format(base | {"text_wrap": True, "valign": "top"})
        self.part = book.add_format(base | {"font_size": 12, "bold": True})
        head = line | {"bold": True, "bg_color": "#E9EDF1", "text_wrap": True}
        self.head, self.head_right = (
            book.add_format(head),
            book.add_format(head | {"align": "right"}),
        )
        self.text = book.add_format(line | {"num_format": "@"})
        self.number = book.add_format(line | {"num_format": "#,##0"})
        self.percent = book.add_format(line | {"num_format": _PERCENT})
        self.day = book.add_format(line | {"num_format": "yyyy-mm-dd", "align": "left"})
        bold = {"bold": True, "top": 2}
        self.bold = {
            self.text: book.add_format(line | {"num_format": "@"} | bold),
            self.number: book.add_format(line | {"num_format": "#,##0"} | bold),
            self.percent: book.add_format(line | {"num_format": _PERCENT} | bold),
            self.day: book.add_format(line | {"num_format": "yyyy-mm-dd"} | bold),
        }
        self.at, self.widths = 0, dict[int, float]()
        self.sheet_: Any = None

    def _t(self, key: str) -> str:
        return words.word(key, self.lang)

    def _begin(self, name: str, *, landscape: bool = False) -> None:
        sheet = self.book.add_worksheet(_NAMES[name](self.lang))
        sheet.hide_gridlines(2)
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        sheet.set_footer("&L&A&R&P / &N")
        if landscape:
            sheet.set_landscape()
        self.sheet_, self.at, self.widths = sheet, 0, {}
        sheet.write_string(0, 0, self.shown.period.title(self.lang), self.title)
        sheet.set_row(0, 24)
        self.at = 1
        if self.report_.generated:
            colon = Text("：", ": ")(self.lang)
            self._line(f"{wording.GENERATED(self.lang)}{colon}{self._t('generated_note')}")

    def _line(self, text: str, across: int = 8) -> None:
        self.sheet_.merge_range(self.at, 0, self.at, across - 1, text, self.say)
        wide = sum(1 + (ord(sign) > 0x2E80) for sign in text)
        self.sheet_.set_row(self.at, 15.5 * (1 + wide // 88))
        self.at += 1

    def _part(self, text: str) -> None:
        self.sheet_.write_string(self.at + 1, 0, text, self.part)
        self.at += 2

    def _table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        sums: bool = False,
        percents: Sequence[int] = (),
        texts: Sequence[int] = (0,),
    ) -> None:
        """Write a table; with `sums` its last row stands out; `percents` are columns of rates."""
        for column, head in enumerate(heads):
            self._fit(column, head, wraps=True)
            right = column not in texts
            self.sheet_.write_string(self.at, column, head, self.head_right if right else self.head)
        self.at += 1
        found = list(rows)
        for index, row in enumerate(found):
            last = sums and index == len(found) - 1
            for column, cell in enumerate(row):
                self._cell(column, cell, is_rate=column in percents, last=last)
            self.at += 1

    def _cell(self, column: int, cell: Cell, *, is_rate: bool, last: bool) -> None:
        if isinstance(cell, date):
            form, write = self.day, self.sheet_.write_datetime
        elif isinstance(cell, int | float):
            form, write = (self.percent if is_rate else self.number), self.sheet_.write_number
        else:
            form, write = self.text, self.sheet_.write_string
        value = "" if cell is None else cell
        self._fit(column, str(value) if not isinstance(value, float) else "00.00%")
        write(self.at, column, value, self.bold[form] if last else form)

    def _fit(self, column: int, text: str, *, wraps: bool = False) -> None:
        wide = sum(1 + 0.9 * (ord(sign) > 0x2E80) for sign in text) + 2
        wide = min(wide, 14) if wraps else wide
        wide = min(_WIDEST, max(_NARROWEST, wide, self.widths.get(column, 0)))
        self.widths[column] = wide
        self.sheet_.set_column(column, column, wide)

    # --- the sheets ---

    def report(self) -> None:
        """Write the tables of the page that fit on one sheet."""
        shown, figures, lang = self.shown, self.report_.figures, self.lang
        self._begin("report")
        self._line(words.headline(self.report_, lang))
        for line in words.standing(self.report_, lang):
            self._line(line)
        measures = [self._t(m) for m in MEASURES]
        for part, of, head in (
            ("main", "stage", "stage"),
            ("counties", "county", "county"),
            ("groups", "group", "group"),
        ):
            self._part(self._t(part))
            places = [(of, name, counts) for name, counts in self._of(of)]
            if of != "group":
                places.append(("total", "", figures.total))
            rows = [
                [
                    words.name_of(*place[:2], shown, lang),
                    *self._counts(place[2], place_cells(shown, *place, lang)),
                ]
                for place in places
            ]
            self._table([self._t(head), *measures], rows, sums=of != "group", percents=[5])
        self._part(self._t("causes"))
        self._table(
            [self._t("cause"), self._t("suspected"), self._t("dropped_out")],
            [
                [words.cause(code, lang), suspected, out]
                for code, suspected, out in causes(figures.causes)
            ],
        )
        if self.report_.months:
            self._months()
        self._part(self._t("notes"))
        for line in words.notes(self.report_, lang):
            self._line(line)

    def _of(self, of: str) -> list[tuple[str, Counts]]:
        found = stages(self.shown) if of == "stage" else getattr(self.report_.figures, of)
        return list(found.items())

    def _counts(self, c: Counts, shown: Sequence[str]) -> list[Cell]:
        """Return counts as numbers, where the page does not show them as not reported."""
        rate = "–" if c.rate is None else c.rate
        numbers = (c.enrolled, c.suspected, c.returned, c.dropped_out, rate)
        unknown = self._t("none_reported")
        return [
            unknown if text == unknown else number
            for number, text in zip(numbers, shown, strict=True)
        ]

    def _months(self) -> None:
        self._part(self._t("months"))
        heads = [self._t("month")]
        for measure in ("suspected", "returned", "dropped_out"):
            name = self._t(measure)
            heads += [
                f"{name} {self._t(k)}" for k in ("as_reported", "corrected_by", "counted_now")
            ]
        rows: list[list[Cell]] = []
        sums = [0, 0, 0]
        for month in self.report_.months:
            row: list[Cell] = [parse_period("month", month.of, self.shown.config).label(self.lang)]
            for place, m in enumerate(("suspected", "returned", "dropped_out")):
                told, now = month.reported, getattr(month.now, m)
                row += [
                    getattr(told, m) if told else self._t("not_made"),
                    getattr(month.corrections, m) if told else None,
                    now,
                ]
                sums[place] += now
            rows.append(row)
        rows.append(
            [self._t("total"), None, None, sums[0], None, None, sums[1], None, None, sums[2]]
        )
        self._table(heads, rows, sums=True)
        self._line(self._t("months_note"))

    def corrections(self) -> None:
        """Write each changed number on a line of its own."""
        report = self.report_
        self._begin("corrections")
        self._line(self._t("corrections"))
        rows: list[list[Cell]] = []
        for correction in (*((report.revised,) if report.revised else ()), *report.corrections):
            label = parse_period(report.kind, correction.of, self.shown.config).label(self.lang)
            for change in correction.changes:
                whom, what, *_ = words.change_words(change, self.shown, self.lang)
                row: list[Cell] = [label, words.made_on(correction.reported), whom, what]
                rows.append([*row, change.before, change.now, change.now - change.before])
        keys = ("period", "reported_on", "whom", "what", "was", "now", "difference")
        self._table([self._t(key) for key in keys], rows, texts=(0, 1, 2, 3))

    def schools(self) -> None:
        """Write every school with its counts and how it stands."""
        shown, report = self.shown, self.report_
        self._begin("schools", landscape=True)
        states = ("days", "missing", "incomplete", *NEEDS)
        visits = ("inspections_done", "inspections_missing", "orders_open")
        keys = ("school", "school", "county", *MEASURES, *states, *visits, "over", "keys")
        heads = [self._t(key) for key in keys]
        heads[0] = Text("学校代码", "school id")(self.lang)
        rows: list[list[Cell]] = []
        for school in ordered(shown):
            line, place = report.schools[school], shown.places.get(school)
            counts = report.figures.school.get(school, Counts())
            cells = self._counts(counts, school_cells(shown, school, self.lang))
            over = " ".join(
                f"{CODE_LABELS['stage'][s](self.lang) if s in CODE_LABELS['stage'] else s}"
                f" {words.percent(*pair)}"
                for s, pair in line.over.items()
            )
            rows.append(
                [
                    school,
                    place.name if place else school,
                    place.county if place else "",
                    *cells,
                    line.days,
                    line.missing,
                    line.incomplete,
                    line.overdue,
                    line.aid_gap,
                    line.file,
                    line.untaught,
                    line.inspections,
                    line.inspections_missing,
                    line.orders_open,
                    f"▲ {over}" if over else "",
                    words.word_list([words.KEY_LABELS[key] for key in line.keys], self.lang),
                ]
            )
        top = self.at
        self._table(heads, rows, percents=[7], texts=(0, 1, 2, 18, 19))
        self._keep_in_sight(top, rows, len(heads), 2)

    def _keep_in_sight(self, top: int, rows: Sequence[Any], columns: int, fixed: int) -> None:
        self.sheet_.freeze_panes(top + 1, fixed)
        self.sheet_.repeat_rows(top)
        if rows:
            self.sheet_.autofilter(top, 0, top + len(rows), columns - 1)

    def overdue(self) -> None:
        """Write each overdue step."""
        self._begin("overdue", landscape=True)
        heads = [self._t(k) for k in ("school", "student", "name", "step", "due", "who")]
        rows: list[list[Cell]] = [
            [
                one.school,
                one.due.case.student_id or "",
                one.child,
                one.due.step.title(self.lang),
                one.due.due,
                one.name or one.due.step.who(self.lang),
            ]
            for one in self.shown.overdue or ()
        ]
        top = self.at
        self._table(heads, rows, texts=range(6))
        self._keep_in_sight(top, rows, len(heads), 0)

    def owed(self) -> None:
        """Write the children of whom aid, a file or home teaching is owed."""
        shown = self.shown
        self._begin("owed", landscape=True)
        self._line(self._t("bureau_only"))
        heads = [self._t(k) for k in ("need", "school", "student", "name", "class", "since")]
        rows: list[list[Cell]] = [
            [
                self._t(one.need),
                words.name_of("school", one.school_id, shown, self.lang),
                one.student_id,
                one.name,
                one.class_id,
                one.since,
            ]
            for one in shown.needing
        ]
        top = self.at
        self._table(heads, rows, texts=range(6))
        self._keep_in_sight(top, rows, len(heads), 0)
