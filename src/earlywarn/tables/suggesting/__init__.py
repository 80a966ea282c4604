"""A first mapping for a file that nobody has mapped yet, and a trial of one that somebody wrote.

`suggest` looks at headings and values and says what it is sure of and what it asks; `render` writes
that as a mapping file; `try_mapping` shows what a mapping makes of a file. None of them gives away
a name or a number of a person.
"""

from earlywarn.tables.suggesting.suggest import Suggestion, suggest
from earlywarn.tables.suggesting.trial import Trial, try_mapping
from earlywarn.tables.suggesting.writing import render

__all__ = ["Suggestion", "Trial", "render", "suggest", "try_mapping"]
