"""A child's right: everything about one child leaves the workspace, and nothing brings it back.

forget(workspace, "G110101201301010012", who="...")
"""

from earlywarn.forgetting.plan import pending
from earlywarn.forgetting.process import Forgetting, forget

__all__ = ["Forgetting", "forget", "pending"]
