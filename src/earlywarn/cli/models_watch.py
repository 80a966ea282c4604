"""`earlywarn models compare|monitor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from earlywarn.cli.columns import print_columns
from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    WorkspaceOption,
    open_workspace,
    output,
    parse_date,
)
from earlywarn.errors import Lang, Text

_ROWS = 15  # of a table on the terminal; --json has all


def compare(
    model: Annotated[str, typer.Argument(help="NAME/VERSION")],
    other: Annotated[str, typer.Argument(help="NAME/VERSION (default: the promoted)")] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Set two models side by side. / 比较两个模型。

    Whether both were tested on the same rows, their figures, features, rules' weights and tables.

    Example: earlywarn models compare main/1 main/2
    """
    from earlywarn.models.store import registry
    from earlywarn.models.watching import compare as comparing

    out = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    sides = [comparing.Side.of(*registry.open_model(opened, label)) for label in (model, other)]
    found = comparing.compare(sides[0], sides[1])
    out.data(found)
    _print_comparison(out, found)
    return 0


def _print_comparison(out: Output, found: dict[str, Any]) -> None:
    from earlywarn.features.catalogue import FEATURES
    from earlywarn.models.card import with_interval
    from earlywarn.models.validate import MEASURE_LABELS

    labels = found["models"]
    out.line(found["said"][out.lang])
    if found["measures"]:
        print_columns(
            out,
            ["", *labels],
            [
                [
                    MEASURE_LABELS[name](out.lang) if name in MEASURE_LABELS else name,
                    *(with_interval(value, name) if value else "-" for value in pair),
                ]
                for name, pair in found["measures"].items()
            ],
        )
    for label, period in zip(labels, found["periods"], strict=True):
        out.line(f"{label}: " + _period(out, period))
    if found["settings"]:
        _head(out, Text("整体设置的差别", "settings that differ"))
        print_columns(
            out,
            ["", *labels],
            [
                [name, *(_setting(value) for value in pair)]
                for name, pair in found["settings"].items()
            ],
        )
    for label, names in zip(labels, found["features"]["only"], strict=True):
        if names:
            listed = ", ".join(names)
            out.say(Text(f"只有 {label} 使用的特征：{listed}", f"used by {label} only: {listed}"))
    if found["rules"]:
        _head(out, Text("权重不同的规则", "rules whose weights differ"))
        changed = Text("条件已改", "condition changed")(out.lang)
        rows = [
            [
                row["rule"],
                *("-" if weight is None else f"{weight:+.2f}" for weight in row["weights"]),
                f"{row['difference']:+.2f}",
                changed if row["changed"] else "",
            ]
            for row in found["rules"]
        ]
        _columns(out, ["", *labels, Text("差", "difference")(out.lang), ""], rows)
    if found["tables"]:
        _head(out, Text("差别最大的特征表（对数几率）", "tables that differ most (log-odds)"))
        rows = [
            [
                FEATURES[row["feature"]].label(out.lang),
                _where(out, row),
                *(f"{value:+.2f}" for value in row["values"]),
                f"{row['difference']:+.2f}",
            ]
            for row in found["tables"]
        ]
        heads = ["", Text("取值", "where")(out.lang), *labels, Text("差", "difference")(out.lang)]
        _columns(out, heads, rows)


def _period(out: Output, period: dict[str, Any]) -> str:
    parts = []
    for name, words in (("train", Text("训练", "trained")), ("test", Text("检验", "tested"))):
        found = period[name]
        if isinstance(found, dict) and found.get("rows"):
            first, last = found.get("first_as_of", "?"), found.get("last_as_of", "?")
            rows, events = found["rows"], found.get("events", "?")
            parts.append(
                Text(
                    f"{words.zh} {first} 至 {last}（{rows} 行，{events} 名有结果）",
                    f"{words.en} {first} to {last} ({rows} rows, {events} with the outcome)",
                )(out.lang)
            )
    return Text("，", ", ")(out.lang).join(parts) or "-"


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:12]


def _where(out: Output, row: dict[str, Any]) -> str:
    if row["missing"]:
        return Text("缺失", "missing")(out.lang)
    low, high = row["above"], row["up_to"]
    if high is None:
        return "" if low is None else f"> {low:.4g}"
    return f"<= {high:.4g}" if low is None else f"> {low:.4g}, <= {high:.4g}"


def monitor(
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest scored day / 截止日期")
    ] = "",
    model: Annotated[
        str, typer.Option("--model", help="NAME/VERSION (default: the promoted) / 模型")
    ] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Whether a model still fits: drift, and what came true. / 监测模型是否仍然适用。

    Compares the cohort with the training data, and past scores with what happened since.

    Example: earlywarn models monitor --as-of 2026-06-26
    """
    from earlywarn.scoring.monitoring import monitor as watch

    out = output(lang, as_json, workspace)
    day = parse_date(as_of, "--as-of") if as_of else None
    with out.progress(Text("正在比较…", "Comparing ...")) as stage:
        found = watch(open_workspace(workspace), day, model, stage)
    out.data(found)
    out.say(
        Text(
            f"模型 {found['model']}，截止 {found['as_of']}",
            f"Model {found['model']}, as of {found['as_of']}",
        )
    )
    if found["drift"]:
        _print_drift(out, found["drift"])
    if found["calibration"]:
        _print_calibration(out, found["calibration"])
    for note in found["notes"]:
        out.line(note[out.lang])
    return 0


def _input(shift: dict[str, Any], lang: Lang) -> str:
    """Return the name of what has shifted: a feature in words, a rule by its id."""
    from earlywarn.features.catalogue import FEATURES

    if shift["kind"] == "score":
        return Text("分数", "score")(lang)
    return FEATURES[shift["name"]].label(lang) if shift["kind"] == "feature" else shift["name"]


def _print_drift(out: Output, moved: dict[str, Any]) -> None:
    from earlywarn.models.watching.drift import BAND_WORDS

    then = moved["trained_on"]
    verdict = BAND_WORDS[moved["verdict"]]
    out.say(
        Text(
            f"与训练时（{then['first_as_of']} 至 {then['last_as_of']}）相比，"
            f"{moved['students']} 名学生：{verdict.zh}（只看模型用到的输入）。",
            f"Against training ({then['first_as_of']} to {then['last_as_of']}), "
            f"{moved['students']} students: {verdict.en} (by the inputs that the model uses).",
        )
    )
    unused = Text("（未用）", " (not used)")(out.lang)

    def rows(shifts: list[dict[str, Any]]) -> list[list[str]]:
        return [
            [
                _input(s, out.lang) + ("" if s["used"] else unused),
                f"{s['psi']:.3f}",
                f"{s['usual']:.3f}",
                BAND_WORDS[s["band"]](out.lang),
                f"{s['then']:.4f}",
                f"{s['now']:.4f}",
            ]
            for s in shifts
        ]

    for title, shifts, side in (
        (Text("输出", "output"), [moved["score"]], Text("平均分", "mean score")),
        (Text("特征", "features"), moved["features"], Text("缺失", "missing")),
        (Text("规则", "rules"), moved["rules"], Text("命中", "hits")),
    ):
        if shifts:
            heads = Text(
                f"{title.zh}|PSI|训练时各次最大|判断|训练时{side.zh}|现在{side.zh}",
                f"{title.en}|PSI|most in training|verdict|{side.en} then|{side.en} now",
            )(out.lang)
            _columns(out, heads.split("|"), rows(shifts))
    if moved["rules_not_compared"]:
        names = ", ".join(moved["rules_not_compared"])
        out.say(
            Text(
                f"训练后新增或条件已改、无法比较的规则：{names}",
                f"rules that are new or whose condition has changed since, not compared: {names}",
            )
        )


def _print_calibration(out: Output, found: dict[str, Any]) -> None:
    from earlywarn.models.card import with_interval
    from earlywarn.models.watching.monitor import PART_WORDS, verdict_words

    _head(
        out,
        Text(
            f"训练以来的预测与实际（结果收齐到 {found['complete_until']}）",
            f"What was foretold and what happened (outcomes known until {found['complete_until']})",
        ),
    )
    heads = Text(
        "|预测|实际|实际/预测|ROC-AUC|学生|判断",
        "|foretold|seen|seen / foretold|ROC-AUC|children|verdict",
    )(out.lang).split("|")

    def row(name: str, part: str, figures: dict[str, Any]) -> list[str]:
        return [
            name,
            f"{figures['expected']:.1f}",
            str(figures["observed"]),
            with_interval(figures["observed_expected"]),
            with_interval(figures["auc"]),
            str(figures["students"]),
            verdict_words(figures["verdict"], part)(out.lang),
        ]

    total = found["total"]
    print_columns(
        out, heads, [row(PART_WORDS[part](out.lang), part, total[part]) for part in PART_WORDS]
    )
    for part, words in PART_WORDS.items():
        _head(out, Text(f"各次评分，{words.zh}", f"each run, {words.en}"))
        _columns(
            out, heads, [row(run["as_of"], part, run[part]) for run in found["runs"]], newest=True
        )


def _columns(out: Output, heads: list[str], rows: list[list[str]], *, newest: bool = False) -> None:
    """Print the first rows of a long table (`newest`: the last), and say how many were left out."""
    print_columns(out, heads, rows[-_ROWS:] if newest else rows[:_ROWS])
    more = len(rows) - _ROWS
    if more > 0:
        out.say(Text(f"  另有 {more} 行，见 --json", f"  {more} more rows: see --json"))


def _head(out: Output, text: Text) -> None:
    out.line("")
    out.say(text)
