"""Printing a model's metrics.json: the measures beside the baselines."""

from __future__ import annotations

from typing import Any

from earlywarn.cli.columns import print_columns
from earlywarn.cli.common import Output
from earlywarn.errors import Text

_SHOWN = ("auc", "ap", "recall_at_capacity", "precision_at_capacity", "recall_top_tenth")
_SHOWN_BY_DATE = ("auc", "recall_at_capacity", "recall_top_tenth")


def print_measures(out: Output, metrics: dict[str, Any], *, by_date: bool) -> None:
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
    print_columns(out, heads, measure_rows(metrics["models"], _SHOWN, out.lang))
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
        print_columns(out, heads, measure_rows(entry["models"], _SHOWN_BY_DATE, out.lang))
