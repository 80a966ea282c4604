"""docs/few_labels.md and its picture, from what few_labels.py measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MODELS = {"rules_only": "rules", "classifier_only": "classifier", "combined": "combined"}
NAMES = {
    "auc": "AUC",
    "recall_at_capacity": "recall at capacity",
    "recall_top_tenth": "recall in the top tenth",
}
# Okabe and Ito's colours, and a marker and a dash each: readable in grey too.
STYLES = {
    "rules_only": ("#E69F00", "s", ":"),
    "classifier_only": ("#56B4E9", "^", "--"),
    "combined": ("#000000", "o", "-"),
}
NOTICES = {
    "oulad": "OULAD: Kuzilek J., Hlosta M., Zdrahal Z., Open University Learning Analytics "
    "dataset, Scientific Data 4:170171 (2017), CC BY 4.0. Three of its four presentations are "
    "used, on every fourth week.",
    "star": "Project STAR: Achilles C. M. and others, Tennessee's Student Teacher Achievement "
    "Ratio project, Harvard Dataverse, doi:10.7910/DVN/SIWH9F, CC0 1.0.",
}


def table(data: dict[str, Any]) -> list[str]:
    """Return the lines of one data set's tables."""
    if data["generated"]:
        tested = "later dates; **generated data, nobody in it exists**"
    elif data["validation"] == "temporal":
        tested = "later dates"
    else:
        tested = "a fifth of the schools, others in each draw"
    first = data["sizes"][0]
    lines = [
        f"## {data['title']}",
        "",
        f"{data['training_events']:,} of {data['training_students']:,} students have the event in "
        f"the training rows. Tested on {tested}: {first['test_rows']:,.0f} rows, "
        f"{first['test_events']:,.0f} students with the event.",
    ]
    for measure, label in NAMES.items():
        lines += [
            "",
            f"| {label}: events | rules | classifier | combined | combined - better one | |",
            "|--:|--:|--:|--:|--:|---|",
        ]
        for size in data["sizes"]:
            cells = [_cell(*size["models"][m][measure]) for m in MODELS]
            found = size["combined_minus_better"][measure]
            middle, low, high = found["difference"]
            lines.append(
                f"| {size['events']:,.0f} | {' | '.join(cells)} | "
                f"{middle:+.3f} ({low:+.3f} to {high:+.3f}), {MODELS[found['against']]} | "
                f"{verdict(low, high)} |"
            )
    return lines


def verdict(low: float, high: float) -> str:
    """Say what the interval of combined minus the better of the others shows."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "equal within noise"


def _cell(mean: float, error: float) -> str:
    return f"{mean:.3f} ± {error:.3f}"


def page(result: dict[str, Any]) -> str:
    """Return docs/few_labels.md."""
    lines = [
        "# How many outcomes it takes",
        "",
        "Few places have many dropouts on record. Here the model is fitted to 10, 25, 50, 100 and "
        "500 students with the event, and what it combines is measured beside its parts on rows "
        "that none of them saw: the rules with their authors' points, the classifier alone, and "
        "both combined.",
        "",
        "![AUC by the number of students with the event](images/few-labels.svg)",
        "",
        f"Each figure is the mean over {result['draws']} draws ± its standard error. A draw is so "
        "many students with the event and others in the training data's own proportion, with all "
        'their rows; everything is chosen, fitted and calibrated inside the draw. "The better '
        'one" is the one of rules and classifier with the higher mean; the difference is paired '
        "by draw, with its 95 % interval over the draws. The intervals say how much depends on "
        "who is drawn. They do not say how much depends on who is tested, since the test rows are "
        "the same (except for Project STAR), and draws of 500 share many of their students.",
    ]
    for data in result["data"].values():
        lines += ["", *table(data)]
    if "star" in result["data"]:
        last = result["data"]["star"]["sizes"][-1]
        if last["events"] != last["asked"]:
            lines += [
                "",
                f"For Project STAR {last['asked']} were asked for; four fifths of its schools "
                f"have {last['events']:,.0f} on average.",
            ]
        lines += [
            "",
            "In Project STAR what is missing says something by itself, which favours the "
            "classifier: rules stay silent where a value is missing.",
        ]
    lines += [
        "",
        "## Data and how to run it",
        "",
        "The county is generated (`earlywarn simulate --profile poor-rural`): it shows that the "
        "machinery works, not how well it would work in a real county.",
        *(f"\n{text}" for name, text in NOTICES.items() if name in result["data"]),
        "",
        "`python benchmarks/few_labels.py` measures it all and writes this page, "
        "`few_labels.json` and the picture (a quarter of an hour on two cores). The open data sets "
        "are read from `data/oulad` and `data/star` in the folder `EARLYWARN_SHARED`.",
    ]
    return "\n".join(lines) + "\n"


def plot(result: dict[str, Any], path: Path) -> None:
    """Draw AUC against the number of students with the event, one panel a data set."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    settings = {"svg.hashsalt": "few-labels", "font.family": "DejaVu Sans", "font.size": 9}
    with mpl.rc_context(settings):
        sets = list(result["data"].values())
        figure, axes = plt.subplots(
            1, len(sets), figsize=(3.4 * len(sets), 3.5), squeeze=False, layout="constrained"
        )
        for axis, data in zip(axes[0], sets, strict=True):
            events = [size["events"] for size in data["sizes"]]
            for shift, (model, label) in zip((0.96, 1.04, 1.0), MODELS.items(), strict=True):
                colour, marker, dash = STYLES[model]
                found = [size["models"][model]["auc"] for size in data["sizes"]]
                axis.errorbar(
                    [shift * count for count in events],
                    [mean for mean, _ in found],
                    yerr=[1.96 * error for _, error in found],
                    label=label,
                    color=colour,
                    marker=marker,
                    linestyle=dash,
                    markersize=5,
                    capsize=2,
                )
            axis.set_xscale("log")
            axis.set_xticks(events, [f"{count:,.0f}" for count in events])
            axis.set_xticks([], minor=True)
            axis.set_title(data["title"])
            axis.grid(axis="y", color="#dddddd", linewidth=0.6)
            axis.spines[["top", "right"]].set_visible(False)
        axes[0][0].set_ylabel("AUC on rows not seen (mean, 95 % interval)")
        figure.legend(
            *axes[0][0].get_legend_handles_labels(),
            loc="outside upper center",
            ncols=len(MODELS),
            frameon=False,
        )
        figure.supxlabel("students with the event in the training rows", fontsize=9)
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)
