"""Baselines of a model: plain logistic regression, confounders alone, the base rate.

Ridge logistic regression (le Cessie & van Houwelingen 1992, Appl Stat 41:191) on median-imputed,
standardised columns, its penalty chosen by cross-validation over athletes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import folds
from kneerisk.evaluation.baseline_features import Design, logistic_design, n_screenings
from kneerisk.evaluation.task_rows import Risks
from kneerisk.schema import SIDES, Columns, FloatArray

#: Weights of the data against the ridge penalty (scikit-learn's C), from shrinking most to least.
_WEIGHTS = (0.0001, 0.001, 0.01, 0.1, 1.0)
#: With more rows than this, the penalty no longer matters and is not searched for.
_ROWS_TO_SEARCH = 25_000
_FOLDS = 5
#: For a finer search: more weights, and with few rows, where how they fall into folds would decide,
#: folds that are dealt several times.
_FINE_WEIGHTS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_FEW_ROWS, _DEALS = 1_000, 3
#: What differs between athletes and places but is not about the knee. A model that does no better
#: than these has learnt who was measured where.
CONFOUNDERS = ("age_years", "sex", "height_cm", "mass_kg", "run_speed_mps")
#: A test fold may hold one kind of outcome only.
_SCORE = make_scorer(
    log_loss, greater_is_better=False, response_method="predict_proba", labels=[0.0, 1.0]
)


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """A fitted pipeline: median imputation, standardisation, ridge logistic regression."""

    pipeline: Pipeline

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Probabilities of the outcome.

        Parameters
        ----------
        matrix
            Columns as fitted, shape (n, p), missing as NaN.

        Returns
        -------
        Shape (n,).
        """
        return np.asarray(self.pipeline.predict_proba(matrix)[:, 1], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LogisticBaseline:
    """Logistic regressions on what was measured: one for legs, one for either knee."""

    design: Design
    leg: LogisticModel | None
    either: LogisticModel | None

    def predict(self, data: Columns) -> Risks:
        """Risks of screenings.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.

        Returns
        -------
        Those of the tasks that could be fitted.
        """
        left, right = (
            self.leg.predict(self.design.leg_matrix(data, side)) if self.leg else None
            for side in SIDES
        )
        either = self.either.predict(self.design.either_matrix(data)) if self.either else None
        return Risks(left=left, right=right, either=either)


@dataclass(frozen=True, slots=True)
class PriorBaseline:
    """The base rate of the athletes trained on, for everyone."""

    leg: float | None
    either: float | None

    def predict(self, data: Columns) -> Risks:
        """The same risks for every screening.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.

        Returns
        -------
        Those of the tasks that have a base rate.
        """
        n = n_screenings(data)
        leg = None if self.leg is None else np.full(n, self.leg)
        return Risks(leg, leg, None if self.either is None else np.full(n, self.either))


def fit_baselines(cohort: Cohort, seed: int) -> dict[str, LogisticBaseline | PriorBaseline]:
    """All baselines, by the name that prefixes their metrics."""
    return {
        "logistic": fit_logistic(cohort, logistic_design(), seed),
        "control": fit_logistic(cohort, Design(CONFOUNDERS, ()), seed),
        "prior": fit_prior(cohort),
    }


def fit_logistic(cohort: Cohort, design: Design, seed: int) -> LogisticBaseline:
    """Fit on the screenings with an outcome.

    Parameters
    ----------
    cohort
        The athletes to train on.
    design
        Which measures are read.
    seed
        Of the folds in which the penalty is chosen.

    Returns
    -------
    Without a model for a task that has only one kind of outcome.
    """
    data, outcomes = cohort.columns(), cohort.outcomes()
    athlete = cohort.frame["athlete_id"].astype(str).to_numpy()
    leg = None
    if cohort.has_sides:
        matrix = np.vstack([design.leg_matrix(data, side) for side in SIDES])
        outcome = np.concatenate([outcomes.left, outcomes.right])
        leg = fit_linear(matrix, outcome, np.tile(athlete, 2), seed)
    return LogisticBaseline(
        design=design,
        leg=leg,
        either=fit_linear(design.either_matrix(data), outcomes.either, athlete, seed),
    )


def fit_prior(cohort: Cohort) -> PriorBaseline:
    """The share of known outcomes that were pain."""
    outcomes = cohort.outcomes()
    legs = np.concatenate([outcomes.left, outcomes.right])
    return PriorBaseline(
        leg=_rate(legs) if cohort.has_sides else None, either=_rate(outcomes.either)
    )


def fit_linear(
    matrix: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.object_],
    seed: int,
    *,
    fine: bool = False,
) -> LogisticModel | None:
    """Ridge logistic regression, its penalty chosen by cross-validation over athletes.

    Parameters
    ----------
    matrix
        Columns, shape (n, p), missing as NaN.
    outcome
        0 or 1, shape (n,), NaN where it is not known.
    athlete
        Whom each row is of, shape (n,): no athlete is on both sides of a fold.
    seed
        Of the folds.
    fine
        Search the penalty finely.

    Returns
    -------
    None where there is only one kind of outcome.
    """
    known = np.isfinite(outcome)
    x, y, athlete = matrix[known], outcome[known], athlete[known]
    if len(np.unique(y)) < 2:
        return None
    pipeline = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=_WEIGHTS[-1], max_iter=2_000),
    )
    splits = _splits(y, athlete, seed, _DEALS if fine and len(y) <= _FEW_ROWS else 1)
    if len(y) > _ROWS_TO_SEARCH or not splits:
        return LogisticModel(pipeline.fit(x, y))
    grid = {"logisticregression__C": _FINE_WEIGHTS if fine else _WEIGHTS}
    search = GridSearchCV(pipeline, grid, scoring=_SCORE, cv=splits)
    return LogisticModel(search.fit(x, y).best_estimator_)


def _splits(
    outcome: FloatArray, athlete: NDArray[np.object_], seed: int, deals: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows to train and to test on: folds of athletes, where both outcomes can be trained on."""
    splits = []
    for deal in range(deals):
        fold = folds(athlete, _FOLDS, seed + 1_000 * deal)
        for number in np.unique(fold):
            train = fold != number
            if len(np.unique(outcome[train])) == 2:
                splits.append((np.flatnonzero(train), np.flatnonzero(~train)))
    return splits


def _rate(outcome: FloatArray) -> float | None:
    known = outcome[np.isfinite(outcome)]
    return float(known.mean()) if len(known) else None
