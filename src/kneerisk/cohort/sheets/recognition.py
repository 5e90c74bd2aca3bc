"""A sheet that nobody described: its mapping as far as it is certain, and the open questions.

Each column is recognised by itself, twice, since the body mass and the leg of a row that one column
gives help to read the others; then the columns are looked at together (`column_conflicts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import median
from typing import Any

from openpyxl.utils import get_column_letter

from kneerisk.cohort.sheets.cells.cell_text import ColumnValues, column_values
from kneerisk.cohort.sheets.cells.decimal_marks import (
    Marks,
    decimal_commas,
    marks_of,
    marks_stated,
    numbers_with_marks,
)
from kneerisk.cohort.sheets.cells.unit_fits import USUAL_MASS_KG
from kneerisk.cohort.sheets.changed_cells import ChangedCell, changes_of, with_changes
from kneerisk.cohort.sheets.columns.agreement import Setting
from kneerisk.cohort.sheets.columns.column_conflicts import settle_columns
from kneerisk.cohort.sheets.columns.column_forms import in_one_order
from kneerisk.cohort.sheets.columns.column_meaning import BOTH, RecognisedColumn
from kneerisk.cohort.sheets.columns.questions import in_other_marks, recognise_column
from kneerisk.cohort.sheets.columns.stated_columns import confirm_column
from kneerisk.cohort.sheets.device_exports.tested_columns import as_tested
from kneerisk.cohort.sheets.device_exports.tidy_table import TidyColumn
from kneerisk.cohort.sheets.file_parts import Arrangement
from kneerisk.cohort.sheets.files.workbook import OpenedSheet, open_sheet
from kneerisk.cohort.sheets.lexicon.languages import ENGLISH, plain_words
from kneerisk.cohort.sheets.lexicon.units import factor
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    AGE,
    ATHLETE,
    BIRTH,
    DATE,
    FLAGS,
    MASS,
    SIDE,
    leg_names,
)
from kneerisk.cohort.sheets.mapping import Day, Identity, Mapping, SheetForm, Sides
from kneerisk.cohort.sheets.rows.headings import (
    LEFT_OUT,
    Heading,
    Table,
    find_heading,
    rows_below,
    table_likeness,
)
from kneerisk.cohort.sheets.several_files.arrange import arrange
from kneerisk.cohort.sheets.several_files.arranged_sheet import ArrangedSheet
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs.log_columns import refuse_log
from kneerisk.evidence import imbalances
from kneerisk.schema import SIDES, Quantity, columns
from kneerisk.words import text


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedSheet:
    """Everything that is known of a sheet before its rows are read."""

    file: OpenedSheet
    heading: Heading
    table: Table
    columns: tuple[RecognisedColumn, ...]
    mapping: Mapping
    """How the rows are read; columns whose question is open are not in it."""
    changes: tuple[ChangedCell, ...]
    """The cells that a person changed or left out."""
    arranged: ArrangedSheet | None = None
    """How the table was put together; None where the file is the table."""

    @property
    def visits_are_open(self) -> bool:
        """Whether it is asked whose rows they are, of which leg, or how their dates are read."""
        return any(c.means in {ATHLETE, DATE, SIDE} and c.question for c in self.columns)

    def column_of(self, canonical: str) -> RecognisedColumn | None:
        """The column that holds a canonical one, or is asked whether it does."""
        return next((column for column in self.columns if canonical in column.canonicals), None)

    @property
    def canonical(self) -> set[str]:
        """Every canonical column that the sheet holds, with a side where rows are legs too."""
        held = {name for column in self.columns for name in column.canonicals}
        if BIRTH in held and DATE in held:
            held.add(AGE)
        sided = {f"{side}_{name}" for name in held for side in ("left", "right")}
        return held | (sided & set(columns()))


def recognise_sheet(files: Sequence[SquadFile], stated: SheetAsked) -> RecognisedSheet:
    """What a sheet is, as far as it says by itself and a person stated.

    Parameters
    ----------
    files
        CSV, tab-separated or Excel files of one squad.
    stated
        What a person stated about it; nothing of this is guessed.

    Returns
    -------
    RecognisedSheet
        Its columns, the open questions, and the mapping of what is certain.

    Raises
    ------
    CohortRefused
        Where it can't be read, or no line looks like the names of columns.
    """
    file = open_sheet(
        files[0].content,
        worksheet=stated.sheet,
        delimiter=stated.delimiter,
        encoding=stated.encoding,
        likeness=table_likeness,
    )
    how = _arrangement(stated)
    # A log among the worksheets of a squad is joined to them.
    may_be_log = len(files) == 1 and not stated.columns and stated.header_line is None
    is_alone = len(file.worksheets) < 2 or stated.sheet is not None
    refuse_log(file.lines, may_be=may_be_log and is_alone)
    arranged = arrange(files, file, how, worksheet=stated.sheet, header_line=stated.header_line)
    refuse_log(file.lines, may_be=may_be_log and arranged is None)
    if arranged is not None:
        file = file._replace(lines=arranged.lines)
    lines = with_changes(file.lines, stated.cells)
    heading = arranged.heading if arranged else find_heading(lines, stated.header_line)
    table = rows_below(lines, heading.names, heading_line=heading.lines[-1])
    recognised = tuple(_columns(heading, table, stated, arranged.columns if arranged else ()))
    form = SheetForm(
        # Of several worksheets together none is named.
        name=None if arranged and arranged.is_of_several else file.worksheet,
        header_row=heading.lines[0],
        header_rows=heading.lines[-1] - heading.lines[0] + 1,
        delimiter=file.delimiter,
        encoding="utf-8-sig" if file.encoding in {None, "utf-8"} else str(file.encoding),
        missing=sorted(plain_words("missing")),
        leave_out=_kinds_left_out(table),
    )
    return RecognisedSheet(
        file=file,
        heading=heading,
        table=table,
        columns=recognised,
        mapping=_mapping(recognised, form, stated, how if arranged else None),
        changes=tuple(changes_of(file.lines, stated.cells)),
        arranged=arranged,
    )


def _arrangement(stated: SheetAsked) -> Arrangement:
    order = (column.day_first for column in stated.columns.values())
    return Arrangement(
        within_days=stated.within_days,
        same_athletes=stated.same_athletes,
        day_first=next((first for first in order if first is not None), None),
    )


def _kinds_left_out(table: Table) -> list[Any]:
    reasons = {line.reason for line in table.omitted.values()}
    return [reason for reason in LEFT_OUT if reason in reasons]


def _mapping(
    recognised: Sequence[RecognisedColumn],
    form: SheetForm,
    stated: SheetAsked,
    arrangement: Arrangement | None,
) -> Mapping:
    """The mapping of the columns that no question is left about."""
    used = [column for column in recognised if column.is_applied]
    has_mass = any(column.means == MASS for column in used)
    by_role = {column.means: column for column in reversed(used)}
    athletes = [column.reference for column in used if column.means == ATHLETE]
    # What is still to be divided by a body mass that is asked about waits with it.
    measured = {
        name: column
        for column in used
        if (column.measure or column.means == FLAGS) and (has_mass or not column.unit.per_body_mass)
        for name in column.canonicals
    }
    side = by_role.get(SIDE)
    legs = {name for name in measured if name in leg_names()}
    if not side:
        # They wait until it is told which leg each row is about.
        measured = {name: column for name, column in measured.items() if name not in legs}
    return Mapping(
        sheet=form,
        arrangement=arrangement,
        athlete_id=Identity(columns=athletes) if athletes else None,
        screening_date=_day(by_role.get(DATE)),
        birth_date=_day(by_role.get(BIRTH)),
        sides=_sides(side) if side else None,
        constants=dict(stated.constants),
        cells=dict(stated.cells),
        columns={n: column.cell() for n, column in measured.items() if n not in legs},
        legs={n: column.cell() for n, column in measured.items() if n in legs},
    )


def _day(column: RecognisedColumn | None) -> Day | None:
    return Day(column=column.reference, formats=list(column.formats)) if column else None


def _sides(column: RecognisedColumn) -> Sides:
    # What a person stated may be no leg; it is refused with the other answers (`stated_answers`).
    words = {word: side for word, side in column.words.items() if side in (*SIDES, BOTH)}
    return Sides.model_validate({"column": column.reference, "values": words})


def _columns(
    heading: Heading, table: Table, stated: SheetAsked, known: Sequence[TidyColumn]
) -> list[RecognisedColumn]:
    cells = [[row[at] for row in table.rows] for at in range(len(heading.names))]
    marks = _marks(cells, heading, stated)
    setting = Setting(USUAL_MASS_KG, languages=heading.languages)
    values = [
        [column_values(cells[at], reading) for reading in own] for at, own in enumerate(marks)
    ]
    found = _each(heading, table, cells, values, stated, setting, known)
    # What the body mass is, and whether rows are legs, matters to the other columns.
    has_sides = any(column.means == SIDE for column in found)
    told = setting._replace(mass_kg=_usual_mass(found), has_sides=has_sides)
    if told != setting:
        found = _each(heading, table, cells, values, stated, told, known)
    # The columns of a joined table are those of several files.
    return settle_columns(found if known else in_one_order(found, cells, heading.languages))


def _marks(cells: Sequence[list[Any]], heading: Heading, stated: SheetAsked) -> list[list[Marks]]:
    """How each column may write its numbers; one that doesn't say does as most of the sheet."""
    if stated.decimal is not None:
        return [[marks_stated(column, stated.decimal)] for column in cells]
    written = [numbers_with_marks(column) for column in cells]
    commas = sum(map(decimal_commas, written)) > 0
    is_foreign = commas or heading.languages != ENGLISH
    return [marks_of(column, commas=commas, may_be_foreign=is_foreign) for column in written]


def _each(
    heading: Heading,
    table: Table,
    cells: Sequence[list[Any]],
    values: Sequence[list[ColumnValues]],
    stated: SheetAsked,
    setting: Setting,
    known: Sequence[TidyColumn],
) -> list[RecognisedColumn]:
    recognised = []
    for at, (name, named) in enumerate(zip(heading.names, heading.meanings, strict=True)):
        plain = [
            RecognisedColumn(
                place=get_column_letter(at + 1),
                name=name,
                reference=table.references[at],
                values=read,
                why=text("sheet.why.no_such_measure"),
            )
            for read in values[at]
        ]
        if name in _answer_columns():
            column = replace(plain[0], why=text("sheet.why.answer"))
        else:
            readings = [recognise_column(one, named, cells[at], setting) for one in plain]
            column = readings[0] if len(readings) == 1 else in_other_marks(readings)
        if known:
            column = as_tested(column, known[at])
        if answer := stated.columns.get(column.place):
            column = confirm_column(column, named, cells[at], answer, setting)
        recognised.append(column)
    return recognised


@cache
def _answer_columns() -> frozenset[str]:
    """Columns of an export that sound like a measure or an athlete, and are an answer."""
    return frozenset({"model", "run_id", *(f"{s}_{name}" for s in SIDES for name in imbalances())})


def _usual_mass(recognised: Sequence[RecognisedColumn]) -> float:
    measure = columns()[MASS]
    for column in recognised:
        if column.means == MASS and column.values.numbers and isinstance(measure, Quantity):
            unit = column.proposal.unit if column.proposal else column.unit.name
            mass = median(column.values.numbers) * factor(measure, unit)
            return mass if measure.low <= mass <= measure.high else USUAL_MASS_KG
    return USUAL_MASS_KG
