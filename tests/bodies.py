"""Bodies of screenings for tests: typical legs, and a textbook case of each imbalance."""

from __future__ import annotations

from typing import Any

import numpy as np

from kneerisk.answer.answer_schema import KNEES, SHOWN, Answer
from kneerisk.evidence import imbalances
from kneerisk.evidence.imbalance_patterns import marks
from kneerisk.schema import code, columns, quantity
from kneerisk.schema.rules import SQUEEZED_TOGETHER
from kneerisk.schema.z_scores import CONDITION_OF, from_z

PROTOCOL = {
    "torque_mode": "isometric",
    "hip_torque_mode": "eccentric",
    "valgus_task": "single_leg_squat",
    "hip_drop_task": "running",
}
#: Two measures or more of the right leg that lie far on the side of the imbalance, in SDs.
TEXTBOOK: dict[str, dict[str, float]] = {
    "hamstring_dominance": {"quad_torque_nm_kg": -2.5, "ake_deficit_deg": 2.5, "slr_deg": -2.0},
    "vmo_inhibition": {"vmo_delay_ms": 2.5, "quad_lag_grade": 4.0, "quad_torque_nm_kg": -1.5},
    "calf_tightness": {
        "wblt_dorsiflexion_deg": -2.5,
        "squat_heel_rise_grade": 3.0,
        "foot_progression_deg": 3.0,
    },
    "adductor_underactivity": {"hip_adduction_torque_nm_kg": -2.5, "adductor_squeeze_n_kg": -2.5},
    "glute_underactivity": {"hip_abduction_pct_bw": -2.5, "hip_drop_deg": 2.5, "fppa_deg": 2.0},
}


def value_at(measure: str, z: float, sex: str = "male") -> float:
    """The value of a leg's measure at a z-score for a sex, inside its limits."""
    data = {"sex": np.array([code(columns()["sex"], sex)])}
    condition = CONDITION_OF.get(measure)
    if condition:
        data[condition] = np.array([code(columns()[condition], PROTOCOL[condition])])
    limits = quantity(measure)
    value = float(from_z(measure, np.array([z]), data)[0])
    if limits.whole:
        value = round(value)
    return min(max(value, limits.low), limits.high)


def leg(**z_scores: float) -> dict[str, float]:
    """A leg's measured values, each given as a z-score for men."""
    return {measure: value_at(measure, z) for measure, z in z_scores.items()}


def typical_leg() -> dict[str, float]:
    """All that marks an imbalance, at its norm; no ratio, so that none contradicts its parts."""
    names = {name for signs in marks().values() for name in signs}
    return leg(**{name: 0.0 for name in sorted(names) if not name.endswith("_ratio")})


def body(
    right: dict[str, Any] | None = None, left: dict[str, Any] | None = None, **sections: Any
) -> dict[str, Any]:
    """The body of a man of 30 with these measured values; ``athlete`` adds to what is his."""
    athlete = {"age_years": 30, "sex": "male", **sections.pop("athlete", {})}
    legs = {"right": right or {}, "left": left or {}}
    return {"athlete": athlete, "protocol": PROTOCOL, **legs, **sections}


def textbook(name: str, **sections: Any) -> dict[str, Any]:
    """The right leg has the pattern, the left one is typical in the same measures."""
    case = TEXTBOOK[name]
    typical = {measure: 0.0 for measure in case if measure not in SQUEEZED_TOGETHER}
    return body(leg(**case), leg(**typical), **sections)


def flat(answer: Answer) -> dict[str, Any]:
    """An answer as a row of a file of answers; what it does not give is missing."""
    row: dict[str, Any] = {"status": answer.risk.status}
    row["reasons"] = ";".join(reason.code for reason in answer.risk.reasons)
    row["red_flags"] = ";".join(flag.code for flag in answer.red_flags)
    for side in KNEES:
        risk = getattr(answer.risk, side)
        low, high = risk.interval if risk else (None, None)
        row[f"risk_{side}"] = risk.probability if risk else None
        row[f"risk_{side}_low"], row[f"risk_{side}_high"] = low, high
        row[f"band_{side}"] = risk.band if risk else None
    probabilities = {f"{each.side}_{each.name}": each.probability
                     for each in answer.imbalances or ()}  # fmt: skip
    columns = (f"{side}_{name}" for side in SHOWN for name in imbalances())
    row |= {column: probabilities.get(column) for column in columns}
    return row | {"version": answer.model.version, "run_id": answer.model.run_id}
