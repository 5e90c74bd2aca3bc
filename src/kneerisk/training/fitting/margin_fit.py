"""Fit the margin, the linear part of the risk: within-athlete differences, then everything else.

Ridge logistic regression held to supported signs, in two steps. Within: which leg hurts, on left
minus right of athletes with one painful leg (conditional logistic regression: Breslow & Day 1980,
chapter 7), where whatever the legs share cancels. Between: all legs, with the within part as one
column. Penalties by grouped cross-validation with the one-standard-error rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.logistic_calibration import logistic_weights, sign_constrained_weights
from kneerisk.model.margin import (
    FARTHEST_SD,
    Margin,
    Scaler,
    between_values,
    discordant_pairs,
    fit_scaler,
    within_values,
)
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit_inputs import Inputs, stratified_folds
from kneerisk.training.fitting.settings import DEFAULTS, Settings

#: Ridge penalties that are tried; per SD of a column, in units of an event's information
#: (assumption).
PENALTY_GRID = (1.0, 4.0, 15.0, 60.0, 250.0, 1000.0)
#: With fewer one-sided cases than this there is no within-athlete part (assumption).
FEWEST_PAIRS = 20.0
#: Folds, and how often they are dealt where one-sided cases are few (assumption).
FOLDS = 5
REPEATS = 5
#: A penalty that decides nothing but a weight that no row says anything of (assumption).
NO_PENALTY = 1e-9


@dataclass(frozen=True, slots=True)
class Penalties:
    """The penalties of a margin, so that a fold can be refitted as the whole was.

    Attributes
    ----------
    within
        Ridge penalty of the legs' differences.
    between
        Ridge penalty of the columns that legs share.
    stretch
        What the within weights are multiplied by, since a penalty shrinks them too far.
    """

    within: float
    between: float
    stretch: float

    def numbers(self) -> dict[str, float]:
        """By name, as a run and a bundle keep them."""
        return {
            "within_penalty": self.within,
            "between_penalty": self.between,
            "within_stretch": self.stretch,
        }


@dataclass(frozen=True, slots=True)
class _RidgeProblem:
    """A ridge logistic regression: columns (n, p), outcomes and weights of rows (n,).

    Of each column: whether it is penalised, its supported sign (0: either), and the coefficient
    that the penalty shrinks to, each of shape (p,).
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    penalised: FloatArray
    signs: FloatArray
    prior: FloatArray

    def fit(self, penalty: float, rows: np.ndarray | None = None) -> FloatArray:
        pick = slice(None) if rows is None else rows
        return sign_constrained_weights(
            self.x[pick], self.y[pick], self.weight[pick], penalty * self.penalised, self.signs,
            self.prior,
        )  # fmt: skip

    def loss(self, log_odds: FloatArray) -> FloatArray:
        """Weighted log loss of each row."""
        return self.weight * (np.logaddexp(0.0, log_odds) - self.y * log_odds)


def fit_margin(
    inputs: Inputs,
    columns: tuple[Column, ...],
    signs: dict[Column, int],
    seed: int,
    penalties: Penalties | None = None,
    settings: Settings = DEFAULTS,
) -> tuple[Margin, Penalties]:
    """The linear part for a cohort, and the penalties that grouped cross-validation chose.

    Parameters
    ----------
    inputs
        Of the fit.
    columns
        Columns of the feature matrix that may be used.
    signs
        Supported directions by column; weights are held to them.
    seed
        Of the folds.
    penalties
        Penalties to take over instead of choosing them.
    settings
        Tolerance and the penalty where there is plenty to learn from.

    Returns
    -------
    The margin and its penalties.
    """
    within, shared = _roles(columns)
    within_scaler = fit_scaler(
        within, within_values(inputs.legs, within), centred=False,
        least=_least_spread(inputs, within),
    )  # fmt: skip
    between_scaler = fit_scaler(
        shared, between_values(inputs.legs, shared), centred=True,
        least=_least_spread(inputs, shared),
    )  # fmt: skip
    if penalties is None and inputs.plenty:
        penalties = Penalties(settings.light_penalty, settings.light_penalty, 1.0)
    fold = stratified_folds(inputs, FOLDS, seed)
    weights, crossfit, within_penalty, stretch = _fit_within(
        inputs, within_scaler, signs, fold, seed, penalties, settings
    )
    problem = _between_problem(inputs, between_scaler, crossfit, signs)
    penalty = penalties.between if penalties else _tune(problem, [np.tile(fold, 2)], settings)[0]
    weights_between = problem.fit(penalty)
    margin = Margin(
        within=within_scaler,
        between=between_scaler,
        within_weights=weights,
        between_weights=weights_between[1:-1],
        scale=float(weights_between[0]),
        intercept=float(weights_between[-1]),
    )
    return margin, Penalties(within_penalty, penalty, stretch)


def _roles(columns: tuple[Column, ...]) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Columns of which the legs' difference is used, and columns of which the mean is.

    A measure that a published factor rests on enters through that factor.
    """
    covered = {column.effect.measure for column in columns if column.effect is not None}
    own = [column for column in columns if _enters(column, covered)]
    shared = [
        column
        for column in columns
        if _enters(column, covered)
        or column.kind is ColumnKind.ONE_HOT
        or (column.kind is ColumnKind.ATHLETE and column.subject not in covered)
    ]
    return tuple(own), tuple(shared)


def _enters(column: Column, covered: set[str]) -> bool:
    """Whether it is a factor, or is about a measure of the leg that no factor covers."""
    if column.kind in {ColumnKind.EXPECTED, ColumnKind.OWN}:
        return column.subject not in covered
    return column.kind is ColumnKind.FACTOR


def _fit_within(
    inputs: Inputs,
    within_scaler: Scaler,
    signs: dict[Column, int],
    fold: np.ndarray,
    seed: int,
    penalties: Penalties | None,
    settings: Settings,
) -> tuple[FloatArray, FloatArray, float, float]:
    """Weights of the differences, and the cross-fitted within part of each screening, (n,)."""
    x = within_scaler.apply(within_values(inputs.legs, within_scaler.columns))
    one_sided, is_left = discordant_pairs(inputs.target)
    # A pair counts as the leg does whose outcome was less likely to be known.
    one_sided = one_sided * inputs.weights.max(axis=1)
    none = np.zeros(x.shape[1]), np.zeros(len(x)), PENALTY_GRID[-1], 0.0
    if not inputs.sided or one_sided.sum() < FEWEST_PAIRS:
        return none
    rows = one_sided > 0
    problem = _RidgeProblem(
        x[rows], is_left[rows], one_sided[rows], np.ones(x.shape[1]),
        _signs(within_scaler.columns, signs), _prior(inputs, within_scaler),
    )  # fmt: skip
    if penalties is None:
        cases = inputs.take(rows)
        splits = [stratified_folds(cases, FOLDS, seed + r) for r in range(REPEATS)]
        penalty, stretch = _tune(problem, splits, settings)
    else:
        penalty, stretch = penalties.within, penalties.stretch
    weights = stretch * problem.fit(penalty)
    if inputs.plenty:
        return weights, x @ weights, penalty, stretch
    crossfit = np.zeros(len(x))
    for number in range(FOLDS):
        outside = fold != number
        crossfit[~outside] = x[~outside] @ (stretch * problem.fit(penalty, outside[rows]))
    return weights, crossfit, penalty, stretch


def _between_problem(
    inputs: Inputs, between_scaler: Scaler, crossfit: FloatArray, signs: dict[Column, int]
) -> _RidgeProblem:
    """All leg rows: half the within part with its own scale, the shared columns, an intercept."""
    shared = between_scaler.apply(between_values(inputs.legs, between_scaler.columns))
    n, n_shared = shared.shape
    # Column by column in memory, of which each step of the fit takes those that are free.
    columns = np.empty((n_shared + 2, 2, n))
    columns[0] = crossfit / 2.0, -crossfit / 2.0
    columns[1:-1] = shared.T[:, None]
    columns[-1] = 1.0
    y = np.concatenate([inputs.target[:, 0], inputs.target[:, 1]])
    free = np.r_[0.0, np.ones(n_shared), 0.0]
    return _RidgeProblem(
        columns.reshape(-1, 2 * n).T,
        np.nan_to_num(y),
        (~np.isnan(y)).astype(float) * inputs.weights.T.reshape(-1),
        free,
        np.r_[1.0, _signs(between_scaler.columns, signs), 0.0],
        np.r_[0.0, _prior(inputs, between_scaler), 0.0],
    )


def _least_spread(inputs: Inputs, columns: tuple[Column, ...]) -> FloatArray:
    """A published contrast counts up to a whole one, however rare it is among simulated athletes.

    Among them nobody doubles a session, and who does would count as one who hardly does.
    """
    if not inputs.true:
        return np.zeros(len(columns))
    return np.where([column.effect is not None for column in columns], 1.0 / FARTHEST_SD, 0.0)


def _prior(inputs: Inputs, scaled: Scaler) -> FloatArray:
    """What is known of the weights: simulated athletes have the effects of the tables.

    The cohort outweighs it, but for a contrast that hardly anybody in it has.
    """
    if not inputs.true:
        return np.zeros(len(scaled.columns))
    effects = [column.effect for column in scaled.columns]
    means = np.array([(e.low + e.central + e.high) / 3.0 if e else 0.0 for e in effects])
    return np.asarray(means * scaled.spread)


def _signs(columns: tuple[Column, ...], signs: dict[Column, int]) -> FloatArray:
    return np.array([float(signs.get(column, 0)) for column in columns])


def _tune(
    problem: _RidgeProblem, splits: list[np.ndarray], settings: Settings
) -> tuple[float, float]:
    """The largest penalty within the tolerance of the best, and the slope it leaves.

    The slope is that of the left-out rows' log-odds: a heavy penalty shrinks them too far, and
    the weights are stretched back by it.
    """
    left_out = np.zeros((len(splits), len(PENALTY_GRID), len(problem.y)))
    for r, fold in enumerate(splits):
        for number in np.unique(fold):
            outside = fold != number
            for j, penalty in enumerate(PENALTY_GRID):
                weights = problem.fit(penalty, outside)
                left_out[r, j, ~outside] = problem.x[~outside] @ weights
    losses = np.stack([np.mean([problem.loss(s[j]) for s in left_out], axis=0)
                       for j in range(len(PENALTY_GRID))])  # fmt: skip
    best = int(losses.sum(axis=1).argmin())
    chosen = best
    for j in range(best, len(PENALTY_GRID)):
        worse = losses[j] - losses[best]
        tolerated = settings.tolerance_se * worse.std() * np.sqrt(len(worse))
        if worse.sum() <= tolerated + 1e-12:
            chosen = j
    slopes = [_slope(problem, scores[chosen]) for scores in left_out]
    return PENALTY_GRID[chosen], float(np.clip(np.mean(slopes), 0.0, 3.0))


def _slope(problem: _RidgeProblem, log_odds: FloatArray) -> float:
    """Slope through the origin of outcomes on left-out log-odds."""
    # Where all log-odds are 0, any slope will do: 1 leaves the weights as they are.
    [slope] = logistic_weights(
        log_odds[:, None], problem.y, weight=problem.weight, penalty=NO_PENALTY, prior=1.0
    )
    return float(slope)
