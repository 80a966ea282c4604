"""A model to look at: its figures, its audit and its rules' weights as tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from earlywarn.models.scorecard import Scorecard
from earlywarn.models.store import registry
from earlywarn.models.weights import weight_rows


@dataclass(frozen=True)
class Model:
    """One model of a workspace, to look at.

    Attributes
    ----------
    label
        `name/version`, as every command takes it.
    scorecard
        What it is made of: b0, b1, a table for each feature, a weight for each rule.
    metrics
        metrics.json: the figures of the card, with their intervals. Empty for the experts'.
    folder
        Where model.json, metrics.json and card.html lie.
    """

    label: str
    scorecard: Scorecard
    metrics: dict[str, Any]
    folder: Path

    @property
    def card(self) -> Path:
        """The model's card, a page for a browser (an experts' scorecard has none)."""
        return self.folder / registry.CARD_FILE

    def measures(self) -> pd.DataFrame:
        """Return the figures on the test rows, of the model and what it is set beside.

        A row for each pair of model ("combined" is the one that scores) and measure, in the order
        of metrics.json; columns model, measure, value, low, high (a 95 % interval; NaN: none).
        """
        return pd.DataFrame(
            [
                (name, measure, *figure)
                for name, figures in self.metrics.get("models", {}).items()
                for measure, figure in figures.items()
            ],
            columns=["model", "measure", "value", "low", "high"],
        ).astype({"value": float, "low": float, "high": float})

    def audit(self) -> pd.DataFrame:
        """Return the figures by stage, kind of school and monitored group.

        A row for each pair of part and measure; columns by, name, rows, students, events, enough,
        measure, value, low, high, and difference, difference_low, difference_high: this part minus
        all others of known membership. NaN where a part has too few events to tell (`enough`).
        """
        nothing = [None, None, None]
        columns = ["by", "name", "rows", "students", "events", "enough"]
        figures = ["value", "low", "high", "difference", "difference_low", "difference_high"]
        found = [
            (
                *(part[column] for column in columns),
                measure,
                *(part.get(measure) or nothing),
                *(difference or nothing),
            )
            for part in self.metrics.get("audit", [])
            for measure, difference in part["difference"].items()
        ]
        return pd.DataFrame(found, columns=[*columns, "measure", *figures]).astype(
            dict.fromkeys(figures, float)
        )

    def weights(self) -> pd.DataFrame:
        """Return a row for each rule, those first whose weight moved most from the author's points.

        Columns rule, points, weight, moved, students, events, expected, observed, note, why.
        """
        rows = [row.as_json("en") for row in weight_rows(self.scorecard, self.metrics)]
        return pd.DataFrame(rows)
