"""Published files taken as they are: cells that break the schema become missing, and are listed.

The people who published a set can't be asked to correct it, so one impossible age must not keep
the rest of it out. Nothing is repaired: such a cell is missing in the cohort, and the list says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.file_rows import RawTable, read_table
from kneerisk.cohort.file_validation import typed
from kneerisk.cohort.ingest_result import Blanked
from kneerisk.cohort.layout import NotAllowed, number
from kneerisk.errors import CellFault, CohortRefused
from kneerisk.words import text

#: How these files write "not recorded"; such a cell is missing, and no fault.
MISSING = ("", "nan", "na", "null")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a canonical column comes from, and how its cells become the schema's values."""

    file: str
    column: str
    convert: Callable[[float], float] | Mapping[str, str]
    """A function of the number in the cell, or the schema's word for each word of the file."""


def unchanged(value: float) -> float:
    """A number that the file gives as the schema has it."""
    return value


def opposite(value: float) -> float:
    """A number that the file counts in the other direction."""
    return -value


def read_published(path: Path, needed: tuple[str, ...]) -> RawTable:
    """A published CSV file as raw cells.

    Parameters
    ----------
    path
        The file.
    needed
        Columns that the set is known to have.

    Returns
    -------
    The cells as text.

    Raises
    ------
    CohortRefused
        Where it can't be read, or one of the columns is missing.
    """
    if path.suffix.lower() != ".csv":
        raise CohortRefused(text("cohort.published.not_csv", file=path))
    raw = read_table(path)
    absent = [repr(name) for name in needed if name not in raw.frame.columns]
    if absent:
        raise CohortRefused(
            text("cohort.published.no_column", file=path, columns=", ".join(absent))
        )
    return raw


def is_missing(cell: Any) -> bool:
    """Whether a published cell says that nothing was recorded."""
    return str(cell).strip().lower() in MISSING


def blank_bad_cells(
    cells: pd.DataFrame,
    sources: Mapping[str, Source],
    lines: Mapping[str, list[int]],
) -> tuple[pd.DataFrame, list[Blanked]]:
    """Cells converted and checked; what breaks the schema is missing and listed.

    Parameters
    ----------
    cells
        Raw cells by canonical column, with the identifying and outcome columns already right.
    sources
        Where each canonical column that needs converting comes from.
    lines
        By file, the line of each row of `cells`.

    Returns
    -------
    A frame of the schema's types, and the cells that are missing from it.

    Raises
    ------
    CohortRefused
        Where an identifying or outcome column can't be read.
    """
    converted = cells.copy()
    blanked: list[Blanked] = []
    for name, source in sources.items():
        values = [_converted(cell, source.convert) for cell in cells[name]]
        blanked += [
            _blanked(source, lines[source.file][row], value.rule, value.allowed)
            for row, value in enumerate(values)
            if isinstance(value, NotAllowed)
        ]
        good = [None if isinstance(value, NotAllowed) else value for value in values]
        number_like = not isinstance(source.convert, Mapping)
        converted[name] = pd.Series(good, dtype=np.float64 if number_like else object)
    frame, faults = typed(converted, list(range(len(converted))))
    for fault in faults:
        if fault.column not in sources:
            raise CohortRefused(
                text("cohort.published.bad_row", column=fault.column, rule=fault.rule)
            )
        source = sources[fault.column]
        line = lines[source.file][fault.line]
        blanked.append(_blanked(source, line, fault.rule, fault.allowed, fault.unit))
    return frame, sorted(blanked, key=lambda cell: (cell.file, cell.fault.line))


def _converted(cell: Any, convert: Callable[[float], float] | Mapping[str, str]) -> Any:
    if is_missing(cell):
        return None
    try:
        if isinstance(convert, Mapping):
            return _word(str(cell), convert)
        return convert(number(cell, text("cohort.published.number")))
    except NotAllowed as refused:
        return refused


def _word(cell: str, words: Mapping[str, str]) -> str:
    if cell not in words:
        raise NotAllowed(
            text("cohort.published.unknown_word"),
            text("schema.allowed.one_of", choices=", ".join(words)),
        )
    return words[cell]


def _blanked(source: Source, line: int, rule: str, allowed: str, unit: str = "") -> Blanked:
    fault = CellFault(line=line, column=source.column, rule=rule, allowed=allowed, unit=unit)
    return Blanked(file=source.file, fault=fault)
