"""Screenings as flat rows and as coded columns, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kneerisk.schema.columns import FloatArray, code, column_locations, columns
from kneerisk.schema.screening import Screening


def to_row(screening: Screening) -> dict[str, Any]:
    """A screening as a flat row of its measured values, by canonical column."""
    row: dict[str, Any] = {}
    for column, location in column_locations().items():
        value: Any = screening
        for name in location:
            value = getattr(value, name)
        if value is not None:
            row[column] = value
    return row


def from_row(row: Mapping[str, Any], red_flags: Sequence[str] | None = None) -> Screening:
    """The screening of a flat row; the inverse of `to_row`.

    Parameters
    ----------
    row
        Canonical column to value; columns that were not measured are left out.
    red_flags
        The signs that apply; None where nobody asked.

    Returns
    -------
    The screening, checked.

    Raises
    ------
    pydantic.ValidationError
        Where the row breaks the schema.
    """
    body: dict[str, Any] = {"athlete": {}}
    for column, value in row.items():
        values = body
        *sections, name = column_locations().get(column, (column,))
        for section in sections:
            values = values.setdefault(section, {})
        values[name] = value
    if red_flags is not None:
        body["red_flags"] = list(red_flags)
    return Screening.model_validate(body)


def coded(screenings: Iterable[Screening]) -> dict[str, FloatArray]:
    """Screenings as coded columns.

    Parameters
    ----------
    screenings
        The n screenings.

    Returns
    -------
    Every canonical column, each of shape (n_screenings,): a quantity in its unit, a category as the
    position of the choice, NaN where it was not measured.
    """
    return coded_rows([to_row(screening) for screening in screenings])


def coded_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, FloatArray]:
    """Flat rows as coded columns.

    Parameters
    ----------
    rows
        Canonical column to value, one mapping a screening, as `to_row` gives it.

    Returns
    -------
    Every canonical column, each of shape (n_rows,), as `coded` gives it.
    """
    measures = columns()
    table = np.full((len(measures), len(rows)), np.nan)
    positions = {name: position for position, name in enumerate(measures)}
    for i, row in enumerate(rows):
        for column, value in row.items():
            table[positions[column], i] = code(measures[column], value)
    return dict(zip(measures, table, strict=True))
