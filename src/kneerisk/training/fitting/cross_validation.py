"""Out-of-fold predictions: every athlete is predicted by a model that has not seen them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.splits import subset
from kneerisk.evaluation.task_rows import Risks
from kneerisk.evidence.population import published
from kneerisk.progress import Progress, event, ignore
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_inputs import inputs_of, stratified_folds

FOLDS = 5


def out_of_fold(
    cohort: Cohort,
    seeds: range,
    progress: Progress = ignore,
    n_folds: int = FOLDS,
) -> Iterator[Risks]:
    """Cross-validated risks of all screenings, everything fitted inside the folds.

    Parameters
    ----------
    cohort
        With outcomes.
    seeds
        By which athletes are dealt into folds, each once.
    progress
        Called with the number of the fit.
    n_folds
        How many folds.

    Yields
    ------
    For each seed, the risks in the order of the cohort.
    """
    inputs = inputs_of(cohort, None, published())
    for done, seed in enumerate(seeds):
        fold = stratified_folds(inputs, n_folds, seed)
        left, right, either = (np.full(len(fold), np.nan) for _ in range(3))
        for number in range(n_folds):
            fits, total = done * n_folds + number + 1, len(seeds) * n_folds
            progress(event("cross_validation", number=fits, total=total))
            outside = fold != number
            model = fit(subset(cohort, outside), seed=seed, interval=False).model
            prediction = model.predict(subset(cohort, ~outside).columns())
            either[~outside] = prediction.either
            if prediction.left is not None and prediction.right is not None:
                left[~outside], right[~outside] = prediction.left, prediction.right
        yield Risks(left if inputs.sided else None, right if inputs.sided else None, either)
