"""The registers as files: one workbook for each county, all of a day in one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.engine.duckdb import connect
from earlywarn.errors import Lang, UsageError
from earlywarn.features.groups import load_groups
from earlywarn.features.newest import newest_school_day
from earlywarn.files import whole_file, whole_folder
from earlywarn.report.registers import wording
from earlywarn.report.registers.rows import Registers
from earlywarn.report.registers.workbook import write_workbook
from earlywarn.watchlist.files import safe_name
from earlywarn.workspace import Workspace

FOLDER = ("reports", "registers")


@dataclass(frozen=True, slots=True)
class Written:
    """One county's workbook: how many rows each sheet has, and how many lines are open."""

    county: str
    path: Path
    rows: dict[str, int]
    open_suspected: int
    open_dropouts: int


def newest_day(workspace: Workspace) -> date:
    """Return the newest reported school day, for which registers are made where none is said."""
    con = connect(workspace)
    try:
        return newest_school_day(con, date.today())
    finally:
        con.close()


def write_registers(
    workspace: Workspace,
    registers: Registers,
    *,
    lang: Lang,
    county: str = "",
    out: Path | None = None,
    stage: Callable[[str], None] = lambda name: None,
) -> tuple[Written, ...]:
    """Write a workbook for each county, or for one; return them in order of the counties.

    They go into the workspace's `reports/registers/AS_OF`, which then appears as a whole, or into
    the folder `out`, each file as a whole. For `county` alone the others' workbooks stay. They are
    for those who may see names and monitored groups.

    Raises
    ------
    EarlywarnError
        If the registers have no such county.
    """
    counties = _counties(registers, county)
    folder = out if out is not None else workspace.root.joinpath(*FOLDER, str(registers.as_of))
    names = _names(counties, registers.as_of, lang)
    groups = {group.name: group.label for group in load_groups(workspace.rules)}
    written = []
    with _places(folder, all_of_it=out is None and not county) as place:
        for one in counties:
            stage(one)
            theirs = _of(registers, one)
            with place(names[one]) as path:
                rows = write_workbook(
                    path,
                    theirs,
                    one,
                    groups=groups,
                    generated=workspace.config.generated,
                    lang=lang,
                )
            running = [sum(t["open"].to_pylist()) for t in (theirs.suspected, theirs.dropouts)]
            written.append(Written(one, folder / names[one], rows, *running))
    return tuple(written)


@contextmanager
def _places(
    folder: Path, *, all_of_it: bool
) -> Iterator[Callable[[str], AbstractContextManager[Path]]]:
    """Yield what gives each file its place: in a folder that is new as a whole, or one by one."""
    if all_of_it:
        with whole_folder(folder, replace=True) as made:
            yield lambda name: nullcontext(made / name)
    else:
        yield lambda name: whole_file(folder / name)


def _counties(registers: Registers, asked: str) -> list[str]:
    """Return the counties to write, those of no known county last."""
    tables = (registers.school_age, registers.suspected, registers.dropouts, registers.persuasions)
    known = sorted(
        {one for table in tables for one in table["county"].unique().to_pylist()},
        key=lambda one: (one == "", one),
    )
    if not asked:
        return known
    if asked not in known:
        raise UsageError(
            zh=f"没有县区 {asked}，可用：{'、'.join(filter(None, known)) or '无'}。",
            en=f"There is no county {asked}; there are {', '.join(filter(None, known)) or 'none'}.",
        )
    return [asked]


def _names(counties: list[str], as_of: date, lang: Lang) -> dict[str, str]:
    """Return each county's file name; they differ even where a system ignores case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for county in counties:
        base = name = safe_name(wording.file_name(county, as_of, lang))
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{base} ({number})"
        taken.add(name.lower())
        names[county] = f"{name}.xlsx"
    return names


def _of(registers: Registers, county: str) -> Registers:
    def rows(table: pa.Table) -> pa.Table:
        return table.filter(pc.equal(table["county"], county))

    return Registers(
        registers.as_of,
        rows(registers.school_age),
        rows(registers.suspected),
        rows(registers.dropouts),
        rows(registers.persuasions),
    )
