"""The words for faults and notes of a sheet, for people: every one stands here.

A fault has a code and its place; who keeps a mapping file reads another sentence than who dropped
a sheet on the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kneerisk.cohort.sheets.cell_reading import SheetFault
from kneerisk.cohort.sheets.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.headings import Table
from kneerisk.cohort.sheets.mapping import LeftOut, Mapping
from kneerisk.cohort.sheets.recognition import RecognisedSheet
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.cohort.sheets.vocabulary import ATHLETE, BIRTH
from kneerisk.errors import CellFault
from kneerisk.schema import columns
from kneerisk.schema.faults import FaultCode


class _Rule(NamedTuple):
    """A broken rule, for the keeper of a mapping file and for whoever dropped a sheet."""

    cohort: str
    page: str


def _both(rule: str) -> _Rule:
    return _Rule(rule, rule)


#: By code and variant. `{others}` are other lines, `{lines}` all of them, `{label}` the measure.
_RULES: dict[tuple[str, str], _Rule] = {
    (FaultCode.UNKNOWN_WORD, ""): _Rule(
        "is not a word of the mapping",
        "is not a word that is known here; say what it stands for",
    ),
    (FaultCode.UNKNOWN_CHOICE, "red_flag"): _both("holds a word that is not a red flag"),
    (FaultCode.NOT_A_DATE, ""): _Rule(
        "is not a date of the mapping's form", "is not a date of the forms of this column"
    ),
    (FaultCode.NOT_A_NUMBER, ""): _both("is not a number"),
    (FaultCode.NOT_FINITE, ""): _both("is not a finite number"),
    (FaultCode.NOT_A_NUMBER, "comma"): _Rule(
        "is not a number with a decimal comma",
        "is not a number as the others of this column are",
    ),
    (FaultCode.DECIMAL_MARK, ""): _Rule(
        "has a decimal comma", "has a decimal comma, unlike the others of this column"
    ),
    (FaultCode.DECIMAL_MARK, "comma"): _Rule(
        "is not a number with a decimal comma",
        "is not a number as the others of this column are",
    ),
    (FaultCode.MISSING, ""): _both("is missing"),
    (FaultCode.NEEDS_BODY_MASS, ""): _both("can't be divided by body mass, which is missing"),
    (FaultCode.TOO_LONG, ""): _Rule(
        "has more cells than there are columns", "has entries to the right of the last named column"
    ),
    (FaultCode.ROWS_DIFFER, ""): _both("differs between {lines}"),
    (FaultCode.LEGS_DIFFER, ""): _Rule(
        "differs between the two legs of one athlete and date",
        "{label} differs between {lines}, which are one visit",
    ),
    (FaultCode.REPEATED_LEG, "left"): _Rule(
        "repeats a leg of the same athlete and date",
        "repeats the left leg of the same athlete and date",
    ),
    (FaultCode.REPEATED_LEG, "right"): _Rule(
        "repeats a leg of the same athlete and date",
        "repeats the right leg of the same athlete and date",
    ),
    (FaultCode.SAME_ATHLETE, ""): _Rule(
        "repeats the athlete of {others}, and not both have a date",
        "is the same athlete as {others}, and not both have a date",
    ),
    (FaultCode.SAME_ATHLETE_AND_DATE, ""): _Rule(
        "repeats the athlete and date of {others}",
        "is the same athlete on the same date as {others}",
    ),
    (FaultCode.NOT_AN_OUTCOME, ""): _both("is no outcome"),
    (FaultCode.DATE_WITHOUT_PAIN, ""): _both("is given, but no pain is recorded"),
    (FaultCode.BEFORE_SCREENING, ""): _both("is before the screening"),
}
#: The schema's faults in the words of a cohort file's check.
_SCHEMA_RULES: dict[str, str] = {
    FaultCode.OUTSIDE_LIMITS: "is outside the limits",
    FaultCode.UNKNOWN_CHOICE: "is not one of the choices",
}


def rule_for_cohort(code: str, *, message: str) -> str:
    """A rule of the schema as the check of a cohort file words it.

    Parameters
    ----------
    code
        The schema's code.
    message
        The schema's own words, for rules that both word alike.

    Returns
    -------
    str
        A predicate: `is outside the limits`.
    """
    return _SCHEMA_RULES.get(code, message)


def page_rule(fault: SheetFault) -> str:
    """A broken rule for whoever dropped a sheet on the page."""
    return fault.message or _worded(fault, _rule(fault).page)


def _rule(fault: SheetFault) -> _Rule:
    general = _RULES.get((fault.code, ""), _both("can't be read"))
    return _RULES.get((fault.code, fault.variant), general)


def _worded(fault: SheetFault, rule: str) -> str:
    measure = columns().get(fault.measure or "")
    own, *others = fault.lines
    listed = ", ".join(map(str, others))
    unnamed = fault.others - len(others)
    return rule.format(
        label=measure.label if measure else "Red flags",
        lines=f"lines {own} and {listed}",
        others=f"line {listed} and {unnamed} more" if unnamed > 0 else f"line {listed}",
    )


def cohort_faults(fault: SheetFault, mapping: Mapping) -> Iterator[CellFault]:
    """A fault for the keeper of a mapping file: one of each cell that it is about."""
    if fault.message:
        rule = rule_for_cohort(fault.code, message=fault.message)
        held = mapping.column_of(fault.measure or "")
        rule += f" (as {fault.measure})" if held and held != fault.measure else ""
    else:
        rule = _worded(fault, _rule(fault).cohort)
    is_of_every_line = fault.code in {FaultCode.ROWS_DIFFER, FaultCode.LEGS_DIFFER}
    for line in fault.lines if is_of_every_line else fault.lines[:1]:
        yield CellFault(
            line=line,
            column=fault.column or fault.measure or "(row)",
            rule=rule,
            allowed=fault.allowed or "",
            unit=fault.unit,
            code=fault.code,
        )


#: Why a line is no athlete's: it is one of those that ...
_OMITTED: dict[LeftOut, str] = {
    "totals": "hold totals or averages, no athlete",
    "names_again": "repeat the names of the columns",
    "units_again": "hold units",
    "remark": "have an entry in the first column only",
}


def omitted_counts(table: Table) -> dict[str, int]:
    """How many lines were left out as no athlete's, by the reason in words."""
    count = Counter(line.reason for line in table.omitted.values())
    return {f"lines that {why}": count[reason] for reason, why in _OMITTED.items() if count[reason]}


def notes(sheet: RecognisedSheet) -> list[SheetNote]:
    """What was done or left out while a sheet was read, so that nothing happens quietly."""
    return [*_file_notes(sheet), *_line_notes(sheet), *_column_notes(sheet)]


def _file_notes(sheet: RecognisedSheet) -> Iterator[SheetNote]:
    file = sheet.file
    if file.encoding_is_guessed:
        message = "It is not UTF-8, and was read as Windows text (cp1252)."
        yield SheetNote(code="encoding", message=message)
    if len(file.worksheets) > 1:
        message = f"The file has {len(file.worksheets)} worksheets; this is {file.worksheet!r}."
        yield SheetNote(code="worksheets", message=message)


def _line_notes(sheet: RecognisedSheet) -> Iterator[SheetNote]:
    heading = sheet.heading.lines
    above = [line for line, _ in sheet.file.lines if line < heading[0]]
    if above:
        message = f"{_lines_stand(above)} above the names of the columns: left out."
        yield SheetNote(code="title_lines", message=message, lines=above)
    if len(heading) > 1:
        message = f"Lines {heading[0]} to {heading[-1]} together name the columns."
        yield SheetNote(code="names_of_several_lines", message=message, lines=heading)
    for reason, why in _OMITTED.items():
        lines = [at for at, omitted in sheet.table.omitted.items() if omitted.reason == reason]
        if lines:
            listed = ", ".join(map(str, lines[:10])) + (", ..." if len(lines) > 10 else "")
            message = f"Left out: lines that {why} ({listed})."
            yield SheetNote(code=reason, message=message, lines=lines)


def _lines_stand(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"Line {lines[0]} stands"
    return f"Lines {lines[0]} to {lines[-1]} stand"


def _column_notes(sheet: RecognisedSheet) -> Iterator[SheetNote]:
    empty = [column.place for column in sheet.columns if not column.values.filled]
    if empty:
        message = f"Empty columns: {', '.join(empty)}."
        yield SheetNote(code="empty_columns", message=message, places=empty)
    if commas := _applied(sheet, lambda column: column.values.commas):
        message = "Decimals are written with a comma."
        yield SheetNote(code="decimal_commas", message=message, places=commas)
    if born := _applied(sheet, lambda column: column.means == BIRTH):
        message = "Ages are completed years from the date of birth to that of the screening."
        yield SheetNote(code="ages_from_birth_dates", message=message, places=born)
    if not any(column.means == ATHLETE for column in sheet.columns):
        message = "No column names the athletes, so repeated athletes can't be told."
        yield SheetNote(code="no_athlete", message=message)


def _applied(sheet: RecognisedSheet, is_meant: Callable[[RecognisedColumn], bool]) -> list[str]:
    return [column.place for column in sheet.columns if column.is_applied and is_meant(column)]
