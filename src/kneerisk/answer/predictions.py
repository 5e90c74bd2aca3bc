"""Everything that the model says of some screenings, worked out once for every part of the answer.

A batch is one pass: the measurement update gives the expected true values, from which follow the
feature matrix, the risks with their intervals, the imbalances and the attributions; what no part
of the answer asks for is not worked out. A model that can't tell where its uncertainty comes from
is asked again with nothing but age, sex and sport: the width of that interval is what the tests are
compared with (``low_information``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from scipy.special import expit

from kneerisk.answer.answer_schema import Knee
from kneerisk.answer.leg_comparison import LegComparison, compare_legs
from kneerisk.answer.little_known import Flags, LittleKnown, basic_alone, little_known
from kneerisk.answer.measure_contributions import MeasureContributions, leg_row
from kneerisk.answer.status_rules import (
    RangesSeen,
    outside_population,
    painful_knees,
    ranges_seen,
)
from kneerisk.model import Bundle, Metadata, Prediction
from kneerisk.model.base_rates import Count
from kneerisk.model.contributions import Contributions
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected, stated_protocols
from kneerisk.model.variance_sources import VarianceSources, variance_sources
from kneerisk.schema import SIDES, Columns, FloatArray, Screening, coded_rows, to_row
from kneerisk.schema.sections import Setting

_Request = ParamSpec("_Request")
_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """n screenings with all that the model says of them, each worked out when it is first asked.

    Attributes
    ----------
    bundle
        The released model.
    screenings
        The n screenings as they were parsed.
    rows
        Their measured values by canonical column, in the measures' units; what was not measured
        is absent.
    data
        The same as coded columns of shape (n,); missing is NaN.
    """

    bundle: Bundle
    screenings: Sequence[Screening]
    rows: list[dict[str, Any]]
    data: Columns

    @property
    def metadata(self) -> Metadata:
        """What is known about the model."""
        return self.bundle.metadata

    @cached_property
    def expected(self) -> Expected:
        """The true values that the measured ones speak for, with their variances."""
        return self.bundle.model.measurement_update.expected(self.data)

    def usual_z(self, i: int, column: str) -> float:
        """The z-score usual for athlete i with nothing measured: at the age, in the sport.

        0 where none is known: that of the typical value.
        """
        place = self._places_in_state.get(column)
        return 0.0 if place is None else float(self.expected.prior[i][place])

    @cached_property
    def _places_in_state(self) -> dict[str, tuple[int, int]]:
        """The leg and the place in its state of every column that the population has."""
        people = self.bundle.model.population
        places = {name: (0, place) for place, name in enumerate(people.athlete)}
        return places | {
            f"{side}_{name}": (leg, place)
            for leg, side in enumerate(SIDES)
            for place, name in enumerate(people.leg, start=len(people.athlete))
        }

    @cached_property
    def legs(self) -> FeatureMatrix:
        """The feature matrix of the legs, shape (n, 2, n_features); left leg first."""
        return self.bundle.model.features(self.data, self.expected)

    @cached_property
    def risks(self) -> Prediction:
        """Risks and intervals of each knee and of either."""
        return self.bundle.model.risks(self.legs)

    @cached_property
    def imbalances(self) -> FloatArray | None:
        """Probabilities, shape (n, 2, n_imbalances); None where the model knows none."""
        model = self.bundle.model.imbalance
        return None if model is None else model.probabilities(self.legs)

    @cached_property
    def imbalance_intervals(self) -> tuple[FloatArray, FloatArray] | None:
        """Lower and upper bounds of those probabilities, each of their shape."""
        model, point = self.bundle.model.imbalance, self.imbalances
        return None if model is None or point is None else model.intervals(self.legs, point)

    @cached_property
    def imbalance_unexplained(self) -> FloatArray:
        """Of the variance of each imbalance's latent, the share that the measured values leave.

        Shape (n, 2, n_imbalances).
        """
        people = self.bundle.model.population
        own = slice(people.n_measures, people.n_measures + len(people.imbalances))
        left = self.expected.variance[..., len(people.athlete) + len(people.leg) :]
        return left / np.diagonal(people.covariance)[own]

    @cached_property
    def protocols(self) -> FloatArray:
        """Codes of the protocols that errors of tests depend on, shape (n, n_protocols)."""
        return stated_protocols(self.data)

    @cached_property
    def error_variances(self) -> FloatArray:
        """Error variance of every measure of the state, in z-scores squared, (n, n_measures)."""
        noise = self.bundle.model.measurement_update.noise
        return np.array([noise(codes.tobytes()) for codes in self.protocols.astype(np.uint8)])

    @cached_property
    def contributions(self) -> Contributions:
        """What each column added to each leg's log-odds."""
        return self.bundle.model.contributions(self.data, self.expected, self.legs)

    @cached_property
    def by_measure(self) -> MeasureContributions:
        """The same by measure, and in points of the risk."""
        return MeasureContributions(by_source=self.contributions)

    @cached_property
    def sources(self) -> VarianceSources | None:
        """Where the uncertainty of the screenings comes from; None where the model can't tell."""
        return variance_sources(self.bundle.model, self.data, self.expected, self.legs)

    @cached_property
    def information(self) -> FloatArray | None:
        """Of what measuring could settle about each knee, the share that is; shape (n, 2)."""
        return None if self.sources is None else self.sources.information

    @cached_property
    def measured_columns(self) -> list[str]:
        """The columns that some screening has."""
        return list(dict.fromkeys(column for row in self.rows for column in row))

    @cached_property
    def legs_compared(self) -> LegComparison | None:
        """How the legs differ; None where no measure was taken on both."""
        return compare_legs(self.data, self.measured_columns)

    @cached_property
    def hurts(self) -> Flags:
        """Whether each knee hurts, where the model is about new pain; shape (n, 2)."""
        return painful_knees(self.data, self.metadata)

    @cached_property
    def outside(self) -> dict[str, Flags]:
        """Of the columns, which values lie outside of the model's population, shape (n,)."""
        return outside_population(self.data, self.metadata, self.measured_columns)

    @cached_property
    def ranges_seen(self) -> RangesSeen:
        """The range of every column of the schema in the model's cohort."""
        return ranges_seen(self.metadata)

    @cached_property
    def little_known(self) -> LittleKnown:
        """Of whom too little is known for a number to hold."""
        return little_known(
            self.bundle.model, self.data, self.risks, self.sources, self.measured_columns
        )

    @cached_property
    def basic_alone(self) -> Flags:
        """Of whom nothing is known but what nearly every screening has, shape (n,)."""
        return basic_alone(self.data, self.measured_columns)


def knowing_own_measures(
    answering: Callable[Concatenate[Bundle, _Request], _Result],
) -> Callable[Concatenate[Bundle, _Request], _Result]:
    """A function that answers with a model, with the model's own measures part of the schema."""

    @wraps(answering)
    def answered(bundle: Bundle, /, *request: _Request.args, **options: _Request.kwargs) -> _Result:
        with bundle.model.own.also_in_force():
            return answering(bundle, *request, **options)

    return answered


def predictions_of(bundle: Bundle, screenings: Sequence[Screening]) -> Predictions:
    """What the model says of some screenings; no screening's numbers depend on the others.

    Parameters
    ----------
    bundle
        The released model.
    screenings
        One or more screenings, all of one setting.

    Returns
    -------
    Everything that the parts of an answer are made from.
    """
    rows = [to_row(screening) for screening in screenings]
    return Predictions(
        bundle=counting(bundle, screenings[0].setting),
        screenings=screenings,
        rows=rows,
        data=coded_rows(rows),
    )


def counting(bundle: Bundle, setting: Setting | None) -> Bundle:
    """The bundle with what a club counted, which replaces a count of the bundle's own."""
    if setting is None:
        return bundle
    count = Count(setting.knee_pain_per_100 / 100.0 * setting.of, setting.of)
    return replace(bundle, model=bundle.model.counting(count))


def typical_risk(predictions: Predictions, i: int, knee: Knee) -> float:
    """The risk of an athlete of the same sport who is typical in everything.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    knee
        The knee, or either.

    Returns
    -------
    A probability.
    """
    return float(expit(predictions.contributions.base[i, leg_row(knee)]))
