"""Which measures mark which imbalance, and in which direction: what makes up a pattern."""

from __future__ import annotations

from functools import cache

from kneerisk.evidence.assumptions import assumption
from kneerisk.evidence.population import published

#: A loading of exactly the threshold counts, whatever its last digit.
ROUNDING = 1e-9


@cache
def marks() -> dict[str, dict[str, int]]:
    """The leg's measures of each imbalance's pattern, the strongest first.

    The number is 1 where a higher value goes with the imbalance, -1 where a lower one does. A
    ratio is among them by itself, through the measures that it is made of.
    """
    people = published()
    least = assumption("imbalance_pattern_covariance") - ROUNDING
    start = len(people.athlete)
    own = slice(start, start + len(people.leg))
    found: dict[str, dict[str, int]] = {}
    for k, name in enumerate(people.imbalances):
        with_latent = people.covariance[own, people.n_measures + k]
        strong = sorted(
            (-abs(value), measure, 1 if value > 0 else -1)
            for measure, value in zip(people.leg, with_latent.tolist(), strict=True)
            if abs(value) >= least
        )
        found[name] = {measure: sign for _, measure, sign in strong}
    return found
