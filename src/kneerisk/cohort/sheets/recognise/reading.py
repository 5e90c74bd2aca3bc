"""The rows of an understood sheet as values of the schema, each cell with what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from kneerisk.cohort.cells import NotAllowed, flags
from kneerisk.cohort.sheets.mapping import Day, SheetForm, Sides
from kneerisk.cohort.sheets.recognise.column import Column
from kneerisk.cohort.sheets.recognise.contract import SheetCell, SheetReason
from kneerisk.cohort.sheets.recognise.understanding import MASS, Understood
from kneerisk.cohort.sheets.recognise.values import is_missing, number_shown
from kneerisk.cohort.sheets.recognise.vocabulary import (
    AGE,
    ATHLETE,
    BIRTH,
    DATE,
    FLAGS,
    SIDE,
    plain_words,
)
from kneerisk.cohort.sheets.sheetcells import SheetRows, over_mass
from kneerisk.schema import Category, Quantity

#: More digits than any measurement has, and fewer than a conversion leaves.
_DIGITS = 10
_PLAINER = {
    "is not a word of the mapping": "is not a word that is known here; say what it stands for",
    "is not a date of the mapping's form": "is not a date of the forms of this column",
    "is not a number with a decimal comma": "is not a number as the others of this column are",
    "has a decimal comma": "has a decimal comma, unlike the others of this column",
}
#: Parts of a date as a person writes them.
_DATE_PARTS = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month"}


@dataclass(slots=True)
class Line:
    """One row of the sheet, read; visits are put together from them."""

    line: int
    athlete: str | None = None
    day: str | None = None
    born: str | None = None
    side: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    """By canonical column; a leg's measure without a side where rows are legs."""
    cells: dict[str, SheetCell] = field(default_factory=dict)
    reasons: list[SheetReason] = field(default_factory=list)
    waits: bool = False
    """An entry of it stands in a column whose question is open."""


def read_lines(sheet: Understood) -> list[Line]:
    """Every row that is an athlete's, in the sheet's order."""
    at = [i for i, line in enumerate(sheet.body.lines) if line not in sheet.body.left_out]
    raw = [sheet.body.rows[i] for i in at]
    lines = [Line(sheet.body.lines[i]) for i in at]
    places = [column.place for column in sheet.columns]
    form = SheetForm(missing=sorted(plain_words("missing")))
    rows = SheetRows(form, places, raw, [line.line for line in lines])
    values = _values(sheet, rows)
    faults = {(fault.line, fault.column): fault for fault in rows.faults}
    for column_at, column in enumerate(sheet.columns):
        own = values.get(column.place, [None] * len(lines))
        for row, line in enumerate(lines):
            cell = raw[row][column_at]
            if fault := faults.get((line.line, column.place)):
                allowed = column.measure.allowed if column.measure else _dates_shown(fault.allowed)
                rule = _PLAINER.get(fault.rule, fault.rule)
                mark_bad(line, column, shown(cell), fault.code, rule, allowed)
            elif cell != "":
                _keep(line, column, cell, own[row])
    for line in lines:
        if line.born and line.day:
            line.values[AGE] = _age(date.fromisoformat(line.born), date.fromisoformat(line.day))
        if line.line in sheet.body.too_long:
            told = "has entries to the right of the last named column"
            line.reasons.append(SheetReason(code="too_long", message=told))
    return lines


def mark_bad(
    line: Line, column: Column, text: str, code: str, rule: str, allowed: str | None
) -> None:
    """Note a bad cell, in the preview and among the reasons of its row."""
    unit = column.measure.unit if isinstance(column.measure, Quantity) else None
    line.cells[column.place] = SheetCell(
        place=column.place, shown=text, status="bad", code=code, message=rule, allowed=allowed,
        unit=unit,
    )  # fmt: skip
    line.reasons.append(
        SheetReason(
            code=code, message=rule, place=column.place, column=column.name, allowed=allowed
        )
    )


def _dates_shown(allowed: str) -> str:
    for code, text in _DATE_PARTS.items():
        allowed = allowed.replace(code, text)
    return allowed


def _age(born: date, day: date) -> int:
    """Completed years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def shown(cell: Any) -> str:
    """A cell as it stands, for people."""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def _keep(line: Line, column: Column, cell: Any, value: Any) -> None:
    text = shown(cell)
    waits = value is None and column.unit.per_body_mass
    if column.question or (waits and not is_missing(cell)):
        line.waits |= not is_missing(cell)
        line.cells[column.place] = SheetCell(place=column.place, shown=text, status="asked")
        return
    if column.means is None:
        line.cells[column.place] = SheetCell(place=column.place, shown=text, status="ignored")
        return
    if value is None:
        line.cells[column.place] = SheetCell(
            place=column.place, shown=text, status="ignored", message="stands for: not recorded"
        )
        return
    unit = column.measure.unit if isinstance(column.measure, Quantity) else None
    number = number_shown(cell, commas=column.facts.commas) if unit else None
    is_converted = number is not None and abs(number - value) > 1e-9 * abs(number)
    line.cells[column.place] = SheetCell(
        place=column.place, shown=text, status="converted" if is_converted else "ok",
        value=value, unit=unit,
    )  # fmt: skip
    if column.means == ATHLETE:
        line.athlete = f"{line.athlete} {value}" if line.athlete else value
    elif column.means == DATE:
        line.day = value
    elif column.means == BIRTH:
        line.born = value
    elif column.means == SIDE:
        line.side = value
    elif column.canonical:
        line.values[column.canonical] = value


def _values(sheet: Understood, rows: SheetRows) -> dict[str, list[Any]]:
    """The values of every applied column, by place; None where there is none or it is bad."""
    found = {one.place: _read(one, rows) for one in sheet.columns if one.is_applied}
    mass = sheet.column_of(MASS)
    for column in sheet.columns:
        if column.place in found and column.unit.per_body_mass:
            if mass is None or mass.place not in found:
                # It waits for the answer about the body mass.
                found[column.place] = [None] * len(rows)
                continue
            masses, weighed = found[mass.place], rows.cells(mass.place)
            own = found[column.place]
            found[column.place] = over_mass(rows, column.place, own, masses, weighed)
        if isinstance(column.measure, Quantity) and column.place in found:
            tidy = [_tidy(value, column.measure) for value in found[column.place]]
            found[column.place] = tidy
    return found


def _read(column: Column, rows: SheetRows) -> list[Any]:
    cell = column.cell()
    if column.means == ATHLETE:
        return list(rows.texts(column.place))
    if column.means in {DATE, BIRTH}:
        read = rows.days(Day(column=column.place, formats=list(column.formats)))
        return [None if day is None else day.isoformat() for day in read]
    if column.means == SIDE:
        return list(rows.sides(Sides.model_validate({"column": column.place,
                                                     "values": column.words})))  # fmt: skip
    if column.means == FLAGS:
        return [_flags(rows, column, at, told) for at, told in enumerate(rows.flags(cell))]
    if isinstance(column.measure, Category):
        return list(rows.words(cell, column.measure.choices))
    if column.measure is None:
        return [None] * len(rows)
    return list(rows.measured(cell, column.measure))


def _flags(rows: SheetRows, column: Column, row: int, told: Any) -> list[str] | None:
    if told is None:
        return None
    try:
        return [code for code in flags(told).split(";") if code != "none"]
    except NotAllowed as refused:
        rows.refuse(row, column.place, refused)
        return None


def _tidy(value: float | None, measure: Quantity) -> float | int | None:
    if value is None:
        return None
    plain = float(f"{value:.{_DIGITS}g}")
    return int(plain) if measure.whole and plain.is_integer() else plain
