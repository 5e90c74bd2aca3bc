"""The unit of a single cell, which comes before its column's, and what a number in it becomes."""

from __future__ import annotations

from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import with_unit
from kneerisk.cohort.sheets.lexicon.units import UnknownUnit, factor, feet_shown
from kneerisk.cohort.sheets.mapping import Cell
from kneerisk.schema import Quantity


def inches_told(raw: Any) -> Any:
    """The feet of `5.11`, 5 ft 11 in; a number of Excel's that may be 5.1 or 5.10 is none."""
    if isinstance(raw, float) and round(raw % 1, 2) == 0.1:
        return f"{raw:g}?"
    feet = feet_shown(raw if isinstance(raw, str) else f"{raw:g}") if raw is not None else None
    return raw if feet is None else feet


class Scales(dict[str | None, float | None]):
    """What a column's numbers are multiplied by, for each unit in a cell, or without one (None).

    A unit in the cell itself comes first; None stands for a unit that does not fit the measure.
    """

    def __init__(self, cell: Cell, measure: Quantity | None) -> None:
        super().__init__()
        self._cell, self._measure = cell, measure

    def __missing__(self, own_unit: str | None) -> float | None:
        cell, measure = self._cell, self._measure
        scale: float | None = 1.0
        try:
            if measure is not None:
                scale = factor(
                    measure,
                    own_unit or cell.unit,
                    per_body_mass=cell.per_body_mass,
                    lever_arm_m=cell.lever_arm_m,
                )
                scale = -scale if cell.opposite else scale
        except UnknownUnit:
            if own_unit is None:
                raise
            scale = None
        self[own_unit] = scale
        return scale


def without_cell_unit(raw: Any, words: dict[str, Any], scales: Scales) -> tuple[Any, str | None]:
    """A cell such as `38°` or `12 cm` as its number and its unit.

    Parameters
    ----------
    raw
        The cell.
    words
        Words that stand for numbers.
    scales
        The units that fit the column.

    Returns
    -------
    tuple
        The number as it is written, and its unit; the cell itself where it names none.
    """
    if not isinstance(raw, str) or raw.casefold() in words:
        return raw, None
    text, unit = with_unit(raw)
    # 12 kg is no height; the whole cell is refused as no number.
    return (raw, None) if unit is not None and scales[unit] is None else (text, unit)
