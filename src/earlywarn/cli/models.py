"""`earlywarn train` and `earlywarn models list|show|promote`."""

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
    output,
    parse_date,
)
from earlywarn.errors import EarlywarnError, Text
from earlywarn.workspace import Workspace

if TYPE_CHECKING:
    from earlywarn.models.scorecard import Scorecard

_SHOWN = ("auc", "ap", "recall_at_capacity", "precision_at_capacity", "recall_top_tenth")
_SHOWN_BY_DATE = ("auc", "recall_at_capacity", "recall_top_tenth")


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
    from earlywarn.models.card import verdict
    from earlywarn.models.train import train as train_model

    out = output(lang, as_json, workspace)
    day = parse_date(until, "--until") if until else None
    with out.progress(Text("训练", "training")) as stage:
        result = train_model(Workspace.open(workspace), name, day, promote, stage)
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
    _metrics(out, result.metrics, by_date=False)
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


def list_models(
    workspace: WorkspaceOption = Path(), as_json: JsonOption = False, lang: LangOption = ""
) -> int:
    """List the models, the promoted one marked. / 列出模型。

    Example: earlywarn models list
    """
    from earlywarn.models import registry

    out = output(lang, as_json, workspace)
    entries = registry.list_models(Workspace.open(workspace))
    out.data(
        [
            {
                "model": entry.label,
                "promoted": entry.promoted,
                "created": entry.created,
                "data": entry.data,
                "problem": entry.problem.text(out.lang) if entry.problem else None,
            }
            for entry in entries
        ]
    )
    if not entries:
        out.say(
            Text("还没有模型。请运行 earlywarn train。", "No models yet. Run `earlywarn train`.")
        )
    for entry in entries:
        mark = "*" if entry.promoted else " "
        events = entry.data.get("train", {}).get("events", "")
        note = entry.problem.text(out.lang) if entry.problem else ""
        shown = Text(f"{events} 名", f"{events} events")(out.lang) if events != "" else ""
        out.line("  ".join(part for part in (f"{mark} {entry.label}", entry.created, shown, note)))
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
    from earlywarn.models import registry
    from earlywarn.models.card import verdict

    out = output(lang, as_json, workspace)
    opened = Workspace.open(workspace)
    scorecard = registry.load(opened, model) if model else registry.promoted(opened)
    if scorecard is None:
        raise EarlywarnError(
            zh="没有启用的模型。请指定 NAME/VERSION，或运行 earlywarn train --promote。",
            en="No model is promoted. Name one as NAME/VERSION, or run `earlywarn train "
            "--promote`.",
        )
    folder = opened.models / scorecard.name / str(scorecard.version)
    metrics = registry.read_metrics(folder)
    manifest = registry.read_manifest(folder)
    moved = _weights(scorecard)
    out.data(
        {"model": scorecard.label, "manifest": manifest.model_dump(), "metrics": metrics}
        | ({"weights": moved} if weights else {})
    )
    out.line(f"{scorecard.label}  {manifest.created}")
    if scorecard.generated:
        out.say(Text("基于生成的数据", "trained on generated data"))
    if metrics:
        _metrics(out, metrics, by_date=True)
        out.say(verdict(metrics))
    else:
        out.say(
            Text(
                "专家评分卡：权重即作者的分值，没有检验数据。",
                "The experts' scorecard: weights are the authors' points; nothing was tested.",
            )
        )
    if weights:
        heads = Text("规则 分值 权重 变化", "rule points weight moved")(out.lang).split()
        rows = [
            [m["rule"], *(f"{m[key]:+.2f}" for key in ("points", "weight", "moved"))] for m in moved
        ]
        _table(out, heads, rows)
    return 0


def promote(
    model: Annotated[str, typer.Argument(help="NAME/VERSION")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Let `score` use a model. / 启用模型。

    Example: earlywarn models promote main/2
    """
    from earlywarn.models import registry

    out = output(lang, as_json, workspace)
    opened = Workspace.open(workspace)
    with opened.lock("models promote"):
        scorecard = registry.promote(opened, model)
    out.data({"promoted": scorecard.label})
    out.say(Text(f"已启用 {scorecard.label}。", f"{scorecard.label} is in use now."))
    return 0


def _weights(scorecard: Scorecard) -> list[dict[str, Any]]:
    return [
        {
            "rule": rule.id,
            "points": rule.points,
            "weight": rule.weight,
            "moved": rule.weight - rule.points,
        }
        for rule in sorted(scorecard.rules, key=lambda r: (-abs(r.weight - r.points), r.id))
    ]


def _metrics(out: Output, metrics: dict[str, Any], *, by_date: bool) -> None:
    """Print the measures beside the baselines, in all and for each test date."""
    from earlywarn.models.card import BY_SCHOOL, measure_rows
    from earlywarn.models.validate import MEASURE_LABELS

    if metrics["validation"] == "by_school":
        out.say(BY_SCHOOL)
    for part, text in (
        ("train", Text("训练", "trained on")),
        ("test", Text("检验", "tested on")),
    ):
        period = metrics[part]
        if period["rows"]:
            out.say(
                Text(
                    f"{text.zh} {period['first_as_of']} 至 {period['last_as_of']}："
                    f"{period['rows']} 行，{period['events']} 名学生有结果",
                    f"{text.en} {period['first_as_of']} to {period['last_as_of']}: "
                    f"{period['rows']} rows, {period['events']} students with the outcome",
                )
            )
    for note in metrics["notes"]:
        out.line(note[out.lang])
    heads = ["", *(MEASURE_LABELS[name](out.lang) for name in _SHOWN)]
    _table(out, heads, measure_rows(metrics["models"], _SHOWN, out.lang))
    out.say(
        Text(f"最好的单条规则：{metrics['best_rule']}", f"best single rule: {metrics['best_rule']}")
    )
    for entry in metrics["by_date"] if by_date else []:
        out.line("")
        out.say(
            Text(
                f"{entry['as_of']}：{entry['rows']} 名学生，{entry['events']} 名有结果",
                f"{entry['as_of']}: {entry['rows']} students, {entry['events']} with the outcome",
            )
        )
        heads = ["", *(MEASURE_LABELS[name](out.lang) for name in _SHOWN_BY_DATE)]
        _table(out, heads, measure_rows(entry["models"], _SHOWN_BY_DATE, out.lang))


def _table(out: Output, heads: list[str], rows: list[list[str]]) -> None:
    """Print columns that stand straight, Chinese characters counted as two wide."""
    lines = [heads, *rows]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [cell + " " * (widths[i] - _width(cell)) for i, cell in enumerate(line)]
        out.line("  " + "  ".join(cells).rstrip())


def _width(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("train")(command(train))
    models = typer.Typer(
        help="The models: list, show, promote. / 模型：列出、显示、启用。", no_args_is_help=True
    )
    models.command("list")(command(list_models))
    models.command("show")(command(show))
    models.command("promote")(command(promote))
    app.add_typer(models, name="models")
