"""What people see: the page in a real browser, the workbook through a real office program."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import date
from html import escape, unescape
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from conftest import need
from earlywarn.errors import Lang
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry
from earlywarn.watchlist import wording
from earlywarn.watchlist.bureau import Bureau, place_files
from earlywarn.watchlist.followed import look_up
from earlywarn.watchlist.html import school_page
from earlywarn.watchlist.rows import Listing, SchoolList
from earlywarn.watchlist.workbook import school_workbook
from watchlist_county import AS_OF, JUNIOR, LAST_WEEK, county, scores

A4 = (595, 842)  # points, short and long side


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return county(tmp_path_factory.mktemp("county") / "某县").listing(run="1")


@pytest.fixture(scope="module")
def junior(listing: Listing) -> SchoolList:
    return next(school for school in listing.schools if school.school_id == JUNIOR)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    """The county with a comparison and a ledger: an urgent child away since Wednesday."""
    made = county(tmp_path_factory.mktemp("county") / "某县")
    with Ledger.open(made.workspace) as ledger:
        (opened,) = ledger.open_cases(
            NewCase(
                "absence",
                JUNIOR,
                date(2026, 11, 18),
                "daily",
                student_id="G110101201201010012",
            ),
            who="a",
        )
        ledger.assign(opened.case_id, who="a", leader="周校长", teacher="钱老师")
        ledger.record(
            NewEntry(opened.case_id, "state", date(2026, 11, 18), value="contacted"), who="a"
        )
    return made.listing(
        previous=scores(made.children, made.rulebook.hash),
        previous_as_of=LAST_WEEK,
        follow_up=look_up(made.con, made.workspace, AS_OF, LAST_WEEK),
    )


@pytest.fixture(scope="module")
def junior_followed(followed: Listing) -> SchoolList:
    return next(school for school in followed.schools if school.school_id == JUNIOR)


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


# Runs in a page that holds each page under test in frames: what a reader would stumble over.
INSPECT = r"""
function rgb(text) { return text.match(/[\d.]+/g).map(Number); }
function light(color) {
  return color.slice(0, 3).map(function (part) {
    var c = part / 255;
    return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
  }).reduce(function (sum, c, i) { return sum + c * [0.2126, 0.7152, 0.0722][i]; }, 0);
}
function ground(element) {
  for (; element; element = element.parentElement) {
    var color = rgb(element.ownerDocument.defaultView.getComputedStyle(element).backgroundColor);
    if (color.length < 4 || color[3] === 1) return color;
  }
  return [255, 255, 255];
}
function inspect(frame) {
  var doc = frame.contentDocument, view = frame.contentWindow, faults = [], texts = 0, level = 0;
  var walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    var holder = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || holder.closest("svg, script, style")) continue;
    if (!holder.checkVisibility()) continue;
    texts += 1;
    var one = light(rgb(view.getComputedStyle(holder).color)), two = light(ground(holder));
    var contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (contrast < 4.5) {
      faults.push("contrast " + contrast.toFixed(2) + ": " + walker.currentNode.data.trim());
    }
  }
  doc.querySelectorAll("h1, h2, h3, h4, h5, h6").forEach(function (heading) {
    var next = Number(heading.tagName[1]);
    if (next > level + 1) faults.push("heading " + heading.tagName + " after level " + level);
    level = next;
  });
  if (doc.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  doc.querySelectorAll("th").forEach(function (head) {
    if (!head.scope) faults.push("th without scope: " + head.textContent.trim());
  });
  if (!doc.documentElement.lang) faults.push("no lang");
  var wide = doc.documentElement.scrollWidth - view.innerWidth;
  if (wide > 0) faults.push("scrolls sideways by " + wide);
  return { faults: faults, texts: texts };
}
"""


def inspected(pages: dict[str, str], folder: Path, script: str = "") -> dict[str, Any]:
    """Open every page in frames 1280 and 375 pixels wide, light and dark; return what is found."""
    frames, light = [], "@media (prefers-color-scheme: dark)"
    for name, page in pages.items():
        assert light in page or "sabotage" in name
        for width in (1280, 375):
            for look, text in (
                ("light", page.replace(light, "@media not all")),
                ("dark", page.replace(light, "@media all")),
            ):
                frames.append(
                    f'<iframe name="{name} {width} {look}" srcdoc="{escape(text)}" '
                    f'style="width:{width}px;height:900px;border:0"></iframe>'
                )
    wrapper = folder / "wrapper.html"
    wrapper.write_text(
        f'<!doctype html><meta charset="utf-8"><body>{"".join(frames)}<pre id="found"></pre>'
        f"<script>{INSPECT}\n"
        'addEventListener("load", function () { var found = {};'
        'document.querySelectorAll("iframe").forEach('
        "function (frame) { found[frame.name] = inspect(frame); });"
        f"{script};"
        'document.getElementById("found").textContent = JSON.stringify(found); });</script>',
        encoding="utf-8",
    )
    dom = browse("--dump-dom", wrapper.as_uri(), profile=folder / "profile")
    told = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert told is not None
    found: dict[str, Any] = json.loads(unescape(told[1]))
    return found


def bureau_pages(listing: Listing, lang: Lang) -> tuple[str, str]:
    files = {
        s.school_id: (PurePosixPath(f"{s.school_id}.html"), PurePosixPath(f"{s.school_id}.xlsx"))
        for s in listing.schools
    }
    places = place_files(listing.schools)
    return (
        Bureau(listing, files, places, lang).index(),
        Bureau(listing, files, places, lang).place(("青河县", "")),
    )


def test_nobody_stumbles_over_a_page(
    followed: Listing, junior_followed: SchoolList, tmp_path: Path
) -> None:
    pages = {}
    for lang in ("zh", "en"):
        index, place = bureau_pages(followed, lang)
        pages |= {
            f"list-{lang}": school_page(followed, junior_followed, lang),
            f"index-{lang}": index,
            f"county-{lang}": place,
        }
    found = inspected(pages, tmp_path)
    assert len(found) == 4 * len(pages)
    assert all(one["texts"] > 40 for one in found.values())
    assert {name: one["faults"] for name, one in found.items() if one["faults"]} == {}


def test_the_inspection_finds_what_it_looks_for(tmp_path: Path) -> None:
    page = (
        '<!doctype html><html><body style="background:#fff"><h1>A</h1><h3>B</h3>'
        '<p style="color:#888">pale</p><div style="width:2000px">wide</div>'
        "<table><tr><th>head</th></tr></table></body></html>"
    )
    found = inspected({"sabotage": page}, tmp_path)
    for one in found.values():
        kinds = " ".join(one["faults"])
        for fault in ("contrast 3.54: pale", "heading H3", "th without scope", "no lang"):
            assert fault in kinds
        assert "scrolls sideways" in kinds


def test_the_index_sorts(followed: Listing, tmp_path: Path) -> None:
    index, _ = bureau_pages(followed, "zh")
    script = """
    var doc = document.querySelector("iframe").contentDocument;
    var table = doc.querySelector("table.sortable"), orders = [];
    function first() { return table.tBodies[0].rows[0].cells[2].textContent; }
    var head = Array.prototype.find.call(table.tHead.rows[0].cells, function (cell) {
      return cell.textContent === "在校生";
    });
    orders.push(first());
    head.firstChild.click();
    orders.push(first(), head.getAttribute("aria-sort"));
    head.firstChild.click();
    orders.push(first(), head.getAttribute("aria-sort"));
    found.orders = orders
    """
    orders = inspected({"index": index}, tmp_path, script)["orders"]
    junior, primary = "白石乡初级中学", "青河镇中心小学"  # 19 and 10 children
    assert orders == [junior, junior, "descending", primary, "ascending"]


def print_page(page: str, folder: Path) -> Path:
    file, pdf = folder / "名单 1.html", folder / "page.pdf"
    file.write_text(page, encoding="utf-8")
    browse(
        f"--print-to-pdf={pdf}",
        "--no-pdf-header-footer",
        file.as_uri(),
        profile=folder / "profile",
    )
    return pdf


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_list_and_sheets_print_on_pages_of_their_own(
    followed: Listing, junior_followed: SchoolList, tmp_path: Path, lang: Lang
) -> None:
    # The sheet at its fullest: the longest name, a case with every step, all reasons.
    urgent = junior_followed.children[0]
    longest = max((child.name for child in junior_followed.children), key=len)
    twice = replace(urgent, name=longest, rank=2)
    school = replace(junior_followed, children=(urgent, twice, *junior_followed.children[2:]))
    pdf = print_page(school_page(followed, school, lang), tmp_path)
    sizes = page_sizes(pdf)
    assert all(abs(a - A4[0]) <= 1 and abs(b - A4[1]) <= 1 for a, b in sizes)
    pages = [text.replace(" ", "") for text in pdf_text(pdf).split("\f") if text.strip()]
    assert len(pages) == len(sizes)
    heading = wording.word("people_sign", lang).replace(" ", "")
    assert [heading in page for page in pages] == [False] * (len(pages) - 2) + [True, True]
    lists, sheets = "".join(pages[:-2]), pages[-2:]
    for child in school.children:
        assert child.name.replace(" ", "")[:3] in lists  # a long name goes on in the next line
    for child, page in zip((urgent, twice), sheets, strict=True):
        assert child.name.replace(" ", "")[:3] in page
        for words in (wording.ASK_HOME(lang), wording.CONVERSATION(lang)):
            assert words.replace(" ", "") in page.replace("\n", "")


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
