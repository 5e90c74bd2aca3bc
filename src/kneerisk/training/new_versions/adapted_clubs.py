"""A version adapted to each of many clubs: every club gets a version of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kneerisk.cohort import Cohort
from kneerisk.model import Bundle
from kneerisk.progress import Progress
from kneerisk.training.club_files import ClubRefused, over_clubs
from kneerisk.training.new_versions.adapted_version import (
    Adapted,
    AdaptedVersion,
    adapt_to_club,
    log_adapted,
)
from kneerisk.workers.this_process import Workers, in_this_process

#: Metrics that stand in a club's row.
_SHOWN = (
    "cv_log_loss", "cv_log_loss_over_as_is", "cv_log_loss_over_as_is_error", "cv_auc",
    "cv_calibration_slope", "instability_mape",
)  # fmt: skip


def adapt_clubs(
    base: Bundle,
    files: Sequence[Path],
    refits: int,
    progress: Progress,
    workers: Workers = in_this_process,
) -> Iterator[dict[str, Any]]:
    """Update a version by each club's outcomes, and log what comes of it.

    Workers fit and compare; runs and versions are logged here, in the order of the files. None of
    the versions becomes the challenger: each is promoted by its name where its club is served.

    Parameters
    ----------
    base
        The version to update.
    files
        A cohort file for each club.
    refits
        How often the version is updated again in bootstrap samples of a club's athletes.
    progress
        Called as each file is read.
    workers
        What does a club's fits.

    Yields
    ------
    A row for each club: `file`, and `refused`, or the `version` (None where the base is kept), its
    `run_id`, the `step` that was corrected, and metrics.
    """
    for club in over_clubs(_adapt, (base, refits), files, workers, progress):
        if isinstance(club, ClubRefused):
            yield {"file": club.file.name, "refused": club.reason}
            continue
        logged = log_adapted(base, club.source, club.cohort, club.result, challenger=False)
        yield {"file": club.file.name, "refused": None, **_row(logged)}


def _adapt(shared: tuple[Bundle, int], club: Cohort) -> Adapted:
    base, refits = shared
    return adapt_to_club(base, club, refits)


def _row(adapted: AdaptedVersion) -> dict[str, Any]:
    logged = adapted.logged
    return {
        "version": logged and logged.version,
        "run_id": logged and logged.run_id,
        "step": adapted.updated.step,
        "events": adapted.updated.events,
        **{name: adapted.metrics.get(name) for name in _SHOWN},
    }
