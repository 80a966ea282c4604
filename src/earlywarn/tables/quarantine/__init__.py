"""The rows that were not accepted: kept as they stood, shown in a workbook, and mended there.

Of each batch `data/_quarantine` holds a master (Parquet, never changed but by `forget`) and a
workbook made from it, less what has been mended since. Which rows were mended stands in the list of
batches, so that undoing a batch of mended rows brings them back.
"""

from earlywarn.tables.quarantine.master import FOLDER, master_path, workbook_path

__all__ = ["FOLDER", "master_path", "workbook_path"]
