"""`score` on Spark: the same scores and lists as on DuckDB, and nothing left where it fails."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from earlywarn.engine import sparkjava
from earlywarn.engine.sparkjava import hadoop_path
from earlywarn.errors import EarlywarnError
from earlywarn.scoring.engines import ON_DUCKDB, Engine
from earlywarn.scoring.run import Run
from earlywarn.scoring.spark import OnSpark
from earlywarn.watchlist.weekly import score_and_list
from earlywarn.workspace import Workspace
from scoring_city import VILLAGE_DAY, village
from spark_session import LITTLE, a_spark

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LITTLE.items():
            patch.setitem(sparkjava.MEANING, name, value)
        yield from a_spark(tmp_path_factory.mktemp("spark"), "local[2]")


@pytest.fixture(scope="module")
def beside(spark, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The village, scored on either engine and on Spark from tables that lie elsewhere."""
    folder = tmp_path_factory.mktemp("村 [1] {2}")
    origin = village(folder / "origin")
    tables = folder / "tables"
    for table in origin.data.iterdir():
        if table.is_dir() and not table.name.startswith("_"):
            shutil.copytree(table, tables / table.name)
    runs = {}
    for name, engine in {
        "duckdb": ON_DUCKDB,
        "spark": OnSpark("local[2]"),
        "elsewhere": OnSpark("local[2]", tables=hadoop_path(tables)),
    }.items():
        runs[name] = scored(folder, origin, name, engine)
    return runs


def scored(folder: Path, origin: Workspace, name: str, engine: Engine) -> Run:
    shutil.copytree(origin.root, folder / name)
    workspace = Workspace.open(folder / name)
    if isinstance(engine, OnSpark):
        with closing(engine):
            return score_and_list(workspace, VILLAGE_DAY, who="test", engine=engine)
    return score_and_list(workspace, VILLAGE_DAY, who="test", engine=engine)


@pytest.mark.parametrize("name", ["spark", "elsewhere"])
def test_scores_are_duckdbs(beside: dict[str, Run], name: str) -> None:
    wanted, found = beside["duckdb"].folder.scores(), beside[name].folder.scores()
    assert wanted.column_names == found.column_names
    for column in wanted.column_names:
        if column in ("score", "log_odds"):
            assert found[column].to_pylist() == pytest.approx(
                wanted[column].to_pylist(), abs=TOLERANCE, rel=0
            )
        elif column == "contributions":
            assert terms(found) == terms(wanted)
            assert values(found) == pytest.approx(values(wanted), abs=TOLERANCE, rel=0)
        else:
            assert found[column].to_pylist() == wanted[column].to_pylist(), column


@pytest.mark.parametrize("name", ["spark", "elsewhere"])
def test_lists_are_duckdbs(beside: dict[str, Run], name: str) -> None:
    """Every file of the lists but the workbooks, which hold the moment they were written."""
    wanted, found = (beside[one].folder.path / "watchlists" for one in ("duckdb", name))
    files = sorted(p.relative_to(wanted) for p in wanted.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(found) for p in found.rglob("*") if p.is_file())
    assert any(p.suffix == ".xlsx" for p in files)
    for file in files:
        if file.suffix != ".xlsx":
            assert (found / file).read_bytes() == (wanted / file).read_bytes(), file


def test_nothing_is_left_in_the_workspace(beside: dict[str, Run]) -> None:
    for run in beside.values():
        root = run.folder.path.parents[2]
        assert not [p.name for p in root.rglob(".part-*")]


def test_where_it_fails_no_run_appears(spark, tmp_path: Path) -> None:
    origin = village(tmp_path / "origin")
    missing = hadoop_path(tmp_path / "nowhere")
    engine = OnSpark("local[2]", tables=missing)
    with closing(engine), pytest.raises(EarlywarnError, match="no students in"):
        score_and_list(origin, VILLAGE_DAY, who="test", engine=engine)
    assert not (origin.runs / VILLAGE_DAY.isoformat() / "1").exists()
    assert not [p.name for p in origin.root.rglob(".part-*")]


def test_other_files_are_another_run(spark, tmp_path: Path) -> None:
    origin = village(tmp_path / "origin")
    tables = tmp_path / "tables"
    shutil.copytree(origin.data / "students", tables / "students")
    with closing(OnSpark("local[2]", tables=hadoop_path(tables))) as engine:
        as_it_was = engine.inputs(origin)
        assert engine.inputs(origin) == as_it_was
        (tables / "students" / "more.parquet").write_bytes(b"")
        assert engine.inputs(origin) != as_it_was


def test_a_student_who_stands_twice_is_refused(spark, tmp_path: Path) -> None:
    origin = village(tmp_path / "origin")
    tables = tmp_path / "tables"
    for table in ("students", "calendar"):
        shutil.copytree(origin.data / table, tables / table)
    for file in list((tables / "students").glob("*.parquet")):
        shutil.copy(file, file.with_name(f"again-{file.name}"))
    engine = OnSpark("local[2]", tables=hadoop_path(tables))
    with closing(engine), pytest.raises(EarlywarnError, match="has rows twice"):
        score_and_list(origin, VILLAGE_DAY, who="test", engine=engine)
    assert not (origin.runs / VILLAGE_DAY.isoformat() / "1").exists()


def terms(scores: pa.Table) -> list[list[str]]:
    return [[pair["term"] for pair in row] for row in lists(scores)]


def values(scores: pa.Table) -> list[float]:
    return [pair["value"] for row in lists(scores) for pair in row]


def lists(scores: pa.Table) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = scores["contributions"].to_pylist()
    return found
