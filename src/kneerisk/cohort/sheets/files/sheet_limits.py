"""How much of a sheet is read, counted line by line while it is read.

A sheet comes from outside, and a small file may hold much: a text that every cell shares, a million
empty cells. Whatever is too much is refused as soon as it is met, with the limit in the message.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kneerisk.cohort.layout import unguarded
from kneerisk.errors import CohortRefused
from kneerisk.schema.faults import LONGEST_CELL
from kneerisk.words import variant

#: Every row with an entry, and the line of the file that it starts on.
Lines = list[tuple[int, list[Any]]]

#: The last row that Excel has; a file may state any, and a text may have as many empty lines.
LAST_LINE = 1_048_576
#: So many files may come together (assumption: a squad has a file a device).
MOST_FILES = 20
#: Training logs of one archive, or dropped together: a season of sessions of one file each
#: (assumption).
MOST_LOGS = 400
#: So many cells may be changed (assumption: who has more to change does so in the file).
MOST_CHANGES = 5_000


class SheetLimits(NamedTuple):
    """How much a sheet may have."""

    lines: int
    """Lines with an entry."""
    columns: int
    cells: int
    """The lines times the width of the widest: each of them is answered."""
    characters: int
    """In all cells together, since cells of Excel's may share one long text."""
    looked_at: int
    """Cells of Excel's, empty ones too: some sheets format whole rows, a hostile one every row."""


#: Of a sheet that has to be recognised: more rows than a team can be scored in at once, with room
#: for legs, visits and totals; twice the characters of the largest upload (assumptions).
RECOGNISED = SheetLimits(5_000, 200, 300_000, 10_000_000, 1_000_000)
#: Of one that a mapping describes: a club's history of one row a trial is far below (assumptions).
DESCRIBED = SheetLimits(100_000, 1_000, 20_000_000, 100_000_000, 20_000_000)


def too_much(of: str, most: int, **place: int) -> CohortRefused:
    """The refusal of a file that has too much of something."""
    return CohortRefused(variant("sheet.limit", of, most=f"{most:,}", **place))


class LineCounter:
    """The lines that were read so far; one that is too much is refused.

    Parameters
    ----------
    limits
        How much the sheet may have.
    """

    def __init__(self, limits: SheetLimits) -> None:
        self.lines: Lines = []
        self._limits = limits
        self._width = self._characters = 0

    def add(self, line: int, cells: list[Any]) -> None:
        """Take a line with an entry.

        Parameters
        ----------
        line
            Its number in the file.
        cells
            Its numbers, dates and texts.

        Raises
        ------
        CohortRefused
            Where there is more than the limits allow.
        """
        limits = self._limits
        if len(self.lines) >= limits.lines:
            raise too_much("lines", limits.lines)
        self.refuse_columns(len(cells))
        self._width = max(self._width, len(cells))
        if self._width * (len(self.lines) + 1) > limits.cells:
            raise too_much("cells", limits.cells)
        self.count_characters(line, cells)
        self.lines.append((line, cells))

    def refuse_columns(self, count: int) -> None:
        """Refuse a line of more cells than columns are read."""
        if count > self._limits.columns:
            raise too_much("columns", self._limits.columns)

    def count_characters(self, line: int, cells: list[Any]) -> None:
        """Count the texts of a line.

        Parameters
        ----------
        line
            Its number in the file.
        cells
            Its cells; those that are no text count for nothing.

        Raises
        ------
        CohortRefused
            Where one of them, or all lines together, are too long.
        """
        lengths = [len(cell) for cell in cells if isinstance(cell, str)]
        if lengths and max(lengths) > LONGEST_CELL:
            raise too_much("cell", LONGEST_CELL, line=line)
        self._characters += sum(lengths)
        if self._characters > self._limits.characters:
            raise too_much("characters", self._limits.characters)


def plain_text(cell: str) -> str:
    """A text as it is read: stripped, every end of a line the same, and as no spreadsheet's guard.

    The guard is the apostrophe that `guarded` puts in front of what would run as a formula.
    """
    lines = cell.strip()
    if "\r" in lines:
        lines = lines.replace("\r\n", "\n").replace("\r", "\n")
    return unguarded(lines)


def refuse_beyond_last_line(line: int) -> None:
    """Refuse a line that Excel does not have."""
    if line > LAST_LINE:
        raise too_much("last_line", LAST_LINE)
