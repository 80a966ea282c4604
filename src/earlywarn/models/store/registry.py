"""The registry of models: models/NAME/VERSION/, saving and loading, and the experts' scorecards.

What may be loaded is decided in `folder`, which model a label means in `find`, and which one is in
use in `promotion`; what others need of them can be imported here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from earlywarn import __version__
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.features.catalogue import CATALOGUE
from earlywarn.files import sha256, whole_folder
from earlywarn.models.experts import EXPERTS, experts_rate, solve_experts
from earlywarn.models.scorecard import Scorecard
from earlywarn.models.store.find import NAME, Found, all_in, all_shipped, find, versions_in
from earlywarn.models.store.folder import (
    CARD_FILE,
    MANIFEST_FILE,
    MAX_BYTES,
    METRICS_FILE,
    MODEL_FILE,
    PICKLES,
    REFERENCE_FILE,
    Manifest,
    read_manifest,
    read_metrics,
    read_model,
)
from earlywarn.models.store.promotion import (
    NO_MODEL,
    PROMOTED_FILE,
    Promoted,
    promote,
    read_promoted,
    rollback,
)
from earlywarn.models.store.shipped import DEMONSTRATION
from earlywarn.workspace import Workspace

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

__all__ = [
    "CARD_FILE",
    "DEMONSTRATION",
    "MANIFEST_FILE",
    "MAX_BYTES",
    "METRICS_FILE",
    "MODEL_FILE",
    "PICKLES",
    "PROMOTED_FILE",
    "REFERENCE_FILE",
    "Entry",
    "Found",
    "Manifest",
    "Promoted",
    "check_name",
    "choose",
    "experts",
    "find",
    "list_models",
    "list_shipped",
    "load",
    "next_version",
    "open_model",
    "parse",
    "promote",
    "promoted",
    "read_manifest",
    "read_metrics",
    "read_model",
    "read_promoted",
    "rollback",
    "save",
    "stored_experts",
    "versions",
]


@dataclass(frozen=True)
class Entry:
    """One model in the registry; `problem` says why it cannot be used, if it cannot."""

    name: str
    version: int
    promoted: bool
    created: str
    data: dict[str, Any]
    problem: EarlywarnError | None
    events: int | None = None
    is_shipped: bool = False

    @property
    def label(self) -> str:
        """`name/version`."""
        return f"{self.name}/{self.version}"


def check_name(name: str, *, demonstration: bool = False) -> str:
    """Return `name` if a model may be called so (UsageError otherwise).

    `demonstration` True: the name that is kept for the model that ships is allowed too.
    """
    kept = (EXPERTS, NO_MODEL) if demonstration else (EXPERTS, NO_MODEL, DEMONSTRATION)
    if NAME.fullmatch(name) and name not in kept:
        return name
    raise UsageError(
        zh=f"模型名 {name} 不可用：请用字母、数字、_ 和 -，且不能是 {'、'.join(kept)}。",
        en=f"A model cannot be called {name}: use letters, digits, _ and -, and none of "
        f"{', '.join(kept)}.",
    )


def versions(workspace: Workspace, name: str) -> list[int]:
    """Return the versions of a model in the workspace, ascending."""
    return versions_in(workspace.models, name)


def next_version(workspace: Workspace, name: str) -> int:
    """Return the version that a new model called `name` gets."""
    known = versions(workspace, name)
    return known[-1] + 1 if known else 1


def save(
    workspace: Workspace,
    scorecard: Scorecard,
    *,
    data: dict[str, Any],
    others: dict[str, str],
) -> Path:
    """Write a model's folder, whole, with its manifest. The caller holds the workspace's lock.

    `others` are the texts of further files, such as metrics.json and card.html, by name.
    """
    target = workspace.models / scorecard.name / str(scorecard.version)
    with whole_folder(target) as folder:
        texts = {MODEL_FILE: scorecard.model_dump_json(indent=1), **others}
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
        manifest = Manifest(
            format=1,
            name=scorecard.name,
            version=scorecard.version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            program=__version__,
            generated=scorecard.generated,
            catalogue_version=scorecard.catalogue_version,
            catalogue={feature.name: feature.type for feature in CATALOGUE},
            rules_hash=scorecard.rules_hash,
            data=data,
            files={name: sha256(folder / name) for name in sorted(texts)},
        )
        text = json.dumps(manifest.model_dump(), ensure_ascii=False, indent=1)
        (folder / MANIFEST_FILE).write_bytes(text.encode())
    return target


def parse(workspace: Workspace, label: str) -> tuple[str, int]:
    """Read NAME or NAME/VERSION (see `find`)."""
    found = find(workspace, label)
    return found.name, found.version


def load(workspace: Workspace, label: str) -> Scorecard:
    """Load NAME or NAME/VERSION of the workspace, after every check, to score with it.

    Raises
    ------
    EarlywarnError
        If there is no such model in the workspace or it must not be used; the message says why.
    """
    found = find(workspace, label)
    if found.is_shipped:
        raise EarlywarnError(
            zh=f"模型 {found.label} 随程序提供，基于生成的数据，不会直接用来评分。"
            f"如要使用，请先运行 earlywarn models promote {found.label}。",
            en=f"Model {found.label} ships with the program and was trained on generated data: it "
            "is not used for scoring as it stands. To use it, run "
            f"`earlywarn models promote {found.label}` first.",
        )
    return found.read()


def open_model(workspace: Workspace, label: str = "") -> tuple[Found, Scorecard]:
    """Open a model to look at it, one that ships too; default: the promoted one.

    Raises
    ------
    EarlywarnError
        If there is no such model or it must not be used; if none is named and none is promoted.
    """
    if not label:
        chosen = read_promoted(workspace)
        if chosen is None:
            raise EarlywarnError(
                zh="没有启用的模型。请指定 NAME/VERSION，或运行 earlywarn train --promote。",
                en="No model is promoted. Name one as NAME/VERSION, or run `earlywarn train "
                "--promote`.",
            )
        label = chosen.label
    found = find(workspace, label)
    return found, found.read()


def promoted(workspace: Workspace) -> Scorecard | None:
    """Return the promoted model, checked; None if none is promoted."""
    chosen = read_promoted(workspace)
    return load(workspace, chosen.label) if chosen else None


def choose(workspace: Workspace, model: str | None) -> Scorecard | None:
    """Return the model that a `--model` option asks for; None means the experts' scorecard."""
    if model is None:
        return promoted(workspace)
    return None if model == NO_MODEL else load(workspace, model)


def list_models(workspace: Workspace) -> list[Entry]:
    """Return the workspace's models, by name and version, the unusable ones with their problem."""
    try:
        chosen = read_promoted(workspace)
    except EarlywarnError:
        chosen = None
    in_use = chosen.label if chosen else ""
    return [_entry(found, in_use) for found in all_in(workspace.models)]


def list_shipped(workspace: Workspace) -> list[Entry]:
    """Return the models that ship with the program and lie not yet in the workspace."""
    return [_entry(found, "") for found in all_shipped(workspace)]


def _entry(found: Found, in_use: str) -> Entry:
    created, data, events, problem = "", {}, None, None
    try:
        found.read()
        manifest = read_manifest(found.folder)
        created, data, events = manifest.created, manifest.data, manifest.events()
    except EarlywarnError as error:
        problem = error
    return Entry(
        found.name,
        found.version,
        found.label == in_use,
        created,
        data,
        problem,
        events,
        found.is_shipped,
    )


def stored_experts(workspace: Workspace, rulebook: RuleBook) -> Scorecard | None:
    """Return the experts' scorecard that was stored for a rule book, the newest that is usable."""
    wanted = (rulebook.hash, experts_rate(workspace.config))
    for version in reversed(versions(workspace, EXPERTS)):
        try:
            found = load(workspace, f"{EXPERTS}/{version}")
        except EarlywarnError:
            continue
        if (found.rules_hash, found.base_rate) == wanted:
            return found
    return None


def experts(
    workspace: Workspace, rulebook: RuleBook, verdicts: pa.Table, *, store: bool = True
) -> Scorecard:
    """Return the experts' scorecard for a rule book; written once, as models/experts/N.

    What it is made of: `models.experts.solve_experts`. The caller holds the workspace's lock; with
    `store` False nothing is written and no lock is needed.
    """
    found = stored_experts(workspace, rulebook)
    if found is not None:
        return found
    version = next_version(workspace, EXPERTS)
    scorecard = solve_experts(workspace.config, rulebook, verdicts, version)
    if store:
        save(workspace, scorecard, data={"students": verdicts.num_rows}, others={})
    return scorecard
