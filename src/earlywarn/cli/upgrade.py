"""`earlywarn upgrade`: bring a workspace of an older program up to this one."""

from __future__ import annotations

from pathlib import Path

import typer

from earlywarn.cli.common import JsonOption, LangOption, WorkspaceOption, command, output
from earlywarn.errors import Text


def register(app: typer.Typer) -> None:
    """Add `upgrade` to `app`."""
    app.command("upgrade")(command(upgrade))


def upgrade(
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Bring a workspace of an older version up to this one. / 把旧版本的工作区升级到本版本。

    Format, ledger and settings; rules are never changed. Nothing to do changes nothing.

    Example: earlywarn upgrade -w my-county
    """
    from earlywarn.upgrading import upgrade as bring_up

    out = output(lang, as_json, workspace)
    done = bring_up(workspace)
    out.data(
        {
            "changes": [
                {"place": change.place, "zh": change.what.zh, "en": change.what.en}
                for change in done.changes
            ],
            "kept": str(done.kept) if done.kept else None,
            "left": [{"zh": text.zh, "en": text.en} for text in done.left],
        }
    )
    for change in done.changes:
        out.say(Text(f"{change.place}：{change.what.zh}。", f"{change.place}: {change.what.en}."))
    if done.kept is not None:
        kept = done.kept.name
        out.say(Text(f"原来的文件留作 {kept}。", f"The file as it was is kept as {kept}."))
    for text in done.left:
        out.say(text)
    if not done.changes:
        out.say(
            Text("工作区已是最新，未作改动。", "The workspace is up to date; nothing was changed.")
        )
    return 0
