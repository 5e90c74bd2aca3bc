"""Dependence of pain in the two knees: Plackett's pair of Bernoulli outcomes.

Two outcomes have given probabilities and one odds ratio between them (Plackett 1965,
doi 10.1080/01621459.1965.10480807); an odds ratio of 1 is independence.
"""

from __future__ import annotations

import numpy as np

from kneerisk.schema import FloatArray


def both(left: FloatArray, right: FloatArray, odds_ratio: float) -> FloatArray:
    """Probability that both knees have the outcome.

    Parameters
    ----------
    left
        Probability of the left knee, shape (n,).
    right
        Probability of the right knee, shape (n,).
    odds_ratio
        Odds ratio between the two knees, positive.

    Returns
    -------
    Shape (n,).

    References
    ----------
    Plackett 1965, doi 10.1080/01621459.1965.10480807
    """
    if abs(odds_ratio - 1.0) < 1e-9:
        return np.asarray(left * right)
    excess = odds_ratio - 1.0
    total = 1.0 + (left + right) * excess
    root = np.sqrt(total**2 - 4.0 * odds_ratio * excess * (left * right))
    return np.asarray((total - root) / (2.0 * excess))


def either(left: FloatArray, right: FloatArray, odds_ratio: float) -> FloatArray:
    """Probability that at least one knee has the outcome.

    Parameters
    ----------
    left
        Probability of the left knee, shape (n,).
    right
        Probability of the right knee, shape (n,).
    odds_ratio
        Odds ratio between the two knees, positive.

    Returns
    -------
    Shape (n,).
    """
    return np.asarray(left + right - both(left, right, odds_ratio))


def either_slopes(
    left: FloatArray, right: FloatArray, odds_ratio: float
) -> tuple[FloatArray, FloatArray]:
    """Derivatives of `either` with respect to the probability of each knee.

    Parameters
    ----------
    left
        Probability of the left knee, shape (n,).
    right
        Probability of the right knee, shape (n,).
    odds_ratio
        Odds ratio between the two knees, positive.

    Returns
    -------
    The derivatives with respect to left and to right, each of shape (n,).
    """
    excess = odds_ratio - 1.0
    total = 1.0 + (left + right) * excess
    root = np.sqrt(total**2 - 4.0 * odds_ratio * excess * (left * right))

    def slope(other: FloatArray) -> FloatArray:
        return np.asarray(0.5 + (total - 2.0 * odds_ratio * other) / (2.0 * root))

    return slope(right), slope(left)
