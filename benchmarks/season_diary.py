"""A simulated club's year: whose knees hurt when, and what is told of it.

Athletes are asked once a week about each
knee, now and then don't answer, and some stop. The medical staff keeps a list of cases, most of
which are no knees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort import Cohort
from kneerisk.cohort.file_screenings import screenings_of
from kneerisk.schema import SIDES, FloatArray

HORIZON_DAYS, WEEK_DAYS = 365, 7
#: Reports go on for four weeks after the horizon, so that missing ones at its end are bridged.
LAST_DAY = HORIZON_DAYS + 4 * WEEK_DAYS
#: Of the weekly reports, and of the athletes over a year (as in `benchmarks.calibration_alarm`).
MISSED_REPORTS, STOP_IN_A_YEAR = 0.2, 0.2
#: Days that pain lasts: median, and SD of the logarithm (assumptions).
PAIN_DAYS, PAIN_SPREAD = 35.0, 0.5
#: A year: traumatic knee injuries of an athlete, and injuries elsewhere (assumptions).
KNEE_INJURIES, OTHER_INJURIES = 0.03, 0.6
#: Of gradual pain, what the list of cases has: 40 of 419 problems (Clarsen 2013, BJSM 47:495).
IN_CASE_LIST = 40 / 419
#: OSIICS 15 codes and body areas of the cases.
GRADUAL, TRAUMATIC = ("KT2", "Knee"), ("KL3", "Knee")
ELSEWHERE = (("QM1", "Lower leg"), ("AL1", "Ankle"), ("TM1", "Thigh"))
CASE_COLUMNS = ("player_id", "date_event", "problem_type", "onset", "body_area", "side",
                "timeloss", "osiics_15_code")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """What becomes of the athletes in the year after their screening; days count from it.

    Attributes
    ----------
    athletes
        Their ids, n of them.
    cohort
        Their screenings, with the outcomes that nobody sees in full.
    true_risk
        Of each knee, shape (n, 2).
    pain
        The first and the last day of pain, infinite where there is none, shape (n, 2, 2).
    injury
        The day of a traumatic knee injury, infinite where there is none, shape (n,).
    injured_side
        The knee, shape (n,).
    answered
        The days on which an athlete answers the weekly question.
    cases
        The list of cases: a day, and the cells of its row.
    first_day
        The day of the screening.
    """

    athletes: tuple[str, ...]
    cohort: Cohort
    true_risk: FloatArray
    pain: FloatArray
    injury: FloatArray
    injured_side: np.ndarray
    answered: tuple[FloatArray, ...]
    cases: tuple[tuple[float, tuple[str, ...]], ...]
    first_day: date

    @classmethod
    def draw(
        cls, athletes: tuple[str, ...], cohort: Cohort, true_risk: FloatArray, hurts: np.ndarray,
        first_day: date, rng: np.random.Generator,
    ) -> Season:  # fmt: skip
        """Draw when things happen and what is told of them.

        Parameters
        ----------
        athletes
            Ids, n of them.
        cohort
            Their screenings in the same order.
        true_risk
            Of each knee, shape (n, 2).
        hurts
            Which knees get pain within the horizon, shape (n, 2).
        first_day
            The day of the screening.
        rng
            Source of chance.

        Returns
        -------
        Season
            The year.
        """
        n = len(athletes)
        # The hazard is even over the year.
        chance = np.clip(rng.random((n, 2)) * true_risk, 1e-12, None)
        onset = HORIZON_DAYS * np.log1p(-chance) / np.log1p(-true_risk)
        onset = np.where(hurts, np.ceil(onset), np.inf)
        lasts = rng.lognormal(np.log(PAIN_DAYS), PAIN_SPREAD, (n, 2)).round()
        injury = np.ceil(rng.exponential(HORIZON_DAYS / KNEE_INJURIES, n))
        injury = np.where(injury <= LAST_DAY, injury, np.inf)
        weekday = rng.integers(1, WEEK_DAYS + 1, n)
        days = weekday[:, None] + WEEK_DAYS * np.arange(LAST_DAY // WEEK_DAYS)
        stops = rng.exponential(-HORIZON_DAYS / np.log1p(-STOP_IN_A_YEAR), n)
        is_told = (rng.random(days.shape) >= MISSED_REPORTS) & (
            days < np.minimum(stops, injury)[:, None]
        )
        season = cls(
            athletes=athletes, cohort=cohort, true_risk=true_risk,
            pain=np.stack([onset, onset + lasts], axis=2), injury=injury,
            injured_side=rng.integers(0, 2, n),
            answered=tuple(row[told].astype(np.float64) for row, told in zip(days, is_told,
                                                                             strict=True)),
            cases=(), first_day=first_day,
        )  # fmt: skip
        return season._with_cases(rng)

    def _with_cases(self, rng: np.random.Generator) -> Season:
        """The same with what the medical staff writes down."""
        cases: list[tuple[float, tuple[str, ...]]] = []
        for place, athlete in enumerate(self.athletes):
            injury = self.injury[place]
            if np.isfinite(injury):
                side = SIDES[self.injured_side[place]]
                cases.append(self._case(athlete, injury, "Sudden-onset", TRAUMATIC, side, 45))
            for side, onset in zip(SIDES, self.pain[place, :, 0], strict=True):
                if onset < injury and rng.random() < IN_CASE_LIST:
                    cases.append(self._case(athlete, onset, "Gradual-onset", GRADUAL, side, 10))
            for _ in range(rng.poisson(OTHER_INJURIES * LAST_DAY / HORIZON_DAYS)):
                day, what = (
                    float(rng.integers(1, LAST_DAY)),
                    ELSEWHERE[rng.integers(len(ELSEWHERE))],
                )
                side = SIDES[rng.integers(2)]
                cases.append(self._case(athlete, day, "Sudden-onset", what, side, 14))
        fields = {name: getattr(self, name) for name in Season.__dataclass_fields__}
        return Season(**{**fields, "cases": tuple(sorted(cases))})

    def _case(
        self, athlete: str, day: float, onset: str, what: tuple[str, str], side: str, lost: int
    ) -> tuple[float, tuple[str, ...]]:
        code, area = what
        cells = (athlete, self.date_of(day), "Injury", onset, area, side, str(lost), code)
        return float(day), cells

    def date_of(self, day: float) -> str:
        """A day as ISO text."""
        return (self.first_day + timedelta(days=int(day))).isoformat()

    def screenings(self) -> list[dict[str, Any]]:
        """What was measured of each athlete, as a service takes it."""
        return [
            one.model_dump(mode="json", exclude_none=True, exclude_unset=True)
            for one in screenings_of(self.cohort.frame)
        ]

    def cases_until(self, day: float) -> pd.DataFrame:
        """The list of cases as it is on a day."""
        return pd.DataFrame([row for on, row in self.cases if on <= day], columns=CASE_COLUMNS)

    def reports(self, after: float, until: float) -> list[dict[str, Any]]:
        """What athletes answer on some days, as the service takes it.

        Parameters
        ----------
        after
            The day before the first of these.
        until
            The last one.

        Returns
        -------
        Check-ins and, where a knee hurts, the pain; said again while it lasts.
        """
        return [
            report
            for place in range(len(self.athletes))
            for day in self.answered[place]
            if after < day <= until
            for report in self._told(place, day)
        ]

    def _told(self, place: int, day: float) -> Iterator[dict[str, Any]]:
        """One answer: how each knee was in the seven days until it."""
        hurts = (self.pain[place, :, 0] <= day) & (self.pain[place, :, 1] > day - WEEK_DAYS)
        about = {"athlete": self.athletes[place]}
        covered = {"first_day": self.date_of(max(day - WEEK_DAYS + 1, 1)),
                   "last_day": self.date_of(day)}  # fmt: skip
        if not hurts.any():
            yield about | covered | {"kind": "check_in", "knee_problem": False}
            return
        for side, hurt, (onset, _) in zip(SIDES, hurts, self.pain[place], strict=True):
            yield about | covered | {"kind": "check_in", "side": side, "knee_problem": bool(hurt)}
            if hurt:
                yield about | self._pain(place, onset, day) | {"kind": "knee_pain", "side": side}

    def _pain(self, place: int, onset: float, day: float) -> dict[str, str]:
        """Pain as it is known: it began between two answers."""
        days = self.answered[place]
        before = days[days < onset].max(initial=0.0)
        first = days[days >= onset].min()
        return {"first_day": self.date_of(before + 1), "last_day": self.date_of(first),
                "last_reported": self.date_of(day)}  # fmt: skip
