"""What to do: load first, then what fits the patterns that were named, then what holds for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kneerisk.answer import answer_schema as contract
from kneerisk.answer.advice_conditions import SPIKE, Case, met, reason
from kneerisk.answer.answer_schema import SHOWN, Imbalance
from kneerisk.answer.imbalances import named
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import Advice, advice, conditions, imbalances, references, stop_rules
from kneerisk.schema import Side

Row = dict[str, Any]


def advice_for(
    predictions: Predictions, i: int, found: list[Imbalance] | None
) -> list[contract.Advice]:
    """What fits screening i: load, clear imbalances, possible ones, then what holds for everyone.

    An imbalance that was not named brings no advice.
    """
    row, told = predictions.rows[i], found or []
    by_rank = sorted(named(told), key=lambda one: one.status != "clear")
    groups = ["load", *dict.fromkeys(one.name for one in by_rank), "everyone"]
    return [
        piece
        for group in groups
        for entry in advice()
        if entry.imbalance == group
        for piece in _if_it_applies(entry, row, told)
    ]


def _if_it_applies(entry: Advice, row: Row, found: list[Imbalance]) -> Iterator[contract.Advice]:
    """The advice, where its imbalance was named or it is about none, and its condition holds."""
    about = {one.side: one for one in named(found) if one.name == entry.imbalance}
    among = about if entry.imbalance in imbalances() else SHOWN
    met_by = {side: met(entry.when, Case(row, side, found)) for side in SHOWN if side in among}
    sides = [side for side, condition in met_by.items() if condition]
    if not sides:
        return
    if about:
        yield _told(entry, row, sides, _of_imbalance([about[side] for side in sides]))
        return
    why = met_by[sides[0]] or ""
    of_leg = conditions()[why].level == "leg"
    yield _told(entry, row, sides if of_leg else [], reason(why, row, sides))


def _of_imbalance(ofs: list[Imbalance]) -> str:
    """Why an imbalance brings this advice: in which legs its pattern was named, and how surely."""
    legs = " and ".join(
        f"{'pattern' if one.status == 'clear' else 'possible pattern'} of the {one.side} leg"
        for one in ofs
    )
    phrase = imbalances()[ofs[0].name].phrase
    return f"{legs[0].upper()}{legs[1:]}: {phrase}."


def _told(entry: Advice, row: Row, sides: list[Side], why: str) -> contract.Advice:
    return contract.Advice(
        code=entry.code,
        about=entry.imbalance,
        sides=sides,
        reason=why,
        text=entry.text,
        dose=_dose(entry, row),
        grade=entry.grade,
        stop_rule=stop_rules()[entry.stop_rule].text,
        sources=[references()[key].short for key in entry.sources],
    )


def _dose(entry: Advice, row: Row) -> str | None:
    longest = row.get("longest_run_30d_km")
    if entry.code == "limit_session_spike" and longest:
        return f"{entry.dose}, which is {SPIKE * longest:.1f} km"
    return entry.dose or None
