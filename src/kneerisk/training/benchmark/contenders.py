"""Contenders of a task: the model, plain XGBoost, logistic regression, base rate, controls.

All of them have the same folds; whatever one of them tunes, it tunes inside the training part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from kneerisk.cohort.splits import subset
from kneerisk.evaluation.baselines.baseline_design import logistic_design
from kneerisk.evaluation.baselines.plain_xgboost import FINE, fit_trees
from kneerisk.evaluation.baselines.ridge_baseline import fit_linear
from kneerisk.schema import FloatArray, leg_measures
from kneerisk.training.benchmark.tasks import Rows, Task
from kneerisk.training.fitting.fit import fit, fit_label

MODEL, XGBOOST, LOGISTIC, PRIOR = "model", "xgboost", "logistic", "prior"
#: Before the name of what a control reads.
CONTROL = "control"


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Predictions of each screening by contenders that have not seen its athlete.

    Attributes
    ----------
    probability
        Of the label, by contender, shape (n,); NaN where the screening is not evaluated.
    fold
        The number of the fold that left a screening out, shape (n,); -1 where it is not evaluated.
    """

    probability: dict[str, FloatArray]
    fold: NDArray[np.intp]


def out_of_fold(task: Task, seed: int) -> OutOfFold:
    """Fit every contender and predict fold by fold; the seed decides folds, outside and inside."""
    probability: dict[str, FloatArray] = {}
    fold = np.full(len(task.label), -1, dtype=np.intp)
    for number, (train, test) in enumerate(task.splits(seed)):
        fold[test] = number
        for name, predicted in _predictions(task, train, test, seed):
            column = probability.setdefault(name, np.full(len(task.label), np.nan))
            column[test] = predicted
    return OutOfFold(probability, fold)


def _predictions(
    task: Task, train: Rows, test: Rows, seed: int
) -> Iterator[tuple[str, FloatArray]]:
    yield MODEL, _model(task, train, test, seed)
    yield from _baselines(task, train, test, seed)
    for name, matrix in task.controls.items():
        yield f"{CONTROL} {name}", _logistic(matrix, task, train & task.evaluated, test, seed)


def _model(task: Task, train: Rows, test: Rows, seed: int) -> FloatArray:
    data = subset(task.cohort, test).columns()
    train_cohort = subset(task.cohort, train)
    if not task.limb:
        return fit_label(train_cohort, task.label[train], seed=seed).predict(data).either
    prediction = fit(train_cohort, seed=seed, interval=False).model.predict(data)
    if prediction.left is None or prediction.right is None:
        raise ValueError("a task of limbs needs a cohort with sides")
    # What the legs share cancels in the difference of their log-odds.
    return np.asarray(expit(logit(prediction.left) - logit(prediction.right)))


def _baselines(task: Task, train: Rows, test: Rows, seed: int) -> Iterator[tuple[str, FloatArray]]:
    """XGBoost, logistic regression and the base rate, on what was measured as it was measured."""
    rows = train & task.evaluated
    yield PRIOR, np.full(int(test.sum()), task.label[rows].mean())
    matrix = plain_matrix(task)
    if not task.limb:
        trees = fit_trees(matrix[rows], task.label[rows], task.athletes[rows], seed, FINE)
        if trees is not None:
            yield XGBOOST, trees.predict(matrix[test])
        yield LOGISTIC, _logistic(matrix, task, rows, test, seed)
        return
    # Each pair of legs is shown from either side: neither of them starts out as the painful one,
    # which gains XGBoost 0.03 of AUC here (and logistic regression an intercept of 0).
    x = np.vstack([matrix[rows], -matrix[rows]])
    y = np.concatenate([task.label[rows], 1.0 - task.label[rows]])
    athletes = np.tile(task.athletes[rows], 2)
    for name, model in ((XGBOOST, fit_trees(x, y, athletes, seed, FINE)),
                        (LOGISTIC, fit_linear(x, y, athletes, seed, fine=True))):  # fmt: skip
        if model is not None:
            difference = logit(model.predict(matrix[test])) - logit(model.predict(-matrix[test]))
            yield name, np.asarray(expit(difference / 2.0))


def _logistic(matrix: FloatArray, task: Task, rows: Rows, test: Rows, seed: int) -> FloatArray:
    model = fit_linear(matrix[rows], task.label[rows], task.athletes[rows], seed, fine=True)
    if model is None:
        return np.full(int(test.sum()), task.label[rows].mean())
    return model.predict(matrix[test])


def plain_matrix(task: Task) -> FloatArray:
    """The feature matrix of the plain contenders.

    Parameters
    ----------
    task
        Of n screenings.

    Returns
    -------
    Shape (n, p), missing as NaN: for limbs, left minus right of each measure; otherwise what the
    logistic baseline reads of an athlete. Columns without any value are left out.
    """
    data = task.cohort.columns()
    if task.limb:
        names = [name for name, measure in leg_measures().items() if measure.model_input]
        matrix = np.column_stack([data[f"left_{name}"] - data[f"right_{name}"] for name in names])
    else:
        matrix = logistic_design().either_matrix(data)
    return matrix[:, np.isfinite(matrix).any(axis=0)]
