"""Before Spark starts: what is missing is said in one line, with what to install or to set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import need
from earlywarn.engine.sparkjava import LEAST_JAVA, java_version, session
from earlywarn.errors import EarlywarnError


def refusal(*arguments: str | None) -> EarlywarnError:
    with pytest.raises(EarlywarnError) as caught:
        session(*arguments)
    for text in caught.value.text:
        assert "\n" not in text
    return caught.value


def a_java(folder: Path, version: str) -> Path:
    """Return a JAVA_HOME whose java says that it is `version`, and does nothing else."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2018-01-16' >&2\n")
    program.chmod(0o755)
    return folder


posix = pytest.mark.skipif(sys.platform == "win32", reason="the java here is a shell script")


def test_no_pyspark(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    assert "pip install 'earlywarn[spark]'" in refusal("local[2]").text.zh


@pytest.mark.parametrize("home", [None, "/nowhere/jdk"])
def test_no_java(home: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("JAVA_HOME", home)
    said = refusal("local[2]").text
    assert f"Java {LEAST_JAVA}" in said.en
    assert (f"JAVA_HOME={home}" if home else "PATH") in said.zh


@posix
def test_an_old_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "jdk 8", "1.8.0_402")))
    assert "Java 8 is too old" in refusal("local[2]").text.en


@posix
@pytest.mark.parametrize(
    ("said", "version"), [("1.8.0_402", 8), ("11.0.2", 11), ("17", 17), ("21-ea", 21), ("x", None)]
)
def test_versions_of_java(said: str, version: int | None, tmp_path: Path):
    assert java_version(str(a_java(tmp_path, said) / "bin" / "java")) == version


@posix
@pytest.mark.parametrize("memory", ["4", "much", "100m", "-4g", "", "4 g"])
def test_memory_that_is_none(memory: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path, "17.0.1")))
    assert "at least 512m" in refusal("local[2]", memory).text.en


@posix
def test_more_memory_than_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path, "17.0.1")))
    assert "more than this machine's" in refusal("local[2]", "900t").text.en


def said_in_a_process(master: str, **settings: str) -> str:
    """Return the one line of a process of its own, since a Java that has started runs on."""
    program = (
        "import sys\n"
        "from earlywarn.engine.sparkjava import session\n"
        "from earlywarn.errors import EarlywarnError\n"
        "try:\n    session(sys.argv[1])\n"
        "except EarlywarnError as error:\n    print(error.text.en)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, master],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | settings,
    )
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    return line


@posix
def test_a_java_that_does_not_start(tmp_path: Path):
    pytest.importorskip("pyspark")
    home = a_java(tmp_path, "17.0.1")
    assert said_in_a_process("local[2]", JAVA_HOME=str(home)).startswith("Spark does not start")


@pytest.mark.parametrize("master", ["nonsense", "", "local[x]", "spark:/host", "yarn://h"])
def test_a_master_that_is_none(master: str):
    pytest.importorskip("pyspark")
    assert "is no master of Spark's" in refusal(master).text.en


def test_where_spark_submit_has_said_it_nothing_else_counts(tmp_path: Path):
    pyspark = pytest.importorskip("pyspark")
    need("java", "default-jre-headless")
    program = tmp_path / "program.py"
    program.write_text(
        "from earlywarn.engine.sparkjava import session\n"
        "spark = session('local[7]', '3g')\n"
        "print(spark.sparkContext.master, spark.conf.get('spark.sql.shuffle.partitions'))\n"
        "print(spark.conf.get('spark.sql.ansi.enabled'), session('local[7]') is spark)\n"
    )
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    said = ("--conf", "spark.sql.shuffle.partitions=77", "--driver-memory", "600m")
    done = subprocess.run(
        [str(submit), "--master", "local[1]", *said, str(program)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYSPARK_PYTHON": sys.executable},
    )
    assert done.stdout.splitlines() == ["local[1] 77", "true True"]


def test_where_java_is_killed_it_is_one_line_and_nothing_is_left(tmp_path: Path):
    pytest.importorskip("pyspark")
    need("java", "default-jre-headless")
    program = (
        "import os, signal, sys\n"
        "from contextlib import closing\n"
        "from pathlib import Path\n"
        "from pyspark import SparkContext\n"
        "from earlywarn.errors import EarlywarnError\n"
        "from earlywarn.scoring.spark import OnSpark\n"
        "from earlywarn.workspace import Workspace\n"
        "workspace = Workspace.init(Path(sys.argv[1]))\n"
        "try:\n"
        "    with closing(OnSpark('local[1]')) as engine:\n"
        "        con = engine.connect(workspace)\n"
        "        con.execute('CREATE TEMP TABLE t AS SELECT 1 AS a')\n"
        "        print(len([*workspace.root.glob('.part-spark-*/*/*-t')]))\n"
        "        os.kill(SparkContext._gateway.proc.pid, signal.SIGKILL)\n"
        "        con.execute('CREATE TEMP TABLE u AS SELECT 1 AS a')\n"
        "except EarlywarnError as error:\n"
        "    print(error.text.en)\n"
        "print([path.name for path in workspace.root.glob('.part-spark-*')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "某县")],
        capture_output=True,
        text=True,
        check=True,
    )
    staged, said, left = done.stdout.splitlines()
    assert (staged, left) == ("1", "[]")
    assert said.startswith("Spark ended while making")
