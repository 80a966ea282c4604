"""A run, a round or a trial that was rewritten says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from earlywarn.errors import Text
from earlywarn.files import sha256, write_whole
from earlywarn.followup.daily.files import ROUND_FILE
from earlywarn.forgetting.plan import What
from earlywarn.forgetting.texts import NOTE
from earlywarn.scoring.run import RUN_FILE, SCORES_FILE

NOTE_FILE = "REWRITTEN.txt"
_TRIAL = "impact.json"  # its folder takes no other file


def folders_of(root: Path, files: Mapping[str, What]) -> dict[Path, dict[str, What]]:
    """Return the runs, rounds and trials that lost something, each with its files below it."""
    found: dict[Path, dict[str, What]] = {}
    for name, what in files.items():
        for folder in (root / name).parents:
            if folder == root:
                break
            if any((folder / mark).is_file() for mark in (RUN_FILE, ROUND_FILE, _TRIAL)):
                inside = (root / name).relative_to(folder).as_posix()
                found.setdefault(folder, {})[inside] = what
                break
    return found


def say_so(folder: Path, files: Mapping[str, What], *, at: str, token: str) -> None:
    """Note in a run's folder, and in its JSON, that it was rewritten; once for each `token`."""
    noted = {
        "at": at,
        "token": token,
        "why": "a child was forgotten",
        "files": sorted(f for f, what in files.items() if what == "rewrite"),
        "removed": len([f for f, what in files.items() if what == "remove"]),
    }
    for name in (RUN_FILE, ROUND_FILE, _TRIAL):
        path = folder / name
        if path.is_file():
            _note(path, noted, folder / SCORES_FILE)
    if not (folder / _TRIAL).is_file():
        _write_note(folder / NOTE_FILE, noted)


def _note(path: Path, noted: Mapping[str, Any], scores: Path) -> None:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if not isinstance(told, dict):
        return
    before = told.get("rewritten") or []
    if noted["token"] not in [one.get("token") for one in before]:
        told["rewritten"] = [*before, noted]
    if "scores_sha256" in told and scores.is_file():
        told["scores_sha256"] = sha256(scores)
    write_whole(path, json.dumps(told, ensure_ascii=False, indent=1) + "\n")


def _write_note(path: Path, noted: Mapping[str, Any]) -> None:
    before = path.read_text("utf-8") if path.is_file() else ""
    if noted["token"] in before:
        return
    day = noted["at"][:10]
    files = ", ".join(noted["files"]) or "-"
    said = Text(
        f"{day}（{noted['token']}）：{NOTE.zh}改写的文件：{files}；"
        f"删去的文件：{noted['removed']} 个。",
        f"{day} ({noted['token']}): {NOTE.en} Rewritten: {files}; removed: {noted['removed']}.",
    )
    write_whole(path, f"{before}{said.zh}\n{said.en}\n")
