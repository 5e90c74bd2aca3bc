"""The card of CDS Hooks that an answer becomes: one line, the numbers, what may be kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from uuid import uuid4

from kneerisk import __version__
from kneerisk.answer import Answer
from kneerisk.fhir.cds_answers import CdsCard, CdsCards
from kneerisk.fhir.risk_assessment import assessed_knees, risk_assessment
from kneerisk.fhir.statements import Received
from kneerisk.fhir.terminology import URN
from kneerisk.words import section, text, variant

OVERRIDES = f"{URN}:CodeSystem:override-reasons"
#: A card's summary has fewer characters (CDS Hooks 2.0).
MOST_SUMMARY = 140


def cards(answer: Answer, received: Received, now: datetime) -> CdsCards:
    """The card of an answer.

    Parameters
    ----------
    answer
        The answer, with at least `risk_assessment.ASSESSED_PARTS`.
    received
        The screening that it is to.
    now
        The time, with its time zone.

    Returns
    -------
    The body of the response.
    """
    assessment = risk_assessment(answer, received, now)
    keep = text("fhir.cds.suggestion")
    suggestion = {
        "label": keep,
        "uuid": str(uuid4()),
        "actions": [{"type": "create", "description": keep, "resource": assessment}],
    }
    card = CdsCard(
        uuid=str(uuid4()),
        summary=_shortened(_summary(answer)),
        detail="\n\n".join(_details(answer)),
        indicator=_indicator(answer),
        source={"label": f"kneerisk {__version__}"},
        suggestions=[suggestion],
        selectionBehavior="at-most-one",
        overrideReasons=[_override(code) for code in section("fhir")["cds"]["override"]],
        links=_links(answer) or None,
    )
    return CdsCards(cards=[card])


def _override(code: str) -> dict[str, str]:
    display = variant("fhir.cds.override", code)
    return {"system": OVERRIDES, "code": code.replace("_", "-"), "display": display}


def _indicator(answer: Answer) -> Literal["info", "warning", "critical"]:
    """How urgent the card is: a red flag that can't wait is critical, any other a warning."""
    urgencies = {flag.urgency for flag in answer.red_flags}
    if "emergency" in urgencies:
        return "critical"
    return "warning" if urgencies else "info"


def _summary(answer: Answer) -> str:
    if answer.red_flags:
        return text("fhir.cds.red_flags", first=answer.red_flags[0].reason)
    risks = answer.risk
    if risks.status == "low_information":
        return text("fhir.cds.little")
    knees = assessed_knees(risks)
    if not knees:
        return text("fhir.cds.no_risk")
    told = ", ".join(
        text("fhir.cds.risk_of_knee", knee=variant("shared.side_title", knee).lower(),
             per_100=getattr(risks, knee).per_100)
        for knee in knees
    )  # fmt: skip
    kind = (
        risks.outcome_kind if risks.outcome_kind in section("fhir")["cds"]["outcome"] else "other"
    )
    outcome = variant("fhir.cds.outcome", kind)
    if risks.horizon_months is None:
        return text("fhir.cds.without_horizon", outcome=outcome, knees=told)
    return text("fhir.cds.within", outcome=outcome, months=risks.horizon_months, knees=told)


def _details(answer: Answer) -> Iterator[str]:
    yield " ".join(answer.summary)
    lines = []
    for knee in assessed_knees(answer.risk):
        risk = getattr(answer.risk, knee)
        low, high = (f"{100 * bound:.0f}" for bound in risk.interval)
        title = variant("shared.knee_title", knee)
        lines.append(
            text("fhir.cds.interval", knee=title, per_100=risk.per_100, low=low, high=high)
        )
    if lines:
        yield "\n".join(f"- {line}" for line in lines)
    yield answer.notice


def _links(answer: Answer) -> list[dict[str, str]]:
    """The studies that the plan rests on, where they have an address."""
    sources = [
        source for item in (answer.plan.items if answer.plan else []) for source in item.sources
    ]
    found = {source.url: source.short for source in sources if source.url}
    return [{"label": label, "url": url, "type": "absolute"} for url, label in found.items()]


def _shortened(summary: str) -> str:
    return summary if len(summary) < MOST_SUMMARY else summary[: MOST_SUMMARY - 2] + "…"
