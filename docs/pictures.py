"""`make pictures`: the pictures of docs/images, made anew from what the program writes now.

Pages are photographed by headless Chromium, workbooks are printed by LibreOffice. Needs both, and
poppler's pdftoppm. The open data sets are left out where they are not at hand.

    python docs/pictures.py [WHAT ...]     city (lists, index, workbook, card), oulad, star
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
DATA = Path(os.environ.get("EARLYWARN_SHARED", ROOT.parent / "shared")) / "data"
CHROMIUM, SOFFICE, PDFTOPPM = (
    shutil.which(program) or program for program in ("chromium", "soffice", "pdftoppm")
)
MARGIN = 24  # pixels kept below what a page shows
TALL = 20_000  # pixels: a window that any page fits into


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


def photograph(page: Path, name: str, *, width: int, height: int = TALL) -> None:
    """Write what a browser shows of `page` as docs/images/NAME.png, without the empty end."""
    target = IMAGES / f"{name}.png"
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
                f"--window-size={width},{height}",
                f"--screenshot={target}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
        )
    save(Image.open(target).convert("RGB"), target)


def print_workbook(book: Path, name: str, *, resolution: int = 80) -> None:
    """Write the first printed page of a workbook as docs/images/NAME.png."""
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        printed = ["--headless", "--convert-to", "pdf", "--outdir", folder, str(book)]
        subprocess.run([SOFFICE, profile, *printed], check=True, capture_output=True)
        stem = Path(folder) / "page"
        first = ["-r", str(resolution), "-png", "-f", "1", "-l", "1", "-singlefile"]
        pdf = str(Path(folder) / f"{book.stem}.pdf")
        subprocess.run([PDFTOPPM, *first, pdf, str(stem)], check=True)
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
    """The generated city at full size: one school's list, the bureau's index, the model's card."""
    root = folder / "city"
    info = earlywarn("demo", "--out", str(root))
    lists = Path(info["folder"]) / "watchlists"
    school = fullest(lists)
    photograph(school.with_suffix(".html"), "watchlist-zh", width=1280, height=1000)
    print_workbook(school.with_suffix(".xlsx"), "workbook-zh")
    photograph(lists / "index.html", "index-zh", width=1280, height=1000)
    card(root, "card-city", "zh")


def fullest(lists: Path) -> Path:
    """Return the school's page with the most different tiers, then the most children."""
    pages = [page for page in sorted(lists.rglob("*.html")) if page.with_suffix(".xlsx").exists()]
    return max(pages, key=lambda page: (tiers(page), page.stat().st_size))


def tiers(page: Path) -> int:
    """Return how many tiers have a child on a school's page."""
    text = page.read_text(encoding="utf-8")
    return sum(f"badge {tier}" in text for tier in ("urgent", "high", "watch"))


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
    earlywarn("init", str(root))
    earlywarn("import", name, str(DATA / name), "-w", str(root))
    earlywarn("train", "-w", str(root))
    card(root, f"card-{name}", "en")


def main() -> None:
    """Make the pictures asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["city", "oulad", "star"])
    wanted = parser.parse_args().what
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for what in wanted:
            city(Path(name)) if what == "city" else open_data(what, Path(name))


if __name__ == "__main__":
    main()
