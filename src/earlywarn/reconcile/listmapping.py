"""Mapping files of household and poverty lists: the columns, and the headings that give them.

They are written like those of the tables (tables.mapping), with the sections `households` and
`poverty`; what `poverty` leaves out is as in `households`. Shipped: `cn-households`.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files as package_files
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError
from earlywarn.tables.cells import DateOrder
from earlywarn.tables.contract import Column, Table
from earlywarn.tables.mapping import (
    Mapping,
    MappingFile,
    TableMapping,
    normal_heading,
    normal_value,
)
from earlywarn.workspace import Workspace

Kind = Literal["households", "poverty"]
DEFAULT_MAPPING = "cn-households"

LISTS = Table(
    "households",
    ("name",),
    (
        Column("name", "text", required=True),
        Column("birth_date", "date"),
        Column("sex", "choice", choices=("M", "F")),
        Column("id_number", "id"),
        Column("guardian", "text"),
        Column("guardian_phone", "text"),
        Column("county", "text"),
        Column("township", "text"),
        Column("address", "text"),
    ),
)
_NAMES = {column.name for column in LISTS.columns}
_USED = {"columns", "values", "defaults", "months", "date_order"}
_SECTIONS = ("households", "poverty")
_MAX_EXTENDS = 5
# What stands for a sex that nobody knows; 0 and 9 are its codes in GB/T 2261.1.
_NO_SEX = ("不详", "不明", "未知", "未说明", "未说明的性别", "未知的性别", "unknown", "0", "9")


def list_mapping(workspace: Workspace, name: str, kind: Kind) -> Mapping:
    """Read the mapping `name` (in the workspace's mappings/, shipped, or a path) for lists.

    Raises
    ------
    EarlywarnError
        If there is none, or it is not valid; the message names file, line and key.
    """
    layers: list[TableMapping] = []
    ignore: set[str] = set()
    seen: set[Path] = set()
    following = name
    while following:
        path = _find(workspace, following).resolve()
        if path in seen or len(seen) >= _MAX_EXTENDS:
            raise EarlywarnError(
                zh=f"映射 {name} 的 extends 形成了循环或层数过多。",
                en=f"The mapping {name} extends itself, or too many others.",
            )
        seen.add(path)
        read = _read(path)
        sections = ("poverty", "households") if kind == "poverty" else ("households",)
        layers += [read.tables[section] for section in sections if section in read.tables]
        ignore |= {normal_heading(heading) for heading in read.ignore}
        following = read.extends
    return _merged(name, layers, ignore)


def _merged(name: str, layers: list[TableMapping], ignore: set[str]) -> Mapping:
    """Put layers together, the first before the others."""
    headings = {}
    for column in LISTS.columns:
        said = [heading for layer in layers for heading in layer.columns.get(column.name, [])]
        headings[column.name] = list(dict.fromkeys(map(normal_heading, [column.name, *said])))
    values: dict[str, dict[str, str]] = {"sex": {"m": "M", "f": "F"} | dict.fromkeys(_NO_SEX, "")}
    defaults: dict[str, str] = {}
    for layer in reversed(layers):
        for column_name, codes in layer.values.items():
            merged = values.setdefault(column_name, {})
            merged |= {normal_value(code): value or "" for code, value in codes.items()}
        defaults |= layer.defaults
    # A month alone says on which day a child was born as well as 1 January does.
    months = frozenset({"birth_date"})
    date_order: DateOrder = next((layer.date_order for layer in layers if layer.date_order), "ymd")
    parts = (headings, values, defaults, sorted(ignore), date_order)
    return Mapping(
        name=name,
        table=LISTS,
        headings=headings,
        values=values,
        defaults=defaults,
        months=months,
        date_order=date_order,
        full_mark={},
        ignore=frozenset(ignore),
        layout="long",
        who={},
        subjects={},
        hash=sha256(repr(parts).encode()).hexdigest(),
    )


def _shipped() -> dict[str, Path]:
    folder = Path(str(package_files("earlywarn"))) / "reconcile" / "mappings"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _find(workspace: Workspace, name: str) -> Path:
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return path if path.is_absolute() or path.exists() else workspace.root / path
    own = workspace.mappings / f"{name}.yaml"
    if own.is_file():
        return own
    shipped = _shipped()
    if name in shipped:
        return shipped[name]
    known = sorted({*shipped, *(p.stem for p in workspace.mappings.glob("*.yaml"))})
    raise EarlywarnError(
        zh=f"没有名为 {name} 的名单映射。现有：{'、'.join(known)}；或给出文件路径。",
        en=f"There is no mapping {name} of lists. Known: {', '.join(known)}; or give a file's "
        "path.",
    )


def _read(path: Path) -> MappingFile:
    document = safeyaml.load(path)
    try:
        mapping = MappingFile.model_validate(document.data or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(document, tuple(first["loc"]), first["msg"], first["msg"]) from None
    for section in _SECTIONS:
        if section in mapping.tables:
            _check(document, section, mapping.tables[section])
    return mapping


def _check(document: safeyaml.Document, section: str, part: TableMapping) -> None:
    base: safeyaml.Key = ("tables", section)
    for key in sorted(part.model_fields_set - _USED):
        raise _wrong(
            document, (*base, key), "名单的映射里没有这一项", "not for the mapping of a list"
        )
    for key in ("columns", "values", "defaults"):
        for name in getattr(part, key):
            if name not in _NAMES:
                known = sorted(_NAMES)
                raise _wrong(
                    document,
                    (*base, key, name),
                    f"名单没有列 {name}。可用：{'、'.join(known)}",
                    f"a list has no column {name}; there are {', '.join(known)}",
                )
    for code, value in part.values.get("sex", {}).items():
        if value not in ("M", "F", "", None):
            raise _wrong(
                document,
                (*base, "values", "sex", code),
                f"{value} 不是 sex 的值。可用：M、F",
                f"{value} is no value of sex; there are M and F",
            )


def _wrong(document: safeyaml.Document, where: safeyaml.Key, zh: str, en: str) -> EarlywarnError:
    line, key = document.line(where), ".".join(map(str, where))
    return EarlywarnError(
        zh=f"{document.name} 第 {line} 行：{key}：{zh}。",
        en=f"{document.name}, line {line}: {key}: {en}.",
    )
