"""Weights of a cohort's rows: for how many athletes each known outcome stands.

Where some outcomes are not known, those that are can stand for them (`weight_left`, `weight_right`,
`weight_either` of a cohort file). What weighted rows are worth is less than their number: Kish's
effective sample size (Kish 1965, Survey Sampling, 11.7), which all rules about sample sizes take.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from kneerisk.cohort.layout import OUTCOMES, WEIGHTS
from kneerisk.schema import FloatArray
from kneerisk.words import text


class RowWeights(NamedTuple):
    """Weights of outcomes, each of shape (n_screenings,); 1 where there is no outcome."""

    left: FloatArray
    right: FloatArray
    either: FloatArray


def row_weights(frame: pd.DataFrame, outcomes: tuple[FloatArray, ...]) -> RowWeights | None:
    """The weights of a cohort's outcomes.

    Parameters
    ----------
    frame
        Rows of a cohort, n screenings.
    outcomes
        Of the left knee, the right and either, NaN where not known, each of shape (n,).

    Returns
    -------
    None where all outcomes count alike. Where either knee has no weights of its own, a screening
    counts as the leg does whose outcome was less likely to be known.
    """
    if not set(WEIGHTS) & set(frame.columns):
        return None
    left, right, either = (
        np.where(
            np.isnan(outcome),
            1.0,
            frame[name].to_numpy(np.float64) if name in frame.columns else 1.0,
        )
        for name, outcome in zip(WEIGHTS, outcomes, strict=True)
    )
    if WEIGHTS[2] not in frame.columns:
        either = np.maximum(left, right)
    weights = RowWeights(left, right, either)
    known = [own[~np.isnan(outcome)] for own, outcome in zip(weights, outcomes, strict=True)]
    return weights if any(own.size and np.ptp(own) > 0.0 for own in known) else None


def faults_of_weights(names: Container[str]) -> Iterator[str]:
    """Outcome columns without weights where others have some, in words.

    Parameters
    ----------
    names
        The columns of a cohort.

    Yields
    ------
    A sentence for each.
    """
    if any(weight in names for weight in WEIGHTS):
        for outcome, weight in zip(OUTCOMES, WEIGHTS, strict=True):
            if outcome in names and weight not in names:
                yield text("cohort.not_a_cohort.no_weight", column=repr(weight))


def effective_number(weight: FloatArray) -> float:
    """How many rows of the same weight say as much as these (Kish).

    Parameters
    ----------
    weight
        Of each row, above 0, any shape.

    Returns
    -------
    At most their number; 0 of none.
    """
    return float(weight.sum() ** 2 / np.square(weight).sum()) if weight.size else 0.0


def effective_outcomes(outcome: FloatArray, weight: FloatArray | None) -> tuple[float, float]:
    """How many rows with the outcome, and without it, the weighted ones are worth.

    Parameters
    ----------
    outcome
        0 to 1, NaN where it is not known, any shape.
    weight
        Of the same shape; None where all count alike.

    Returns
    -------
    With the outcome, and without it.
    """
    known = ~np.isnan(outcome)
    parts = outcome[known], 1.0 - outcome[known]
    if weight is None:
        return float(parts[0].sum()), float(parts[1].sum())
    own = weight[known]
    with_outcome, without = (
        float((own * part).sum() ** 2 / (own**2 * part).sum()) if part.any() else 0.0
        for part in parts
    )
    return with_outcome, without


def scaled_to_effective(weight: FloatArray, known: np.ndarray) -> FloatArray:
    """Weights whose sum over the known rows is what those are worth.

    A penalty or a prior then gives way to as much as the rows really say.

    Parameters
    ----------
    weight
        Of each row, any shape.
    known
        Which rows have an outcome, of the same shape.

    Returns
    -------
    Of the same shape.
    """
    own = weight[known]
    return np.asarray(weight * (own.sum() / np.square(own).sum())) if own.size else weight
