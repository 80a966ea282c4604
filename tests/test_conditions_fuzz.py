"""Whatever is written after `when:` is a condition that runs, or refused; nothing else happens."""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings

from conditions_fuzz import compiled, facts, seeds, texts

con = facts()


@settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts())
def test_any_text_is_refused_or_runs(text):
    condition = compiled(text)
    event("refused" if condition is None else "a condition")
    if condition is not None:
        con.execute(f"SELECT {condition.sql} FROM facts").fetchall()
        con.execute(f"SELECT {condition.finite_tree.sql('duckdb')} FROM facts").fetchall()


def test_the_seeds_are_conditions():
    assert len(seeds()) >= 35
    for seed in seeds():
        assert compiled(seed) is not None
