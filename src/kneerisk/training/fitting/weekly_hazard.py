"""A discrete-time hazard of new pain by week, fitted around the risks of a model.

Grouped-time proportional hazards (Prentice & Gloeckler 1978, Biometrics 34:57): the chance of new
pain in a week that was free until then is ``1 - exp(-H)``, and the logarithm of ``H`` is linear in
columns. Without any correction the weeks add up to exactly the risk that the model tells of the
horizon. Fitted are its level and slope, time since the screening and the training before each week.
Pain that began in one of several weeks counts as that (interval censoring), and a knee that was
lost counts for the weeks until then, so that no weights are needed where the columns say who is
lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kneerisk.cohort.knee_weeks import KneeWeeks
from kneerisk.evidence import assumption
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.schema import FloatArray

#: Ridge penalty of time and training per SD: a normal prior of SD 1 in log hazard (assumption).
PENALTY = 1.0
#: Told risks are kept inside these, so that their logarithms are finite.
_LEAST, _MOST = 1e-6, 1.0 - 1e-6
#: Slope of the loss at which a fit is done.
_SMALL_SLOPE = 1e-7
_LEVEL, _SLOPE, _TIME, _TRAINING = 0, 1, slice(2, 4), 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeeklyHazard:
    """The fitted hazard.

    Attributes
    ----------
    weights
        Level, slope, logarithm of the week, week, whether training was recorded and its minutes,
        shape (6,).
    centre, spread
        Of the columns, shape (6,).
    covariance
        Of the weights, with athletes as clusters, shape (6, 6).
    horizon_days
        Of the risks.
    """

    weights: FloatArray
    centre: FloatArray
    spread: FloatArray
    covariance: FloatArray
    horizon_days: int

    def weekly(self, risk: FloatArray, minutes: FloatArray) -> FloatArray:
        """The chance of new pain in each week that was free until then.

        Training is taken to go on as it was: later weeks are not known at the visit.

        Parameters
        ----------
        risk
            Told by the model for the horizon, shape (k,).
        minutes
            Trained a week in the four weeks before the visit, NaN where not recorded, shape (k,).

        Returns
        -------
        Shape (k, weeks).
        """
        return np.asarray(-np.expm1(-self._hazards(risk, minutes)))

    def risk(self, risk: FloatArray, minutes: FloatArray) -> FloatArray:
        """The chance of new pain within the horizon, as told at the visit.

        Parameters
        ----------
        risk
            Told by the model for the horizon, shape (k,).
        minutes
            Trained a week in the four weeks before the visit, NaN where not recorded, shape (k,).

        Returns
        -------
        Shape (k,); that no week brings pain is the product of the weeks.
        """
        return np.asarray(-np.expm1(-self._hazards(risk, minutes).sum(axis=1)))

    def training_ratio(self) -> tuple[float, float, float] | None:
        """How many times the hazard twice the training goes with, and its 95 % interval.

        Returns
        -------
        None where training was not recorded, or did not differ.
        """
        if self.spread[_TRAINING] == 0.0:
            return None
        double = np.log(2.0) / self.spread[_TRAINING]
        error = float(np.sqrt(self.covariance[_TRAINING, _TRAINING]))
        middle = float(self.weights[_TRAINING])
        low, ratio, high = np.exp(double * (middle + NORMAL_95 * error * np.array([-1, 0, 1])))
        return float(ratio), float(low), float(high)

    def _hazards(self, risk: FloatArray, minutes: FloatArray) -> FloatArray:
        weeks = -(-self.horizon_days // 7)
        week = np.tile(np.arange(1, weeks + 1), len(risk))
        days = np.where(week == weeks, self.horizon_days - 7.0 * (weeks - 1), 7.0)
        cumulative, trained = (np.repeat(values, weeks) for values in (risk, minutes))
        columns = _scaled(_columns(cumulative, week, trained), self.centre, self.spread)
        offset = _told_hazard(cumulative, days, self.horizon_days)
        return np.asarray(np.exp(offset + columns @ self.weights)).reshape(-1, weeks)


def fit_weekly_hazard(
    weeks: KneeWeeks, risk: FloatArray, athletes: NDArray[np.generic], visits: NDArray[np.bool_]
) -> WeeklyHazard:
    """Fit the hazard to the weeks of some visits.

    Parameters
    ----------
    weeks
        Of n visits.
    risk
        Told by a model for both knees, NaN where none was, shape (n, 2).
    athletes
        Whose visit each is, shape (n,).
    visits
        Which visits to learn from, shape (n,).

    Returns
    -------
    The penalised maximum likelihood: a normal prior of the slope around 1, as of a club's slope,
    and small weights of time and training.
    """
    told = risk[weeks.visit, weeks.side]
    rows = visits[weeks.visit] & np.isfinite(told)
    columns = _columns(told[rows], weeks.week[rows], weeks.minutes[rows])
    centre, spread = _centre_and_spread(columns)
    centre[_LEVEL], spread[_LEVEL], spread[_SLOPE] = 0.0, 1.0, 1.0
    problem = _Problem(
        x=_scaled(columns, centre, spread),
        offset=_told_hazard(told[rows], weeks.days[rows], weeks.horizon_days),
        may_hurt=weeks.may_hurt[rows],
        knee=np.unique(2 * weeks.visit[rows] + weeks.side[rows], return_inverse=True)[1],
        penalty=np.array([0.0, assumption("club_slope_sd") ** -2.0, *[PENALTY] * 4]),
    )
    start = np.zeros(columns.shape[1])
    fitted = minimize(problem.loss, start, jac=True, hess=problem.hessian, method="trust-exact",
                      options={"gtol": _SMALL_SLOPE})  # fmt: skip
    member = np.unique(athletes[weeks.visit[rows]].astype(str), return_inverse=True)[1]
    return WeeklyHazard(
        weights=np.asarray(fitted.x), centre=centre, spread=spread,
        covariance=problem.clustered_covariance(np.asarray(fitted.x), member),
        horizon_days=weeks.horizon_days,
    )  # fmt: skip


def _centre_and_spread(columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and SD of each column, shape (p,), where it is known; 0 of one that nobody has."""
    known = [column[np.isfinite(column)] for column in columns.T]
    return (np.array([one.mean() if one.size else 0.0 for one in known]),
            np.array([one.std() if one.size else 0.0 for one in known]))  # fmt: skip


def _scaled(columns: FloatArray, centre: FloatArray, spread: FloatArray) -> FloatArray:
    """Columns in SD around their mean; 0 where one is not known or does not differ."""
    differs = spread > 0.0
    found = (columns - centre) / np.where(differs, spread, 1.0)
    return np.nan_to_num(np.where(differs, found, 0.0))


def _columns(risk: FloatArray, week: NDArray[np.intp], minutes: FloatArray) -> FloatArray:
    """Level, told cumulative hazard, time as a fractional polynomial, and training, shape (m, 6).

    Royston & Altman 1994, Appl Stat 43:429. Training is NaN where it was not recorded.
    """
    recorded = np.isfinite(minutes)
    return np.column_stack([
        np.ones(len(week)), np.log(_cumulative(risk)), np.log(week), week.astype(np.float64),
        recorded.astype(np.float64), np.log1p(minutes),
    ])  # fmt: skip


def _cumulative(risk: FloatArray) -> FloatArray:
    return np.asarray(-np.log1p(-np.clip(risk, _LEAST, _MOST)))


def _told_hazard(risk: FloatArray, days: FloatArray, horizon_days: int) -> FloatArray:
    """Logarithm of a week's part of the told cumulative hazard, spread evenly over the days."""
    return np.asarray(np.log(_cumulative(risk) * days / horizon_days))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Problem:
    """Minus the penalised log likelihood; ``x`` (m, p), ``penalty`` (p,), the others (m,)."""

    x: FloatArray
    offset: FloatArray
    may_hurt: NDArray[np.bool_]
    knee: NDArray[np.intp]
    penalty: FloatArray

    def loss(self, weights: FloatArray) -> tuple[float, FloatArray]:
        """The loss and its gradient (p,)."""
        hazard, total = self._hazards(weights)
        painful = total[total > 0.0]
        value = hazard[~self.may_hurt].sum() - np.log(-np.expm1(-painful)).sum()
        value += (self.penalty * weights**2).sum() / 2.0
        return float(value), self.x.T @ self._slopes(hazard, total) + self.penalty * weights

    def hessian(self, weights: FloatArray) -> FloatArray:
        """The Hessian of the loss."""
        hazard, total = self._hazards(weights)
        found = (self.x * self._slopes(hazard, total)[:, None]).T @ self.x
        knees = np.zeros((len(total), self.x.shape[1]))
        np.add.at(knees, self.knee[self.may_hurt],
                  (hazard[:, None] * self.x)[self.may_hurt])  # fmt: skip
        painful = total > 0.0
        # The second derivative of -log(1 - exp(-T)), in a form that does not overflow.
        bend = np.exp(-total[painful]) / np.square(-np.expm1(-total[painful]))
        found += (knees[painful] * bend[:, None]).T @ knees[painful]
        return np.asarray(found + np.diag(self.penalty))

    def clustered_covariance(self, weights: FloatArray, member: NDArray[np.intp]) -> FloatArray:
        """Of the weights, with members as clusters (Liang & Zeger 1986), shape (p, p)."""
        hazard, total = self._hazards(weights)
        scores = np.zeros((member.max(initial=0) + 1, self.x.shape[1]))
        np.add.at(scores, member, self._slopes(hazard, total)[:, None] * self.x)
        inverse = np.linalg.pinv(self.hessian(weights))
        return np.asarray(inverse @ (scores.T @ scores) @ inverse)

    def _hazards(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of each week (m,), and of each knee where pain may have begun (knees,)."""
        hazard = np.exp(self.offset + self.x @ weights)
        total = np.bincount(self.knee, np.where(self.may_hurt, hazard, 0.0))
        return hazard, total.astype(np.float64)

    def _slopes(self, hazard: FloatArray, total: FloatArray) -> FloatArray:
        """Derivative of the loss by the logarithm of each week's hazard, shape (m,)."""
        of_knee = total[self.knee]
        with np.errstate(divide="ignore", over="ignore"):
            painful = -hazard / np.expm1(of_knee)
        return np.where(self.may_hurt, painful, hazard)
