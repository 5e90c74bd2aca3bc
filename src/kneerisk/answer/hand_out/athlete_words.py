"""What the athlete's sheet says, in everyday words: what was found, how likely pain is, how much.

Nothing here is counted anew: each sentence is made from the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from kneerisk.answer.answer_schema import SHOWN, Answer, Knee, Risk
from kneerisk.answer.number_format import in_100
from kneerisk.answer.pattern_schema import named
from kneerisk.answer.summary import hurting_sides
from kneerisk.evidence import Exercise
from kneerisk.schema import Screening, Side
from kneerisk.words import listed, text, variant

#: From this probability on, "most would not" is not said.
HALF = 0.5
#: The sheet speaks of "a year": so it gives a number only for this horizon.
YEAR_MONTHS = 12
#: Findings that one sentence holds before it gets hard to read (assumption).
MOST_FINDINGS = 2


def introduction(answer: Answer, screening: Screening) -> list[str]:
    """What was found, and how likely new pain is.

    Parameters
    ----------
    answer
        An answer without an urgent red flag.
    screening
        Its screening.

    Returns
    -------
    Sentences, in their order.
    """
    found = list(_findings(answer, screening))[:MOST_FINDINGS]
    first = text("hand_out.found.nothing")
    if found:
        first = text("hand_out.found.sentence", found=listed(found))
    return [first, *_likely(answer)]


def _findings(answer: Answer, screening: Screening) -> Iterator[str]:
    for side in SHOWN:
        if getattr(screening, side).prior_knee_injury == "within_12_months":
            yield text("hand_out.found.injured", side=side)
    sides: dict[str, list[Side]] = {}
    for imbalance in named(answer.imbalances or []):
        sides.setdefault(imbalance.name, []).append(imbalance.side)
    for name, own in sides.items():
        if len(own) == len(SHOWN):
            yield variant("hand_out.found.both", name)
        else:
            yield variant("hand_out.found.one", name, side=own[0])
    if any(piece.code == "limit_session_spike" for piece in answer.advice):
        yield text("hand_out.found.long_session")


def _likely(answer: Answer) -> Iterator[str]:
    hurting = hurting_sides(answer)
    if len(hurting) == len(SHOWN):
        yield text("hand_out.risk.both_hurt")
        return
    if hurting:
        yield text("hand_out.risk.hurts", side=hurting[0])
    scored: list[Knee] = [side for side in SHOWN if getattr(answer.risk, side) is not None]
    if not scored and answer.risk.either is not None:
        scored = ["either"]
    if not scored:
        return
    if not _has_number_that_holds(answer):
        yield text("hand_out.risk.unknown")
        return
    knee = max(scored, key=lambda name: getattr(answer.risk, name).probability)
    yield _number(answer, knee)
    if getattr(answer.risk, knee).probability < HALF:
        yield text("hand_out.risk.most")


def _has_number_that_holds(answer: Answer) -> bool:
    risk = answer.risk
    is_new_pain = risk.outcome_kind == "new_pain" and risk.horizon_months == YEAR_MONTHS
    codes = {reason.code for reason in risk.reasons}
    return is_new_pain and not codes & {"low_information", "out_of_population"}


def _number(answer: Answer, knee: Knee) -> str:
    risk: Risk = getattr(answer.risk, knee)
    rates = answer.risk.base_rate
    usual = rates.either if knee == "either" else rates.leg
    values = {
        "count": risk.per_100,
        "usual": in_100(usual or 0.0),
        "low": in_100(risk.interval[0]),
        "high": in_100(risk.interval[1]),
    }
    if knee == "either":
        return text("hand_out.risk.whole", **values)
    return text("hand_out.risk.numbers", side=knee, **values)


def dose_in_words(exercise: Exercise, sides: list[Side]) -> str | None:
    """How much of an exercise, and with which leg; None of what is no exercise.

    Parameters
    ----------
    exercise
        The exercise.
    sides
        The legs that it is for; empty for both.

    Returns
    -------
    Such as `3 times 12, right leg`.
    """
    if not exercise.sets:
        return None
    kind = "repeats"
    if exercise.hold_seconds:
        kind = "both" if exercise.repeats else "hold"
    amount = variant(
        "hand_out.dose", kind, sets=exercise.sets, repeats=exercise.repeats,
        hold=exercise.hold_seconds,
    )  # fmt: skip
    if exercise.both_legs:
        return amount
    if len(sides) == 1:
        return text("hand_out.legs.one", dose=amount, side=sides[0])
    return text("hand_out.legs.each", dose=amount)


def when_to_see(answer: Answer) -> str:
    """How soon a clinician comes first."""
    return variant("hand_out.refer.soon", answer.red_flags[0].urgency)
