"""The plan: at most three things to do, each from the advice, with dose, reason and stop rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bodies import body, textbook, typical_leg
from hypothesis import given
from strategies import screenings

from kneerisk import evidence
from kneerisk.answer.answer_schema import Answer, Plan
from kneerisk.answer.compose_answer import answer
from kneerisk.answer.plan import MOST_ITEMS, dose
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from kneerisk.words import variant

CASES = json.loads((Path(__file__).parents[1] / "docs/examples/cases.json").read_text("utf-8"))


def asked(bundle: Bundle, screening: dict[str, Any]) -> Answer:
    return answer(bundle, Screening.model_validate(screening))


def planned(bundle: Bundle, screening: dict[str, Any]) -> Plan:
    plan = asked(bundle, screening).plan
    assert plan is not None
    return plan


@given(screening=screenings())
def test_every_item_comes_from_the_advice(released: Bundle, screening: Screening) -> None:
    told = answer(released, screening)
    if told.risk.status == "refer":
        assert told.plan is None
        return
    assert told.plan is not None
    items, pieces = told.plan.items, {piece.code: piece for piece in told.advice}
    assert 1 <= len(items) <= MOST_ITEMS
    assert len({item.exercise for item in items}) == len(items)
    for item in items:
        piece = pieces[item.code]
        assert set(item.sides) <= set(piece.sides)
        assert item.why
        assert item.grade == piece.grade
        assert item.sources == piece.sources


class TestOrder:
    def test_each_topic_has_its_turn(self, released: Bundle) -> None:
        long_run = {"athlete": {"sport": "running", "session_spike_ratio": 1.4}}
        items = planned(released, {**textbook("calf_tightness", **long_run)}).items
        assert [item.code for item in items] == [
            "limit_session_spike", "calf_mobility", "keep_strength_training",
        ]  # fmt: skip

    def test_a_pattern_fills_what_is_left(self, released: Bundle) -> None:
        items = planned(released, textbook("glute_underactivity")).items
        assert {item.code for item in items} == {
            "reactivate_glute_medius", "strengthen_glute_max", "keep_strength_training",
        }  # fmt: skip

    def test_pain_comes_first(self, released: Bundle) -> None:
        sore = {"pain": {"right": {"pain_nrs": 4}}}
        plan = planned(released, {**textbook("glute_underactivity"), **sore})
        assert plan.items[0].code == "learn_and_manage_load"
        assert "right knee hurts now" in plan.see


def test_the_value_that_speaks_for_it_stands_beside_its_error(released: Bundle) -> None:
    items = {item.code: item for item in planned(released, textbook("calf_tightness")).items}
    stretch = items["calf_mobility"]
    assert "usual" in stretch.why
    assert "off by" in stretch.why
    assert stretch.dose == "Knee to the wall: 3 \N{MULTIPLICATION SIGN} 30 s, every day"
    assert stretch.dose_untested


def test_only_a_change_beyond_error_counts_at_the_retest(released: Bundle) -> None:
    again = planned(released, textbook("glute_underactivity")).test_again
    assert again.measures
    assert "Only a change of more than" in again.text
    nobody = planned(released, body(typical_leg(), typical_leg())).test_again
    assert nobody.measures == []
    assert "6 weeks" in nobody.text


def test_a_flag_that_can_wait_says_whom_to_see(released: Bundle) -> None:
    case = next(case for case in CASES if case["name"] == "weightlifter-60")
    assert "clinician" in planned(released, case["body"]).see


@pytest.mark.parametrize("exercise", evidence.exercises().values(), ids=lambda row: row.exercise)
def test_an_exercise_carries_out_advice_that_exists(exercise: evidence.Exercise) -> None:
    pieces = {piece.code: piece for piece in evidence.advice()}
    assert exercise.advice
    for code in exercise.advice:
        assert code in pieces
        assert variant("answer.summary.action", code)
    amounts = (exercise.sets, exercise.days_per_week)
    assert all(amounts) or not any(amounts)
    assert bool(exercise.repeats or exercise.hold_seconds) == bool(exercise.sets)
    assert (dose(exercise) is None) == (exercise.sets is None)


def test_no_piece_of_advice_has_two_exercises() -> None:
    codes = [code for row in evidence.exercises().values() for code in row.advice]
    assert len(codes) == len(set(codes))
