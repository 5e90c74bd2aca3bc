"""An answer as a RiskAssessment: one prediction for each knee that has a risk.

FHIR's text says that a probability as a decimal is a percentage, and its own example writes a
fraction: here it is a fraction, and each prediction says so in words and with a unit. A prediction
has room for a probability or a range, not for both, so that the interval is an extension.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime
from typing import Any

from kneerisk import __version__
from kneerisk.answer import Answer
from kneerisk.answer.answer_schema import KNEES, Knee, Risk, Risks
from kneerisk.fhir.statements import Received
from kneerisk.fhir.terminology import (
    BANDS,
    OUTCOMES,
    SNOMED,
    SNOMED_KNEE_PAIN,
    URN,
    outcome_code,
    outcome_label,
)
from kneerisk.fhir.ucum import UCUM
from kneerisk.words import section, text

Json = dict[str, Any]

#: The parts of an answer that an assessment is made of.
ASSESSED_PARTS = ("summary", "risk", "red_flags", "plan", "model", "notice")
INTERVAL = f"{URN}:StructureDefinition:probability-interval"
UNIT = f"{URN}:StructureDefinition:probability-unit"
MODEL_VERSIONS = f"{URN}:CodeSystem:model-versions"
#: The share of athletes whose true risk the model's intervals hold.
INTERVAL_LEVEL = 0.9
#: Probabilities are told to a thousandth: no interval of the model is narrower than ten of them.
_DECIMALS = 3
_DEVICE = "kneerisk"


def risk_assessment(answer: Answer, received: Received, now: datetime) -> Json:
    """An answer as a RiskAssessment.

    Parameters
    ----------
    answer
        The answer, with at least `ASSESSED_PARTS`.
    received
        The screening that it is to.
    now
        The time, with its time zone.

    Returns
    -------
    The resource.
    """
    version = answer.model.version
    method = text("fhir.assessment.method", version=version)
    day = received.day or now.date()
    return {
        "resourceType": "RiskAssessment",
        "contained": [_device()],
        "status": "final",
        "method": {"coding": [{"system": MODEL_VERSIONS, "code": version}], "text": method},
        "code": {"text": text("fhir.assessment.code")},
        "subject": received.subject,
        "occurrenceDateTime": now.isoformat(timespec="seconds"),
        "performer": {"reference": f"#{_DEVICE}"},
        **({"basis": list(received.basis)} if received.basis else {}),
        **_predictions(answer.risk, day),
        **_mitigation(answer),
        "note": [{"text": note} for note in _notes(answer)],
    }


def _device() -> Json:
    return {
        "resourceType": "Device",
        "id": _DEVICE,
        "deviceName": [{"name": "kneerisk", "type": "model-name"}],
        "version": [{"value": __version__}],
    }


def _predictions(risks: Risks, day: date) -> Json:
    found = {knee: risk for knee in assessed_knees(risks) if (risk := getattr(risks, knee))}
    if not found:
        return {}
    return {"prediction": [_prediction(risks, knee, risk, day) for knee, risk in found.items()]}


def assessed_knees(risks: Risks) -> list[Knee]:
    """The knees that have a risk, right first; *either* only where the model knows no sides."""
    sides: list[Knee] = [knee for knee in KNEES if getattr(risks, knee) is not None]
    return [knee for knee in sides if knee != "either"] or sides


def _prediction(risks: Risks, knee: Knee, risk: Risk, day: date) -> Json:
    kind = risks.outcome_kind if risks.outcome_kind in section("fhir")["outcome"] else "other"
    label = outcome_label(kind, knee)
    probability = round(risk.probability, _DECIMALS)
    low, high = (round(bound, _DECIMALS) for bound in risk.interval)
    pain = [] if kind == "past_injury" else [{"system": SNOMED, "code": SNOMED_KNEE_PAIN}]
    usual = risks.base_rate.either if knee == "either" else risks.base_rate.leg
    rationale = text(
        "fhir.assessment.rationale",
        probability=f"{probability:g}", per_100=risk.per_100, low=f"{low:g}", high=f"{high:g}",
    )  # fmt: skip
    return {
        "extension": _extensions(low, high),
        "outcome": {
            "coding": [
                {"system": OUTCOMES, "code": outcome_code(kind, knee), "display": label},
                *pain,
            ],
            "text": label,
        },
        "probabilityDecimal": probability,
        "qualitativeRisk": {"coding": [{"system": BANDS, "code": risk.band}]},
        **({"relativeRisk": round(risk.probability / usual, 2)} if usual else {}),
        **_when(risks, day),
        "rationale": rationale,
    }


def _extensions(low: float, high: float) -> list[Json]:
    unit = {"system": UCUM, "code": "1"}
    bounds = {"low": {"value": low, **unit}, "high": {"value": high, **unit}}
    level = {"url": "level", "valueDecimal": INTERVAL_LEVEL}
    return [
        {"url": UNIT, "valueCoding": unit},
        {"url": INTERVAL, "extension": [level, {"url": "interval", "valueRange": bounds}]},
    ]


def _when(risks: Risks, day: date) -> Json:
    if not risks.horizon_months:
        return {}
    end = _months_later(day, risks.horizon_months)
    return {"whenPeriod": {"start": day.isoformat(), "end": end.isoformat()}}


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = calendar.monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


def _mitigation(answer: Answer) -> Json:
    titles = [item.title for item in answer.plan.items] if answer.plan else []
    return {"mitigation": "; ".join(titles)} if titles else {}


def _notes(answer: Answer) -> list[str]:
    """What to know beside the numbers: the summary, why there is no risk, and the intended use."""
    reasons = [reason.message for reason in answer.risk.reasons]
    flags = [f"{flag.reason} {flag.when}" for flag in answer.red_flags]
    return [*dict.fromkeys((*answer.summary, *flags, *reasons, answer.notice))]
