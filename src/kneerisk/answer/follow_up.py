"""What became of an athlete between visits: which changes are real, and which within error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.compose_answer import answers
from kneerisk.answer.follow_up_measures import advice_followed, by_chance, changes_of
from kneerisk.answer.follow_up_request import FollowUp, Visit
from kneerisk.answer.follow_up_risks import (
    RiskComparison,
    compare_risks,
    imbalance_changes,
    risk_changes,
)
from kneerisk.answer.follow_up_schema import (
    DatedFlag,
    FollowUpAnswer,
    MeasureChange,
    RiskChange,
    VisitAnswer,
)
from kneerisk.answer.predictions import counting
from kneerisk.answer.risk_and_red_flags import must_refer
from kneerisk.model import Bundle
from kneerisk.schema import coded
from kneerisk.words import plural, text, variant

#: So many measures are named in a sentence.
MOST_NAMED = 5


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
    visit_answers = answers(bundle, [visit.screening for visit in visits])
    changes = changes_of(visits)

    @cache
    def compare(first: int, last: int) -> RiskComparison:
        ends = [coded([visits[i].screening]) for i in (first, last)]
        return compare_risks(latest.model, ends[0], ends[1])

    refer, risks = _refer(visits, visit_answers), risk_changes(visits, visit_answers, compare)
    return FollowUpAnswer(
        refer=refer,
        summary=" ".join([*_refer_sentences(refer), _measures(changes), *_risks(risks)]),
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


def _refer_sentences(refer: Sequence[DatedFlag]) -> list[str]:
    return [
        text(
            "answer.follow_up.refer",
            urgency=noted.flag.urgency,
            date=noted.date.isoformat(),
            reason=noted.flag.reason,
        )
        for noted in refer
    ]


def _measures(changes: Sequence[MeasureChange]) -> str:
    compared = [change for change in changes if change.verdict != "no_error_known"]
    changed = [change for change in compared if change.verdict == "changed"]
    if not compared:
        return text("answer.follow_up.measures.none_compared")
    if not changed:
        return plural("answer.follow_up.measures.none_changed", len(compared))
    groups = []
    for direction in ("better", "worse", "neither"):
        group = [change for change in changed if change.direction == direction]
        if group:
            word = variant("answer.follow_up.measures.direction", direction)
            names = _names(group)
            groups.append(text("answer.follow_up.measures.group", direction=word, names=names))
    return plural(
        "answer.follow_up.measures.changed",
        len(compared),
        changed=len(changed),
        groups="; ".join(groups),
    )


def _names(changes: Sequence[MeasureChange]) -> str:
    labels = [f"{c.label}, {c.side}" if c.side else c.label for c in changes]
    names, more = "; ".join(labels[:MOST_NAMED]), len(labels) - MOST_NAMED
    if more <= 0:
        return names
    return text("answer.follow_up.measures.more", names=names, count=more)


def _risks(risks: Sequence[RiskChange]) -> list[str]:
    """The risk of either knee, or of those that have one."""
    return [
        variant(
            "answer.follow_up.risk",
            risk.verdict,
            knee=variant("shared.knee", risk.knee),
            points=f"{abs(risk.points):.1f}",
        )
        for risk in [risk for risk in risks if risk.knee == "either"] or risks
    ]
