"""What to do: load first, then what fits the patterns that were named, then what holds for all.

Each piece of advice has a condition (``evidence/conditions.csv``); the second half says when one is
met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from kneerisk.answer import answer_schema
from kneerisk.answer.answer_schema import SHOWN
from kneerisk.answer.cited_sources import cited
from kneerisk.answer.coming_week import SPIKE, spike_ratio
from kneerisk.answer.measure_contributions import Contribution
from kneerisk.answer.pattern_schema import Imbalance, named
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import (
    Advice,
    advice,
    assumption,
    conditions,
    imbalances,
    stop_rules,
)
from kneerisk.evidence.session_hazard import hazard_ratio
from kneerisk.schema import Side
from kneerisk.words import listed, plural, text, variant

Row = Mapping[str, Any]

#: Sports like those in which neuromuscular warm-ups were tried (assumption beyond football).
TEAM_SPORTS = frozenset(
    {"football", "basketball", "volleyball", "handball", "rugby", "netball", "hockey"}
)
JUMPING_SPORTS = frozenset({"basketball", "volleyball", "handball", "netball"})
#: Sites that none of the five patterns is about.
OTHER_SITES = frozenset({"medial", "posterior", "diffuse"})
HAMSTRING_LENGTH = frozenset({"ake_deficit_deg", "slr_deg"})


@dataclass(frozen=True)
class Leg:
    """A leg of an athlete: its flat row of values, its side, the imbalances and contributions."""

    row: Mapping[str, Any]
    side: Side
    imbalances: Sequence[Imbalance] = ()
    contributions: Sequence[Contribution] = ()

    def own(self, measure: str) -> Any:
        """A value of this leg, None where not measured."""
        return self.row.get(f"{self.side}_{measure}")

    @cached_property
    def adding(self) -> frozenset[str]:
        """The measures that can change and add a point or more to its risk."""
        return frozenset(
            one.measure
            for one in self.contributions
            if one.knee == self.side and one.modifiable and one.points >= 1.0
        )

    def number(self, measure: str) -> float:
        """A value of the athlete, 0 where not known."""
        return float(self.row.get(measure, 0.0))

    @property
    def sore_site(self) -> str | None:
        """Where the knee hurts now: "none" at no stated site, None where it doesn't hurt."""
        return (self.own("pain_site") or "none") if self.own("pain_nrs") else None


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


def met(when: str, leg: Leg) -> str | None:
    """The first condition of the first alternative that holds, None where none does.

    ``when`` has alternatives separated by a space, each of conditions joined by "+".
    """
    for names in _alternatives(when):
        if all(CONDITIONS[name](leg) for name in names):
            return names[0]
    return None


@cache
def _alternatives(when: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(alternative.split("+")) for alternative in when.split())


def reason(condition: str, row: Mapping[str, Any], sides: Sequence[Side]) -> str:
    """Why a condition holds, in one sentence.

    Parameters
    ----------
    condition
        Name of the condition, one of `CONDITIONS`.
    row
        The flat row of measured values.
    sides
        The legs in which it holds.

    Returns
    -------
    The sentence of the evidence table, with the athlete's values.
    """
    values = {
        **row,
        "navicular_drop_high_mm": assumption("navicular_drop_high_mm"),
        **_sides_in_words(tuple(sides)),
    }
    if condition == "spike":
        ratio = spike_ratio(row)
        values["session_spike_ratio"] = ratio
        values["session_hazard_ratio"] = hazard_ratio(ratio).central
    return conditions()[condition].reason.format_map(values)


@cache
def _sides_in_words(sides: tuple[Side, ...]) -> dict[str, str]:
    """Some legs as a sentence may name them."""
    names, count = listed(sides), len(sides)
    return {
        "knees": plural("answer.advice.knees", count, sides=names),
        "legs": plural("answer.advice.legs", count, sides=names),
    }


def _short_hamstrings(leg: Leg) -> bool:
    return any(
        row.measure in HAMSTRING_LENGTH and row.speaks == "for"
        for imbalance in leg.imbalances
        if imbalance.side == leg.side
        for row in imbalance.pattern
    )


def _lunge_done(leg: Leg) -> bool:
    values = (leg.own("wblt_dorsiflexion_deg"), leg.own("wblt_distance_cm"))
    return any(value is not None for value in values)


def _leg_length_unknown(leg: Leg) -> bool:
    return not any("leg_length_deficit_cm" in column for column in leg.row)


def _is_lifter(leg: Leg) -> bool:
    return bool(leg.row.get("sport") == "weightlifting")


def _lifts(leg: Leg) -> bool:
    return _is_lifter(leg) or leg.number("resistance_sessions_per_week") > 0.0


def _sits_long(leg: Leg) -> bool:
    return leg.number("sitting_hours_per_day") >= assumption("long_sitting_hours")


def _weight_jump(leg: Leg) -> bool:
    return leg.number("squat_1rm_change_pct") >= assumption("squat_1rm_jump_pct")


def _pronated(leg: Leg) -> bool:
    return (leg.own("navicular_drop_mm") or 0.0) > assumption("navicular_drop_high_mm")


def _knee_history(leg: Leg) -> bool:
    return leg.own("prior_knee_injury") not in {None, "none"} or bool(leg.own("same_side_episodes"))


def _pattern_named(leg: Leg) -> bool:
    return any(imbalance.status in {"clear", "possible"} for imbalance in leg.imbalances)


CONDITIONS: Mapping[str, Callable[[Leg], bool]] = {
    "always": lambda _: True,
    "hurts_now": lambda leg: leg.sore_site is not None,
    "front_pain": lambda leg: leg.sore_site == "anterior",
    "lateral_pain": lambda leg: leg.sore_site == "lateral",
    "other_site": lambda leg: leg.sore_site in OTHER_SITES,
    "pronated": _pronated,
    "heels_rise": lambda leg: (leg.own("squat_heel_rise_grade") or 0) >= 1,
    "short_hamstrings": _short_hamstrings,
    "lunge_done": _lunge_done,
    "leg_length_unknown": _leg_length_unknown,
    "sits_long": _sits_long,
    "spike": lambda leg: spike_ratio(leg.row) > SPIKE,
    "lifts": _lifts,
    "lifter": _is_lifter,
    "weight_jump": _weight_jump,
    "jumps": lambda leg: leg.row.get("sport") in JUMPING_SPORTS,
    "runs": lambda leg: leg.row.get("sport") == "running" or leg.number("weekly_run_km") > 0.0,
    "pattern_named": _pattern_named,
    "knee_history": _knee_history,
    "recent_knee_injury": lambda leg: leg.own("prior_knee_injury") == "within_12_months",
    "team_sport": lambda leg: leg.row.get("sport") in TEAM_SPORTS,
    "quads_add_risk": lambda leg: "quad_torque_nm_kg" in leg.adding,
    "can_change": lambda leg: bool(leg.adding),
}
