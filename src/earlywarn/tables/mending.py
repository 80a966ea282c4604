"""A workbook of the quarantine, loaded again: its good rows become a batch of their own.

The rows take the road of any file, under the options of their first load, and are held against what
that load brought, as if they stood in its file. A row with any fault left stays in quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn import files
from earlywarn.errors import EarlywarnError
from earlywarn.tables.batches import add_batch, read_batches
from earlywarn.tables.batchlist import Batch, BatchList, Mends
from earlywarn.tables.loading import Load, Progress
from earlywarn.tables.mapping import load_mapping
from earlywarn.tables.options import FileResult, IngestOptions
from earlywarn.tables.problems import Late, late_problems
from earlywarn.tables.quarantine.master import (
    About,
    Kept,
    Unit,
    counts,
    master_of,
    master_path,
    read_rows,
    workbook_path,
)
from earlywarn.tables.quarantine.returned import (
    Key,
    Returned,
    ReturnedSource,
    again,
    read_workbook,
    rows_of,
)
from earlywarn.tables.quarantine.state import about_of, keep_typed, mended, rows_now
from earlywarn.tables.replacing import Replacement
from earlywarn.tables.source import Source
from earlywarn.tables.validate import Converter
from earlywarn.tables.views import scan
from earlywarn.tables.wide import Mark, WideSource
from earlywarn.words import STATUS_SEVERITY
from earlywarn.workspace import Workspace


def mend(
    workspace: Workspace,
    table: str,
    path: Path,
    options: IngestOptions,
    progress: Progress,
    beside: set[int],
) -> FileResult:
    """Load a workbook of the quarantine; an error of the file ends up in the result."""
    try:
        key, grids = read_workbook(path)
        known = read_batches(workspace)
        batch, about = _base(workspace, known, path, key, table)
        merged = _options(path, batch, options)
        mapping = load_mapping(workspace, merged.mapping, table)
        master = list(read_rows(master_path(workspace, batch.id)))
        now = {row.place: row for row in rows_now(workspace, batch.id, mended(known, batch.id))}
        returned = rows_of(path, grids, about, master, now)
        load = Mending(workspace, mapping, merged, path, progress, beside)
    except EarlywarnError as error:
        return FileResult(path.name, error=error.text)
    load.base, load.about, load.returned, load.master = batch, about, returned, master
    load.ignored = [
        name
        for name, given in (
            ("--replace", options.replace),
            ("--complete", options.complete),
            ("--covers", options.covers is not None),
        )
        if given
    ]
    return load.run()


def _base(
    workspace: Workspace, known: BatchList, path: Path, key: Key, table: str
) -> tuple[Batch, About]:
    """Return the batch that a workbook is of, and its master, or say why there is none."""
    if key.table != table:
        raise EarlywarnError(
            zh=f"{path.name} 是 {key.table} 的隔离区，不是 {table}。请改用："
            f"earlywarn ingest {key.table} {path.name}",
            en=f"{path.name} is a quarantine of {key.table}, not of {table}. Use: "
            f"earlywarn ingest {key.table} {path.name}",
        )
    batch = next((b for b in known.batches if b.id == key.batch), None)
    if batch is None and any(gone.id == key.batch for gone in known.undone):
        raise EarlywarnError(
            zh=f"{path.name} 所属的批次 {key.batch} 已撤销。请改正原来的文件，重新导入。",
            en=f"{path.name} is of batch {key.batch}, which was undone. Correct the original file "
            "and load that.",
        )
    about = about_of(workspace, batch) if batch is not None else None
    if batch is None or about is None or about.content != key.content:
        raise EarlywarnError(
            zh=f"{path.name} 不是这个工作区的隔离区（批次 {key.batch}）。请在它所属的工作区导入，"
            "或改正原来的文件后在这里导入。",
            en=f"{path.name} is no quarantine of this workspace (batch {key.batch}). Load it in "
            "the workspace that it comes from, or correct the original file and load that here.",
        )
    return batch, about


def _options(path: Path, batch: Batch, given: IngestOptions) -> IngestOptions:
    """Return the options of the first load, with what is said beside them now.

    Raises
    ------
    EarlywarnError
        If the two contradict each other.
    """
    before = IngestOptions.of_batch(batch.options)
    said, now = before.said(), replace(given, complete=False, replace=False, covers=None).said()
    if given.mapping == IngestOptions().mapping:
        now["mapping"] = said["mapping"]
    for name, value in now.items():
        if said.get(name, value) != value:
            option = f"--{name.replace('_', '-')}"
            raise EarlywarnError(
                zh=f"{path.name}：{option} {value} 与批次 {batch.id} 导入时的 {said[name]} 不同。"
                f"请去掉 {option}，或改正原来的文件后重新导入。",
                en=f"{path.name}: {option} {value} contradicts {said[name]}, with which batch "
                f"{batch.id} was loaded. Leave {option} out, or load the original file again.",
            )
    both = IngestOptions.of_batch(said | now)
    return replace(both, again=given.again, dry_run=given.dry_run, who=given.who)


class Mending(Load):
    """Rows of a quarantine on their way into the table."""

    base: Batch
    about: About
    returned: Returned
    master: list[Kept]
    ignored: list[str]

    def _open(self) -> Source:
        rows = list(self.returned.rows.values())
        if self.about.layout == "long":
            return ReturnedSource(self.about, rows)
        whole = {
            (row.sheet, row.row): (row.sheet, row.unit) for row in self.master if not row.is_frame
        }
        short = {unit for key, unit in whole.items() if key not in self.returned.rows}
        rows = [row for row in rows if (row.kept.sheet, row.kept.unit) not in short]
        self.returned.rows = {(row.kept.sheet, row.kept.row): row for row in rows}
        file = Path(self.about.file)
        several = 1 + any(sheet.name != sheet.title for sheet in self.about.sheets)
        source = WideSource(file, self.mapping, self.options, self.workspace, several=several)
        source.read_again(again(self.about, self.master, rows))
        return source

    def _content(self, source: Source, path: Path, since: Mark | None = None) -> str:
        self.sha256 = files.sha256(path)
        rows = [(*key, row.cells) for key, row in sorted(self.returned.rows.items())]
        decides = {
            "mends": self.about.content,
            "batch": str(self.base.id),
            "file": self.sha256,
            "options": self.options.said(),
            "mapping": self.mapping.hash,
            "rows": sha256(repr(rows).encode()).hexdigest(),
        }
        return sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()

    def _known_already(self, content: str) -> Batch | None:
        """Return the batch with which a workbook came in that has nothing new."""
        for batch in reversed(read_batches(self.workspace).batches):
            if batch.mends is not None and batch.mends.batch == self.base.id:
                is_file = batch.file is not None and batch.file.sha256 == self.sha256
                if is_file or not self.returned.rows:
                    return batch
        return None

    def _judge(
        self, source: Source, converter: Converter, rows: pa.Table, problems: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """Take what is good of the units that are good as a whole."""
        self._source, self._converter = source, converter
        rows, problems = self._only_new(source, rows), self._only_new(source, problems, "row")
        rows, merged, late = self._beside_base(source, rows)
        if late:
            problems = pa.concat_tables([problems, late_problems(source, late)])
        offered = set(self.returned.units)
        bad = {self._unit(source, number) for number in pc.unique(problems["row"]).to_pylist()}
        if isinstance(source, WideSource):
            read = {(r.sheet.grid.name, unit) for r in source.sheets for unit in r.units.values()}
            bad |= offered - read
        self.done = {unit for unit in offered - bad if self._is_filled(unit)}
        keep = [self._unit(source, number) in self.done for number in rows["_row"].to_pylist()]
        rows = rows.filter(pa.array(keep, pa.bool_()))
        before = mended(read_batches(self.workspace), self.base.id)
        of_unit = counts(master_path(self.workspace, self.base.id))
        left = sum(n for unit, n in of_unit.items() if unit not in before | self.done)
        if self.about.layout == "long":
            merged = len(self.done) - rows.num_rows
        self.result.merged, self.result.quarantined = merged, left
        self.result.rows_read = rows.num_rows + merged + left
        self.result.mends = self.base.id
        if left:
            self.result.quarantine = workbook_path(self.workspace, self.base.id)
        self._note_returned()
        return rows, problems

    def _is_filled(self, unit: Unit) -> bool:
        return any(any(map(str.strip, row.cells)) for row in self.returned.units[unit])

    def _unit(self, source: Source, number: int) -> Unit:
        if not isinstance(source, WideSource):
            return "", number
        sheet, row, _ = source.cell(number)
        kept = self.returned.rows.get((sheet, row))
        return sheet, kept.kept.unit if kept is not None else row

    def _only_new(self, source: Source, rows: pa.Table, name: str = "_row") -> pa.Table:
        """Leave out a pupil's cells that the first load took and nobody has changed since."""
        if not isinstance(source, WideSource):
            return rows
        keep = [self._is_new(source, number) for number in rows[name].to_pylist()]
        return rows.filter(pa.array(keep, pa.bool_()))

    def _is_new(self, source: WideSource, number: int) -> bool:
        sheet, row, column = source.cell(number)
        came = self.returned.rows.get((sheet, row))
        if came is None or self._is_of_unknown(sheet, came.kept.unit):
            return True
        was_bad = any(problem.column == column for problem in came.kept.problems)
        return was_bad or column in came.changed

    def _is_of_unknown(self, sheet: str, unit: int) -> bool:
        """Whether nothing of a pupil was taken: nobody knew who it was, or it is another now."""
        who = set(next(s for s in self.about.sheets if s.name == sheet).who)
        return any(
            problem.column in who or not who
            for row in self.returned.units[sheet, unit]
            for problem in row.kept.problems
        ) or any(row.changed & who for row in self.returned.units[sheet, unit])

    def _beside_base(self, source: Source, rows: pa.Table) -> tuple[pa.Table, int, list[Late]]:
        """Hold rows against those of their key that the first load and its mendings brought.

        Equal ones count once; of a long attendance table the worst status counts; any other is a
        conflict, but for a cell of a class sheet that was corrected.
        """
        known = read_batches(self.workspace)
        parts = [
            part.file
            for batch in known.batches
            if batch.id == self.base.id or (batch.mends and batch.mends.batch == self.base.id)
            for part in batch.parts
            if part.table == self.table.name and part.rows
        ]
        if not parts or not rows.num_rows:
            return rows, 0, []
        match = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in self.table.key)
        content = [c.name for c in self.table.columns if c.name not in self.table.key]
        differs = " OR ".join(f'o."{c}" IS DISTINCT FROM n."{c}"' for c in content) or "FALSE"
        key = ", ".join(f"coalesce(CAST(n.\"{c}\" AS VARCHAR), '')" for c in self.table.key)
        worse = "FALSE"
        if self.table.name == "attendance":
            severity = " ".join(f"WHEN '{s}' THEN {n}" for s, n in STATUS_SEVERITY.items())
            worse = f"CASE n.status {severity} END > CASE o.status {severity} END"
        with duckdb.connect() as con:
            con.register("incoming", rows)
            found = con.execute(
                f"SELECT n._row, bool_or({differs}), bool_and({worse}), "
                f"any_value(concat_ws(' + ', {key})) FROM incoming AS n "
                f"JOIN {scan(self.workspace, parts)} AS o ON {match} GROUP BY 1"
            ).fetchall()
        drop, late = [], []
        for number, is_other, is_worse, shown in found:
            if not is_other:
                drop.append(number)
            elif self._may_override(source, number) or (self.about.layout == "long" and is_worse):
                continue
            elif self.about.layout == "long" and self.table.name == "attendance":
                drop.append(number)
            else:
                late.append((number, self._key_heading(source), shown, "same_key_loaded", ""))
        gone = np.array(drop + [number for number, *_ in late], dtype=np.int64)
        keep = ~np.isin(rows["_row"].to_numpy(), gone)
        return rows.filter(pa.array(keep)), len(drop), late

    def _may_override(self, source: Source, number: int) -> bool:
        if not isinstance(source, WideSource):
            return False
        sheet, row, _ = source.cell(number)
        return not self._is_of_unknown(sheet, self.returned.rows[sheet, row].kept.unit)

    def _key_heading(self, source: Source) -> str:
        shown: Iterable[str] = (
            self._shown(source, self._converter.match, name) for name in self.table.key
        )
        return " + ".join(shown)

    def _note_returned(self) -> None:
        came = self.returned
        if came.mended_before:
            self._note(
                f"{came.mended_before} 行先前已改正并导入，未再导入",
                f"{came.mended_before} rows were mended before; not loaded again",
            )
        if came.strange:
            self._note(
                f"{came.strange} 行没有自己的“原位置”，未读取：新增的行请放在单独的文件里导入",
                f"{came.strange} rows have no place of their own in the grey column and were not "
                "read: load added rows from a file of their own",
            )
        if self.ignored:
            listed = ", ".join(self.ignored)
            self._note(
                f"{listed} 不用于改正的行，未生效",
                f"{listed} means nothing for mended rows and was left out",
            )

    def _store(
        self,
        source: Source,
        tables: dict[str, pa.Table],
        problems: pa.Table,
        converter: Converter,
        content: str,
        replaced: Replacement | None,
    ) -> None:
        if problems.num_rows:
            typed = master_of(source, problems, self.mapping.who)
            keep_typed(self.workspace, self.about, [r for r in typed.rows if not r.is_frame])
        if not self.done:
            return
        rows: dict[str, list[int]] = {}
        for sheet, row in sorted(self.done):
            rows.setdefault(sheet, []).append(row)
        batch = add_batch(
            self.workspace,
            tables,
            origin=f"{self.about.file} (mends batch {self.base.id})",
            content=content,
            who=self.options.who,
            file=self._file(),
            options=self.options.said(),
            rows_read=tables[self.table.name].num_rows + self.result.merged,
            merged=self.result.merged,
            mends=Mends(batch=self.base.id, rows=rows),
        )
        self.beside.add(batch.id)
        self.result.batch = batch.id
        self.result.replaced = batch.replaced
