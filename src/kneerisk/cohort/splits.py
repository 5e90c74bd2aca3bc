"""The held-out split, the folds and the groups to leave out: athletes are split, never rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import ATHLETE_ID, GROUP
from kneerisk.cohort.row_weights import scaled_to_effective
from kneerisk.words import text

#: Share of athletes that no version is ever trained on (assumption: the usual fifth).
HELD_OUT_SHARE = 0.2
#: Fewest legs with the outcome, and without it, in a group that is left out (assumption: with fewer
#: the 95 % interval of its AUC is wider than 0.2).
FEWEST_IN_GROUP = 30.0
#: Most groups that are left out, each of which takes a fit (assumption: ten show the spread).
MOST_GROUPS = 10
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


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of a cohort (years, sites, clubs) that are left out one at a time.

    Attributes
    ----------
    names
        Of each, in their order; of merged ones the first and the last, `2009 to 2010`.
    code
        The group of each screening, a place in ``names``, shape (n_screenings,).
    """

    names: tuple[str, ...]
    code: NDArray[np.intp]


def groups_of(cohort: Cohort) -> Groups | None:
    """The groups to leave out: neighbours in order of name merged until each has enough outcomes.

    Years are then merged with the next year. Where there are too few outcomes at the end, they join
    the group before; where there are very many, groups grow until there are at most ten.

    Parameters
    ----------
    cohort
        With outcomes, and a group for each screening.

    Returns
    -------
    At least two groups; None where the cohort has no group, or too few outcomes for two.
    """
    if GROUP not in cohort.frame:
        return None
    labels = (
        cohort.frame[GROUP]
        .astype(object)
        .where(cohort.frame[GROUP].notna(), text("cohort.groups.none"))
    )
    labels = labels.astype(str)
    outcomes = cohort.outcomes()
    known = np.stack(
        [outcomes.left, outcomes.right] if cohort.has_sides else [outcomes.either], axis=1
    )
    weight, names = _worth(cohort, known), sorted(labels.unique(), key=_natural)
    counts = {}
    for name in names:
        rows = (labels == name).to_numpy()
        counts[name] = _outcomes_of_both_sorts(known[rows], weight[rows])
    merged = _merge_neighbours(names, counts, FEWEST_IN_GROUP)
    if len(merged) > MOST_GROUPS:
        share = float(np.sum(list(counts.values()), axis=0).min()) / MOST_GROUPS
        merged = _merge_neighbours(names, counts, share)
    if len(merged) < 2:
        return None
    code_of = {name: code for code, group in enumerate(merged) for name in group}
    return Groups(
        tuple(
            group[0]
            if len(group) == 1
            else text("cohort.groups.merged", first=group[0], last=group[-1])
            for group in merged
        ),
        np.array([code_of[label] for label in labels], dtype=np.intp),
    )


def _merge_neighbours(
    names: Iterable[str], counts: dict[str, NDArray[np.float64]], fewest: float
) -> list[list[str]]:
    merged: list[list[str]] = []
    collected: list[str] = []
    for name in names:
        collected.append(name)
        if np.sum([counts[each] for each in collected], axis=0).min() >= fewest:
            merged.append(collected)
            collected = []
    if merged:
        merged[-1] += collected
    return merged


def _worth(cohort: Cohort, outcome: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each outcome counts, of the shape of the outcomes."""
    weights = cohort.weights()
    if weights is None:
        return np.ones(outcome.shape)
    legs = [weights.left, weights.right] if cohort.has_sides else [weights.either]
    return scaled_to_effective(np.stack(legs, axis=1), ~np.isnan(outcome))


def _outcomes_of_both_sorts(
    known: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.array([np.nansum(weight * known), np.nansum(weight * (1.0 - known))])


def _natural(name: str) -> tuple[tuple[int, float, str], ...]:
    """A key by which `club 9` stands before `club 10`."""
    return tuple(
        (0, float(part), "") if part.isdecimal() else (1, 0.0, part)
        for part in re.split(r"(\d+)", name)
        if part
    )


def without_athletes(cohort: Cohort, left_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which screenings can be trained on where some are left out: none of the same athletes.

    Parameters
    ----------
    cohort
        The cohort.
    left_out
        Which of its screenings, a mask of shape ``(n_screenings,)``.

    Returns
    -------
    A mask of the same shape.
    """
    ids = cohort.frame[ATHLETE_ID]
    return ~ids.isin(ids[left_out]).to_numpy()


def _position(athlete_id: str, salt: str) -> float:
    digest = hashlib.sha256(f"{salt}\n{athlete_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
