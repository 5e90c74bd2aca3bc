"""Tables and texts that a command writes: whole or not at all."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from kneerisk.cohort.file_rows import suffix_of
from kneerisk.cohort.layout import guarded


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV or Parquet, by suffix.

    Parameters
    ----------
    frame
        The table.
    path
        The file to write; its folder is made where it is not there.

    Raises
    ------
    CohortRefused
        Where the suffix is neither.
    """
    suffix = suffix_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder) / path.name
        if suffix == ".csv":
            cells = frame.copy()
            for name in frame.select_dtypes(exclude="number"):
                cells[name] = frame[name].map(guarded)
            cells.to_csv(written, index=False, encoding="utf-8", lineterminator="\n")
        else:
            frame.to_parquet(written, index=False)
        written.replace(path)


def write_text(text: str, path: Path) -> None:
    """Write a text as UTF-8 with plain line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder) / path.name
        written.write_text(text, encoding="utf-8", newline="\n")
        written.replace(path)
