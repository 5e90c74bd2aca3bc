"""What a fit takes as given and `kneerisk tune` may choose: one place for each such number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hyperparameters of the risk model; what is not here is chosen inside each fit, or fixed.

    They act on the risk alone. Trees of the imbalances and of the interval keep the defaults,
    since no study looks at what they are for.
    """

    max_depth: int = 3
    """Depth of the trees: what is left over a linear margin is small and smooth (assumption)."""
    step_size: float = 0.1
    """Shrinkage of each tree: at most 0.1 does best (Friedman 2001, doi 10.1214/aos/1013203451)."""
    least_child_weight: float = 20.0
    """Least sum of p(1-p) in a leaf: some 400 legs at 5 % with pain (assumption)."""
    tree_ridge: float = 10.0
    """Ridge penalty of the leaves, which shrinks one of 10 in weight by half (assumption)."""
    most_rounds: int = 100
    """Most trees to try; how many are kept is chosen by cross-validation (assumption)."""
    light_penalty: float = 4.0
    """Ridge penalty of the linear part where there is plenty to learn from (assumption)."""
    tolerance_se: float = 1.0
    """A heavier penalty is preferred while it loses no more than so many standard errors (the
    one-standard-error rule: Breiman and others 1984, Classification and Regression Trees, 3.4)."""
    published_screenings: float = 200.0
    """As many screenings as the published covariance counts for, observed cohorts (assumption)."""

    def numbers(self) -> dict[str, float]:
        """By name, as a run and a bundle keep them."""
        return {one.name: float(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def of(cls, kept: Mapping[str, str | float]) -> Settings:
        """The settings among what a run or a bundle keeps; one it does not name has its default.

        A bundle that is older than a setting was fitted with what became the default.
        """
        read: dict[str, Any] = {
            one.name: float(kept[one.name]) for one in fields(cls) if one.name in kept
        }
        whole = {one.name for one in fields(cls) if isinstance(one.default, int)}
        return cls(**{name: int(x) if name in whole else x for name, x in read.items()})


#: What is fitted with where nobody chose otherwise.
DEFAULTS = Settings()
#: Of the folds and trees of a fit. Another seed gives a model that differs by chance alone.
SEED = 0
