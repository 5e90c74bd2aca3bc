"""The red flags, which come before any score, and the risk of each knee with interval and band.

The rules of status and band stand in `status_rules`; here they get their words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kneerisk.answer.answer_schema import (
    KNEES,
    Band,
    BaseRate,
    Flag,
    Knee,
    Reason,
    Risk,
    Risks,
    UncertaintySource,
)
from kneerisk.answer.little_known import strongest_of
from kneerisk.answer.predictions import Predictions, typical_risk
from kneerisk.answer.status_rules import (
    BAND_NAMES,
    REASONS,
    band_places,
    knees_with_risk,
    status_of,
)
from kneerisk.answer.usual_risk import usual_risk_of
from kneerisk.evidence import (
    Urgency,
    red_flags,
    screening_tests,
    urgencies,
)
from kneerisk.schema import SIDES, Quantity, Screening, Side, columns
from kneerisk.words import in_sentence, listed, text

#: Digits of a share: what follows is rounding of the solver.
SHARE_DIGITS = 4
ACUTE = "acute_injury_within_7_days"
#: From this age on an acute knee injury needs an X-ray decision (Ottawa knee rule, Stiell).
OTTAWA_AGE_YEARS = 55


def flags_of(screening: Screening) -> list[Flag]:
    """The red flags of a screening that apply, most urgent first."""
    return flags_for(screening.red_flags or [], screening.athlete.age_years)


def flags_for(codes: Sequence[str], age_years: float) -> list[Flag]:
    """The red flags that apply at an age, most urgent first.

    Ottawa's items are urgent with an injury of the last 7 days only; without one they stand as
    routine. An acute injury at 55 or over is one of them.
    """
    acute = ACUTE in codes
    flags = []
    for code in codes:
        entry = red_flags()[code]
        urgency = "routine" if entry.needs_acute_injury and not acute else entry.urgency
        flags.append(_flag(code, urgency, entry.reason))
    if acute and age_years >= OTTAWA_AGE_YEARS:
        reason = text("answer.red_flags.ottawa_age", age=OTTAWA_AGE_YEARS)
        flags.append(_flag("ottawa_age", "emergency", reason))
    order = list(urgencies())
    return sorted(flags, key=lambda flag: order.index(flag.urgency))


def _flag(code: str, urgency: Urgency, reason: str) -> Flag:
    entry = urgencies()[urgency]
    return Flag(code=code, urgency=urgency, reason=reason, when=entry.when, act=entry.act)


def must_refer(flags: Sequence[Flag]) -> bool:
    """Whether a flag needs a clinician, so that nothing may be scored."""
    return any(flag.urgency != "routine" for flag in flags)


def knees_of(predictions: Predictions, i: int) -> list[Knee]:
    """The knees of screening i whose risk can be given, right first."""
    given = knees_with_risk(predictions.hurts[i : i + 1], sided=predictions.bundle.model.sided)
    return [knee for knee in KNEES if given[knee][0]]


def knees_with_drivers(predictions: Predictions, knees: Sequence[Knee]) -> list[Knee]:
    """The knees whose risk is split into drivers: the legs, where the model tells them apart."""
    return [knee for knee in knees if not predictions.bundle.model.sided or knee != "either"]


def risks_of(
    predictions: Predictions, i: int, reasons: Sequence[Reason], knees: Sequence[Knee]
) -> Risks:
    """The risks of screening i, with the status and its reasons.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    reasons
        Why the status is what it is, the most serious first.
    knees
        The knees whose risk is given.

    Returns
    -------
    The risk of each of the knees; the other knees have none.
    """
    metadata, rates = predictions.metadata, usual_risk_of(predictions, i)
    is_little = any(reason.code == "low_information" for reason in reasons)
    split = knees_with_drivers(predictions, knees)
    bands = _bands(predictions, i, knees, rates, is_little=is_little)
    uncertainty = _uncertainty(predictions, i, knees)
    risks = {}
    for knee, band in zip(knees, bands, strict=True):
        probability = _probability(predictions, i, knee)
        low, high = (float(bound[i]) for bound in predictions.risks.intervals[knee])
        risks[knee] = Risk(
            probability=probability,
            interval=(low, high),
            per_100=round(100 * probability),
            band=band,
            typical_probability=typical_risk(predictions, i, knee) if knee in split else None,
            **uncertainty[knee],
        )
    return Risks(
        status=status_of([reason.code for reason in reasons]),
        reasons=list(reasons),
        outcome_kind=metadata.outcome_kind,
        horizon_months=metadata.horizon_months,
        base_rate=rates,
        **risks,
    )


def _probability(predictions: Predictions, i: int, knee: Knee) -> float:
    return float(getattr(predictions.risks, knee)[i])


def _bands(
    predictions: Predictions, i: int, knees: Sequence[Knee], rates: BaseRate, *, is_little: bool
) -> list[Band]:
    """How the risk of each knee compares with the usual one."""
    usual = [(rates.either if knee == "either" else rates.leg) or math.nan for knee in knees]
    unassessed = is_little or predictions.basic_alone[i]
    places = band_places(
        np.array([_probability(predictions, i, knee) for knee in knees]),
        np.array(usual),
        np.full(len(knees), unassessed),
    )
    return [BAND_NAMES[place] for place in places.tolist()]


def _uncertainty(predictions: Predictions, i: int, knees: Sequence[Knee]) -> dict[Knee, Any]:
    """How much is settled about each knee, and where the width of its interval comes from."""
    sources, information = predictions.sources, predictions.information
    if sources is None or information is None:
        return {knee: {} for knee in knees}
    by_leg: dict[UncertaintySource, list[float]] = {
        "definition": sources.base_rate[i].tolist(),
        "studies": sources.studies[i].tolist(),
        "tests_not_done": sources.tests_not_done[i].tolist(),
        "test_error": sources.test_error[i].tolist(),
    }
    settled, found = information[i].tolist(), {}
    for knee in knees:
        legs = range(len(SIDES)) if knee == "either" else [SIDES.index(knee)]
        variances = {name: sum(legs_of[leg] for leg in legs) for name, legs_of in by_leg.items()}
        total = sum(variances.values())
        found[knee] = {
            "information": round(sum(settled[leg] for leg in legs) / len(legs), SHARE_DIGITS),
            "interval_from": {
                name: round(variance / total, SHARE_DIGITS) for name, variance in variances.items()
            },
        }
    return found


def reasons_of(predictions: Predictions, i: int, flags: Sequence[Flag]) -> list[Reason]:
    """Every reason that applies to screening i, the most serious first.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    flags
        Its red flags.

    Returns
    -------
    One reason for each red flag that needs a clinician, each painful knee and each value outside
    the model's population, and one where the tests narrow the interval too little.
    """
    reasons = [
        Reason(
            code="refer",
            message=text("answer.reasons.refer", urgency=flag.urgency, reason=flag.reason),
        )
        for flag in flags
        if must_refer([flag])
    ]
    for side in painful_sides(predictions, i):
        message = text("answer.reasons.current_pain", side=side)
        reasons.append(Reason(code="current_pain", message=message, column=f"{side}_pain_nrs"))
    reasons += _out_of_population(predictions, i)
    little = _little_information(predictions, i)
    if little:
        reasons.append(Reason(code="low_information", message=little))
    return sorted(reasons, key=lambda reason: REASONS.index(reason.code))


def _little_information(predictions: Predictions, i: int) -> str | None:
    """Why so little is known that no number holds; None where enough is."""
    little = predictions.little_known
    if little.settles_little[i]:
        return text("answer.reasons.low_information")
    if not little.lacks_strongest[i]:
        return None
    tests = strongest_of(predictions.data, i)
    labels = listed([in_sentence(screening_tests()[test].label) for test in tests])
    return text("answer.reasons.none_of_strongest", tests=labels)


def painful_sides(predictions: Predictions, i: int) -> list[Side]:
    """The knees of screening i that hurt, where the model is about new pain."""
    return [side for leg, side in enumerate(SIDES) if predictions.hurts[i, leg]]


def _out_of_population(predictions: Predictions, i: int) -> Iterator[Reason]:
    """Values outside the range of the model's cohort, and categories that it never held."""
    for column in predictions.rows[i]:
        if column not in predictions.outside or not predictions.outside[column][i]:
            continue
        measure, population = columns()[column], predictions.metadata.population[column]
        if isinstance(measure, Quantity):
            message = text(
                "answer.reasons.outside_range",
                label=measure.label,
                low=f"{population['low']:g}",
                high=f"{population['high']:g}",
                unit=measure.unit,
            )
        else:
            choices = ", ".join(population["choices"])
            message = text("answer.reasons.unknown_choice", label=measure.label, choices=choices)
        yield Reason(code="out_of_population", message=message, column=column)
