"""Fit gradient-boosted trees from a margin, of the risk and of the imbalances.

Boosting of log-odds from an offset (Friedman 2001, Ann Stat 29:1189, doi 10.1214/aos/1013203451),
with monotone constraints. The number of rounds is chosen by grouped cross-validation and may be 0,
so that trees vanish where there is nothing left to find.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kneerisk.evidence import imbalances
from kneerisk.evidence.imbalance_patterns import imbalance_thresholds, marks
from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imbalance_model import ImbalanceModel, latent_log_odds
from kneerisk.model.trees import DIGITS, BoostedTrees
from kneerisk.progress import Progress, event
from kneerisk.schema import FloatArray, quantity
from kneerisk.training.fitting.fit_columns import column_means
from kneerisk.training.fitting.fit_inputs import Inputs
from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.training.fitting.tree_rows import BoostingTarget, HoldRows, TreeRows, hold_here

#: Bins of a column's histogram (assumption: finer than the error of any test).
MAX_BIN = 64
#: Fewer rows than this are done before a second thread has started.
ROWS_FOR_TWO_THREADS = 20_000
#: Rounds are tried in steps of this many, so that the choice is not about a single tree.
STEP = 10
#: Of the imbalances: the measurement update already says nearly all there is (assumption).
MOST_IMBALANCE_ROUNDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostingRows:
    """Rows of legs to boost on, two for each of n screenings.

    Attributes
    ----------
    legs
        The feature matrix of the screenings.
    base
        Log-odds that the trees start from, shape (2 n,) or (2 n, k).
    target
        0 to 1, NaN where it is not known, of the same shape.
    fold
        Of the cross-validation that chooses the rounds, shape (2 n,).
    columns
        Columns of the feature matrix that the trees read.
    signs
        Monotone directions of columns, 1 or -1.
    shared
        The trees read the mean of both legs, and leave the difference between them to the base:
        with few events, trees on rows of legs learn what the legs share and blur the rest.
    weight
        Of each row, shape (2 n,); None where all count alike.
    """

    legs: FeatureMatrix
    base: FloatArray
    target: FloatArray
    fold: np.ndarray
    columns: tuple[Column, ...]
    signs: dict[Column, int]
    shared: bool = False
    weight: FloatArray | None = None

    def take(self, rows: np.ndarray) -> BoostingRows:
        """Some of the rows, by a mask of shape (2 n,) that keeps or drops both legs."""
        return replace(
            self,
            legs=self.legs.take(rows[::2]),
            base=self.base[rows],
            target=self.target[rows],
            fold=self.fold[rows],
            weight=None if self.weight is None else self.weight[rows],
        )

    @property
    def known(self) -> np.ndarray:
        """Rows whose target is known, shape (2 n,)."""
        missing = np.isnan(self.target.reshape(len(self.target), -1))
        return np.asarray(~missing.any(axis=1))

    @property
    def boosting_target(self) -> BoostingTarget:
        """What a booster is given of them, rounded to the digits that machines share."""
        return BoostingTarget(
            label=self.target.round(DIGITS), base=self.base.round(DIGITS), weight=self.weight
        )


def booster_parameters(n_rows: int, settings: Settings = DEFAULTS) -> dict[str, object]:
    """Parameters of every booster here; the thread count depends on the number of rows alone."""
    return {
        "tree_method": "hist",
        "max_depth": settings.max_depth,
        "eta": settings.step_size,
        "min_child_weight": settings.least_child_weight,
        "lambda": settings.tree_ridge,
        "max_bin": MAX_BIN,
        "nthread": 2 if n_rows >= ROWS_FOR_TWO_THREADS else 1,
        "seed": 0,
    }


def fit_boosted(
    rows: BoostingRows,
    rounds: int | None = None,
    settings: Settings = DEFAULTS,
    hold_rows: HoldRows = hold_here,
) -> tuple[BoostedTrees, int]:
    """Trees on top of the base, and how many rounds; none where trees don't help.

    Parameters
    ----------
    rows
        With their targets and folds.
    rounds
        Rounds to take over instead of choosing them. A choice above 0 beats no trees by more
        than a standard error.
    settings
        Among them the most rounds to try.
    hold_rows
        What holds the rows and boosts on them: this process, or a cluster.

    Returns
    -------
    The trees, without a booster where there are none, and the number of rounds.
    """
    empty = BoostedTrees(
        columns=rows.columns,
        fill=column_means(rows.legs, rows.columns),
        booster=None,
        shared=rows.shared,
    )
    held = hold_rows(lambda some: empty.rows(rows.legs.take(some)), len(rows.legs.values))
    chosen = _choose_rounds(rows, held, settings) if rounds is None else rounds
    if chosen == 0:
        return empty, 0
    booster = held.boost(_parameters(rows, settings), rows.boosting_target, rows.known, chosen)
    booster.feature_names = [column.name for column in rows.columns]
    return replace(empty, booster=booster), chosen


def _choose_rounds(rows: BoostingRows, held: TreeRows, settings: Settings) -> int:
    """The rounds with the least left-out loss, 0 unless the gain exceeds its standard error."""
    candidates = range(0, settings.most_rounds + 1, STEP)
    losses = np.zeros((len(candidates), len(rows.target)))
    parameters, target = _parameters(rows, settings), rows.boosting_target
    for number in np.unique(rows.fold):
        inside = rows.known & (rows.fold != number)
        outside = rows.known & (rows.fold == number)
        booster = held.boost(parameters, target, inside, settings.most_rounds)
        base, target_outside = rows.base[outside], rows.target[outside]
        margins = (base, *held.log_odds(booster, rows.base, outside, candidates[1:]))
        for loss_after, margin in zip(losses, margins, strict=True):
            loss = _loss(margin, target_outside)
            loss_after[outside] = loss if rows.weight is None else rows.weight[outside] * loss
    best = int(losses.sum(axis=1).argmin())
    gain = (losses[0] - losses[best])[rows.known]
    return candidates[best] if gain.sum() > gain.std() * np.sqrt(len(gain)) else 0


def _loss(log_odds: FloatArray, target: FloatArray) -> FloatArray:
    loss = np.logaddexp(0.0, log_odds) - target * log_odds
    return np.asarray(loss.reshape(len(loss), -1).sum(axis=1))


def _parameters(rows: BoostingRows, settings: Settings) -> dict[str, object]:
    return {
        **booster_parameters(len(rows.target), settings),
        "objective": "binary:logistic",
        "base_score": 0.5,
        "monotone_constraints": tuple(rows.signs.get(column, 0) for column in rows.columns),
    }


def fit_imbalances(inputs: Inputs, fold: np.ndarray, progress: Progress) -> ImbalanceModel | None:
    """The five imbalances, where the cohort knows them: a simulated one only.

    Most of it is known in closed form; trees are fitted only where a grade marks an imbalance.
    They read the grades of its own pattern and nothing else: what other measures say is exact
    already, and trees that read them only add noise (`docs/decisions/0022`).

    Parameters
    ----------
    inputs
        Of a fit, with the true imbalances.
    fold
        Of each screening, shape (n,).
    progress
        Called with what is being done.

    Returns
    -------
    None where the imbalances are not known.
    """
    if inputs.imbalances is None:
        return None
    progress(event("imbalances"))
    names = tuple(imbalances())
    thresholds, spread = imbalance_thresholds()
    base = latent_log_odds(inputs.legs, names, thresholds, spread)
    target = inputs.imbalances.reshape(base.shape)
    trees: dict[str, BoostedTrees] = {}
    for place, name in enumerate(names):
        grades = [measure for measure in marks()[name] if quantity(measure).whole]
        rows = BoostingRows(
            legs=inputs.legs,
            base=base[:, place],
            target=target[:, place],
            fold=np.repeat(fold, 2),
            columns=tuple(
                Column(kind, grade)
                for grade in grades
                for kind in (ColumnKind.EXPECTED, ColumnKind.VARIANCE)
            ),
            signs={},
        )
        if grades:
            fitted, rounds = fit_boosted(rows, settings=Settings(most_rounds=MOST_IMBALANCE_ROUNDS))
            trees |= {name: fitted} if rounds else {}
    return ImbalanceModel(names=names, thresholds=thresholds, spread=spread, trees=trees)
