"""The regular reports of a bureau: a month, a quarter, a term, a school year.

make(workspace, parse_period("month", "2026-11", workspace.config), ...)
"""
