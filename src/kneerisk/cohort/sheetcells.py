"""How the cells of a club's sheet become the schema's values, or faults.

A fault names the sheet's own line and column, so that the person who keeps the sheet finds it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from kneerisk.cohort.cells import NotAllowed, number
from kneerisk.cohort.mapping import Cell, Day, Mapping, PlaceInWords, Sides
from kneerisk.cohort.units import factor
from kneerisk.errors import CellFault
from kneerisk.schema import Category, Measure, Quantity

DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?", re.ASCII)


class SheetRows:
    """The rows that are left of a sheet, read by column; faults gather as they are found."""

    def __init__(
        self, mapping: Mapping, header: Sequence[str], rows: list[list[Any]], lines: list[int]
    ) -> None:
        self.mapping = mapping
        self.rows = rows
        self.lines = lines
        self.faults: list[CellFault] = []
        self._at = {name: place for place, name in enumerate(header)}
        self._missing = {"", *(word.casefold() for word in mapping.sheet.missing)}

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, column: str, listed: Collection[str] = ()) -> list[Any]:
        """The raw cells of a column; None where nothing was recorded.

        A word that the mapping lists for this column has that meaning, even if it is one of those
        that stand for "not recorded" elsewhere.
        """
        place = self._at[column]
        missing = self._missing.difference(listed)
        return [
            None if isinstance(cell, str) and cell.casefold() in missing else cell
            for cell in (row[place] for row in self.rows)
        ]

    def refuse(self, row: int, column: str, refused: NotAllowed, unit: str = "") -> None:
        """Note a bad cell."""
        self.faults.append(
            CellFault(
                line=self.lines[row],
                column=column,
                rule=refused.rule,
                allowed=refused.allowed,
                unit=unit,
            )
        )

    def numbers(
        self, cell: Cell, allowed: str, measure: Quantity | None = None
    ) -> list[float | None]:
        """A column as numbers in the measure's unit (body mass not divided out yet)."""
        scale = factor(measure, cell.unit, per_body_mass=cell.per_body_mass) if measure else 1.0
        scale = -scale if cell.opposite else scale
        unit = measure.unit if measure else ""
        words = _folded(cell.meanings)
        commas = self.mapping.sheet.decimal_comma
        commas = commas if cell.decimal_comma is None else cell.decimal_comma
        found: list[float | None] = []
        for row, raw in enumerate(self.cells(cell.column, words)):
            try:
                value = _number(raw, words, allowed, commas=commas)
            except NotAllowed as refused:
                self.refuse(row, cell.column, refused, unit)
                value = None
            found.append(None if value is None else value * scale)
        return found

    def words(self, cell: Cell, choices: tuple[str, ...]) -> list[str | None]:
        """A column as words of the schema."""
        words = {choice.casefold(): choice for choice in choices} | _folded(cell.meanings)
        listed = [*dict.fromkeys((*cell.meanings, *choices))]
        return [str(w) if w else None for w in self._looked_up(cell.column, words, listed)]

    def texts(self, column: str) -> list[str | None]:
        """A column as text; a whole number of Excel's as its digits."""
        return [None if raw is None else _text(raw) for raw in self.cells(column)]

    def places(self, words: PlaceInWords) -> list[str | None]:
        """Where an injury is, by the mapping's words."""
        known = _folded(words.meanings)
        listed = list(words.meanings)
        return self._looked_up(words.column, known, listed, words.otherwise)

    def sides(self, sides: Sides) -> list[str | None]:
        """The leg that each row is about; a row without one is a fault."""
        found = self._looked_up(sides.column, _folded(dict(sides.meanings)), list(sides.meanings))
        for row, raw in enumerate(self.cells(sides.column)):
            if raw is None:
                refused = NotAllowed("is missing", "one of " + ", ".join(sides.meanings))
                self.refuse(row, sides.column, refused)
        return found

    def flags(self, cell: Cell) -> list[Any]:
        """A column of red flags, in the mapping's words or as codes joined by ';'."""
        words = _folded(cell.meanings)
        return [
            None if raw is None else words.get(_text(raw).casefold(), raw)
            for raw in self.cells(cell.column, words)
        ]

    def _looked_up(
        self, column: str, words: dict[str, Any], listed: list[str], otherwise: Any = None
    ) -> list[Any]:
        found = []
        for row, raw in enumerate(self.cells(column, words)):
            key = None if raw is None else _text(raw).casefold()
            if key is None or key in words:
                found.append(None if key is None else words[key])
                continue
            if otherwise is None:
                allowed = "one of " + ", ".join(listed)
                self.refuse(row, column, NotAllowed("is not a word of the mapping", allowed))
            found.append(otherwise)
        return found

    def days(self, day: Day) -> list[date | None]:
        """A column of dates."""
        found: list[date | None] = []
        for row, raw in enumerate(self.cells(day.column)):
            try:
                found.append(None if raw is None else _day(raw, day.formats))
            except NotAllowed as refused:
                self.refuse(row, day.column, refused)
                found.append(None)
        return found

    def measured(self, cell: Cell, measure: Measure) -> list[Any]:
        """A column as values of a measure."""
        if isinstance(measure, Category):
            return list(self.words(cell, measure.choices))
        quantity = measure if isinstance(measure, Quantity) else None
        return list(self.numbers(cell, measure.allowed, quantity))


def _folded(values: dict[str, Any]) -> dict[str, Any]:
    return {word.strip().casefold(): value for word, value in values.items()}


def _text(raw: Any) -> str:
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def _number(raw: Any, words: dict[str, Any], allowed: str, *, commas: bool) -> float | None:
    if raw is None:
        return None
    key = _text(raw).casefold()
    if key in words:
        return None if words[key] == "" else float(words[key])
    if commas and isinstance(raw, str):
        if not DECIMAL_COMMA.fullmatch(raw):
            # 1.234 may be a thousand or one and a bit: not for a program to guess.
            raise NotAllowed("is not a number with a decimal comma", allowed)
        raw = raw.replace(",", ".")
    return number(raw, allowed)


def _day(raw: Any, formats: list[str]) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    for form in formats:
        try:
            return datetime.strptime(_text(raw), form).date()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            continue
    raise NotAllowed("is not a date of the mapping's form", "a date as " + " or ".join(formats))
