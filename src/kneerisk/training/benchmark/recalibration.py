"""Calibration slope and intercept of out-of-fold risks over fold seeds, with intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneerisk.evaluation.metrics import logistic_weights, logit
from kneerisk.schema import FloatArray

_Z95 = 1.959964
_LEAST_SPREAD = 1e-6


def recalibration(
    chance: FloatArray,
    label: FloatArray,
    parts: NDArray[np.intp],
    athlete: NDArray[np.intp],
) -> dict[str, float]:
    """`calibration_slope` and `calibration_intercept`, with `_low` and `_high`; means over seeds.

    The slope is taken within the parts that were left out together (each has an intercept of its
    own); the intercept is calibration in the large, over all of them. The variance is robust to
    rows of one athlete being alike (Liang & Zeger 1986, doi 10.1093/biomet/73.1.13).

    Parameters
    ----------
    chance
        Probabilities, shape (n_seeds, n).
    parts
        Which rows were left out together, shape (n_seeds, n).
    """
    found: dict[str, float] = {}
    for name, fit in (("calibration_slope", _slope), ("calibration_intercept", _intercept)):
        fitted = [fit(logit(one), label, part, athlete)
                  for one, part in zip(chance, parts, strict=True)]  # fmt: skip
        known = [pair for pair in fitted if pair is not None]
        if len(known) == len(fitted):
            value, half = np.mean(known, axis=0) * (1.0, _Z95)
            found |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return {name: float(value) for name, value in found.items()}


def _slope(
    margin: FloatArray, label: FloatArray, part: NDArray[np.intp], athlete: NDArray[np.intp]
) -> tuple[float, float] | None:
    own = (part[:, None] == np.unique(part)[None, :]).astype(np.float64)
    share = (own.T @ label) / own.sum(axis=0)
    # A part with one kind of label says nothing of a slope, and its intercept has no end.
    own = own[:, (share > 0.0) & (share < 1.0)]
    rows = own.any(axis=1)
    level = own @ ((own.T @ margin) / own.sum(axis=0))
    if np.ptp((margin - level)[rows]) < _LEAST_SPREAD:
        return None
    design = np.column_stack([own, margin])[rows]
    return _last_weight(design, np.zeros(len(design)), label[rows], athlete[rows])


def _intercept(
    margin: FloatArray, label: FloatArray, _: NDArray[np.intp], athlete: NDArray[np.intp]
) -> tuple[float, float] | None:
    return _last_weight(np.ones((len(margin), 1)), margin, label, athlete)


def _last_weight(
    design: FloatArray, offset: FloatArray, label: FloatArray, athlete: NDArray[np.intp]
) -> tuple[float, float] | None:
    """The last coefficient of a logistic regression, and its standard error by athlete."""
    weights = logistic_weights(design, label, offset)
    if weights is None:
        return None
    chance = 1.0 / (1.0 + np.exp(-(design @ weights + offset)))
    bread = np.linalg.pinv(design.T @ (design * (chance * (1.0 - chance))[:, None]))
    scores = design * (label - chance)[:, None]
    by_athlete = np.column_stack([np.bincount(athlete, weights=one) for one in scores.T])
    variance = bread @ (by_athlete.T @ by_athlete) @ bread
    return float(weights[-1]), float(np.sqrt(variance[-1, -1]))
