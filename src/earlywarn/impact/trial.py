"""What other rules would change, before anything is switched on.

The cohort is scored under the workspace's rules and under those of another folder, exactly as
`score` would do it, and compared child by child. Nothing is stored: no run, no model, no rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from earlywarn import __version__
from earlywarn.engine.duckdb import connect
from earlywarn.engine.room import check_room
from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.groups import GROUPS_FILE
from earlywarn.features.newest import newest_school_day
from earlywarn.impact.counts import (
    Cohort,
    Moved,
    add_counts,
    group_rows,
    other_rows,
    rule_rows,
    school_rows,
)
from earlywarn.impact.differences import action_differences, group_differences
from earlywarn.impact.rows import ChildChange, Impact, Standing
from earlywarn.impact.sides import Side, prepare_other, score_side
from earlywarn.impact.why import Why, explain
from earlywarn.models.experts import EXPERTS
from earlywarn.models.store import registry
from earlywarn.rules.pack import ACTIONS_FILE, RuleBook, load_rulebook
from earlywarn.rules.problems import Problem, RulesError
from earlywarn.scoring.frame import prepare
from earlywarn.words import Tier
from earlywarn.workspace import Workspace

__all__ = ["Impact", "impact"]


def impact(
    workspace: Workspace,
    new_rules: Path,
    as_of: date | None = None,
    *,
    model: str | None = None,
    stage: Callable[[str], None] = lambda name: None,
) -> Impact:
    """Return what the rules in the folder `new_rules` would change as of a date.

    Parameters
    ----------
    as_of
        Default: the newest reported school day. Nothing dated later is read.
    model
        As for `score`: NAME or NAME/VERSION; "none" = the experts' scorecard of each rule book;
        None = the promoted model, else the experts.
    stage
        Told what is going on.

    Raises
    ------
    RulesError
        If the new rules have problems: every one of them.
    EarlywarnError
        If there is no such folder, the workspace's own rules have problems, or nobody is enrolled.
    """
    old_book, new_book = _read_own(workspace), _read_new(workspace, new_rules)
    chosen = registry.choose(workspace, model)
    try:
        check_room(workspace)
        con = connect(workspace)
    except duckdb.Error as error:
        raise _moved(error) from None
    try:
        as_of = as_of or newest_school_day(con, date.today())
        stage("features")
        prepared = prepare(con, workspace, old_book, as_of)
        stage("score")
        before = after = score_side(workspace, prepared, chosen, as_of)
        if new_book.hash != old_book.hash:
            stage("new rules")
            other = prepare_other(prepared, workspace, new_book, as_of)
            after = score_side(workspace, other, chosen, as_of)
        stage("compare")
        return _compare(Cohort.read(con, workspace), before, after, new_book, as_of, chosen is None)
    except duckdb.IOException as error:
        raise _moved(error) from None
    finally:
        con.close()


def _read_own(workspace: Workspace) -> RuleBook:
    try:
        return load_rulebook(workspace.rules)
    except RulesError as error:
        raise EarlywarnError(
            zh=f"工作区自己的规则（{workspace.rules}）有问题，无从比较。请先改正：\n{error.text.zh}",
            en=f"The workspace's own rules ({workspace.rules}) have problems, so there is nothing "
            f"to compare with. Correct them first:\n{error.text.en}",
        ) from None


def _read_new(workspace: Workspace, folder: Path) -> RuleBook:
    own = workspace.rules
    if not folder.is_dir():
        raise EarlywarnError(
            zh=f"{folder} 不是文件夹。请把 {own} 整个复制一份，在副本里修改，再给出副本的路径。",
            en=f"{folder} is no folder. Copy the whole of {own}, change the copy, and give its "
            "path.",
        )
    try:
        return load_rulebook(folder)
    except RulesError as error:
        missing = [n for n in (GROUPS_FILE, ACTIONS_FILE) if not (folder / n).is_file()]
        if not missing:
            raise
        others = [p for p in error.problems if p.file not in missing]
        raise RulesError([*(_missing(name, folder, own) for name in missing), *others]) from None


def _missing(name: str, folder: Path, own: Path) -> Problem:
    return Problem(
        name,
        0,
        "",
        Text(
            f"{folder} 里没有这个文件。新规则要放成完整的规则文件夹，请从 {own} 复制过来。",
            f"it is missing in {folder}. New rules are a whole rules folder: copy it from {own}.",
        ),
    )


def _moved(error: duckdb.Error) -> EarlywarnError:
    return EarlywarnError(
        zh="读取数据时出错，可能有人正在导入。请等导入结束后再试。"
        f"（{str(error).splitlines()[0]}）",
        en="The tables could not be read; somebody may be loading data. Try again when that has "
        f"ended. ({str(error).splitlines()[0]})",
    )


def _compare(
    cohort: Cohort, before: Side, after: Side, new_book: RuleBook, as_of: date, experts: bool
) -> Impact:
    old_book = before.rulebook
    moved = Moved.between(before, after)
    rows = [int(row) for row in np.flatnonzero(moved.any)]
    capacities = np.asarray([school["capacity"] for school in cohort.schools], dtype=np.int64)
    why = explain(before, after, rows, cohort.school, capacities, cohort.config)
    changes = {row: _change(cohort, before, after, row, why[row]) for row in rows}
    everybody = np.ones(len(cohort.ids), dtype=np.bool_)
    pairs = Counter(zip(before.level.tolist(), after.level.tolist(), strict=True))
    schools = tuple(school_rows(cohort, before, after, moved, changes))
    return Impact(
        as_of=as_of,
        generated=cohort.config.generated,
        program=__version__,
        # The experts' scorecards need not be stored yet, so they have no version to name.
        model=EXPERTS if experts else before.scorecard.label,
        rules_before=old_book.hash,
        rules_after=new_book.hash,
        same=old_book.hash == new_book.hash,
        b0_before=before.scorecard.b0,
        b0_after=after.scorecard.b0,
        students=len(cohort.ids),
        tiers={
            (Tier.of_level(old), Tier.of_level(new)): number
            for (old, new), number in sorted(pairs.items(), reverse=True)
        },
        before=add_counts(school.before for school in schools),
        after=add_counts(school.after for school in schools),
        capacity=int(capacities.sum()),
        moves=moved.count(everybody),
        schools=schools,
        groups=tuple(group_rows(before, after, moved)),
        rules=tuple(rule_rows(before, after, old_book, new_book, changes.values())),
        others=tuple(other_rows(changes.values())),
        group_definitions=group_differences(old_book, new_book),
        actions=action_differences(old_book, new_book),
        titles={r.id: r.title for r in (*old_book.rules, *new_book.rules)},
    )


def _change(cohort: Cohort, before: Side, after: Side, row: int, why: Why) -> ChildChange:
    return ChildChange(
        student_id=cohort.ids[row],
        school_id=cohort.schools[int(cohort.school[row])]["school_id"],
        name=cohort.names[row],
        class_id=cohort.classes[row],
        grade=cohort.grades[row],
        before=_standing(before, row),
        after=_standing(after, row),
        causes=why.causes,
        list_cause=why.list_cause,
        tier_cause=why.tier_cause,
    )


def _standing(side: Side, row: int) -> Standing:
    return Standing(
        Tier.of_level(int(side.level[row])),
        bool(side.listed[row]),
        int(side.rank[row]),
        float(side.score[row]),
        float(side.log_odds[row]),
    )
