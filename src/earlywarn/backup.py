"""A whole workspace in one file, and back.

The file is a zip: `earlywarn-backup.json`, the manifest, then the workspace's files below
`workspace/`. The manifest names the program, the format, and every file with its size and SHA-256;
a restore believes nothing that it does not find there. The ledger goes in through SQLite's own
backup, so it is whole even while somebody writes to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn import __version__
from earlywarn.errors import EarlywarnError
from earlywarn.files import DAMAGED_ZIP, sha256, whole_file, whole_folder
from earlywarn.followup.ledger.connect import ledger_url
from earlywarn.forgetting import pending
from earlywarn.tables.batchlist import read_batches
from earlywarn.tables.views import damaged
from earlywarn.workspace import CONFIG_FILE, Workspace

MANIFEST = "earlywarn-backup.json"
FORMAT = 1

_INSIDE = "workspace/"
_LOCKS = {".lock", ".lock-holder.json"}
_HALF = (".part-", ".old-")  # what a killed writer left
_CHUNK = 1024 * 1024
_MOST_FILES = 2_000_000
_LARGEST_MANIFEST = 512 * 1024 * 1024
_ROOM_LEFT = 64 * 1024 * 1024  # bytes that a restore leaves free on the disk


class File(BaseModel):
    """One file of a backup: its path below the workspace, with forward slashes."""

    model_config = ConfigDict(extra="forbid")

    path: str
    size: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(extra="forbid")

    format: int
    program: str
    made: str
    ledger: str  # sqlite, none, or postgresql: not in the backup
    files: list[File]


@dataclass(frozen=True)
class BackedUp:
    """What was backed up or restored."""

    path: Path
    files: int
    size: int  # bytes of the files, unzipped
    ledger: str
    has_key: bool


def backup(
    workspace: Workspace, target: Path, *, stage: Callable[[str], None] = lambda name: None
) -> BackedUp:
    """Write the whole workspace into `target`, which appears whole or not at all, for its owner.

    It holds the workspace's lock meanwhile. Files that a killed writer left are not in it, nor is a
    ledger on a PostgreSQL server (`ledger` says so): that is for pg_dump.

    Raises
    ------
    EarlywarnError
        If `target` is there already or lies in the workspace, a forgetting waits to be finished, or
        a table's file is missing or damaged: a good backup is not followed by a bad one unnoticed.
    """
    target = target.expanduser().resolve()
    _refuse_target(workspace, target)
    with workspace.lock("backup"):
        if pending(workspace) is not None:
            raise EarlywarnError(
                zh="有一次 earlywarn forget 没有做完。请先再运行一次它，再备份。",
                en="An `earlywarn forget` was not finished. Run it once more, then back up.",
            )
        url = ledger_url(workspace)
        database = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
        kind = "postgresql" if database is None else ("sqlite" if database.exists() else "none")
        if kind == "sqlite" and database is not None and not _is_below(database, workspace.root):
            kind = "elsewhere"
        with whole_file(target) as beside, _private(beside) as out:
            manifest = Manifest(
                format=FORMAT,
                program=__version__,
                made=datetime.now(UTC).isoformat(timespec="seconds"),
                ledger=kind,
                files=[],
            )
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                accepted = _accepted(workspace)
                for path in _files(workspace.root, database):
                    name = path.relative_to(workspace.root).as_posix()
                    _refuse_name(name)
                    stage(name)
                    put = _put(archive, path, name, is_ledger=path == database)
                    if accepted.pop(name, put.sha256) != put.sha256:
                        raise damaged(path)
                    manifest.files.append(put)
                if accepted:
                    raise damaged(workspace.root / next(iter(accepted)))
                archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return _said(target, manifest)


def restore(
    file: Path, folder: Path, *, stage: Callable[[str], None] = lambda name: None
) -> BackedUp:
    """Unpack a backup into `folder`, which is new or empty: beside it first, then into its place.

    Raises
    ------
    EarlywarnError
        If the file is no backup, is half there or damaged, or comes from a newer program; if the
        folder holds anything, or the disk has too little room. Then nothing is changed.
    """
    file, folder = file.expanduser().resolve(), folder.expanduser().resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EarlywarnError(
            zh=f"{folder} 不是空的，未作改动。请用 -w 另指一个新文件夹。",
            en=f"{folder} is not empty; nothing was changed. Name a new folder with -w.",
        )
    if not file.is_file():
        raise EarlywarnError(zh=f"没有文件 {file}。", en=f"There is no file {file}.")
    with file.open("rb") as raw:
        with _reading(file):
            archive = zipfile.ZipFile(raw)
        manifest = _manifest(file, archive)
        _refuse_too_large(folder, manifest)
        with whole_folder(folder, replace=True) as made:
            for one in manifest.files:
                stage(one.path)
                _unpack(file, archive, one, made)
    return _said(folder, manifest)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Call what the library says of a wrong byte what it is: an offset may lead before the file."""
    try:
        yield
    except DAMAGED_ZIP:
        raise _damaged(file) from None


def _refuse_target(workspace: Workspace, target: Path) -> None:
    if target.exists():
        raise EarlywarnError(
            zh=f"{target} 已经存在，未作改动。请另起一个文件名。",
            en=f"{target} is there already; nothing was changed. Choose another name.",
        )
    if _is_below(target, workspace.root):
        raise EarlywarnError(
            zh=f"{target} 在工作区里面。备份请放到工作区以外，最好放到另一块磁盘。",
            en=f"{target} lies in the workspace. Put a backup outside it, best on another disk.",
        )
    if not target.parent.is_dir():
        raise EarlywarnError(
            zh=f"没有文件夹 {target.parent}。请先建好它。",
            en=f"There is no folder {target.parent}. Make it first.",
        )


def _is_below(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _private(path: Path) -> IO[bytes]:
    """Open a new file that its owner alone may read, where the platform knows such a thing."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    return os.fdopen(handle, "w+b")


def _files(root: Path, database: Path | None) -> Iterator[Path]:
    """Yield the files of a workspace in order, without locks, links, half files and journals."""
    ends = ("-journal", "-wal", "-shm")
    journals = {database.with_name(database.name + end) for end in ends} if database else set()
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(
            n for n in subfolders if not n.startswith(_HALF) and not (Path(folder) / n).is_symlink()
        )
        for name in sorted(names):
            path = Path(folder) / name
            is_lock = name in _LOCKS and path.parent == root
            if is_lock or name.startswith(_HALF) or path in journals or path.is_symlink():
                continue
            yield path


def _accepted(workspace: Workspace) -> dict[str, str]:
    """Return the SHA-256 of each table's file as it was accepted, by its name in the workspace."""
    data = workspace.data.relative_to(workspace.root).as_posix()
    batches = read_batches(workspace).batches
    return {f"{data}/{part.file}": part.sha256 for batch in batches for part in batch.parts}


def _put(archive: zipfile.ZipFile, path: Path, name: str, *, is_ledger: bool) -> File:
    """Put a file into the archive; hash the very bytes that went in."""
    if is_ledger:
        with tempfile.TemporaryDirectory(prefix="earlywarn-") as folder:
            copy = Path(folder) / path.name
            _copy_ledger(path, copy)
            return _put(archive, copy, name, is_ledger=False)
    hashed = hashlib.sha256()
    size = 0
    info = zipfile.ZipInfo.from_file(path, _INSIDE + name, strict_timestamps=False)
    info.compress_type = zipfile.ZIP_DEFLATED
    with path.open("rb") as source, archive.open(info, "w") as inside:
        while chunk := source.read(_CHUNK):
            hashed.update(chunk)
            size += len(chunk)
            inside.write(chunk)
    return File(path=name, size=size, sha256=hashed.hexdigest())


def _copy_ledger(path: Path, copy: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=60)) as source,
            closing(sqlite3.connect(copy)) as into,
        ):
            source.backup(into)
    except sqlite3.Error:
        raise EarlywarnError(
            zh=f"跟进台账 {path} 读不出来，未做备份。请先运行 earlywarn followup check。",
            en=f"The follow-up ledger {path} cannot be read; no backup was made. Run `earlywarn "
            "followup check` first.",
        ) from None


def _manifest(file: Path, archive: zipfile.ZipFile) -> Manifest:
    """Read the manifest; refuse what is no backup, newer, or does not fit the archive."""
    try:
        info = archive.getinfo(MANIFEST)
    except KeyError:
        raise EarlywarnError(
            zh=f"{file} 不是 earlywarn 的备份（没有 {MANIFEST}）。",
            en=f"{file} is no backup of earlywarn (it has no {MANIFEST}).",
        ) from None
    if info.file_size > _LARGEST_MANIFEST:
        raise _damaged(file)
    try:
        with _reading(file):
            content = archive.read(info)
        told = json.loads(content)
        written = told["format"]
        if isinstance(written, int) and written > FORMAT:
            raise EarlywarnError(
                zh=f"{file} 由更新版本的程序（{told.get('program')}）写成。请升级 earlywarn。",
                en=f"{file} was written by a newer program ({told.get('program')}). Upgrade "
                "earlywarn.",
            )
        manifest = Manifest.model_validate(told)
    except (ValueError, KeyError, TypeError, ValidationError):
        raise _damaged(file) from None
    names = [one.path for one in manifest.files]
    if len(names) > _MOST_FILES or len(set(names)) != len(names) or CONFIG_FILE not in names:
        raise _damaged(file)
    for name in names:
        _refuse_path(file, name)
    inside = {i.filename: i for i in archive.infolist()}
    if set(inside) != {MANIFEST, *(_INSIDE + name for name in names)}:
        raise _damaged(file)
    for one in manifest.files:
        info = inside[_INSIDE + one.path]
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.file_size != one.size or kind not in (0, stat.S_IFREG):
            raise _damaged(file)
    return manifest


def _refuse_name(name: str) -> None:
    if _leads_out(name):
        shown = name.encode("utf-8", "replace").decode()
        raise EarlywarnError(
            zh=f"文件名 {shown} 在别的系统上用不了（含 : 或 \\ 等），未做备份。请改名后重试。",
            en=f"The file name {shown} cannot be used on other systems (it holds : or \\ or the "
            "like); no backup was made. Rename the file and try again.",
        )


def _refuse_path(file: Path, name: str) -> None:
    if _leads_out(name):
        raise EarlywarnError(
            zh=f"{file} 里有指向文件夹之外的路径，已拒绝，未作改动。它不是本程序写的备份。",
            en=f"{file} holds a path that leads out of its folder: refused, nothing was changed. "
            "This program did not write it.",
        )


def _leads_out(name: str) -> bool:
    """Whether a path may lead out of its folder, or is none, on any system."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return (
        any(sign in name for sign in "\\:\0")
        or posix.is_absolute()
        or windows.is_absolute()
        or posix.as_posix() != name
        or name in ("", ".")
        or ".." in posix.parts
    )


def _refuse_too_large(folder: Path, manifest: Manifest) -> None:
    parent = folder
    while not parent.exists():
        parent = parent.parent
    needed = sum(one.size for one in manifest.files) + _ROOM_LEFT
    if shutil.disk_usage(parent).free < needed:
        raise EarlywarnError(
            zh=f"磁盘空间不够：恢复需要 {needed // 1_000_000} MB。请腾出空间或换一个文件夹。",
            en=f"Not enough room: the restore needs {needed // 1_000_000} MB. Make room or choose "
            "another folder.",
        )


def _unpack(file: Path, archive: zipfile.ZipFile, one: File, into: Path) -> None:
    """Write one file; not a byte more than the manifest says, and exactly those it says."""
    path = into / PurePosixPath(one.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    left = one.size
    with path.open("xb") as out:
        for chunk in _chunks(file, archive, _INSIDE + one.path):
            left -= len(chunk)
            if left < 0:
                raise _damaged(file)
            out.write(chunk)
    if left or sha256(path) != one.sha256:
        raise _damaged(file)
    mode = archive.getinfo(_INSIDE + one.path).external_attr >> 16
    if mode:  # never open to more people than it was
        with suppress(OSError):
            path.chmod(path.stat().st_mode & mode & 0o777)


def _chunks(file: Path, archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with _reading(file):
        inside = archive.open(name)
    with inside:
        while True:
            with _reading(file):
                chunk = inside.read(_CHUNK)
            if not chunk:
                return
            yield chunk


def _damaged(file: Path) -> EarlywarnError:
    return EarlywarnError(
        zh=f"{file} 不完整或已损坏，未作改动。请换一份备份。",
        en=f"{file} is half there or damaged; nothing was changed. Use another backup.",
    )


def _said(path: Path, manifest: Manifest) -> BackedUp:
    return BackedUp(
        path=path,
        files=len(manifest.files),
        size=sum(one.size for one in manifest.files),
        ledger=manifest.ledger,
        has_key=any(one.path == "secret.key" for one in manifest.files),
    )
