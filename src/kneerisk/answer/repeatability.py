"""How likely a repeat of the same tests would point to a pattern again, with nothing changed.

The true values have the posterior that the measurement update gives; a repeat reads them anew, with
new errors. The share of simulated repeats that meet the conditions for naming the pattern is the
answer (a posterior predictive probability: Gelman et al. 2013, Bayesian Data Analysis, chapter 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit, ndtri

from kneerisk.answer.inputs_and_norms import Norm, norm_of
from kneerisk.answer.patterns import reading_names
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import assumption
from kneerisk.evidence.imbalance_patterns import marks
from kneerisk.model.imbalance_model import probit_log_odds
from kneerisk.schema import SIDES, FloatArray, Side, quantity
from kneerisk.schema.detectable_change import READING_PER_SEM
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import SQUEEZED_TOGETHER

#: Repeats that are simulated; the error of a share of 0.8 is about 0.01 with these even points.
REPEATS = 512
SEED = 1
#: Keeps a factor real where two readings are one and the same.
JITTER = 1e-9


@dataclass(frozen=True, slots=True)
class _Leg:
    """One leg of a screening, in the order of its own state: athlete, own leg, other leg."""

    place_of: Mapping[int, int]
    """Of each measure in the state that was measured, its place among these."""
    prior: FloatArray
    readings: FloatArray
    """Readings of simulated repeats in true SDs, shape (REPEATS, n_used)."""
    error: FloatArray
    """SD of the error of each reading, shape (n_used,)."""


def named_again(
    predictions: Predictions, i: int, side: Side, names: tuple[str, ...], needed: int
) -> dict[str, float]:
    """How likely a repeat would again meet the conditions for naming each of some patterns.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    side
        The leg.
    names
        The imbalances that it is wanted for.
    needed
        So many independent readings must speak for a pattern.

    Returns
    -------
    A probability for each of the names.
    """
    if not names:
        return {}
    leg = _leg(predictions, i, side)
    likely = _likely(predictions, i, side, leg, names)
    supported = [_supporting(predictions, i, leg, name) >= needed for name in names]
    again = (likely & np.stack(supported, axis=1)).mean(axis=0)
    return dict(zip(names, again.tolist(), strict=True))


def _leg(predictions: Predictions, i: int, side: Side) -> _Leg:
    model, row = predictions.bundle.model, SIDES.index(side)
    people, expected = model.population, predictions.expected
    a, m = len(people.athlete), len(people.leg)
    used = expected.gains[i][row].used
    protocols, noise = predictions.protocols[i], predictions.error_variances[i, used]
    covariance = model.open_variance.posterior(used, protocols, {}).covariance
    mean, prior = (
        np.concatenate([values[i, row, : a + m], values[i, 1 - row, a : a + m]])[used]
        for values in (expected.mean, expected.prior)
    )
    spread = covariance[np.ix_(used, used)] + np.diag(noise + JITTER)
    readings = mean + _normal_points(len(used)) @ np.linalg.cholesky(spread).T
    names, error = (*people.athlete, *people.leg, *people.leg), np.sqrt(noise)
    whole = np.flatnonzero(_are_whole(names)[used])
    if len(whole):
        norms = [norm_of(names[place], predictions.rows[i]) for place in used[whole].tolist()]
        readings[:, whole] = _as_grades(norms, readings[:, whole])
        error[whole] = [norm.error_sd / norm.true_scale for norm in norms]
    place_of = {place: at for at, place in enumerate(used.tolist())}
    return _Leg(place_of, prior, readings, error)


@per_schema
def _are_whole(names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which measures are recorded in whole steps, shape (n_measures,)."""
    return np.array([quantity(name).whole for name in names])


def _as_grades(norms: Sequence[Norm], readings: FloatArray) -> FloatArray:
    """Readings of tests that are recorded in whole steps, as they would be written down."""
    location = np.array([norm.location for norm in norms])
    scale = np.array([norm.true_scale for norm in norms])
    low, high = (
        np.array([getattr(norm.quantity, end) for norm in norms]) for end in ("low", "high")
    )
    steps = np.round(location + scale * readings)
    return np.asarray((np.clip(steps, low, high) - location) / scale)


@cache
def _normal_points(size: int) -> FloatArray:
    """Standard normal points, shape (REPEATS, size): scrambled Sobol, the same each time."""
    from scipy.stats import qmc  # here: SciPy's statistics take a quarter of a second to load

    sobol = qmc.Sobol(max(size, 1), rng=np.random.default_rng(SEED)).random(REPEATS)
    return np.asarray(ndtri(np.clip(sobol, 1e-12, 1.0 - 1e-12)))[:, :size]


def _likely(
    predictions: Predictions, i: int, side: Side, leg: _Leg, names: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Whether each of some imbalances is likely enough in each repeat, shape (REPEATS, n_names)."""
    people, row = predictions.bundle.model.population, SIDES.index(side)
    model, given = predictions.bundle.model.imbalance, predictions.imbalances
    if model is None or given is None:
        raise ValueError("a model without imbalances names none")
    # The others need not be judged in each repeat.
    places = [model.names.index(name) for name in names]
    named = replace(model, names=names, thresholds=model.thresholds[places])
    latent = slice(len(people.athlete) + len(people.leg), None)
    expected, gain = predictions.expected, predictions.expected.gains[i][row]
    mean = expected.prior[i, row, latent] + (leg.readings - leg.prior) @ gain.weights[latent].T
    variance = gain.variance[latent][places]
    log_odds = probit_log_odds(mean[:, places], variance, named)
    today = probit_log_odds(expected.mean[i, row, latent][places], variance, named)
    # What trees say of grades beyond the update is taken to be the same in a repeat.
    corrected = log_odds + (logit(given[i, row, places]) - today)
    return np.asarray(corrected >= logit(assumption("imbalance_possible_probability")))


def _supporting(predictions: Predictions, i: int, leg: _Leg, name: str) -> np.ndarray:
    """How many independent readings speak for an imbalance in each repeat, shape (REPEATS,)."""
    people = predictions.bundle.model.population
    a, m = len(people.athlete), len(people.leg)
    column = leg.place_of
    by_reading: dict[str, np.ndarray] = {}
    torque_mode = predictions.rows[i].get("torque_mode")
    for measure, sign in marks()[name].items():
        place = a + people.leg.index(measure)
        if measure in SQUEEZED_TOGETHER and place not in column:
            place += m
        if place not in column:
            continue
        at = column[place]
        value, error = leg.readings[:, at], leg.error[at]
        usual = leg.prior[at]
        nearer = np.minimum(sign * value, sign * (value - usual))
        speaks = nearer > READING_PER_SEM * error
        if place + m in column:
            difference = value - leg.readings[:, column[place + m]]
            speaks |= sign * difference > MDC_PER_SEM * error
        [reading] = reading_names([measure], torque_mode)
        by_reading[reading] = by_reading.get(reading, np.zeros(REPEATS, bool)) | speaks
    return np.asarray(sum(by_reading.values(), np.zeros(REPEATS, int)))
