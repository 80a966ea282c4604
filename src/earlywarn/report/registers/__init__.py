"""The three county ledgers: children of school age, suspected dropouts, dropouts.

    register_rows(workspace, as_of)      the ledgers as tables, worked out anew
    write_registers(...)                 one workbook for each county

Here they are called registers: a ledger is the follow-up's.
"""

from earlywarn.report.registers.make import Written, newest_day, write_registers
from earlywarn.report.registers.rows import Registers, register_rows

__all__ = ["Registers", "Written", "newest_day", "register_rows", "write_registers"]
