"""A mean difference between two ways of doing something, measured on the same cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import sem

#: A difference within so many of its standard errors may be chance.
STANDARD_ERRORS = 2.0


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean difference in expected log loss, its standard error, and the share of pairs above 0.

    All are NaN with fewer than two pairs.
    """

    mean: float
    standard_error: float
    share_worse: float
    pairs: int

    @classmethod
    def between(cls, losses: Sequence[float], reference: Sequence[float]) -> PairedDifference:
        """Losses less those of a reference, pair by pair; a pair with a NaN is left out."""
        differences = np.array(losses) - np.array(reference)
        differences = differences[np.isfinite(differences)]
        if len(differences) < 2:
            return cls(float("nan"), float("nan"), float("nan"), len(differences))
        return cls(
            mean=float(differences.mean()),
            standard_error=float(sem(differences)),
            share_worse=float((differences > 0.0).mean()),
            pairs=len(differences),
        )

    @property
    def no_worse(self) -> bool:
        """Whether the mean is not above 0 by more than chance."""
        return self.pairs < 2 or self.mean <= STANDARD_ERRORS * self.standard_error

    def __str__(self) -> str:
        if self.pairs < 2:
            return "none"
        return f"{self.mean:+.5f} ± {STANDARD_ERRORS * self.standard_error:.5f}"
