"""Answers that an athlete may give to a question that was not asked, and how likely each is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kneerisk.evidence.tables import assumption
from kneerisk.model.feature_columns import Column, ColumnKind, sport_columns
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, Category, Columns, FloatArray, columns

#: Coded answers by column, each of shape (k,), and their shares, shape (k,).
Answers = tuple[dict[str, FloatArray], FloatArray]
#: Keeps a sum of shares from being 0.
SMALLEST = 1e-9


def unasked(model: RiskModel, data: Columns, missing: tuple[str, ...]) -> Iterator[Answers]:
    """What may be answered to a question, one item for each part that is independent.

    Parameters
    ----------
    data
        Coded columns of one screening, shape (1,).
    missing
        The columns that the question would fill.
    """
    for side in SIDES:
        yield from _knee(side, data, missing)
    for name in missing:
        if name == "level":
            yield {name: np.arange(3.0)}, _levels()
        elif name == "sport":
            shares = np.array([_mean(model, column) for column in sport_columns()])
            yield {name: np.arange(float(len(shares)))}, shares / max(shares.sum(), SMALLEST)
        elif isinstance(columns()[name], Category) and not name.startswith(SIDES):
            share = float(np.clip(_mean(model, Column(ColumnKind.ATHLETE, name)), 0.0, 1.0))
            yield {name: np.array([0.0, 1.0])}, np.array([1.0 - share, share])


def _mean(model: RiskModel, column: Column) -> float:
    """The training cohort's mean of a column of the feature matrix: of an answer, its share."""
    if column in model.boosted.columns:
        return float(model.boosted.fill[model.boosted.columns.index(column)])
    between = model.margin.between
    if column in between.columns:
        return float(between.centre[between.columns.index(column)])
    return 0.0


def _levels() -> FloatArray:
    novice, competitive = assumption("novice_share"), assumption("competitive_share")
    return np.array([novice, 1.0 - novice - competitive, competitive])


def _knee(side: str, data: Columns, missing: tuple[str, ...]) -> Iterator[Answers]:
    """Earlier trouble of one knee: when it last hurt, and how often it has."""
    names = tuple(f"{side}_{name}" for name in ("prior_knee_injury", "same_side_episodes"))
    wanted = [i for i, name in enumerate(names) if name in missing]
    if not wanted:
        return
    given = tuple(data[name][0] for name in names)
    states, shares = _knee_states()
    possible = np.ones(len(shares), bool)
    for i in (0, 1):
        if not np.isnan(given[i]):
            told = np.minimum(given[i], states[:, i].max())
            possible &= states[:, i] == told
    if possible.any():
        found = {names[i]: states[possible, i] for i in wanted}
        yield found, shares[possible] / shares[possible].sum()


def _knee_states() -> tuple[FloatArray, FloatArray]:
    """Code of the last injury and number of episodes, shape (7, 2), and their shares, (7,)."""
    recent, older = assumption("prior_injury_recent_share"), assumption("prior_injury_older_share")
    second, third = assumption("second_episode_share"), assumption("third_episode_share")
    times = ((1.0, 1.0 - second - third), (2.0, second), (3.0, third))
    rows = [(0.0, 0.0, 1.0 - recent - older)]
    rows += [
        (code, n, share * p) for code, share in ((1.0, older), (2.0, recent)) for n, p in times
    ]
    table = np.array(rows)
    return table[:, :2], table[:, 2]
