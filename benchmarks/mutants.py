"""How many small changes of the shipped rules their own tests notice: a mutation test.

    python benchmarks/mutants.py

The mutants are those of tests/rules_mutants.py: every constant moved by the step that the catalogue
gives for its feature, every operator turned, every clause dropped. What is missed is listed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from figure import Figure, figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from earlywarn.rules.pack import load_rulebook
from earlywarn.workspace import shipped
from rules_mutants import mutants, survivors

BAR = 0.95


def figures(folder: Path) -> list[Figure]:
    """Return the share noticed, over all and by kind of change.

    `folder`, which every part of `make proof` is given, is not needed.
    """
    found = mutants(load_rulebook(shipped("rules")).rules)
    missed = survivors(found)
    for mutant in missed:
        print("missed", mutant.name)
    kinds, left = Counter(m.kind for m in found), Counter(m.kind for m in missed)
    share = 1 - len(missed) / len(found)
    return [
        figure(
            "rules: changes of the shipped packs that their tests notice",
            {
                "mutants": len(found),
                "noticed": len(found) - len(missed),
                "share": round(share, 4),
            },
            f">= {BAR}",
            share >= BAR,
        ),
        figure(
            "rules: noticed and made, by kind of change",
            {kind: [n - left[kind], n] for kind, n in kinds.most_common()},
            f"each >= {BAR}",
            all(1 - left[kind] / n >= BAR for kind, n in kinds.items()),
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(figures(Path()), indent=1))
