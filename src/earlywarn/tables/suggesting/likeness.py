"""How much a heading is like each column's: by its words, its letters, its sound, its initials."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from earlywarn.tables.mapping import normal_heading
from earlywarn.tables.suggesting.reading import Reading, parts_of, read
from earlywarn.tables.suggesting.words import (
    Rule,
    Rules,
    initials,
    lexicon,
    not_columns,
    sound,
    table_rules,
)

# The pseudo-column of headings that are known and not needed.
ELSE = ""

_SAID = 1.0  # the heading stands in a mapping as it is
_BARE_SAID = 0.95  # it does without its brackets
_SAME_SOUND = 0.9
_LONG_INITIALS, _SHORT_INITIALS = 0.88, 0.78
_HOMOPHONE, _SLIP = 0.13, 0.17  # either is asked about
_EXTRA, _FATAL = 0.4, 0.75
_UNKNOWN = 0.6
_ASKED = 0.13  # a word that is not known may change what is meant
_NAMED_ELSE = 0.95  # an address, a rank
_NOT_OURS = 0.7  # a heading that is understood and fits no column
_DOUBTFUL = 0.8  # brackets or alternatives that say another thing
_AGREES = 0.75
_CLEAR = 0.85  # a rule that hardly means another thing
_FOREIGN = 0.8
_FITS = 0.75  # a column of the table itself, whatever other tables have
_INITIALS = re.compile(r"^(?:sf|xs|qg)?([a-z]{2,9})$")


@dataclass(frozen=True)
class Likeness:
    """How much a heading is like a column's: 0 to 1, and by what."""

    score: float
    by: str  # words, spelling, sound, initials; "" for nothing


NOTHING = Likeness(0.0, "")
Likes = dict[str, Likeness]


@dataclass(frozen=True)
class Vocabulary:
    """The ways to head each column of a table; `ELSE` for what is none of its columns."""

    rules: Rules
    foreign: tuple[Rule, ...]  # of the columns of other tables
    said: dict[str, Likes]  # whole headings, folded
    sounds: dict[str, Likes]
    initials: dict[str, Likes]

    def knows(self, text: str) -> bool:
        """Whether a text looks like any heading at all."""
        close = normal_heading(text)
        if close in self.said or close in self.initials:
            return True
        return any(one.concepts and one.left <= 0.4 for one in read(parts_of(text).main))

    def compare(self, heading: str) -> Likes:
        """Return how much `heading` is like each column's (`ELSE` among them), best by column."""
        parts = parts_of(heading)
        likes = self._text(parts.main)
        if parts.alternatives:
            likes = self._alternatives(parts.alternatives, likes)
        for text in parts.bracketed:
            likes = self._bracketed(text, f"{parts.main} {text}", likes)
        whole = self.said.get(normal_heading(parts.whole), {})
        return _best(likes, whole, self.said.get(normal_heading(heading), {}))

    def _text(self, text: str) -> Likes:
        close = normal_heading(text)
        found: Likes = _worth(self.said.get(close, {}), _BARE_SAID / _SAID)
        if close.isascii():
            match = _INITIALS.match(close)
            for letters in {close, match[1] if match else close}:
                found = _best(found, self.initials.get(letters, {}), self.sounds.get(letters, {}))
        elif len(close) > 2:
            found = _best(found, self.sounds.get(sound(close), {}))
        if not close.isascii() and re.search(r"[a-z]", close):
            found = _best(found, self.initials.get(initials(close), {}))
        for reading in read(text):
            found = _best(found, self._read(reading))
        return found

    def _read(self, reading: Reading) -> Likes:
        """Compare the concepts of a reading with those of each column."""
        if not reading.concepts:
            return {}
        lost = max(_UNKNOWN * reading.left, _ASKED if reading.left else 0.0)
        lost += _SLIP if reading.by == "spelling" else _HOMOPHONE if reading.homophone else 0.0
        found = {}
        for column, rules in self.rules.items():
            score = max((_fit(rule, reading.concepts) for rule in rules), default=0.0)
            if score > lost:
                found[column] = Likeness(score - lost, reading.by)
        outside = _NOT_OURS if reading.understood else 0.0
        if any(rule.fits(reading.concepts) for rules in self.rules.values() for rule in rules):
            outside = 0.0
        if not any(like.score >= _FITS - lost for like in found.values()):
            for rule in self.foreign:
                if rule.fits(reading.concepts):
                    outside = max(outside, rule.worth)
            if reading.concepts & not_columns():
                outside = _NAMED_ELSE
        found[ELSE] = Likeness(max(0.0, outside - lost), reading.by)
        return found

    def _bracketed(self, text: str, both: str, likes: Likes) -> Likes:
        """Weigh what stands in brackets: the same again, a closer word, or another thing."""
        alone = self._text(text)
        top = _top(likes)
        known = any(reading.understood for reading in read(text))
        if not known and (not alone or _top(alone) == ELSE):
            return likes
        if re.search(r"\d", text) and likes.get(top, NOTHING).score >= _AGREES:
            return likes  # （1男2女）, （满分120）
        if likes.get(top, NOTHING).score < _AGREES:
            return _best(likes, _worth(alone, 0.85), self._text(both))
        if alone.get(top, NOTHING).score >= 0.4:
            return likes
        together = self._text(both)
        if together.get(top, NOTHING).score >= _AGREES:
            return likes
        return _best(_at_most(likes, _DOUBTFUL), together)

    def _alternatives(self, texts: Iterable[str], likes: Likes) -> Likes:
        """Weigh 班级/Class: the same twice, or two things in one column."""
        each = [self._text(text) for text in texts]
        tops = {_top(found) for found in each if found}
        if len(tops) == 1:
            return _best(likes, *each)
        strong = {_top(found) for found in each if found.get(_top(found), NOTHING).score >= _AGREES}
        if len(strong) > 1:
            return _at_most(_best(likes, *each), _DOUBTFUL)
        return _best(likes, *(_worth(found, 0.85) for found in each))


def _fit(rule: Rule, concepts: frozenset[str]) -> float:
    if not rule.wanted <= concepts:
        return 0.0
    extra = concepts - rule.allowed
    fatal = extra & not_columns()
    return rule.worth - _FATAL * bool(fatal) - _EXTRA * len(extra - fatal)


def _best(*some: Likes) -> Likes:
    found: Likes = {}
    for likes in some:
        for column, like in likes.items():
            if like.score > found.get(column, NOTHING).score:
                found[column] = like
    return found


def _worth(likes: Likes, share: float) -> Likes:
    return {column: replace(like, score=like.score * share) for column, like in likes.items()}


def _at_most(likes: Likes, most: float) -> Likes:
    return {c: replace(like, score=min(like.score, most)) for c, like in likes.items()}


def _top(likes: Likes) -> str:
    return max(likes, key=lambda column: likes[column].score, default=ELSE)


def vocabulary(columns: dict[str, list[str]], rules: Rules, ignored: Iterable[str]) -> Vocabulary:
    """Put together the ways to head a table's columns.

    `columns`: accepted headings by column, folded; `rules`: concepts by column; `ignored`: headings
    known and not needed, folded.
    """
    said: dict[str, Likes] = defaultdict(dict)
    sounds: dict[str, Likes] = defaultdict(dict)
    short: dict[str, Likes] = defaultdict(dict)
    for column, headings in columns.items():
        letters = set()
        for text in headings:
            said[text][column] = Likeness(_SAID, "words")
            if not text.isascii():
                sounds[sound(text)][column] = Likeness(_SAME_SOUND, "sound")
                letters.add(initials(text))
        for rule in rules.get(column, ()):
            if rule.worth >= _CLEAR:
                letters |= rule.initials()
        for some in letters:
            if len(some) > 1:
                worth = _LONG_INITIALS if len(some) > 2 else _SHORT_INITIALS
                short[some][column] = Likeness(worth, "initials")
    bare = Vocabulary(rules, (), {}, {}, {})
    for text in ignored:
        fits = [like.score for column, like in bare.compare(text).items() if column != ELSE]
        if text not in said and max(fits, default=0.0) < _CLEAR:
            said[text][ELSE] = Likeness(_SAID, "words")
            short[initials(text)].setdefault(ELSE, Likeness(_SHORT_INITIALS, "initials"))
    for word in (word for concept in not_columns() for word in lexicon().spellings[concept]):
        if len(word) > 1:
            short[initials(word)].setdefault(ELSE, Likeness(_LONG_INITIALS, "initials"))
    own = {rule.wanted for some in rules.values() for rule in some if rule.worth >= _CLEAR}
    foreign = tuple(
        rule
        for columns_of in table_rules().values()
        for some in columns_of.values()
        for rule in some
        if rule.worth >= _FOREIGN and rule.wanted not in own
    )
    return Vocabulary(rules, foreign, dict(said), dict(sounds), dict(short))
