"""`earlywarn backup FILE` and `earlywarn restore FILE`: a whole workspace in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    WorkspaceOption,
    command,
    open_workspace,
    output,
)
from earlywarn.errors import Text

if TYPE_CHECKING:
    from earlywarn.backup import BackedUp

_CONFIDENTIAL = Text(
    "注意：文件里有全部学生的姓名、电话和密钥 secret.key，与工作区同样保密：请加密存放，不要外传。",
    "Careful: the file holds every child's name and phone and the key secret.key. It is as "
    "confidential as the workspace: keep it encrypted and pass it to nobody.",
)
_LEDGERS = {
    "postgresql": Text(
        "跟进台账在 PostgreSQL 服务器上，不在这份备份里：请另用 pg_dump 备份，"
        "恢复时用 pg_restore。",
        "The follow-up ledger is on a PostgreSQL server and NOT in this backup: back it up with "
        "pg_dump, and restore it with pg_restore.",
    ),
    "elsewhere": Text(
        "跟进台账（ledger_url）在工作区以外，不在这份备份里：请另行备份那个文件。",
        "The follow-up ledger (ledger_url) lies outside the workspace and is NOT in this backup: "
        "back that file up too.",
    ),
}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("backup")(command(backup))
    app.command("restore")(command(restore))


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, outside the workspace / 文件")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Write the whole workspace into one file. / 把整个工作区备份成一个文件。

    Exit code 3: the ledger is elsewhere and not in it.

    Example: earlywarn backup county-2026-11-20.zip
    """
    from earlywarn.backup import backup as write

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    with out.progress(Text("正在备份", "Backing up")) as stage:
        made = write(opened, file, stage=stage)
    return _told(out, made, Text("已备份", "Backed up"))


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote / 备份文件")],
    workspace: Annotated[
        Path, typer.Option("-w", "--workspace", help="A new or empty folder / 新的或空的文件夹")
    ] = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Bring a backup back into a new folder. / 把备份恢复到一个新文件夹。

    Every file is checked; a backup that is half there or damaged changes nothing.

    Example: earlywarn restore county-2026-11-20.zip -w county-2
    """
    from earlywarn.backup import restore as unpack

    out = output(lang, as_json)
    with out.progress(Text("正在恢复", "Restoring")) as stage:
        made = unpack(file, workspace, stage=stage)
    return _told(out, made, Text("已恢复", "Restored"))


def _told(out: Output, made: BackedUp, done: Text) -> int:
    told: dict[str, Any] = {
        "path": str(made.path),
        "files": made.files,
        "bytes": made.size,
        "ledger": made.ledger,
        "holds_secret_key": made.has_key,
    }
    missing = _LEDGERS.get(made.ledger)
    out.data(told | {"warning": missing(out.lang) if missing else None})
    size = f"{made.size / 1_000_000:.1f} MB"
    out.say(
        Text(
            f"{done.zh}：{made.path}（{made.files} 个文件，{size}）。",
            f"{done.en}: {made.path} ({made.files} files, {size}).",
        )
    )
    out.say(_CONFIDENTIAL)
    if missing is not None:
        out.say(missing)
    return 3 if missing is not None else 0
