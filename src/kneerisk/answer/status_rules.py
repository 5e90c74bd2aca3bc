"""The rules behind the status of a screening and the band of a risk, for n screenings at once.

An answer in words and a file of scores both follow them: who is painful, what lies outside of the
model's population, when too little is known, which knees get a risk, and how a risk compares.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from kneerisk.answer.answer_schema import Band, Knee, Status
from kneerisk.evidence import measures_of_test
from kneerisk.evidence.risk_factors import belongs, risk_factors, strongest_tests
from kneerisk.model import Metadata, Prediction
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.variance_sources import VarianceSources
from kneerisk.schema import SIDES, Category, Columns, FloatArray, Measure, category, columns
from kneerisk.schema.columns import location_of, rows_by_place

Flags = NDArray[np.bool_]

#: What nearly every screening has: the answer to these alone is what the tests are compared with.
BASIC_COLUMNS = ("age_years", "sex", "sport")
#: Codes of reasons, the most serious first: the first that applies is the status.
REASONS: tuple[Status, ...] = ("refer", "current_pain", "out_of_population", "low_information")
#: Upper ends of the bands, as multiples of the sport's base rate (assumption).
BANDS: tuple[tuple[float, Band], ...] = ((0.75, "below"), (1.25, "near"), (2.0, "above"))
#: The bands from the lowest to the highest, and that there is none.
BAND_NAMES: tuple[Band, ...] = (*(name for _, name in BANDS), "well_above", "not_assessed")
#: The answer says little where less than this share of what measuring could settle is settled
#: (assumption; docs/decisions/0013).
LITTLE_INFORMATION = 0.15
#: A model that can't tell what measuring could settle: where its interval is at least this share
#: of the one that age, sex and sport alone give (assumption).
LITTLE_GAIN = 0.9
#: An unspecified sex is read as the average of both, which a model has always seen.
AVERAGE_SEX = "unspecified"


def status_of(codes: Sequence[Status]) -> Status:
    """The status that the codes of reasons lead to, which stand as in `REASONS`."""
    return codes[0] if codes else "ok"


def painful_knees(data: Columns, metadata: Metadata) -> Flags:
    """Whether each knee hurts now, where the model is about new pain; shape (n, 2)."""
    hurts = np.stack([data[f"{side}_pain_nrs"] > 0.0 for side in SIDES], axis=1)
    return hurts if metadata.outcome_kind == "new_pain" else np.zeros_like(hurts)


def knees_with_risk(hurts: Flags, *, sided: bool) -> dict[Knee, Flags]:
    """Which screenings can get a risk of each knee, shape (n,).

    Parameters
    ----------
    hurts
        Whether each knee hurts, shape (n, 2).
    sided
        Whether the model tells the legs apart.

    Returns
    -------
    By knee; that of either only where neither hurts.
    """
    pain_free: Flags = np.asarray(~hurts.any(axis=1))
    if not sided:
        return {"left": np.zeros_like(pain_free), "right": np.zeros_like(pain_free),
                "either": pain_free}  # fmt: skip
    left, right = (~hurts[:, leg] for leg in range(len(SIDES)))
    return {"left": left, "right": right, "either": pain_free}


def within_population(measure: Measure, value: Any, population: Mapping[str, Any]) -> bool:
    """Whether the model's cohort held such a value of a measure.

    Parameters
    ----------
    measure
        The measure.
    value
        A number in its unit, or the name of a category.
    population
        What the cohort held of it: ``low`` and ``high`` in its unit, or its ``choices``.

    Returns
    -------
    Whether the value lies within the range, or is one of the choices.
    """
    if isinstance(measure, Category):
        return value in _held(population)
    return bool(_in_range(value, population))


def outside_population(data: Columns, metadata: Metadata, names: Collection[str]) -> dict[str, Any]:
    """Which values lie outside of what the model's cohort held.

    Parameters
    ----------
    data
        Coded columns of n screenings.
    metadata
        Has the population of the model.
    names
        The columns that are looked at.

    Returns
    -------
    By column that the model reads, in their order: whether each has such a value, shape (n,).
    """
    found: dict[str, Flags] = {}
    for name in names:
        measure, population = columns()[name], metadata.population.get(name)
        if population and measure.model_input:
            values = data[name]
            if isinstance(measure, Category):
                held = _held(population)
                codes = [code for code, choice in enumerate(measure.choices) if choice in held]
                inside = np.isin(values, codes)
            else:
                inside = _in_range(values, population)
            found[name] = ~(inside | np.isnan(values))
    return found


def _held(population: Mapping[str, Any]) -> set[str]:
    return {*population["choices"], AVERAGE_SEX}


def _in_range(values: Any, population: Mapping[str, Any]) -> Any:
    return (values >= population["low"]) & (values <= population["high"])


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
    """The tests that say most about an athlete like that of one row."""
    return strongest_tests(*(float(data[name][row]) for name in ("sport", "sex", "age_years")))


def _lacks_strongest(data: Columns, names: Collection[str]) -> Flags:
    """Whether none of the tests was done that say most about an athlete like each, shape (n,)."""
    none = np.empty(len(data["sex"]), dtype=bool)
    for first, rows in _alike(data):
        wanted = {
            measure for test in strongest_of(data, first) for measure in measures_of_test(test)
        }
        given = [~np.isnan(data[name][rows]) for name in names if location_of(name)[-1] in wanted]
        none[rows] = ~np.any(given, axis=0) if given else True
    return none


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


def band_places(probability: FloatArray, usual: FloatArray, unassessed: Flags) -> NDArray[np.intp]:
    """Places in `BAND_NAMES` of risks by how they compare with the usual one.

    Parameters
    ----------
    probability
        Risks, shape (n,).
    usual
        The usual risk of each, shape (n,); NaN where none is known, which counts as near.
    unassessed
        Where too little is known to compare, shape (n,).

    Returns
    -------
    Shape (n,).
    """
    ratio = probability / usual
    place = np.searchsorted(
        [end for end, _ in BANDS], np.where(np.isnan(ratio), 1.0, ratio), side="right"
    )
    return np.where(unassessed, len(BAND_NAMES) - 1, place)
