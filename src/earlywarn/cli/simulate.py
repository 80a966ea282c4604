"""`earlywarn simulate`: a workspace with a generated city in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earlywarn.cli.common import JsonOption, LangOption, command, output
from earlywarn.errors import Text


def register(app: typer.Typer) -> None:
    """Add `simulate` to `app`."""

    @app.command()
    @command
    def simulate(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new workspace / 新工作区")],
        students: Annotated[
            int, typer.Option("--students", help="Children on the last year's first day / 学生数")
        ] = 66_259,
        years: Annotated[
            int, typer.Option("--years", help="School years up to 2026-06-30 / 学年数")
        ] = 3,
        profile: Annotated[
            str, typer.Option("--profile", help="city | poor-rural / 城市或贫困农村")
        ] = "city",
        seed: Annotated[
            int, typer.Option("--seed", help="The same seed gives the same data / 随机种子")
        ] = 20260901,
        csv: Annotated[
            bool,
            typer.Option("--csv", help="Also write the tables as CSV into DIR/source / 另存 CSV"),
        ] = False,
        households: Annotated[
            bool,
            typer.Option(
                "--households",
                help="Also write a household list and a poverty list, with slips and their truth, "
                "as CSV into DIR/source / 另存户籍名单与贫困名单（含差错与真值）",
            ),
        ] = False,
        as_json: JsonOption = False,
        lang: LangOption = "",
    ) -> int:
        """Make a workspace with generated data: nobody in it exists.

        生成一个虚构的城市（学校、学生、考勤、成绩），用于演示和测试。

        Example: earlywarn simulate demo-city --students 3000 --years 3 --profile city --seed 1
        """
        from earlywarn.simulate.city import simulate as generate
        from earlywarn.simulate.plan import Plan
        from earlywarn.tables.batches import read_batches

        out = output(lang, as_json)
        plan = Plan(
            students=students, years=years, profile=profile, seed=seed, csv=csv, lang=out.lang
        )
        with out.progress(Text("正在生成", "Generating")) as stage:
            made = generate(folder, plan, lambda text: stage(text(out.lang)), households=households)
        rows: dict[str, int] = {}
        for batch in read_batches(made).batches:
            for part in batch.parts:
                rows[part.table] = rows.get(part.table, 0) + part.rows
        source = str(made.root / "source") if csv or households else None
        out.data({"workspace": str(made.root), "generated": True, "rows": rows, "source": source})
        out.say(
            Text(
                f"已生成工作区：{made.root}（全部为虚构数据）",
                f"Generated workspace: {made.root} (nobody in it exists)",
            )
        )
        for table, count in rows.items():
            out.line(f"  {table:<14} {count:>12,}")
        if source:
            out.say(Text(f"CSV 文件在：{source}", f"The CSV files: {source}"))
        return 0
