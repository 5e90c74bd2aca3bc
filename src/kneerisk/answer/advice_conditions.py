"""When a condition of the advice is met in a leg, and why, in one sentence.

The conditions are named in ``evidence/conditions.csv``; a piece of advice, or the grade of an
imbalance, states which of them it depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from kneerisk.answer.coming_week import SPIKE, spike_ratio
from kneerisk.answer.measure_contributions import Contribution
from kneerisk.answer.pattern_schema import Imbalance
from kneerisk.evidence import assumption, conditions
from kneerisk.evidence.session_hazard import hazard_ratio
from kneerisk.schema import Side
from kneerisk.words import listed, plural

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
