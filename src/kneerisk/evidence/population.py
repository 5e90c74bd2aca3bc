"""The population of true measures: a Gaussian over both legs of an athlete, in z-scores.

Factors (five imbalances of each leg, and a few that only correlate measures) load on measures;
what a factor leaves over is a residual, correlated between the legs. The state of a leg is laid
out as [athlete measures, own leg, other leg, own imbalances, other imbalances].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from kneerisk.evidence import imbalances, reverse_causation
from kneerisk.evidence.table_models import Factor, Loading, Shift, Symmetry
from kneerisk.evidence.table_reader import read_table
from kneerisk.schema import (
    SIDES,
    Columns,
    FloatArray,
    Quantity,
    athlete_measures,
    category,
    leg_measures,
    quantities,
)
from kneerisk.schema.own_measures import own_measures_in_force, per_schema
from kneerisk.schema.rules import RATIOS, SQUEEZED_TOGETHER
from kneerisk.schema.z_scores import location_and_scale

#: How alike the legs of one athlete are in a club's own measure, as a correlation, before its
#: cohort says more (assumption: those of the schema lie around 0.75).
OWN_LEFT_RIGHT = 0.5
#: The contexts that age alone gives.
AGE_CONTEXTS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "decades_over_30": lambda age: (age - 30.0) / 10.0,
    "decades_over_40": lambda age: np.maximum(age - 40.0, 0.0) / 10.0,
}
#: The sports that move them; running is the reference.
_SPORTS = (
    "basketball",
    "volleyball",
    "football",
    "handball",
    "rugby",
    "netball",
    "hockey",
    "tennis",
    "cycling",
    "weightlifting",
    "general",
)
#: What moves the means of the true measures; columns of `contexts`.
CONTEXTS = ("constant", *AGE_CONTEXTS, *_SPORTS, "own_pain", "other_pain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Means and covariance of the true measures of a leg, in z-scores of the schema's norms.

    ``covariance`` has shape (d, d) and ``shifts`` (d, n_contexts), over the state [athlete
    measures, own leg, other leg, own imbalances, other imbalances].
    """

    athlete: tuple[str, ...]
    leg: tuple[str, ...]
    imbalances: tuple[str, ...]
    covariance: FloatArray
    shifts: FloatArray

    @property
    def n_measures(self) -> int:
        """How many of the state are measures (the rest are imbalances)."""
        return len(self.athlete) + 2 * len(self.leg)

    def means(self, context: FloatArray) -> FloatArray:
        """Mean of the state.

        Parameters
        ----------
        context
            The contexts of n legs, shape (n, n_contexts), as `contexts` gives them.

        Returns
        -------
        Z-scores, shape (n, d).
        """
        return row_products(self.shifts, context)


def row_products(matrix: FloatArray, rows: FloatArray) -> FloatArray:
    """A matrix times each row by itself, so that a row's digits don't depend on its neighbours.

    One product with all rows would be a matrix product, for which BLAS picks another order of
    adding with another number of rows. Stacked vectors are one matrix-vector product a row.

    Parameters
    ----------
    matrix
        Shape ``(m, k)``.
    rows
        Shape ``(n, k)``.

    Returns
    -------
    Shape ``(n, m)``.
    """
    return np.asarray(np.matmul(matrix, np.ascontiguousarray(rows)[:, :, None])[:, :, 0])


def state_measures() -> tuple[dict[str, Quantity], dict[str, Quantity]]:
    """The athlete's and the leg's quantities that the population describes."""
    athlete = {
        name: quantity
        for name, quantity in quantities(athlete_measures()).items()
        if quantity.norms and quantity.model_input
    }
    legs = {name: q for name, q in quantities(leg_measures()).items() if q.norms and q.model_input}
    return athlete, legs


def contexts(data: Columns) -> tuple[FloatArray, FloatArray]:
    """Contexts of the left and the right leg: what moves the means of the true measures.

    Parameters
    ----------
    data
        Coded columns of n screenings: age, sport, and pain of each knee. A sport that is not known
        counts as running, the reference.

    Returns
    -------
    For the left and for the right leg, shape (n, n_contexts), in the order of `CONTEXTS`.
    """
    age, choices = data["age_years"], category("sport").choices
    shared = [
        np.ones_like(age),
        *(of_age(age) for of_age in AGE_CONTEXTS.values()),
        *(data["sport"] == choices.index(sport) for sport in _SPORTS),
    ]
    # Not asked, a knee doesn't hurt.
    pain = [data[f"{side}_pain_nrs"] > 0 for side in SIDES]
    left = np.array([*shared, *pain], dtype=np.float64).T
    right = left.copy()
    right[:, -2:] = left[:, [-1, -2]]
    return np.ascontiguousarray(left), np.ascontiguousarray(right)


def age_shift(measure: str, age_years: FloatArray) -> FloatArray:
    """By how much age alone moves the mean of a measure.

    Parameters
    ----------
    measure
        Its name, without its side.
    age_years
        Shape (n,).

    Returns
    -------
    Z-scores, shape (n,).
    """
    shift = np.zeros_like(age_years)
    for item in _age_shifts(measure):
        shift = shift + item.shift_sd * AGE_CONTEXTS[item.context](age_years)
    return shift


@cache
def _age_shifts(measure: str) -> tuple[Shift, ...]:
    """By how much age moves a measure, as the table says."""
    shifts = read_table("shifts", Shift)
    return tuple(s for s in shifts if s.measure == measure and s.context in AGE_CONTEXTS)


@per_schema
def published() -> Population:
    """The population as the cited tables give it."""
    athlete, legs = state_measures()
    names = tuple(imbalances())
    loadings, cov_factors = _factors(athlete, legs)
    covariance = _covariance(tuple(athlete), tuple(legs), loadings, cov_factors)
    return Population(
        athlete=tuple(athlete),
        leg=tuple(legs),
        imbalances=names,
        covariance=covariance,
        shifts=_shifts(tuple(athlete), tuple(legs), covariance.shape[0]),
    )


def _factors(
    athlete: dict[str, Quantity], legs: dict[str, Quantity]
) -> tuple[FloatArray, FloatArray]:
    """Loadings (n_measures, n_factors) of the state's measures, and the factors' covariance.

    The factors are laid out [athlete's, own leg's, other leg's]; imbalances first of a leg's.
    """
    table = read_table("factors", Factor)
    order = {name: i for i, name in enumerate(imbalances())}
    shared = [f for f in table if f.level == "athlete"]
    of_leg = [f for f in table if f.level != "athlete"]
    of_leg.sort(key=lambda f: order.get(f.factor, len(order)))
    n_shared, n_leg = len(shared), len(of_leg)
    covariance = np.eye(n_shared + 2 * n_leg)
    for i, factor in enumerate(of_leg):
        own, other = n_shared + i, n_shared + n_leg + i
        covariance[own, other] = covariance[other, own] = factor.left_right
    place = {f.factor: i for i, f in enumerate(shared)}
    place |= {f.factor: n_shared + i for i, f in enumerate(of_leg)}

    a, m = len(athlete), len(legs)
    loadings = np.zeros((a + 2 * m, n_shared + 2 * n_leg))
    rows = {name: i for i, name in enumerate([*athlete, *legs])}
    for item in read_table("loadings", Loading):
        row, column = rows[item.measure], place[item.factor]
        loadings[row, column] = item.own
        if row < a:
            continue
        if column < n_shared:
            loadings[row + m, column] = item.own
            continue
        loadings[row, column + n_leg] = item.other
        loadings[row + m, column + n_leg] = item.own
        loadings[row + m, column] = item.other
    return loadings, covariance


def _covariance(
    athlete: tuple[str, ...], legs: tuple[str, ...], loadings: FloatArray, factors: FloatArray
) -> FloatArray:
    """Covariance of the whole state from the factors, residuals and ratios."""
    a, m, k = len(athlete), len(legs), len(imbalances())
    shared = loadings @ factors @ loadings.T
    leftover = 1.0 - np.diag(shared)
    if (leftover < 0.01).any():
        names = [*athlete, *legs, *legs]
        too_much = [names[i] for i in np.flatnonzero(leftover < 0.01)]
        raise ValueError(f"the factors explain more than a measure's variance: {too_much}")
    measures = shared + np.diag(leftover)
    target = dict.fromkeys(own_measures_in_force().leg, OWN_LEFT_RIGHT)
    target |= {item.measure: item.left_right for item in read_table("symmetry", Symmetry)}
    for i, name in enumerate(legs):
        own, other = a + i, a + m + i
        free = (target.get(name, 0.0) - shared[own, other]) / leftover[own]
        measures[own, other] = measures[other, own] = shared[own, other] + leftover[own] * np.clip(
            free, -1.0, 1.0 if name in SQUEEZED_TOGETHER else 0.98
        )
    n_shared = _n_athlete_factors()
    n_leg = (loadings.shape[1] - n_shared) // 2
    picks = [n_shared + i for i in range(k)] + [n_shared + n_leg + i for i in range(k)]
    crossed = loadings @ factors[:, picks]
    whole = np.block([[measures, crossed], [crossed.T, factors[np.ix_(picks, picks)]]])
    mapping = _ratio_mapping(athlete, legs, whole.shape[0])
    return np.asarray(mapping @ whole @ mapping.T)


def _n_athlete_factors() -> int:
    return sum(f.level == "athlete" for f in read_table("factors", Factor))


def _ratio_mapping(athlete: tuple[str, ...], legs: tuple[str, ...], size: int) -> FloatArray:
    """The linear map that replaces each ratio's row by its log-difference of two measures."""
    mapping = np.eye(size)
    both_sexes = {"sex": np.array([np.nan])}
    scale = {name: float(location_and_scale(name, both_sexes)[1][0]) for name in legs}
    for item in RATIOS:
        for start in (len(athlete), len(athlete) + len(legs)):
            row = start + legs.index(item.ratio)
            mapping[row] = 0.0
            mapping[row, start + legs.index(item.over)] = scale[item.over] / scale[item.ratio]
            mapping[row, start + legs.index(item.under)] = -scale[item.under] / scale[item.ratio]
    return mapping


def _shifts(athlete: tuple[str, ...], legs: tuple[str, ...], size: int) -> FloatArray:
    shifts = np.zeros((size, len(CONTEXTS)))
    a, m = len(athlete), len(legs)
    for item in read_table("shifts", Shift):
        column = CONTEXTS.index(item.context)
        if item.measure in athlete:
            shifts[athlete.index(item.measure), column] = item.shift_sd
        else:
            shifts[[a + legs.index(item.measure), a + m + legs.index(item.measure)], column] = (
                item.shift_sd
            )
    for measure, lowered in reverse_causation().items():
        own = a + legs.index(measure)
        together = measure in SQUEEZED_TOGETHER
        # Of a reading that both legs make, either leg makes half.
        shift_sd = lowered.shift_sd_central / (2.0 if together else 1.0)
        painful = {"own_pain": own, "other_pain": own + m}
        for context, row in painful.items():
            rows = [own, own + m] if together else [row]
            shifts[rows, CONTEXTS.index(context)] = shift_sd
    mapping = _ratio_mapping(athlete, legs, size)
    return np.asarray(mapping @ shifts)
