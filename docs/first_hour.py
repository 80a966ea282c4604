"""The folder of files that docs/your-data.md begins with: a registry and three months of one class.

    python docs/first_hour.py FOLDER

School, children and signs are invented, and so are the mistakes: those that schools make. Class 2
has handed in nothing. Written as schools write: the registry as XLS of the nineties, one month too.
"""

from __future__ import annotations

import sys
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import openpyxl
import xlwt
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter

INVENTED = "（虚构数据）"
SCHOOL, SCHOOL_NAME = "9900000047", "松坪中学"
REGISTRY = "学籍导出.xls"
ROSTER = "七年级2班花名册.xlsx"
SHEETS = "考勤"
CLASS_1, CLASS_2 = "七年级1班", "七年级2班"
YEAR, MONTHS = 2026, (9, 10, 11)
LAST_DAY = date(2026, 11, 20)
NO_SCHOOL = {date(2026, 9, 25), *(date(2026, 10, day) for day in range(1, 8))}
MADE_UP_FOR = {date(2026, 9, 20), date(2026, 10, 10)}  # at weekends, with school
LEGEND = "图例：√出勤  ○病假  △事假  ×旷课  ⊕迟到  退早退"
HEADINGS = (
    *("学籍号", "姓名", "性别", "出生日期", "学校标识码", "年级", "班级", "入学年月", "就读方式"),
    *("是否留守儿童", "上下学距离", "困难类型", "监护人", "监护人电话"),
)
WIDTHS = (22, 17, 6, 12, 13, 9, 12, 10, 9, 15, 11, 13, 10, 14)
_FONT, _THIN = "宋体", Side(style="thin", color="808080")
_XLS_BOX = "borders: left thin, right thin, top thin, bottom thin"
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


@dataclass(frozen=True)
class Child:
    """A child of the registry; `away` are its days with another sign than √."""

    number: int
    name: str
    class_id: str = CLASS_1
    girl: bool = False
    parents: str = "非留守儿童"
    poverty: str = "非困难"
    boards: bool = False
    away: Sequence[tuple[str, date, date]] = ()

    @property
    def student_id(self) -> str:
        """Its registry number: of no county, with a right check digit."""
        digits = f"990000{2013 - (self.number % 3 == 0)}{1 + self.number % 12:02}"
        digits += f"{1 + self.number % 28:02}{self.number:02}{1 - self.girl}"
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True))
        return f"G{digits}{'10X98765432'[total % 11]}"

    @property
    def cells(self) -> list[str]:
        """Its line of the registry."""
        born = self.student_id[7:15]
        return [
            self.student_id,
            self.name,
            "女" if self.girl else "男",
            f"{born[:4]}-{born[4:6]}-{born[6:]}",
            SCHOOL,
            "七年级",
            self.class_id,
            "202609",
            "住校" if self.boards else "走读",
            self.parents,
            str(self.number % 9 + 1),
            self.poverty,
            f"{self.name[0]}家长",
            f"1990000{self.number:04}",
        ]


def _days(sign: str, *days: str) -> list[tuple[str, date, date]]:
    """Return days `MM-DD` or `MM-DD/MM-DD` with one sign."""
    spans = [(day.split("/")[0], day.split("/")[-1]) for day in days]
    return [
        (sign, date.fromisoformat(f"{YEAR}-{a}"), date.fromisoformat(f"{YEAR}-{b}"))
        for a, b in spans
    ]


BOTH, ONE = "双亲留守儿童", "单亲留守儿童"
CHILDREN = (
    Child(1, "安小满", girl=True),
    Child(2, "柏远", parents=BOTH, poverty="建档立卡", away=[
        *_days("×", "10-12", "10-23", "11-05/11-06", "11-18/11-20"), *_days("⊕", "09-28")]),
    Child(3, "岑一鸣", away=_days("○", "10-14/10-15")),
    Child(4, "杜若溪", girl=True, boards=True),
    Child(5, "方青禾", girl=True, parents=ONE, away=[
        *_days("△", "10-26/10-27", "11-09", "11-16"), *_days("×", "11-13")]),
    Child(6, "耿大川", boards=True, away=_days("⊕", "09-15", "10-20", "11-03")),
    Child(7, "韩星", away=_days("×", "11-19/11-20")),
    Child(8, "阿依古丽·买买提", girl=True, poverty="低保家庭", away=_days("○", "11-02/11-04")),
    Child(9, "林 木", away=_days("退", "10-30")),
    Child(10, "苗雨晴", girl=True),
    Child(11, "苗雨晴", girl=True, parents=ONE, away=_days("△", "09-22")),
    Child(12, "齐柏舟", boards=True),
    Child(13, "石磊磊", CLASS_2, parents=BOTH),
    Child(14, "唐果", CLASS_2, girl=True),
    Child(15, "温如玉", CLASS_2, girl=True, poverty="低保家庭"),
    Child(16, "夏至", CLASS_2),
    Child(17, "严冬", CLASS_2, boards=True),
    Child(18, "周末", CLASS_2, parents=ONE),
)  # fmt: skip
# What is wrong in the registry: (child's number, heading) to the cell.
WRONG = {(14, "出生日期"): "2013-02-30", (17, "性别"): "不祥"}
# What is wrong in the months: (month, child's number, day) to the sign.
STRANGE = {(9, 3, 17): "请", (10, 6, 22): "?", (11, 12, 10): "√○"}
NOT_REGISTERED = "康庄"  # in class since November


def registry(path: Path) -> Path:
    """Write the registry as the bureau exports it: below two title rows, every cell as text."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("学生信息")
    title = xlwt.easyxf("font: bold on, height 280; align: horiz center")
    head = xlwt.easyxf(f"font: bold on; align: horiz center; {_XLS_BOX}")
    cell = xlwt.easyxf(_XLS_BOX)
    last = len(HEADINGS) - 1
    sheet.write_merge(0, 0, 0, last, f"松坪县中小学学生学籍信息表{INVENTED}", title)
    sheet.write_merge(1, 1, 0, last, "导出日期：2026年9月1日    导出单位：松坪县教育局")
    for column, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
        sheet.write(2, column, heading, head)
        sheet.col(column).width = width * 256
    for row in range(2, 3 + len(CHILDREN)):
        sheet.row(row).height_mismatch, sheet.row(row).height = True, 320
    for row, child in enumerate(CHILDREN, start=3):
        for column, (heading, text) in enumerate(zip(HEADINGS, child.cells, strict=True)):
            sheet.write(row, column, WRONG.get((child.number, heading), text), cell)
    sheet.header_str = sheet.footer_str = b""
    sheet.portrait, sheet.fit_num_pages = False, 1
    sheet.fit_width_to_pages, sheet.fit_height_to_pages = 1, 1
    book.save(str(path))
    return path


def is_school_day(day: date) -> bool:
    """Whether the class has school on `day`."""
    return day in MADE_UP_FOR or (day.weekday() < 5 and day not in NO_SCHOOL and day <= LAST_DAY)


def sign(child: Child, day: date) -> str:
    """Return what the teacher wrote."""
    if not is_school_day(day):
        return ""
    strange = STRANGE.get((day.month, child.number, day.day))
    return strange or next((s for s, first, last in child.away if first <= day <= last), "√")


def month(month: int) -> list[list[str | int]]:
    """Return the month of class 1 as a grid: title, days, weekdays, children, legend, signature."""
    days = [date(YEAR, month, day) for day in range(1, monthrange(YEAR, month)[1] + 1)]
    grid: list[list[str | int]] = [
        [f"{SCHOOL_NAME}{CLASS_1}{YEAR}年{month}月学生考勤表{INVENTED}"],
        ["序号", "姓名", *(day.day for day in days), "缺勤天数"],
        ["", "星期", *("一二三四五六日"[day.weekday()] for day in days), ""],
    ]
    children = [child for child in CHILDREN if child.class_id == CLASS_1]
    for place, child in enumerate(children, start=1):
        signs = [sign(child, day) for day in days]
        grid.append([place, child.name, *signs, sum(one in "○△×" for one in signs if one)])
    if month == MONTHS[-1]:
        signs = ["√" if is_school_day(day) else "" for day in days]
        grid.append([len(children) + 1, NOT_REGISTERED, *signs, 0])
    return [*grid, [LEGEND], ["班主任签字：              年级组长签字："]]


def month_xlsx(path: Path, grid: Sequence[Sequence[str | int]]) -> Path:
    """Write a month with its title merged over the whole width, as Excel and WPS save it."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    sheet = book.create_sheet(CLASS_1)
    width = len(grid[1])
    for row, cells in enumerate(grid, start=1):
        alone = len(cells) == 1
        for column, text in enumerate(cells, start=1):
            cell = sheet.cell(row, column, None if text == "" else text)
            cell.font = Font(_FONT, size=16 if row == 1 else 11, bold=row == 1)
            if not alone:
                cell.border = _BOX
                cell.alignment = Alignment("center", "center")
        if alone:
            sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)
    sheet.cell(1, 1).alignment = Alignment("center", "center")
    for column in range(1, width + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 3.6
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 5.5, 17
    sheet.column_dimensions[get_column_letter(width)].width = 9
    sheet.row_dimensions[1].height = 28
    _on_one_page(sheet)
    book.save(path)
    return path


def month_xls(path: Path, grid: Sequence[Sequence[str | int]]) -> Path:
    """Write a month as a workbook of the nineties."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet(CLASS_1)
    for row, cells in enumerate(grid):
        for column, text in enumerate(cells):
            if text != "":
                sheet.write(row, column, text)
    book.save(str(path))
    return path


def roster(path: Path) -> Path:
    """Write a list of class 2 as its teacher keeps it, under headings of her own."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    sheet = book.create_sheet(CLASS_2)
    sheet.append([f"{CLASS_2}学生花名册{INVENTED}"])
    sheet.append(["学籍编号", "XM", "性别", "出生年月日", "学校代码", "年级", "所在班", "住校否",
                  "家长手机号", "家里情况"])  # fmt: skip
    for child in CHILDREN:
        if child.class_id == CLASS_2:
            cells = child.cells
            sheet.append([*cells[:7], "是" if child.boards else "否", cells[13], child.poverty])
    book.save(path)
    return path


def _on_one_page(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = sheet.page_setup.fitToHeight = 1
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def write(folder: Path) -> Iterable[Path]:
    """Write every file into `folder`; return their paths."""
    sheets = folder / SHEETS
    sheets.mkdir(parents=True, exist_ok=True)
    return [
        registry(folder / REGISTRY),
        *(month_xlsx(sheets / f"{CLASS_1}{one}月.xlsx", month(one)) for one in (9, 11)),
        month_xls(sheets / f"{CLASS_1}10月.xls", month(10)),
        roster(folder / ROSTER),
    ]


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])):
        print(written)
