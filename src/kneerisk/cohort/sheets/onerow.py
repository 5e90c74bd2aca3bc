"""From the rows of a sheet to one row a screening: repeats collapse, legs are put together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from kneerisk.cohort.layout import ATHLETE_ID, OUTCOMES, SCREENING_DATE
from kneerisk.cohort.sheets.followup import LEG_OUTCOME
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.worksheet import Worksheet
from kneerisk.errors import CellFault

SIDE = "side"


def identical_rows(mapping: Mapping, table: Worksheet) -> tuple[Worksheet, list[CellFault]]:
    """The first row of each athlete (or of what `one_row_per` names), and rows that differ.

    Only columns that the mapping uses count: a sheet with a row a trial differs in the trial.
    """
    if not mapping.one_row_per:
        return table, []
    at = {name: place for place, name in enumerate(table.header)}
    used = dict.fromkeys(mapping.used().values())
    first: dict[tuple[Hashable, ...], int] = {}
    faults: list[CellFault] = []
    for row, cells in enumerate(table.rows):
        key = tuple(cells[at[name]] for name in mapping.one_row_per)
        start = first.setdefault(key, row)
        faults += [
            CellFault(
                line=table.lines[at_row],
                column=name,
                rule=f"differs between line {table.lines[start]} and line {table.lines[row]}",
                allowed="the same on every row of one_row_per",
            )
            for name in used
            if cells[at[name]] != table.rows[start][at[name]]
            # Which of the two is right can't be known, so neither is taken.
            for at_row in (start, row)
        ]
    kept = list(first.values())
    rows = [table.rows[row] for row in kept]
    lines = [table.lines[row] for row in kept]
    return Worksheet(table.header, rows, lines, table.faults), faults


def legs_joined(
    mapping: Mapping, frame: pd.DataFrame, lines: list[int]
) -> tuple[pd.DataFrame, list[list[int]], list[CellFault]]:
    """Rows of legs as one row a screening: left line first, right line last."""
    keys = [name for name in (ATHLETE_ID, SCREENING_DATE) if name in frame.columns]
    joined: list[dict[str, Any]] = []
    of: list[list[int]] = []
    faults: list[CellFault] = []
    for _, legs in frame.groupby(keys, sort=False, dropna=False):
        rows = list(legs.index)
        faults += _leg_faults(mapping, legs, [lines[row] for row in rows])
        rows.sort(key=lambda row: str(frame[SIDE][row]))
        joined.append(_one_row(mapping, legs))
        of.append([lines[row] for row in rows])
    return pd.DataFrame(joined, dtype=object), of, faults


def _one_row(mapping: Mapping, legs: pd.DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = {name: legs[name].iloc[0] for name in _shared(mapping, legs)}
    for side, outcome in zip(("left", "right"), OUTCOMES, strict=False):
        there = legs[legs[SIDE] == side]
        for name in _of_leg(mapping):
            target = outcome if name == LEG_OUTCOME else f"{side}_{name}"
            row[target] = there[name].iloc[0] if len(there) else None
    return row


def _of_leg(mapping: Mapping) -> list[str]:
    return [*mapping.legs, *([LEG_OUTCOME] if mapping.outcome.leg else [])]


def _shared(mapping: Mapping, legs: pd.DataFrame) -> list[str]:
    """Columns that hold for the athlete, so that both rows must agree."""
    return [str(name) for name in legs if name not in (*_of_leg(mapping), SIDE)]


def _leg_faults(mapping: Mapping, legs: pd.DataFrame, lines: list[int]) -> list[CellFault]:
    repeated = legs[SIDE].duplicated() & legs[SIDE].notna()
    column = mapping.used()["sides"]
    faults = [
        CellFault(
            line=line,
            column=column,
            rule="repeats a leg of the same athlete and date",
            allowed="one row for each leg",
        )
        for line, again in zip(lines, repeated, strict=True)
        if again
    ]
    differing = [
        name
        for name in _shared(mapping, legs)
        if len(legs) > 1 and not legs[name].duplicated(keep=False).all()
    ]
    return faults + [
        CellFault(
            line=line,
            column=column,
            rule="differs between the two legs of one athlete and date",
            allowed="the same on both rows",
        )
        for column in dict.fromkeys(mapping.column_of(name) for name in differing)
        for line in lines
    ]
