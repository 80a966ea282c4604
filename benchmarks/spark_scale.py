"""What each step costs on Spark, for one city, three and ten: seconds, data read and shuffled.

    python benchmarks/spark_scale.py [TIMES ...]

Read off Spark's own event log: for each table that is made, the time of its jobs and of their
tasks, each added up, and the bytes that they read and shuffled. docs/nation.md extrapolates from
these figures.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from figure import Figure, figure
from generated_city import generated_city
from many import multiply

from earlywarn.engine.duckdb import connect
from earlywarn.models.store import registry
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.spark import OnSpark
from earlywarn.workspace import Workspace

TIMES = (1, 3, 10)
MASTER, MEMORY = "local[2]", "8g"


@dataclass
class Step:
    """What making one table took; sizes in MB."""

    seconds: float = 0.0
    task_seconds: float = 0.0
    read_mb: float = 0.0
    shuffled_mb: float = 0.0


def steps(log: Path) -> dict[str, Step]:
    """Read an event log: by table, in the order in which they were made."""
    found: dict[str, Step] = defaultdict(Step)
    names: dict[int, str] = {}  # stage -> table
    begun: dict[int, tuple[str, int]] = {}
    for event in _events(log):
        kind = event["Event"]
        if kind == "SparkListenerJobStart":
            said = (event.get("Properties") or {}).get("spark.job.description") or ""
            name = said if said.isidentifier() else "other"  # what Spark says of its own jobs
            begun[event["Job ID"]] = (name, event["Submission Time"])
            names.update(dict.fromkeys(event["Stage IDs"], name))
        elif kind == "SparkListenerJobEnd":
            name, since = begun.pop(event["Job ID"])
            found[name].seconds += (event["Completion Time"] - since) / 1000
        elif kind == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            metrics, step = event["Task Metrics"], found[names[event["Stage ID"]]]
            step.task_seconds += metrics["Executor Run Time"] / 1000
            step.read_mb += metrics["Input Metrics"]["Bytes Read"] / 1e6
            step.shuffled_mb += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"] / 1e6
    return dict(found)


def _events(log: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(path for path in log.rglob("*") if path.is_file()):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("{"):
                    yield json.loads(line)


def measure(workspace: Workspace, as_of: date) -> dict[str, Any]:
    """Score a workspace on Spark up to scores.parquet's rows; return seconds and steps."""
    rulebook = load_rulebook(workspace.rules)
    card = registry.choose(workspace, None)
    if card is None:
        raise SystemExit("the city needs a promoted model")
    log = Path(os.environ["EARLYWARN_EVENT_LOG"])
    begun = time.perf_counter()
    with closing(OnSpark(MASTER, MEMORY)) as engine, closing(connect(workspace)) as con:
        engine.connect(workspace)
        started = time.perf_counter() - begun
        judged = engine.prepare(con, workspace, rulebook, as_of)
        features = time.perf_counter() - begun - started
        students = sum(part.num_rows for part in engine.slices(workspace, judged, card, as_of))
        seconds = time.perf_counter() - begun
        judged.spark.spark.stop()
    rounded = {
        name: {key: round(value, 1) for key, value in asdict(step).items()}
        for name, step in steps(log).items()
    }
    return {
        "students": students,
        "seconds": round(seconds, 1),
        "start": round(started, 1),
        "features": round(features, 1),
        "steps": rounded,
    }


def figures(folder: Path, times: Sequence[int] = TIMES) -> list[Figure]:
    """Return what `make proof` writes down; each size is a process of its own."""
    city, as_of = generated_city(folder, trained=True)
    found: list[Figure] = []
    for number in times:
        workspace = multiply(city, folder / f"cities-{number}", number)
        log = folder / f"events-{number}"
        log.mkdir()
        environment = {
            "EARLYWARN_EVENT_LOG": str(log),
            "PYSPARK_SUBMIT_ARGS": "--conf spark.eventLog.enabled=true "
            "--conf spark.eventLog.compress=false "
            f"--conf spark.eventLog.dir=file://{log} pyspark-shell",
        }
        read = _in_a_process(workspace.root, as_of, environment)
        shutil.rmtree(workspace.root)
        found.append(figure(f"spark: {number} cities, seconds and steps", read, "", True))
    return found


def _in_a_process(root: Path, as_of: date, environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, str(root), as_of.isoformat()],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


if __name__ == "__main__":
    if len(sys.argv) == 3 and Path(sys.argv[1]).is_dir():
        print(
            json.dumps(measure(Workspace.open(Path(sys.argv[1])), date.fromisoformat(sys.argv[2])))
        )
    else:
        with tempfile.TemporaryDirectory() as temporary:
            sizes = [int(size) for size in sys.argv[1:]] or TIMES
            for one in figures(Path(temporary), sizes):
                print(one["what"], json.dumps(one["value"], indent=1))
