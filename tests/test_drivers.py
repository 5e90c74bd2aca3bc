"""What moved a risk: the parts add up to it, and each stands where it belongs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.special import expit, logit
from strategies import screenings
from test_answer import TESTED

from kneerisk.answer import answer
from kneerisk.answer.predictions import predictions_of
from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.evidence import measure_names
from kneerisk.model import Bundle
from kneerisk.schema import Category, Screening, columns
from kneerisk.training.fitting.fit import fit
from kneerisk.words import section

#: The issue of numbers: log-odds, of which a risk is made.
CLOSE = 1e-6


@pytest.fixture(scope="module")
def data(simulated: Simulated) -> dict[str, Any]:
    return {name: values[:400] for name, values in simulated.cohort.columns().items()}


PAIN = {"pain_nrs": 4, "pain_weeks": 3}


class TestTheSum:
    def test_of_all_parts_is_the_log_odds(self, released: Bundle, data: dict[str, Any]) -> None:
        model = released.model
        expected = model.measurement_update.expected(data)
        legs = model.features(data, expected)
        found = model.explainer.contributions(data, expected, legs)
        assert np.abs(found.base + found.values.sum(axis=2) - model.log_odds(legs)).max() < CLOSE

    def test_holds_where_legs_are_not_told_apart(self, simulated: Simulated) -> None:
        frame = simulated.cohort.frame.copy()
        hurt = frame[["outcome_left", "outcome_right"]].max(axis=1)
        frame["outcome_either"] = hurt.where(
            frame[["outcome_left", "outcome_right"]].notna().all(axis=1)
        )
        frame = frame.drop(columns=["outcome_left", "outcome_right"])
        cohort = Cohort(frame, "observed", "new_pain", 12, "test")
        model = fit(cohort, interval=False).model
        part = {name: values[:50] for name, values in cohort.columns().items()}
        expected = model.measurement_update.expected(part)
        legs = model.features(part, expected)
        found = model.explainer.contributions(part, expected, legs)
        assert not model.sided
        assert np.abs(found.base + found.values.sum(axis=2) - model.log_odds(legs)).max() < CLOSE
        assert (found.values[:, 0] == found.values[:, 1]).all()

    @given(screening=screenings())
    @settings(max_examples=30)
    def test_of_told_drivers_leads_from_the_typical_to_the_own_risk(
        self, released: Bundle, screening: Screening
    ) -> None:
        found = answer(released, screening)
        for side in ("left", "right"):
            risk = getattr(found.risk, side)
            if risk is None:
                continue
            mine = [driver for driver in found.drivers if driver.side == side]
            points = sum(driver.points for driver in mine)
            assert risk.typical_probability + points / 100 == pytest.approx(risk.probability)
            log_odds = sum(driver.log_odds for driver in mine)
            assert logit(risk.typical_probability) + log_odds == pytest.approx(
                logit(risk.probability), abs=CLOSE
            )

    @given(screening=screenings())
    @settings(max_examples=20)
    def test_of_effects_by_input_is_that_of_the_drivers(
        self, released: Bundle, screening: Screening
    ) -> None:
        found = answer(released, screening)
        if found.risk.left is None:
            return
        by_input = sum(one.effect.left or 0.0 for one in found.inputs if one.effect)
        by_driver = sum(d.points for d in found.drivers
                        if d.side == "left" and d.group != "tests")  # fmt: skip
        assert by_input == pytest.approx(by_driver, abs=1e-6)

    def test_holds_beside_a_knee_that_hurts(self, released: Bundle) -> None:
        """Pain lowers what is expected of both legs: its input says what that did."""
        found = answer(released, Screening.model_validate(TESTED | {"pain": {"right": PAIN}}))
        by_input = {one.column: one.effect.left for one in found.inputs if one.effect}
        by_driver = {d.measure: d.points for d in found.drivers if d.side == "left"}
        assert by_input["right_pain_nrs"] == by_driver["pain_nrs"] != 0.0
        statuses = {one.column: one.status for one in found.inputs}
        assert statuses["right_pain_nrs"] == "used"
        assert statuses["right_pain_weeks"] == "recorded_only"


class TestWhoGetsWhat:
    def test_a_measure_that_was_not_taken_did_nothing(self, released: Bundle) -> None:
        body = {"athlete": {"age_years": 30, "sex": "male", "sport": "football"}}
        found = answer(released, Screening.model_validate(body))
        assert {d.measure for d in found.drivers} <= {"age_years", "sex", "tests_done"}
        assert all(one.effect is None for one in found.inputs if one.status == "missing")

    def test_a_knee_that_hurts_has_no_drivers(self, released: Bundle) -> None:
        body = TESTED | {"pain": {"left": {"pain_nrs": 4}}}
        found = answer(released, Screening.model_validate(body))
        assert {driver.side for driver in found.drivers} == {"right"}

    def test_a_red_flag_leaves_none(self, released: Bundle) -> None:
        found = answer(released, Screening.model_validate(TESTED | {"red_flags": ["hard_mass"]}))
        assert found.drivers == []
        assert all(one.effect is None for one in found.inputs)

    @pytest.mark.parametrize(
        ("section", "name", "value", "sign"),
        [
            ("athlete", "resistance_sessions_per_week", 5, -1),
            ("left", "prior_knee_injury", "within_12_months", +1),
            ("left", "pain_on_squat_jump", "yes", +1),
            ("left", "hip_drop_deg", 11, +1),
            ("left", "quad_torque_nm_kg", 1.3, +1),
            ("left", "wblt_dorsiflexion_deg", 26, +1),
        ],
    )
    def test_what_the_evidence_says_shows(
        self, released: Bundle, section: str, name: str, value: Any, sign: int
    ) -> None:
        body = TESTED | {section: TESTED[section] | {name: value}}
        found = answer(released, Screening.model_validate(body))
        driver = next(d for d in found.drivers if d.side == "left" and d.measure == name)
        assert driver.points * sign > 0.2
        assert driver.group == columns().get(name, columns().get(f"left_{name}")).group

    def test_history_can_not_change_and_load_can(self, released: Bundle) -> None:
        found = answer(released, Screening.model_validate(TESTED))
        can = {driver.measure: driver.modifiable for driver in found.drivers}
        assert can["resistance_sessions_per_week"]
        assert can["hip_drop_deg"]
        assert not can["prior_knee_injury"]
        assert not can["sex"]

    def test_legs_swap_with_their_drivers(self, released: Bundle) -> None:
        screening = Screening.model_validate(TESTED)
        one, other = (answer(released, body) for body in (screening, screening.swapped()))
        left = {d.measure: d.points for d in one.drivers if d.side == "left"}
        right = {d.measure: d.points for d in other.drivers if d.side == "right"}
        assert left == pytest.approx(right)

    def test_a_typical_athlete_of_a_sport_is_the_same_whoever_asks(self, released: Bundle) -> None:
        others = TESTED | {"athlete": {"age_years": 55, "sex": "male", "sport": "running"}}
        bodies = [Screening.model_validate(body) for body in (TESTED, others)]
        base = expit(predictions_of(released, bodies).contributions.base)
        assert np.ptp(base) < 0.01


class TestInputs:
    def test_each_is_told_with_what_is_typical_and_its_error(self, released: Bundle) -> None:
        found = {
            one.column: one for one in answer(released, Screening.model_validate(TESTED)).inputs
        }
        drop = found["left_hip_drop_deg"]
        assert (drop.status, drop.unit, drop.value) == ("used", "deg", 6.0)
        assert drop.typical is not None
        assert drop.error is not None
        assert drop.range_seen is not None
        assert drop.range_seen[0] < drop.value < drop.range_seen[1]
        assert found["left_thomas_hip_extension_deg"].status == "missing"
        assert found["left_thomas_hip_extension_deg"].typical is not None

    def test_the_norm_is_that_of_sex_and_protocol(self, released: Bundle) -> None:
        def typical(sex: str, mode: str) -> float:
            body = TESTED | {"athlete": {"age_years": 30, "sex": sex},
                             "protocol": TESTED["protocol"] | {"torque_mode": mode}}  # fmt: skip
            inputs = answer(released, Screening.model_validate(body)).inputs
            found = next(one for one in inputs if one.column == "left_quad_torque_nm_kg")
            return found.typical.mean if found.typical else 0.0

        assert typical("male", "isometric") == 3.19
        assert typical("female", "isometric") == 2.41
        assert typical("male", "isokinetic_60") == 2.7
        assert typical("unspecified", "isometric") == pytest.approx((3.19 + 2.41) / 2)

    def test_a_value_that_the_model_has_not_seen_is_named(self, released: Bundle) -> None:
        body = TESTED | {"athlete": TESTED["athlete"] | {"age_years": 88}}
        found = answer(released, Screening.model_validate(body))
        age = next(one for one in found.inputs if one.column == "age_years")
        assert age.status == "out_of_range"
        assert found.risk.status == "out_of_population"
        assert "age_years" in [reason.column for reason in found.risk.reasons]


class TestStatements:
    """A driver is named with its value and what is usual, never by words that say the contrary."""

    def told(self, released: Bundle, **parts: Any) -> dict[str, Any]:
        body = {name: TESTED.get(name, {}) | more for name, more in parts.items()}
        found = answer(released, Screening.model_validate(TESTED | body))
        return {driver.measure: driver for driver in found.drivers if driver.side == "left"}

    @pytest.mark.parametrize(
        ("name", "value", "heading", "statement"),
        [
            ("wblt_dorsiflexion_deg", 34.5, "Ankle bends little", "34.5°, usual 40"),
            ("wblt_dorsiflexion_deg", 40.5, "Ankle bend near usual", "40.5°, usual 40"),
            ("wblt_dorsiflexion_deg", 52, "Ankle bends far", "52°, usual 40"),
            ("quad_torque_nm_kg", 1.6, "Quadriceps weaker than usual", "1.60 Nm/kg, usual 2.41"),
            ("hip_drop_deg", 9, "Pelvis drops far", "9°, usual 5"),
            ("prior_knee_injury", "none", "No knee injury or pain before", ""),
            ("prior_knee_injury", "within_12_months", "Knee injury or pain in the last 12 mo", ""),
            ("pain_on_squat_jump", "no", "No pain in squat, jump or step down", ""),
        ],
    )
    def test_words_fit_the_value(
        self, released: Bundle, name: str, value: Any, heading: str, statement: str
    ) -> None:
        driver = self.told(released, left={name: value}, right={name: value})[name]
        assert driver.heading.startswith(heading)
        assert driver.statement == (
            f"{driver.heading}: {statement}" if statement else driver.heading
        )
        assert driver.value == value

    def test_the_leg_that_moved_it_is_named(self, released: Bundle) -> None:
        parts = {"left": {"hip_drop_deg": 5}, "right": {"hip_drop_deg": 15}}
        driver = self.told(released, **parts)["hip_drop_deg"]
        assert driver.statement == "Pelvis drops far on the other leg: 15°, usual 5"

    def test_words_agree_with_the_sign_for_every_measure(
        self, released: Bundle, data: dict[str, Any]
    ) -> None:
        words = section("answer")["drivers"]
        assert words["lower"].keys() == words["higher"].keys() <= set(measure_names())
        assert all(words["lower"][name] != words["higher"][name] for name in words["lower"])
        choices = {
            f"{name.removeprefix('left_')}_{choice}"
            for name, measure in columns().items()
            if isinstance(measure, Category)
            for choice in measure.choices
        }
        assert set(words["choice"]) <= choices

    @given(screening=screenings())
    @settings(max_examples=60)
    def test_every_driver_that_can_change_leads_somewhere(
        self, released: Bundle, screening: Screening
    ) -> None:
        found = answer(released, screening)
        told = {piece.code for piece in found.advice}
        for driver in found.drivers:
            assert set(driver.advice) <= told
            assert not (driver.advice and driver.points <= 0)
            assert driver.statement.startswith(driver.heading)
            if driver.modifiable and driver.points >= 1:
                assert bool(driver.advice) != bool(driver.untested)
            history = {"prior_knee_injury", "same_side_episodes"}
            if driver.measure in history and driver.points >= 1 and driver.value not in {"none", 0}:
                assert "neuromuscular_warm_up" in told
                assert "retest" in told


@pytest.mark.parametrize("direction", ["lower", "higher"])
def test_no_two_measures_have_the_same_heading(direction: str) -> None:
    headings = section("answer")["drivers"][direction]
    assert len(set(headings.values())) == len(headings)
