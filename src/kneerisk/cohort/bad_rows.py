"""The rows of a sheet that were left out, with the reasons, for whoever keeps the sheet."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.errors import CellFault, CohortRefused

LINE, REASONS = "line", "reasons"


@dataclass(frozen=True, slots=True)
class BadRows:
    """Rows as they stand in the sheet, by line, and what is wrong with each."""

    header: Sequence[str]
    rows: Mapping[int, Sequence[Any]]
    faults: Sequence[CellFault]


def write_bad_rows(bad: BadRows, path: Path) -> None:
    """Write the rows as CSV: line, reasons, then the sheet's own columns unchanged.

    Raises
    ------
    CohortRefused
        Where the file can't be written.
    """
    reasons: dict[int, list[str]] = {line: [] for line in sorted(bad.rows)}
    for fault in bad.faults:
        told = f"{fault.column}: {fault.rule} (allowed: {fault.allowed})"
        reasons[fault.line].append(told)
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([LINE, REASONS, *bad.header])
            for line, told_of in reasons.items():
                why = "; ".join(told_of) or "belongs to a screening with a bad row"
                writer.writerow([line, why, *bad.rows[line]])
    except OSError as error:
        raise CohortRefused(f"{path}: can't be written ({error.strerror})") from None
