"""From the records to arrays: the told risks of knees and of athletes, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.monitoring.followed_risks import FollowedRisks
from kneerisk.records.database import RecordsFailed
from kneerisk.records.followed_legs import FollowedLeg, followed_legs
from kneerisk.records.tables import Answer, Athlete, Club, Visit
from kneerisk.words import text


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoredAnswers:
    """What was told about new pain and what became of it.

    Attributes
    ----------
    legs
        Both knees of every answer.
    either
        The told risk of either knee, by answer, where one was told.
    clubs
        Names of clubs by row number.
    """

    legs: tuple[FollowedLeg, ...]
    either: Mapping[str, float]
    clubs: Mapping[int, str]

    @property
    def versions(self) -> list[str]:
        """Versions by their first visit."""
        return list(dict.fromkeys(leg.version for leg in self.legs))

    def of_version(self, version: str) -> MonitoredAnswers:
        """The answers of one version."""
        return MonitoredAnswers(
            legs=tuple(leg for leg in self.legs if leg.version == version),
            either=self.either, clubs=self.clubs,
        )  # fmt: skip

    def required_version(self, version: str | None) -> str:
        """A version that has answers.

        Parameters
        ----------
        version
            Its name; None for the version of the newest visit.

        Returns
        -------
        The name.

        Raises
        ------
        RecordsFailed
            Where the records hold no answer of it, or none at all.
        """
        if not self.legs:
            raise RecordsFailed(text("monitoring.no_answers"))
        if version is not None and version not in self.versions:
            raise RecordsFailed(text("monitoring.no_version", version=version))
        return version or self.legs[-1].version

    def newest_screenings(self) -> list[Mapping[str, Any]]:
        """The newest screening of each athlete, as it was sent."""
        return list({leg.athlete_id: leg.screening for leg in self.legs}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """Followed risks, and the first leg that each row is of, for its labels."""

    rows: FollowedRisks
    legs: tuple[FollowedLeg, ...]


def read_answers(session: Session, club_id: int | None, today: date) -> MonitoredAnswers:
    """Everything that was told about new pain, and what became of it.

    Parameters
    ----------
    session
        Of the records.
    club_id
        Whose athletes; None for those of all clubs.
    today
        Nothing of later days is used.

    Returns
    -------
    The answers.
    """
    told = select(Answer.id, Answer.told).join(Visit, Answer.visit_id == Visit.id)
    if club_id is not None:
        told = told.join(Athlete, Visit.athlete_id == Athlete.id).where(Athlete.club_id == club_id)
    either = {
        answer_id: numbers["risk"]["either"]["probability"]
        for answer_id, numbers in session.execute(told)
        if "either" in numbers.get("risk", {})
    }
    clubs = {club.id: club.name for club in session.scalars(select(Club))}
    legs = followed_legs(session, club_id, today)
    return MonitoredAnswers(legs=tuple(legs), either=either, clubs=clubs)


def knee_rows(answers: MonitoredAnswers) -> LabelledRows:
    """Each knee that was told a risk and could get new pain; the two of an athlete are alike."""
    legs = [leg for leg in answers.legs if leg.at_risk and leg.risk is not None]
    told = [(leg, leg.risk) for leg in legs if leg.risk is not None]
    return _labelled([(leg, risk, _end(leg)) for leg, risk in told])


def athlete_rows(answers: MonitoredAnswers) -> LabelledRows:
    """Each athlete once an answer: pain in either knee, or in the one that could get new pain.

    An athlete is followed as long as each of the knees at risk is.
    """
    by_answer: dict[str, list[FollowedLeg]] = defaultdict(list)
    for leg in answers.legs:
        if leg.at_risk:
            by_answer[leg.answer_id].append(leg)
    found = []
    for answer_id, legs in by_answer.items():
        both = answers.either.get(answer_id) if len(legs) == 2 else None
        alone = legs[0].risk if len(legs) == 1 else None
        risk = alone if both is None else both
        if risk is not None:
            end, is_event = min((_end(leg) for leg in legs), key=lambda one: (one[0], not one[1]))
            found.append((legs[0], risk, (end, is_event)))
    return _labelled(found)


def newest_told(labelled: LabelledRows) -> LabelledRows:
    """Each athlete's time under the risk that was told last (`FollowedRisks.newest_told`)."""
    numbered = replace(labelled.rows, place=np.arange(len(labelled.legs)))
    newest = numbered.newest_told()
    return LabelledRows(rows=newest, legs=tuple(labelled.legs[place] for place in newest.place))


def _end(leg: FollowedLeg) -> tuple[float, bool]:
    """When a knee's look-out ended, as a day number, and whether with new pain."""
    if leg.onset is None:
        return float(leg.followed_until.toordinal()), False
    first, last = leg.onset
    return (first.toordinal() + last.toordinal()) / 2, True


def _labelled(
    found: Sequence[tuple[FollowedLeg, float, tuple[float, bool]]],
) -> LabelledRows:
    legs = tuple(leg for leg, _, _ in found)

    def array(values: Iterable[float]) -> np.ndarray:
        return np.array(list(values), dtype=np.float64)

    rows = FollowedRisks(
        risk=array(risk for _, risk, _ in found),
        horizon_days=array(leg.horizon_days for leg in legs),
        start=array(leg.visit_day.toordinal() for leg in legs),
        stop=array(end for _, _, (end, _) in found),
        event=np.array([is_event for _, _, (_, is_event) in found], dtype=bool),
        athlete=np.array([leg.athlete_id for leg in legs], dtype=np.intp),
        place=np.arange(len(legs)),
    )  # fmt: skip
    return LabelledRows(rows=rows, legs=legs)
