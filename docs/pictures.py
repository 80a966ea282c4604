"""`make pictures`: the pictures of docs/images, made anew from what the program writes now.

Pages are photographed and printed by headless Chromium, workbooks by LibreOffice. Needs both, and
poppler's pdftoppm and pdfinfo. The open data sets are left out where they are not at hand.

    python docs/pictures.py [WHAT ...] [--in FOLDER]

WHAT is city (lists on a screen, on a phone and printed, a child's sheet, workbook, index, county,
daily round, card), reports (monthly and yearly report, cards, ledger, reconcile), first_hour (the
steps of docs/your-data.md), oulad or star. In FOLDER the workspaces are kept: one that is there is
not made and trained again; those of reports and first_hour are.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import first_hour as files
import numpy as np
import openpyxl
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
DATA = Path(os.environ.get("EARLYWARN_SHARED", ROOT.parent / "shared")) / "data"
CHROMIUM, SOFFICE, PDFTOPPM, PDFINFO = (
    shutil.which(program) or program for program in ("chromium", "soffice", "pdftoppm", "pdfinfo")
)
DONE = (0, 3)  # exit codes: all is well, and some rows are in quarantine
LEFT_HALF, RIGHT_HALF = 20, 5  # columns of a wide sheet that are shown at either end
MARGIN = 24  # pixels kept below what a page shows
TALL = 20_000  # pixels: a window that any page fits into
PHONE = 375  # pixels
NARROWEST = 500  # pixels: Chromium's window is never narrower; a phone's page stands in a frame
RESOLUTION = 80  # dots per inch of a printed page
CLOSE = 110  # dots per inch where only what is on the paper is shown
CHARACTER = 7.5  # pixels: the width of a character of TERMINAL_PAGE; a Chinese one is two
FRAME = 38  # pixels: its border and padding, left and right
TERMINAL_PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #fff; }
pre { margin: 0; padding: 14px 18px; background: #f6f8fa; border: 1px solid #d0d7de; color: #1f2328;
  font: 15px/1.5 "Noto Sans Mono CJK SC", "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
b { color: #0550ae; }
i { font: 12.46px/1 "DejaVu Sans Mono"; }  /* lines of tables: in the Chinese font twice as wide */
</style><pre>"""
ROUNDS = (2, 1, 0)  # days before the list on which a daily round was made
# Of the generated city's last school year: months, the day of a list, that of the household list.
MONTHS = (*(f"2025-{month:02}" for month in range(9, 13)), *(f"2026-{m:02}" for m in range(1, 6)))
LIST_DAY, HOUSEHOLD_DAY = date(2026, 6, 12), date(2025, 10, 31)
SUSPECTED = "疑似辍学台账"  # the ledger of suspected dropouts
BY = "李明"  # who makes the rounds and records the steps


def earlywarn(*arguments: str) -> dict[str, Any]:
    """Run `earlywarn ... --json` and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "earlywarn.cli.main", *arguments, "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def browse(page: Path, *arguments: str) -> None:
    """Let a headless browser open `page`."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                *arguments,
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
        )


def photograph(page: Path, name: str, *, width: int, height: int = TALL) -> None:
    """Write what a browser shows of `page` as docs/images/NAME.png, without the empty end."""
    target = IMAGES / f"{name}.png"
    browse(page, f"--window-size={width},{height}", f"--screenshot={target}")
    save(Image.open(target).convert("RGB"), target)


def photograph_on_phone(page: Path, name: str, *, height: int) -> None:
    """Write what a phone shows of `page` as docs/images/NAME.png."""
    target = IMAGES / f"{name}.png"
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.html"
        frame.write_text(
            f'<body style="margin:0"><iframe src="{page.as_uri()}" '
            f'style="width:{PHONE}px;height:{height}px;border:0"></iframe>',
            encoding="utf-8",
        )
        browse(frame, f"--window-size={NARROWEST},{height}", f"--screenshot={target}")
    save(Image.open(target).convert("RGB").crop((0, 0, PHONE, height)), target)


def print_pages(page: Path, names: Sequence[tuple[str, int]]) -> None:
    """Print `page`; write printed pages as docs/images/NAME.png.

    `names` are (NAME, number of the page from 1; -1 is the last).
    """
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "printed.pdf"
        browse(page, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
        for name, number in names:
            printed_page(pdf, name, number)


def print_workbook(book: Path, name: str, *, alone: bool = False) -> None:
    """Write the first printed page of a workbook as docs/images/NAME.png; `alone`: no paper."""
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        printed = ["--headless", "--convert-to", "pdf", "--outdir", folder, str(book)]
        subprocess.run([SOFFICE, profile, *printed], check=True, capture_output=True)
        printed_page(Path(folder) / f"{book.stem}.pdf", name, 1, alone=alone)


def print_sheet(book: Path, title: str, name: str) -> None:
    """Write what is on the first page of one sheet of a workbook as docs/images/NAME.png."""
    opened = openpyxl.load_workbook(book)
    for other in opened.worksheets:
        if other.title != title:
            opened.remove(other)
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "sheet.xlsx"
        opened.save(part)
        print_workbook(part, name, alone=True)


def printed_page(pdf: Path, name: str, number: int, *, alone: bool = False) -> None:
    """Write one page of a PDF as docs/images/NAME.png; -1 is the last; `alone`: no paper."""
    if number < 0:
        told = subprocess.run([PDFINFO, pdf], check=True, capture_output=True, text=True).stdout
        (pages,) = (line.split()[1] for line in told.splitlines() if line.startswith("Pages:"))
        number += int(pages) + 1
    page = str(number)
    stem = pdf.with_name(name)
    dots = str(CLOSE if alone else RESOLUTION)
    asked = ["-r", dots, "-png", "-f", page, "-l", page, "-singlefile"]
    subprocess.run([PDFTOPPM, *asked, pdf, stem], check=True)
    picture = Image.open(stem.with_suffix(".png")).convert("RGB")
    save(without_paper(picture) if alone else picture, IMAGES / f"{name}.png")


def without_paper(picture: Image.Image) -> Image.Image:
    """Cut a printed page to what is printed on it, with a margin."""
    left, top, right, bottom = ImageChops.invert(picture).getbbox() or (0, 0, *picture.size)
    return picture.crop((left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN))


def save(picture: Image.Image, target: Path) -> None:
    """Cut off the rows below the last one that differs from the corner; keep few colours."""
    pixels = np.asarray(picture)
    used = np.flatnonzero((pixels != pixels[-1, -1]).any(axis=(1, 2)))
    end = min(picture.height, int(used[-1]) + MARGIN) if len(used) else picture.height
    cut = picture.crop((0, 0, picture.width, end))
    cut.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
    print(target.relative_to(ROOT), f"{target.stat().st_size / 1e3:.0f} kB", flush=True)


def first_hour(folder: Path) -> None:
    """The steps of docs/your-data.md: files, loading, mending, a mapping, check, first list."""
    root = folder / "first_hour"
    shutil.rmtree(root, ignore_errors=True)
    files.write(root)
    county = root / "county"
    earlywarn("init", str(county))
    november = root / files.SHEETS / f"{files.CLASS_1}11月.xlsx"
    print_workbook(root / files.REGISTRY, "first-hour-registry-zh", alone=True)
    print_workbook(november, "first-hour-sheet-zh", alone=True)
    asked = ["--mapping", "cn-registry", "--snapshot", "2026-09-01"]
    loading = [
        ["ingest", "students", f"../{files.REGISTRY}", *asked],
        ["ingest", "attendance", f"../{files.SHEETS}", "--mapping", "cn-class-sheet"],
    ]
    photograph_terminal(county, loading, "first-hour-ingest-zh", columns=108)
    mend_quarantine(county / "data" / "_quarantine" / "batch-000002.xlsx")
    loading = [["ingest", "attendance", "data/_quarantine/batch-000002.xlsx"]]
    photograph_terminal(county, loading, "first-hour-mended-ingest-zh", columns=108)
    suggest = ["mapping", "suggest", f"../{files.ROSTER}", "students"]
    suggest += ["--out", "mappings/ours.yaml"]
    photograph_terminal(county, [suggest], "first-hour-suggest-zh", columns=132)
    checked = Path(earlywarn("check", "-w", str(county), "--lang", "zh")["folder"])
    photograph(checked / "check.html", "first-hour-check-zh", width=1000, height=1090)
    scoring = ["score", "--model", "none"]
    photograph_terminal(county, [scoring], "first-hour-score-zh", columns=108)
    for lang in ("zh", "en"):
        info = earlywarn(*scoring, "-w", str(county), "--lang", lang)
        page = Path(info["folder"]) / "watchlists" / "schools" / f"{files.SCHOOL}.html"
        photograph(page, f"first-hour-list-{lang}", width=1280, height=1110)


def mend_quarantine(path: Path) -> None:
    """Photograph November's quarantine, correct in it what a teacher knows, photograph it again.

    The two girls of one name get their registry numbers, the strange sign a plain one; the boy on
    no registry stays.
    """
    print_halves(path, "first-hour-quarantine-zh")
    book = openpyxl.load_workbook(path)
    sheet = november_of(book)
    rows = {cell.value: cell.row for (cell,) in sheet.iter_rows(max_col=1)}
    (number,) = (cell.column for cell in cells_of(sheet) if cell.value == "学籍号")
    for place, child in (("10", 10), ("11", 11)):
        sheet.cell(rows[place], number).value = files.CHILDREN[child - 1].student_id
    for cell in cells_of(sheet):
        if cell.value == "√○":
            cell.value = "√"
    book.save(path)
    print_halves(path, "first-hour-mended-zh")


def november_of(book: Workbook) -> Worksheet:
    """Return the sheet of November's rows."""
    (sheet,) = (sheet for sheet in book.worksheets if "11月" in sheet.title)
    return sheet


def cells_of(sheet: Worksheet) -> Iterator[Cell]:
    """Yield the cells of a sheet."""
    return (cell for row in sheet.iter_rows() for cell in row)


def print_halves(path: Path, name: str) -> None:
    """Write both ends of a wide sheet, the left one above, as docs/images/NAME.png."""
    book = openpyxl.load_workbook(path)
    sheet = november_of(book)
    for other in book.worksheets:
        if other is not sheet:
            book.remove(other)
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A3
    last = sheet.max_column
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for first, end in ((1, LEFT_HALF), (last - RIGHT_HALF, last)):
            letters = get_column_letter(first), get_column_letter(end)
            sheet.print_area = f"{letters[0]}1:{letters[1]}{sheet.max_row}"
            part = Path(folder) / "half.xlsx"
            book.save(part)
            print_workbook(part, name, alone=True)
            parts.append(Image.open(IMAGES / f"{name}.png").convert("RGB"))
    size = max(part.width for part in parts), sum(part.height for part in parts)
    whole = Image.new("RGB", size, "white")
    whole.paste(parts[0], (0, 0))
    whole.paste(parts[1], (0, parts[0].height))
    save(whole, IMAGES / f"{name}.png")


def photograph_terminal(
    folder: Path, commands: Sequence[Sequence[str]], name: str, *, columns: int
) -> None:
    """Run commands in `folder`; write them and what they print as docs/images/NAME.png.

    The folder above `folder` is shown as `~`.
    """
    shown = []
    for words in commands:
        done = subprocess.run(
            [sys.executable, "-m", "earlywarn.cli.main", *words],
            cwd=folder,
            env=os.environ | {"EARLYWARN_LANG": "zh", "COLUMNS": str(columns)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode not in DONE:
            raise SystemExit(done.stdout)
        printed = done.stdout.replace(str(folder.parent), "~").rstrip()
        shown.append(f"<b>$ earlywarn {html.escape(' '.join(words))}</b>\n{_boxed(printed)}")
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "terminal.html"
        text = TERMINAL_PAGE + "\n\n".join(shown) + "</pre>"
        page.write_text(text, encoding="utf-8")
        photograph(page, name, width=int(columns * CHARACTER) + FRAME)


def _boxed(printed: str) -> str:
    """Return a terminal's text as HTML, the lines of its tables in `i`."""
    return re.sub("[\u2500-\u257f]+", r"<i>\g<0></i>", html.escape(printed))


def city(folder: Path) -> None:
    """The generated city at full size: what a school, the bureau and a researcher get."""
    root = folder / "city"
    as_of = earlywarn("demo", "--out", str(root))["as_of"]
    for days in ROUNDS:
        day = date.fromisoformat(as_of) - timedelta(days=days)
        made = earlywarn("daily", "-w", str(root), "--as-of", str(day), "--lang", "zh")
    # Once more: now the lists know the cases that the rounds opened.
    info = earlywarn("score", "-w", str(root), "--as-of", as_of, "--lang", "zh")
    lists = Path(info["folder"]) / "watchlists"
    school = fullest(lists / "schools")
    photograph(school.with_suffix(".html"), "watchlist-zh", width=1280, height=1000)
    photograph_on_phone(school.with_suffix(".html"), "watchlist-phone-zh", height=1400)
    print_pages(school.with_suffix(".html"), [("watchlist-print-zh", 1), ("sheet-zh", -1)])
    print_workbook(school.with_suffix(".xlsx"), "workbook-zh")
    photograph(lists / "index.html", "index-zh", width=1280, height=1000)
    county = max((lists / "bureau").glob("*.html"), key=lambda page: page.stat().st_size)
    photograph(county, "county-zh", width=1280, height=1300)
    photograph(Path(made["folder"]) / "daily.html", "daily-zh", width=1280, height=1300)
    card(root, "card-city", "zh")


def reports(folder: Path) -> None:
    """The generated city again: what the bureau hands in, over a school year.

    Each month is reported; in June two outcomes of May come in late, one child is followed up and
    its school inspected.
    """
    root = folder / "reports"
    shutil.rmtree(root, ignore_errors=True)
    source = Path(earlywarn("simulate", str(root), "--households")["source"])
    here = ["-w", str(root), "--lang", "zh"]
    for month in MONTHS:
        earlywarn("report", "--period", "month", "--of", month, *here)
    tell_late(root)
    by = ["--user", BY, *here]
    earlywarn("score", "--model", "none", "--as-of", str(LIST_DAY), *by)
    for days in ROUNDS:
        day = str(LIST_DAY - timedelta(days=days))
        away = earlywarn("daily", "--as-of", day, *by)["schools"]
    child, school = follow_up(root, away)
    photograph_reports(root, child, school["school_id"], school["county"])
    photograph_reconcile(root, source)


def photograph_reports(root: Path, child: str, school: str, county: str) -> None:
    """Photograph June's report, print that of the year, both cards and a county's ledger."""
    here = ["-w", str(root), "--lang", "zh"]
    june = Path(earlywarn("report", "--period", "month", "--of", "2026-06", *here)["folder"])
    photograph(june / "report.html", "report-month-zh", width=1100, height=1500)
    print_pages(june / "report.html", [("report-month-print-zh", 1)])
    year = Path(earlywarn("report", "--period", "year", "--of", "2025", *here)["folder"])
    print_pages(year / "report.html", [("report-year-print-zh", 1)])
    card = Path(earlywarn("report", "child", child, *here)["file"])
    print_pages(card, [("child-card-zh", 1), ("child-card-end-zh", -1)])
    last = ["--as-of", str(LIST_DAY), *here]
    print_pages(Path(earlywarn("report", "school", school, *last)["file"]), [("school-card-zh", 1)])
    (book,) = earlywarn("report", "registers", "--county", county, *last)["counties"]
    print_sheet(Path(book["file"]), SUSPECTED, "register-zh")


def photograph_reconcile(root: Path, source: Path) -> None:
    """Hold the generated lists against the registry; photograph what comes out."""
    lists = ["--households", str(source / "households.csv")]
    lists += ["--poverty", str(source / "poverty.csv"), "--as-of", str(HOUSEHOLD_DAY)]
    compared = Path(earlywarn("reconcile", *lists, "-w", str(root), "--lang", "zh")["folder"])
    print_workbook(compared / "reconcile.xlsx", "reconcile-zh", alone=True)
    print_workbook(compared / "review.xlsx", "reconcile-review-zh", alone=True)


def tell_late(root: Path) -> None:
    """Let two schools tell late what became of children suspected in May."""
    books = earlywarn("report", "registers", "-w", str(root), "--as-of", "2026-05-31")["counties"]
    suspected = [child for book in books for child in open_since_may(Path(book["file"]))]
    out, back = suspected[:2]
    late = root.parent / "late.csv"
    late.write_text(
        "student_id,date,event,cause\n"
        f"{out},2026-05-27,dropped_out,work\n{back},2026-05-28,returned,\n",
        encoding="utf-8",
    )
    earlywarn("ingest", "outcomes", str(late), "-w", str(root))


def open_since_may(register: Path) -> list[str]:
    """Return who is suspected since May, by a county's ledger."""
    sheet = openpyxl.load_workbook(register, read_only=True)[SUSPECTED]
    rows = iter(sheet.iter_rows(values_only=True))
    heading = next(row for row in rows if "学籍号" in row)
    lines = [dict(zip(heading, row, strict=True)) for row in rows]
    return [
        line["学籍号"]
        for line in lines
        if line["状态"] == "在案" and f"{line['立案日期']:%Y-%m}" == "2026-05"
    ]


def follow_up(root: Path, schools: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Record the steps for the child that is away longest, and inspections of its school.

    Returns the child's number and the school as the daily round has it.
    """
    every = [(child, school) for school in schools for child in school["away"]]
    child, school = max(every, key=lambda one: (one[0]["day"], one[0]["student_id"]))
    who, teacher = child["student_id"], child["homeroom_teacher"]
    here = ["-w", str(root), "--user", BY]
    earlywarn("followup", "assign", who, "--leader", "赵校长", "--teacher", teacher, *here)
    steps = [
        ("contact", 0, "电话联系到祖母，孩子不愿上学"),
        ("visit", 1, "家访：父母在外地务工，孩子想跟着去；已约村干部再谈"),
        ("report", 4, "已书面报告乡镇和县教育局"),
    ]
    for step, days, told in steps:
        day = date.fromisoformat(child["first_day"]) + timedelta(days=days)
        earlywarn("followup", "done", who, step, "--on", str(day), "--note", told, *here)
    visit = ["followup", "inspection", school["school_id"], *here]
    passed = ["--date", "2025-10-22", "--by", "王明", "--result", "passed", "--signed-by", "李华"]
    improve = ["--date", "2026-04-15", "--by", "王明、周敏", "--result", "improve"]
    improve += ["--signed-by", "李华", "--note", "七年级两个班缺近两周的考勤"]
    improve += ["--ordered", "补报四月考勤", "--ordered", "为每名留守儿童更新档案"]
    earlywarn(*visit, *passed)
    earlywarn(*visit, *improve, "--until", "2026-05-15")
    earlywarn(*visit, "--done", "1", "--by", "张强", "--date", "2026-04-28")
    return who, school


def fullest(schools: Path) -> Path:
    """Return the school's page with the most different tiers, then the most children."""
    return max(schools.glob("*.html"), key=lambda page: (tiers(page), page.stat().st_size))


def tiers(page: Path) -> int:
    """Return how many tiers have a child on a school's page."""
    text = page.read_text(encoding="utf-8")
    return sum(f'class="child {tier}"' in text for tier in ("urgent", "high", "watch"))


def card(root: Path, name: str, lang: str) -> None:
    """Photograph the card of the workspace's newest model, in one of its two languages."""
    version = max((root / "models" / "main").iterdir(), key=lambda path: int(path.name))
    page = root / "card.html"
    hidden = f"<style>section:not([lang={lang}]), nav {{ display: none }}</style></head>"
    text = (version / "card.html").read_text(encoding="utf-8").replace("</head>", hidden, 1)
    page.write_text(text, encoding="utf-8")
    photograph(page, f"{name}-{lang}", width=1100)


def open_data(name: str, folder: Path) -> None:
    """Import an open data set, train on it and photograph the card."""
    if not (DATA / name).is_dir():
        print(f"{name}: no picture, no data set in {DATA}")
        return
    root = folder / name
    if not root.exists():
        earlywarn("init", str(root))
        earlywarn("import", name, str(DATA / name), "-w", str(root))
        earlywarn("train", "-w", str(root))
    card(root, f"card-{name}", "en")


def main() -> None:
    """Make the pictures asked for."""
    parser = argparse.ArgumentParser(description="Makes the pictures of docs/images anew.")
    parser.add_argument(
        "what", nargs="*", default=["city", "reports", "first_hour", "oulad", "star"]
    )
    parser.add_argument("--in", dest="folder", type=Path, help="where to keep the workspaces")
    asked = parser.parse_args()
    made = {"city": city, "reports": reports, "first_hour": first_hour}
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = asked.folder or Path(name)
        for what in asked.what:
            made[what](folder) if what in made else open_data(what, folder)


if __name__ == "__main__":
    main()
