"""One file on its way into a table: read, map, validate, settle duplicates, quarantine, store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from earlywarn import files
from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.batches import Batch, SourceFile, add_batch, read_batches
from earlywarn.tables.batchlist import LoadedFile
from earlywarn.tables.covers import covered
from earlywarn.tables.duplicates import settle
from earlywarn.tables.forgotten import left_out, problems_without_forgotten, without_forgotten
from earlywarn.tables.grids import read_grids
from earlywarn.tables.headings import find_heading_row, match_headings, notes_of
from earlywarn.tables.mapping import Mapping, Match
from earlywarn.tables.options import FileResult, IngestOptions
from earlywarn.tables.preview import preview
from earlywarn.tables.problems import Late, late_problems, told
from earlywarn.tables.quarantine import master_path, workbook_path
from earlywarn.tables.quarantine.master import About, master_of, write_rows
from earlywarn.tables.readers import open_source
from earlywarn.tables.replacing import Replacement, is_newest, replacement
from earlywarn.tables.source import Source, is_empty
from earlywarn.tables.validate import DEFAULT_FULL_MARK, PROBLEM_SCHEMA, Converter
from earlywarn.tables.wide import Mark, WideSource
from earlywarn.workspace import Workspace

Progress = Callable[[str], None]


class Load:
    """One file on its way into a table."""

    def __init__(
        self,
        workspace: Workspace,
        mapping: Mapping,
        options: IngestOptions,
        path: Path,
        progress: Progress,
        beside: set[int],  # batches of the same command's files; this one's is added
    ) -> None:
        self.workspace = workspace
        self.mapping = mapping
        self.table = mapping.table
        self.options = options
        self.path = path
        self.progress = progress
        self.beside = beside
        self.sha256 = ""
        self._ordered = False  # whether the rows are known to stand in the stored order
        self.result = FileResult(path.name)

    def run(self) -> FileResult:
        """Load the file; an error of the file ends up in the result."""
        try:
            self._run()
        except (EarlywarnError, OSError) as error:
            self.result = FileResult(self.path.name, error=in_words(self.path, error))
        return self.result

    def _run(self) -> None:
        source = self._open()
        content = self._content(source, self.path)
        known = None if self.options.again else self._known_already(content)
        if known is not None:
            self._say_known(self.result, known)
            return
        self._take(source, content)

    def _take(self, source: Source, content: str) -> None:
        """Bring the rows of an opened source in, or show what that would change."""
        fills = self._fills()
        match = self._match(source, fills)
        converter = Converter(
            self.mapping,
            match,
            source.headings,
            fills,
            self.options.full_mark,
            self.workspace.config.stages,
            source.serial_epoch,
        )
        rows, problems = self._read(source, converter)
        rows, problems = self._settle(source, converter, rows, problems)
        rows, problems = self._without_forgotten(rows, problems)
        rows, problems = self._judge(source, converter, rows, problems)
        self.result.accepted = rows.num_rows
        self._note_numbers(source, match)
        self._tell(source, problems)
        tables = {self.table.name: rows.drop_columns(["_row"])}
        if self.options.covers is not None:
            tables["reported_days"] = self._covered(rows)
        replaced = self._replaced(tables[self.table.name])
        if self.options.dry_run:
            self.result.preview = preview(self.workspace, tables, replaced)
        else:
            self._store(source, tables, problems, converter, content, replaced)

    def _open(self) -> Source:
        source: Source
        if self.mapping.layout == "long":
            source = open_source(self.path)
            find_heading_row(source, self.mapping)
        else:
            source = WideSource(self.path, self.mapping, self.options, self.workspace)
            source.read(self.path, read_grids(self.path))
        self.result.notes += source.notes
        return source

    def _content(self, source: Source, path: Path, since: Mark | None = None) -> str:
        """Hash what decides on the result: content, table, options, mapping, who was found.

        `since`: where the file's rows begin, if others stand before them.
        """
        self.sha256 = files.sha256(path)
        decides = {
            "file": self.sha256,
            "table": self.table.name,
            "options": self.options.said(),
            "mapping": self.mapping.hash,
        }
        if isinstance(source, WideSource):
            decides["rows"] = source.digest(since)
        if self.table.name == "students":
            decides["stages"] = repr(sorted(self.workspace.config.stages.items()))
        return sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()

    def _known_already(self, content: str) -> Batch | None:
        """Return the batch in force that this load would only bring again."""
        known = read_batches(self.workspace)
        for batch in known.batches:
            # What replaces anew must come after all that was loaded in between.
            if batch.brought(content) and (not self.options.replace or is_newest(known, batch)):
                return batch
        return None

    def _judge(
        self, source: Source, converter: Converter, rows: pa.Table, problems: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """Return which rows come in and what is wrong with the others; a file's are all settled."""
        return rows, problems

    def _say_known(self, result: FileResult, batch: Batch) -> None:
        result.loaded_before = True
        result.batch = batch.id
        self.beside.add(batch.id)
        result.notes.append(
            Text(
                f"已作为批次 {batch.id} 导入过，未重复导入（--again 可强制导入）",
                f"loaded already as batch {batch.id}; not loaded again (--again forces it)",
            )
        )

    def _note(self, zh: str, en: str) -> None:
        self.result.notes.append(Text(zh, en))

    def _fills(self) -> dict[str, str]:
        return self.mapping.defaults | self.options.fills()

    def _match(self, source: Source, fills: dict[str, str]) -> Match:
        if isinstance(source, WideSource):
            return source.match
        match = match_headings(self.workspace, source, self.mapping, fills)
        self.result.notes += notes_of(match)
        return match

    def _read(self, source: Source, converter: Converter) -> tuple[pa.Table, pa.Table]:
        """Convert the file chunk by chunk; return the rows accepted so far and the problems."""
        empty = pa.schema([("_row", pa.int64()), *self.table.schema]).empty_table()
        parts, problems = [empty], [PROBLEM_SCHEMA.empty_table()]
        unnamed = [i for i, heading in enumerate(source.headings) if not heading]
        filled: set[int] = set()
        for chunk in source.chunks():
            converted = converter.convert(chunk)
            self.result.rows_read += len(chunk.rows) + len(chunk.wrong)
            self.result.quarantined += converted.bad_rows
            parts.append(converted.rows)
            problems.append(converted.problems)
            for i in unnamed:
                if not pc.all(is_empty(chunk.columns[i])).as_py():
                    filled.add(i + 1)
            self.progress(f"{source.name}: {self.result.rows_read:,}")
        for number in sorted(filled):
            self._note(
                f"第 {number} 列没有表头，未使用", f"column {number} has no heading; left out"
            )
        return pa.concat_tables(parts), pa.concat_tables(problems)

    def _settle(
        self, source: Source, converter: Converter, rows: pa.Table, problems: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """What shows only beside the file's other rows: full marks never said, keys twice."""
        late: list[Late] = []
        if self.table.name == "exams":
            rows, late = self._full_marks(converter, rows)
        settled = settle(self.table, rows, self._firsts())
        if settled.merged:
            self._note_merged(settled.merged)
        key = " + ".join(self._shown(source, converter.match, name) for name in self.table.key)
        for row, value, others in settled.conflicts:
            places = re.sub(r"\d+", lambda number: source.where(int(number.group())), others)
            late.append((row, key, value, "same_key", places))
        if settled.conflicts and self.table.name == "students":
            numbers = pa.array([row for row, _, _ in settled.conflicts], pa.int64())
            schools = rows.filter(pc.is_in(rows["_row"], numbers))["school_id"]
            converter.bad_schools.update(pc.unique(schools).to_pylist())
        self._ordered = settled.in_order
        if settled.superseded:
            self._note(
                f"{settled.superseded} 行在后面的文件里也有，以后面的文件为准",
                f"{settled.superseded} rows stand in a later file too: the later file counts",
            )
        self.result.merged = settled.merged + settled.superseded
        self.result.quarantined += len({row for row, *_ in late})
        if late:
            problems = pa.concat_tables([problems, late_problems(source, late)])
        return settled.rows, problems

    def _firsts(self) -> list[int]:
        """Return the first row of each file, where there are several."""
        return []

    def _without_forgotten(self, rows: pa.Table, problems: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Leave out the rows of forgotten children, good and bad: a note alone counts them."""
        rows, good = without_forgotten(self.workspace, rows)
        problems, bad = problems_without_forgotten(self.workspace, problems)
        if good + bad:
            self.result.rows_read -= good + bad
            self.result.quarantined -= bad
            self.result.notes.append(left_out(good + bad))
        return rows, problems

    def _shown(self, source: Source, match: Match, name: str) -> str:
        index = match.columns.get(name)
        return name if index is None else source.headings[index]

    def _note_merged(self, merged: int) -> None:
        if self.table.name == "attendance":
            self._note(
                f"{merged} 行与同一学生、日期、节次的另一行重复，取最严重的状态",
                f"{merged} rows stood for a student, date and session that another row has too: "
                "the worst status counts",
            )
        else:
            self._note(f"{merged} 行完全重复，只计一次", f"{merged} equal rows count once")

    def _full_marks(self, converter: Converter, rows: pa.Table) -> tuple[pa.Table, list[Late]]:
        """Fill in 100 where no full mark was said, unless the file's scores contradict it."""
        marks = rows["full_mark"].combine_chunks()
        unsaid = pc.is_null(marks)
        doubtful = pa.array(sorted(converter.above_unsaid), pa.string())
        wrong = pc.and_(unsaid, pc.is_in(rows["subject"].combine_chunks(), doubtful))
        taken = rows.filter(wrong)
        late = [
            (row, "score", "" if score is None else f"{score.normalize():f}", "say_full_mark", "")
            for row, score in zip(
                taken["_row"].to_pylist(), taken["score"].to_pylist(), strict=True
            )
        ]
        filled = pc.fill_null(marks, pa.scalar(DEFAULT_FULL_MARK, marks.type))
        place = rows.schema.get_field_index("full_mark")
        rows = rows.set_column(place, "full_mark", filled)
        return rows.filter(pc.invert(wrong)), late

    def _note_numbers(self, source: Source, match: Match) -> None:
        """Say which identifiers a workbook holds as numbers: their leading zeros are gone."""
        shown = [
            source.headings[index]
            for name, index in match.columns.items()
            if index in source.numeric and self.table.column(name).type == "id"
        ]
        if shown:
            self._note(
                f"{'、'.join(shown)} 列在工作簿中是数字；如有前导零，已在导入前丢失。"
                "建议把该列格式设为“文本”",
                f"{', '.join(shown)}: stored as numbers in the workbook; leading zeros, if any, "
                "were lost before. Better format the column as text",
            )

    def _tell(self, source: Source, problems: pa.Table) -> None:
        """Say what kinds of problems there are."""
        (self.result.reasons,) = told(source, problems)

    def _covered(self, rows: pa.Table) -> pa.Table:
        """Return the reported_days rows that --covers stands for."""
        assert self.options.covers is not None  # noqa: S101 - for the type checker
        days, notes = covered(self.workspace, self.path.name, rows, self.options.covers)
        self.result.notes += notes
        return days

    def _replaced(self, rows: pa.Table) -> Replacement | None:
        """Return what --replace takes out: nothing where a row is in quarantine.

        That row may be the only one left of a child's day, and must not be lost for a wrong cell.
        """
        if not self.options.replace:
            return None
        if self.result.quarantined:
            self._note(
                "有行被隔离，--replace 未生效：文件中的行已照常处理，先前的其他行仍然有效。"
                "改正后请重新导入整个文件",
                "rows were quarantined, so --replace was not applied: the file's rows count as "
                "usual, other earlier rows stay. Correct them and load the whole file again",
            )
            return None
        found = replacement(self.workspace, self.path.name, self.table, rows, self.beside)
        if found is None:
            self._note(
                "文件里没有可用的行，--replace 未生效",
                "no usable row in the file, so --replace takes nothing out",
            )
        else:
            self.result.notes += found.notes
            self.result.withdrawn = found.withdrawn
        return found

    def _store(
        self,
        source: Source,
        tables: dict[str, pa.Table],
        problems: pa.Table,
        converter: Converter,
        content: str,
        replaced: Replacement | None,
    ) -> None:
        batch_id = read_batches(self.workspace).next_id
        self._quarantine(source, problems, batch_id, content)
        complete: list[tuple[str, str]] = []
        if self.options.complete:
            complete = self._complete(tables["students"], converter.bad_schools)
        batch = add_batch(
            self.workspace,
            tables,
            origin=source.name,
            content=content,
            who=self.options.who,
            file=self._file(),
            files=self._files(),
            options=self.options.said(),
            rows_read=self.result.rows_read,
            merged=self.result.merged,
            quarantined=self.result.quarantined,
            withdrawn=self.result.withdrawn,
            replaces={self.table.name: replaced.scope} if replaced else {},
            complete=complete,
            ordered=[self.table.name] if self._ordered else [],
        )
        self.beside.add(batch.id)
        self.result.batch = batch.id
        self.result.replaced = batch.replaced

    def _file(self) -> SourceFile | None:
        """Return the file that the batch is read from, None where it is several."""
        return SourceFile(name=self.path.name, sha256=self.sha256, size=self.path.stat().st_size)

    def _files(self) -> list[LoadedFile]:
        """Return the files that the batch is read from, where they are several."""
        return []

    def _quarantine(self, source: Source, problems: pa.Table, batch_id: int, content: str) -> None:
        """Keep the rows that were not accepted; their workbook is made once the batch is listed."""
        path = master_path(self.workspace, batch_id)
        if not problems.num_rows:
            path.unlink(missing_ok=True)  # of a load that was killed
            return
        master = master_of(source, problems, self.mapping.who)
        about = About(
            batch=batch_id,
            table=self.table.name,
            content=content,
            file=source.name,
            layout=self.mapping.layout,
            options=self.options.said(),
            headings=master.headings,
            epoch=master.epoch,
            sheets=master.sheets,
        )
        write_rows(path, about, master.rows)
        self.result.quarantine = workbook_path(self.workspace, batch_id)

    def _complete(self, students: pa.Table, bad_schools: set[str | None]) -> list[tuple[str, str]]:
        """Return the (school, day) whose whole registry this file is.

        A school with a quarantined row is left out: that child is in the file, and must not be
        taken off the registry for a wrong cell.
        """
        pairs = students.group_by(["school_id", "snapshot_date"]).aggregate([]).to_pylist()
        whole = [
            (pair["school_id"], pair["snapshot_date"].isoformat())
            for pair in pairs
            if None not in bad_schools and pair["school_id"] not in bad_schools
        ]
        if len(whole) < len(pairs):
            left_out = sorted({p["school_id"] for p in pairs} - {school for school, _ in whole})
            shown = ", ".join(left_out[:10]) + (" …" if len(left_out) > 10 else "")
            self._note(
                f"--complete 未用于 {len(left_out)} 所学校（{shown}）：有行被隔离。"
                "改正后请重新导入整个文件",
                f"--complete was not applied to {len(left_out)} schools ({shown}): rows were "
                "quarantined. Correct them and load the whole file again",
            )
        return whole


def in_words(path: Path, error: EarlywarnError | OSError) -> Text:
    """Say why the file at `path` could not be loaded."""
    if isinstance(error, EarlywarnError):
        return error.text
    cause = error.strerror or str(error)
    return Text(
        f"{path.name}：无法读写（{cause}）。请检查磁盘空间和权限后重试。",
        f"{path.name}: cannot read or write ({cause}). "
        "Check disk space and permissions, then try again.",
    )
