"""The usual risk in an athlete's sport, which a risk is compared with, and what it rests on."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from kneerisk.answer.answer_schema import BaseRate
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import sports_without_own_rate
from kneerisk.model import Bundle, Metadata
from kneerisk.schema import category
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
    return usual_risk_in(predictions.bundle, predictions.screenings[i].athlete.sport)


def usual_risk_in(bundle: Bundle, sport: str | None) -> BaseRate:
    """Mean risks in a sport, of a leg and of either knee; None is an athlete of any sport."""
    all_rates, rates = bundle.metadata.base_rates, bundle.model.base_rates
    means = dict(all_rates.get(sport or "all") or all_rates["all"])
    if rates is None or rates.count is None:
        rests_on = _rests_on(bundle.metadata, sport)
        return BaseRate(leg=means.get("leg"), either=means.get("either"), rests_on=rests_on)
    code = float("nan") if sport is None else float(category("sport").choices.index(sport))
    counted = rates.counted(logit(np.array([[means["leg"]]])), np.array([code]))
    return BaseRate(leg=float(expit(counted[0, 0])), either=rates.rate(code), from_club=True)


def _rests_on(metadata: Metadata, sport: str | None) -> str | None:
    """What the usual risk in a sport rests on, where it has no number of its own."""
    if metadata.cohort != "simulated" or sport not in sports_without_own_rate():
        return None
    return text("shared.base_rate.no_own", athletes=variant("shared.athletes", sport))
