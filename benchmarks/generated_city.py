"""The generated city of full size that the benchmarks share, and the day on which it is scored."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from earlywarn.simulate.city import simulate
from earlywarn.simulate.demo import LAST_DAYS_LEFT_OUT, run_demo
from earlywarn.simulate.plan import Plan
from earlywarn.workspace import Workspace


def generated_city(folder: Path, *, trained: bool) -> tuple[Workspace, date]:
    """Return the city below `folder`; `trained`: with the demonstration's model.

    The demonstration's city is taken if it is there. Else it is made where a model is needed; where
    none is, the city alone, which takes a tenth of the time.
    """
    root = folder / "city"
    if root.is_dir():
        workspace = Workspace.open(root)
    elif trained:
        run_demo(root, Plan(), "en", lambda text: None)
        workspace = Workspace.open(root)
    elif (folder / "untrained").is_dir():
        workspace = Workspace.open(folder / "untrained")
    else:
        workspace = simulate(folder / "untrained", Plan())
    until = workspace.config.outcomes_complete_until
    if until is None:
        raise AssertionError("simulate sets outcomes_complete_until")
    return workspace, until - timedelta(days=LAST_DAYS_LEFT_OUT)
