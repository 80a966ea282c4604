"""The large engine: Apache Spark under the face of a DuckDB connection.

`SparkConnection` has the few methods of DuckDB's connection that the features use, so that the same
code runs the same .sql files, in DuckDB's dialect, on either.

A TEMP TABLE is computed where it is made and put into the staging folder as Parquet, from which
what comes after it reads; a TEMP VIEW is computed wherever it is read. So no plan grows with what
went before, each step is planned with the true sizes of its inputs, and a machine that is lost
takes no finished step with it. (Kept as Spark's cache, the tables' plans stand inside of each
other: planning the last of them takes minutes whatever the size of the data.)
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import duckdb
import pyarrow as pa
from sqlglot import exp

from earlywarn.engine import dialect
from earlywarn.engine.sparkfailures import one_line
from earlywarn.engine.sparkjava import hadoop_path, set_meaning
from earlywarn.errors import EarlywarnError
from earlywarn.tables import batches
from earlywarn.tables.contract import TABLES, Column, Table
from earlywarn.workspace import Workspace

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


@dataclass(frozen=True)
class Statement:
    """One statement of a .sql file, parsed."""

    tree: exp.Expr

    @property
    def query(self) -> str:
        """Its text, in DuckDB's dialect."""
        return self.tree.sql("duckdb")

    @property
    def named_parameters(self) -> set[str]:
        """The names of its parameters."""
        return dialect.parameters(self.tree)


class Relation:
    """What a query gives, computed when it is asked for; nothing for a statement."""

    def __init__(self, frame: DataFrame | None = None) -> None:
        self._frame = frame

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._frame.columns) if self._frame is not None else []

    def to_arrow_table(self) -> pa.Table:
        """Return all rows as Arrow."""
        if self._frame is None:
            return pa.table({})
        with one_line("the answer"):
            return self._frame.toArrow()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows as tuples."""
        columns = [column.to_pylist() for column in self.to_arrow_table().columns]
        return list(zip(*columns, strict=True))


class SparkConnection:
    """A Spark session of its own, asked in DuckDB's SQL. Closed, it leaves nothing behind.

    Parameters
    ----------
    spark
        From `sparkjava.session`. Its views are not seen and not changed; the attribute `spark` is
        a session of the connection's own.
    staging
        A folder that all of Spark's machines see, as Hadoop writes it: `file:///tmp/x`,
        `hdfs://...`, `s3a://...`. A folder of this connection's own is made in it.
    """

    def __init__(self, spark: SparkSession, staging: str) -> None:
        self.spark = spark.newSession()
        set_meaning(self.spark)
        self._staging = f"{staging.rstrip('/')}/earlywarn-{uuid.uuid4().hex}"
        self._made = 0  # counts, so that a table is never read while it is replaced
        self._staged: dict[str, str] = {}  # table -> its folder
        self._views: set[str] = set()
        self._given: set[str] = set()  # views of what `register` was given
        self._views_of_files: dict[tuple[str, ...], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop all views and delete the staged tables.

        Where Spark has ended by itself nothing is said: whoever asked it last was told.
        """
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        with suppress(PySparkException, Py4JError, ConnectionError, EarlywarnError):
            for view in self._views:
                self.spark.catalog.dropTempView(view)
            self._delete(self._staging)

    def extract_statements(self, text: str) -> list[Statement]:
        """Return the statements of a text."""
        return [Statement(tree) for tree in dialect.parse(text)]

    def execute(
        self, query: str | Statement, parameters: Mapping[str, Any] | None = None
    ) -> Relation:
        """Run one statement with the parameters that it names.

        Raises
        ------
        EarlywarnError
            If a job of Spark's fails.
        """
        if isinstance(query, str):
            (query,) = self.extract_statements(query)
        tree = dialect.bind(query.tree, parameters or {})
        if isinstance(tree, exp.Create):
            self._create(tree)
        elif isinstance(tree, exp.Drop):
            for table in tree.find_all(exp.Table):
                self._drop(table.name)
        else:
            return Relation(self._frame(tree))
        return Relation()

    def sql(self, query: str) -> Relation:
        """Return what a query gives."""
        return self.execute(query)

    def table(self, name: str) -> Relation:
        """Return a table or view."""
        return Relation(self.spark.table(name))

    def register(self, name: str, table: pa.Table) -> None:
        """Make a view of an Arrow table."""
        with one_line(name):
            self._show(name, self.spark.createDataFrame(table))
        self._given.add(name)

    def unregister(self, name: str) -> None:
        """Drop a view of an Arrow table; what was made of it stays."""
        self._drop(name)

    def stage(self, name: str, frame: DataFrame) -> None:
        """Compute a frame now and make it a table."""
        before = self._staged.pop(name, None)
        self._show(name, self._stage(name, frame))
        if before is not None:
            self._delete(before)

    def files(self, name: str) -> list[Path]:
        """Return a table's Parquet files, in its order, where the staging folder is a local one."""
        return sorted(Path(self._staged[name].removeprefix("file://")).glob("*.parquet"))

    def fingerprint(self, folder: str) -> str:
        """Return what is another if a file in `folder` is: SHA-256 of paths, sizes and times."""
        with one_line(folder):
            files, path = self._path(folder)
            if not files.exists(path):
                return ""
            found = []
            listed = files.listFiles(path, True)
            while listed.hasNext():
                file = listed.next()
                found.append((str(file.getPath()), file.getLen(), file.getModificationTime()))
        return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()

    def read_folder(self, table: Table, folder: str) -> None:
        """Make a table of the contract the view of a folder's Parquet files; empty if it has none.

        Raises
        ------
        EarlywarnError
            If a column is missing or of another type.
        """
        wanted = self._types(table.schema)
        if not self._exists(folder):
            frame = self.spark.createDataFrame([], wanted)
        else:
            with one_line(folder):
                found = self.spark.read.parquet(_as_it_is(folder))
            _check_columns(folder, table, wanted, found.schema)
            frame = found.select([field.name for field in wanted])
        self._show(table.name, frame)

    def _frame(self, tree: exp.Expr) -> DataFrame:
        tree = tree.copy()
        for read in list(tree.find_all(exp.ReadParquet)):
            read.replace(exp.to_identifier(self._view_of(_listed(read))))
        text = dialect.to_spark(tree, lambda name: self.spark.table(name).columns)
        with one_line("the query"):
            return self.spark.sql(text)

    def _create(self, tree: exp.Create) -> None:
        name, query = tree.this.name, tree.expression
        frame = self._frame(query)
        before = self._staged.pop(name, None)
        if tree.kind == "TABLE" and not self._is_given(query):
            frame = self._stage(name, frame)
        self._show(name, frame)
        if before is not None:
            self._delete(before)

    def _show(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self._views.add(name)

    def _is_given(self, query: exp.Expr) -> bool:
        """Whether a query is all of what `register` was given: it lies ready as it is."""
        return (
            isinstance(query, exp.Select)
            and query.is_star
            and {key for key, value in query.args.items() if value} == {"expressions", "from_"}
            and query.args["from_"].this.name in self._given
        )

    def _stage(self, name: str, frame: DataFrame) -> DataFrame:
        self._made += 1
        folder = f"{self._staging}/{self._made:03d}-{name}"
        self.spark.sparkContext.setJobDescription(name)  # what Spark's own pages call the work
        with one_line(name):
            frame.write.parquet(folder)
            self._staged[name] = folder
            return self.spark.read.schema(frame.schema).parquet(_as_it_is(folder))

    def _drop(self, name: str) -> None:
        self.spark.catalog.dropTempView(name)
        self._views.discard(name)
        self._given.discard(name)
        folder = self._staged.pop(name, None)
        if folder is not None:
            self._delete(folder)

    def _view_of(self, files: tuple[str, ...]) -> str:
        """Return the view of Parquet files, all with the columns of the first."""
        if files not in self._views_of_files:
            name = f"files_{len(self._views_of_files)}"
            with one_line(files[0]):
                frame = self.spark.read.parquet(files[0])
                if len(files) > 1:
                    frame = self.spark.read.schema(frame.schema).parquet(*files)
                self._show(name, frame)
            self._views_of_files[files] = name
        return self._views_of_files[files]

    def _types(self, schema: pa.Schema) -> StructType:
        return self.spark.createDataFrame(schema.empty_table()).schema

    def _path(self, folder: str) -> tuple[Any, Any]:
        """Return Hadoop's file system of a folder and its path there."""
        jvm: Any = self.spark._jvm
        path = jvm.org.apache.hadoop.fs.Path(folder)
        settings = self.spark._jsparkSession.sessionState().newHadoopConf()
        return path.getFileSystem(settings), path

    def _exists(self, folder: str) -> bool:
        with one_line(folder):
            files, path = self._path(folder)
            return bool(files.exists(path))

    def _delete(self, folder: str) -> None:
        with one_line(folder):
            files, path = self._path(folder)
            files.delete(path, True)


def attach(con: SparkConnection, workspace: Workspace) -> None:
    """Make the views of a workspace's tables, as DuckDB has them (see `tables.views.attach`)."""
    batches.attach(cast(duckdb.DuckDBPyConnection, con), workspace)


def attach_folder(con: SparkConnection, url: str) -> None:
    """Make the views of a folder's tables: `url`/TABLE holds TABLE's rows as Parquet files.

    Each has the contract's columns and types; others beside them, such as those by which its
    folders are parted, are passed over. A table without a folder is empty. Rows are unique by the
    contract's keys. `complete_registries` (school_id, snapshot_date) may be there too.

    Parameters
    ----------
    url
        As Hadoop writes it: `file:///data/x` (see `sparkjava.hadoop_path`), `hdfs://...`, `s3a://...`.

    Raises
    ------
    EarlywarnError
        If there are no students, or a column is missing or of another type.
    """
    for table in (*TABLES.values(), _COMPLETE):
        con.read_folder(table, f"{url.rstrip('/')}/{table.name}")
    if not con.execute("SELECT student_id FROM students LIMIT 1").fetchall():
        raise EarlywarnError(
            zh=f"{url} 里没有学生：应有文件夹 students，内有 Parquet 文件。",
            en=f"There are no students in {url}: it should have a folder `students` with Parquet "
            "files.",
        )


_COMPLETE = Table(
    "complete_registries",
    ("school_id", "snapshot_date"),
    (Column("school_id", "id", required=True), Column("snapshot_date", "date", required=True)),
)


def _listed(read: exp.ReadParquet) -> tuple[str, ...]:
    (files,) = read.expressions
    return tuple(_as_it_is(hadoop_path(Path(file.name))) for file in files.expressions)


def _as_it_is(path: str) -> str:
    """Return a path for Spark's reader, to which some signs in it would be a pattern."""
    return re.sub(r"[\[\]{}*?\\]", r"\\\g<0>", path)


def _check_columns(folder: str, table: Table, wanted: StructType, found: StructType) -> None:
    types = {field.name: field.dataType for field in found}
    for field in wanted:
        name, need = field.name, field.dataType.simpleString()
        if name not in types:
            raise EarlywarnError(
                zh=f"{folder}：缺少列 {name}（{need}）。",
                en=f"{folder}: the column {name} ({need}) is missing.",
            )
        if types[name] != field.dataType:
            has = types[name].simpleString()
            raise EarlywarnError(
                zh=f"{folder}：列 {name} 的类型是 {has}，应为 {need}。",
                en=f"{folder}: the column {name} is of type {has} and should be {need}.",
            )
