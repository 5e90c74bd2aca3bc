"""The requests of a test pack: made-up athletes by battery and sport, and bodies to be refused.

They depend on the schema and on the evidence tables alone, so that the same program makes the same
ones for every version.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kneerisk.cohort import screenings_of
from kneerisk.cohort.simulation.observation import batteries
from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.schema import SIDES, Quantity, Screening, columns
from kneerisk.schema.columns import category, column_locations, quantity
from kneerisk.schema.sections import RED_FLAGS

Body = dict[str, Any]

PACK_SIZE = 500
#: Athletes to choose from, and where chance begins (assumption: so many that every battery is
#: found five times in every sport).
_ATHLETES, _SEED = 5_000, 500
_OF_EACH_CELL, _WITH_PAIN, _OUTSIDE, _MINIMAL = 5, 30, 20, 25
_ADULT: Body = {"age_years": 30, "sex": "female"}


@dataclass(frozen=True, slots=True)
class PackRequest:
    """A request: a body, or a text that is not quite JSON, and the problem that is then due."""

    name: str
    body: Any = None
    text: str | None = None
    problem: tuple[int, str, tuple[tuple[str, str], ...]] | None = None
    """Of a text: status, code, and pointer and code of each fault."""


def pack_requests() -> list[PackRequest]:
    """All of them, in a fixed order; bodies to be refused fill the pack."""
    simulated = simulate(_ATHLETES, _SEED)
    answered = [
        *_of_batteries(simulated), *_with_pain(simulated), *_with_red_flags(), *_outside(),
        *_minimal(),
    ]  # fmt: skip
    refused = [*_almost_json(), *_of_wrong_shape(), *_contradictory(), *_wrong_values()]
    return [*answered, *refused[: PACK_SIZE - len(answered)]]


def body_of(screening: Screening) -> Body:
    """A screening as the shortest body that says it."""
    return _without_empty(screening.model_dump(mode="json", exclude_none=True))


def _drawn(simulated: Simulated, places: np.ndarray, names: list[str]) -> Iterator[PackRequest]:
    screenings = screenings_of(simulated.cohort.frame.iloc[places])
    for name, screening in zip(names, screenings, strict=True):
        yield PackRequest(name, body_of(screening))


def _without_empty(body: Body) -> Body:
    """Without sections that hold nothing, at any depth."""
    filled = {k: _without_empty(v) if isinstance(v, dict) else v for k, v in body.items()}
    return {k: v for k, v in filled.items() if v != {}}


def _of_batteries(simulated: Simulated) -> Iterator[PackRequest]:
    """The first few athletes of every battery and sport."""
    frame, of = simulated.cohort.frame, simulated.truth["battery"].to_numpy()
    places, names = [], []
    for battery in batteries():
        for sport in _sports():
            fits = np.flatnonzero((of == battery.battery) & (frame["sport"] == sport).to_numpy())
            places += fits[:_OF_EACH_CELL].tolist()
            names += [f"{battery.battery}-{sport}-{n}" for n in range(1, _OF_EACH_CELL + 1)]
    return _drawn(simulated, np.array(places), names)


def _with_pain(simulated: Simulated) -> Iterator[PackRequest]:
    """The last ones whose knee hurts now."""
    pain = simulated.cohort.frame[[f"{side}_pain_nrs" for side in SIDES]].to_numpy()
    places = np.flatnonzero((pain > 0).any(axis=1))[-_WITH_PAIN:]
    return _drawn(simulated, places, [f"pain-{number}" for number in range(1, _WITH_PAIN + 1)])


def _with_red_flags() -> Iterator[PackRequest]:
    for flag in RED_FLAGS:
        left = {"hip_drop_deg": 7.5, "wblt_dorsiflexion_deg": 35}
        yield PackRequest(
            f"red_flag-{flag}", {"athlete": _ADULT, "left": left, "red_flags": [flag]}
        )


def _outside() -> Iterator[PackRequest]:
    """Ages from the youngest that is accepted to the oldest."""
    age = quantity("age_years")
    for number, years in enumerate(np.linspace(age.low, age.high, _OUTSIDE), 1):
        body = {"athlete": {"age_years": round(float(years), 1), "sex": "male"}, "red_flags": []}
        yield PackRequest(f"age-{number}", body)


def _minimal() -> Iterator[PackRequest]:
    """Age, sex and sport alone."""
    for number in range(_MINIMAL):
        sex = ("female", "male", "unspecified")[number % 3]
        sport = _sports()[number % len(_sports())]
        athlete = {"age_years": 18 + 2 * number, "sex": sex, "sport": sport}
        yield PackRequest(f"minimal-{number + 1}", {"athlete": athlete})


def _almost_json() -> Iterator[PackRequest]:
    malformed = (400, "malformed_json", ())
    for name, text in (
        ("empty", ""), ("half", '{"athlete": '), ("two", "{}{}"), ("quotes", "{'athlete': {}}"),
        ("trailing-comma", '{"athlete": {"age_years": 30, "sex": "male"},}'),
    ):  # fmt: skip
        yield PackRequest(f"malformed-{name}", text=text, problem=malformed)
    twice = '{"athlete": {"age_years": 30, "age_years": 31, "sex": "male"}}'
    faults = (("/athlete/age_years", "duplicate_key"),)
    yield PackRequest("duplicate-key", text=twice, problem=(400, "duplicate_key", faults))
    for value in ("NaN", "Infinity", "1e999"):
        text = f'{{"athlete": {{"age_years": {value}, "sex": "male"}}}}'
        faults = (("/athlete/age_years", "not_finite"),)
        yield PackRequest(f"not-finite-{value}", text=text, problem=(422, "invalid_body", faults))


def _of_wrong_shape() -> Iterator[PackRequest]:
    for name, body in {
        "list": [], "nothing-in-it": {}, "no-sex": {"athlete": {"age_years": 30}},
        "athlete-a-text": {"athlete": "A7"}, "unknown-section": {"athlete": _ADULT, "team": 1},
        "unknown-measure": {"athlete": _ADULT, "left": {"shoe_size": 43}},
        "number-in-quotes": {"athlete": {"age_years": "30", "sex": "male"}},
        "number-for-text": {"athlete": {"age_years": 30, "sex": 1}},
        "unknown-red-flag": {"athlete": _ADULT, "red_flags": ["headache"]},
        "red-flags-a-text": {"athlete": _ADULT, "red_flags": "true_locking"},
        "many-faults": {"athlete": {"age_years": 300, "shoe": 43}, "left": {"hip_drop_deg": 99}},
    }.items():  # fmt: skip
        yield PackRequest(f"shape-{name}", body)


def _contradictory() -> Iterator[PackRequest]:
    shorter = {"leg_length_deficit_cm": 1.0}
    torque = {"quad_torque_nm_kg": 2.4, "hamstring_torque_nm_kg": 1.2}
    spike = {"session_spike_ratio": 1.1, "next_long_run_km": 20, "longest_run_30d_km": 10}
    for name, body in {
        "both-legs-shorter": {"athlete": _ADULT, "left": shorter, "right": shorter},
        "no-protocol": {"athlete": _ADULT, "left": torque},
        "ratio": {"athlete": _ADULT, "left": torque | {"hamstring_quad_ratio": 0.9},
                  "protocol": {"torque_mode": "isokinetic_60"}},
        "spike": {"athlete": _ADULT | {"sport": "running"} | spike},
    }.items():  # fmt: skip
        yield PackRequest(f"contradiction-{name}", body)


def _wrong_values() -> Iterator[PackRequest]:
    """Every measure beyond a limit, or with a choice that it does not have."""
    for number, (column, measure) in enumerate(columns().items()):
        value: Any = "none_of_them"
        if isinstance(measure, Quantity):
            is_above = number % 2 == 0 or measure.low <= 0.0
            value = math.floor(measure.high) + 1 if is_above else measure.low - 1
        yield PackRequest(f"value-{column}", _with_value(column, value))


def _with_value(column: str, value: Any) -> Body:
    *sections, name = column_locations()[column]
    body: Body = {"athlete": dict(_ADULT)}
    place = body
    for section in sections:
        place = place.setdefault(section, {})
    place[name] = value
    return body


def _sports() -> tuple[str, ...]:
    return tuple(category("sport").choices)
