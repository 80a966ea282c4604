"""What people see: the page in a real browser, the workbook through a real office program."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from conftest import need
from earlywarn.watchlist.html import school_page
from earlywarn.watchlist.rows import Listing, SchoolList
from earlywarn.watchlist.workbook import school_workbook
from watchlist_county import JUNIOR, county

A4 = (595, 842)  # points, short and long side


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return county(tmp_path_factory.mktemp("county") / "某县").listing(run="1")


@pytest.fixture(scope="module")
def junior(listing: Listing) -> SchoolList:
    return next(school for school in listing.schools if school.school_id == JUNIOR)


def browse(*arguments: str, profile: Path) -> str:
    need("chromium", "chromium")
    done = subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={profile}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    return done.stdout


def pdf_text(path: Path) -> str:
    need("pdftotext", "poppler-utils")
    return subprocess.run(
        ["pdftotext", "-layout", str(path), "-"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout


def page_sizes(path: Path) -> list[tuple[int, int]]:
    need("pdfinfo", "poppler-utils")
    shown = subprocess.run(
        ["pdfinfo", "-l", "99", str(path)], capture_output=True, encoding="utf-8", check=True
    ).stdout
    found = re.findall(r"Page\s+\d+ size:\s+([\d.]+) x ([\d.]+)", shown)
    return [tuple(sorted((round(float(a)), round(float(b))))) for a, b in found]  # type: ignore[misc]


def test_page_prints_whole_on_a4(listing: Listing, junior: SchoolList, tmp_path: Path):
    page = tmp_path / "名单 1.html"
    page.write_text(school_page(listing, junior, "zh"), encoding="utf-8")
    pdf = tmp_path / "page.pdf"
    browse(
        f"--print-to-pdf={pdf}",
        "--no-pdf-header-footer",
        page.as_uri(),
        profile=tmp_path / "profile",
    )
    sizes = page_sizes(pdf)
    assert sizes
    assert all(abs(a - A4[0]) <= 1 and abs(b - A4[1]) <= 1 for a, b in sizes)
    text = pdf_text(pdf).replace(" ", "")
    for child in junior.children:
        assert child.name.replace(" ", "")[:3] in text  # a long name goes on in the next line


def test_page_fits_a_phone(listing: Listing, junior: SchoolList, tmp_path: Path):
    page = tmp_path / "page.html"
    measure = "<script>document.title=document.documentElement.scrollWidth+'/'+innerWidth</script>"
    html = school_page(listing, junior, "zh").replace("</body>", measure + "</body>")
    html = re.sub(r"<meta http-equiv[^>]*>", "", html)  # the page itself allows no script at all
    page.write_text(html, encoding="utf-8")
    dom = browse("--window-size=500,900", "--dump-dom", page.as_uri(), profile=tmp_path / "profile")
    width, window = re.search(r"<title>(\d+)/(\d+)</title>", dom).groups()  # type: ignore[union-attr]
    assert int(width) <= int(window), "the page scrolls sideways on a phone"


def test_workbook_prints_whole_on_a4(listing: Listing, junior: SchoolList, tmp_path: Path):
    need("soffice", "libreoffice-calc")
    book = tmp_path / "list.xlsx"
    book.write_bytes(school_workbook(listing, junior, "zh"))
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={(tmp_path / 'office').as_uri()}",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            str(tmp_path),
            str(book),
        ],
        capture_output=True,
        timeout=180,
        check=True,
    )
    pdf = tmp_path / "list.pdf"
    sizes = page_sizes(pdf)
    assert all(abs(a - A4[0]) <= 2 and abs(b - A4[1]) <= 2 for a, b in sizes)
    text = pdf_text(pdf).replace(" ", "")
    for child in junior.children:
        assert child.name.replace(" ", "")[:3] in text  # a long name goes on in the next line
