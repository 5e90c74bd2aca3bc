"""One question put to people who were measured: who is judged, by which label, in which folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import ATHLETE_ID
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit_inputs import dealt_folds

FOLDS = 5
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A label of screenings to predict; arrays have one entry, or row, a screening.

    Attributes
    ----------
    label
        1 or 0, NaN where the screening is not judged, shape (n,).
    limb
        Whether the label is "the left leg rather than the right". A model then learns from the
        outcomes of all screenings by leg, and its two risks are compared.
    controls
        What must not explain a score: matrices (n, p) by name, read by nothing but a control.
    block
        Where whole blocks are left out (years, say) instead of folds of athletes, the block of
        each screening, shape (n,).
    """

    name: str
    title: str
    label_means: str
    cohort: Cohort
    label: FloatArray
    controls: Mapping[str, FloatArray]
    limb: bool = False
    block: NDArray[np.object_] | None = None
    athletes: NDArray[np.object_] = field(init=False)

    def __post_init__(self) -> None:
        ids = self.cohort.frame[ATHLETE_ID].astype(str).to_numpy(dtype=object)
        object.__setattr__(self, "athletes", ids)

    @property
    def judged(self) -> Rows:
        """Which screenings have a label, shape (n,)."""
        return np.isfinite(self.label)

    def splits(self, seed: int) -> Iterator[tuple[Rows, Rows]]:
        """Who is learnt from and who is judged, by turns; no athlete is ever both.

        Every judged screening is judged once. With blocks, an athlete of the block that is left
        out is left out of the other blocks too.
        """
        if self.block is None:
            sides = np.column_stack([self.label, 1.0 - self.label])
            fold = dealt_folds(self.athletes, sides, FOLDS, seed)
            for number in range(FOLDS):
                yield fold != number, self.judged & (fold == number)
            return
        for part in np.unique(self.block[self.judged]):
            test = self.judged & (self.block == part)
            known = np.isin(self.athletes, self.athletes[test])
            yield (self.block != part) & ~known, test
