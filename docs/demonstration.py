"""`make demonstration`: the model in models/demonstration/, trained anew on the generated city.

To be run when the feature catalogue or model.json changes: a model of another catalogue is refused.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from earlywarn.models.store.shipped import DEMONSTRATION, copy_into, root
from earlywarn.models.train import train
from earlywarn.simulate.city import simulate
from earlywarn.simulate.demo import STEP_DAYS
from earlywarn.simulate.plan import Plan
from earlywarn.workspace import Workspace


def main() -> None:
    """Simulate, train, and put the model's folder in its place."""
    with tempfile.TemporaryDirectory() as scratch:
        simulate(Path(scratch) / "city", Plan()).set_config(step_days=STEP_DAYS)
        workspace = Workspace.open(Path(scratch) / "city")
        made = train(workspace, DEMONSTRATION, demonstration=True, progress=print)
        target = root() / DEMONSTRATION / "1"
        shutil.rmtree(target, ignore_errors=True)
        copy_into(made.folder, target)
    print(target)


if __name__ == "__main__":
    main()
