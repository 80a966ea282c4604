"""YAML that users may write: read strictly, as text, with the line of every value kept.

Every scalar, keys too, is read as text (so `no`, `1e3` and leading zeros survive; pydantic converts
later). Refused: tags, anchors and aliases (so no alias bomb), duplicate keys, more than
`MAX_BYTES`, nesting deeper than `MAX_DEPTH`, several documents. What is refused is told in one go,
each with its line; only where the text is no YAML at all does reading end at the first fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from earlywarn.errors import EarlywarnError, Text

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_FAULTS = 100

# libyaml's loader where PyYAML was built with it: the same events, ten times as fast. Its words for
# faults differ somewhat from those of PyYAML's own; `_SYNTAX` has both.
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = tuple[str | int, ...]


@dataclass
class Document:
    """A read YAML file: `data` of dict, list, str and None; `lines` by path."""

    name: str
    data: Any
    lines: dict[Key, int] = field(default_factory=dict)

    def line(self, path: Key) -> int:
        """Return the 1-based line of `path` or of its nearest ancestor that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class Fault(NamedTuple):
    """One thing that is refused: its 1-based line, and what to do about it."""

    line: int
    text: Text


class YamlError(EarlywarnError):
    """A file that is not the strict YAML of this module.

    Attributes
    ----------
    faults
        Every fault found, in the order of the file; of very many the first `MAX_FAULTS`.
    document
        What could be read all the same, so that the rest can be checked in the same go; None where
        it could not.
    """

    def __init__(self, name: str, faults: list[Fault], document: Document | None = None) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line)[:MAX_FAULTS])
        self.document = document
        super().__init__(
            zh="\n".join(f"{name} 第 {line} 行：{text.zh}" for line, text in self.faults),
            en="\n".join(f"{name}, line {line}: {text.en}" for line, text in self.faults),
        )


def load(path: Path, name: str | None = None) -> Document:
    """Read the YAML file at `path`.

    Raises
    ------
    EarlywarnError
        If it is missing or cannot be read.
    YamlError
        If it is too large, not UTF-8 or not the strict YAML described above; the message names
        file, line and cure of every fault.
    """
    shown = name or path.name
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise EarlywarnError(zh=f"找不到文件 {path}。", en=f"There is no file {path}.") from None
    except OSError as error:
        raise EarlywarnError(
            zh=f"无法读取 {path}：{error.strerror}；请检查它是不是文件、有没有读取权限。",
            en=f"Cannot read {path}: {error.strerror}; check that it is a file that you may read.",
        ) from None
    return loads(raw, shown)


def loads(raw: bytes | str, name: str = "YAML") -> Document:
    """Read YAML from memory; see `load`."""
    data = raw if isinstance(raw, bytes) else raw.encode()
    if len(data) > MAX_BYTES:
        text = Text(
            f"文件超过 {MAX_BYTES} 字节，请拆成几个文件。",
            f"the file is larger than {MAX_BYTES} bytes; split it into several files.",
        )
        raise YamlError(name, [Fault(1, text)])
    document = Document(name=name, data=None)
    faults: list[Fault] = []
    try:
        node = _compose(data.decode("utf-8-sig"), faults)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlError(name, [Fault(line, _NOT_UTF8)]) from None
    except _StopError as stop:
        raise YamlError(name, [*faults, stop.fault]) from None
    if node is not None:
        document.data = _build(node, (), document, faults)
    if faults:
        raise YamlError(name, faults, document)
    return document


class _StopError(Exception):
    """Nothing after this fault can be read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text.en)
        self.fault = fault


def _compose(text: str, faults: list[Fault]) -> yaml.Node | None:
    """Parse to nodes, after a pass over the events that refuses what could blow up."""
    if hidden := yaml.reader.Reader.NON_PRINTABLE.search(text):
        code, line = ord(hidden[0]), text.count("\n", 0, hidden.start()) + 1
        message = Text(
            f"有不可见的控制字符 U+{code:04X}，请删去。",
            f"a control character U+{code:04X} that cannot be seen: remove it.",
        )
        raise _StopError(Fault(line, message))
    try:
        return _nodes(text, faults)
    except yaml.MarkedYAMLError as error:
        raise _StopError(_syntax(error, text)) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise _StopError(Fault(1, _NOT_YAML)) from None


def _nodes(text: str, faults: list[Fault]) -> yaml.Node | None:
    depth, aliases = 0, False
    for event in yaml.parse(text, Loader=_FAST):
        line = event.start_mark.line + 1 if event.start_mark else 1
        aliases = aliases or isinstance(event, yaml.AliasEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            faults.append(Fault(line, _ANCHOR))
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = _shown(tag)
            message = Text(
                f"不允许使用标签 {shown}，请删去，写成普通文字。",
                f"tags such as {shown} are not allowed; write plain text.",
            )
            faults.append(Fault(line, message))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _StopError(Fault(line, _TOO_DEEP))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    if aliases:  # never followed: each could stand for a thousand others
        raise _StopError(faults.pop())
    node: yaml.Node | None = yaml.compose(text, Loader=_FAST)
    return node


def _build(node: yaml.Node, path: Key, document: Document, faults: list[Fault]) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        plain_empty = not node.style and node.value in ("", "~", "null")
        return None if plain_empty else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, i), document, faults) for i, item in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(Fault(line, _KEY))
            continue
        key = str(key_node.value)
        if key == "<<":
            faults.append(Fault(line, _MERGE))
            continue
        if key in result:
            message = Text(
                f"键 {_shown(key)} 出现了两次，请删去一个。",
                f"the key {_shown(key)} stands twice; remove one.",
            )
            faults.append(Fault(line, message))
            continue
        result[key] = _build(value_node, (*path, key), document, faults)
        document.lines[(*path, key)] = line
    return result


def _shown(text: str) -> str:
    """Return `text` short and on one line."""
    return "".join(c if c.isprintable() else " " for c in text[:60])


_NOT_UTF8 = Text("不是 UTF-8 编码，请另存为 UTF-8。", "not UTF-8; save the file as UTF-8.")
_NOT_YAML = Text(
    "这里看不懂；请检查冒号、缩进和引号。",
    "this cannot be read; check colons, indentation and quotes.",
)
_ANCHOR = Text(
    "不允许使用锚点和别名（& 和 *），请把内容写全；文字以 & 或 * 开头时加引号。",
    "anchors and aliases (& and *) are not allowed; write the value out, or put a text that begins "
    "so in quotes.",
)
_MERGE = Text(
    "不允许合并键 <<，请把内容写全。", "merge keys (<<) are not allowed; write the values out."
)
_KEY = Text("键必须是文字，请写成“键: 值”。", "a key must be plain text; write `key: value`.")

_TOO_DEEP = Text(
    f"嵌套超过 {MAX_DEPTH} 层，请写得平一些。",
    f"nested deeper than {MAX_DEPTH} levels; write it flatter.",
)
_TAB = Text("缩进用了制表符，请改用空格。", "a tab is used for indentation; use spaces.")
_NOT_IN_LINE = Text(
    "缩进与上面的行不齐，或多了内容；请对齐，文字里有引号或括号时给整段加引号。",
    "this is not in line with the lines above, or too much; line it up, and put a text with "
    "quotes or brackets in quotes as a whole.",
)

# What PyYAML finds, and what to do about it; the second value says whether the fault lies where the
# thing began (an open quote) rather than where the reader gave up.
_SYNTAX: tuple[tuple[str, bool, Text], ...] = (
    ("mapping values are not allowed", False, Text(
        "多了一个冒号，或缩进不齐；文字里有冒号时，请给整段文字加引号。",
        "a colon too many, or lines out of line; put a text with a colon in quotes.")),
    ("sequence entries are not allowed", False, Text(
        "这里不能以 - 开头；列表请另起一行，文字请加引号。",
        "a - cannot stand here; begin a list on a new line, or put the text in quotes.")),
    ("expected ':'", True, Text(
        "这一行缺少冒号，请写成“键: 值”，冒号后加空格。",
        "a colon is missing in this line; write `key: value`, with a space after the colon.")),
    ("unexpected end of stream", True, Text(
        "引号没有配对，请补上右边的引号。", "a quote is never closed; add the closing one.")),
    ("',' or ']'", True, Text(
        "方括号没有配对，或缺少逗号；请补上 ] 或逗号。",
        "a [ is never closed, or a comma is missing; add ] or the comma.")),
    ("',' or '}'", True, Text(
        "花括号没有配对，或缺少逗号；请补上 } 或逗号，文字里有逗号或花括号时加引号。",
        "a { is never closed, or a comma is missing; add } or the comma, and put texts with commas "
        "or braces in quotes.")),
    ("<block end>", False, _NOT_IN_LINE),
    ("depth", False, _TOO_DEEP),  # libyaml has a limit of its own
    ("expected key", False, _NOT_IN_LINE),
    ("'-' indicator", False, _NOT_IN_LINE),
    ("<document start>", False, Text(
        "缩进与上面的行不齐，或文件分成了几份；请对齐，删去 --- 和 ... 这样的行。",
        "this is not in line with the lines above, or the file is cut in two; line it up, and "
        "remove lines such as --- and `...`.")),
    ("another document", False, Text(
        "一个文件只能有一份内容，请删去 --- 这一行，或拆成几个文件。",
        "several documents in one file; remove the line ---, or split the file.")),
    ("unknown escape", False, Text(
        "双引号里的反斜杠写法不对，请改用单引号，或写成 \\\\。",
        "a backslash in double quotes means something else; use single quotes, or write \\\\.")),
    ("that cannot start any token", False, Text(
        "文字不能以这个符号开头，请给整段文字加引号。",
        "a text cannot begin with this sign; put the text in quotes.")),
    ("chomping or indentation", False, Text(
        "文字不能以 > 或 | 开头，请给整段文字加引号。",
        "a text cannot begin with > or |; put the text in quotes.")),
    ("comment or", False, Text(
        "文字不能以 > 或 | 开头，请给整段文字加引号。",
        "a text cannot begin with > or |; put the text in quotes.")),
    ("alphabetic or numeric", False, _ANCHOR),
    ("node content", False, Text(
        "这里缺少内容，或多了符号；文字以符号开头时，请给整段文字加引号。",
        "a value is missing here, or a sign too much; put a text that begins with a sign in "
        "quotes.")),
)  # fmt: skip


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Fault:
    """Put what PyYAML says into words, with the line where the cure belongs."""
    problem, mark = error.problem or "", error.problem_mark or error.context_mark
    if mark is None:
        return Fault(1, _NOT_YAML)
    if "\t" in "".join(text.split("\n")[mark.line : mark.line + 1])[: mark.column + 1]:
        return Fault(mark.line + 1, _TAB)
    for words, begun, message in _SYNTAX:
        if words in problem:
            place = (error.context_mark if begun else None) or mark
            return Fault(place.line + 1, message)
    return Fault(mark.line + 1, _NOT_YAML)
