"""The bare process of cold.py: it imports what it is told, scans, predicts, and nothing else.

    python benchmarks/bare.py FOLDER WORKSPACE

FOLDER holds modules.json, forest.joblib and cohort.npy, which cold.py made.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in json.loads((folder / "modules.json").read_text()):
        with suppress(ImportError):  # a part that only its own package can import
            import_module(name)
    import joblib
    import numpy as np
    from scanning import scan

    from earlywarn.workspace import Workspace

    scan(Workspace.open(Path(sys.argv[2])))
    joblib.load(folder / "forest.joblib").predict_proba(np.load(folder / "cohort.npy"))
