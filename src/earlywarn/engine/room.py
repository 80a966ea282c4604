"""Room: where the engine puts what does not fit into memory, and whether the disk has enough.

DuckDB works within `memory_limit` and writes the rest to a spill folder. How much that will be is
estimated from the rows in the list of batches, without a scan, so that a disk that is too full is
refused before the work starts and not in the middle of it.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.batches import read_batches
from earlywarn.workspace import Workspace

# Begins like all that a killed writer leaves, so that `backup` and `forget` know it.
_PART = ".part-"
_SPILL = f"{_PART}spill-"

# Bytes for each row, measured with DuckDB 2.0 over a generated city (58,000 students of one day,
# 2.2 million marks, 0.4 million rows of registry, 13.7 million of attendance) and rounded up by
# half. In memory: the largest resident size while features are built and rules judged, with and
# without the table, no limit (registry 500, marks 72). Spilled: the largest size of the spill
# folder at a limit of 100 MB (registry 166, marks 42). Attendance is folded while it is read: what
# it adds was less than the difference between two runs, so it has a small share, for safety.
_IN_MEMORY = {"attendance": 20, "exams": 110, "students": 750}
_SPILLED = {"attendance": 10, "exams": 60, "students": 250}
# A row of the newest registry in a run's folder: scores, lists as pages, workbooks and CSV
# (measured: 320 bytes for each student).
_WRITTEN = 500
_PROGRAM = 300_000_000  # in memory beside what DuckDB counts: the program and its libraries
_FILLED = 0.9  # of what the disk has free, DuckDB spills so much at most
_LARGE = 1_000_000_000  # from here on the room that a command takes is worth a line

_FREE = Text("请腾出空间后重试。", "Free some room, then try again.")
_SPILL_ELSEWHERE = Text(
    "请腾出空间，或把 earlywarn.yaml 的 temp_folder 指到空间充足的磁盘，然后重试。",
    "Free some room, or point temp_folder in earlywarn.yaml to a disk that has more, then try "
    "again.",
)
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(frozen=True)
class Room:
    """What scoring a workspace takes, estimated, in bytes.

    Attributes
    ----------
    memory
        What DuckDB would take if it had all the memory that it can use.
    limit
        How much it may take: the config's memory_limit, else what it grants itself (80 % of the
        machine's).
    temp
        What is spilled to disk, 0 where everything fits into memory.
    output
        The folder of a run.
    """

    memory: int
    limit: int
    temp: int
    output: int

    def text(self) -> Text | None:
        """Say what it takes; None where that is little."""
        if max(self.temp, self.output) < _LARGE:
            return None
        memory = _size(_PROGRAM + min(self.memory, self.limit))
        temp, output = _size(self.temp), _size(self.output)
        return Text(
            f"预计最多占用内存 {memory}、临时文件 {temp}、结果 {output}。",
            f"This takes up to about {memory} of memory, {temp} of temporary files and {output} "
            "for the results.",
        )


def room_needed(workspace: Workspace) -> Room:
    """Estimate what scoring takes, from the numbers of rows in the list of batches."""
    rows: Counter[str] = Counter()
    registries: Counter[date | None] = Counter()  # students by the newest snapshot of their file
    for batch in read_batches(workspace).batches:
        for part in batch.parts:
            rows[part.table] += part.rows
            if part.table == "students":
                registries[_newest_snapshot(workspace.data / part.file)] += part.rows
    memory = sum(each * rows[table] for table, each in _IN_MEMORY.items())
    limit = _memory_limit(workspace)
    spilled = sum(each * rows[table] for table, each in _SPILLED.items())
    newest = max(registries.values(), default=0)
    return Room(memory, limit, spilled if memory > limit else 0, _WRITTEN * newest)


def _newest_snapshot(file: Path) -> date | None:
    """Return the newest snapshot_date of a registry's Parquet file, from its footer."""
    try:
        footer = pq.read_metadata(file)
    except (OSError, pa.ArrowException):  # whoever reads the rows says what is wrong with it
        return None
    place = footer.schema.names.index("snapshot_date")
    groups = (footer.row_group(i).column(place).statistics for i in range(footer.num_row_groups))
    return max((found.max for found in groups if found and found.has_min_max), default=None)


def check_room(workspace: Workspace) -> Room:
    """Refuse work that the disk has no room for; return what it will take.

    Raises
    ------
    EarlywarnError
        If there is less: names the folder, what is needed and what is free.
    """
    room = room_needed(workspace)
    spill, root = spill_folder(workspace).parent, workspace.root
    together = spill.stat().st_dev == root.stat().st_dev
    if room.temp:
        _refuse_full(spill, room.temp + (room.output if together else 0), _SPILL_ELSEWHERE)
    if not (room.temp and together):
        _refuse_full(root, room.output, _FREE)
    return room


def _refuse_full(folder: Path, needed: int, cure: Text) -> None:
    free = shutil.disk_usage(folder).free
    if free * _FILLED < needed:
        asked = _size(int(needed / _FILLED))
        raise EarlywarnError(
            zh=f"磁盘空间不够：{folder} 需要约 {asked}，只剩 {_size(free)}，未开始。{cure.zh}",
            en=f"Not enough room on the disk: {folder} needs about {asked} and has {_size(free)} "
            f"free. Nothing was begun. {cure.en}",
        )


def spill_folder(workspace: Workspace) -> Path:
    """Return a new name for a spill folder: DuckDB makes it when it needs it, and removes it.

    It lies in the config's temp_folder or else in the workspace: the system's own folder for
    temporary files is often in memory, and other people use it.

    Raises
    ------
    EarlywarnError
        If temp_folder is no folder, or cannot be written to.
    """
    parent = spill_parent(workspace)
    if workspace.config.temp_folder:
        _refuse_unwritable(parent)
    return passing_folder(parent, "spill")


def passing_folder(parent: Path, kind: str) -> Path:
    """Return a new name, in `parent`, for a folder that this process will remove.

    It says whose it is, so that what a killed program of this machine has left is known, and
    removed here.
    """
    begins, host = f"{_PART}{kind}-", socket.gethostname()
    for left in parent.glob(f"{begins}*-*-*"):
        process, _, machine = left.name.removeprefix(begins).split("-", 2)
        if machine == host and process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    return parent / f"{begins}{os.getpid()}-{uuid.uuid4().hex[:8]}-{host}"


def spill_parent(workspace: Workspace) -> Path:
    """Return where spill folders lie; a relative temp_folder is one of the workspace's."""
    return workspace.root / Path(workspace.config.temp_folder).expanduser()


def _refuse_unwritable(folder: Path) -> None:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise EarlywarnError(
            zh=f"earlywarn.yaml 的 temp_folder 不能用：{folder}（{error.strerror}）。"
            "请改成一个可以写入的文件夹，或留空。",
            en=f"temp_folder in earlywarn.yaml cannot be used: {folder} ({error.strerror}). "
            "Name a folder that can be written to, or leave it empty.",
        ) from None


def _runs(process: int) -> bool:
    """Whether a process of this machine may still use its spill folder."""
    if os.name == "nt":  # where a file in use cannot be removed anyway, and signal 0 ends things
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


@contextmanager
def explained(workspace: Workspace) -> Iterator[None]:
    """Put a full disk, and memory that does not suffice, into words (EarlywarnError)."""
    try:
        yield
    except (duckdb.Error, MemoryError, OSError) as error:
        plain = in_words(error, workspace)
        if plain is None:
            raise
        raise plain from None


def in_words(error: BaseException, workspace: Workspace) -> EarlywarnError | None:
    """Say that the disk is full or memory does not suffice; None of any other error."""
    said = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        if "max_temp_directory_size" in said:
            return _full(spill_parent(workspace), _SPILL_ELSEWHERE)
        return _out_of_memory(workspace)
    if isinstance(error, MemoryError):
        return _out_of_memory(workspace)
    if isinstance(error, duckdb.IOException):
        if os.strerror(errno.ENOSPC) not in said:
            return None
        if _SPILL in said:
            return _full(spill_parent(workspace), _SPILL_ELSEWHERE)
        return _full(workspace.root, _FREE)
    if isinstance(error, OSError) and error.errno in _FULL:
        return _full(Path(error.filename).parent if error.filename else workspace.root, _FREE)
    return None


def _full(folder: Path, cure: Text) -> EarlywarnError:
    return EarlywarnError(
        zh=f"{folder} 所在的磁盘满了，已停止，未留下半截结果。{cure.zh}",
        en=f"The disk of {folder} is full: stopped, and nothing half-done was left. {cure.en}",
    )


def _out_of_memory(workspace: Workspace) -> EarlywarnError:
    limit = workspace.config.memory_limit or "80 %"
    return EarlywarnError(
        zh=f"内存不够（memory_limit：{limit}），已停止。请在 earlywarn.yaml 中调高 memory_limit，"
        "或关闭别的程序、换内存更大的机器。",
        en=f"Not enough memory (memory_limit: {limit}): stopped. Raise memory_limit in "
        "earlywarn.yaml, close other programs, or use a machine with more.",
    )


def _memory_limit(workspace: Workspace) -> int:
    """Return the bytes that DuckDB may take: as configured, else as it grants itself."""
    written = workspace.config.memory_limit
    if not written:
        with duckdb.connect() as con:
            ((written,),) = con.execute("SELECT current_setting('memory_limit')").fetchall()
    unit = written.lstrip("0123456789. ")  # "4GB", "18.8 GiB", "0 bytes"
    thousand = 1024 if "i" in unit else 1000
    return int(float(written.removesuffix(unit)) * thousand ** ("KMGT".find(unit[0]) + 1))


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
