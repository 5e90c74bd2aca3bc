"""Golden cases: made-up screenings, with the numbers that a bundle must give for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kneerisk.model.risk_model import Prediction, RiskModel
from kneerisk.schema import Screening, coded

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


def golden_numbers(model: RiskModel) -> dict[str, Any]:
    """What a model gives for the golden cases, as plain data."""
    screenings = [Screening.model_validate(body) for body in BODIES]
    return dict(_numbers(model.predict(coded(screenings))))


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
