"""What goes wrong inside of Spark, in one line: no stack trace, no value of any row.

Spark's own messages quote the values on which a task failed, so of them only the kind of the
failure, the table at which it happened and the paths of files are passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from earlywarn.errors import EarlywarnError

_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]")
_CLASS = re.compile(r"\b(?:[a-z]\w*\.)+([A-Z]\w*(?:Exception|Error))\b")
_FILE = re.compile(r"\b(?:file|hdfs|s3a|abfss|gs):/[^\s,;'\"]+")
_NO_FILE = (
    "PATH_NOT_FOUND",
    "FAILED_READ_FILE",
    "CANNOT_READ_FILE_FOOTER",
    "UNABLE_TO_INFER_SCHEMA",
)
_NO_ANSWER = ("Py4JError", "Py4JNetworkError")
_OTHER_PYTHON = ("No module named 'earlywarn", "PYTHON_VERSION_MISMATCH")


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Turn a failure of Spark's while making `what` into an EarlywarnError of one line.

    What shows a fault of the program's own, a query that Spark cannot read, passes unchanged.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except AnalysisException as error:
        if not _kind(error).startswith(_NO_FILE):
            raise
        failure = _failure(error, what)
    except (PySparkException, Py4JError, ConnectionError) as error:
        failure = _failure(error, what)
    else:
        return
    raise failure


def _kind(error: Exception) -> str:
    """Return Spark's name for the failure, else the class of its first cause."""
    from pyspark.errors import PySparkException

    said = error.getCondition() if isinstance(error, PySparkException) else None
    text = str(error)
    found = [said] if said else _CONDITION.findall(text) or _CLASS.findall(text)
    return found[-1] if found else type(error).__name__


def _failure(error: Exception, what: str) -> EarlywarnError:
    text, kind = str(error), _kind(error)
    if "OutOfMemoryError" in text or "OutOfMemory" in kind:
        return EarlywarnError(
            zh=f"Spark 在计算 {what} 时内存不够。请给它更多内存。",
            en=f"Spark ran out of memory while making {what}. Give it more memory.",
        )
    if "No space left on device" in text:
        return EarlywarnError(
            zh=f"Spark 在计算 {what} 时磁盘已满。请腾出空间，或另选 temp_folder。",
            en=f"The disk was full while Spark made {what}. Free some space, or choose another "
            "temp_folder.",
        )
    if kind.startswith(_NO_FILE) or "is not a Parquet file" in text:
        file = _FILE.search(text)
        named = file[0].rstrip(".") if file else what
        return EarlywarnError(
            zh=f"{named} 缺失或已损坏（{kind}）。请从备份恢复这个文件。",
            en=f"{named} is missing or damaged ({kind}). Restore it from a backup.",
        )
    # py4j's own errors, which are not those of Java's side: nobody answers there.
    if isinstance(error, ConnectionError) or type(error).__name__ in _NO_ANSWER:
        return EarlywarnError(
            zh=f"Spark 在计算 {what} 时中断了，可能是内存不够。请重新运行，必要时给它更多内存。",
            en=f"Spark ended while making {what}, perhaps for lack of memory. Run it again, with "
            "more memory if need be.",
        )
    if any(sign in text for sign in _OTHER_PYTHON):
        return EarlywarnError(
            zh=f"Spark 在计算 {what} 时，执行机上的 Python 没有 earlywarn 或版本不同。"
            "请在每台机器上装好同一版本，并让 PYSPARK_PYTHON 指向它。",
            en=f"While Spark made {what}: the Python of its executors has no earlywarn, or is "
            "another version. Install the same on every machine and point PYSPARK_PYTHON to it.",
        )
    return EarlywarnError(
        zh=f"Spark 在计算 {what} 时失败（{kind}）；没有写出任何结果。",
        en=f"Spark failed while making {what} ({kind}); no result was written.",
    )
