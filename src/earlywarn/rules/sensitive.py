"""Words that give a sensitive group away, and the texts of the rules that schools see.

A school's list must not tell to which monitored group a child belongs. Rules that name a group are
hidden there (`Rule.hidden_from_schools`); the texts of the others, and of the actions that they
call for, must not speak of one either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from earlywarn.errors import Lang, Text
from earlywarn.features.groups import Group
from earlywarn.rules.book import Action, Rule, RuleBook

# How people speak of each group, beside the label in groups.yaml. Chinese words are looked for as
# they stand; English ones at the beginning of a word, in either case, with spaces or hyphens.
SPOKEN: dict[str, Text] = {
    "migrant": Text(
        "随迁 务工人员 务工子女 农民工 民工子女 流动儿童 外来工",
        "migrant, migrating, floating child, floating population, children of workers from",
    ),
    "left_behind": Text(
        "留守 父母外出 父母在外 双亲外出 父亲外出 母亲外出 家长外出",
        "left behind child, left behind pupil, left behind student, leftbehind, parents away, "
        "parent away, parents work away, parents working away, parents are away",
    ),
    "disabled": Text(
        "残疾 残障 智障 弱智 聋哑 盲童 肢残 随班就读",
        "disab, handicap, impaired, impairment, special needs, special education",
    ),
    "poor_family": Text(
        "贫困 困难家庭 家庭困难 家庭经济困难 家境困难 低保 低收入 建档立卡 特困 脱贫户 穷",
        "poor family, poor families, poor household, poor home, poverty, low income, impoverished, "
        "needy",
    ),
    "parent_incarcerated": Text(
        "服刑 监狱 坐牢 在押 入狱 羁押 劳改 犯人 罪犯 刑满",
        "inmate, prison, imprison, incarcerat, jail, convict, criminal, detained parent",
    ),
    "orphan": Text("孤儿", "orphan"),
    "unattended": Text(
        "无人抚养 无人监护 失依", "unattended, without carers, without a carer, no carer"
    ),
}


@dataclass(frozen=True)
class Slip:
    """A word in a text that schools see: where (`reason.zh`, `action home-visit: what.en`)."""

    where: str
    word: str
    group: Group


def slips(rule: Rule, rulebook: RuleBook) -> Iterator[Slip]:
    """Yield every word in the texts of `rule` that schools see which tells of a sensitive group."""
    if rule.hidden_from_schools:
        return
    for where, lang, text in _texts(rule, rulebook.actions.get(rule.action or "")):
        for group in rulebook.groups:
            word = _found(text, lang, group) if group.sensitive else None
            if word is not None:
                yield Slip(where, word, group)


def _texts(rule: Rule, action: Action | None) -> Iterator[tuple[str, Lang, str]]:
    parts = [("title", rule.title), ("reason", rule.reason)]
    if action is not None:
        parts += [
            (f"action {action.id}: {key}", text)
            for key, text in (
                ("title", action.title),
                ("who", action.who),
                ("what", action.what),
                ("form", action.form),
            )
            if text is not None
        ]
    for where, both in parts:
        yield f"{where}.zh", "zh", both.zh
        yield f"{where}.en", "en", both.en


def _found(text: str, lang: Lang, group: Group) -> str | None:
    """Return the word of `text` that tells of `group`, if there is one."""
    spoken = SPOKEN[group.name]
    if lang == "zh":
        words = (*spoken.zh.split(), group.label.zh)
        return next((word for word in words if word in text), None)
    for phrase in (*spoken.en.split(", "), group.label.en):
        pattern = r"\b" + r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", phrase.strip())))
        match = re.search(pattern, text, re.IGNORECASE)
        if match is not None:
            return match[0]
    return None
