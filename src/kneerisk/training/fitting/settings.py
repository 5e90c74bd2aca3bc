"""Hyperparameters: what a fit takes as given and `kneerisk tune` may choose."""

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
        return {field.name: float(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def of(cls, choices: Mapping[str, str | float]) -> Settings:
        """The settings among the choices of a run or a bundle; one not named has its default.

        A bundle that is older than a setting was fitted with what became the default.
        """
        numbers: dict[str, Any] = {
            field.name: float(choices[field.name]) for field in fields(cls) if field.name in choices
        }
        integers = {field.name for field in fields(cls) if isinstance(field.default, int)}
        return cls(**{name: int(x) if name in integers else x for name, x in numbers.items()})


#: What a person may choose of each, lowest and highest: what XGBoost and the penalties take at all;
#: `kneerisk tune` searches less (assumption).
ALLOWED: Mapping[str, tuple[float, float]] = {
    "max_depth": (1, 10),
    "step_size": (0.001, 1.0),
    "least_child_weight": (0.0, 10_000.0),
    "tree_ridge": (0.0, 10_000.0),
    "most_rounds": (1, 2_000),
    "light_penalty": (0.001, 10_000.0),
    "tolerance_se": (0.0, 10.0),
    "published_screenings": (0.0, 1_000_000.0),
}
#: What is fitted with where nobody chose otherwise.
DEFAULTS = Settings()
#: Of the folds and trees of a fit. Another seed gives a model that differs by chance alone.
SEED = 0
