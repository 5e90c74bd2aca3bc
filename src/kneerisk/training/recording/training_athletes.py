"""Which athletes a model was trained on: a released model is never evaluated on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import ATHLETE_ID
from kneerisk.cohort.splits import held_out, subset, truth_subset
from kneerisk.errors import CohortRefused, KneeriskError
from kneerisk.model import Metadata
from kneerisk.training.leakage.duplicate_athletes import plain_id
from kneerisk.training.provenance.lineage import digest, load_again
from kneerisk.training.tracking import Tracking, has_runs


def without_training_athletes(
    metadata: Metadata, cohort: Cohort, truth: pd.DataFrame | None, folder: Path
) -> tuple[Cohort, pd.DataFrame | None, str]:
    """Leave out the athletes that a model was trained on.

    Parameters
    ----------
    metadata
        Of the model.
    cohort
        Athletes with outcomes.
    truth
        Of a simulated cohort, its truth, one row a screening.
    folder
        Where the store of runs is.

    Returns
    -------
    The cohort and the truth of the others, and who they are in words.

    Raises
    ------
    CohortRefused
        Where nobody is left.
    """
    unseen, description = _unseen(metadata, cohort, folder)
    if unseen.all():
        return cohort, truth, description
    return subset(cohort, unseen), truth_subset(truth, unseen), description


def _unseen(metadata: Metadata, cohort: Cohort, folder: Path) -> tuple[NDArray[np.bool_], str]:
    ids = cohort.frame[ATHLETE_ID]
    if digest(cohort) == metadata.data_sha256:
        return held_out(ids), "held-out athletes of its own cohort"
    trained = _training_ids(metadata, folder)
    if trained is None:
        return np.ones(len(ids), dtype=bool), "all athletes of the file"
    seen = ids.map(plain_id).isin(trained).to_numpy()
    if seen.all():
        raise CohortRefused(f"{metadata.version} was trained on every athlete of the file")
    left_out = ids[seen].nunique()
    description = f"athletes it was not trained on ({left_out:,} of the file left out)"
    if not left_out:
        description = "all athletes of the file, none of whom it was trained on"
    return ~seen, description


def _training_ids(metadata: Metadata, folder: Path) -> set[str] | None:
    """The ids of those a model of people was trained on; None where that is not known here.

    A bundle holds no ids. They are in the file that its run names, if both are still here.
    """
    if metadata.cohort == "simulated" or not has_runs(folder):
        return None
    try:
        parameters, _ = Tracking(folder).logged_values(metadata.run_id)
        ids = load_again(parameters)[0].frame[ATHLETE_ID]
    except KneeriskError:
        return None
    return set(ids[~held_out(ids)].map(plain_id))
