"""How a heading reads: its parts, cut into words, each of which is a concept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, product

from rapidfuzz import fuzz, process

from earlywarn.tables.suggesting.words import FILLER, Lexicon, lexicon, sound, stem

_BRACKETED = re.compile(r"[(\[【{<「](.*?)[)\]】}>」]")
_ALTERNATIVES = re.compile(r"[/\\|、;]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RUNS = re.compile(r"[a-z][a-z .'’-]*|[^a-z\W\d_]+|成员1|\d+")
_SECOND = re.compile(
    r"(成员|监护人|家长|联系人|电话|姓名|手机|guardian|parent|contact|phone|name)\s*[2-9二三]"
)
_TOKEN = re.compile(r"[a-z]+")
_LONGEST = 12  # signs of a Chinese word
_PHRASE = 5  # words of an English phrase
_READINGS = 8
_MISSPELT = 84.0
_UNKNOWN_COST, _HOMOPHONE_COST, _WRONG_SIGN_COST = 10.0, 3.0, 6.0
_SINGLE_COST = 0.5
_SYLLABLE = 4

WORDS, SOUND, SPELLING = "words", "sound", "spelling"
_WORSE = {WORDS: 0, SOUND: 1, SPELLING: 2}


@dataclass(frozen=True)
class Reading:
    """The concepts of a text; `left` is the share (0-1) of its letters that is no known word.

    `by` says how it was read: by its words, their sound, or in spite of a slip (`spelling`).
    `homophone`: a Chinese word stands there with another sign of the same sound.
    """

    concepts: frozenset[str]
    left: float
    by: str = WORDS
    homophone: bool = False

    @property
    def understood(self) -> bool:
        """Whether every word is known and at least one says something."""
        return bool(self.concepts) and not self.left


@dataclass(frozen=True)
class _Piece:
    """A piece of a text: what it may mean (None: not known), and how it was read."""

    letters: int
    concepts: tuple[str, ...] | None
    by: str = WORDS
    homophone: bool = False


@dataclass(frozen=True)
class Parts:
    """A heading taken apart: as it stands without signs, without its brackets, and each part."""

    whole: str
    main: str
    bracketed: tuple[str, ...]
    alternatives: tuple[str, ...]


def folded_heading(text: str) -> str:
    """Fold full-width forms and case; CamelCase and snake_case become words."""
    text = unicodedata.normalize("NFKC", text).replace("別", "别")
    text = _CAMEL.sub(" ", text)
    return " ".join(re.sub(r"[_*#?:!]+", " ", text.replace("#", " no ")).split()).casefold()


def parts_of(text: str) -> Parts:
    """Take a heading apart."""
    folded = folded_heading(text)
    bracketed = tuple(part.strip() for part in _BRACKETED.findall(folded) if part.strip())
    main = _BRACKETED.sub(" ", folded).strip()
    whole = re.sub(r"[()\[\]【】{}<>「」]", "", folded)
    if not re.search(r"[^\W\d_]", main):
        main, bracketed = whole, ()
    alternatives = tuple(part.strip() for part in _ALTERNATIVES.split(main) if part.strip())
    return Parts(whole, main, bracketed, alternatives if len(alternatives) > 1 else ())


@cache
def read(text: str) -> tuple[Reading, ...]:
    """Return the ways to read a folded text, which has no brackets."""
    known = lexicon()
    squeezed = re.sub(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])", "", text)
    pieces: list[_Piece] = []
    for run in _RUNS.findall(squeezed):
        if run.isdigit():
            continue
        pieces += _latin(run, known) if run[0].isascii() else _chinese(run, known)
    letters = sum(piece.letters for piece in pieces)
    if not letters:
        return (Reading(frozenset(), 1.0),)
    left = sum(piece.letters for piece in pieces if piece.concepts is None) / letters
    by = max((piece.by for piece in pieces), key=_WORSE.__getitem__)
    homophone = any(piece.homophone for piece in pieces)
    second = ("second",) if _SECOND.search(text) else ()
    meant = [piece.concepts for piece in pieces if piece.concepts is not None]
    return tuple(
        Reading(frozenset((*concepts, *second)) - {FILLER}, left, by, homophone)
        for concepts in islice(product(*meant), _READINGS)
    )


def _chinese(text: str, known: Lexicon) -> list[_Piece]:
    """Cut a Chinese text into words: the least unknown, then the least mended, then the fewest."""
    best: list[tuple[float, list[_Piece]]] = [(0.0, [])]
    for end in range(1, len(text) + 1):
        cost, pieces = best[end - 1]
        ways = [(cost + _UNKNOWN_COST, [*pieces, _Piece(1, None)])]
        for begin in range(max(0, end - _LONGEST), end):
            for price, piece in _word(text[begin:end], known):
                cost, pieces = best[begin]
                ways.append((cost + price, [*pieces, piece]))
        best.append(min(ways, key=lambda way: way[0]))
    return best[-1][1]


def _word(text: str, known: Lexicon) -> Iterator[tuple[float, _Piece]]:
    size = len(text)
    if text in known.chinese:
        yield 1.0, _Piece(size, known.chinese[text])
        return
    if size >= 2:
        meant = known.homophones.get((sound(text), size))
        if meant:
            yield 1.0 + _HOMOPHONE_COST, _Piece(size, meant, SOUND, homophone=True)
    if size >= 3:
        for at in range(size):
            meant = known.near.get(f"{text[:at]}*{text[at + 1 :]}")
            if meant:
                yield 1.0 + _WRONG_SIGN_COST, _Piece(size, meant, SPELLING)


def _latin(text: str, known: Lexicon) -> list[_Piece]:
    """Read Latin letters as English words, else as pinyin, else word by word."""
    tokens = _TOKEN.findall(re.sub(r"['’]s\b", "", text))
    english = _phrases(tokens, known)
    if all(piece.concepts is not None for piece in english):
        return english
    spoken = _pinyin("".join(tokens), known)
    if spoken:
        return spoken
    pieces = []
    for piece, token in _with_tokens(english, tokens):
        if piece.concepts is not None:
            pieces.append(piece)
        else:
            pieces += _one(token, known)
    return pieces


def _phrases(tokens: list[str], known: Lexicon) -> list[_Piece]:
    pieces = []
    at = 0
    while at < len(tokens):
        for size in range(min(_PHRASE, len(tokens) - at), 0, -1):
            words = tokens[at : at + size]
            meant = known.english.get(tuple(map(stem, words)))
            if meant or size == 1:
                pieces.append(_Piece(sum(map(len, words)), meant))
                at += size
                break
    return pieces


def _with_tokens(pieces: list[_Piece], tokens: list[str]) -> Iterator[tuple[_Piece, str]]:
    at = 0
    for piece in pieces:
        letters, start = 0, at
        while letters < piece.letters:
            letters += len(tokens[at])
            at += 1
        yield piece, tokens[start]


def _one(token: str, known: Lexicon) -> list[_Piece]:
    """Read a word that is not known as it stands: joined, pinyin, or misspelt."""
    joined = _joined(token, known)
    if joined:
        return joined
    spoken = _pinyin(token, known)
    if spoken:
        return spoken
    if len(token) >= 5:
        singles = _singles()
        found = process.extractOne(token, singles, scorer=fuzz.ratio, score_cutoff=_MISSPELT)
        if found is not None:
            return [_Piece(len(token), known.english[(found[0],)], SPELLING)]
    return [_Piece(len(token), None)]


@cache
def _singles() -> tuple[str, ...]:
    return tuple(
        phrase[0] for phrase in lexicon().english if len(phrase) == 1 and len(phrase[0]) > 4
    )


def _joined(token: str, known: Lexicon) -> list[_Piece]:
    """Cut "schoolname" into words."""
    return _cover(
        token, lambda word: known.english.get((stem(word),)) if len(word) > 1 else None, WORDS
    )


def _pinyin(letters: str, known: Lexicon) -> list[_Piece]:
    pieces = _cover(letters, known.sounds.get, SOUND)
    if all(piece.letters <= _SYLLABLE for piece in pieces):  # "ban" may be any sign
        return [replace(piece, by=SPELLING) for piece in pieces]
    return pieces


def _cover(letters: str, look_up: Callable[[str], tuple[str, ...] | None], by: str) -> list[_Piece]:
    """Cut letters into known words without a rest, the fewest words; [] where that is not so."""
    best: list[tuple[float, list[_Piece]] | None] = [(0.0, [])]
    for end in range(1, len(letters) + 1):
        ways = []
        for begin in range(end):
            before = best[begin]
            meant = look_up(letters[begin:end]) if before is not None else None
            if before is not None and meant:
                price = 1.0 + (_SINGLE_COST if end - begin <= _SYLLABLE else 0.0)
                ways.append((before[0] + price, [*before[1], _Piece(end - begin, meant, by)]))
        best.append(min(ways, key=lambda way: way[0], default=None))
    return best[-1][1] if best[-1] is not None else []
