"""The follow-up ledger: cases, answers, things to settle, the audit log; append-only.

with Ledger.open(workspace) as ledger:
    ledger.merge(returned, who="...")
    ledger.cases(school_id="S01", running=True)
"""

from earlywarn.followup.ledger.forgetting import Forgotten
from earlywarn.followup.ledger.ledger import Audited, Ledger
from earlywarn.followup.ledger.merging import Account, Merged
from earlywarn.followup.ledger.outcomes import Outcome
from earlywarn.followup.ledger.settling import Settlement, Unsettled
from earlywarn.followup.ledger.store import NewCase, NewEntry, Opened
from earlywarn.followup.ledger.views import Answered, Case, Entry, Move

__all__ = [
    "Account",
    "Answered",
    "Audited",
    "Case",
    "Entry",
    "Forgotten",
    "Ledger",
    "Merged",
    "Move",
    "NewCase",
    "NewEntry",
    "Opened",
    "Outcome",
    "Settlement",
    "Unsettled",
]
