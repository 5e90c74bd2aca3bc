"""Which settings are tried, and between which bounds: those that act on the cohort at hand."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import FloatDistribution, IntDistribution

Range = IntDistribution | FloatDistribution
Space = Mapping[str, Range]


def space(*, true: bool, plenty: bool, people: bool) -> Space:
    """The settings to try, by name.

    Bounds are assumptions: about a tenth to ten times the default, where that makes sense.

    Parameters
    ----------
    true
        Whether models are fitted to true risks instead of outcomes.
    plenty
        Whether there are so many outcomes that penalties are not chosen inside a fit.
    people
        Whether the athletes were measured: their covariance is not the published one.

    Returns
    -------
    The range of each setting, by its name.
    """
    ranges: dict[str, Range] = {
        "max_depth": IntDistribution(1, 5),
        "step_size": FloatDistribution(0.02, 0.3, log=True),
        "least_child_weight": FloatDistribution(2.0, 200.0, log=True),
        "tree_ridge": FloatDistribution(1.0, 100.0, log=True),
        "most_rounds": IntDistribution(50, 200, step=50),
    }
    if plenty:
        ranges |= {"light_penalty": FloatDistribution(0.4, 40.0, log=True)}
    if not true:
        ranges |= {"tolerance_se": FloatDistribution(0.0, 2.0)}
    if people:
        ranges |= {"published_screenings": FloatDistribution(20.0, 2000.0, log=True)}
    return ranges


def in_words(tried: Space) -> str:
    """The bounds as a person reads them."""
    return ", ".join(
        f"{name} {bounds.low:g} to {bounds.high:g}" for name, bounds in sorted(tried.items())
    )
