"""`make pictures`: the pictures of docs/images, made anew from what the program writes now.

Pages are photographed and printed by headless Chromium, workbooks by LibreOffice. Needs both, and
poppler's pdftoppm and pdfinfo. The open data sets are left out where they are not at hand.

    python docs/pictures.py [WHAT ...] [--in FOLDER]

WHAT is city (lists on a screen, on a phone and printed, a child's sheet, workbook, index, county,
daily round, card), oulad or star. In FOLDER the workspaces are kept: one that is there is not
made and trained again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
DATA = Path(os.environ.get("EARLYWARN_SHARED", ROOT.parent / "shared")) / "data"
CHROMIUM, SOFFICE, PDFTOPPM, PDFINFO = (
    shutil.which(program) or program for program in ("chromium", "soffice", "pdftoppm", "pdfinfo")
)
MARGIN = 24  # pixels kept below what a page shows
TALL = 20_000  # pixels: a window that any page fits into
PHONE = 375  # pixels
NARROWEST = 500  # pixels: Chromium's window is never narrower; a phone's page stands in a frame
RESOLUTION = 80  # dots per inch of a printed page
ROUNDS = (2, 1, 0)  # days before the list on which a daily round was made


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


def print_workbook(book: Path, name: str) -> None:
    """Write the first printed page of a workbook as docs/images/NAME.png."""
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        printed = ["--headless", "--convert-to", "pdf", "--outdir", folder, str(book)]
        subprocess.run([SOFFICE, profile, *printed], check=True, capture_output=True)
        printed_page(Path(folder) / f"{book.stem}.pdf", name, 1)


def printed_page(pdf: Path, name: str, number: int) -> None:
    """Write one page of a PDF as docs/images/NAME.png; -1 is the last."""
    if number < 0:
        told = subprocess.run([PDFINFO, pdf], check=True, capture_output=True, text=True).stdout
        (pages,) = (line.split()[1] for line in told.splitlines() if line.startswith("Pages:"))
        number += int(pages) + 1
    page = str(number)
    stem = pdf.with_name(name)
    asked = ["-r", str(RESOLUTION), "-png", "-f", page, "-l", page, "-singlefile"]
    subprocess.run([PDFTOPPM, *asked, pdf, stem], check=True)
    save(Image.open(stem.with_suffix(".png")).convert("RGB"), IMAGES / f"{name}.png")


def save(picture: Image.Image, target: Path) -> None:
    """Cut off the rows below the last one that differs from the corner; keep few colours."""
    pixels = np.asarray(picture)
    used = np.flatnonzero((pixels != pixels[-1, -1]).any(axis=(1, 2)))
    end = min(picture.height, int(used[-1]) + MARGIN) if len(used) else picture.height
    cut = picture.crop((0, 0, picture.width, end))
    cut.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
    print(target.relative_to(ROOT), f"{target.stat().st_size / 1e3:.0f} kB", flush=True)


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
    parser.add_argument("what", nargs="*", default=["city", "oulad", "star"])
    parser.add_argument("--in", dest="folder", type=Path, help="where to keep the workspaces")
    asked = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = asked.folder or Path(name)
        for what in asked.what:
            city(folder) if what == "city" else open_data(what, folder)


if __name__ == "__main__":
    main()
