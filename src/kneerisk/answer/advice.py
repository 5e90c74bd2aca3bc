"""What to do: load first, then what fits the patterns that were named, then what holds for all.

Each piece of advice has a condition; `kneerisk.answer.advice_conditions` says when one is met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from kneerisk.answer import answer_schema
from kneerisk.answer.advice_conditions import Leg, met, reason
from kneerisk.answer.answer_schema import SHOWN
from kneerisk.answer.cited_sources import cited
from kneerisk.answer.coming_week import SPIKE
from kneerisk.answer.measure_contributions import Contribution
from kneerisk.answer.pattern_schema import Imbalance, named
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import (
    Advice,
    advice,
    conditions,
    imbalances,
    stop_rules,
)
from kneerisk.schema import Side
from kneerisk.words import listed, text, variant

Row = Mapping[str, Any]


def advice_for(
    predictions: Predictions,
    i: int,
    leg_imbalances: Sequence[Imbalance] | None,
    contributions: Sequence[Contribution] = (),
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
    contributions
        What moves the risk of its knees.

    Returns
    -------
    Advice in the order in which it is to be read.
    """
    row, known = predictions.rows[i], leg_imbalances or []
    legs = {side: Leg(row, side, known, contributions) for side in SHOWN}
    ranked = sorted(named(known), key=lambda imbalance: imbalance.status != "clear")
    topics = ["load", *dict.fromkeys(imbalance.name for imbalance in ranked), "everyone"]
    return [
        piece
        for topic in topics
        for entry in _by_topic().get(topic, ())
        for piece in _if_applicable(entry, legs, [imb for imb in ranked if imb.name == topic])
    ]


@cache
def _by_topic() -> dict[str, list[Advice]]:
    """The advice about each imbalance, about load and for everyone."""
    by_topic: dict[str, list[Advice]] = {}
    for entry in advice():
        by_topic.setdefault(entry.imbalance, []).append(entry)
    return by_topic


def _if_applicable(
    entry: Advice, legs: Mapping[Side, Leg], leg_imbalances: Sequence[Imbalance]
) -> Iterator[answer_schema.Advice]:
    """The advice, where its imbalance was named or it is about none, and its condition holds."""
    own = {imbalance.side: imbalance for imbalance in leg_imbalances}
    candidates = own or SHOWN
    conditions_met = {side: met(entry.when, legs[side]) for side in SHOWN if side in candidates}
    sides = [side for side, condition in conditions_met.items() if condition]
    if not sides:
        return
    row = legs[sides[0]].row
    if own:
        yield _advice(entry, row, sides, _pattern_reason([own[side] for side in sides]))
        return
    by_condition = {
        name: [side for side in sides if conditions_met[side] == name]
        for name in dict.fromkeys(conditions_met[side] or "" for side in sides)
    }
    reasons = [reason(name, row, own_sides) for name, own_sides in by_condition.items()]
    per_leg = all(conditions()[name].level == "leg" for name in by_condition)
    yield _advice(entry, row, sides if per_leg else [], " ".join(reasons))


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
        sources=cited(entry.sources),
    )


def _dose(entry: Advice, row: Row) -> str | None:
    longest_km = row.get("longest_run_30d_km")
    if entry.code == "limit_session_spike" and longest_km:
        limit = f"{SPIKE * longest_km:.1f}"
        return text("answer.advice.distance_limit", dose=entry.dose, distance=limit)
    return entry.dose or None
