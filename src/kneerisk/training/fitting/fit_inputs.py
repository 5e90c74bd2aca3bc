"""Inputs of a fit: the feature matrix of a cohort, its targets, usable columns and folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.errors import CohortRefused
from kneerisk.evidence.population import Population
from kneerisk.model.feature_columns import Column, ColumnKind, feature_columns
from kneerisk.model.features import FeatureMatrix, averaged, feature_matrix
from kneerisk.model.imputation import MeasurementUpdate
from kneerisk.schema import SIDES, Columns, FloatArray, athlete_measures, leg_measures
from kneerisk.training.fitting.simulated_truth import read_truth

#: From this many outcomes on, a single athlete hardly moves the fit (assumption).
MANY_EVENTS = 1500.0
#: With fewer outcomes of either sort, not even how often it happens can be said (assumption).
FEWEST_OUTCOMES = 5.0
#: A measure enters a fit when at least this share of the cohort's screenings have it (assumption).
LEAST_SHARE = 0.05
#: Trees of an observed cohort read a measure when at least this share has it: two splits around
#: the value that stands for a missing one would single out who was not measured (assumption).
NEARLY_ALL = 0.95
#: Screenings whose feature matrix is built together (assumption): no number hangs on it.
BLOCK = 20_000
#: Columns that say which tests were done, and those of the latent variables.
_UNCERTAIN = frozenset({ColumnKind.VARIANCE, ColumnKind.IMBALANCE, ColumnKind.IMBALANCE_VARIANCE})


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
    data
        Coded columns, shape (n,) each.
    sided
        Whether outcomes are known by leg.
    true
        Whether the targets are true risks.
    definition_shift
        What the definition of pain adds to the true log-odds of each screening, shape (n,); None
        where it is not known.
    """

    legs: FeatureMatrix
    target: FloatArray
    outcome: FloatArray
    either: FloatArray
    imbalances: FloatArray | None
    athletes: np.ndarray
    data: Columns
    sided: bool
    true: bool
    definition_shift: FloatArray | None = None

    def take(self, rows: np.ndarray) -> Inputs:
        """Some of the screenings, by a mask or by positions."""
        return Inputs(
            legs=self.legs.take(rows),
            target=self.target[rows],
            outcome=self.outcome[rows],
            either=self.either[rows],
            imbalances=None if self.imbalances is None else self.imbalances[rows],
            athletes=self.athletes[rows],
            data={name: values[rows] for name, values in self.data.items()},
            sided=self.sided,
            true=self.true,
            definition_shift=None if self.definition_shift is None else self.definition_shift[rows],
        )

    @property
    def plenty(self) -> bool:
        """Whether there is so much to learn from that penalties and folds hardly matter."""
        return self.true or self.events >= MANY_EVENTS

    @property
    def events(self) -> float:
        """How many outcomes (or expected ones) the fit can learn from."""
        return float(np.nansum(self.target))


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
    _refuse_too_few_outcomes(target)
    data = _data_of(cohort)
    legs = _feature_matrix_of(population, data)
    return Inputs(
        legs=legs if cohort.has_sides else averaged(legs),
        target=target,
        outcome=outcome,
        either=either,
        imbalances=imbalances,
        athletes=cohort.frame["athlete_id"].to_numpy(),
        data=data,
        sided=cohort.has_sides,
        true=truth is not None,
        definition_shift=definition_shift,
    )


def _feature_matrix_of(population: Population, data: Columns) -> FeatureMatrix:
    """The feature matrix, block by block: on the way a row takes four times its own place."""
    update, n = MeasurementUpdate(population), len(data["age_years"])
    names = feature_columns(population)
    values = np.empty((n, len(SIDES), len(names)))
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
        athletes=cohort.frame["athlete_id"].to_numpy(),
        data=data,
        sided=False,
        true=False,
    )


def _refuse_too_few_outcomes(target: FloatArray) -> None:
    known = target[~np.isnan(target)]
    if len(known) == 0:
        raise CohortRefused("the cohort has no recorded outcome to learn from")
    having, free = float(known.sum()), float((1.0 - known).sum())
    if min(having, free) < FEWEST_OUTCOMES:
        raise CohortRefused(
            f"there is too little to learn from: {having:.0f} with the outcome and {free:.0f} "
            f"without, of the athletes to train on; at least {FEWEST_OUTCOMES:.0f} of each are "
            "needed"
        )


def usable_columns(inputs: Inputs, least_share: float = LEAST_SHARE) -> tuple[Column, ...]:
    """Columns of the feature matrix that rest on a measure which so many of the screenings have.

    How uncertain an expected value is says which tests were done. In a simulated cohort that is
    chance; in an observed one it says where and when, so it is never an input there.
    """
    known = _known_measures(inputs.data, least_share)
    return tuple(
        column
        for column in inputs.legs.columns
        if column.measures <= known and (inputs.true or column.kind not in _UNCERTAIN)
    )


def tree_columns(inputs: Inputs) -> tuple[Column, ...]:
    """The usable columns that trees may read; what the latents say is in the others already."""
    usable = usable_columns(inputs, LEAST_SHARE if inputs.true else NEARLY_ALL)
    return tuple(column for column in usable if column.kind not in _UNCERTAIN)


def _known_measures(data: Columns, least_share: float) -> frozenset[str]:
    def share(*names: str) -> float:
        return float(np.mean([~np.isnan(data[name]) for name in names]))

    athlete = {name for name in athlete_measures() if share(name) >= least_share}
    legs = {n for n in leg_measures() if share(f"left_{n}", f"right_{n}") >= least_share}
    return frozenset(athlete | legs)


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
