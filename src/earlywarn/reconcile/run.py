"""A reconciliation: its folder reconcile/AS_OF/N, the cases it opens, and its review read back.

The folder appears whole or not at all. The same inputs make no new N; other inputs, answers among
them, the next one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, Lang, Text
from earlywarn.features.newest import newest_school_day
from earlywarn.files import whole_folder, write_whole
from earlywarn.followup.audit import note
from earlywarn.followup.ledger import Ledger
from earlywarn.reconcile.answers import FOLDER, Answer, Answers, joined, line_key
from earlywarn.reconcile.cases import open_cases, responsible_school, wanted
from earlywarn.reconcile.comparing import Comparison, Found, Joined, compare
from earlywarn.reconcile.linking import link
from earlywarn.reconcile.listmapping import DEFAULT_MAPPING, Kind, list_mapping
from earlywarn.reconcile.listrows import UnreadRow
from earlywarn.reconcile.lists import ReadList, read_list
from earlywarn.reconcile.record import (
    RESULT,
    Asked,
    as_text,
    asked_then,
    folders,
    hashed,
    info_of,
    inputs_of,
    told_of,
)
from earlywarn.reconcile.registry import Registry, Row, registry_of, school_ages
from earlywarn.reconcile.review import Judged, Unreadable, read_review
from earlywarn.reconcile.reviewbook import REVIEW, Run, ToJudge, write_review
from earlywarn.reconcile.workbook import WORKBOOK, write_workbook
from earlywarn.roles import Role, pseudonym
from earlywarn.tables.forgotten import Forgotten
from earlywarn.words import counted
from earlywarn.workspace import Workspace

_KINDS: tuple[Kind, ...] = ("households", "poverty")

Stage = Callable[[str], None]


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation came to.

    `info` is reconcile.json, which names no child; `cases` how many were opened just now; `unread`
    the rows that could not be read, each with its list; `notes` what to know of whole files.
    """

    folder: Path
    number: int
    info: dict[str, Any]
    is_new: bool
    cases: int
    unread: tuple[tuple[str, UnreadRow], ...]
    notes: tuple[Text, ...]


@dataclass(frozen=True)
class Reviewed:
    """What a filled workbook came to: what was new in it, and the lists made anew.

    `again` is None where the lists that were read have moved or changed since: the answers are
    kept, and the next `reconcile` goes by them.
    """

    same: int
    different: int
    unsure: int
    empty: int
    changed: int
    forgotten: int
    unreadable: tuple[Unreadable, ...]
    again: Reconciled | None


def reconcile(
    workspace: Workspace,
    as_of: date | None,
    households: Sequence[Path],
    poverty: Sequence[Path] = (),
    *,
    mapping: str = DEFAULT_MAPPING,
    cases: bool = True,
    who: str,
    role: Role,
    lang: Lang,
    stage: Stage = lambda name: None,
) -> Reconciled:
    """Hold lists, registry and class against each other, and write the lists of who is missing.

    Parameters
    ----------
    as_of
        Default: the newest reported school day.
    cases
        Whether a child on no roll becomes a case in the ledger.

    Raises
    ------
    EarlywarnError
        If a file or mapping cannot be used, the day has not come, or nobody is enrolled that day.
    """
    if as_of is not None and as_of > date.today():
        raise EarlywarnError(
            zh=f"{as_of} 还没有到，还没有可比对的。请用今天或以前的 --as-of。",
            en=f"{as_of} has not come yet: there is nothing to compare. Use an --as-of of today or "
            "before.",
        )
    with workspace.lock("reconcile"):
        if as_of is None:
            con = connect(workspace)
            try:
                as_of = newest_school_day(con, date.today())
            finally:
                con.close()
        paths: dict[Kind, list[Path]] = {"households": list(households), "poverty": list(poverty)}
        asked = Asked(as_of, paths, mapping, cases, who, lang)
        made = _reconcile(workspace, asked, stage)
    _audit(workspace, made, who, role)
    return made


def review(
    workspace: Workspace,
    path: Path,
    *,
    who: str,
    role: Role,
    lang: Lang,
    stage: Stage = lambda name: None,
) -> Reviewed:
    """Read a filled review workbook, keep its answers, and make the lists anew by them.

    They are those of the reconciliation that the workbook is of, whatever was made since.

    Raises
    ------
    RefusedError
        If the file is none of this workspace's, or was changed outside the answers' column.
    """
    with workspace.lock("reconcile review"):
        found = read_review(path, _key(workspace))
        forgotten = Forgotten.load(workspace)
        judged = [one for one in found.judged if one.student_id not in forgotten]
        new = [_answer(one, who) for one in judged if one.said != "unsure"]
        answers, changed = Answers.load(workspace).with_new(new)
        if changed:
            answers.write(workspace)
        asked = asked_then(workspace, found.run.as_of, found.run.number, who)
        again = _reconcile(workspace, asked, stage) if asked else None
    if again is not None:
        _audit(workspace, again, who, role)
    said = [one.said for one in judged]
    return Reviewed(
        same=said.count("same"),
        different=said.count("not"),
        unsure=said.count("unsure"),
        empty=found.empty,
        changed=changed,
        forgotten=len(found.judged) - len(judged),
        unreadable=found.unreadable,
        again=again,
    )


def _answer(one: Judged, who: str) -> Answer:
    said = "same" if one.said == "same" else "not"
    return Answer(line=one.line, student_id=one.student_id, said=said, who=who, on=date.today())


def _audit(workspace: Workspace, made: Reconciled, who: str, role: Role) -> None:
    rows = sum(made.info["counts"]["lists"].values())
    note(workspace, "reconcile", who=who, role=role, rows=rows, file=made.folder / WORKBOOK)


def _key(workspace: Workspace) -> bytes:
    """Return what the review workbooks of a workspace are signed with."""
    return pseudonym(workspace, "reconcile review").encode()


def _reconcile(workspace: Workspace, asked: Asked, stage: Stage) -> Reconciled:
    stage("lists")
    read: dict[Kind, ReadList] = {}
    mappings: dict[str, str] = {}
    for kind in _KINDS:
        if asked.paths[kind]:
            mapping = list_mapping(workspace, asked.mapping, kind)
            read[kind] = read_list(workspace, asked.paths[kind], mapping)
            mappings[kind] = mapping.hash
    answers = Answers.load(workspace)
    inputs = inputs_of(workspace, asked, read, mappings, answers)
    unread = tuple((str(kind), row) for kind, found in read.items() for row in found.unread)
    notes = tuple(text for found in read.values() for text in found.notes)
    made = folders(workspace, asked.as_of)
    same = None
    for number, folder in made:
        info = info_of(folder)
        if info and info["inputs_hash"] == hashed(inputs):
            same = Reconciled(folder, number, info, False, 0, unread, notes)
    if same is not None and (same.info["cases"] or not asked.cases):
        return replace(same, notes=notes + _without_school(same.info))
    stage("registry")
    con = connect(workspace)
    try:
        registry = registry_of(con, workspace, asked.as_of)
    finally:
        con.close()
    stage("linking")
    know = partial(line_key, workspace)
    sides = {
        kind: _joined(workspace, found, registry, answers, know) for kind, found in read.items()
    }
    stage("comparing")
    found = compare(
        workspace.config, asked.as_of, registry, sides["households"], sides.get("poverty")
    )
    pairs = _pairs(sides, registry, know)
    number = made[-1][0] + 1 if made else 1
    info = told_of(workspace, asked, read, inputs, found, len(pairs), number)
    opened = 0
    if asked.cases:
        opened, info["without_school"] = _open(workspace, asked, registry, found, know)
    notes += _without_school(info)
    stage("files")
    if same is not None:  # made before, without cases
        told = same.info | {"cases": True, "without_school": info["without_school"]}
        write_whole(same.folder / RESULT, as_text(told))
        return replace(same, info=told, cases=opened, notes=notes)
    target = workspace.root / FOLDER / asked.as_of.isoformat() / str(number)
    for left in target.parent.glob(".part-*"):  # of one that was killed; the lock is held
        shutil.rmtree(left, ignore_errors=True)
    with whole_folder(target) as folder:
        _write(folder, workspace, asked, number, read, registry, found, pairs, unread)
        write_whole(folder / RESULT, as_text(info))
    return Reconciled(target, number, info, True, opened, unread, notes)


def _joined(
    workspace: Workspace,
    read: ReadList,
    registry: Registry,
    answers: Answers,
    know: Callable[[Row], str],
) -> Joined:
    linked = link(read.lines, registry.enrolled, seed=workspace.config.seed)
    return joined(
        read.lines.to_pylist(),
        linked.sure.to_pylist(),
        linked.unsure.to_pylist(),
        linked.repeated["line"].to_pylist(),
        answers,
        registry.children,
        know,
    )


def _pairs(
    sides: dict[Kind, Joined], registry: Registry, know: Callable[[Row], str]
) -> list[ToJudge]:
    """Return the pairs to judge, list by list, the candidates of a line together, best first."""
    found = []
    for kind, side in sides.items():
        rows = {row["line"]: row for row in side.rows}
        found += [
            ToJudge(
                kind,
                rows[pair["line"]],
                know(rows[pair["line"]]),
                registry.children[pair["student_id"]],
                pair["weight"],
                pair["agreement"],
            )
            for pair in side.open
        ]
    return found


def _open(
    workspace: Workspace,
    asked: Asked,
    registry: Registry,
    found: Comparison,
    know: Callable[[Row], str],
) -> tuple[int, int]:
    """Open the cases; return how many are new, and how many children have no school for one."""
    rows = [*found.lists["no_roll"], *found.lists["poor_out"]]

    def school_of(one: Found) -> str:
        school = _school(workspace, registry, one)
        return school["school_id"] if school else ""

    children = wanted(rows, school_of, know)
    placed = [child for child in children if child.school_id]
    with Ledger.open(workspace) as ledger:
        origin = f"reconcile {asked.as_of}"
        opened = open_cases(ledger, placed, asked.as_of, origin, asked.lang, asked.who)
    return opened, len(children) - len(placed)


def _without_school(info: dict[str, Any]) -> tuple[Text, ...]:
    """Say why children on no roll became no cases."""
    count = info.get("without_school", 0)
    if not count:
        return ()
    return (
        Text(
            f"有 {count} 名无学籍的孩子没有立案：工作区里没有学校表，不知由哪所学校负责。请先运行 "
            "earlywarn ingest schools 学校表文件，再比对一次。",
            f"No case was opened for {count} of those on no roll: without a schools table nobody "
            "knows which school is to look for them. Load it (`earlywarn ingest schools FILE`), "
            "then compare again.",
        ),
    )


def _school(workspace: Workspace, registry: Registry, one: Found) -> Row | None:
    """Return the school that looks into a row: the child's own, else that of where it lives."""
    if one.child is not None:
        return {"school_id": one.child["school_id"], "name": one.child["school"]}
    if one.line is None or one.age is None:
        return None
    return responsible_school(workspace.config, registry, one.line, one.age)


def _write(
    folder: Path,
    workspace: Workspace,
    asked: Asked,
    number: int,
    read: dict[Kind, ReadList],
    registry: Registry,
    found: Comparison,
    pairs: list[ToJudge],
    unread: Sequence[tuple[str, UnreadRow]],
) -> None:
    generated = workspace.config.generated
    files = [
        (str(kind), path.name, lines)
        for kind, one in read.items()
        for (path, _), lines in zip(one.files, one.counts, strict=True)
    ]

    def responsible(one: Found) -> str:
        school = _school(workspace, registry, one)
        return str(school["name"] or school["school_id"]) if school else ""

    write_workbook(
        folder / WORKBOOK,
        found,
        as_of=asked.as_of,
        lang=asked.lang,
        read=files,
        unread=unread,
        with_poverty="poverty" in read,
        notes=[text(asked.lang) for text in _sentences(workspace, asked, read, pairs)],
        responsible=responsible,
        generated=generated,
    )
    if pairs:
        write_review(
            folder / REVIEW,
            pairs,
            run=Run(asked.as_of, number),
            lang=asked.lang,
            key=_key(workspace),
            generated=generated,
        )


def _sentences(
    workspace: Workspace, asked: Asked, read: dict[Kind, ReadList], pairs: list[ToJudge]
) -> list[Text]:
    """Return what the summary says before its numbers."""
    low, high = school_ages(workspace.config)
    begun = workspace.config.school_year_begins(asked.as_of)
    told = [
        Text(
            f"适龄：{begun} 当天满 {low} 至 {high} 周岁；不在此范围的只计数，不列入。",
            f"Of school age: {low} to {high} years old on {begun}; others are counted and left "
            "aside.",
        )
    ]
    if pairs:
        lines = len({(pair.kind, pair.line["line"]) for pair in pairs})
        told.append(
            Text(
                f"另有 {lines} 行不能确定是谁，请在 {REVIEW} 中逐行判断；判断之前不计入“无学籍”。",
                f"Of {counted(lines, 'line')} nobody can be sure who it is: judge them in "
                f"{REVIEW}. Until then they are on no list.",
            )
        )
    gone = sum(one.forgotten for one in read.values())
    if gone:
        told.append(
            Text(
                f"有 {gone} 行属于已被遗忘的孩子，未读入。",
                f"{counted(gone, 'line')} of forgotten children left out.",
            )
        )
    return told
