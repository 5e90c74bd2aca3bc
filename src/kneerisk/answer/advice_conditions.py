"""The small vocabulary of conditions that advice and evidence grades depend on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kneerisk.answer.answer_schema import Imbalance
from kneerisk.evidence import conditions
from kneerisk.evidence.tables import assumption
from kneerisk.schema import Side

JUMPING_SPORTS = frozenset({"basketball", "volleyball"})
#: A longest session beyond this multiple of the last 30 days' longest goes with more running
#: injuries (Frandsen 2025, PMID 40623829).
SPIKE = 1.10
#: Sites that none of the five patterns is about.
OTHER_SITES = frozenset({"medial", "posterior", "diffuse"})
HAMSTRING_LENGTH = frozenset({"ake_deficit_deg", "slr_deg"})


@dataclass(frozen=True, slots=True)
class Case:
    """A leg of an athlete: the flat measured values, the side, and the imbalances found so far."""

    row: Mapping[str, Any]
    side: Side
    found: Sequence[Imbalance] = ()

    def own(self, measure: str) -> Any:
        """A value of this leg, None where not measured."""
        return self.row.get(f"{self.side}_{measure}")

    def number(self, measure: str) -> float:
        """A value of the athlete, 0 where not known."""
        return float(self.row.get(measure, 0.0))

    @property
    def sore_site(self) -> str | None:
        """Where the knee hurts now: "none" at no stated site, None where it doesn't hurt."""
        return (self.own("pain_site") or "none") if self.own("pain_nrs") else None


def met(when: str, case: Case) -> str | None:
    """The first condition of the first alternative that holds, None where none does.

    ``when`` has alternatives separated by a space, each of conditions joined by "+".
    """
    for alternative in when.split():
        names = alternative.split("+")
        if all(CONDITIONS[name](case) for name in names):
            return names[0]
    return None


def reason(condition: str, row: Mapping[str, Any], sides: Sequence[Side]) -> str:
    """Why a condition holds, in one sentence; ``sides`` are the legs in which it does."""
    both = " and ".join(sides)
    values = {
        **row,
        "session_spike_ratio": spike_ratio(row),
        "navicular_drop_high_mm": assumption("navicular_drop_high_mm"),
        "knees": f"{both} knee",
        "legs": f"{both} leg",
    }
    return conditions()[condition].reason.format_map(values)


def spike_ratio(row: Mapping[str, Any]) -> float:
    """The longest session over the longest of 30 days: as given, or from two runs; 0 if unknown."""
    if "session_spike_ratio" in row:
        return float(row["session_spike_ratio"])
    longest = row.get("longest_run_30d_km")
    return float(row.get("next_long_run_km", 0.0) / longest) if longest else 0.0


def _short_hamstrings(case: Case) -> bool:
    return any(
        row.measure in HAMSTRING_LENGTH and row.speaks == "for"
        for one in case.found
        if one.side == case.side
        for row in one.pattern
    )


def _lunge_done(case: Case) -> bool:
    given = (case.own("wblt_dorsiflexion_deg"), case.own("wblt_distance_cm"))
    return any(value is not None for value in given)


def _leg_length_unknown(case: Case) -> bool:
    return not any("leg_length_deficit_cm" in column for column in case.row)


def _is_lifter(case: Case) -> bool:
    return bool(case.row.get("sport") == "weightlifting")


def _lifts(case: Case) -> bool:
    return _is_lifter(case) or case.number("resistance_sessions_per_week") > 0.0


def _sits_long(case: Case) -> bool:
    return case.number("sitting_hours_per_day") >= assumption("long_sitting_hours")


def _weight_jump(case: Case) -> bool:
    return case.number("squat_1rm_change_pct") >= assumption("squat_1rm_jump_pct")


def _pronated(case: Case) -> bool:
    return (case.own("navicular_drop_mm") or 0.0) > assumption("navicular_drop_high_mm")


def _pattern_named(case: Case) -> bool:
    return any(one.status in {"clear", "possible"} for one in case.found)


CONDITIONS: Mapping[str, Callable[[Case], bool]] = {
    "always": lambda _: True,
    "hurts_now": lambda case: case.sore_site is not None,
    "front_pain": lambda case: case.sore_site == "anterior",
    "lateral_pain": lambda case: case.sore_site == "lateral",
    "other_site": lambda case: case.sore_site in OTHER_SITES,
    "pronated": _pronated,
    "heels_rise": lambda case: (case.own("squat_heel_rise_grade") or 0) >= 1,
    "short_hamstrings": _short_hamstrings,
    "lunge_done": _lunge_done,
    "leg_length_unknown": _leg_length_unknown,
    "sits_long": _sits_long,
    "spike": lambda case: spike_ratio(case.row) > SPIKE,
    "lifts": _lifts,
    "lifter": _is_lifter,
    "weight_jump": _weight_jump,
    "jumps": lambda case: case.row.get("sport") in JUMPING_SPORTS,
    "runs": lambda case: case.row.get("sport") == "running" or case.number("weekly_run_km") > 0.0,
    "pattern_named": _pattern_named,
}
