"""Room on the disk: estimated before the work, refused in one line, and put into words when it ends
all the same. What is spilled goes where the config says and is gone afterwards.
"""

from __future__ import annotations

import errno
import gc
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.engine.duckdb import connect
from earlywarn.engine.room import (
    Room,
    check_room,
    explained,
    in_words,
    room_needed,
    spill_folder,
)
from earlywarn.errors import EarlywarnError
from earlywarn.scoring.run import run_folders, score
from earlywarn.tables.batchlist import BATCHES_FILE, Batch, BatchList, Part
from earlywarn.workspace import Workspace
from scoring_city import CITY_DAY, City

MILLION = 1_000_000
# More than a limit of 60 MB: sorted, it must be spilled.
SORT = "CREATE TABLE t AS SELECT hash(i)::VARCHAR AS a, i FROM range(3000000) r(i) ORDER BY a"


def with_rows(workspace: Workspace, **rows: int) -> Workspace:
    """Give the workspace a list of batches with so many rows, as if they were there."""
    parts = [Part(table=table, file="-", rows=count, sha256="") for table, count in rows.items()]
    batch = Batch(id=1, loaded_at="", origin="", content="", parts=parts)
    BatchList(next_id=2, batches=[batch]).write(workspace)
    return workspace


def spilled(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".part-spill-")]


def test_what_fits_into_memory_needs_no_disk_for_it(workspace: Workspace) -> None:
    workspace = workspace.set_config(memory_limit="4GB")
    with_rows(workspace, attendance=MILLION, students=1000)
    assert room_needed(workspace) == Room(20_750_000, 4_000_000_000, 0, 500_000)
    assert room_needed(workspace).text() is None


def test_what_does_not_fit_is_spilled(workspace: Workspace) -> None:
    workspace = workspace.set_config(memory_limit="1GiB")
    with_rows(workspace, attendance=100 * MILLION, exams=10 * MILLION, students=MILLION)
    room = room_needed(workspace)
    assert room == Room(3_850_000_000, 2**30, 1_850_000_000, 500_000_000)
    said = room.text()
    assert said is not None
    assert said.en == (
        "This takes up to about 1.4 GB of memory, 1.9 GB of temporary files and 500 MB for "
        "the results."
    )


def test_the_newest_registry_may_lie_in_many_files(workspace: Workspace) -> None:
    with_rows(workspace, students=1000)
    listed = BatchList.model_validate_json((workspace.data / BATCHES_FILE).read_text("utf-8"))
    (workspace.data / "students").mkdir(parents=True, exist_ok=True)
    parts = []
    for number, (day, count) in enumerate([(1, 700), (1, 500), (2, 800), (2, 600), (2, 100)]):
        file = f"students/{number}.parquet"
        said = pa.table({"student_id": ["G1"], "snapshot_date": [date(2026, 9, day)]})
        pq.write_table(said, workspace.data / file)
        parts.append(Part(table="students", file=file, rows=count, sha256=""))
    listed.batches[0].parts = parts
    listed.write(workspace)
    assert room_needed(workspace).output == 500 * (800 + 600 + 100)


def test_without_a_limit_it_is_what_duckdb_grants_itself(workspace: Workspace) -> None:
    with duckdb.connect() as con:
        ((said,),) = con.execute("SELECT current_setting('memory_limit')").fetchall()
    number, unit = said.split()
    power = ["bytes", "KiB", "MiB", "GiB", "TiB"].index(unit)
    assert room_needed(workspace).limit == int(float(number) * 1024**power)


@pytest.mark.parametrize(
    ("limit", "rows", "cure"),
    [
        ("1GB", {"attendance": 10**12}, "temp_folder"),
        ("900TB", {"students": 10**12}, "Free some room"),
    ],
)
def test_a_disk_with_less_is_refused_before_the_work(
    workspace: Workspace, limit: str, rows: dict[str, int], cure: str
) -> None:
    with_rows(workspace.set_config(memory_limit=limit), **rows)
    with pytest.raises(EarlywarnError) as error:
        check_room(Workspace.open(workspace.root))
    for words in (error.value.text.zh, error.value.text.en):
        assert str(workspace.root) in words
        assert ("temp_folder" in words) == (cure == "temp_folder")
        assert " GB" in words
        assert "\n" not in words
    assert cure in error.value.text.en


def test_a_city_too_large_for_the_disk_is_not_scored(city: City, tmp_path: Path) -> None:
    workspace = city.copy(tmp_path / "县").set_config(memory_limit="1GB")
    path = workspace.data / "batches.json"
    known = BatchList.model_validate_json(path.read_bytes())
    for batch in known.batches:
        for part in batch.parts:
            part.rows *= 10**9
    known.write(workspace)
    args = ["score", "-w", str(workspace.root), "--as-of", str(CITY_DAY), "--lang", "en"]
    run = CliRunner().invoke(make_app(), args)
    assert run.exit_code == 1
    assert run.stderr.startswith("Not enough room on the disk: ")
    assert "Nothing was begun" in run.stderr
    assert run.stderr.count("\n") == 1
    assert run_folders(workspace, CITY_DAY) == []


def test_it_spills_into_the_workspace_and_leaves_nothing(workspace: Workspace) -> None:
    con = connect(workspace.set_config(memory_limit="60MB"))
    con.execute(SORT).fetchall()
    assert spilled(workspace.root) != []
    con.close()
    assert spilled(workspace.root) == []


def test_it_spills_into_the_folder_of_the_config(workspace: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "临时 1"
    other.mkdir()
    first = connect(workspace.set_config(memory_limit="60MB", temp_folder=str(other)))
    second = connect(Workspace.open(workspace.root))
    first.execute(SORT).fetchall()
    second.execute(SORT).fetchall()
    assert len(spilled(other)) == 2
    assert spilled(workspace.root) == []
    for con in (first, second):
        ((rows, right),) = con.execute(
            "SELECT count(*), count_if(a = hash(i)::VARCHAR) FROM t"
        ).fetchall()
        assert (rows, right) == (3 * MILLION, 3 * MILLION)
        con.close()
    assert list(other.iterdir()) == []


def test_a_relative_temp_folder_is_one_of_the_workspace(workspace: Workspace) -> None:
    (workspace.root / "tmp").mkdir()
    assert spill_folder(workspace.set_config(temp_folder="tmp")).parent == workspace.root / "tmp"


@pytest.mark.parametrize("kind", ["missing", "a file", "closed"])
def test_a_temp_folder_that_cannot_be_used_is_one_line(
    city: City, tmp_path: Path, kind: str
) -> None:
    other = tmp_path / "t"
    if kind == "a file":
        other.write_bytes(b"")
    elif kind == "closed":
        if os.name == "nt" or os.geteuid() == 0:
            pytest.skip("this user may write anywhere")
        other.mkdir(mode=0o500)
    workspace = city.copy(tmp_path / "w").set_config(temp_folder=str(other))
    run = CliRunner().invoke(make_app(), ["score", "-w", str(workspace.root), "--lang", "en"])
    assert run.exit_code == 1
    assert run.stderr.startswith(f"temp_folder in earlywarn.yaml cannot be used: {other} (")
    assert run.stderr.count("\n") == 1


def test_what_a_killed_program_left_is_removed_and_what_another_uses_is_not(
    workspace: Workspace,
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = socket.gethostname()
    names = {
        "dead": f".part-spill-{ended.pid}-0a0a0a0a-{host}",
        "alive": f".part-spill-{os.getpid()}-0a0a0a0a-{host}",
        "elsewhere": f".part-spill-{ended.pid}-0a0a0a0a-{host}-2",
    }
    for name in names.values():
        (workspace.root / name).mkdir()
        (workspace.root / name / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"1")
    connect(workspace).close()
    assert sorted(spilled(workspace.root)) == sorted([names["alive"], names["elsewhere"]])


def test_a_spill_folder_that_is_full_is_one_line(workspace: Workspace) -> None:
    workspace = workspace.set_config(memory_limit="60MB")
    con = connect(workspace)
    con.execute("SET max_temp_directory_size = '1MB'").fetchall()
    with (
        pytest.raises(EarlywarnError, match=r"disk of .* is full") as error,
        explained(workspace),
    ):
        con.execute(SORT).fetchall()
    con.close()
    assert str(workspace.root) in error.value.text.zh
    assert spilled(workspace.root) == []


def test_memory_that_does_not_suffice_is_one_line(city: City, tmp_path: Path) -> None:
    workspace = city.copy(tmp_path / "县").set_config(memory_limit="2MB")
    run = CliRunner().invoke(make_app(), ["score", "-w", str(workspace.root), "--lang", "en"])
    assert run.exit_code == 1
    assert run.stderr.startswith("Not enough memory (memory_limit: 2MB): stopped.")
    assert run.stderr.count("\n") == 1
    features = ["features", "-w", str(workspace.root), "--as-of", str(CITY_DAY), "--lang", "zh"]
    run = CliRunner().invoke(make_app(), [*features, "--out", str(tmp_path / "f.csv")])
    assert run.exit_code == 1
    assert run.stderr.startswith("内存不够（memory_limit：2MB），已停止。")
    assert not (tmp_path / "f.csv").exists()
    assert not workspace.runs.exists() or list(workspace.runs.rglob("*")) == []
    assert spilled(workspace.root) == []


def test_other_errors_stay_what_they_are(workspace: Workspace) -> None:
    assert in_words(OSError(errno.EACCES, "no", "f"), workspace) is None
    assert in_words(duckdb.IOException("No such file"), workspace) is None
    assert in_words(duckdb.BinderException("No space left on device"), workspace) is None
    with pytest.raises(ZeroDivisionError), explained(workspace):
        _ = 1 // 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB, where this user may mount one."""
    place = tmp_path / "小盘"
    place.mkdir()
    mount = shutil.which("mount")
    size = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if mount is None or subprocess.run([mount, *size], capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    gc.collect()  # pyarrow lets go of a file that it could not write only now
    subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with suppress(OSError), (disk / "ballast").open("wb", 0) as file:
        while file.write(bytes(4096)):
            pass


@pytest.mark.parametrize("at", ["features", "score"])
def test_a_disk_that_fills_up_in_the_middle_leaves_no_run(
    city: City, small_disk: Path, at: str
) -> None:
    workspace = city.copy(small_disk / "县")

    def stage(name: str) -> None:
        if name == at:
            fill(small_disk)

    with pytest.raises(EarlywarnError, match=r"disk of .* is full") as error:
        score(workspace, CITY_DAY, stage=stage)
    assert str(workspace.root) in error.value.text.zh
    assert run_folders(workspace, CITY_DAY) == []
    assert not list(workspace.root.rglob(".part-*"))
    (small_disk / "ballast").unlink()
    assert score(workspace, CITY_DAY).is_new


def test_a_disk_that_fills_up_with_spilled_files_is_one_line(
    workspace: Workspace, small_disk: Path
) -> None:
    workspace = workspace.set_config(memory_limit="60MB", temp_folder=str(small_disk))
    con = connect(workspace)
    fill(small_disk)
    with pytest.raises(EarlywarnError, match=r"disk of .* is full") as error, explained(workspace):
        con.execute(SORT).fetchall()
    con.close()
    assert spilled(small_disk) == []
    assert str(small_disk) in error.value.text.en
