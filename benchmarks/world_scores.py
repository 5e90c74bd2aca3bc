"""How a model does in a world: discrimination, calibration, and coverage of its intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from kneerisk.cohort.simulation.observation import batteries
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.cohort.simulation.true_risks import Truth
from kneerisk.evaluation.calibration.calibration_metrics import (
    calibration_intercept,
    calibration_slope,
)
from kneerisk.evaluation.metrics import auc
from kneerisk.evaluation.slices import AGE_BANDS
from kneerisk.evaluation.task_rows import task_rows
from kneerisk.model.base_rates import Count
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.prediction import Prediction
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, FloatArray, category

TASKS = (*SIDES, "either")
Slices = Mapping[str, NDArray[np.bool_]]
#: A slice with fewer legs is left out: its coverage is chance (SE 2 points at 200; assumption).
FEWEST_LEGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldScores:
    """Of one model in one world; shares 0 to 1, ``worst_slice`` the one with least coverage."""

    auc: float
    true_auc: float
    slope: float
    intercept: float
    legs: float
    either: float
    worst: float
    worst_slice: str


def score(
    predicted: Prediction, risks: Mapping[str, FloatArray], slices: Slices | None = None
) -> WorldScores:
    """Compare predicted risks with true ones.

    Parameters
    ----------
    predicted
        Of n screenings.
    risks
        True risks of left, right and either, shape (n,); NaN for a knee that hurts already.
    slices
        Masks by name, each of shape (n,).

    Returns
    -------
    Every outcome counts as its true probability, so that no chance of outcomes is in them.
    """
    left, right = predicted.left, predicted.right
    if left is None or right is None:
        raise ValueError("a model of legs is needed")
    true = np.concatenate([risks[side] for side in SIDES])
    rows = task_rows(np.concatenate([left, right]), true)
    inside = _inside(predicted, risks)
    by_slice = {
        name: float(np.nanmean(inside["legs"][np.tile(mask, 2)]))
        for name, mask in (slices or {}).items()
        if 2 * mask.sum() >= FEWEST_LEGS
    }
    worst = min(by_slice, key=lambda name: by_slice[name], default="")
    return WorldScores(
        auc=_number(auc(rows)),
        true_auc=_number(auc(task_rows(true, true))),
        slope=_number(calibration_slope(rows)),
        intercept=_number(calibration_intercept(rows)),
        legs=float(np.nanmean(inside["legs"])),
        either=float(np.nanmean(inside["either"])),
        worst=by_slice.get(worst, float("nan")),
        worst_slice=worst,
    )


def coverage(predicted: Prediction, risks: Mapping[str, FloatArray]) -> tuple[float, float]:
    """Share of true risks inside their intervals, of legs and of either knee.

    Parameters
    ----------
    predicted
        Of n screenings.
    risks
        True risks, each of shape (n,), NaN for a knee that hurts already.

    Returns
    -------
    0 to 1.
    """
    inside = _inside(predicted, risks)
    return float(np.nanmean(inside["legs"])), float(np.nanmean(inside["either"]))


def _inside(predicted: Prediction, risks: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Whether each risk is inside its interval, 1 or 0, NaN where there is none to know."""
    inside = {}
    for task in TASKS:
        (low, high), risk = predicted.intervals[task], risks[task]
        inside[task] = np.where(np.isnan(risk), np.nan, (low <= risk) & (risk <= high))
    return {"legs": np.concatenate([inside[side] for side in SIDES]), "either": inside["either"]}


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def risks_in(simulated: Simulated) -> dict[str, FloatArray]:
    """The true risks beside a cohort: left, right and either, each of shape (n,)."""
    return {task: simulated.truth[f"risk_{task}"].to_numpy(np.float64) for task in TASKS}


def risks_where_free(truth: Truth, simulated: Simulated) -> dict[str, FloatArray]:
    """The risks of another truth, NaN for the knees that hurt already."""
    risks = {"left": truth.left, "right": truth.right, "either": truth.either}
    return {t: np.where(np.isnan(r), np.nan, risks[t]) for t, r in risks_in(simulated).items()}


def slices_in(simulated: Simulated) -> dict[str, NDArray[np.bool_]]:
    """Masks of a cohort's screenings by sex, sport, age and battery, each of shape (n,)."""
    data = simulated.cohort.columns()
    masks = {name: data["sex"] == code for code, name in enumerate(category("sex").choices)}
    masks |= {name: data["sport"] == code for code, name in enumerate(category("sport").choices)}
    start = 0.0
    for name, end in AGE_BANDS.items():
        masks[name] = (data["age_years"] >= start) & (data["age_years"] < end)
        start = end
    battery = simulated.truth["battery"].to_numpy()
    return masks | {row.battery: battery == row.battery for row in batteries()}


def coverage_when_counted(
    model: RiskModel,
    features: FeatureMatrix,
    risks: Mapping[str, FloatArray],
    club: FloatArray,
    of: int,
    counts: int,
    rng: Generator,
) -> tuple[float, float]:
    """Coverage where clubs have counted so many of their athletes: mean over many counts.

    Parameters
    ----------
    model
        With base rates.
    features
        Of the n screenings that it predicts.
    risks
        Their true risks, each of shape (n,).
    club
        The number of each athlete's club, shape (n,).
    of
        How many athletes each club has counted.
    counts
        How many counts of each club are drawn.
    rng
        Source of randomness.

    Returns
    -------
    Of legs, and of either knee.
    """
    covered, sizes = [], []
    for number in np.unique(club):
        members = np.flatnonzero(club == number)
        own = {task: values[members] for task, values in risks.items()}
        rate = float(np.nanmean(own["either"]))
        for outcomes in rng.binomial(of, rate, counts):
            counted = model.counting(Count(int(outcomes), of))
            covered.append(coverage(counted.risks(features.take(members)), own))
            sizes.append(len(members))
    legs, joint = np.average(covered, axis=0, weights=sizes)
    return float(legs), float(joint)
