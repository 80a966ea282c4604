"""Filled watchlist workbooks, read back: each typed answer, and each cell that needs a person.

`opening` takes a file only if it is a whole, plain .xlsx of a bearable size, and `sheets` what
stands in it; `key` reads its hidden sheet and checks the signature (`signing`); `headings` finds
the list on its sheets; `cells` reads one cell, a choice by `choices`; `reading` puts them together.
"""

from __future__ import annotations

from earlywarn.followup.returned.reading import read_returned
from earlywarn.followup.returned.refusal import RefusedError
from earlywarn.followup.returned.signing import sign, verify

__all__ = ["RefusedError", "read_returned", "sign", "verify"]
