"""The card's tables: every figure in them comes from metrics.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.models.card.numbers import FEW, Interval, excludes_zero, few, number, signed
from earlywarn.models.card.text import (
    AUDITS,
    BETTER,
    CHALLENGER,
    MEASURE_WORDS,
    MODELS,
    NEVER,
    SHORT_LABELS,
    candidate_name,
    measure_label,
    model_label,
    part_label,
)
from earlywarn.models.validate import COMBINED, MEASURE_LABELS

AUDIT_MEASURES = (
    "recall",
    "false_omission",
    "false_discovery",
    "auc",
    "observed_expected",
    "calibration_slope",
)
_FOLLOWED_MEASURES = ("auc", "ap", "recall_at_capacity", "observed_expected")
_DATE_MEASURES = ("recall_at_capacity", "auc")


@dataclass(frozen=True)
class Cell:
    """What a cell says, and smaller below it the interval and a remark."""

    main: str
    interval: str = ""
    remark: str = ""
    strong: bool = False
    text: bool = False
    span: int = 1


@dataclass(frozen=True)
class Row:
    """A row's head, with words for those who do not know the term, and its cells."""

    label: str
    words: str
    cells: list[Cell]
    own: bool = False


@dataclass(frozen=True)
class Table:
    """Heads (each with smaller words, the row heads' first) and rows."""

    heads: list[tuple[str, str]]
    rows: list[Row]
    title: str = ""
    notes: list[str] = field(default_factory=list)


def _valued(found: Interval | None, name: str, *, own: bool = False) -> Cell:
    value, low, high = found or [None, None, None]
    if value is None or low is None:
        return Cell(number(value, name), strong=own)
    return Cell(number(value, name), f"[{number(low, name)}, {number(high, name)}]", strong=own)


def _differs(found: Interval | None, name: str, lang: Lang) -> Cell:
    value, low, high = found or [None, None, None]
    if value is None or low is None or found is None:
        return Cell(signed(value, name))
    side = excludes_zero(found)
    better = side * BETTER.get(name, 0)
    remark = ""
    if better:
        remark = (Text("更好", "better") if better > 0 else Text("更差", "worse"))(lang)
    interval = f"[{signed(low, name)}, {signed(high, name)}]"
    return Cell(signed(value, name), interval, remark, strong=bool(side))


def data(metrics: dict[str, Any], lang: Lang) -> Table:
    """Return what was trained and tested on."""

    def count(part: dict[str, Any], name: str) -> Cell:
        return Cell(f"{part[name]:,}" if name in part else "-")

    names = (
        ("rows", Text("行数（学生×日期）", "rows (children × dates)")),
        ("rows_stood_for", Text("所代表的行数", "rows they stand for")),
        ("students", Text("学生", "children")),
        ("events", Text("其中有结果", "with the outcome")),
        ("schools", Text("学校", "schools")),
        ("dates", Text("截止日期数", "as-of dates")),
    )
    parts = [metrics["train"], metrics["test"]]
    rows = [Row(label(lang), "", [count(part, name) for part in parts]) for name, label in names]
    period = [
        Cell(f"{part['first_as_of']} – {part['last_as_of']}" if part["rows"] else "-")
        for part in parts
    ]
    rows.insert(0, Row(Text("截止日期", "as-of dates from – to")(lang), "", period))
    ends = [Cell(str(part.get("last_window_end") or "-")) for part in parts]
    rows.append(Row(Text("结果窗口止于", "windows end by")(lang), "", ends))
    rates = [Cell(number(part.get("rate"), "rate")) for part in parts]
    rows.append(Row(Text("有结果的行的比例", "share of rows with the outcome")(lang), "", rates))
    heads = [
        ("", ""),
        (Text("训练", "trained on")(lang), ""),
        (Text("检验", "tested on")(lang), ""),
    ]
    return Table(heads, rows)


def measures(metrics: dict[str, Any], lang: Lang) -> Table:
    """Return every measure (rows) of every model (columns), with intervals."""
    listed = [model for model in MODELS if model in metrics["models"]]
    rows = [
        Row(
            measure_label(name)(lang),
            MEASURE_WORDS[name](lang),
            [
                _valued(metrics["models"][model].get(name), name, own=model == COMBINED)
                for model in listed
            ],
        )
        for name in MEASURE_LABELS
    ]
    slope: Interval = metrics["calibration_slope"]
    cells = [_valued(slope, "calibration_slope", own=True), *[Cell("")] * (len(listed) - 1)]
    name = "calibration_slope"
    rows.append(Row(measure_label(name)(lang), MEASURE_WORDS[name](lang), cells))
    return Table([("", ""), *(_head(model, lang) for model in listed)], rows)


def _head(model: str, lang: Lang) -> tuple[str, str]:
    return SHORT_LABELS[model](lang), NEVER(lang) if model == CHALLENGER else ""


def differences(metrics: dict[str, Any], lang: Lang) -> Table:
    """Return this model minus each other, measure by measure, with paired intervals."""
    found = metrics["differences"]
    listed = [model for model in MODELS if model in found]
    rows = [
        Row(
            measure_label(name)(lang),
            "",
            [_differs(found[model].get(name), name, lang) for model in listed],
        )
        for name in MEASURE_LABELS
    ]
    return Table([("", ""), *(_head(model, lang) for model in listed)], rows)


def candidates(metrics: dict[str, Any], lang: Lang) -> Table | None:
    """Return the candidates for the classifier, the chosen one marked."""
    chosen = metrics.get("chosen")
    if not chosen or not chosen.get("candidates"):
        return None
    listed = chosen["candidates"]
    rows = [
        Row(
            candidate_name(entry["name"], listed, lang),
            "",
            [
                Cell(number(entry.get("recall_at_capacity"))),
                Cell(number(entry.get("ap"))),
                Cell(Text("选用", "chosen")(lang) if entry["name"] == chosen["name"] else ""),
            ],
            own=entry["name"] == chosen["name"],
        )
        for entry in listed
    ]
    heads = [measure_label(name)(lang) for name in ("recall_at_capacity", "ap")]
    return Table(
        [(Text("候选", "candidate")(lang), ""), *((head, "") for head in heads), ("", "")], rows
    )


def dates(metrics: dict[str, Any], lang: Lang) -> Table | None:
    """Return the figures at each test date."""
    entries = metrics["by_date"]
    if not entries:
        return None
    listed = [m for m in MODELS if m in metrics["models"] and m not in ("prevalence",)]
    shown = [(m, name) for name in _DATE_MEASURES for m in listed if _at_date(m, name)]
    rows = [
        Row(
            entry["as_of"],
            "",
            [
                Cell(f"{entry['rows']:,}"),
                Cell(f"{entry['events']:,}"),
                *(
                    _valued(entry["models"].get(model, {}).get(name), name, own=model == COMBINED)
                    for model, name in shown
                ),
            ],
        )
        for entry in entries
    ]
    heads = [
        (Text("截止日期", "as of")(lang), ""),
        (Text("学生", "children")(lang), ""),
        (Text("有结果", "with the outcome")(lang), ""),
        *((SHORT_LABELS[model](lang), measure_label(name)(lang)) for model, name in shown),
    ]
    return Table(heads, rows)


def _at_date(model: str, name: str) -> bool:
    """Whether the table by date shows it: it has to fit on a page."""
    return name == "auc" or model in (COMBINED, "rules_only")


def audits(metrics: dict[str, Any], lang: Lang) -> list[Table]:
    """Return one table for each way that the tested rows were divided."""
    tables = []
    for by, title in AUDITS:
        entries = [entry for entry in metrics.get("audit") or [] if entry["by"] == by]
        if not entries:
            continue
        heads = [
            ("", ""),
            (Text("学生", "children")(lang), ""),
            (Text("有结果", "with the outcome")(lang), ""),
            *((measure_label(name)(lang), "") for name in AUDIT_MEASURES),
        ]
        tables.append(Table(heads, [_audit_row(e, lang) for e in entries], title(lang)))
    return tables


def _audit_row(entry: dict[str, Any], lang: Lang) -> Row:
    counts = [Cell(few(entry[name], lang)) for name in ("students", "events")]
    label = part_label(entry)(lang)
    if not entry["enough"]:
        words = Text(
            f"太少，无法判断（至少要 {FEW} 名有结果、{FEW} 名没有结果的学生）",
            f"too few to say (it takes at least {FEW} children with the outcome and {FEW} without)",
        )
        return Row(label, "", [*counts, Cell(words(lang), text=True, span=len(AUDIT_MEASURES))])
    cells = []
    for name in AUDIT_MEASURES:
        cell = _valued(entry.get(name), name)
        apart: Interval | None = (entry.get("difference") or {}).get(name)
        remark = ""
        strong = False
        if apart and apart[0] is not None and apart[1] is not None:
            strong = bool(excludes_zero(apart))
            shown = [signed(v, name) for v in apart]
            remark = f"{'▲' if strong else ''}Δ {shown[0]}\n[{shown[1]}, {shown[2]}]"
        cells.append(Cell(cell.main, cell.interval, remark, strong))
    return Row(label, "", [*counts, *cells])


def followed(metrics: dict[str, Any], lang: Lang) -> Table | None:
    """Return the figures with and without the rows of followed-up children."""
    without = (metrics.get("followed") or {}).get("without")
    if not without:
        return None
    all_of = metrics["models"]
    listed = [model for model in MODELS if model in without and model in all_of]
    rows = [
        Row(
            model_label(model)(lang),
            "",
            [
                _valued(found[model].get(name), name, own=model == COMBINED)
                for name in _FOLLOWED_MEASURES
                for found in (all_of, without)
            ],
        )
        for model in listed
    ]
    both = (Text("全部", "all")(lang), Text("不含已跟进", "without them")(lang))
    heads = [(measure_label(name)(lang), which) for name in _FOLLOWED_MEASURES for which in both]
    return Table([("", ""), *heads], rows)
