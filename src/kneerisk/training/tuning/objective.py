"""The objective of a study and its search space: what is minimised, and over which settings.

The objective is the log loss of the athletes to train on: of whole groups that are left out where
the cohort has them, else cross-validated over athletes. The search space holds only the settings
that act on the cohort at hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution, IntDistribution

import kneerisk
from kneerisk.cohort.files import Cohort
from kneerisk.cohort.row_weights import effective_outcomes
from kneerisk.cohort.splits import (
    Groups,
    groups_of,
    held_out,
    subset,
    truth_subset,
    without_athletes,
)
from kneerisk.evaluation.metrics import paired_difference, row_loss
from kneerisk.progress import Progress, event, ignore
from kneerisk.schema import FloatArray
from kneerisk.training import provenance
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_inputs import MANY_EVENTS, dealt_folds
from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.workers.this_process import Workers, in_this_process

FOLDS = 5
#: How often it is dealt who shares a fold: for a trial, and anew to compare the winner with the
#: defaults, since a winner of many trials suits the folds that it won on. Outcomes are one toss of
#: a coin and take more of it than true risks (assumptions).
DEALS_OF_OUTCOMES, DEALS_OF_TRUTH = (2, 4), (1, 2)
#: What the losses of a study depend on beside the cohort: the code that a fit runs through.
_FOLDERS = ("schema", "evidence", "cohort", "model", "evaluation", "training")


@dataclass(frozen=True)
class Objective:
    """The loss of settings, fold by fold; folds are numbered over all deals, the same for all.

    Where the cohort has groups, a trial leaves out each of them; the winner is compared with the
    defaults on folds of athletes, which no trial used. ``train`` holds no athlete who is held out,
    and nothing here reads another.
    """

    train: Cohort
    truth: pd.DataFrame | None

    @classmethod
    def of(cls, cohort: Cohort, truth: pd.DataFrame | None) -> Objective:
        """The objective of a whole cohort, without its held-out athletes.

        Parameters
        ----------
        cohort
            The whole cohort.
        truth
            Of a simulated cohort, its truth, one row a screening.

        Returns
        -------
        The objective.
        """
        train = ~held_out(cohort.frame["athlete_id"])
        return cls(subset(cohort, train), truth_subset(truth, train))

    @property
    def folds(self) -> int:
        """How many fits one trial takes."""
        return self._first_new_fold

    @property
    def space(self) -> Space:
        """The settings that act here."""
        true = self.truth is not None
        return space(
            true=true,
            plenty=true or effective_outcomes(self._target, self._weight)[0] >= MANY_EVENTS,
            people=self.train.kind != "simulated",
        )

    def loss(self, settings: Settings, fold: int) -> float:
        """Mean log loss of the legs of one fold, by a model that was fitted to the others.

        Where the true risks are known it is the expected one, without the luck of the draw.
        """
        losses, weight = self.losses(settings, fold), self._weight
        if weight is None:
            return float(np.nanmean(losses))
        return float(np.nansum(weight * losses) / weight[~np.isnan(losses)].sum())

    def gain(
        self,
        settings: Settings,
        progress: Progress = ignore,
        workers: Workers = in_this_process,
    ) -> tuple[float, float]:
        """Mean log loss of the defaults less that of settings, and its standard error.

        On folds that no trial used. Legs of an athlete are alike, so that athletes are the
        clusters.

        Parameters
        ----------
        settings
            To compare with the defaults.
        progress
            Called as each fold begins.
        workers
            What works on the folds.

        Returns
        -------
        In nats a leg.
        """
        gain = np.zeros_like(self._target)
        new_folds = range(self.folds, len(self._folds))

        def pieces() -> Iterator[int]:
            for number, fold in enumerate(new_folds, 1):
                progress(event("comparing_with_defaults", number=number, total=len(new_folds)))
                yield fold

        found = workers(_loss_saved, (self, settings), pieces())
        for fold, difference in zip(new_folds, found, strict=True):
            inside = self._in_fold(fold)
            gain[inside] += difference[inside]
        measured = ~np.isnan(gain)
        athlete = np.unique(self.train.frame["athlete_id"].astype(str), return_inverse=True)[1]
        athletes = np.broadcast_to(athlete[:, None], measured.shape)[measured]
        weight = None if self._weight is None else self._weight[measured]
        return paired_difference(gain[measured] / self._deals[1], athletes, weight)

    def identity(self) -> dict[str, str]:
        """What a study is of; trials of another one can't be compared with its own."""
        cohort = provenance.digest(self.train) + provenance.truth_digest(self.truth)
        return {
            "cohort": hashlib.sha256(cohort.encode()).hexdigest()[:16],
            "search space": in_words(self.space),
            "objective": f"log loss of {'true risks' if self.truth is not None else 'outcomes'}, "
            + self._folds_in_words,
            "program": program_digest(),
        }

    def losses(self, settings: Settings, fold: int) -> FloatArray:
        """Loss of each leg of a fold, by a model that was fitted to the others.

        Parameters
        ----------
        settings
            Of the fit.
        fold
            Its number over all deals.

        Returns
        -------
        Shape (n, 2), or (n, 1) of screenings without sides; NaN where there is none.
        """
        seed, inside = self._folds[fold]
        outside = without_athletes(self.train, inside)
        fitted = fit(
            subset(self.train, outside), truth_subset(self.truth, outside), seed=seed,
            interval=False, settings=settings,
        )  # fmt: skip
        predicted = fitted.model.predict(subset(self.train, inside).columns())
        sides = (predicted.left, predicted.right) if self.train.has_sides else (predicted.either,)
        losses = np.full(self._target.shape, np.nan)
        chances = np.stack([np.asarray(side) for side in sides], axis=1)
        losses[inside] = row_loss(chances, self._target[inside])
        return losses

    def _in_fold(self, fold: int) -> NDArray[np.bool_]:
        return self._folds[fold][1]

    @property
    def _first_new_fold(self) -> int:
        """The number of the first fold that no trial uses."""
        return self._deals[0] * FOLDS if self._groups is None else len(self._groups.names)

    @property
    def _folds_in_words(self) -> str:
        if self._groups is None:
            return f"{FOLDS} folds by athlete, drawn {self._deals[0]} times"
        return f"groups left out: {', '.join(self._groups.names)}"

    @cached_property
    def _groups(self) -> Groups | None:
        return groups_of(self.train)

    @property
    def _deals(self) -> tuple[int, int]:
        return DEALS_OF_OUTCOMES if self.truth is None else DEALS_OF_TRUTH

    @cached_property
    def _target(self) -> FloatArray:
        """True risks where they are known, else outcomes: (n, 2) of legs, (n, 1) without sides."""
        sides = ("left", "right") if self.train.has_sides else ("either",)
        if self.truth is not None:
            return self.truth[[f"risk_{side}" for side in sides]].to_numpy(np.float64)
        outcomes = self.train.outcomes()
        return np.stack([getattr(outcomes, side) for side in sides], axis=1)

    @cached_property
    def _weight(self) -> FloatArray | None:
        """Of the targets; None where all count alike."""
        weights = self.train.weights() if self.truth is None else None
        if weights is None:
            return None
        sides = (weights.left, weights.right) if self.train.has_sides else (weights.either,)
        return np.stack(sides, axis=1)

    @cached_property
    def _folds(self) -> tuple[tuple[int, NDArray[np.bool_]], ...]:
        """The seed and the left-out screenings of each fold: of the trials, then the new ones."""
        outcomes = self.train.outcomes()
        tasks = (outcomes.left, outcomes.right) if self.train.has_sides else (outcomes.either,) * 2
        people = self.train.frame["athlete_id"].to_numpy()
        trials, new = self._deals
        left_out: list[tuple[int, NDArray[np.bool_]]] = []
        if self._groups is not None:
            left_out = [(0, self._groups.code == code) for code in range(self._first_new_fold)]
        for seed in range(trials if left_out else 0, trials + new):
            dealt = dealt_folds(people, np.stack(tasks, axis=1), FOLDS, seed)
            left_out += [(seed, np.asarray(dealt == number)) for number in range(FOLDS)]
        return tuple(left_out)


def _loss_saved(shared: tuple[Objective, Settings], fold: int) -> FloatArray:
    """How much less loss each leg of a fold has than with the defaults."""
    objective, settings = shared
    return objective.losses(DEFAULTS, fold) - objective.losses(settings, fold)


def program_digest() -> str:
    """Of the code and tables that a fit runs through: after a change numbers may differ."""
    root = Path(kneerisk.__file__).parent
    files = [path for folder in _FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    sha256 = hashlib.sha256()
    for path in sorted(path for path in files if path.suffix in {".py", ".csv"}):
        sha256.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return sha256.hexdigest()[:16]


Range = IntDistribution | FloatDistribution
Space = Mapping[str, Range]


def space(*, true: bool, plenty: bool, people: bool) -> Space:
    """The settings to try, by name.

    Bounds are assumptions: about a tenth to ten times the default, where that makes sense.

    Parameters
    ----------
    true
        Whether models are fitted to true risks instead of outcomes.
    plenty
        Whether there are so many outcomes that penalties are not chosen inside a fit.
    people
        Whether the athletes were measured: their covariance is not the published one.

    Returns
    -------
    The range of each setting, by its name.
    """
    ranges: dict[str, Range] = {
        "max_depth": IntDistribution(1, 5),
        "step_size": FloatDistribution(0.02, 0.3, log=True),
        "least_child_weight": FloatDistribution(2.0, 200.0, log=True),
        "tree_ridge": FloatDistribution(1.0, 100.0, log=True),
        "most_rounds": IntDistribution(50, 200, step=50),
    }
    if plenty:
        ranges |= {"light_penalty": FloatDistribution(0.4, 40.0, log=True)}
    if not true:
        ranges |= {"tolerance_se": FloatDistribution(0.0, 2.0)}
    if people:
        ranges |= {"published_screenings": FloatDistribution(20.0, 2000.0, log=True)}
    return ranges


def in_words(tried: Space) -> str:
    """The bounds as a person reads them."""
    return ", ".join(
        f"{name} {bounds.low:g} to {bounds.high:g}" for name, bounds in sorted(tried.items())
    )
