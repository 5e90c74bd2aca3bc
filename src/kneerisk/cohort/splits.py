"""Which athletes are held out, and in which fold an athlete is: athletes are split, never rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort

#: Share of athletes that no version is ever trained on (assumption: the usual fifth).
HELD_OUT_SHARE = 0.2
# Part of the rule, not a secret: another salt would move athletes between the two parts, and a
# new version would then be judged on athletes that an older one was trained on.
_SALT = "kneerisk held-out athletes"


def held_out(athlete_ids: Iterable[object], share: float = HELD_OUT_SHARE) -> NDArray[np.bool_]:
    """Whether each row's athlete is held out, shape (n_rows,); it depends on the id alone."""
    ids = [str(athlete_id) for athlete_id in athlete_ids]
    chosen = {athlete_id: _position(athlete_id, _SALT) < share for athlete_id in set(ids)}
    return np.array([chosen[athlete_id] for athlete_id in ids], dtype=np.bool_)


def train_test_split(cohort: Cohort) -> tuple[Cohort, Cohort]:
    """The cohort to train on, and the one held out."""
    held = held_out(cohort.frame["athlete_id"])
    return subset(cohort, ~held), subset(cohort, held)


def subset(cohort: Cohort, rows: NDArray[np.bool_]) -> Cohort:
    """Some screenings of a cohort, numbered anew; `rows` has shape (n_screenings,)."""
    return replace(cohort, frame=cohort.frame[rows].reset_index(drop=True))


def truth_subset(truth: pd.DataFrame | None, rows: NDArray[np.bool_]) -> pd.DataFrame | None:
    """The truth of some screenings, numbered anew; None where the cohort has no known truth."""
    return None if truth is None else truth[rows].reset_index(drop=True)


def folds(athlete_ids: Iterable[object], n_folds: int, seed: int) -> NDArray[np.intp]:
    """The fold of each row, shape (n_rows,); all rows of an athlete share one.

    Folds have the same number of athletes, give or take one, whatever the order of the rows.
    """
    ids = [str(athlete_id) for athlete_id in athlete_ids]
    shuffled = sorted(set(ids), key=lambda athlete_id: _position(athlete_id, f"fold {seed}"))
    fold_of = {athlete_id: place % n_folds for place, athlete_id in enumerate(shuffled)}
    return np.array([fold_of[athlete_id] for athlete_id in ids], dtype=np.intp)


def _position(athlete_id: str, salt: str) -> float:
    digest = hashlib.sha256(f"{salt}\n{athlete_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
