"""Files appear whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from earlywarn.files import sha256, whole_file, whole_folder, write_whole


def _half(path: Path) -> None:
    path.write_text("half", "utf-8")
    raise RuntimeError


def test_write_whole_replaces_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "新 文件夹" / "a.txt"
    write_whole(path, "一")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failed_file_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(RuntimeError), whole_file(path) as beside:
        _half(beside)
    assert path.read_text("utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_whole_folder(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "1"
    with whole_folder(path) as beside:
        (beside / "sub").mkdir()
        (beside / "sub" / "a.txt").write_text("x", "utf-8")
        assert not path.exists()
    assert (path / "sub" / "a.txt").read_text("utf-8") == "x"
    assert [p.name for p in path.parent.iterdir()] == ["1"]


def test_a_folder_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "impact"
    for name in ("old.txt", "new.txt"):
        with whole_folder(path, replace=True) as beside:
            (beside / name).write_text("x", "utf-8")
    assert [p.name for p in path.iterdir()] == ["new.txt"]
    with pytest.raises(RuntimeError), whole_folder(path, replace=True) as beside:
        _half(beside / "half.txt")
    assert [p.name for p in path.iterdir()] == ["new.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["impact"]


def test_a_failed_folder_does_not_appear(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(RuntimeError), whole_folder(path) as beside:
        _half(beside / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_sha256(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"abc")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
