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
        It is learnt from true risks instead of outcomes.
    plenty
        There is so much to learn from that penalties are not chosen inside.
    people
        The athletes were measured: their covariance is not the published one.
    """
    found: dict[str, Range] = {
        "max_depth": IntDistribution(1, 5),
        "step_size": FloatDistribution(0.02, 0.3, log=True),
        "least_child_weight": FloatDistribution(2.0, 200.0, log=True),
        "tree_ridge": FloatDistribution(1.0, 100.0, log=True),
        "most_rounds": IntDistribution(50, 200, step=50),
    }
    if plenty:
        found |= {"light_penalty": FloatDistribution(0.4, 40.0, log=True)}
    if not true:
        found |= {"tolerance_se": FloatDistribution(0.0, 2.0)}
    if people:
        found |= {"published_screenings": FloatDistribution(20.0, 2000.0, log=True)}
    return found


def in_words(tried: Space) -> str:
    """The bounds as a person reads them."""
    return ", ".join(f"{name} {one.low:g} to {one.high:g}" for name, one in sorted(tried.items()))
