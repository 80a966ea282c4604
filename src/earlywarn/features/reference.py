"""Writes docs/features.md: `python -m earlywarn.features.reference > docs/features.md`."""

from __future__ import annotations

import sys

from earlywarn.errors import Text
from earlywarn.features.catalogue import CATALOGUE, REGISTRY_FIELDS, Feature

_HEAD = """# Features

Made from [catalogue.yaml](../src/earlywarn/features/catalogue.yaml) by `make docs`; do not edit
by hand.

One row per student of the cohort, as of a date: nothing dated later can change a value. What is not
known is empty. Events of `outcomes` are the exception: one that was not recorded did not happen, so
`prior_dropouts` is 0 where there is none. The names are those that conditions of rules use (see
[rules.md](rules.md)). All of them in a file:

```sh
earlywarn features --as-of 2026-11-20 --out features.parquet
```

- *Kind*: a **sign** tells that something may be wrong; **context** is the frame that a child lives
  in; a **group** is membership of a monitored group. A rule must rest on a sign: groups and context
  alone are refused. *Calm* is the value of a sign when nothing is wrong, *step* the smallest change
  of a number that means something: a rule's tests notice when its limit moves by one step.
- *Range*: what a number can be (`rules check` finds conditions that can never hold by it).
- *Risk*: where the learned tables let risk grow: ↑ with the value, ↓ as it falls, · either way.
- A **sensitive** feature is no input of the classifier unless `earlywarn.yaml` names it.
"""

_FAMILIES: dict[str, Text] = {
    "absence": Text("缺勤", "Absence"),
    "lateness": Text("迟到早退", "Lateness"),
    "data": Text("数据缺口", "Gaps in the data"),
    "marks": Text("成绩", "Marks"),
    "home": Text("家庭与监测群体", "Home and monitored groups"),
    "school": Text("学校", "School"),
    "history": Text("经历与年级", "History and grade"),
}
_UNITS = {
    "share": "share, 0-1",
    "z": "standard score",
    "slope": "change in 20 school days",
    "bool": "yes/no",
    "": "text",
}
_RISK = {1: "↑", -1: "↓", 0: "·"}


def reference() -> str:
    """Return docs/features.md."""
    parts = [_HEAD]
    for family in dict.fromkeys(feature.family for feature in CATALOGUE):
        title = _FAMILIES[family]
        members = [feature for feature in CATALOGUE if feature.family == family]
        lines = [
            f"## {title.en} / {title.zh}",
            "",
            "| name | meaning | definition | from | kind | unit | range | step | calm | risk |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *(_row(feature) for feature in members),
            "",
        ]
        parts.append("\n".join(lines))
    fields = ", ".join(f"`{name}` ({kind})" for name, kind in REGISTRY_FIELDS.items())
    parts.append(
        "## Registry fields\n\n"
        "Conditions may also name these fields of the current registry record; they are context: "
        f"{fields}.\n"
    )
    return "\n".join(parts)


def _row(feature: Feature) -> str:
    kind = f"{feature.kind}, sensitive" if feature.sensitive else feature.kind
    calm = "" if feature.calm is None or feature.kind != "sign" else f"{feature.calm:g}"
    cells = (
        f"`{feature.name}`",
        f"{feature.label.zh}<br>{feature.label.en}",
        f"{feature.definition.zh}<br>{feature.definition.en}",
        feature.table,
        kind,
        _UNITS.get(feature.unit, feature.unit),
        _range(feature),
        "" if feature.step is None else f"{feature.step:g}",
        calm,
        _RISK[feature.direction],
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _range(feature: Feature) -> str:
    low, high = ("" if end is None else f"{end:g}" for end in feature.range)
    if low and high:
        return f"{low} … {high}"
    return f"≥ {low}" if low else ""


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(reference())
