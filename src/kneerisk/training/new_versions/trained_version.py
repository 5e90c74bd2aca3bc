"""A version that is trained from scratch: fitted, evaluated, logged as a challenger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import held_out, subset, truth_subset
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evaluation.model_validation import evaluate_model
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress, event, within
from kneerisk.training.fitting.cross_validation import evaluate_people, refit_people
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.fitting.settings import SEED, Settings
from kneerisk.training.fitting.tree_rows import HoldRows, hold_here
from kneerisk.training.leakage.leakage_checks import refuse_unsound
from kneerisk.training.new_versions.run_plan import NOTHING_CHOSEN, RunPlan
from kneerisk.training.provenance import Source, truth_digest
from kneerisk.training.registry.run_record import (
    RunRecord,
    cohort_title,
    log_version,
    run_tags,
)
from kneerisk.training.registry.versions import log_loss_over_champion
from kneerisk.training.tracking import Tracking
from kneerisk.workers.this_process import Workers, in_this_process

#: An observed cohort is small: which athletes are held out would decide the numbers, so folds are
#: dealt several times (assumption: ten settle the mean).
CROSS_VALIDATION_SEEDS = range(10)


@dataclass(frozen=True, slots=True)
class TrainedVersion:
    """A version that was trained, and what its run recorded."""

    version: str
    run_id: str
    record: RunRecord


def train_version(
    source: Source,
    cohort: Cohort,
    truth: pd.DataFrame | None,
    refits: int,
    progress: Progress,
    plan: RunPlan = NOTHING_CHOSEN,
    workers: Workers = in_this_process,
    hold_rows: HoldRows = hold_here,
) -> TrainedVersion:
    """Check a cohort, fit a model to it, evaluate it and log it as a challenger.

    Parameters
    ----------
    source
        Where the cohort can be had again.
    cohort
        All its screenings.
    truth
        The true risks of its screenings in the same order, where it is simulated.
    refits
        How often a model of measured athletes is built again in bootstrap samples.
    progress
        Called with what is being done.
    plan
        The run's name and tags, and the settings of the fit.
    workers
        What does the fits beside that of the model: of folds and of bootstrap samples.
    hold_rows
        What holds the rows of the model's trees: this process, or a cluster.

    Returns
    -------
    The version.

    Raises
    ------
    CohortRefused
        Where the cohort can't honestly be learnt from.
    """
    unseen = held_out(cohort.frame["athlete_id"])
    progress(event("checking_cohort"))
    # The parts are copies, which go unnamed: the fit needs the most memory.
    leakage = refuse_unsound(cohort, *_parts(cohort, unseen), true=truth is not None)
    progress(event("opening_mlflow"))
    tracking = Tracking(Path.cwd())
    title, tags = plan.name or cohort_title(cohort), {**plan.tags, **run_tags(cohort, "train")}
    with tracking.start_run(title, tags) as run:
        fitted = fit(
            cohort, truth, rows=~unseen, seed=SEED, progress=within("fitting", progress),
            settings=plan.settings, workers=workers, hold_rows=hold_rows,
        )  # fmt: skip
        progress(event("evaluating_held_out"))
        train, test = _parts(cohort, unseen)
        judged = _evaluated(fitted, train, test, truth_subset(truth, unseen), progress)
        metrics = log_loss_over_champion(tracking, fitted.model, test)
        judged = _left_out_and_refitted(
            judged, cohort, train, fitted.model, refits, plan.settings, progress, workers
        )
        progress(event("logging_run"))
        record = RunRecord(
            source=source, data=cohort, cohort=cohort, model=fitted.model,
            evaluation=judged.with_metrics(metrics | (leakage.metrics if truth is None else {})),
            parameters={"truth_sha256": truth_digest(truth), **fitted.choices}, title=plan.name,
        )  # fmt: skip
        seen = truth_subset(truth, ~unseen)
        version = log_version(run, record, partial(metadata_of, train, seen, fitted))
    return TrainedVersion(version, run.run_id, record)


def _parts(cohort: Cohort, unseen: NDArray[np.bool_]) -> tuple[Cohort, Cohort]:
    """The part to train on, and the one that is held out."""
    return subset(cohort, ~unseen), subset(cohort, unseen)


def _evaluated(
    fitted: Fitted, train: Cohort, test: Cohort, truth: pd.DataFrame | None, progress: Progress
) -> Evaluation:
    """The evaluation on held-out athletes, whose true risks are given."""
    return evaluate_model(
        fitted.model, train, test, truth, seed=SEED, train_features=fitted.features,
        progress=progress,
    )  # fmt: skip


def _left_out_and_refitted(
    judged: Evaluation,
    cohort: Cohort,
    train: Cohort,
    model: RiskModel,
    refits: int,
    settings: Settings,
    progress: Progress,
    workers: Workers,
) -> Evaluation:
    """The evaluation with left-out groups and people, and how far refits move risks."""
    left_out = evaluate_people(cohort, CROSS_VALIDATION_SEEDS, progress, settings, workers)
    judged = left_out.beside(judged)
    refitted = refit_people(train, model, refits, progress, settings, workers)
    return judged.with_instability(refitted)
