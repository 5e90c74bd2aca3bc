"""The sample size that an external validation needs, for each metric at a precision.

Riley et al. 2021, Stat Med 40:4230, doi 10.1002/sim.9025, and Archer et al. 2021, Stat Med 40:133,
doi 10.1002/sim.8766; formulas as the R package pmvalsampsize 0.1.0 has them. They count rows that
are independent of each other: two legs of an athlete are not.
"""

from __future__ import annotations

from math import ceil, exp, sqrt

from scipy.optimize import brentq
from scipy.special import expit

from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.schema import FloatArray

#: Widths of a 95 % interval that is precise enough, as pmvalsampsize proposes them.
OE_WIDTH, SLOPE_WIDTH, AUC_WIDTH, NET_BENEFIT_WIDTH = 0.2, 0.2, 0.1, 0.2
#: More rows than this no club, nor all of them, will ever have.
_MOST_ROWS = 10**9


def rows_for_observed_to_expected(share: float, width: float = OE_WIDTH, ratio: float = 1.0) -> int:
    """Rows for the ratio of observed to expected outcomes.

    Parameters
    ----------
    share
        Of the rows with the outcome, between 0 and 1.
    width
        Of the ratio's 95 % interval.
    ratio
        That is expected.

    Returns
    -------
    Rounded up.
    """
    error = brentq(
        lambda s: ratio * (exp(NORMAL_95 * s) - exp(-NORMAL_95 * s)) - width, 1e-9, 10.0, xtol=1e-14
    )
    return ceil((1.0 - share) / (share * error**2))


def rows_for_slope(log_odds: FloatArray, width: float = SLOPE_WIDTH) -> int:
    """Rows for the calibration slope of a model that is calibrated.

    Parameters
    ----------
    log_odds
        Predicted log-odds of the population, or of a sample of it, shape (n,).
    width
        Of the slope's 95 % interval.

    Returns
    -------
    Rounded up.
    """
    i00, i01, i11 = _information(log_odds)
    return ceil(min(i00 / ((width / (2.0 * NORMAL_95)) ** 2 * (i00 * i11 - i01**2)), _MOST_ROWS))


def auc_error(auc: float, share: float, rows: float) -> float:
    """Standard error of an AUC (Newcombe 2006, Stat Med 25:559, doi 10.1002/sim.2324).

    Parameters
    ----------
    auc
        That is expected.
    share
        Of the rows with the outcome, between 0 and 1.
    rows
        How many there are.

    Returns
    -------
    On the scale of the AUC.
    """
    more = rows / 2.0 - 1.0
    inside = 1.0 + more * (1.0 - auc) / (2.0 - auc) + more * auc / (1.0 + auc)
    return sqrt(auc * (1.0 - auc) * inside / (rows**2 * share * (1.0 - share)))


def rows_for_auc(auc: float, share: float, width: float = AUC_WIDTH) -> int:
    """Rows for the AUC.

    Parameters
    ----------
    auc
        That is expected.
    share
        Of the rows with the outcome, between 0 and 1.
    width
        Of its 95 % interval.

    Returns
    -------
    The smallest number that suffices.
    """
    few, many = 2, _MOST_ROWS
    while few < many:
        middle = (few + many) // 2
        wide = 2.0 * NORMAL_95 * auc_error(auc, share, middle) > width
        few, many = (middle + 1, many) if wide else (few, middle)
    return few


def rows_for_net_benefit(
    log_odds: FloatArray, threshold: float, width: float = NET_BENEFIT_WIDTH
) -> int | None:
    """Rows for the standardised net benefit at a threshold, of a model that is calibrated.

    Parameters
    ----------
    log_odds
        Predicted log-odds of the population, or of a sample of it, shape (n,).
    threshold
        The risk at which one acts, between 0 and 1.
    width
        Of the 95 % interval of net benefit over the share of outcomes.

    Returns
    -------
    Rounded up; None where everyone or nobody is at or above the threshold.
    """
    risk = expit(log_odds)
    share, acted = float(risk.mean()), risk >= threshold
    if acted.all() or not acted.any():
        return None
    sensitivity = float(risk[acted].sum() / risk.sum())
    specificity = float((1.0 - risk[~acted]).sum() / (1.0 - risk).sum())
    odds = (1.0 - share) / share * threshold / (1.0 - threshold)
    spread = sensitivity * (1.0 - sensitivity) / share
    spread += odds**2 * specificity * (1.0 - specificity) / (1.0 - share)
    spread += odds**2 * (1.0 - specificity) ** 2 / (share * (1.0 - share))
    return ceil(spread / (width / (2.0 * NORMAL_95)) ** 2)


def _information(log_odds: FloatArray) -> tuple[float, float, float]:
    """Of an intercept and a slope, by row."""
    a = expit(log_odds) * (1.0 - expit(log_odds))
    return float(a.mean()), float((a * log_odds).mean()), float((a * log_odds**2).mean())
