"""A city's workbooks, through LibreOffice, filled in messily, imported: every typed answer is kept.

    python benchmarks/workbooks.py [--students 2000]

The generated city is scored; LibreOffice opens and saves every school's workbook (one process, as
one would at a desk); a script fills them in, each in the next of more than twenty messy ways;
`earlywarn followup import` reads the folder. What was typed is then looked up in the ledger itself:
it is an answer of a case, or waits to be settled. Part of `make proof`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from figure import Figure, alone, figure

from earlywarn.followup.ledger import Ledger
from earlywarn.followup.returned import read_returned
from earlywarn.followup.returned.signing import workbook_key
from earlywarn.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from followup_filling import Book, fill_folder, invented, kept, lost  # noqa: E402
from followup_state import changed, state  # noqa: E402

AS_OF = "2026-06-12"
SCHOOLS = 166
SEED = 20260901


def earlywarn(*words: str, codes: tuple[int, ...] = (0,)) -> Any:
    """Run `earlywarn ... --json` as its own process; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "earlywarn.cli.main", *words, "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in codes:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(done.stdout)


def through_libreoffice(lists: Path, saved: Path, profile: Path) -> None:
    """Have LibreOffice open every workbook of `lists` and save it into `saved`."""
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless"]
    books = [str(path) for path in sorted(lists.glob("*.xlsx"))]
    subprocess.run(
        [*command, "--convert-to", "xlsx", "--outdir", str(saved), *books],
        capture_output=True,
        check=True,
    )


def figures(folder: Path, *size: str) -> list[Figure]:
    """Return what `make proof` writes down; `size`: options of `earlywarn simulate`."""
    if shutil.which("soffice") is None:
        return [figure("workbooks", "not measured: no LibreOffice", "", True)]
    scratch = folder / "workbooks"
    root = scratch / "city"
    earlywarn("simulate", str(root), *size)
    earlywarn("score", "-w", str(root), "--model", "none", "--as-of", AS_OF)
    seconds = {}
    begun = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal begun
        seconds[name] = round(time.perf_counter() - begun, 1)
        begun = time.perf_counter()

    lists = root / "runs" / AS_OF / "1" / "watchlists" / "schools"
    through_libreoffice(lists, scratch / "saved", scratch / "office")
    lap("opened and saved by LibreOffice")
    books = fill_folder(scratch / "saved", scratch / "filled", SEED)
    lap("filled in")
    import_ = ("followup", "import", str(scratch / "filled"), "-w", str(root))
    told = earlywarn(*import_, codes=(0, 3))
    lap("imported")
    refused = [one["file"] for one in told if one["error"]]
    once = Path(shutil.copytree(root, scratch / "once"))
    again = earlywarn(*import_, codes=(0, 3))
    lap("imported again")
    news = sum(one[what] for one in again for what in ("new", "conflicts", "unsettled", "opened"))
    before, after = state(once), state(root)
    differs = sorted(name for name in before.keys() | after if before.get(name) != after.get(name))
    ways = len({book.way for book in books})
    return [
        figure(
            "workbooks: saved by LibreOffice, filled in, imported; refused",
            [len(books), len(refused)],
            f"[{SCHOOLS}, 0]",
            not refused and len(books) == SCHOOLS,
        ),
        figure("workbooks: ways of filling in", ways, "at least 20", ways >= 20),
        *found_in_ledger(Workspace.open(root), books),
        figure(
            "workbooks: what importing them again changes in the ledger and on the disk",
            {"news": news, "differs": differs + changed(once, root)},
            "nothing",
            not (news or differs or changed(once, root)),
        ),
        figure("workbooks: seconds", seconds, "", True),
    ]


def found_in_ledger(workspace: Workspace, books: list[Book]) -> list[Figure]:
    """Look everything typed up in the ledger, and everything read by `Ledger.account`."""
    typed = answers = unread = missing = 0
    gone: list[str] = []
    more: list[str] = []
    key = workbook_key(workspace.config)
    with Ledger.open(workspace) as ledger:
        faults = ledger.check()
        held = kept(ledger)
        for book in books:
            returned = read_returned(book.path, key)
            missing += len(ledger.account(returned).missing)
            of_book = held.get(book.path.name, replace(returned, answers=(), unread=()))
            without = lost(book.typed, of_book)
            gone += [f"{book.path.name} ({book.way}) {item.cell}" for item in without]
            more += [f"{book.path.name} ({book.way}) {c}" for c in invented(book.typed, of_book)]
            waiting = len(lost(book.typed, replace(of_book, unread=()))) - len(without)
            typed += len(book.typed)
            unread += waiting
            answers += len(book.typed) - len(without) - waiting
    counts = {"typed": typed, "in the ledger": answers, "to be settled": unread, "lost": len(gone)}
    return [
        figure(
            "workbooks: cells typed, and where they are",
            counts | ({"which": gone[:20]} if gone else {}),
            "none lost",
            not gone and typed == answers + unread,
        ),
        figure("workbooks: cells held that nobody typed", more or 0, "0", not more),
        figure(
            "workbooks: what a reading has and Ledger.account misses; faults of the ledger",
            [missing, len(faults)],
            "[0, 0]",
            not missing and not faults,
        ),
    ]


if __name__ == "__main__":
    # Arguments: options of `earlywarn simulate`.
    sys.exit(alone(figures, *sys.argv[1:]))
