"""Sheets as schools keep them, a column a day or a column a subject, read into long rows."""

from earlywarn.tables.wide.source import Again, Mark, ReadSheet, WideSource

__all__ = ["Again", "Mark", "ReadSheet", "WideSource"]
