"""A model's folder: its manifest, and reading its files only after they are checked.

A model is data. Each file is looked at in this order, and refused at the first thing that is wrong:
size, kind (pickle, joblib and skops files can run code when they are opened: they are refused
unopened), hash in manifest.json, schema, size of the numbers, the program's feature catalogue.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.catalogue import CATALOGUE, CATALOGUE_VERSION, FEATURES
from earlywarn.models.scorecard import Scorecard

MODEL_FILE = "model.json"
MANIFEST_FILE = "manifest.json"
METRICS_FILE = "metrics.json"
CARD_FILE = "card.html"
REFERENCE_FILE = "reference.json"
MAX_BYTES = 20_000_000
MAX_MANIFEST_BYTES = 1_000_000
PICKLES = (".pkl", ".pickle", ".joblib", ".skops", ".sav", ".npy", ".npz", ".pt", ".h5")
# A term of log-odds beyond this is no model's: exp(1000) is larger than any number.
MAX_LOG_ODDS = 1000.0
MAX_HORIZON_DAYS = 3650  # as in the config
_BOM = b"\xef\xbb\xbf"

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# No separator, no drive, no `..`: a manifest speaks of its own folder only.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[a-z0-9]+)+$")]
Short = Annotated[str, StringConstraints(max_length=200)]


class Manifest(BaseModel):
    """manifest.json: where a model came from, and the hashes of its files."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(1, ge=1, le=1)
    name: Short
    version: int
    created: Annotated[str, StringConstraints(pattern=r"^[0-9TZ:+. -]{0,40}$")]
    program: Short
    generated: bool
    catalogue_version: Short
    catalogue: dict[Short, Short] = Field(max_length=2000)  # name: type
    rules_hash: Short
    data: dict[str, Any] = Field(default_factory=dict)  # period, rows, events
    files: dict[FileName, Hash] = Field(min_length=1, max_length=20)  # name: sha256

    def events(self) -> int | None:
        """How many students with the event it was trained on, if the manifest says so."""
        train = self.data.get("train")
        found = train.get("events") if isinstance(train, dict) else None
        return found if isinstance(found, int) else None


Interval = Annotated[list[float | None], Field(min_length=3, max_length=3)]
Measures = dict[str, Interval]


class _Shown(BaseModel):
    """What people are shown of metrics.json; there may be more in it."""

    model_config = ConfigDict(extra="allow", strict=True)


class _Period(_Shown):
    rows: int
    events: int
    first_as_of: str = ""
    last_as_of: str = ""


class _Note(_Shown):
    zh: str
    en: str


class _Verdict(_Shown):
    difference: Interval
    auc_difference: Interval
    better: bool


class _OfDate(_Shown):
    as_of: str
    rows: int
    events: int
    models: dict[str, Measures]


class _Metrics(_Shown):
    validation: str
    train: _Period
    test: _Period
    best_rule: str | None
    models: dict[str, Measures]
    verdict: _Verdict
    by_date: list[_OfDate]
    notes: list[_Note]
    test_hash: str = ""


def read_model(folder: Path) -> Scorecard:
    """Read and check the model in `folder`.

    Raises
    ------
    EarlywarnError
        If it must not be used; the message says why.
    """
    path = folder / MODEL_FILE
    if not path.is_file():
        pickles = sorted(p.name for p in folder.glob("*") if p.suffix.lower() in PICKLES)
        if pickles:
            raise pickled(str(folder / pickles[0]))
        raise EarlywarnError(
            zh=f"{folder} 里没有 {MODEL_FILE}。", en=f"There is no {MODEL_FILE} in {folder}."
        )
    _refuse_pickle(path)
    manifest = read_manifest(folder)
    content = _hashed(path, manifest)
    try:
        scorecard = Scorecard.model_validate_json(content)
    except ValidationError as error:
        raise damaged(path, *why(error)) from None
    if (manifest.name, manifest.version) != (scorecard.name, scorecard.version):
        said = f"{manifest.name}/{manifest.version}"
        raise damaged(
            path,
            f"它自称 {scorecard.label}，而 {MANIFEST_FILE} 写的是 {said}",
            f"it calls itself {scorecard.label}, and {MANIFEST_FILE} calls it {said}",
        )
    _check_numbers(path, scorecard)
    _check_catalogue(scorecard, manifest)
    return scorecard


def check_folder(folder: Path) -> Scorecard:
    """Read and check the model in `folder` and every file that its manifest names."""
    scorecard = read_model(folder)
    manifest = read_manifest(folder)
    for name in sorted(manifest.files):
        _hashed(folder / name, manifest)
    return scorecard


def read_manifest(folder: Path) -> Manifest:
    """Read a model's manifest.json."""
    path = folder / MANIFEST_FILE
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise _too_large(path, MAX_MANIFEST_BYTES)
        content = path.read_bytes()
    except OSError:
        raise damaged(path, "读不到", "it cannot be read") from None
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        said = why(error)
        raise damaged(
            path, f"不符合格式（{said.zh}）", f"it is not a manifest ({said.en})"
        ) from None
    if MODEL_FILE not in manifest.files:
        raise damaged(
            path, f"没有写明 {MODEL_FILE} 的校验值", f"it does not give the hash of {MODEL_FILE}"
        )
    return manifest


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read a model's metrics.json ({} where there is none: the experts')."""
    found = read_json(folder, METRICS_FILE)
    if not found:
        return {}
    try:
        _Metrics.model_validate(found)
    except ValidationError as error:
        raise damaged(folder / METRICS_FILE, *why(error)) from None
    return found


def read_json(folder: Path, name: str) -> dict[str, Any] | None:
    """Read a further file of a model as JSON after checking size and hash; None if it has none.

    Raises
    ------
    EarlywarnError
        If the file is not what the manifest has the hash of, or no JSON object.
    """
    path = folder / name
    manifest = read_manifest(folder)
    if name not in manifest.files and not path.exists():
        return None
    content = _hashed(path, manifest)
    try:
        found = from_json(content, allow_inf_nan=False)
    except ValueError:
        raise damaged(path, "不是 JSON", "it is not JSON") from None
    if not isinstance(found, dict):
        raise damaged(path, "不是 JSON 对象", "it is no JSON object")
    return found


def _refuse_pickle(path: Path) -> None:
    """Refuse what is no JSON object: no pickle of any protocol, and no archive, begins with {.

    An empty file is not one: it is refused for its hash.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if head and not head.removeprefix(_BOM).lstrip().startswith(b"{"):
        raise pickled(str(path))


def _hashed(path: Path, manifest: Manifest) -> bytes:
    """Return a file's bytes, which are what the manifest has the hash of."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(path, MAX_BYTES)
        content = path.read_bytes()
    except OSError:
        raise damaged(path, "读不到", "it cannot be read") from None
    if manifest.files.get(path.name) != hashlib.sha256(content).hexdigest():
        raise damaged(
            path,
            f"内容与 {MANIFEST_FILE} 里的校验值不符（文件被改动过）",
            f"its content is not what {MANIFEST_FILE} has the hash of (it was changed)",
        )
    return content


def _check_numbers(path: Path, scorecard: Scorecard) -> None:
    """Refuse what no log-odds can be: sums of such terms would not be numbers."""
    terms = [("b0", scorecard.b0), ("b1", scorecard.b1)]
    for table in scorecard.features:
        largest = max((abs(value) for value in (*table.values, table.missing)), default=0.0)
        terms.append((table.name, largest * max(1.0, scorecard.b1)))
    terms += [(f"rule:{rule.id}", rule.weight) for rule in scorecard.rules]
    for name, value in terms:
        if abs(value) > MAX_LOG_ODDS:
            raise damaged(
                path,
                f"{name} 的值 {value:g} 不可能是对数几率",
                f"{name} has the value {value:g}, which no log-odds can have",
            )
    if scorecard.horizon_days > MAX_HORIZON_DAYS:
        raise damaged(
            path,
            f"horizon_days 不能超过 {MAX_HORIZON_DAYS}",
            f"horizon_days is more than {MAX_HORIZON_DAYS}",
        )


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
        (f"模型没有：{'、'.join(new)}", f"not in the model's: {', '.join(new)}", new),
        (f"本程序没有：{'、'.join(gone)}", f"not in this one: {', '.join(gone)}", gone),
        (f"类型不同：{'、'.join(changed)}", f"of another type: {', '.join(changed)}", changed),
    ]
    zh = "；".join(part[0] for part in parts if part[2]) or "特征的定义或顺序不同"
    en = "; ".join(part[1] for part in parts if part[2]) or "definitions or order differ"
    raise EarlywarnError(
        zh=f"模型 {scorecard.label} 用的是另一版特征目录（{scorecard.catalogue_version}，"
        f"本程序为 {CATALOGUE_VERSION}；{zh}）。请重新训练。",
        en=f"Model {scorecard.label} was trained with another feature catalogue "
        f"({scorecard.catalogue_version}, this program's is {CATALOGUE_VERSION}; {en}). "
        "Train again.",
    )


def pickled(what: str) -> EarlywarnError:
    """Return the refusal of a file that may be a pickle."""
    return EarlywarnError(
        zh=f"{what} 是 pickle/joblib/skops 一类的文件：打开它会执行其中的代码，因此拒绝，"
        "文件未被打开。模型应是 earlywarn train 写出的 model.json。",
        en=f"{what} is a pickle, joblib or skops file: opening one can run code hidden in it, so "
        "it is refused unopened. A model is the model.json that `earlywarn train` writes.",
    )


def damaged(path: Path, zh: str, en: str) -> EarlywarnError:
    """Return the refusal of a model's file, with the reason."""
    return EarlywarnError(
        zh=f"{path} 不能使用：{zh}。请重新复制该模型的文件夹，或重新训练。",
        en=f"{path} cannot be used: {en}. Copy the model's folder again, or train again.",
    )


def _too_large(path: Path, limit: int) -> EarlywarnError:
    return damaged(path, f"超过 {limit} 字节", f"it is larger than {limit} bytes")


# What pydantic found, in Chinese; {} is filled from the error's context.
_WHY_ZH = {
    "json_invalid": "不是完整的 JSON",
    "missing": "缺少这一项",
    "extra_forbidden": "不认识这一项",
    "finite_number": "必须是有限的数字",
    "float_type": "必须是数字",
    "int_type": "必须是整数",
    "int_parsing": "必须是整数",
    "string_type": "必须是文字",
    "bool_type": "必须是 true 或 false",
    "bool_parsing": "必须是 true 或 false",
    "list_type": "必须是列表",
    "dict_type": "必须是对象",
    "model_type": "必须是对象",
    "literal_error": "只能是 {expected}",
    "too_long": "最多 {max_length} 项，实有 {actual_length} 项",
    "too_short": "至少 {min_length} 项",
    "string_too_long": "最多 {max_length} 个字",
    "string_too_short": "不能为空",
    "string_pattern_mismatch": "写法不对",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "必须小于 {lt}",
    "less_than_equal": "不能大于 {le}",
}
# The schema's own findings (see scorecard and reference).
_FOUND_ZH = (
    (r"(\S+): there must be one value more than thresholds", r"\1：值的个数应比阈值多一个"),
    (r"(\S+): thresholds must ascend", r"\1：阈值必须递增"),
    (r"a feature stands twice", "有特征重复出现"),
    (r"a rule stands twice", "有规则重复出现"),
    (r"(\S+): edges must ascend", r"\1：分界点必须递增"),
    (r"(\S+): there must be one share more than edges", r"\1：份额的个数应比分界点多一个"),
    (r"(\S+): shares must add up to 1", r"\1：份额之和应为 1"),
)


def why(error: ValidationError) -> Text:
    """Say in both languages what pydantic found first, and where."""
    first = error.errors()[0]
    where = ".".join(str(part)[:60] for part in first["loc"])[:200]
    en = str(first["msg"]).removeprefix("Value error, ")
    zh = _WHY_ZH.get(first["type"], "")
    if zh:
        zh = zh.format(**first.get("ctx", {}))
    else:
        zh = next((re.sub(p, r, en) for p, r in _FOUND_ZH if re.fullmatch(p, en)), en)
    return Text(f"{where}：{zh}" if where else zh, f"{where}: {en}" if where else en)
