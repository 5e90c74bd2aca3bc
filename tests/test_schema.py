import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import OPTIONAL, bodies, screenings

from kneerisk.cohort.sheets.lexicon.units import OTHER_UNITS, factor, unit_of
from kneerisk.cohort.sheets.rows.slips import proposal_for, with_proposals
from kneerisk.errors import Fault, Proposal, ScreeningRefused
from kneerisk.schema import (
    Category,
    Measure,
    Quantity,
    Screening,
    athlete_measures,
    code,
    coded,
    columns,
    faults_of,
    from_row,
    leg_measures,
    quantity,
    read_screening,
    to_row,
)
from kneerisk.schema.columns import column_locations, column_of, location_of, measures_of

ATHLETE = {"age_years": 31, "sex": "female"}
FIXED = {"wblt_dorsiflexion_deg": 38.0, "hamstring_quad_ratio": 0.6, "hip_drop_deg": 5.0}
UNITS = {
    "_nm_kg": "Nm/kg", "_n_kg": "N/kg", "_kg": "kg", "_cm": "cm", "_km": "km", "_mm": "mm",
    "_deg": "deg", "_ms": "ms", "_s": "s", "_spm": "steps/min", "_mps": "m/s",
    "_ratio": "ratio", "_pct_bw": "% BW", "_pct": "%", "_years": "years", "_weeks": "weeks",
    "_hours_per_week": "h/week", "_hours_per_day": "h/day", "_sessions_per_week": "sessions/week",
    "_grade": "grade", "_episodes": "episodes", "_nrs": "of 10", "_score": "points",
}  # fmt: skip
CONTRACT = sorted({column.removeprefix("left_").removeprefix("right_") for column in columns()})


def measure_named(name: str) -> Measure:
    return columns().get(name) or columns()[f"left_{name}"]


def faults(body: Any) -> list[Fault]:
    with pytest.raises(ValidationError) as refused:
        Screening.model_validate(body)
    return faults_of(refused.value)


def places(body: Any) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.code) for fault in faults(body)}


# What every measure states


def test_at_least_forty_measures():
    assert len(CONTRACT) >= 40
    assert len({name for name in CONTRACT if isinstance(measure_named(name), Quantity)}) >= 40


@pytest.mark.parametrize("name", CONTRACT)
def test_a_measure_is_complete(name):
    measure = measure_named(name)
    assert measure.label
    assert measure.source.strip()
    assert measure.protocol.endswith(".")
    assert measure.protocol.count(". ") == 0, "one sentence"
    if isinstance(measure, Category):
        assert len(set(measure.choices)) == len(measure.choices) >= 2
        assert measure.default is None or measure.default in measure.choices
        return
    assert isinstance(measure, Quantity)
    suffix = max((s for s in UNITS if name.endswith(s) or f"_{name}" == s), key=len)
    assert measure.unit.startswith(UNITS[suffix])
    assert measure.low < measure.high
    for norm in measure.norms:
        assert norm.source
        for mean, sd in filter(None, (norm.male, norm.female)):
            assert measure.low < mean < measure.high
            assert 0 < sd < measure.high - measure.low
    if measure.error:
        assert measure.error.source
        assert measure.error.sem > 0
        assert measure.error.mdc == pytest.approx(1.96 * math.sqrt(2) * measure.error.sem, rel=1e-3)
    if measure.log_scale:
        assert measure.low > 0, "a logarithm needs it"


def test_conditions_of_norms_are_choices_of_a_protocol():
    protocols = measures_of(Screening.model_fields["protocol"].annotation)
    choices = {c for m in protocols.values() if isinstance(m, Category) for c in m.choices}
    for measure in filter(lambda m: isinstance(m, Quantity), columns().values()):
        conditions = {norm.condition for norm in measure.norms}
        assert conditions <= {None} | choices


def test_every_leg_measure_has_both_sides():
    for name in leg_measures():
        assert columns()[f"left_{name}"] is columns()[f"right_{name}"]


def test_columns_and_places_are_inverse():
    for column, place in column_locations().items():
        assert location_of(column) == place
        assert column_of(place) == column
    assert list(column_locations()) != []
    assert set(column_locations()) == set(columns())


# What is accepted


@pytest.mark.parametrize("name", [*FIXED, "weekly_run_km"])
def test_a_fixed_name_is_accepted_alone(name):
    body: dict[str, Any] = {"athlete": dict(ATHLETE)}
    part = body["athlete"] if name == "weekly_run_km" else body.setdefault("left", {})
    part[name] = FIXED.get(name, 35.0)
    assert set(to_row(Screening.model_validate(body))) >= {"age_years", "sex"}
    Screening.model_validate_json(json.dumps(body))


def test_all_fixed_names_together():
    body = {"athlete": ATHLETE | {"weekly_run_km": 35.0}, "left": FIXED, "right": FIXED}
    assert len(to_row(Screening.model_validate(body))) == 2 + 1 + 6


@given(bodies())
def test_a_body_reads_the_same_from_json(body):
    assert Screening.model_validate_json(json.dumps(body)) == Screening.model_validate(body)


@given(screenings())
def test_a_row_goes_there_and_back(screening):
    again = from_row(to_row(screening), screening.red_flags)
    assert again == screening
    assert to_row(again) == to_row(screening)


@given(screenings())
def test_swapping_twice_is_the_same(screening):
    swapped = screening.swapped()
    assert swapped.swapped() == screening
    assert swapped.left == screening.right
    assert swapped.pain.left == screening.pain.right
    Screening.model_validate(swapped.model_dump())


@given(st.lists(screenings(), min_size=1, max_size=3))
@settings(max_examples=25)
def test_coded_columns_hold_the_row(visits):
    found = coded(visits)
    assert set(found) == set(columns())
    for i, row in enumerate(map(to_row, visits)):
        for column, measure in columns().items():
            expected = code(measure, row.get(column))
            np.testing.assert_equal(found[column][i], expected)


def test_not_asked_and_none_apply_stay_apart():
    assert Screening.model_validate({"athlete": ATHLETE}).red_flags is None
    assert Screening.model_validate({"athlete": ATHLETE, "red_flags": []}).red_flags == []


def test_a_whole_number_may_come_as_a_decimal():
    found = Screening.model_validate({"athlete": ATHLETE, "left": {"quad_lag_grade": 1.0}})
    assert type(found.left.quad_lag_grade) is int


# What is refused


@given(st.sampled_from([*OPTIONAL, "age_years"]), st.data())
def test_a_bad_value_is_named(column, data):
    measure = columns()[column]
    bad = ["", "x", "12", [], {}, True]
    if isinstance(measure, Quantity):
        step = 1 if measure.whole else 0.01
        bad += [measure.low - step, measure.high + step, math.nan, math.inf, -math.inf]
    else:
        bad += [1, 0.5]
    body: dict[str, Any] = {"athlete": dict(ATHLETE)}
    *sections, name = column_locations()[column]
    part = body
    for section in sections:
        part = part.setdefault(section, {})
    part[name] = data.draw(st.sampled_from(bad))
    [fault] = faults(body)
    assert fault.pointer == "/" + "/".join(column_locations()[column])
    assert fault.allowed == measure.allowed
    assert fault.unit == getattr(measure, "unit", None)


def test_every_fault_at_once():
    body = {
        "athlete": {"age_years": 9, "height_cm": math.nan, "mass_kg": "70", "step_rate_spm": True,
                    "weekly_run_km": 1e999, "shoe_size": 42, "sport": "chess"},
        "left": {"hip_drop_deg": 26.0, "fppa_deg": 4.0},
        "right": {"squat_heel_rise_grade": 1.5, "quad_torque_nm_kg": 2.0},
        "protocol": {"torque_mode": "by_hand"},
        "red_flags": ["effusion", "bad_mood"],
        "coach": "x",
    }  # fmt: skip
    assert places(body) == {
        ("/athlete/age_years", "outside_limits"),
        ("/athlete/sex", "missing"),
        ("/athlete/height_cm", "not_finite"),
        ("/athlete/mass_kg", "not_a_number"),
        ("/athlete/step_rate_spm", "not_a_number"),
        ("/athlete/weekly_run_km", "not_finite"),
        ("/athlete/shoe_size", "unknown_name"),
        ("/athlete/sport", "unknown_choice"),
        ("/left/hip_drop_deg", "outside_limits"),
        ("/right/squat_heel_rise_grade", "not_a_number"),
        ("/protocol/torque_mode", "unknown_choice"),
        ("/protocol/valgus_task", "protocol_needed"),
        ("/red_flags/1", "unknown_choice"),
        ("/coach", "unknown_name"),
    }


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
def test_json_that_is_no_number_is_refused(number):
    text = f'{{"athlete": {{"age_years": 30, "sex": "male", "weekly_run_km": {number}}}}}'
    with pytest.raises(ValidationError) as refused:
        Screening.model_validate_json(text)
    [fault] = faults_of(refused.value)
    assert (fault.pointer, fault.code) == ("/athlete/weekly_run_km", "not_finite")


@pytest.mark.parametrize("body", [None, [], 3, "x"])
def test_a_body_that_is_no_object_is_refused(body):
    assert places(body) == {("", "not_an_object")}


def test_an_error_never_repeats_a_value():
    secret, name = 98765.4321, "Xanthippe"
    body = {
        "athlete": {"age_years": secret, "sex": name, "height_cm": name, "weekly_run_km": secret},
        "left": {"hip_drop_deg": -secret, "fppa_deg": name},
        "pain": {"left": {"pain_site": "{" + name + "}"}},
        "red_flags": [name],
    }
    with pytest.raises(ScreeningRefused) as refused:
        read_screening(body)
    with pytest.raises(ValidationError) as raw:
        Screening.model_validate(body)
    told = [str(refused.value), repr(refused.value.faults), str(raw.value), raw.value.json()]
    assert not any(word in text for text in told for word in ("98765", name))
    assert len(refused.value.faults) == 8


@pytest.mark.parametrize(
    ("place", "name", "told"),
    [
        ("athlete", "ageYears", "the nearest is age_years"),
        ("athlete", "height", "the nearest is height_cm"),
        ("athlete", "height_m", "the nearest is height_cm"),
        ("left", "Hip-Drop-Deg", "the nearest is hip_drop_deg"),
        ("left", "quad_torque", "the nearest is quad_torque_nm_kg"),
        ("left", "age_years", "here; age_years stands in athlete"),
        ("athlete", "hip_drop_deg", "here; hip_drop_deg stands in left and right"),
        ("athlete", "left_hip_drop_deg", "here; hip_drop_deg stands in left"),
        ("left", "pain_nrs", "here; pain_nrs stands in pain/left and pain/right"),
        ("athlete", "shoe_size", "is not a name of the schema"),
        ("left", "hip", "is not a name of the schema"),
        ("left", "hip_drop_deg" * 9, "is not a name of the schema"),
    ],
)
def test_an_unknown_name_is_told_the_one_that_is_meant(place: str, name: str, told: str):
    body: dict[str, Any] = {"athlete": {"age_years": 30, "sex": "male"}}
    body[place] = body.get(place, {}) | {name: 3}
    with pytest.raises(ScreeningRefused) as refused:
        read_screening(body)
    [fault] = refused.value.faults
    assert fault.code == "unknown_name"
    assert fault.message.endswith(told)


def test_the_name_that_is_told_is_never_that_of_another_measure():
    for column in columns():
        place, name = column_locations()[column][:-1], column_locations()[column][-1]
        if place != ("left",):
            continue
        with pytest.raises(ScreeningRefused) as refused:
            read_screening({"athlete": {"age_years": 30, "sex": "male"}, "left": {name + "x": 1}})
        hint = refused.value.faults[0].message.partition("nearest is ")[2]
        assert hint in {"", name}


MASS_KG = 71.0
SLIPPED = [
    (name, other)
    for name, measure in columns().items()
    if isinstance(measure, Quantity) and measure.norms
    for other in OTHER_UNITS.get(measure.unit, ())
    if unit_of(measure, other)
]


def proposal_distance(measure: Quantity, value: float) -> float:
    """How far from the nearest norm, in its standard deviations."""
    pairs = [norm.of(sex) for norm in measure.norms for sex in ("male", "female")]
    return min(abs(value - mean) / sd for mean, sd in filter(None, pairs))


class TestSlips:
    @pytest.mark.parametrize(("name", "other"), SLIPPED)
    @given(st.floats(-1.0, 1.0), st.sampled_from(["male", "female"]))
    def test_a_typical_value_in_another_unit_is_explained(self, name, other, z, sex):
        """Its own value comes back, unless another unit makes a more usual one of it."""
        measure = columns()[name]
        unit = unit_of(measure, other)
        scale = factor(measure, other, per_body_mass=unit.per_body_mass)
        for mean, sd in filter(None, (norm.of(sex) for norm in measure.norms)):
            meant = min(max(mean + z * sd, measure.low), measure.high)
            written = meant / scale * (MASS_KG if unit.per_body_mass else 1.0)
            proposal = proposal_for(measure, written, MASS_KG)
            if measure.low <= written <= measure.high:
                assert proposal is None
                continue
            assert proposal is not None
            assert measure.violation(proposal.value) is None
            assert proposal.unit == measure.unit
            if proposal.value != pytest.approx(meant, abs=0.0051):
                assert (
                    proposal_distance(measure, proposal.value)
                    <= proposal_distance(measure, meant) + 0.0051 / sd
                )

    @pytest.mark.parametrize(
        ("name", "written", "value"),
        [("mass_kg", "159 lb", 72.12), ("height_cm", "5'11\"", 180.34),
         ("height_cm", "1,78 m", 178.0),
         ("quad_torque_nm_kg", "210 Nm", 2.96), ("wblt_distance_cm", "4 in", 10.16),
         ("wblt_distance_cm", "12 cm", 12.0)],
    )  # fmt: skip
    def test_a_number_with_its_unit_is_read(self, name, written, value):
        measure = (athlete_measures() | leg_measures())[name]
        proposal = proposal_for(measure, written, MASS_KG)
        assert proposal is not None
        assert proposal.value == pytest.approx(value, abs=0.005)

    @pytest.mark.parametrize("written", ["many", "12 bananas", "1590 lb", "-", ""])
    def test_a_unit_that_nobody_knows_or_too_much_of_it_is_not(self, written):
        assert proposal_for(columns()["mass_kg"], written, MASS_KG) is None

    @given(st.sampled_from(SLIPPED), st.floats() | st.integers() | st.none() | st.booleans())
    def test_nothing_outside_the_limits_is_proposed(self, case, written):
        measure = columns()[case[0]]
        proposal = proposal_for(measure, written, MASS_KG)
        assert proposal is None or measure.violation(proposal.value) is None

    @pytest.mark.parametrize(
        ("place", "written", "value", "message"),
        [
            ("left/quad_torque_nm_kg", 210, 2.96, "210 Nm at 71 kg is 2.96 Nm/kg"),
            ("left/adductor_squeeze_n_kg", 320, 4.51, "320 N at 71 kg is 4.51 N/kg"),
            ("athlete/height_cm", 1.78, 178.0, "1.78 m is 178 cm"),
            ("athlete/height_cm", 70, 177.8, "70 inches is 177.8 cm"),
            (
                "athlete/step_rate_spm",
                86,
                172.0,
                "86 steps/min of one leg is 172 steps/min of both",
            ),
            ("left/hip_abduction_pct_bw", 0.35, 35.0, "0.35 x BW is 35 % BW"),
            ("left/hamstring_quad_ratio", 60, 0.6, "60 % as a ratio is 0.6"),
        ],
    )
    def test_a_slip_is_explained(self, place, written, value, message):
        section_name, name = place.split("/")
        body = {"athlete": {"age_years": 25, "sex": "male", "mass_kg": 71}}
        body.setdefault(section_name, {})[name] = written
        fault = Fault(pointer=f"/{place}", code="outside_limits", message="m")
        [told] = with_proposals([fault], body)
        assert told.proposal == Proposal(value=value, unit=quantity(name).unit, message=message)

    def test_a_torque_without_body_mass_is_not_guessed(self):
        body = {"athlete": {"mass_kg": 0}, "left": {"quad_torque_nm_kg": 210}}
        fault = Fault(pointer="/left/quad_torque_nm_kg", code="outside_limits", message="m")
        assert with_proposals([fault], body) == [fault]
