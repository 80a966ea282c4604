"""`earlywarn score`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    UserOption,
    WorkspaceOption,
    choose_lang,
    command,
    open_workspace,
    output,
    parse_date,
    user_of,
)
from earlywarn.errors import EarlywarnError, Text
from earlywarn.words import TIER_LABELS

if TYPE_CHECKING:
    from datetime import date

    from earlywarn.scoring.engines import Engine
    from earlywarn.workspace import Workspace


@command
def score(
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest reported school day / 截止日期")
    ] = "",
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="NAME or NAME/VERSION, or none for the experts' points / 模型，none = 专家分值",
        ),
    ] = "",
    engine: Annotated[
        str, typer.Option("--engine", help="duckdb, or spark for a nation / 计算引擎")
    ] = "duckdb",
    master: Annotated[
        str,
        typer.Option("--master", help="Spark's master URL; default: local[*] / Spark 主节点"),
    ] = "",
    memory: Annotated[
        str, typer.Option("--memory", help="Memory of Spark's driver, such as 8g / Spark 内存")
    ] = "",
    tables: Annotated[
        str,
        typer.Option(
            "--tables",
            help="Tables as Parquet on any Hadoop path, for Spark; default: the workspace's / "
            "Spark 读取的表所在位置",
        ),
    ] = "",
    user: UserOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Score the cohort and write every school's watchlist. / 评分并生成各校名单。

    Uses the promoted model, else the experts' scorecard. Opens a follow-up case for each listed
    child of a tier that escalation.yaml names.

    Example: earlywarn score --as-of 2026-06-26
    """
    from earlywarn.engine.room import room_needed
    from earlywarn.watchlist.weekly import score_and_list

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    day = parse_date(as_of, "--as-of") if as_of else None
    _check_engine(engine, day, {"--tables": tables, "--master": master, "--memory": memory})
    if not tables and (room := room_needed(opened).text()) is not None:
        out.say(room)
    with (
        out.progress(Text("正在评分…", "Scoring ...")) as stage,
        _engine(engine, master, memory, tables) as chosen,
    ):
        run = score_and_list(
            opened,
            day,
            who=user_of(user),
            model=model or None,
            lang=choose_lang(lang, workspace),
            stage=stage,
            engine=chosen,
        )
    show_run(out, run.info, run.folder.path, run.is_new)
    if not as_json and not tables:  # of other tables the workspace's own say nothing
        _show_state(out, opened, run.folder.as_of)
    return 0


def _check_engine(name: str, day: date | None, of_spark: dict[str, str]) -> None:
    """Refuse an engine that there is not, and options that do not go with it."""
    if name not in ("duckdb", "spark"):
        raise EarlywarnError(
            zh=f"没有 {name} 这个引擎，可用：duckdb、spark。",
            en=f"There is no engine {name}; there are duckdb and spark.",
        )
    for option, value in of_spark.items():
        if value and name != "spark":
            raise EarlywarnError(
                zh=f"{option} 只用于 --engine spark。", en=f"{option} is for --engine spark only."
            )
    if of_spark["--tables"] and day is None:
        raise EarlywarnError(
            zh="用 --tables 时要给出 --as-of。", en="With --tables, --as-of must be given."
        )


@contextmanager
def _engine(name: str, master: str, memory: str, tables: str) -> Iterator[Engine]:
    if name == "duckdb":
        from earlywarn.scoring.engines import ON_DUCKDB

        yield ON_DUCKDB
        return
    from earlywarn.scoring.spark import OnSpark

    with closing(OnSpark(master or "local[*]", memory or None, tables)) as spark:
        yield spark


def _show_state(out: Output, workspace: Workspace, as_of: date) -> None:
    """Say which schools have not reported, and the three worst findings of the data."""
    from earlywarn.checking import line, look, not_reported, worst

    with out.progress(Text("正在检查数据…", "Checking the data ...")):
        state = look(workspace, as_of)
    silent = not_reported(state)
    if silent is not None:
        out.say(silent)
    shown = worst(state.findings)
    for one in shown:
        out.say(line(state, one))
    if len(state.findings) > len(shown):
        out.say(
            Text(
                f"共 {len(state.findings)} 项，见 earlywarn check。",
                f"{len(state.findings)} findings in all: see `earlywarn check`.",
            )
        )


def show_run(out: Output, info: dict[str, object], folder: Path, is_new: bool) -> None:
    """Print what a run found and where its lists are."""
    from earlywarn.models.watching.drift import folded

    out.data(info | {"folder": str(folder), "is_new": is_new})
    counts: dict[str, object] = info["counts"]  # type: ignore[assignment]
    tiers: dict[str, int] = counts["tiers"]  # type: ignore[assignment]
    if not is_new:
        out.say(Text("输入没有变化，沿用已有的评分。", "Nothing has changed: this run was there."))
    if info.get("generated"):
        out.say(Text("注意：这是生成的数据，不是真实学生。", "Generated data: no real children."))
    shown: dict[str, list[str]] = {"zh": [], "en": []}
    for tier, count in tiers.items():
        shown["zh"].append(f"{TIER_LABELS[tier].zh} {count}")
        shown["en"].append(f"{TIER_LABELS[tier].en} {count}")
    out.say(
        Text(
            f"截止 {info['as_of']}，模型 {info['model']}：在校 {counts['students']} 人，"
            f"{counts['schools']} 所学校，列入名单 {counts['listed']} 人；"
            f"全部在校生中：{'、'.join(shown['zh'])}。",
            f"As of {info['as_of']}, model {info['model']}: {counts['students']} students in "
            f"{counts['schools']} schools, {counts['listed']} listed; of all students: "
            f"{', '.join(shown['en'])}.",
        )
    )
    warnings: list[dict[str, str]] = info.get("warnings") or []  # type: ignore[assignment]
    for warning in folded(warnings):
        out.say(Text(f"警告：{warning.zh}", f"Warning: {warning.en}"))
    out.line(str(folder / "watchlists" / "index.html"))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score")(score)
