"""A version that is adapted to a club: updated, compared, logged as a challenger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kneerisk.cohort import Cohort
from kneerisk.cohort.knee_weeks import KneeWeeks
from kneerisk.cohort.splits import train_test_split
from kneerisk.model import Bundle
from kneerisk.progress import Progress, event
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.provenance import Source, digest
from kneerisk.training.registry.update_record import LoggedUpdate, log_update
from kneerisk.training.tracking import Tracking
from kneerisk.training.updating import model_updating
from kneerisk.training.updating.model_updating import UpdatedModel
from kneerisk.training.updating.update_comparison import compare_update, refit_update

#: Which athletes share a fold is chance: the mean over a few deals is given (assumption).
FOLD_SEEDS = range(3)


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

    Returns
    -------
    The adapted version.

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
    out_of_fold = compare_update(base.model, club, FOLD_SEEDS, progress, weeks)
    if updated.step == "as_is":
        return AdaptedVersion(updated, out_of_fold.metrics, None)
    instability = refit_update(base.model, train, updated.model, refits, progress)
    progress(event("logging_run"))
    logged = log_update(Tracking(Path.cwd()), source, base, club, updated, out_of_fold, instability)
    return AdaptedVersion(updated, logged.metrics, logged)
