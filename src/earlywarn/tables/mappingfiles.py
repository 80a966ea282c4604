"""Mapping files as they are written: their keys, where they lie, and what they extend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib.resources import files as package_files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.cells import DateOrder
from earlywarn.workspace import Workspace

_MAX_EXTENDS = 5
_ANY = Text("", "")

# long: a row an attendance or a mark. month: a column a day. marks: a column a subject.
Layout = Literal["long", "month", "marks"]
LAYOUT_TABLES: dict[Layout, str] = {"month": "attendance", "marks": "exams"}
# What a wide sheet may say about whom a row is, and about which half of the day.
Role = Literal["student_id", "id_number", "name", "class_id", "school_id", "school", "half"]


class TableMapping(BaseModel):
    """One table's part of a mapping file."""

    model_config = ConfigDict(extra="forbid")

    columns: dict[str, list[str]] = Field(default_factory=dict)
    values: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    defaults: dict[str, str] = Field(default_factory=dict)
    months: list[str] = Field(default_factory=list)
    date_order: DateOrder | None = None
    full_mark: dict[str, Decimal] = Field(default_factory=dict)
    layout: Layout | None = None
    who: dict[Role, list[str]] = Field(default_factory=dict)
    subjects: dict[str, list[str]] = Field(default_factory=dict)


class MappingFile(BaseModel):
    """A mapping file, format 1."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(1, ge=1, le=1)
    title: str = ""
    extends: str = ""
    ignore: list[str] = Field(default_factory=list)
    tables: dict[str, TableMapping] = Field(default_factory=dict)


Check = Callable[[safeyaml.Document, MappingFile], None]


def shipped_in(package: str) -> dict[str, Path]:
    """Return the mapping files that ship in a package of the program, by name."""
    folder = Path(str(package_files("earlywarn"))) / package / "mappings"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def extended(
    workspace: Workspace,
    name: str,
    shipped: Mapping[str, Path],
    check: Check,
    of: Text = _ANY,
) -> list[MappingFile]:
    """Return the mapping file `name` and those that it extends, itself first.

    Parameters
    ----------
    name
        In the workspace's mappings/, of `shipped`, or a path.
    check
        Raises what is wrong with a file beyond its keys.
    of
        What they map, where the message of one that is not there shall say so.

    Raises
    ------
    EarlywarnError
        If there is none, or one is not valid; the message names file, line and key.
    """
    found: list[MappingFile] = []
    seen: set[Path] = set()
    following = name
    while following:
        path = _find(workspace, following, shipped, of).resolve()
        if path in seen or len(seen) >= _MAX_EXTENDS:
            raise EarlywarnError(
                zh=f"映射 {name} 的 extends 形成了循环或层数过多。",
                en=f"The mapping {name} extends itself, or too many others.",
            )
        seen.add(path)
        found.append(_read(path, check))
        following = found[-1].extends
    return found


def _find(workspace: Workspace, name: str, shipped: Mapping[str, Path], of: Text) -> Path:
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return path if path.is_absolute() or path.exists() else workspace.root / path
    own = workspace.mappings / f"{name}.yaml"
    if own.is_file():
        return own
    if name in shipped:
        return shipped[name]
    known = sorted({*shipped, *(p.stem for p in workspace.mappings.glob("*.yaml"))})
    raise EarlywarnError(
        zh=f"没有名为 {name} 的{of.zh}映射。现有：{'、'.join(known)}；或给出文件路径。",
        en=f"There is no mapping {name}{of.en}. Known: {', '.join(known)}; or give a file's path.",
    )


def _read(path: Path, check: Check) -> MappingFile:
    document = safeyaml.load(path)
    try:
        mapping = MappingFile.model_validate(document.data or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise wrong(document, tuple(first["loc"]), first["msg"], first["msg"]) from None
    check(document, mapping)
    return mapping


def wrong(document: safeyaml.Document, where: safeyaml.Key, zh: str, en: str) -> EarlywarnError:
    """Return what is wrong at a key of a file, with its line."""
    line, key = document.line(where), ".".join(map(str, where))
    return EarlywarnError(
        zh=f"{document.name} 第 {line} 行：{key}：{zh}。",
        en=f"{document.name}, line {line}: {key}: {en}.",
    )
