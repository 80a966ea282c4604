"""The whole `score` command, cold, with every school's page and workbook, beside a bare process.

    python benchmarks/cold.py

The bare process (bare.py) imports the very modules that the command imports, scans the columns that
it reads (scanning.py) and calls predict_proba of the forest of weekly.py. Both are processes of
their own, timed in turn; each command begins with the ledger and the runs of before.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import plain_workbooks
from figure import Figure, alone, figure
from generated_city import generated_city
from weekly import forest, seconds

from earlywarn.workspace import Workspace

BARE = Path(__file__).with_name("bare.py")
REPEATS = 5
AT_MOST = 4.0
HELP_AT_MOST, HELP_REPEATS = 0.3, 15

# Runs the command and writes down which modules of others it had imported.
_COMMAND_MODULES = """
import json, sys
from pathlib import Path
from earlywarn.cli.main import main
target, sys.argv[1:] = sys.argv[1], sys.argv[2:]
try:
    main()
except SystemExit:
    pass
others = sorted(
    name for name, module in list(sys.modules.items())
    if "site-packages" in (getattr(module, "__file__", None) or "")
    and not name.startswith(("earlywarn", "_"))
)
Path(target).write_text(json.dumps(others))
"""


def command(workspace: Workspace, as_of: date) -> list[str]:
    """Return the command as one types it."""
    return ["score", "-w", str(workspace.root), "--as-of", as_of.isoformat(), "--json"]


def modules(workspace: Workspace, as_of: date, folder: Path) -> list[str]:
    """Return the modules outside the standard library and this project that the command imports."""
    file = folder / "modules.json"
    _process([sys.executable, "-c", _COMMAND_MODULES, str(file), *command(workspace, as_of)])
    found: list[str] = json.loads(file.read_text())
    return found


def _process(arguments: list[str]) -> tuple[str, float]:
    begun = time.perf_counter()
    done = subprocess.run(arguments, capture_output=True, text=True, encoding="utf-8", check=False)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout, seconds


class _AsBefore:
    """Puts a workspace's runs and ledger back to what they were."""

    def __init__(self, workspace: Workspace, as_of: date, folder: Path) -> None:
        self._runs = workspace.runs / as_of.isoformat()
        self._ledger = workspace.root / "ledger.db"
        self._kept = folder / "ledger.db"
        shutil.rmtree(self._runs, ignore_errors=True)
        if self._ledger.exists():
            shutil.copy(self._ledger, self._kept)

    def restore(self) -> None:
        shutil.rmtree(self._runs, ignore_errors=True)
        if self._kept.exists():
            shutil.copy(self._kept, self._ledger)
        else:
            self._ledger.unlink(missing_ok=True)


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    city, as_of = generated_city(folder, trained=True)
    shutil.copytree(city.root, folder / "cold")
    workspace = Workspace.open(folder / "cold")
    state = _AsBefore(workspace, as_of, folder)
    imported = modules(workspace, as_of, folder)
    laps: dict[str, list[float]] = {"command": [], "bare": []}
    stages: list[dict[str, float]] = []
    info: dict[str, Any] = {}
    for _ in range(REPEATS):
        state.restore()
        said, took = _process(
            [sys.executable, "-m", "earlywarn.cli.main", *command(workspace, as_of)]
        )
        laps["command"].append(took)
        info = json.loads(said)
        stages.append(info["seconds"])
        if len(laps["command"]) == 1:
            model, cohort = forest(info["counts"]["students"])
            joblib.dump(model, folder / "forest.joblib")
            np.save(folder / "cohort.npy", cohort)
        _, took = _process([sys.executable, str(BARE), str(folder), str(workspace.root)])
        laps["bare"].append(took)
    middle = {name: round(statistics.median(times), 2) for name, times in laps.items()}
    parts = {name: round(statistics.median(one[name] for one in stages), 2) for name in stages[-1]}
    ratio = middle["command"] / middle["bare"]
    start = statistics.median(
        _process([sys.executable, "-m", "earlywarn.cli.main", "--help"])[1]
        for _ in range(HELP_REPEATS)
    )
    books = sorted((Path(info["folder"]) / "watchlists" / "schools").glob("*.xlsx"))
    contents = plain_workbooks.cells(books)
    plain = folder / "plain"
    plain.mkdir()
    alone = statistics.median(
        seconds(lambda: plain_workbooks.bare(plain, contents)) for _ in range(REPEATS)
    )
    return [
        figure("cold: schools with a page and a workbook", info["outputs"]["schools"], "", True),
        figure(
            "cold: lists, pages and workbooks, times XlsxWriter writing the cells alone; seconds",
            [round(parts["watchlists"] / alone, 2), parts["watchlists"], round(alone, 2)],
            "",
            True,
        ),
        figure("cold: seconds", middle, "", True),
        figure("cold: parts of the command, seconds", parts, "", True),
        figure("cold: modules imported by both", len(imported), "", True),
        figure(
            "cold: the whole score command, times a bare process that imports, scans, predicts",
            round(ratio, 2),
            f"at most {AT_MOST:g}",
            ratio <= AT_MOST,
        ),
        figure(
            "cold: earlywarn --help, seconds",
            round(start, 3),
            f"under {HELP_AT_MOST:g}",
            start < HELP_AT_MOST,
        ),
    ]


if __name__ == "__main__":
    sys.exit(alone(figures))
