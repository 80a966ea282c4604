"""`earlywarn models list|show|promote|rollback`; the group's other commands are put in here too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli import models_watch, train
from earlywarn.cli.columns import print_columns
from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    WorkspaceOption,
    command,
    open_workspace,
    output,
)
from earlywarn.cli.measures import print_measures
from earlywarn.errors import Text


def list_models(
    workspace: WorkspaceOption = Path(), as_json: JsonOption = False, lang: LangOption = ""
) -> int:
    """List the models, the promoted one marked. / 列出模型。

    Example: earlywarn models list
    """
    from earlywarn.models.store import registry
    from earlywarn.models.store.shipped import NOTE

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    own = registry.list_models(opened)
    entries = [*own, *registry.list_shipped(opened)]
    out.data(
        [
            {
                "model": entry.label,
                "promoted": entry.promoted,
                "shipped": entry.is_shipped,
                "created": entry.created,
                "data": entry.data,
                "problem": entry.problem.text(out.lang) if entry.problem else None,
            }
            for entry in entries
        ]
    )
    if not own:
        out.say(
            Text("还没有模型。请运行 earlywarn train。", "No models yet. Run `earlywarn train`.")
        )
    for entry in entries:
        parts = ["* " if entry.promoted else "  ", entry.label]
        notes = [entry.created]
        if entry.events is not None:
            notes.append(Text(f"{entry.events} 名", f"{entry.events} events")(out.lang))
        if entry.is_shipped:
            notes.append(NOTE(out.lang))
        if entry.problem:
            notes.append(entry.problem.text(out.lang))
        out.line("  ".join(["".join(parts), *(note for note in notes if note)]))
    return 0


def show(
    model: Annotated[str, typer.Argument(help="NAME/VERSION (default: the promoted)")] = "",
    weights: Annotated[
        bool, typer.Option("--weights", help="Each rule's weight and points / 各规则的权重与分值")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Show a model's figures beside the baselines, per test date too. / 显示模型的检验结果。

    Example: earlywarn models show main/1 --weights
    """
    from earlywarn.models.card import verdict
    from earlywarn.models.store import registry
    from earlywarn.models.store.shipped import NOTE
    from earlywarn.models.weights import HEADS, weight_rows

    out = output(lang, as_json, workspace)
    found, scorecard = registry.open_model(open_workspace(workspace), model)
    metrics = registry.read_metrics(found.folder)
    manifest = registry.read_manifest(found.folder)
    moved = weight_rows(scorecard, metrics)
    out.data(
        {
            "model": scorecard.label,
            "shipped": found.is_shipped,
            "manifest": manifest.model_dump(),
            "metrics": metrics,
        }
        | ({"weights": [row.as_json(out.lang) for row in moved]} if weights else {})
    )
    out.line(f"{scorecard.label}  {manifest.created}")
    if found.is_shipped:
        out.say(NOTE)
    elif scorecard.generated:
        out.say(Text("基于生成的数据", "trained on generated data"))
    if metrics:
        print_measures(out, metrics, by_date=True)
        out.say(verdict(metrics))
    else:
        out.say(
            Text(
                "专家评分卡：权重即作者的分值，没有检验数据。",
                "The experts' scorecard: weights are the authors' points; nothing was tested.",
            )
        )
    if weights:
        heads = [head(out.lang) for head in HEADS]
        print_columns(out, heads, [row.cells(out.lang) for row in moved])
    return 0


def promote(
    model: Annotated[str, typer.Argument(help="NAME/VERSION")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Let `score` use a model. / 启用模型。

    One that ships with the program is copied into the workspace first.

    Example: earlywarn models promote main/2
    """
    from earlywarn.models.store import registry

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    with opened.lock("models promote"):
        scorecard = registry.promote(opened, model)
    out.data({"promoted": scorecard.label})
    out.say(Text(f"已启用 {scorecard.label}。", f"{scorecard.label} is in use now."))
    if scorecard.name == registry.DEMONSTRATION:
        out.say(
            Text(
                "注意：它是用生成的数据训练的，只供演示，不能用来判断真实的学生。",
                "Mind: it was trained on generated data, for demonstration; it is not for judging "
                "real children.",
            )
        )
    return 0


def rollback(
    workspace: WorkspaceOption = Path(), as_json: JsonOption = False, lang: LangOption = ""
) -> int:
    """Go back to the model that was promoted before. / 回退到之前启用的模型。

    Where none was, the experts' points are used again.

    Example: earlywarn models rollback
    """
    from earlywarn.models.store import registry

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    with opened.lock("models rollback"):
        done = registry.rollback(opened)
    now = done.now.label if done.now else None
    out.data({"was": done.was, "promoted": now})
    if now:
        out.say(Text(f"已从 {done.was} 回退到 {now}。", f"Back from {done.was} to {now}."))
    else:
        out.say(
            Text(
                f"已停用 {done.was}；之前没有启用过模型，现在用专家分值评分。",
                f"{done.was} is no longer in use; no model was promoted before it, so the experts' "
                "points are used.",
            )
        )
    return 0


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    train.register(app)
    models = typer.Typer(
        help="The models: list, show, compare, promote, roll back, monitor. / "
        "模型：列出、显示、比较、启用、回退、监测。",
        no_args_is_help=True,
    )
    models.command("list")(command(list_models))
    models.command("show")(command(show))
    models.command("compare")(command(models_watch.compare))
    models.command("promote")(command(promote))
    models.command("rollback")(command(rollback))
    models.command("monitor")(command(models_watch.monitor))
    app.add_typer(models, name="models")
