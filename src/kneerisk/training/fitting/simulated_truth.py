"""The true risks of a simulated cohort, as a fit learns from them.

They come from the simulator or from a file beside the cohort, so they are checked: a number that
can't be is refused, and a risk of exactly 0 or 1 is taken to be one close by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.errors import CohortRefused
from kneerisk.evidence.population import Population
from kneerisk.schema import SIDES, FloatArray
from kneerisk.words import text, variant

#: Risks nearer to 0 or 1 are taken to be these: log-odds of 0 and 1 have no end, and one of them
#: would outweigh all others (assumption: no screening tells more than one in a million).
LIMITS = (1e-6, 1.0 - 1e-6)
_LEGS, _EITHER, _SHIFT = ("risk_left", "risk_right"), "risk_either", "definition_shift"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTruth:
    """What is true of n screenings.

    Attributes
    ----------
    legs
        The risk of each leg within `LIMITS`, shape (n, 2), left first; NaN of one that hurts.
    either
        That of either knee, shape (n,).
    imbalances
        Their probabilities, shape (n, 2, n_imbalances).
    definition_shift
        What the definition of pain adds to the log-odds, shape (n,).
    """

    legs: FloatArray
    either: FloatArray
    imbalances: FloatArray
    definition_shift: FloatArray


def read_truth(truth: pd.DataFrame, cohort: Cohort, population: Population) -> SimulatedTruth:
    """The truth of a cohort's screenings.

    Parameters
    ----------
    truth
        One row a screening, in the order of the cohort.
    cohort
        The athletes to train on.
    population
        Whose imbalances are read.

    Returns
    -------
    Risks, imbalances and definitions.

    Raises
    ------
    CohortRefused
        Where the truth belongs to other athletes or an older release, or can't be; with every
        column at fault.
    """
    if list(truth["athlete_id"]) != list(cohort.frame["athlete_id"]):
        raise CohortRefused(text("training.truth.others"))
    if _SHIFT not in truth:
        raise CohortRefused(text("training.truth.older_release"))
    imbalances = [[f"{side}_{name}" for name in population.imbalances] for side in SIDES]
    _refuse_impossible(truth, [*_LEGS, _EITHER, *imbalances[0], *imbalances[1]])
    return SimulatedTruth(
        legs=truth[list(_LEGS)].to_numpy(np.float64).clip(*LIMITS),
        either=truth[_EITHER].to_numpy(np.float64).clip(*LIMITS),
        imbalances=np.stack([truth[names].to_numpy(np.float64) for names in imbalances], axis=1),
        definition_shift=truth[_SHIFT].to_numpy(np.float64, copy=True),
    )


def _refuse_impossible(truth: pd.DataFrame, probabilities: list[str]) -> None:
    """A missing number is allowed, of a knee that hurts."""
    outside = {name: (truth[name] < 0.0) | (truth[name] > 1.0) for name in probabilities}
    faults = [
        variant("training.truth", kind, column=name, count=f"{wrong.sum():,}")
        for kind, columns in (
            ("probability", outside),
            ("shift", {_SHIFT: np.isinf(truth[_SHIFT])}),
        )
        for name, wrong in columns.items()
        if wrong.any()
    ]
    if faults:
        raise CohortRefused("\n  ".join([text("training.truth.impossible"), *faults]))
