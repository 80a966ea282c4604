"""`earlywarn train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    WorkspaceOption,
    command,
    open_workspace,
    output,
    parse_date,
)
from earlywarn.cli.measures import print_measures
from earlywarn.errors import Text


def train(
    name: Annotated[str, typer.Option("--name", help="The model's name / 模型名")] = "main",
    until: Annotated[
        str, typer.Option("--until", help="Read nothing dated later / 不读取此日之后的数据")
    ] = "",
    promote: Annotated[
        bool, typer.Option("--promote", help="Let `score` use it / 设为评分所用模型")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Train a model on past outcomes and test it on what came after. / 训练并检验模型。

    Example: earlywarn train --promote
    """
    from earlywarn.engine.room import room_needed
    from earlywarn.models.card import verdict
    from earlywarn.models.train import train as train_model

    out = output(lang, as_json, workspace)
    day = parse_date(until, "--until") if until else None
    opened = open_workspace(workspace)
    if (room := room_needed(opened).text()) is not None:
        out.say(room)
    with out.progress(Text("训练", "training")) as stage:
        result = train_model(opened, name, day, promote, stage)
    out.data(
        {
            "model": result.scorecard.label,
            "folder": str(result.folder),
            "promoted": result.promoted,
            "seconds": result.seconds,
            "metrics": result.metrics,
        }
    )
    out.say(
        Text(f"模型 {result.scorecard.label} 已写入。", f"Wrote model {result.scorecard.label}.")
    )
    print_measures(out, result.metrics, by_date=False)
    out.say(verdict(result.metrics))
    out.line(str(result.folder / "card.html"))
    if not result.promoted:
        out.say(
            Text(
                f"尚未启用；启用：earlywarn models promote {result.scorecard.label}",
                f"Not in use yet: earlywarn models promote {result.scorecard.label}",
            )
        )
    return 0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(command(train))
