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
from earlywarn.errors import Text

MAX_LENGTH = 2_000  # characters
MAX_TOKENS = 300
MAX_OPERATORS = 60  # + - * /
MAX_DEPTH = 20  # brackets in brackets
MAX_PREFIXES = 8  # `not not not`, `- - -`
MAX_TEXT = 200  # characters of one text literal

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
_SIGN = re.compile(r"<>|<=|>=|[=<>+\-*/(),]")

# What people write from other languages, longest first, and what to write instead.
_FOREIGN: tuple[tuple[str, Text], ...] = (
    ("--", Text("不允许注释；减去负数请写成 a - (-b)", "comments are not allowed (a - (-b) is)")),
    ("/*", Text("不允许注释，请删去", "comments are not allowed; remove it")),
    ("*/", Text("不允许注释，请删去", "comments are not allowed; remove it")),
    ("#", Text("不允许注释，请删去", "comments are not allowed; remove it")),
    ("!=", Text("“不等于”请写 <>", "write <> for 'not equal'")),
    ("==", Text("“等于”请写一个 =", "write a single = for 'equal'")),
    ("=>", Text("“大于等于”请写 >=", "write >= for 'greater or equal'")),
    ("=<", Text("“小于等于”请写 <=", "write <= for 'less or equal'")),
    ("&&", Text("请写 and", "write and")),
    ("||", Text("请写 or（不能拼接文字）", "write or (texts cannot be joined)")),
    ("::", Text("不允许类型转换，请删去", "casts are not allowed; remove it")),
    ("->", Text("不允许 ->，请删去", "-> is not allowed; remove it")),
    ("**", Text("没有乘方，请写成乘法", "there is no power; write a product")),
    ("//", Text("请用 / 相除", "divide with /")),
    (";", Text("一个条件里不能有分号", "a condition holds no semicolon")),
    ('"', Text("名称直接写，文字用单引号 '...'", "write names bare and texts in '...'")),
    ("`", Text("名称直接写，不加引号", "write names bare, without quotes")),
    ("!", Text("“非”请写 not", "write not")),
    ("&", Text("请写 and", "write and")),
    ("|", Text("请写 or", "write or")),
    ("%", Text("百分数请写成小数，如 5% 写 0.05", "write a share as a number: 5% is 0.05")),
    (".", Text("名称里不能有点；小数写成 0.5", "names have no dots; write numbers like 0.5")),
    (":", Text("不允许冒号", "a colon is not allowed")),
    ("?", Text("不允许参数", "parameters are not allowed")),
    ("$", Text("不允许参数", "parameters are not allowed")),
    ("@", Text("不允许 @", "@ is not allowed")),
    ("[", Text("列表请用圆括号 in (1, 2)", "write lists in round brackets: in (1, 2)")),
    ("]", Text("列表请用圆括号 in (1, 2)", "write lists in round brackets: in (1, 2)")),
    ("{", Text("请用圆括号", "use round brackets")),
    ("}", Text("请用圆括号", "use round brackets")),
)

# Signs of a Chinese keyboard and of print, and what they stand for.
_WIDE = {
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    "\u3000": "a space",
    "\u00a0": "a space",
    "\u3001": ",",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "<>",
    "\u2212": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u00d7": "*",
    "\u00f7": "/",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": "'",
    "\u201d": "'",
}

# Words of SQL and of other languages that are no names here.
_WORD_CURES: dict[str, Text] = {
    "select": Text("不允许子查询", "subqueries are not allowed"),
    "from": Text("不允许子查询", "subqueries are not allowed"),
    "exists": Text("不允许子查询", "subqueries are not allowed"),
    "case": Text("不允许 case，请用 and / or", "case is not allowed; use and / or"),
    "if": Text("不允许 if，请用 and / or", "if is not allowed; use and / or"),
    "cast": Text("不允许类型转换", "casts are not allowed"),
    "try_cast": Text("不允许类型转换", "casts are not allowed"),
    "like": Text("不允许 like，请用 = 或 in", "like is not allowed; use = or in"),
    "ilike": Text("不允许 ilike，请用 = 或 in", "ilike is not allowed; use = or in"),
    "over": Text("不允许窗口函数", "window functions are not allowed"),
    "count": Text("不允许聚合函数", "aggregates are not allowed"),
    "sum": Text("不允许聚合函数", "aggregates are not allowed"),
    "avg": Text("不允许聚合函数", "aggregates are not allowed"),
    "min": Text("不允许聚合函数；请用 least", "aggregates are not allowed; use least"),
    "max": Text("不允许聚合函数；请用 greatest", "aggregates are not allowed; use greatest"),
    "ifnull": Text("请用 coalesce", "use coalesce"),
    "nvl": Text("请用 coalesce", "use coalesce"),
    "none": Text("空值请写 null，文字请写 'none'", "write null, or the text 'none'"),
    "nan": Text("没有 nan，请写 null", "there is no nan; write null"),
    "yes": Text("请写 true", "write true"),
    "no": Text("请写 false", "write false"),
}


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
    tokens: list[Token] = []
    at = 0
    while True:
        if space := _SPACE.match(source, at):
            at = space.end()
        if at >= len(source):
            break
        token, at = _next(source, at, names)
        tokens.append(token)
    if not tokens:
        raise ConditionError(
            zh="条件是空的；请写一个条件，如 unexcused_run >= 3。",
            en="the condition is empty; write one, such as unexcused_run >= 3.",
        )
    _check_size(source, tokens)
    _check_calls(source, tokens)
    _check_joined(source, tokens)
    return tokens


def _next(source: str, at: int, names: Collection[str]) -> tuple[Token, int]:
    column = at + 1
    if number := _NUMBER.match(source, at):
        end = number.end()
        if end < len(source) and (source[end].isalnum() or source[end] in "_."):
            raise ConditionError(
                zh=f"数字 {source[at : end + 1]}… 写法不对，请写成 3、0.05 或 1e3。",
                en=f"the number {source[at : end + 1]}... is not one; write 3, 0.05 or 1e3.",
                source=source,
                column=column,
            )
        if not math.isfinite(float(number[0])):
            raise ConditionError(
                zh=f"数字 {number[0]} 太大。",
                en=f"the number {number[0]} is too large.",
                source=source,
                column=column,
            )
        return Token(TokenType.NUMBER, number[0], column), end
    if word := _WORD.match(source, at):
        end = word.end()
        if end < len(source) and source[end].isalnum():
            raise _foreign_letter(source, end)
        return _word(source, word[0], column, names), end
    if source[at] == "'":
        return _text(source, at)
    for foreign, cure in _FOREIGN:
        if source.startswith(foreign, at):
            raise ConditionError(
                zh=f"这里不能写 {foreign}：{cure.zh}。",
                en=f"{foreign} cannot stand here: {cure.en}.",
                source=source,
                column=column,
            )
    if sign := _SIGN.match(source, at):
        return Token(TokenType.SIGN, sign[0], column), sign.end()
    raise _foreign_letter(source, at)


def _text(source: str, at: int) -> tuple[Token, int]:
    column = at + 1
    text = _TEXT.match(source, at)
    if not text:
        raise ConditionError(
            zh="文字缺少右边的单引号 '。",
            en="the text has no closing quote '.",
            source=source,
            column=column,
        )
    value = text[1].replace("''", "'")
    if len(value) > MAX_TEXT or any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ConditionError(
            zh=f"文字最多 {MAX_TEXT} 个字符，且不能含换行等控制字符。",
            en=f"a text has at most {MAX_TEXT} characters and no line breaks or control "
            "characters.",
            source=source,
            column=column,
        )
    return Token(TokenType.TEXT, value, column), text.end()


def _foreign_letter(source: str, at: int) -> ConditionError:
    letter = source[at]
    if letter in _WIDE:
        plain = _WIDE[letter]
        return ConditionError(
            zh=f"这是全角或特殊符号“{letter}”，请用英文输入法的 {plain}。",
            en=f"{letter!r} is a full-width or special sign; write {plain}.",
            source=source,
            column=at + 1,
        )
    shown = letter if letter.isprintable() else f"U+{ord(letter):04X}"
    return ConditionError(
        zh=f"条件里不能有“{shown}”；文字请放在单引号里 '...'。",
        en=f"{shown} cannot stand in a condition; put texts in quotes '...'.",
        source=source,
        column=at + 1,
    )


def _word(source: str, word: str, column: int, names: Collection[str]) -> Token:
    lower = word.lower()
    if lower in KEYWORDS:
        return Token(TokenType.KEYWORD, lower, column)
    if word in names:
        return Token(TokenType.NAME, word, column)
    if lower in FUNCTIONS:
        return Token(TokenType.FUNCTION, lower, column)
    called = source[column - 1 + len(word) :].lstrip().startswith("(")
    if lower in _WORD_CURES:
        cure = _WORD_CURES[lower]
        raise ConditionError(
            zh=f"这里不能写 {word}：{cure.zh}。",
            en=f"{word} cannot stand here: {cure.en}.",
            source=source,
            column=column,
        )
    if called:
        allowed = ", ".join(sorted(FUNCTIONS))
        raise ConditionError(
            zh=f"没有函数 {word}；可用的函数：{allowed}。",
            en=f"there is no function {word}; there are {allowed}.",
            source=source,
            column=column,
        )
    near = nearest(word, names)
    zh_cure = f"是不是 {near}？" if near else "可用的名称见 earlywarn features 和 docs。"
    en_cure = f"did you mean {near}?" if near else "write a feature, group or registry field."
    raise ConditionError(
        zh=f"没有 {word} 这个名称，{zh_cure}",
        en=f"there is no name {word}; {en_cure}",
        source=source,
        column=column,
        near=near,
    )


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
                    zh="多了一个右括号 )。",
                    en="there is a ) too many.",
                    source=source,
                    column=token.column,
                )
            opened.pop()
        if len(opened) > MAX_DEPTH or prefixes > MAX_PREFIXES:
            raise ConditionError(
                zh=f"嵌套太深（括号最多 {MAX_DEPTH} 层）。",
                en=f"nested too deep (at most {MAX_DEPTH} brackets in brackets).",
                source=source,
                column=token.column,
            )
    if opened:
        raise ConditionError(
            zh="括号 ( 没有配对的 )。",
            en="this ( is never closed.",
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
                zh="前面缺少运算符或 and / or。",
                en="an operator, or and / or, is missing before this.",
                source=source,
                column=token.column,
            )
