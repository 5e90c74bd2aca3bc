"""Performance before outcomes: what log loss, Brier score and AUC the told risks promise.

Confidence-based performance estimation: if a told risk happens as often as told, the mean loss of
the outcomes to come follows from the risks alone. It holds where the inputs shift and the risks
stay right for whoever has them, and can't know where the same inputs come to mean another risk
(Garg et al. 2022, arXiv 2201.04234, show that nothing can without outcomes). So it is held
against what happens as soon as something has.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr
from scipy.stats import norm

from kneerisk.monitoring.followed_risks import DAYS_A_YEAR, FollowedRisks
from kneerisk.monitoring.monitoring_schema import ExpectedOfRisks, PromiseHeld
from kneerisk.schema import FloatArray


def expected_performance(risk: FloatArray) -> ExpectedOfRisks | None:
    """What told risks promise.

    Parameters
    ----------
    risk
        Told risks, shape (n,).

    Returns
    -------
    None where there are none.
    """
    if len(risk) == 0:
        return None
    return ExpectedOfRisks(
        knees=len(risk),
        log_loss=float((entr(risk) + entr(1.0 - risk)).mean()),
        brier=float((risk * (1.0 - risk)).mean()),
        auc=expected_auc(risk),
    )


def expected_auc(risk: FloatArray) -> float | None:
    """Share of the pairs of one with and one without pain that is ranked rightly, as promised.

    Parameters
    ----------
    risk
        Told risks, shape (n,).

    Returns
    -------
    Expected pairs ranked rightly over expected pairs; ties count half. None with fewer than two
    different risks.
    """
    values, counts = np.unique(risk, return_counts=True)
    if len(values) < 2:
        return None
    pain, free = counts * values, counts * (1.0 - values)
    below = np.cumsum(free) - free
    # A knee is no pair with itself.
    tied = pain * free - counts * values * (1.0 - values)
    pairs = pain.sum() * free.sum() - (risk * (1.0 - risk)).sum()
    return float((pain @ below + tied.sum() / 2) / pairs)


def promise_kept(rows: FollowedRisks) -> PromiseHeld | None:
    """Hold the promise against what has happened, whatever the length of follow-up.

    Parameters
    ----------
    rows
        Followed knees.

    Returns
    -------
    None while there is no time that was followed, or where every hazard is 1 a year, of which the
    log loss says nothing.

    References
    ----------
    The difference is a martingale with this variance (Andersen & Gill 1982, Ann Stat 10:1100,
    doi 10.1214/aos/1176345976); Spiegelhalter 1986, Stat Med 5:421, doi 10.1002/sim.4780050506,
    tests the Brier score in the same way.
    """
    rows = rows.take(rows.told > 0.0)
    if len(rows) == 0:
        return None
    years = float((rows.stop - rows.start).sum() / DAYS_A_YEAR)
    weight = -np.log(rows.daily_hazard * DAYS_A_YEAR)
    happened = rows.told + rows.event * weight
    promised = rows.told * (1.0 + weight)
    _, cluster = np.unique(rows.athlete, return_inverse=True)
    by_athlete = np.bincount(cluster, weights=np.sqrt(rows.told) * np.abs(weight))
    alone = np.bincount(cluster, weights=rows.told * weight**2)
    # Knees of one athlete may hurt together: their deviations add up at worst (Cauchy-Schwarz).
    error = float(np.sqrt(np.maximum(by_athlete**2, alone).sum()))
    if error == 0.0:
        return None
    difference = float((happened - promised).sum())
    return PromiseHeld(
        promised=float(promised.sum() / years), happened=float(happened.sum() / years),
        error=error / years, p_value=float(2.0 * norm.sf(abs(difference) / error)),
    )  # fmt: skip
