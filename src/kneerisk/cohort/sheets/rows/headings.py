"""Where the names of the columns stand, and which lines below them are no athlete's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from openpyxl.utils import get_column_letter

from kneerisk.cohort.sheets.changed_cells import with_changes
from kneerisk.cohort.sheets.columns.column_names import (
    LONGEST_NAME,
    Named,
    beside_its_other,
    read_name_in_lines,
)
from kneerisk.cohort.sheets.columns.own_legs import own_legs_of
from kneerisk.cohort.sheets.files.sheet_limits import Lines
from kneerisk.cohort.sheets.files.workbook import described_lines
from kneerisk.cohort.sheets.lexicon.languages import ENGLISH, Languages, heading_languages
from kneerisk.cohort.sheets.lexicon.leg_words import codes_of
from kneerisk.cohort.sheets.mapping import LeftOut, Mapping
from kneerisk.cohort.sheets.rows.omitted_lines import LineReasons, is_units
from kneerisk.errors import CohortRefused
from kneerisk.words import text

LEFT_OUT: tuple[LeftOut, ...] = get_args(LeftOut)

#: Names are looked for in the first lines only (assumption).
_HEADING_WITHIN = 20
#: Names less alike in all are no heading, and each line more must add this much (assumptions).
_LEAST_SCORE, _LINE_COST = 0.5, 0.1
_NUMBER = re.compile(r"[+-]?[\d.,]+\s*\S{0,3}")


class Heading(NamedTuple):
    """The names of the columns, and the lines that they were put together from."""

    names: list[str]
    meanings: list[Named]
    lines: list[int]
    languages: Languages = ENGLISH
    """The languages that the names are written in."""


class OmittedLine(NamedTuple):
    """A line below the names that is no athlete's."""

    reason: LeftOut
    cells: list[Any]


class Table(NamedTuple):
    """The rows below the names, each as wide as they are, and what was left out of them."""

    names: list[str]
    """As they stand; they may be empty or repeat."""
    references: list[str]
    """How a mapping names each column: by its name, with its letter where that is not enough."""
    rows: list[list[Any]]
    lines: list[int]
    omitted: dict[int, OmittedLine]
    too_long: list[int]
    """Lines with entries to the right of the last name."""


def table_likeness(lines: Lines) -> float:
    """How many columns of the likeliest heading are recognised."""
    best = _best_heading(lines, None)
    return best[0] if best else 0.0


def find_heading(lines: Lines, stated_line: int | None) -> Heading:
    """The line, or up to two with a line of units, whose cells are most like names of measures.

    Parameters
    ----------
    lines
        Every line of the sheet with an entry, by its number.
    stated_line
        The first line of the names, where a person stated it.

    Returns
    -------
    Heading
        The names, what each of them says, and their lines.

    Raises
    ------
    CohortRefused
        Where no line looks like names, or the line that was stated is empty.
    """
    if stated_line is not None and stated_line not in [number for number, _ in lines]:
        raise CohortRefused(text("sheet.unreadable.empty_heading", line=stated_line))
    best = _best_heading(lines, stated_line)
    if best is None or (best[0] < _LEAST_SCORE and stated_line is None):
        raise CohortRefused(text("sheet.unreadable.no_heading"))
    return best[1]


def _best_heading(lines: Lines, stated_line: int | None) -> tuple[float, Heading] | None:
    """The lines that are most like names, and how much."""
    numbers = [number for number, _ in lines]
    first_lines = range(min(len(lines), _HEADING_WITHIN))
    starts = first_lines if stated_line is None else [numbers.index(stated_line)]
    best: tuple[float, Heading] | None = None
    for start in starts:
        for height in (1, 2) if start + 2 < len(lines) else (1,):  # Rows are below the names.
            block = lines[start : start + height]
            if not _may_be_names(block):
                continue
            # The units stand in a line of their own below the names.
            below = lines[start + height : start + height + 1]
            block += [row for row in below if is_units(row[1])]
            heading = _read([row for _, row in block], [number for number, _ in block])
            score = _score(heading) - _LINE_COST * height
            if best is None or score > best[0]:
                best = (score, heading)
    return best


def _may_be_names(block: Lines) -> bool:
    """Names are words."""
    filled = [cell for _, row in block for cell in row if cell != ""]
    return all(isinstance(cell, str) and not _NUMBER.fullmatch(cell) for cell in filled)


def _read(rows: list[list[Any]], lines: list[int]) -> Heading:
    names = joined_names([list(row) for row in rows])
    fragments = [
        [str(row[place]) if place < len(row) else "" for row in rows] for place in range(len(names))
    ]
    short = [name if len(name) <= LONGEST_NAME else "" for name in names]
    languages = heading_languages(short)
    codes = codes_of(short, languages)
    meanings = [
        beside_its_other(name, leg) or read_name_in_lines(name, parts, code)
        for name, parts, code, leg in zip(names, fragments, codes, own_legs_of(short), strict=True)
    ]
    return Heading(names, meanings, lines, languages)


def joined_names(rows: list[list[Any]]) -> list[str]:
    """The names of columns out of one or several rows.

    A name above others, in a merged cell, holds to the right as long as there are names below it.
    """
    width = max((len(row) for row in rows), default=0)
    names = [[str(cell) for cell in [*row, *[""] * (width - len(row))]] for row in rows]
    for place in range(1, width if len(names) > 1 else 0):
        if not names[0][place] and names[1][place]:
            names[0][place] = names[0][place - 1]
    return [" ".join(filter(None, fragments)) for fragments in zip(*names, strict=True)]


def _score(heading: Heading) -> float:
    """How many different columns are recognised."""
    best: dict[tuple[str, str | None], float] = {}
    for named in heading.meanings:
        if named.matches:
            key = (named.matches[0].means, named.side or named.own_leg)
            best[key] = max(best.get(key, 0.0), named.matches[0].likeness)
    return sum(best.values())


def heading_names(lines: Lines, first: int, height: int) -> list[str]:
    """The names of the columns in the rows that a mapping states.

    Parameters
    ----------
    lines
        Every line of the sheet with an entry, by its number.
    first
        The first line of the names.
    height
        So many lines make up a name.

    Returns
    -------
    list of str
        One name a column; an empty text where it has none.
    """
    return joined_names([row for line, row in lines if first <= line < first + height])


def rows_below(
    lines: Lines,
    names: Sequence[str],
    *,
    heading_line: int,
    last_line: int | None = None,
    leave_out: Collection[LeftOut] = LEFT_OUT,
) -> Table:
    """The athletes' rows below the names.

    Parameters
    ----------
    lines
        Every line of the sheet with an entry, by its number.
    names
        The names of the columns.
    heading_line
        The last line of the names.
    last_line
        The last line that belongs to the table; None for the last of the sheet.
    leave_out
        The kinds of lines that are left out.

    Returns
    -------
    Table
        Rows as wide as the names, and the lines that were left out, with the reason.
    """
    width = len(names)
    table = Table(list(names), references(names), [], [], {}, [])
    below = [
        (line, row, [*row, *[""] * (width - len(row))][:width])
        for line, row in lines
        if heading_line < line and (last_line is None or line <= last_line)
    ]
    reasons = LineReasons(names, [cells for _, _, cells in below])
    for line, row, cells in below:
        reason = reasons.of(cells) if leave_out else None
        if any(cell != "" for cell in row[width:]):
            table.too_long.append(line)
        if reason is not None and reason in leave_out:
            table.omitted[line] = OmittedLine(reason, cells)
        else:
            table.rows.append(cells)
            table.lines.append(line)
    return table


def read_table(sheet: Path, mapping: Mapping) -> Table:
    """The athletes' rows of a sheet in the form that its mapping states.

    Parameters
    ----------
    sheet
        A CSV, tab-separated or Excel file.
    mapping
        Its form, and the kinds of lines that are left out.

    Returns
    -------
    Table
        Rows as wide as the names of the columns.

    Raises
    ------
    CohortRefused
        Where it can't be read, or has no names of columns or no rows.
    """
    form = mapping.sheet
    try:
        described = described_lines(sheet.read_bytes(), form, sheet.suffix)
    except FileNotFoundError:
        raise CohortRefused(text("cohort.file.no_such_file", file=sheet)) from None
    except OSError as error:
        reason = type(error).__name__
        raise CohortRefused(text("cohort.file.unreadable", file=sheet, reason=reason)) from None
    except CohortRefused as refused:
        raise CohortRefused(f"{sheet}: {refused}") from None
    lines = with_changes(described, mapping.changes)
    names = heading_names(lines, form.header_row, form.header_rows)
    if not any(names):
        raise CohortRefused(text("sheet.unreadable.no_names", file=sheet, row=form.header_row))
    table = rows_below(
        lines,
        names,
        heading_line=form.header_row + form.header_rows - 1,
        last_line=form.last_row,
        leave_out=form.leave_out,
    )
    if not table.rows:
        raise CohortRefused(text("sheet.unreadable.no_rows", file=sheet))
    return table


def references(names: Sequence[str]) -> list[str]:
    """How a mapping names each column: `Age`, but `SLR [D]` where two columns are named SLR."""
    count = Counter(names)
    return [
        name if name and count[name] == 1 else f"{name} [{get_column_letter(place)}]".strip()
        for place, name in enumerate(names, start=1)
    ]
