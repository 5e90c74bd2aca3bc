"""What is said of an athlete who came again, and which bodies are refused."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from pydantic import ValidationError
from scipy.special import logit
from strategies import screenings

from benchmarks.retested_athletes import draw
from kneerisk.answer import answer
from kneerisk.answer.answer_schema import Advice
from kneerisk.answer.follow_up.compare_visits import follow_up
from kneerisk.answer.follow_up.follow_up_measures import advice_followed
from kneerisk.answer.follow_up.follow_up_request import FollowUp
from kneerisk.answer.follow_up.follow_up_risks import RiskComparison, compare_risks
from kneerisk.answer.follow_up.follow_up_schema import FollowUpAnswer
from kneerisk.cohort.simulation.observation import batteries
from kneerisk.errors import Fault
from kneerisk.model import Bundle
from kneerisk.schema import Screening, category, coded, faults_of, from_row
from kneerisk.schema.detectable_change import CONDITIONS

Body = dict[str, Any]

ATHLETE = {"age_years": 29, "sex": "female", "sport": "running", "session_spike_ratio": 1.4}
FIRST: Body = {
    "athlete": ATHLETE,
    "left": {"wblt_dorsiflexion_deg": 36, "hip_drop_deg": 6, "quad_torque_nm_kg": 2.2,
             "hamstring_torque_nm_kg": 1.1, "ober_adduction_deg": 20},
    "right": {"wblt_dorsiflexion_deg": 36, "hip_drop_deg": 8, "quad_torque_nm_kg": 1.5,
              "hamstring_torque_nm_kg": 1.1, "ober_adduction_deg": 20},
    "protocol": {"torque_mode": "isometric"},
}  # fmt: skip


def changed(body: Body = FIRST, **sections: Body) -> Body:
    """A screening with some values exchanged; a value of None takes the measure out."""
    made = copy.deepcopy(body)
    for name, values in sections.items():
        part = made.setdefault(name, {})
        part.update(values)
        for gone in [key for key, value in values.items() if value is None]:
            del part[gone]
    return made


def visits(*bodies: Body, ids: tuple[str | None, ...] = ()) -> Body:
    """The body of a follow-up with a visit every hundred days."""
    start = dt.date(2025, 1, 1)
    made = [
        {"date": (start + dt.timedelta(days=100 * i)).isoformat(), "screening": body}
        for i, body in enumerate(bodies)
    ]
    for visit, athlete_id in zip(made, ids, strict=False):
        visit["athlete_id"] = athlete_id
    return {"visits": made}


@pytest.fixture
def ask(released: Bundle) -> Callable[..., FollowUpAnswer]:
    """The answer to visits with these screenings."""

    def asked(*bodies: Body) -> FollowUpAnswer:
        return follow_up(released, FollowUp.model_validate(visits(*bodies)))

    return asked


def refused(body: Any, *, as_json: bool = True) -> list[Fault]:
    sent = json.dumps(body) if as_json else body
    read = FollowUp.model_validate_json if as_json else FollowUp.model_validate
    with pytest.raises(ValidationError) as caught:
        read(sent)
    return faults_of(caught.value)


def places(faults: list[Fault]) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.code) for fault in faults}


class TestMeasures:
    def test_the_same_readings_are_no_change(self, ask):
        found = ask(FIRST, FIRST)
        assert not found.any_change
        assert {c.verdict for c in found.changes} == {"within_error", "no_error_known"}
        assert {c.direction for c in found.changes} == {"neither"}
        assert {r.verdict for r in found.risk_changes} == {"within_error"}
        assert {r.points for r in found.risk_changes} == {0.0}
        assert {i.verdict for i in found.imbalance_changes} == {"within_error"}
        assert found.summary == (
            "None of the 10 measurements taken again clearly changed, "
            "and the risk for either knee moved by less than 1 point."
        )
        assert found.by_chance is None

    def test_a_large_change_counts_and_has_a_direction(self, ask):
        found = ask(FIRST, changed(right={"quad_torque_nm_kg": 2.3}, left={"hip_drop_deg": 16}))
        told = {c.column: c for c in found.changes if c.verdict == "changed"}
        assert set(told) == {"right_quad_torque_nm_kg", "left_hip_drop_deg"}
        quads = told["right_quad_torque_nm_kg"]
        assert (quads.first, quads.last, quads.direction) == (1.5, 2.3, "better")
        assert quads.change == pytest.approx(0.8)
        assert quads.detectable is not None
        assert quads.detectable < 0.8
        assert told["left_hip_drop_deg"].direction == "worse"
        assert found.any_change
        assert "better: Quadriceps strength, right" in found.summary
        assert "worse: Hip drop, left" in found.summary

    def test_backwards_the_change_is_the_opposite(self, ask):
        later = changed(right={"quad_torque_nm_kg": 2.3}, left={"ober_adduction_deg": 27})
        there, back = ask(FIRST, later), ask(later, FIRST)
        opposite = {"better": "worse", "worse": "better", "neither": "neither"}
        for one, other in zip(there.changes, back.changes, strict=True):
            assert (one.column, one.verdict) == (other.column, other.verdict)
            assert one.change == -other.change
            assert one.direction == opposite[other.direction]
        for one, other in zip(there.risk_changes, back.risk_changes, strict=True):
            assert one.points == pytest.approx(-other.points)
            assert one.error_points == pytest.approx(other.error_points)

    def test_a_change_that_chance_may_show_is_only_possible(self, ask):
        found = ask(FIRST, changed(left={"ober_adduction_deg": 26.5}))
        [possible] = [c for c in found.changes if c.verdict == "possible"]
        assert (possible.column, possible.direction) == ("left_ober_adduction_deg", "better")
        assert not found.any_change
        assert found.by_chance is not None
        assert found.by_chance.startswith("1 measurement may have changed:")
        assert "0.5 of the 10" in found.by_chance

    def test_first_and_last_are_of_the_visits_that_have_it(self, ask):
        found = ask(
            changed(left={"ober_adduction_deg": None}),
            changed(left={"ober_adduction_deg": 10}),
            changed(left={"ober_adduction_deg": 14, "hip_drop_deg": None}),
            changed(left={"ober_adduction_deg": 25, "slr_deg": 70}),
        )
        told = {c.column: c for c in found.changes}
        ober = told["left_ober_adduction_deg"]
        assert [r.value for r in ober.series] == [10.0, 14.0, 25.0]
        assert [r.date.isoformat() for r in ober.series] == [
            "2025-04-11",
            "2025-07-20",
            "2025-10-28",
        ]
        assert all(r.error and r.error > 4.0 for r in ober.series)
        assert (ober.first, ober.last, ober.verdict) == (10.0, 25.0, "changed")
        assert len(told["left_hip_drop_deg"].series) == 3
        assert "left_slr_deg" not in told

    def test_a_diary_has_no_error_and_no_verdict(self, ask):
        found = ask(FIRST, changed(athlete={"session_spike_ratio": 1.0}))
        [spike] = [c for c in found.changes if c.column == "session_spike_ratio"]
        assert (spike.verdict, spike.direction, spike.detectable) == (
            "no_error_known",
            "neither",
            None,
        )
        assert not found.any_change

    def test_without_a_measure_at_two_visits_nothing_is_claimed(self, ask):
        plain = {"athlete": {"age_years": 29, "sex": "female"}}
        found = ask(plain, plain)
        assert found.changes == []
        assert not found.any_change
        assert found.summary == (
            "No measurement with a known error was taken twice, "
            "and the risk for either knee moved by less than 1 point."
        )

    def test_right_comes_first(self, ask):
        found = ask(FIRST, FIRST)
        sides = [c.side for c in found.changes if c.side]
        assert sides[::2] == ["right"] * 5
        assert [r.knee for r in found.risk_changes] == ["right", "left", "either"]


class TestRisk:
    def test_a_visit_is_told_as_it_is_alone(self, ask, released):
        later = changed(right={"quad_torque_nm_kg": 2.3})
        found = ask(FIRST, later)
        for visit, body in zip(found.visits, (FIRST, later), strict=True):
            alone = answer(released, Screening.model_validate(body))
            assert (visit.status, visit.reasons) == (alone.risk.status, alone.risk.reasons)
            for knee in ("right", "left", "either"):
                assert getattr(visit, knee) == getattr(alone.risk, knee)
            assert visit.likely == alone.likely
        assert found.notice == alone.notice
        assert found.model == alone.model

    def test_it_moves_by_what_the_visits_say(self, ask):
        found = ask(FIRST, changed(right={"quad_torque_nm_kg": 3.2}, left={"hip_drop_deg": 1}))
        for moved in found.risk_changes:
            first, last = (getattr(visit, moved.knee).probability for visit in found.visits)
            assert moved.same_tests
            assert moved.first == pytest.approx(first, abs=1e-12)
            assert moved.last == pytest.approx(last, abs=1e-12)
            assert moved.points == pytest.approx(100 * (last - first))
            beyond = abs(moved.points) > moved.error_points
            assert (moved.verdict != "within_error") == (beyond and abs(moved.points) >= 1)
            low, high = moved.error_band
            assert low < moved.first < high
            assert (low <= moved.last <= high) == (not beyond)

    def test_a_new_episode_raises_it_beyond_error(self, ask):
        first = changed(right={"prior_knee_injury": "none"})
        found = ask(first, changed(first, right={"prior_knee_injury": "within_12_months"}))
        told = {r.knee: r.verdict for r in found.risk_changes}
        assert told["right"] == told["either"] == "rose"
        assert found.summary.startswith(
            "None of the 10 measurements taken again clearly changed on its own, "
            "but with everything entered taken together the risk for either knee rose by "
        )
        assert not found.any_change

    def test_one_more_test_moves_nothing(self, ask):
        found = ask(FIRST, changed(left={"slr_deg": 50, "navicular_drop_mm": 14}))
        for moved in found.risk_changes:
            assert not moved.same_tests
            assert moved.points == 0.0
            assert moved.verdict == "within_error"
        assert {i.first - i.last for i in found.imbalance_changes} == {0.0}

    def test_a_knee_that_hurts_has_none_to_compare(self, ask):
        found = ask(FIRST, changed(pain={"left": {"pain_nrs": 4}}))
        assert [r.knee for r in found.risk_changes] == ["right"]
        assert "the right knee" in found.summary

    def test_exchanged_legs_exchange_the_answer(self, released):
        asked = FollowUp.model_validate(visits(FIRST, changed(left={"slr_deg": 50})))
        mirrored = asked.model_copy(
            update={
                "visits": [
                    v.model_copy(update={"screening": v.screening.swapped()}) for v in asked.visits
                ]
            }
        )
        there, back = follow_up(released, asked), follow_up(released, mirrored)
        one = {r.knee: (r.first, r.last, r.error_points) for r in there.risk_changes}
        other = {r.knee: (r.first, r.last, r.error_points) for r in back.risk_changes}
        assert one["left"] == pytest.approx(other["right"], abs=1e-9)
        assert one["either"] == pytest.approx(other["either"], abs=1e-9)

    def test_error_alone_hardly_ever_moves_it(self, released):
        rng, count = np.random.default_rng(3), 60
        trial = draw(count, rng)
        [phone] = [b for b in batteries() if b.battery == "tape_and_phone"]
        kept = [c for c, m in trial.measures.items() if m.test in phone.tests]
        readings = [trial.measure(rng) for _ in range(2)]
        told = []
        for i in range(count):
            facts = {name: values[[i]] for name, values in trial.data.items()}
            ends = [facts | {c: values[c][[i]] for c in kept} for values in readings]
            moved = compare_risks(released.model, *ends)
            told.append([abs(moved.last - moved.first) > moved.limit])
            assert (moved.limit > 0.0).all()
        # 95 % limits of thirteen outputs; three standard errors of a share of 60.
        assert np.mean(told) < 0.05 + 3 * (0.05 * 0.95 / count) ** 0.5

    @pytest.mark.parametrize(
        ("last", "verdict"), [(0.105, "within_error"), (0.115, "rose"), (0.085, "fell")]
    )
    def test_less_than_one_in_a_hundred_is_not_told(self, last, verdict):
        moved = RiskComparison(
            first=logit(np.array([0.10])),
            last=logit(np.array([last])),
            limit=np.array([0.01]),
            same_tests=True,
            imbalances=(),
        )
        assert moved.verdict(0) == verdict

    def test_a_model_without_sides_has_either_knee_alone(self, released):
        model = replace(released.model, odds_ratio=None)
        ends = [
            coded([Screening.model_validate(b)])
            for b in (FIRST, changed(left={"hip_drop_deg": 16}))
        ]
        moved = compare_risks(model, *ends)
        assert np.isnan(moved.limit[:2]).all()
        assert moved.limit[2] > 0.0
        assert moved.verdict(0) == "within_error"


class TestRedFlags:
    def flagged(self, body: Body = FIRST) -> Body:
        return body | {"red_flags": ["acute_injury_within_7_days", "cannot_bear_weight_4_steps"]}

    def test_it_is_said_first_and_its_visit_has_no_risk(self, ask):
        found = ask(FIRST, self.flagged(changed(right={"quad_torque_nm_kg": 2.3})))
        assert found.summary.startswith("See a clinician first (")
        assert {at.date.isoformat() for at in found.refer} == {"2025-04-11"}
        assert found.visits[1].status == "refer"
        assert found.visits[1].right is found.visits[1].left is found.visits[1].either is None
        assert found.risk_changes == found.imbalance_changes == []
        assert found.any_change

    def test_the_visits_around_it_are_compared(self, ask):
        found = ask(FIRST, self.flagged(), changed(right={"quad_torque_nm_kg": 2.3}))
        assert found.refer
        for moved in found.risk_changes:
            assert moved.first_date.isoformat() == "2025-01-01"
            assert moved.last_date.isoformat() == "2025-07-20"

    def test_advice_of_such_a_visit_is_not_looked_for(self, ask):
        assert ask(self.flagged(), FIRST).advice_shown == []


class TestAdvice:
    def piece(self, about: str, *sides: str, code: str = "any") -> Advice:
        return Advice.model_validate(
            {"code": code, "about": about, "sides": list(sides), "reason": "r", "text": "t",
             "grade": "low", "stop_rule": "s", "sources": []}
        )  # fmt: skip

    def shown(self, released: Bundle, later: Body, *pieces: Advice) -> list[Any]:
        asked = FollowUp.model_validate(visits(FIRST, later))
        first = answer(released, asked.visits[0].screening)
        told = first.model_copy(update={"advice": list(pieces)})
        return advice_followed(asked.visits, told, follow_up(released, asked).changes)

    @pytest.mark.parametrize(
        ("quads", "status"),
        [
            (2.3, "shows"),
            (1.6, "not_yet"),
            (0.9, "went_the_other_way"),
            (None, "not_measured_again"),
        ],
    )
    def test_strength_that_was_advised(self, released, quads, status):
        later = changed(right={"quad_torque_nm_kg": quads})
        pieces = [self.piece("hamstring_dominance", "right", code=code) for code in ("a", "b")]
        [row] = self.shown(released, later, *pieces)
        assert (row.about, row.side, row.codes) == ("hamstring_dominance", "right", ["a", "b"])
        assert row.status == status
        assert ("right_quad_torque_nm_kg" in row.columns) == (quads is not None)

    def test_each_leg_has_its_own(self, released):
        later = changed(right={"wblt_dorsiflexion_deg": 46}, left={"wblt_dorsiflexion_deg": 26})
        rows = self.shown(released, later, self.piece("calf_tightness", "right", "left"))
        assert [(r.side, r.status) for r in rows] == [
            ("right", "shows"),
            ("left", "went_the_other_way"),
        ]

    def test_what_was_not_measured_again_is_asked_for(self, released):
        later = changed(right={"wblt_dorsiflexion_deg": None})
        [row] = self.shown(released, later, self.piece("calf_tightness", "right"))
        assert (row.status, row.columns) == ("not_measured_again", [])
        assert "Ankle bend, lunge test" in row.message

    def test_only_what_was_measured_when_it_was_advised_can_show_it(self, released):
        later = changed(right={"squat_heel_rise_grade": 0})
        asked = FollowUp.model_validate(
            visits(FIRST, changed(right={"squat_heel_rise_grade": 2}), later)
        )
        told = answer(released, asked.visits[0].screening)
        pieces = [self.piece("calf_tightness", "right")]
        told = told.model_copy(update={"advice": pieces})
        [row] = advice_followed(asked.visits, told, follow_up(released, asked).changes)
        assert row.columns == ["right_wblt_dorsiflexion_deg"]

    @pytest.mark.parametrize(
        ("ratio", "status"), [(1.0, "shows"), (1.4, "not_yet"), (1.8, "went_the_other_way")]
    )
    def test_load_is_read_from_the_diary(self, released, ratio, status):
        later = changed(athlete={"session_spike_ratio": ratio})
        [row] = self.shown(released, later, self.piece("load", code="limit_session_spike"))
        assert (row.status, row.side, row.columns) == (status, None, ["session_spike_ratio"])

    def test_what_holds_for_everyone_is_about_no_measure(self, released):
        pieces = [self.piece("everyone"), self.piece("load", code="tendon_loading")]
        assert self.shown(released, FIRST, *pieces) == []


class TestRefused:
    def test_every_fault_of_screenings_and_visits_at_once(self):
        body = visits(
            changed(left={"quad_torque_nm_kg": 99.0}),
            changed(athlete={"sex": "male", "age_years": 21}, right={"no_such_measure": 1}),
            changed(protocol={"torque_mode": "isokinetic_60"}),
            changed(athlete={"age_years": 44}),
            ids=("a", "b", None, "a"),
        )
        body["visits"][2]["date"] = body["visits"][1]["date"]
        body["visits"][3]["date"] = "2024-02-30"
        expected = {
            ("/visits/0/screening/left/quad_torque_nm_kg", "outside_limits"),
            ("/visits/1/screening/right/no_such_measure", "unknown_name"),
            ("/visits/3/date", "not_a_date"),
            ("/visits/1/athlete_id", "another_athlete"),
            ("/visits/1/screening/athlete/sex", "another_athlete"),
            ("/visits/1/screening/athlete/age_years", "age_falls"),
            ("/visits/2/date", "same_date"),
            ("/visits/2/screening/protocol/torque_mode", "another_protocol"),
        }
        assert places(refused(body)) == places(refused(body, as_json=False)) == expected

    def test_no_value_is_repeated(self):
        body = visits(FIRST, changed(athlete={"age_years": 63.217}), ids=("secret-1", "secret-2"))
        body["visits"][1]["date"] = "secret-3"
        body["visits"][0]["screening"] = changed(left={"hip_drop_deg": 77.123})
        with pytest.raises(ValidationError) as caught:
            FollowUp.model_validate(body)
        for text in (str(caught.value), str(faults_of(caught.value))):
            assert "secret" not in text
            assert "77.123" not in text
            assert "63.217" not in text

    @pytest.mark.parametrize(
        ("dates", "code"),
        [
            (("2025-01-01", "2025-01-01"), "same_date"),
            (("2025-01-02", "2025-01-01"), "not_in_order"),
        ],
    )
    def test_dates_must_ascend(self, dates, code):
        body = visits(FIRST, FIRST)
        for visit, date in zip(body["visits"], dates, strict=True):
            visit["date"] = date
        assert places(refused(body)) == {("/visits/1/date", code)}

    @pytest.mark.parametrize(
        "date", ["2025-13-01", "2025-1-1", "20250101", "2025-01-01T00:00:00", 2.5, None, ""]
    )
    def test_a_date_has_one_form(self, date):
        body = visits(FIRST, FIRST)
        body["visits"][0]["date"] = date
        assert places(refused(body)) == {("/visits/0/date", "not_a_date")}

    @pytest.mark.parametrize(
        ("age", "code"),
        [(28, "age_falls"), (28.99, "age_falls"), (31, "age_does_not_fit"), (29, None), (30, None)],
    )
    def test_ages_fit_the_dates_to_a_year(self, age, code):
        body = visits(FIRST, changed(athlete={"age_years": age}))
        if code is None:
            FollowUp.model_validate(body)
        else:
            pointer = "/visits/1/screening/athlete/age_years"
            assert places(refused(body)) == {(pointer, code)}

    def test_a_year_older_on_each_birthday_fits(self):
        body = visits(FIRST, changed(athlete={"age_years": 39}))
        body["visits"][1]["date"] = "2035-01-01"
        FollowUp.model_validate(body)
        assert places(refused(changed_date(body, "2037-01-02"))) == {
            ("/visits/1/screening/athlete/age_years", "age_does_not_fit")
        }

    def test_protocols_matter_where_a_measure_is_compared(self):
        other = {"torque_mode": "isokinetic_60"}
        neither = {"quad_torque_nm_kg": None, "hamstring_torque_nm_kg": None}
        without = changed(left=neither, right=neither)
        FollowUp.model_validate(visits(FIRST, changed(without, protocol=other)))
        between = visits(FIRST, without, changed(protocol=other))
        assert places(refused(between)) == {
            ("/visits/2/screening/protocol/torque_mode", "another_protocol")
        }

    def test_a_task_that_is_not_stated_is_the_usual_one(self):
        FollowUp.model_validate(visits(FIRST, changed(protocol={"hip_drop_task": "running"})))
        squat = visits(FIRST, changed(protocol={"hip_drop_task": "single_leg_squat"}))
        assert places(refused(squat)) == {
            ("/visits/1/screening/protocol/hip_drop_task", "another_protocol")
        }

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, ("/visits", "missing")),
            ([], ("", "not_an_object")),
            ({"visits": {}}, ("/visits", "not_a_list")),
            ({"visits": []}, ("/visits", "too_few")),
            (visits(FIRST), ("/visits", "too_few")),
            (visits(*[FIRST] * 51), ("/visits", "too_long")),
            (visits(FIRST, FIRST) | {"more": 1}, ("/more", "unknown_name")),
        ],
    )
    def test_the_shape_of_the_body(self, body, expected):
        assert places(refused(body)) == places(refused(body, as_json=False)) == {expected}

    def test_a_visit_that_is_no_object_leaves_the_others_to_be_checked(self):
        body = visits(FIRST, FIRST, ids=("a", "b"))
        body["visits"].append(7)
        assert places(refused(body)) == {
            ("/visits/2", "not_an_object"),
            ("/visits/1/athlete_id", "another_athlete"),
        }

    def test_fifty_visits_are_enough(self, ask):
        few = {"athlete": {"age_years": 29, "sex": "female"}, "left": {"hip_drop_deg": 5}}
        ages = [changed(few, athlete={"age_years": 29 + i * 100 / 365.25}) for i in range(50)]
        assert len(ask(*ages).visits) == 50

    def test_the_id_is_not_told(self, released):
        asked = FollowUp.model_validate(visits(FIRST, FIRST, ids=("athlete-7", "athlete-7")))
        assert "athlete-7" not in follow_up(released, asked).model_dump_json()


def changed_date(body: Body, date: str) -> Body:
    """The same visits with the last one on another date."""
    made = copy.deepcopy(body)
    made["visits"][-1]["date"] = date
    return made


#: Phrases that exclude each other: no follow-up has both.
EXCLUSIVE = (
    (r"clearly change", r"really changed"),
    (r"clearly changed?(?! on its own)\b", r"points, more than a repeat"),
    (r"changed? beyond", r"points, more than a repeat"),
    (r"clearly change", r"changed beyond"),
    (r"no change can be told", r"\b(rose|fell) by"),
    (r"no change can be told", r"really changed|more than a repeat"),
    (r"No measurement with a known error", r"measurements? taken again"),
    (r"No measurement with a known error", r"a repeat of the same tests"),
    (r"less than 1 point", r"\b(rose|fell) by"),
    (r"no further than a repeat", r"more than a repeat"),
    (r"no further than a repeat", r"less than 1 point"),
    (r"no further than a repeat", r"\b(rose|fell) by"),
    (r"either knee rose", r"either knee fell"),
    (r"right knee rose", r"right knee fell"),
    (r"left knee rose", r"left knee fell"),
    (r"really changed \(better: (?!.*; (worse|neither))[^)]*\), and the risk for [^,]* rose", r""),
    (r"really changed \(worse: [^)]*\), and the risk for [^,]* fell", r""),
)


def assert_consistent(told: FollowUpAnswer) -> None:
    """One sentence on measurements and risk, in which nothing excludes what stands beside it."""
    said = " ".join([told.summary, told.by_chance or "", *(a.message for a in told.advice_shown)])
    for phrase, opposite in EXCLUSIVE:
        assert not (re.search(phrase, said) and re.search(opposite, said)), (phrase, said)
    flags = "See a clinician first"
    assert told.summary.count(". ") == told.summary.count(flags) == len(told.refer)
    compared = {c.verdict for c in told.changes} - {"no_error_known"}
    assert ("really changed" in told.summary) == ("changed" in compared) == told.any_change
    assert ("may have changed" in said) == ("possible" in compared)
    moved = {r.verdict for r in told.risk_changes} - {"within_error"}
    assert {v for v in ("rose", "fell") if f" {v} by " in told.summary} <= moved
    assert bool(moved) == bool(re.search(r" (rose|fell) by ", told.summary))


@pytest.mark.parametrize(
    ("quads", "episode", "expected"),
    [
        (1.5, ("none", "none"), "clearly changed, and the risk for either knee moved by less"),
        (1.5, ("within_12_months", "none"), "clearly changed on its own, but with everything "),
        (2.3, ("none", "within_12_months"), "right), but with everything entered taken together "),
        (0.9, ("within_12_months", "none"), "right), but with everything entered taken together "),
        (0.9, ("none", "within_12_months"), "right), and the risk for either knee rose by "),
        (2.3, ("within_12_months", "none"), "right), and the risk for either knee fell by "),
    ],
)
def test_measures_and_risk_share_a_sentence(ask, quads, episode, expected):
    first, last = ({"prior_knee_injury": state} for state in episode)
    later = changed(right={"quad_torque_nm_kg": quads} | last, left=last)
    told = ask(changed(right=first, left=first), later)
    assert expected in told.summary
    assert_consistent(told)


def test_knees_that_moved_apart_are_named(ask):
    recent, none = ({"prior_knee_injury": state} for state in ("within_12_months", "none"))
    told = ask(changed(left=recent, right=none), changed(left=none, right=recent))
    assert "the risk for the right knee rose by" in told.summary
    assert "the risk for the left knee fell by" in told.summary
    assert "either knee" not in told.summary
    assert_consistent(told)


def test_repeats_of_simulated_athletes_are_told_without_contradiction(released):
    """The same athletes again, and the same athletes changed by up to two standard deviations."""
    rng, count = np.random.default_rng(5), 12
    trial = draw(count, rng)
    protocols = {
        name: [category(name).choices[int(code)] for code in trial.data[name]]
        for name in CONDITIONS
    }
    for size in (0.0, 0.6, 2.0):
        shift = {c: size * rng.standard_normal(count) for c in trial.z}
        readings = [trial.measure(rng), trial.measure(rng, shift)]
        for i in range(count):
            rows = [{c: float(v[i]) for c, v in values.items()} for values in readings]
            facts = {"age_years": 25.0} | {n: v[i] for n, v in protocols.items()}
            ends = [from_row(facts | row) for row in rows]
            body = visits(*(end.model_dump(exclude_none=True) for end in ends))
            assert_consistent(follow_up(released, FollowUp.model_validate(body)))


@settings(max_examples=40)
@given(screenings(), screenings())
def test_any_two_screenings_of_one_athlete_are_answered(released, first, second):
    facts = {"age_years": first.athlete.age_years, "sex": first.athlete.sex}
    later = second.model_copy(
        update={
            "athlete": second.athlete.model_copy(update=facts),
            "protocol": first.protocol,
        }
    )
    body = visits(*(s.model_dump(exclude_none=True) for s in (first, later)))
    try:
        asked = FollowUp.model_validate(body)
    except ValidationError as error:
        # Exchanging the protocol may leave a measure of the second without its own.
        codes = {fault.code for fault in faults_of(error)}
        assert codes <= {"protocol_needed", "disagrees_with_parts"}
        return
    found = follow_up(released, asked)
    assert len(found.visits) == 2
    assert_consistent(found)
    json.loads(found.model_dump_json(exclude_none=True))
