"""The monitored groups: conditions over registry fields, read from `rules/groups.yaml`.

A group is a boolean feature; what makes a child a member is the county's to say, so it stands in
YAML beside the rules, in the rules' own language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earlywarn import safeyaml
from earlywarn.conditions import Condition, ConditionError, compile_condition, nearest
from earlywarn.conditions.nodes import Among, Compare, Constant, Name, children, walk
from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.catalogue import REGISTRY_FIELDS
from earlywarn.tables.contract import STUDENTS
from earlywarn.words import MONITORED_GROUPS

GROUPS_FILE = "groups.yaml"
# The groups of the catalogue, in its order: each is a feature, so none can be missing.
GROUP_NAMES: tuple[str, ...] = (*MONITORED_GROUPS, "orphan", "unattended")
# A parent's imprisonment is nobody's business at school: no YAML can allow it.
ALWAYS_SENSITIVE = ("parent_incarcerated",)

# The codes that a registry field can have.
_CHOICES = {c.name: c.choices for c in STUDENTS.columns if c.choices}

_KEYS = ("name", "when", "label", "sensitive")


@dataclass(frozen=True)
class Group:
    """One group: who is in it, what it is called, and whether schools may print it."""

    name: str
    condition: Condition
    label: Text
    sensitive: bool

    @property
    def sql(self) -> str:
        """DuckDB expression over the registry fields: TRUE, FALSE or NULL."""
        return self.condition.sql


@dataclass(frozen=True)
class Groups:
    """The seven groups in catalogue order."""

    groups: tuple[Group, ...]

    def __iter__(self) -> Iterator[Group]:
        return iter(self.groups)

    def __getitem__(self, name: str) -> Group:
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(name)

    @property
    def fields(self) -> frozenset[str]:
        """The registry fields that stand behind any of the groups."""
        return frozenset(name for group in self.groups for name in group.condition.names)

    @property
    def hash(self) -> str:
        """SHA-256 of what the groups mean: comments, order and white space do not change it."""
        meaning = [
            [g.name, g.condition.hash, list(g.label), g.sensitive]
            for g in sorted(self.groups, key=lambda group: group.name)
        ]
        return hashlib.sha256(json.dumps(meaning, ensure_ascii=False).encode()).hexdigest()


def unknown_code(condition: Condition) -> Text | None:
    """Return what is wrong if a registry field is compared with a code that it never has."""
    for node in walk(condition.root):
        if not isinstance(node, (Compare, Among)):
            continue
        under = children(node)
        choices = [c for n in under if isinstance(n, Name) for c in _CHOICES.get(n.name, ())]
        for child in under:
            if not choices or not isinstance(child, Constant) or child.value is None:
                continue
            if child.value not in choices:
                field = next(n.name for n in under if isinstance(n, Name))
                known = ", ".join(choices)
                return Text(
                    f"{field} 没有 '{child.value}' 这个值；可用：{known}。",
                    f"{field} is never '{child.value}'; it can be {known}.",
                )
    return None


def load_groups(rules_dir: Path) -> Groups:
    """Read the `groups:` section of `rules_dir`/groups.yaml.

    Raises
    ------
    EarlywarnError
        If the file is missing, or a group is missing, unknown, standing twice or not well formed;
        the message names file, line, group and the cure, all problems at once.
    """
    document = safeyaml.load(rules_dir / GROUPS_FILE)
    groups, problems = read_groups(document)
    if problems:
        raise EarlywarnError(
            zh="\n".join(f"{document.name} 第 {line} 行：{text.zh}" for line, text in problems),
            en="\n".join(f"{document.name}, line {line}: {text.en}" for line, text in problems),
        )
    return groups


def read_groups(document: safeyaml.Document) -> tuple[Groups, list[tuple[int, Text]]]:
    """Return the groups that are well formed, and the problems (line, message) of the others."""
    problems: list[tuple[int, Text]] = []
    data = document.data if isinstance(document.data, dict) else {}
    entries = data.get("groups")
    if not isinstance(entries, list):
        line = document.line(("groups",))
        problems.append(
            (
                line,
                Text(
                    "缺少 groups: 列表，请从随程序附带的 groups.yaml 里补上。",
                    "a list `groups:` is missing; copy it from the shipped groups.yaml.",
                ),
            )
        )
        return Groups(()), problems
    found: dict[str, Group] = {}
    wrong: set[str] = set()
    for i, entry in enumerate(entries):
        group, messages = _group(document, ("groups", i), entry)
        problems += messages
        if isinstance(entry, dict) and messages:
            wrong.add(str(entry.get("name")))
        if group is not None and group.name in found:
            text = Text(
                f"组 {group.name} 出现了两次，请删去一个。",
                f"the group {group.name} stands twice; remove one.",
            )
            problems.append((document.line(("groups", i, "name")), text))
        elif group is not None:
            found[group.name] = group
    for name in GROUP_NAMES:
        if name not in found and name not in wrong:
            text = Text(
                f"缺少组 {name} 的定义，请从随程序附带的 groups.yaml 里补上。",
                f"the group {name} is not defined; copy it from the shipped groups.yaml.",
            )
            problems.append((document.line(("groups",)), text))
    return Groups(tuple(found[name] for name in GROUP_NAMES if name in found)), problems


def _group(
    document: safeyaml.Document, path: safeyaml.Key, entry: Any
) -> tuple[Group | None, list[tuple[int, Text]]]:
    problems: list[tuple[int, Text]] = []

    def problem(key: str, zh: str, en: str) -> None:
        problems.append((document.line((*path, key)), Text(zh, en)))

    if not isinstance(entry, dict):
        problem("", "组应写成“键: 值”。", "a group is written as `key: value`.")
        return None, problems
    for key in entry:
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            zh, en = (
                (f"是不是 {near}？", f"did you mean {near}?")
                if near
                else ("请删去。", "remove it.")
            )
            problem(key, f"没有 {key} 这个键，{zh}", f"there is no key {key}; {en}")
    name = str(entry.get("name") or "")
    if name not in GROUP_NAMES:
        near = nearest(name, GROUP_NAMES)
        known = ", ".join(GROUP_NAMES)
        zh, en = (f"是不是 {near}？", f"did you mean {near}?") if near else ("", "")
        problem(
            "name",
            f"没有组 {name or '（空）'}，{zh}可用：{known}。",
            f"there is no group {name or '(empty)'}; {en} known: {known}.",
        )
    label = entry.get("label")
    if not isinstance(label, dict) or set(label) != {"zh", "en"} or not all(label.values()):
        problem(
            "label",
            f"组 {name} 的 label 要写 zh 和 en。",
            f"the label of group {name} needs zh and en.",
        )
    sensitive = str(entry.get("sensitive") or "yes").lower()
    if sensitive not in ("yes", "no", "true", "false"):
        problem("sensitive", "sensitive 只能是 yes 或 no。", "sensitive is yes or no.")
    if name in ALWAYS_SENSITIVE and sensitive in ("no", "false"):
        problem(
            "sensitive",
            f"组 {name} 必须保密，请写 sensitive: yes。",
            f"the group {name} is always sensitive; write sensitive: yes.",
        )
    condition: Condition | None = None
    try:
        condition = compile_condition(str(entry.get("when") or ""), REGISTRY_FIELDS)
        if code := unknown_code(condition):
            problem("when", f"组 {name}：{code.zh}", f"group {name}: {code.en}")
    except ConditionError as error:
        problem("when", f"组 {name}：{error.text.zh}", f"group {name}: {error.text.en}")
    if problems or condition is None or not isinstance(label, dict):
        return None, problems
    text = Text(zh=str(label["zh"]), en=str(label["en"]))
    return Group(name, condition, text, sensitive in ("yes", "true")), problems
