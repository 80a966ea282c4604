"""The generated city: its exact facts, its determinism, and that its rows fit the contract."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.simulate.city import make_roll, simulate, tables
from earlywarn.simulate.names import phones, registry_numbers
from earlywarn.simulate.plan import Plan, facts, largest_remainder
from earlywarn.tables.batches import one_row_a_day, read_batches, table_files
from earlywarn.tables.contract import TABLES
from earlywarn.tables.ingest import IngestOptions, ingest
from earlywarn.workspace import Config, Workspace

# The cohort, written out for one day: $day.
COHORT = """
WITH record AS (
  SELECT *, row_number() OVER (PARTITION BY student_id ORDER BY snapshot_date DESC) AS nth
  FROM students WHERE snapshot_date <= $day
), known AS (
  SELECT student_id,
    max(date) FILTER (event = 'returned') AS returned,
    max(date) FILTER (event = 'dropped_out') AS dropped,
    max(date) FILTER (event IN ('transferred', 'graduated', 'abroad')) AS gone,
    max(date) FILTER (event = 'deceased') AS died
  FROM outcomes WHERE date <= $day GROUP BY student_id
)
SELECT r.* FROM record AS r LEFT JOIN known AS k USING (student_id)
WHERE nth = 1 AND (enrolled_on IS NULL OR enrolled_on <= $day)
  AND (left_on IS NULL OR left_on > $day) AND died IS NULL
  AND (dropped IS NULL OR coalesce(returned >= dropped, FALSE))
  AND (gone IS NULL OR coalesce(returned >= gone, FALSE) OR snapshot_date > gone)
"""
FIRST_DAY = date(2025, 9, 1)


def cohort(con: duckdb.DuckDBPyConnection, day: date, select: str) -> list[tuple]:
    return con.execute(f"SELECT {select} FROM ({COHORT}) AS cohort", {"day": day}).fetchall()


def roll_connection(plan: Plan) -> duckdb.DuckDBPyConnection:
    """The tables without marks and attendance, in memory."""
    parts: dict[str, list[pa.Table]] = {}
    for name, _, rows in tables(plan, make_roll(plan), roll_only=True):
        columns = TABLES[name].schema.names
        parts.setdefault(name, []).append(rows.select(columns).cast(TABLES[name].schema))
    con = duckdb.connect()
    for name, rows in parts.items():
        con.register(name, pa.concat_tables(rows))
    return con


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Workspace:
    """3,000 children, all tables, and the CSV files."""
    folder = tmp_path_factory.mktemp("city") / "虚构 市"
    return simulate(folder, Plan(students=3000, seed=7, csv=True))


@pytest.fixture(scope="module")
def city() -> duckdb.DuckDBPyConnection:
    """The full city's roll."""
    return roll_connection(Plan())


def test_the_city_has_exactly_the_reports_children(city):
    (found,) = cohort(
        city,
        FIRST_DAY,
        "count(*), count(*) FILTER (grade <= 6), count(*) FILTER (grade BETWEEN 7 AND 9), "
        "count(*) FILTER (poverty IN ('low_income', 'registered')), count(*) FILTER (boarding), "
        "count(*) FILTER (boarding AND boarding_aid), count(*) FILTER (boarding_aid), "
        "count(DISTINCT school_id)",
    )
    assert found == (66_259, 42_342, 23_917, 7_114, 3_839, 1_787, 1_787, 166)


def test_the_city_has_exactly_the_reports_schools(city):
    kinds = dict(city.execute("SELECT kind, count(*) FROM schools GROUP BY kind").fetchall())
    # 79 primary schools, 43 of them teaching points; 48 public and 2 private nine-year schools.
    assert kinds == {"primary": 36, "teaching_point": 43, "junior": 37, "nine_year": 50}
    ((counties, names, rural_points, remote),) = city.execute(
        "SELECT count(DISTINCT county), count(DISTINCT name), "
        "count(*) FILTER (kind = 'teaching_point' AND rural), count(*) FILTER (remote) FROM schools"
    ).fetchall()
    assert (counties, names, rural_points) == (6, 166, 43)
    assert 20 < remote < 80
    assert city.execute("SELECT count(*) FROM schools WHERE name LIKE '%实验学校%'").fetchall() == [
        (2,)
    ]


def test_the_city_loses_22_in_the_last_year_and_about_as_many_before(city):
    rows = city.execute(
        """SELECT CASE WHEN o.date >= DATE '2025-09-01' THEN 2025
                       WHEN o.date >= DATE '2024-09-01' THEN 2024 ELSE 2023 END AS school_year,
                  count(*), min(grade), max(grade)
           FROM outcomes AS o ASOF JOIN students AS s
             ON s.student_id = o.student_id AND s.snapshot_date <= o.date
           WHERE event = 'dropped_out' GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    assert [year for year, *_ in rows] == [2023, 2024, 2025]
    assert rows[2][1] == 22
    assert all(17 <= count <= 27 for _, count, _, _ in rows)
    assert all(low >= 7 and high <= 9 for *_, low, high in rows)


def test_earlier_cohorts_are_of_similar_size_and_groups_are_plausible(city):
    for day in (date(2023, 9, 1), date(2024, 9, 20)):
        ((count,),) = cohort(city, day, "count(*)")
        assert 0.94 * 66_259 < count < 1.07 * 66_259
    ((left_behind, migrant, disabled, prison, orphan),) = cohort(
        city,
        FIRST_DAY,
        "avg((parents_away <> 'none')::INT), avg(migrant_child::INT), "
        "avg((disability <> 'none')::INT), avg(parent_in_prison::INT), "
        "avg((orphan_status <> 'none')::INT)",
    )
    assert left_behind == pytest.approx(0.12, abs=0.01)
    assert migrant == pytest.approx(0.10, abs=0.01)
    assert disabled == pytest.approx(0.006, abs=0.0015)
    assert prison == pytest.approx(0.0015, abs=0.0007)
    assert orphan == pytest.approx(0.002, abs=0.0008)


def test_everybody_out_of_school_has_left_by_an_event(city):
    """Nobody stays on in a grade long after it: who is in the cohort has a fresh record."""
    ((stale,),) = cohort(
        city, date(2026, 6, 29), "count(*) FILTER (snapshot_date < DATE '2025-09-01')"
    )
    assert stale == 0
    (once,) = city.execute(
        "SELECT count(*) FROM (SELECT 1 FROM outcomes WHERE event = 'graduated' "
        "GROUP BY student_id HAVING count(*) > 1)"
    ).fetchall()
    assert once == (0,)


def test_a_few_monitored_children_have_no_snapshot_for_200_days(city):
    ((old,),) = cohort(
        city, date(2026, 5, 4), "count(*) FILTER (snapshot_date <= DATE '2025-09-16')"
    )
    assert 10 <= old <= 60


def test_poor_rural_has_the_rates_of_yi():
    con = roll_connection(Plan(students=20_000, profile="poor-rural", seed=3))
    for year, start in ((2023, date(2023, 9, 1)), (2025, FIRST_DAY)):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE began AS SELECT * FROM ({COHORT})", {"day": start}
        )
        enrolled = dict(
            con.execute(
                "SELECT grade, avg((student_id IN (SELECT student_id FROM outcomes "
                "WHERE event = 'dropped_out' AND date BETWEEN $first AND $last))::INT) "
                "FROM began GROUP BY grade",
                {"first": start, "last": date(year + 1, 8, 31)},
            ).fetchall()
        )
        assert enrolled[7] == pytest.approx(0.057, abs=0.002)
        assert enrolled[8] == pytest.approx(0.090, abs=0.002)
        assert all(enrolled[grade] == 0 for grade in range(1, 7))
    ((count, poor, rural),) = cohort(
        con,
        FIRST_DAY,
        "count(*), avg((poverty <> 'none')::INT), "
        "avg((school_id IN (SELECT school_id FROM schools WHERE rural))::INT)",
    )
    assert count == 20_000
    assert poor == pytest.approx(0.31, abs=0.001)
    assert rural > 0.9


@pytest.mark.parametrize("students", [100, 500, 3000, 662_590])
def test_facts_scale_in_proportion(students):
    exact = facts(Plan(students=students))
    assert exact.primary + exact.junior == students
    assert sum(exact.grade_sizes) == students
    assert exact.poor == round(students * 7_114 / 66_259)
    assert sum(exact.schools) == max(6, round(students * 166 / 66_259))
    assert all(count > 0 for count in exact.schools[:4])


def test_largest_remainder_adds_up():
    assert largest_remainder(10, [1, 1, 1]) == [4, 3, 3]
    assert largest_remainder(0, [2, 1]) == [0, 0]
    assert largest_remainder(7, [0.0, 1.0]) == [0, 7]


def test_the_small_city_is_exact_too(small):
    with connect(small) as con:
        (found,) = cohort(
            con,
            FIRST_DAY,
            "count(*), count(*) FILTER (grade <= 6), count(*) FILTER (poverty <> 'none'), "
            "count(*) FILTER (boarding), count(*) FILTER (boarding_aid), count(DISTINCT school_id)",
        )
        assert found == (3000, 1917, 322, 174, 81, 8)
        assert con.execute(
            "SELECT count(*) FROM outcomes WHERE event = 'dropped_out' AND date >= '2025-09-01'"
        ).fetchall() == [(1,)]


def test_config_says_what_it_is(small):
    config = small.config
    assert (config.attendance, config.generated) == ("exceptions", True)
    assert config.outcomes_complete_until == date(2026, 6, 30)
    assert (config.step_days, config.as_of_dates) == (7, [])
    assert all(batch.origin.startswith("generated ") for batch in read_batches(small).batches)


def test_every_row_fits_the_contract(small):
    with connect(small) as con:
        for table in TABLES.values():
            files = table_files(small, table.name)
            if not files:
                assert table.name == "attendance_totals"
                continue
            for file in files:
                assert pq.read_schema(file).names == table.schema.names
            key = ", ".join(f'"{c}"' for c in table.key)
            ((twice,),) = con.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {table.name} GROUP BY {key} "
                "HAVING count(*) > 1)"
            ).fetchall()
            assert twice == 0, table.name
            for column in table.columns:
                if column.required:
                    where = f'"{column.name}" IS NULL'
                elif column.choices:
                    where = f'"{column.name}" IS NOT NULL'
                else:
                    continue
                if column.choices:
                    listed = ", ".join(f"'{choice}'" for choice in column.choices)
                    where += (
                        f' AND "{column.name}" NOT IN ({listed})'
                        if not column.required
                        else (f' OR "{column.name}" NOT IN ({listed})')
                    )
                ((bad,),) = con.execute(
                    f"SELECT count(*) FROM {table.name} WHERE {where}"
                ).fetchall()
                assert bad == 0, f"{table.name}.{column.name}"
        assert con.execute(
            "SELECT count(*) FROM exams WHERE score > full_mark OR score < 0"
        ).fetchall() == [(0,)]
    assert one_row_a_day(small)
    assert sum(batch.replaced for batch in read_batches(small).batches) == 0


def test_rows_stand_only_where_they_belong(small):
    with connect(small) as con:
        unknown = (
            "SELECT count(*) FROM {} WHERE student_id NOT IN (SELECT student_id FROM students)"
        )
        for name in ("attendance", "exams", "outcomes"):
            assert con.execute(unknown.format(name)).fetchall() == [(0,)]
        # The last year lists presence, the others don't.
        statuses = con.execute(
            "SELECT date >= DATE '2025-09-01' AS last, bool_or(status = 'present') "
            "FROM attendance GROUP BY 1 ORDER BY 1"
        ).fetchall()
        assert statuses == [(False, False), (True, True)]
        # No attendance once a child is out, nor on a day that the school did not report.
        ((after,),) = con.execute(
            """SELECT count(*) FROM attendance AS a JOIN outcomes AS o USING (student_id)
               WHERE o.event IN ('dropped_out', 'transferred', 'graduated', 'abroad', 'deceased')
                 AND a.date BETWEEN o.date AND o.date + 3 AND NOT EXISTS (
                   SELECT 1 FROM students AS s WHERE s.student_id = o.student_id
                     AND s.snapshot_date > o.date AND s.snapshot_date <= a.date)"""
        ).fetchall()
        assert after == 0
        ((unreported,),) = con.execute(
            """SELECT count(*) FROM attendance AS a
               ASOF JOIN students AS s ON a.student_id = s.student_id AND s.snapshot_date <= a.date
               WHERE a.date >= DATE '2025-09-20' AND NOT EXISTS (
                 SELECT 1 FROM reported_days AS r WHERE r.school_id = s.school_id
                   AND r.date = a.date AND coalesce(r.class_id = s.class_id, TRUE))"""
        ).fetchall()
        assert unreported == 0
        ((closed,),) = con.execute(
            """SELECT count(*) FROM reported_days AS r
               LEFT JOIN calendar AS own ON own.date = r.date AND own.school_id = r.school_id
               LEFT JOIN calendar AS everyone
                 ON everyone.date = r.date AND everyone.school_id IS NULL
               WHERE NOT coalesce(own.is_school_day, everyone.is_school_day, FALSE)"""
        ).fetchall()
        assert closed == 0


def test_calendar_has_every_date_holidays_and_made_up_days(small):
    with connect(small) as con:
        days = con.execute(
            "SELECT date, is_school_day FROM calendar WHERE school_id IS NULL ORDER BY date"
        ).fetchall()
        assert (days[0][0], days[-1][0]) == (date(2023, 9, 1), date(2026, 8, 31))
        assert len(days) == 1096
        school = {day for day, is_open in days if is_open}
        assert date(2025, 10, 1) not in school
        assert date(2026, 2, 17) not in school
        assert date(2025, 10, 11) in school  # a Saturday, made up
        assert 195 <= sum(day >= FIRST_DAY for day in school) <= 205
        own = con.execute("SELECT count(*) FROM calendar WHERE school_id IS NOT NULL").fetchall()
        assert own[0][0] > 0


def test_absence_grows_before_most_dropouts_and_many_worrying_children_stay():
    """In a poor county, where dropouts are many: the weeks before against the year's mean."""
    plan = Plan(students=2000, profile="poor-rural", years=2, seed=5)
    parts: dict[str, list[pa.Table]] = {}
    for name, _, rows in tables(plan, make_roll(plan)):
        parts.setdefault(name, []).append(rows.select(TABLES[name].schema.names))
    with duckdb.connect() as con:
        for name in ("attendance", "outcomes"):
            con.register(name, pa.concat_tables(parts[name]))
        per_dropout = con.execute(
            """SELECT o.student_id, count(a.date) FILTER (a.status = 'unexcused'
                 AND a.date >= o.date - 28) AS late, count(a.date) FILTER (a.status = 'unexcused'
                 AND a.date < o.date - 56 AND a.date >= o.date - 84) AS early
               FROM outcomes AS o LEFT JOIN attendance AS a
                 ON a.student_id = o.student_id AND a.date < o.date
               WHERE o.event = 'dropped_out' GROUP BY o.student_id"""
        ).fetchall()
        showing = np.array([late >= 3 for _, late, _ in per_dropout])
        assert 0.65 < showing.mean() < 0.95  # for about a fifth nothing shows
        assert sum(late for _, late, _ in per_dropout) > 3 * sum(e for *_, e in per_dropout)
        ((staying,),) = con.execute(
            """SELECT count(*) FROM (SELECT student_id FROM attendance WHERE status = 'unexcused'
               GROUP BY 1 HAVING count(*) >= 5) ANTI JOIN
               (SELECT student_id FROM outcomes WHERE event = 'dropped_out') USING (student_id)"""
        ).fetchall()
        assert staying >= 10


def test_the_same_plan_gives_the_same_bytes(tmp_path):
    def hashes(folder: str, seed: int) -> list[str]:
        made = simulate(tmp_path / folder, Plan(students=300, years=2, seed=seed))
        files = sorted(made.data.rglob("*.parquet"))
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    first = hashes("a", 1)
    assert first == hashes("b", 1)
    assert first != hashes("c", 2)


def test_csv_holds_the_same_rows(small):
    assert "生成" in (small.root / "source" / "README.txt").read_text("utf-8")
    with connect(small) as con:
        for table in TABLES.values():
            path = small.root / "source" / f"{table.name}.csv"
            if table.name == "attendance_totals":
                assert not path.exists()
                continue
            options = pacsv.ConvertOptions(
                column_types=table.schema, strings_can_be_null=True, null_values=[""]
            )
            read = pacsv.read_csv(path, convert_options=options)
            assert read.schema == table.schema
            con.register("from_csv", read)
            ((more,), (fewer,)) = con.execute(
                f"SELECT count(*) FROM (FROM from_csv EXCEPT ALL FROM {table.name}) UNION ALL "
                f"SELECT count(*) FROM (FROM {table.name} EXCEPT ALL FROM from_csv)"
            ).fetchall()
            assert (more, fewer) == (0, 0), table.name
            con.unregister("from_csv")


def test_ingesting_the_csv_gives_equal_tables(tmp_path):
    made = simulate(tmp_path / "city", Plan(students=200, years=1, csv=True))
    fresh = Workspace.init(tmp_path / "fresh", Config(attendance="exceptions"))
    for table in ("outcomes", "students", "exams", "calendar", "attendance", "reported_days"):
        result = ingest(fresh, table, [made.root / "source" / f"{table}.csv"], IngestOptions())
        assert result.exit_code == 0, (table, result)
    ingest(fresh, "schools", [made.root / "source" / "schools.csv"], IngestOptions())
    with connect(made) as one, connect(fresh) as two:
        for name, table in TABLES.items():
            key = ", ".join(f'"{c}"' for c in table.key)
            query = f"SELECT * FROM {name} ORDER BY {key}"
            assert one.execute(query).fetchall() == two.execute(query).fetchall(), name


def test_registry_numbers_check_and_belong_to_nobody():
    rng = np.random.default_rng(1)
    count = 5000
    numbers = registry_numbers(
        rng.integers(0, 6, count), rng.integers(14_000, 14_200, count), rng.random(count) < 0.5
    ).to_pylist()
    assert len(set(numbers)) == count
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    for number in numbers[:500]:
        assert len(number) == 19
        assert number.startswith("G0099")
        total = sum(
            int(digit) * weight for digit, weight in zip(number[1:18], weights, strict=True)
        )
        assert number[18] == "10X98765432"[total % 11]
    assert any(number.endswith("X") for number in numbers)
    assert all(p.startswith("000") and len(p) == 11 for p in phones(rng, 50).to_pylist())


@pytest.mark.parametrize("years", [1, 2, 6])
def test_other_spans_are_exact_too(years):
    con = roll_connection(Plan(students=1000, years=years, seed=11))
    ((count, poor),) = cohort(con, FIRST_DAY, "count(*), count(*) FILTER (poverty <> 'none')")
    assert (count, poor) == (1000, 107)
    assert con.execute("SELECT min(date) FROM calendar").fetchall() == [(date(2026 - years, 9, 1),)]


@pytest.mark.parametrize(
    "plan",
    [
        Plan(students=10),
        Plan(students=2_000_000),
        Plan(years=0),
        Plan(years=9),
        Plan(profile="town"),
        Plan(seed=-1),
    ],
)
def test_a_plan_out_of_range_is_a_usage_error(tmp_path, plan):
    with pytest.raises(UsageError) as caught:
        simulate(tmp_path / "x", plan)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_workspace_that_is_there_is_left_alone(tmp_path):
    Workspace.init(tmp_path / "mine")
    with pytest.raises(EarlywarnError, match="workspace already"):
        simulate(tmp_path / "mine", Plan(students=100, years=1))


def test_command(tmp_path: Path):
    import typer

    from earlywarn.cli import simulate as module

    app = typer.Typer()
    module.register(app)
    folder = tmp_path / "市 1"
    done = CliRunner().invoke(
        app, [str(folder), "--students", "100", "--years", "1", "--seed", "3", "--lang", "en"]
    )
    assert done.exit_code == 0, done.output
    assert "nobody in it exists" in done.output
    assert Workspace.open(folder).config.lang == "en"
    again = CliRunner().invoke(app, [str(folder), "--students", "100", "--lang", "en"])
    assert again.exit_code == 1
    wrong = CliRunner().invoke(app, [str(tmp_path / "y"), "--profile", "town", "--lang", "en"])
    assert wrong.exit_code == 2
