"""A model validated on each of many clubs: a report of its own and a row of numbers for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.cohort import Cohort
from kneerisk.evaluation.external.validation_report import (
    LONGEST_LABEL,
    ValidationReport,
    checked_label,
)
from kneerisk.model import Bundle
from kneerisk.progress import Progress
from kneerisk.training.club_files import ClubRefused, over_clubs
from kneerisk.training.leakage.leakage_checks import refuse_other_outcome
from kneerisk.training.tracking.run_lookup import training_ids
from kneerisk.training.validation.validated_club import validate_unseen
from kneerisk.training.validation.validation_page import validation_html
from kneerisk.workers.this_process import Workers, in_this_process

#: Metrics that stand in a club's row.
_SHOWN = (
    "rows", "events", "observed_to_expected", "observed_to_expected_low",
    "observed_to_expected_high", "auc", "auc_low", "auc_high", "calibration_slope",
    "calibration_slope_low", "calibration_slope_high", "log_loss",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValidatedClub:
    """A club's file with its report and the same as HTML, or why there is none."""

    file: Path
    report: ValidationReport | None
    page: str
    refused: str | None

    def row(self) -> dict[str, Any]:
        """The club in a table: `file`, `refused`, and numbers that hold no small cell."""
        row: dict[str, Any] = {"file": self.file.name, "refused": self.refused}
        if self.report is None:
            return row
        of_file = {name: getattr(self.report.file, name) for name in ("athletes", "screenings")}
        return row | of_file | {name: self.report.metrics.get(name) for name in _SHOWN}


def validate_clubs(
    bundle: Bundle,
    files: Sequence[Path],
    folder: Path,
    progress: Progress,
    workers: Workers = in_this_process,
) -> Iterator[ValidatedClub]:
    """Validate a model on each file by itself; in its report a club is called as its file is.

    Parameters
    ----------
    bundle
        The model.
    files
        A cohort file for each club.
    folder
        Where the store of runs is, which knows whom the model was trained on.
    progress
        Called as each file is read.
    workers
        What validates.

    Yields
    ------
    What came of each file, in their order.
    """
    trained = training_ids(bundle.metadata, folder)
    for club in over_clubs(validate_club, (bundle, trained), files, workers, progress):
        if isinstance(club, ClubRefused):
            yield ValidatedClub(club.file, None, "", club.reason)
            continue
        label = checked_label(club.file.stem[:LONGEST_LABEL])
        of_file = club.result.file.model_copy(update={"label": label})
        report = club.result.model_copy(update={"file": of_file})
        yield ValidatedClub(club.file, report, validation_html(report), None)


def validate_club(shared: tuple[Bundle, set[str] | None], cohort: Cohort) -> ValidationReport:
    """Validate a model on one of many clubs.

    Parameters
    ----------
    shared
        The model, and the ids of those it was trained on, None where that is not known.
    cohort
        Of the club.

    Returns
    -------
    The report.

    Raises
    ------
    CohortRefused
        Where the outcome is another one, or too few athletes have it.
    """
    bundle, trained = shared
    refuse_other_outcome(bundle.metadata, cohort)
    return validate_unseen(bundle, cohort, None, lambda: trained)[0]
