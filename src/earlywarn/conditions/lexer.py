"""Cuts a condition into its words, and refuses what is no part of the language.

This runs before sqlglot sees anything: only known names, keywords, numbers, texts and the signs of
the language pass, so comments, second statements, quoted names, casts, subqueries and functions
off the list end here, with the place and the cure.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from earlywarn.conditions.errors import ConditionError
from earlywarn.conditions.foreign import FOREIGN, SLIPS, WIDE, WORD_CURES

MAX_LENGTH = 2_000  # characters
MAX_TOKENS = 300
MAX_OPERATORS = 60  # + - * /
MAX_DEPTH = 20  # brackets in brackets
MAX_PREFIXES = 8  # `not not not`, `- - -`
MAX_TEXT = 200  # characters of one text literal
MAX_FAULTS = 10  # told in one go
_SHOWN = 60  # characters of a word that a message repeats

KEYWORDS = frozenset(["and", "or", "not", "in", "between", "is", "null", "true", "false", "date"])
FUNCTIONS = frozenset(["abs", "least", "greatest", "coalesce"])


class TokenType(StrEnum):
    """What a token is."""

    NAME = "name"
    KEYWORD = "keyword"
    FUNCTION = "function"
    NUMBER = "number"
    TEXT = "text"
    SIGN = "sign"


@dataclass(frozen=True)
class Token:
    """One word of a condition; `text` is normalised (keywords lower case, quotes off)."""

    type: TokenType
    text: str
    column: int


_SPACE = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_RUN = re.compile(r"[\w.]+")
_SIGN = re.compile(r"<>|<=|>=|[=<>+\-*/(),]")


def tokenize(source: str, names: Collection[str]) -> list[Token]:
    """Cut `source` into tokens; `names` are the names that it may use.

    Raises
    ------
    ConditionError
        For text that is too long, deep or foreign, and for names that are not known.
    """
    if len(source) > MAX_LENGTH:
        raise ConditionError(
            zh=f"条件有 {len(source)} 个字符，最多 {MAX_LENGTH} 个；请拆成几条规则。",
            en=f"the condition has {len(source)} characters, at most {MAX_LENGTH} are allowed: "
            "split it into several rules.",
            source=source,
            column=MAX_LENGTH + 1,
        )
    tokens = _cut(source, names)
    if not tokens:
        raise ConditionError(
            zh="条件是空的；请写一个条件，如 unexcused_run >= 3。",
            en="the condition is empty; write one, such as unexcused_run >= 3.",
        )
    _check_size(source, tokens)
    _check_calls(source, tokens)
    _check_joined(source, tokens)
    return tokens


def _cut(source: str, names: Collection[str]) -> list[Token]:
    """Return every token; what each foreign sign and unknown name should be is told in one go."""
    tokens: list[Token] = []
    faults: list[ConditionError] = []
    told: set[str] = set()
    at = 0
    while True:
        if space := _SPACE.match(source, at):
            at = space.end()
        if at >= len(source):
            break
        try:
            token, at = _next(source, at, names)
        except _SlipError as slip:
            if slip.word not in told:
                told.add(slip.word)
                faults.append(slip.fault)
            if len(faults) == MAX_FAULTS:
                break
            at = slip.end
        except ConditionError as error:  # a statement, a comment, an open quote: nothing holds
            faults.append(error)
            break
        else:
            tokens.append(token)
    if faults:
        raise ConditionError.of(faults)
    return tokens


class _SlipError(Exception):
    """A fault after which the rest of the text can still be read: at `end`."""

    def __init__(self, fault: ConditionError, word: str, end: int) -> None:
        super().__init__(fault.message.en)
        self.fault = fault
        self.word = word
        self.end = end


def _next(source: str, at: int, names: Collection[str]) -> tuple[Token, int]:
    column = at + 1
    if number := _NUMBER.match(source, at):
        end = number.end()
        if end < len(source) and (source[end].isalnum() or source[end] in "_."):
            shown = source[at : end + 1][:_SHOWN]
            fault = ConditionError(
                zh=f"数字 {shown}… 写法不对，请写成 3、0.05 或 1e3。",
                en=f"the number {shown}... is not one; write 3, 0.05 or 1e3.",
                source=source,
                column=column,
            )
            run = _RUN.match(source, end)
            raise _SlipError(fault, source[at:end], run.end() if run else end + 1)
        if not math.isfinite(float(number[0])):
            shown = number[0][:_SHOWN]
            fault = ConditionError(
                zh=f"数字 {shown} 太大，请写小于 1e308 的数字。",
                en=f"the number {shown} is too large; write one below 1e308.",
                source=source,
                column=column,
            )
            raise _SlipError(fault, number[0], end)
        return Token(TokenType.NUMBER, number[0], column), end
    if word := _WORD.match(source, at):
        end = word.end()
        if end < len(source) and source[end].isalnum():
            raise _foreign_letter(source, end)
        return _word(source, word[0], column, names), end
    if source[at] == "'":
        return _text(source, at)
    for foreign, cure in FOREIGN:
        if source.startswith(foreign, at):
            fault = ConditionError(
                zh=f"这里不能写 {foreign}：{cure.zh}。",
                en=f"{foreign} cannot stand here: {cure.en}.",
                source=source,
                column=column,
            )
            if foreign in SLIPS:
                raise _SlipError(fault, f"{column} {foreign}", at + len(foreign))
            raise fault
    if sign := _SIGN.match(source, at):
        return Token(TokenType.SIGN, sign[0], column), sign.end()
    raise _foreign_letter(source, at)


def _text(source: str, at: int) -> tuple[Token, int]:
    column = at + 1
    text = _TEXT.match(source, at)
    if not text:
        raise ConditionError(
            zh="文字缺少右边的单引号 '，请补上。",
            en="the text has no closing quote '; add it.",
            source=source,
            column=column,
        )
    value = text[1].replace("''", "'")
    if len(value) > MAX_TEXT or any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ConditionError(
            zh=f"文字最多 {MAX_TEXT} 个字符，且不能含换行等控制字符；请改短。",
            en=f"a text has at most {MAX_TEXT} characters and no line breaks or control "
            "characters; shorten it.",
            source=source,
            column=column,
        )
    return Token(TokenType.TEXT, value, column), text.end()


def _foreign_letter(source: str, at: int) -> _SlipError:
    letter = source[at]
    if letter in WIDE:
        plain = WIDE[letter]
        zh_plain = "空格" if plain == "a space" else plain
        fault = ConditionError(
            zh=f"这是全角或特殊符号“{letter}”，请用英文输入法的 {zh_plain}。",
            en=f"{letter!r} is a full-width or special sign; write {plain}.",
            source=source,
            column=at + 1,
        )
        return _SlipError(fault, f"{at} {letter}", at + 1)
    end = at + 1
    while end < len(source) and source[end].isalpha() and ord(source[end]) > 127:
        end += 1
    shown = source[at:end][:_SHOWN] if letter.isprintable() else f"U+{ord(letter):04X}"
    fault = ConditionError(
        zh=f"条件里不能有“{shown}”；文字请放在单引号里 '...'，其余请删去。",
        en=f"{shown} cannot stand in a condition; put texts in quotes '...', remove the rest.",
        source=source,
        column=at + 1,
    )
    return _SlipError(fault, source[at:end], end)


def _word(source: str, word: str, column: int, names: Collection[str]) -> Token:
    lower = word.lower()
    if lower in KEYWORDS:
        return Token(TokenType.KEYWORD, lower, column)
    if word in names:
        return Token(TokenType.NAME, word, column)
    if lower in FUNCTIONS:
        return Token(TokenType.FUNCTION, lower, column)
    end = column - 1 + len(word)
    shown = word[:_SHOWN]
    if lower in WORD_CURES:
        cure = WORD_CURES[lower]
        raise ConditionError(
            zh=f"这里不能写 {shown}：{cure.zh}。",
            en=f"{shown} cannot stand here: {cure.en}.",
            source=source,
            column=column,
        )
    if source[end:].lstrip().startswith("("):
        allowed = ", ".join(sorted(FUNCTIONS))
        fault = ConditionError(
            zh=f"没有函数 {shown}；可用的函数：{allowed}。",
            en=f"there is no function {shown}; use {allowed}, or the name of a feature.",
            source=source,
            column=column,
        )
        raise _SlipError(fault, word, end)
    near = nearest(word, names)
    zh_cure = f"是不是 {near}？" if near else "可用的名称见 earlywarn features 和 docs。"
    en_cure = f"did you mean {near}?" if near else "write a feature, group or registry field."
    fault = ConditionError(
        zh=f"没有 {shown} 这个名称，{zh_cure}",
        en=f"there is no name {shown}; {en_cure}",
        source=source,
        column=column,
        near=near,
    )
    raise _SlipError(fault, word, end)


def nearest(word: str, names: Collection[str]) -> str | None:
    """Return the known name nearest to `word`, or None if none is near."""
    lower = {name.lower(): name for name in sorted(names)}
    found = difflib.get_close_matches(word.lower()[:60], lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def _check_size(source: str, tokens: list[Token]) -> None:
    if len(tokens) > MAX_TOKENS:
        raise ConditionError(
            zh=f"条件太复杂（超过 {MAX_TOKENS} 个词）；请拆成几条规则。",
            en=f"the condition is too complicated (more than {MAX_TOKENS} words): split it into "
            "several rules.",
            source=source,
            column=tokens[MAX_TOKENS].column,
        )
    operators = [t for t in tokens if t.type is TokenType.SIGN and t.text in "+-*/"]
    if len(operators) > MAX_OPERATORS:
        raise ConditionError(
            zh=f"运算符 + - * / 超过 {MAX_OPERATORS} 个，请简化。",
            en=f"more than {MAX_OPERATORS} operators + - * /: make it simpler.",
            source=source,
            column=operators[MAX_OPERATORS].column,
        )
    opened: list[Token] = []
    prefixes = 0
    for token in tokens:
        prefixes = prefixes + 1 if token.text in ("not", "-", "+") else 0
        if token.type is TokenType.SIGN and token.text == "(":
            opened.append(token)
        elif token.type is TokenType.SIGN and token.text == ")":
            if not opened:
                raise ConditionError(
                    zh="多了一个右括号 )，请删去。",
                    en="there is a ) too many; remove it.",
                    source=source,
                    column=token.column,
                )
            opened.pop()
        if len(opened) > MAX_DEPTH or prefixes > MAX_PREFIXES:
            raise ConditionError(
                zh=f"嵌套太深（括号最多 {MAX_DEPTH} 层）；请简化，或拆成几条规则。",
                en=f"nested too deep (at most {MAX_DEPTH} brackets in brackets): make it simpler, "
                "or split it into several rules.",
                source=source,
                column=token.column,
            )
    if opened:
        raise ConditionError(
            zh="括号 ( 没有配对的 )，请补上。",
            en="this ( is never closed; add ).",
            source=source,
            column=opened[-1].column,
        )


def _check_calls(source: str, tokens: list[Token]) -> None:
    """A function is followed by a bracket, `date` by a date, and nothing else is called."""
    for i, token in enumerate(tokens):
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        opens = after is not None and after.type is TokenType.SIGN and after.text == "("
        if token.type is TokenType.FUNCTION and not opens:
            raise ConditionError(
                zh=f"函数 {token.text} 后面要有括号，如 {token.text}(...)。",
                en=f"the function {token.text} needs brackets: {token.text}(...).",
                source=source,
                column=token.column,
            )
        if token.type is TokenType.NAME and opens:
            raise ConditionError(
                zh=f"{token.text} 是名称，不是函数；请删去括号或补上运算符。",
                en=f"{token.text} is a name, not a function; remove the bracket or add an "
                "operator.",
                source=source,
                column=token.column,
            )
        if token.text == "date" and token.type is TokenType.KEYWORD:
            _check_date(source, token, after)


def _check_date(source: str, token: Token, after: Token | None) -> None:
    if after is not None and after.type is TokenType.TEXT:
        try:
            if date.fromisoformat(after.text).isoformat() == after.text:
                return
        except ValueError:
            pass
    raise ConditionError(
        zh="日期请写成 date '2026-11-20'，且必须真有这一天。",
        en="write a date like date '2026-11-20', and one that exists.",
        source=source,
        column=token.column,
    )


_VALUES = (TokenType.NAME, TokenType.NUMBER, TokenType.TEXT)
_CONSTANT_WORDS = ("null", "true", "false")


def _check_joined(source: str, tokens: list[Token]) -> None:
    """Between two values stands a sign or a word (`'a' 'b'` would be one text in SQL)."""
    for before, token in pairwise(tokens):
        ends = before.type in _VALUES or before.text in (")", *_CONSTANT_WORDS)
        starts = (
            token.type in (*_VALUES, TokenType.FUNCTION)
            or token.text in ("(", "date", *_CONSTANT_WORDS)
        ) and not (token.type is TokenType.SIGN and before.type is TokenType.NAME)
        if ends and starts:
            raise ConditionError(
                zh="前面缺少运算符或 and / or，请补上。",
                en="an operator, or and / or, is missing before this; add it.",
                source=source,
                column=token.column,
            )
