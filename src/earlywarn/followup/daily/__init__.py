"""The daily round: it finds a child on its first day of absence without leave.

absences.py      what the attendance says: runs, returns, schools that have not reported
hits.py          which rules a child hits
schooldays.py    when a step is due
cases.py         what the ledger is told
rows.py          what a round found, by school
files.py         the table, the page and the JSON
round.py         all of it, in order
"""

from earlywarn.followup.daily.absences import Absences, Return, Run, Silence, absences
from earlywarn.followup.daily.files import as_dict
from earlywarn.followup.daily.round import daily
from earlywarn.followup.daily.rows import Away, Back, Round, SchoolRound

__all__ = [
    "Absences",
    "Away",
    "Back",
    "Return",
    "Round",
    "Run",
    "SchoolRound",
    "Silence",
    "absences",
    "as_dict",
    "daily",
]
