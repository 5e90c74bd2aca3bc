"""A club's file as it stands: cells by column, with the line of each row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import openpyxl

from kneerisk.cohort.mapping import SheetForm
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
        if path.suffix.lower() in EXCEL:
            return _table(path, form, list(_excel_rows(path, form)))
        return _table(path, form, list(_text_rows(path, form)))
    except FileNotFoundError:
        raise CohortRefused(f"{path}: there is no such file") from None
    except (UnicodeDecodeError, LookupError):
        raise CohortRefused(f"{path}: is not {form.encoding} text") from None
    except (OSError, csv.Error, BadZipFile, KeyError, ValueError) as error:
        raise CohortRefused(f"{path}: can't be read ({type(error).__name__})") from None


def _text_rows(path: Path, form: SheetForm) -> Iterator[tuple[int, list[Any]]]:
    tabs = path.suffix.lower() in TAB_SEPARATED
    delimiter = form.delimiter or ("\t" if tabs else ",")
    with path.open(newline="", encoding=form.encoding) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        start = 1
        for row in reader:
            yield start, [cell.strip() for cell in row]
            start = reader.line_num + 1


def _excel_rows(path: Path, form: SheetForm) -> Iterator[tuple[int, list[Any]]]:
    values = _page(path, form, data_only=True)
    formulas = _page(path, form, data_only=False)
    for line, (row, written) in enumerate(zip(values, formulas, strict=True), start=1):
        yield line, [_plain(cell, formula) for cell, formula in zip(row, written, strict=True)]


def _page(path: Path, form: SheetForm, *, data_only: bool) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    try:
        if form.name is not None and form.name not in book.sheetnames:
            known = ", ".join(book.sheetnames)
            raise CohortRefused(f"{path}: has no worksheet {form.name!r} (it has {known})")
        return list(book[form.name or book.sheetnames[0]].iter_rows(values_only=True))
    finally:
        book.close()


def _plain(cell: Any, formula: Any) -> Any:
    if cell is None:
        # A formula that no program has worked out is not an empty cell; as text it is a bad one.
        return "" if formula is None else str(formula)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.strip() if isinstance(cell, str) else cell


def _table(path: Path, form: SheetForm, rows: list[tuple[int, list[Any]]]) -> Worksheet:
    header = next((row for line, row in rows if line == form.header_row), None)
    if header is None or not any(header):
        raise CohortRefused(f"{path}: has no column names in row {form.header_row}")
    names = [str(name) for name in header]
    kept: list[list[Any]] = []
    lines: list[int] = []
    faults: list[CellFault] = []
    for line, row in rows:
        if line <= form.header_row or all(cell == "" for cell in row):
            continue
        if any(cell != "" for cell in row[len(names) :]):
            faults.append(_too_long(line, len(names)))
        kept.append([*row, *[""] * (len(names) - len(row))][: len(names)])
        lines.append(line)
    if not kept:
        raise CohortRefused(f"{path}: has no rows below its column names")
    return Worksheet(names, kept, lines, faults)


def _too_long(line: int, width: int) -> CellFault:
    return CellFault(
        line=line,
        column="(row)",
        rule="has more cells than there are columns",
        allowed=f"at most {width} cells",
    )
