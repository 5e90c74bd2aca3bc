"""What is measured of probabilities: discrimination, calibration, and their uncertainty.

An outcome is 0 or 1, or a true probability (a simulated leg): a true probability of 0.3 counts as
0.3 of a row with pain and 0.7 of a row without. A metric that can't be measured is absent.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from kneerisk.schema import FloatArray

#: Resamples of athletes behind an interval; enough for two digits of a 95 % interval.
RESAMPLES = 500
_CHUNK = 25
#: Share of resamples that must hold both kinds of outcome for an interval to mean something.
_USABLE = 0.95
_SMALLEST = 1e-6
#: Beyond this a slope is the sign of separation, not of calibration.
_LARGEST_SLOPE = 20.0
_Z95 = 1.959964


def logit(probability: FloatArray) -> FloatArray:
    """Log-odds; probabilities of exactly 0 and 1 are moved inside by one in a million."""
    inside = np.clip(probability, _SMALLEST, 1.0 - _SMALLEST)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)


def discrimination(
    score: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.intp],
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, float]:
    """AUC with a 95 % interval from resampled athletes: `auc`, `auc_low`, `auc_high`.

    Parameters
    ----------
    score, outcome
        One a row, shape (n,); a higher score means that the outcome is more likely.
    athlete
        Which athlete each row belongs to, as codes from 0, shape (n,).
    """
    area = auc(score, outcome)
    if area is None:
        return {}
    found = {"auc": area}
    if len(np.unique(athlete)) < 2:
        return found
    resampled = bootstrap_auc(score, outcome, athlete, seed, resamples)
    usable = resampled[np.isfinite(resampled)]
    if len(usable) >= _USABLE * len(resampled):
        low, high = np.quantile(usable, [0.025, 0.975])
        found |= {"auc_low": float(low), "auc_high": float(high)}
    return found


def auc(score: FloatArray, outcome: FloatArray) -> float | None:
    """Area under the ROC curve; None where there is only one kind of outcome."""
    if not two_classes(outcome):
        return None
    rows, labels, weights = _expand(outcome)
    return float(roc_auc_score(labels, score[rows], sample_weight=weights))


def bootstrap_auc(
    score: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.intp],
    seed: int,
    resamples: int = RESAMPLES,
) -> FloatArray:
    """AUC of each resample of athletes, shape (resamples,); NaN where one class is missing.

    A resample is the number of times each athlete is drawn, so rows are sorted only once.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0.0)
    tied = len(starts) < len(order)
    people, member = np.unique(athlete, return_inverse=True)
    positive, owner = outcome[order], member[order]
    draws = _draws(seed, len(people), resamples)
    found = []
    for first in range(0, resamples, _CHUNK):
        weight = draws[first : first + _CHUNK, owner].astype(np.float64)
        with_pain = weight * positive
        without = weight - with_pain
        if tied:
            with_pain = np.add.reduceat(with_pain, starts, axis=1)
            without = np.add.reduceat(without, starts, axis=1)
        below = np.cumsum(without, axis=1)
        pairs = with_pain.sum(axis=1) * below[:, -1]
        wins = np.einsum("ij,ij->i", with_pain, below - without / 2.0)
        found.append(np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0.0))
    return np.concatenate(found)


@lru_cache(maxsize=4)
def _draws(seed: int, athletes: int, resamples: int) -> NDArray[np.uint8]:
    """How often each resample draws each athlete, shape (resamples, athletes); kept for reuse."""
    generator = np.random.default_rng(seed)
    shares = np.full(athletes, 1.0 / athletes)
    # Nobody is drawn 256 times: one in n, n times over, is a Poisson number of mean 1.
    parts = [
        generator.multinomial(athletes, shares, min(_CHUNK, resamples - first)).astype(np.uint8)
        for first in range(0, resamples, _CHUNK)
    ]
    return np.concatenate(parts)


def accuracy(probability: FloatArray, outcome: FloatArray) -> dict[str, float]:
    """Mean log loss and Brier score: `log_loss`, `brier`."""
    if len(outcome) == 0:
        return {}
    rows, labels, weights = _expand(outcome)
    chance = probability[rows]
    return {
        "log_loss": float(log_loss(labels, chance, sample_weight=weights, labels=[0, 1])),
        "brier": float(
            brier_score_loss(labels, chance, sample_weight=weights, labels=[0, 1], pos_label=1)
        ),
    }


def calibration(probability: FloatArray, outcome: FloatArray) -> dict[str, float]:
    """Logistic recalibration: `calibration_slope`, `calibration_intercept`.

    The slope is that of the outcome on the log-odds (1 is right, below 1 too extreme); the
    intercept is calibration in the large, with the slope held at 1 (0 is right).

    References
    ----------
    Van Calster et al. 2019, BMC Med 17:230, doi 10.1186/s12916-019-1466-7.
    """
    if not two_classes(outcome):
        return {}
    margin = logit(probability)
    ones = np.ones((len(margin), 1))
    found = {}
    in_the_large = logistic_weights(ones, outcome, offset=margin)
    if in_the_large is not None:
        found["calibration_intercept"] = float(in_the_large[0])
    if np.ptp(margin) > _SMALLEST:
        both = logistic_weights(
            np.column_stack([ones, margin]), outcome, offset=np.zeros(len(margin))
        )
        if both is not None and abs(both[1]) < _LARGEST_SLOPE:
            found["calibration_slope"] = float(both[1])
    return found


def slope_interval(
    probability: FloatArray, outcome: FloatArray, athlete: NDArray[np.intp]
) -> dict[str, float]:
    """95 % interval of the calibration slope: `calibration_slope_low`, `calibration_slope_high`.

    Rows of one athlete are alike, so the variance is the one that is robust to that (the sandwich
    with athletes as clusters: Liang & Zeger 1986, doi 10.1093/biomet/73.1.13).
    """
    if "calibration_slope" not in calibration(probability, outcome):
        return {}
    design = np.column_stack([np.ones(len(probability)), logit(probability)])
    weights = logistic_weights(design, outcome, np.zeros(len(design)))
    if weights is None:
        return {}
    chance = 1.0 / (1.0 + np.exp(-design @ weights))
    bread = np.linalg.inv(design.T @ (design * (chance * (1.0 - chance))[:, None]))
    scores = design * (outcome - chance)[:, None]
    by_athlete = np.column_stack([np.bincount(athlete, weights=one) for one in scores.T])
    half = _Z95 * float(np.sqrt((bread @ (by_athlete.T @ by_athlete) @ bread)[1, 1]))
    slope = float(weights[1])
    return {"calibration_slope_low": slope - half, "calibration_slope_high": slope + half}


def row_loss(probability: FloatArray, outcome: FloatArray) -> FloatArray:
    """Log loss of each row, shape (n,); its mean is `log_loss`."""
    tiny = np.finfo(np.float64).eps
    chance = np.clip(probability, tiny, 1.0 - tiny)
    return np.asarray(
        -outcome * np.log(chance) - (1.0 - outcome) * np.log1p(-chance), dtype=np.float64
    )


def paired_difference(difference: FloatArray, athlete: NDArray[np.intp]) -> tuple[float, float]:
    """Mean of a difference between two models and its standard error, athletes as clusters.

    Rows of one athlete are alike, so their differences are summed before they are spread
    (the ratio estimator of a mean over clusters).
    """
    mean = float(difference.mean())
    by_athlete = np.bincount(athlete, weights=difference - mean)
    return mean, float(np.sqrt(np.square(by_athlete).sum()) / len(difference))


def two_classes(outcome: FloatArray) -> bool:
    """Whether there is some pain and some absence of it."""
    return bool(len(outcome) and outcome.min() < 1.0 and outcome.max() > 0.0)


def _expand(outcome: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """Rows, labels and weights in which an outcome between 0 and 1 is split into both."""
    rows = np.arange(len(outcome))
    if np.isin(outcome, (0.0, 1.0)).all():
        return rows, outcome.astype(np.intp), np.ones(len(outcome))
    labels = np.repeat(np.array([1, 0]), len(outcome))
    return np.tile(rows, 2), labels, np.concatenate([outcome, 1.0 - outcome])


def logistic_weights(
    design: FloatArray, outcome: FloatArray, offset: FloatArray, steps: int = 50
) -> FloatArray | None:
    """Coefficients of an unpenalised logistic regression by Newton's method; None if it has none.

    With a separated outcome the coefficients grow without end, and none is better than one.
    """
    beta = np.zeros(design.shape[1])
    for _ in range(steps):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ beta + offset, -500.0, 500.0)))
        weight = np.maximum(chance * (1.0 - chance), 1e-12)
        slope = design.T @ (outcome - chance)
        step = np.linalg.lstsq(design.T @ (design * weight[:, None]), slope, rcond=None)[0]
        beta = beta + np.clip(step, -5.0, 5.0)
        if float(np.abs(step).max()) < 1e-9:
            return np.asarray(beta, dtype=np.float64)
    return None
