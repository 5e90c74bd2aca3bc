"""The next best test: what is named, what never is, and whether following it pays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from pydantic import ValidationError
from strategies import screenings

from benchmarks.next_test import follow
from benchmarks.next_test_policies import (
    QUESTIONS,
    TESTS,
    FullyTestedAthletes,
    at_random,
    draw,
    fixed,
    greedy_order,
    next_best,
    predict,
)
from kneerisk.answer.answer_schema import NextTest
from kneerisk.answer.next_tests import LEAST_SHARE, MOST_TESTS, next_tests
from kneerisk.answer.predictions import predictions_of
from kneerisk.evidence import equipment_of_test, measures_of_test, screening_tests
from kneerisk.model import Bundle
from kneerisk.model.moved_measures import Screenings
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.value_of_information.expected_gain import value_of_information
from kneerisk.model.value_of_information.missing_tests import columns_of_test
from kneerisk.schema import (
    Columns,
    FloatArray,
    Screening,
    athlete_measures,
    coded,
    columns,
    faults_of,
    from_row,
    leg_measures,
    to_row,
)  # fmt: skip

PLAIN = {"age_years": 29, "sex": "female", "sport": "running"}
SOME = {
    "athlete": PLAIN | {"session_spike_ratio": 1.2, "level": "recreational"},
    "left": {"wblt_dorsiflexion_deg": 33, "hip_drop_deg": 9, "prior_knee_injury": "none"},
    "right": {"wblt_dorsiflexion_deg": 41, "hip_drop_deg": 4.5,
              "prior_knee_injury": "within_12_months"},
    "red_flags": [],
}  # fmt: skip
ALL_EQUIPMENT = ("tape_or_phone", "dynamometer", "isokinetic", "emg", "gait_lab")
TAPE = "tape_or_phone"
#: What gives an answer and no reading, and so has no width.
ANSWERED = (*QUESTIONS, "squat_jump")
#: Rounding of sums of some hundred terms.
ROUNDING = 1e-9


def named(bundle: Bundle, body: dict[str, Any], **parts: Any) -> list[NextTest]:
    return next_tests(predictions_of(bundle, [Screening.model_validate(body | parts)]), 0)


def of(found: list[NextTest]) -> list[str]:
    return [test.test for test in found]


class TestTable:
    def test_has_every_test_of_the_schema(self) -> None:
        assert {m.test for m in columns().values()} - {"interview"} == {
            name for name, row in screening_tests().items() if not row.measures
        }

    def test_has_every_input_once(self) -> None:
        """All but age and sex, which every screening has, and what follows from other measures."""
        held = [name for test in TESTS for name in columns_of_test(test)]
        inputs = {name for name, m in columns().items() if m.model_input and not _is_protocol(name)}
        ratios = {f"{side}_adduction_abduction_ratio" for side in ("left", "right")}
        assert len(held) == len(set(held))
        assert set(held) == inputs - {"age_years", "sex"} - ratios

    @pytest.mark.parametrize("test", TESTS)
    def test_needs_one_piece_of_equipment(self, test: str) -> None:
        needed = {measure.equipment for measure in measures_of_test(test).values()}
        assert len(needed - {"none"}) <= 1
        assert equipment_of_test(test) in needed

    def test_says_that_minutes_are_assumed(self) -> None:
        assert all(row.assumption and row.minutes > 0 for row in screening_tests().values())


def _is_protocol(name: str) -> bool:
    legs = {f"{side}_{measure}" for side in ("left", "right") for measure in leg_measures()}
    return name not in athlete_measures() and name not in legs


class TestEquipment:
    @pytest.mark.parametrize("at_hand", [[], *([name] for name in ALL_EQUIPMENT)])
    def test_is_honoured(self, released: Bundle, at_hand: list[str]) -> None:
        found = named(released, {"athlete": PLAIN}, equipment=at_hand)
        assert found
        assert {test.equipment for test in found} <= {"none", *at_hand}

    @pytest.mark.parametrize("at_hand", [["tape_or_phone"], ["dynamometer"], ["emg"]])
    def test_brings_its_tests(self, released: Bundle, at_hand: list[str]) -> None:
        found = named(released, {"athlete": PLAIN}, equipment=at_hand)
        assert at_hand[0] in {test.equipment for test in found}

    def test_left_out_is_what_most_rooms_have(self, released: Bundle) -> None:
        usual = named(released, {"athlete": PLAIN}, equipment=["tape_or_phone", "dynamometer"])
        assert named(released, {"athlete": PLAIN}) == usual
        assert {test.equipment for test in usual} <= {"none", "tape_or_phone", "dynamometer"}

    def test_that_is_unknown_is_refused(self) -> None:
        with pytest.raises(ValidationError) as refused:
            Screening.model_validate({"athlete": PLAIN, "equipment": ["emg", "hammer"]})
        [fault] = faults_of(refused.value)
        assert (fault.pointer, fault.code) == ("/equipment/1", "unknown_choice")
        assert "hammer" not in fault.message

    def test_is_no_measure(self) -> None:
        screening = Screening.model_validate({"athlete": PLAIN, "equipment": ["emg"]})
        assert to_row(screening) == to_row(Screening.model_validate({"athlete": PLAIN}))
        assert screening.swapped().equipment == ["emg"]


class TestNamed:
    @settings(max_examples=25)
    @given(screening=screenings())
    def test_was_not_done(self, released: Bundle, screening: Screening) -> None:
        given = to_row(screening)
        for test in next_tests(predictions_of(released, [screening]), 0):
            missing = [name for name in columns_of_test(test.test) if name not in given]
            assert test.measures
            assert {_unsided(name) for name in missing} >= set(test.measures)

    @settings(max_examples=25)
    @given(screening=screenings())
    def test_best_first(self, released: Bundle, screening: Screening) -> None:
        shares = [
            t.uncertainty_removed for t in next_tests(predictions_of(released, [screening]), 0)
        ]
        assert shares == sorted(shares, reverse=True)
        assert len(shares) <= MOST_TESTS
        assert all(LEAST_SHARE <= share <= 1.0 + ROUNDING for share in shares)

    def test_goes_with_the_sport(self, released: Bundle) -> None:
        """A stiff ankle matters more to those who jump (effects: dorsiflexion_jumping)."""
        told = {"prior_knee_injury": "none", "same_side_episodes": 0}
        first = {
            sport: of(
                named(
                    released,
                    {"athlete": PLAIN | {"sport": sport}, "left": told, "right": told},
                    equipment=[TAPE],
                )
            )[0]
            for sport in ("basketball", "weightlifting")
        }
        assert first["basketball"] == "lunge_angle"
        assert first["weightlifting"] != "lunge_angle"

    def test_a_question_that_was_not_asked(self, released: Bundle) -> None:
        nothing_known = {"athlete": {"age_years": 29, "sex": "female"}}
        assert "sport" in of(named(released, nothing_known, equipment=[]))
        assert "knee_history" in of(named(released, {"athlete": PLAIN}))

    def test_a_question_that_was_asked(self, released: Bundle) -> None:
        told = {"prior_knee_injury": "none", "same_side_episodes": 0}
        found = named(released, {"athlete": PLAIN, "left": told, "right": told})
        assert not {"sport", "knee_history"} & set(of(found))

    def test_pain_in_movement_is_asked_where_it_was_not(self, released: Bundle) -> None:
        assert "squat_jump" in of(named(released, {"athlete": PLAIN}, equipment=[]))
        told = {"pain_on_squat_jump": "no"}
        found = named(released, {"athlete": PLAIN, "left": told, "right": told}, equipment=[])
        assert "squat_jump" not in of(found)

    def test_one_leg_is_still_to_do(self, released: Bundle) -> None:
        body = {"athlete": PLAIN, "left": {"vmo_delay_ms": 3.0, "vmo_vl_ratio": 1.0}}
        assert "vmo_emg" in of(named(released, body, equipment=["emg"]))

    def test_what_the_model_has_not_seen_is_not_named(self, released: Bundle) -> None:
        seen = {
            name: held
            for name, held in released.metadata.population.items()
            if "torque" not in name
        }
        blind = replace(released, metadata=replace(released.metadata, population=seen))
        assert "knee_strength" in of(named(released, {"athlete": PLAIN}))
        assert "knee_strength" not in of(named(blind, {"athlete": PLAIN}))

    def test_settles_what_was_not_measured(self, released: Bundle) -> None:
        athlete = PLAIN | {"sport": "basketball"}
        tests = {test.test: test.settles for test in named(released, {"athlete": athlete})}
        assert "calf_tightness" in tests["lunge_angle"]
        assert "hamstring_dominance" in tests["knee_strength"]


def screenings_of(model: RiskModel, data: Columns) -> Screenings:
    expected = model.measurement_update.expected(data)
    return Screenings(data=data, expected=expected, features=model.features(data, expected))


def _unsided(column: str) -> str:
    return column.removeprefix("left_").removeprefix("right_")


class TestPain:
    def test_a_red_flag_names_no_test(self, released: Bundle) -> None:
        assert named(released, SOME)
        assert named(released, SOME, red_flags=["hot_red_swollen_joint"]) == []

    def test_nothing_where_both_knees_hurt(self, released: Bundle) -> None:
        pain = {"left": {"pain_nrs": 4}, "right": {"pain_nrs": 5}}
        assert named(released, SOME, pain=pain) == []

    def test_the_other_knee_counts(self, released: Bundle) -> None:
        found = named(released, SOME, pain={"left": {"pain_nrs": 4}})
        assert found
        assert all(test.expected_interval_width is None for test in found)
        widths = {t.test: t.expected_interval_width for t in named(released, SOME)}
        assert all(width for test, width in widths.items() if test not in ANSWERED)
        assert any(widths.values())


class TestNumbers:
    @settings(max_examples=25)
    @given(screening=screenings())
    def test_nothing_settles_more_than_is_open(
        self, released: Bundle, screening: Screening
    ) -> None:
        model, data = released.model, coded([screening])
        [found] = value_of_information(
            model, released.metadata.population, screenings_of(model, data), [0]
        )
        assert (found.gain >= -ROUNDING).all()
        assert (found.gain <= found.largest_gain + ROUNDING).all()
        assert (found.imbalance_share >= 0.0).all()
        assert (found.imbalance_share <= 1.0 + ROUNDING).all()

    def test_the_same_alone_and_in_a_batch(self, released: Bundle) -> None:
        bodies = [SOME, {"athlete": PLAIN}, {"athlete": {"age_years": 55, "sex": "male"}}]
        asked = [Screening.model_validate(body) for body in bodies]
        predictions = predictions_of(released, asked)
        for i, screening in enumerate(asked):
            assert next_tests(predictions, i) == next_tests(
                predictions_of(released, [screening]), 0
            )
        model, people = released.model, released.metadata.population
        measured = screenings_of(model, predictions.data)
        together = value_of_information(model, people, measured, [0, 1, 2])
        for i, found in enumerate(together):
            [alone] = value_of_information(model, people, measured, [i])
            assert (found.gain == alone.gain).all()
            assert (found.largest_gain == alone.largest_gain).all()

    @settings(max_examples=15)
    @given(screening=screenings())
    def test_exchanged_legs_change_nothing(self, released: Bundle, screening: Screening) -> None:
        one = next_tests(predictions_of(released, [screening]), 0)
        other = next_tests(predictions_of(released, [screening.swapped()]), 0)
        by_test = {test.test: test for test in other}
        for test in one:
            # A test at the edge of what is named may fall to the other side of it.
            if test.uncertainty_removed > LEAST_SHARE + 1e-6 and len(one) < MOST_TESTS:
                found = by_test[test.test]
                assert found.uncertainty_removed == pytest.approx(
                    test.uncertainty_removed, rel=1e-6
                )
                assert found.settles == test.settles


def _screenings(data: dict[str, FloatArray]) -> list[Screening]:
    """Coded columns as screenings."""
    rows = []
    for i in range(len(data["age_years"])):
        row: dict[str, Any] = {}
        for name, measure in columns().items():
            if not np.isnan(value := data[name][i]):
                choices = getattr(measure, "choices", None)
                whole = getattr(measure, "whole", False)
                row[name] = choices[int(value)] if choices else int(value) if whole else value
        rows.append(from_row(row))
    return rows


@pytest.fixture(scope="module")
def fully_tested() -> FullyTestedAthletes:
    return draw(1_500, 61)


def test_nothing_is_left_when_all_is_done(
    released: Bundle, fully_tested: FullyTestedAthletes
) -> None:
    rows = np.flatnonzero(fully_tested.free.all(axis=1))[:5]
    predictions = predictions_of(
        released, _screenings(fully_tested.uncovered(np.ones_like(fully_tested.done), rows))
    )
    assert [next_tests(predictions, i) for i in range(5)] == [[]] * 5


@pytest.mark.slow
class TestFollowed:
    """On simulated athletes; the benchmark has the same at 20,000."""

    def test_pays(self, released: Bundle, fully_tested: FullyTestedAthletes) -> None:
        orders = draw(1_000, 62)
        order = greedy_order(released, orders, np.arange(len(orders.done)))
        start = fully_tested.losses(predict(released, fully_tested, fully_tested.done))
        best = follow(released, fully_tested, next_best(released), start)
        fixed_order = follow(released, fully_tested, fixed(order), start)
        random = follow(released, fully_tested, at_random(63), start)
        for added in (1, 2, 3):
            won = (start - best[added]).mean()
            assert won >= 1.5 * (start - random[added]).mean() > 0.0
            apart = fixed_order[added] - best[added]
            assert apart.mean() >= -2.0 * apart.std() / np.sqrt(len(apart))

    def test_narrows_the_interval_as_expected(
        self, released: Bundle, fully_tested: FullyTestedAthletes
    ) -> None:
        rows = np.flatnonzero(fully_tested.free.all(axis=1))[:600]
        done = fully_tested.done.copy()
        predictions = predictions_of(released, _screenings(fully_tested.uncovered(done, rows)))
        told = {row: next_tests(predictions, i) for i, row in enumerate(rows)}
        for row, found in told.items():
            if found and found[0].expected_interval_width:
                done[row, TESTS.index(found[0].test)] = True
        before = predictions.risks.intervals["either"]
        after = released.model.predict(fully_tested.uncovered(done, rows)).intervals["either"]
        said = [found[0].expected_interval_width if found else None for found in told.values()]
        some = np.array([width is not None for width in said])
        widths = [(high - low)[some].mean() for low, high in (before, after)]
        assert widths[1] < widths[0]
        assert np.mean([width for width in said if width]) == pytest.approx(widths[1], rel=0.1)
