"""The same .sql files on Spark: every value of the features is DuckDB's.

On little worlds as disjoint schools in one job, on a worked example through its own tables, on a
workspace with replaced batches, and with a task that fails in the middle. benchmarks/
spark_equality.py does the same on a hundred worlds, all worked examples, OULAD and the whole city.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from earlywarn.engine.spark import SparkConnection, attach_folder
from earlywarn.engine.sparkjava import hadoop_path
from earlywarn.errors import EarlywarnError
from earlywarn.features.groups import load_groups
from earlywarn.scoring.spark import build_on
from earlywarn.workspace import Config, shipped
from oracle.canonical import EXAMPLES, arrow_tables, read_case, read_tables
from scoring_city import VILLAGE_DAY, rows, village, village_tables
from spark_equality import compare_engines, compare_tables, config_of, worlds
from spark_session import a_spark, connection

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory):
    yield from a_spark(tmp_path_factory.mktemp("spark"), "local[2,3]")


@pytest.fixture
def con(spark, tmp_path: Path):
    with connection(spark, tmp_path) as con:
        yield con


def stumble(con: SparkConnection, folder: Path, times: int) -> None:
    """Give SQL a function `stumble(x)`: x, but the first `times` tasks that call it fail."""
    from pyspark.sql.functions import udf

    def fail(x):
        for n in range(times):
            try:
                (folder / f"failed {n}").touch(exist_ok=False)
            except FileExistsError:
                continue
            raise ValueError(f"no luck with {x}")
        return x

    folder.mkdir()
    con.spark.udf.register("stumble", udf(fail, "string"))


@pytest.mark.parametrize("family", [11, 4], ids=["full", "exceptions"])
def test_little_worlds_in_one_job(family: int, con):
    """Twenty worlds of a family's settings, which share no school and no child."""
    county = worlds(range(20), family)
    assert county.mode == {11: "full", 4: "exceptions"}[family]
    assert compare_tables(con, county.arrow(), config_of(county), county.as_of) == []


def test_a_worked_example(con):
    folder = EXAMPLES / "08"
    as_of, mode = read_case(folder)
    tables = arrow_tables(read_tables(folder))
    tables["complete_registries"] = rows_of_no_registry()
    assert compare_tables(con, tables, Config(attendance=mode), as_of) == []


def rows_of_no_registry():
    return rows("students", student_id=[]).select(["school_id", "snapshot_date"])


def test_a_workspace_with_a_failing_task(spark, tmp_path: Path):
    """Read from its batches; a task that fails twice is tried a third time."""
    workspace = village(tmp_path / "某县 2026")
    with connection(spark, tmp_path) as con:
        stumble(con, tmp_path / "marks", times=2)
        assert compare_engines(con, workspace, VILLAGE_DAY, stumbling=True) == []
    assert len(list((tmp_path / "marks").iterdir())) == 2
    assert list((tmp_path / "staged 表").iterdir()) == []


def test_a_task_that_goes_on_failing(con, tmp_path: Path):
    """One line, without Java's stack and without what stood in the row."""
    stumble(con, tmp_path / "marks", times=9)
    con.register("t", rows("students", student_id=["G13800138000"]))
    with pytest.raises(EarlywarnError) as caught:
        con.execute("CREATE OR REPLACE TEMP TABLE kept AS SELECT stumble(student_id) AS x FROM t")
    for text in caught.value.text:
        assert "kept" in text
        assert "G138" not in text
        assert "\n" not in text
        assert "java" not in text
    assert len(list((tmp_path / "marks").iterdir())) == 3


def test_a_school_without_calendar_is_refused_as_by_duckdb(con):
    county = worlds(range(2), 4)
    tables = county.arrow()
    tables["calendar"] = tables["calendar"].slice(0, 0)
    for name, table in tables.items():
        con.register(name, table)
    with pytest.raises(EarlywarnError, match="ingest calendar"):
        build_on(con, config_of(county), load_groups(shipped("rules")), county.as_of)


def write_folder(folder: Path, tables: dict[str, pa.Table]) -> str:
    """Write tables as another program would, attendance parted by month; return the URL."""
    for name, table in tables.items():
        below = folder / name / "month=2026-03" if name == "attendance" else folder / name
        below.mkdir(parents=True)
        pq.write_table(table, below / "part-0.parquet")
    return hadoop_path(folder)


def test_a_folder_of_parquet_files(con, tmp_path: Path):
    tables = village_tables()
    attach_folder(con, write_folder(tmp_path / "某市 1", tables))
    for name, table in tables.items():
        found = con.sql(f"SELECT * FROM {name}").to_arrow_table()
        order = [(column, "ascending") for column in table.column_names]
        assert found.sort_by(order).to_pylist() == table.sort_by(order).to_pylist()
    assert con.sql("SELECT * FROM exams").columns[:2] == ["student_id", "date"]
    assert con.sql("SELECT count(*) FROM complete_registries").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda students: students.drop_columns("boarding"), "boarding (boolean) is missing"),
        (
            lambda students: students.set_column(
                students.column_names.index("grade"), "grade", [["7"] * len(students)]
            ),
            "grade is of type string and should be int",
        ),
        (lambda students: students.slice(0, 0), "There are no students"),
    ],
)
def test_a_folder_that_is_not_the_contracts(change, message: str, con, tmp_path: Path):
    url = write_folder(tmp_path / "data", {"students": change(village_tables()["students"])})
    with pytest.raises(EarlywarnError) as caught:
        attach_folder(con, url)
    assert message in caught.value.text.en
    assert "\n" not in caught.value.text.zh


def test_a_damaged_file_is_named(con, tmp_path: Path):
    url = write_folder(tmp_path / "data", village_tables())
    file = tmp_path / "data" / "students" / "part-0.parquet"
    attach_folder(con, url)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(EarlywarnError) as caught:
        con.sql("SELECT max(name) FROM students").fetchall()
    assert "part-0.parquet is missing or damaged" in caught.value.text.en
