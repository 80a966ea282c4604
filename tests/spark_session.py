"""A Spark for the tests: one for each module that wants one, with the program's settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import need
from earlywarn.engine.spark import SparkConnection
from earlywarn.engine.sparkjava import hadoop_path, session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Short runs: the quick compiler and the plain collector only.
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def a_spark(folder: Path, master: str = "local[2]") -> Iterator[SparkSession]:
    """Start a Spark and stop it in the end; without Java or pyspark a skip, in CI an error."""
    need("java", "default-jre-headless")
    if not os.environ.get("CI"):
        pytest.importorskip("pyspark", reason="pyspark is missing: pip install pyspark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", _QUICK)
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        spark = session(master, "2g", folder)
    yield spark
    spark.stop()


# Little tables: one part each, planned once, interpreted instead of compiled.
LITTLE = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def connection(spark: SparkSession, folder: Path, *, little: bool = True) -> SparkConnection:
    """Return a connection that stages below `folder`; `little`: quick on little tables."""
    con = SparkConnection(spark, hadoop_path(folder / "staged 表"))
    for name, value in LITTLE.items() if little else ():
        con.spark.conf.set(name, value)
    return con
