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
    for column, path in column_locations().items():
        part: Any = screening
        for name in path:
            part = getattr(part, name)
        if part is not None:
            row[column] = part
    return row


def from_row(row: Mapping[str, Any], red_flags: Sequence[str] | None = None) -> Screening:
    """The screening of a flat row; the inverse of `to_row`.

    Raises
    ------
    pydantic.ValidationError
        Where the row breaks the schema.
    """
    body: dict[str, Any] = {"athlete": {}}
    for column, value in row.items():
        part = body
        *sections, name = column_locations().get(column, (column,))
        for section in sections:
            part = part.setdefault(section, {})
        part[name] = value
    if red_flags is not None:
        body["red_flags"] = list(red_flags)
    return Screening.model_validate(body)


def coded(screenings: Iterable[Screening]) -> dict[str, FloatArray]:
    """Screenings as coded columns, each of shape (n_screenings,)."""
    return coded_rows([to_row(screening) for screening in screenings])


def coded_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, FloatArray]:
    """Flat rows as coded columns, each of shape (n_rows,)."""
    measures = columns()
    table = np.full((len(measures), len(rows)), np.nan)
    place = {name: at for at, name in enumerate(measures)}
    for i, row in enumerate(rows):
        for column, value in row.items():
            table[place[column], i] = code(measures[column], value)
    return dict(zip(measures, table, strict=True))
