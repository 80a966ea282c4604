"""The scoring as one query says what numpy says: in DuckDB, and in Spark."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earlywarn.engine.duckdb import connect
from earlywarn.features.catalogue import FEATURES
from earlywarn.models.scorecard import FeatureTable, Scorecard, lookup
from earlywarn.models.store import registry
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.scoring import rank_sql, scorecard_sql
from earlywarn.scoring.frame import DECIMALS, Prepared, prepare, score_frame
from earlywarn.scoring.scorecard_sql import column, double
from earlywarn.scoring.sql import score_tree
from earlywarn.words import Tier
from earlywarn.workspace import CONFIG_FILE, Capacity, Config, Workspace, config_text
from models_rules import book, rule, scorecard, weight
from scoring_city import CITY_DAY, City
from spark_session import a_spark

# Tables come and go as Arrow and Parquet; pandas has no part in it.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")

DAY = date(2026, 6, 12)
SPARK_CASES = 2
TYPES = {"boolean": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}
INPUTS = {
    name: FEATURES[name].type
    for name in ("boarding", "school_rural", "unexcused_run", "failed_subjects", "exam_z")
} | dict.fromkeys(("absence_rate_20d", "late_rate_20d"), "number")
VALUES = {
    "boolean": [None, True, False],
    "integer": [None, 0, 1, 2, 3, 5],
    "number": [
        *(None, float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 5e-324),
        *(-1.5, 0.1, np.nextafter(0.1, 1), 1 / 3, 2.0, 1e300),
    ],
}
CONDITIONS = [
    "unexcused_run >= 3",
    "unexcused_run >= 1 and boarding",
    "absence_rate_20d > 0.1",
    "absence_rate_20d - late_rate_20d >= 0",
    "late_rate_20d / exam_z > 1",
    "not school_rural or failed_subjects in (1, 2)",
    "exam_z is null",
    "coalesce(exam_z, 0) <= -1",
]


@dataclass(frozen=True)
class Case:
    """What is scored, and with what; `schools` has the schools' own capacities."""

    facts: pa.Table
    schools: pa.Table
    scorecard: Scorecard
    rulebook: RuleBook
    config: Config
    as_of: date = DAY

    def by_numpy(self) -> pa.Table:
        """Return the table of `score_frame`."""
        con = duckdb.connect()
        facts = self.facts.sort_by("student_id")
        con.register("cohort", facts.select(["student_id", "school_id"]))
        con.register("schools", self.schools)
        prepared = Prepared.judge(con, facts, self.rulebook, self.as_of)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / CONFIG_FILE).write_text(config_text(self.config), "utf-8")
            workspace = Workspace(Path(folder))
            return score_frame(workspace, prepared, self.scorecard, self.as_of)

    def query(self, dialect: str, number: int = 0) -> str:
        """Return the text of the query over the views facts_N and schools_N."""
        tree = score_tree(
            self.scorecard,
            self.rulebook,
            self.config,
            self.as_of,
            facts=f"facts_{number}",
            schools=f"schools_{number}",
        )
        return tree.sql(dialect=dialect)

    def by_duckdb(self) -> pa.Table:
        con = duckdb.connect()
        con.register("facts_0", self.facts)
        con.register("schools_0", self.schools)
        return con.sql(self.query("duckdb")).to_arrow_table()


def made(rng: random.Random, children: int) -> Case:
    """Make a case: a few features, rules on ladders, children with every odd number."""
    names = rng.sample(sorted(INPUTS), rng.randint(0, len(INPUTS)))
    # Eighths are added without rounding and give ties; thirds round, each order another way.
    part = rng.choice([8.0, 3.0])
    tables = []
    for name in names:
        known = [float(v) for v in VALUES[INPUTS[name]] if v is not None and np.isfinite(float(v))]
        cuts = sorted(set(rng.sample(known, rng.randint(0, min(5, len(known))))))
        values = [rng.randint(-9, 9) / part for _ in range(len(cuts) + 2)]
        tables.append(
            FeatureTable(name=name, thresholds=cuts, values=values[1:], missing=values[0])
        )
    rules = [
        replace(
            rule(f"r{i}", rng.randint(0, 6) / part, rng.choice([None, "x", "y"]), when),
            floor=rng.choice([None, None, *Tier]),
        )
        for i, when in enumerate(rng.sample(CONDITIONS, rng.randint(0, len(CONDITIONS))))
    ]
    fitted = [weight(r, rng.randint(0, 6) / part) for r in rules if rng.random() < 0.7]
    schools = ["甲", "乙", "B"]
    columns = {
        name: pa.array([rng.choice(VALUES[kind]) for _ in range(children)], TYPES[kind])
        for name, kind in INPUTS.items()
    }
    ids = rng.sample([f"{a}{n}" for a, n in product(["S", "s", "学", "𠮷'"], range(99))], children)
    return Case(
        facts=pa.table(
            {
                "student_id": pa.array(ids, pa.string()),
                "school_id": pa.array([rng.choice(schools) for _ in ids], pa.string()),
            }
            | columns
        ),
        schools=pa.table(
            {
                "school_id": pa.array(schools[:2]),
                "capacity": pa.array([rng.choice([None, 0, 2]), None], pa.int32()),
            }
        ),
        scorecard=scorecard(
            tables,
            fitted,
            b0=rng.randint(-24, 0) / part,
            b1=rng.choice([0.0, 0.7, 1.0]),
            base_rate=rng.choice([0.01, 0.1]),
        ),
        rulebook=book(*rules),
        config=Config.model_validate(
            {
                "tiers": {"high": rng.choice([3.0, 20.0]), "watch": rng.choice([0.5, 5.0])},
                "capacity": {"least": rng.randint(0, 2), "share": rng.choice([0, 0.07, 0.3, 1])},
            }
        ),
    )


def assert_same(got: pa.Table, expected: pa.Table) -> None:
    """Everything is the same to the bit; a score may be off by one in its last stored digit."""
    assert got.column_names == expected.column_names
    for name in expected.column_names:
        found, wanted = got[name].to_pylist(), expected[name].to_pylist()
        if name == "score":
            assert np.abs(np.subtract(found, wanted)).max(initial=0) <= 1.001 * 10**-DECIMALS
        else:
            assert found == wanted, name
    assert got.schema.field("rank").type == expected.schema.field("rank").type


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_duckdb_says_what_numpy_says(rng: random.Random, children: int) -> None:
    case = made(rng, children)
    assert_same(case.by_duckdb(), case.by_numpy())


@pytest.fixture(scope="module")
def of_the_city(city: City) -> dict[str, Case]:
    """The generated city with three scorecards: its own, the shipped one, the experts'."""
    with connect(city.workspace) as con:
        rulebook = load_rulebook(city.workspace.rules)
        prepared = prepare(con, city.workspace, rulebook, CITY_DAY)
        schools = con.sql("SELECT school_id, capacity FROM schools").to_arrow_table()
    cards = {
        "trained": city.model,
        "demonstration": registry.open_model(city.workspace, "demonstration/1")[1],
        "experts": registry.load(city.workspace, city.experts.info["model"]),
    }
    config = city.workspace.config
    return {
        name: Case(prepared.facts, schools, card, rulebook, config, CITY_DAY)
        for name, card in cards.items()
    }


@pytest.mark.parametrize("card", ["trained", "demonstration", "experts"])
def test_duckdb_scores_the_city_as_numpy_does(of_the_city: dict[str, Case], card: str) -> None:
    case = of_the_city[card]
    expected = case.by_numpy()
    assert_same(case.by_duckdb(), expected)
    assert set(expected["tier"].to_pylist()) >= {"routine", "watch", "high"}
    assert any(expected["rules_hit"].to_pylist())
    assert any(expected["rules_unknown"].to_pylist())


def test_spark_says_what_numpy_says(of_the_city: dict[str, Case], spark, tmp_path: Path) -> None:
    """Random cases and the city with the shipped scorecard, in one job."""
    cases = [made(random.Random(seed), 40) for seed in range(SPARK_CASES)]
    cases.append(of_the_city["demonstration"])
    texts = []
    for number, case in enumerate(cases):
        for view, table in (("facts", case.facts), ("schools", case.schools)):
            path = str(tmp_path / f"{view}_{number}.parquet")
            pq.write_table(table, path)
            spark.read.parquet(path).createOrReplaceTempView(f"{view}_{number}")
        texts.append(f"SELECT {number} AS case, * FROM ({case.query('spark', number)})")
    found = spark.sql(" UNION ALL ".join(texts)).toArrow()
    for number, case in enumerate(cases):
        rows = found.filter(pa.compute.equal(found["case"], number)).drop_columns("case")
        assert_same(rows.sort_by("student_id"), case.by_numpy())


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4096])
def test_a_step_is_the_scorecards_lookup(count: int) -> None:
    rng = np.random.default_rng(count)
    cuts = np.sort(rng.normal(size=count))
    values = rng.normal(size=count + 2).tolist()
    table = FeatureTable(name="x", thresholds=cuts.tolist(), values=values[1:], missing=values[0])
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.7976931348623157e308, 5e-324]
    x = np.concatenate([cuts, np.nextafter(cuts, np.inf), np.nextafter(cuts, -np.inf), odd])
    con = duckdb.connect()
    con.register("numbers", pa.table({"place": np.arange(len(x)), "x": x}))
    text = scorecard_sql.step(column("x"), table, 0.7).sql(dialect="duckdb")
    found = con.sql(f"SELECT {text} FROM numbers ORDER BY place").fetchnumpy()
    (got,) = found.values()
    assert got.tolist() == (0.7 * lookup(table, x)).tolist()
    ((missing,),) = con.sql(f"SELECT {text} FROM (SELECT NULL::DOUBLE AS x)").fetchall()
    assert missing == 0.7 * table.missing


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_whole_is_numpys_rint(numbers: list[float]) -> None:
    halves = np.round(np.clip(numbers, -1e9, 1e9)) + 0.5
    x = np.concatenate([numbers, halves])
    con = duckdb.connect()
    con.register("numbers", pa.table({"place": np.arange(len(x)), "x": x}))
    text = scorecard_sql.whole(column("x")).sql(dialect="duckdb")
    found = con.sql(f"SELECT {text} AS whole FROM numbers ORDER BY place").fetchnumpy()
    assert np.array_equal(found["whole"], np.rint(x))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_literal_is_that_double(value: float) -> None:
    ((got, kind),) = duckdb.sql(
        f"SELECT x, typeof(x) FROM (SELECT {double(value).sql('duckdb')} AS x)"
    ).fetchall()
    assert (got, kind) == (value, "DOUBLE")


@given(
    st.floats(0, 1) | st.integers(0, 100).map(lambda n: n / 100) | st.just(1e-27),
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(1, 100_000), st.none() | st.integers(0, 50)), min_size=1),
)
def test_capacity_is_worked_out_in_decimal(
    share: float, least: int, schools: list[tuple[int, int | None]]
) -> None:
    rule = Capacity(least=least, share=share)
    con = duckdb.connect(config={"threads": 1})
    sizes, own = zip(*schools, strict=True)
    con.register(
        "schools",
        pa.table({"n": range(len(sizes)), "size": sizes, "own": pa.array(own, pa.int32())}),
    )
    text = rank_sql.capacity(rule, column("size"), column("own")).sql(dialect="duckdb")
    found = [room for (room,) in con.sql(f"SELECT {text} FROM schools ORDER BY n").fetchall()]
    assert found == [rule.of(size, mine) for size, mine in schools]


def test_more_terms_than_one_expression_may_hold() -> None:
    """They are added in parts, and in the same order."""
    rules = [rule(f"r{i:03d}", 0.001 * i, when="unexcused_run >= 3") for i in range(450)]
    facts = pa.table(
        {
            "student_id": ["a", "b", "c"],
            "school_id": ["S", "S", "T"],
            "unexcused_run": pa.array([3, None, 0], pa.int64()),
        }
    )
    schools = pa.table({"school_id": ["S"], "capacity": pa.array([1], pa.int32())})
    case = Case(facts, schools, scorecard([], [], b0=-50.0), book(*rules), Config())
    assert_same(case.by_duckdb(), case.by_numpy())


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory):
    yield from a_spark(tmp_path_factory.mktemp("spark"))
