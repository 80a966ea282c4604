"""Reads the packs of a folder into one rule book, checking everything in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from earlywarn import safeyaml
from earlywarn.conditions import Condition, ConditionError, compile_condition, nearest
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
from earlywarn.rules.given import wrong_value
from earlywarn.rules.problems import Fault, Problem, RulesError, one_line
from earlywarn.rules.reasons import template_faults
from earlywarn.rules.schema import (
    ActionEntry,
    Effective,
    PackHead,
    RuleEntry,
    validate,
)
from earlywarn.rules.sensitive import slips
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
        self.ids: dict[str, list[tuple[str, int, Effective]]] = {}  # file, line, dates by rule id
        self.action_ids: set[str] | None = None  # also of actions that are not well formed

    def problem(
        self,
        file: str,
        line: int,
        rule: str,
        zh: str,
        en: str,
        fault: Fault = Fault.REFUSED,
    ) -> None:
        self.problems.append(Problem(file, line, rule, Text(zh, en), fault))

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
                self.problem(
                    name,
                    0,
                    "",
                    "缺少这个文件，请从随程序附带的规则里复制（earlywarn init 建的工作区里有）。",
                    "this file is missing: copy the shipped one, earlywarn init writes it into a "
                    "new workspace.",
                )
        actions = self.actions(documents.pop(ACTIONS_FILE, None))
        groups = self.groups(documents.get(GROUPS_FILE))
        rules: list[Rule] = []
        packs: dict[str, Text] = {}
        for document in documents.values():
            if document is not None:
                rules += self.pack(document, groups, packs)
        ordered = tuple(sorted(rules, key=lambda rule: (rule.id, rule.starts)))
        rulebook = RuleBook(ordered, actions, groups, packs)
        for rule in ordered:
            self.check_words(rule, rulebook)
        return rulebook

    def document(self, path: Path) -> safeyaml.Document | None:
        try:
            return safeyaml.load(path)
        except safeyaml.YamlError as error:
            self.problems += [Problem(path.name, f.line, "", f.text) for f in error.faults]
            return error.document
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
        self.action_ids = {str(e.get("id")) for e in entries if isinstance(e, dict)}
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
        groups: Groups,
        packs: dict[str, Text],
    ) -> list[Rule]:
        data = document.data
        if document.name == GROUPS_FILE and isinstance(data, dict):
            data = {key: value for key, value in data.items() if key != "groups"}
            if not data:
                return []
        head, problems = validate(PackHead, data, document, (), "")
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
            self.rule(document, i, entry, name, groups)
            for i, entry in enumerate(entries if isinstance(entries, list) else [])
        ]
        return [rule for rule in rules if rule is not None]

    def rule(
        self,
        document: safeyaml.Document,
        i: int,
        entry: Any,
        pack: str,
        groups: Groups,
    ) -> Rule | None:
        path: safeyaml.Key = ("rules", i)
        rule_id = one_line((isinstance(entry, dict) and entry.get("id")) or f"#{i + 1}")
        model, problems = validate(RuleEntry, entry, document, path, rule_id)
        self.problems += problems

        def problem(key: str, zh: str, en: str, fault: Fault = Fault.REFUSED) -> None:
            self.problem(document.name, document.line((*path, key)), rule_id, zh, en, fault)

        condition = self.condition(entry, problem)
        if isinstance(entry, dict):  # what else is wrong is told in the same go
            self.check_action(entry.get("action"), problem)
            self.check_reason(entry.get("reason"), condition, document, path, rule_id)
            self.check_tests(entry.get("tests"), document, path, rule_id)
            self.check_id(entry, document, path)
        if condition is not None and isinstance(entry, dict):
            self.check_alone(entry, condition, groups, problem)
        if model is None or condition is None:
            return None
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
            for fault in error.faults:
                problem("when", fault.text.zh, fault.text.en)
            return None
        if code := unknown_code(condition):
            problem("when", code.zh, code.en)
            return None
        return condition

    def check_alone(
        self, entry: dict[str, Any], condition: Condition, groups: Groups, problem: Any
    ) -> None:
        if str(entry.get("allow_group_alone") or "no").lower() not in ("no", "false"):
            if not str(entry.get("alone_because") or "").strip():
                problem(
                    "allow_group_alone",
                    "allow_group_alone: yes 要有理由，请写 alone_because: ...。",
                    "allow_group_alone: yes needs its reason: write alone_because: ...",
                )
            return
        alone = is_group_alone(condition, groups)
        if alone is False:
            return
        begins = (
            Text(
                "没有任何异常迹象时这条规则也可能命中（只凭群体或背景）。",
                "this can hit a child that shows no sign at all (a group or background alone).",
            )
            if alone
            else Text(
                "无法判定这条规则是否会命中没有任何异常迹象的孩子，按会命中处理。",
                "it is not decided whether this can hit a child that shows no sign at all, which "
                "counts as if it could.",
            )
        )
        problem(
            "when",
            f"{begins.zh}请用 and 加上一个迹象，如 absence_rate_20d >= 0.05；"
            "确有必要时写 allow_group_alone: yes 和 alone_because: 理由。",
            f"{begins.en} Add a sign with and, such as absence_rate_20d >= 0.05; where it must be "
            "so, write allow_group_alone: yes and alone_because: the reason.",
            Fault.ALONE,
        )

    def check_action(self, action: Any, problem: Any) -> None:
        if not isinstance(action, str) or self.action_ids is None or action in self.action_ids:
            return
        near = nearest(action, self.action_ids)
        zh, en = (
            (f"是不是 {near}？", f"did you mean {near}?")
            if near
            else ("请在那里加上，或改用那里有的。", "add it there, or use one that is.")
        )
        problem(
            "action",
            f"actions.yaml 里没有措施 {one_line(action)}，{zh}",
            f"there is no action {one_line(action)} in actions.yaml; {en}",
        )

    def check_reason(
        self,
        reason: Any,
        condition: Condition | None,
        document: safeyaml.Document,
        path: safeyaml.Key,
        rule_id: str,
    ) -> None:
        used = None if condition is None else condition.names
        found: dict[Problem, None] = {}  # a fault that zh and en share is told once a line
        for lang, text in reason.items() if isinstance(reason, dict) else ():
            line = document.line((*path, "reason", lang))
            for fault in template_faults(text, used) if isinstance(text, str) else ():
                found[Problem(document.name, line, rule_id, fault)] = None
        self.problems += found

    def check_words(self, rule: Rule, rulebook: RuleBook) -> None:
        """No text that schools see may give a sensitive group away."""
        for slip in slips(rule, rulebook):
            self.problem(
                rule.file,
                rule.line,
                rule.id,
                f"学校看得到 {slip.where}，其中“{slip.word}”透露了敏感群体"
                f"（{slip.group.label.zh}）；请换一种说法。",
                f"schools see {slip.where}, where “{slip.word}” gives a sensitive group away "
                f"({slip.group.label.en}): say it in other words.",
                Fault.SENSITIVE,
            )

    def check_tests(
        self, tests: Any, document: safeyaml.Document, path: safeyaml.Key, rule_id: str
    ) -> None:
        for t, test in enumerate(tests if isinstance(tests, list) else ()):
            given = test.get("given") if isinstance(test, dict) else None
            for name, value in given.items() if isinstance(given, dict) else ():
                line = document.line((*path, "tests", t, "given", name))
                if text := wrong_value(name, value, self.kinds):
                    self.problem(document.name, line, rule_id, text.zh, text.en)

    def check_id(
        self, entry: dict[str, Any], document: safeyaml.Document, path: safeyaml.Key
    ) -> None:
        """One id may stand twice only with effective dates that don't meet."""
        rule_id, written = entry.get("id"), entry.get("effective")
        try:
            dates = Effective.model_validate({} if written is None else written)
        except ValidationError:
            return  # told already
        if not isinstance(rule_id, str):
            return
        line = document.line((*path, "id"))
        for file, other_line, other in self.ids.setdefault(rule_id, []):
            if dates.first <= other.last and other.first <= dates.last:
                self.problem(
                    document.name,
                    line,
                    one_line(rule_id),
                    f"这个 id 在 {file} 第 {other_line} 行已经用过；"
                    "请改名，或给两条规则写上不重叠的 effective 日期。",
                    f"this id stands in {file}, line {other_line} too: rename it, or "
                    "give both effective dates that don't meet.",
                )
                break
        self.ids[rule_id].append((document.name, line, dates))


def _tells_of_group(name: str, groups: Groups) -> bool:
    feature = FEATURES.get(name)
    return (
        name in GROUP_NAMES
        or (feature is not None and feature.sensitive)
        or name in groups.fields
        or name in _AID_FIELDS
        or name in _SCHOOL_SHARES
    )
