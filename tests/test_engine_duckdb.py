"""The .sql files that are run: what was parsed once serves every connection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb

from earlywarn.engine import duckdb as engine


def test_a_statement_parsed_once_serves_all_connections(monkeypatch) -> None:
    text = "CREATE OR REPLACE TEMP TABLE t AS SELECT $day + n AS x FROM range(/*rows*/ 1) AS r(n);"
    monkeypatch.setattr(engine, "sql_file", lambda package, name: text)
    monkeypatch.setattr(engine, "_PARSED", {})

    def made(day: int) -> list[int]:
        with duckdb.connect() as con:
            swap = {"/*rows*/ 1": str(1 + day % 3)}
            engine.run_sql_file(con, "p", "n", {"day": day, "other": 0}, swap)
            return [x for (x,) in con.sql("SELECT x FROM t ORDER BY x").fetchall()]

    wanted = [[day + n for n in range(1 + day % 3)] for day in range(40)]
    assert [made(day) for day in range(40)] == wanted
    assert len(engine._PARSED) == 3
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(made, range(40))) == wanted
