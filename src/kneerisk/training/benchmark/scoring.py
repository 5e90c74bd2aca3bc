"""Scores of each contender with intervals, and which of them a control reaches as well.

A score is the mean over the fold seeds of each seed's score, never that of averaged probabilities,
which would be the score of an ensemble. People are resampled, all seeds with the same draws.
Screenings are compared within the fold that was left out together: fits to different folds have
different intercepts, which fall as the share in the fold rises, so that pooled, even the base rate
scores below 0.5 (Parker et al. 2007, BMC Bioinformatics 8:326, doi 10.1186/1471-2105-8-326).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneerisk.evaluation.auc_bootstrap import BOOTSTRAP_SEED
from kneerisk.evaluation.calibration.calibration_metrics import last_weight
from kneerisk.evaluation.metrics import row_loss
from kneerisk.evaluation.task_rows import RESAMPLES, logit
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.schema import FloatArray
from kneerisk.training.benchmark.contenders import CONTROL, MODEL, OutOfFold
from kneerisk.training.benchmark.tasks import Task

_LIMITS = (0.025, 0.975)
#: Log-odds that differ by less than this within every fold say nothing of a slope.
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScores:
    """A task with the scores of its contenders.

    Attributes
    ----------
    task
        What was predicted.
    metrics
        By contender and name: `auc`, `log_loss`, `calibration_slope` and `calibration_intercept`
        are means over the fold seeds, each with `_low` and `_high`, the limits of its 95 %
        interval; `auc_lowest_seed` and `auc_highest_seed` are the range over the seeds;
        `auc_behind_model` and `log_loss_behind_model` how much better the model is in the same
        folds. In a task of limbs, `right_limb` is the share of screenings whose painful limb got
        the higher risk.
    reached_by
        By contender the controls that reach its score.
    probability
        By contender the mean over the seeds, of the evaluated screenings, shape (n,).
    label
        Of the same screenings, 0 or 1, shape (n,).
    athlete
        Whose they are, as codes from 0, shape (n,).
    """

    task: Task
    metrics: Mapping[str, Mapping[str, float]]
    reached_by: Mapping[str, tuple[str, ...]]
    probability: Mapping[str, FloatArray]
    label: FloatArray
    athlete: NDArray[np.intp]

    @property
    def counts(self) -> dict[str, float]:
        """`rows`, `events` and `athletes` of the evaluated screenings."""
        return {
            "rows": float(len(self.label)),
            "events": float(self.label.sum()),
            "athletes": float(len(np.unique(self.athlete))),
        }

    def flat(self) -> dict[str, float]:
        """Every metric by one name, as a run keeps it: the contender before it, the model bare."""
        flat = self.counts
        for contender, metrics in self.metrics.items():
            prefix = "" if contender == MODEL else contender.replace(" ", "_") + "_"
            flat |= {f"{prefix}{name}": value for name, value in metrics.items()}
        return flat

    def is_chance(self, name: str) -> bool:
        """Whether the interval of a contender's AUC holds 0.5."""
        return self.metrics[name]["auc_low"] <= 0.5


@dataclass(frozen=True, slots=True)
class _Resampled:
    """AUC and log loss of one contender, first as they are, then by resample; means over seeds.

    ``seeds`` is the AUC of each seed.
    """

    auc: FloatArray
    log_loss: FloatArray
    seeds: FloatArray


def score_task(task: Task, by_seed: Sequence[OutOfFold]) -> TaskScores:
    """Score out-of-fold probabilities, those of one fold seed an entry."""
    rows = task.evaluated
    _, athlete = np.unique(task.athletes[rows], return_inverse=True)
    label = task.label[rows]
    folds = np.stack([predictions.fold[rows] for predictions in by_seed])
    probability = {
        name: np.stack([predictions.probability[name][rows] for predictions in by_seed])
        for name in by_seed[0].probability
    }
    weights = _weights(athlete)
    resampled = {
        name: _resampled(values, label, folds, weights) for name, values in probability.items()
    }
    metrics = {
        name: {**_with_intervals(resampled[name], resampled[MODEL], name),
               **recalibration(values, label, folds, athlete),
               **({"right_limb": _share_right(values, label)} if task.limb else {})}
        for name, values in probability.items()
    }  # fmt: skip
    controls = [name for name in probability if name.startswith(CONTROL)]
    reached = {
        name: tuple(c for c in controls if _reaches(resampled[c].auc, resampled[name].auc))
        for name in probability
        if name not in controls
    }
    means = {name: values.mean(axis=0) for name, values in probability.items()}
    return TaskScores(task=task, metrics=metrics, reached_by=reached, probability=means,
                      label=label, athlete=athlete)  # fmt: skip


def _weights(athlete: NDArray[np.intp]) -> FloatArray:
    """How often each row counts, shape (1 + RESAMPLES, n): once, then as its athlete is drawn."""
    people = int(athlete.max()) + 1
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    draws = generator.multinomial(people, np.full(people, 1.0 / people), RESAMPLES)
    return np.vstack([np.ones(len(athlete)), draws[:, athlete]]).astype(np.float64)


def _resampled(
    probability: FloatArray, label: FloatArray, folds: NDArray[np.intp], weights: FloatArray
) -> _Resampled:
    auc = np.stack([within_fold_auc(score, label, fold, weights)
                    for score, fold in zip(probability, folds, strict=True)])  # fmt: skip
    loss = np.mean([row_loss(risk, label) for risk in probability], axis=0)
    return _Resampled(auc.mean(axis=0), weights @ loss / weights.sum(axis=1), auc[:, 0])


def within_fold_auc(
    score: FloatArray, label: FloatArray, fold: NDArray[np.intp], weights: FloatArray
) -> FloatArray:
    """AUC over the pairs of rows of the same fold.

    Parameters
    ----------
    score
        Of each row, shape (n,).
    label
        0 or 1, shape (n,).
    fold
        Which rows were left out together, shape (n,).
    weights
        How often each row counts, shape (n_weightings, n).

    Returns
    -------
    Shape (n_weightings,).
    """
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for number in np.unique(fold):
        positive, negative = ((fold == number) & (label == value) for value in (1.0, 0.0))
        difference = score[positive][:, None] - score[negative][None, :]
        won = (difference > 0.0) + 0.5 * (difference == 0.0)
        wins += ((weights[:, positive] @ won) * weights[:, negative]).sum(axis=1)
        pairs += weights[:, positive].sum(axis=1) * weights[:, negative].sum(axis=1)
    return np.asarray(wins / pairs)


def recalibration(
    probability: FloatArray,
    label: FloatArray,
    folds: NDArray[np.intp],
    athlete: NDArray[np.intp],
) -> dict[str, float]:
    """`calibration_slope` and `calibration_intercept`, with `_low` and `_high`; means over seeds.

    The slope is taken within the folds (each has an intercept of its own); the intercept is
    calibration in the large, over all of them. The variance is robust to rows of one athlete
    being alike.

    Parameters
    ----------
    probability
        Of each fold seed, shape (n_seeds, n).
    label
        0 or 1, shape (n,).
    folds
        Which rows were left out together, shape (n_seeds, n).
    athlete
        Whose rows they are, as codes from 0, shape (n,).

    Returns
    -------
    By name; without those that some seed does not have.
    """
    metrics: dict[str, float] = {}
    for name, fit in (("calibration_slope", _slope), ("calibration_intercept", _intercept)):
        fits = [fit(logit(risk), label, fold, athlete)
                for risk, fold in zip(probability, folds, strict=True)]  # fmt: skip
        known = [estimate for estimate in fits if estimate is not None]
        if len(known) == len(fits):
            value, half = np.mean(known, axis=0) * (1.0, NORMAL_95)
            metrics |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return {name: float(value) for name, value in metrics.items()}


def _slope(
    margin: FloatArray, label: FloatArray, fold: NDArray[np.intp], athlete: NDArray[np.intp]
) -> tuple[float, float] | None:
    """Slope and standard error; each fold has an intercept of its own."""
    member = (fold[:, None] == np.unique(fold)[None, :]).astype(np.float64)
    share = (member.T @ label) / member.sum(axis=0)
    # A fold with one kind of label says nothing of a slope, and its intercept has no limit.
    member = member[:, (share > 0.0) & (share < 1.0)]
    rows = member.any(axis=1)
    level = member @ ((member.T @ margin) / member.sum(axis=0))
    if np.ptp((margin - level)[rows]) < _LEAST_SPREAD:
        return None
    design = np.column_stack([member, margin])[rows]
    return last_weight(design, np.zeros(len(design)), label[rows], athlete[rows])


def _intercept(
    margin: FloatArray, label: FloatArray, _: NDArray[np.intp], athlete: NDArray[np.intp]
) -> tuple[float, float] | None:
    return last_weight(np.ones((len(margin), 1)), margin, label, athlete)


def _with_intervals(own: _Resampled, model: _Resampled, name: str) -> dict[str, float]:
    metrics = {**_limits("auc", own.auc), **_limits("log_loss", own.log_loss)}
    metrics |= {"auc_lowest_seed": float(own.seeds.min())}
    metrics |= {"auc_highest_seed": float(own.seeds.max())}
    if name != MODEL:
        metrics |= _limits("auc_behind_model", model.auc - own.auc)
        metrics |= _limits("log_loss_behind_model", own.log_loss - model.log_loss)
    return metrics


def _share_right(probability: FloatArray, label: FloatArray) -> float:
    right = np.where(probability == 0.5, 0.5, (probability > 0.5) == (label == 1.0))
    return float(right.mean())


def _limits(name: str, resampled: FloatArray) -> dict[str, float]:
    low, high = np.quantile(resampled[1:], _LIMITS)
    return {name: float(resampled[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _reaches(control: FloatArray, score: FloatArray) -> bool:
    """Whether a control lies in a score's interval or above it."""
    return bool(control[0] >= np.quantile(score[1:], _LIMITS[0]))
