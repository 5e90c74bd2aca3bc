"""The metadata of a fitted model: whom it has seen, and how often their knees hurt."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.model.metadata import Metadata, population_seen
from kneerisk.schema import FloatArray, category
from kneerisk.schema.columns import fingerprint
from kneerisk.training.fitting.fit import Fitted

#: A sport with fewer screenings than this has no base rate of its own (assumption).
FEWEST = 30


def metadata_of(
    cohort: Cohort,
    truth: pd.DataFrame | None,
    fitted: Fitted,
    *,
    version: str,
    run_id: str,
    git_sha: str | None,
    data_sha256: str,
) -> Metadata:
    """The metadata of a model fitted to a cohort.

    Parameters
    ----------
    cohort
        The athletes trained on, none held out.
    truth
        Of a simulated cohort, the true risks of the same screenings.
    fitted
        The model.
    version
        Its registered name.
    run_id
        Of the MLflow run.
    git_sha
        Of the program; None where it is not under version control.
    data_sha256
        Digest of the cohort, with those held out.

    Returns
    -------
    What the bundle says of the model.
    """
    outcomes = cohort.outcomes()
    events = outcomes.either if not cohort.has_sides else np.r_[outcomes.left, outcomes.right]
    return Metadata(
        version=version,
        run_id=run_id,
        git_sha=git_sha,
        cohort=cohort.kind,
        outcome_kind=cohort.outcome_kind,
        horizon_months=cohort.horizon_months,
        source=cohort.source,
        schema=fingerprint(),
        athletes=int(cohort.frame["athlete_id"].nunique()),
        screenings=len(cohort.frame),
        events=float(np.nansum(events)),
        data_sha256=data_sha256,
        population=population_seen(cohort.columns(), people=cohort.kind != "simulated"),
        base_rates=base_rates(cohort, truth),
        choices=fitted.choices,
    )


def base_rates(cohort: Cohort, truth: pd.DataFrame | None) -> dict[str, dict[str, float]]:
    """Mean risk of a leg and of either knee, by sport and for all.

    Parameters
    ----------
    cohort
        With outcomes.
    truth
        Of a simulated cohort, the true risks of the same screenings, which then count instead.

    Returns
    -------
    `leg` and `either` under `all` and under each sport with enough screenings.
    """
    outcomes = cohort.outcomes()
    legs = np.stack([outcomes.left, outcomes.right], axis=1)
    either = outcomes.either
    if truth is not None:
        legs = truth[["risk_left", "risk_right"]].to_numpy(np.float64)
        either = truth["risk_either"].to_numpy(np.float64)
    weights = cohort.weights() if truth is None else None
    leg_weight = None if weights is None else np.stack([weights.left, weights.right], axis=1)
    either_weight = None if weights is None else weights.either
    sport = cohort.columns()["sport"]
    members = {name: sport == code for code, name in enumerate(category("sport").choices)}
    rates = {"all": _rates(legs, either, np.ones(len(either), bool), leg_weight, either_weight)}
    for name, rows in members.items():
        if rows.sum() >= FEWEST:
            # A sport of which no outcome is known has no rate of its own.
            rates |= (
                {name: own}
                if (own := _rates(legs, either, rows, leg_weight, either_weight))
                else {}
            )
    return rates


def _rates(
    legs: FloatArray,
    either: FloatArray,
    rows: np.ndarray,
    leg_weight: FloatArray | None,
    either_weight: FloatArray | None,
) -> dict[str, float]:
    risks = {"either": (either, either_weight), "leg": (legs, leg_weight)}
    return {
        name: _mean(values[rows], None if weight is None else weight[rows])
        for name, (values, weight) in risks.items()
        if not np.isnan(values[rows]).all()
    }


def _mean(values: FloatArray, weight: FloatArray | None) -> float:
    """The mean of those that are known."""
    if weight is None:
        return float(np.nanmean(values))
    known = ~np.isnan(values)
    return float(np.average(values[known], weights=weight[known]))
