"""File of screenings -> champion -> file of answers, with the numbers that the service gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from kneerisk.answer import Answer, answers
from kneerisk.cohort.checks import refuse_columns, typed
from kneerisk.cohort.layout import CONSTANTS, OUTCOMES, RED_FLAGS_COLUMN
from kneerisk.cohort.tables import read_table
from kneerisk.errors import BadCells, BundleRefused, CellFault
from kneerisk.evidence import imbalances
from kneerisk.model import bundle, champion
from kneerisk.schema import Quantity, Screening, columns, faults_of, from_row
from pipelines.console import Progress
from pipelines.outputs import write_table

#: Answered together: enough to be quick, few enough to show progress.
_TOGETHER = 500
#: Kept beside each answer, so that it can be joined with what it is about.
_KEPT = ("athlete_id", "screening_date", "group")


def score_to(file: Path, out: Path, models: Path, progress: Progress) -> dict[str, Any]:
    """Answer every screening of a file.

    Raises
    ------
    BadCells, CohortRefused
        Where the file holds no sound screenings.
    BundleRefused
        Where there is no champion, or its bundle is not sound.
    """
    served = champion.read(models)
    if served is None:
        raise BundleRefused(f"{models} names no champion: train and promote a model first")
    loaded = bundle.load(served.folder, served.sha256)
    progress(f"Reading {file}")
    frame, screenings = read_screenings(file)
    rows = []
    for first in range(0, len(screenings), _TOGETHER):
        progress(f"Answering screening {first + 1:,} of {len(screenings):,}")
        rows += [flat(found) for found in answers(loaded, screenings[first : first + _TOGETHER])]
    kept = frame[[name for name in _KEPT if name in frame]]
    write_table(pd.concat([kept, pd.DataFrame(rows)], axis=1), out)
    return {"file": str(out), "screenings": len(rows), "version": served.version}


def read_screenings(file: Path) -> tuple[pd.DataFrame, list[Screening]]:
    """The rows of a cohort file, or of one with canonical columns alone, and their screenings.

    Raises
    ------
    BadCells, CohortRefused
        With everything that is wrong with the file.
    """
    raw = read_table(file)
    frame = raw.frame.drop(columns=[*CONSTANTS, *OUTCOMES], errors="ignore")
    refuse_columns(frame.columns, str(file))
    frame, faults = typed(frame, raw.lines)
    screenings: list[Screening] = []
    for line, row in zip(raw.lines, frame.to_dict("records"), strict=True):
        try:
            screenings.append(_screening(row))
        except ValidationError as error:
            faults += _missing(error, line, {(fault.line, fault.column) for fault in faults})
    if faults:
        raise BadCells(str(file), sorted(faults, key=lambda fault: fault.line))
    return frame, screenings


def flat(found: Answer) -> dict[str, Any]:
    """An answer as one row; what it does not tell is missing."""
    row: dict[str, Any] = {"status": found.risk.status}
    row["reasons"] = ";".join(reason.code for reason in found.risk.reasons)
    row["red_flags"] = ";".join(flag.code for flag in found.red_flags)
    for side in ("right", "left", "either"):
        risk = getattr(found.risk, side)
        low, high = risk.interval if risk else (None, None)
        row[f"risk_{side}"] = risk.probability if risk else None
        row[f"risk_{side}_low"], row[f"risk_{side}_high"] = low, high
        row[f"band_{side}"] = risk.band if risk else None
    told = {f"{one.side}_{one.name}": one.probability for one in found.imbalances or ()}
    row |= {f"{side}_{name}": told.get(f"{side}_{name}") for side in ("right", "left")
            for name in imbalances()}  # fmt: skip
    return row | {"version": found.model.version, "run_id": found.model.run_id}


def _screening(row: dict[Any, Any]) -> Screening:
    whole = {name for name, m in columns().items() if isinstance(m, Quantity) and m.whole}
    given = {
        name: int(row[name]) if name in whole else row[name]
        for name in columns()
        if name in row and not pd.isna(row[name])
    }
    asked = row.get(RED_FLAGS_COLUMN)
    flags = None if pd.isna(asked) else [code for code in str(asked).split(";") if code != "none"]
    return from_row(given, flags)


def _missing(error: ValidationError, line: int, known: set[tuple[int, str]]) -> Iterator[CellFault]:
    """What the whole-file check does not ask for: age and sex. Its own faults stay its own."""
    for fault in faults_of(error):
        column = fault.pointer.rsplit("/", 1)[-1]
        if (line, column) not in known:
            yield CellFault(
                line=line, column=column, rule=fault.message, allowed=fault.allowed or "a value"
            )
