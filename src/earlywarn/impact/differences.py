"""Where two rule books differ: rules, groups' definitions and actions, key by key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from earlywarn.features.groups import Group, Groups
from earlywarn.impact.rows import DefinitionChange, RuleState
from earlywarn.rules.pack import Action, Rule, RuleBook
from earlywarn.rules.record import action_record, record
from earlywarn.rules.wording import in_words


def rule_differences(
    old: RuleBook, new: RuleBook
) -> dict[str, tuple[RuleState, dict[str, tuple[Any, Any]]]]:
    """Return by id how each rule that is not the same in both differs: its state and keys.

    Of an id that stands several times (with other effective dates) the versions are compared in
    order of their dates.
    """
    found: dict[str, tuple[RuleState, dict[str, tuple[Any, Any]]]] = {}
    versions = [_versions(book.rules) for book in (old, new)]
    for rule_id in sorted({*versions[0], *versions[1]}):
        before, after = versions[0].get(rule_id, []), versions[1].get(rule_id, [])
        if not before or not after:
            found[rule_id] = ("new" if after else "gone", {})
            continue
        keys: dict[str, tuple[Any, Any]] = {}
        for place in range(max(len(before), len(after))):
            one = _meaning(before[place]) if place < len(before) else {}
            other = _meaning(after[place]) if place < len(after) else {}
            keys = dict(_differing(one, other)) | keys
        if keys:
            found[rule_id] = ("changed", keys)
    return found


def group_differences(old: RuleBook, new: RuleBook) -> tuple[DefinitionChange, ...]:
    """Return the groups whose condition, label or sensitivity differs."""
    before, after = (_groups(book) for book in (old, new))
    return tuple(_definitions(before, after))


def action_differences(old: RuleBook, new: RuleBook) -> tuple[DefinitionChange, ...]:
    """Return the actions that differ: they change no list, but what a list says is to be done."""
    before, after = (
        {action.id: _action(action) for action in book.actions.values()} for book in (old, new)
    )
    return tuple(_definitions(before, after))


def _versions(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        found[rule.id].append(rule)
    return found


# Of a rule's record, in the order in which it is told.
_KEYS = ("title", "when", "points", "ladder", "floor", "action", "reason")
_MORE_KEYS = ("effective", "family", "pack")


def _meaning(rule: Rule) -> dict[str, Any]:
    """Return what may differ of a rule, as JSON has it; `when` compares by its hash."""
    kept = record(rule, None)
    return {
        **{key: kept[key] for key in _KEYS},
        "source": rule.source._asdict(),
        **{key: kept[key] for key in _MORE_KEYS},
        "tests": [{"given": dict(test.given), "expect": test.expect} for test in rule.tests],
        "_when": kept["when_hash"],
    }


def _differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key), after.get(key)
        if key == "when" and before.get("_when") == after.get("_when"):
            continue  # written otherwise, the same condition
        if not key.startswith("_") and one != other:
            yield key, (one, other)


def _groups(book: RuleBook) -> dict[str, dict[str, Any]]:
    return {group.name: _group(group, book.groups) for group in book.groups}


def _group(group: Group, groups: Groups) -> dict[str, Any]:
    return {
        "when": group.condition.text,
        "label": group.label._asdict(),
        "sensitive": group.sensitive,
        "_when": group.condition.hash,
        "_label": group.label,
        "_words": in_words(group.condition.root, groups).both,
    }


def _action(action: Action) -> dict[str, Any]:
    return action_record(action) | {"_label": action.title}


def _definitions(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[DefinitionChange]:
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            known = after.get(name) or before[name]
            yield DefinitionChange(name, known["_label"], "new" if name in after else "gone", {})
        elif keys := dict(_differing(before[name], after[name])):
            words = before[name].get("_words"), after[name].get("_words")
            yield DefinitionChange(
                name,
                after[name]["_label"],
                "changed",
                keys,
                (words[0], words[1]) if words[0] and words[1] else None,
            )
