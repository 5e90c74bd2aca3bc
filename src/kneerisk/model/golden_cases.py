"""Golden cases: made-up screenings that show on loading that a model gives the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kneerisk.model.prediction import Prediction
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import FloatArray, Measure, Quantity, Screening, coded
from kneerisk.schema.own_measures import OwnMeasures

#: How far a number may lie from the one recorded: other processors round differently.
TOLERANCE = 1e-6

#: Nobody's values: an empty screening, one with three tests, one leg only, and a broad one.
BODIES: tuple[dict[str, Any], ...] = (
    {"athlete": {"age_years": 30, "sex": "female"}},
    {
        "athlete": {"age_years": 24, "sex": "male", "sport": "basketball", "weekly_run_km": 12},
        "left": {"wblt_dorsiflexion_deg": 33, "hip_drop_deg": 8, "hamstring_quad_ratio": 0.8},
        "right": {"wblt_dorsiflexion_deg": 41, "hip_drop_deg": 4, "hamstring_quad_ratio": 0.58},
    },
    {
        "athlete": {"age_years": 55, "sex": "unspecified", "sport": "weightlifting"},
        "right": {"prior_knee_injury": "within_12_months", "same_side_episodes": 2},
        "pain": {"right": {"pain_nrs": 4, "pain_site": "anterior"}},
    },
    {
        "athlete": {"age_years": 41, "sex": "female", "height_cm": 168, "mass_kg": 61,
                    "sport": "running", "level": "competitive", "session_spike_ratio": 1.4,
                    "step_rate_spm": 168, "resistance_sessions_per_week": 1},
        "left": {"quad_torque_nm_kg": 1.9, "hamstring_torque_nm_kg": 1.1, "fppa_deg": 11,
                 "ober_adduction_deg": 15, "run_eversion_peak_deg": 11},
        "right": {"quad_torque_nm_kg": 2.4, "hamstring_torque_nm_kg": 1.1, "fppa_deg": 6,
                  "ober_adduction_deg": 24, "run_eversion_peak_deg": 6},
        "protocol": {"torque_mode": "isometric", "valgus_task": "single_leg_squat"},
    },
)  # fmt: skip


def golden_columns(own: OwnMeasures) -> dict[str, FloatArray]:
    """The golden cases as coded columns.

    Parameters
    ----------
    own
        The own measures of the model; where it has any, one more case has them all.

    Returns
    -------
    By canonical column, shape ``(n_cases,)``.
    """
    with own.in_force():
        return coded([Screening.model_validate(body) for body in (*BODIES, *_own_bodies(own))])


def _own_bodies(own: OwnMeasures) -> list[dict[str, Any]]:
    """A case with every own measure: the left leg below what is typical, the right one above."""
    if not own:
        return []
    low, high = (
        {name: _usual(measure, away) for name, measure in own.leg.items()} for away in (-1.0, 1.0)
    )
    athlete = {name: _usual(measure, 1.0) for name, measure in own.athlete.items()}
    return [{"athlete": BODIES[1]["athlete"] | athlete, "left": low, "right": high}]


def _usual(measure: Measure, away: float) -> Any:
    """A value up to one SD away from what is typical; of a category the first or last choice."""
    if not isinstance(measure, Quantity):
        choices = getattr(measure, "choices", ())
        return choices[0 if away < 0.0 else -1]
    norm = measure.norm()
    mean, sd = (norm.of(None) if norm else None) or (measure.low, 0.0)
    value = min(max(mean + away * sd, measure.low), measure.high)
    return round(value) if measure.whole else value


def golden_numbers(model: RiskModel) -> dict[str, Any]:
    """What a model gives for the golden cases, as plain data."""
    return dict(_numbers(model.predict(golden_columns(model.own))))


def deviation(model: RiskModel, recorded: dict[str, Any]) -> float:
    """The largest difference between what a model gives now and what was recorded."""
    now = golden_numbers(model)
    if now.keys() != recorded.keys():
        return float("inf")
    return max(float(np.abs(np.array(now[name]) - np.array(recorded[name])).max()) for name in now)


def _numbers(prediction: Prediction) -> Iterator[tuple[str, Any]]:
    for name in ("left", "right", "either", "imbalances"):
        values = getattr(prediction, name)
        if values is not None:
            yield name, values.tolist()
    for name, (low, high) in prediction.intervals.items():
        yield f"{name}_interval", [low.tolist(), high.tolist()]
