"""How many outcomes it takes: rules, classifier and both together, with 10 to 500 dropouts known.

Students are drawn from the training rows: so many with the event, and of the others as many as keep
the share of both as it is. What is fitted to them is measured on the same later rows. The generated
county and OULAD are tested later in time, Project STAR (one date) on schools left out.

Writes docs/few_labels.json, docs/few_labels.md and docs/images/few-labels.svg; about a quarter of
an hour on two cores. `--draws 2` for a quick look, `--only NAME` for one data set.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import few_labels_page as page
import numpy as np
from figure import Figure, figure
from joblib import Parallel, delayed
from scipy.stats import t as student_t
from threadpoolctl import threadpool_limits

from earlywarn.files import write_whole
from earlywarn.models.fitting.choose import thinned
from earlywarn.models.fitting.fit import Setup, fit, rules_only
from earlywarn.models.measures.metrics import measure, plain
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats, sigmoid
from earlywarn.models.training import training_panel
from earlywarn.rules.pack import load_rulebook
from earlywarn.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("EARLYWARN_SHARED", ROOT.parent / "shared")) / "data"
SIZES = (10, 25, 50, 100, 500)
DRAWS = 20
STUDENTS = 18_000
MAX_ROWS = 8_000  # of a draw: beyond it students without the event are thinned, and weigh more
HELD_SCHOOLS = 0.2
EVERY = 4  # every fourth week is enough: an outcome repeats in the weeks between
MODELS = ("rules_only", "classifier_only", "combined")
MEASURES = ("auc", "recall_at_capacity", "recall_top_tenth")


@dataclass(frozen=True)
class DataSet:
    """Rows to draw from and to test on; without test rows, schools are held out."""

    name: str
    title: str
    train: Rows
    test: Rows
    setup: Setup
    by_school: bool


def command(*arguments: str) -> None:
    """Run `earlywarn ...` as its own process."""
    done = subprocess.run(
        [sys.executable, "-m", "earlywarn.cli.main", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)


def county(root: Path) -> None:
    """Generate a poor rural county, looked at every four weeks."""
    command(
        "simulate",
        str(root),
        "--students",
        str(STUDENTS),
        "--years",
        "3",
        "--profile",
        "poor-rural",
    )
    _configure(root, lambda text: text.replace("step_days: 7\n", f"step_days: {7 * EVERY}\n"))


def oulad(root: Path) -> None:
    """Import OULAD, looked at every four weeks."""
    command("init", str(root))
    command("import", "oulad", str(SHARED / "oulad"), "-w", str(root))

    def fewer(found: re.Match[str]) -> str:
        return f"as_of_dates: [{', '.join(found[1].split(', ')[::EVERY])}]"

    _configure(root, lambda text: re.sub(r"(?m)^as_of_dates: \[(.*)\]$", fewer, text))


def star(root: Path) -> None:
    """Import Project STAR."""
    command("init", str(root))
    command("import", "star", str(SHARED / "star"), "-w", str(root))


def _configure(root: Path, change: Callable[[str], str]) -> None:
    config = root / "earlywarn.yaml"
    text = config.read_text(encoding="utf-8")
    changed = change(text)
    if changed == text:
        raise SystemExit(f"{config.name} is not as expected: nothing to change")
    write_whole(config, changed)


SOURCES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "county": ("Generated poor rural county", county),
    "oulad": ("OULAD", oulad),
    "star": ("Project STAR", star),
}


def prepare(name: str, folder: Path) -> DataSet:
    """Make the workspace and build its panel."""
    title, make = SOURCES[name]
    make(folder / name)
    workspace = Workspace.open(folder / name)
    rulebook = load_rulebook(workspace.rules)
    found = training_panel(workspace, rulebook)
    # one process a draw is parallel enough
    setup = replace(found.setup, jobs=1)
    return DataSet(name, title, found.panel.train, found.panel.test, setup, found.by_school)


def parted(data: DataSet, draw: int) -> tuple[Rows, Rows]:
    """Return what to draw from and what to test on."""
    if not data.by_school:
        return data.train, data.test
    schools = np.unique(data.train.school)
    mixed = np.random.default_rng([data.setup.seed, draw]).permutation(schools)
    held = np.isin(data.train.school, mixed[: round(HELD_SCHOOLS * len(schools))])
    return data.train.take(~held), data.train.take(held)


def drawn(rows: Rows, events: int, seed: list[int]) -> Rows:
    """Return all rows of `events` students with the event, and of others in proportion."""
    having = np.unique(rows.student[rows.y])
    others = np.setdiff1d(np.unique(rows.student), having)
    rng = np.random.default_rng(seed)
    share = min(events, len(having)) / len(having)
    chosen = [
        rng.permutation(having)[: min(events, len(having))],
        rng.permutation(others)[: round(share * len(others))],
    ]
    kept = rows.take(np.isin(rows.student, np.concatenate(chosen)))
    return thinned(kept, MAX_ROWS, seed[0])


def one_draw(data: DataSet, size: int, draw: int) -> dict[str, Any]:
    """Fit to one draw and measure the three models: {model: measures}, and what was drawn."""
    source, test = parted(data, draw)
    rows = drawn(source, size, [data.setup.seed, size, draw])
    with threadpool_limits(1):
        found = fit(rows, data.setup, by_school=data.by_school)
        if found.additive is None:
            raise ValueError(f"{rows.events} students with the event make no classifier")
        scores: dict[str, Floats] = {
            "rules_only": rules_only(rows, test, data.setup),
            "classifier_only": sigmoid(found.additive.decision(test.x)),
            "combined": sigmoid(found.log_odds(test, data.setup)),
        }
        measured = {m: measure(test, p, seed=0, draws=0).value for m, p in scores.items()}
    return {
        "models": {m: [v[name] for name in MEASURES] for m, v in measured.items()},
        "events": rows.events,
        "students": len(np.unique(rows.student)),
        "test_rows": len(test),
        "test_events": test.events,
    }


def summary(size: int, draws: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means, standard errors and paired differences over the draws of one size."""
    values = {m: np.asarray([draw["models"][m] for draw in draws]) for m in MODELS}
    count = len(draws)
    reach = float(student_t.ppf(0.975, count - 1))
    models: dict[str, dict[str, list[float | None]]] = {m: {} for m in MODELS}
    differences = {}
    for place, name in enumerate(MEASURES):
        columns = {m: values[m][:, place] for m in MODELS}
        for m, column in columns.items():
            models[m][name] = [plain(column.mean()), plain(_error(column))]
        better = max(MODELS[:2], key=lambda m: float(columns[m].mean()))
        gap = columns["combined"] - columns[better]
        half = reach * _error(gap)
        differences[name] = {
            "against": better,
            "difference": [plain(v) for v in (gap.mean(), gap.mean() - half, gap.mean() + half)],
        }
    mean = {
        key: plain(float(np.mean([draw[key] for draw in draws])))
        for key in ("events", "students", "test_rows", "test_events")
    }
    return {"asked": size, **mean, "models": models, "combined_minus_better": differences}


def _error(column: Floats) -> float:
    return float(column.std(ddof=1) / np.sqrt(len(column)))


def measured(data: DataSet, draws: int) -> dict[str, Any]:
    """Draw, fit and measure one data set at every size."""
    tasks = [(size, draw) for size in SIZES for draw in range(draws)]
    # The long ones first, so that no core waits for the last of them.
    found = Parallel(n_jobs=2, batch_size=1)(
        delayed(one_draw)(data, size, draw) for size, draw in reversed(tasks)
    )
    by_task = dict(zip(reversed(tasks), found, strict=True))
    return {
        "title": data.title,
        "generated": data.name == "county",
        "validation": "by_school" if data.by_school else "temporal",
        "training_events": data.train.events,
        "training_students": len(np.unique(data.train.student)),
        "sizes": [summary(size, [by_task[size, draw] for draw in range(draws)]) for size in SIZES],
    }


def write(result: dict[str, Any], out: Path) -> None:
    """Write JSON, page and picture of what is measured so far."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, ensure_ascii=False, indent=1)
    write_whole(out / "few_labels.json", text + "\n")
    write_whole(out / "few_labels.md", page.page(result))
    page.plot(result, out / "images" / "few-labels.svg")


def measured_all(names: Iterable[str], draws: int, out: Path) -> dict[str, Any]:
    """Measure the data sets that are there, writing what is known after each."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if name != "county" and not (SHARED / name).is_dir():
                print(f"{name}: not measured, no data set in {SHARED}", flush=True)
                continue
            found[name] = measured(prepare(name, Path(folder)), draws)
            print("\n".join(page.table(found[name])), flush=True)
            write({"draws": draws, "measures": MEASURES, "data": found}, out)
    return found


def figures(folder: Path) -> list[Figure]:
    """Measure everything anew for docs/proof.json; the page and the picture are written too."""
    found = measured_all(SOURCES, DRAWS, ROOT / "docs")
    differences = {
        f"few labels: {data['title']}, {size['asked']} students with the event: "
        f"{measure} of combined minus {gap['against']}": gap["difference"]
        for data in found.values()
        for size in data["sizes"]
        for measure, gap in size["combined_minus_better"].items()
        if measure != "recall_at_capacity"
    }
    return [
        figure(what, value, "not below within noise: upper end at least 0", value[2] >= 0)
        for what, value in differences.items()
    ]


def main() -> int:
    """Measure all data sets and write JSON, page and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--only", choices=SOURCES, action="append")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    if options.draws < 2:
        parser.error("--draws must be at least 2: the intervals are over the draws")
    measured_all(options.only or SOURCES, options.draws, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
