"""What stands in reconcile.json: what was asked, what it depends on, and the counts; no child."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from earlywarn import __version__
from earlywarn.errors import Lang
from earlywarn.files import sha256
from earlywarn.reconcile.answers import FOLDER, Answers
from earlywarn.reconcile.comparing import LISTS, Comparison
from earlywarn.reconcile.listmapping import Kind
from earlywarn.reconcile.lists import ReadList
from earlywarn.reconcile.wording import COMPARISONS
from earlywarn.tables.batches import data_fingerprint
from earlywarn.workspace import Workspace

RESULT = "reconcile.json"
# What of the config the lists depend on.
_CONFIG = ("attendance", "stages", "school_year_start", "age_at_grade_1", "seed", "generated")


@dataclass(frozen=True)
class Asked:
    """What a reconciliation was asked to do."""

    as_of: date
    paths: dict[Kind, list[Path]]
    mapping: str
    cases: bool
    who: str
    lang: Lang


def inputs_of(
    workspace: Workspace,
    asked: Asked,
    read: dict[Kind, ReadList],
    mappings: dict[str, str],
    answers: Answers,
) -> dict[str, Any]:
    """Return all that the lists depend on; two reconciliations with equal inputs are the same."""
    return {
        "as_of": asked.as_of.isoformat(),
        "program": __version__,
        "data": data_fingerprint(workspace),
        "lists": {kind: sorted(sha for _, sha in found.files) for kind, found in read.items()},
        "forgotten": sum(found.forgotten for found in read.values()),
        "mappings": mappings,
        "answers": hashed([[a.line, a.student_id, a.said] for a in answers.answers]),
        "config": workspace.config.model_dump(mode="json", include=set(_CONFIG)),
        "lang": asked.lang,
    }


def told_of(
    workspace: Workspace,
    asked: Asked,
    read: dict[Kind, ReadList],
    inputs: dict[str, Any],
    found: Comparison,
    to_judge: int,
    number: int,
) -> dict[str, Any]:
    """Return reconcile.json: counts, inputs, versions, and no child."""
    comparisons = {
        which: {
            county: {key: counts[key] for key, _ in columns}
            for county, counts in sorted(getattr(found, which).items())
        }
        for which, (_, columns) in COMPARISONS.items()
    }
    return {
        "format": 1,
        "program": __version__,
        "as_of": asked.as_of.isoformat(),
        "number": number,
        "generated": workspace.config.generated,
        "inputs_hash": hashed(inputs),
        "inputs": inputs,
        "mapping": asked.mapping,
        "files": [
            {"list": kind, "path": str(path), "sha256": sha}
            for kind, one in read.items()
            for path, sha in one.files
        ],
        "cases": asked.cases,
        "counts": {
            "lines": {kind: one.lines.num_rows for kind, one in read.items()},
            "unread": {kind: one.unread_rows for kind, one in read.items()},
            "forgotten": {kind: one.forgotten for kind, one in read.items()},
            "to_judge": to_judge,
            "lists": {which: len(found.lists[which]) for which in LISTS},
            "comparisons": comparisons,
        },
    }


def folders(workspace: Workspace, as_of: date) -> list[tuple[int, Path]]:
    """Return the reconciliations of a day, oldest first."""
    parent = workspace.root / FOLDER / as_of.isoformat()
    if not parent.is_dir():
        return []
    return sorted((int(p.name), p) for p in parent.iterdir() if p.name.isdecimal() and p.is_dir())


def info_of(folder: Path) -> dict[str, Any] | None:
    """Return a reconciliation's reconcile.json, None if it cannot be read."""
    try:
        read: dict[str, Any] = json.loads((folder / RESULT).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return read if isinstance(read, dict) and "inputs_hash" in read else None


def as_text(info: dict[str, Any]) -> str:
    """Return reconcile.json as it stands in its file."""
    return json.dumps(info, ensure_ascii=False, indent=1) + "\n"


def hashed(value: Any) -> str:
    """Return the SHA-256 of what a value says."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def asked_then(workspace: Workspace, as_of: date, number: int, who: str) -> Asked | None:
    """Return what a reconciliation was asked; None if it is gone or its lists have changed."""
    info = info_of(workspace.root / FOLDER / as_of.isoformat() / str(number))
    if info is None:
        return None
    paths: dict[Kind, list[Path]] = {"households": [], "poverty": []}
    for file in info["files"]:
        path = Path(file["path"])
        if not path.is_file() or sha256(path) != file["sha256"]:
            return None
        paths[file["list"]].append(path)
    return Asked(as_of, paths, info["mapping"], info["cases"], who, info["inputs"]["lang"])
