"""Who is to be forgotten: the child's number, names and phones, and how to find them in a text."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from earlywarn import naming
from earlywarn.watchlist.wording import short_id

STRUCK = "■■"  # what stands where a word of the child's stood in a text of others
_ENCODINGS = ("utf-8", "gb18030", "utf-16-le")
_LONG, _SHORT = 8, 4  # signs of a number that is found by itself; of one that has letters too
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Child:
    """A child as the workspace knows it.

    Parameters
    ----------
    student_id
        Its number; of a child on no registry the name.
    names
        Every name that it is recorded by.
    own
        Those of its names and phones that are of nobody else and no word of the program: wherever
        one of them stands, it is this child.
    spellings
        Of a child on no registry: the names that its cases are under, which differ in their dots.
    born
        Its birth dates (ISO) as its cases have them: beside one of them a name that others have
        too is the child's.
    """

    student_id: str
    names: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    born: tuple[str, ...] = ()

    @cached_property
    def telling(self) -> bool:
        """Whether the number is found by itself: `7` may be anything, `G110101...` is one child."""
        has_digit = any(c.isdigit() for c in self.student_id)
        has_letter = any(c.isascii() and c.isalpha() for c in self.student_id)
        return has_digit and len(self.student_id) >= (_SHORT if has_letter else _LONG)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        words = list(self.own)
        if self.telling:
            words.append(self.student_id)
            if re.fullmatch(r"[GL]\d{17}[\dXx]", self.student_id):
                words.append(self.student_id[1:])
        if not words:
            return None
        any_of = "|".join(_bounded(word) for word in sorted(words, key=len, reverse=True))
        return re.compile(any_of)

    @cached_property
    def _shown(self) -> tuple[str, ...]:
        """How printed lists show a long number; beside the name it tells the child."""
        shown = {short_id(self.student_id, lang) for lang in ("zh", "en")}
        return tuple(sorted(shown - {self.student_id}))

    def may_be_in(self, data: bytes | mmap.mmap) -> bool:
        """Whether the bytes hold anything that could be the child's; a first, quick look."""
        return any(data.find(word) >= 0 for word in self._encoded)

    @cached_property
    def _encoded(self) -> tuple[bytes, ...]:
        named = {part for name in (*self.names, *self.own) for part in _longest(name)}
        words = ({self.student_id} | named) - {""}
        found = {word.encode(e) for word in words for e in _ENCODINGS}
        return tuple(found | {json.dumps(word)[1:-1].encode() for word in words})

    def is_in(self, data: bytes) -> bool:
        """Whether the bytes, of whatever kind, hold what is the child's alone."""
        if self._pattern is None or not self.may_be_in(data):
            return False
        return any(self.mentioned(data.decode(e, "replace")) for e in ("utf-8", "gb18030")) or any(
            self.mentioned(data[start:].decode("utf-16-le", "replace")) for start in (0, 1)
        )

    def mentioned(self, text: str) -> bool:
        """Whether a text holds what is the child's alone."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def struck(self, text: str) -> str:
        """Return the text with what is the child's alone struck out."""
        return text if self._pattern is None else self._pattern.sub(STRUCK, text)

    def is_cell(self, text: str, *, field: str = "") -> bool:
        """Whether a cell or value says that its row is the child's.

        It is the number (one that tells little, only in the field `student_id`), a name or phone of
        the child's alone, or name and printed number together.
        """
        plain = text.strip().lstrip("'")
        if plain == self.student_id and (self.telling or field == "student_id"):
            return True
        first = plain.split("\n", 1)[0].strip()
        squeezed = re.sub(r"\s+", "", plain)
        return any(
            form in self.own
            or naming.plain(form) in self._own_forms
            or (self.telling and form == self.student_id[1:])
            for form in {plain, first, squeezed}
        ) or self._is_printed(plain)

    def is_row(self, texts: Iterable[str]) -> bool:
        """Whether one of a row's cells, or two of them together, say that it is the child's."""
        cells = list(texts)
        return (
            any(map(self.is_cell, cells))
            or self._is_printed("\n".join(cells))
            or self._is_named(cells)
        )

    def is_block(self, html: str) -> bool:
        """Whether a piece of a page (a row of a table, a sheet) is about the child."""
        nodes = [
            part.strip() for node in _TAG.split(html) for part in re.split(r"[·\n]", node) if node
        ]
        whole = [node.strip() for node in _TAG.split(html)]
        if self.is_row(filter(None, nodes)) or self._is_named(whole):
            return True
        number = re.escape(self.student_id)
        return not self.telling and bool(
            re.search(rf'class="(?:soft|who)[^"]*">(?:[^<]*· ?)?{number}(?: ·[^<]*)?<', html)
        )

    @cached_property
    def _own_forms(self) -> frozenset[str]:
        return frozenset(naming.plain(word) for word in self.own if len(naming.parts_of(word)) > 1)

    @cached_property
    def _forms(self) -> frozenset[str]:
        return frozenset(map(naming.plain, self.names))

    def _is_named(self, cells: Iterable[str]) -> bool:
        """Whether the child's name and birth date are among a row's cells."""
        if not self.born:
            return False
        told = [cell.strip().lstrip("'") for cell in cells]
        firsts = {naming.plain(cell.split("\n", 1)[0]) for cell in told}
        return not firsts.isdisjoint(self._forms) and any(
            day in cell for cell in told for day in self.born
        )

    def _is_printed(self, text: str) -> bool:
        return any(s in text for s in self._shown) and any(n in text for n in self.names if n)


def _bounded(word: str) -> str:
    """Return the pattern of a word that is no part of a longer number or Latin word."""
    before = "(?<![0-9A-Za-z])" if word[0].isascii() and word[0].isalnum() else ""
    after = "(?![0-9A-Za-z])" if word[-1].isascii() and word[-1].isalnum() else ""
    return before + naming.pattern(word) + after


def _longest(name: str) -> set[str]:
    """Return the part of a name that is looked for in bytes: dots may differ, it does not."""
    return {max(naming.parts_of(name), key=len)} if name else set()
