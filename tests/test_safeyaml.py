"""Strict YAML: text only, lines kept, nothing that blows up or runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError


def test_every_scalar_is_text() -> None:
    read = safeyaml.loads("no: yes\n007: 1e3\nday: 2026-11-20\nempty:\nnothing: ~\nquoted: ''\n")
    assert read.data == {
        "no": "yes",
        "007": "1e3",
        "day": "2026-11-20",
        "empty": None,
        "nothing": None,
        "quoted": "",
    }


def test_lines_of_every_value() -> None:
    read = safeyaml.loads("a: 1\n\nb:\n  - x\n  - {c: 2}\n")
    assert read.line(("a",)) == 1
    assert read.line(("b",)) == 3
    assert read.line(("b", 1)) == 5
    assert read.line(("b", 1, "c")) == 5
    assert read.line(("b", 1, "not there")) == 5
    assert read.line(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1\nb: *x\n", "line 1: anchors and aliases"),
        ("a: 1\nb: *x\n", "line 2: anchors and aliases"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "line 2: tags such as"),
        ("a: !!int 1\n", "tags such as"),
        ("!mine\na: 1\n", "tags such as"),
        ("a: 1\nb: 2\na: 3\n", "line 3: the key a stands twice"),
        ("x:\n  a: 1\n  a: 1\n", "line 3: the key a stands twice"),
        ("a:\n\tb: 1\n", "line 2: a tab is used"),
        ("? [a, b]\n: 1\n", "a key must be plain text"),
        ("a: [1, 2\n", "line"),
        ("a: 1\n---\nb: 2\n", "line"),
        ("[" * 30 + "]" * 30, "nested deeper"),
    ],
)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(EarlywarnError) as caught:
        safeyaml.loads(text, "rules.yaml")
    assert says in caught.value.text.en
    assert caught.value.text.en.startswith("rules.yaml")
    assert caught.value.text.zh.startswith("rules.yaml")


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(EarlywarnError, match="anchors and aliases"):
        safeyaml.loads("\n".join(lines))


def test_too_large_and_not_utf8() -> None:
    with pytest.raises(EarlywarnError, match="larger than"):
        safeyaml.loads("a: " + "x" * safeyaml.MAX_BYTES)
    with pytest.raises(EarlywarnError, match="line 2: not UTF-8"):
        safeyaml.loads("a: 1\nb: 中文\n".encode("gbk"))
    assert safeyaml.loads("\ufeffa: 中\n".encode()).data == {"a": "中"}


def test_files(tmp_path: Path) -> None:
    with pytest.raises(EarlywarnError, match="There is no file"):
        safeyaml.load(tmp_path / "none.yaml")
    with pytest.raises(EarlywarnError, match="Cannot read"):
        safeyaml.load(tmp_path)
    (tmp_path / "空.yaml").write_text("", "utf-8")
    assert safeyaml.load(tmp_path / "空.yaml").data is None


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_plainly(text: str) -> None:
    with suppress(EarlywarnError):
        safeyaml.loads(text.encode("utf-8", "replace"))
