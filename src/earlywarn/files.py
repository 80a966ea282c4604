"""Files that appear whole or not at all, on POSIX and on Windows."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# What the libraries say of a zip that is none, is cut off, or has a wrong byte, wherever that is.
DAMAGED_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    OSError,  # an offset that leads before the file
    OverflowError,
    RuntimeError,  # encrypted, or packed in a way that is not known
    ValueError,
)


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk, where the system can."""
    with suppress(OSError):
        flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
        handle = os.open(path, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write `content` (text as UTF-8) beside `path`, flush it, then rename it over `path`."""
    data = content.encode() if isinstance(content, str) else content
    with whole_file(path) as beside:
        beside.write_bytes(data)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it becomes `path` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".part-{os.getpid()}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield beside
        _sync(beside)
        beside.replace(path)
        _sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a folder beside `path` to fill; it becomes `path` only if the block succeeds.

    `path` must not exist yet, unless an earlier one is to be replaced as a whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".part-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    beside.mkdir()
    try:
        yield beside
        for file in sorted(beside.rglob("*")):
            _sync(file)
        _sync(beside)
        if replace and path.exists():
            _swap(beside, path)
        else:
            beside.rename(path)
        _sync(path.parent)
    finally:
        if beside.exists():
            shutil.rmtree(beside, ignore_errors=True)


def _swap(beside: Path, path: Path) -> None:
    """Put `beside` in the place of `path`; if that fails, `path` stays as it was."""
    old = path.with_name(f".old-{uuid.uuid4().hex[:8]}")
    path.rename(old)
    try:
        beside.rename(path)
    except BaseException:
        with suppress(OSError):
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
