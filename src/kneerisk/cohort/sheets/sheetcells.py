"""How the cells of a club's sheet become the schema's values, or faults.

A fault names the sheet's own line and column, so that the person who keeps the sheet finds it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from kneerisk.cohort.cells import NotAllowed, number
from kneerisk.cohort.sheets.mapping import Cell, Day, PlaceInWords, SheetForm, Sides
from kneerisk.cohort.sheets.units import UnknownUnit, factor, unit_named
from kneerisk.errors import CellFault
from kneerisk.schema import Category, Measure, Quantity

DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?", re.ASCII)


#: A number and what stands behind it; whether that is a unit is looked up.
WITH_UNIT = re.compile(r"([+-]?[\d.,]+)\s*([^\d\s.,].*)", re.ASCII)
#: 5'11", with the marks that keyboards and phones write for it.
FEET_AND_INCHES = re.compile(
    "(\\d)\\s*(?:'|ft|\u2019|\u2032)\\s*(?:(\\d{1,2}(?:\\.\\d+)?)\\s*(?:\"|''|in|\u201d|\u2033)?)?"
)


class SheetRows:
    """The rows that are left of a sheet, read by column; faults gather as they are found."""

    def __init__(
        self, form: SheetForm, header: Sequence[str], rows: list[list[Any]], lines: list[int]
    ) -> None:
        self.form = form
        self.rows = rows
        self.lines = lines
        self.faults: list[CellFault] = []
        self._at = {name: place for place, name in enumerate(header)}
        self._missing = {"", *(word.casefold() for word in form.missing)}

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
                code=refused.code,
            )
        )

    def numbers(
        self, cell: Cell, allowed: str, measure: Quantity | None = None
    ) -> list[float | None]:
        """A column as numbers in the measure's unit (body mass not divided out yet)."""
        unit = measure.unit if measure else ""
        words = _folded(cell.meanings)
        commas = self.form.decimal_comma
        commas = commas if cell.decimal_comma is None else cell.decimal_comma
        found: list[float | None] = []
        for row, raw in enumerate(self.cells(cell.column, words)):
            try:
                text, own = _apart(raw, words, cell, measure)
                value = _number(text, words, allowed, commas=commas)
            except NotAllowed as refused:
                self.refuse(row, cell.column, refused, unit)
                value = None
            found.append(None if value is None else value * _scale(cell, measure, own))
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
                allowed = "one of " + ", ".join(sides.meanings)
                refused = NotAllowed("is missing", allowed, "missing")
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
                refused = NotAllowed("is not a word of the mapping", allowed, "unknown_word")
                self.refuse(row, column, refused)
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


def over_mass(
    rows: SheetRows, column: str, values: list[Any], masses: list[Any], weighed: list[Any]
) -> list[Any]:
    """Values divided by body mass; one that lacks it is a fault, since it can't be used.

    `weighed` are the raw cells of the masses: one that is bad itself is already told.
    """
    for row, value in enumerate(values):
        if value is not None and weighed[row] is None:
            told = "can't be divided by body mass, which is missing"
            refused = NotAllowed(told, "a body mass", "needs_body_mass")
            rows.refuse(row, column, refused)
    return [
        None if value is None or not mass else value / mass
        for value, mass in zip(values, masses, strict=True)
    ]


def _folded(values: dict[str, Any]) -> dict[str, Any]:
    return {word.strip().casefold(): value for word, value in values.items()}


def _text(raw: Any) -> str:
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def _scale(cell: Cell, measure: Quantity | None, own_unit: str | None) -> float:
    """What a cell's number is multiplied by; a unit in the cell itself comes first."""
    if measure is None:
        return 1.0
    scale = factor(measure, own_unit or cell.unit, per_body_mass=cell.per_body_mass)
    return -scale if cell.opposite else scale


def _apart(
    raw: Any, words: dict[str, Any], cell: Cell, measure: Quantity | None
) -> tuple[Any, str | None]:
    """A cell such as `38°` or `12 cm` as its number and its unit."""
    if not isinstance(raw, str) or measure is None or raw.casefold() in words:
        return raw, None
    text, unit = with_unit(raw)
    if unit is None:
        return raw, None
    try:
        factor(measure, unit, per_body_mass=cell.per_body_mass)
    except UnknownUnit:
        # 12 kg is no height; the whole cell is told as no number.
        return raw, None
    return text, unit


def with_unit(cell: str) -> tuple[str, str | None]:
    """The number and the unit of a cell that names one (`38°`, `5'11"`), or the cell as it is."""
    if feet := FEET_AND_INCHES.fullmatch(cell):
        return f"{12 * int(feet[1]) + float(feet[2] or 0):g}", "inch"
    found = WITH_UNIT.fullmatch(cell)
    unit = unit_named(found[2]) if found else None
    return (found[1], unit) if found and unit else (cell, None)


def _number(raw: Any, words: dict[str, Any], allowed: str, *, commas: bool) -> float | None:
    if raw is None:
        return None
    key = _text(raw).casefold()
    if key in words:
        return None if words[key] == "" else float(words[key])
    if commas and isinstance(raw, str):
        if not DECIMAL_COMMA.fullmatch(raw):
            # 1.234 may be a thousand or one and a bit: not for a program to guess.
            told = "is not a number with a decimal comma"
            raise NotAllowed(told, allowed, "decimal_mark" if "." in raw else "not_a_number")
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
    allowed = "a date as " + " or ".join(formats)
    raise NotAllowed("is not a date of the mapping's form", allowed, "not_a_date")
