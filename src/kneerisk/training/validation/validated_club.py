"""A model validated on the athletes of a club's cohort that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from kneerisk.cohort import Cohort
from kneerisk.evaluation.external.external_validation import validation_report
from kneerisk.evaluation.external.validation_metrics import baselines
from kneerisk.evaluation.external.validation_report import ValidationReport
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model import Bundle
from kneerisk.progress import Progress, event, ignore
from kneerisk.training.provenance import digest
from kneerisk.training.registry.versions import without_athletes_of
from kneerisk.training.tracking.run_lookup import training_ids


def validate_on(
    bundle: Bundle, whole: Cohort, label: str | None, folder: Path, progress: Progress
) -> tuple[ValidationReport, Cohort]:
    """Validate a model on the athletes of a cohort that it was not trained on.

    Parameters
    ----------
    bundle
        The model.
    whole
        The cohort.
    label
        What it is called in the report.
    folder
        Where the store of runs is.
    progress
        Called with what is being done.

    Returns
    -------
    The report, and those athletes.
    """

    def trained_on() -> AbstractSet[str] | None:
        return training_ids(bundle.metadata, folder)

    return validate_unseen(bundle, whole, label, trained_on, progress)


def validate_unseen(
    bundle: Bundle,
    whole: Cohort,
    label: str | None,
    trained_on: Callable[[], AbstractSet[str] | None],
    progress: Progress = ignore,
) -> tuple[ValidationReport, Cohort]:
    """The same, away from the store of runs.

    Parameters
    ----------
    bundle
        The model.
    whole
        The cohort.
    label
        What it is called in the report.
    trained_on
        Gives the ids of those the model was trained on, None where that is not known.
    progress
        Called with what is being done.

    Returns
    -------
    The report, and the athletes that it is of.
    """
    progress(event("finding_training_athletes"))
    cohort, _, _ = without_athletes_of(bundle.metadata, whole, None, trained_on)
    progress(event("predicting"))
    predicted = risks_of(bundle.model.predict(cohort.columns()))
    progress(event("fitting_baselines"))
    others = baselines(bundle, cohort)
    progress(event("evaluating"))
    own_cohort = digest(whole) == bundle.metadata.data_sha256
    report = validation_report(bundle, cohort, predicted, others, label, own_cohort=own_cohort)
    return report, cohort
