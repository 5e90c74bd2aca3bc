"""Labels computed from inputs: a shallow tree on one or two of them predicts the label exactly.

A label of many inputs at once is found by a line through all of them, and by a forest.

The inputs are what was measured, and what a person computes from two measures of the same unit:
the difference and the ratio of both legs, or of two measures of one leg. Trees are evaluated on
athletes left out, so that a small cohort is not refused because a tree was lucky.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from kneerisk.cohort.files import Cohort
from kneerisk.schema import (
    SIDES,
    Columns,
    FloatArray,
    Quantity,
    athlete_measures,
    leg_measures,
)
from kneerisk.training.fitting.fit_inputs import dealt_folds
from kneerisk.words import listed, text

#: From this AUC on athletes left out, a label is taken for a computed one (assumption: with one or
#: two inputs this field has not seen 0.75).
ALMOST_PERFECT = 0.90
#: The AUC must be above this by more than chance: what honest inputs do not reach (assumption), and
#: the normal distribution's one-sided 95 % point.
HONEST, BEYOND_CHANCE = 0.80, 1.645
DEPTH, FOLDS, SEED = 3, 3, 0
#: An input with less of the trees' importance is not named (assumption).
LEAST_IMPORTANCE = 0.05
#: Of many inputs at once, those with at least this share of the largest weight are named, and so
#: many (assumptions: a person looks at a handful).
LEAST_WEIGHT, MOST_NAMED = 0.3, 6
#: A forest that finds what several inputs decide together (assumption: six splits, leaves of five).
FOREST = {"n_estimators": 60, "max_depth": 6, "min_samples_leaf": 5, "n_jobs": 1}
#: Screenings that are examined: enough to see what holds for all of them.
MOST_SCREENINGS = 3_000
#: With fewer of either sort there is nothing to evaluate (assumption).
FEWEST = 4

#: Values by the columns that they come from, and by how: a measure itself is `as measured`.
Features = dict[tuple[tuple[str, ...], str], FloatArray]
#: Of inputs and outcomes, and of inputs unseen: the scores of these, and the weights of the inputs.
Attack = Callable[[np.ndarray, FloatArray, np.ndarray], tuple[FloatArray, FloatArray]]


def labels_computed_from_inputs(cohort: Cohort) -> Iterator[str]:
    """Why outcomes look computed from inputs: one reason for each set of inputs."""
    chosen = _sampled_rows(len(cohort.frame))
    data = {name: values[chosen] for name, values in cohort.columns().items()}
    athletes = cohort.frame["athlete_id"].to_numpy().astype(str)[chosen]
    outcomes = cohort.outcomes()
    suspects: dict[tuple[str, ...], float] = {}
    for label, sides in (("left", ("left",)), ("right", ("right",)), ("either", SIDES)):
        outcome = getattr(outcomes, label)[chosen]
        if label == "either" and suspects:
            break
        names, auc = _revealing_inputs(_features(data, sides), outcome, athletes)
        if names:
            suspects[names] = max(auc, suspects.get(names, 0.0))
    for names, auc in suspects.items():
        inputs = listed([repr(name) for name in names])
        yield text("training.leak.computed_outcome", inputs=inputs, auc=f"{auc:.2f}")


def _revealing_inputs(
    features: Features, outcome: FloatArray, athletes: np.ndarray
) -> tuple[tuple[str, ...], float]:
    """The inputs that predict an outcome almost perfectly, with the AUC they reach; else none."""
    known = np.isfinite(outcome)
    y = outcome[known]
    if not features or min(y.sum(), (1.0 - y).sum()) < FEWEST:
        return (), 0.0
    names = list(features)
    x = np.column_stack([features[name] for name in names])[known].astype(np.float32)
    fold = dealt_folds(athletes[known], np.column_stack([y, np.full(len(y), np.nan)]), FOLDS, SEED)
    least = max(ALMOST_PERFECT, HONEST + BEYOND_CHANCE * _error(y))
    for attack in (_by_tree, _by_line, _by_forest):
        auc, used = _attacked(attack, x, y, fold, least)
        if auc >= least:
            share, most = LEAST_WEIGHT * used.max(), MOST_NAMED
            if attack is _by_tree:
                share, most = LEAST_IMPORTANCE * used.sum(), 2
            relied_on = [names[i] for i in np.argsort(-used)[:most] if used[i] >= share]
            return tuple(sorted({column for columns, _ in relied_on for column in columns})), auc
    return (), 0.0


def _attacked(
    attack: Attack, x: np.ndarray, y: FloatArray, fold: np.ndarray, least: float
) -> tuple[float, FloatArray]:
    """The AUC that an attack reaches on athletes left out, and how far it relies on each input.

    A fold that is still to come counts as predicted without a fault: where that is below the least
    that is looked for, nothing more is fitted.
    """
    score, used, auc = y.copy(), np.zeros(x.shape[1]), 1.0
    for number in range(FOLDS):
        if auc < least:
            break
        train = fold != number
        score[~train] = 0.0
        if len(np.unique(y[train])) == 2:
            score[~train], weights = attack(x[train], y[train], x[~train])
            used += weights
        auc = float(roc_auc_score(y, score))
    return auc, used


def _by_tree(x: np.ndarray, y: FloatArray, unseen: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """What a shallow tree on the two strongest inputs says of unseen rows, and its importances."""
    picked = _two_strongest(x, y)
    tree, weights = _tree(x[:, picked], y), np.zeros(x.shape[1])
    weights[picked] = tree.feature_importances_
    return tree.predict_proba(unseen[:, picked])[:, 1], weights


def _by_line(x: np.ndarray, y: FloatArray, unseen: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """The same of logistic regression on all inputs, a missing one at its mean."""
    measured = np.isfinite(x)
    count = np.maximum(measured.sum(axis=0), 1)
    mean = np.where(measured, x, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(measured, (x - mean) ** 2, 0.0).sum(axis=0) / count)
    spread[spread == 0.0] = 1.0
    own, other = (np.nan_to_num((rows - mean) / spread, nan=0.0) for rows in (x, unseen))
    line = LogisticRegression(max_iter=500).fit(own, y)
    return line.predict_proba(other)[:, 1], np.abs(line.coef_[0])


def _by_forest(x: np.ndarray, y: FloatArray, unseen: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """The same of a forest on all inputs."""
    forest = RandomForestClassifier(random_state=SEED, **FOREST).fit(x, y)
    return forest.predict_proba(unseen)[:, 1], forest.feature_importances_


def _two_strongest(x: np.ndarray, y: FloatArray) -> np.ndarray:
    """The two inputs that a shallow tree on all of them relies on most."""
    weights = _tree(x, y).feature_importances_
    strongest = np.argsort(-weights, kind="stable")[:2]
    return strongest[weights[strongest] > 0.0] if weights.any() else strongest[:1]


def _tree(x: np.ndarray, y: FloatArray) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=2, random_state=SEED).fit(x, y)


def _error(y: FloatArray) -> float:
    """Standard error of an AUC of `HONEST`.

    Hanley & McNeil 1982, doi 10.1148/radiology.143.1.7063747.
    """
    having, free = float(y.sum()), float((1.0 - y).sum())
    q1, q2 = HONEST / (2.0 - HONEST), 2.0 * HONEST**2 / (1.0 + HONEST)
    spread = HONEST * (1.0 - HONEST)
    spread += (having - 1.0) * (q1 - HONEST**2) + (free - 1.0) * (q2 - HONEST**2)
    return float(np.sqrt(spread / (having * free)))


def _features(data: Columns, sides: tuple[str, ...]) -> Features:
    """Inputs, and what is computed from two of them."""
    features: Features = {}
    for name, measure in athlete_measures().items():
        if measure.model_input:
            features[(name,), "as measured"] = data[name]
    height, mass = data["height_cm"], data["mass_kg"]
    features[("height_cm", "mass_kg"), "body mass index"] = mass / (height / 100.0) ** 2
    legs = {name: measure for name, measure in leg_measures().items() if measure.model_input}
    for name in legs:
        both = (f"left_{name}", f"right_{name}")
        features |= {((column,), "as measured"): data[column] for column in both}
        features |= _computed(both, data)
        if len(sides) > 1:
            left, right = (data[column] for column in both)
            features[both, "lower"] = np.minimum(left, right)
            features[both, "higher"] = np.maximum(left, right)
            features[both, "uneven"] = np.abs(left - right)
            features[both, "uneven ratio"] = np.abs(_log_ratio(left, right))
    for name, other in combinations(legs, 2):
        here, there = legs[name], legs[other]
        if isinstance(here, Quantity) and isinstance(there, Quantity) and here.unit == there.unit:
            for side in sides:
                features |= _computed((f"{side}_{name}", f"{side}_{other}"), data)
    return {key: values for key, values in features.items() if _varies(values)}


def _varies(values: FloatArray) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 0 and float(np.ptp(known)) > 0.0


def _computed(pair: tuple[str, str], data: Columns) -> Features:
    first, second = (data[column] for column in pair)
    return {(pair, "difference"): first - second, (pair, "ratio"): _log_ratio(first, second)}


def _log_ratio(first: FloatArray, second: FloatArray) -> FloatArray:
    """The log of a ratio where both are positive, else NaN."""
    usable = (first > 0.0) & (second > 0.0)
    return np.log(np.where(usable, first, np.nan)) - np.log(np.where(usable, second, np.nan))


def _sampled_rows(n: int) -> np.ndarray:
    """The rows that are examined, spread over the file."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_SCREENINGS)).astype(int))
