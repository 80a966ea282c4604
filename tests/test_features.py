"""Every feature against the worked examples and against the oracle on little random counties."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build, build_families, make_keys
from earlywarn.features.catalogue import CATALOGUE
from earlywarn.features.facts import side_by_side, side_by_side_in_sql
from earlywarn.features.groups import Groups, load_groups
from earlywarn.tables.batches import add_batch, one_row_a_day
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Config, Workspace, shipped
from oracle.canonical import EXAMPLE_NAMES, EXAMPLES, arrow_tables, read_case, read_tables
from oracle.compare import mismatches
from oracle.features import WORST_LAST, NoCalendarError, compute
from oracle.worlds import FAMILY, World, family, together, world

WORLDS = 300  # built FAMILY at a time, in one county: so none may touch the others
FAMILIES = WORLDS // FAMILY
CHUNKS = 10
ORDERS = {
    "as documented": list(TABLES),
    "reversed": list(TABLES)[::-1],
    "students last": sorted(TABLES, key=lambda name: (name == "students", name)),
}
Picture = dict[str, list[str]]
KEEPS = ("features", "facts", "basis")  # what must not change when nothing relevant changes


@pytest.fixture(scope="module")
def groups() -> Groups:
    return load_groups(shipped("rules"))


@cache
def county(number: int) -> World:
    """Return the worlds of one family as one county."""
    return together(family(number))


def cohort_of(case: World) -> list[dict[str, Any]]:
    return compute(case.tables, case.as_of, case.mode, case.config)


class Counties:
    """Builds the features of random counties, all in one connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection, groups: Groups) -> None:
        self.con = con
        self.groups = groups
        self.pictures: dict[int, Picture] = {}

    def load(self, tables: dict[str, pa.Table]) -> None:
        """Put tables in under the names that the views have in a workspace."""
        for name, table in tables.items():
            self.con.register("incoming", table)
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
            self.con.unregister("incoming")

    def build(
        self,
        case: World,
        tables: dict[str, pa.Table] | None = None,
        *,
        one_row_a_day: bool = False,
    ) -> None:
        """Build the features of a county, or of other tables under its settings."""
        self.load(case.arrow() if tables is None else tables)
        self.build_again(case, one_row_a_day=one_row_a_day)

    def build_again(self, case: World, **given: bool) -> None:
        """Build the features of a county whose tables are loaded."""
        config = Config(attendance=case.mode, **case.config)
        build(self.con, config, self.groups, case.as_of, **given)

    def rows(self, table: str = "features") -> list[dict[str, Any]]:
        ordered = self.con.sql(f"SELECT * FROM {table} ORDER BY student_id")
        rows: list[dict[str, Any]] = ordered.to_arrow_table().to_pylist()
        return rows

    def picture(self) -> Picture:
        """Return what `build` left, every digit of it, row by row."""
        return {
            table: [repr(self.con.table(table).types), *map(repr, self.rows(table))]
            for table in KEEPS
        }

    def original(self, number: int) -> Picture:
        """Return the picture of a county as it is, built once."""
        if number not in self.pictures:
            self.build(county(number))
            self.pictures[number] = self.picture()
        return self.pictures[number]


@pytest.fixture(scope="module")
def counties(groups: Groups) -> Iterator[Counties]:
    with duckdb.connect(config={"preserve_insertion_order": False, "threads": 1}) as con:
        yield Counties(con, groups)


# ------------------------------------------------------------------------------ worked examples


def expected_rows(folder: Path) -> list[dict[str, Any]]:
    """Return expected.csv as typed values; the kind of a column comes from the catalogue."""
    kinds = {feature.name: feature.type for feature in CATALOGUE}
    read = {
        "boolean": lambda text: {"true": True, "false": False}[text],
        "integer": int,
        "number": Decimal,
        "text": str,
    }
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        return [
            {
                name: read[kinds.get(name, "text")](text) if text else None
                for name, text in row.items()
            }
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_worked_example_through_the_workspace(
    name: str, order: str, tmp_path: Path, groups: Groups
) -> None:
    as_of, mode = read_case(EXAMPLES / name)
    workspace = Workspace.init(tmp_path / "county").set_config(attendance=mode)
    tables = arrow_tables(read_tables(EXAMPLES / name))
    for table in ORDERS[order]:
        add_batch(workspace, {table: tables[table]}, origin=f"{table}.csv", content=table)
    with connect(workspace) as con:
        build(con, workspace.config, groups, as_of, one_row_a_day=one_row_a_day(workspace))
        found = con.table("features").to_arrow_table().to_pylist()
    wrong = mismatches(f"example {name}", expected_rows(EXAMPLES / name), found)
    assert not wrong, "\n".join(wrong)


# ------------------------------------------------------------------------------ random counties


def out_of_range(row: dict[str, Any]) -> Iterator[str]:
    """Yield the features that are not within what the catalogue says they can be."""
    for feature in CATALOGUE:
        value = row[feature.name]
        low, high = feature.range
        if value is None:
            if feature.always_known:
                yield f"{feature.name} is NULL"
        elif (low is not None and value < low) or (high is not None and value > high):
            yield f"{feature.name} is {value}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_worlds_equal_the_oracle(chunk: int, counties: Counties) -> None:
    wrong: list[str] = []
    for number in range(chunk, FAMILIES, CHUNKS):
        counties.build(county(number))
        counties.pictures[number] = counties.picture()
        found = counties.rows()
        wrong += [f"family {number}: {text}" for row in found for text in out_of_range(row)]
        expected = [row for one in family(number) for row in cohort_of(one)]
        # A student's id begins with the seed of its world.
        wrong += mismatches(f"family {number}", expected, found)
    assert not wrong, f"{len(wrong)} differences\n" + "\n".join(wrong[:60])


@pytest.mark.parametrize("chunk", range(4))
def test_nothing_later_changes_anything(chunk: int, counties: Counties) -> None:
    wrong: list[str] = []
    for number in range(chunk, 40, 4):
        case = county(number)
        before = counties.original(number)
        counties.build(case, case.later_changed(Random(number)).arrow())
        after = counties.picture()
        wrong += [
            f"family {number}, {table}:\n  {a}\n  {b}"
            for table in KEEPS
            for a, b in zip_longest(before[table], after[table])
            if a != b
        ]
    assert not wrong, "\n".join(wrong[:10])


def test_order_of_rows_threads_and_repetition_do_not_matter(counties: Counties) -> None:
    for number in range(6):
        case = county(number)
        before = counties.original(number)
        counties.build(case)
        assert counties.picture() == before, f"family {number}: two builds differ"
        rng = Random(number)
        shuffled = {}
        for name, table in case.arrow().items():
            order = list(range(table.num_rows))
            rng.shuffle(order)
            shuffled[name] = table.take(pa.array(order, pa.int64()))
        counties.con.execute("SET threads = 2")
        counties.build(case, shuffled)
        counties.con.execute("SET threads = 1")
        assert counties.picture() == before, f"family {number}: row order or threads matter"


def test_folding_sessions_beforehand_changes_nothing(counties: Counties) -> None:
    for number in range(6, 11):
        case = county(number)
        tables = case.arrow()
        worst: dict[Any, dict[str, Any]] = {}
        for row in tables["attendance"].to_pylist():
            known = worst.setdefault((row["student_id"], row["date"]), row | {"session": None})
            known["status"] = max(known["status"], row["status"], key=WORST_LAST.index)
        schema = TABLES["attendance"].schema
        tables["attendance"] = pa.Table.from_pylist(list(worst.values()), schema=schema)
        before = counties.original(number)
        counties.build(case, tables, one_row_a_day=True)
        assert counties.picture() == before, f"family {number}"


def test_days_before_and_after_may_be_built_in_one_connection(counties: Counties) -> None:
    """What counted on one day is not all that counts on another: nothing of it may be left."""

    def build_on(case: World, **given: bool) -> Picture:
        try:
            counties.build_again(case, **given)
        except EarlywarnError as error:
            return {"refused": [error.en]}
        return counties.picture()

    for number in range(4):
        case = county(number)
        counties.load(case.arrow())
        dated = [replace(case, as_of=case.as_of - timedelta(days=back)) for back in (0, 90, 20, 0)]
        alone = [build_on(one) for one in dated]
        make_keys(counties.con, Config(attendance=case.mode, **case.config))
        together = [build_on(one, keys_are_made=True) for one in dated[::-1]]
        assert together[::-1] == alone, f"family {number}"


def test_facts_are_the_same_put_side_by_side_in_sql(counties: Counties) -> None:
    """As Spark does it, values and types."""
    for number in range(FAMILIES):
        case = county(number)
        counties.load(case.arrow())
        config = Config(attendance=case.mode, **case.config)
        build_families(counties.con, config, counties.groups, case.as_of)
        counties.con.unregister("facts")  # of an example before
        side_by_side_in_sql(counties.con)
        in_sql = counties.con.sql("SELECT * FROM facts ORDER BY student_id").to_arrow_table()
        counties.con.execute("DROP TABLE facts")
        assert side_by_side(counties.con).equals(in_sql), f"family {number}"


def test_columns_are_the_catalogue(counties: Counties) -> None:
    case = next(c for c in map(county, range(FAMILIES)) if cohort_of(c))
    counties.build(case)
    names = ["student_id", "school_id", *(feature.name for feature in CATALOGUE)]
    found = counties.con.table("features")
    assert found.columns == names
    sql_types = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "text": "VARCHAR"}
    wanted = ["VARCHAR", "VARCHAR", *(sql_types[feature.type] for feature in CATALOGUE)]
    assert [str(kind) for kind in found.types] == wanted
    assert sorted(cohort_of(case)[0]) == sorted(names)


def test_exceptions_without_a_calendar_is_refused(counties: Counties) -> None:
    case = next(c for c in map(county, range(FAMILIES)) if c.mode == "exceptions" and cohort_of(c))
    bare = replace(case, tables=case.tables | {"calendar": []})
    with pytest.raises(NoCalendarError):
        cohort_of(bare)
    with pytest.raises(EarlywarnError, match=r"calendar"):
        counties.build(bare)


def test_before_any_data_there_is_no_cohort(counties: Counties) -> None:
    case = county(1)
    counties.build(replace(case, as_of=case.as_of - timedelta(days=5000)))
    assert counties.rows() == []


# ------------------------------------------------------------------------------ the oracle itself


def test_world_is_the_same_for_the_same_seed() -> None:
    assert world(7) == world(7)


def test_worlds_of_a_family_do_not_touch_each_other() -> None:
    for number in range(20):
        apart = [row for one in family(number) for row in cohort_of(one)]
        assert not mismatches(f"family {number}", apart, cohort_of(county(number)))


def test_oracle_is_blind_to_what_comes_later() -> None:
    for number in range(30):
        case = county(number)
        later = case.later_changed(Random(number))
        assert later.tables != case.tables
        assert cohort_of(later) == cohort_of(case), f"family {number}"


def test_world_as_csv_reads_back(tmp_path: Path) -> None:
    case = world(3)
    case.write_csv(tmp_path)
    assert read_tables(tmp_path) == {name: case.tables[name] for name in TABLES}
