"""What the words in headings mean, and of which words each column's heading consists.

A heading is not looked up whole: it is cut into words, each word is a concept, and a column is a
set of concepts (`guardian phone`). So 家长手机号 and "Parent's mobile" need no entry of their own.
The words stand in words.yaml, the columns in columns.yaml; how they sound is derived.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from itertools import product
from pathlib import Path
from typing import Any

from earlywarn import safeyaml

FILLER = ""  # the concept of words that say nothing
_SAID_MOST = 5  # spellings of a concept whose initials are known
_IRREGULAR = {"children": "child", "days": "days", "status": "status", "address": "address"}


def _read(name: str) -> Any:
    folder = Path(str(package_files("earlywarn"))) / "tables" / "suggesting"
    return safeyaml.load(folder / name).data


def stem(word: str) -> str:
    """Return an English word without its plural or possessive ending."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@cache
def _syllables(text: str) -> tuple[str, ...]:
    """Return the pinyin of each sign without tones; Latin letters stay together."""
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(text, v_to_u=False))


def sound(text: str) -> str:
    """Return how a Chinese text sounds: pinyin without tones or spaces."""
    return "".join(_syllables(text))


def initials(text: str) -> str:
    """Return the first letter of each sign's sound; Latin letters stay as they are."""
    return "".join(said if said in text else said[0] for said in _syllables(text) if said)


@dataclass(frozen=True)
class Lexicon:
    """Every word and what it may mean; concepts of one word in a fixed order.

    `near`: Chinese words of three signs and more with one sign left open, written "*".
    `english`: phrases as tuples of stems. `sounds`: pinyin of words of any length.
    """

    chinese: dict[str, tuple[str, ...]]
    english: dict[tuple[str, ...], tuple[str, ...]]
    sounds: dict[str, tuple[str, ...]]
    homophones: dict[tuple[str, int], tuple[str, ...]]
    near: dict[str, tuple[str, ...]]
    spellings: dict[str, tuple[str, ...]]  # concept -> Chinese words, the commonest first


@cache
def lexicon() -> Lexicon:
    """Read words.yaml."""
    data = _read("words.yaml")
    chinese: dict[str, list[str]] = defaultdict(list)
    english: dict[tuple[str, ...], list[str]] = defaultdict(list)
    spellings = {}
    entries = {concept: (said[0], said[1]) for concept, said in data["concepts"].items()}
    for concept, (zh, en) in entries.items():
        spellings[concept] = tuple(zh.split())
        for word in spellings[concept]:
            chinese[word].append(concept)
        for phrase in en.split(","):
            english[tuple(map(stem, phrase.split()))].append(concept)
    for word in data["fillers"]["zh"].split():
        chinese[word].append(FILLER)
    for word in data["fillers"]["en"].split():
        english[(stem(word),)].append(FILLER)
    for phrase in data["fillers"]["phrases"].split(","):
        english[tuple(map(stem, phrase.split()))].append(FILLER)
    sounds: dict[str, list[str]] = defaultdict(list)
    homophones: dict[tuple[str, int], list[str]] = defaultdict(list)
    near: dict[str, list[str]] = defaultdict(list)
    for word, concepts in chinese.items():
        said = sound(word)
        sounds[said] += concepts
        if len(word) >= 2:
            homophones[said, len(word)] += concepts
        if len(word) >= 3:
            for at in range(len(word)):
                near[f"{word[:at]}*{word[at + 1 :]}"] += concepts
    return Lexicon(
        chinese=_fixed(chinese),
        english=_fixed(english),
        sounds=_fixed(sounds),
        homophones=_fixed(homophones),
        near=_fixed(near),
        spellings=spellings,
    )


def _fixed(found: dict[Any, list[str]]) -> dict[Any, tuple[str, ...]]:
    return {key: tuple(dict.fromkeys(concepts)) for key, concepts in found.items()}


@dataclass(frozen=True)
class Rule:
    """Concepts of which all of `wanted` must be said and any of `allowed` may; worth 0 to 1."""

    wanted: frozenset[str]
    allowed: frozenset[str]
    worth: float
    order: tuple[str, ...]  # the wanted ones as a heading says them

    def fits(self, concepts: frozenset[str]) -> bool:
        """Whether `concepts` are what is wanted and nothing that is not allowed."""
        return self.wanted <= concepts <= self.allowed

    def initials(self) -> set[str]:
        """Return the pinyin initials of the rule as it is said: common words, each with each."""
        spellings = [
            dict.fromkeys(map(initials, lexicon().spellings[concept][:_SAID_MOST]))
            for concept in self.order
        ]
        return {"".join(words) for words in product(*spellings)}


Rules = dict[str, tuple[Rule, ...]]


def _rule(text: str, soft: frozenset[str]) -> Rule:
    body, _, worth = text.partition("~")
    words = body.split()
    order = tuple(word for word in words if word[0] != "-" and word[-1] != "?")
    allowed = frozenset(word.rstrip("?") for word in words if word[0] != "-") | soft
    allowed -= {word[1:] for word in words if word[0] == "-"}
    unknown = allowed - lexicon().spellings.keys()
    if unknown:
        raise ValueError(f"columns.yaml: {sorted(unknown)} in “{text}”")
    return Rule(frozenset(order), allowed, float(worth or 0.97), order)


def _rules(columns: dict[str, list[str]], soft: str) -> Rules:
    free = frozenset(soft.split())
    return {name: tuple(_rule(text, free) for text in said) for name, said in columns.items()}


@cache
def table_rules() -> dict[str, Rules]:
    """Return the rules of every table's columns."""
    tables = _read("columns.yaml")["tables"]
    return {table: _rules(part["columns"], part["soft"]) for table, part in tables.items()}


@cache
def role_rules() -> Rules:
    """Return the rules for whom a row of a wide sheet is about."""
    return _rules(_read("columns.yaml")["roles"], "")


@cache
def subject_rules() -> Rules:
    """Return the rules of a mark sheet's subjects, and their names."""
    return _rules(_read("columns.yaml")["subjects"], "exam paper score")


@cache
def not_columns() -> frozenset[str]:
    """Return the concepts that make a heading none of any column."""
    return frozenset(_read("columns.yaml")["others"].split())


def words() -> frozenset[str]:
    """Return every word and phrase above, without spaces."""
    known = lexicon()
    latin = re.compile(r"\W")
    texts = {*known.chinese, *("".join(phrase) for phrase in known.english)}
    return frozenset(latin.sub("", text) for text in texts)
