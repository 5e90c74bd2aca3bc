"""File of screenings -> champion -> file of answers, with the numbers that the service gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from kneerisk.answer import Answer, answers
from kneerisk.answer.answer_schema import KNEES, SHOWN
from kneerisk.cohort import read_screenings
from kneerisk.evidence import imbalances
from pipelines.console import Progress
from pipelines.outputs import write_table
from pipelines.released import released

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
    loaded = released(models)
    progress(f"Reading {file}")
    frame, screenings = read_screenings(file)
    rows = []
    for first in range(0, len(screenings), _TOGETHER):
        progress(f"Answering screening {first + 1:,} of {len(screenings):,}")
        rows += [flat(found) for found in answers(loaded, screenings[first : first + _TOGETHER])]
    kept = frame[[name for name in _KEPT if name in frame]]
    write_table(pd.concat([kept, pd.DataFrame(rows)], axis=1), out)
    return {"file": str(out), "screenings": len(rows), "version": loaded.metadata.version}


def flat(found: Answer) -> dict[str, Any]:
    """An answer as one row; what it does not tell is missing."""
    row: dict[str, Any] = {"status": found.risk.status}
    row["reasons"] = ";".join(reason.code for reason in found.risk.reasons)
    row["red_flags"] = ";".join(flag.code for flag in found.red_flags)
    for side in KNEES:
        risk = getattr(found.risk, side)
        low, high = risk.interval if risk else (None, None)
        row[f"risk_{side}"] = risk.probability if risk else None
        row[f"risk_{side}_low"], row[f"risk_{side}_high"] = low, high
        row[f"band_{side}"] = risk.band if risk else None
    told = {f"{one.side}_{one.name}": one.probability for one in found.imbalances or ()}
    row |= {f"{side}_{name}": told.get(f"{side}_{name}") for side in SHOWN
            for name in imbalances()}  # fmt: skip
    return row | {"version": found.model.version, "run_id": found.model.run_id}
