"""The model's card: the validation report that stands beside every trained model."""

from earlywarn.models.card.numbers import measure_rows, number, verdict, with_interval
from earlywarn.models.card.page import card
from earlywarn.models.card.text import BY_SCHOOL

__all__ = ["BY_SCHOOL", "card", "measure_rows", "number", "verdict", "with_interval"]
