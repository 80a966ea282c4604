"""A file's headings: which row they are in, which column each gives, and what is missing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping as MappingType
from collections.abc import Sequence

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.grids.sources import SheetSource
from earlywarn.tables.mapping import LONG_MAPPINGS, Mapping, Match, load_mapping
from earlywarn.tables.source import Source
from earlywarn.workspace import Workspace

_SHOWN = 300  # characters of the headings in a message


def find_heading_row(source: Source, mapping: Mapping) -> None:
    """Let a sheet begin below its title rows, if its first row holds no heading that is known."""

    def known(row: Sequence[str]) -> int:
        try:
            return len(mapping.match(row).columns)
        except EarlywarnError:  # a heading that is known, twice
            return 2

    if isinstance(source, SheetSource) and not known(source.headings):
        source.look_below(lambda row: known(row) >= 2)


def match_headings(
    workspace: Workspace, source: Source, mapping: Mapping, fills: MappingType[str, str]
) -> Match:
    """Find the columns of a long table.

    `fills`: the columns that options and defaults fill.

    Raises
    ------
    EarlywarnError
        If a column is missing that the table must have, or a required one stands twice.
    """
    try:
        match = mapping.match(source.headings)
    except EarlywarnError as error:
        raise EarlywarnError(
            zh=f"{source.name}:{error.text.zh}", en=f"{source.name}: {error.text.en}"
        ) from None
    needed = [c.name for c in mapping.table.columns if c.required]
    if mapping.table.name == "exams":
        needed.append("score")
    missing = [name for name in needed if name not in match.columns and name not in fills]
    if missing == ["snapshot_date"]:
        raise EarlywarnError(
            zh=f"{source.name}：没有快照日期。请用 --snapshot 2026-09-01 说明名册是哪天的，"
            "或加一列 snapshot_date。",
            en=f"{source.name}: no snapshot date. Say of which day the registry is with "
            "--snapshot 2026-09-01, or add a column snapshot_date.",
        )
    if missing and not match.columns and not match.ignored:
        raise _no_headings(workspace, source, mapping)
    if missing:
        raise _missing(source, mapping, match, missing)
    return match


def notes_of(match: Match) -> list[Text]:
    """Return what a person should know of the headings that were not used."""
    found = []
    if match.unknown:
        found.append(
            Text(
                f"未使用的列：{'、'.join(match.unknown)}",
                f"unknown columns, left out: {', '.join(match.unknown)}",
            )
        )
    if match.ignored:
        found.append(
            Text(
                f"本系统不需要的列：{'、'.join(match.ignored)}",
                f"columns that are not needed, left out: {', '.join(match.ignored)}",
            )
        )
    if match.twice:
        found.append(
            Text(
                f"表头出现两次，取第一列：{'、'.join(match.twice)}",
                f"headings that stand twice, the first is taken: {', '.join(match.twice)}",
            )
        )
    return found


def _missing(source: Source, mapping: Mapping, match: Match, missing: list[str]) -> EarlywarnError:
    zh, en = [], []
    for name in missing:
        near = difflib.get_close_matches(name, match.unknown, n=1, cutoff=0.6)
        zh.append(name + (f"（是否就是 {near[0]}？）" if near else ""))
        en.append(name + (f" (is it {near[0]}?)" if near else ""))
    found = ", ".join(filter(None, source.headings))
    if len(found) > _SHOWN:
        found = found[:_SHOWN] + "…"
    row = source.heading_row
    return EarlywarnError(
        zh=f"{source.name} 第 {row} 行：缺少必需的列 {'、'.join(zh)}。表头有：{found}。"
        f"请补上该列，或用 --mapping 指定映射文件（当前：{mapping.name}）。",
        en=f"{source.name}, row {row}: missing required column {', '.join(en)}. "
        f"The headings are: {found}. Add the column, or name a mapping file with --mapping "
        f"(now: {mapping.name}).",
    )


def _no_headings(workspace: Workspace, source: Source, mapping: Mapping) -> EarlywarnError:
    """Say that row 1 has no known heading; it may be a child's row, so it is not shown."""
    for name in LONG_MAPPINGS:
        if load_mapping(workspace, name, mapping.table.name).match(source.headings).columns:
            return EarlywarnError(
                zh=f"{source.name} 第 1 行：映射 {mapping.name} 不认识这些表头，"
                f"映射 {name} 认识。请加上 --mapping {name}。",
                en=f"{source.name}, row 1: the mapping {mapping.name} knows none of the "
                f"headings, the mapping {name} does. Add --mapping {name}.",
            )
    needed = [column.name for column in mapping.table.columns if column.required]
    return EarlywarnError(
        zh=f"{source.name} 第 1 行：没有一个已知的表头。表头必须在第 1 行：请删去上面的标题行，"
        f"或补上表头（必需：{'、'.join(needed)}），或用 --mapping 指定映射文件"
        f"（当前：{mapping.name}）。",
        en=f"{source.name}, row 1: none of its cells is a known heading. The headings must be "
        "in row 1: delete a title above them, or add headings (required: "
        f"{', '.join(needed)}), or name a mapping file with --mapping (now: {mapping.name}).",
    )
