"""Inputs of a fit: the feature matrix of a cohort, its targets with their weights, and folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.row_weights import effective_outcomes, scaled_to_effective
from kneerisk.errors import CohortRefused
from kneerisk.evidence.population import Population
from kneerisk.model.feature_columns import feature_columns
from kneerisk.model.features import FeatureMatrix, averaged, feature_matrix
from kneerisk.model.imputation import MeasurementUpdate
from kneerisk.schema import SIDES, Columns, FloatArray
from kneerisk.training.fitting.measured_shares import measured_shares
from kneerisk.training.fitting.simulated_truth import read_truth

#: From this many outcomes on, a single athlete hardly moves the fit (assumption).
MANY_EVENTS = 1500.0
#: With fewer outcomes of either sort, not even how often it happens can be said (assumption).
FEWEST_OUTCOMES = 5.0
#: Screenings whose feature matrix is built together (assumption): no number hangs on it. What a
#: block needs on the way stays small enough for memory to be used again, not asked for anew.
BLOCK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """A cohort of n screenings, ready to fit.

    Attributes
    ----------
    legs
        The feature matrix.
    target
        The outcome of each leg, or its true risk where the truth is known; NaN where neither is.
        Shape (n, 2), left first; a cohort without sides has its outcome in the first column.
    outcome
        The same with recorded outcomes only.
    either
        Outcome or true risk of either knee, shape (n,).
    imbalances
        True probabilities, shape (n, 2, n_imbalances); None where they are not known.
    athletes
        The id of each screening's athlete, shape (n,).
    sport
        Code of the sport of each screening, shape (n,); NaN where none is stated.
    measured
        The share of the cohort's screenings that have each measure, by its name without a side.
    sided
        Whether outcomes are known by leg.
    true
        Whether the targets are true risks.
    definition_shift
        What the definition of pain adds to the true log-odds of each screening, shape (n,); None
        where it is not known.
    weight
        Of each leg's target, shape (n, 2): they sum to what the known ones are worth. None where
        all count alike.
    either_weight
        Of either knee's, shape (n,), likewise.
    """

    legs: FeatureMatrix
    target: FloatArray
    outcome: FloatArray
    either: FloatArray
    imbalances: FloatArray | None
    athletes: np.ndarray
    sport: FloatArray
    measured: Mapping[str, float]
    sided: bool
    true: bool
    definition_shift: FloatArray | None = None
    weight: FloatArray | None = None
    either_weight: FloatArray | None = None

    def take(self, rows: np.ndarray) -> Inputs:
        """Some of the screenings, by a mask or by positions."""
        return Inputs(
            legs=self.legs.take(rows),
            target=self.target[rows],
            outcome=self.outcome[rows],
            either=self.either[rows],
            imbalances=_taken(self.imbalances, rows),
            athletes=self.athletes[rows],
            sport=self.sport[rows],
            measured=self.measured,
            sided=self.sided,
            true=self.true,
            definition_shift=_taken(self.definition_shift, rows),
            weight=_taken(self.weight, rows),
            either_weight=_taken(self.either_weight, rows),
        )

    @property
    def plenty(self) -> bool:
        """Whether there is so much to learn from that penalties and folds hardly matter."""
        return self.true or self.events >= MANY_EVENTS

    @property
    def events(self) -> float:
        """How many outcomes (or expected ones) the fit can learn from."""
        if self.weight is None:
            return float(np.nansum(self.target))
        return effective_outcomes(self.target, self.weight)[0]

    @property
    def weights(self) -> FloatArray:
        """The weight of each leg's target, shape (n, 2)."""
        return np.ones(self.target.shape) if self.weight is None else self.weight


def _taken(values: FloatArray | None, rows: np.ndarray) -> FloatArray | None:
    return None if values is None else values[rows]


def inputs_of(cohort: Cohort, truth: pd.DataFrame | None, population: Population) -> Inputs:
    """The inputs of a fit; with the truth of a simulated cohort, its true risks are the target.

    Parameters
    ----------
    cohort
        The athletes to train on.
    truth
        True risks and imbalances of the same screenings, in the same order.
    population
        Means and covariance of the measures.

    Returns
    -------
    One row for each screening, in the order of the cohort.

    Raises
    ------
    CohortRefused
        Where the truth belongs to other athletes or can't be, or there are too few outcomes.
    """
    outcomes = cohort.outcomes()
    missing = np.full(len(outcomes.either), np.nan)
    sides = (outcomes.left, outcomes.right) if cohort.has_sides else (outcomes.either, missing)
    outcome = np.stack(sides, axis=1)
    target, either, imbalances, definition_shift = outcome, outcomes.either, None, None
    if truth is not None:
        true = read_truth(truth, cohort, population)
        target, either, imbalances = true.legs, true.either, true.imbalances
        definition_shift = true.definition_shift
    weights = cohort.weights() if truth is None else None
    weight = either_weight = None
    if weights is not None:
        pairs = (weights.left, weights.right) if cohort.has_sides else (weights.either,) * 2
        weight = scaled_to_effective(np.stack(pairs, axis=1), ~np.isnan(target))
        either_weight = scaled_to_effective(weights.either, ~np.isnan(either))
    _refuse_too_few_outcomes(target, weight)
    data = _data_of(cohort)
    legs = _feature_matrix_of(population, data)
    return Inputs(
        legs=legs if cohort.has_sides else averaged(legs),
        target=target,
        outcome=outcome,
        either=either,
        imbalances=imbalances,
        athletes=np.array(cohort.frame["athlete_id"], dtype=object),
        sport=data["sport"],
        measured=measured_shares(data),
        sided=cohort.has_sides,
        true=truth is not None,
        definition_shift=definition_shift,
        weight=weight,
        either_weight=either_weight,
    )


def _feature_matrix_of(population: Population, data: Columns) -> FeatureMatrix:
    """The feature matrix, block by block: on the way a row takes four times its own place."""
    update, n = MeasurementUpdate(population), len(data["age_years"])
    names = feature_columns(population)
    # Column by column in memory: a fit picks some of the columns again and again.
    values = np.empty((len(names), n, len(SIDES))).transpose(1, 2, 0)
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        block = {name: column[rows] for name, column in data.items()}
        values[rows] = feature_matrix(population, update.expected(block), block).values
    return FeatureMatrix(names, values)


def _data_of(cohort: Cohort) -> Columns:
    """The coded columns of a cohort, without an answer that gives present pain away."""
    data = cohort.columns()
    if cohort.outcome_kind == "present_pain":
        empty = np.full(len(cohort.frame), np.nan)
        data |= {f"{side}_pain_on_squat_jump": empty for side in SIDES}
    return data


def inputs_of_label(cohort: Cohort, label: FloatArray, population: Population) -> Inputs:
    """The inputs of a fit to a label of the athletes instead of their outcomes.

    Parameters
    ----------
    cohort
        The athletes to train on, n screenings.
    label
        1, 0, or NaN where it is not known, shape (n,).
    population
        Means and covariance of the measures.

    Returns
    -------
    Those of a cohort without sides.

    Raises
    ------
    CohortRefused
        Where there are too few of either sort.
    """
    target = np.stack([label, np.full(len(label), np.nan)], axis=1)
    _refuse_too_few_outcomes(target)
    data = cohort.columns()
    return Inputs(
        legs=averaged(_feature_matrix_of(population, data)),
        target=target,
        outcome=target,
        either=label,
        imbalances=None,
        athletes=np.array(cohort.frame["athlete_id"], dtype=object),
        sport=data["sport"],
        measured=measured_shares(data),
        sided=False,
        true=False,
    )


def _refuse_too_few_outcomes(target: FloatArray, weight: FloatArray | None = None) -> None:
    if np.isnan(target).all():
        raise CohortRefused("the cohort has no recorded outcome to learn from")
    having, free = effective_outcomes(target, weight)
    if min(having, free) < FEWEST_OUTCOMES:
        raise CohortRefused(
            f"there is too little to learn from: {having:.0f} with the outcome and {free:.0f} "
            f"without, of the athletes to train on; at least {FEWEST_OUTCOMES:.0f} of each are "
            "needed"
        )


def stratified_folds(inputs: Inputs, n_folds: int, seed: int) -> np.ndarray:
    """Folds of a cohort: athletes stay together, outcomes are spread evenly.

    Athletes with pain of the left leg, of the right, of both and of none are each dealt out
    evenly: a fold short of left-sided cases would tilt the rest of them to the right.
    (scikit-learn's StratifiedGroupKFold does the same, a hundred times slower.)

    Parameters
    ----------
    inputs
        Of n screenings.
    n_folds
        How many folds.
    seed
        By which athletes are dealt.

    Returns
    -------
    The fold of each screening, 0 to n_folds - 1, shape (n,).
    """
    return dealt_folds(inputs.athletes, inputs.outcome, n_folds, seed)


def dealt_folds(athletes: np.ndarray, outcome: FloatArray, n_folds: int, seed: int) -> np.ndarray:
    """Folds as those of `stratified_folds`, from athletes and outcomes alone.

    Parameters
    ----------
    athletes
        Whom each row is of, shape (n,).
    outcome
        Left and right, or any two labels to spread, shape (n, 2); NaN counts as 0.
    n_folds
        How many folds.
    seed
        By which athletes are dealt.

    Returns
    -------
    The fold of each row, 0 to n_folds - 1, shape (n,).
    """
    people, member = np.unique(athletes.astype(str), return_inverse=True)
    label = np.zeros((2, len(people)))
    for side in (0, 1):
        np.maximum.at(label[side], member, np.nan_to_num(outcome[:, side]))
    order = np.random.default_rng(seed).permutation(len(people))
    order = order[np.lexsort((label[0][order], label[1][order]))]
    fold = np.empty(len(people), dtype=int)
    fold[order] = np.arange(len(people)) % n_folds
    return np.asarray(fold[member])
