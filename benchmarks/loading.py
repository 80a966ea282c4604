"""Loading beside the bare libraries, each in turn in one run.

    python benchmarks/loading.py

A city's attendance as one CSV, with validation, beside DuckDB's `read_csv` of the same file into
Parquet. A month's class sheets of the whole city, one workbook a class, once as XLSX and once as
XLS, beside the library that reads them (calamine, xlrd) opening the same files and handing over
every cell. Each command runs as its own process, its start included; the libraries are timed
without theirs.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

import duckdb
import openpyxl
import pyarrow.csv as pacsv
import xlrd
import xlwt
from figure import Figure, alone, figure, gigabytes
from python_calamine import CalamineWorkbook

from earlywarn.engine.duckdb import connect
from earlywarn.simulate.city import simulate
from earlywarn.simulate.plan import Plan
from earlywarn.workspace import Workspace

CSV_AT_MOST, SHEETS_AT_MOST, GB_AT_MOST = 3.0, 1.5, 3.0
REPEATS = 3
SHEETS = 1660
YEAR, MONTH = 2026, 5
DAYS = range(1, 32)
SIGNS = {
    "present": "√",
    "sick": "○",
    "leave": "△",
    "unexcused": "×",
    "late": "⊕",
    "left_early": "退",
}
GRADES = "一二三四五六七八九"
CLASSES = f"""
SELECT school_id, any_value(s.name), grade, class_id, list(c.name ORDER BY student_id),
       list(student_id ORDER BY student_id)
FROM (
    SELECT * FROM students WHERE snapshot_date <= DATE '{YEAR}-{MONTH}-31'
    QUALIFY row_number() OVER (PARTITION BY student_id ORDER BY snapshot_date DESC) = 1
) AS c JOIN schools AS s USING (school_id)
WHERE left_on IS NULL AND class_id IS NOT NULL AND grade BETWEEN 1 AND 9
  AND snapshot_date >= DATE '{YEAR - 1}-09-01'
GROUP BY school_id, grade, class_id HAVING count(DISTINCT c.name) = count(*)
ORDER BY school_id, grade, class_id LIMIT {SHEETS}
"""
Cells = list[list[Any]]


def seconds(call: Callable[[], Any]) -> float:
    """Time one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def ingest(workspace: Path, *words: str) -> tuple[dict[str, Any], float, float]:
    """Run `earlywarn ingest attendance` as its own process: its answer, seconds, peak GB."""
    begun = time.perf_counter()
    command = ["-m", "earlywarn.cli.main", "ingest", "attendance", *words]
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(
            [sys.executable, *command, "-w", str(workspace), "--json"], stdout=out
        )
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - begun
        out.seek(0)
        answer: dict[str, Any] = json.load(out)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(json.dumps(answer, ensure_ascii=False))
    return answer, took, gigabytes(usage.ru_maxrss)


def csv_figures(city: Workspace, folder: Path, quoting: Literal["needed", "none"]) -> list[Figure]:
    """Time a CSV of all attendance, day by day: every text in quotes as `simulate --csv` writes it
    ("needed"), or none."""
    file = folder / "attendance.csv"
    columns = "SELECT student_id, date, status, session FROM attendance"
    con = connect(city)
    rows = con.sql(f"{columns} ORDER BY date, student_id, session").to_arrow_table()
    con.close()
    pacsv.write_csv(rows, file, pacsv.WriteOptions(quoting_style=quoting))
    del rows
    out = folder / "bare.parquet"
    bare: list[float] = []
    ours: list[float] = []
    peaks: list[float] = []
    for _ in range(REPEATS):
        bare.append(seconds(lambda: duckdb.read_csv(str(file)).write_parquet(str(out))))
        shutil.rmtree(folder / "empty", ignore_errors=True)
        Workspace.init(folder / "empty")
        answer, took, peak = ingest(folder / "empty", str(file))
        ours.append(took)
        peaks.append(peak)
    size = file.stat().st_size
    file.unlink()
    out.unlink()
    shutil.rmtree(folder / "empty")
    ratio = statistics.median(ours) / statistics.median(bare)
    kind = "CSV" if quoting == "none" else "CSV in quotes"
    counts = {"rows": answer["files"][0]["accepted"], "MB": round(size / 1e6)}
    took = {"ingest": ours, "read_csv into Parquet": bare}
    return [
        figure(f"loading: {kind}, rows and size", counts, "", True),
        figure(f"loading: {kind}, seconds", _rounded(took), "", True),
        figure(
            f"loading: {kind} with validation, times DuckDB's read_csv into Parquet",
            round(ratio, 2),
            f"at most {CSV_AT_MOST:g}",
            ratio <= CSV_AT_MOST,
        ),
        figure(
            f"loading: {kind}, peak memory, GB",
            round(max(peaks), 2),
            f"under {GB_AT_MOST:g}",
            max(peaks) < GB_AT_MOST,
        ),
    ]


def _rounded(laps: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: [round(lap, 2) for lap in some] for name, some in laps.items()}


def sheets(city: Workspace) -> Iterator[tuple[str, Cells, int]]:
    """Yield each class's file name, its month as a sheet's cells, and how many rows are in it.

    An empty cell counts as present for a child with any sign, on a day on which anybody has one.
    """
    con = connect(city)
    month = f"date BETWEEN '{YEAR}-{MONTH}-01' AND '{YEAR}-{MONTH}-31'"
    known = ", ".join(f"'{status}'" for status in SIGNS)
    others = f"SELECT student_id FROM attendance WHERE {month} AND status NOT IN ({known})"
    signs: dict[str, dict[int, str]] = defaultdict(dict)
    for student, day, status in con.execute(
        f"SELECT student_id, day(date), status FROM attendance WHERE {month} "
        f"AND student_id NOT IN ({others})"
    ).fetchall():
        signs[student][day] = SIGNS[status]
    classes = con.execute(CLASSES).fetchall()
    con.close()
    for school, school_name, grade, class_id, names, students in classes:
        title = f"{GRADES[grade - 1]}年级（{int(class_id[-2:])}）班"
        week = ["一二三四五六日"[date(YEAR, MONTH, day).weekday()] for day in DAYS]
        rows: Cells = [
            [f"{school_name}{YEAR}年{MONTH}月{title}考勤表"],
            ["序号", "姓名", *DAYS, "出勤"],
            ["", "", *week, ""],
        ]
        for number, (name, student) in enumerate(zip(names, students, strict=True), 1):
            of_child = [signs[student].get(day, "") for day in DAYS]
            rows.append([number, name, *of_child, of_child.count("√")])
        rows += [["图例：√出勤 ○病假 △事假 ×旷课 ⊕迟到 退早退"], ["班主任签字："]]
        signed = [row[2:-1] for row in rows[3:-2] if any(row[2:-1])]
        held = len(signed) * sum(map(any, zip(*signed, strict=True)))
        yield f"{school}-{class_id}", rows, held


def write_sheets(city: Workspace, folder: Path) -> tuple[int, int]:
    """Write every class's sheet as XLSX and as XLS; return how many, and the rows in them."""
    files = total = 0
    for name, rows, held in sheets(city):
        new = openpyxl.Workbook()
        new.active.title = "考勤"
        old = xlwt.Workbook(encoding="utf-8")
        page = old.add_sheet("考勤")
        for i, row in enumerate(rows):
            new.active.append(row)
            for j, value in enumerate(row):
                if value != "":
                    page.write(i, j, value)
        new.save(folder / "xlsx" / f"{name}.xlsx")
        old.save(folder / "xls" / f"{name}.xls")
        files += 1
        total += held
    return files, total


def by_calamine(folder: Path) -> None:
    """Hand over every cell of the folder's XLSX files."""
    for path in sorted(folder.iterdir()):
        book = CalamineWorkbook.from_path(path)
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python(skip_empty_area=False)


def by_xlrd(folder: Path) -> None:
    """Hand over every cell of the folder's XLS files."""
    for path in sorted(folder.iterdir()):
        for sheet in xlrd.open_workbook(path).sheets():
            for row in range(sheet.nrows):
                sheet.row_values(row)


def sheet_figures(city: Workspace, folder: Path) -> list[Figure]:
    """Time a folder of class sheets, in a workspace that knows schools and registry."""
    for kind in ("xlsx", "xls", "registry"):
        (folder / kind).mkdir()
    files, held = write_sheets(city, folder)
    registry = Workspace.init(folder / "registry")
    con = connect(city)
    for table in ("schools", "students"):
        con.sql(f"SELECT * FROM {table}").write_parquet(str(folder / f"{table}.parquet"))
    con.close()
    for table in ("schools", "students"):
        words = ["ingest", table, str(folder / f"{table}.parquet"), "-w", str(registry.root)]
        subprocess.run(
            [sys.executable, "-m", "earlywarn.cli.main", *words], check=True, capture_output=True
        )
    found = [figure("loading: class sheets, files and rows in them", [files, held], "", True)]
    for kind, library, bare in (
        ("xlsx", "calamine", by_calamine),
        ("xls", "xlrd", by_xlrd),
    ):
        laps: dict[str, list[float]] = {"ingest": [], library: []}
        accepted = 0
        for _ in range(REPEATS):
            laps[library].append(seconds(lambda bare=bare, kind=kind: bare(folder / kind)))
            shutil.rmtree(folder / "loaded", ignore_errors=True)
            shutil.copytree(registry.root, folder / "loaded")
            words = [str(folder / kind), "--mapping", "cn-class-sheet"]
            answer, took, _ = ingest(folder / "loaded", *words)
            laps["ingest"].append(took)
            accepted = sum(file["accepted"] for file in answer["files"])
        ratio = statistics.median(laps["ingest"]) / statistics.median(laps[library])
        found += [
            figure(f"loading: {kind} class sheets, seconds", _rounded(laps), "", True),
            figure(
                f"loading: {kind} class sheets, rows accepted",
                accepted,
                f"{held}, those in the sheets",
                accepted == held,
            ),
            figure(
                f"loading: {kind} class sheets, times {library} reading the same files",
                round(ratio, 2),
                f"at most {SHEETS_AT_MOST:g}",
                ratio <= SHEETS_AT_MOST,
            ),
        ]
    return found


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    made = folder / "city"
    city = Workspace.open(made) if made.is_dir() else simulate(folder / "loading-city", Plan())
    beside = folder / "loading"
    beside.mkdir()
    found = csv_figures(city, beside, "needed") + csv_figures(city, beside, "none")
    return found + sheet_figures(city, beside)


if __name__ == "__main__":
    sys.exit(alone(figures))
