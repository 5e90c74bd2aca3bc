"""How well each contender did, with intervals, and which scores a control reaches as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneerisk.evaluation.metrics import row_loss
from kneerisk.evaluation.task_metrics import BOOTSTRAP_SEED
from kneerisk.schema import FloatArray
from kneerisk.training.benchmark.contenders import CONTROL, MODEL, OutOfFold
from kneerisk.training.benchmark.recalibration import recalibration
from kneerisk.training.benchmark.task import Task

#: Resamples of people behind an interval, as in `metrics`.
RESAMPLES = 500
_LIMITS = (0.025, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A task with the scores of its contenders.

    ``metrics`` are by contender and name: `auc`, `log_loss`, `calibration_slope` and
    `calibration_intercept` are means over the fold seeds, each with `_low` and `_high`, the limits
    of its 95 % interval; `auc_lowest_seed` and `auc_highest_seed` are the range over the seeds;
    `auc_behind_model` and `log_loss_behind_model` how much better the model is in the same folds.
    In a task of limbs, `right_limb` is the share of screenings whose painful limb was told the
    higher risk. ``reached_by`` are the controls that reach a contender's score.
    """

    task: Task
    metrics: Mapping[str, Mapping[str, float]]
    reached_by: Mapping[str, tuple[str, ...]]
    chance: Mapping[str, FloatArray]
    """By contender the mean probability over the seeds, of the judged screenings."""
    label: FloatArray
    athlete: NDArray[np.intp]

    @property
    def counts(self) -> dict[str, float]:
        """`rows`, `events` and `athletes` of the judged screenings."""
        return {
            "rows": float(len(self.label)),
            "events": float(self.label.sum()),
            "athletes": float(len(np.unique(self.athlete))),
        }

    def flat(self) -> dict[str, float]:
        """Every metric by one name, as a run keeps it: the contender before it, the model bare."""
        found = self.counts
        for who, metrics in self.metrics.items():
            before = "" if who == MODEL else who.replace(" ", "_") + "_"
            found |= {f"{before}{name}": value for name, value in metrics.items()}
        return found

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


def judge(task: Task, by_seed: Sequence[OutOfFold]) -> Judged:
    """Judge out-of-fold probabilities, those of one fold seed an entry.

    A score is the mean over the seeds of each seed's score, never that of averaged probabilities,
    which would be the score of an ensemble. People are resampled, all seeds with the same draws.

    Screenings are compared within the part that was left out together. Fits without different
    parts have different intercepts, which fall as the share in the part rises: pooled, even the
    base rate scores below 0.5 (Parker and others 2007, doi 10.1186/1471-2105-8-326).
    """
    rows = task.judged
    _, athlete = np.unique(task.athletes[rows], return_inverse=True)
    label = task.label[rows]
    parts = np.stack([one.part[rows] for one in by_seed])
    names = by_seed[0].chance
    told = {name: np.stack([one.chance[name][rows] for one in by_seed]) for name in names}
    weights = _weights(athlete)
    drawn = {name: _resampled(chance, label, parts, weights) for name, chance in told.items()}
    metrics = {
        name: {**_of(drawn[name], drawn[MODEL], name),
               **recalibration(chance, label, parts, athlete),
               **({"right_limb": _right(chance, label)} if task.limb else {})}
        for name, chance in told.items()
    }  # fmt: skip
    controls = [name for name in told if name.startswith(CONTROL)]
    reached = {
        name: tuple(one for one in controls if _reaches(drawn[one].auc, drawn[name].auc))
        for name in told
        if name not in controls
    }
    means = {name: chance.mean(axis=0) for name, chance in told.items()}
    return Judged(task=task, metrics=metrics, reached_by=reached, chance=means, label=label,
                  athlete=athlete)  # fmt: skip


def _weights(athlete: NDArray[np.intp]) -> FloatArray:
    """How often each row counts, shape (1 + RESAMPLES, n): once, then as its athlete is drawn."""
    people = int(athlete.max()) + 1
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    draws = generator.multinomial(people, np.full(people, 1.0 / people), RESAMPLES)
    return np.vstack([np.ones(len(athlete)), draws[:, athlete]]).astype(np.float64)


def _resampled(
    chance: FloatArray, label: FloatArray, parts: NDArray[np.intp], weights: FloatArray
) -> _Resampled:
    auc = np.stack([within_auc(one, label, part, weights)
                    for one, part in zip(chance, parts, strict=True)])  # fmt: skip
    loss = np.mean([row_loss(one, label) for one in chance], axis=0)
    return _Resampled(auc.mean(axis=0), weights @ loss / weights.sum(axis=1), auc[:, 0])


def within_auc(
    score: FloatArray, label: FloatArray, part: NDArray[np.intp], weights: FloatArray
) -> FloatArray:
    """AUC over the pairs of rows of the same part, shape (n_weightings,).

    Parameters
    ----------
    weights
        How often each row counts, shape (n_weightings, n).
    """
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for number in np.unique(part):
        yes, no = ((part == number) & (label == value) for value in (1.0, 0.0))
        apart = score[yes][:, None] - score[no][None, :]
        won = (apart > 0.0) + 0.5 * (apart == 0.0)
        wins += ((weights[:, yes] @ won) * weights[:, no]).sum(axis=1)
        pairs += weights[:, yes].sum(axis=1) * weights[:, no].sum(axis=1)
    return np.asarray(wins / pairs)


def _of(own: _Resampled, model: _Resampled, name: str) -> dict[str, float]:
    found = {**_limits("auc", own.auc), **_limits("log_loss", own.log_loss)}
    found |= {"auc_lowest_seed": float(own.seeds.min()), "auc_highest_seed": float(own.seeds.max())}
    if name != MODEL:
        found |= _limits("auc_behind_model", model.auc - own.auc)
        found |= _limits("log_loss_behind_model", own.log_loss - model.log_loss)
    return found


def _right(chance: FloatArray, label: FloatArray) -> float:
    return float(np.where(chance == 0.5, 0.5, (chance > 0.5) == (label == 1.0)).mean())


def _limits(name: str, drawn: FloatArray) -> dict[str, float]:
    low, high = np.quantile(drawn[1:], _LIMITS)
    return {name: float(drawn[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _reaches(control: FloatArray, score: FloatArray) -> bool:
    """Whether a control lies in a score's interval or above it."""
    return bool(control[0] >= np.quantile(score[1:], _LIMITS[0]))
