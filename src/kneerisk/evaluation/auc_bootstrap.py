"""The AUC of rows and of resampled athletes, and the interval that follows from it.

A resample is the number of times that each athlete is drawn, so that rows are sorted only once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.schema import FloatArray

#: Fixed, so that the same predictions give the same interval.
BOOTSTRAP_SEED = 20_240_117
#: Resamples whose weights are held in memory at once.
_CHUNK = 25
#: Share of resamples that must hold both kinds of outcome for an interval to mean something
#: (assumption).
_USABLE = 0.95
#: Of a number of resamples, each with the draws of all athletes: pairs ranked rightly, and all.
_Pairs = Callable[[NDArray[np.uint8]], tuple[FloatArray, FloatArray]]


def auc_interval(rows: TaskRows) -> tuple[float, float] | None:
    """95 % percentile interval of the AUC over resampled athletes.

    None with fewer than two athletes, or where too many resamples hold one kind of outcome only
    (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13).
    """
    if not rows.has_both_outcomes or len(np.unique(rows.athlete)) < 2:
        return None
    resampled = bootstrap_auc(rows, BOOTSTRAP_SEED)
    usable = resampled[np.isfinite(resampled)]
    if len(usable) < _USABLE * len(resampled):
        return None
    low, high = np.quantile(usable, [0.025, 0.975])
    return float(low), float(high)


def area_under_curve(rows: TaskRows) -> float:
    """The share of pairs, one with pain and one without, that are ranked rightly; a tie is half.

    Of out-of-fold risks only pairs of one fold are compared.

    Parameters
    ----------
    rows
        Of a task.

    Returns
    -------
    NaN where there is no such pair.
    """
    # All rows are drawn once, as those of one athlete would be.
    [area] = _areas(rows, np.zeros(len(rows.outcome), np.intp), np.ones((1, 1), np.uint8))
    return float(area)


def bootstrap_auc(rows: TaskRows, seed: int) -> FloatArray:
    """AUC of each resample of athletes.

    Parameters
    ----------
    rows
        Of a task; they say how many resamples there are.
    seed
        Of the resamples.

    Returns
    -------
    Shape (n_resamples,); NaN where a resample holds one kind of outcome only.
    """
    athletes, codes = np.unique(rows.athlete, return_inverse=True)
    return _areas(rows, codes, _draws(seed, len(athletes), rows.resamples))


def _areas(rows: TaskRows, owner: NDArray[np.intp], draws: NDArray[np.uint8]) -> FloatArray:
    """The AUC by resample, NaN where it holds one kind of outcome only."""
    parts = [
        np.ones(len(owner), dtype=bool) if rows.fold is None else rows.fold == number
        for number in ([0] if rows.fold is None else np.unique(rows.fold))
    ]
    wins, pairs = np.zeros(len(draws)), np.zeros(len(draws))
    for part in parts:
        own_wins, own_pairs = _resampled_pairs(rows.take(part), owner[part], draws)
        wins, pairs = wins + own_wins, pairs + own_pairs
    areas = np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0.0)
    return np.asarray(areas, dtype=np.float64)


def _resampled_pairs(
    rows: TaskRows, owner: NDArray[np.intp], draws: NDArray[np.uint8]
) -> tuple[FloatArray, FloatArray]:
    """Pairs of a row with pain and one without that are ranked rightly, and all, by resample."""
    is_whole = rows.weight is None and bool(np.isin(rows.outcome, (0.0, 1.0)).all())
    pairs_of = _counted_pairs(rows, owner) if is_whole else _weighted_pairs(rows, owner)
    chunks = [draws[first : first + _CHUNK] for first in range(0, len(draws), _CHUNK)]
    wins, pairs = zip(*map(pairs_of, chunks), strict=True)
    return np.concatenate(wins), np.concatenate(pairs)


def _counted_pairs(rows: TaskRows, owner: NDArray[np.intp]) -> _Pairs:
    """Pairs of rows that all count alike: whole numbers, exact in any order of adding."""
    order = np.argsort(rows.probability, kind="stable")
    has_pain = rows.outcome[order] == 1.0
    risks, owner = rows.probability[order], owner[order]
    # How many rows without pain lie below each row with pain, and how many below or level.
    below, not_above = (
        np.searchsorted(risks[~has_pain], risks[has_pain], side) for side in ("left", "right")
    )
    return partial(_count, owner[has_pain], owner[~has_pain], below, not_above)


def _count(
    with_pain: NDArray[np.intp],
    without: NDArray[np.intp],
    below: NDArray[np.intp],
    not_above: NDArray[np.intp],
    draws: NDArray[np.uint8],
) -> tuple[FloatArray, FloatArray]:
    drawn = draws.take(with_pain, axis=1)
    total = np.zeros((len(draws), len(without) + 1), dtype=np.int32)
    np.cumsum(draws.take(without, axis=1), axis=1, out=total[:, 1:])
    # A tie is half a win.
    twice = total.take(below, axis=1) + total.take(not_above, axis=1)
    wins = np.einsum("ij,ij->i", drawn, twice, dtype=np.float64) / 2.0
    return wins, drawn.sum(axis=1) * total[:, -1].astype(np.float64)


def _weighted_pairs(rows: TaskRows, owner: NDArray[np.intp]) -> _Pairs:
    """Pairs of rows that count as much as they weigh, or with pain in part."""
    order = np.argsort(rows.probability, kind="stable")
    starts = np.flatnonzero(np.diff(rows.probability[order], prepend=np.nan) != 0.0)
    return partial(_weigh, rows.outcome[order], owner[order], rows.weights[order], starts)


def _weigh(
    positive: FloatArray,
    owner: NDArray[np.intp],
    own_weight: FloatArray,
    starts: NDArray[np.intp],
    draws: NDArray[np.uint8],
) -> tuple[FloatArray, FloatArray]:
    weight = draws[:, owner] * own_weight
    with_pain = weight * positive
    without = weight - with_pain
    if len(starts) < len(owner):  # ties
        with_pain = np.add.reduceat(with_pain, starts, axis=1)
        without = np.add.reduceat(without, starts, axis=1)
    below = np.cumsum(without, axis=1)
    wins = np.einsum("ij,ij->i", with_pain, below - without / 2.0)
    return wins, with_pain.sum(axis=1) * below[:, -1]


@lru_cache(maxsize=4)
def _draws(seed: int, athletes: int, resamples: int) -> NDArray[np.uint8]:
    """How often each resample draws each athlete, shape (resamples, athletes); kept for reuse."""
    generator = np.random.default_rng(seed)
    shares = np.full(athletes, 1.0 / athletes)
    # Nobody is drawn 256 times: one in n, n times over, is a Poisson number of mean 1.
    chunks = [
        generator.multinomial(athletes, shares, min(_CHUNK, resamples - first)).astype(np.uint8)
        for first in range(0, resamples, _CHUNK)
    ]
    return np.concatenate(chunks)
