"""A version that is adapted to a club: updated, compared, logged as a challenger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kneerisk.cohort import Cohort
from kneerisk.cohort.knee_weeks import KneeWeeks
from kneerisk.cohort.splits import train_test_split
from kneerisk.evaluation.instability import Instability
from kneerisk.evaluation.internal_external_validation import OutOfFold
from kneerisk.model import Bundle
from kneerisk.progress import Progress, event, ignore
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.provenance import Source, digest
from kneerisk.training.registry.update_record import LoggedUpdate, log_update
from kneerisk.training.tracking import Tracking
from kneerisk.training.updating import model_updating
from kneerisk.training.updating.model_updating import UpdatedModel
from kneerisk.training.updating.update_comparison import compare_update, refit_update
from kneerisk.workers.this_process import Workers, in_this_process

#: Which athletes share a fold is chance: the mean over a few deals is given (assumption).
FOLD_SEEDS = range(3)


@dataclass(frozen=True, slots=True)
class Adapted:
    """A version updated by a club's outcomes, and how it compares; nothing is logged of it yet."""

    updated: UpdatedModel
    out_of_fold: OutOfFold
    instability: Instability | None


@dataclass(frozen=True, slots=True)
class AdaptedVersion:
    """What a club's outcomes made of a version.

    Attributes
    ----------
    updated
        The updated model.
    metrics
        Of people and groups that were left out; where it was logged, of held-out athletes too.
    logged
        The version that it became; None where the base is kept as it is.
    """

    updated: UpdatedModel
    metrics: dict[str, float]
    logged: LoggedUpdate | None


def adapt_version(
    base: Bundle,
    source: Source,
    club: Cohort,
    refits: int,
    progress: Progress,
    weeks: KneeWeeks | None = None,
    workers: Workers = in_this_process,
) -> AdaptedVersion:
    """Check a club's cohort, update a version by it, compare the two and log the new one.

    Parameters
    ----------
    base
        The version to update.
    source
        Where the cohort can be had again.
    club
        The club's whole cohort.
    refits
        How often the version is updated again in bootstrap samples of the club's athletes.
    progress
        Called with what is being done.
    weeks
        Of the cohort's screenings, in the same order, where follow-up was weekly: a hazard is
        fitted beside.
    workers
        What does the fits beside that of the version: of folds and of bootstrap samples.

    Returns
    -------
    The adapted version.

    Raises
    ------
    CohortRefused
        Where the version can't honestly be updated by the cohort.
    """
    adapted = adapt_to_club(base, club, refits, progress, weeks, workers)
    return log_adapted(base, source, club, adapted, progress)


def adapt_to_club(
    base: Bundle,
    club: Cohort,
    refits: int,
    progress: Progress = ignore,
    weeks: KneeWeeks | None = None,
    workers: Workers = in_this_process,
) -> Adapted:
    """The same up to where it would be logged.

    Parameters
    ----------
    base
        The version to update.
    club
        The club's whole cohort.
    refits
        How often the version is updated again in bootstrap samples of the club's athletes.
    progress
        Called with what is being done.
    weeks
        Of the cohort's screenings, in the same order, where follow-up was weekly.
    workers
        What does the fits beside that of the version.

    Returns
    -------
    The updated model, and how it compares.

    Raises
    ------
    CohortRefused
        Where the version can't honestly be updated by the cohort.
    """
    train, test = train_test_split(club)
    model_updating.refuse_club(base, club, train, test, digest(club))
    progress(event("updating", version=base.metadata.version))
    updated = model_updating.update_model(base.model, train, SEED)
    progress(event("evaluating_update"))
    out_of_fold = compare_update(base.model, club, FOLD_SEEDS, progress, weeks, workers)
    if updated.step == "as_is":
        return Adapted(updated, out_of_fold, None)
    return Adapted(
        updated,
        out_of_fold,
        refit_update(base.model, train, updated.model, refits, progress, workers),
    )


def log_adapted(
    base: Bundle,
    source: Source,
    club: Cohort,
    adapted: Adapted,
    progress: Progress = ignore,
    *,
    challenger: bool = True,
) -> AdaptedVersion:
    """Log an updated model as a version, unless the base is kept as it is.

    Parameters
    ----------
    base
        The version that was updated.
    source
        Where the cohort can be had again.
    club
        The club's whole cohort.
    adapted
        The updated model, and how it compares.
    progress
        Called with what is being done.
    challenger
        Whether the version becomes the challenger.

    Returns
    -------
    The adapted version.
    """
    updated, out_of_fold = adapted.updated, adapted.out_of_fold
    if updated.step == "as_is":
        return AdaptedVersion(updated, out_of_fold.metrics, None)
    progress(event("logging_run"))
    logged = log_update(
        Tracking(Path.cwd()), source, base, club, updated, out_of_fold, adapted.instability,
        challenger=challenger,
    )  # fmt: skip
    return AdaptedVersion(updated, logged.metrics, logged)
