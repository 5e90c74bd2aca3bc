"""What became of an athlete between visits: what really changed, and what is within error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.compose_answer import answers
from kneerisk.answer.follow_up.advice_followed import advice_shown
from kneerisk.answer.follow_up.follow_up_request import FollowUp, Visit
from kneerisk.answer.follow_up.follow_up_schema import (
    FlagAt,
    FollowUpAnswer,
    MeasureChange,
    RiskChange,
    VisitTold,
)
from kneerisk.answer.follow_up.measure_changes import by_chance, changes_of
from kneerisk.answer.follow_up.risk_changes import Moves, imbalance_changes, moves, risk_changes
from kneerisk.answer.red_flags import must_refer
from kneerisk.model import Bundle
from kneerisk.schema import coded

#: So many measures are named in a sentence.
_NAMED = 5
_AMONG = "in any of so many"


def follow_up(bundle: Bundle, asked: FollowUp) -> FollowUpAnswer:
    """Compare the visits of one athlete.

    Red flags of any visit come first; a visit with one that needs a clinician has no risk, but
    its measures still count.
    """
    visits = asked.visits
    told = answers(bundle, [visit.screening for visit in visits])
    changes = changes_of(visits)

    @cache
    def between(first: int, last: int) -> Moves:
        ends = [coded([visits[i].screening]) for i in (first, last)]
        return moves(bundle.model, ends[0], ends[1])

    refer, risks = _refer(visits, told), risk_changes(visits, told, between)
    return FollowUpAnswer(
        refer=refer,
        summary=" ".join([*_referred(refer), _measures(changes), *_risks(risks)]),
        any_change=any(change.verdict == "changed" for change in changes),
        visits=[_visit(visit, answer) for visit, answer in zip(visits, told, strict=True)],
        changes=changes,
        by_chance=by_chance(changes),
        risk_changes=risks,
        imbalance_changes=imbalance_changes(told, between),
        advice_shown=advice_shown(visits, told[0], changes),
        model=told[-1].model,
        notice=told[-1].notice,
    )


def _refer(visits: Sequence[Visit], told: Sequence[Answer]) -> list[FlagAt]:
    """Flags that need a clinician, the latest visit first."""
    return [
        FlagAt(date=visit.date, flag=flag)
        for visit, answer in reversed(list(zip(visits, told, strict=True)))
        for flag in answer.red_flags
        if must_refer([flag])
    ]


def _visit(visit: Visit, answer: Answer) -> VisitTold:
    risk = answer.risk
    return VisitTold(
        date=visit.date,
        status=risk.status,
        reasons=risk.reasons,
        right=risk.right,
        left=risk.left,
        either=risk.either,
        likely=answer.likely,
    )


def _referred(refer: Sequence[FlagAt]) -> list[str]:
    return [
        f"See a clinician first ({at.flag.urgency}, noted on {at.date.isoformat()}): "
        f"{at.flag.reason}."
        for at in refer
    ]


def _measures(changes: Sequence[MeasureChange]) -> str:
    compared = [change for change in changes if change.verdict != "no_error_known"]
    changed = [change for change in compared if change.verdict == "changed"]
    if not compared:
        return "No measure with a known error was taken twice, so no change can be told from error."
    taken = "the 1 measure" if len(compared) == 1 else f"the {len(compared)} measures"
    if not changed:
        return f"None of {taken} taken again changed by more than error would show {_AMONG}."
    groups = {
        "better": [change for change in changed if change.direction == "better"],
        "worse": [change for change in changed if change.direction == "worse"],
        "neither better nor worse": [change for change in changed if change.direction == "neither"],
    }
    told = [f"{word}: {_named(of)}" for word, of in groups.items() if of]
    return (
        f"Of {taken} taken again, {len(changed)} changed by more than error would show {_AMONG} "
        f"({'; '.join(told)})."
    )


def _named(changes: Sequence[MeasureChange]) -> str:
    names = [f"{c.label}, {c.side}" if c.side else c.label for c in changes]
    more = len(names) - _NAMED
    return "; ".join(names[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _risks(risks: Sequence[RiskChange]) -> list[str]:
    """The risk of either knee, or of those that have one."""
    either = [risk for risk in risks if risk.knee == "either"] or risks
    told = []
    for risk in either:
        where = "either knee" if risk.knee == "either" else f"the {risk.knee} knee"
        points = f"{abs(risk.points):.1f} points"
        if risk.verdict == "within_error":
            told.append(f"The risk of {where} moved by no more than error alone would move it.")
        else:
            told.append(f"The risk of {where} {risk.verdict} by {points}, which is beyond error.")
    return told
