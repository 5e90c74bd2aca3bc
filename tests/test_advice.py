"""Advice: each piece reachable, told only where it fits, with its reason, sources and stop rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bodies import body, leg, textbook, typical_leg
from hypothesis import given
from strategies import screenings

from kneerisk import evidence
from kneerisk.answer.advice import advice_for
from kneerisk.answer.advice_conditions import CONDITIONS
from kneerisk.answer.answer_schema import Advice
from kneerisk.answer.drivers import contributions_of
from kneerisk.answer.imbalances import imbalances_of
from kneerisk.answer.predictions import predictions_of
from kneerisk.answer.risk_and_red_flags import knees_of
from kneerisk.model import Bundle
from kneerisk.schema import Screening

Ask = Callable[..., list[Advice]]


def pain(site: str) -> dict[str, Any]:
    return {"pain": {"right": {"pain_nrs": 4, "pain_site": site}}}


#: What makes each condition hold, and an athlete of whom none but "always" holds.
HOLDS: dict[str, dict[str, Any]] = {
    "always": {},
    "hurts_now": {"pain": {"right": {"pain_nrs": 4}}},
    "front_pain": pain("anterior"),
    "lateral_pain": pain("lateral"),
    "other_site": pain("medial"),
    "pronated": {"right": {"navicular_drop_mm": 12.0}},
    "heels_rise": {"right": {"squat_heel_rise_grade": 1}},
    "short_hamstrings": {"right": leg(ake_deficit_deg=2.5, slr_deg=-2.5)},
    "lunge_done": {"right": leg(wblt_dorsiflexion_deg=-2.5)},
    "leg_length_unknown": {},
    "sits_long": {"athlete": {"sitting_hours_per_day": 11.0}},
    "spike": {"athlete": {"sport": "running", "session_spike_ratio": 1.4}},
    "lifts": {"athlete": {"resistance_sessions_per_week": 2.0}},
    "lifter": {"athlete": {"sport": "weightlifting"}},
    "weight_jump": {"athlete": {"squat_1rm_change_pct": 15.0}},
    "jumps": {"athlete": {"sport": "volleyball"}},
    "runs": {"athlete": {"weekly_run_km": 20.0}},
    "pattern_named": textbook("glute_underactivity"),
    "knee_history": {"right": {"prior_knee_injury": "over_12_months_ago"}},
    "recent_knee_injury": {"right": {"prior_knee_injury": "within_12_months"}},
    "team_sport": {"athlete": {"sport": "football"}},
    "quads_add_risk": {"right": leg(quad_torque_nm_kg=-3.0)},
    "can_change": {"right": leg(hip_drop_deg=3.0, fppa_deg=3.0)},
}
#: A pattern that is named without any of the measures that conditions read.
PLAIN_CASES = {
    "hamstring_dominance": leg(quad_torque_nm_kg=-3.0, hamstring_quad_ratio=3.0),
    "vmo_inhibition": leg(vmo_delay_ms=3.0, quad_lag_grade=4.0),
    "calf_tightness": leg(run_dorsiflexion_peak_deg=-3.0, fppa_deg=3.0, foot_progression_deg=3.0),
    "adductor_underactivity": leg(hip_adduction_torque_nm_kg=-3.0, adductor_squeeze_n_kg=-3.0),
    "glute_underactivity": leg(hip_abduction_pct_bw=-3.0, hip_drop_deg=3.0),
}


@pytest.fixture
def ask(released: Bundle) -> Ask:
    """The advice to a body."""

    def asked(body: dict[str, Any]) -> list[Advice]:
        predictions = predictions_of(released, [Screening.model_validate(body)])
        contributions = contributions_of(predictions, 0, knees_of(predictions, 0))
        return advice_for(predictions, 0, imbalances_of(predictions, 0), contributions)

    return asked


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            inner = isinstance(value, dict) and isinstance(found.get(name), dict)
            found[name] = merged(found[name], value) if inner else value
    return found


def plain(entry: evidence.Advice) -> dict[str, Any]:
    """An athlete to whom nothing but the imbalance of the advice applies."""
    known = {"leg_length_deficit_cm": 0.0}
    return body({**PLAIN_CASES.get(entry.imbalance, {}), **known})


def codes(found: list[Advice]) -> list[str]:
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("entry", "alternative"),
    [(entry, way) for entry in evidence.advice() for way in entry.when.split()],
    ids=lambda part: getattr(part, "code", part),
)
def test_advice_is_told_where_its_condition_holds_and_only_there(
    ask: Ask, entry: evidence.Advice, alternative: str
) -> None:
    names = alternative.split("+")
    base = plain(entry)
    if "leg_length_unknown" in names:
        del base["right"]["leg_length_deficit_cm"]
    told = ask(merged(base, *(HOLDS[name] for name in names)))
    assert entry.code in codes(told)
    if names == ["always"]:
        return
    for left_out in names:
        rest = [HOLDS[name] for name in names if name != left_out]
        assert entry.code not in codes(ask(merged(plain(entry), *rest)))


@pytest.mark.parametrize("name", evidence.imbalances())
def test_a_pattern_that_is_not_named_brings_no_advice(ask: Ask, name: str) -> None:
    named = {one.about for one in ask(textbook(name))}
    assert named == {name, "everyone"}
    nobody = ask(body(typical_leg(), typical_leg()))
    assert {one.about for one in nobody} == {"everyone"}
    assert codes(nobody) == ["keep_strength_training"]
    assert codes(ask(body())) == ["keep_strength_training"]


def test_what_the_popular_article_advises_is_kept(ask: Ask) -> None:
    calf, glute = ask(textbook("calf_tightness")), ask(textbook("glute_underactivity"))
    heavy = ask(body(athlete={"sport": "weightlifting", "squat_1rm_change_pct": 20.0}))
    texts = {one.code: one.text for one in [*calf, *glute, *heavy]}
    assert "when warm" in texts["calf_mobility"]
    assert "outside of the leg" in texts["foam_roll"]
    assert "gluteus medius" in texts["reactivate_glute_medius"]
    assert "gluteus maximus" in texts["strengthen_glute_max"]
    assert "heavy weight" in texts["back_off_heavy_sets"]
    assert "form" in texts["back_off_heavy_sets"]


# Load


def test_a_spike_names_the_number(ask: Ask) -> None:
    log = {"longest_run_30d_km": 15.0, "next_long_run_km": 21.0}
    [spike] = [one for one in ask(body(athlete=log)) if one.about == "load"]
    limit = "at most 110 % of the longest session of the last 30 days"
    assert spike.dose == f"{limit}, which is 16.5 km"
    assert "1.40 times" in spike.reason
    [unknown] = [
        one
        for one in ask(body(athlete={"sport": "running", "session_spike_ratio": 1.2}))
        if one.about == "load"
    ]
    assert unknown.dose == limit


@pytest.mark.parametrize(("ratio", "told"), [(1.1, False), (1.11, True)])
def test_ten_percent_more_is_no_spike(ask: Ask, ratio: float, told: bool) -> None:
    found = ask(body(athlete={"sport": "running", "session_spike_ratio": ratio}))
    assert ("limit_session_spike" in codes(found)) == told


def test_no_runs_yet_is_no_spike(ask: Ask) -> None:
    found = ask(body(athlete={"longest_run_30d_km": 0.0, "next_long_run_km": 5.0}))
    assert "limit_session_spike" not in codes(found)


# Order, sides and reasons


def test_load_comes_first_and_everyone_last(ask: Ask) -> None:
    both = merged(textbook("calf_tightness"), textbook("glute_underactivity"))
    found = ask(merged(both, {"athlete": {"sport": "running", "session_spike_ratio": 1.4}}))
    abouts = list(dict.fromkeys(one.about for one in found))
    assert abouts[0] == "load"
    assert set(abouts[1:3]) == {"calf_tightness", "glute_underactivity"}
    assert abouts[3:] == ["everyone"]


def test_clear_patterns_come_before_possible_ones(released: Bundle) -> None:
    both = merged(textbook("calf_tightness"), textbook("glute_underactivity"))
    predictions = predictions_of(released, [Screening.model_validate(both)])
    found = imbalances_of(predictions, 0) or []
    for doubted, sure in (
        ("calf_tightness", "glute_underactivity"),
        ("glute_underactivity", "calf_tightness"),
    ):
        changed = [
            replace(one, status="possible")
            if one.name == doubted and one.status == "clear"
            else one
            for one in found
        ]
        told = [one for one in advice_for(predictions, 0, changed) if one.about != "everyone"]
        assert list(dict.fromkeys(one.about for one in told)) == [sure, doubted]
        for one in told:
            assert ("possible pattern" in one.reason.lower()) == (one.about == doubted)
            assert one.sides == ["right"]


def test_both_legs_are_told_once_and_right_first(ask: Ask) -> None:
    case = textbook("adductor_underactivity")
    found = ask({**case, "left": case["right"]})
    told = [one for one in found if one.about == "adductor_underactivity"]
    assert len(codes(told)) == len(set(codes(told)))
    for one in told:
        assert one.sides == ["right", "left"]
        assert "right leg" in one.reason
        assert "left leg" in one.reason


def test_a_condition_of_a_leg_holds_for_that_leg(ask: Ask) -> None:
    case = textbook("vmo_inhibition")
    sore = {"pain": {"left": {"pain_nrs": 5, "pain_site": "anterior"}}}
    assert "early_ranges" not in codes(ask({**case, **sore}))
    [tape] = [one for one in ask(body(**sore)) if one.code == "taping_short_term"]
    assert tape.sides == ["left"]
    assert tape.reason == "Current pain at the front of the left knee."


def test_a_leg_that_hurts_still_gets_advice(ask: Ask) -> None:
    found = ask(textbook("glute_underactivity", **pain("lateral"), athlete={"sport": "running"}))
    assert {"graded_return_running", "strengthen_glute_max", "learn_and_manage_load"} <= set(
        codes(found)
    )


def test_a_model_without_imbalances_still_advises_on_load(released: Bundle) -> None:
    case = textbook("calf_tightness", athlete={"sport": "running", "session_spike_ratio": 1.4})
    found = advice_for(predictions_of(released, [Screening.model_validate(case)]), 0, None)
    assert {one.about for one in found} == {"load", "everyone"}


# The tables


def test_every_condition_is_known_and_used() -> None:
    used = [entry.when for entry in evidence.advice()]
    used += [facts.firmer_when for facts in evidence.imbalances().values()]
    named = {name for when in used for way in when.split() for name in way.split("+")}
    assert named == set(CONDITIONS) == set(evidence.conditions()) == set(HOLDS)


def test_every_stop_rule_is_known_and_used() -> None:
    assert {entry.stop_rule for entry in evidence.advice()} == set(evidence.stop_rules())


def test_every_piece_has_sources_and_a_way_to_a_clinician() -> None:
    for entry in evidence.advice():
        assert entry.sources
        assert "clinician" in evidence.stop_rules()[entry.stop_rule].text


@given(screening=screenings())
def test_whatever_is_told_is_complete(released: Bundle, screening: Screening) -> None:
    predictions = predictions_of(released, [screening])
    found = imbalances_of(predictions, 0) or []
    told = advice_for(predictions, 0, found)
    assert len(codes(told)) == len(set(codes(told)))
    named = {(one.name, one.side) for one in found if one.status in {"clear", "possible"}}
    for one in told:
        assert one.sources
        assert all(one.sources)
        assert one.dose != ""
        assert "{" not in one.reason
        assert one.reason.endswith(".")
        if one.about in evidence.imbalances():
            assert one.sides
            assert {(one.about, side) for side in one.sides} <= named


def test_words_are_those_of_a_colleague() -> None:
    texts = [entry.text for entry in evidence.advice()]
    texts += [rule.text for rule in evidence.stop_rules().values()]
    texts += [found.reason for found in evidence.conditions().values()]
    for text in texts:
        assert text.endswith(".")
        for word in ("diagnos", "caused by", "causes", "must ", "guarantee", "prevents"):
            assert word not in text.lower()
