"""The hazard by week beside the updated model: fitted in the same folds, and which is proposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.knee_weeks import KneeWeeks
from kneerisk.evaluation.evaluation import cross_validated
from kneerisk.evaluation.internal_external_validation import INTERCEPT_LIMIT
from kneerisk.evaluation.left_out_folds import predict_left_out
from kneerisk.evaluation.run_verdict import SLOPE_HIGH, SLOPE_LOW
from kneerisk.evaluation.task_rows import Risks, risks_of
from kneerisk.evidence import assumption
from kneerisk.evidence.pair_dependence import either
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit_inputs import dealt_folds
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.fitting.weekly_hazard import WeeklyHazard, fit_weekly_hazard
from kneerisk.training.updating.club_likelihood import Club, club_of
from kneerisk.training.updating.correction_fit import fit_slope
from kneerisk.training.updating.corrections import corrected

Proposed = Literal["risk_of_the_horizon", "weekly_hazard"]
#: The hazard's name among models that are compared out of fold.
NAME = "hazard"
#: By which they are compared where nothing else is (assumption: five are the usual choice).
FOLDS = 5


def compare_hazard(
    model: RiskModel, cohort: Cohort, weeks: KneeWeeks, seed: int = SEED
) -> dict[str, float]:
    """A model's risks with level and slope corrected, and the hazard around them, out of fold.

    Parameters
    ----------
    model
        Whose risks they are.
    cohort
        Athletes whom it has not seen.
    weeks
        Of the cohort's screenings, in the same order.
    seed
        Of the folds by person.

    Returns
    -------
    `cv_` metrics of the risk of the horizon, `cv_hazard_` of the hazard, and how much more log loss
    the first has (`cv_log_loss_over_hazard`). Empty where there is too little pain.
    """
    club = club_of(model, cohort)
    beside = HazardBeside.of(model, club, weeks)

    def fit_and_predict(
        train: NDArray[np.bool_], test: NDArray[np.bool_]
    ) -> dict[str, Risks | None]:
        own = corrected(model, fit_slope(club.take(train)))
        return {"model": risks_of(own.predict_features(club.legs.take(test))),
                NAME: beside.predict(train, test)}  # fmt: skip

    folds = dealt_folds(club.athletes, club.labels, FOLDS, seed)
    risks = predict_left_out(cohort, folds, fit_and_predict)
    if NAME not in risks:
        return {}
    metrics = cross_validated(cohort, [risks["model"]], {NAME: [risks[NAME]]})
    return metrics | beside.training_metrics()


@dataclass(frozen=True, slots=True, eq=False)
class HazardBeside:
    """Fits hazards around a champion's risks.

    Attributes
    ----------
    weeks
        Of n visits.
    told
        The champion's risks of both knees, NaN where it tells none, shape (n, 2).
    athletes
        Whose visits they are, shape (n,).
    odds_ratio
        Between the two knees of an athlete.
    """

    weeks: KneeWeeks
    told: FloatArray
    athletes: NDArray[np.generic]
    odds_ratio: float

    @classmethod
    def of(cls, model: RiskModel, club: Club, weeks: KneeWeeks) -> HazardBeside:
        """Around a champion.

        Parameters
        ----------
        model
            The champion; it tells of each knee.
        club
            Of the same champion.
        weeks
            Of the club's visits, in the same order.

        Returns
        -------
        HazardBeside
            Of all its visits.
        """
        risks = risks_of(model.predict_features(club.legs))
        told = np.stack([np.asarray(risks.left), np.asarray(risks.right)], axis=1)
        return cls(weeks, told, club.athletes, model.odds_ratio or 1.0)

    def fit(self, visits: NDArray[np.bool_]) -> WeeklyHazard | None:
        """The hazard of some visits.

        Parameters
        ----------
        visits
            Which visits to learn from, shape (n,).

        Returns
        -------
        None where new pain began in fewer knees than a slope takes.
        """
        weeks = self.weeks
        rows = (
            weeks.may_hurt & visits[weeks.visit] & np.isfinite(self.told[weeks.visit, weeks.side])
        )
        events = len(np.unique(2 * weeks.visit[rows] + weeks.side[rows]))
        if events < assumption("club_slope_events"):
            return None
        return fit_weekly_hazard(weeks, self.told, self.athletes, visits)

    def predict(self, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> Risks | None:
        """Risks of the horizon, as the hazard of some visits gives them at other ones.

        Parameters
        ----------
        train
            Which visits to learn from, shape (n,).
        test
            Which visits to tell of, shape (n,).

        Returns
        -------
        None where there is too little pain to learn from.
        """
        hazard = self.fit(train)
        if hazard is None:
            return None
        minutes = self.weeks.minutes_at_visit[test]
        left, right = (_where_told(hazard, risk, minutes) for risk in self.told[test].T)
        return Risks(left, right, either(left, right, self.odds_ratio))

    def training_metrics(self) -> dict[str, float]:
        """How many times the hazard twice the training goes with, of all visits."""
        hazard = self.fit(np.ones(len(self.told), dtype=np.bool_))
        ratio = None if hazard is None else hazard.training_ratio()
        if ratio is None:
            return {}
        return {f"hazard_training_ratio{end}": value
                for end, value in zip(("", "_low", "_high"), ratio, strict=True)}  # fmt: skip


def _where_told(hazard: WeeklyHazard, risk: FloatArray, minutes: FloatArray) -> FloatArray:
    known = np.isfinite(risk)
    found = np.full(len(risk), np.nan)
    found[known] = hazard.risk(risk[known], minutes[known])
    return found


def proposal(metrics: Mapping[str, float]) -> Proposed | None:
    """Which of the two is proposed to a person.

    Parameters
    ----------
    metrics
        Out of fold, of left-out groups or of folds by person.

    Returns
    -------
    The hazard where it saves more log loss than one standard error and its level and slope are
    within the limits of the gates, or no further off than those of the other; None where none was
    fitted.
    """
    prefix = "iecv_" if f"iecv_{NAME}_log_loss" in metrics else "cv_"
    if f"{prefix}{NAME}_log_loss" not in metrics:
        return None
    saved = metrics[f"{prefix}log_loss_over_{NAME}"]
    is_better = saved > metrics[f"{prefix}log_loss_over_{NAME}_error"]
    off, off_beside = _off(metrics, prefix), _off(metrics, f"{prefix}{NAME}_")
    is_calibrated = all(
        its <= max(limit, other) for its, other, limit in zip(off_beside, off, _LIMITS, strict=True)
    )
    return "weekly_hazard" if is_better and is_calibrated else "risk_of_the_horizon"


#: How far level and logarithm of the slope may be off, as in the gates.
_LIMITS = (INTERCEPT_LIMIT, float(min(-np.log(SLOPE_LOW), np.log(SLOPE_HIGH))))


def _off(metrics: Mapping[str, float], prefix: str) -> tuple[float, float]:
    """How far level and logarithm of the slope are off; infinite where they can't be measured."""
    slope = metrics.get(f"{prefix}calibration_slope", 0.0)
    return (abs(metrics.get(f"{prefix}calibration_intercept", np.inf)),
            abs(float(np.log(slope))) if slope > 0.0 else np.inf)  # fmt: skip
