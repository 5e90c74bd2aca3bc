"""What an answer says, and what it keeps to itself."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import screenings

from kneerisk.answer import Answer, answer, answers
from kneerisk.answer.answer_schema import Status
from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.cohort.splits import subset
from kneerisk.evidence import imbalances, red_flags
from kneerisk.model import Bundle
from kneerisk.schema import Screening, columns, to_row
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fitted_metadata import metadata_of

ORDER: tuple[Status, ...] = (
    "refer", "current_pain", "out_of_population", "low_information", "ok",
)  # fmt: skip
ATHLETE = {"age_years": 29, "sex": "female", "sport": "running"}
#: Enough tests that the answer is about this athlete.
TESTED = {
    "athlete": ATHLETE | {"height_cm": 168, "mass_kg": 60, "session_spike_ratio": 1.0,
                          "level": "recreational", "resistance_sessions_per_week": 2},
    "left": {"wblt_dorsiflexion_deg": 38, "hip_drop_deg": 6, "quad_torque_nm_kg": 2.2,
             "hamstring_torque_nm_kg": 1.1, "prior_knee_injury": "none", "vmo_delay_ms": 2,
             "ake_deficit_deg": 15, "navicular_drop_mm": 7, "fppa_deg": 8,
             "same_side_episodes": 0, "ober_adduction_deg": 22},
    "right": {"wblt_dorsiflexion_deg": 36, "hip_drop_deg": 8, "quad_torque_nm_kg": 2.0,
              "hamstring_torque_nm_kg": 1.1, "prior_knee_injury": "none", "vmo_delay_ms": 4,
              "ake_deficit_deg": 17, "navicular_drop_mm": 8, "fppa_deg": 9,
              "same_side_episodes": 0, "ober_adduction_deg": 20},
    "protocol": {"torque_mode": "isometric", "valgus_task": "single_leg_squat"},
    "red_flags": [],
}  # fmt: skip


@pytest.fixture
def ask(released: Bundle) -> Callable[..., Answer]:
    """The answer to a body with some of its parts exchanged."""

    def asked(body: dict[str, Any] | None = None, **parts: Any) -> Answer:
        return answer(released, Screening.model_validate((body or TESTED) | parts))

    return asked


def told(found: Answer) -> dict[str, Any]:
    """The answer as it is sent."""
    sent: dict[str, Any] = json.loads(found.model_dump_json(exclude_none=True))
    return sent


class TestContract:
    def test_names(self, ask: Callable[..., Answer]) -> None:
        sent = told(ask())
        assert sent.keys() == {
            "risk", "drivers", "likely", "imbalances", "side_differences", "next_tests", "advice",
            "plan", "summary", "red_flags", "red_flags_status", "inputs", "model", "notice",
            "coming_week",
        }  # fmt: skip
        risk = sent["risk"]
        assert {"left", "right", "either", "base_rate", "status", "reasons"} <= risk.keys()
        for name in ("left", "right", "either"):
            assert {"probability", "interval", "per_100", "band"} <= risk[name].keys()
        assert risk["horizon_months"] == 12
        assert risk["base_rate"].keys() == {"leg", "either"}

    def test_lineage_says_which_model_and_of_which_kind(
        self, ask: Callable[..., Answer], released: Bundle
    ) -> None:
        model = told(ask())["model"]
        assert model == released.metadata.lineage()
        assert model["schema"] == released.metadata.schema
        assert model["cohort"] == "simulated"
        assert "git_sha" not in model

    def test_every_answer_carries_its_notice(self, ask: Callable[..., Answer]) -> None:
        for found in (ask(), ask(red_flags=["true_locking"])):
            assert "Not a medical device" in found.notice
            assert "simulated" in found.notice

    def test_numbers_agree_with_each_other(self, ask: Callable[..., Answer]) -> None:
        risk = ask().risk
        for one in (risk.left, risk.right, risk.either):
            assert one is not None
            low, high = one.interval
            assert 0 < low < one.probability < high < 1
            assert one.per_100 == round(100 * one.probability)
        assert max(risk.left.probability, risk.right.probability) <= risk.either.probability

    def test_every_measure_is_accounted_for(self, ask: Callable[..., Answer]) -> None:
        found = {one.column: one for one in ask(pain={"left": {"pain_nrs": 0}}).inputs}
        assert found.keys() == columns().keys()
        assert found["left_hip_drop_deg"].status == "used"
        assert found["left_hip_drop_deg"].unit == "deg"
        assert found["left_hip_abduction_pct_bw"].status == "missing"
        assert found["left_pain_nrs"].status == "recorded_only"

    def test_right_comes_first(self, ask: Callable[..., Answer]) -> None:
        found = ask().imbalances
        assert found is not None
        assert [one.side for one in found] == ["right"] * 5 + ["left"] * 5
        for part in (found[:5], found[5:]):
            assert {one.name for one in part} == set(imbalances())
            chances = [one.probability for one in part]
            assert chances == sorted(chances, reverse=True)
            assert all(one.evidence_grade == imbalances()[one.name].evidence_grade for one in part)

    def test_nobody_is_nobody(self, released: Bundle) -> None:
        assert answers(released, []) == []

    def test_nobody_in_a_team_changes_what_another_is_told(self, released: Bundle) -> None:
        """Legs, ranges and contributions are compared for all of a team at once."""
        weak = TESTED["left"] | {"quad_torque_nm_kg": 0.9, "fppa_deg": 24}
        team: list[dict[str, Any]] = [
            {"athlete": {"age_years": 41, "sex": "male", "sport": "football"}},
            TESTED,
            TESTED | {"left": weak, "protocol": {"torque_mode": "isokinetic_60",
                                                 "valgus_task": "drop_jump"}},
            TESTED | {"pain": {"right": {"pain_nrs": 5}}, "right": {"wblt_dorsiflexion_deg": 22}},
            TESTED | {"red_flags": ["hard_mass"]},
            TESTED | {"athlete": ATHLETE | {"age_years": 75, "sex": "unspecified"}},
        ]  # fmt: skip
        screenings = [Screening.model_validate(body) for body in team]
        together = [told(one) for one in answers(released, screenings)]
        assert together == [told(answer(released, one)) for one in screenings]

    def test_answers_leave_no_circles_for_the_garbage_collector(self, released: Bundle) -> None:
        """Each full collection would hold the service up, and it would take dozens in a team."""
        screening = Screening.model_validate(TESTED)
        # What is made once, for so many rows too, has been made.
        answers(released, [screening] * 3)
        gc.collect()
        gc.disable()
        try:
            answers(released, [screening] * 3)
            assert gc.collect() == 0
        finally:
            gc.enable()

    def test_it_can_t_be_changed_afterwards(self, ask: Callable[..., Answer]) -> None:
        with pytest.raises(ValueError, match="frozen"):
            ask().notice = "fine"


def nulls(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(nulls(part) for part in parts)


def chances(found: Answer, side: str) -> dict[str, float]:
    return {one.name: one.probability for one in found.imbalances or () if one.side == side}


@given(screening=screenings())
@settings(max_examples=60)
def test_any_screening_is_answered(released: Bundle, screening: Screening) -> None:
    found = answer(released, screening)

    assert not nulls(told(found))
    codes = [reason.code for reason in found.risk.reasons]
    assert codes == sorted(codes, key=ORDER.index)
    assert found.risk.status == (codes[0] if codes else "ok")
    refer = found.risk.status == "refer"
    assert (found.imbalances is None) == refer
    for side in ("left", "right"):
        hidden = refer or side in screening.pain.sides
        assert (getattr(found.risk, side) is None) == hidden
    assert (found.risk.either is None) == (refer or bool(screening.pain.sides))
    for one in (found.risk.left, found.risk.right, found.risk.either):
        assert one is None or one.interval[0] <= one.probability <= one.interval[1]


@given(screening=screenings())
@settings(max_examples=40)
def test_swapped_sides_swap_the_answer(released: Bundle, screening: Screening) -> None:
    one, other = (answer(released, which) for which in (screening, screening.swapped()))
    for side, opposite in (("left", "right"), ("right", "left"), ("either", "either")):
        mine, theirs = getattr(one.risk, side), getattr(other.risk, opposite)
        assert (mine and (mine.probability, mine.interval, mine.band)) == (
            theirs and (theirs.probability, theirs.interval, theirs.band)
        )
    assert one.risk.status == other.risk.status
    assert chances(one, "left") == chances(other, "right")
    assert one.red_flags == other.red_flags


class TestBand:
    @pytest.mark.parametrize(
        ("times", "band"),
        [(0.1, "below"), (0.74, "below"), (0.76, "near"), (1.24, "near"),
         (1.26, "above"), (1.99, "above"), (2.01, "well_above"), (9.0, "well_above")],
    )  # fmt: skip
    def test_is_the_risk_over_the_sport_s_base_rate(
        self, released: Bundle, times: float, band: str
    ) -> None:
        screening = Screening.model_validate(TESTED)
        risk = answer(released, screening).risk
        rates = {"leg": risk.left.probability / times, "either": risk.either.probability / times}
        metadata = replace(released.metadata, base_rates={"all": {"leg": 1.0}, "running": rates})
        found = answer(replace(released, metadata=metadata), screening).risk
        assert (found.left.band, found.either.band) == (band, band)

    def test_is_measured_against_the_own_sport_in_its_own_unit(
        self, ask: Callable[..., Answer], released: Bundle
    ) -> None:
        rates = released.metadata.base_rates
        found = ask(athlete=ATHLETE | {"sport": "basketball"}).risk.base_rate
        assert (found.leg, found.either) == (
            rates["basketball"]["leg"],
            rates["basketball"]["either"],
        )
        assert found.leg < found.either
        unstated = ask(athlete={"age_years": 29, "sex": "male"}).risk.base_rate
        assert unstated.leg == rates["all"]["leg"]


class TestRedFlags:
    def test_not_asked_and_cleared_are_two_things(self, ask: Callable[..., Answer]) -> None:
        body = {name: part for name, part in TESTED.items() if name != "red_flags"}
        assert ask(body).red_flags_status == "not_asked"
        assert ask(body, red_flags=[]).red_flags_status == "cleared"
        assert ask(body, red_flags=["effusion"]).red_flags_status == "present"

    def test_come_before_any_score(self, ask: Callable[..., Answer]) -> None:
        found = ask(red_flags=["night_or_unremitting_rest_pain", "visible_deformity"])
        assert found.risk.status == "refer"
        assert (found.risk.left, found.risk.right, found.risk.either) == (None, None, None)
        assert found.imbalances is None
        assert [flag.urgency for flag in found.red_flags] == ["emergency", "urgent"]
        assert found.red_flags[0].code == "visible_deformity"
        assert {"left", "right", "either"}.isdisjoint(told(found)["risk"])
        assert "imbalances" not in told(found)

    @pytest.mark.parametrize("code", [c for c, f in red_flags().items() if f.urgency == "routine"])
    def test_a_routine_one_is_told_beside_the_score(
        self, ask: Callable[..., Answer], code: str
    ) -> None:
        found = ask(red_flags=[code])
        assert found.risk.status == "ok"
        assert found.risk.left is not None
        assert [flag.code for flag in found.red_flags] == [code]

    @pytest.mark.parametrize(
        "code", [code for code, flag in red_flags().items() if flag.needs_acute_injury]
    )
    def test_ottawa_s_items_need_an_acute_injury(
        self, ask: Callable[..., Answer], code: str
    ) -> None:
        assert ask(red_flags=[code]).risk.status == "ok"
        acute = ask(red_flags=[code, "acute_injury_within_7_days"])
        assert acute.risk.status == "refer"
        assert acute.red_flags[0].code == code
        assert acute.red_flags[0].urgency == "emergency"

    @pytest.mark.parametrize(("age", "more"), [(54, False), (55, True)])
    def test_an_acute_injury_from_55_on_needs_an_x_ray_decision(
        self, ask: Callable[..., Answer], age: int, more: bool
    ) -> None:
        athlete = ATHLETE | {"age_years": age}
        found = ask(athlete=athlete, red_flags=["acute_injury_within_7_days"])
        assert ("ottawa_age" in [flag.code for flag in found.red_flags]) == more
        assert ask(athlete=athlete).red_flags == []


class TestStatus:
    def test_ok_says_nothing(self, ask: Callable[..., Answer]) -> None:
        assert ask().risk.status == "ok"
        assert ask().risk.reasons == []

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_a_knee_that_hurts_has_no_risk_of_new_pain(
        self, ask: Callable[..., Answer], side: str
    ) -> None:
        found = ask(pain={side: {"pain_nrs": 3}})
        other = "right" if side == "left" else "left"
        assert found.risk.status == "current_pain"
        assert found.risk.reasons[0].column == f"{side}_pain_nrs"
        assert getattr(found.risk, side) is None
        assert found.risk.either is None
        assert getattr(found.risk, other) is not None
        assert len(found.imbalances or ()) == 10

    def test_no_pain_is_no_current_pain(self, ask: Callable[..., Answer]) -> None:
        assert ask(pain={"left": {"pain_nrs": 0}, "right": {"pain_nrs": 0}}).risk.status == "ok"

    @pytest.mark.parametrize(
        ("age", "outside"), [(10, True), (15, True), (16, False), (70, False), (71, True),
                             (100, True)]
    )  # fmt: skip
    def test_ages_that_the_default_model_does_not_know_are_answered_and_told(
        self, ask: Callable[..., Answer], released: Bundle, age: int, outside: bool
    ) -> None:
        # The small cohort of these tests need not hold the oldest and youngest that there are.
        seen = released.metadata.population["age_years"]
        assert (seen["low"], seen["high"]) == (16, 70)
        found = ask(athlete=TESTED["athlete"] | {"age_years": age})
        columns_told = [r.column for r in found.risk.reasons if r.code == "out_of_population"]
        assert columns_told == (["age_years"] if outside else [])
        assert found.risk.left is not None

    def test_a_value_beyond_what_the_model_has_seen_is_told_with_its_range(
        self, ask: Callable[..., Answer], released: Bundle
    ) -> None:
        high = released.metadata.population["left_hip_drop_deg"]["high"]
        left = TESTED["left"] | {"hip_drop_deg": high + 1}
        reason = ask(left=left).risk.reasons[0]
        assert (reason.code, reason.column) == ("out_of_population", "left_hip_drop_deg")
        assert f"{high:g} deg" in reason.message
        assert f"{high + 1:g}" not in reason.message

    def test_a_choice_that_the_model_has_not_seen(
        self, ask: Callable[..., Answer], released: Bundle
    ) -> None:
        seen = released.metadata.population | {"sport": {"choices": ["volleyball"], "share": 1.0}}
        metadata = replace(released.metadata, population=seen)
        found = answer(replace(released, metadata=metadata), Screening.model_validate(TESTED))
        assert found.risk.reasons[0].column == "sport"

    def test_a_sex_that_is_not_stated_is_inside(self, ask: Callable[..., Answer]) -> None:
        found = ask(athlete=TESTED["athlete"] | {"sex": "unspecified"})
        assert found.risk.status == "ok"

    def test_age_sex_and_sport_alone_are_little(self, ask: Callable[..., Answer]) -> None:
        found = ask({"athlete": ATHLETE}).risk
        assert found.status == "low_information"
        assert found.left is not None

    def test_the_most_serious_comes_first_and_all_are_told(
        self, ask: Callable[..., Answer]
    ) -> None:
        body = {
            "athlete": ATHLETE | {"age_years": 90},
            "pain": {"left": {"pain_nrs": 5}},
            "red_flags": ["hard_mass"],
        }
        expected = [code for code in ORDER if code != "ok"]
        for dropped in ("red_flags", "pain", None):
            assert [reason.code for reason in ask(body).risk.reasons] == expected
            expected = expected[1:]
            body = {name: part for name, part in body.items() if name != dropped}


class TestOtherModels:
    """Models of a club's own outcomes, with sides and without."""

    @pytest.fixture(scope="class")
    @classmethod
    def some(cls, simulated: Simulated) -> Cohort:
        return subset(simulated.cohort, np.arange(len(simulated.cohort.frame)) < 500)

    @staticmethod
    def bundle_of(cohort: Cohort) -> Bundle:
        fitted = fit(cohort)
        facts = metadata_of(cohort, None, fitted, version="club-v1", run_id="1", git_sha="2",
                         data_sha256="3")  # fmt: skip
        return Bundle(fitted.model, facts, "4")

    @pytest.fixture(scope="class")
    @classmethod
    def present(cls, some: Cohort) -> Bundle:
        kind = {"kind": "observed", "outcome_kind": "present_pain", "horizon_months": None}
        return cls.bundle_of(replace(some, **kind))

    @pytest.fixture(scope="class")
    @classmethod
    def either_only(cls, some: Cohort) -> Bundle:
        frame = some.frame.drop(columns=["outcome_left", "outcome_right"])
        frame = frame.assign(outcome_either=some.outcomes().either)
        kind = {"kind": "observed", "outcome_kind": "past_injury", "horizon_months": None}
        return cls.bundle_of(replace(some, frame=frame, **kind))

    def test_present_pain_has_a_risk_in_a_knee_that_hurts(self, present: Bundle) -> None:
        body = TESTED | {"pain": {"left": {"pain_nrs": 6}}}
        found = told(answer(present, Screening.model_validate(body)))
        assert {"left", "right", "either"} <= found["risk"].keys()
        assert found["risk"]["status"] != "current_pain"
        assert "horizon_months" not in found["risk"]
        assert found["risk"]["outcome_kind"] == "present_pain"
        assert "imbalances" not in found
        assert "simulated" not in found["notice"]

    def test_pain_now_says_nothing_of_pain_now(self, present: Bundle) -> None:
        """It is the outcome itself: an answer that moved with it would be a leak."""
        body = {name: part for name, part in TESTED.items() if name != "pain"}
        hurts = body | {"pain": {"left": {"pain_nrs": 9, "pain_weeks": 4}}}
        one, other = (answer(present, Screening.model_validate(b)) for b in (body, hurts))
        assert (one.risk.left, one.risk.right) == (other.risk.left, other.risk.right)

    def test_without_sides_there_is_no_left_and_right(self, either_only: Bundle) -> None:
        found = told(answer(either_only, Screening.model_validate(TESTED)))
        assert "either" in found["risk"]
        assert {"left", "right"}.isdisjoint(found["risk"])
        assert found["risk"]["base_rate"].keys() == {"either"}
        assert found["model"]["outcome_kind"] == "past_injury"

    def test_without_sides_both_legs_count_alike(self, either_only: Bundle) -> None:
        screening = Screening.model_validate(TESTED)
        one, other = (answer(either_only, s).risk for s in (screening, screening.swapped()))
        # What drivers start from is the rest of a sum, whose last bit hangs on its order.
        rest = {"typical_probability": pytest.approx(one.either.typical_probability, abs=1e-12)}
        assert other.either.model_dump() == one.either.model_dump() | rest

    def test_what_the_model_never_saw_is_unknown_to_it(self, either_only: Bundle) -> None:
        seen = {n: p for n, p in either_only.metadata.population.items() if "hip_drop" not in n}
        metadata = replace(either_only.metadata, population=seen)
        found = answer(replace(either_only, metadata=metadata), Screening.model_validate(TESTED))
        status = {one.column: one.status for one in found.inputs}
        assert status["left_hip_drop_deg"] == "unknown_to_model"

    @given(screening=screenings())
    @settings(max_examples=25)
    def test_any_screening_is_answered(
        self, present: Bundle, either_only: Bundle, screening: Screening
    ) -> None:
        for bundle in (present, either_only):
            found = answer(bundle, screening)
            assert not nulls(told(found))
            referred = found.risk.status == "refer"
            assert (found.risk.either is None) == referred
            if not referred:
                low, high = found.risk.either.interval
                assert 0 <= low <= found.risk.either.probability <= high <= 1
        assert to_row(screening)["age_years"] >= 10
