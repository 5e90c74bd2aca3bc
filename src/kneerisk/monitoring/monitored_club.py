"""Monitoring of one club as the service tells it: the version that answered last."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from kneerisk.model.bundle import Bundle
from kneerisk.monitoring.input_drift import drift_of_screenings
from kneerisk.monitoring.monitored_answers import read_answers
from kneerisk.monitoring.monitoring_report import monitor
from kneerisk.monitoring.monitoring_schema import MonitoringAnswer
from kneerisk.monitoring.report_lines import with_to_do


def monitored_club(
    session: Session, club_id: int, today: date, champion: Bundle
) -> MonitoringAnswer | None:
    """The state of the version that answered a club last.

    Parameters
    ----------
    session
        Of the records.
    club_id
        Whose athletes.
    today
        The day of the look.
    champion
        The model that is served; inputs are held against it where it is that version.

    Returns
    -------
    The report, with the sentence that says what to do; None where the club has no answers yet.
    """
    answers = read_answers(session, club_id, today)
    if not answers.legs:
        return None
    version = answers.required_version(None)
    drift = None
    if version == champion.metadata.version:
        newest = answers.of_version(version).newest_screenings()
        drift = drift_of_screenings(champion.model, newest)
    report = monitor(answers, version, today, drift)
    return with_to_do(report)
