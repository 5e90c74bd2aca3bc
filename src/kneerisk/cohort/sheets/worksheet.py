"""A club's file as it stands: cells by column, with the line of each row."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

from kneerisk.cohort.sheets.filelines import Lines, excel_lines, text_lines
from kneerisk.cohort.sheets.mapping import SheetForm
from kneerisk.errors import CellFault, CohortRefused

EXCEL = (".xlsx", ".xlsm")
TAB_SEPARATED = (".tsv", ".txt", ".tab")


class Worksheet(NamedTuple):
    """A header and rows of as many raw cells; text, or what Excel stores."""

    header: list[str]
    rows: list[list[Any]]
    lines: list[int]
    faults: list[CellFault]
    """Rows that are longer than the header, by line."""


def read_worksheet(path: Path, form: SheetForm) -> Worksheet:
    """A CSV, tab-separated or Excel file; rows without any entry are left out.

    Raises
    ------
    CohortRefused
        Where it can't be read in the form that the mapping says.
    """
    try:
        return _table(path, form, _lines(path, form))
    except FileNotFoundError:
        raise CohortRefused(f"{path}: there is no such file") from None
    except (UnicodeDecodeError, LookupError):
        raise CohortRefused(f"{path}: is not {form.encoding} text") from None
    except (OSError, csv.Error, BadZipFile, KeyError, ValueError) as error:
        raise CohortRefused(f"{path}: can't be read ({type(error).__name__})") from None


def _lines(path: Path, form: SheetForm) -> Lines:
    content = path.read_bytes()
    if path.suffix.lower() in EXCEL:
        try:
            return excel_lines(content, form.name)
        except CohortRefused as refused:
            raise CohortRefused(f"{path}: {refused}") from None
    tabs = path.suffix.lower() in TAB_SEPARATED
    return text_lines(content.decode(form.encoding), form.delimiter or ("\t" if tabs else ","))


def _table(path: Path, form: SheetForm, rows: Lines) -> Worksheet:
    last = form.header_row + form.header_rows - 1
    header = [row for line, row in rows if form.header_row <= line <= last]
    names = joined_names(header)
    if not any(names):
        raise CohortRefused(f"{path}: has no column names in row {form.header_row}")
    kept: list[list[Any]] = []
    lines: list[int] = []
    faults: list[CellFault] = []
    for line, row in rows:
        below = form.last_row is not None and line > form.last_row
        if line <= last or below or all(cell == "" for cell in row):
            continue
        if any(cell != "" for cell in row[len(names) :]):
            faults.append(_too_long(line, len(names)))
        kept.append([*row, *[""] * (len(names) - len(row))][: len(names)])
        lines.append(line)
    if not kept:
        raise CohortRefused(f"{path}: has no rows below its column names")
    return Worksheet(names, kept, lines, faults)


def joined_names(header: list[list[Any]]) -> list[str]:
    """The names of columns out of one or several rows.

    A name above others, in a merged cell, holds to the right as long as there are names below it.
    """
    width = max((len(row) for row in header), default=0)
    names = [[str(cell) for cell in [*row, *[""] * (width - len(row))]] for row in header]
    for place in range(1, width if len(names) > 1 else 0):
        if not names[0][place] and names[1][place]:
            names[0][place] = names[0][place - 1]
    return [" ".join(filter(None, parts)) for parts in zip(*names, strict=True)]


def _too_long(line: int, width: int) -> CellFault:
    return CellFault(
        line=line,
        column="(row)",
        rule="has more cells than there are columns",
        allowed=f"at most {width} cells",
    )
