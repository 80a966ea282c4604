"""Reads the packs of a folder into one rule book, checking everything in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from earlywarn import safeyaml
from earlywarn.conditions import Condition, ConditionError, compile_condition, nearest
from earlywarn.conditions.parse import KIND_WORDS
from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.catalogue import FEATURES, condition_kinds
from earlywarn.features.groups import (
    GROUP_NAMES,
    GROUPS_FILE,
    Groups,
    read_groups,
    unknown_code,
)
from earlywarn.rules.alone import is_group_alone
from earlywarn.rules.book import Action, Rule, RuleBook
from earlywarn.rules.given import convert
from earlywarn.rules.problems import Problem, RulesError
from earlywarn.rules.reasons import check_template
from earlywarn.rules.schema import (
    ActionEntry,
    PackHead,
    RuleEntry,
    validate,
)
from earlywarn.words import Tier

__all__ = ["Action", "Rule", "RuleBook", "load_rulebook", "read_rulebook"]

ACTIONS_FILE = "actions.yaml"

# Fields that tell of a group although no group is defined over them: aid is for the poor.
_AID_FIELDS = frozenset(["receives_aid", "boarding_aid"])
_SCHOOL_SHARES = frozenset(
    ["school_poor_share", "school_left_behind_share", "school_migrant_share"]
)


def load_rulebook(rules_dir: Path) -> RuleBook:
    """Read and check every pack in `rules_dir`.

    Raises
    ------
    RulesError
        With every problem of every file: file, line, rule, what is wrong and what to write.
    """
    rulebook, problems = read_rulebook(rules_dir)
    if problems:
        raise RulesError(problems)
    return rulebook


def read_rulebook(rules_dir: Path) -> tuple[RuleBook, list[Problem]]:
    """Return what of the rules is well formed, and every problem of the rest, by file and line."""
    reader = _Reader(rules_dir)
    rulebook = reader.read()
    return rulebook, sorted(reader.problems, key=lambda p: (p.file, p.line))


class _Reader:
    def __init__(self, rules_dir: Path) -> None:
        self.folder = rules_dir
        self.problems: list[Problem] = []
        self.kinds = condition_kinds()

    def problem(self, file: str, line: int, rule: str, zh: str, en: str) -> None:
        self.problems.append(Problem(file, line, rule, Text(zh, en)))

    def read(self) -> RuleBook:
        if not self.folder.is_dir():
            raise EarlywarnError(
                zh=f"找不到规则文件夹 {self.folder}。",
                en=f"There is no rules folder {self.folder}.",
            )
        documents = {path.name: self.document(path) for path in sorted(self.folder.glob("*.yaml"))}
        for path in sorted(self.folder.glob("*.yml")):
            self.problem(
                path.name, 0, "", "请改名为 .yaml，否则不会读取。", "rename it to .yaml to be read."
            )
        for name in (GROUPS_FILE, ACTIONS_FILE):
            if name not in documents:
                self.problem(name, 0, "", "缺少这个文件。", "this file is missing.")
        actions = self.actions(documents.pop(ACTIONS_FILE, None))
        groups = self.groups(documents.get(GROUPS_FILE))
        rules: list[Rule] = []
        packs: dict[str, Text] = {}
        for document in documents.values():
            if document is not None:
                rules += self.pack(document, actions, groups, packs)
        self.check_ids(rules)
        ordered = tuple(sorted(rules, key=lambda rule: (rule.id, rule.starts)))
        return RuleBook(ordered, actions, groups, packs)

    def document(self, path: Path) -> safeyaml.Document | None:
        try:
            return safeyaml.load(path)
        except EarlywarnError as error:
            self.problem(path.name, 0, "", error.text.zh, error.text.en)
            return None

    def groups(self, document: safeyaml.Document | None) -> Groups:
        if document is None:
            return Groups(())
        groups, problems = read_groups(document)
        self.problems += [Problem(document.name, line, "", text) for line, text in problems]
        return groups

    def actions(self, document: safeyaml.Document | None) -> dict[str, Action]:
        found: dict[str, Action] = {}
        if document is None:
            return found
        entries = document.data.get("actions") if isinstance(document.data, dict) else None
        if not isinstance(entries, list) or set(document.data) != {"actions"}:
            self.problem(
                document.name,
                1,
                "",
                "文件里应只有 actions: 列表。",
                "the file holds one list, `actions:`, and nothing else.",
            )
            return found
        for i, entry in enumerate(entries):
            model, problems = validate(ActionEntry, entry, document, ("actions", i), "")
            self.problems += problems
            if model is None:
                continue
            if model.id in found:
                self.problem(
                    document.name,
                    document.line(("actions", i, "id")),
                    "",
                    f"措施 {model.id} 出现了两次，请删去一个。",
                    f"the action {model.id} stands twice; remove one.",
                )
            form = model.form.text if model.form else None
            found[model.id] = Action(
                id=model.id,
                title=model.title.text,
                who=model.who.text,
                within_school_days=model.within_school_days,
                what=model.what.text,
                form=form,
                cause=model.cause,
            )
        return found

    def pack(
        self,
        document: safeyaml.Document,
        actions: dict[str, Action],
        groups: Groups,
        packs: dict[str, Text],
    ) -> list[Rule]:
        data = document.data
        if document.name == GROUPS_FILE and isinstance(data, dict):
            data = {key: value for key, value in data.items() if key != "groups"}
            if not data:
                return []
        head, problems = validate(PackHead, data, document, (), "")
        if head is None and isinstance(data, dict) and isinstance(data.get("rules"), list):
            self.problems += [p for p in problems if "rules." not in p.message.en]
        else:
            self.problems += problems
        if head is not None and head.pack in packs:
            self.problem(
                document.name,
                document.line(("pack",)),
                "",
                f"规则包 {head.pack} 在另一个文件里也有，请改名。",
                f"the pack {head.pack} stands in another file too; rename one.",
            )
        name = head.pack if head else document.name
        if head is not None:
            packs[head.pack] = head.title.text
        entries = data.get("rules") if isinstance(data, dict) else None
        rules = [
            self.rule(document, i, entry, name, actions, groups)
            for i, entry in enumerate(entries if isinstance(entries, list) else [])
        ]
        return [rule for rule in rules if rule is not None]

    def rule(
        self,
        document: safeyaml.Document,
        i: int,
        entry: Any,
        pack: str,
        actions: dict[str, Action],
        groups: Groups,
    ) -> Rule | None:
        path: safeyaml.Key = ("rules", i)
        rule_id = str(entry.get("id") or "")[:60] if isinstance(entry, dict) else ""
        model, problems = validate(RuleEntry, entry, document, path, rule_id)
        self.problems += problems

        def problem(key: str, zh: str, en: str) -> None:
            self.problem(document.name, document.line((*path, key)), rule_id, zh, en)

        condition = self.condition(entry, problem)
        if model is None or condition is None:
            return None
        if model.action is not None and model.action not in actions:
            near = nearest(model.action, actions)
            zh, en = (f"是不是 {near}？", f"did you mean {near}?") if near else ("", "")
            problem(
                "action",
                f"actions.yaml 里没有措施 {model.action}。{zh}",
                f"there is no action {model.action} in actions.yaml. {en}".strip(),
            )
        wrong = [check_template(text, condition.names) for text in model.reason.text]
        if found := next((message for message in wrong if message), None):
            problem("reason", found.zh, found.en)
        self.check_alone(model, condition, problem)
        self.check_tests(model, document, path)
        features = [name for name in condition.names if name in FEATURES]
        return Rule(
            id=model.id,
            pack=pack,
            title=model.title.text,
            condition=condition,
            points=model.points,
            ladder=model.ladder,
            floor=Tier(model.floor) if model.floor else None,
            action=model.action,
            reason=model.reason.text,
            source=model.source.text,
            effective=model.effective,
            family=model.family or (FEATURES[features[0]].family if features else "home"),
            names_group=any(_tells_of_group(name, groups) for name in condition.names),
            tests=tuple(model.tests),
            allow_group_alone=model.allow_group_alone,
            file=document.name,
            line=document.line((*path, "id")),
        )

    def condition(self, entry: Any, problem: Any) -> Condition | None:
        text = entry.get("when") if isinstance(entry, dict) else None
        if not isinstance(text, str):
            return None
        try:
            condition = compile_condition(text, self.kinds)
        except ConditionError as error:
            problem("when", error.text.zh, error.text.en)
            return None
        if code := unknown_code(condition):
            problem("when", code.zh, code.en)
            return None
        return condition

    def check_alone(self, model: RuleEntry, condition: Condition, problem: Any) -> None:
        if model.allow_group_alone:
            if model.alone_because is None:
                problem(
                    "allow_group_alone",
                    "allow_group_alone: yes 要有理由，请写 alone_because: ...。",
                    "allow_group_alone: yes needs its reason: write alone_because: ...",
                )
            return
        if is_group_alone(condition):
            problem(
                "when",
                "没有任何异常迹象时这条规则也可能命中（只凭群体或背景）。"
                "请用 and 加上一个迹象，如 absence_rate_20d >= 0.05；"
                "确有必要时写 allow_group_alone: yes 和 alone_because: 理由。",
                "this can hit a child that shows no sign at all (a group or background alone). "
                "Add a sign with and, such as absence_rate_20d >= 0.05; where it must be so, "
                "write allow_group_alone: yes and alone_because: the reason.",
            )

    def check_tests(
        self, model: RuleEntry, document: safeyaml.Document, path: safeyaml.Key
    ) -> None:
        for t, test in enumerate(model.tests):
            for name, value in test.given.items():
                line = document.line((*path, "tests", t, "given", name))
                if name not in self.kinds:
                    near = nearest(name, self.kinds)
                    zh, en = (f"是不是 {near}？", f"did you mean {near}?") if near else ("", "")
                    self.problem(
                        document.name,
                        line,
                        model.id,
                        f"测试里的 {name} 不是已知名称。{zh}",
                        f"{name} in a test is no known name. {en}".strip(),
                    )
                    continue
                try:
                    convert(value, self.kinds[name])
                except ValueError:
                    self.problem(
                        document.name,
                        line,
                        model.id,
                        f"测试里 {name} 的值 {value} 不是{_kind_word(self.kinds[name]).zh}。",
                        f"{name} is {value} in a test, which is not "
                        f"{_kind_word(self.kinds[name]).en}.",
                    )

    def check_ids(self, rules: list[Rule]) -> None:
        """One id may stand twice only with effective dates that don't meet."""
        by_id: dict[str, list[Rule]] = {}
        for rule in rules:
            for other in by_id.setdefault(rule.id, []):
                if rule.starts <= other.ends and other.starts <= rule.ends:
                    self.problem(
                        rule.file,
                        rule.line,
                        rule.id,
                        f"这个 id 在 {other.file} 第 {other.line} 行已经用过；"
                        "请改名，或给两条规则写上不重叠的 effective 日期。",
                        f"this id stands in {other.file}, line {other.line} too: rename it, or "
                        "give both effective dates that don't meet.",
                    )
                    break
            by_id[rule.id].append(rule)


def _tells_of_group(name: str, groups: Groups) -> bool:
    feature = FEATURES.get(name)
    return (
        name in GROUP_NAMES
        or (feature is not None and feature.sensitive)
        or name in groups.fields
        or name in _AID_FIELDS
        or name in _SCHOOL_SHARES
    )


def _kind_word(kind: Any) -> Text:
    return KIND_WORDS[kind]
