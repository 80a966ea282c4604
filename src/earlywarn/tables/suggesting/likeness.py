"""How much a heading is like each column's: by its words, its letters, its sound, its initials."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from earlywarn.tables.mapping import normal_heading
from earlywarn.tables.suggesting.words import (
    ELSEWHERE,
    RULES,
    SOFT,
    concepts_in,
    core_of,
    phrases,
)

# The pseudo-column of headings that are known and not needed.
ELSE = ""
_NOT_SPOKEN = re.compile(r"[^a-z0-9]")
_BRACKETS = re.compile(r"[(\[【{<].*?[)\]】}>]|[*#?:]")


@dataclass(frozen=True)
class Likeness:
    """How much a heading is like a column's: 0 to 1, and by what."""

    score: float
    by: str  # words, spelling, sound, initials, short; "" for nothing


NOTHING = Likeness(0.0, "")


@dataclass(frozen=True)
class _Forms:
    """A text in the forms that are compared."""

    plain: str  # folded, brackets and signs off, spaces between English words
    close: str  # the same without spaces
    core: str  # and without fillers
    sound: str  # in pinyin
    initials: str
    chinese: bool


@cache
def _forms(text: str) -> _Forms:
    from pypinyin import lazy_pinyin

    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_/\s-]+", " ", text).casefold()
    bare = _BRACKETS.sub(" ", text)
    plain = bare if re.search(r"\w", bare) else re.sub(r"[()\[\]*]", " ", text)
    plain = " ".join(plain.split()).replace("別", "别")
    close = normal_heading(plain)
    core = core_of(close)
    spoken = lazy_pinyin(close)  # Latin letters stay together: sfz号 -> sfz, hao
    sound = _NOT_SPOKEN.sub("", "".join(spoken))
    initials = _NOT_SPOKEN.sub("", "".join(s if s in close else s[0] for s in spoken if s))
    return _Forms(plain, close, core, sound, initials, not close.isascii())


def _compare(heading: _Forms, phrase: _Forms) -> Likeness:
    """Return how much a heading is like one way to head a column."""
    if heading.close == phrase.close or heading.core == phrase.core:
        return Likeness(1.0 if heading.close == phrase.close else 0.95, "words")
    best = NOTHING
    if phrase.chinese:
        if heading.sound == phrase.sound:
            best = Likeness(0.9, "sound")
        elif heading.initials == phrase.initials and len(phrase.initials) >= 2:
            best = Likeness(0.88 if len(phrase.initials) > 2 else 0.78, "initials")
        elif not heading.chinese and len(heading.sound) > 5:
            near = fuzz.ratio(heading.sound, phrase.sound) / 100
            if near >= 0.85:
                best = Likeness(0.9 * near, "sound")
        if heading.chinese and best.score < 0.85:
            best = max(best, _spelling(heading, phrase), key=lambda like: like.score)
    elif not heading.chinese:
        near = fuzz.token_sort_ratio(heading.plain, phrase.plain) / 100
        if near >= 0.8:
            best = Likeness(0.9 * near, "spelling")
        elif heading.plain in phrase.plain.split():
            best = Likeness(0.7, "short")
    return best


def _spelling(heading: _Forms, phrase: _Forms) -> Likeness:
    """Compare two Chinese texts sign by sign: a wrong one, or a short form (校名, 生日)."""
    a, b = heading.core, phrase.core
    wrong = Levenshtein.distance(a, b)
    longer = max(len(a), len(b))
    if wrong == 1 and longer >= 3 and len(a) == len(b):
        return Likeness(0.72 + 0.03 * min(longer, 6), "spelling")
    if len(a) < len(b) and _is_short_for(a, b):
        return Likeness(0.45 + 0.3 * len(a) / len(b), "short")
    if wrong / longer <= 0.25:
        return Likeness(0.9 * (1 - wrong / longer), "spelling")
    return NOTHING


def _is_short_for(short: str, text: str) -> bool:
    signs = iter(text)
    return all(sign in signs for sign in short)


def _by_words(heading: _Forms, rules: Iterable[tuple[str, ...]]) -> Likeness:
    """Compare the concepts of a heading with those of a column."""
    found, left = concepts_in(heading.plain)
    best = 0.0
    for rule in rules:
        wanted = set(rule)
        if not wanted <= found:
            continue
        extra = found - wanted
        score = 0.97 - 0.05 * len(extra & SOFT) - 0.35 * len(extra - SOFT) - 0.6 * left
        best = max(best, score)
    return Likeness(best, "words") if best > 0.3 else NOTHING


@dataclass(frozen=True)
class Vocabulary:
    """The ways to head each column of a table; `ELSE` for what is none of its columns."""

    rules: dict[str, tuple[tuple[str, ...], ...]]
    phrases: dict[str, tuple[_Forms, ...]]

    @cached_property
    def _said(self) -> frozenset[str]:
        forms = [form for said in self.phrases.values() for form in said]
        return frozenset(
            text for form in forms for text in (form.close, form.sound, form.initials) if text
        )

    def knows(self, text: str) -> bool:
        """Whether a text looks like any heading at all."""
        forms = _forms(text)
        if {forms.close, forms.core} & self._said or forms.sound in self._said:
            return True
        found, left = concepts_in(forms.plain)
        return bool(found) and left <= 0.4

    def compare(self, heading: str) -> dict[str, Likeness]:
        """Return how much `heading` is like each column's (`ELSE` among them), best by column."""
        forms = _forms(heading)
        found = {}
        for column, said in self.phrases.items():
            best = _by_words(forms, self.rules.get(column, ()))
            for phrase in said:
                like = _compare(forms, phrase)
                if like.score > best.score:
                    best = like
            found[column] = best
        return found


def vocabulary(
    columns: dict[str, list[str]],
    rules: dict[str, tuple[tuple[str, ...], ...]],
    ignored: Iterable[str],
    others: Iterable[str],
) -> Vocabulary:
    """Put together the ways to head a table's columns.

    `columns`: accepted headings by column; `rules`: concepts by column; `ignored`: headings known
    and not needed; `others`: the headings of other tables' columns.
    """
    own = {rule for said in rules.values() for rule in said}
    foreign = [rule for said in RULES.values() for some in said.values() for rule in some]
    outside_rules = (*ELSEWHERE, *(rule for rule in foreign if rule not in own))
    said: dict[str, tuple[_Forms, ...]] = {}
    for column, headings in columns.items():
        texts = [column.replace("_", " "), *headings]
        texts += [text for rule in rules.get(column, ()) for text in phrases(rule)]
        said[column] = tuple(map(_forms, dict.fromkeys(texts)))
    taken = {normal_heading(text) for texts in columns.values() for text in texts}
    rest = [*ignored, *(text for rule in ELSEWHERE for text in phrases(rule)), *others]
    outside = [text for text in dict.fromkeys(rest) if normal_heading(text) not in taken]
    said[ELSE] = tuple(map(_forms, outside))
    return Vocabulary({**rules, ELSE: outside_rules}, said)
