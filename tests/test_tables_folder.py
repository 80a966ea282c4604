"""A folder of class sheets: one batch together, and the same rows as one by one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from class_sheets import CLASSES, SCHOOL, TICKS, Style, World, month_grid, xls, xlsx
from earlywarn.cli import ingest as ingest_command
from earlywarn.forgetting.process import forget
from earlywarn.tables.batches import read_batches
from earlywarn.tables.grids import many
from earlywarn.tables.ingest import IngestOptions, IngestResult, ingest
from earlywarn.tables.undo import undo
from earlywarn.workspace import Workspace
from quarantined import all_rows, mend
from test_tables_wide import registered, rows_of


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory, world: World) -> Workspace:
    return registered(tmp_path_factory.mktemp("registered") / "某县", world)


@pytest.fixture
def workspace(county: Workspace, tmp_path: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(county.root, tmp_path / "某县")))


@pytest.fixture
def folder(tmp_path: Path, world: World) -> Path:
    """One sheet a class; the class and the month stand in the file's name."""
    made = tmp_path / "十一月"
    made.mkdir()
    plain = Style(TICKS, title="学生考勤表")
    for i, one in enumerate(CLASSES):
        write, ending = (xls, ".xls") if i == 1 else (xlsx, ".xlsx")
        write(made / f"2026年11月 {one}{ending}", {"考勤": month_grid(world, one, plain)})
    return made


def load(workspace: Workspace, *paths: Path, **said: Any) -> IngestResult:
    options = IngestOptions(mapping="cn-class-sheet", school=SCHOOL, **said)
    return ingest(workspace, "attendance", list(paths), options)


def change(path: Path, world: World, one: str, cells: dict[tuple[int, int], str]) -> None:
    """Write a class's month anew, with some cells (row, column; from 1) of its sheet changed."""
    grid = month_grid(world, one, Style(TICKS, title="学生考勤表"))
    for (row, column), text in cells.items():
        grid[row - 1][column - 1] = text
    xlsx(path, {"考勤": grid})


def test_a_folder_is_one_batch_with_the_rows_of_its_files(
    workspace: Workspace, folder: Path, world: World
) -> None:
    before = len(read_batches(workspace).batches)
    result = load(workspace, folder)
    assert [file.error for file in result.files] == [None] * 3
    assert rows_of(workspace, "attendance") == world.long(world.children)
    (batch,) = read_batches(workspace).batches[before:]
    assert {file.batch for file in result.files} == {batch.id}
    counted = {file.file: file.accepted for file in result.files}
    assert {file.name: file.rows for file in batch.files} == counted
    assert batch.parts[0].rows == sum(counted.values()) == len(world.long(world.children))
    for file in result.files:
        assert file.rows_read == file.accepted + file.merged + file.quarantined
    undo(workspace, batch.id, "")
    assert not rows_of(workspace, "attendance")


def test_what_was_loaded_already_is_left_out(
    workspace: Workspace, folder: Path, world: World
) -> None:
    third = sorted(folder.iterdir())[2]
    aside = third.rename(folder.parent / third.name)
    first = load(workspace, folder)
    again = load(workspace, folder)
    assert all(file.loaded_before for file in again.files)
    assert again.together is not None
    assert again.together.batch is None
    (alone,) = load(workspace, next(folder.iterdir())).files
    assert alone.loaded_before
    assert alone.batch == first.files[0].batch
    aside.rename(third)
    more = load(workspace, folder)
    assert [file.loaded_before for file in more.files] == [True, True, False]
    assert rows_of(workspace, "attendance") == world.long(world.children)


def test_a_bad_file_stops_no_other(workspace: Workspace, folder: Path, world: World) -> None:
    (folder / "坏.xlsx").write_bytes(b"PK\x03\x04 cut off")
    xlsx(folder / "没有月份 七年级1班.xlsx", {"考勤": [["姓名", 1, 2, 3, 4], ["王明", *"√√√√"]]})
    result = load(workspace, folder)
    wrong = {file.file: file.error.en for file in result.files if file.error}
    assert set(wrong) == {"坏.xlsx", "没有月份 七年级1班.xlsx"}
    assert "--month 2026-11" in wrong["没有月份 七年级1班.xlsx"]
    assert rows_of(workspace, "attendance") == world.long(world.children)
    assert result.exit_code == 1


def test_of_two_files_the_later_one_counts(
    workspace: Workspace, folder: Path, world: World
) -> None:
    later = folder / "改 2026年11月 七年级1班.xlsx"
    child, day = world.of(CLASSES[0])[0], world.days[0]
    change(later, world, CLASSES[0], {(4, 2 + day.day): "△"})
    assert sorted(folder.iterdir())[-1] == later
    result = load(workspace, folder)
    rows = rows_of(workspace, "attendance")
    statuses = {status for who, on, _, status in rows if (who, on) == (child.student_id, day)}
    assert statuses == {"leave"}
    assert len(rows) == len(world.long(world.children))
    merged = {file.file: file.merged for file in result.files if file.merged}
    assert merged == {"2026年11月 七年级1班.xlsx": len(world.long(world.of(CLASSES[0])))}
    assert result.together is not None
    assert "the later file counts" in " ".join(note.en for note in result.together.notes)


def test_bad_rows_of_several_files_are_mended_in_one_workbook(
    workspace: Workspace, folder: Path, world: World
) -> None:
    day = world.days[0].day
    changed = {CLASSES[0]: (4, 2), CLASSES[2]: (5, 2 + day)}  # nobody's name; no known sign
    for one, place in changed.items():
        change(folder / f"2026年11月 {one}.xlsx", world, one, {place: "王名"})
    result = load(workspace, folder)
    assert [file.quarantined for file in result.files] == [1, 0, 1]
    said = [reason.en for file in result.files for reason in file.reasons]
    assert "七年级1班.xlsx 考勤!B4" in said[0]
    assert "八年级1班.xlsx 考勤!" in said[1]
    read = sum(file.rows_read for file in result.files)
    assert all_rows(workspace) == read + len(world.children) + 2  # the registry and the schools
    batch = result.files[0].batch
    assert batch is not None
    workbook = workspace.data / "_quarantine" / f"batch-{batch:06d}.xlsx"
    child = world.of(CLASSES[0])[0]
    mend(
        workbook,
        {
            (f"2026年11月 {CLASSES[0]}.xlsx 考勤!4", 2): child.name,
            (f"2026年11月 {CLASSES[2]}.xlsx 考勤!5", 2 + day): TICKS[
                world.attendance[(world.of(CLASSES[2])[1].student_id, world.days[0])]
            ],
        },
        folder / "改好.xlsx",
    )
    mended = load(workspace, folder)
    assert [file.mends for file in mended.files] == [None, None, None, batch]
    assert rows_of(workspace, "attendance") == world.long(world.children)


def test_many_files_are_read_by_other_processes(
    workspace: Workspace, folder: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "坏.xlsx").write_bytes(b"")
    monkeypatch.setattr(many, "_WORTH_IT", 2)
    result = load(workspace, folder)
    assert [file.file for file in result.files if file.error] == ["坏.xlsx"]
    assert rows_of(workspace, "attendance") == world.long(world.children)


def test_a_forgotten_child_does_not_come_back(
    workspace: Workspace, folder: Path, world: World
) -> None:
    gone = world.children[0]
    forget(workspace, gone.student_id, who="")
    result = load(workspace, folder, again=True)
    rows = rows_of(workspace, "attendance")
    assert rows == world.long(world.children[1:])
    for file in result.files:
        assert file.rows_read == file.accepted + file.merged + file.quarantined


def test_a_dry_run_writes_nothing_and_each_file_alone_with_replace(
    workspace: Workspace, folder: Path, world: World
) -> None:
    before = len(read_batches(workspace).batches)
    result = load(workspace, folder, dry_run=True)
    assert result.together is not None
    (preview,) = result.together.preview
    assert preview.new == len(world.long(world.children))
    assert not rows_of(workspace, "attendance")
    load(workspace, folder, replace=True)
    assert len(read_batches(workspace).batches) == before + 3
    assert rows_of(workspace, "attendance") == world.long(world.children)


def test_of_many_files_only_those_with_a_fault_are_named(
    workspace: Workspace, folder: Path, world: World
) -> None:
    for number in range(9):
        shutil.copy(
            folder / f"2026年11月 {CLASSES[0]}.xlsx", folder / f"2026年11月 七（1）班 {number}.xlsx"
        )
    change(folder / f"2026年11月 {CLASSES[2]}.xlsx", world, CLASSES[2], {(4, 2): "王名"})
    app = typer.Typer()
    ingest_command.register(app)
    words = ["attendance", str(folder), "--mapping", "cn-class-sheet", "--school", SCHOOL]
    done = CliRunner().invoke(app, [*words, "-w", str(workspace.root), "--lang", "en"])
    assert done.exit_code == 3, done.output
    lines = done.output.replace("\n", " ")
    assert f"2026年11月 {CLASSES[2]}.xlsx -> attendance" in lines
    assert f"2026年11月 {CLASSES[1]}.xls -> attendance" not in lines
    assert "(12) -> attendance" in lines
    assert lines.count("correct the orange cells") == 1
    done = CliRunner().invoke(app, [*words, "-w", str(workspace.root), "--json"])
    answer = json.loads(done.output)
    assert len(answer["files"]) == 12
    assert all(file["loaded_before"] for file in answer["files"])
