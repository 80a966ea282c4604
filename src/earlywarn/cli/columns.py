"""Columns on a terminal that stand straight, Chinese characters counted as two wide."""

from __future__ import annotations

from earlywarn.cli.common import Output


def print_columns(out: Output, heads: list[str], rows: list[list[str]]) -> None:
    """Print headings and rows as columns (nothing under --json)."""
    lines = [heads, *rows]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [cell + " " * (widths[i] - _width(cell)) for i, cell in enumerate(line)]
        out.line("  " + "  ".join(cells).rstrip())


def _width(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)
