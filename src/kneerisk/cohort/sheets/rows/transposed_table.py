"""A table that lies on its side: a column for each athlete, the measures down the first column."""

from __future__ import annotations

from kneerisk.cohort.sheets.files.sheet_limits import RECOGNISED, Lines
from kneerisk.cohort.sheets.rows.headings import table_likeness

#: A table on its side has so many measures down its side, and so many times those across its top
#: (assumptions: a heading has at least a name, an age and a sex).
_LEAST_MEASURES, _SO_MANY_TIMES = 2.5, 2.0


def upright(lines: Lines) -> Lines | None:
    """The lines of a table that lies on its side, one for each of its columns.

    Parameters
    ----------
    lines
        The lines of a file that have an entry.

    Returns
    -------
    Lines or None
        Numbered as the columns are, from 1; None where the table stands upright.
    """
    width = max((len(row) for _, row in lines), default=0)
    # Measures are no more than the columns that are read, and names of them are words.
    if width < 2 or not 2 < len(lines) <= RECOGNISED.columns:
        return None
    if any(not isinstance(row[0], str) for _, row in lines):
        return None
    side = [row[0] for _, row in lines]
    down, across = table_likeness([(1, side)]), table_likeness(lines)
    if down < _LEAST_MEASURES or down < _SO_MANY_TIMES * across:
        return None
    turned = [
        (at + 1, [row[at] if at < len(row) else "" for _, row in lines]) for at in range(width)
    ]
    return [(number, cells) for number, cells in turned if any(cell != "" for cell in cells)]
