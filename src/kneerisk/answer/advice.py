"""What to do: load first, then what fits the patterns that were named, then what holds for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kneerisk.answer import answer_schema
from kneerisk.answer.advice_conditions import SPIKE, Leg, met, reason
from kneerisk.answer.answer_schema import SHOWN, Imbalance
from kneerisk.answer.imbalances import named
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import Advice, advice, conditions, imbalances, references, stop_rules
from kneerisk.schema import Side
from kneerisk.words import listed, text, variant

Row = dict[str, Any]


def advice_for(
    predictions: Predictions, i: int, leg_imbalances: Sequence[Imbalance] | None
) -> list[answer_schema.Advice]:
    """What fits a screening: load, clear imbalances, possible ones, then what holds for everyone.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    leg_imbalances
        Its imbalances, of both legs; None where the model has none. One that was not named brings
        no advice.

    Returns
    -------
    Advice in the order in which it is to be read.
    """
    row, known = predictions.rows[i], leg_imbalances or []
    ranked = sorted(named(known), key=lambda imbalance: imbalance.status != "clear")
    topics = ["load", *dict.fromkeys(imbalance.name for imbalance in ranked), "everyone"]
    return [
        piece
        for topic in topics
        for entry in advice()
        if entry.imbalance == topic
        for piece in _if_applicable(entry, row, known)
    ]


def _if_applicable(
    entry: Advice, row: Row, leg_imbalances: Sequence[Imbalance]
) -> Iterator[answer_schema.Advice]:
    """The advice, where its imbalance was named or it is about none, and its condition holds."""
    own = {imb.side: imb for imb in named(leg_imbalances) if imb.name == entry.imbalance}
    candidates = own if entry.imbalance in imbalances() else SHOWN
    conditions_met = {
        side: met(entry.when, Leg(row, side, leg_imbalances))
        for side in SHOWN
        if side in candidates
    }
    sides = [side for side, condition in conditions_met.items() if condition]
    if not sides:
        return
    if own:
        yield _advice(entry, row, sides, _pattern_reason([own[side] for side in sides]))
        return
    condition = conditions_met[sides[0]] or ""
    per_leg = conditions()[condition].level == "leg"
    yield _advice(entry, row, sides if per_leg else [], reason(condition, row, sides))


def _pattern_reason(leg_imbalances: Sequence[Imbalance]) -> str:
    """Why an imbalance brings this advice: in which legs its pattern was named, and how surely."""
    legs = listed(
        [
            variant("answer.advice.pattern", imbalance.status, side=imbalance.side)
            for imbalance in leg_imbalances
        ]
    )
    phrase = imbalances()[leg_imbalances[0].name].phrase
    return text("answer.advice.reason", legs=f"{legs[0].upper()}{legs[1:]}", phrase=phrase)


def _advice(
    entry: Advice, row: Row, sides: Sequence[Side], reason_text: str
) -> answer_schema.Advice:
    return answer_schema.Advice(
        code=entry.code,
        about=entry.imbalance,
        sides=list(sides),
        reason=reason_text,
        text=entry.text,
        dose=_dose(entry, row),
        grade=entry.grade,
        stop_rule=stop_rules()[entry.stop_rule].text,
        sources=[references()[key].short for key in entry.sources],
    )


def _dose(entry: Advice, row: Row) -> str | None:
    longest_km = row.get("longest_run_30d_km")
    if entry.code == "limit_session_spike" and longest_km:
        limit = f"{SPIKE * longest_km:.1f}"
        return text("answer.advice.distance_limit", dose=entry.dose, distance=limit)
    return entry.dose or None
