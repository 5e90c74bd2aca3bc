"""One athlete of a file -> champion -> a page to print, with the numbers that the service gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from kneerisk.answer import answer
from kneerisk.answer.report import report_html, report_markdown
from kneerisk.cohort import read_screenings
from kneerisk.errors import CohortRefused
from pipelines.console import Progress
from pipelines.outputs import write_text
from pipelines.released import released

Format = Literal["html", "md"]

_RENDER = {"html": report_html, "md": report_markdown}
#: What a file's name is made of; anything else of an athlete's id becomes a hyphen.
_PLAIN = re.compile(r"[^\w.-]+")


def report_to(
    file: Path,
    athlete: str,
    date: str | None,
    out: Path | None,
    kind: Format | None,
    models: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Write the report of an athlete's last screening, or of the one on a date.

    Raises
    ------
    BadCells, CohortRefused
        Where the file holds no sound screenings, or none of this athlete on this date.
    BundleRefused
        Where there is no champion, or its bundle is not sound.
    """
    loaded = released(models)
    progress(f"Reading {file}")
    frame, screenings = read_screenings(file)
    row = row_of(frame, athlete, date, file)
    screened = _dates(frame)[row]
    progress("Writing the report")
    wanted = kind or ("md" if out is not None and out.suffix == ".md" else "html")
    path = out or Path(f"{_PLAIN.sub('-', athlete).strip('.-') or 'athlete'}.{wanted}")
    found = answer(loaded, screenings[row])
    write_text(_RENDER[wanted](found, screenings[row], athlete, screened or None), path)
    return {
        "file": str(path),
        "status": found.risk.status,
        "screening_date": screened or None,
        "version": loaded.metadata.version,
    }


def row_of(frame: pd.DataFrame, athlete: str, date: str | None, file: Path) -> int:
    """Which row is the athlete's: the one of the date, else the last by date.

    Raises
    ------
    CohortRefused
        Where there is none. It never says who else is in the file.
    """
    ids = frame["athlete_id"].astype(str) if "athlete_id" in frame else pd.Series(dtype=str)
    mine = [row for row, name in enumerate(ids) if name == athlete]
    if not mine:
        count = ids.nunique()
        raise CohortRefused(
            f"{file} has no athlete of that id; it has {count:,} athlete{'' if count == 1 else 's'}"
        )
    dates = _dates(frame)
    of_date = [row for row in mine if date is None or dates[row].startswith(date)]
    if not of_date:
        raise CohortRefused(
            f"{file} has {len(mine)} screening{'' if len(mine) == 1 else 's'} of this athlete, "
            "none on that date"
        )
    return max(of_date, key=lambda row: (dates[row], row))


def _dates(frame: pd.DataFrame) -> list[str]:
    """The date of each row as text; empty where there is none."""
    if "screening_date" not in frame:
        return [""] * len(frame)
    return ["" if pd.isna(date) else str(date) for date in frame["screening_date"]]
