"""The risk of each knee, with its interval, band and the base rate of the sport."""

from __future__ import annotations

from kneerisk.answer.answer_schema import SHOWN, Band, BaseRate, Knee, Reason, Risk, Risks
from kneerisk.answer.drivers import typical_risk
from kneerisk.answer.predictions import Reading
from kneerisk.answer.status import hurting

#: Upper ends of the bands, as multiples of the sport's base rate.
BANDS: tuple[tuple[float, Band], ...] = ((0.75, "below"), (1.25, "near"), (2.0, "above"))


def knees_of(reading: Reading, i: int) -> list[Knee]:
    """The knees that have a risk to tell, right first."""
    painful = hurting(reading.screenings[i], reading.facts)
    if not reading.bundle.model.sided:
        return [] if painful else ["either"]
    free: list[Knee] = [side for side in SHOWN if side not in painful]
    return free if painful else [*free, "either"]


def explained(reading: Reading, knees: list[Knee]) -> list[Knee]:
    """The knees whose risk is split into drivers: the legs, where the model tells them apart."""
    return [knee for knee in knees if not reading.bundle.model.sided or knee != "either"]


def risks_of(reading: Reading, i: int, reasons: list[Reason], knees: list[Knee]) -> Risks:
    """The risks that may be told, with the status and its reasons."""
    facts = reading.facts
    sport = reading.screenings[i].athlete.sport
    rates = facts.base_rates.get(sport or "all", facts.base_rates["all"])
    told = {
        knee: _risk(reading, i, knee, rates.get("either" if knee == "either" else "leg"))
        for knee in knees
    }
    told |= {
        knee: told[knee].model_copy(update={"typical_probability": typical_risk(reading, i, knee)})
        for knee in explained(reading, knees)
    }
    return Risks(
        status=reasons[0].code if reasons else "ok",
        reasons=reasons,
        outcome_kind=facts.outcome_kind,
        horizon_months=facts.horizon_months,
        base_rate=BaseRate(**rates),
        **told,
    )


def _risk(reading: Reading, i: int, knee: Knee, base: float | None) -> Risk:
    probability = float(getattr(reading.prediction, knee)[i])
    low, high = (float(bound[i]) for bound in reading.prediction.intervals[knee])
    ratio = probability / base if base else 1.0
    band: Band = next((name for end, name in BANDS if ratio < end), "well_above")
    return Risk(
        probability=probability,
        interval=(low, high),
        per_100=round(100 * probability),
        band=band,
    )
