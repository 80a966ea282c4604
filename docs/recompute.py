"""Recompute every score from model.json, a feature file and the rules that hit; nothing else.

    python docs/recompute.py WORKSPACE/models/main/1/model.json features.parquet scores.parquet

Prints the largest difference from the stored scores. The features are those of
`earlywarn features`, the hits the column rules_hit of the run's scores.parquet. It
holds while run.json's rules_with_author_points is empty: model.json knows no other rules.
"""

import json
import math
import sys
from bisect import bisect_left

import pyarrow.parquet as pq


def score(model, student, hits):
    """Return the score of one student: features by name, and the ids of the rules that hit."""
    log_odds = model["b0"]
    for table in model["features"]:
        x = student[table["name"]]
        place = None if x is None else bisect_left(table["thresholds"], float(x))
        log_odds += model["b1"] * (table["missing"] if place is None else table["values"][place])
    best = {}  # on a ladder only the highest weight counts
    for rule in (r for r in model["rules"] if r["id"] in hits):
        ladder = rule["ladder"] or rule["id"]
        best[ladder] = max(best.get(ladder, 0.0), rule["weight"])
    return 1 / (1 + math.exp(-(log_odds + sum(best.values()))))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        model = json.load(file)
    students = {row["student_id"]: row for row in pq.read_table(sys.argv[2]).to_pylist()}
    stored = pq.read_table(sys.argv[3], columns=["student_id", "score", "rules_hit"]).to_pylist()
    largest = 0.0
    for row in stored:
        again = score(model, students[row["student_id"]], set(row["rules_hit"]))
        largest = max(largest, abs(again - row["score"]))
    print(f"{len(stored)} students, largest difference {largest:.1e}")
