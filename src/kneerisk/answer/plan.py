"""A plan for the weeks until the next visit: at most three things of the advice that one can do.

What the topics of the advice (load, each named pattern, what holds for everyone) ask for is taken
in turn, so that no topic fills the plan; while a knee hurts, what is said about pain comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from kneerisk.answer.answer_schema import (
    SHOWN,
    Advice,
    Flag,
    Plan,
    PlanItem,
    TestAgain,
)
from kneerisk.answer.number_format import amount, sentence
from kneerisk.answer.pattern_schema import Imbalance, PatternRow, named
from kneerisk.evidence import Exercise, assumption, conditions, exercises_by_advice, imbalances
from kneerisk.schema import Side
from kneerisk.schema.detectable_change import READING_PER_SEM
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.words import in_sentence, listed, plural, text, variant

#: Exercises a week that people still do (assumption): with more, adherence falls.
MOST_ITEMS = 3
#: Measures that a plan asks to take again (assumption: a quarter of an hour).
MOST_RETESTS = 3


def plan_of(
    pieces: Sequence[Advice],
    leg_imbalances: Sequence[Imbalance],
    hurting: Sequence[Side],
    flags: Sequence[Flag],
) -> Plan | None:
    """The plan of one answer.

    Parameters
    ----------
    pieces
        Its advice, in the order in which it is to be read.
    leg_imbalances
        Its imbalances, of both legs.
    hurting
        The knees that hurt now.
    flags
        Its red flags, none of which is urgent.

    Returns
    -------
    The plan; None where none of the advice is something to do.
    """
    chosen = _chosen(pieces, is_hurting=bool(hurting))
    if not chosen:
        return None
    return Plan(
        items=[_item(piece, leg_imbalances) for piece in chosen],
        stop=chosen[0].stop_rule,
        test_again=_test_again(chosen, leg_imbalances),
        see=_whom_to_see(hurting, flags),
    )


def _chosen(pieces: Sequence[Advice], *, is_hurting: bool) -> list[Advice]:
    """The first piece of each topic, then the second of each; an exercise stands once."""
    by_exercise: dict[str, Advice] = {}
    for piece in pieces:
        if piece.code in exercises_by_advice():
            by_exercise.setdefault(exercises_by_advice()[piece.code].exercise, piece)
    topics: dict[str, list[Advice]] = {}
    for piece in by_exercise.values():
        topics.setdefault(piece.about, []).append(piece)
    queues = sorted(topics.values(), key=lambda topic: is_hurting and topic[0].about != "everyone")
    in_turn = [piece for turn in zip_longest(*queues) for piece in turn if piece]
    return in_turn[:MOST_ITEMS]


def _item(piece: Advice, leg_imbalances: Sequence[Imbalance]) -> PlanItem:
    exercise = exercises_by_advice()[piece.code]
    return PlanItem(
        code=piece.code,
        title=sentence(variant("answer.summary.action", piece.code)).removesuffix("."),
        sides=piece.sides if piece.about in imbalances() else [],
        exercise=exercise.exercise,
        dose=_named_dose(exercise) or piece.dose,
        dose_untested=True if exercise.sets and exercise.assumption else None,
        why=_why(piece, leg_imbalances),
        grade=piece.grade,
        sources=piece.sources,
    )


def dose(exercise: Exercise) -> str | None:
    """How much of an exercise, such as three times 30 s every day; None of what is no exercise."""
    count = exercise.days_per_week
    if not exercise.sets or not count:
        return None
    days = text("answer.plan.days.daily") if count == 7 else plural("answer.plan.days", count)
    hold, repeats = exercise.hold_seconds, exercise.repeats
    kind = "both" if hold and repeats else "hold" if hold else "repeats"
    return variant(
        "answer.plan.dose", kind, sets=exercise.sets, repeats=repeats, hold=hold, days=days
    )


def _named_dose(exercise: Exercise) -> str | None:
    amount_of_it = dose(exercise)
    if amount_of_it is None:
        return None
    return text("answer.plan.exercise", name=exercise.name, dose=amount_of_it)


def _why(piece: Advice, leg_imbalances: Sequence[Imbalance]) -> str:
    """The value that speaks most for the piece, else what the advice itself says."""
    rows = _rows_for(piece, leg_imbalances)
    if not rows:
        is_for_all = piece.reason == conditions()["always"].reason
        return piece.text if is_for_all else piece.reason
    side, row = max(rows, key=lambda side_and_row: abs(side_and_row[1].z))
    usual = row.typical.mean if row.usual is None else row.usual
    return text(
        "answer.plan.value",
        label=row.label.partition(",")[0],
        side=side,
        value=amount(row.value, row.unit),
        usual=amount(usual, row.unit),
        error=amount(row.error, row.unit),
    )


def _rows_for(piece: Advice, leg_imbalances: Sequence[Imbalance]) -> list[tuple[Side, PatternRow]]:
    """The values that speak for the pattern that a piece is about, with their leg, right first."""
    own = [known for known in named(leg_imbalances) if known.name == piece.about]
    return [
        (side, row)
        for side in SHOWN
        for known in own
        if known.side == side and side in piece.sides
        for row in known.pattern
        if row.speaks == "for"
    ]


def _test_again(chosen: Sequence[Advice], leg_imbalances: Sequence[Imbalance]) -> TestAgain:
    weeks = round(assumption("retest_weeks"))
    rows = {row.measure: row for piece in chosen for _, row in _rows_for(piece, leg_imbalances)}
    again = sorted(rows.values(), key=lambda row: -abs(row.z))[:MOST_RETESTS]
    if not again:
        return TestAgain(
            weeks=weeks, measures=[], text=text("answer.plan.test_again_any", weeks=weeks)
        )
    first = again[0]
    measures = listed([in_sentence(row.label) for row in again])
    change = first.error * MDC_PER_SEM / READING_PER_SEM
    sentences = [
        text("answer.plan.test_again", weeks=weeks, measures=measures),
        text(
            "answer.plan.only_beyond_error",
            measure=in_sentence(first.label),
            change=amount(change, first.unit),
        ),
    ]
    return TestAgain(weeks=weeks, measures=[row.measure for row in again], text=" ".join(sentences))


def _whom_to_see(hurting: Sequence[Side], flags: Sequence[Flag]) -> str:
    if flags:
        return text("answer.plan.see.soon", when=flags[0].when, reason=flags[0].reason)
    if len(hurting) == len(SHOWN):
        return text("answer.plan.see.both_hurt")
    if hurting:
        return text("answer.plan.see.hurts", side=hurting[0])
    return text("answer.plan.see.coach")
