"""Cross-validate the method: whole groups left out, and athletes left out fold by fold.

Everything is fitted inside the folds, settings included. It evaluates how models of a cohort are
made, not a single model of it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import groups_of, subset
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.instability import Instability, measure_instability
from kneerisk.evaluation.internal_external_validation import OutOfFold, evaluate_out_of_fold
from kneerisk.evaluation.left_out_folds import Deal, Rows, predict_deals
from kneerisk.evaluation.task_rows import Risks, risks_of
from kneerisk.evidence.population import published
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress, event, ignore
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_inputs import inputs_of, stratified_folds
from kneerisk.training.fitting.settings import DEFAULTS, SEED, Settings
from kneerisk.workers.this_process import Workers, in_this_process

#: Folds of a cross-validation. Five are the usual choice (assumption).
CROSS_VALIDATION_FOLDS = 5


def out_of_fold(
    cohort: Cohort,
    seeds: range,
    progress: Progress = ignore,
    n_folds: int = CROSS_VALIDATION_FOLDS,
    workers: Workers = in_this_process,
) -> list[Risks]:
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
    workers
        What fits the folds.

    Returns
    -------
    For each seed, the risks in the order of the cohort.
    """
    inputs = inputs_of(cohort, None, published())
    numbers, total = count(1), len(seeds) * n_folds
    deals = [
        Deal(stratified_folds(inputs, n_folds, seed), partial(fit_and_predict, cohort, seed=seed))
        for seed in seeds
    ]

    def begins() -> None:
        progress(event("cross_validation", number=next(numbers), total=total))

    return [risks["model"] for risks in predict_deals(cohort, deals, workers, begins)]


def fit_and_predict(
    cohort: Cohort, train: Rows, test: Rows, seed: int = 0, settings: Settings = DEFAULTS
) -> dict[str, Risks]:
    """Fit to some screenings of a cohort and predict others: `model`, their risks.

    Parameters
    ----------
    cohort
        With outcomes, n screenings.
    train
        Which to fit to, a mask of shape (n,).
    test
        Which to predict, a mask of shape (n,).
    seed
        Of the folds within the fit.
    settings
        What is not chosen inside the fit.

    Returns
    -------
    Of the screenings to predict, in their order.
    """
    fitted = fit(cohort, rows=train, seed=seed, interval=False, settings=settings)
    return {"model": risks_of(fitted.model.predict(subset(cohort, test).columns()))}


def refit_people(
    cohort: Cohort,
    model: RiskModel,
    refits: int,
    progress: Progress = ignore,
    settings: Settings = DEFAULTS,
    workers: Workers = in_this_process,
) -> Instability | None:
    """How far risks move when the model of a cohort is built again on resampled athletes.

    Parameters
    ----------
    cohort
        Athletes with outcomes, to whom the model was fitted.
    model
        That model.
    refits
        How many times.
    progress
        Called with the number of each.
    settings
        What is not chosen inside a fit.
    workers
        What does the fits.

    Returns
    -------
    The instability; None where nobody was measured, or hardly any sample has outcomes enough.
    """
    if cohort.kind == "simulated":
        return None
    data = cohort.columns()
    return measure_instability(
        cohort, model.predict(data), partial(_refit, cohort, data, settings), refits,
        seed=SEED, progress=progress, workers=workers,
    )  # fmt: skip


def _refit(
    cohort: Cohort, data: dict[str, FloatArray], settings: Settings, rows: NDArray[np.intp]
) -> Risks | None:
    """The risks of a cohort by a model of some of its screenings; None where that is refused."""
    sample = replace(cohort, frame=cohort.frame.iloc[rows].reset_index(drop=True))
    try:
        return risks_of(fit(sample, interval=False, settings=settings).model.predict(data))
    except CohortRefused:
        return None


def evaluate_people(
    cohort: Cohort,
    seeds: range,
    progress: Progress = ignore,
    settings: Settings = DEFAULTS,
    workers: Workers = in_this_process,
) -> OutOfFold:
    """How models of a cohort do on whole groups that are left out, and on people left out.

    Parameters
    ----------
    cohort
        With outcomes; of a simulated one only groups are left out.
    seeds
        By which athletes are dealt into folds, each once; with none only groups are left out.
    progress
        Called with the number of the fit.
    settings
        What is not chosen inside a fit with groups left out.
    workers
        What does the fits.

    Returns
    -------
    `iecv_` metrics where the cohort has groups, and `cv_` ones where people were measured.
    """
    by_person: dict[str, list[Risks]] = {}
    if cohort.kind != "simulated" and len(seeds):
        by_person = {"model": out_of_fold(cohort, seeds, progress, workers=workers)}
    groups = groups_of(cohort)
    numbers, total = count(1), 0 if groups is None else len(groups.names)

    def begins() -> None:
        progress(event("group_left_out", number=next(numbers), total=total))

    predict = partial(fit_and_predict, cohort, settings=settings)
    return evaluate_out_of_fold(cohort, by_person, predict, workers, begins)
