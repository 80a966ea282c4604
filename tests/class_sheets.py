"""Class sheets as schools keep them, written from a known world, and the long rows they came from.

`attendance_books` and `mark_books` write the files; each `Book` says what loading it must give.
`saved_books` has LibreOffice save some of them again.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import xlwt

from libreoffice import saved_by_libreoffice

SCHOOL, SCHOOL_NAME = "0047", "松坪中学"
CLASSES = ("七年级1班", "七年级2班", "八年级1班")
YEAR, MONTH = 2026, 11
HOLIDAY = date(2026, 11, 9)  # a Monday
LAST_DAY = date(2026, 11, 27)
EXAM, EXAM_DAY = "第一学期期中考试", date(2026, 11, 12)
NAMES = ("王明", "李华", "阿依古丽·买买提", "欧阳文静", "张三", "Anna Li")
WEEK = "一二三四五六日"
STATUSES = ("present", "sick", "leave", "unexcused", "late", "left_early")
TICKS = dict(zip(STATUSES, "√○△×⊕退", strict=True))
LETTERS = dict(zip(STATUSES, "出病事旷迟退", strict=True))
OWN = dict(zip(STATUSES, "/●■#&~", strict=True))
OWN_LEGEND = "图例：/出勤 ●病假 ■事假 #旷课 &迟到 ~早退"
EMPTY = {**TICKS, "present": ""}

Grid = list[list[Any]]
Rows = set[tuple[Any, ...]]


@dataclass(frozen=True)
class Child:
    """A child of the world."""

    student_id: str
    name: str
    class_id: str

    @property
    def id_number(self) -> str:
        """Its identity number."""
        return self.student_id[1:]


@dataclass(frozen=True)
class Book:
    """A file, the table it is for, what the command line adds, and what must come of it."""

    path: Path
    table: str
    options: dict[str, Any]
    rows: Rows
    quarantined: int = 0


@dataclass
class World:
    """Children, what they did on each school day, and their marks; the same for one `seed`."""

    seed: int = 20261126
    children: list[Child] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    attendance: dict[tuple[str, date], str] = field(default_factory=dict)
    marks: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draw = random.Random(self.seed)
        for class_id in CLASSES:
            for name in NAMES:
                number = 100 + len(self.children)
                self.children.append(Child("G" + identity(number), name, class_id))
        day = date(YEAR, MONTH, 1)
        while day <= LAST_DAY:
            if day.weekday() < 5 and day != HOLIDAY:
                self.days.append(day)
            day += timedelta(days=1)
        for child in self.children:
            for day in self.days:
                status = draw.choices(STATUSES, (80, 5, 5, 5, 3, 2))[0]
                self.attendance[(child.student_id, day)] = status
            for subject in ("chinese", "maths", "english"):
                mark = draw.choice(["", *(str(n / 2) for n in range(60, 200))])
                self.marks[(child.student_id, subject)] = mark.removesuffix(".0")
        # The last day has a sign in every style, so that empty cells count up to it.
        self.attendance[(self.children[0].student_id, self.days[-1])] = "sick"
        for class_id in CLASSES[1:]:
            self.attendance[(self.of(class_id)[1].student_id, self.days[-1])] = "sick"

    def of(self, class_id: str) -> list[Child]:
        """Return the children of a class."""
        return [child for child in self.children if child.class_id == class_id]

    def long(self, children: Sequence[Child], sessions: Sequence[str] = ("",)) -> Rows:
        """Return the attendance of `children` as rows (student_id, date, session, status)."""
        return {
            (child.student_id, day, session, self.attendance[(child.student_id, day)])
            for child in children
            for day in self.days
            for session in sessions
        }

    def results(self, children: Sequence[Child], subjects: Sequence[str]) -> Rows:
        """Return the marks of `children` as rows (student_id, date, exam, subject, score)."""
        return {
            (child.student_id, EXAM_DAY, EXAM, subject, self.marks[(child.student_id, subject)])
            for child in children
            for subject in subjects
        }


def identity(number: int) -> str:
    """Return an identity number of 18 digits with its check digit (GB 11643-1999)."""
    digits = f"11010120131105{number:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * int(d) for w, d in zip(weights, digits, strict=True))
    return digits + "10X98765432"[total % 11]


# --- how a file is written ---------------------------------------------------------------------


def xlsx(path: Path, sheets: dict[str, Grid], merged: Sequence[str] = ()) -> Path:
    """Write a workbook as Excel does."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, grid in sheets.items():
        sheet = book.create_sheet(name)
        for row in grid:
            sheet.append([None if cell == "" else cell for cell in row])
        for block in merged:
            sheet.merge_cells(block)
    book.save(path)
    return path


def xls(path: Path, sheets: dict[str, Grid], merged: Sequence[str] = ()) -> Path:
    """Write a workbook of the nineties."""
    book = xlwt.Workbook(encoding="utf-8")
    dated = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for name, grid in sheets.items():
        sheet = book.add_sheet(name)
        for r, row in enumerate(grid):
            for c, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write(r, c, cell, dated)
                elif cell != "":
                    sheet.write(r, c, cell)
    book.save(str(path))
    return path


def text(delimiter: str = ",", encoding: str = "utf-8-sig") -> Callable[..., Path]:
    """Return what writes a sheet as text."""

    def write(path: Path, sheets: dict[str, Grid], merged: Sequence[str] = ()) -> Path:
        (grid,) = sheets.values()
        out = io.StringIO()
        width = max(map(len, grid))
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerows([[*row, *[""] * (width - len(row))] for row in grid])
        path.write_bytes(out.getvalue().encode(encoding))
        return path

    return write


def html(path: Path, sheets: dict[str, Grid], merged: Sequence[str] = ()) -> Path:
    """Write a web page, as some school programs do under the name of a workbook."""
    (grid,) = sheets.values()
    lines = ["<html><head><meta charset='utf-8'></head><body><table>"]
    for row in grid:
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>")
    path.write_text("\n".join([*lines, "</table></body></html>"]), encoding="utf-8")
    return path


# --- how a month looks -------------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """How a school keeps its month."""

    signs: dict[str, str]
    who: str = "name"  # name, id or number
    heading: str = "number"  # number, 日, date or month-day
    weekdays: bool = True
    totals: bool = True
    notes: bool = True
    halves: str = ""  # "", columns or rows
    only_school_days: bool = False
    title: str = "{school}{class_}{year}年{month}月学生考勤表"
    legend: str = "图例：√出勤 ○病假 △事假 ×旷课 ⊕迟到 退早退"


def month_grid(world: World, class_id: str, style: Style) -> Grid:
    """Return a class's month as a sheet."""
    days = [date(YEAR, MONTH, n) for n in range(1, 31)]
    if style.only_school_days:
        days = [day for day in days if day in world.days or day > LAST_DAY]
    title = style.title.format(school=SCHOOL_NAME, class_=class_id, year=YEAR, month=MONTH)
    lead = {"name": ["序号", "姓名"], "id": ["学籍号", "姓名"], "number": ["身份证号", "姓名"]}
    columns = 2 if style.halves == "columns" else 1
    before = [*lead[style.who], *(["午别"] if style.halves == "rows" else [])]
    heading = [cell for day in days for cell in [_day(day, style.heading), ""][:columns]]
    grid: Grid = [[title], [*before, *heading, *(["出勤天数", "缺勤天数"] if style.totals else [])]]
    if style.weekdays and columns == 1:
        grid.append([""] * len(before) + [WEEK[day.weekday()] for day in days])
    if style.halves == "columns":
        grid.append([""] * len(before) + ["上", "下"] * len(days))
    for i, child in enumerate(world.of(class_id), start=1):
        first = {"name": i, "id": child.student_id, "number": child.id_number}[style.who]
        signs = [
            style.signs[world.attendance[(child.student_id, day)]] if day in world.days else ""
            for day in days
        ]
        cells = [cell for sign in signs for cell in [sign] * columns]
        end = [len(world.days), 0] if style.totals else []
        if style.halves == "rows":
            grid.append([first, child.name, "上午", *cells, *end])
            grid.append(["", "", "下午", *cells])
        else:
            grid.append([first, child.name, *cells, *end])
    if style.notes:
        grid += [["合计", "", *[5] * 3], [style.legend], ["班主任签字：", "", "", "校长签字："]]
    return grid


def _day(day: date, heading: str) -> Any:
    forms = {
        "number": day.day,
        "日": f"{day.day}日",
        "date": day,
        "month-day": f"{day.month}/{day.day}",
    }
    return forms[heading]


def attendance_books(folder: Path, world: World) -> list[Book]:
    """Write the months; return the books."""
    books: list[Book] = []

    def add(
        name: str,
        style: Style,
        write: Callable[..., Path] = xlsx,
        classes: Sequence[str] = CLASSES[:1],
        **options: Any,
    ) -> None:
        sheets = {one: month_grid(world, one, style) for one in classes}
        path = write(folder / name, sheets)
        children = [child for one in classes for child in world.of(one)]
        sessions = ("am", "pm") if style.halves else ("",)
        books.append(Book(path, "attendance", options, world.long(children, sessions)))

    ticks, empty = Style(TICKS), Style(EMPTY, only_school_days=True, heading="日")
    plain = Style(TICKS, title="学生考勤表")
    add("月考勤 七1.xlsx", ticks)
    add("空格为到.xlsx", empty)
    add("字.xlsx", Style(LETTERS, weekdays=False))
    add("自己的记号.xlsx", Style(OWN, legend=OWN_LEGEND, totals=False))
    add("学籍号.xlsx", Style(TICKS, who="id", title="{year}年{month}月考勤"))
    add("身份证.xlsx", Style(TICKS, who="number", title="{year}年{month}月考勤"))
    add(
        "日期表头.xlsx",
        Style(TICKS, heading="date", weekdays=False, title="{school}{class_}考勤表"),
    )
    add(
        "月日表头.xlsx",
        Style(TICKS, heading="month-day", title="{school}{class_}{year}年{month}月"),
    )
    add("三个班.xlsx", Style(TICKS, title="{school}{year}年{month}月考勤表"), classes=CLASSES)
    add("半天两列.xlsx", Style(TICKS, halves="columns"))
    add("半天两行.xlsx", Style(TICKS, halves="rows", weekdays=False))
    add("半天两行有星期.xlsx", Style(LETTERS, halves="rows"))
    add("说明月份.xlsx", plain, month=(YEAR, MONTH), class_id="七(1)班", school=SCHOOL)
    add("松坪中学七（1）班2026年11月.xlsx", plain)
    add("202611考勤 七年级1班.xlsx", plain, school=SCHOOL)
    add("没有备注.xlsx", Style(TICKS, notes=False, totals=False, weekdays=False))
    add("中文年月.xlsx", Style(TICKS, title="{school}{class_}二〇二六年十一月考勤表"))
    add("老格式.xls", ticks, xls)
    add("老格式空格.xls", empty, xls)
    add("老格式日期.xls", Style(TICKS, heading="date", title="{school}{class_}考勤"), xls)
    add("老格式三个班.xls", Style(LETTERS, title="{school}{year}年{month}月"), xls, CLASSES)
    add("文本.csv", ticks, text())
    add("国标.csv", ticks, text(encoding="gb18030"))
    add("分号.csv", ticks, text(";"))
    add("制表符.txt", ticks, text("\t"))
    add("双字节.txt", ticks, text("\t", "utf-16"))
    add("空格文本.csv", empty, text(encoding="utf-8"))
    add("网页.xls", ticks, html)
    add("其实是新格式.xls", ticks, xlsx)
    add("八年级1班 11月 2026年.xlsx", plain, classes=CLASSES[2:], school=SCHOOL)
    return books


# --- how marks look ----------------------------------------------------------------------------

PINYIN = {"chinese": "YW", "maths": "SX", "english": "YY"}
CHINESE = {"chinese": "语文", "maths": "数学", "english": "英语"}
TITLE = f"{SCHOOL_NAME}{EXAM}成绩表（2026年11月12日）"


def marks_grid(
    world: World,
    children: Sequence[Child],
    heads: dict[str, str],
    *,
    lead: Sequence[str] = ("班级", "姓名"),
    title: str = TITLE,
    absent: str = "缺考",
    foot: bool = True,
) -> Grid:
    """Return marks as a sheet, with a total, a rank and an average that mean nothing here."""
    grid: Grid = [[title]] if title else []
    grid.append([*lead, *heads.values(), "总分", "班名次"])
    said = {
        "班级": "class_id",
        "姓名": "name",
        "XM": "name",
        "学籍号": "student_id",
        "身份证号": "id_number",
        "考号": "class_id",
        "BJ": "class_id",
    }
    for rank, child in enumerate(children, start=1):
        marks = [world.marks[(child.student_id, subject)] for subject in heads]
        numbers = [float(mark) for mark in marks if mark]
        cells = [float(mark) if mark else absent for mark in marks]
        who = [getattr(child, said[name]) for name in lead]
        grid.append([*who, *cells, sum(numbers), rank])
    if foot:
        grid.append(["平均分", *[""] * (len(lead) - 1), *[70.5] * len(heads)])
    return grid


def mark_books(folder: Path, world: World) -> list[Book]:
    """Write the mark sheets; return the books."""
    books: list[Book] = []

    def add(
        name: str,
        grid: Grid,
        write: Callable[..., Path] = xlsx,
        subjects: Sequence[str] = tuple(CHINESE),
        children: Sequence[Child] | None = None,
        **options: Any,
    ) -> None:
        rows = world.results(children or world.children, subjects)
        books.append(Book(write(folder / name, {"成绩": grid}), "exams", options, rows))

    everybody, first = world.children, world.of(CLASSES[0])
    by_id = ("学籍号", "姓名")
    add("成绩.xlsx", marks_grid(world, everybody, CHINESE))
    add("拼音.xlsx", marks_grid(world, everybody, PINYIN, lead=("BJ", "XM")))
    add("按学籍号.xlsx", marks_grid(world, everybody, CHINESE, lead=by_id))
    add("按身份证.xlsx", marks_grid(world, everybody, CHINESE, lead=("身份证号", "姓名")))
    add("横线.xlsx", marks_grid(world, everybody, CHINESE, absent="—"))
    add("空.xlsx", marks_grid(world, everybody, CHINESE, absent="", foot=False))
    said = {"exam": EXAM, "exam_date": EXAM_DAY}
    add("无题.xlsx", marks_grid(world, everybody, CHINESE, title="", lead=by_id), **said)
    one_class = {"children": first}
    grid = marks_grid(world, first, CHINESE, lead=("姓名",), title="成绩单")
    add(f"松坪中学七年级1班{EXAM}20261112.xlsx", grid, **one_class)
    two = {key: CHINESE[key] for key in ("chinese", "maths")}
    add("两科.xlsx", marks_grid(world, everybody, two), subjects=tuple(two))
    add("成绩.xls", marks_grid(world, everybody, CHINESE), xls)
    add("成绩 拼音.xls", marks_grid(world, everybody, PINYIN, lead=("BJ", "XM")), xls)
    add("成绩.csv", marks_grid(world, everybody, CHINESE), text())
    add("成绩 国标.csv", marks_grid(world, everybody, CHINESE), text(encoding="gb18030"))
    add("成绩 制表符.txt", marks_grid(world, everybody, CHINESE), text("\t", "utf-16"))
    add("成绩 网页.xls", marks_grid(world, everybody, CHINESE), html)
    return books


# --- how LibreOffice saves them ----------------------------------------------------------------

KINDS = ("xlsx", "xls", "ods")
SAVED = (
    "空格为到.xlsx",
    "学籍号.xlsx",
    "日期表头.xlsx",
    "月日表头.xlsx",
    "半天两列.xlsx",
    "半天两行有星期.xlsx",
    "松坪中学七（1）班2026年11月.xlsx",
    "老格式日期.xls",
    "老格式三个班.xls",
    "按身份证.xlsx",
    "横线.xlsx",
    "成绩 拼音.xls",
)


def saved_books(books: Sequence[Book], kind: str, folder: Path) -> list[Book]:
    """Return those of `books` that `SAVED` names as LibreOffice saves them as `kind`."""
    before = [book for book in books if book.path.name in SAVED]
    paths = saved_by_libreoffice([book.path for book in before], kind, folder)
    return [replace(book, path=path) for book, path in zip(before, paths, strict=True)]
