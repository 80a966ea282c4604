"""The READMEs' table of ratios is what docs/proof.json has."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "benchmarks"))

import readme_table  # noqa: E402

FIGURES = json.loads((ROOT / "docs" / "proof.json").read_text("utf-8"))["figures"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_table_is_what_was_measured(lang: str) -> None:
    text = readme_table.FILES[lang].read_text("utf-8")
    assert readme_table.with_table(text, FIGURES, lang) == text


@pytest.mark.parametrize(("lang", "no", "yes"), [("en", "**no**", "yes"), ("zh", "**否**", "是")])
def test_a_missed_bar_is_said_to_be(lang: str, no: str, yes: str) -> None:
    what = next(iter(readme_table.ROWS))
    for holds, said in ((True, yes), (False, no)):
        one = {"what": what, "value": 7.5, "bar": "at most 3", "holds": holds, "commit": "abc"}
        (row,) = readme_table.table([one], lang).splitlines()[2:]
        assert row.split(" | ")[1:] == [
            "7.5",
            {"en": "at most 3", "zh": "不超过 3"}[lang],
            said,
            "",
            "abc |",
        ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_seconds_stand_beside_every_ratio(lang: str) -> None:
    measured = {one["what"] for one in FIGURES}
    ratios = [what for what in readme_table.ROWS if "times" in what and what in measured]
    assert [what for what in ratios if not readme_table.seconds(FIGURES, what, lang)] == []
    runs = {"what": "daily: seconds", "value": {"round": [3.0, 1.0, 2.0], "scan": 0.5}}
    said = readme_table.seconds([runs], "daily: times", lang)
    assert said == {"en": "round 2, scan 0.5", "zh": "巡查 2, 扫描 0.5"}[lang]


def test_every_row_has_a_figure_or_is_yet_to_be_measured() -> None:
    """A figure that was renamed would leave the table without a word."""
    measured = {one["what"].partition(":")[0] for one in FIGURES}
    known = {one["what"] for one in FIGURES}
    missing = [what for what in readme_table.ROWS if what not in known]
    assert [what for what in missing if what.partition(":")[0] in measured] == []
