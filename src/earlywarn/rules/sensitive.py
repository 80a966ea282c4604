"""Words that give a sensitive group away, and the texts of the rules that schools see.

A school's list must not tell to which monitored group a child belongs. Rules that name a group are
hidden there (`Rule.hidden_from_schools`); the texts of the others, and of the actions that they
call for, must not speak of one either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from earlywarn.errors import Text
from earlywarn.features.groups import Group
from earlywarn.rules.book import Action, Rule, RuleBook

# How people speak of each group, beside its label in groups.yaml: regular expressions. The Chinese
# ones are looked for in the text without its white space, the English ones at the beginning of a
# word, in either case.
_PARENTS = "(?:父母|双亲|父亲|母亲|爸|妈|家长|监护人)"
SPOKEN: dict[str, Text] = {
    "migrant": Text(
        "随迁|务工人员|务工子女|农民工|民工子女|流动儿童|外来工|外来人口",
        r"migrant|floating (?:child|population)|children of workers from",
    ),
    "left_behind": Text(
        f"留守|{_PARENTS}.{{0,4}}(?:外出|在外(?![面边头])|务工|打工)",
        r"left[ -]?behind (?:child|pupil|student|kid)|left-behind|left behind by"
        r"|(?:parents?|father|mother)(?: who| are| is| both)? (?:work|live|migrat)\w*"
        r"(?: and \w+)? (?:away|elsewhere|far|in another)|parents?(?: are| is)? away"
        r"|(?:parents?|father|mother) migrat",
    ),
    "disabled": Text(
        "残疾|残障|智障|弱智|聋哑|盲童|肢残|随班就读|(?:视力|听力|智力|语言|肢体|精神|言语)障碍",
        r"disabled|disabilit|handicap|impaired|impairment|special needs|special education",
    ),
    "poor_family": Text(
        "贫困|贫寒|困难家庭|困难户|家庭困难|经济困难|家境困难|低保|低收入|建档立卡|特困|脱贫户"
        "|贫穷|穷人|穷困|家穷|家里穷",
        r"poor (?:famil|household|home|parent)|(?:famil\w+|household|parents?) (?:is|are) "
        r"(?:very |too )?poor|poverty|low[ -]income|impoverished|needy",
    ),
    "parent_incarcerated": Text(
        "服刑|监狱|坐牢|(?<!存)在押|入狱|判刑|羁押|关押|劳改|犯人|罪犯|刑满",
        r"inmate|prison|imprison|incarcerat|jail|convict|criminal|in custody|behind bars"
        r"|detained",
    ),
    "orphan": Text(
        f"孤儿|{_PARENTS}(?:双亡|都去世|均去世|已故)",
        r"orphan|(?:both )?parents (?:are )?(?:both )?(?:dead|died|deceased)",
    ),
    "unattended": Text("无人抚养|无人监护|失依", r"unattended|without (?:a )?carers?|no carers?"),
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
    sensitive = [group for group in rulebook.groups if group.sensitive]
    for where, text in _texts(rule, rulebook.actions.get(rule.action or "")):
        unspaced = _SPACE.sub("", text)
        for group in sensitive:
            chinese, english = _words(group.name, group.label)
            match = chinese.search(unspaced) or english.search(text)
            if match is not None:
                yield Slip(where, match[0], group)


def _texts(rule: Rule, action: Action | None) -> Iterator[tuple[str, str]]:
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
        yield f"{where}.zh", both.zh
        yield f"{where}.en", both.en


_SPACE = re.compile(r"\s+")


@cache
def _words(name: str, label: Text) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of what tells of a group in Chinese without spaces, and in English."""
    spoken = SPOKEN[name]
    return (
        re.compile(f"{spoken.zh}|{re.escape(label.zh)}"),
        re.compile(rf"\b(?:{spoken.en}|{re.escape(label.en)})", re.IGNORECASE),
    )
