"""What a run records of a champion that was updated by a club's outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import train_test_split
from kneerisk.evaluation.model_validation import evaluate_model
from kneerisk.model import Bundle
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.provenance.lineage import Source
from kneerisk.training.recording.run_record import RunRecord, cohort_title, log_version, run_tags
from kneerisk.training.tracking import Tracking
from kneerisk.training.updating.model_updating import UpdatedModel
from kneerisk.training.updating.updated_metadata import updated_metadata


@dataclass(frozen=True, slots=True)
class LoggedUpdate:
    """The version that an updated model became."""

    version: str
    run_id: str
    metrics: dict[str, float]


def log_update(
    tracking: Tracking,
    source: Source,
    base: Bundle,
    club: Cohort,
    updated: UpdatedModel,
    metrics: Mapping[str, float],
) -> LoggedUpdate:
    """Evaluate an updated model on the club's held-out athletes and log it as a version.

    Parameters
    ----------
    tracking
        The store of runs.
    source
        Of the club's cohort.
    base
        The version that was updated.
    club
        The club's whole cohort.
    updated
        The updated model.
    metrics
        Of its cross-validation, which the run shows as well.

    Returns
    -------
    The version that it became.
    """
    train, test = train_test_split(club)
    source_text = f"{base.metadata.source}, adapted to {club.source}"
    cohort = replace(club, kind="adapted", source=source_text)
    tags = {**run_tags(cohort, "adapt"), "base_version": base.metadata.version}
    with tracking.start_run(cohort_title(cohort), tags, "adapt") as run:
        evaluation = evaluate_model(
            updated.model, train, test, seed=SEED, rivals={"as_is": base.model}
        ).with_metrics(metrics)
        record = RunRecord(
            source=source, data=club, cohort=cohort, model=updated.model, evaluation=evaluation,
            parameters={"base_version": base.metadata.version,
                        "base_run_id": base.metadata.run_id, "base_sha256": base.sha256,
                        "adapted_step": updated.step, **updated.choices},
        )  # fmt: skip
        version = log_version(run, record, partial(updated_metadata, base, train, updated))
    return LoggedUpdate(version, run.run_id, evaluation.metrics)
