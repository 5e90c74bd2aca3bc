"""When too little is known of an athlete for a number to hold, for n screenings at once."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from kneerisk.evidence import measures_of_test
from kneerisk.evidence.risk_factors import belongs, risk_factors
from kneerisk.evidence.strongest_tests import strongest_tests
from kneerisk.model import Prediction
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.variance_sources import VarianceSources
from kneerisk.schema import SIDES, Columns, FloatArray, category, columns
from kneerisk.schema.columns import location_of, rows_by_place
from kneerisk.schema.own_measures import per_schema

Flags = NDArray[np.bool_]

#: What nearly every screening has: the answer to these alone is what the tests are compared with.
BASIC_COLUMNS = ("age_years", "sex", "sport")
#: The answer says little where less than this share of what measuring could settle is settled
#: (assumption; docs/decisions/0013).
LITTLE_INFORMATION = 0.15
#: A model that can't tell what measuring could settle: where its interval is at least this share
#: of the one that age, sex and sport alone give (assumption).
LITTLE_GAIN = 0.9


class LittleKnown(NamedTuple):
    """Of whom too little is known for a number to hold, and why; each of shape (n,)."""

    settles_little: Flags
    """The tests that were done settle too little."""
    lacks_strongest: Flags
    """None of the tests was done that say most about an athlete like this one."""

    @property
    def at_all(self) -> Flags:
        """Whether one of the two holds."""
        return self.settles_little | self.lacks_strongest


def little_known(
    model: RiskModel,
    data: Columns,
    prediction: Prediction,
    sources: VarianceSources | None,
    names: Collection[str],
) -> LittleKnown:
    """Of whom too little is known; a known recent injury is always enough.

    Parameters
    ----------
    model
        The model.
    data
        Coded columns of n screenings.
    prediction
        What the model says of them.
    sources
        Where its uncertainty comes from; None where it can't tell.
    names
        The columns that some screening has.

    Returns
    -------
    The two reasons.
    """
    nobody = np.zeros(len(data["sex"]), dtype=bool)
    if sources is None:
        if model.base_rates:
            return LittleKnown(nobody, nobody)
        return LittleKnown(np.asarray(width_share(model, data, prediction) >= LITTLE_GAIN), nobody)
    recent = category("prior_knee_injury").choices.index("within_12_months")
    uninjured = ~np.any([data[f"{side}_prior_knee_injury"] == recent for side in SIDES], axis=0)
    little = sources.information.mean(axis=1) < LITTLE_INFORMATION
    return LittleKnown(little & uninjured, _lacks_strongest(data, names) & uninjured)


def width_share(model: RiskModel, data: Columns, prediction: Prediction) -> FloatArray:
    """The width of each interval over that with `BASIC_COLUMNS` alone.

    Parameters
    ----------
    model
        The model.
    data
        Coded columns of n screenings.
    prediction
        What the model says of them.

    Returns
    -------
    Of either knee, in log-odds, shape (n,).
    """
    unknown = np.full(len(data["sex"]), np.nan)
    basic = {name: data[name] if name in BASIC_COLUMNS else unknown for name in data}
    return _interval_width(prediction) / _interval_width(model.predict(basic))


def _interval_width(prediction: Prediction) -> FloatArray:
    """Width of the interval of either knee in log-odds, shape (n,).

    As a probability, the interval of a high risk is wide however much is known.
    """
    low, high = prediction.intervals["either"]
    return np.asarray(logit(high) - logit(low))


def strongest_of(data: Columns, row: int) -> tuple[str, ...]:
    """The tests that say most about an athlete like that of one row.

    Parameters
    ----------
    data
        Coded columns of n screenings.
    row
        Which of them.

    Returns
    -------
    Their names, the strongest first.
    """
    own = (float(data[name][row]) for name in ("sport", "sex", "age_years"))
    # The same NaN for everyone: what is remembered of another one would not be found again.
    return strongest_tests(*(math.nan if math.isnan(value) else value for value in own))


def _lacks_strongest(data: Columns, names: Collection[str]) -> Flags:
    """Whether none of the tests was done that say most about an athlete like each, shape (n,)."""
    none = np.empty(len(data["sex"]), dtype=bool)
    for first, rows in _alike(data):
        wanted = _columns_of(strongest_of(data, first))
        given = [~np.isnan(data[name][rows]) for name in names if name in wanted]
        none[rows] = ~np.any(given, axis=0) if given else True
    return none


@per_schema
def _columns_of(tests: tuple[str, ...]) -> frozenset[str]:
    """The columns that some tests fill."""
    measures = {measure for test in tests for measure in measures_of_test(test)}
    return frozenset(name for name in columns() if location_of(name)[-1] in measures)


def _alike(data: Columns) -> list[tuple[int, NDArray[np.intp]]]:
    """Rows whom the same effects are for, each group with its first row."""
    if len(data["sex"]) == 1:
        return [(0, np.zeros(1, dtype=np.intp))]
    populations = dict.fromkeys(effect.population for effect in risk_factors())
    alike = np.stack([belongs(name, data) for name in populations], axis=1)
    kinds, first, place = np.unique(alike, axis=0, return_index=True, return_inverse=True)
    return list(zip(first.tolist(), rows_by_place(place.ravel(), len(kinds)), strict=True))


def basic_alone(data: Columns, names: Collection[str]) -> Flags:
    """Whether nothing but `BASIC_COLUMNS` is known, shape (n,).

    Parameters
    ----------
    data
        Coded columns of n screenings.
    names
        The columns that some screening has.

    Returns
    -------
    Of each.
    """
    alone = np.ones(len(data["sex"]), dtype=bool)
    for name in names:
        if name not in BASIC_COLUMNS:
            alone &= np.isnan(data[name])
    return alone
