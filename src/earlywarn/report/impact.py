"""What other rules would change, as a page and as JSON, in a folder that appears whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from earlywarn.errors import EarlywarnError, Lang
from earlywarn.files import whole_folder
from earlywarn.impact.rows import (
    Cause,
    ChildChange,
    DefinitionChange,
    GroupImpact,
    Impact,
    ListCounts,
    Moves,
    RuleImpact,
    SchoolImpact,
    Standing,
)
from earlywarn.report.impact_page import impact_page
from earlywarn.report.impact_words import why

PAGE_FILE = "impact.html"
JSON_FILE = "impact.json"
DECIMALS = 9  # of effects; scores stand as they are stored


def write_impact(folder: Path, impact: Impact, lang: Lang) -> tuple[Path, Path]:
    """Write impact.html and impact.json into `folder`; an earlier one there is replaced whole.

    Raises
    ------
    EarlywarnError
        If `folder` is a file, or holds anything else: nothing of anybody's is removed.
    """
    check_target(folder)
    page, data = impact_page(impact, lang), json_text(impact)
    with whole_folder(folder, replace=True) as made:
        (made / PAGE_FILE).write_text(page, encoding="utf-8", newline="\n")
        (made / JSON_FILE).write_text(data, encoding="utf-8", newline="\n")
    return folder / PAGE_FILE, folder / JSON_FILE


def check_target(folder: Path) -> None:
    """Refuse a folder that is a file or holds anything but an earlier impact."""
    if folder.exists() and not folder.is_dir():
        raise EarlywarnError(
            zh=f"{folder} 是文件。请用 --out 另指一个文件夹。",
            en=f"{folder} is a file. Name a folder with --out.",
        )
    others = (
        sorted(p.name for p in folder.iterdir() if p.name not in (PAGE_FILE, JSON_FILE))
        if folder.exists()
        else []
    )
    if others:
        raise EarlywarnError(
            zh=f"{folder} 里还有别的东西（如 {others[0]}），未作改动。请用 --out 另选文件夹。",
            en=f"{folder} holds other things ({others[0]}); nothing was changed. Name a new folder "
            "with --out.",
        )


def json_text(impact: Impact) -> str:
    """Return impact.json: the same bytes for the same impact."""
    return json.dumps(impact_json(impact), ensure_ascii=False, indent=1) + "\n"


def impact_json(impact: Impact) -> dict[str, Any]:
    """Return what impact.json holds, format 1.

    Keys
    ----
    as_of, model (`name/version` or `experts`), program, generated (made-up data or not)
    rules_hash
        `before` and `after`; `same`: whether the two rule books mean the same.
    b0
        The base level, log-odds, `before` and `after`.
    students, capacity
        Children of the cohort; how many all schools can follow up in a week.
    lists
        `before` and `after`: urgent, high, watch, listed (their sum: the visits of the week), cut
        (of a tier above routine, but not listed), over (listed beyond the school's capacity).
    moves
        enter, leave (lists), up, down (tiers): children.
    tiers
        The cohort by tier: `from`, `to`, `students`; pairs that nobody has are left out.
    rules
        Those that differ or act otherwise, most moves first: id, pack, title, state (new, gone,
        changed, same), keys {key: [before, after]}, condition in words before and after, in_force,
        weight (log-odds) and hits before and after, from_author (no weight in the model), moves
        with this rule as the main cause, touches (moving children that it is one cause of), pushes
        (children displaced because of it), changes_nobody.
    other_causes
        `capacity`, `b0` or a feature: term, moves, touches. With `rules` they add up to `moves`.
    groups_defined_otherwise, actions
        id, label, state, keys {key: [before, after]}.
    groups
        name, label, members, listed and share before and after, moves. `everybody` and `none`
        (in none of the five monitored groups, or not on record) stand beside them.
    schools
        Every school: school_id, name, county, township, cohort, capacity, lists, moves, reordered
        (children who only change rank on the list).
    children
        Those that move: student_id, school_id, name, class_id, grade, `list` (enter, leave or
        null), `tier` (up, down or null), before and after (tier, listed, rank, score, log_odds),
        list_cause and tier_cause (the main cause's term or null), causes (kind, term, effect in
        log-odds, floor_before, floor_after, children and through for `capacity`, why in words).
        The effects add up to the difference in log-odds.
    """
    return {
        "format": 1,
        "as_of": impact.as_of.isoformat(),
        "model": impact.model,
        "program": impact.program,
        "generated": impact.generated,
        "rules_hash": {"before": impact.rules_before, "after": impact.rules_after},
        "same": impact.same,
        "b0": {"before": impact.b0_before, "after": impact.b0_after},
        "students": impact.students,
        "capacity": impact.capacity,
        "lists": {"before": _lists(impact.before), "after": _lists(impact.after)},
        "moves": _moves(impact.moves),
        "tiers": [
            {"from": old.value, "to": new.value, "students": number}
            for (old, new), number in impact.tiers.items()
        ],
        "rules": [_rule(rule) for rule in impact.rules],
        "other_causes": [
            {"term": other.term, "moves": _moves(other.moves), "touches": other.touches}
            for other in impact.others
        ],
        "groups_defined_otherwise": [_definition(c) for c in impact.group_definitions],
        "actions": [_definition(c) for c in impact.actions],
        "groups": [_group(group) for group in impact.groups],
        "schools": [_school(school) for school in impact.schools],
        "children": [_child(child, impact) for child in impact.children],
    }


def _lists(counts: ListCounts) -> dict[str, int]:
    return {
        "urgent": counts.urgent,
        "high": counts.high,
        "watch": counts.watch,
        "listed": counts.listed,
        "cut": counts.cut,
        "over": counts.over,
    }


def _moves(moves: Moves) -> dict[str, int]:
    return {"enter": moves.enter, "leave": moves.leave, "up": moves.up, "down": moves.down}


def _rule(rule: RuleImpact) -> dict[str, Any]:
    return {
        "id": rule.id,
        "pack": rule.pack,
        "title": rule.title._asdict(),
        "state": rule.state,
        "keys": _keys(rule.keys),
        "condition": {
            "before": rule.words_before._asdict() if rule.words_before else None,
            "after": rule.words_after._asdict() if rule.words_after else None,
        },
        "in_force": {"before": rule.in_force_before, "after": rule.in_force_after},
        "weight": {
            "before": rule.weight_before if rule.in_force_before else None,
            "after": rule.weight_after if rule.in_force_after else None,
        },
        "from_author": rule.from_author,
        "hits": {"before": rule.hits_before, "after": rule.hits_after},
        "moves": _moves(rule.moves),
        "touches": rule.touches,
        "pushes": rule.pushes,
        "changes_nobody": rule.changes_nobody,
    }


def _keys(keys: Mapping[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    return {key: list(pair) for key, pair in keys.items()}


def _definition(change: DefinitionChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "label": change.label._asdict(),
        "state": change.state,
        "keys": _keys(change.keys),
    }


def _group(group: GroupImpact) -> dict[str, Any]:
    return {
        "name": group.name,
        "label": group.label._asdict(),
        "members": {"before": group.members_before, "after": group.members_after},
        "listed": {"before": group.listed_before, "after": group.listed_after},
        "share": {
            "before": _share(group.listed_before, group.members_before),
            "after": _share(group.listed_after, group.members_after),
        },
        "moves": _moves(group.moves),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _school(school: SchoolImpact) -> dict[str, Any]:
    return {
        "school_id": school.school_id,
        "name": school.name,
        "county": school.county,
        "township": school.township,
        "cohort": school.cohort,
        "capacity": school.capacity,
        "lists": {"before": _lists(school.before), "after": _lists(school.after)},
        "moves": _moves(school.moves),
        "reordered": school.reordered,
    }


def _child(child: ChildChange, impact: Impact) -> dict[str, Any]:
    return {
        "student_id": child.student_id,
        "school_id": child.school_id,
        "name": child.name,
        "class_id": child.class_id,
        "grade": child.grade,
        "list": child.list_move or None,
        "tier": child.tier_move or None,
        "before": _standing(child.before),
        "after": _standing(child.after),
        "list_cause": child.list_cause or None,
        "tier_cause": child.tier_cause or None,
        "causes": [_cause(cause, child, impact) for cause in child.causes],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "tier": standing.tier.value,
        "listed": standing.listed,
        "rank": standing.rank,
        "score": standing.score,
        "log_odds": standing.log_odds,
    }


def _cause(cause: Cause, child: ChildChange, impact: Impact) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": cause.kind,
        "term": cause.term,
        "effect": round(cause.effect, DECIMALS),
        "floor_before": cause.floor_before.value if cause.floor_before else None,
        "floor_after": cause.floor_after.value if cause.floor_after else None,
    }
    if cause.kind == "capacity":
        found["children"] = list(cause.children)
        found["through"] = dict(cause.through)
    languages: tuple[Lang, Lang] = ("zh", "en")
    found["why"] = {lang: why(cause, child, impact, lang) for lang in languages}
    return found
