"""Which questions and tests say most about an athlete's risk, by the published effects."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np

from kneerisk.evidence import measures_of_test, screening_tests
from kneerisk.evidence.risk_factors import belongs, risk_factors

#: Questions and tests that tell so much about the risk that one of them has to be there.
STRONGEST = 5


@lru_cache(maxsize=256)
def strongest_tests(sport: float, sex: float, age_years: float) -> tuple[str, ...]:
    """What says most about an athlete's risk, of what one can ask or measure.

    By the size of the published log-odds (the central one of ``effects.csv``) among athletes of
    this sport, sex and age; a test that several effects need counts once. Age, sex and sport
    themselves are left out, since every screening has them.

    Parameters
    ----------
    sport
        Code of the schema; NaN where not known.
    sex
        Code of the schema.
    age_years
        Age in years.

    Returns
    -------
    The names of the `STRONGEST` tests and questions, the strongest first.
    """
    own = {"sport": np.array([sport]), "sex": np.array([sex]), "age_years": np.array([age_years])}
    sizes: dict[str, float] = {}
    for effect in risk_factors():
        size = abs(effect.central) * float(belongs(effect.population, own)[0])
        for test in _tests_of(effect.measure):
            sizes[test] = max(sizes.get(test, 0.0), size)
    return tuple(sorted(sizes, key=lambda test: -sizes[test])[:STRONGEST])


@cache
def _tests_of(measure: str) -> tuple[str, ...]:
    """The tests that give a measure; the body mass index needs body mass, which varies most."""
    wanted = measure or "mass_kg"
    return tuple(test for test in screening_tests() if wanted in measures_of_test(test))
