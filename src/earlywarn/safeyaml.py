"""YAML that users may write: read strictly, as text, with the line of every value kept.

Every scalar, keys too, is read as text (so `no`, `1e3` and leading zeros survive; pydantic converts
later). Refused: tags, anchors and aliases (so no alias bomb), duplicate keys, more than
`MAX_BYTES`, nesting deeper than `MAX_DEPTH`, several documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from earlywarn.errors import EarlywarnError

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

# libyaml's loader where PyYAML was built with it: the same events, ten times as fast.
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


def _refuse(name: str, line: int, zh: str, en: str) -> EarlywarnError:
    return EarlywarnError(zh=f"{name} 第 {line} 行：{zh}", en=f"{name}, line {line}: {en}")


def load(path: Path, name: str | None = None) -> Document:
    """Read the YAML file at `path`.

    Raises
    ------
    EarlywarnError
        If it is missing, too large, not UTF-8 or not the strict YAML described above; the message
        names file and line.
    """
    shown = name or path.name
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise EarlywarnError(zh=f"找不到文件 {path}。", en=f"There is no file {path}.") from None
    except OSError as error:
        raise EarlywarnError(
            zh=f"无法读取 {path}：{error.strerror}", en=f"Cannot read {path}: {error.strerror}"
        ) from None
    return loads(raw, shown)


def loads(raw: bytes | str, name: str = "YAML") -> Document:
    """Read YAML from memory; see `load`."""
    data = raw if isinstance(raw, bytes) else raw.encode()
    if len(data) > MAX_BYTES:
        raise _refuse(
            name,
            1,
            f"文件超过 {MAX_BYTES} 字节，请拆成几个文件。",
            f"the file is larger than {MAX_BYTES} bytes; split it into several files.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refuse(
            name,
            data[: error.start].count(b"\n") + 1,
            "不是 UTF-8 编码，请另存为 UTF-8。",
            "not UTF-8; save the file as UTF-8.",
        ) from None
    document = Document(name=name, data=None)
    try:
        try:
            node = _compose(text, name, _FAST)
        except yaml.YAMLError:
            node = _compose(text, name, yaml.SafeLoader)  # for its clearer messages
        if node is not None:
            document.data = _build(node, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or "not YAML"
        if "\\t" in problem:
            raise _refuse(
                name,
                line,
                "缩进用了制表符，请改用空格。",
                "a tab is used for indentation; use spaces.",
            ) from None
        raise _refuse(name, line, f"YAML 语法错误（{problem}）。", f"{problem}.") from None
    except yaml.YAMLError as error:
        problem = str(error).splitlines()[0]
        raise _refuse(name, 1, f"不是 YAML（{problem}）。", f"not YAML ({problem}).") from None
    return document


def _compose(text: str, name: str, loader: Any) -> yaml.Node | None:
    """Parse to nodes, after a pass over the events that refuses what could blow up."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refuse(
                name,
                line,
                "不允许使用锚点和别名（& 和 *），请把内容写全。",
                "anchors and aliases (& and *) are not allowed; write the value out.",
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _refuse(
                name,
                line,
                f"不允许使用标签 {tag}。",
                f"tags such as {tag} are not allowed; write plain text.",
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _refuse(
                    name,
                    line,
                    f"嵌套超过 {MAX_DEPTH} 层。",
                    f"nested deeper than {MAX_DEPTH} levels.",
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def _build(node: yaml.Node, path: Key, document: Document) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        plain_empty = not node.style and node.value in ("", "~", "null")
        return None if plain_empty else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, i), document) for i, item in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise _refuse(document.name, line, "键必须是文字。", "a key must be plain text.")
        key = str(key_node.value)
        if key in result:
            raise _refuse(
                document.name,
                line,
                f"键 {key} 出现了两次，请删去一个。",
                f"the key {key} stands twice; remove one.",
            )
        result[key] = _build(value_node, (*path, key), document)
        document.lines[(*path, key)] = line
    return result
