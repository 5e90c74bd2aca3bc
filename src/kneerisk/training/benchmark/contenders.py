"""Who competes for a task: the model, plain XGBoost, logistic regression, base rate, controls.

All of them have the very same folds. Whatever one of them chooses, it chooses inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from kneerisk.cohort.splits import subset
from kneerisk.evaluation.baselines import fit_linear, logistic_design
from kneerisk.evaluation.xgboost_baseline import FINE, fit_trees
from kneerisk.schema import FloatArray, leg_measures
from kneerisk.training.benchmark.task import Rows, Task
from kneerisk.training.fitting.fit import fit, fit_label

MODEL, XGBOOST, LOGISTIC, PRIOR = "model", "xgboost", "logistic", "prior"
#: Before the name of what a control reads.
CONTROL = "control"


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What contenders said of each screening before they had seen its athlete.

    ``chance`` are probabilities of the label by contender, shape (n,), and ``part`` the number of
    the split that left a screening out, shape (n,); NaN and -1 where it is not judged.
    """

    chance: dict[str, FloatArray]
    part: NDArray[np.intp]


def out_of_fold(task: Task, seed: int) -> OutOfFold:
    """Let every contender learn and predict; the seed decides folds, outside and inside."""
    chance: dict[str, FloatArray] = {}
    part = np.full(len(task.label), -1, dtype=np.intp)
    for number, (train, test) in enumerate(task.splits(seed)):
        part[test] = number
        for name, told in _compete(task, train, test, seed):
            chance.setdefault(name, np.full(len(task.label), np.nan))[test] = told
    return OutOfFold(chance, part)


def _compete(task: Task, train: Rows, test: Rows, seed: int) -> Iterator[tuple[str, FloatArray]]:
    yield MODEL, _model(task, train, test, seed)
    yield from _plain(task, train, test, seed)
    for name, matrix in task.controls.items():
        yield f"{CONTROL} {name}", _linear(matrix, task, train & task.judged, test, seed)


def _model(task: Task, train: Rows, test: Rows, seed: int) -> FloatArray:
    data = subset(task.cohort, test).columns()
    learnt = subset(task.cohort, train)
    if not task.limb:
        return fit_label(learnt, task.label[train], seed=seed).predict(data).either
    found = fit(learnt, seed=seed, interval=False).model.predict(data)
    if found.left is None or found.right is None:
        raise ValueError("a task of limbs needs a cohort with sides")
    # What the legs share cancels in the difference of their log-odds.
    return np.asarray(expit(logit(found.left) - logit(found.right)))


def _plain(task: Task, train: Rows, test: Rows, seed: int) -> Iterator[tuple[str, FloatArray]]:
    """XGBoost, logistic regression and the base rate, on what was measured as it was measured."""
    rows = train & task.judged
    yield PRIOR, np.full(int(test.sum()), task.label[rows].mean())
    matrix = plain_matrix(task)
    if not task.limb:
        trees = fit_trees(matrix[rows], task.label[rows], task.athletes[rows], seed, FINE)
        if trees is not None:
            yield XGBOOST, trees.predict(matrix[test])
        yield LOGISTIC, _linear(matrix, task, rows, test, seed)
        return
    # Each pair of legs is shown from either side: neither of them starts out as the painful one,
    # which gains XGBoost 0.03 of AUC here (and logistic regression an intercept of 0).
    x = np.vstack([matrix[rows], -matrix[rows]])
    y = np.concatenate([task.label[rows], 1.0 - task.label[rows]])
    who = np.tile(task.athletes[rows], 2)
    for name, fitted in ((XGBOOST, fit_trees(x, y, who, seed, FINE)),
                         (LOGISTIC, fit_linear(x, y, who, seed, fine=True))):  # fmt: skip
        if fitted is not None:
            apart = logit(fitted.predict(matrix[test])) - logit(fitted.predict(-matrix[test]))
            yield name, np.asarray(expit(apart / 2.0))


def _linear(matrix: FloatArray, task: Task, rows: Rows, test: Rows, seed: int) -> FloatArray:
    fitted = fit_linear(matrix[rows], task.label[rows], task.athletes[rows], seed, fine=True)
    if fitted is None:
        return np.full(int(test.sum()), task.label[rows].mean())
    return fitted.predict(matrix[test])


def plain_matrix(task: Task) -> FloatArray:
    """What the plain contenders read, shape (n, p): for limbs, left minus right of each measure.

    Otherwise what the logistic baseline reads of an athlete; columns without a value are left out.
    """
    data = task.cohort.columns()
    if task.limb:
        names = [name for name, measure in leg_measures().items() if measure.model_input]
        matrix = np.column_stack([data[f"left_{name}"] - data[f"right_{name}"] for name in names])
    else:
        matrix = logistic_design().of_either(data)
    return matrix[:, np.isfinite(matrix).any(axis=0)]
