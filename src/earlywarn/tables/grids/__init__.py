"""Any file a school keeps, as sheets of text cells.

`read_grids` takes a workbook of any age, a text table or a web page that calls itself a
workbook, and gives every sheet as it stands: no heading is looked for and no cell is
understood. What a row means is for whoever knows the layout.
"""

from earlywarn.tables.grids.grid import Grid, Grids
from earlywarn.tables.grids.reading import read_grids

__all__ = ["Grid", "Grids", "read_grids"]
