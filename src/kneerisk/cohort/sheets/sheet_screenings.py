"""The screenings of a club's sheet that is only to be scored: no outcome, and no row is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kneerisk.cohort.sheets.mapping import Mapping, load
from kneerisk.cohort.sheets.mapping_faults import mapping_faults
from kneerisk.cohort.sheets.mapping_file import MappingRefused
from kneerisk.cohort.sheets.row_answers import NEEDED_FOR_AN_ANSWER
from kneerisk.cohort.sheets.rows.read_sheet import SheetReading, read_sheet
from kneerisk.cohort.sheets.rows.visits import HOLDING, Visit, costs_the_visit, screening_body
from kneerisk.cohort.sheets.several_files.described_table import described_table
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_wording import cohort_faults, without_protocol
from kneerisk.cohort.sheets.undescribed_sheet import recognise_paths
from kneerisk.errors import CohortRefused
from kneerisk.schema import Screening, columns
from kneerisk.words import text


class SheetScreening(NamedTuple):
    """One athlete's visit of a sheet."""

    line: int
    athlete: str | None
    date: str | None
    screening: Screening | None
    """None where it can't be scored."""
    reasons: tuple[str, ...]
    """Why it can't."""
    left_out: tuple[str, ...] = ()
    """The cells that could not be used, of a visit that can be scored without them."""


def screenings_in(sheet: Path, mapping: Path | None, *others: Path) -> list[SheetScreening]:
    """Every visit of a sheet, those that can't be scored with the reasons.

    Parameters
    ----------
    sheet
        A CSV, tab-separated or Excel file.
    mapping
        The mapping file that says what its columns mean, such as one that `ingest sheet` proposed;
        no outcome is needed. None: the sheet has to be certain by itself.
    *others
        The other files of the squad.

    Returns
    -------
    list of SheetScreening
        In the sheet's order.

    Raises
    ------
    CohortRefused
        Where the sheet can't be read, or a question about it is open.
    MappingRefused
        With every mistake of the mapping file.
    """
    if mapping is None:
        return list(_recognised(sheet, *others))
    meaning = load(mapping, required=())
    table = described_table([sheet, *others], meaning)
    if mistakes := mapping_faults(meaning, table):
        raise MappingRefused(mapping, mistakes)
    reading = read_sheet(meaning, table)
    return [_described(meaning, reading, visit) for visit in reading.visits]


def _recognised(sheet: Path, *others: Path) -> Iterator[SheetScreening]:
    answer = recognise_paths(sheet, *others)
    if questions := _questions(answer):
        listed = "\n".join(f"  {question}" for question in questions)
        raise CohortRefused(text("sheet.to_score.questions", sheet=sheet, questions=listed))
    for row in answer.rows:
        told = tuple(
            " ".join(filter(None, (reason.column, reason.message))) for reason in row.reasons
        )
        if row.status in {"ready", "earlier"}:
            screening = Screening.model_validate(row.screening)
            yield SheetScreening(row.line, row.athlete, row.date, screening, (), told)
        elif row.status in {"bad", "waiting"}:
            yield SheetScreening(row.line, row.athlete, row.date, None, told)


def _questions(answer: SheetAnswer) -> list[str]:
    columns_asked = [column.question for column in answer.columns if column.question]
    needed = [constant.question for constant in answer.constants if constant.needed]
    return [*columns_asked, *needed]


def _described(meaning: Mapping, reading: SheetReading, visit: Visit) -> SheetScreening:
    lines = set(visit.lines)
    faults = [fault for fault in reading.row_faults if lines & set(fault.lines)] + visit.faults
    holding = {
        column for place, column in meaning.used().items() if place.rpartition(".")[2] in HOLDING
    }
    told: dict[bool, list[str]] = {True: [], False: []}
    for fault in faults:
        holds = costs_the_visit(fault, visit, holding)
        cells = cohort_faults(fault, meaning)
        told[holds] += [f"{c.column} {c.message}" for c in cells if c.line in lines]
    told[False] += [
        f"{meaning.column_of(name) or name} {without_protocol(protocol)}"
        for name, protocol in visit.without_protocol.items()
    ]
    reasons, named = told[True], {fault.measure for fault in visit.faults}
    missing = text("shared.fault.missing")
    reasons += [
        f"{columns()[name].label} {missing}"
        for name in NEEDED_FOR_AN_ANSWER
        if not reasons and name not in named and name not in visit.values
    ]
    row = visit.first
    screening = None if reasons else Screening.model_validate(screening_body(visit))
    left_out = () if reasons else tuple(dict.fromkeys(told[False]))
    reasons = [*reasons, *told[False]] if reasons else []
    why = tuple(dict.fromkeys(reasons))
    return SheetScreening(row.line, visit.athlete, row.date, screening, why, left_out)
