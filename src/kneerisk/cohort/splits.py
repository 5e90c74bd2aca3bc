"""The held-out split and the folds: athletes are split, never rows."""

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
# Part of the rule, not a secret: another salt would move athletes between the two cohorts, and a
# new version would then be evaluated on athletes that an older one was trained on.
_SALT = "kneerisk held-out athletes"


def held_out(athlete_ids: Iterable[object], share: float = HELD_OUT_SHARE) -> NDArray[np.bool_]:
    """Which rows are of held-out athletes; it depends on the athlete's id alone.

    Parameters
    ----------
    athlete_ids
        The athlete of each of n rows.
    share
        Share of athletes to hold out.

    Returns
    -------
    A mask of shape ``(n_rows,)``.
    """
    ids = [str(athlete_id) for athlete_id in athlete_ids]
    chosen = {athlete_id: _position(athlete_id, _SALT) < share for athlete_id in set(ids)}
    return np.array([chosen[athlete_id] for athlete_id in ids], dtype=np.bool_)


def train_test_split(cohort: Cohort) -> tuple[Cohort, Cohort]:
    """Split a cohort into the athletes to train on and those held out."""
    held = held_out(cohort.frame["athlete_id"])
    return subset(cohort, ~held), subset(cohort, held)


def subset(cohort: Cohort, rows: NDArray[np.bool_]) -> Cohort:
    """Some screenings of a cohort, numbered anew.

    Parameters
    ----------
    cohort
        The cohort.
    rows
        Which of its screenings, a mask of shape ``(n_screenings,)``.

    Returns
    -------
    A cohort of the same kind.
    """
    return replace(cohort, frame=cohort.frame[rows].reset_index(drop=True))


def truth_subset(truth: pd.DataFrame | None, rows: NDArray[np.bool_]) -> pd.DataFrame | None:
    """The truth of some screenings, numbered anew.

    Parameters
    ----------
    truth
        A row a screening; None where the truth is not known.
    rows
        Which of the screenings, a mask of shape ``(n_screenings,)``.

    Returns
    -------
    Their truth; None where it is not known.
    """
    return None if truth is None else truth[rows].reset_index(drop=True)


def folds(athlete_ids: Iterable[object], n_folds: int, seed: int) -> NDArray[np.intp]:
    """Deal athletes to folds of the same size, give or take one, whatever the order of the rows.

    Parameters
    ----------
    athlete_ids
        The athlete of each of n rows.
    n_folds
        How many folds.
    seed
        Another seed deals another way.

    Returns
    -------
    The fold of each row, shape ``(n_rows,)``; all rows of an athlete share one.
    """
    ids = [str(athlete_id) for athlete_id in athlete_ids]
    shuffled = sorted(set(ids), key=lambda athlete_id: _position(athlete_id, f"fold {seed}"))
    fold_of = {athlete_id: place % n_folds for place, athlete_id in enumerate(shuffled)}
    return np.array([fold_of[athlete_id] for athlete_id in ids], dtype=np.intp)


def _position(athlete_id: str, salt: str) -> float:
    digest = hashlib.sha256(f"{salt}\n{athlete_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
