"""Discrimination and accuracy of predicted risks, and how uncertain they are.

Each metric is a function of `TaskRows` (and a row of `metric_table`); one that cannot be measured
is None. A fractional outcome counts as a part of a row with pain and a part of one without.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.evaluation.auc_bootstrap import area_under_curve
from kneerisk.evaluation.paired_rows import paired_rows
from kneerisk.evaluation.task_rows import Risks, TaskRows
from kneerisk.schema import FloatArray


def auc(rows: TaskRows) -> float | None:
    """Area under the ROC curve; None where there is only one kind of outcome.

    Of out-of-fold risks only rows of one fold are compared, all such pairs counting alike: models
    of different folds have different intercepts, which fall as the share with pain in the fold
    rises (Parker et al. 2007, BMC Bioinformatics 8:326, doi 10.1186/1471-2105-8-326).
    """
    if not rows.has_both_outcomes:
        return None
    area = area_under_curve(rows)
    return area if np.isfinite(area) else None


def log_loss(rows: TaskRows) -> float | None:
    """Mean log loss of a row, in nats; None where there are no rows."""
    if len(rows.outcome) == 0:
        return None
    return rows.mean(row_loss(rows.probability, rows.outcome))


def brier(rows: TaskRows) -> float | None:
    """Brier score, the mean squared error of the risk; None where there are no rows."""
    if len(rows.outcome) == 0:
        return None
    return _squared_error(rows, rows.probability)


def brier_reliability(rows: TaskRows) -> float | None:
    """What isotonic recalibration would gain of the Brier score; 0 is best.

    Reliability minus `brier_resolution` plus `brier_uncertainty` is exactly the score, without
    any bins.

    References
    ----------
    Dimitriadis, Gneiting & Jordan 2021, PNAS 118:e2016191118, doi 10.1073/pnas.2016191118.
    """
    if not rows.has_both_outcomes:
        return None
    return _squared_error(rows, rows.probability) - _best_squared_error(rows)


def brier_resolution(rows: TaskRows) -> float | None:
    """What the recalibrated risk gains over the same risk for everyone; higher is better."""
    uncertainty = brier_uncertainty(rows)
    return None if uncertainty is None else uncertainty - _best_squared_error(rows)


def brier_uncertainty(rows: TaskRows) -> float | None:
    """Brier score of the observed share for everyone: of the data, not of the model."""
    if not rows.has_both_outcomes:
        return None
    share = rows.mean(rows.outcome)
    return share * (1.0 - share)


def _best_squared_error(rows: TaskRows) -> float:
    # Here, since the table of metrics is read by commands that compute none.
    from sklearn.isotonic import IsotonicRegression

    recalibrated = IsotonicRegression().fit_transform(
        rows.probability, rows.outcome, sample_weight=rows.weight
    )
    return _squared_error(rows, recalibrated)


def _squared_error(rows: TaskRows, probability: FloatArray) -> float:
    outcome = rows.outcome
    return rows.mean(outcome * (1.0 - probability) ** 2 + (1.0 - outcome) * probability**2)


def row_loss(probability: FloatArray, outcome: FloatArray) -> FloatArray:
    """Log loss of each row; its mean is `log_loss`.

    Parameters
    ----------
    probability
        Predicted risk of each row, shape (n,).
    outcome
        0 to 1, shape (n,).

    Returns
    -------
    Nats, shape (n,).
    """
    tiny = np.finfo(np.float64).eps
    inside = np.clip(probability, tiny, 1.0 - tiny)
    return np.asarray(
        -outcome * np.log(inside) - (1.0 - outcome) * np.log1p(-inside), dtype=np.float64
    )


def paired_difference(
    difference: FloatArray, athlete: NDArray[np.intp], weight: FloatArray | None = None
) -> tuple[float, float]:
    """Mean of a difference between two models, and its standard error with athletes as clusters.

    Rows of one athlete are alike, so their differences are summed before they are spread
    (the ratio estimator of a mean over clusters: Cochran 1977, Sampling Techniques, chapter 9).

    Parameters
    ----------
    difference
        Of each row, shape (n,).
    athlete
        Which athlete each row belongs to, as codes from 0, shape (n,).
    weight
        How many rows each stands for, shape (n,); None where all count alike.

    Returns
    -------
    Mean and standard error.
    """
    mean = float(np.average(difference, weights=weight))
    own = np.ones(len(difference)) if weight is None else weight
    by_athlete = np.bincount(athlete, weights=own * (difference - mean))
    return mean, float(np.sqrt(np.square(by_athlete).sum()) / own.sum())


def loss_difference(first: TaskRows, second: TaskRows) -> tuple[float, float]:
    """How much more log loss a row has with the first model, and the standard error of that.

    Row i of both is the same leg or athlete, so that the error is that of the difference.
    """
    more = row_loss(first.probability, first.outcome) - row_loss(second.probability, second.outcome)
    return paired_difference(more, first.athlete, first.weight)


def log_loss_over(cohort: Cohort, model: Risks, other: Risks, name: str) -> dict[str, float]:
    """How much more log loss a row has than with another model; below 0 the model is better.

    Parameters
    ----------
    cohort
        With the outcomes.
    model
        Its risks for every screening.
    other
        The other model's, for the same screenings.
    name
        Of the other model.

    Returns
    -------
    `log_loss_over_<name>` and its standard error (``_error``), which is that of the difference on
    the same rows with athletes as clusters; nothing where there are no rows.
    """
    rows, other_rows = paired_rows(cohort, model, other)
    if len(rows.outcome) == 0:
        return {}
    mean, error = loss_difference(rows, other_rows)
    return {f"log_loss_over_{name}": mean, f"log_loss_over_{name}_error": error}
