"""Try a mapping on a file: which heading gives which column, and what of the values is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.cells import folded
from earlywarn.tables.contract import Column
from earlywarn.tables.grids import read_grids
from earlywarn.tables.mapping import Mapping, load_mapping, normal_heading, normal_value
from earlywarn.tables.reasons import REASONS
from earlywarn.tables.source import text_chunk
from earlywarn.tables.suggesting.codes import is_person
from earlywarn.tables.suggesting.likeness import vocabulary
from earlywarn.tables.suggesting.sheet import Headed, find_headings
from earlywarn.tables.suggesting.suggest import known_table
from earlywarn.tables.suggesting.values import Values
from earlywarn.tables.validate import Converter
from earlywarn.workspace import Workspace

EXAMPLES = 5
_PERSONAL = frozenset(
    ("student_id", "id_number", "name", "birth_date", "guardian", "guardian_phone")
) | {"homeroom_teacher"}
_LONGEST = 24


@dataclass(frozen=True)
class Tried:
    """One column: how many cells were read, not read, empty, with examples of both.

    Of personal columns the examples show only the form: 9 for a digit, A for a letter, 文 for a
    Chinese sign. `unread` are (example, why).
    """

    heading: str
    column: str
    read: int = 0
    not_read: int = 0
    empty: int = 0
    examples: list[str] = field(default_factory=list)
    unread: list[tuple[str, Text]] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """What a mapping makes of a file's sheet."""

    sheet: str
    row: int
    layout: str
    columns: list[Tried]
    missing: list[str]
    ignored: list[str]
    unknown: list[str]
    notes: list[Text]


def try_mapping(workspace: Workspace, name: str, path: Path, table: str, sheet: str = "") -> Trial:
    """Try the mapping `name` on the file at `path` as `table`; nothing is loaded.

    Raises
    ------
    EarlywarnError
        If the mapping is not valid, the file cannot be read, or no headings are found.
    """
    known_table(table)
    mapping = load_mapping(workspace, name, table)
    grids = read_grids(path)
    words = vocabulary(_accepted(mapping), {}, sorted(mapping.ignore))
    for grid in grids.sheets:
        if sheet and grid.name != sheet:
            continue
        headed = find_headings(grid, words)
        if headed is not None:
            tried = _wide if mapping.layout != "long" else _long
            return tried(workspace, headed, mapping, list(grids.notes))
    raise EarlywarnError(
        zh=f"{path.name}：没有找到映射 {name} 认识的表头。"
        "请用 earlywarn mapping suggest 看看这个文件。",
        en=f"{path.name}: no headings that the mapping {name} knows were found. Look at the file "
        "with `earlywarn mapping suggest`.",
    )


def _accepted(mapping: Mapping) -> dict[str, list[str]]:
    if mapping.layout == "long":
        return dict(mapping.headings)
    accepted: dict[str, list[str]] = {role: list(said) for role, said in mapping.who.items()}
    for heading, subject in mapping.subjects.items():
        accepted.setdefault(subject, []).append(heading)
    return accepted


def _long(workspace: Workspace, headed: Headed, mapping: Mapping, notes: list[Text]) -> Trial:
    match = mapping.match(headed.headings)
    numbers = pa.array(range(headed.row + 1, headed.row + 1 + len(headed.cells)), pa.int64())
    chunk = text_chunk(numbers, headed.cells, [], len(headed.headings))
    stages = workspace.config.stages
    converter = Converter(mapping, match, headed.headings, mapping.defaults, stages=stages)
    wrong: dict[str, dict[str, tuple[str, str]]] = {}
    for problem in converter.convert(chunk).problems.to_pylist():
        if problem["value"]:
            said = (problem["code"], problem["detail"])
            wrong.setdefault(problem["column"], {}).setdefault(problem["value"], said)
    columns = [
        _tried(
            headed.headings[index],
            mapping.table.column(column),
            headed.columns[index],
            wrong.get(headed.headings[index], {}),
        )
        for column, index in sorted(match.columns.items(), key=lambda item: item[1])
    ]
    needed = [column.name for column in mapping.table.columns if column.required]
    if mapping.table.name == "exams":
        needed.append("score")
    said_elsewhere = match.columns.keys() | mapping.defaults.keys()
    return Trial(
        sheet=headed.name,
        row=headed.row,
        layout="long",
        columns=columns,
        missing=[name for name in needed if name not in said_elsewhere],
        ignored=match.ignored,
        unknown=match.unknown,
        notes=notes,
    )


def _tried(
    heading: str, column: Column, values: Values, wrong: dict[str, tuple[str, str]]
) -> Tried:
    folded_wrong = {folded(text): said for text, said in wrong.items()}
    bad = [text for text in values.counts if text in folded_wrong]
    good = [text for text in values.counts if text not in folded_wrong]
    reasons = [REASONS[folded_wrong[text][0]] for text in bad]
    known = {"column": heading, "value": ""}
    unread = [
        (shown, Text(*(_said(line, known, folded_wrong[text][1]) for line in reason)))
        for text, shown, reason in zip(bad, _shown(column.name, bad), reasons, strict=True)
    ]
    not_read = sum(values.counts[text] for text in bad)
    return Tried(
        heading=heading,
        column=column.name,
        read=len(values.texts) - not_read,
        not_read=not_read,
        empty=values.cells - len(values.texts),
        examples=_first(_shown(column.name, good)),
        unread=list(dict(unread).items())[:EXAMPLES],
    )


def _said(line: str, known: dict[str, str], detail: str) -> str:
    return line.format(**known, detail=detail)


def _wide(workspace: Workspace, headed: Headed, mapping: Mapping, notes: list[Text]) -> Trial:
    roles = {heading: role for role, said in mapping.who.items() for heading in said}
    columns: list[Tried] = []
    unknown: list[str] = []
    ignored: list[str] = []
    for index, heading in enumerate(headed.headings):
        text = normal_heading(heading)
        name = roles.get(text) or (mapping.layout == "marks" and mapping.subjects.get(text)) or ""
        if index in headed.days or not text:
            continue
        if name:
            values = headed.columns[index]
            examples = _first(_shown("name" if name in mapping.who else "score", values.counts))
            columns.append(
                Tried(
                    heading,
                    name,
                    read=len(values.texts),
                    empty=values.cells - len(values.texts),
                    examples=examples,
                )
            )
        else:
            (ignored if text in mapping.ignore else unknown).append(heading)
    if headed.days:
        columns.append(_signs(headed, mapping))
    named = {one.column for one in columns} & {"student_id", "id_number", "name"}
    return Trial(
        sheet=headed.name,
        row=headed.row,
        layout=mapping.layout,
        columns=columns,
        missing=[] if named else ["student_id"],
        ignored=ignored,
        unknown=unknown,
        notes=notes,
    )


def _signs(headed: Headed, mapping: Mapping) -> Tried:
    known = mapping.values.get("status", {})
    cells = [headed.columns[i] for i in headed.days]
    counts = {text: 0 for one in cells for text in one.counts}
    for one in cells:
        for text, count in one.counts.items():
            counts[text] += count
    good = [text for text in counts if normal_value(text) in known]
    bad = [text for text in counts if normal_value(text) not in known]
    why = REASONS["unknown_code"]
    detail = ", ".join(sorted(set(known.values()) - {""}))
    said = Text(*(_said(line, {"column": "", "value": ""}, detail) for line in why))
    return Tried(
        heading=f"{headed.headings[headed.days[0]]}-{headed.headings[headed.days[-1]]}",
        column="status",
        read=sum(counts[text] for text in good),
        not_read=sum(counts[text] for text in bad),
        empty=sum(one.cells - len(one.texts) for one in cells),
        examples=_first(good),
        unread=[(text, said) for text in _first(_shown("status", bad))],
    )


def _shown(column: str, texts: Iterable[str]) -> list[str]:
    """Return values as they may be shown: only the form of personal ones."""
    if column in _PERSONAL:
        return [_form(text) for text in texts]
    return [_form(text) if len(text) > _LONGEST or is_person(text) else text for text in texts]


def _form(text: str) -> str:
    text = re.sub(r"\d", "9", text[:_LONGEST])
    text = re.sub(r"[A-Za-z]", "A", text)
    return re.sub(r"[^\W\dA_]", "文", text)


def _first(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))[:EXAMPLES]
