"""100,000 texts into the condition parser: only conditions and refusals may come out.

    python benchmarks/fuzz.py

The texts are Hypothesis's (tests/conditions_fuzz.py), the same in every run. What is accepted
is run in DuckDB too, over a small table.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from figure import Figure, figure
from hypothesis import HealthCheck, Phase, given, settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from conditions_fuzz import compiled, facts, texts

INPUTS = 100_000
BATCH = 100  # accepted conditions run in one query


def figures(folder: Path) -> list[Figure]:
    """Return the one figure: how many were run, accepted, refused; none may escape.

    `folder`, which every part of `make proof` is given, is not needed.
    """
    con = facts()
    counts = {"inputs": 0, "accepted": 0, "refused": 0}
    escaped: list[str] = []
    waiting: list[str] = []
    slowest = 0.0

    def run_waiting() -> None:
        for batch in (waiting, *([sql] for sql in waiting)):
            try:
                con.execute(f"SELECT {', '.join(batch) or 'NULL'} FROM facts").fetchall()
            except Exception as error:  # whatever it is, it should not have come
                escaped.append(f"{type(error).__name__} in DuckDB: {batch[0][:200]}")
            else:
                if batch is waiting:
                    break
        waiting.clear()

    @settings(
        max_examples=INPUTS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(texts())
    def try_one(text: str) -> None:
        nonlocal slowest
        counts["inputs"] += 1
        begun = time.process_time()
        try:
            condition = compiled(text)
        except Exception as error:
            escaped.append(f"{type(error).__name__}: {text[:200]!r}")
            return
        slowest = max(slowest, time.process_time() - begun)
        counts["refused" if condition is None else "accepted"] += 1
        if condition is not None:
            waiting.append(condition.sql)
            if len(waiting) == BATCH:
                run_waiting()

    begun = time.perf_counter()
    try_one()
    run_waiting()
    for line in escaped[:20]:
        print("escaped:", line)
    value = counts | {
        "escaped": len(escaped),
        "slowest_cpu_seconds": round(slowest, 3),
        "seconds": round(time.perf_counter() - begun),
    }
    return [
        figure(
            "rules: texts into the condition parser",
            value,
            f"{INPUTS} run, none escapes",
            not escaped and counts["inputs"] >= INPUTS,
        )
    ]


def main() -> int:
    """Print the figure."""
    with tempfile.TemporaryDirectory() as name:
        found = figures(Path(name))
    print(json.dumps(found, ensure_ascii=False, indent=1))
    return 0 if all(one["holds"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
