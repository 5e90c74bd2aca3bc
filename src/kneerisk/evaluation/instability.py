"""Instability: how far the risks of the same athletes move when the model is built once more.

The whole model building is repeated in bootstrap samples of the athletes, and each model predicts
all of them (Riley & Collins 2023, Biom J 65:2200302, PMC10952221). How well a model ranks may be
known while the risk of a single athlete is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.evaluation.decision_curves import THRESHOLDS
from kneerisk.evaluation.task_rows import Risks, athlete_codes, own_task, risks_of
from kneerisk.model.prediction import Prediction
from kneerisk.progress import Progress, event, ignore
from kneerisk.schema import FloatArray
from kneerisk.workers.this_process import Workers, in_this_process

#: What a metric of instability begins with.
PREFIX = "instability_"
#: Ends of the band that holds 95 % of a row's refitted risks.
BAND = (0.025, 0.975)
#: Builds the model again on screenings that are drawn with replacement (their positions), and
#: predicts all screenings; None where there is too little to build one from.
Refit = Callable[[NDArray[np.intp]], Risks | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instability:
    """Risks of n rows (legs, or screenings where there are no sides), and the same refitted.

    Attributes
    ----------
    predicted
        By the model, shape (n,).
    refitted
        By B models that were built again, shape (B, n).
    low
        Lower end of the model's 90 % interval, shape (n,).
    high
        Upper end, shape (n,).
    """

    predicted: FloatArray
    refitted: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def mape(self) -> FloatArray:
        """Mean absolute prediction error of each row over the refits, shape (n,)."""
        return np.asarray(np.abs(self.refitted - self.predicted).mean(axis=0))

    def classification(self, threshold: float) -> FloatArray:
        """Share of the refits by which each row is on the other side of a threshold.

        Parameters
        ----------
        threshold
            A risk; a row at it counts as above.

        Returns
        -------
        Shape (n,).
        """
        above = self.predicted >= threshold
        return np.asarray(((self.refitted >= threshold) != above).mean(axis=0))

    @property
    def band(self) -> FloatArray:
        """Between which 95 % of each row's refitted risks lie, shape (2, n)."""
        return np.asarray(np.quantile(self.refitted, BAND, axis=0))

    @property
    def metrics(self) -> dict[str, float]:
        """Means over the rows, by flat name."""
        outside = (self.refitted < self.low) | (self.refitted > self.high)
        return {
            f"{PREFIX}refits": float(len(self.refitted)),
            f"{PREFIX}mape": float(self.mape.mean()),
            f"{PREFIX}mape_top_5_pct": float(np.quantile(self.mape, 0.95)),
            f"{PREFIX}outside_interval": float(outside.mean()),
            **{
                f"{PREFIX}at_{100 * threshold:.0f}_pct": float(
                    self.classification(threshold).mean()
                )
                for threshold in THRESHOLDS
            },
        }


def measure_instability(
    cohort: Cohort,
    prediction: Prediction,
    refit: Refit,
    refits: int,
    *,
    seed: int,
    progress: Progress = ignore,
    workers: Workers = in_this_process,
) -> Instability | None:
    """Build a model again on resampled athletes, and predict the athletes themselves.

    Parameters
    ----------
    cohort
        The n screenings that the model was built on.
    prediction
        The model's, of the same screenings.
    refit
        Builds the model again, from the first choice on.
    refits
        How many times.
    seed
        Of the resampling.
    progress
        Called with the number of each refit.
    workers
        What does the refits.

    Returns
    -------
    The instability; None where fewer than two models could be built.
    """
    predicted, low, high = (
        own_task(cohort, risks) for risks in (risks_of(prediction), *_ends(prediction))
    )
    codes = athlete_codes(cohort)
    rows_of = [np.flatnonzero(codes == code) for code in np.unique(codes)]

    def samples() -> Iterator[NDArray[np.intp]]:
        for number in range(refits):
            progress(event("instability", number=number + 1, total=refits))
            generator = np.random.default_rng([seed, number])
            drawn = generator.integers(0, len(rows_of), len(rows_of))
            yield np.concatenate([rows_of[athlete] for athlete in drawn])

    refitted = [
        own_task(cohort, risks).probability
        for risks in workers(_refit, refit, samples())
        if risks is not None
    ]
    if len(refitted) < 2:
        return None
    return Instability(
        predicted=predicted.probability,
        refitted=np.stack(refitted),
        low=low.probability,
        high=high.probability,
    )


def _refit(refit: Refit, rows: NDArray[np.intp]) -> Risks | None:
    return refit(rows)


def _ends(prediction: Prediction) -> list[Risks]:
    """The lower and the upper ends of the intervals, as risks."""
    sided = prediction.left is not None
    return [
        Risks(
            prediction.intervals["left"][end] if sided else None,
            prediction.intervals["right"][end] if sided else None,
            prediction.intervals["either"][end],
        )
        for end in (0, 1)
    ]
