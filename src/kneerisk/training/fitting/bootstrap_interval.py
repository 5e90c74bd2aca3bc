"""The interval of a model of people: its linear part refitted on athletes drawn with replacement.

A bootstrap by athlete (Efron & Tibshirani 1993, An Introduction to the Bootstrap).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from kneerisk.model.feature_columns import Column
from kneerisk.model.intervals import BootstrapInterval
from kneerisk.model.logistic_calibration import Calibration
from kneerisk.model.margin import Margin
from kneerisk.progress import Progress, event
from kneerisk.training.fitting.fit_inputs import Inputs
from kneerisk.training.fitting.margin_fit import Penalties, fit_margin
from kneerisk.workers.this_process import Workers

#: Resamples of athletes behind the interval (assumption).
REFITS = 40


@dataclass(frozen=True, slots=True, eq=False)
class ResampledFit:
    """A margin that is fitted again on athletes drawn with replacement.

    Attributes
    ----------
    inputs
        Of the fit.
    columns
        Columns of the feature matrix that the margin reads.
    signs
        Their supported directions.
    penalties
        Of the margin, chosen before.
    """

    inputs: Inputs
    columns: tuple[Column, ...]
    signs: dict[Column, int]
    penalties: Penalties

    def samples(self, progress: Progress) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """The screenings of the athletes of each refit.

        Parameters
        ----------
        progress
            Called with the number of the refit.

        Yields
        ------
        Its number, and positions of screenings.
        """
        athletes, member = np.unique(self.inputs.athletes.astype(str), return_inverse=True)
        rows_of = [np.flatnonzero(member == i) for i in range(len(athletes))]
        for number in range(REFITS):
            if number % 10 == 0:
                progress(event("bootstrap", number=number + 1, total=REFITS))
            drawn = np.random.default_rng(number).integers(0, len(athletes), len(athletes))
            yield number, np.concatenate([rows_of[i] for i in drawn])

    def margin(self, sample: tuple[int, NDArray[np.intp]]) -> Margin:
        """The margin of a sample, on one thread of the linear algebra as in any fit.

        Parameters
        ----------
        sample
            The number of the refit, and positions of screenings.

        Returns
        -------
        The margin.
        """
        number, rows = sample
        with threadpool_limits(limits=1, user_api="blas"):
            drawn = self.inputs.take(rows)
            return fit_margin(drawn, self.columns, self.signs, number, self.penalties)[0]


def fit_bootstrap(
    resampled: ResampledFit, calibration: Calibration, progress: Progress, workers: Workers
) -> BootstrapInterval:
    """The interval of margins that are refitted on athletes drawn with replacement.

    Parameters
    ----------
    resampled
        Refits the margin.
    calibration
        Of the model, whose slope the interval takes over.
    progress
        Called with the number of the refit.
    workers
        What does the refits.

    Returns
    -------
    The interval of a leg.
    """
    refits = workers(ResampledFit.margin, resampled, resampled.samples(progress))
    return BootstrapInterval(refits=tuple(refits), slope=calibration.slope)
