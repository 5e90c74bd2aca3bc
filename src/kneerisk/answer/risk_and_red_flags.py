"""The red flags, which come before any score, and the risk of each knee with interval and band.

The band compares the risk with the base rate of the sport. The status is the most serious of the
reasons that apply: a red flag, pain now, values outside the model's population, little information.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kneerisk.answer.answer_schema import SHOWN, Band, Flag, Knee, Reason, Risk, Risks
from kneerisk.answer.predictions import BASIC_COLUMNS, Predictions, typical_risk
from kneerisk.answer.usual_risk import usual_risk_of
from kneerisk.evidence import (
    Urgency,
    measures_of_test,
    red_flags,
    screening_tests,
    urgencies,
)
from kneerisk.evidence.risk_factors import strongest_tests
from kneerisk.model import Metadata
from kneerisk.schema import SIDES, Category, Measure, Quantity, Screening, Side, columns
from kneerisk.schema.columns import location_of
from kneerisk.words import in_sentence, listed, text

#: Upper ends of the bands, as multiples of the sport's base rate (assumption).
BANDS: tuple[tuple[float, Band], ...] = ((0.75, "below"), (1.25, "near"), (2.0, "above"))
#: The answer says little where less than this share of what measuring could settle is settled
#: (assumption; docs/decisions/0013).
LITTLE_INFORMATION = 0.15
#: A model that can't tell what measuring could settle: where its interval is at least this share
#: of the one that age, sex and sport alone give (assumption).
LITTLE_GAIN = 0.9
#: Digits of a share: what follows is rounding of the solver.
SHARE_DIGITS = 4
#: An unspecified sex is read as the average of both, which a model has always seen.
AVERAGE_SEX = "unspecified"
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
    painful = painful_sides(predictions.screenings[i], predictions.metadata)
    if not predictions.bundle.model.sided:
        return [] if painful else ["either"]
    free: list[Knee] = [side for side in SHOWN if side not in painful]
    return free if painful else [*free, "either"]


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
    metadata = predictions.metadata
    rates = usual_risk_of(predictions, i)
    is_little = any(reason.code == "low_information" for reason in reasons)
    risks = {
        knee: _risk(
            predictions,
            i,
            knee,
            rates.either if knee == "either" else rates.leg,
            is_little=is_little,
        )
        for knee in knees
    }
    risks |= {
        knee: risks[knee].model_copy(
            update={"typical_probability": typical_risk(predictions, i, knee)}
        )
        for knee in knees_with_drivers(predictions, knees)
    }
    return Risks(
        status=reasons[0].code if reasons else "ok",
        reasons=list(reasons),
        outcome_kind=metadata.outcome_kind,
        horizon_months=metadata.horizon_months,
        base_rate=rates,
        **risks,
    )


def _risk(
    predictions: Predictions, i: int, knee: Knee, base_rate: float | None, *, is_little: bool
) -> Risk:
    probability = float(getattr(predictions.risks, knee)[i])
    low, high = (float(bound[i]) for bound in predictions.risks.intervals[knee])
    ratio = probability / base_rate if base_rate else 1.0
    band: Band = next((name for end, name in BANDS if ratio < end), "well_above")
    if is_little or predictions.rows[i].keys() <= set(BASIC_COLUMNS):
        band = "not_assessed"
    return Risk(
        **_uncertainty(predictions, i, knee),
        probability=probability,
        interval=(low, high),
        per_100=round(100 * probability),
        band=band,
    )


def _uncertainty(predictions: Predictions, i: int, knee: Knee) -> dict[str, Any]:
    """How much is settled about a knee, and where the width of its interval comes from."""
    sources = predictions.sources
    if sources is None:
        return {}
    legs = [0, 1] if knee == "either" else [SIDES.index(knee)]
    variances = {
        "definition": sources.base_rate,
        "studies": sources.studies,
        "tests_not_done": sources.tests_not_done,
        "test_error": sources.test_error,
    }
    total = sum(float(variance[i, legs].sum()) for variance in variances.values())
    shares = {
        name: round(float(variance[i, legs].sum()) / total, SHARE_DIGITS)
        for name, variance in variances.items()
    }
    information = round(float(sources.information[i, legs].mean()), SHARE_DIGITS)
    return {"information": information, "interval_from": shares}


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
    screening, metadata = predictions.screenings[i], predictions.metadata
    reasons = [
        Reason(
            code="refer",
            message=text("answer.reasons.refer", urgency=flag.urgency, reason=flag.reason),
        )
        for flag in flags
        if must_refer([flag])
    ]
    for side in painful_sides(screening, metadata):
        message = text("answer.reasons.current_pain", side=side)
        reasons.append(Reason(code="current_pain", message=message, column=f"{side}_pain_nrs"))
    reasons += _out_of_population(predictions.rows[i], metadata)
    little = _little_information(predictions, i)
    if little:
        reasons.append(Reason(code="low_information", message=little))
    return reasons


def _little_information(predictions: Predictions, i: int) -> str | None:
    """Why so little is known that no number holds; None where enough is.

    A known recent injury is always enough.
    """
    sources, row = predictions.sources, predictions.rows[i]
    if sources is None:
        share = predictions.width_share
        is_little = share is not None and share[i] >= LITTLE_GAIN
        return text("answer.reasons.low_information") if is_little else None
    if any(row.get(f"{side}_prior_knee_injury") == "within_12_months" for side in SIDES):
        return None
    if sources.information[i].mean() < LITTLE_INFORMATION:
        return text("answer.reasons.low_information")
    sport, sex, age = (float(predictions.data[name][i]) for name in ("sport", "sex", "age_years"))
    tests = strongest_tests(sport, sex, age)
    known = {location_of(column)[-1] for column in row}
    if any(known & measures_of_test(test).keys() for test in tests):
        return None
    labels = listed([in_sentence(screening_tests()[test].label) for test in tests])
    return text("answer.reasons.none_of_strongest", tests=labels)


def painful_sides(screening: Screening, metadata: Metadata) -> list[Side]:
    """The knees that hurt now, where the model is about new pain; none for other outcomes."""
    if metadata.outcome_kind != "new_pain":
        return []
    return [side for side in SIDES if side in screening.pain.sides]


def _out_of_population(row: Mapping[str, Any], metadata: Metadata) -> Iterator[Reason]:
    """Values outside the range of the model's cohort, and categories that it never held."""
    for column, value in row.items():
        measure, population = columns()[column], metadata.population.get(column)
        if not population or not measure.model_input:
            continue
        if within_population(measure, value, population):
            continue
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


def within_population(measure: Measure, value: Any, population: Mapping[str, Any]) -> bool:
    """Whether the model's cohort held such a value of a measure.

    Parameters
    ----------
    measure
        The measure.
    value
        A number in its unit, or the name of a category.
    population
        What the cohort held of it: ``low`` and ``high`` in its unit, or its ``choices``.

    Returns
    -------
    Whether the value lies within the range, or is one of the choices.
    """
    if isinstance(measure, Category):
        return value == AVERAGE_SEX or value in population["choices"]
    return bool(population["low"] <= value <= population["high"])
