"""`make proof`: what is too long for `make test`, at full size; fills docs/proof.json.

    python benchmarks/proof.py [PART ...]

Each part is measured in a process of its own. Each figure stands with its bar, the commit, the
machine, the part's seconds and the memory of its largest process. A figure that misses its bar is
written down all the same, and the run ends with exit code 1. With parts named, only these are
measured anew; the others keep their figures, commit and machine. `speed` (`make bench`) names all
that measure speed. READMEs' table of ratios comes from it.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import against_pandas
import cold
import daily
import few_labels
import fuzz
import kills
import kills_loading
import loading
import models
import mutants
import readme_table
import reasons
import reconciling
import reports
import rules
import scale
import spark
import spark_scale
import weekly
import workbooks
from figure import Figure, figure, gigabytes, show

from earlywarn.engine.duckdb import connect
from earlywarn.features.build import build
from earlywarn.features.groups import load_groups
from earlywarn.files import write_whole
from earlywarn.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "proof.json"
OULAD = Path(os.environ.get("EARLYWARN_SHARED", ROOT.parent / "shared")) / "data" / "oulad"
OULAD_BEGINS = date(2014, 2, 1)
# Cohort and dropouts within 30 days of presentation 2014B, by day.
OULAD_COUNTS = {28: (6509, 316), 56: (6210, 202), 84: (6022, 187), 140: (5672, 167)}


def run(*arguments: str) -> tuple[dict[str, Any], float]:
    """Run `earlywarn ... --json` as its own process; return what it printed and its seconds."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "earlywarn.cli.main", *arguments, "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    read: dict[str, Any] = json.loads(done.stdout)
    return read, time.perf_counter() - begun


def peak_gb(*of: int) -> float:
    """Return the peak memory of the largest child that has ended, or of what `of` names, in GB."""
    asked = of or (resource.RUSAGE_CHILDREN,)
    return gigabytes(max(resource.getrusage(who).ru_maxrss for who in asked))


def demo(folder: Path) -> list[Figure]:
    """The demonstration at full size: the generated city, trained, scored, listed."""
    info, seconds = run("demo", "--out", str(folder / "city"))
    workspace = Workspace.open(folder / "city")
    features = folder / "features.parquet"
    run("features", "-w", str(workspace.root), "--as-of", info["as_of"], "--out", str(features))
    recomputed = subprocess.run(
        [
            sys.executable,
            str(ROOT / "docs" / "recompute.py"),
            str(workspace.models / "main" / "1" / "model.json"),
            str(features),
            str(Path(info["folder"]) / "scores.parquet"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    difference = float(recomputed.stdout.split()[-1])
    schools = info["outputs"]["schools"]
    return [
        figure("demo: whole, seconds", round(seconds, 1), "under 360", seconds < 360),
        figure("demo: peak memory, GB", round(peak_gb(), 2), "under 6", peak_gb() < 6),
        figure("demo: schools with a list", schools, "166", schools == 166),
        figure("demo: parts, seconds", info["demo_seconds"] | info["seconds"], "", True),
        figure(
            "demo: largest difference of a score recomputed from model.json",
            difference,
            "within 1e-9",
            difference <= 1e-9,
        ),
    ]


def oulad(folder: Path) -> list[Figure]:
    """The open data set OULAD, end to end: counts as published, and figures on later data."""
    if not OULAD.is_dir():
        return [figure("oulad", f"not measured: no data set in {OULAD.name}", "", True)]
    root = folder / "oulad"
    run("init", str(root))
    run("import", "oulad", str(OULAD), "-w", str(root))
    workspace = Workspace.open(root)
    figures = []
    for day, expected in OULAD_COUNTS.items():
        found = _counts(workspace, OULAD_BEGINS + timedelta(days=day))
        figures.append(
            figure(
                f"oulad: cohort and dropouts of 2014B, day {day}",
                list(found),
                list(expected),
                found == expected,
            )
        )
    trained, _ = run("train", "--promote", "-w", str(root))
    run("score", "--as-of", "2014-03-29", "-w", str(root))
    figures.append(figure("oulad: metrics on 2014B", trained["metrics"]["models"], "", True))
    return figures


def _counts(workspace: Workspace, as_of: date) -> tuple[int, int]:
    con = connect(workspace)
    build(con, workspace.config, load_groups(workspace.rules), as_of)
    ((students, dropouts),) = con.execute(
        "SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM outcomes AS o "
        "WHERE o.student_id = c.student_id AND o.date > $as_of AND o.date <= $until)) "
        "FROM cohort AS c WHERE class_id = '2014B'",
        {"as_of": as_of, "until": as_of + timedelta(days=30)},
    ).fetchall()
    return students, dropouts


PARTS: dict[str, Callable[[Path], list[Figure]]] = {
    "demo": demo,
    "oulad": oulad,
    "fuzz": fuzz.figures,
    "rules": rules.figures,
    "mutants": mutants.figures,
    "models": models.figures,
    "few_labels": few_labels.figures,
    "daily": daily.figures,
    "workbooks": workbooks.figures,
    "kills": kills.figures,
    "kills_loading": kills_loading.figures,
    "loading": loading.figures,
    "reports": reports.figures,
    "reconciling": reconciling.figures,
    "weekly": weekly.figures,
    "pandas": against_pandas.figures,
    "reasons": reasons.figures,
    "cold": cold.figures,
    "scale": scale.figures,
    "spark": spark.figures,
    "spark_scale": spark_scale.figures,
}
SPEED = (
    *("rules", "daily", "loading", "weekly", "pandas", "reasons", "cold", "scale", "spark_scale"),
)
LIBRARIES = (
    *("duckdb", "sqlglot", "pyarrow", "numpy", "pandas", "scikit-learn", "XlsxWriter", "pyspark"),
    *("shap", "lightgbm"),
)


def _here() -> dict[str, str]:
    """Return what was measured, and on what."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"
    return {"commit": commit, "machine": machine, "python": platform.python_version()}


def _versions() -> list[str]:
    """Return what was measured with."""
    found = []
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            found.append(f"{library} {version(library)}")
    return found


def measure(names: list[str]) -> list[Figure]:
    """Measure the parts `names`, and print each figure as it is found."""
    found: list[Figure] = []
    here = _here()
    print(" ".join([*here.values(), *_versions()]), flush=True)
    processes = ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1)
    with tempfile.TemporaryDirectory() as folder, processes:
        for name in names:
            figures, taken = processes.submit(_part, name, Path(folder)).result()
            found += [one | here | taken for one in figures]
            show(figures)
            print(f"     {name}: {taken['part_seconds']} s, {taken['part_peak_gb']} GB", flush=True)
    return found


def _part(name: str, folder: Path) -> tuple[list[Figure], dict[str, Any]]:
    """Measure one part in this process; return, too, its seconds and its largest process in GB."""
    begun = time.perf_counter()
    figures = PARTS[name](folder)
    return figures, {
        "part": name,
        "part_seconds": round(time.perf_counter() - begun, 1),
        "part_peak_gb": round(peak_gb(resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN), 2),
    }


def main(names: list[str]) -> int:
    """Measure the parts `names`, or all, and write docs/proof.json."""
    names = [part for name in names for part in (SPEED if name == "speed" else (name,))]
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        print(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    found = measure(names or list(PARTS))
    measured = {one["part"] for one in found}
    kept = json.loads(OUT.read_text("utf-8"))["figures"] if names and OUT.exists() else []
    figures = [one for one in kept if one["part"] not in measured] + found
    figures.sort(key=lambda one: list(PARTS).index(one["part"]))
    versions = _versions()
    written = {"measured_last_with": versions, "figures": figures}
    write_whole(OUT, json.dumps(written, ensure_ascii=False, indent=1) + "\n")
    readme_table.main(check=False)
    return 0 if all(one["holds"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
