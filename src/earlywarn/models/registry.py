"""The registry of models: models/NAME/VERSION/, what is promoted, and the experts' scorecards.

A model is data. model.json is checked against its hash in manifest.json, its schema and the
program's feature catalogue before use. Pickle, joblib and skops files can run code when they are
opened: they are refused unopened.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn import __version__
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.features.catalogue import CATALOGUE, CATALOGUE_VERSION, FEATURES
from earlywarn.files import sha256, whole_folder, write_whole
from earlywarn.models.experts import EXPERTS, experts_rate, solve_experts
from earlywarn.models.scorecard import Scorecard
from earlywarn.workspace import Workspace

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

MODEL_FILE = "model.json"
MANIFEST_FILE = "manifest.json"
METRICS_FILE = "metrics.json"
CARD_FILE = "card.html"
PROMOTED_FILE = "promoted.json"
MAX_BYTES = 20_000_000
PICKLES = (".pkl", ".pickle", ".joblib", ".skops", ".sav", ".npy", ".npz", ".pt", ".h5")
_MAGIC = (b"\x80", b"PK", b"\x1f\x8b", b"\x78", b"BZ", b"\xfd7z", b"\x93NUMPY", b"(d", b"c__")
_NAME = re.compile(r"\w[\w.-]{0,59}")


class Manifest(BaseModel):
    """manifest.json: where a model came from, and the hashes of its files."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(1, ge=1, le=1)
    name: str
    version: int
    created: str
    program: str
    generated: bool
    catalogue_version: str
    catalogue: dict[str, str]  # name: type
    rules_hash: str
    data: dict[str, Any] = Field(default_factory=dict)  # period, rows, events
    files: dict[str, str]  # name: sha256


class Promoted(BaseModel):
    """promoted.json: the model in use, and the ones before it, oldest first."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(1, ge=1, le=1)
    name: str
    version: int
    since: str
    before: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """One model in the registry; `problem` says why it cannot be used, if it cannot."""

    name: str
    version: int
    promoted: bool
    created: str
    data: dict[str, Any]
    problem: EarlywarnError | None

    @property
    def label(self) -> str:
        """`name/version`."""
        return f"{self.name}/{self.version}"


def check_name(name: str) -> str:
    """Return `name` if a model may be called so (UsageError otherwise)."""
    if _NAME.fullmatch(name) and name not in (EXPERTS, "none"):
        return name
    raise UsageError(
        zh=f"模型名 {name} 不可用：请用字母、数字、_ 和 -，且不能是 {EXPERTS} 或 none。",
        en=f"A model cannot be called {name}: use letters, digits, _ and -, and neither {EXPERTS} "
        "nor none.",
    )


def versions(workspace: Workspace, name: str) -> list[int]:
    """Return the versions of a model, ascending."""
    folder = workspace.models / name
    if not folder.is_dir():
        return []
    return sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit() and p.is_dir())


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
    """Read NAME or NAME/VERSION (the newest version if none is given).

    Raises
    ------
    EarlywarnError
        If there is no such model, or a pickle is offered instead of one.
    """
    if label.lower().endswith(PICKLES):
        raise _pickled(label)
    name, slash, number = label.replace("\\", "/").partition("/")
    known = versions(workspace, name) if _NAME.fullmatch(name) else []
    if number.isdigit() and int(number) in known:
        return name, int(number)
    if known and not slash:
        return name, known[-1]
    names = ", ".join(entry.label for entry in list_models(workspace)) or "-"
    raise EarlywarnError(
        zh=f"没有模型 {label}。现有：{names}。",
        en=f"There is no model {label}. There are: {names}.",
    )


def load(workspace: Workspace, label: str) -> Scorecard:
    """Load NAME or NAME/VERSION after checking hash, schema and catalogue.

    Raises
    ------
    EarlywarnError
        If there is no such model or it must not be used; the message says why.
    """
    name, version = parse(workspace, label)
    folder = workspace.models / name / str(version)
    scorecard = read_model(folder)
    if (scorecard.name, scorecard.version) != (name, version):
        raise EarlywarnError(
            zh=f"{folder} 里的模型自称 {scorecard.label}。请把文件夹放回原来的名称和版本。",
            en=f"The model in {folder} calls itself {scorecard.label}: put the folder back under "
            "that name and version.",
        )
    return scorecard


def read_model(folder: Path) -> Scorecard:
    """Read and check the model in `folder` (see `load`)."""
    path = folder / MODEL_FILE
    if not path.is_file():
        pickles = sorted(p.name for p in folder.glob("*") if p.suffix.lower() in PICKLES)
        if pickles:
            raise _pickled(str(folder / pickles[0]))
        raise EarlywarnError(
            zh=f"{folder} 里没有 {MODEL_FILE}。", en=f"There is no {MODEL_FILE} in {folder}."
        )
    if path.stat().st_size > MAX_BYTES:
        raise _damaged(path, f"超过 {MAX_BYTES} 字节", f"it is larger than {MAX_BYTES} bytes")
    content = path.read_bytes()
    if content.startswith(_MAGIC):
        raise _pickled(str(path))
    manifest = read_manifest(folder)
    if manifest.files.get(MODEL_FILE) != sha256(path):
        raise _damaged(
            path,
            f"内容与 {MANIFEST_FILE} 里的校验值不符（文件被改动过）",
            f"its content is not what {MANIFEST_FILE} has the hash of (it was changed)",
        )
    try:
        scorecard = Scorecard.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: {first['msg']}" if where else str(first["msg"])
        raise _damaged(path, problem, problem) from None
    _check_catalogue(scorecard, manifest)
    return scorecard


def read_manifest(folder: Path) -> Manifest:
    """Read a model's manifest.json."""
    path = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError:
        raise _damaged(path, "读不到", "it cannot be read") from None
    except ValidationError:
        raise _damaged(path, "不符合格式", "it is not a manifest") from None


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read a model's metrics.json ({} where there is none: the experts')."""
    path = folder / METRICS_FILE
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        raise _damaged(path, "不是 JSON", "it is not JSON") from None
    return found if isinstance(found, dict) else {}


def _check_catalogue(scorecard: Scorecard, manifest: Manifest) -> None:
    names = [table.name for table in scorecard.features]
    unknown = [name for name in names if name not in FEATURES]
    order = [feature.name for feature in CATALOGUE if feature.name in set(names)]
    if scorecard.catalogue_version == CATALOGUE_VERSION and not unknown and names == order:
        return
    here = {feature.name: feature.type for feature in CATALOGUE}
    theirs = manifest.catalogue
    new = sorted(set(here) - set(theirs))
    gone = sorted((set(theirs) - set(here)) | set(unknown))
    changed = sorted(n for n in set(here) & set(theirs) if here[n] != theirs[n])
    parts = [
        (f"模型没有：{', '.join(new)}", f"not in the model's: {', '.join(new)}", new),
        (f"本程序没有：{', '.join(gone)}", f"not in this one: {', '.join(gone)}", gone),
        (f"类型不同：{', '.join(changed)}", f"of another type: {', '.join(changed)}", changed),
    ]
    zh = ";".join(part[0] for part in parts if part[2]) or "特征的定义或顺序不同"
    en = "; ".join(part[1] for part in parts if part[2]) or "definitions or order differ"
    raise EarlywarnError(
        zh=f"模型 {scorecard.label} 用的是另一版特征目录（{scorecard.catalogue_version}，"
        f"本程序为 {CATALOGUE_VERSION}；{zh}）。请重新训练。",
        en=f"Model {scorecard.label} was trained with another feature catalogue "
        f"({scorecard.catalogue_version}, this program's is {CATALOGUE_VERSION}; {en}). "
        "Train again.",
    )


def _pickled(what: str) -> EarlywarnError:
    return EarlywarnError(
        zh=f"{what} 是 pickle/joblib/skops 一类的文件：打开它会执行其中的代码，因此拒绝，"
        "文件未被打开。模型应是 earlywarn train 写出的 model.json。",
        en=f"{what} is a pickle, joblib or skops file: opening one can run code hidden in it, so "
        "it is refused unopened. A model is the model.json that `earlywarn train` writes.",
    )


def _damaged(path: Path, zh: str, en: str) -> EarlywarnError:
    return EarlywarnError(
        zh=f"{path} 不能使用：{zh}。请重新复制该模型的文件夹，或重新训练。",
        en=f"{path} cannot be used: {en}. Copy the model's folder again, or train again.",
    )


def promote(workspace: Workspace, label: str) -> Scorecard:
    """Make NAME or NAME/VERSION the model that `score` uses. The caller holds the lock."""
    scorecard = load(workspace, label)
    current = read_promoted(workspace)
    before = list(current.before) if current else []
    if current and (current.name, current.version) != (scorecard.name, scorecard.version):
        before.append(f"{current.name}/{current.version}")
    chosen = Promoted(
        format=1,
        name=scorecard.name,
        version=scorecard.version,
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        before=before,
    )
    write_whole(workspace.models / PROMOTED_FILE, chosen.model_dump_json(indent=1))
    return scorecard


def read_promoted(workspace: Workspace) -> Promoted | None:
    """Return which model is promoted, if one is."""
    path = workspace.models / PROMOTED_FILE
    if not path.is_file():
        return None
    try:
        return Promoted.model_validate_json(path.read_bytes())
    except ValidationError:
        raise EarlywarnError(
            zh=f"{path} 已损坏。请运行 earlywarn models promote NAME/VERSION 重新指定。",
            en=f"{path} is damaged. Run `earlywarn models promote NAME/VERSION` again.",
        ) from None


def promoted(workspace: Workspace) -> Scorecard | None:
    """Return the promoted model, checked; None if none is promoted."""
    chosen = read_promoted(workspace)
    return load(workspace, f"{chosen.name}/{chosen.version}") if chosen else None


def choose(workspace: Workspace, model: str | None) -> Scorecard | None:
    """Return the model that a `--model` option asks for; None means the experts' scorecard."""
    if model is None:
        return promoted(workspace)
    return None if model == "none" else load(workspace, model)


def list_models(workspace: Workspace) -> list[Entry]:
    """Return every model folder, by name and version, the unusable ones with their problem."""
    if not workspace.models.is_dir():
        return []
    try:
        chosen = read_promoted(workspace)
    except EarlywarnError:
        chosen = None
    entries = []
    for name in sorted(p.name for p in workspace.models.iterdir() if p.is_dir()):
        for version in versions(workspace, name):
            folder = workspace.models / name / str(version)
            created, data, problem = "", {}, None
            try:
                read_model(folder)
                manifest = read_manifest(folder)
                created, data = manifest.created, manifest.data
            except EarlywarnError as error:
                problem = error
            is_promoted = bool(chosen and (chosen.name, chosen.version) == (name, version))
            entries.append(Entry(name, version, is_promoted, created, data, problem))
    return entries


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


def experts(workspace: Workspace, rulebook: RuleBook, verdicts: pa.Table) -> Scorecard:
    """Return the experts' scorecard for a rule book; written once, as models/experts/N.

    What it is made of: `models.experts.solve_experts`. The caller holds the workspace's lock.
    """
    found = stored_experts(workspace, rulebook)
    if found is not None:
        return found
    known = versions(workspace, EXPERTS)
    version = known[-1] + 1 if known else 1
    scorecard = solve_experts(workspace.config, rulebook, verdicts, version)
    save(workspace, scorecard, data={"students": verdicts.num_rows}, others={})
    return scorecard
