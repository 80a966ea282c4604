"""Import of the open data set Project STAR: pupils from kindergarten in 1985 to school's end.

One file, a row a pupil, is read as it is published; star.sql says how it becomes tables. What the
file does not say plainly is settled so:

- A pupil marked as there in a grade (its flag YES) without a school stays at the last school known
  from the grades before; where none is known, that grade has no snapshot.
- A school is rural if most of its pupils' entries in the newest grade that has any say so, and
  unknown if as many say the one as the other.
- Days present without days absent, or the other way round, make no totals.
- A date that no calendar has is no birth date. ARPIL, the file's own spelling, is April.
- The free lunch of grade 4 (g4nfreelunch) counts classmates; it says nothing about the pupil.
- Nearly every g4treadss of the published file repeats the pupil's g3treadss. It is taken as it
  stands, so a grade 4 reading mark is not to be trusted.
- Race is not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.errors import EarlywarnError
from earlywarn.tables.opendata import (
    ROW,
    Imported,
    Made,
    find_file,
    import_once,
    read_text,
    run_sql,
)
from earlywarn.workspace import Workspace

TITLE = "Project STAR"
AS_OF = date(1994, 7, 1)
HORIZON_DAYS = 1500
COMPLETE_UNTIL = date(1998, 12, 31)
STAGES = {"primary": (0, 6), "junior": (7, 8)}

_MADE = ("students", "schools", "attendance_totals", "exams", "outcomes")
_GRADES = "k12345678"
_FLAGS = tuple("flaggk" if grade == "k" else f"flagg{grade}" for grade in _GRADES)
_YES_NO = ("YES", "NO")
_MONTHS = (
    "JANUARY FEBRUARY MARCH APRIL ARPIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER"
)

# The columns that are read, under the data set's own names: those that hold one of a few words ...
_WORDS: dict[str, tuple[str, ...]] = {
    "gender": ("MALE", "FEMALE"),
    "birthmonth": tuple(_MONTHS.split()),
    **dict.fromkeys(_FLAGS, _YES_NO),
    **dict.fromkeys(
        [f"g{grade}surban" for grade in "k12348"],
        ("RURAL", "RAURAL", "SUBURBAN", "URBAN", "INNER CITY"),
    ),
    **dict.fromkeys([f"g{grade}freelunch" for grade in "k123"], ("FREE LUNCH", "NON-FREE LUNCH")),
    **dict.fromkeys(["gkspeced", "g1speced"], _YES_NO),
    "hsgrdadd": (
        "DROPPED OUT",
        "PROBABLY DROPPED OUT",
        "GRADUATED",
        "PROBABLY GRADUATED",
        "GED",
    ),
}
# ... those that hold a whole number, from and to ...
_NUMBERS: dict[str, tuple[int, int]] = {
    "birthday": (1, 31),
    "birthyear": (1900, 1994),
    **dict.fromkeys(
        [f"g{grade}{what}" for grade in "k13" for what in ("present", "absent")], (0, 366)
    ),
    **dict.fromkeys(
        [f"g{grade}t{what}ss" for grade in _GRADES for what in ("read", "math")], (0, 999)
    ),
}
# ... and those that hold an identifier.
_IDS = ("stdntid", *(f"g{grade}schid" for grade in _GRADES))
_EMPTY = pa.array(["NA", "."])  # how R and SAS write an empty cell


def import_star(workspace: Workspace, source: Path) -> Imported:
    """Import Project STAR from `source`, its file or the folder that holds it.

    Sets stages, horizon_days, as_of_dates and outcomes_complete_until, which its tables need.

    Raises
    ------
    EarlywarnError
        If the file is missing, is not the data set's or holds a value that cannot be, or the
        workspace holds other data already.
    """
    path = source if source.is_file() else _find(source)

    def make(con: duckdb.DuckDBPyConnection) -> Made:
        con.register("pupils", _read(path))
        return Made(
            run_sql(con, "star.sql", _MADE, path),
            {
                "stages": STAGES,
                "horizon_days": HORIZON_DAYS,
                "as_of_dates": [AS_OF],
                "outcomes_complete_until": COMPLETE_UNTIL,
            },
        )

    return import_once(
        workspace, [path], make, name="star", title=TITLE, origin="Project STAR (CC0 1.0)"
    )


def _find(folder: Path) -> Path:
    return find_file(folder, "STAR_Students", TITLE, (".csv", ".tsv", ".tab"))


def _read(path: Path) -> pa.Table:
    """Return the pupils as star.sql takes them: text, words in capitals, whole numbers plain."""
    read = read_text(path, (*_IDS, *_WORDS, *_NUMBERS), TITLE)
    made = {ROW: read[ROW].combine_chunks()}
    for name in (*_IDS, *_WORDS, *_NUMBERS):
        cells = read[name].combine_chunks()
        if name in _WORDS:
            cells = pc.utf8_upper(cells)
        else:  # a table program has made 169229.0 of 169229
            cells = pc.replace_substring_regex(cells, r"^(\d+)\.0*$", r"\1")
        is_empty = pc.fill_null(pc.is_in(cells, _EMPTY), True)
        made[name] = pc.if_else(is_empty, pa.scalar(None, pa.string()), cells)
    for name, words in _WORDS.items():
        _refuse(
            path,
            name,
            made,
            pc.is_in(made[name], pa.array(words)),
            f"只能是 {'、'.join(words)}。请用发布的原文件，取值为文字而非编码",
            f"one of {', '.join(words)}. Use the file as published, with words and not codes",
        )
    for name, (low, high) in _NUMBERS.items():
        can_read = pc.match_substring_regex(made[name], r"^\d{1,4}$")
        number = pc.if_else(can_read, made[name], pa.scalar(None, pa.string())).cast(pa.int32())
        inside = pc.and_(pc.greater_equal(number, low), pc.less_equal(number, high))
        _refuse(
            path,
            name,
            made,
            pc.fill_null(inside, False),
            f"应为 {low} 到 {high} 的整数。请改正或重新下载",
            f"a whole number from {low} to {high}. Correct it, or download the file again",
        )
    _check_pupils(path, made)
    return pa.table(made)


def _refuse(
    path: Path, name: str, made: dict[str, pa.Array], known: pa.Array, zh: str, en: str
) -> None:
    """Refuse the file if a cell of column `name` is filled with what is not `known`."""
    wrong = pc.indices_nonzero(pc.and_(pc.is_valid(made[name]), pc.invert(known)))
    if not len(wrong):
        return
    at = wrong[0].as_py()
    row, value = made[ROW][at].as_py(), made[name][at].as_py()
    raise EarlywarnError(
        zh=f"{path.name} 第 {row} 行，{name} 列：{value} 不合要求，{zh}。",
        en=f"{path.name}, line {row}, column {name}: {value} is not {en}.",
    )


def _check_pupils(path: Path, made: dict[str, pa.Array]) -> None:
    """Refuse a row without stdntid, and a pupil that stands there twice."""
    seen: dict[str, int] = {}
    pupils: Iterable[tuple[str | None, int]] = zip(
        made["stdntid"].to_pylist(), made[ROW].to_pylist(), strict=True
    )
    for pupil, row in pupils:
        if pupil is None:
            raise EarlywarnError(
                zh=f"{path.name} 第 {row} 行没有 stdntid。请补上或删去这一行。",
                en=f"{path.name}, line {row}: no stdntid. Fill it in or take the row out.",
            )
        if pupil in seen:
            raise EarlywarnError(
                zh=f"{path.name}：stdntid {pupil} 出现两次（第 {seen[pupil]} 行和第 {row} 行）。"
                "请只留一行。",
                en=f"{path.name}: stdntid {pupil} stands on lines {seen[pupil]} and {row}; "
                "keep one.",
            )
        seen[pupil] = row
