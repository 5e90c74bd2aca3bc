"""What was done or left out while a sheet was read, so that nothing happens quietly."""

from __future__ import annotations

from collections.abc import Iterator

from kneerisk.cohort.sheets.recognise.contract import SheetNote
from kneerisk.cohort.sheets.recognise.understanding import Understood
from kneerisk.cohort.sheets.recognise.vocabulary import ATHLETE, BIRTH

_LEFT_OUT = {
    "totals": "hold totals or averages, no athlete",
    "names_again": "repeat the names of the columns",
    "units_again": "hold units",
    "remark": "have an entry in the first column only",
}


def notes(sheet: Understood) -> list[SheetNote]:
    """Everything worth telling about the sheet as a whole."""
    return [*_of_file(sheet), *_of_lines(sheet), *_of_columns(sheet)]


def _of_file(sheet: Understood) -> Iterator[SheetNote]:
    if sheet.opened.guessed:
        yield SheetNote(code="encoding", message=sheet.opened.guessed)
    if len(sheet.opened.sheets) > 1:
        told = (
            f"The file has {len(sheet.opened.sheets)} worksheets; this is {sheet.opened.sheet!r}."
        )
        yield SheetNote(code="worksheets", message=told)


def _of_lines(sheet: Understood) -> Iterator[SheetNote]:
    above = [line for line, _ in sheet.opened.lines if line < sheet.heading.lines[0]]
    if above:
        told = f"{_lines(above)} above the names of the columns: left out."
        yield SheetNote(code="title_lines", message=told, lines=above)
    if len(sheet.heading.lines) > 1:
        lines = sheet.heading.lines
        told = f"Lines {lines[0]} to {lines[-1]} together name the columns."
        yield SheetNote(code="names_of_several_lines", message=told, lines=lines)
    for code, why in _LEFT_OUT.items():
        out = [line for line, of in sheet.body.left_out.items() if of == code]
        if out:
            listed = ", ".join(map(str, out[:10])) + (", ..." if len(out) > 10 else "")
            told = f"Left out: lines that {why} ({listed})."
            yield SheetNote(code=code, message=told, lines=out)


def _lines(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"Line {lines[0]} stands"
    return f"Lines {lines[0]} to {lines[-1]} stand"


def _of_columns(sheet: Understood) -> Iterator[SheetNote]:
    empty = [column.place for column in sheet.columns if not column.facts.filled]
    if empty:
        told = f"Empty columns: {', '.join(empty)}."
        yield SheetNote(code="empty_columns", message=told, places=empty)
    commas = [c.place for c in sheet.columns if c.facts.commas and c.is_applied]
    if commas:
        told = "Decimals are written with a comma."
        yield SheetNote(code="decimal_commas", message=told, places=commas)
    born = [c.place for c in sheet.columns if c.means == BIRTH and c.is_applied]
    if born:
        told = "Ages are completed years from the date of birth to that of the screening."
        yield SheetNote(code="ages_from_birth_dates", message=told, places=born)
    if not any(column.means == ATHLETE for column in sheet.columns):
        told = "No column names the athletes, so repeated athletes can't be told."
        yield SheetNote(code="no_athlete", message=told)
