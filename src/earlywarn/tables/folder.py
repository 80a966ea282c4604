"""Class sheets of several files on their way into a table as one batch.

A county's month is a folder with a sheet a class. Loaded one by one they would be a thousand
batches, each held against all before it; together they are one load, which is undone as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.batches import read_batches
from earlywarn.tables.batchlist import Batch, BatchList, LoadedFile, SourceFile
from earlywarn.tables.grids import Grids
from earlywarn.tables.grids.many import read_many
from earlywarn.tables.loading import Load, Progress, in_words
from earlywarn.tables.mapping import Mapping
from earlywarn.tables.options import FileResult, IngestOptions
from earlywarn.tables.problems import told
from earlywarn.tables.quarantine.returned import is_of_quarantine
from earlywarn.tables.source import Source, collector_paused
from earlywarn.tables.validate import Converter
from earlywarn.tables.wide import WideSource
from earlywarn.workspace import Workspace


def goes_together(mapping: Mapping, options: IngestOptions, paths: Sequence[Path]) -> bool:
    """Whether these files are loaded as one batch.

    Not with --replace and --complete, which say of each file that it is all there is.
    """
    alone = options.replace or options.complete
    return mapping.layout != "long" and len(paths) > 1 and not alone


@dataclass
class _File:
    """A file that was read: its rows are those from `first` to `last`."""

    path: Path
    result: FileResult
    content: str
    sha256: str
    first: int
    last: int


class FolderLoad(Load):
    """Several files of class sheets on their way into a table.

    `files` is what became of each; `returned` those that are workbooks of a quarantine, not read.
    """

    def __init__(
        self,
        workspace: Workspace,
        mapping: Mapping,
        options: IngestOptions,
        paths: Sequence[Path],
        progress: Progress,
        beside: set[int],
    ) -> None:
        super().__init__(workspace, mapping, options, paths[0], progress, beside)
        self.paths = paths
        self.files: list[FileResult] = []
        self.returned: list[Path] = []
        self._read_files: list[_File] = []
        self._forgotten: list[int] = []

    def run(self) -> FileResult:
        """Load the files; an unusable one stops no other and ends up in its result."""
        source = WideSource(
            self.path, self.mapping, self.options, self.workspace, several=len(self.paths)
        )
        self.result.file = source.name
        with collector_paused():
            self._read_all(source)
        if self._read_files:
            self._take_all(source)
        return self.result

    def _read_all(self, source: WideSource) -> None:
        known = read_batches(self.workspace)
        for path, read in read_many(self.paths):
            if isinstance(read, Grids) and is_of_quarantine(read):
                self.returned.append(path)
                continue
            result = FileResult(path.name)
            self.files.append(result)
            begun = source.mark()
            try:
                if isinstance(read, Text):
                    result.error = read
                    continue
                source.read(path, read)
                result.notes = source.notes[begun.notes :]
                content = self._content(source, path, begun)
            except (EarlywarnError, OSError) as error:
                source.take_back(begun)
                result.error = in_words(path, error)
                continue
            before = None if self.options.again else _which_brought(known, content)
            if before is not None:
                source.take_back(begun)
                result.notes = []
                self._say_known(result, before)
                continue
            span = begun.rows.count + 1, source.rows.count
            self._read_files.append(_File(path, result, content, self.sha256, *span))
            self.progress(f"{len(self.files):,} / {len(self.paths):,}")

    def _take_all(self, source: WideSource) -> None:
        contents = "\n".join(file.content for file in self._read_files)
        try:
            self._take(source, sha256(contents.encode()).hexdigest())
        except (EarlywarnError, OSError) as error:
            for file in self._read_files:
                file.result.error = in_words(file.path, error)
            return
        for file in self._read_files:
            file.result.batch = self.result.batch
            if file.result.quarantined:
                file.result.quarantine = self.result.quarantine

    def _firsts(self) -> list[int]:
        return [file.first for file in self._read_files]

    def _without_forgotten(self, rows: pa.Table, problems: pa.Table) -> tuple[pa.Table, pa.Table]:
        kept_rows, kept_problems = super()._without_forgotten(rows, problems)
        if kept_rows.num_rows + kept_problems.num_rows < rows.num_rows + problems.num_rows:
            before, after = _numbers(rows, problems), _numbers(kept_rows, kept_problems)
            self._forgotten = np.setdiff1d(before, after).tolist()
        return kept_rows, kept_problems

    def _judge(
        self, source: Source, converter: Converter, rows: pa.Table, problems: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """Count for each file what became of its rows."""
        accepted = self._by_file(rows["_row"].to_numpy())
        quarantined = self._by_file(pc.unique(problems["row"]).to_numpy())
        forgotten = self._by_file(np.array(self._forgotten, np.int64))
        for i, file in enumerate(self._read_files):
            result = file.result
            result.rows_read = file.last - file.first + 1 - forgotten[i]
            result.accepted, result.quarantined = accepted[i], quarantined[i]
            result.merged = result.rows_read - accepted[i] - quarantined[i]
        return rows, problems

    def _tell(self, source: Source, problems: pa.Table) -> None:
        reasons = told(source, problems, self._firsts())
        for file, of_file in zip(self._read_files, reasons, strict=True):
            file.result.reasons = of_file

    def _by_file(self, numbers: np.ndarray) -> list[int]:
        """Return how many of the rows of these numbers each file has."""
        files = np.searchsorted(self._firsts(), numbers, side="right") - 1
        counts: list[int] = np.bincount(files, minlength=len(self._read_files)).tolist()
        return counts

    def _file(self) -> SourceFile | None:
        return None

    def _files(self) -> list[LoadedFile]:
        return [
            LoadedFile(
                name=file.path.name,
                sha256=file.sha256,
                size=file.path.stat().st_size,
                content=file.content,
                rows=file.result.accepted,
            )
            for file in self._read_files
        ]


def _which_brought(known: BatchList, content: str) -> Batch | None:
    return next((batch for batch in known.batches if batch.brought(content)), None)


def _numbers(rows: pa.Table, problems: pa.Table) -> np.ndarray:
    return np.union1d(rows["_row"].to_numpy(), problems["row"].to_numpy())
