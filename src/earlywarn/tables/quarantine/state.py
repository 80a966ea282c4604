"""What is still in quarantine, and the workbooks that show it.

The list of batches is the truth: `refresh` brings every workbook up to it, also after a command
that was killed in between. A workbook that somebody changed is never written over unasked: it is
set aside under another name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from earlywarn import files
from earlywarn.errors import Text
from earlywarn.tables.batchlist import Batch, BatchList, read_batches
from earlywarn.tables.quarantine.master import (
    FOLDER,
    About,
    Kept,
    Unit,
    counts,
    master_path,
    read_about,
    read_rows,
    typed_path,
    workbook_path,
    write_rows,
)
from earlywarn.tables.quarantine.workbook import MOST_ROWS, write_workbook
from earlywarn.workspace import Workspace

_WRITTEN = "workbooks.json"  # batch -> of which state its workbook is, and its hash as written


def about_of(workspace: Workspace, batch: Batch) -> About | None:
    """Return what the master of a batch says; None if all of its rows were accepted."""
    about = read_about(master_path(workspace, batch.id))
    # A load that was killed before it was listed leaves a master behind, of another content.
    return about if about is not None and about.content == batch.content else None


def mended(known: BatchList, batch_id: int) -> set[Unit]:
    """Return what of a batch's quarantine later batches in force brought in."""
    return {
        (sheet, row)
        for batch in known.batches
        if batch.mends is not None and batch.mends.batch == batch_id
        for sheet, rows in batch.mends.rows.items()
        for row in rows
    }


def still(workspace: Workspace, known: BatchList) -> dict[int, int]:
    """Return by batch how many rows are in quarantine now, where there are any."""
    found = {}
    for batch in known.batches:
        if master_path(workspace, batch.id).with_suffix(".csv").exists():  # of earlier programs
            found[batch.id] = batch.quarantined
        elif about_of(workspace, batch) is not None:
            done = mended(known, batch.id)
            of_unit = counts(master_path(workspace, batch.id))
            count = sum(n for unit, n in of_unit.items() if unit not in done)
            if count:
                found[batch.id] = count
    return found


def still_of_tables(workspace: Workspace) -> dict[str, tuple[int, int]]:
    """Return by table how many rows are in quarantine now, and the newest batch with any."""
    known = read_batches(workspace)
    left = still(workspace, known)
    found: dict[str, tuple[int, int]] = {}
    for batch in known.batches:
        if batch.id in left:
            table = batch.parts[0].table
            found[table] = (found.get(table, (0, 0))[0] + left[batch.id], batch.id)
    return found


def rows_now(workspace: Workspace, batch_id: int, done: Collection[Unit]) -> Iterator[Kept]:
    """Yield the frame and the rows still in quarantine, as last typed where they were."""
    typed = {(row.sheet, row.row): row for row in read_rows(typed_path(workspace, batch_id))}
    for row in read_rows(master_path(workspace, batch_id)):
        if row.is_frame:
            yield row
        elif (row.sheet, row.unit) not in done:
            yield typed.get((row.sheet, row.row), row)


def keep_typed(workspace: Workspace, about: About, rows: Sequence[Kept]) -> None:
    """Keep rows that are still wrong as they were typed, beside those kept before."""
    path = typed_path(workspace, about.batch)
    now = {(row.sheet, row.row): row for row in read_rows(path)}
    now |= {(row.sheet, row.row): row for row in rows}
    if now:
        write_rows(path, about, now.values())


def refresh(workspace: Workspace, loaded: Collection[Path] = ()) -> list[Text]:
    """Bring the workbooks up to the list of batches; return what a person should know.

    The caller holds the workspace's lock. `loaded`: workbooks whose rows were just taken in.
    """
    folder = workspace.data / FOLDER
    if not folder.is_dir():
        return []
    known = read_batches(workspace)
    record = _read_record(folder / _WRITTEN)
    now: dict[str, dict[str, str]] = {}
    notes: list[Text] = []
    for batch in known.batches:
        about = about_of(workspace, batch)
        if about is None:
            continue
        done = mended(known, batch.id)
        state, before = _state(workspace, batch.id, done), record.get(str(batch.id), {})
        path = workbook_path(workspace, batch.id)
        if before.get("state") == state:
            now[str(batch.id)] = before
            continue
        hashes = {before.get("sha256", ""), *map(files.sha256, loaded)}
        hashes |= {b.file.sha256 for b in known.batches if b.file and _mends(b, batch.id)}
        try:
            notes += _write(workspace, batch, about, done, hashes)
        except OSError:
            notes.append(_in_use(path))
            now[str(batch.id)] = before
            continue
        digest = files.sha256(path) if path.exists() else ""
        now[str(batch.id)] = {"state": state, "sha256": digest}
    if now != record:
        files.write_whole(folder / _WRITTEN, json.dumps(now, indent=1))
    return notes


def forget(
    workspace: Workspace,
    is_its: Callable[[Sequence[str], Sequence[str]], bool],
    struck: Callable[[str], str],
    *,
    dry_run: bool = False,
) -> dict[int, int]:
    """Take a child out of every master; return by batch how many rows go, 0 for words alone.

    The caller holds the workspace's lock and brings the workbooks up to it with `refresh`.

    Parameters
    ----------
    is_its
        Whether a row is the child's, by headings and cells.
    struck
        Takes what is the child's alone out of a text of others.
    """
    gone: dict[int, int] = {}
    for batch in read_batches(workspace).batches:
        about = about_of(workspace, batch)
        if about is None:
            continue
        of_unit = counts(master_path(workspace, batch.id))
        heading = {sheet.name: sheet.heading for sheet in about.sheets}
        paths = [master_path(workspace, batch.id), typed_path(workspace, batch.id)]
        before = {path: list(read_rows(path)) for path in paths if path.exists()}
        rows = [row for some in before.values() for row in some]
        heads = {r.sheet: r.cells for r in rows if r.is_frame and r.row == heading[r.sheet]}
        its = {
            (row.sheet, row.unit)
            for row in rows
            if not row.is_frame and is_its(heads[row.sheet], row.cells)
        }
        for path, some in before.items():
            kept = [r for r in some if r.is_frame or (r.sheet, r.unit) not in its]
            kept = [row.struck(struck) for row in kept]
            if kept == some:
                continue
            gone[batch.id] = sum(of_unit.get(unit, 0) for unit in its)
            if not dry_run:
                write_rows(path, about, kept)
    return gone


def files_of(workspace: Workspace, batch_id: int) -> list[Path]:
    """Return all files of a batch's quarantine."""
    path = master_path(workspace, batch_id)
    return sorted(path.parent.glob(f"{path.stem}.*"))


def _write(
    workspace: Workspace, batch: Batch, about: About, done: Collection[Unit], ours: Collection[str]
) -> list[Text]:
    """Write the workbook of what is still wrong; none where nothing is.

    `ours`: hashes of workbooks with which nobody's work is lost; another one is set aside.
    """
    path = workbook_path(workspace, batch.id)
    kept: list[Kept] = []
    units: set[Unit] = set()
    left = shown = 0
    for row in rows_now(workspace, batch.id, done):
        unit = (row.sheet, row.unit)
        if row.is_frame:
            kept.append(row)
        elif shown < MOST_ROWS or unit in units:
            units.add(unit)
            kept.append(row)
            shown += 1
        else:
            left += 1
    before = files.sha256(path) if path.exists() else ""
    if not units:
        notes = [_set_aside(path)] if before and before not in ours else []
        path.unlink(missing_ok=True)
        return notes
    sheets = {sheet for sheet, _ in units}
    rows = [row for row in kept if row.sheet in sheets]
    lang, notes = workspace.config.lang, []
    with files.whole_file(path) as beside:
        write_workbook(
            beside, about, rows, name=path.name, left=left, when=batch.loaded_at, lang=lang
        )
        if before and before not in ours and before != files.sha256(beside):
            notes.append(_set_aside(path))
    return notes


def _state(workspace: Workspace, batch_id: int, done: Collection[Unit]) -> str:
    """Hash what decides on the workbook."""
    keyed = sha256(repr((sorted(done), workspace.config.lang)).encode())
    for path in (master_path(workspace, batch_id), typed_path(workspace, batch_id)):
        keyed.update(files.sha256(path).encode() if path.exists() else b"-")
    return keyed.hexdigest()


def _mends(batch: Batch, batch_id: int) -> bool:
    return batch.mends is not None and batch.mends.batch == batch_id


def _set_aside(path: Path) -> Text:
    number = 1
    while (aside := path.with_name(f"{path.stem}.kept-{number}{path.suffix}")).exists():
        number += 1
    path.rename(aside)
    return Text(
        f"{path.name} 里有尚未导入的改动，已另存为 {aside}",
        f"{path.name} held changes that were not loaded; it is kept as {aside}",
    )


def _in_use(path: Path) -> Text:
    return Text(
        f"{path} 正被打开，未能更新。请关闭它，再运行一次 earlywarn ingest --list",
        f"{path} is open and could not be brought up to date. Close it and run "
        "earlywarn ingest --list",
    )


def _read_record(path: Path) -> dict[str, dict[str, str]]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        if isinstance(found, dict):
            return found
    return {}
