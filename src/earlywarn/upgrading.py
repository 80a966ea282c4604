"""`earlywarn upgrade`: a workspace of an older program, brought up to this one.

What can be old: the workspace's `format` (brought up step by step, see `Step`), the ledger's tables
(its own migrations), and an earlywarn.yaml without the settings that came since. Rules are the
county's own and are never changed: which of them differ from those shipped is only said.

Each change is made whole or not at all and can be made again, so an upgrade that was cut off is
finished by the next one, and one more changes nothing.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError, Text
from earlywarn.files import whole_file
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.ledger.connect import ledger_url, make_engine, reading
from earlywarn.followup.ledger.migrate import revision
from earlywarn.followup.ledger.schema import HEAD
from earlywarn.tables.batches import read_batches
from earlywarn.workspace import (
    CONFIG_FILE,
    FORMAT,
    Config,
    Workspace,
    config_text,
    read_config,
    shipped,
)

_WAIT = 60.0  # seconds for which another writer of the ledger is waited for


@dataclass(frozen=True)
class Step:
    """How a workspace of format `since` becomes one of `since + 1`.

    `change` gets the workspace's folder and says what it did. It may be cut off after any file it
    has written and is then run again from the start: it must know its own work. It leaves `format`
    alone, which is written when it is through.
    """

    since: int
    change: Callable[[Path], Text]


# By `since`, without gaps, up to the present FORMAT.
STEPS: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Change:
    """Something that was brought up to date: where it is, and what was done to it."""

    place: str
    what: Text


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade changed, in order, and what it left alone and why.

    `kept` is the earlywarn.yaml as it was before, if it was changed.
    """

    changes: tuple[Change, ...]
    left: tuple[Text, ...]
    kept: Path | None


def upgrade(root: Path, *, steps: Sequence[Step] = STEPS) -> Upgraded:
    """Bring the workspace at `root` up to this program, holding its lock.

    Raises
    ------
    EarlywarnError
        If it is no workspace, is in use, belongs to a newer program, has a config that cannot be
        read, or its ledger cannot be reached; what was done before stays done.
    """
    workspace = Workspace(root.expanduser().resolve())
    config = _ConfigFile(workspace.root / CONFIG_FILE)
    if not config.path.is_file():
        Workspace.open(root)  # says that it is no workspace
    changes: list[Change] = []
    left: list[Text] = []
    with workspace.lock("upgrade"):
        found = config.format()
        for step in (step for step in steps if step.since >= found):
            config.keep()
            changes.append(Change(CONFIG_FILE, step.change(workspace.root)))
            config.write_format(step.since + 1)
        workspace = Workspace.open(workspace.root)  # refuses a newer one
        read_batches(workspace)  # refuses a newer one's
        changes += _ledger(workspace)
        changes += _settings(config, left)
        left += _rules(workspace)
    return Upgraded(tuple(changes), tuple(left), config.kept)


class _ConfigFile:
    """earlywarn.yaml as text: what the user wrote in it stays byte for byte as it is.

    Before the first change a copy is put beside it (`kept`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: Path | None = None

    def format(self) -> int:
        """Return the format that the file names; the first one if it names none."""
        data = safeyaml.load(self.path).data
        written = str(data.get("format", 1)) if isinstance(data, dict) else ""
        return int(written) if written.isdecimal() else FORMAT

    def write_format(self, number: int) -> None:
        text = self.text()
        document = safeyaml.loads(text, CONFIG_FILE)
        if "format" in document.data:
            lines = text.splitlines(keepends=True)
            place = document.line(("format",)) - 1
            said = r"(\bformat[\"']?\s*:\s*[\"']?)\d+"
            lines[place] = re.sub(said, rf"\g<1>{number}", lines[place], count=1)
            self.write("".join(lines))
        else:
            self.write(self.with_more([f"format: {number}"]))

    def text(self) -> str:
        return self.path.read_bytes().decode()

    def with_more(self, blocks: Sequence[str]) -> str:
        """Return the file's text with `blocks` behind it, in its own kind of line ends."""
        text = self.text()
        end = "\r\n" if "\r\n" in text else "\n"
        more = "\n\n".join(blocks).replace("\n", end)
        return f"{text.rstrip()}{end}{end}{more}{end}"

    def write(self, text: str) -> None:
        self.keep()
        with whole_file(self.path) as beside:
            beside.write_bytes(text.encode())
            shutil.copymode(self.path, beside)

    def keep(self) -> None:
        if self.kept is not None:
            return
        number = 1
        while (kept := self.path.with_name(f"earlywarn.old-{number}.yaml")).exists():
            number += 1
        with whole_file(kept) as beside:
            shutil.copy2(self.path, beside)
        self.kept = kept


def _settings(file: _ConfigFile, left: list[Text]) -> list[Change]:
    """Write out the settings that the file lacks, each with its comment and default."""
    config = read_config(file.path)
    written = safeyaml.load(file.path).data
    blocks = config_text(config).strip().split("\n\n")
    missing = {
        key: block
        for key, block in zip(Config.model_fields, blocks, strict=True)
        if key not in written
    }
    if not missing:
        return []
    text = file.with_more([*_ADDED, *missing.values()])
    names = ", ".join(missing)
    if _read(text) != config:  # written in braces, or indented: nothing can be put behind it
        left.append(
            Text(
                f"{CONFIG_FILE} 的写法特殊，无法补写设置：{names.replace(', ', '、')}。"
                "未改动；这些设置取默认值。",
                f"{CONFIG_FILE} is written in a way that settings cannot be added to: {names}. "
                "It was not changed; they have their defaults.",
            )
        )
        return []
    file.write(text)
    zh = f"补上 {len(missing)} 项设置（取默认值）：{names.replace(', ', '、')}"
    settings = "setting" if len(missing) == 1 else "settings"
    return [Change(CONFIG_FILE, Text(zh, f"added {len(missing)} {settings} (defaults): {names}"))]


_ADDED = (
    "# 以下设置由 earlywarn upgrade 补上\n# The settings below were added by earlywarn upgrade",
)


def _read(text: str) -> Config | None:
    try:
        return Config.model_validate(safeyaml.loads(text).data)
    except (EarlywarnError, ValidationError):
        return None


def _ledger(workspace: Workspace) -> list[Change]:
    """Bring up the ledger's tables, if there is a ledger; none is begun."""
    if not Ledger.is_begun(workspace):
        return []
    url = ledger_url(workspace)
    file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    before = None
    if file is None or file.is_file():  # a file that is not there would be made
        engine = make_engine(url, _WAIT)
        try:
            with reading(engine) as con:
                before = revision(con)
        finally:
            engine.dispose()
        if before is None:
            return []
    Ledger.open(workspace, wait=_WAIT).close()  # refuses a newer one, or one that is lost
    if before in (None, HEAD):
        return []
    what = Text(f"台账的表由 {before} 版升到 {HEAD} 版", f"its tables went from {before} to {HEAD}")
    return [Change(file.name if file else "ledger_url", what)]


def _rules(workspace: Workspace) -> list[Text]:
    """Say which rule files are not those shipped; whose change it was cannot be known."""
    others = [
        source.name
        for source in sorted(shipped("rules").glob("*.yaml"))
        if not _same(source, workspace.rules / source.name)
    ]
    if not others:
        return []
    return [
        Text(
            f"rules/ 中有 {len(others)} 个文件与本版本自带的不同或缺少："
            f"{'、'.join(others)}。可能是本县改过的，也可能是旧版自带的，因此未改动；"
            f"请与 {shipped('rules')} 对照。",
            f"{len(others)} files of rules/ are missing or not those shipped with this version: "
            f"{', '.join(others)}. They may be the county's own or an older version's, so they "
            f"were left alone; compare them with {shipped('rules')}.",
        )
    ]


def _same(source: Path, own: Path) -> bool:
    return own.is_file() and own.read_bytes().split() == source.read_bytes().split()
