"""Cells of a sheet that a person changed or left out; the file itself stays as it is.

A cell is named as Excel names it, `D4`. What is put there is read as if it stood in the file, and
an empty text leaves the cell out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from openpyxl.utils import column_index_from_string

from kneerisk.cohort.sheets.files.sheet_limits import Lines

_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
#: A number as people write it, with either decimal mark: never one of thousands.
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


class ChangedCell(NamedTuple):
    """A cell that a person changed."""

    line: int
    column: str
    """Its letter."""
    was: Any
    """As it stands in the file."""
    now: str | float
    """Empty where it is left out."""


def with_changes(lines: Lines, changes: Mapping[str, str | int | float]) -> Lines:
    """The lines of a file with some cells changed.

    Parameters
    ----------
    lines
        Every line of the file with an entry, by its number.
    changes
        What is put into a cell, by the cell's name; one that the lines don't have is passed over.

    Returns
    -------
    Lines
        The lines, those that are changed as copies.
    """
    wanted: dict[int, dict[int, str | float]] = {}
    for name, content in changes.items():
        if place := split_name(name):
            wanted.setdefault(place[0], {})[column_index_from_string(place[1]) - 1] = _read(content)
    return [
        (
            number,
            [wanted[number].get(at, cell) for at, cell in enumerate(_wide(row, wanted[number]))],
        )
        if number in wanted
        else (number, row)
        for number, row in lines
    ]


def _wide(row: list[Any], wanted: Collection[int]) -> list[Any]:
    return [*row, *[""] * (max(wanted) + 1 - len(row))]


def changes_of(lines: Lines, changes: Mapping[str, str | int | float]) -> Iterator[ChangedCell]:
    """The cells that are changed, with what stands in the file."""
    by_number = dict(lines)
    for name, content in changes.items():
        place = split_name(name)
        if place and (row := by_number.get(place[0])) is not None:
            at = column_index_from_string(place[1]) - 1
            yield ChangedCell(*place, row[at] if at < len(row) else "", _read(content))


def split_name(name: str) -> tuple[int, str] | None:
    """The line and the column of a cell such as `D4`; None where it names none."""
    match = _PLACE.fullmatch(name)
    return (int(match[2]), match[1]) if match else None


def unknown_cells(
    names: Collection[str], lines: Collection[int], columns: Collection[str]
) -> list[str]:
    """Those of some names that are no cell of a sheet's rows.

    Parameters
    ----------
    names
        Names such as `D4`.
    lines
        The numbers of the sheet's lines below the names of its columns.
    columns
        The letters of its columns.

    Returns
    -------
    list of str
        The names that are none.
    """
    places = {name: split_name(name) for name in names}
    return [
        name
        for name, place in places.items()
        if place is None or place[0] not in lines or place[1] not in columns
    ]


def _read(content: str | float) -> str | float:
    """A number is one whatever decimal mark the sheet has."""
    if isinstance(content, str):
        content = content.strip()
        return float(content.replace(",", ".")) if _NUMBER.fullmatch(content) else content
    return float(content)
