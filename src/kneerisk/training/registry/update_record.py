"""What a run records of a champion that was updated by a club's outcomes, and its metadata."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, logit

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import CohortKind
from kneerisk.cohort.splits import train_test_split
from kneerisk.evaluation.instability import Instability
from kneerisk.evaluation.internal_external_validation import OutOfFold
from kneerisk.evaluation.model_validation import evaluate_model
from kneerisk.model import Bundle, Metadata
from kneerisk.model.metadata import population_seen
from kneerisk.schema.columns import fingerprint, location_of
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.provenance import Source
from kneerisk.training.registry.run_record import RunRecord, cohort_title, log_version, run_tags
from kneerisk.training.tracking import Tracking
from kneerisk.training.updating.model_updating import UpdatedModel
from kneerisk.words import text


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
    out_of_fold: OutOfFold,
    instability: Instability | None = None,
    *,
    challenger: bool = True,
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
    out_of_fold
        How it did on groups and athletes that were left out, which the run shows as well.
    instability
        How far risks move when it is updated again on resampled athletes.
    challenger
        Whether the version becomes the challenger.

    Returns
    -------
    The version that it became.
    """
    train, test = train_test_split(club)
    source_text = text("training.run.adapted_source", source=base.metadata.source, club=club.source)
    cohort = replace(club, kind=adapted_kind(club), source=source_text)
    tags = {**run_tags(cohort, "adapt"), "base_version": base.metadata.version}
    with tracking.start_run(cohort_title(cohort), tags, "adapt") as run:
        run.is_of_a_challenger = challenger
        held_out = evaluate_model(
            updated.model, train, test, seed=SEED, rivals={"as_is": base.model}
        )
        evaluation = out_of_fold.beside(held_out).with_instability(instability)
        record = RunRecord(
            source=source, data=club, cohort=cohort, model=updated.model, evaluation=evaluation,
            parameters={"base_version": base.metadata.version,
                        "base_run_id": base.metadata.run_id, "base_sha256": base.sha256,
                        "adapted_step": updated.step, **updated.choices},
        )  # fmt: skip
        version = log_version(run, record, partial(updated_metadata, base, train, updated))
    return LoggedUpdate(version, run.run_id, evaluation.metrics)


def updated_metadata(
    base: Bundle,
    club: Cohort,
    updated: UpdatedModel,
    *,
    version: str,
    run_id: str,
    git_sha: str | None,
    data_sha256: str,
) -> Metadata:
    """The metadata of a champion updated by a club's outcomes.

    The population that the model knows is still the champion's: a club of other ages is outside of
    it, however the model was corrected. Base rates of all sports move with the club's, since a risk
    is compared with athletes of the same club.

    Parameters
    ----------
    base
        The version that was updated.
    club
        The athletes that it was updated by, none held out.
    updated
        The updated model.
    version
        What the updated version is called.
    run_id
        Of its run in MLflow.
    git_sha
        The commit of the program, if it is under version control.
    data_sha256
        The digest of the club's whole cohort.

    Returns
    -------
    The metadata of the updated version.
    """
    outcomes = club.outcomes()
    events = outcomes.either if not club.has_sides else np.r_[outcomes.left, outcomes.right]
    return replace(
        base.metadata,
        version=version,
        run_id=run_id,
        git_sha=git_sha,
        cohort=adapted_kind(club),
        source=text("training.run.adapted_source", source=base.metadata.source, club=club.source),
        schema=_schema_of(updated),
        population=_population(base, club, updated),
        athletes=int(club.frame["athlete_id"].nunique()),
        screenings=len(club.frame),
        events=float(np.nansum(events)),
        data_sha256=data_sha256,
        base_rates=_base_rates(base, club, updated),
        choices={**base.metadata.choices, **updated.choices},
        base_version=base.metadata.version,
        base_sha256=base.sha256,
    )


def adapted_kind(club: Cohort) -> CohortKind:
    """The kind of a version that a club has corrected: no measured athlete, no `adapted`."""
    return "simulated" if club.kind == "simulated" else "adapted"


def _schema_of(updated: UpdatedModel) -> str:
    with updated.model.own.in_force():
        return fingerprint()


def _population(base: Bundle, club: Cohort, updated: UpdatedModel) -> dict[str, Any]:
    """What the champion has seen; where a ridge reads own measures, what the club held of them."""
    read = {column.subject for column in updated.model.margin.between.columns}
    new = read & set(updated.model.own.names) - set(base.model.own.names)
    if updated.step != "ridge" or not new:
        return dict(base.metadata.population)
    seen = population_seen(club.columns(), people=True)
    own = {column: held for column, held in seen.items() if location_of(column)[-1] in new}
    return {**base.metadata.population, **own}


def _base_rates(base: Bundle, club: Cohort, updated: UpdatedModel) -> dict[str, dict[str, float]]:
    """The champion's base rates, moved as the correction moves the mean risk of the club."""
    data = club.columns()
    before, after = (model.predict(data) for model in (base.model, updated.model))
    shift = {"either": _shift(before.either, after.either)}
    if before.left is not None and before.right is not None:
        legs = [np.r_[risks.left, risks.right] for risks in (before, after)]
        shift["leg"] = _shift(legs[0], legs[1])
    return {
        sport: {
            unit: float(expit(logit(rate) + shift[unit])) if unit in shift else rate
            for unit, rate in rates.items()
        }
        for sport, rates in base.metadata.base_rates.items()
    }


def _shift(before: np.ndarray, after: np.ndarray) -> float:
    """How far the mean risk moved, in log-odds."""
    return float(logit(after.mean()) - logit(before.mean()))
