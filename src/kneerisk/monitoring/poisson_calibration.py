"""Calibration of told hazards under follow-up of any length: slope, and a curve with its band.

A Poisson regression of events on the told risk, with what was told for the time followed as
exposure, is logistic recalibration for people who were followed for different times (Crowson,
Atkinson & Therneau 2016, Stat Methods Med 25:1692, doi 10.1177/0962280213497434). The curve is a
restricted cubic spline, and an athlete's knees are one cluster.
"""

from __future__ import annotations

import numpy as np

from kneerisk.evaluation.calibration.cubic_splines import KNOTS, restricted_cubic_spline
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.monitoring.followed_risks import FollowedRisks
from kneerisk.monitoring.monitoring_schema import CalibrationCurve
from kneerisk.monitoring.observed_and_told import FEWEST_FOR_CURVE
from kneerisk.schema import FloatArray

#: Newton's steps, and the step at which it has arrived (assumption).
_MOST_STEPS, _SMALL_STEP = 50, 1e-9
#: Where the curve is given: between these quantiles of the told risks (assumption).
_CURVE_FROM, _CURVE_TO, _CURVE_POINTS = 0.02, 0.98, 25
#: Knots closer than this on the scale of log hazards make a curve without a meaning (assumption).
_CLOSEST_KNOTS = 1e-3


def flexible_calibration(rows: FollowedRisks) -> CalibrationCurve | None:
    """Slope and curve of the observed hazards.

    Parameters
    ----------
    rows
        Knees of some athletes; those of one athlete are one cluster.

    Returns
    -------
    None with fewer than `FEWEST_FOR_CURVE` events, or where all told risks are the same.
    """
    rows = rows.take(rows.told > 0.0)
    if rows.event.sum() < FEWEST_FOR_CURVE:
        return None
    told = _log_hazard(rows.risk)
    if np.ptp(told) < _CLOSEST_KNOTS:
        return None
    line = _fit(np.column_stack([np.ones(len(rows)), told]), rows)
    if line is None:
        return None
    slope, error = float(1.0 + line[0][1]), float(np.sqrt(line[1][1, 1]))
    return CalibrationCurve(
        slope=slope, slope_low=slope - NORMAL_95 * error, slope_high=slope + NORMAL_95 * error,
        **_curve(told, rows),
    )  # fmt: skip


def _curve(told: FloatArray, rows: FollowedRisks) -> dict[str, tuple[float, ...]]:
    """Points of the curve with its band; none where the told log hazards are too few for knots."""
    knots = np.quantile(told, KNOTS)
    curve = None
    if np.diff(knots).min() >= _CLOSEST_KNOTS:
        curve = _fit(restricted_cubic_spline(told, knots), rows)
    if curve is None:
        return {"risk": (), "observed": (), "low": (), "high": ()}
    low, high = np.quantile(told, [_CURVE_FROM, _CURVE_TO])
    at = np.linspace(low, high, _CURVE_POINTS)
    design = restricted_cubic_spline(at, knots)
    middle = design @ curve[0] + at
    half = NORMAL_95 * np.sqrt(np.einsum("ij,jk,ik->i", design, curve[1], design))
    lines = {"risk": at, "observed": middle, "low": middle - half, "high": middle + half}
    return {name: _risk_of(line) for name, line in lines.items()}


def _log_hazard(risk: FloatArray) -> FloatArray:
    """Of the whole horizon."""
    tiny = np.finfo(np.float64).eps
    return np.asarray(np.log(-np.log1p(-np.clip(risk, tiny, 1.0 - tiny))))


def _risk_of(log_hazard: FloatArray) -> tuple[float, ...]:
    return tuple((-np.expm1(-np.exp(log_hazard))).tolist())


def _fit(design: FloatArray, rows: FollowedRisks) -> tuple[FloatArray, FloatArray] | None:
    """Weights by which log hazards differ from told ones, and their cluster-robust covariance."""
    told, event = rows.told, rows.event.astype(np.float64)
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(event.sum() / told.sum())
    for _ in range(_MOST_STEPS):
        expected = told * np.exp(design @ weights)
        information = (design * expected[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (event - expected))
        weights = weights + step
        if np.abs(step).max() < _SMALL_STEP:
            break
    else:
        return None
    _, cluster = np.unique(rows.athlete, return_inverse=True)
    scores = design * (event - told * np.exp(design @ weights))[:, None]
    by_athlete = np.column_stack([np.bincount(cluster, weights=column) for column in scores.T])
    bread = np.linalg.inv(information)
    return weights, bread @ (by_athlete.T @ by_athlete) @ bread
