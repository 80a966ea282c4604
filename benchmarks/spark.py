"""Spark gives what DuckDB gives: every value of features and scores, at full size.

    python benchmarks/spark.py

The generated city, the open data set OULAD whole, all worked examples, and a hundred generated
little worlds as disjoint schools in one job, once for each way of keeping attendance. Ids, truth
values, words and whole numbers exactly, numbers with a fraction within 1e-9.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from figure import Figure, alone, figure
from generated_city import generated_city

from earlywarn.engine.spark import SparkConnection
from earlywarn.engine.sparkjava import hadoop_path, session
from earlywarn.tables.oulad import import_oulad
from earlywarn.workspace import Config, Workspace

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from conftest import SHARED  # noqa: E402
from oracle.canonical import EXAMPLE_NAMES, EXAMPLES, read_case, read_tables  # noqa: E402
from oracle.worlds import World  # noqa: E402
from spark_equality import compare_engines, compare_tables, config_of, worlds  # noqa: E402

WORLDS = 100
FAMILIES = {"exceptions": 4, "full": 11}
OULAD_DAY = date(2014, 3, 29)
Compare = Callable[[SparkConnection], list[str]]


def of_city(folder: Path) -> Compare:
    """The generated city of full size, on the day that the demonstration scores."""
    workspace, as_of = generated_city(folder, trained=False)
    return lambda spark: compare_engines(spark, workspace, as_of)


def of_oulad(folder: Path) -> Compare:
    """The whole open data set, day 56 of its last presentation."""
    workspace = Workspace.init(folder / "spark-oulad")
    import_oulad(workspace, SHARED / "data" / "oulad")
    workspace = Workspace.open(workspace.root)
    return lambda spark: compare_engines(spark, workspace, OULAD_DAY)


def of_example(name: str) -> Compare:
    """A worked example."""
    as_of, mode = read_case(EXAMPLES / name)
    tables = read_tables(EXAMPLES / name) | {"complete_registries": []}
    county = World(0, as_of, mode, tables)
    return lambda spark: compare_tables(spark, county.arrow(), Config(attendance=mode), as_of)


def of_worlds(family: int) -> Compare:
    """A hundred little worlds as one county."""
    county = worlds(range(WORLDS), family)
    return lambda spark: compare_tables(spark, county.arrow(), config_of(county), county.as_of)


def comparisons(folder: Path) -> Iterator[tuple[str, Compare]]:
    """Return what is compared, by its name."""
    yield from ((f"{WORLDS} worlds, {mode}", of_worlds(n)) for mode, n in FAMILIES.items())
    yield from ((f"worked example {name}", of_example(name)) for name in EXAMPLE_NAMES)
    yield "oulad", of_oulad(folder)
    yield "the city", of_city(folder)


def figures(folder: Path) -> list[Figure]:
    """Compare all; one figure for each, with the seconds that both engines took together.

    OULAD must be there (see README): without it not all would have been compared.
    """
    spark = session("local[2]", "6g", folder)
    found: list[Figure] = []
    try:
        for name, compare in comparisons(folder):
            print(f"     {name}", file=sys.stderr, flush=True)
            begun = time.perf_counter()
            with SparkConnection(spark, hadoop_path(folder / "staging")) as con:
                lines = compare(con)
            seconds = round(time.perf_counter() - begun, 1)
            print("\n".join(lines[:5]), end="\n" if lines else "", file=sys.stderr)
            value = {"other": len(lines), "seconds": seconds}
            found.append(
                figure(f"spark: {name}: values that are not DuckDB's", value, 0, not lines)
            )
    finally:
        spark.stop()
    return found


if __name__ == "__main__":
    sys.exit(alone(figures))
