"""Pooling over clubs: random-effects meta-analysis of a metric, with a prediction interval.

The spread of the true values between clubs is estimated by restricted maximum likelihood, the
interval of their mean is Hartung and Knapp's (2001, Stat Med 20:3875, doi 10.1002/sim.1009), and
the prediction interval says where the next club's true value may lie (Higgins, Thompson &
Spiegelhalter 2009, J R Stat Soc A 172:137, doi 10.1111/j.1467-985X.2008.00552.x). Debray et al.
2017, BMJ 356:i6460, doi 10.1136/bmj.i6460, say on which scale each metric is pooled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, logit
from scipy.stats import chi2, t

from kneerisk.schema import FloatArray

Scale = Literal["logit", "log", "identity"]
#: How each pooled metric gets onto the scale on which it is about normal, and back.
TO_SCALE: dict[Scale, Callable[[float], float]] = {
    "logit": lambda value: float(logit(value)),
    "log": lambda value: float(np.log(value)),
    "identity": float,
}
FROM_SCALE: dict[Scale, Callable[[float], float]] = {
    "logit": lambda value: float(expit(value)),
    "log": lambda value: float(np.exp(value)),
    "identity": float,
}
#: With fewer clubs neither the spread between them nor an interval means anything: the prediction
#: interval has two degrees of freedom less than there are clubs.
FEWEST_CLUBS = 3
#: With fewer clubs a prediction interval is too uncertain to be given (assumption).
FEWEST_FOR_PREDICTION = 5
#: Places where the likelihood is first looked at, so that the search begins near its highest peak.
_LOOKS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """What several clubs say together; on the metric's own scale but for `error` and `tau2`.

    `error` is the standard error of the mean and `tau2` the variance of the true values between
    clubs, both on the scale that was pooled on. `i2` is the share of the spread of the estimates
    that is not chance.
    """

    clubs: int
    mean: float
    low: float
    high: float
    prediction_low: float | None
    prediction_high: float | None
    error: float
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    q: float

    def as_dict(self) -> dict[str, float | None]:
        """Plain data."""
        return asdict(self)


def pool(estimate: FloatArray, error: FloatArray, scale: Scale = "identity") -> Pooled:
    """Pool the estimates of several clubs.

    Parameters
    ----------
    estimate
        Of each club, on the scale that is pooled on, shape (k,).
    error
        Their standard errors on the same scale, above 0, shape (k,).
    scale
        What the results are brought back from.

    Returns
    -------
    Mean, spread and intervals of 95 %.
    """
    variance = error**2
    tau2 = reml_tau2(estimate, variance)
    weight = 1.0 / (variance + tau2)
    k, mean = len(estimate), float(weight @ estimate / weight.sum())
    spread = float(weight @ (estimate - mean) ** 2) / ((k - 1) * weight.sum())
    if tau2 == 0.0:
        # Clubs that agree better than chance allows would have an interval of hardly any width
        # (Jackson et al. 2017, Stat Med 36:3923, doi 10.1002/sim.7411).
        spread = max(spread, 1.0 / float(weight.sum()))
    standard_error = float(np.sqrt(spread))
    half = float(t.ppf(0.975, k - 1)) * standard_error
    tau2_low, tau2_high = tau2_interval(estimate, variance)
    back = FROM_SCALE[scale]
    reach = None
    if k >= FEWEST_FOR_PREDICTION:
        reach = float(t.ppf(0.975, k - 2) * np.sqrt(tau2 + spread))
    return Pooled(
        clubs=k, mean=back(mean), low=back(mean - half), high=back(mean + half),
        prediction_low=None if reach is None else back(mean - reach),
        prediction_high=None if reach is None else back(mean + reach), error=standard_error,
        tau2=tau2, tau2_low=tau2_low, tau2_high=tau2_high,
        i2=inconsistency(variance, tau2), q=_q(estimate, variance, 0.0),
    )  # fmt: skip


def reml_tau2(estimate: FloatArray, variance: FloatArray) -> float:
    """Variance of the true values between clubs, by restricted maximum likelihood.

    Parameters
    ----------
    estimate
        Of each club, shape (k,).
    variance
        Of each estimate, above 0, shape (k,).

    Returns
    -------
    At least 0.

    References
    ----------
    Viechtbauer 2005, J Educ Behav Stat 30:261, doi 10.3102/10769986030003261.
    """

    def loss(tau2: float) -> float:
        weight = 1.0 / (variance + tau2)
        mean = weight @ estimate / weight.sum()
        squares = float(weight @ (estimate - mean) ** 2)
        return 0.5 * float(np.log(1.0 / weight).sum() + np.log(weight.sum()) + squares)

    # Beyond twice the spread of the estimates themselves the likelihood only falls.
    largest = 2.0 * float(np.var(estimate, ddof=1)) + float(variance.max())
    places = np.r_[0.0, np.geomspace(largest * 1e-8, largest, _LOOKS)]
    best = int(np.argmin([loss(place) for place in places]))
    bounds = places[max(best - 1, 0)], places[min(best + 1, _LOOKS)]
    optimum = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-10})
    return float(optimum.x) if optimum.fun < loss(0.0) else 0.0


def tau2_interval(estimate: FloatArray, variance: FloatArray) -> tuple[float, float]:
    """95 % interval of the variance between clubs, where Cochran's Q is neither large nor small.

    Parameters
    ----------
    estimate
        Of each club, shape (k,).
    variance
        Of each estimate, above 0, shape (k,).

    Returns
    -------
    Its limits, at least 0.

    References
    ----------
    Viechtbauer 2007, Stat Med 26:37, doi 10.1002/sim.2514 (the Q-profile method).
    """

    def limit(share: float) -> float:
        aim = float(chi2.ppf(share, len(estimate) - 1))
        if _q(estimate, variance, 0.0) <= aim:
            return 0.0
        far = 1.0
        while _q(estimate, variance, far) > aim:
            far *= 2.0
        return float(brentq(lambda tau2: _q(estimate, variance, tau2) - aim, 0.0, far))

    return limit(0.975), limit(0.025)


def inconsistency(variance: FloatArray, tau2: float) -> float:
    """I2: the share, 0 to 1, of the spread of estimates that is between clubs.

    Parameters
    ----------
    variance
        Of each estimate, shape (k,).
    tau2
        Variance between clubs.

    Returns
    -------
    Over a typical variance (Higgins & Thompson 2002, Stat Med 21:1539, doi 10.1002/sim.1186).
    """
    weight = 1.0 / variance
    typical = (len(weight) - 1) * weight.sum() / (weight.sum() ** 2 - (weight**2).sum())
    return float(tau2 / (tau2 + typical))


def _q(estimate: FloatArray, variance: FloatArray, tau2: float) -> float:
    weight = 1.0 / (variance + tau2)
    mean = weight @ estimate / weight.sum()
    return float(weight @ (estimate - mean) ** 2)
