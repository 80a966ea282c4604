"""The rule language: parse, check types, compile. Knows no catalogue."""

from earlywarn.conditions.compile import finite_column
from earlywarn.conditions.errors import ConditionError
from earlywarn.conditions.language import Condition, compile_condition
from earlywarn.conditions.lexer import nearest
from earlywarn.conditions.nodes import Kind, Node

__all__ = [
    "Condition",
    "ConditionError",
    "Kind",
    "Node",
    "compile_condition",
    "finite_column",
    "nearest",
]
