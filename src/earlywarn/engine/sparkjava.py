"""A Spark session with the settings that the features need, or one line that says what is missing.

Spark is an extra (pyspark) and runs on Java. Neither a missing piece nor a failing job may end in
a page of Java's stack traces: they become an EarlywarnError, and what Spark would log by itself is
kept back where Spark runs on this machine. On a cluster its own logging is left alone.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from earlywarn.errors import EarlywarnError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_JAVA = 17
LEAST_MEMORY = 512 << 20  # Spark itself refuses less than about 450 MB
FAILURES = 4  # so often a task may fail, on one machine as on a cluster
# Conditions of the rules nest deeply: Java's stack is too small for the plans made of them.
JAVA_OPTIONS = "-Xss8m"
_LOCAL = re.compile(r"local(\[(?P<cores>\d+|\*)(,(?P<failures>\d+))?\])?")
# Set where spark-submit has started Java, and Java this program.
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
_CLUSTER = re.compile(r"yarn|(spark|k8s)://\S+")
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

# For every session, on a cluster too: what a definition means may not depend on the place.
MEANING = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
_COMMON = MEANING | {"spark.app.name": "earlywarn", "spark.ui.showConsoleProgress": "false"}


def session(
    master: str, memory: str | None = None, temp_folder: str | Path | None = None
) -> SparkSession:
    """Return the Spark session of this process, left as it is; start one if there is none.

    Where spark-submit has started this program, it has said where and with what memory Spark works:
    nothing that is given here counts.

    Parameters
    ----------
    master
        Spark's master URL: `local[2]`, `local[*]`, `yarn`, `spark://...`, `k8s://...`. A local one
        lets a task fail as often as a cluster does, unless it says how often (`local[2,1]`).
    memory
        Memory of the driver, in which a local master works: `4g`.
    temp_folder
        Where a local master spills to; the system's folder for temporary files if None.

    Raises
    ------
    EarlywarnError
        If pyspark or Java 17 is missing, or Spark does not start: one line with the cure.
    """
    _need_pyspark()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is not None:
        return SparkSession.builder.getOrCreate()
    if _SUBMITTED in os.environ:
        return _start(_COMMON)
    if not (_LOCAL.fullmatch(master) or _CLUSTER.fullmatch(master)):
        raise EarlywarnError(
            zh=f"--master {master} 不是 Spark 主节点：请写成 local[2]、local[*]、yarn、"
            "spark://主机:7077 或 k8s://主机。",
            en=f"--master {master} is no master of Spark's: write local[2], local[*], yarn, "
            "spark://HOST:7077 or k8s://HOST.",
        )
    _need_java()
    if memory is not None:
        _need_memory(memory)
    return _start(_settings(master, memory, temp_folder))


def set_meaning(spark: SparkSession) -> None:
    """Give a session the settings on which the meaning of the definitions depends."""
    for name, value in MEANING.items():
        spark.conf.set(name, value)


def hadoop_path(path: Path) -> str:
    """Return a local path as Hadoop writes it: a URL without any %-signs of its own.

    >>> hadoop_path(Path("/data/某市 1"))
    'file:///data/某市 1'
    """
    return f"file:///{path.as_posix().lstrip('/')}"


def _need_pyspark() -> None:
    try:
        with warnings.catch_warnings():
            # Tables cross the border as Arrow; pandas has no part in it.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
            import pyspark.sql  # noqa: F401
    except ImportError:
        raise EarlywarnError(
            zh="没有安装 pyspark。请运行 pip install 'earlywarn[spark]'。",
            en="pyspark is not installed. Run pip install 'earlywarn[spark]'.",
        ) from None
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
    _quiet()


def _quiet() -> None:
    """Keep back what pyspark logs of a failure: stack traces, which can hold values of rows."""
    from pyspark.logger import PySparkLogger

    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else "java"
    version = java_version(java)
    if version is None:
        where = f"JAVA_HOME={home}" if home else "PATH"
        raise EarlywarnError(
            zh=f"找不到 Java（{where}）。请安装 Java {LEAST_JAVA} 或更新的版本，"
            "例如 apt-get install openjdk-17-jre-headless，或把 JAVA_HOME 指向它。",
            en=f"There is no Java ({where}). Install Java {LEAST_JAVA} or newer, for example "
            "apt-get install openjdk-17-jre-headless, or point JAVA_HOME to it.",
        )
    if version < LEAST_JAVA:
        raise EarlywarnError(
            zh=f"Java {version} 太旧（{java}）。Spark 需要 Java {LEAST_JAVA} 或更新的版本："
            "请安装它，并把 JAVA_HOME 指向它。",
            en=f"Java {version} is too old ({java}). Spark needs Java {LEAST_JAVA} or newer: "
            "install it and point JAVA_HOME to it.",
        )


def java_version(java: str) -> int | None:
    """Return the major version of a Java, None if it does not run.

    1.8 is Java 8: until then the number stood behind a `1.`.
    """
    program = shutil.which(java)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-version"], capture_output=True, text=True, errors="replace", check=False
        )
    except OSError:
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(found[1]) if done.returncode == 0 and found else None


def _need_memory(memory: str) -> None:
    found = re.fullmatch(r"(\d+)([kmgt])b?", memory.strip().lower())
    size = int(found[1]) * _UNITS[found[2]] if found else 0
    if size < LEAST_MEMORY:
        raise EarlywarnError(
            zh=f"Spark 的内存 {memory} 写法不对或太小：请写成 4g 或 800m，至少 512m。",
            en=f"Spark's memory {memory} is not well formed or too small: write 4g or 800m, "
            "at least 512m.",
        )
    machine = _machine_memory()
    if machine is not None and size > machine:
        raise EarlywarnError(
            zh=f"给 Spark 的内存 {memory} 比这台机器的 {machine / 2**30:.1f} GB 还多，请改小。",
            en=f"The memory {memory} for Spark is more than this machine's "
            f"{machine / 2**30:.1f} GB; give it less.",
        )


def _machine_memory() -> int | None:
    """Return the bytes of memory that the machine has, None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _settings(master: str, memory: str | None, temp_folder: str | Path | None) -> dict[str, str]:
    settings = _COMMON | {"spark.driver.extraJavaOptions": JAVA_OPTIONS}
    if memory:
        settings |= {"spark.driver.memory": memory}
    local = _LOCAL.fullmatch(master)
    if local is None:
        return settings | {"spark.master": master, "spark.executor.extraJavaOptions": JAVA_OPTIONS}
    cores = local["cores"] or "1"
    threads = os.cpu_count() or 1 if cores == "*" else int(cores)
    folder = Path(temp_folder or tempfile.gettempdir()).resolve()
    return settings | {
        "spark.master": f"local[{cores},{local['failures'] or FAILURES}]",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": hadoop_path(folder / "spark-warehouse"),
        "spark.sql.shuffle.partitions": str(2 * threads),
        "spark.log.level": "OFF",
    }


def _start(settings: dict[str, str]) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    local = _LOCAL.fullmatch(settings.get("spark.master", ""))
    if local:  # Python's own workers are this Python
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # What spark-submit and its files say is added by Java, where these say nothing.
    conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
    with tempfile.TemporaryFile() as said:
        try:
            gateway = None
            if SparkContext._gateway is None:
                heard = {"stderr": said} if local else {}
                gateway = launch_gateway(conf, heard)  # type: ignore[no-untyped-call]
            return SparkSession(SparkContext(conf=conf, gateway=gateway))
        except (PySparkException, Py4JError) as error:
            said.seek(0)
            why = _why(said.read().decode(errors="replace") + str(error))
    raise EarlywarnError(
        zh=f"Spark 启动失败：{why}。请检查 --master、内存和 Java。",
        en=f"Spark does not start: {why}. Check --master, the memory and Java.",
    )


def _why(said: str) -> str:
    """Return the one line of Java's words at its start that says what is wrong."""
    for line in said.splitlines():
        found = re.search(r"(?:Error|Exception|error)\S*: (.+)", line)
        if found:
            return found[1].strip().rstrip(".")[:200]
    return "Java ended"
