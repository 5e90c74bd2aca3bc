"""Whether standardised readings spread as they should, with limits right at their number.

The variance of n normal readings follows a chi-squared distribution. Where readings have heavier
tails it has fewer degrees of freedom than n - 1, by their kurtosis (Box 1953, Biometrika 40:318,
doi 10.1093/biomet/40.3-4.318); lighter tails are not taken into account, which only widens limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, kurtosis

from kneerisk.schema import FloatArray

#: The kurtosis of a normal distribution.
_NORMAL = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The SD of some readings, in SDs that they should have.

    Attributes
    ----------
    ratio
        1 where they spread as they should.
    low, high
        Where chance alone leaves the ratio of so many readings, 95 %.
    p_value
        Two-sided: how often chance takes the ratio as far.
    """

    ratio: float
    low: float
    high: float
    p_value: float


def spread_of(readings: FloatArray) -> Spread:
    """Hold the SD of readings against 1.

    Parameters
    ----------
    readings
        In SDs that they should have, shape (n,), at least four.

    Returns
    -------
    The SD about their own mean, and what chance makes of it.
    """
    variance = float(readings.var(ddof=1))
    freedom = _degrees_of_freedom(readings)
    tail = min(chi2.cdf(freedom * variance, freedom), chi2.sf(freedom * variance, freedom))
    low, high = np.sqrt(chi2.ppf([0.025, 0.975], freedom) / freedom)
    return Spread(
        ratio=float(np.sqrt(variance)), low=float(low), high=float(high),
        p_value=float(min(1.0, 2.0 * tail)),
    )  # fmt: skip


def _degrees_of_freedom(readings: FloatArray) -> float:
    """Those of a chi-squared distribution whose variance is that of the sample variance."""
    n = len(readings)
    tails = _NORMAL
    if np.ptp(readings) > 0.0:
        tails = max(_NORMAL, float(kurtosis(readings, fisher=False, bias=False)))
    return 2.0 / (tails / n - (n - 3) / (n * (n - 1)))
