"""What `earlywarn ingest` prints of a load: what came in, what did not, and what to do now."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from earlywarn.cli.common import Output
from earlywarn.cli.ingest_batches import say_how_to_mend, say_preview
from earlywarn.errors import Text

if TYPE_CHECKING:
    from earlywarn.tables.options import FileResult, IngestResult

_SHOWN = 5
_NAMED_FILES = 10  # of more files in one batch only those with a fault are named


def show(result: IngestResult, out: Output, dry_run: bool) -> None:
    """Print what became of a load."""
    out.data(
        {
            "table": result.table,
            "exit_code": result.exit_code,
            "dry_run": dry_run,
            "files": [_as_json(file, out) for file in result.files],
            "together": _as_json(result.together, out) if result.together else None,
            "passed_over": result.passed_over,
            "notes": [note(out.lang) for note in result.notes],
        }
    )
    if result.passed_over:
        shown = result.passed_over[:_SHOWN]
        more = len(result.passed_over) - len(shown)
        out.say(
            Text(
                f"不是数据文件，未读取：{'、'.join(shown)}"
                + (f" 等，另有 {more} 个" if more else ""),
                f"No data files, passed over: {', '.join(shown)}"
                + (f" and {more} more" if more else ""),
            )
        )
    together = result.together
    alone = result.files
    if together is not None:
        of_batch = [file for file in result.files if _is_of(file, together)]
        alone = [file for file in result.files if not _is_of(file, together)]
        _say_files(of_batch, result.table, out, dry_run)
    for file in alone:
        if file.error:
            out.say(Text(f"✗ {file.error.zh}", f"x {file.error.en}"))
            continue
        if not file.loaded_before:
            _say_counts(file, result.table, out, dry_run)
        _say_rest(file, result.table, out)
    if together is not None and len(alone) < len(result.files):
        _say_counts(together, result.table, out, dry_run)
        _say_rest(together, result.table, out)
    for note in result.notes:
        out.say(Text(f"{note.zh}。", f"{note.en}."))


def _is_of(file: FileResult, together: FileResult) -> bool:
    """Whether a file's rows went into the batch of several."""
    return not file.error and not file.loaded_before and file.batch == together.batch


def _say_files(files: list[FileResult], table: str, out: Output, dry_run: bool) -> None:
    """Name the files of one batch: all of a few, else those with rows that were not accepted."""
    named = files
    if len(files) > _NAMED_FILES:
        named = [file for file in files if file.quarantined][:_SHOWN]
    for file in named:
        _say_counts(file, table, out, dry_run)
        if named is files:
            _say_notes(file, out)
        _say_reasons(file, out)


def _say_counts(file: FileResult, table: str, out: Output, dry_run: bool) -> None:
    stored = _stored(file, dry_run)
    out.say(
        Text(
            f"{file.file} → {table}：读取 {file.rows_read:,} 行，"
            f"接受 {file.accepted:,}，隔离 {file.quarantined:,}"
            + (f"，合并 {file.merged:,}" if file.merged else "")
            + (f"，替换先前 {file.replaced:,} 行" if file.replaced else "")
            + (f"，撤下先前 {file.withdrawn:,} 行" if file.withdrawn else "")
            + stored.zh,
            f"{file.file} -> {table}: {file.rows_read:,} rows read, "
            f"{file.accepted:,} accepted, {file.quarantined:,} quarantined"
            + (f", {file.merged:,} merged" if file.merged else "")
            + (f", {file.replaced:,} earlier rows replaced" if file.replaced else "")
            + (f", {file.withdrawn:,} earlier rows withdrawn" if file.withdrawn else "")
            + stored.en,
        )
    )


def _say_rest(file: FileResult, table: str, out: Output) -> None:
    """Print what a load would change, its notes, its reasons, and how to mend what it left."""
    for found in file.preview:
        say_preview(found, out)
    _say_notes(file, out)
    _say_reasons(file, out)
    if file.quarantine:
        say_how_to_mend(table, file.quarantine, out)


def _say_reasons(file: FileResult, out: Output) -> None:
    for reason in file.reasons[:_SHOWN]:
        out.say(Text(f"  - {reason.zh}", f"  - {reason.en}"))
    if len(file.reasons) > _SHOWN:
        more = len(file.reasons) - _SHOWN
        out.say(Text(f"  …另有 {more} 类问题", f"  ... and {more} more kinds"))


def _say_notes(file: FileResult, out: Output) -> None:
    prefix = f"{file.file}: " if file.loaded_before else "  "
    for note in file.notes:
        out.say(Text(f"{prefix}{note.zh}。", f"{prefix}{note.en}."))


def _stored(file: FileResult, dry_run: bool) -> Text:
    """Say where a file's rows went: to a batch, or, of a dry run and with none mended, nowhere."""
    if dry_run:
        return Text("（试运行，未写入）", " (dry run, nothing written)")
    if file.batch is None:
        return Text("（没有可导入的行）", " (no row to load)")
    if file.mends is not None:
        return Text(
            f"（批次 {file.batch}，改正自批次 {file.mends}）",
            f" (batch {file.batch}, mends batch {file.mends})",
        )
    return Text(f"（批次 {file.batch}）", f" (batch {file.batch})")


def _as_json(file: FileResult, out: Output) -> dict[str, Any]:
    shown = asdict(file)
    shown["reasons"] = [text(out.lang) for text in file.reasons]
    shown["notes"] = [text(out.lang) for text in file.notes]
    shown["error"] = file.error(out.lang) if file.error else None
    return shown
