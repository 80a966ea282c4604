"""The follow-up ledger: cases, answers, things to settle, inspections, the audit log; append-only.

with Ledger.open(workspace) as ledger:
    ledger.merge(returned, who="...")
    ledger.cases(school_id="S01", running=True)
"""

from earlywarn.followup.ledger.forgetting import Forgotten
from earlywarn.followup.ledger.inspections import Inspection, NewInspection, Order
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
    "Inspection",
    "Ledger",
    "Merged",
    "Move",
    "NewCase",
    "NewEntry",
    "NewInspection",
    "Opened",
    "Order",
    "Outcome",
    "Settlement",
    "Unsettled",
]
