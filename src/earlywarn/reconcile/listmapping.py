"""Mapping files of household and poverty lists: the columns, and the headings that give them.

They are written like those of the tables (tables.mapping), with the sections `households` and
`poverty`; what `poverty` leaves out is as in `households`. Shipped: `cn-households`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

from earlywarn import safeyaml
from earlywarn.errors import Text
from earlywarn.tables.cells import DateOrder
from earlywarn.tables.contract import Column, Table
from earlywarn.tables.mapping import Mapping, normal_heading, normal_value
from earlywarn.tables.mappingfiles import (
    MappingFile,
    TableMapping,
    extended,
    shipped_in,
    wrong,
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
_LISTS = Text("名单", " of lists")
# What stands for a sex that nobody knows; 0 and 9 are its codes in GB/T 2261.1.
_NO_SEX = ("不详", "不明", "未知", "未说明", "未说明的性别", "未知的性别", "unknown", "0", "9")


def list_mapping(workspace: Workspace, name: str, kind: Kind) -> Mapping:
    """Read the mapping `name` (in the workspace's mappings/, shipped, or a path) for lists.

    Raises
    ------
    EarlywarnError
        If there is none, or it is not valid; the message names file, line and key.
    """
    files = extended(workspace, name, shipped_in("reconcile"), _check_sections, _LISTS)
    sections = ("poverty", "households") if kind == "poverty" else ("households",)
    layers = [read.tables[s] for read in files for s in sections if s in read.tables]
    ignore = {normal_heading(heading) for read in files for heading in read.ignore}
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


def _check_sections(document: safeyaml.Document, mapping: MappingFile) -> None:
    for section in _SECTIONS:
        if section in mapping.tables:
            _check(document, section, mapping.tables[section])


def _check(document: safeyaml.Document, section: str, part: TableMapping) -> None:
    base: safeyaml.Key = ("tables", section)
    for key in sorted(part.model_fields_set - _USED):
        raise wrong(
            document, (*base, key), "名单的映射里没有这一项", "not for the mapping of a list"
        )
    for key in ("columns", "values", "defaults"):
        for name in getattr(part, key):
            if name not in _NAMES:
                known = sorted(_NAMES)
                raise wrong(
                    document,
                    (*base, key, name),
                    f"名单没有列 {name}。可用：{'、'.join(known)}",
                    f"a list has no column {name}; there are {', '.join(known)}",
                )
    for code, value in part.values.get("sex", {}).items():
        if value not in ("M", "F", "", None):
            raise wrong(
                document,
                (*base, "values", "sex", code),
                f"{value} 不是 sex 的值。可用：M、F",
                f"{value} is no value of sex; there are M and F",
            )
