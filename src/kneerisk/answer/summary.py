"""The answer in two sentences, made from its other parts: what is likely, then what to do next.

The first says how likely the outcome is in the knee that stands out, or in both where they compare
with the usual in the same words. The second names what adds most to that risk of what can change,
one piece of the answer's advice, and the test that is worth most, if one is worth the time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kneerisk.answer.answer_schema import (
    SHOWN,
    Advice,
    Answer,
    Driver,
    Knee,
    NextTest,
    Reason,
    Risk,
    suggested_by,
)
from kneerisk.answer.drivers import WORTH_A_WORD
from kneerisk.answer.little_known import BASIC_COLUMNS
from kneerisk.answer.pattern_schema import named
from kneerisk.evidence import imbalances
from kneerisk.schema import Side
from kneerisk.words import in_sentence, text, variant

#: How a risk compares with the usual, in words: each holds below its ratio (assumption). No words
#: reach across the end of a band, so that they never contradict it.
COMPARED: tuple[tuple[float, str], ...] = (
    (0.4, "under_half"), (0.6, "half"), (0.75, "two_thirds"), (1.25, "usual"),
    (1.4, "third_more"), (1.8, "half_more"), (2.5, "twice"),
)  # fmt: skip


def summary_of(answer: Answer, sport: str | None) -> list[str]:
    """The two sentences that an answer begins with.

    Parameters
    ----------
    answer
        The answer without them.
    sport
        The athlete's sport; None where it is not known.

    Returns
    -------
    What is likely, and what to do next; each a sentence with its full stop.
    """
    if answer.risk.status == "refer":
        flag = answer.red_flags[0]
        first = text("answer.summary.refer", when=flag.when, reason=flag.reason)
        return [first, text("answer.summary.until_then")]
    hurting = hurting_sides(answer)
    scored: list[Knee] = [side for side in SHOWN if getattr(answer.risk, side) is not None]
    if not scored and answer.risk.either is not None:
        scored = ["either"]
    if not scored:
        is_both = len(hurting) == len(SHOWN)
        unscored = text("answer.summary.both_hurt")
        if not is_both:
            unscored = text("answer.summary.not_told_apart", side=hurting[0])
        return [unscored, _next_step(answer, [], None)]
    unsure = _why_no_number(answer, scored)
    if unsure:
        return [_with_pain(unsure, hurting), _without_numbers(answer)]
    told = _standing_out(answer, scored)
    return [_with_pain(_likely(answer, told, sport), hurting), _what_to_do(answer, told)]


def hurting_sides(answer: Answer) -> list[Side]:
    """The knees that have no risk because they hurt now, right first."""
    columns = {r.column for r in answer.risk.reasons if r.code == "current_pain"}
    return [side for side in SHOWN if f"{side}_pain_nrs" in columns]


def _why_no_number(answer: Answer, scored: Sequence[Knee]) -> str | None:
    """Why no number of the answer is one to begin with; None where there is no such reason."""
    knees = variant("shared.knee", scored[0]) if len(scored) == 1 else text("answer.summary.knees")
    if scored == ["either"]:
        knees = text("answer.summary.knees")
    reason = withheld(answer)
    if reason is None:
        return None
    if reason.code == "low_information":
        return text("answer.summary.too_little", knees=knees)
    return variant("answer.summary.unseen", str(reason.column), knees=knees)


def withheld(answer: Answer) -> Reason | None:
    """Why no number of the answer holds, so that none is shown; None where they do."""
    for reason in answer.risk.reasons:
        if reason.code == "out_of_population" and reason.column in BASIC_COLUMNS:
            return reason
    return next((one for one in answer.risk.reasons if one.code == "low_information"), None)


def _with_pain(likely: str, hurting: Sequence[Side]) -> str:
    """The first sentence, after the knee that hurts where one does."""
    if not hurting:
        return likely
    lowered = f"{likely[0].lower()}{likely[1:]}"
    return text("answer.summary.one_hurts", side=hurting[0], likely=lowered)


def compared(answer: Answer, knee: Knee, sport: str | None) -> str:
    """A knee's risk against what is usual in the sport, in words.

    Parameters
    ----------
    answer
        The answer.
    knee
        A knee that has a risk.
    sport
        The athlete's sport; None where it is not known.

    Returns
    -------
    Such as `about twice what is usual for runners`.
    """
    risk, rates = getattr(answer.risk, knee), answer.risk.base_rate
    base_rate = rates.either if knee == "either" else rates.leg
    athletes = variant("shared.athletes", sport or "any")
    if risk.band == "not_assessed" or not base_rate:
        return text("answer.summary.compared.not_assessed")
    ratio = risk.probability / base_rate
    name = next((name for end, name in COMPARED if ratio < end), "times")
    # Halves are rounded up: round() takes 2.5 to 2.
    times = math.floor(ratio + 0.5)
    return variant("answer.summary.compared", name, athletes=athletes, times=times)


def _standing_out(answer: Answer, scored: Sequence[Knee]) -> list[Knee]:
    """The knees to speak of: both where they compare in the same words, else the higher."""
    phrases = {compared(answer, knee, None) for knee in scored}
    if len(phrases) == 1:
        return list(scored)
    return [max(scored, key=lambda knee: getattr(answer.risk, knee).probability)]


def _likely(answer: Answer, told: Sequence[Knee], sport: str | None) -> str:
    risks: list[Risk] = [getattr(answer.risk, knee) for knee in told]
    kind, where = answer.risk.outcome_kind, variant("shared.knee", told[0])
    outcome = variant("shared.outcome.other", kind, knee=where)
    if risks[0].per_100 <= 1:
        outcome = variant("shared.outcome.one", kind, knee=where)
    months = answer.risk.horizon_months
    if months:
        outcome = text("shared.within_months", outcome=outcome, months=months)
    values = {
        "suggests": variant("shared.suggests", suggested_by(answer.model.cohort, answer.risk)),
        "count": _count(risks[0]),
        "athletes": variant("shared.athletes", sport or "any"),
        "outcome": outcome,
        "compared": compared(answer, told[0], sport),
    }
    if len(told) == 1:
        likely = text("answer.summary.one_knee", **values)
    else:
        is_equal = risks[0].per_100 == risks[1].per_100
        other = text("answer.summary.as_many") if is_equal else _count(risks[1])
        likely = text("answer.summary.both_knees", other=other, **values)
    if any(reason.code == "out_of_population" for reason in answer.risk.reasons):
        lowered = f"{likely[0].lower()}{likely[1:]}"
        return text("answer.summary.with_care", likely=lowered)
    return likely


def _count(risk: Risk) -> str:
    if not risk.per_100:
        return text("shared.count.under_one")
    return text("shared.count.about", count=risk.per_100)


def _what_to_do(answer: Answer, told: Sequence[Knee]) -> str:
    scored: list[Knee] = [side for side in SHOWN if getattr(answer.risk, side) is not None]
    # What adds to the other knee alone is better told than nothing.
    driver = strongest_driver(answer, told) or strongest_driver(answer, scored)
    first = text("answer.summary.none_can_change")
    if driver:
        found = _in_brackets(driver)
        first = text("answer.summary.can_change", driver=found)
        if not all(_raises(answer, driver.measure, knee) for knee in told):
            knee = variant("shared.knee", driver.side)
            first = text("answer.summary.in_one_knee", driver=found, knee=knee)
    return text("answer.summary.then", first=first, next=_steps(answer, told, driver))


def _in_brackets(driver: Driver) -> str:
    """A driver inside a sentence, its numbers in brackets: `ankle bends little (28°, usual 40)`."""
    numbers = driver.statement.removeprefix(driver.heading).removeprefix(": ")
    heading = in_sentence(driver.heading)
    if numbers:
        heading = text("answer.summary.driver", heading=heading, numbers=numbers)
    return text("answer.summary.untested", driver=heading) if driver.untested else heading


def strongest_driver(answer: Answer, told: Sequence[Knee]) -> Driver | None:
    """What adds most to the risk of the knees told of, of what can change; None if it adds little.

    Of two knees, a measure that adds to both comes first. A value near the usual is no finding.
    """
    raising = [d for d in answer.drivers if d.side in told and _adds(d)]
    shared = [d for d in raising if all(_raises(answer, d.measure, knee) for knee in told)]
    return max(shared or raising, key=lambda driver: driver.points, default=None)


def _adds(driver: Driver) -> bool:
    return driver.modifiable and driver.points >= WORTH_A_WORD and driver.against_usual != "near"


def _raises(answer: Answer, measure: str, knee: Knee) -> bool:
    return any(d.measure == measure and d.side == knee and _adds(d) for d in answer.drivers)


def _steps(answer: Answer, told: Sequence[Knee], driver: Driver | None) -> str:
    """The piece of advice, and the test or that none is worth the time."""
    action, test = _action(answer, told, driver), worthwhile_test(answer)
    if test is None:
        return text("answer.summary.no_test", action=action)
    return text("answer.summary.and_test", action=action, test=_do(test))


def _next_step(answer: Answer, told: Sequence[Knee], driver: Driver | None) -> str:
    return text("answer.summary.next", action=_action(answer, told, driver))


def _without_numbers(answer: Answer) -> str:
    """What to do where no number holds: measure, if that is what is missing."""
    test, action = worthwhile_test(answer), _action(answer, [], None)
    is_little = any(reason.code == "low_information" for reason in answer.risk.reasons)
    if test is None or not is_little:
        return text("answer.summary.next", action=action)
    return text("answer.summary.measure_first", test=_do(test), action=action)


def worthwhile_test(answer: Answer) -> NextTest | None:
    """The first of the next tests that is worth the time, if any is."""
    return next((test for test in answer.next_tests if test.worth_the_time), None)


def _do(test: NextTest) -> str:
    return variant("answer.summary.test", test.test)


def advice_to_name(answer: Answer, told: Sequence[Knee], driver: Driver | None) -> Advice | None:
    """What to do first: what the driver or its pattern asks for, else what fits the knees.

    A knee that hurts comes before all of them.

    Parameters
    ----------
    answer
        The answer.
    told
        The knees that the first sentence is about; empty where it is about none.
    driver
        The measure that the second sentence names, if any.

    Returns
    -------
    One of the answer's pieces of advice; None where it has none.
    """
    hurting = hurting_sides(answer)
    if hurting:
        for piece in answer.advice:
            if not piece.sides or set(piece.sides) & set(hurting):
                return piece
    knees = [side for side in SHOWN if side in told] or list(SHOWN)
    patterns = {
        imbalance.name
        for imbalance in named(answer.imbalances or [])
        if driver and imbalance.side in knees
        for row in imbalance.pattern
        if row.measure == driver.measure and row.speaks == "for"
    }
    fitting = [a for a in answer.advice if not a.sides or set(a.sides) & set(knees)]
    for piece in fitting:
        if piece.about in patterns or (driver and piece.code in driver.advice):
            return piece
    return next(iter(fitting or answer.advice), None)


def _action(answer: Answer, told: Sequence[Knee], driver: Driver | None) -> str:
    piece = advice_to_name(answer, told, driver)
    if piece is None:
        return text("answer.summary.no_action")
    action = variant("answer.summary.action", piece.code)
    if len(piece.sides) == 1 and piece.about in imbalances():
        return text("answer.summary.on_leg", action=action, side=piece.sides[0])
    return action
