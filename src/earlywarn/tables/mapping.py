"""Mapping files: other headings and coded values onto the canonical columns.

A mapping is a small YAML file:

    format: 1
    extends: cn-registry              # optional: everything of that mapping, then this one's
    ignore: [民族, 籍贯]               # headings that are known and not needed
    tables:
      students:
        columns: {student_id: [学籍号, 学号]}    # the first heading found is taken
        values: {sex: {1: M, 男: M}}             # code or name -> canonical value ("" = empty)
        defaults: {school_id: "S01"}             # where the file has no such column, or no value
        months: [enrolled_on]                    # 201909 there means 2019-09-01
        date_order: dmy                          # 03/04/2026 there means 2026-04-03
      exams:
        full_mark: {default: 100, chinese: 120}  # by subject
        layout: marks                            # a column a subject; attendance: month
        who: {name: [姓名, XM], class_id: [班级]}  # who a row is about, beside columns
        subjects: {chinese: [YW]}                # headings of subjects, beside the Chinese names

Canonical headings are always accepted, and so are the Chinese names of the subjects.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import get_args

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError
from earlywarn.tables.cells import DateOrder
from earlywarn.tables.contract import TABLES, Table
from earlywarn.tables.mappingfiles import (
    LAYOUT_TABLES,
    Layout,
    MappingFile,
    Role,
    TableMapping,
    extended,
    shipped_in,
    wrong,
)
from earlywarn.workspace import Workspace

# Shipped mappings of long tables, the plainest first: what a file's headings are tried against.
LONG_MAPPINGS = ("canonical", "cn-registry")

SUBJECTS: dict[str, str] = {
    "语文": "chinese",
    "数学": "maths",
    "math": "maths",
    "mathematics": "maths",
    "英语": "english",
    "外语": "english",
    "物理": "physics",
    "化学": "chemistry",
    "生物": "biology",
    "生物学": "biology",
    "政治": "politics",
    "思想政治": "politics",
    "思想品德": "politics",
    "道德与法治": "politics",
    "历史": "history",
    "地理": "geography",
}
SUBJECTS |= {name: name for name in list(SUBJECTS.values())}

BOOLEANS: dict[str, str] = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "是", "有", "√"), "true"),
    **dict.fromkeys(("false", "f", "no", "n", "0", "否", "无", "×"), "false"),
}


@dataclass(frozen=True)
class Match:
    """Which heading of a file gives which column.

    `columns`: canonical name -> index of the heading. `unknown` and `ignored`: headings left out.
    `twice`: headings that stand there twice, of which the first is taken.
    """

    columns: dict[str, int]
    unknown: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mapping:
    """A mapping for one table, read and checked."""

    name: str
    table: Table
    headings: dict[str, list[str]]  # canonical name -> accepted headings, normalised, best first
    values: dict[str, dict[str, str]]  # canonical name -> normalised code or name -> value
    defaults: dict[str, str]
    months: frozenset[str]
    date_order: DateOrder
    full_mark: dict[str, Decimal]
    ignore: frozenset[str]
    layout: Layout
    who: dict[str, list[str]]  # role -> accepted headings, normalised
    subjects: dict[str, str]  # normalised heading -> subject
    hash: str  # over everything above: another mapping under the same name has another

    @cached_property
    def roles(self) -> dict[str, list[str]]:
        """Return what each accepted heading of `who` says that its column holds."""
        found: dict[str, list[str]] = {}
        for role, accepted in self.who.items():
            for heading in accepted:
                found.setdefault(heading, []).append(role)
        return found

    def match(self, headings: Sequence[str]) -> Match:
        """Find the canonical columns among a file's `headings`.

        Raises
        ------
        EarlywarnError
            If a required column's heading stands there twice.
        """
        exact = [normal_heading(heading) for heading in headings]
        short = [re.sub(r"\(.*?\)", "", text) for text in exact]
        found: dict[str, int] = {}
        twice: list[str] = []
        for column in self.table.columns:
            for wanted in self.headings[column.name]:
                places = [i for i, text in enumerate(exact) if text == wanted]
                places = places or [i for i, text in enumerate(short) if text == wanted]
                if not places:
                    continue
                found[column.name] = places[0]
                if len(places) > 1:
                    heading = headings[places[0]]
                    if column.required or column.name in self.table.key:
                        raise EarlywarnError(
                            zh=f"表头 {heading} 出现了两次。请删去或改名其中一列。",
                            en=f"the heading {heading} stands twice; remove or rename one column.",
                        )
                    twice.append(heading)
                break
        used = {exact[i] for i in found.values()}
        unknown: list[str] = []
        ignored: list[str] = []
        for i, heading in enumerate(headings):
            if exact[i] in used or not heading:
                continue
            known = exact[i] in self.ignore or short[i] in self.ignore
            (ignored if known or self._is_known(exact[i], short[i]) else unknown).append(heading)
        return Match(found, unknown, ignored, twice)

    def _is_known(self, *texts: str) -> bool:
        return any(text in accepted for accepted in self.headings.values() for text in texts)


@lru_cache(maxsize=4096)
def normal_heading(heading: str) -> str:
    """Fold a heading: full-width forms, case, white space, underscores and asterisks."""
    return re.sub(r"[\s_*]+", "", unicodedata.normalize("NFKC", heading)).casefold()


def normal_value(value: str) -> str:
    """Fold a code or option name: full-width forms, case, white space around it."""
    return unicodedata.normalize("NFKC", value).strip().casefold()


_CODE_AND_NAME = re.compile(r"^(\d{1,3})\s*[-—–_.、:]*\s*(\D.*)$")


def look_up(values: MappingType[str, str], text: str) -> tuple[str | None, str]:
    """Find `text` (a code, a name, or both as in "2-双亲留守儿童") in `values`.

    Returns (value, ""), or (None, "") if it is not there, or (None, detail) if code and name mean
    different things. Of code and name the name decides.
    """
    key = normal_value(text)
    if key in values:
        return values[key], ""
    parts = _CODE_AND_NAME.match(key)
    if parts is None or parts[2] not in values:
        return None, ""
    by_name, by_code = values[parts[2]], values.get(parts[1])
    if by_code is None:
        by_code = values.get(parts[1].lstrip("0") or "0")
    if by_code is not None and by_code != by_name:
        return None, f"{parts[1]} = {by_code or '-'}, {parts[2]} = {by_name or '-'}"
    return by_name, ""


def shipped_mappings() -> dict[str, Path]:
    """Return the mappings that ship with the program, by name."""
    return shipped_in("tables")


def load_mapping(workspace: Workspace, name: str, table: str) -> Mapping:
    """Read the mapping `name` (in the workspace's mappings/, shipped, or a path) for one table.

    Raises
    ------
    EarlywarnError
        If there is none, or it is not valid; the message names file, line and key.
    """
    contract = TABLES[table]
    files = extended(workspace, name, shipped_mappings(), _check)
    layers = [read.tables.get(table, TableMapping()) for read in files]
    ignore = {normal_heading(heading) for read in files for heading in read.ignore}
    headings: dict[str, list[str]] = {}
    for column in contract.columns:
        accepted = [
            column.name,
            *(h for layer in layers for h in layer.columns.get(column.name, [])),
        ]
        headings[column.name] = list(dict.fromkeys(map(normal_heading, accepted)))
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str] = {}
    full_mark: dict[str, Decimal] = {}
    for column in contract.columns:
        if column.type == "boolean":
            values[column.name] = dict(BOOLEANS)
        elif column.type == "choice":
            values[column.name] = {choice.casefold(): choice for choice in column.choices}
        elif table == "exams" and column.name == "subject":
            values[column.name] = dict(SUBJECTS)
    for layer in reversed(layers):
        for column_name, codes in layer.values.items():
            merged = values.setdefault(column_name, {})
            merged |= {normal_value(code): value or "" for code, value in codes.items()}
        defaults |= layer.defaults
        full_mark |= {_subject(key): mark for key, mark in layer.full_mark.items()}
    months = frozenset(column for layer in layers for column in layer.months)
    date_order: DateOrder = next((layer.date_order for layer in layers if layer.date_order), "ymd")
    layout: Layout = next((layer.layout for layer in layers if layer.layout), "long")
    who = _who(layers, headings)
    subjects = {normal_heading(heading): subject for heading, subject in SUBJECTS.items()}
    for layer in reversed(layers):
        for subject, accepted in layer.subjects.items():
            subjects |= {normal_heading(heading): _subject(subject) for heading in accepted}
    parts = (
        *(headings, values, defaults, sorted(months), full_mark, sorted(ignore)),
        *((layout, who, subjects) if layout != "long" else ()),
        *((date_order,) if date_order != "ymd" else ()),
    )
    return Mapping(
        name=name,
        table=contract,
        headings=headings,
        values=values,
        defaults=defaults,
        months=months,
        date_order=date_order,
        full_mark=full_mark,
        ignore=frozenset(ignore),
        layout=layout,
        who=who,
        subjects=subjects,
        hash=sha256(repr(parts).encode()).hexdigest(),
    )


def _who(layers: Sequence[TableMapping], headings: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what the headings of a wide sheet say about whom a row is."""
    found = {}
    for role in get_args(Role):
        said = [heading for layer in layers for heading in layer.who.get(role, [])]
        accepted = [*headings.get(role, [role]), *map(normal_heading, said)]
        found[role] = list(dict.fromkeys(accepted))
    return found


def _subject(text: str) -> str:
    return SUBJECTS.get(normal_value(text), text)


def _check(document: safeyaml.Document, mapping: MappingFile) -> None:
    for name, part in mapping.tables.items():
        if name not in TABLES:
            near = "、".join(difflib.get_close_matches(name, TABLES, n=1)) or "、".join(TABLES)
            raise wrong(
                document, ("tables", name), f"没有这个表。可用：{near}", f"no such table; {near}"
            )
        _check_table(document, TABLES[name], part)


def _check_table(document: safeyaml.Document, table: Table, part: TableMapping) -> None:
    columns = {column.name: column for column in table.columns}
    base: safeyaml.Key = ("tables", table.name)
    for key in ("columns", "values", "defaults", "months"):
        for index, name in enumerate(getattr(part, key)):
            if name not in columns:
                near = difflib.get_close_matches(name, columns, n=1)
                raise wrong(
                    document,
                    (*base, key, index if key == "months" else name),
                    f"{table.name} 没有列 {name}。" + (f"是否想写 {near[0]}？" if near else ""),
                    f"{table.name} has no column {name}"
                    + (f"; did you mean {near[0]}?" if near else ""),
                )
    for name, codes in part.values.items():
        choices = ("true", "false") if columns[name].type == "boolean" else columns[name].choices
        for code, value in codes.items():
            if value and choices and value not in choices:
                raise wrong(
                    document,
                    (*base, "values", name, code),
                    f"{value} 不是 {name} 的值。可用：{'、'.join(choices)}",
                    f"{value} is no value of {name}; known: {', '.join(choices)}",
                )
    for name in part.months:
        if columns[name].type != "date":
            raise wrong(document, (*base, "months"), f"{name} 不是日期列", f"{name} is no date")
    if part.full_mark and table.name != "exams":
        raise wrong(
            document, (*base, "full_mark"), "full_mark 只用于 exams", "full_mark is for exams only"
        )
    if part.layout and part.layout != "long" and LAYOUT_TABLES[part.layout] != table.name:
        wanted = LAYOUT_TABLES[part.layout]
        raise wrong(
            document,
            (*base, "layout"),
            f"layout: {part.layout} 只用于 {wanted}",
            f"layout: {part.layout} is for {wanted} only",
        )
    for subject, mark in part.full_mark.items():
        if not 0 < mark < 1_000_000:
            raise wrong(
                document, (*base, "full_mark", subject), "满分须大于 0", "a full mark is above 0"
            )
