"""The open data set Project STAR: its format, its tables worked by hand, and its exact counts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build
from earlywarn.features.groups import load_groups
from earlywarn.tables.batches import read_batches
from earlywarn.tables.star import import_star
from earlywarn.workspace import Config, Workspace

GRADES = "k12345678"
# The data set's own columns, those that are read and some of the many that are not.
COLUMNS = (
    *("stdntid", "gender", "race", "birthmonth", "birthday", "birthyear"),
    *(f"flagg{g}" for g in GRADES),
    *(f"g{g}schid" for g in GRADES),
    *(f"g{g}surban" for g in "k12348"),
    *(f"g{g}freelunch" for g in "k123"),
    "g4nfreelunch",
    *("gkspeced", "g1speced", "gkspecin", "gkrepeat"),
    *(f"g{g}{what}" for g in "k13" for what in ("present", "absent")),
    *(f"g{g}t{what}ss" for g in GRADES for what in ("read", "math")),
    *("hsgrdadd", "hsgrdcol"),
)
# In kindergarten, and in grade 4 without a school; a comma in quotes, as the file has it.
ANN = {
    **{"stdntid": "10001", "gender": "FEMALE", "race": "WHITE", "hsgrdadd": "PROBABLY GRADUATED"},
    **{"birthmonth": "ARPIL", "birthday": "3", "birthyear": "1980"},
    **{"flaggk": "YES", "gkschid": "169229", "gksurban": "RURAL", "gkfreelunch": "FREE LUNCH"},
    **{"gkspeced": "NO", "gkpresent": "161", "gkabsent": "19", "gktreadss": "431"},
    **{"gktmathss": "506", "gkrepeat": "YES, PROMOTION RECOMMENDED"},
    **{"flagg4": "YES", "g4nfreelunch": "11", "g4treadss": "702"},
}
# Not flagged in grade 1 but with a school there; moved; special education; a birthday that is none.
BEN = {
    **{"stdntid": "10002", "gender": "MALE", "hsgrdadd": "DROPPED OUT"},
    **{"birthmonth": "FEBRUARY", "birthday": "30", "birthyear": "1979", "flagg1": "NO"},
    **{"g1schid": "123056", "g1surban": "URBAN", "g1freelunch": "NON-FREE LUNCH"},
    **{"g1speced": "YES", "g1present": "150", "flagg8": "YES", "g8schid": "244773"},
    **{"g8surban": "inner city", "g8treadss": "708", "g8tmathss": "645"},
}
# Never in a known school before grade 3.
CAT = {
    **{"stdntid": "10003", "hsgrdadd": "GED", "flagg2": "YES", "flagg3": "YES"},
    **{"g3schid": "123056", "g3surban": "RAURAL", "g3present": "8", "g3absent": "0"},
}


def text(*pupils: dict[str, str], sep: str = ",", columns: tuple[str, ...] = COLUMNS) -> str:
    """The pupils in the data set's own format."""
    lines = [sep.join(columns)]
    for pupil in pupils:
        cells = (pupil.get(column, "") for column in columns)
        lines.append(sep.join(f'"{cell}"' if sep in cell else cell for cell in cells))
    return "\n".join(lines) + "\n"


def star_file(folder: Path, *pupils: dict[str, str]) -> Path:
    path = folder / "STAR_Students.csv"
    path.write_text(text(*pupils), "utf-8")
    return path


def rows(workspace: Workspace, table: str, columns: str) -> list[tuple[Any, ...]]:
    con = connect(workspace)
    return con.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()


def tables(workspace: Workspace) -> dict[str, list[tuple[Any, ...]]]:
    names = ("students", "schools", "attendance_totals", "exams", "outcomes")
    return {name: rows(workspace, name, "*") for name in names}


@pytest.fixture
def small(workspace: Workspace, tmp_path: Path) -> Workspace:
    import_star(workspace, star_file(tmp_path, ANN, BEN, CAT))
    return Workspace.open(workspace.root)


def test_snapshots(small: Workspace):
    columns = "student_id, snapshot_date, sex, birth_date, school_id, grade, disability, poverty"
    born = date(1980, 4, 3)
    assert rows(small, "students", columns) == [
        ("10001", date(1985, 10, 1), "F", born, "169229", 0, "none", "low_income"),
        # The flag says that she is there: at the last known school. No word on her lunch.
        ("10001", date(1989, 10, 1), "F", born, "169229", 4, None, None),
        ("10002", date(1986, 10, 1), "M", None, "123056", 1, "other", "none"),
        ("10002", date(1993, 10, 1), "M", None, "244773", 8, None, None),
        # Grade 2 is left out: the school of a later year is not known then.
        ("10003", date(1988, 10, 1), None, None, "123056", 3, None, None),
    ]


def test_schools_take_the_newest_label(small: Workspace):
    assert rows(small, "schools", "school_id, name, county, kind, rural") == [
        ("123056", "123056", "Tennessee", None, True),  # RAURAL in grade 3 after URBAN in grade 1
        ("169229", "169229", "Tennessee", None, True),
        ("244773", "244773", "Tennessee", None, False),
    ]


def test_labels_of_one_grade_are_counted(workspace: Workspace, tmp_path: Path):
    said = {
        "1": ["RURAL", "RURAL", "suburban"],
        "2": ["rural", "suburban"],
        "3": ["urban", "RAURAL", "URBAN"],
        "4": [""],
    }
    pupils = [
        {"stdntid": f"{school}-{i}", "g8schid": school, "g8surban": label}
        for school, labels in said.items()
        for i, label in enumerate(labels)
    ]
    # An older grade with a label does not outweigh the newest; where that has none, it counts.
    pupils.append({"stdntid": "a", "gkschid": "3", "gksurban": "RURAL"})
    pupils.append({"stdntid": "b", "gkschid": "4", "gksurban": "RURAL"})
    import_star(workspace, star_file(tmp_path, *pupils))
    assert rows(workspace, "schools", "school_id, rural") == [
        ("1", True),
        ("2", None),
        ("3", False),
        ("4", True),
    ]


def test_totals_need_both_numbers(small: Workspace):
    columns = 'student_id, "from", "to", days_absent, school_days, days_unexcused'
    assert rows(small, "attendance_totals", columns) == [
        ("10001", date(1985, 9, 1), date(1986, 5, 31), 19, 180, None),
        ("10003", date(1988, 9, 1), date(1989, 5, 31), 0, 8, None),
    ]


def test_exams(small: Workspace):
    columns = "student_id, date, exam, subject, score, full_mark"
    full = Decimal(999)
    assert rows(small, "exams", columns) == [
        ("10001", date(1986, 5, 1), "spring", "maths", Decimal(506), full),
        ("10001", date(1986, 5, 1), "spring", "reading", Decimal(431), full),
        ("10001", date(1990, 5, 1), "spring", "reading", Decimal(702), full),
        ("10002", date(1994, 5, 1), "spring", "maths", Decimal(645), full),
        ("10002", date(1994, 5, 1), "spring", "reading", Decimal(708), full),
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("DROPPED OUT", (date(1998, 6, 30), "dropped_out")),
        ("PROBABLY DROPPED OUT", (date(1998, 6, 30), "dropped_out")),
        ("GRADUATED", (date(1998, 6, 30), "graduated")),
        ("probably graduated", (date(1998, 6, 30), "graduated")),
        ("GED", (date(1994, 7, 2), "transferred")),
        ("", (date(1994, 7, 2), "transferred")),
        ("NA", (date(1994, 7, 2), "transferred")),
    ],
)
def test_outcomes(workspace: Workspace, tmp_path: Path, said: str, expected: tuple[date, str]):
    import_star(workspace, star_file(tmp_path, BEN | {"hsgrdadd": said}))
    assert rows(workspace, "outcomes", "date, event") == [expected]


def test_only_the_promised_config_is_set(small: Workspace):
    assert small.config == Config(
        stages={"primary": (0, 6), "junior": (7, 8)},
        horizon_days=1500,
        as_of_dates=[date(1994, 7, 1)],
        outcomes_complete_until=date(1998, 12, 31),
    )


def _gz(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def _plain(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "write",
    [
        lambda d, p: _gz(d / "STAR_Students.csv.gz", text(*p).encode()).parent,
        lambda d, p: _plain(d / "STAR_Students.csv", text(*p).encode()).parent,
        lambda d, p: _plain(d / "学生 表.txt", text(*p).replace("\n", "\r\n").encode("utf-8-sig")),
        lambda d, p: _plain(d / "a [1].tab", text(*p, sep="\t").encode()),
        lambda d, p: _gz(d / "STAR_Students.tsv.gz", text(*p, sep="\t").encode()).parent,
        lambda d, p: _gz(d / "named.csv", text(*p).encode()),
        lambda d, p: _plain(d / "upper.csv", text(*p).upper().encode()),
        lambda d, p: _plain(d / "lower.csv", text(*p).lower().encode()),
        lambda d, p: _plain(d / "turned.csv", text(*p, columns=COLUMNS[::-1]).encode()),
        lambda d, p: _plain(d / "end.csv", (text(*p).rstrip() + "\n\n").encode()),
    ],
)
def test_every_form_of_the_file_gives_the_same(
    small: Workspace, tmp_path: Path, write: Callable[[Path, Any], Path]
):
    folder = tmp_path / "in"
    folder.mkdir()
    other = Workspace.init(tmp_path / "other")
    assert import_star(other, write(folder, (ANN, BEN, CAT))).is_new
    assert tables(other) == tables(small)


def test_numbers_with_a_point_from_a_table_program(small: Workspace, tmp_path: Path):
    def pointed(pupil: dict[str, str]) -> dict[str, str]:
        return {k: f"{v}.0" if v.isdigit() else v for k, v in pupil.items()}

    other = Workspace.init(tmp_path / "other")
    (tmp_path / "in").mkdir()
    import_star(other, star_file(tmp_path / "in", *map(pointed, (ANN, BEN, CAT))))
    assert tables(other) == tables(small)


def test_race_is_not_read(small: Workspace, tmp_path: Path):
    other = Workspace.init(tmp_path / "other")
    path = tmp_path / "without.csv"
    columns = tuple(c for c in COLUMNS if c not in ("race", "g4nfreelunch", "hsgrdcol"))
    path.write_text(text(ANN, BEN, CAT, columns=columns), "utf-8")
    import_star(other, path)
    assert tables(other) == tables(small)


GOOD = text(ANN, BEN, CAT)
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "is empty"),
    "headings only": (text().encode(), "no rows"),
    "web page": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "web page"),
    "another table": (b"student_id,grade\n1,2\n", "no column stdntid"),
    "missing column": (GOOD.replace("hsgrdadd", "x").encode(), "no column hsgrdadd"),
    "column twice": (GOOD.replace("hsgrdcol", "HSGRDADD").encode(), "two columns hsgrdadd"),
    "other encoding": (GOOD.replace("WHITE", "W\xefITE").encode("latin-1"), "UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "UTF-8"),
    "cut row": (GOOD[: GOOD.index("10003") + 30].encode(), r"line 4 has \d+ cells"),
    "open quote": ((GOOD + '"10004').encode(), "line 5 cannot be split"),
    "cut gzip": (gzip.compress(GOOD.encode() * 50)[:-20], "not a whole gzip"),
    "broken gzip": (b"\x1f\x8b" + b"x" * 90, "not a whole gzip"),
    "no identifier": (GOOD.replace("10002", "").encode(), "line 3: no stdntid"),
    "pupil twice": (GOOD.replace("10003", "10001").encode(), "10001 stands on lines 2 and 4"),
}
WRONG_CELLS = {
    "gkpresent": ("many", "-3", "161.5", "1e2", "367", "１６１"),
    "g8tmathss": ("?", "1000", "64 5"),
    "birthyear": ("80", "2080"),
    "birthday": ("32", "0"),
    "birthmonth": ("MAI", "4"),
    "flaggk": ("1", "TRUE"),
    "gksurban": ("2",),
    "gkfreelunch": ("1",),
    "gkspeced": ("2",),
    "gender": ("1",),
    "hsgrdadd": ("3", "DROPOUT"),
}


def refused(workspace: Workspace, path: Path, match: str) -> None:
    """Importing fails with a message in both languages and leaves the workspace as it was."""
    before = workspace.config
    with pytest.raises(EarlywarnError, match=match) as caught:
        import_star(workspace, path)
    assert path.name in caught.value.text.zh
    assert path.name in caught.value.text.en
    assert Workspace.open(workspace.root).config == before
    assert not read_batches(workspace).batches


@pytest.mark.parametrize("case", BAD)
def test_unusable_file(workspace: Workspace, tmp_path: Path, case: str):
    content, match = BAD[case]
    refused(workspace, _plain(tmp_path / "STAR_Students.csv", content), match)


@pytest.mark.parametrize(
    ("column", "value"),
    [(column, value) for column, values in WRONG_CELLS.items() for value in values],
)
def test_wrong_cell_is_named(workspace: Workspace, tmp_path: Path, column: str, value: str):
    path = star_file(tmp_path, ANN, BEN | {column: value}, CAT)
    refused(workspace, path, rf"line 3, column {column}: {value.replace('?', '.')} is not")


def test_missing_file_is_named(workspace: Workspace, tmp_path: Path):
    with pytest.raises(EarlywarnError, match=r"STAR_Students\.csv"):
        import_star(workspace, tmp_path)
    with pytest.raises(EarlywarnError, match="nowhere"):
        import_star(workspace, tmp_path / "nowhere.csv")


def test_importing_twice_changes_nothing(small: Workspace, tmp_path: Path):
    before = read_batches(small)
    again = import_star(small, tmp_path / "STAR_Students.csv")
    assert not again.is_new
    assert again.rows["students"] == 5
    assert read_batches(small) == before


def test_a_workspace_with_other_data_is_refused(small: Workspace, tmp_path: Path):
    before = read_batches(small)
    with pytest.raises(EarlywarnError, match="Project STAR"):
        import_star(small, star_file(tmp_path, ANN, BEN))
    assert read_batches(small) == before


@settings(max_examples=15)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["YES", "NO", ""]), st.sampled_from(["", "", "1", "2", "3"])),
            min_size=9,
            max_size=9,
        ),
        min_size=1,
        max_size=12,
    )
)
def test_who_is_there_and_where(pupils: list[list[tuple[str, str]]]):
    expected = []
    cells = []
    for number, grades in enumerate(pupils):
        cell = {"stdntid": f"{number:05}"}
        known = ""
        for grade, (flag, school) in enumerate(grades):
            letter = GRADES[grade]
            cell |= {f"flagg{letter}": flag, f"g{letter}schid": school}
            known = school or known
            if (flag == "YES" or school) and known:
                expected.append((f"{number:05}", grade, known, date(1985 + grade, 10, 1)))
        cells.append(cell)
    with TemporaryDirectory() as folder:
        workspace = Workspace.init(Path(folder) / "ws")
        import_star(workspace, star_file(Path(folder), *cells))
        made = rows(workspace, "students", "student_id, grade, school_id, snapshot_date")
        assert made == expected
        listed = rows(workspace, "schools", "school_id")
        assert listed == sorted({(school,) for _, _, school, _ in expected})


def test_command_line(workspace: Workspace, tmp_path: Path):
    path = star_file(tmp_path, ANN, BEN, CAT)
    words = ["import", "star", str(path), "-w", str(workspace.root)]
    for is_new in (True, False):
        result = CliRunner().invoke(make_app(), [*words, "--json"])
        assert result.exit_code == 0
        said = json.loads(result.stdout)
        assert said["is_new"] is is_new
        assert said["rows"] == {
            "students": 5,
            "schools": 3,
            "attendance_totals": 2,
            "exams": 5,
            "outcomes": 3,
        }
    result = CliRunner().invoke(make_app(), ["import", "star", str(tmp_path / "x"), *words[3:]])
    assert result.exit_code == 1


# The published file itself.


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    from conftest import SHARED

    source = SHARED / "data" / "star"
    if not source.is_dir():
        pytest.skip(f"no Project STAR in {source} (set EARLYWARN_SHARED to the folder with data/)")
    workspace = Workspace.init(tmp_path_factory.mktemp("star") / "ws")
    import_star(workspace, source)
    return Workspace.open(workspace.root)


@pytest.fixture(scope="module")
def scored(star: Workspace) -> duckdb.DuckDBPyConnection:
    """The data set with its features as of 1994-07-01."""
    con = connect(star)
    build(con, star.config, load_groups(star.rules), date(1994, 7, 1))
    return con


def test_rows_of_the_published_file(star: Workspace):
    (batch,) = read_batches(star).batches
    assert {part.table: part.rows for part in batch.parts} == {
        "students": 36444,
        "schools": 648,
        "attendance_totals": 13242,
        "exams": 67769,
        "outcomes": 7919,
    }
    by_grade = [4303, 4654, 4596, 4555, 4283, 1813, 4387, 3402, 4451]
    made = rows(star, "(SELECT grade, count(*) FROM students GROUP BY grade)", "*")
    assert made == list(enumerate(by_grade))
    assert rows(star, "(SELECT event, count(*) FROM outcomes GROUP BY event)", "*") == [
        ("dropped_out", 694),
        ("graduated", 2584),
        ("transferred", 4641),
    ]
    totals = '(SELECT "from", count(*) FROM attendance_totals GROUP BY "from")'
    assert [count for _, count in rows(star, totals, "*")] == [4245, 4551, 4446]


@pytest.mark.parametrize(
    ("who", "pupils", "dropouts", "graduates"),
    [("TRUE", 7919, 694, 2584), ("grade = 8", 4451, 449, 2282), ("grade = 0", 738, 23, 56)],
)
def test_cohort_of_the_published_file(
    scored: duckdb.DuckDBPyConnection, who: str, pupils: int, dropouts: int, graduates: int
):
    found = scored.execute(
        f"""
        SELECT count(*), count(*) FILTER (WHERE event = 'dropped_out'),
            count(*) FILTER (WHERE event = 'graduated')
        FROM cohort JOIN outcomes USING (student_id) WHERE {who}
        """
    ).fetchall()
    assert found == [(pupils, dropouts, graduates)]


# Worked by hand from the file's own numbers; reading and maths of spring 1994, 1993, 1992.
PUPILS: dict[str, dict[str, Any]] = {
    "10379": {
        "school_id": "162184",
        "grade": 8,
        "stage": "junior",
        "age_years": 14,  # born 4 November 1979
        "over_age_years": 0,  # 13 on 1 September 1993
        "totals_absence_rate": 0,  # 160 days present and 0 absent in grade 3
        "totals_absence_change": 0,  # 180 and 0 in grade 1
        "totals_absence_rate_all": round(1 / 520, 9),  # 179 and 1 in kindergarten
        "exam_mean_pct": 0.7742745,  # 758 and 789: 0.758759 and 0.78979
        "exam_pct_mean_3y": 0.7612615,  # 745 and 789; 733 and 749
        "exam_z": -0.004291979,
        "exam_maths_pct": 0.78979,
        "months_over_age": 9,
        "schools_attended": 1,
        "school_exam_z": 0.076387782,
        "exam_z_prev": 0.17249463,
        "exams_taken_365d": 1,
        "poor_family": True,  # free lunch in grade 3, the last one asked
        "disabled": False,
        "school_moves_365d": 0,
        "school_rural": True,
        "days_since_snapshot": 273,
    },
    "10002": {
        "school_id": "204484",
        "grade": 8,
        "age_years": 14,  # born 21 July 1979
        "over_age_years": 1,  # 14 on 1 September 1993
        "totals_absence_rate": round(18 / 179, 9),
        "totals_absence_change": None,
        "totals_absence_rate_all": round(18 / 179, 9),
        "exam_mean_pct": 0.6771775,  # 708 and 645: 0.708709 and 0.645646
        "exam_pct_mean_3y": 0.6921925,  # 694 and 708; 687 and 707
        "exam_z": -1.20938333,
        "exam_maths_pct": 0.645646,
        "months_over_age": 13,
        "schools_attended": 3,
        "school_exam_z": -0.447103025,
        "poor_family": None,
        "disabled": None,
        "school_moves_365d": 1,  # 204461 to 204484
        "school_rural": False,  # 29 entries of grade 8 say suburban, one rural
    },
    "10009": {
        "school_id": "244755",  # grade 3's: in grade 4 flagged, without a school
        "grade": 4,
        "stage": "primary",
        "age_years": 14,  # born 24 April 1980
        "over_age_years": 0,
        "totals_absence_rate": round(1 / 160, 9),
        "exam_mean_pct": 0.585586,  # reading 585 alone
        "failed_subjects": 1,
        "failed_core": None,
        "exam_z": -0.347694238,
        "exam_z_prev": -0.371201286,
        "exam_pct_mean_3y": None,
        "exams_taken_365d": 0,
        "poor_family": True,
        "days_since_snapshot": 1734,
    },
}


@pytest.mark.parametrize("pupil", PUPILS)
def test_features_worked_by_hand(scored: duckdb.DuckDBPyConnection, pupil: str):
    expected = PUPILS[pupil]
    found = scored.execute(
        f"SELECT {', '.join(expected)} FROM features WHERE student_id = $id", {"id": pupil}
    ).fetchall()
    assert [dict(zip(expected, row, strict=True)) for row in found] == [expected]
