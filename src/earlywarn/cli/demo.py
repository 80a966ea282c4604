"""`earlywarn demo`: from nothing to watchlists with one command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import JsonOption, LangOption, command, output
from earlywarn.cli.score import show_run


@command
def demo(
    out: Annotated[Path, typer.Option("--out", help="The new folder / 新文件夹")] = Path(
        "earlywarn-demo"
    ),
    students: Annotated[
        int, typer.Option("--students", help="Children in the generated city / 学生数")
    ] = 66_259,
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Make a generated city, train, score, and write every school's watchlist.

    生成一个虚构城市，训练、评分并写出各校名单，最后打印 index.html 的位置。

    Example: earlywarn demo --out demo --students 3000
    """
    from earlywarn.simulate.demo import run_demo
    from earlywarn.simulate.plan import Plan

    words = output(lang, as_json)
    plan = Plan(students=students, lang=words.lang)
    done = run_demo(out, plan, words.lang, words.say)
    info = done.run.info | {"demo_seconds": done.seconds}
    show_run(words, info, done.run.folder.path, done.run.is_new)
    if sys.stdout.isatty() and not as_json:
        typer.launch(str(done.index))
    return 0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)
