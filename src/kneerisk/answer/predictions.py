"""Everything that the model says of some screenings, worked out once for every part of the answer.

A batch is one pass: the measurement update gives the expected true values, from which follow the
feature matrix, the risks with their intervals, the imbalances and the attributions. A model that
can't tell where its uncertainty comes from is asked again with nothing but age, sex and sport: the
width of that interval is what the tests are compared with (``low_information``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from scipy.special import expit, logit

from kneerisk.answer.answer_schema import Knee
from kneerisk.model import Bundle, Metadata, Prediction
from kneerisk.model.base_rates import Count
from kneerisk.model.contributions import Contributions
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.variance_sources import VarianceSources, variance_sources
from kneerisk.schema import SIDES, Columns, FloatArray, Screening, coded_rows, to_row
from kneerisk.schema.sections import Setting

_Request = TypeVar("_Request")
_Result = TypeVar("_Result")
#: What nearly every screening has: the answer to these alone is what the tests are compared with.
BASIC_COLUMNS = ("age_years", "sex", "sport")


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """n screenings with all that the model says of them.

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
    expected
        The true values that the measured ones speak for, with their variances.
    legs
        The feature matrix of the legs, shape (n, 2, n_features); left leg first.
    prediction
        Risks and intervals of each knee and of either, and the imbalances.
    contributions
        What each column added to each leg's log-odds.
    sources
        Where the uncertainty of each screening comes from; None where the model can't tell.
    width_share
        Width of the interval of either knee in log-odds over that where nothing but `BASIC_COLUMNS`
        is known, shape (n,); None where the sources tell how much was learnt.
    """

    bundle: Bundle
    screenings: Sequence[Screening]
    rows: list[dict[str, Any]]
    data: Columns
    expected: Expected
    legs: FeatureMatrix
    prediction: Prediction
    contributions: Contributions
    sources: Sequence[VarianceSources | None]
    width_share: FloatArray | None

    @property
    def metadata(self) -> Metadata:
        """What is known about the model."""
        return self.bundle.metadata


def knowing_own_measures(
    answering: Callable[[Bundle, _Request], _Result],
) -> Callable[[Bundle, _Request], _Result]:
    """A function that answers with a model, with the model's own measures part of the schema."""

    @wraps(answering)
    def answered(bundle: Bundle, request: _Request) -> _Result:
        with bundle.model.own.also_in_force():
            return answering(bundle, request)

    return answered


def predictions_of(bundle: Bundle, screenings: Sequence[Screening]) -> Predictions:
    """Run the model on some screenings; no screening's numbers depend on the others.

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
    bundle, n = counting(bundle, screenings[0].setting), len(screenings)
    model = bundle.model
    rows = [to_row(screening) for screening in screenings]
    data = coded_rows(rows)
    expected = model.measurement_update.expected(data)
    legs = model.features(data, expected)
    prediction = model.predict_features(legs)
    return Predictions(
        bundle=bundle,
        screenings=screenings,
        rows=rows,
        data=data,
        expected=expected,
        legs=legs,
        prediction=prediction,
        contributions=model.contributions(data, expected, legs),
        sources=[variance_sources(model, data, expected, legs, i) for i in range(n)],
        width_share=None if model.base_rates else _width_share(model, rows, prediction),
    )


def counting(bundle: Bundle, setting: Setting | None) -> Bundle:
    """The bundle with what a club counted, which replaces a count of the bundle's own."""
    if setting is None:
        return bundle
    count = Count(setting.knee_pain_per_100 / 100.0 * setting.of, setting.of)
    return replace(bundle, model=bundle.model.counting(count))


def _width_share(
    model: RiskModel, rows: Sequence[Mapping[str, Any]], prediction: Prediction
) -> FloatArray:
    """The width of each interval over that with `BASIC_COLUMNS` alone, shape (n,)."""
    basic = [{name: row[name] for name in BASIC_COLUMNS if name in row} for row in rows]
    return _interval_width(prediction) / _interval_width(model.predict(coded_rows(basic)))


def _interval_width(prediction: Prediction) -> FloatArray:
    """Width of the interval of either knee in log-odds, shape (n,).

    As a probability, the interval of a high risk is wide however much is known.
    """
    low, high = prediction.intervals["either"]
    return np.asarray(logit(high) - logit(low))


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


def leg_row(knee: Knee) -> int:
    """The row of the knee's leg; a model without sides has the same in both rows."""
    return 0 if knee == "either" else SIDES.index(knee)
