"""The state of the data before scoring: what is missing, what cannot be, what has changed suddenly.

day.py          the day that it speaks of
finding.py      one finding, and which are worst
dates.py        days and weeks in words
numbers.py      counts and shares in words
gather.py       cohort, school days and attendance, folded for the findings
attendance.py   days not handed in, only presents, children unknown here or there
registry.py     schools, ages, classes, old records, empty fields
marks.py        classes without marks
loads.py        sudden changes against the load before
classnames.py   the grade that a class's name tells
columns.py      which fields the rules use
state.py        all of it, in order
wording.py      the words of the outputs
files.py        the page and the JSON
"""

from earlywarn.checking.files import as_dict
from earlywarn.checking.finding import Finding, worst
from earlywarn.checking.state import State, check, look
from earlywarn.checking.wording import line, not_reported

__all__ = ["Finding", "State", "as_dict", "check", "line", "look", "not_reported", "worst"]
