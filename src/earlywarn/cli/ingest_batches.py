"""What `earlywarn ingest` shows of batches: the list, an undo, what a dry run would change."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from earlywarn.cli.common import Output
from earlywarn.errors import EarlywarnError, Text, UsageError

if TYPE_CHECKING:
    from earlywarn.tables.batchlist import Batch
    from earlywarn.tables.preview import Example, Preview
    from earlywarn.workspace import Workspace

_PIPED_WIDTH = 160
_HEADS = (
    Text("批次", "batch"),
    Text("时间", "when"),
    Text("操作人", "who"),
    Text("表、行数", "table, rows"),
    Text("文件", "file"),
    Text("隔离", "in quarantine"),
    Text("选项", "options"),
)


def list_batches(workspace: Workspace, out: Output) -> int:
    """Print the batches in force, oldest first."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from earlywarn.tables.batches import read_batches
    from earlywarn.tables.quarantine.state import refresh, still

    notes: list[Text] = []
    with suppress(EarlywarnError), workspace.lock("ingest --list"):  # else another command does it
        notes = refresh(workspace)
    known = read_batches(workspace)
    batches, left = known.batches, still(workspace, known)
    out.data(
        [
            batch.model_dump(mode="json") | {"in_quarantine": left.get(batch.id, 0)}
            for batch in batches
        ]
    )
    for note in notes:
        out.say(Text(f"{note.zh}。", f"{note.en}."))
    if out.as_json:
        return 0
    if not batches:
        out.say(Text("还没有导入任何数据。", "Nothing has been loaded yet."))
        return 0
    table = Table(box=SIMPLE_HEAD)
    for head in _HEADS:
        table.add_column(head(out.lang), overflow="fold")
    for batch in batches:
        table.add_row(*_cells(batch, left.get(batch.id, 0)))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(table)
    return 0


def _cells(batch: Batch, left: int) -> list[str]:
    return [
        str(batch.id),
        _local(batch.loaded_at),
        batch.who or "-",
        "\n".join(f"{part.table} {part.rows:,}" for part in batch.parts),
        batch.origin,
        f"{left:,}",
        " ".join(f"{key}={value}" for key, value in batch.options.items()),
    ]


def _local(moment: str) -> str:
    """Return a moment of the list as the clock on the wall showed it."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"


def refuse_beside_undo(*others: bool) -> None:
    """Refuse a table, files or other doings beside --undo."""
    if any(others):
        raise UsageError(
            zh="--undo 须单独使用，例如：earlywarn ingest --undo 3",
            en="--undo stands alone, such as: earlywarn ingest --undo 3",
        )


def undo_batch(workspace: Workspace, number: str, who: str, out: Output) -> int:
    """Undo a batch and say what that took out."""
    from earlywarn.tables.undo import batch_number, undo

    done = undo(workspace, batch_number(number), who)
    batch = done.batch
    rows = {part.table: part.rows for part in batch.parts}
    out.data(
        {
            "undone": batch.id,
            "origin": batch.origin,
            "rows": rows,
            "left": [str(path) for path in done.left],
        }
    )
    zh = "、".join(f"{table} {count:,} 行" for table, count in rows.items())
    en = ", ".join(f"{table} {_counted(count)}" for table, count in rows.items())
    out.say(
        Text(
            f"已撤销批次 {batch.id}（{batch.origin}）：{zh}。它取代的先前各行重新生效。",
            f"Batch {batch.id} ({batch.origin}) is undone: {en}. "
            "Earlier rows that it took the place of count again.",
        )
    )
    for path in done.left:
        out.say(
            Text(
                f"未能删除 {path}（可能正被打开）；它已不再使用，请自行删除。",
                f"{path} could not be removed (it may be open); it counts no more, delete it.",
            )
        )
    for note in done.notes:
        out.say(Text(f"{note.zh}。", f"{note.en}."))
    return 0


def say_how_to_mend(table: str, workbook: Path, out: Output) -> None:
    """Name the workbook of the rows that were not accepted, and say how to mend them."""
    out.say(
        Text(
            f"  未接受的行：打开 {workbook}，改正橙色单元格，保存，再运行："
            f'earlywarn ingest {table} "{workbook}"',
            f"  Rows not accepted: open {workbook}, correct the orange cells, save, then run: "
            f'earlywarn ingest {table} "{workbook}"',
        )
    )


def _counted(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def say_preview(found: Preview, out: Output) -> None:
    """Print what a file would do to one table: counts, columns, examples."""
    zh = f"  {found.table}：新增 {found.new:,} 行，改变 {found.changed:,} 行，"
    zh += f"相同 {found.equal:,} 行"
    en = f"  {found.table}: {found.new:,} new, {found.changed:,} changed, {found.equal:,} equal"
    if found.withdrawn:
        zh += f"，撤下先前 {found.withdrawn:,} 行"
        en += f", {found.withdrawn:,} earlier rows withdrawn"
    out.say(Text(zh, en))
    if found.columns:
        columns = ", ".join(f"{name} {count:,}" for name, count in found.columns.items())
        out.say(Text(f"    改变的列：{columns}", f"    changed by column: {columns}"))
    for example in found.examples:
        out.say(_example(example))


def _example(example: Example) -> Text:
    key = " ".join(f"{name}={value}" for name, value in example.key.items() if value is not None)
    if not example.changes:
        return Text(f"    - {key}：撤下", f"    - {key}: withdrawn")
    zh, en = [], []
    for change in example.changes:
        if change.is_shown:
            values = (change.old, change.new)
            zh.append(f"{change.column} " + " → ".join(value or "（空）" for value in values))
            en.append(f"{change.column} " + " -> ".join(value or "(empty)" for value in values))
        else:
            zh.append(f"{change.column}（不显示）")
            en.append(f"{change.column} (not shown)")
    return Text(f"    - {key}：{'；'.join(zh)}", f"    - {key}: {'; '.join(en)}")
