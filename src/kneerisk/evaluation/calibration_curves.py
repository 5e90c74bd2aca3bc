"""How far stated risks are from what happens: curves, the integrated index, parts of Brier's score.

As in `metrics`, an outcome is 0 or 1, or a true probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from kneerisk.evaluation.metrics import logistic_weights, logit, two_classes
from kneerisk.schema import FloatArray

#: Where the knots of a cubic spline lie (Harrell 2015, table 2.3, four knots).
KNOTS = (0.05, 0.35, 0.65, 0.95)
#: With fewer outcomes of either sort a curve of three parameters follows chance (assumption: ten
#: a parameter).
FEWEST_OUTCOMES = 30.0
#: Fewer rows than this in a bin would show chance, not calibration.
ROWS_A_BIN = 30
MOST_BINS = 10
_Z95 = 1.959964
_CLOSEST_KNOTS = 1e-3


@dataclass(frozen=True, slots=True)
class Bins:
    """Rows in equally full bins of predicted risk, each array of shape (n_bins,).

    ``low`` and ``high`` are the 95 % limits of the observed share (Wilson 1927).
    """

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    rows: FloatArray

    def as_dict(self) -> dict[str, list[float]]:
        """Lists by name."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}


def bins(probability: FloatArray, outcome: FloatArray) -> Bins:
    """Mean risk and observed share in equally full bins, at most `MOST_BINS` of them."""
    count = max(2, min(MOST_BINS, len(outcome) // ROWS_A_BIN))
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    predicted = np.array([probability[part].mean() for part in parts])
    share = np.array([outcome[part].mean() for part in parts])
    rows = np.array([float(len(part)) for part in parts])
    low, high = share_limits(share, rows)
    return Bins(predicted, share, low, high, rows)


def share_limits(share: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Wilson's 95 % limits of shares that were seen in so many rows."""
    middle = (share + _Z95**2 / (2 * rows)) / (1 + _Z95**2 / rows)
    spread = np.sqrt(share * (1 - share) / rows + _Z95**2 / (4 * rows**2))
    half = _Z95 * spread / (1 + _Z95**2 / rows)
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def smooth(probability: FloatArray, outcome: FloatArray) -> FloatArray | None:
    """What happens at each row's risk, shape (n,), by a smooth curve; None where none can be had.

    A logistic regression on a restricted cubic spline of the log-odds.

    References
    ----------
    Austin & Steyerberg 2019, Stat Med 38:4051, doi 10.1002/sim.8281.
    """
    happened = min(float(outcome.sum()), float((1.0 - outcome).sum()))
    if not two_classes(outcome) or happened < FEWEST_OUTCOMES:
        return None
    margin = logit(probability)
    knots = np.quantile(margin, KNOTS)
    if np.diff(knots).min() < _CLOSEST_KNOTS:
        return None
    design = spline(margin, knots)
    weights = logistic_weights(design, outcome, np.zeros(len(margin)))
    if weights is None:
        return None
    return np.asarray(1.0 / (1.0 + np.exp(-design @ weights)))


def spline(x: FloatArray, knots: FloatArray) -> FloatArray:
    """Columns of a restricted cubic spline: one, x, and a curve for all but two of the knots.

    Beyond the outer knots it is straight (Stone & Koo 1985, as Harrell 2015 writes it).
    """

    def cube(knot: float) -> FloatArray:
        return np.asarray(np.maximum(x - knot, 0.0) ** 3)

    first, before, last = knots[0], knots[-2], knots[-1]
    curves = [
        cube(knot)
        - cube(before) * (last - knot) / (last - before)
        + cube(last) * (before - knot) / (last - before)
        for knot in knots[:-2]
    ]
    scaled = [curve / (last - first) ** 2 for curve in curves]
    return np.column_stack([np.ones_like(x), x, *scaled])


def calibration_index(probability: FloatArray, outcome: FloatArray) -> dict[str, float]:
    """Mean distance between the risk and the smooth curve: `integrated_calibration_index`."""
    happens = smooth(probability, outcome)
    if happens is None:
        return {}
    return {"integrated_calibration_index": float(np.abs(happens - probability).mean())}


def brier_parts(probability: FloatArray, outcome: FloatArray) -> dict[str, float]:
    """Brier's score as reliability minus resolution plus uncertainty, without any bins.

    The recalibrated risk is the isotonic one: reliability is what recalibrating gains, resolution
    what the recalibrated risk gains over the same risk for everyone. The three add up exactly.

    References
    ----------
    Dimitriadis, Gneiting & Jordan 2021, PNAS 118:e2016191118, doi 10.1073/pnas.2016191118.
    """
    if not two_classes(outcome):
        return {}
    recalibrated = IsotonicRegression().fit_transform(probability, outcome)
    uncertainty = float(outcome.mean() * (1.0 - outcome.mean()))
    best = _brier(recalibrated, outcome)
    return {
        "brier_reliability": _brier(probability, outcome) - best,
        "brier_resolution": uncertainty - best,
        "brier_uncertainty": uncertainty,
    }


def _brier(probability: FloatArray, outcome: FloatArray) -> float:
    return float((outcome * (1.0 - probability) ** 2 + (1.0 - outcome) * probability**2).mean())
