"""The usual risk in an athlete's sport, which a risk is compared with, and what it rests on."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from kneerisk.answer.answer_schema import BaseRate
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import sports_without_own_rate
from kneerisk.words import text, variant


def usual_risk_of(predictions: Predictions, i: int) -> BaseRate:
    """Mean risks in the sport of screening i, of a leg and of either knee.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.

    Returns
    -------
    The rates, with what a club counted where it did.
    """
    sport = predictions.screenings[i].athlete.sport
    all_rates = predictions.metadata.base_rates
    means = dict(all_rates.get(sport or "all") or all_rates["all"])
    rates = predictions.bundle.model.base_rates
    if rates is None or rates.count is None:
        rests_on = _rests_on(predictions, sport)
        return BaseRate(leg=means.get("leg"), either=means.get("either"), rests_on=rests_on)
    code = predictions.data["sport"][i : i + 1]
    counted = rates.counted(logit(np.array([[means["leg"]]])), code)
    leg, either = float(expit(counted[0, 0])), rates.rate(float(code[0]))
    return BaseRate(leg=leg, either=either, from_club=True)


def _rests_on(predictions: Predictions, sport: str | None) -> str | None:
    """What the usual risk in a sport rests on, where it has no number of its own."""
    if predictions.metadata.cohort != "simulated" or sport not in sports_without_own_rate():
        return None
    return text("shared.base_rate.no_own", athletes=variant("shared.athletes", sport))
