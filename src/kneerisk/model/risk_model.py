"""The fitted model: coded columns of screenings in, risks and imbalances out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.special import expit, logit

from kneerisk.evidence.pair_dependence import either as either_of
from kneerisk.evidence.population import Population
from kneerisk.evidence.risk_factors import threshold_measures
from kneerisk.model.base_rates import BaseRates, Count
from kneerisk.model.contributions import Contributions, Explainer
from kneerisk.model.features import FeatureMatrix, averaged, feature_matrix, sport_of
from kneerisk.model.imbalance_model import ImbalanceModel
from kneerisk.model.imputation import Expected, MeasurementUpdate
from kneerisk.model.intervals import BootstrapInterval, QuantileInterval
from kneerisk.model.logistic_calibration import Calibration
from kneerisk.model.margin import Margin
from kneerisk.model.moved_measures import MovedMeasures
from kneerisk.model.open_variance import OpenVariance
from kneerisk.model.prediction import Prediction
from kneerisk.model.remembered import SentWithoutCaches
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import SIDES, Columns, FloatArray
from kneerisk.schema.columns import with_own_columns
from kneerisk.schema.own_measures import OwnMeasures, own_measures_in_force


@dataclass(frozen=True, kw_only=True)
class RiskModel(SentWithoutCaches):
    """Everything that turns measured values into risks: plain numbers and boosters.

    Measured values become expected true values (`measurement_update`), these the feature matrix,
    and that log-odds: a linear part, trees on top, a calibration.
    """

    population: Population
    margin: Margin
    boosted: BoostedTrees
    calibration: Calibration
    interval: QuantileInterval | BootstrapInterval
    either_conformal_correction: float
    odds_ratio: float | None
    """Odds ratio between the legs' outcomes; None where the cohort had no sides."""
    imbalance: ImbalanceModel | None
    base_rates: BaseRates | None = None
    """How often knees hurt, and by how much definitions of that disagree; None where the outcomes
    of one cohort have settled it."""
    own: OwnMeasures = field(default_factory=own_measures_in_force)
    """A club's own measures that it reads; those of another model never enter its features."""

    def counting(self, count: Count) -> Self:
        """The model where a club has counted how often its athletes' knees hurt.

        Without base rates of its own the model has settled that already, and stays as it is.
        """
        if self.base_rates is None:
            return self
        counted = replace(self, base_rates=replace(self.base_rates, count=count))
        # The caches depend on the population and the weights alone.
        for name in ("measurement_update", "open_variance", "explainer", "moved", "settled"):
            counted.__dict__[name] = getattr(self, name)
        return counted

    @cached_property
    def measurement_update(self) -> MeasurementUpdate:
        """The measurement update, which remembers the patterns of tests done."""
        return MeasurementUpdate(self.population)

    @cached_property
    def open_variance(self) -> OpenVariance:
        """What tests leave open and further ones would settle, by patterns of tests done."""
        return OpenVariance(self.population)

    @cached_property
    def explainer(self) -> Explainer:
        """Splits the log-odds into what each measured value adds."""
        return Explainer(
            population=self.population,
            margin=self.margin,
            boosted=self.boosted,
            calibration=self.calibration,
            sided=self.sided,
        )

    @cached_property
    def moved(self) -> MovedMeasures:
        """What each measure moves whose effect has a slope."""
        return self._moved(m for m in self._measures if m not in threshold_measures())

    @cached_property
    def settled(self) -> MovedMeasures:
        """What each measure with a threshold moves where its true value is known."""
        return self._moved((m for m in self._measures if m in threshold_measures()), is_known=True)

    @property
    def _measures(self) -> tuple[str, ...]:
        return (*self.population.athlete, *self.population.leg)

    def _moved(self, measures: Iterable[str], *, is_known: bool = False) -> MovedMeasures:
        return MovedMeasures(
            population=self.population,
            margin=self.margin,
            boosted=self.boosted,
            sided=self.sided,
            measures=tuple(measures),
            is_known=is_known,
        )

    @property
    def sided(self) -> bool:
        """Whether the model tells the legs apart."""
        return self.odds_ratio is not None

    def features(self, data: Columns, expected: Expected | None = None) -> FeatureMatrix:
        """The feature matrix of n screenings, as this model reads it.

        Parameters
        ----------
        data
            The screenings as coded columns, each of shape ``(n,)``; missing is NaN.
        expected
            Their expected true values, where the measurement update was done before.

        Returns
        -------
        Values of shape ``(n, 2, n_columns)``; both rows alike where the model has no sides.
        """
        with self.own.in_force():
            if expected is None:
                data = with_own_columns(data, self.own)
                expected = self.measurement_update.expected(data)
            features = feature_matrix(self.population, expected, data)
        return features if self.sided else averaged(features)

    def log_odds(self, features: FeatureMatrix) -> FloatArray:
        """Calibrated log-odds of each leg.

        Parameters
        ----------
        features
            The feature matrix of n screenings, as `features` gives it.

        Returns
        -------
        Shape ``(n, 2)``, left leg first.
        """
        return self._counted(features, self._averaged_log_odds(features))

    def calibrated(self, features: FeatureMatrix, log_odds: FloatArray) -> FloatArray:
        """Log-odds of variants of some screenings, of which neither answers nor sport differ.

        Parameters
        ----------
        features
            The feature matrix of n screenings.
        log_odds
            What the linear part and the trees say of their variants, shape ``(n, ...)``.

        Returns
        -------
        As `log_odds` gives them, of the shape of ``log_odds``.
        """
        return self._counted(features, self.calibration.apply(log_odds))

    def _counted(self, features: FeatureMatrix, averaged_log_odds: FloatArray) -> FloatArray:
        """Log-odds with what a club counted, where it did, shape (n, ...)."""
        if self.base_rates is None or self.base_rates.count is None:
            return averaged_log_odds
        return self.base_rates.counted(averaged_log_odds, sport_of(features))

    def _averaged_log_odds(self, features: FeatureMatrix) -> FloatArray:
        """Log-odds of each leg, averaged over the definitions of knee pain, shape (n, 2)."""
        base = self.margin.log_odds(features)
        boosted = self.boosted.log_odds(features, base.reshape(-1)).reshape(base.shape)
        return self.calibration.apply(boosted)

    def contributions(
        self, data: Columns, expected: Expected, features: FeatureMatrix
    ) -> Contributions:
        """What each measured value adds to the log-odds of each leg.

        Parameters
        ----------
        data
            The screenings as coded columns, each of shape ``(n,)``.
        expected
            Their expected true values.
        features
            Their feature matrix, as `features` gives it.

        Returns
        -------
        Contributions that add up to `log_odds`; what a club counted is in their base.
        """
        with self.own.in_force():
            contributions = self.explainer.contributions(data, expected, features)
        if self.base_rates is None or self.base_rates.count is None:
            return contributions
        moved = self.log_odds(features) - self._averaged_log_odds(features)
        return replace(contributions, base=contributions.base + moved)

    def predict(self, data: Columns) -> Prediction:
        """Risks and imbalances of n screenings.

        Parameters
        ----------
        data
            The screenings as coded columns in the schema's units, each of shape ``(n,)``; missing
            is NaN.

        Returns
        -------
        Probabilities and their 90 % intervals.
        """
        return self.predict_features(self.features(data))

    def predict_features(self, features: FeatureMatrix) -> Prediction:
        """Risks and imbalances of n screenings, from their feature matrix.

        Parameters
        ----------
        features
            The feature matrix, as `features` gives it.

        Returns
        -------
        Probabilities and their 90 % intervals.
        """
        risks = self.risks(features)
        if self.imbalance is None:
            return risks
        return replace(risks, imbalances=self.imbalance.probabilities(features))

    def risks(self, features: FeatureMatrix) -> Prediction:
        """Risks of n screenings and their intervals, without the imbalances.

        Parameters
        ----------
        features
            The feature matrix, as `features` gives it.

        Returns
        -------
        Probabilities and their 90 % intervals; ``imbalances`` is None.
        """
        averaged_log_odds = self._averaged_log_odds(features)
        point = self._counted(features, averaged_log_odds)
        low, high = self._leg_bounds(features, averaged_log_odds)
        if not self.sided:
            interval = {"either": (expit(low[:, 0]), expit(high[:, 0]))}
            either = expit(point[:, 0])
            return Prediction(
                left=None, right=None, either=either, intervals=interval, imbalances=None
            )
        left, right = expit(point[:, 0]), expit(point[:, 1])
        intervals: dict[str, tuple[FloatArray, FloatArray]] = {
            side: (expit(low[:, i]), expit(high[:, i])) for i, side in enumerate(SIDES)
        }
        either = either_of(left, right, self.odds_ratio or 1.0)
        intervals["either"] = self._either_interval(either, intervals["left"], intervals["right"])
        return Prediction(
            left=left, right=right, either=either, intervals=intervals, imbalances=None
        )

    def _leg_bounds(
        self, features: FeatureMatrix, averaged_log_odds: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds, each of shape (n, 2), 90 %; the point lies inside."""
        if self.base_rates is None or isinstance(self.interval, BootstrapInterval):
            return self.interval.bounds(features, averaged_log_odds)
        sport = sport_of(features)
        centred = self.base_rates.centred(averaged_log_odds, sport)
        low, high = self.interval.bounds_with_base(features, centred, self.base_rates.shift(sport))
        point = self.base_rates.counted(averaged_log_odds, sport)
        return np.minimum(low, point), np.maximum(high, point)

    def _either_interval(
        self,
        point: FloatArray,
        left: tuple[FloatArray, FloatArray],
        right: tuple[FloatArray, FloatArray],
    ) -> tuple[FloatArray, FloatArray]:
        """The interval of either knee: both legs' bounds together, with its own correction."""
        low, high = (
            logit(either_of(left_bound, right_bound, self.odds_ratio or 1.0))
            for left_bound, right_bound in zip(left, right, strict=True)
        )
        below = np.minimum(low - self.either_conformal_correction, logit(point))
        above = np.maximum(high + self.either_conformal_correction, logit(point))
        # Through log-odds and back a number may move by its last digit.
        return np.minimum(expit(below), point), np.maximum(expit(above), point)
