"""The training's own method as a scikit-learn classifier of screenings.

For cross-validation, comparisons and pipelines of one's own. A version that is to be served is made
by `kneerisk train`, which checks more: leaks, calibration, transport.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from kneerisk.cohort import Cohort
from kneerisk.cohort.file_validation import refuse_columns, typed
from kneerisk.cohort.layout import ATHLETE_ID, CONSTANTS, OUTCOMES, WEIGHTS, OutcomeKind
from kneerisk.errors import BadCells
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, FloatArray
from kneerisk.training.fitting.fit import fit, fit_label
from kneerisk.training.fitting.settings import DEFAULTS, SEED, Settings
from kneerisk.words import text

#: How long the athletes of a cohort of new pain are followed, where nothing else is said.
_MONTHS = 12


class KneeRiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Probability of an outcome of knees, from frames of screenings.

    A frame has one row a screening, columns of the data dictionary, as many as were measured, and,
    where athletes were screened more than once, ``athlete_id``: an athlete's screenings stay in one
    fold. A missing cell was not measured, a missing column neither. Outcomes among the columns are
    left aside.

    Parameters
    ----------
    knee
        ``either``: the outcome is of the athlete, and ``y`` has shape (n,), two classes, of which
        the second in sorted order is the outcome. ``legs``: it is of each leg, and ``y`` has shape
        (n, 2), left first: 1, 0, or NaN where it is not known.
    outcome_kind
        Of legs: ``new_pain`` (a leg that hurts has none), ``present_pain``, ``past_injury``.
    seed
        Of the folds inside the fit.
    settings
        Hyperparameters; what is not among them is chosen inside the fit. None: the defaults.

    Attributes
    ----------
    model_ : RiskModel
        What was fitted.
    classes_ : ndarray
        The two classes; of legs, those of each.
    n_features_in_ : int
        How many columns the frame had.
    feature_names_in_ : ndarray
        Their names.
    """

    def __init__(
        self,
        *,
        knee: Literal["either", "legs"] = "either",
        outcome_kind: OutcomeKind = "new_pain",
        seed: int = SEED,
        settings: Settings | None = None,
    ) -> None:
        self.knee = knee
        self.outcome_kind = outcome_kind
        self.seed = seed
        self.settings = settings

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit the model.

        Parameters
        ----------
        X
            n screenings.
        y
            The outcomes, shape (n,) or (n, 2).

        Returns
        -------
        Self
            This classifier, fitted.

        Raises
        ------
        BadCells, CohortRefused
            Where the frame is not one of screenings, or there is too little to learn from.
        ValueError
            Where ``y`` is not of this shape or has not two classes.
        """
        frame = self._rows(X)
        settings = self.settings or DEFAULTS
        if self.knee == "legs":
            cohort = self._cohort(frame.assign(**_of_legs(y, len(frame))))
            self.classes_: Any = [np.array([0, 1])] * len(SIDES)
            model = fit(cohort, seed=self.seed, interval=False, settings=settings).model
        else:
            self.classes_, label = _two_classes(y, len(frame))
            model = fit_label(self._cohort(frame), label, seed=self.seed, settings=settings)
        self.model_: RiskModel = model
        self.n_features_in_ = X.shape[1]
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Any:  # noqa: N803 - scikit-learn's name
        """The probability of each class.

        Parameters
        ----------
        X
            n screenings.

        Returns
        -------
        ndarray
            Shape (n, 2), columns as in `classes_`; of legs a list of two such, left first, as
            scikit-learn's classifiers of several outputs give it.
        """
        check_is_fitted(self)
        prediction = self.model_.predict(self._cohort(self._rows(X)).columns())
        if self.knee == "legs":
            return [_both(getattr(prediction, side)) for side in SIDES]
        return _both(prediction.either)

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:  # noqa: N803 - scikit-learn's name
        """The more probable class, which for what happens to few is mostly that it does not.

        Parameters
        ----------
        X
            n screenings.

        Returns
        -------
        ndarray
            Shape (n,); of legs (n, 2), left first.
        """
        probability = self.predict_proba(X)
        if self.knee == "legs":
            return np.stack([leg.argmax(axis=1) for leg in probability], axis=1)
        return np.asarray(self.classes_[probability.argmax(axis=1)])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        # Columns mean something by their names alone: a matrix has none.
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def _rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame's rows, each checked; without ids everyone is another athlete."""
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(text("training.sklearn.not_a_frame", kind=type(frame).__name__))
        if ATHLETE_ID not in frame:
            frame = frame.assign(**{ATHLETE_ID: [str(place) for place in range(len(frame))]})
        rows = frame.drop(columns=[*CONSTANTS, *OUTCOMES, *WEIGHTS], errors="ignore")
        source = text("cohort.frame")
        refuse_columns(rows.columns, source)
        typed_rows, faults = typed(rows.reset_index(drop=True), range(2, len(rows) + 2))
        if faults:
            raise BadCells(source, faults)
        return typed_rows

    def _cohort(self, frame: pd.DataFrame) -> Cohort:
        months = _MONTHS if self.outcome_kind == "new_pain" else None
        return Cohort(frame, "observed", self.outcome_kind, months, "scikit-learn")


def _two_classes(y: ArrayLike, n: int) -> tuple[NDArray[Any], FloatArray]:
    """The classes in order, and whether each label is the second; refuses anything else."""
    labels = column_or_1d(y, warn=True)
    check_classification_targets(labels)
    if (kind := type_of_target(labels)) != "binary":
        raise ValueError(text("training.sklearn.not_binary", kind=kind))
    classes, codes = np.unique(labels, return_inverse=True)
    if len(labels) != n:
        raise ValueError(text("training.sklearn.other_length", rows=n, labels=len(labels)))
    if len(classes) != 2:
        raise ValueError(text("training.sklearn.not_two_classes", count=len(classes)))
    return classes, codes.astype(np.float64)


def _of_legs(y: ArrayLike, n: int) -> dict[str, FloatArray]:
    """The outcomes of both legs by the columns of a cohort."""
    outcomes = np.asarray(y, dtype=np.float64)
    known = np.isnan(outcomes) | np.isin(outcomes, (0.0, 1.0))
    if outcomes.shape != (n, len(SIDES)) or not known.all():
        raise ValueError(text("training.sklearn.not_of_legs", rows=n))
    return {name: outcomes[:, leg] for leg, name in enumerate(OUTCOMES[: len(SIDES)])}


def _both(probability: FloatArray) -> FloatArray:
    return np.stack([1.0 - probability, probability], axis=1)
