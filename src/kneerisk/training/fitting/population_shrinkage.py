"""The population of an observed cohort: the published one, shrunk towards what was measured.

Each entry of the covariance, and each mean, is a weighted mean of the published value and the
cohort's, by how many screenings measured it (a conjugate prior worth a number of screenings:
Gelman et al. 2013, Bayesian Data Analysis, 3.6).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.evidence.population import CONTEXTS, Population, contexts, published
from kneerisk.model.imputation import error_variances, farthest_z, measured_z_scores
from kneerisk.schema import FloatArray
from kneerisk.schema.rules import OPPOSITES, SQUEEZED_TOGETHER
from kneerisk.training.fitting.settings import DEFAULTS, Settings


def population_of(cohort: Cohort, settings: Settings = DEFAULTS) -> Population:
    """Means and covariance for a cohort: as published for a simulated one, shrunk for another."""
    prior = published()
    if cohort.kind == "simulated":
        return prior
    if cohort.outcome_kind != "new_pain":
        prior = _without_pain_shifts(prior)
    data = cohort.columns()
    athlete, (left, right) = measured_z_scores(prior, data)
    own, other = contexts(data)
    size = prior.n_measures
    rows = np.vstack([np.hstack([athlete, left, right]), np.hstack([athlete, right, left])])
    means = np.vstack([prior.means(own), prior.means(other)])[:, :size]
    farthest = farthest_z((*prior.athlete, *prior.leg, *prior.leg))
    deviations = np.clip(rows - means, -farthest, farthest)
    known = (~np.isnan(deviations)).astype(float)
    count = known.sum(axis=0) / 2.0
    filled = np.nan_to_num(deviations)
    shift = filled.sum(axis=0) / 2.0 / np.maximum(count, 1.0)
    shift *= count / (count + settings.published_screenings / 10.0)
    centred = np.where(known > 0, filled - shift, 0.0)
    covariance = _shrunk_covariance(prior, centred, known, settings.published_screenings)
    shifts = prior.shifts.copy()
    shifts[:size, CONTEXTS.index("constant")] += shift
    return Population(
        athlete=prior.athlete,
        leg=prior.leg,
        imbalances=prior.imbalances,
        covariance=covariance,
        shifts=shifts,
    )


def _without_pain_shifts(prior: Population) -> Population:
    """The same population without the shifts of the means by pain.

    Where the outcome is pain that is there already, means that move with it would give it away.
    """
    shifts = prior.shifts.copy()
    shifts[:, [CONTEXTS.index(name) for name in ("own_pain", "other_pain")]] = 0.0
    return replace(prior, shifts=shifts)


def _shrunk_covariance(
    prior: Population, centred: FloatArray, known: FloatArray, prior_weight: float
) -> FloatArray:
    """Weighted mean of the published covariance and the measured one without its error."""
    size = prior.n_measures
    both = known.T @ known
    measured_covariance = centred.T @ centred / np.maximum(both, 1.0) - _error_covariance(prior)
    weight = (both / 2.0) / (both / 2.0 + prior_weight)
    covariance = prior.covariance.copy()
    covariance[:size, :size] = (
        weight * measured_covariance + (1.0 - weight) * covariance[:size, :size]
    )
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.maximum(values, 1e-6)) @ vectors.T)


def _error_covariance(prior: Population) -> FloatArray:
    """Covariance of the errors; a reading of both legs has one error in the columns of both."""
    variances = error_variances(prior)
    covariance = np.diag(variances)
    a, m = len(prior.athlete), len(prior.leg)
    for sign, names in ((-1.0, OPPOSITES), (1.0, SQUEEZED_TOGETHER)):
        for own in (a + prior.leg.index(name) for name in names):
            covariance[own, own + m] = covariance[own + m, own] = sign * variances[own]
    return covariance
