"""Example requests: shown in the OpenAPI document, tried by the tests, sent by the benchmarks."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

#: A runner with unequal legs and a knee that hurt before: the request that is shown everywhere.
EXAMPLE: Json = {
    "athlete": {"age_years": 27, "sex": "female", "sport": "running", "weekly_run_km": 45,
                "session_spike_ratio": 1.25},
    "left": {"wblt_dorsiflexion_deg": 33, "hip_drop_deg": 9, "fppa_deg": 13,
             "ober_adduction_deg": 15, "quad_torque_nm_kg": 2.1, "hamstring_torque_nm_kg": 1.05,
             "prior_knee_injury": "within_12_months"},
    "right": {"wblt_dorsiflexion_deg": 41, "hip_drop_deg": 4.5, "fppa_deg": 6,
              "ober_adduction_deg": 25, "quad_torque_nm_kg": 2.4, "hamstring_torque_nm_kg": 1.1,
              "prior_knee_injury": "none"},
    "protocol": {"valgus_task": "single_leg_squat", "torque_mode": "isometric"},
    "red_flags": [],
}  # fmt: skip

#: The same runner with a hip that drops less and a stronger quadriceps.
WHAT_IF: Json = {
    "screening": EXAMPLE, "changes": {"left_hip_drop_deg": 5, "left_quad_torque_nm_kg": 2.6},
}  # fmt: skip

#: The same runner twelve weeks later.
FOLLOW_UP: Json = {
    "visits": [
        {"date": "2026-03-02", "screening": EXAMPLE},
        {"date": "2026-05-25", "screening": EXAMPLE | {
            "left": EXAMPLE["left"] | {"hip_drop_deg": 4.5, "quad_torque_nm_kg": 2.6}}},
    ],
}  # fmt: skip

#: A sheet as clubs keep them, with a title above the column names and one bad age.
SHEET = (
    "Our club, tests of March;;;;;\n"
    "Spieler;Geschlecht;Alter;Gewicht (lb);KTW L (cm);KTW R (cm)\n"
    "A;w;22;143,3;9,5;11\nB;m;270;176;8;10,5\n"
)
#: What its keeper says about it: the sport of all rows, and the unit of one column.
SHEET_MAPPING: Json = {"constants": {"sport": "volleyball"}, "columns": {"D": {"unit": "lb"}}}
#: A runner's own table of sessions, without a unit in it.
LOG = (
    "Date,Sport,Distance,Time\n2026-06-12,Running,15.02,01:24:10\n2026-06-09,Gym,,00:45:00\n"
    "2026-06-03,Running,8.11,00:45:02\n2026-05-14,Running,9.40,00:52:31\n"
)
LOG_MAPPING: Json = {"date": "2026-06-15", "athlete": "A", "distance_unit": "km"}
#: Two athletes of a squad as a table, as the page sends it to have it as an Excel file.
TABLE: Json = {
    "columns": ["athlete", "age_years", "sex", "left_hip_drop_deg"],
    "rows": [["A", 22, "female", 9.5], ["B", 24, "male", None]],
}
#: A week of a squad: a runner's left knee began to hurt, another one has nothing to tell.
OUTCOMES: Json = {
    "outcomes": [
        {"athlete": "A7", "kind": "knee_pain", "side": "left", "first_day": "2026-05-04",
         "last_day": "2026-05-10", "course": "new", "severity": 33},
        {"athlete": "A8", "kind": "check_in", "first_day": "2026-05-04",
         "last_day": "2026-05-10", "knee_problem": False},
    ],
}  # fmt: skip
