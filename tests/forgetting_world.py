"""A village scored for two weeks, with everything that names a child, and a search through it all.

The child that is forgotten has a name, a phone and a number of its own; two others share a name.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import cache
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from earlywarn.followup.daily import daily
from earlywarn.followup.importing import import_files
from earlywarn.followup.ledger import Ledger, NewCase
from earlywarn.impact.trial import impact
from earlywarn.report.impact import write_impact
from earlywarn.tables.ingest import ingest
from earlywarn.tables.options import IngestOptions
from earlywarn.watchlist.weekly import score_and_list
from earlywarn.watchlist.wording import word
from earlywarn.workspace import Workspace
from scoring_city import SCHOOL_A, SCHOOL_B, load, rows, village_tables

WEEKS = (date(2026, 4, 3), date(2026, 4, 10))
CHILD, NAME, PHONE = "G110101201203150018", "欧阳晓燕", "13900001111"
TWIN, TWIN_NAME = "LA03", "李明"  # LB03 has this name too
NEEDLES = (CHILD, CHILD[1:], NAME, PHONE)
_NAMED = dict(zip((*SCHOOL_A, *SCHOOL_B), "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦", strict=True))


def _called(student: str) -> str:
    return {"LA01": CHILD}.get(student, student)


def _name(student: str) -> str:
    special = {CHILD: NAME, TWIN: TWIN_NAME, "LB03": TWIN_NAME}
    return special.get(student, f"{_NAMED.get(student, '林')}小{student[-2:]}")


def tables() -> dict[str, pa.Table]:
    """Return the village's tables; the child is away without leave before both lists."""
    found = village_tables()
    attendance = found["attendance"].to_pylist()
    for row in attendance:
        row["student_id"] = _called(row["student_id"])
        away = row["date"] >= date(2026, 3, 31)
        if row["student_id"] in (CHILD, TWIN) and away:
            row["status"] = "unexcused"
    found["attendance"] = pa.Table.from_pylist(attendance, found["attendance"].schema)
    pupils = [_called(student) for student in found["students"]["student_id"].to_pylist()]
    told = found["students"].to_pydict() | {
        "student_id": pupils,
        "name": [_name(pupil) for pupil in pupils],
        "guardian_phone": [
            PHONE if p == CHILD else f"1380000{i:04d}" for i, p in enumerate(pupils)
        ],
        "homeroom_teacher": ["何老师"] * len(pupils),
    }
    found["students"] = rows("students", **told)
    return found


def registry(path: Path) -> Path:
    """Write a registry file: the child's good row, a bad one of it, and a bad one of another's."""
    path.write_text(
        "student_id,name,sex,school_id,grade,class_id,guardian_phone\n"
        f"{CHILD},{NAME},F,VA,7,7.1,{PHONE}\n"
        f"{CHILD[:-1]}X,{NAME},female?,VA,7,7.1,{PHONE}\n"
        f"{CHILD},{NAME},F,VA,seven,7.1,{PHONE}\n"
        "LA02,钱小02,F,VA,seven,7.1,13800000001\n"
        "LA04,李小04,F,VA,7,7.1,13800000003\n",
        encoding="utf-8",
    )
    return path


def load_registry(workspace: Workspace, path: Path, *, again: bool = False) -> None:
    """Load the registry file as a user does."""
    ingest(workspace, "students", [path], IngestOptions(snapshot=WEEKS[0], again=again))


def make(root: Path) -> Workspace:
    """Make the workspace: tables, quarantine, two weeks of lists, rounds, a trial, a ledger."""
    workspace = Workspace.init(root)
    for pack in workspace.rules.glob("*.yaml"):
        if pack.stem not in ("attendance", "groups", "actions"):
            pack.unlink()
    for table, content in tables().items():
        load(workspace, table, content)
    (workspace.root / "source").mkdir()
    load_registry(workspace, registry(workspace.root / "source" / "名册.csv"))
    (first, second) = WEEKS
    score_and_list(workspace, first, who="t")
    daily(workspace, first, who="t")
    filled = fill(workspace.runs / first.isoformat() / "1", root.parent / "returned")
    import_files(workspace, [filled], who="t")
    daily(workspace, second, who="t")
    score_and_list(workspace, second, who="t")
    rules = Path(shutil.copytree(workspace.rules, root.parent / "rules"))
    attendance = rules / "attendance.yaml"
    attendance.write_text(
        attendance.read_text("utf-8").replace("floor: urgent", "floor: watch"), encoding="utf-8"
    )
    found = impact(workspace, rules, second)
    write_impact(workspace.root / "impact" / second.isoformat(), found, "zh")
    with Ledger.open(workspace) as ledger:
        ledger.open_cases(
            NewCase("unregistered", "VA", second, "by hand", person="买买提·艾力"), who="t"
        )
        ledger.audit("explain", "screen", who="t", role="county", student_id=CHILD, rows=1)
    (workspace.root / "logs").mkdir()
    (workspace.root / "logs" / "day.log").write_text(f"ok\nlooked at {CHILD}\n", encoding="utf-8")
    return workspace


def fill(run: Path, folder: Path) -> Path:
    """Fill in a school's workbook: for the child, for another, and with the child's name there."""
    folder.mkdir()
    source = next(path for path in (run / "watchlists" / "schools").glob("VA*.xlsx"))
    path = Path(shutil.copy(source, folder / source.name))
    book = openpyxl.load_workbook(path, rich_text=True)
    sheet = book.worksheets[0]
    heading = next(r for r in range(1, 20) if sheet.cell(r, 3).value == word("student", "zh"))
    where = {sheet.cell(heading, c).value: c for c in range(1, sheet.max_column + 1)}
    for row in range(heading + 1, sheet.max_row + 1):
        who = str(sheet.cell(row, 3).value)
        if not who.strip():
            continue
        sheet.cell(row, where[word("contacted_by", "zh")]).value = "何老师"
        if NAME not in who:
            sheet.cell(row, where[word("next", "zh")]).value = f"和{NAME}在一起"
    book.save(path)
    return path


def holding(root: Path, needles: tuple[str, ...] = NEEDLES) -> dict[str, list[str]]:
    """Return the files below `root` that hold a needle.

    They are searched byte by byte in every encoding, unpacked as deep as they go, page by page of
    SQLite, and in the columns, dictionaries and statistics of Parquet.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        hits = [
            f"{needle} {where}"
            for where, data in _bytes(path.read_bytes())
            for needle in needles
            if any(form in data for form in _forms(needle))
        ]
        if any(needle in path.as_posix() for needle in needles):
            hits.append("its path")
        if hits:
            found[path.relative_to(root).as_posix()] = hits
    return found


@cache
def _forms(needle: str) -> set[bytes]:
    encodings = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
    return {json.dumps(needle)[1:-1].encode(), *map(needle.encode, encodings)}


def _bytes(data: bytes, where: str = "") -> Iterator[tuple[str, bytes]]:
    yield where, data
    if data.startswith(b"\x1f\x8b"):
        yield from _bytes(gzip.decompress(data), f"{where}/gunzipped")
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield f"{where}/{name}", name.encode()
                yield from _bytes(archive.read(name), f"{where}/{name}")
    if data.startswith(b"PAR1"):
        file = pq.ParquetFile(io.BytesIO(data))
        table = file.read()
        yield f"{where}/columns", repr([column.to_pylist() for column in table.columns]).encode()
        yield f"{where}/statistics", repr(file.metadata.to_dict()).encode()
        for column in table.columns:
            if pa.types.is_string(column.type):
                values = pc.unique(column).to_pylist()
                yield f"{where}/dictionary", repr(values).encode()
    if data.startswith(b"SQLite"):
        with closing(sqlite3.connect(":memory:")) as con:
            con.deserialize(data)
            yield f"{where}/dump", "\n".join(con.iterdump()).encode("utf-8", "replace")
