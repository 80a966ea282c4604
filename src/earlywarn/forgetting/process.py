"""`forget`: a child leaves tables, quarantine, runs, lists, rounds, trials and the ledger."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from earlywarn import naming
from earlywarn.errors import EarlywarnError
from earlywarn.followup.labels import bring_back
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.ledger.connect import ledger_url
from earlywarn.followup.returned.signing import workbook_key
from earlywarn.forgetting.child import Child
from earlywarn.forgetting.known import child_of, person_of, rows_of
from earlywarn.forgetting.plan import Plan, pending
from earlywarn.forgetting.runs import folders_of, say_so
from earlywarn.forgetting.sweep import Found, sweep
from earlywarn.forgetting.tables import set_quarantined, take_out
from earlywarn.forgetting.texts import NUMBER_HEADINGS
from earlywarn.tables.batches import read_batches
from earlywarn.tables.forgotten import Forgotten
from earlywarn.tables.quarantine import master_path
from earlywarn.tables.quarantine import state as quarantine
from earlywarn.tables.quarantine.master import typed_path
from earlywarn.tables.quarantine.state import refresh
from earlywarn.workspace import Workspace

ACTION = "forget"


@dataclass(frozen=True)
class Forgetting:
    """What was taken out, or (`is_done` False) would be.

    `rows` by table; files by their path below the root: `rewritten`, `removed`, and `left`, which
    hold the child, and which their owner put into the workspace in a form that is not rewritten (a
    zip, a letter). `unread` are those that may hold it: a PDF, an old Word document, one with a
    password. Pictures are not looked into. `shares` says that a name or phone of the child's is
    another's too, and stays with that one.
    """

    is_done: bool
    rows: dict[str, int]
    rewritten: tuple[str, ...]
    removed: tuple[str, ...]
    left: tuple[str, ...]
    unread: tuple[str, ...]
    runs: tuple[str, ...]
    cases: int
    entries: int
    unsettled: int
    shares: bool


def forget(
    workspace: Workspace,
    student_id: str,
    *,
    who: str,
    dry_run: bool = False,
    stage: Callable[[str], None] = lambda name: None,
) -> Forgetting:
    """Take everything about a child out of the workspace, and see that nothing brings it back.

    It may be stopped at any moment; called again, it goes on to the same end. Another child's
    forgetting that was stopped is finished first.

    Parameters
    ----------
    student_id
        The child's number; of a child on no registry, the name that its case is under, with these
        dots or others, or the number of the case.
    who
        Who does it, for the audit log, which keeps that and no name.
    dry_run
        Change nothing; say what would go.

    Raises
    ------
    EarlywarnError
        If nothing in the workspace is about such a child, or a file cannot be written (it is open
        elsewhere): then the rest is done, and calling again finishes it.
    """
    with workspace.lock(ACTION), ExitStack() as stack:
        ledger = None
        if Ledger.is_begun(workspace):
            ledger = stack.enter_context(Ledger.open(workspace))
        begun = pending(workspace)
        if begun is None or student_id not in (begun.student_id, *begun.spellings):
            student_id = person_of(workspace, student_id, ledger)
        else:
            student_id = begun.student_id
        if begun is not None and begun.student_id != student_id and not dry_run:
            _carry_out(workspace, ledger, _survey(workspace, ledger, begun, stage), who, stage)
            begun = None
        if begun is None or begun.student_id != student_id:
            child = child_of(workspace, student_id, ledger)
            begun = Plan(
                token=secrets.token_hex(4),
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                student_id=student_id,
                names=child.names,
                own=child.own,
                spellings=child.spellings,
                born=child.born,
            )
        plan = _survey(workspace, ledger, begun, stage)
        if plan.is_empty and pending(workspace) is None:
            raise _unknown(workspace, student_id)
        if not dry_run:
            _carry_out(workspace, ledger, plan, who, stage)
        return _told(workspace, plan, is_done=not dry_run)


def _survey(
    workspace: Workspace, ledger: Ledger | None, plan: Plan, stage: Callable[[str], None]
) -> Plan:
    """Return the plan with all that holds the child now, beside what it held before."""
    child = plan.child
    now: Counter[str] = Counter()
    for file, count in rows_of(workspace, plan.student_id).items():
        now[file.split("/")[0]] += count
    rows = {table: max(plan.rows.get(table, 0), now[table]) for table in {**plan.rows, **now}}
    files = dict(plan.files)
    unread = []
    quarantined = dict(plan.quarantined)
    counts = {batch.id: batch.quarantined for batch in read_batches(workspace).batches}
    for found in _sweep(workspace, plan, stage):
        name = found.path.relative_to(workspace.root).as_posix()
        if found.what == "unread":
            unread.append(name)
            continue
        files[name] = found.what
    for batch, gone in _out_of_quarantine(workspace, child, dry_run=True).items():
        files[master_path(workspace, batch).relative_to(workspace.root).as_posix()] = "rewrite"
        quarantined.setdefault(batch, max(0, counts[batch] - gone))
    held = [ledger.held(one) for one in _under(child)] if ledger is not None else []
    return plan.model_copy(
        update={
            "rows": rows,
            "files": files,
            "unread": tuple(unread),
            "quarantined": quarantined,
            "cases": max(plan.cases, sum(one.cases for one in held)),
            "entries": max(plan.entries, sum(one.entries for one in held)),
            "unsettled": max(plan.unsettled, sum(one.unsettled for one in held)),
            "looks": max(plan.looks, sum(one.looks for one in held)),
        }
    )


def _carry_out(
    workspace: Workspace,
    ledger: Ledger | None,
    plan: Plan,
    who: str,
    stage: Callable[[str], None],
) -> None:
    """Do it: each step leaves a whole workspace, and done twice changes nothing more."""
    child = plan.child
    plan.write(workspace)
    for known_by in _known_by(child):
        names = [name for name in child.names if name in child.own]
        Forgotten.load(workspace).add(workspace, known_by, names)
    stage("tables")
    take_out(workspace, child.student_id, rows_of(workspace, child.student_id))
    _out_of_quarantine(workspace, child)
    refresh(workspace)
    if ledger is not None:
        stage("ledger")
        for one in _under(child):
            ledger.forget(one, who=who, struck=child.struck)
        ledger.compact()
        bring_back(workspace, ledger)
    refused = []
    for found in _sweep(workspace, plan, stage):
        stage(found.path.name)
        try:
            found.carry_out()
        except OSError:
            refused.append(found.path.relative_to(workspace.root).as_posix())
    if refused:
        raise _in_use(refused)
    stage("notes")
    set_quarantined(workspace, plan.quarantined)
    for folder, files in folders_of(workspace.root, plan.files).items():
        say_so(folder, files, at=plan.at, token=plan.token)
    stage("audit")
    _audit(workspace, plan, who)
    plan.done(workspace)


def _under(child: Child) -> list[str]:
    """Return what the ledger has the child under."""
    return sorted({child.student_id, *child.spellings})


def _known_by(child: Child) -> list[str]:
    """Return what is kept, hashed, so that no list brings the child back.

    A name that others have too is kept with the birth date alone: theirs must still come.
    """
    if not child.spellings:
        return [child.student_id]
    names = {naming.parted(name)[0] for name in child.spellings}
    forms = names | {naming.plain(name) for name in names}
    kept = {naming.dated(form, day) for form in forms for day in child.born}
    for name in child.spellings:
        if name in child.own or not child.born:
            kept |= {name} if naming.parted(name)[1] else {name, naming.plain(name)}
    return sorted(kept)


def _sweep(workspace: Workspace, plan: Plan, stage: Callable[[str], None]) -> Iterator[Found]:
    known = read_batches(workspace)
    skip = {workspace.data / part.file for batch in known.batches for part in batch.parts}
    for batch in known.batches:
        skip |= {master_path(workspace, batch.id), typed_path(workspace, batch.id)}
    url = ledger_url(workspace)
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database))
        skip |= {file.with_name(file.name + end) for end in ("", "-journal", "-wal", "-shm")}
    key = workbook_key(workspace.config)
    return sweep(workspace, plan.child, key, skip=skip, stage=stage)


def _out_of_quarantine(
    workspace: Workspace, child: Child, *, dry_run: bool = False
) -> dict[int, int]:
    """Take the child out of what is kept of rows not accepted (see `quarantine.state.forget`)."""

    def is_its(headings: Sequence[str], cells: Sequence[str]) -> bool:
        numbers = [i for i, heading in enumerate(headings) if heading in NUMBER_HEADINGS]
        ids = [cells[i].strip().lstrip("'") for i in numbers if i < len(cells) and cells[i].strip()]
        return child.student_id in ids if ids else child.is_row(filter(None, cells))

    return quarantine.forget(workspace, is_its, child.struck, dry_run=dry_run)


def _audit(workspace: Workspace, plan: Plan, who: str) -> None:
    """Keep that it was done, by whom and how much, and not of whom; once for each forgetting."""
    files = sum(what != "left" for what in plan.files.values())
    rows = sum(plan.rows.values())
    thing = f"a child was forgotten: {rows} rows of tables, {files} files ({plan.token})"
    with Ledger.open(workspace) as ledger:
        if not any(line.object == thing for line in ledger.audited()):
            ledger.audit(ACTION, thing, who=who, role="", rows=rows)


def _told(workspace: Workspace, plan: Plan, *, is_done: bool) -> Forgetting:
    def which(what: str) -> tuple[str, ...]:
        return tuple(sorted(name for name, done in plan.files.items() if done == what))

    runs = (
        folder.relative_to(workspace.root).as_posix()
        for folder in folders_of(workspace.root, plan.files)
    )
    return Forgetting(
        is_done=is_done,
        rows=plan.rows,
        rewritten=which("rewrite"),
        removed=which("remove"),
        left=which("left"),
        unread=plan.unread,
        runs=tuple(sorted(runs)),
        cases=plan.cases,
        entries=plan.entries,
        unsettled=plan.unsettled,
        shares=bool(set(plan.names) - set(plan.own)),
    )


def _unknown(workspace: Workspace, student_id: str) -> EarlywarnError:
    if student_id in Forgotten.load(workspace):
        return EarlywarnError(
            zh=f"{student_id} 已经被遗忘，工作区里没有这名孩子的任何内容。",
            en=f"{student_id} was forgotten already: nothing in the workspace is about that child.",
        )
    return EarlywarnError(
        zh=f"工作区里没有学生 {student_id}，未作改动。请核对学籍号；没有学籍的孩子请写"
        "个案上的姓名，或个案编号。",
        en=f"Nothing in the workspace is about {student_id}; nothing was changed. Check the "
        "number; for a child on no registry give the name that its case is under, or the number of "
        "the case.",
    )


def _in_use(files: list[str]) -> EarlywarnError:
    shown = "、".join(files[:5]), ", ".join(files[:5])
    return EarlywarnError(
        zh=f"有 {len(files)} 个文件写不了（{shown[0]}），可能正被打开。请关闭它们，再运行一次同样的"
        "命令；其余已经完成。",
        en=f"{len(files)} files cannot be written ({shown[1]}): they may be open. Close them and "
        "run the same command again; the rest is done.",
    )
