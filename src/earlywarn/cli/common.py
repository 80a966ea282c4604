"""What every command shares: the workspace option, language, JSON, progress, and plain errors."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earlywarn.errors import EarlywarnError, Lang, Text, UsageError
from earlywarn.words import FIRST_YEAR, LAST_YEAR, can_be

if TYPE_CHECKING:
    from earlywarn.workspace import Workspace

WorkspaceOption = Annotated[
    Path, typer.Option("-w", "--workspace", help="The workspace folder / 工作区文件夹")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output / 输出 JSON")]
RoleOption = Annotated[
    str, typer.Option("--role", help="Who is asking (default: the config's) / 角色（默认按配置）")
]
UserOption = Annotated[
    str, typer.Option("--user", help="Who does it (default: you) / 操作人（默认当前用户）")
]
LangOption = Annotated[
    str, typer.Option("--lang", help="zh | en (default: the config's / 默认按配置)")
]


@dataclass
class Output:
    """Where a command's words go: text or JSON on stdout, progress and errors on stderr."""

    lang: Lang
    as_json: bool

    def say(self, text: Text) -> None:
        """Print one line for people (nothing under --json)."""
        if not self.as_json:
            print(text(self.lang))

    def line(self, line: str) -> None:
        """Print one line as it stands (nothing under --json)."""
        if not self.as_json:
            print(line)

    def data(self, value: Any) -> None:
        """Print `value` as JSON (only under --json)."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, indent=1, default=str))

    @contextmanager
    def progress(self, text: Text) -> Iterator[Callable[[str], None]]:
        """Show a spinner with `text` while the block runs; call what is yielded with the stage."""
        from rich.console import Console

        console = Console(stderr=True)
        if self.as_json or not console.is_terminal:
            yield lambda stage: None
            return
        with console.status(text(self.lang)) as status:
            yield lambda stage: status.update(f"{text(self.lang)} {stage}")


def open_workspace(folder: Path) -> Workspace:
    """Open the workspace at `folder`; imported only here, so that `--help` stays quick."""
    from earlywarn.workspace import Workspace

    return Workspace.open(folder)


def user_of(asked: str) -> str:
    """Return who acts: the name asked for, else the system's user."""
    from earlywarn.workspace import system_user

    return asked.strip() or system_user()


def choose_lang(option: str, workspace: Path | None = None) -> Lang:
    """Pick the language: --lang, else EARLYWARN_LANG, else the workspace's config, else zh."""
    chosen = option or os.environ.get("EARLYWARN_LANG", "")
    if not chosen and workspace is not None:
        try:
            return open_workspace(workspace).config.lang
        except EarlywarnError:
            return "zh"
    if chosen in ("", "zh"):
        return "zh"
    if chosen == "en":
        return "en"
    raise UsageError(
        zh=f"--lang 只能是 zh 或 en，不是 {chosen}。", en=f"--lang is zh or en, not {chosen}."
    )


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Wrap a command: its return value is the exit code, an `EarlywarnError` one plain message.

    The function may have parameters `workspace: WorkspaceOption`, `as_json: JsonOption` and
    `lang: LangOption`; they choose the language and form of an error's message too. One with a
    parameter `context: typer.Context` may be a group's own command: it does not run where one of
    the group's others is called.
    """

    @functools.wraps(function)
    def wrapped(**arguments: Any) -> None:
        context = arguments.get("context")
        if context is not None and context.invoked_subcommand is not None:
            return
        try:
            code = function(**arguments) or 0
        except EarlywarnError as error:
            report_error(error, **arguments)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            plain = _in_words(error, **arguments) or _cannot_use(error)
            report_error(plain, **arguments)
            raise typer.Exit(plain.exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except Exception as error:
            told = _in_words(error, **arguments)
            if told is None:
                raise
            report_error(told, **arguments)
            raise typer.Exit(told.exit_code) from None
        raise typer.Exit(code)

    return wrapped


def _in_words(error: Exception, **arguments: Any) -> EarlywarnError | None:
    """Put a full disk, too little memory or a damaged table into words; None of any other error."""
    workspace = arguments.get("workspace")
    if workspace is None or "duckdb" not in sys.modules:
        return None
    from duckdb import Error

    from earlywarn.engine.room import in_words
    from earlywarn.tables.batchlist import read_batches
    from earlywarn.tables.views import find_damage

    try:
        opened = open_workspace(workspace)
    except EarlywarnError:  # the workspace itself is in trouble: what failed first is told
        return None
    no_room = in_words(error, opened)
    if no_room is not None or not isinstance(error, Error):
        return no_room
    try:
        return find_damage(opened, read_batches(opened))
    except EarlywarnError as damaged_list:
        return damaged_list


def _cannot_use(error: OSError) -> EarlywarnError:
    """Say which file the system refuses, and why, in the system's own words."""
    path, cause = error.filename or "", error.strerror or str(error)
    return EarlywarnError(
        zh=f"无法读写 {path}：{cause}。请检查路径、权限和磁盘空间后重试。",
        en=f"Cannot read or write {path}: {cause}. Check the path, the permissions and the disk "
        "space, then try again.",
    )


def report_error(error: EarlywarnError, **arguments: Any) -> None:
    """Print an error as the command's options ask: one line on stderr, or JSON on stdout."""
    try:
        lang = choose_lang(arguments.get("lang") or "", arguments.get("workspace"))
    except UsageError:
        lang = "en"
    if arguments.get("as_json"):
        shown = {"error": error.text(lang), "zh": error.text.zh, "en": error.text.en}
        print(json.dumps(shown, ensure_ascii=False, indent=1))
    else:
        print(error.text(lang), file=sys.stderr)


def output(lang: str, as_json: bool, workspace: Path | None = None) -> Output:
    """Return the `Output` for a command's options."""
    return Output(choose_lang(lang, workspace), as_json)


def parse_date(value: str, option: str) -> date:
    """Read an option's date, 2026-11-20 (UsageError otherwise)."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise UsageError(
            zh=f"{option} 的值 {value} 不是日期，请写成 2026-11-20 这样。",
            en=f"{option}: {value} is not a date; write it like 2026-11-20.",
        ) from None
    if not can_be(day):
        raise UsageError(
            zh=f"{option} 的值 {value} 不在 {FIRST_YEAR} 至 {LAST_YEAR} 年之间。",
            en=f"{option}: {value} is not between {FIRST_YEAR} and {LAST_YEAR}.",
        )
    return day
