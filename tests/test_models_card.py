"""The model's card: what it says comes from metrics.json, in two languages, and can be printed."""

from __future__ import annotations

import copy
import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from earlywarn import __version__
from earlywarn.errors import Text
from earlywarn.models.card import card, measure_rows, number, plots, verdict, with_interval
from earlywarn.models.card.page import account
from earlywarn.models.card.shapes import drawn_tables
from earlywarn.models.scorecard import FeatureTable, RuleWeight, Scorecard
from earlywarn.rules.pack import load_rulebook

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden" / "model_card.txt"
RULES = ("absence-10", "absence-20", "aid-gap")
MODELS = (
    "combined",
    "rules_only",
    "classifier_only",
    "best_rule",
    "school_only",
    "prevalence",
    "challenger",
)
NEW_KEYS = ("chosen", "curves", "audit", "followed", "rules", "looked_at", "test_hash")
AUDITED = (
    "recall",
    "false_omission",
    "false_discovery",
    "auc",
    "observed_expected",
    "calibration_slope",
)


def _around(value, width=0.02):
    return [round(v, 6) for v in (value, value - width, value + width)]


def _measures(auc):
    return {
        "auc": _around(auc),
        "ap": _around(auc - 0.45),
        "recall_at_capacity": _around(auc - 0.31),
        "precision_at_capacity": _around(auc - 0.44),
        "recall_top_tenth": _around(auc - 0.17),
        "precision_top_tenth": _around(auc - 0.43),
        "brier": _around(0.003, 0.0004),
        "observed_expected": _around(1.07),
    }


def _curves(lift):
    return {
        "roc": [[0.0, 0.0], [0.2, 0.2 + lift], [1.0, 1.0]],
        "pr": [[0.1, 0.1 + lift], [1.0, 0.02]],
        "calibration": [
            {"predicted": 0.001, "observed": 0.0, "low": 0.0, "high": 0.01, "rows": 9, "events": 0},
            {"predicted": 0.1, "observed": 0.12, "low": 0.1, "high": 0.2, "rows": 9, "events": 3},
        ],
        "decision": [[0.01, 0.01 + lift / 100, 0.009, 0.02], [0.2, 0.0, -0.001, 0.001]],
        "capacity": [[0.0, 0.0, 0.0, 0.0], [0.1, lift, lift - 0.1, lift + 0.1]],
    }


def _part(by, name, value, *, enough=True, **more):
    known = {m: _around(value + i / 100) if enough else [None] * 3 for i, m in enumerate(AUDITED)}
    apart = {m: _around(i / 50, 0.03) if enough else [None] * 3 for i, m in enumerate(AUDITED)}
    counts = {"rows": 900, "students": 321, "events": 43} if enough else {"rows": 9, "events": 1}
    return (
        {"by": by, "name": name, "students": 5, **counts, "enough": enough}
        | known
        | {
            "difference": apart,
            **more,
        }
    )


def metrics(**changes):
    aucs = dict(zip(MODELS, (0.87, 0.81, 0.86, 0.7, 0.6, 0.5, 0.88), strict=True))
    period = {
        "rows": 1234,
        "rows_stood_for": 5678,
        "students": 345,
        "schools": 7,
        "events": 89,
        "rate": 0.0125,
        "dates": 3,
        "first_as_of": "2026-03-02",
        "last_as_of": "2026-03-16",
        "last_window_end": "2026-06-14",
    }
    found = {
        "format": 1,
        "validation": "temporal",
        "train": period,
        "test": period | {"rows": 432, "first_as_of": "2026-09-07", "last_as_of": "2026-09-21"},
        "left_out_lost_from_sight": 17,
        "events_fitted_on": 89,
        "events_calibrated_on": 23,
        "best_rule": "absence-20",
        "models": {name: _measures(auc) for name, auc in aucs.items()},
        "differences": {
            name: {m: _around(0.061 if m == "auc" else 0.003) for m in _measures(0.9)}
            for name in MODELS[1:]
        },
        "calibration_slope": _around(0.93),
        "verdict": {
            "measure": "recall_at_capacity",
            "difference": [0.06, 0.02, 0.1],
            "auc_difference": [0.06, 0.04, 0.08],
            "better": True,
        },
        "by_date": [
            {
                "as_of": "2026-09-07",
                "rows": 144,
                "events": 11,
                "models": {name: _measures(auc - 0.013) for name, auc in aucs.items()},
            }
        ],
        "notes": [{"zh": "某项说明。", "en": "Some note."}],
        "outcomes_complete_until": "2026-12-31",
        "test_where": "",
        "test_hash": "ab" * 32,
        "looked_at": {"times": 4, "models": ["main/1", "main/2"]},
        "chosen": {
            "name": "mean of spline-10 and boost-60x3",
            "origins": ["2026-03-09"],
            "candidates": [
                _candidate("spline-10", "spline", {"penalty": 10.0}, 0.511),
                _candidate("boost-60x3", "boost", {"max_iter": 60, "max_leaf_nodes": 3}, 0.512),
                _candidate("mean of spline-10 and boost-60x3", "blend", ["spline-10"], 0.513),
            ],
        },
        "curves": {
            name: _curves(lift)
            for name, lift in (("combined", 0.6), ("rules_only", 0.4), ("challenger", 0.61))
        }
        | {"decision_all": [[0.01, 0.003], [0.2, -0.2]]},
        "audit": [
            _part("stage", "primary", 0.51),
            _part("stage", "junior", 0.52),
            _part("school_kind", "nine_year", 0.53),
            _part("group", "left_behind", 0.54),
            _part("group", "orphan", 0, enough=False),
        ],
        "followed": {
            "rows": 31,
            "students": 21,
            "share": 0.0718,
            "without": {name: _measures(auc + 0.007) for name, auc in aucs.items()},
        },
        "rules": [
            _rule("absence-10", "data", expected=20.0, observed=31.0),
            _rule("absence-20", "prior"),
            _rule("aid-gap", "bound"),
        ],
    }
    return copy.deepcopy(found | changes)


def _candidate(name, family, settings, recall):
    return {
        "name": name,
        "family": family,
        "settings": settings,
        "recall_at_capacity": recall,
        "ap": recall - 0.4,
    }


def _rule(name, note, expected=4.0, observed=3.0):
    return {
        "id": name,
        "points": 0.7,
        "weight": 1.1,
        "rows": 88.5,
        "students": 77,
        "events": 6,
        "expected": expected,
        "observed": observed,
        "note": note,
    }


def scorecard(**changes):
    values = {
        "name": "main",
        "version": 1,
        "catalogue_version": "c" * 12,
        "rules_hash": "d" * 64,
        "horizon_days": 90,
        "label_events": ["dropped_out"],
        "base_rate": 0.0125,
        "b0": -4.0,
        "b1": 1.0,
        "g_is_used": True,
        "features": [
            FeatureTable(
                name="absence_rate_60d",
                thresholds=[0.0500000005, 0.1000000005],
                values=[-0.2, 0.1, 0.8],
                missing=0.3,
            ),
            FeatureTable(name="boarding", thresholds=[5e-10], values=[0.05, -0.05], missing=0.0),
            FeatureTable(name="exam_z", thresholds=[], values=[0.0], missing=0.0),
        ],
        "rules": [
            RuleWeight(id="absence-10", when_hash="h", weight=1.1, points=0.7, ladder="absence"),
            RuleWeight(id="absence-20", when_hash="h", weight=1.25, points=1.3, ladder="absence"),
            RuleWeight(id="aid-gap", when_hash="h", weight=0.0, points=0.4),
        ],
    }
    return Scorecard(**(values | changes))


@pytest.fixture(scope="module")
def rulebook():
    book = load_rulebook(ROOT / "rules")
    return dataclasses.replace(book, rules=tuple(r for r in book.rules if r.id in RULES))


@pytest.fixture(scope="module")
def page(rulebook):
    return card(scorecard(), metrics(), rulebook)


class _Words(HTMLParser):
    """The text of a page, a line for each block; what stands in charts only if asked for."""

    def __init__(self, charts=False):
        super().__init__()
        self.parts, self.charts, self.inside = [], charts, 0

    def handle_starttag(self, tag, attrs):
        if tag == "style" or (tag == "svg" and not self.charts):
            self.inside += 1
        if tag in ("td", "th", "small"):
            self.parts.append(" | " if tag != "small" else " ")
        if tag in ("p", "h1", "h2", "h3", "tr", "li", "div", "section", "dt", "dd", "figure"):
            self.parts.append("\n")

    def handle_endtag(self, tag):
        if tag == "style" or (tag == "svg" and not self.charts):
            self.inside -= 1

    def handle_data(self, data):
        if not self.inside:
            self.parts.append(data)


def words(html, charts=False):
    parser = _Words(charts)
    parser.feed(html)
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def sections(html):
    zh, en = (re.search(f'<section lang="{n}".*?</section>', html, re.S)[0] for n in ("zh", "en"))
    return zh, en


def svgs(html):
    return re.findall(r"<svg.*?</svg>", html, re.S)


def test_the_words_of_a_small_card(page):
    found = words(page).replace(f"\n{__version__}\n", "\nVERSION\n") + "\n"
    assert found == GOLDEN.read_text("utf-8")


def test_the_same_metrics_give_the_same_bytes(page, rulebook):
    assert card(scorecard(), metrics(), rulebook) == page
    assert len(page.encode()) < 2_000_000


def test_every_drawing_is_xml_and_no_ids_clash(page):
    drawings = svgs(page)
    assert len(drawings) > 20
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("viewBox")
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(set(ids)) == len(ids)
    for used in re.findall(r'(?:url\(|href=")#([^")]*)', page):
        assert used in ids


def test_the_page_asks_for_nothing_from_outside(page):
    assert not re.search(r"https?:|<script|<link|@import|src=", page)


def test_texts_of_charts_are_texts_with_all_their_digits(page):
    zh, en = sections(page)
    assert "各校列入名单的学生比例" in words(zh, charts=True)
    assert "share of each school's children listed" in words(en, charts=True)
    assert ">0.1%<" in zh  # a tick of the calibration's logarithmic axis


def test_no_section_has_leftovers_of_the_other_language(page):
    zh, en = sections(page)
    assert not re.search(r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]", words(en, charts=True))
    known = r"ROC-AUC|ROC|Brier|main/\d|absence-10|absence-20|aid-gap|[abcd]{12,}"
    rest = re.sub(known, "", words(zh, charts=True))
    assert re.findall(r"[A-Za-z]{2,}", rest) == []
    assert not re.search(r"[\u4e00-\u9fff][,;:?!]|[\u4e00-\u9fff]\(", rest)


def _numbers(value, path=()):
    """Every measured number of a metrics.json, with the way to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _numbers(inner, (*path, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


# What no table shows: the curves (drawn), and what only explains or counts something else.
NOT_SHOWN = {
    "format",
    "decision_all",
    "points",  # the scorecard has them
    "weight",
}


def _is_shown(path):
    key = path[0]
    if NOT_SHOWN & set(path) or key == "curves":
        return False
    if key == "audit":
        return "rows" not in path and path[1] != 4  # of too few nothing is shown
    if key == "rules":
        return path[2] in ("students", "events")
    if key == "by_date" and "models" in path:
        model, measure = path[3], path[4]
        mine = measure == "recall_at_capacity" and model in ("combined", "rules_only")
        return model != "prevalence" and (measure == "auc" or mine)
    if key == "followed" and "without" in path:
        return path[3] in ("auc", "ap", "recall_at_capacity", "observed_expected")
    return True


def test_every_number_in_the_tables_comes_from_metrics(rulebook):
    titles = {rule.id: rule.title for rule in rulebook.rules}
    before = repr(account(scorecard(), metrics(), titles, "en"))
    paths = [path for path in _numbers(metrics()) if _is_shown(path)]
    assert len(paths) > 400
    for path in paths:
        changed = metrics()
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] += 0.25 if isinstance(place[path[-1]], float) else 1000
        assert repr(account(scorecard(), changed, titles, "en")) != before, path


def test_every_curve_is_drawn_from_metrics():
    def drawn(found):
        return [chart.svg for chart in plots.curves({"curves": found}, "en")]

    found = metrics()["curves"]
    before = drawn(found)
    order = ("capacity", "calibration", "decision", "roc", "pr")
    assert len(before) == len(order)
    for place, key in enumerate(order):
        changed = copy.deepcopy(found)
        if key == "calibration":
            changed["combined"][key][1]["observed"] = 0.15
        else:
            changed["rules_only"][key][-2][1] += 0.001 if key == "decision" else 0.05
        differs = [one != other for one, other in zip(before, drawn(changed), strict=True)]
        assert differs == [at == place for at in range(len(order))]


def test_titles_of_rules_are_text_never_markup(rulebook):
    evil = Text('<img src=x onerror="alert(1)">甲', "<script>alert(1)</script> & more $x_1$")
    rules = tuple(dataclasses.replace(r, title=evil) for r in rulebook.rules)
    text = card(scorecard(), metrics(), dataclasses.replace(rulebook, rules=rules))
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more $x_1$" in text


def test_old_metrics_make_a_card_that_says_what_it_lacks(rulebook):
    old = {key: value for key, value in metrics().items() if key not in NEW_KEYS}
    del old["models"]["challenger"], old["differences"]["challenger"]
    text = card(scorecard(), old, rulebook)
    assert "Made by an earlier version" in text
    assert "较早的版本" in text
    for gone in ("Curves", "Whether it serves", "followed up</h2>", "challenger", "looked at so"):
        assert gone not in text
    assert "0.870" in text


def test_few_events(rulebook):
    nothing = [None, None, None]
    found = metrics(
        curves={},
        audit=[_part("stage", "junior", 0, enough=False)],
        calibration_slope=nothing,
        chosen=None,
        followed={"rows": 0, "students": 0, "share": 0.0, "without": None},
        verdict={"measure": "m", "difference": nothing, "auc_difference": nothing, "better": False},
    )
    found["models"] = {"combined": dict.fromkeys(_measures(0.9), nothing)}
    found["models"]["rules_only"] = found["models"]["combined"]
    found["differences"] = {"rules_only": found["models"]["combined"]}
    found["by_date"] = []
    text = card(scorecard(features=[], g_is_used=False, b1=0.0), found, rulebook)
    zh, en = (words(part) for part in sections(text))
    assert "too few to say" in en
    assert "太少，无法判断" in zh
    assert "under 10" in en  # one child with the outcome is not printed as one
    assert "There is no classifier" in en
    assert "too few outcomes in the test period" in en
    assert "nan" not in text.lower().replace("nance", "")


def test_by_school_is_the_first_line(rulebook):
    text = card(scorecard(), metrics(validation="by_school"), rulebook)
    zh, en = (words(part) for part in sections(text))
    assert zh.startswith("按学校分组验证，不是按时间")
    assert en.startswith("Validated by school, not over time")


def test_generated_data_are_said_to_be_so(page, rulebook):
    assert "generated data" not in page
    text = card(scorecard(generated=True), metrics(), rulebook)
    assert "以下全部基于生成的数据" in text
    assert "All of this rests on generated data" in text


def test_the_challenger_is_marked_everywhere_it_stands(page):
    zh, en = (words(part) for part in sections(page))
    assert en.count("never promoted: shows what the glass costs") == 2
    assert zh.count("永不启用：只说明透明的代价") == 2
    rows = measure_rows(metrics()["models"], ("auc",), "en")
    assert rows[-1] == ["challenger (never promoted)", "0.880 [0.860, 0.900]"]


def test_tables_that_do_nothing_are_named_and_not_drawn():
    assert [t.name for t in drawn_tables(scorecard())] == ["absence_rate_60d", "boarding"]


def test_numbers():
    assert number(None) == "-"
    assert number(0.00312, "brier") == "0.00312"
    assert with_interval([0.5, None, None]) == "0.500"
    assert with_interval([0.7124, 0.69, 0.733]) == "0.712 [0.690, 0.733]"
    assert verdict(metrics()).en.startswith("Better than the rules alone: recall at capacity +0.06")
