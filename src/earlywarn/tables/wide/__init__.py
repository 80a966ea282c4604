"""Sheets as schools keep them, a column a day or a column a subject, read into long rows."""

from earlywarn.tables.wide.source import WideSource

__all__ = ["WideSource"]
