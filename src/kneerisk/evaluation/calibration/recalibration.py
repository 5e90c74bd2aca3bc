"""Calibration with its uncertainty, and what recalibrating a model to a cohort would gain.

Recalibration moves the intercept of the log-odds, or intercept and slope (Cox 1958; Vergouwe et al.
2017, Stat Med 36:4529, doi 10.1002/sim.7179). What it gains is measured out of fold: every athlete
is predicted by numbers that were fitted to the others. A slope above 0 leaves the order of the
risks, and so the AUC, as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import expit

from kneerisk.cohort.splits import folds
from kneerisk.evaluation.calibration.calibration_metrics import (
    clustered_covariance,
    integrated_calibration_index,
    smooth,
)
from kneerisk.evaluation.calibration.cubic_splines import KNOTS, restricted_cubic_spline
from kneerisk.evaluation.metrics import brier, log_loss, loss_difference
from kneerisk.evaluation.task_rows import TaskRows, logit
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.model.logistic_calibration import maximum_likelihood_weights
from kneerisk.schema import FloatArray

#: What is fitted again; named as the steps of an adaptation.
Step = Literal["intercept", "slope"]
#: Of the folds; five are the usual choice (assumption).
_FOLDS, _SEED = 5, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibrated:
    """A recalibration: the numbers that it sets, and how good the model is with it, out of fold."""

    step: Step
    intercept: float
    slope: float
    metrics: dict[str, float]

    def apply(self, risk: FloatArray) -> FloatArray:
        """Risks after it.

        Parameters
        ----------
        risk
            Predicted risks, any shape.

        Returns
        -------
        Of the same shape.
        """
        return np.asarray(expit(self.intercept + self.slope * logit(risk)))


def recalibrate(rows: TaskRows, step: Step) -> Recalibrated | None:
    """Recalibrate a model to some rows.

    Parameters
    ----------
    rows
        Of a task.
    step
        ``intercept`` alone, or also the ``slope``.

    Returns
    -------
    None where the outcome is separated, or where the slope would turn the order of risks around.
    """
    line = _fit(rows, step)
    out_of_fold = _out_of_fold(rows, step)
    if line is None or out_of_fold is None or line[1] <= 0.0:
        return None
    more, error = loss_difference(out_of_fold, rows)
    metrics = {
        "log_loss": log_loss(out_of_fold),
        "log_loss_over_before": more,
        "log_loss_over_before_error": error,
        "brier": brier(out_of_fold),
        "integrated_calibration_index": integrated_calibration_index(out_of_fold),
    }
    known = {name: value for name, value in metrics.items() if value is not None}
    return Recalibrated(step=step, intercept=line[0], slope=line[1], metrics=known)


def _fit(rows: TaskRows, step: Step) -> tuple[float, float] | None:
    """Intercept and slope of the log-odds, the slope held at 1 where only the intercept moves."""
    if not rows.has_both_outcomes:
        return None
    ones = np.ones((len(rows.outcome), 1))
    if step == "intercept":
        weights = maximum_likelihood_weights(ones, rows.outcome, rows.log_odds, rows.weights)
        return None if weights is None else (float(weights[0]), 1.0)
    design = np.column_stack([ones, rows.log_odds])
    weights = maximum_likelihood_weights(design, rows.outcome, weight=rows.weights)
    return None if weights is None else (float(weights[0]), float(weights[1]))


def _out_of_fold(rows: TaskRows, step: Step) -> TaskRows | None:
    fold = folds(rows.athlete.tolist(), _FOLDS, _SEED)
    risk = np.empty(len(fold))
    for number in np.unique(fold):
        line = _fit(rows.take(fold != number), step)
        if line is None:
            return None
        inside = fold == number
        risk[inside] = expit(line[0] + line[1] * rows.log_odds[inside])
    return replace(rows, probability=risk)


def smooth_band(
    rows: TaskRows, risks: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """The smooth calibration curve at some risks, with its pointwise 95 % band.

    Parameters
    ----------
    rows
        Of a task.
    risks
        Predicted risks, between 0 and 1, shape (k,).

    Returns
    -------
    What happens at each risk, and the lower and upper limits of that, each of shape (k,); None
    where there is no curve, as of `calibration_metrics.smooth`.
    """
    if smooth(rows) is None:
        return None
    knots = np.quantile(rows.log_odds, KNOTS)
    design = restricted_cubic_spline(rows.log_odds, knots)
    weights = maximum_likelihood_weights(design, rows.outcome, weight=rows.weights)
    if weights is None:
        return None
    covariance = clustered_covariance(
        design, design @ weights, rows.outcome, rows.athlete, rows.weights
    )
    there = restricted_cubic_spline(logit(risks), knots)
    half = NORMAL_95 * np.sqrt(np.einsum("ij,jk,ik->i", there, covariance, there))
    middle = there @ weights
    curve, low, high = (np.asarray(expit(line)) for line in (middle, middle - half, middle + half))
    return curve, low, high
