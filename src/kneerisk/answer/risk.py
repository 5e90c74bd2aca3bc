"""The risk of each knee, with its interval, band and the base rate of the sport."""

from __future__ import annotations

from kneerisk.answer.answer_schema import SHOWN, Band, BaseRate, Knee, Reason, Risk, Risks
from kneerisk.answer.drivers import typical_risk
from kneerisk.answer.predictions import Predictions
from kneerisk.answer.status import hurting

#: Upper ends of the bands, as multiples of the sport's base rate.
BANDS: tuple[tuple[float, Band], ...] = ((0.75, "below"), (1.25, "near"), (2.0, "above"))


def knees_of(predictions: Predictions, i: int) -> list[Knee]:
    """The knees that have a risk to tell, right first."""
    painful = hurting(predictions.screenings[i], predictions.metadata)
    if not predictions.bundle.model.sided:
        return [] if painful else ["either"]
    free: list[Knee] = [side for side in SHOWN if side not in painful]
    return free if painful else [*free, "either"]


def explained(predictions: Predictions, knees: list[Knee]) -> list[Knee]:
    """The knees whose risk is split into drivers: the legs, where the model tells them apart."""
    return [knee for knee in knees if not predictions.bundle.model.sided or knee != "either"]


def risks_of(predictions: Predictions, i: int, reasons: list[Reason], knees: list[Knee]) -> Risks:
    """The risks that may be told, with the status and its reasons."""
    metadata = predictions.metadata
    sport = predictions.screenings[i].athlete.sport
    rates = metadata.base_rates.get(sport or "all", metadata.base_rates["all"])
    told = {
        knee: _risk(predictions, i, knee, rates.get("either" if knee == "either" else "leg"))
        for knee in knees
    }
    told |= {
        knee: told[knee].model_copy(
            update={"typical_probability": typical_risk(predictions, i, knee)}
        )
        for knee in explained(predictions, knees)
    }
    return Risks(
        status=reasons[0].code if reasons else "ok",
        reasons=reasons,
        outcome_kind=metadata.outcome_kind,
        horizon_months=metadata.horizon_months,
        base_rate=BaseRate(**rates),
        **told,
    )


def _risk(predictions: Predictions, i: int, knee: Knee, base: float | None) -> Risk:
    probability = float(getattr(predictions.prediction, knee)[i])
    low, high = (float(bound[i]) for bound in predictions.prediction.intervals[knee])
    ratio = probability / base if base else 1.0
    band: Band = next((name for end, name in BANDS if ratio < end), "well_above")
    return Risk(
        probability=probability,
        interval=(low, high),
        per_100=round(100 * probability),
        band=band,
    )
