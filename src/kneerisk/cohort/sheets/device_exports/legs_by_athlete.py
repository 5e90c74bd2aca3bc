"""Columns of each athlete's dominant or injured leg, as columns of the left and the right one.

A column that says which leg it is decides row by row. Where none does, or a row says none or both,
nobody knows the leg: it is not guessed, and never both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.columns.own_legs import (
    OwnLeg,
    Told,
    leg_of,
    own_legs_of,
    side_told,
    telling_legs,
    told_by,
)
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    NO_NAME,
    TidyColumn,
    TidyRow,
    TidyTable,
)
from kneerisk.cohort.sheets.lexicon.vocabulary import SIDE, answers
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.schema import SIDES, Side
from kneerisk.words import text

#: A column tells the leg where so many of its entries can be read (assumption).
_MOSTLY = 0.5
#: Of a column so many different words are looked at (assumption: more name no legs).
_MOST_WORDS = 20
#: Words of a row for neither leg are those for no injury.
_NEITHER = "prior_knee_injury"


def tells_own_legs(tidy: TidyTable) -> bool:
    """Whether it has an athlete's own leg in a name or a row, and a column that tells which."""
    pairs = {told_by(c.named.own_leg) for c in tidy.columns if c.named.own_leg}
    pairs |= {told_by(leg) for legs in _rows_of_legs(tidy).values() for leg in legs.values()}
    return any(_telling(tidy, told) for told in pairs)


def _rows_of_legs(tidy: TidyTable) -> dict[int, dict[str, OwnLeg]]:
    """Columns that name the leg of a row by what it is to the athlete, and their words."""
    found: dict[int, dict[str, OwnLeg]] = {}
    for at, column in enumerate(tidy.columns):
        if not column.named.matches or column.named.matches[0].means != SIDE:
            continue
        words = list(dict.fromkeys(as_text(row.cells[at]) for row in tidy.rows))[:_MOST_WORDS]
        legs = {
            word: leg.leg
            for word, leg in zip(words, own_legs_of(words), strict=True)
            if leg and not leg.without_noun and side_told(word) is None
        }
        if legs:
            found[at] = legs
    return found


def with_legs_told(tidy: TidyTable) -> TidyTable:
    """A table in which each athlete's own legs are left and right, as far as it tells them.

    Parameters
    ----------
    tidy
        One row for each athlete and date; it is changed in place.

    Returns
    -------
    TidyTable
        The same table. Columns of a leg that no column tells are left as they are.
    """
    for told in ("dominant", "involved"):
        # The first pair moves columns, so that the second is looked for anew.
        pair = [c.named.own_leg for c in tidy.columns if c.named.own_leg]
        rows = _rows_of_legs(tidy)
        legs = [*pair, *(leg for words in rows.values() for leg in words.values())]
        if any(told_by(leg) == told for leg in legs) and (telling := _telling(tidy, told)):
            _Told(tidy, told, telling).tell(rows)
    return tidy


def _telling(tidy: TidyTable, told: Told) -> list[int]:
    """The columns that say which leg of each athlete it is."""
    names = telling_legs([column.name for column in tidy.columns])
    return [
        at for at, tells in enumerate(names)
        if tells == told and _are_legs([row.cells[at] for row in tidy.rows])
    ]  # fmt: skip


def _are_legs(cells: Sequence[Any]) -> bool:
    filled = [cell for cell in cells if not is_missing(cell)]
    read = sum(side_told(cell) is not None or _is_neither(cell) for cell in filled)
    legs = sum(side_told(cell) is not None for cell in filled)
    return legs > 0 and read >= _MOSTLY * len(filled)


def _is_neither(cell: Any) -> bool:
    return isinstance(cell, str) and answers(_NEITHER).get(cell.strip().casefold()) == "none"


class _Told:
    """A table while the columns of one pair of legs become left and right."""

    def __init__(self, tidy: TidyTable, told: Told, telling: Sequence[int]) -> None:
        self._tidy, self._told, self._telling = tidy, told, telling
        self._name = repr(tidy.columns[telling[0]].name)
        names = [column.name for column in tidy.columns]
        self._stems = [
            leg.without_noun if leg else name
            for name, leg in zip(names, own_legs_of(names), strict=True)
        ]

    def tell(self, rows_of_legs: Mapping[int, Mapping[str, OwnLeg]]) -> None:
        """Put the two sides in the place of the first of each pair, and name the leg of rows.

        Parameters
        ----------
        rows_of_legs
            The columns that name a row's leg by what it is to the athlete, and their words.
        """
        pairs = self._pairs()
        first = {min(places.values()): places for places in pairs}
        replaced = {at for places in pairs for at in places.values()}
        sides = [self._side(row) for row in self._tidy.rows]
        self._tidy.notes.extend(self._notes(replaced, sides))
        for at, words in rows_of_legs.items():
            self._name_rows(at, words, sides)
        order = [at for at in range(len(self._tidy.columns)) if at not in replaced or at in first]
        for row, side in zip(self._tidy.rows, sides, strict=True):
            self._settle(row, side, order, first)
        self._tidy.columns[:] = [
            column
            for at in order
            for column in (self._sided(first[at]) if at in first else [self._other(at)])
        ]

    def _name_rows(
        self, at: int, words: Mapping[str, OwnLeg], sides: Sequence[Side | None]
    ) -> None:
        for row, side in zip(self._tidy.rows, sides, strict=True):
            leg = words.get(as_text(row.cells[at]))
            if leg and side and told_by(leg) == self._told:
                row.cells[at] = leg_of(leg, side)

    def _pairs(self) -> list[dict[OwnLeg, int]]:
        """The columns of one test, by whose leg they are of."""
        pairs: dict[tuple[Any, ...], dict[OwnLeg, int]] = defaultdict(dict)
        for at, column in enumerate(self._tidy.columns):
            leg = column.named.own_leg
            if leg is None or told_by(leg) != self._told:
                continue
            key = (column.named.matches[:1], column.named.unit, self._stems[at], column.protocol)
            # Two columns of one leg and test stay two.
            number = next(n for n in range(at + 1) if leg not in pairs[*key, n])
            pairs[*key, number][leg] = at
        return list(filter(None, pairs.values()))

    def _side(self, row: TidyRow) -> Side | None:
        told = {side_told(row.cells[at]) for at in self._telling if not is_missing(row.cells[at])}
        side = told.pop() if len(told) == 1 else None
        return side if side != "both" else None

    def _settle(
        self,
        row: TidyRow,
        side: Side | None,
        order: Sequence[int],
        first: dict[int, dict[OwnLeg, int]],
    ) -> None:
        cells: list[Any] = []
        sources: list[tuple[int, ...]] = []
        for at in order:
            held = {leg_of(leg, side): place for leg, place in first[at].items()} if (
                at in first and side) else {}  # fmt: skip
            places = [held.get(own) for own in SIDES] if at in first else [at]
            cells += ["" if place is None else row.cells[place] for place in places]
            sources += [() if place is None else row.sources[place] for place in places]
        row.cells[:], row.sources[:] = cells, sources

    def _sided(self, places: dict[OwnLeg, int]) -> list[TidyColumn]:
        at = min(places.values())
        column = self._tidy.columns[at]
        why = text("sheet.test.leg_told", column=self._name)
        return [
            column._replace(
                name=text("sheet.test.of_leg", name=self._stems[at], leg=side),
                named=column.named._replace(side=side, own_leg=None),
                why=why,
            )
            for side in SIDES
        ]

    def _other(self, at: int) -> TidyColumn:
        column = self._tidy.columns[at]
        if at not in self._telling:
            return column
        return TidyColumn(column.name, NO_NAME, text("sheet.test.tells_the_leg"))

    def _notes(self, replaced: set[int], sides: Sequence[Side | None]) -> list[SheetNote]:
        """The entries of rows that do not say which leg it is."""
        lines: set[int] = set()
        for row, side in zip(self._tidy.rows, sides, strict=True):
            if side is None:
                lines.update(
                    line for at in replaced for line in row.sources[at]
                    if not is_missing(row.cells[at])
                )  # fmt: skip
        if not lines:
            return []
        message = text("sheet.note.leg_not_told", column=self._name)
        return [SheetNote(code="leg_not_told", message=message, lines=sorted(lines))]
