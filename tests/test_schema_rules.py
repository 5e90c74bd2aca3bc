from typing import Any

import pytest
from pydantic import ValidationError

from kneerisk.schema import Screening, contradictions, faults_of, from_row
from kneerisk.schema.rules import RATIO_TOLERANCE

ATHLETE = {"age_years": 31, "sex": "female"}


def rule(row: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(broken.column, broken.code) for broken in contradictions(ATHLETE | row)]
    if found:
        with pytest.raises(ValidationError) as refused:
            from_row(ATHLETE | row)
        assert [fault.code for fault in faults_of(refused.value)] == [code for _, code in found]
    else:
        from_row(ATHLETE | row)
    return found


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("measure", "value", "protocol", "choice"),
    [
        ("quad_torque_nm_kg", 2.0, "torque_mode", "isometric"),
        ("hamstring_torque_nm_kg", 1.0, "torque_mode", "isokinetic_60"),
        ("hip_abduction_torque_nm_kg", 2.0, "hip_torque_mode", "eccentric"),
        ("hip_adduction_torque_nm_kg", 2.0, "hip_torque_mode", "isometric"),
        ("adduction_abduction_ratio", 1.0, "hip_torque_mode", "isometric"),
        ("fppa_deg", 4.0, "valgus_task", "drop_jump"),
    ],
)
def test_a_test_with_variants_needs_its_protocol(side, measure, value, protocol, choice):
    row = {f"{side}_{measure}": value}
    assert rule(row) == [(protocol, "protocol_needed")]
    assert rule(row | {protocol: choice}) == []


@pytest.mark.parametrize(
    ("ratio", "over", "under", "mode"),
    [
        ("left_hamstring_quad_ratio", "left_hamstring_torque_nm_kg", "left_quad_torque_nm_kg",
         {"torque_mode": "isokinetic_60"}),
        ("right_adduction_abduction_ratio", "right_hip_adduction_torque_nm_kg",
         "right_hip_abduction_torque_nm_kg", {"hip_torque_mode": "eccentric"}),
        ("session_spike_ratio", "next_long_run_km", "longest_run_30d_km", {}),
    ],
)  # fmt: skip
def test_a_ratio_agrees_with_its_parts(ratio, over, under, mode):
    parts = mode | {over: 1.2, under: 2.0}
    inside = 0.6 + RATIO_TOLERANCE - 0.001
    assert rule(parts | {ratio: inside}) == []
    assert rule(parts | {ratio: inside + 0.002}) == [(ratio, "disagrees_with_parts")]
    assert rule(mode | {over: 1.2, ratio: 1.4}) == [], "one part alone says nothing"


def test_an_isometric_test_says_nothing_of_the_isokinetic_ratio():
    row = {"left_hamstring_torque_nm_kg": 1.2, "left_quad_torque_nm_kg": 3.0}
    assert rule(row | {"left_hamstring_quad_ratio": 0.7, "torque_mode": "isometric"}) == []


def test_a_spike_over_no_run_disagrees():
    row = {"session_spike_ratio": 1.0, "next_long_run_km": 0.0, "longest_run_30d_km": 0.0}
    assert rule(row) == [("session_spike_ratio", "disagrees_with_parts")]


def test_only_one_leg_is_the_shorter_one():
    left, right = "left_leg_length_deficit_cm", "right_leg_length_deficit_cm"
    assert rule({left: 0.0, right: 1.0}) == []
    assert rule({left: 1.0}) == []
    assert rule({left: 0.5, right: 1.0}) == [(right, "both_sides")]


def test_one_side_of_the_pelvis_is_up_by_what_the_other_is_down():
    left, right = "left_lateral_pelvic_tilt_deg", "right_lateral_pelvic_tilt_deg"
    assert rule({left: 1.1, right: -1.1}) == []
    assert rule({left: 1.1, right: 1.1}) == [(right, "not_opposite")]


def test_rules_are_told_beside_other_faults():
    body = {"athlete": ATHLETE, "left": {"fppa_deg": 4.0}, "diary": 1}
    with pytest.raises(ValidationError) as refused:
        Screening.model_validate(body)
    codes = {fault.code for fault in faults_of(refused.value)}
    assert codes == {"unknown_name", "protocol_needed"}


def test_a_faulty_field_gets_no_second_fault_from_a_rule():
    body = {"athlete": ATHLETE, "left": {"fppa_deg": 4.0}, "protocol": {"valgus_task": "walk"}}
    with pytest.raises(ValidationError) as refused:
        Screening.model_validate(body)
    assert [fault.code for fault in faults_of(refused.value)] == ["unknown_choice"]


def test_a_squeeze_may_be_written_for_one_leg_or_both():
    """Two values that differ come from older sheets, which had one a leg."""
    left, right = ({f"{side}_adductor_squeeze_n_kg": value} for side, value in
                   (("left", 3.1), ("right", 4.4)))  # fmt: skip
    for row in (left, right, left | right):
        assert rule(row) == []
