"""How the cells of a sheet become the schema's values, or faults, column by column.

A fault names the sheet's own line and column, so that the person who keeps the sheet finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kneerisk.cohort.layout import NotAllowed, flags
from kneerisk.cohort.sheets.cells.cell_dates import parse_day
from kneerisk.cohort.sheets.cells.cell_text import as_text, parse_number
from kneerisk.cohort.sheets.cells.cell_units import Scales, inches_told, without_cell_unit
from kneerisk.cohort.sheets.cells.decimal_marks import Marks
from kneerisk.cohort.sheets.lexicon.units import FEET_AND_INCHES
from kneerisk.cohort.sheets.mapping import Cell, Day, PlaceInWords, SheetForm, Sides
from kneerisk.cohort.sheets.rows.headings import Table
from kneerisk.schema import Category, Measure, Quantity
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFault:
    """One thing wrong with a sheet; `sheet_wording` puts it into words."""

    code: str
    """A `FaultCode`."""
    lines: tuple[int, ...]
    """The lines that it is about; a fault of one cell has one."""
    column: str | None = None
    """The sheet's column; None for a whole row, or where no column holds the measure."""
    measure: str | None = None
    """The canonical column whose rule is broken; None where the cell could not be read at all."""
    allowed: str | None = None
    unit: str = ""
    variant: str = ""
    """Which of several rules of the same code is broken."""
    others: int = 0
    """So many other lines are the same athlete's, of which `lines` names the first few."""
    message: str = ""
    """The rule in the schema's own words, where it is one of the schema's."""


class ColumnReader:
    """Reads the rows of a table column by column; faults gather as they are met.

    Parameters
    ----------
    form
        How the file is laid out: its decimal mark, and its words for "not recorded".
    table
        The athletes' rows.
    """

    def __init__(self, form: SheetForm, table: Table) -> None:
        self.form = form
        self.rows = table.rows
        self.lines = table.lines
        self.faults: list[SheetFault] = []
        self._places = {name: place for place, name in enumerate(table.references)}
        self._missing = {"", *(word.casefold() for word in form.missing)}

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, column: str, listed: Collection[str] = ()) -> list[Any]:
        """The raw cells of a column; None where nothing was recorded.

        A word that the mapping lists for this column has that meaning, even if it is one of those
        that stand for "not recorded" elsewhere.
        """
        place = self._places[column]
        missing = self._missing.difference(listed)
        return [
            None if isinstance(cell, str) and cell.casefold() in missing else cell
            for cell in (row[place] for row in self.rows)
        ]

    def refuse(
        self, row: int, column: str, code: str, allowed: str, *, unit: str = "", variant: str = ""
    ) -> None:
        """Note a bad cell.

        Parameters
        ----------
        row
            The position of the row in the table.
        column
            The sheet's column.
        code
            The rule that is broken.
        allowed
            What may stand there, in words.
        unit
            The unit of the measure, if it has one.
        variant
            Which of several rules of this code.
        """
        self.faults.append(
            SheetFault(
                code=code,
                lines=(self.lines[row],),
                column=column,
                allowed=allowed,
                unit=unit,
                variant=variant,
            )
        )

    def numbers(
        self, cell: Cell, allowed: str, measure: Quantity | None = None
    ) -> list[float | None]:
        """A column as numbers.

        Parameters
        ----------
        cell
            The column and how it is read.
        allowed
            What may stand there, for faults.
        measure
            The measure whose unit the numbers are converted to; None leaves them as they are.

        Returns
        -------
        list
            One number a row, in the measure's unit (times kg, where body mass is still to be
            divided out); None where nothing was recorded or the cell is bad.
        """
        unit = measure.unit if measure else ""
        words = _casefolded(cell.meanings)
        commas = self.form.decimal_comma
        commas = commas if cell.decimal_comma is None else cell.decimal_comma
        marks = Marks(commas, cell.thousands)
        scales = Scales(cell, measure)
        is_feet = cell.unit == FEET_AND_INCHES
        values: list[float | None] = []
        for row, raw in enumerate(self.cells(cell.column, words)):
            text, own_unit = (
                (raw, None) if measure is None else without_cell_unit(raw, words, scales)
            )
            if is_feet and own_unit is None:
                text = inches_told(text)
            try:
                value = parse_number(text, words, allowed, marks)
            except NotAllowed as refused:
                variant = "no_decimal_comma" if commas and isinstance(text, str) else ""
                self.refuse(row, cell.column, refused.code, allowed, unit=unit, variant=variant)
                value = None
            scale = 1.0 if value is None else scales[own_unit]
            values.append(None if value is None or scale is None else value * scale)
        return values

    def words(self, cell: Cell, choices: tuple[str, ...]) -> list[str | None]:
        """A column as words of the schema."""
        words = {choice.casefold(): choice for choice in choices} | _casefolded(cell.meanings)
        listed = [*dict.fromkeys((*cell.meanings, *choices))]
        return [str(w) if w else None for w in self._looked_up(cell.column, words, listed)]

    def names(self, column: str) -> list[str | None]:
        """A column of names: `NA` and `Nan` are some, and only marks stand for none."""
        place = self._places[column]
        return [None if self._is_no_name(row[place]) else as_text(row[place]) for row in self.rows]

    def _is_no_name(self, raw: Any) -> bool:
        if not isinstance(raw, str):
            return False
        is_missing = raw.casefold() in self._missing and not raw.isalpha()
        return is_missing or not any(map(str.isalnum, raw))

    def texts(self, column: str) -> list[str | None]:
        """A column as text; a whole number of Excel's as its digits."""
        return [None if raw is None else as_text(raw) for raw in self.cells(column)]

    def places(self, words: PlaceInWords) -> list[str | None]:
        """Where an injury is, by the mapping's words."""
        known = _casefolded(words.meanings)
        return self._looked_up(words.column, known, list(words.meanings), words.otherwise)

    def sides(self, sides: Sides) -> list[str | None]:
        """The leg that each row is about; a row without one is a fault."""
        words = _casefolded(dict(sides.meanings))
        legs = self._looked_up(sides.column, words, list(sides.meanings))
        for row, raw in enumerate(self.cells(sides.column)):
            if raw is None:
                choices = text("schema.allowed.one_of", choices=", ".join(sides.meanings))
                self.refuse(row, sides.column, FaultCode.MISSING, choices)
        return legs

    def red_flags(self, cell: Cell) -> list[list[str] | None]:
        """A column of red flags, in the mapping's words or as codes joined by ';'.

        Parameters
        ----------
        cell
            The column, and the words that stand for codes.

        Returns
        -------
        list
            The codes of each row, none of them for "none"; None where nothing was recorded.
        """
        words = _casefolded(cell.meanings)
        rows: list[list[str] | None] = []
        for row, raw in enumerate(self.cells(cell.column, words)):
            rows.append(None)
            if raw is None:
                continue
            try:
                codes = flags(words.get(as_text(raw).casefold(), as_text(raw)))
            except NotAllowed as refused:
                self.refuse(row, cell.column, refused.code, refused.allowed, variant="red_flag")
            else:
                rows[-1] = [code for code in codes.split(";") if code != "none"]
        return rows

    def _looked_up(
        self, column: str, words: dict[str, Any], listed: list[str], otherwise: Any = None
    ) -> list[Any]:
        meanings = []
        for row, raw in enumerate(self.cells(column, words)):
            word = None if raw is None else as_text(raw).casefold()
            if word is None or word in words:
                meanings.append(None if word is None else words[word])
                continue
            if otherwise is None:
                choices = text("schema.allowed.one_of", choices=", ".join(listed))
                self.refuse(row, column, FaultCode.UNKNOWN_WORD, choices)
            meanings.append(otherwise)
        return meanings

    def days(self, day: Day) -> list[date | None]:
        """A column of dates."""
        dates: list[date | None] = []
        for row, raw in enumerate(self.cells(day.column)):
            dates.append(None if raw is None else parse_day(raw, day.formats))
            if raw is not None and dates[-1] is None:
                forms = text("sheet.doubt.or").join(day.formats)
                allowed = text("sheet.allowed.date", forms=forms)
                self.refuse(row, day.column, FaultCode.NOT_A_DATE, allowed)
        return dates

    def measured(self, cell: Cell, measure: Measure) -> list[Any]:
        """A column as values of a measure (times body mass, where that is to be divided out)."""
        if isinstance(measure, Category):
            return list(self.words(cell, measure.choices))
        quantity = measure if isinstance(measure, Quantity) else None
        return list(self.numbers(cell, measure.allowed, quantity))

    def divided_by_mass(
        self, column: str, values: Sequence[Any], masses: Sequence[Any], mass_cells: Sequence[Any]
    ) -> list[Any]:
        """Values divided by body mass; one that lacks it is a fault, since it can't be used.

        Parameters
        ----------
        column
            The sheet's column of the values.
        values
            Forces or torques of each row, in the measure's unit times kg.
        masses
            Body masses in kg; None where missing or bad.
        mass_cells
            The raw cells of the masses: one that is bad itself has its own fault.

        Returns
        -------
        list
            One value a row, in the measure's unit; None where either is not known.
        """
        for row, value in enumerate(values):
            if value is not None and mass_cells[row] is None:
                self.refuse(row, column, FaultCode.NEEDS_BODY_MASS, text("sheet.allowed.body_mass"))
        return [
            None if value is None or not mass else value / mass
            for value, mass in zip(values, masses, strict=True)
        ]


def _casefolded(values: dict[str, Any]) -> dict[str, Any]:
    return {word.strip().casefold(): value for word, value in values.items()}
