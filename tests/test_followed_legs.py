"""What became of each knee that was told a risk, by hand, and read from both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from postgres import empty_records

from kneerisk.records.clubs import made_club
from kneerisk.records.database import Database
from kneerisk.records.followed_legs import followed_legs
from kneerisk.records.leg_follow_up import (
    FollowUp,
    KneeEvent,
    KneeHistory,
    LookOut,
    ReportedDays,
    follow,
)
from kneerisk.records.visit_records import (
    Reported,
    Screened,
    Told,
    record_answer,
    record_outcomes,
)

VISIT = date(2025, 1, 6)
LAST = VISIT + timedelta(days=365)
LEFT = LookOut(
    side="left", visit_day=VISIT, last_day=LAST, hurt_at_visit=False, today=date(2026, 6, 1)
)


def on(day: int) -> date:
    """So many days after the visit."""
    return VISIT + timedelta(days=day)


def pain(first: int | None, last: int, side: str = "left", **more: date) -> KneeEvent:
    first_day = None if first is None else on(first)
    return KneeEvent(kind="knee_pain", side=side, first_day=first_day, last_day=on(last), **more)


def weekly(until: int = 371, missed: range = range(0), start: int = 7) -> tuple[ReportedDays, ...]:
    """A clean report each week of the seven days up to it."""
    return tuple(
        ReportedDays(side="both", first_day=on(d - 6), last_day=on(d), has_problem=False)
        for d in range(start, until + 1, 7)
        if d not in missed
    )


def found(*events: KneeEvent, look_out: LookOut = LEFT, **history: tuple) -> FollowUp:
    return follow(look_out, KneeHistory(events=events, **({"check_ins": weekly()} | history)))


class TestAKneeWatchedToTheHorizon:
    def test_has_no_pain_where_none_was_told_of(self) -> None:
        assert found() == FollowUp(outcome=0, onset=None, followed_until=LAST, ended="horizon")

    def test_has_pain_between_the_last_clean_report_and_the_first_painful_one(self) -> None:
        assert found(pain(15, 21)) == FollowUp(
            outcome=1, onset=(on(15), on(21)), followed_until=on(14), ended="pain"
        )

    def test_pain_of_both_knees_is_its_own_too_and_that_of_the_other_is_not(self) -> None:
        assert found(pain(15, 21, "both")).outcome == 1
        assert found(pain(15, 21, "right")).outcome == 0

    def test_the_first_of_several_counts(self) -> None:
        assert found(pain(100, 107), pain(15, 21)).onset == (on(15), on(21))

    def test_pain_after_the_horizon_is_none_within_it(self) -> None:
        assert found(pain(366, 371)).outcome == 0

    def test_pain_on_the_last_day_is_within_it(self) -> None:
        assert found(pain(365, 365)).outcome == 1

    def test_pain_that_began_within_it_or_after_it_is_not_known(self) -> None:
        assert found(pain(364, 371)) == FollowUp(
            outcome=None, onset=None, followed_until=on(363), ended="onset_unclear"
        )

    def test_problems_elsewhere_change_nothing(self) -> None:
        assert found(replace(pain(15, 21), kind="other_problem")).outcome == 0


class TestPainAtTheVisit:
    def test_a_knee_that_hurts_can_get_no_new_pain(self) -> None:
        hurt = replace(LEFT, hurt_at_visit=True)
        assert found(pain(15, 21), look_out=hurt).ended == "not_at_risk"

    def test_pain_still_reported_on_the_day_is_there_whatever_the_visit_says(self) -> None:
        assert found(pain(-20, -14, last_reported=on(0))).ended == "not_at_risk"

    def test_a_visit_free_of_pain_ends_what_was_before(self) -> None:
        before = pain(-20, -14, last_reported=on(-7))
        assert found(before).outcome == 0
        assert found(before, pain(15, 21)).outcome == 1

    def test_unasked_pain_that_nothing_ended_is_still_there(self) -> None:
        unasked = replace(LEFT, hurt_at_visit=None)
        before = pain(-20, -14, last_reported=on(-10))
        assert found(before, look_out=unasked).ended == "not_at_risk"
        over = replace(before, free_by=on(-3))
        assert found(over, look_out=unasked).outcome == 0
        clean = (ReportedDays(side="both", first_day=on(-9), last_day=on(-3), has_problem=False),)
        assert found(before, look_out=unasked, check_ins=clean + weekly()).outcome == 0

    def test_a_clean_report_whose_days_overlap_the_pain_does_not_end_it(self) -> None:
        unasked = replace(LEFT, hurt_at_visit=None)
        before = pain(-20, -14, last_reported=on(-5))
        clean = (ReportedDays(side="both", first_day=on(-9), last_day=on(-3), has_problem=False),)
        state = found(before, look_out=unasked, check_ins=clean + weekly())
        assert state.ended == "not_at_risk"

    def test_onset_before_or_after_the_visit_is_after_it_where_the_visit_says_none(self) -> None:
        assert found(pain(-6, 8)).onset == (on(1), on(8))
        assert found(pain(None, 7)).onset == (on(1), on(7))
        unasked = replace(LEFT, hurt_at_visit=None)
        for event in (pain(-6, 8), pain(None, 7)):
            assert found(event, look_out=unasked) == FollowUp(
                outcome=None, onset=None, followed_until=VISIT, ended="onset_unclear"
            )


class TestWhatEndsTheLookOut:
    @pytest.mark.parametrize("kind", ["knee_injury", "surgery"])
    def test_an_injury_or_surgery_of_the_knee(self, kind: str) -> None:
        end = replace(pain(50, 50), kind=kind)
        state = FollowUp(outcome=None, onset=None, followed_until=on(49), ended=kind)
        assert found(end) == found(end, pain(60, 66)) == state
        assert found(end, pain(15, 21)).outcome == 1
        assert found(replace(end, side="right")).outcome == 0

    def test_pain_that_may_have_begun_before_an_injury_or_after_it(self) -> None:
        state = found(replace(pain(50, 50), kind="knee_injury"), pain(45, 52))
        assert (state.outcome, state.ended, state.followed_until) == (None, "knee_injury", on(44))

    @pytest.mark.parametrize("kind", ["knee_pain", "knee_injury", "surgery"])
    def test_what_does_not_say_which_knee_ends_it_for_both(self, kind: str) -> None:
        event = replace(pain(50, 56, "unknown"), kind=kind)
        for side in ("left", "right"):
            state = found(event, look_out=replace(LEFT, side=side))
            assert (state.outcome, state.ended) == (None, "unknown_side")
            assert state.followed_until == on(49)
        assert found(event, pain(15, 21)).outcome == 1

    def test_silence_of_more_than_four_weeks(self) -> None:
        four_weeks = weekly(missed=range(50, 71))
        assert found(check_ins=four_weeks).outcome == 0
        five_weeks = weekly(missed=range(50, 85))
        lost = FollowUp(outcome=None, onset=None, followed_until=on(49), ended="lost")
        assert found(check_ins=five_weeks) == lost
        assert found(pain(50, 84), check_ins=five_weeks) == lost

    def test_silence_at_the_end_is_not_no_pain(self) -> None:
        state = found(check_ins=weekly(until=364))
        assert (state.outcome, state.ended, state.followed_until) == (None, "lost", on(364))

    def test_reports_of_the_other_knee_say_nothing(self) -> None:
        right = tuple(replace(one, side="right") for one in weekly())
        assert found(check_ins=right).ended == "lost"

    def test_today_is_before_the_horizon(self) -> None:
        early = replace(LEFT, today=on(100))
        state = found(pain(120, 126), look_out=early)
        assert (state.outcome, state.ended, state.followed_until) == (None, "running", on(98))

    def test_a_stated_end(self) -> None:
        state = found(ends=(on(80),))
        assert (state.outcome, state.ended, state.followed_until) == (None, "lost", on(80))
        assert found(pain(15, 21), ends=(on(80),)).outcome == 1

    def test_a_painful_report_without_an_event(self) -> None:
        left = ReportedDays(side="left", first_day=on(44), last_day=on(50), has_problem=True)
        state = found(check_ins=(*weekly(), left))
        assert (state.outcome, state.ended, state.followed_until) == (None, "unexplained", on(43))
        assert found(pain(44, 50), check_ins=(*weekly(), left)).outcome == 1
        right = replace(left, side="right")
        assert found(check_ins=(*weekly(), right)).outcome == 0


class TestALogWithoutQuestions:
    def test_covers_the_period_that_its_owner_stated(self) -> None:
        season = {"check_ins": (), "periods": ((on(-30), on(400)),)}
        assert found(**season).outcome == 0
        assert found(pain(15, 15), **season).outcome == 1
        assert found(**season | {"periods": ((on(-30), on(200)),)}).followed_until == on(200)

    def test_or_to_the_end_that_was_stated(self) -> None:
        assert found(check_ins=(), ends=(on(400),)).outcome == 0

    def test_covers_nothing_without_either(self) -> None:
        state = found(check_ins=())
        assert (state.outcome, state.ended, state.followed_until) == (None, "lost", VISIT)


NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
NUMBERS = {
    "risk": {
        "status": "ok", "outcome_kind": "new_pain", "horizon_months": 12,
        "left": {"probability": 0.18, "interval": [0.09, 0.31]},
    }
}  # fmt: skip
TOLD = Told(version="v1", bundle_sha256="b" * 64, numbers=NUMBERS)


@pytest.fixture(params=["sqlite", "postgres"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_records(request.param, tmp_path) as database:
        yield database


def test_answers_meet_what_was_reported(records: Database) -> None:
    body = {
        "athlete": {"age_years": 24},
        "pain": {"left": {"pain_nrs": 0}, "right": {"pain_nrs": 4}},
    }
    with records.writing() as session:
        club, other = (made_club(session, name, NOW) for name in ("Harbour FC", "River FC"))
        screened = Screened(athlete="A7", day=VISIT, screening=body, schema_fingerprint="f" * 64)
        answer = record_answer(session, club, "key", screened, TOLD, NOW)
        record_answer(session, other, "key", replace(screened, screening={}), TOLD, NOW)
        clean = [
            Reported(
                athlete="A7",
                kind="check_in",
                side="both",
                first_day=one.first_day,
                last_day=one.last_day,
                details={"says": "nothing_new", "knee_problem": False},
            )
            for one in weekly(until=28)
        ]
        pains = Reported(
            athlete="A7",
            kind="knee_pain",
            side="left",
            first_day=on(29),
            last_day=on(35),
            details={"course": "new", "last_reported": on(42).isoformat()},
        )
        record_outcomes(session, club, "key", [*clean, pains], NOW)
    with records.reading() as session:
        left, right = followed_legs(session, club, on(400))
        assert len(followed_legs(session, None, on(400))) == 4
        [lost, _] = followed_legs(session, other, on(400))
        early, _ = followed_legs(session, club, on(30))
        [month, _] = followed_legs(session, club, on(400), horizon_months=1)
    assert (left.answer_id, left.version, left.side) == (answer, "v1", "left")
    assert (left.risk, left.interval, left.horizon_days) == (0.18, (0.09, 0.31), 365)
    assert left.screening == body
    assert (left.outcome, left.onset) == (1, (on(29), on(35)))
    assert (right.at_risk, right.risk, right.outcome) == (False, None, None)
    assert (lost.ended, lost.at_risk, lost.club_id) == ("lost", True, other)
    assert (early.ended, early.outcome) == ("running", None)
    assert (month.horizon_days, month.ended) == (30, "onset_unclear")
