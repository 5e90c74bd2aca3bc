"""What became of an athlete between visits: which changes are real, and which within error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.compose_answer import answers
from kneerisk.answer.follow_up.follow_up_measures import advice_followed, by_chance, changes_of
from kneerisk.answer.follow_up.follow_up_request import FollowUp, Visit
from kneerisk.answer.follow_up.follow_up_risks import (
    RiskComparison,
    compare_risks,
    imbalance_changes,
    risk_changes,
)
from kneerisk.answer.follow_up.follow_up_schema import (
    DatedFlag,
    FollowUpAnswer,
    VisitAnswer,
)
from kneerisk.answer.follow_up.follow_up_summary import summary
from kneerisk.answer.predictions import counting, knowing_own_measures
from kneerisk.answer.risk_and_red_flags import must_refer
from kneerisk.model import Bundle
from kneerisk.schema import coded

#: The parts of a visit's answer that are told, or compared with those of another visit.
_COMPARED = ("red_flags", "risk", "likely", "imbalances", "advice", "model", "notice")


@knowing_own_measures
def follow_up(bundle: Bundle, request: FollowUp) -> FollowUpAnswer:
    """Compare the visits of one athlete.

    Red flags of any visit come first; a visit with one that needs a clinician has no risk, but
    its measures still count.

    Parameters
    ----------
    bundle
        The released model.
    request
        Two or more visits, the earliest first.

    Returns
    -------
    How measures, risks and imbalances changed, and whether the first visit's advice shows.
    """
    visits = request.visits
    latest = counting(bundle, visits[-1].screening.setting)
    visit_answers = answers(bundle, [visit.screening for visit in visits], _COMPARED)
    changes = changes_of(visits)

    @cache
    def compare(first: int, last: int) -> RiskComparison:
        ends = [coded([visits[i].screening]) for i in (first, last)]
        return compare_risks(latest.model, ends[0], ends[1])

    refer, risks = _refer(visits, visit_answers), risk_changes(visits, visit_answers, compare)
    return FollowUpAnswer(
        refer=refer,
        summary=summary(refer, changes, risks),
        any_change=any(change.verdict == "changed" for change in changes),
        visits=[_visit(visit, answer) for visit, answer in zip(visits, visit_answers, strict=True)],
        changes=changes,
        by_chance=by_chance(changes),
        risk_changes=risks,
        imbalance_changes=imbalance_changes(visit_answers, compare),
        advice_shown=advice_followed(visits, visit_answers[0], changes),
        model=visit_answers[-1].model,
        notice=visit_answers[-1].notice,
    )


def _refer(visits: Sequence[Visit], visit_answers: Sequence[Answer]) -> list[DatedFlag]:
    """Flags that need a clinician, the latest visit first."""
    return [
        DatedFlag(date=visit.date, flag=flag)
        for visit, answer in reversed(list(zip(visits, visit_answers, strict=True)))
        for flag in answer.red_flags
        if must_refer([flag])
    ]


def _visit(visit: Visit, answer: Answer) -> VisitAnswer:
    risk = answer.risk
    return VisitAnswer(
        date=visit.date,
        status=risk.status,
        reasons=risk.reasons,
        right=risk.right,
        left=risk.left,
        either=risk.either,
        likely=answer.likely,
    )
