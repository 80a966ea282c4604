"""`kill -9` at random moments of a scoring and of an import: nothing is lost, nothing half done.

    python benchmarks/kills.py

The moments are stratified: most over the whole run, the rest over the time after its first sign of
writing, which is short beside the program's start. After each kill the ledger opens and passes its
check, and what stood before stands: every file, every row of the ledger, the data in force. Running
the command again then ends in the state of an undisturbed run, times aside. An answer that is no
date counts from the day of its import, so this must not run over midnight. Part of `make proof`.
"""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from figure import Figure, alone, figure

from earlywarn.followup.ledger import Ledger
from earlywarn.tables.batches import data_fingerprint
from earlywarn.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from followup_filling import fill_folder  # noqa: E402  (the tests' own ways of filling in)
from followup_state import changed, rows, state  # noqa: E402

KILLS = 50
IN_WRITING = 10  # of them
STUDENTS = 1500
LAST_WEEK, AS_OF = "2026-06-05", "2026-06-12"
ROUNDS = 3  # of all schools' workbooks, each filled in another way
SEED = 20260901


@dataclass(frozen=True)
class Killed:
    """A command to kill: the workspace that it begins with, and what shows that it writes."""

    name: str
    base: Path
    arguments: Sequence[str]
    codes: tuple[int, ...]
    signs: Callable[[Path], object]

    def start(self, root: Path) -> subprocess.Popen[bytes]:
        """Start it as its own process on the workspace `root`."""
        words = [sys.executable, "-m", "earlywarn.cli.main", *self.arguments]
        return subprocess.Popen(
            [*words, "-w", str(root), "--user", "proof"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def run(self, root: Path) -> tuple[float, float]:
        """Run it to its end; return its seconds, and those from its first sign of writing."""
        begun = time.perf_counter()
        process = self.start(root)
        self.wait_for_writing(process, root)
        written = time.perf_counter()
        _, said = process.communicate()
        if process.returncode not in self.codes:
            raise SystemExit(f"{self.name}: {process.returncode}\n{said.decode(errors='replace')}")
        ended = time.perf_counter()
        return ended - begun, ended - written

    def kill(self, root: Path, moment: float, *, in_writing: bool) -> bool:
        """Kill it `moment` seconds after its start, or first writing; False if it ended before."""
        process = self.start(root)
        if in_writing:
            self.wait_for_writing(process, root)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        return process.returncode not in self.codes

    def wait_for_writing(self, process: subprocess.Popen[bytes], root: Path) -> None:
        """Wait for the first sign of writing, or for the end."""
        before = self.signs(root)
        while process.poll() is None and self.signs(root) == before:
            time.sleep(0.002)


def runs_begun(root: Path) -> list[str]:
    """Return what lies in the folder of the day's runs."""
    return sorted(path.name for path in root.glob(f"runs/{AS_OF}/*"))


def ledger_touched(root: Path) -> tuple[int, bool]:
    """Return when the ledger was written to, and whether a transaction is under way."""
    return (root / "ledger.db").stat().st_mtime_ns, (root / "ledger.db-journal").exists()


@dataclass(frozen=True)
class Before:
    """What a command began with and would end with, undisturbed: states, rows and data in force."""

    base: Path
    files: dict[str, str]
    ledger: set[str]
    undisturbed: dict[str, str]
    complete: set[str]
    data: tuple[object, object]

    @classmethod
    def of(cls, base: Path, undisturbed: Path) -> Before:
        """Read both workspaces."""
        data = [data_fingerprint(Workspace.open(root)) for root in (base, undisturbed)]
        return cls(
            base, state(base), rows(base), state(undisturbed), rows(undisturbed), (data[0], data[1])
        )

    def reached(self, root: Path) -> str:
        """Say how far a killed command had come."""
        half = (root / "ledger.db-journal").exists()
        ledger, files = rows(root), state(root).keys()
        if ledger == self.ledger:
            in_ledger = "as before"
        else:
            in_ledger = "complete" if ledger == self.complete else "in part"
        if any(root.rglob(".part-*")):
            in_files = "half written"
        else:
            in_files = "as before" if files == self.files.keys() else "complete"
        return f"files {in_files}, ledger {in_ledger}{' amid a transaction' if half else ''}"

    def faults(self, root: Path) -> list[str]:
        """Return what a kill broke: the ledger is not whole, or something stands no more."""
        workspace = Workspace.open(root)
        with Ledger.open(workspace) as ledger:
            found = [text.en for text in ledger.check()]
        found += changed(self.base, root)
        return found if data_fingerprint(workspace) in self.data else [*found, "data in force"]

    def differences(self, root: Path) -> list[str]:
        """Return what a rerun left unlike an undisturbed run, by file."""
        now = state(root)
        names = self.undisturbed.keys() | now.keys()
        return [name for name in names if self.undisturbed.get(name) != now.get(name)]


def kill_often(what: Killed, folder: Path) -> list[Figure]:
    """Kill it `KILLS` times, each time on a copy of its workspace; return the figures."""
    rng = random.Random(SEED)
    undisturbed = Path(shutil.copytree(what.base, folder / "undisturbed"))
    times = [what.run(undisturbed)]
    before = Before.of(what.base, undisturbed)
    moments = [(n, KILLS - IN_WRITING, False) for n in range(KILLS - IN_WRITING)]
    moments += [(n, IN_WRITING, True) for n in range(IN_WRITING)]
    rng.shuffle(moments)
    came: Counter[str] = Counter()
    broken: set[str] = set()
    right = 0
    for number, strata, in_writing in moments:
        root = folder / "killed"
        hit = False
        while not hit:  # one that had ended was not killed
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(what.base, root)
            whole = statistics.median(time[in_writing] for time in times[-5:])
            moment = whole * (number + rng.random()) / strata
            hit = what.kill(root, moment, in_writing=in_writing)
        reached = before.reached(root)
        came[reached] += 1
        wrong = before.faults(root)
        again = what.run(root)
        if "as before, ledger as before" in reached:
            times.append(again)
        wrong += [*before.faults(root), *before.differences(root)]
        right += not wrong
        broken |= {f"{reached}: {one}" for one in wrong}
    seconds = statistics.median(time[0] for time in times)
    return [
        figure(
            f"kills: {what.name}, {KILLS} in its {seconds:.1f} seconds: how far it had come",
            dict(sorted(came.items())),
            "",
            True,
        ),
        figure(
            f"kills: {what.name}: all stands, and a rerun ends as an undisturbed run",
            right if right == KILLS else {"right": right, "wrong": sorted(broken)[:20]},
            f"{KILLS} of {KILLS}",
            right == KILLS,
        ),
    ]


def earlywarn(*words: str, codes: tuple[int, ...] = (0,)) -> None:
    """Run a command that prepares the workspaces."""
    done = subprocess.run(
        [sys.executable, "-m", "earlywarn.cli.main", *words], capture_output=True, check=False
    )
    if done.returncode not in codes:
        raise SystemExit(f"{words}: {done.stderr.decode(errors='replace')}")


def figures(folder: Path) -> list[Figure]:
    """Kill the second week's scoring, and the import of what its lists bring back."""
    scratch = folder / "kills"
    first, second = scratch / "week 1", scratch / "week 2"
    score = ["score", "--model", "none", "--as-of"]
    earlywarn("simulate", str(first), "--students", str(STUDENTS), "--years", "2")
    earlywarn(*score, LAST_WEEK, "-w", str(first))
    fill_folder(_lists(first, LAST_WEEK), scratch / "filled 1", SEED)
    earlywarn("followup", "import", str(scratch / "filled 1"), "-w", str(first), codes=(0, 3))
    shutil.copytree(first, second)
    earlywarn(*score, AS_OF, "-w", str(second), "--user", "proof")
    for number in range(ROUNDS):
        fill_folder(_lists(second, AS_OF), scratch / "filled 2" / str(number), SEED + number)
    returned = ["followup", "import", str(scratch / "filled 2")]
    found = []
    for what in (
        Killed("score", first, [*score, AS_OF], (0,), runs_begun),
        Killed("followup import", second, returned, (0, 3), ledger_touched),
    ):
        place = scratch / what.name
        place.mkdir()
        found += kill_often(what, place)
    return found


def _lists(root: Path, day: str) -> Path:
    return root / "runs" / day / "1" / "watchlists" / "schools"


if __name__ == "__main__":
    sys.exit(alone(figures))
