"""Input drift: which measures are no longer those of the athletes that a model was trained on.

What travels in a bundle is the joint distribution of the measures given sport, sex and age, with
their measurement errors (`Population`). Each measure's mean over the athletes is held against it
with the standard error of as many athletes as have it, and its SD with the limits of as many
(`spread_of_readings`). A measure has drifted where chance is ruled out after correction for all
means and SDs that were looked at (Benjamini & Hochberg 1995,
doi 10.1111/j.2517-6161.1995.tb02031.x) and the difference is large enough to matter. A bundle holds
no shapes of distributions: what leaves mean and spread as they are is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError
from scipy.stats import false_discovery_control, norm

from kneerisk.evidence.population import Population, contexts
from kneerisk.model.imputation import error_variances, measured_z_scores, stated_protocols
from kneerisk.model.risk_model import RiskModel
from kneerisk.monitoring.monitoring_schema import ShiftedMeasure
from kneerisk.monitoring.spread_of_readings import Spread, spread_of
from kneerisk.schema import (
    SIDES,
    Columns,
    FloatArray,
    Quantity,
    Screening,
    coded_rows,
    columns,
    to_row,
)
from kneerisk.schema.rules import OPPOSITES
from kneerisk.schema.z_scores import to_z_of_all

#: Expected share of false ones among the measures that are called drifted (convention).
FALSE_DISCOVERIES = 0.05
#: Shifts below this many SDs change a risk little (a small effect: Cohen 1988, chapter 2).
SMALL_SHIFT_SD = 0.2
#: So does a spread that is less than this many times as large, or as small (assumption).
SMALL_SPREAD = 1.25
#: Fewer athletes have no spread worth a test: whole numbers are often all the same (assumption).
FEWEST_FOR_SPREAD = 10
#: Fewer athletes have no mean worth a test (assumption).
FEWEST_ATHLETES = 5
#: Measures of a leg that stand at a limit more often than this are left out (assumption).
_MOST_HEAPED = 0.05
#: No reading is farther than so many SDs from what is expected.
_BEYOND_SD = 30.0


def input_drift(population: Population, data: Columns) -> tuple[ShiftedMeasure, ...]:
    """Hold the measures of some athletes against the distribution in the bundle.

    Parameters
    ----------
    population
        The model's.
    data
        One screening of each athlete, as coded columns of shape (n,); missing is NaN.

    Returns
    -------
    The measures that at least `FEWEST_ATHLETES` have, the largest shift first.
    """
    names = (*population.athlete, *population.leg)
    readings = _standardised(population, data)
    of_measure = [column[~np.isnan(column)] for column in readings.T]
    looked_at = [place for place, one in enumerate(of_measure) if len(one) >= FEWEST_ATHLETES]
    if not looked_at:
        return ()
    mean = np.array([of_measure[place].mean() for place in looked_at])
    count = np.array([len(of_measure[place]) for place in looked_at])
    spread = {
        place: spread_of(of_measure[place])
        for place in looked_at
        if len(of_measure[place]) >= FEWEST_FOR_SPREAD
    }
    p_values = [
        *(2.0 * norm.sf(np.abs(mean) * np.sqrt(count))),
        *(s.p_value for s in spread.values()),
    ]
    adjusted = false_discovery_control(p_values)
    of_spread = dict(zip(spread, adjusted[len(looked_at) :], strict=True))
    found = [
        _drift(names[place], int(n), (float(moved), float(p)),
               (spread.get(place), of_spread.get(place)))
        for place, n, moved, p in zip(looked_at, count, mean, adjusted, strict=False)
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: -abs(one.shift_sd)))


def _drift(
    name: str, athletes: int, mean: tuple[float, float], spread: tuple[Spread | None, float | None]
) -> ShiftedMeasure:
    """Of one measure, from its mean and its spread with their corrected p-values."""
    (shift, mean_p), (found, spread_p) = mean, spread
    shifted = mean_p < FALSE_DISCOVERIES and abs(shift) >= SMALL_SHIFT_SD
    is_changed = found is not None and spread_p is not None and spread_p < FALSE_DISCOVERIES and (
        not 1.0 / SMALL_SPREAD < found.ratio < SMALL_SPREAD
    )  # fmt: skip
    return ShiftedMeasure(
        measure=name, athletes=athletes, shift_sd=shift,
        limit_sd=float(norm.isf(0.025) / np.sqrt(athletes)), adjusted_p=mean_p,
        spread=None if found is None else found.ratio,
        spread_limits=None if found is None else (found.low, found.high),
        spread_adjusted_p=None if spread_p is None else float(spread_p),
        shifted=bool(shifted), spread_changed=bool(is_changed), drifted=bool(shifted or is_changed),
    )  # fmt: skip


def drift_of_screenings(
    model: RiskModel, sent: Sequence[Mapping[str, Any]]
) -> tuple[ShiftedMeasure, ...]:
    """Hold screenings as they were sent against the distribution in a model's bundle.

    Parameters
    ----------
    model
        The model, whose own measures they may have.
    sent
        One screening of each athlete.

    Returns
    -------
    As of `input_drift`; a screening of another schema, which can't be read now, is left out.
    """
    with model.own.also_in_force():
        rows = []
        for body in sent:
            with suppress(ValidationError):
                rows.append(to_row(Screening.model_validate(body)))
        return input_drift(model.population, coded_rows(rows)) if rows else ()


@dataclass(frozen=True, slots=True)
class _Readings:
    """What readings of some measures are expected to be, in z-scores, each of shape (n, k).

    ``heaped`` is the share that stands at a limit of the measure.
    """

    mean: FloatArray
    variance: FloatArray
    heaped: FloatArray


def _standardised(people: Population, data: Columns) -> FloatArray:
    """Each athlete's readings less their expectation, in SDs of readings, shape (n, n_names).

    Both legs of an athlete are averaged, with the variance that their correlation leaves.
    """
    athlete, legs = measured_z_scores(people, data)
    a, m = len(people.athlete), len(people.leg)
    prior = [people.means(context) for context in contexts(data)]
    spread = _error_variances(people, data) + np.diag(people.covariance)[: a + m]
    own = _cut(people.athlete, prior[0][:, :a], spread[:, :a], data)
    sides = [_cut(people.leg, mean[:, a : a + m], spread[:, a:], data) for mean in prior]
    correlation = np.diag(people.covariance[a : a + m, a + m : a + 2 * m]) / spread[:, a:]
    off = np.stack([z - side.mean for z, side in zip(legs, sides, strict=True)])
    # What is one number seen from either side has no mean of both: the first side that has it.
    for place in [people.leg.index(name) for name in OPPOSITES if name in people.leg]:
        off[1, ~np.isnan(off[0, :, place]), place] = np.nan
    known = (~np.isnan(off)).sum(axis=0)
    variance = np.stack([side.variance for side in sides]).mean(axis=0)
    variance = np.where(known == 2, variance * (1.0 + correlation) / 2.0, variance)
    total = np.nansum(off, axis=0)
    mean = np.divide(total, known, out=np.full_like(total, np.nan), where=known > 0)
    # Grades are rounded and deficits are those of the shorter leg: where many are 0, the normal
    # distribution behind them is too far away.
    mean[:, np.stack([side.heaped for side in sides]).mean(axis=(0, 1)) > _MOST_HEAPED] = np.nan
    of_athlete = (athlete - own.mean) / np.sqrt(own.variance)
    return np.concatenate([of_athlete, mean / np.sqrt(variance)], axis=1)


def _error_variances(people: Population, data: Columns) -> FloatArray:
    """Of the athlete's measures and a leg's, shape (n, n_names)."""
    names = len(people.athlete) + len(people.leg)
    protocols = stated_protocols(data).astype(np.int64)
    distinct, place = np.unique(protocols, axis=0, return_inverse=True)
    errors = np.array([error_variances(people, row)[:names] for row in distinct])
    return np.asarray(errors[place.reshape(-1)])


def _cut(
    names: tuple[str, ...], mean: FloatArray, variance: FloatArray, data: Columns
) -> _Readings:
    """Moments of readings that can't go beyond the limits of their measures, such as 0 km.

    Those of a normal distribution of such mean and variance, each (n, k), whose ends are heaped up
    at the limits (Tobin 1958, doi 10.2307/1907382).
    """
    quantities = [_quantity(name) for name in names]
    n, sd = len(mean), np.sqrt(variance)
    with np.errstate(divide="ignore"):  # the logarithm of a limit of 0
        low, high = (
            np.clip((to_z_of_all(names, np.tile(limits, (n, 1)), data) - mean) / sd,
                    -_BEYOND_SD, _BEYOND_SD)
            for limits in ([one.low for one in quantities], [one.high for one in quantities])
        )  # fmt: skip
    inside, at_low, at_high = norm.cdf(high) - norm.cdf(low), norm.cdf(low), norm.sf(high)
    first = low * at_low + high * at_high + norm.pdf(low) - norm.pdf(high)
    square = (
        low**2 * at_low + high**2 * at_high + inside
        + low * norm.pdf(low) - high * norm.pdf(high)
    )  # fmt: skip
    return _Readings(mean + sd * first, variance * (square - first**2), at_low + at_high)


def _quantity(name: str) -> Quantity:
    measure = columns().get(name) or columns()[f"{SIDES[0]}_{name}"]
    if not isinstance(measure, Quantity):
        raise TypeError(name)
    return measure
