"""Keeps what a client reports: whose outcome it is, by the club's id or by the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.errors import Fault, KneeriskError
from kneerisk.records.known_outcomes import Kept
from kneerisk.records.outcome_report import OutcomeReport
from kneerisk.records.tables import Answer, Athlete, Visit
from kneerisk.records.visit_records import Reported, record_outcomes
from kneerisk.schema.faults import FaultCode, json_pointer
from kneerisk.words import plural, text


class OutcomesRefused(KneeriskError):
    """Outcomes of answers that the club does not have, or that are of other athletes."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__(plural("service.faults", len(faults)))


def keep_reports(
    session: Session, club_id: int, actor: str, reports: Sequence[OutcomeReport], now: datetime
) -> list[Kept]:
    """Keep outcomes, all or none.

    Parameters
    ----------
    session
        Of the records, writing.
    club_id
        Whose athletes they are.
    actor
        The id of the key that was sent.
    reports
        The outcomes.
    now
        The time, with its time zone.

    Returns
    -------
    The id of each, in the same order.

    Raises
    ------
    OutcomesRefused
        With every outcome of an answer that is not of the club, or not of the stated athlete.
    """
    athletes = _athletes_of_answers(
        session, club_id, {report.answer_id for report in reports if report.answer_id}
    )
    faults = list(_faults(reports, athletes))
    if faults:
        raise OutcomesRefused(faults)
    rows = [
        Reported(
            athlete=report.athlete or athletes[report.answer_id or ""], kind=report.kind,
            side=report.told_side, first_day=report.first_day, last_day=report.told_last_day,
            answer_id=report.answer_id, details=report.details(),
        )
        for report in reports
    ]  # fmt: skip
    return record_outcomes(session, club_id, actor, rows, now)


def _athletes_of_answers(
    session: Session, club_id: int, answer_ids: Iterable[str]
) -> dict[str, str]:
    """The club's id of the athlete of each answer that is of the club."""
    found = (
        select(Answer.id, Athlete.code)
        .join(Visit, Answer.visit_id == Visit.id)
        .join(Athlete, Visit.athlete_id == Athlete.id)
        .where(Athlete.club_id == club_id, Answer.id.in_(sorted(answer_ids)))
    )
    return {row.id: row.code for row in session.execute(found)}


def _faults(reports: Sequence[OutcomeReport], athletes: dict[str, str]) -> Iterator[Fault]:
    for at, report in enumerate(reports):
        if report.answer_id is None:
            continue
        if report.answer_id not in athletes:
            yield Fault(
                pointer=json_pointer("outcomes", at, "answer_id"),
                code=FaultCode.NO_SUCH_ANSWER, message=text("records.report.no_answer"),
            )  # fmt: skip
        elif report.athlete not in (None, athletes[report.answer_id]):
            yield Fault(
                pointer=json_pointer("outcomes", at, "athlete"),
                code=FaultCode.ANOTHER_ATHLETE, message=text("records.report.another_athlete"),
            )  # fmt: skip
