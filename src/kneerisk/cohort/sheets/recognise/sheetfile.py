"""A sheet on disk, recognised, and the mapping file that comes of it."""

from __future__ import annotations

from pathlib import Path

from kneerisk.cohort.sheets.recognise.answering import recognise
from kneerisk.cohort.sheets.recognise.contract import SheetAnswer
from kneerisk.errors import CohortRefused


def recognise_file(path: Path) -> SheetAnswer:
    """What a CSV, tab-separated or Excel file holds.

    Raises
    ------
    CohortRefused
        Where it can't be read as a sheet.
    """
    try:
        return recognise(path.read_bytes())
    except OSError as error:
        raise CohortRefused(f"{path}: can't be read ({error.strerror})") from None
    except CohortRefused as refused:
        raise CohortRefused(f"{path}: {refused}") from None


def write_mapping(found: SheetAnswer, path: Path) -> None:
    """Write the proposed mapping; a file that is there already is a person's work and stays.

    Raises
    ------
    CohortRefused
        Where it can't be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(found.mapping)
    except FileExistsError:
        raise CohortRefused(f"{path}: is there already, choose another name") from None
    except OSError as error:
        raise CohortRefused(f"{path}: can't be written ({error.strerror})") from None
