"""What DuckDB's SQL means, on Spark: one construct after the other, on the same random rows."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from earlywarn.engine import dialect
from spark_session import a_spark, connection

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")

DAY = date(2026, 6, 26)


def rows() -> pa.Table:
    """Random rows, thick with NULLs, ties and the borders of rounding."""
    draw = random.Random(20261126)
    some = [None, 0.0, -0.0, 0.5, 1 / 3, -2 / 3, 5 / 1024, -7 / 1024, 1e-10, 123456.7890123455]
    # Halves of the ninth digit, as doubles have them. Java takes 5e-10 itself for a true half.
    near = [n + 0.5 for n in range(-3000, 3000) if n not in (-1, 0)]
    doubles = [*some, *(n * 1e-9 for n in near), *(draw.gauss(0, 3) for _ in range(2000))]
    doubles += [math.nextafter(n * 1e-9, side) for n in near[:500] for side in (-1, 1)]
    count = len(doubles)
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "part": pa.array([draw.randrange(400) for _ in range(count)], pa.int32()),
            "x": pa.array(doubles, pa.float64()),
            "n": pa.array([draw.choice([None, 1, 2, 3]) for _ in range(count)], pa.int32()),
            "word": pa.array([draw.choice([None, "a", "b", "Z", "钱"]) for _ in range(count)]),
            "day": pa.array([DAY - timedelta(draw.randrange(900)) for _ in range(count)]),
            "mark": pa.array(
                [draw.choice([None, Decimal(draw.randrange(10**8)) / 10**6]) for _ in range(count)],
                pa.decimal128(12, 6),
            ),
            "bits": pa.array([draw.randrange(2**60) for _ in range(count)], pa.int64()),
        }
    )


# Each gives a column `k` to sort by, and what is compared.
QUERIES = {
    "round": "SELECT id AS k, round(x / 1.0, 9) AS a, round(x, 3) AS b FROM t",
    "to decimal": "SELECT id AS k, CAST(x / 3 AS DECIMAL(18, 12)) AS a FROM t",
    "arg_max": """
        SELECT part AS k, arg_max(word, id) AS a, arg_min(n, id) AS b,
               arg_max(x, id) FILTER (WHERE n = 2) AS c
        FROM t GROUP BY part""",
    "filter": "SELECT part AS k, count(*) FILTER (WHERE n = 1) AS a, "
    "coalesce(bit_or(bits) FILTER (WHERE n = 3), 0) AS b FROM t GROUP BY part",
    "bits": """
        SELECT id AS k, bit_count(bits & ~(bits >> 3)) AS a, bits & -bits AS b,
               (bits & 31) | 2 <> 2 AS c, CAST(1 AS BIGINT) << CAST(part % 60 AS INTEGER) AS d,
               bit_count(bits & ((CAST(1 AS BIGINT) << CAST(part % 60 AS INTEGER)) - 1)) AS e
        FROM t""",
    "hugeint": """
        SELECT part AS k, CAST(sum(CAST(bits AS HUGEINT) * bits) AS VARCHAR) AS a,
               CAST((2000000 * CAST(max(bits) AS HUGEINT) + 7) // (2 * CAST(7 AS HUGEINT) * 1000000)
                   AS BIGINT) AS b
        FROM t GROUP BY part""",
    "whole division": "SELECT id AS k, (2000 * part + 7) // (2 * 7) AS a, part / 7 AS b FROM t",
    "decimal division": "SELECT id AS k, mark / 7 AS a, CAST(mark * 1000000 AS BIGINT) AS b FROM t",
    "ranks": """
        SELECT id AS k, row_number() OVER (PARTITION BY part ORDER BY word, n DESC, id) AS a,
               rank() OVER (PARTITION BY part ORDER BY n) AS b,
               dense_rank() OVER (ORDER BY word, n) AS c,
               lag(day) OVER (PARTITION BY part ORDER BY word DESC, id) AS d
        FROM t""",
    "dates": """
        SELECT id AS k, date_diff('day', day, $as_of) AS a, CAST(day - INTERVAL 1 DAY AS DATE) AS b,
               year(day) * 10000 + month(day) * 100 + day(day) AS c, day <= $as_of AS d,
               coalesce(CASE WHEN n = 1 THEN day END, DATE '0001-01-01') AS e
        FROM t""",
    "least": "SELECT id AS k, least(n, 2, part) AS a, greatest(n, NULL, 2) AS b FROM t",
    "not distinct": "SELECT l.id AS k, count(r.id) AS a FROM t AS l LEFT JOIN t AS r "
    "ON r.word IS NOT DISTINCT FROM l.word AND r.part = l.part GROUP BY l.id",
    "anti join": "SELECT l.id AS k FROM t AS l ANTI JOIN t AS r ON r.id = l.part AND r.n = 1",
    "semi join": "SELECT l.id AS k FROM t AS l SEMI JOIN t AS r ON r.id = l.part AND r.n = 1",
    "in rows": "SELECT id AS k FROM t WHERE (id, day) IN (SELECT (part, day) FROM t)",
    "exists in a case": """
        SELECT l.id AS k, CASE WHEN EXISTS (
            SELECT 1 FROM t AS r WHERE r.id = l.part AND (r.n = l.n OR r.n IS NULL)
        ) THEN l.word END AS a
        FROM t AS l""",
    "exclude": "SELECT * EXCLUDE (x, bits), id AS k FROM t",
    "replace": "SELECT * REPLACE (CASE WHEN day <= $as_of THEN n END AS n), id AS k FROM t",
    "unnest": "SELECT l.id * 60 + p.back AS k FROM t AS l "
    "JOIN (SELECT CAST(unnest(range(60)) AS INTEGER) AS back) AS p ON (l.bits >> p.back) & 1 = 1",
    "materialized": "WITH m AS MATERIALIZED (SELECT id FROM t WHERE n = 1) SELECT id AS k FROM m",
    "strings": "SELECT word AS k, count(*) AS a, 'O''Hara' || coalesce(word, '') AS b "
    "FROM t GROUP BY word",
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("spark")
    for spark in a_spark(folder):
        with connection(spark, folder, little=False) as con:
            con.register("t", rows())
            yield con


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_means_the_same(name: str, con):
    """The last digit too: rounding is DuckDB's, not Spark's own."""
    query = QUERIES[name]
    duck = duckdb.connect()
    duck.register("t", rows())
    values = {"as_of": DAY} if "$as_of" in query else {}
    wanted = duck.sql(query, params=values).to_arrow_table()
    found = con.execute(query, values).to_arrow_table()
    assert found.column_names == wanted.column_names
    by_key = [("k", "ascending")]
    wanted, found = wanted.sort_by(by_key), found.sort_by(by_key)
    for column in wanted.column_names:
        assert found[column].to_pylist() == wanted[column].to_pylist(), column


def test_the_rows_have_rounding_that_spark_does_otherwise(con):
    """Else the test above would not show that the rewriting is needed."""
    plain = con.spark.sql("SELECT id, round(x, 9) AS a FROM t").toArrow().sort_by("id")
    exact = con.sql("SELECT id, round(x, 9) AS a FROM t").to_arrow_table().sort_by("id")
    assert plain["a"].to_pylist() != exact["a"].to_pylist()


@pytest.mark.parametrize("value", ["'); DROP TABLE t; --", "\\", "$as_of", "钱 ' \" `", True, 1.5])
def test_a_value_stays_a_value(value: object, con):
    assert con.execute("SELECT $value AS v", {"value": value}).fetchall() == [(value,)]


def test_what_has_no_literal_is_refused():
    with pytest.raises(TypeError, match="no literal for list"):
        dialect.literal([1])


def test_a_unit_other_than_days_is_refused(con):
    with pytest.raises(NotImplementedError, match="MONTH"):
        con.execute("SELECT date_diff('month', day, day) FROM t")
