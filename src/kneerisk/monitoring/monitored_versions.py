"""Each version over the athletes of all clubs, as numbers for a program that watches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from kneerisk.monitoring.monitored_answers import read_answers
from kneerisk.monitoring.monitoring_report import monitor
from kneerisk.monitoring.report_lines import FEWEST_TOLD

#: Of fewer athletes nothing is given: a count that goes up by one would be somebody (assumption).
FEWEST_ATHLETES = 20
#: The metrics of a report that are given, in its own names.
GIVEN = (
    "athletes", "observed", "told", "observed_over_told", "observed_over_told_low",
    "observed_over_told_high", "alarm", "lost_share", "overdue",
)  # fmt: skip


def monitored_versions(session: Session, today: date) -> dict[str, Mapping[str, float]]:
    """What `MonitoringReport.metrics` says of each version, without a word of clubs.

    Parameters
    ----------
    session
        Of the records.
    today
        The day of the look.

    Returns
    -------
    By version, the metrics of `GIVEN` that can be measured; versions that answered fewer than
    `FEWEST_ATHLETES` are left out.
    """
    answers = read_answers(session, None, today)
    found: dict[str, Mapping[str, float]] = {}
    for version in answers.versions:
        metrics = monitor(answers, version, today).metrics()
        if metrics["athletes"] < FEWEST_ATHLETES:
            continue
        names = [name for name in GIVEN if name in metrics]
        if metrics["told"] < FEWEST_TOLD:
            names = [name for name in names if not name.startswith("observed_over_told")]
        found[version] = {name: metrics[name] for name in names}
    return found
