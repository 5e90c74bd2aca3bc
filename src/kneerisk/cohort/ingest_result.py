"""What reading another person's file gives: a cohort, the cells and rows left out, a mapping."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.layout import ATHLETE_ID, guarded
from kneerisk.errors import CellFault, CohortRefused
from kneerisk.words import text

LINE, REASONS = "line", "reasons"
REPORT_COLUMNS = ("file", "line", "column", "rule", "allowed", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blanked:
    """A cell of a published file that breaks the schema, and is missing in the cohort."""

    file: str
    fault: CellFault


@dataclass(frozen=True, slots=True)
class BadRows:
    """Rows as they stand in the sheet, by line, and what is wrong with each."""

    header: Sequence[str]
    rows: Mapping[int, Sequence[Any]]
    faults: Sequence[CellFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """A cohort with the account of what was left out."""

    cohort: Cohort
    blanked: Sequence[Blanked] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    """How many rows were left out, by reason."""
    bad_rows: BadRows | None = None
    """Rows of a sheet that were left out on request."""

    def summary(self) -> dict[str, Any]:
        """Counts for people and programs; no athlete's value is among them."""
        outcomes = self.cohort.outcomes()._asdict()
        return {
            "rows": len(self.cohort.frame),
            "athletes": int(self.cohort.frame[ATHLETE_ID].nunique()),
            "events": {side: int(np.nansum(values)) for side, values in outcomes.items()},
            "recorded": {side: int((values == values).sum()) for side, values in outcomes.items()},
            "blanked_cells": len(self.blanked),
            "blanked_by_column": dict(Counter(cell.fault.column for cell in self.blanked)),
            "dropped": self.dropped,
        }


def write_report(blanked: Sequence[Blanked], path: Path) -> None:
    """Write each blanked cell as one CSV row: where it stands and which rule it breaks.

    Parameters
    ----------
    blanked
        The cells, in the order of their files.
    path
        The CSV file to write.

    Raises
    ------
    CohortRefused
        Where the file can't be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(REPORT_COLUMNS)
            for cell in blanked:
                fault = cell.fault
                cells = (cell.file, fault.line, fault.column, fault.rule, fault.allowed, fault.unit)
                writer.writerow(map(guarded, cells))
    except OSError as error:
        raise CohortRefused(
            text("cohort.file.unwritable", file=path, reason=error.strerror)
        ) from None


def write_bad_rows(bad: BadRows, path: Path) -> None:
    """Write the rows as CSV: line, reasons, then the sheet's own columns.

    Texts that a spreadsheet would run have an apostrophe in front; reading takes it off again.

    Parameters
    ----------
    bad
        The rows that were left out.
    path
        The CSV file to write.

    Raises
    ------
    CohortRefused
        Where the file can't be written.
    """
    reasons: dict[int, list[str]] = {line: [] for line in sorted(bad.rows)}
    for fault in bad.faults:
        reasons[fault.line].append(f"{fault.column}: {fault.message}")
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([LINE, REASONS, *map(guarded, bad.header)])
            for line, texts in reasons.items():
                reason = "; ".join(texts) or text("sheet.left_out.bad_screening")
                writer.writerow(map(guarded, (line, reason, *bad.rows[line])))
    except OSError as error:
        raise CohortRefused(
            text("cohort.file.unwritable", file=path, reason=error.strerror)
        ) from None


def write_mapping(mapping: str, path: Path) -> None:
    """Write the proposed mapping; a file that is there already is a person's work and stays.

    Parameters
    ----------
    mapping
        The text of the mapping file.
    path
        Where it is written.

    Raises
    ------
    CohortRefused
        Where it can't be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(mapping)
    except FileExistsError:
        raise CohortRefused(text("cohort.file.exists", file=path)) from None
    except OSError as error:
        raise CohortRefused(
            text("cohort.file.unwritable", file=path, reason=error.strerror)
        ) from None
